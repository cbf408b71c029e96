//! The listener: accepts connections and starts a session for each.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::account::{Account, lock};
use crate::faults::{Director, Script};
use crate::personality::Personality;
use crate::session::Session;
use crate::transcript::{Recorder, Traffic, Transcript};
use crate::wire::{Carrier, Stream};

/// How a server is to be.
#[derive(Clone)]
pub struct Options {
    /// What it is like.
    pub personality: Personality,
    /// What goes wrong.
    pub script: Script,
    /// How it encrypts.
    pub tls: Tls,
    /// Whether passwords are taken without TLS; if not, LOGINDISABLED is told.
    pub plain_login: bool,
    /// Administrators (name, password) who may enter every account: as
    /// `user*name`, or with an authorisation identity in SASL PLAIN.
    pub masters: Vec<(String, String)>,
    /// What it takes before it refuses.
    pub limits: Limits,
    /// The UIDVALIDITY of the first mailbox of the first account.
    pub first_uidvalidity: u32,
    /// The port on 127.0.0.1; 0 for any free one.
    pub port: u16,
}

impl Options {
    /// A server of this kind on any free port, without TLS, that takes passwords.
    pub fn new(personality: Personality) -> Self {
        Self {
            personality,
            script: Script::new(),
            tls: Tls::None,
            plain_login: true,
            masters: Vec::new(),
            limits: Limits::default(),
            first_uidvalidity: 1_700_000_000,
            port: 0,
        }
    }

    /// The same with a script.
    #[must_use]
    pub fn script(mut self, script: impl Into<Script>) -> Self {
        self.script = script.into();
        self
    }
}

/// How connections are encrypted.
#[derive(Clone, Default)]
pub enum Tls {
    /// Not at all.
    #[default]
    None,
    /// After STARTTLS.
    StartTls(Arc<ServerConfig>),
    /// From the first octet.
    Implicit(Arc<ServerConfig>),
}

/// What a server takes from clients before it refuses.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of one command without its literals.
    pub line: usize,
    /// Octets of one literal that is no message.
    pub literal: u64,
    /// Octets of the messages of one APPEND.
    pub message: u64,
    /// Connections at once.
    pub connections: usize,
    /// Sessions of one account at once.
    pub sessions_per_account: usize,
    /// Bad commands in a row before BYE.
    pub bad_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 64 * 1024,
            literal: 64 * 1024,
            message: 256 * 1024 * 1024,
            connections: 256,
            sessions_per_account: 64,
            bad_commands: 20,
        }
    }
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) personality: Arc<Personality>,
    pub(crate) accounts: Mutex<BTreeMap<String, Account>>,
    pub(crate) masters: Vec<(String, String)>,
    pub(crate) director: Director,
    pub(crate) recorder: Recorder,
    pub(crate) limits: Limits,
    pub(crate) plain_login: bool,
    /// For STARTTLS.
    pub(crate) start_tls: Option<TlsAcceptor>,
    implicit_tls: Option<TlsAcceptor>,
    connections: AtomicUsize,
    refusing: AtomicBool,
    /// Sessions that run, by connection number.
    running: Mutex<BTreeMap<u32, AbortHandle>>,
    /// Commands executed; for tests that wait for something to happen.
    pub(crate) commands: AtomicU64,
}

/// A running server. It ends, with all its connections, when it is dropped.
pub struct MemServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Where there is a listener.
    accepting: Option<AbortHandle>,
    first_uidvalidity: u32,
}

impl MemServer {
    /// Listens on 127.0.0.1 and serves from tasks of the current runtime.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let mut server = Self::new(options);
        server.address = address;
        server.accepting =
            Some(tokio::spawn(accept(listener, server.shared.clone())).abort_handle());
        Ok(server)
    }

    /// A server that listens nowhere and speaks no TLS: connections are brought to it by [`MemServer::accept`].
    pub fn in_memory(options: Options) -> Self {
        Self::new(Options {
            tls: Tls::None,
            ..options
        })
    }

    fn new(options: Options) -> Self {
        let (start_tls, implicit_tls) = match options.tls {
            Tls::None => (None, None),
            Tls::StartTls(config) => (Some(TlsAcceptor::from(config)), None),
            Tls::Implicit(config) => (None, Some(TlsAcceptor::from(config))),
        };
        let shared = Arc::new(Shared {
            personality: Arc::new(options.personality),
            accounts: Mutex::default(),
            masters: options.masters,
            director: Director::new(options.script),
            recorder: Recorder::default(),
            limits: options.limits,
            plain_login: options.plain_login,
            start_tls,
            implicit_tls,
            connections: AtomicUsize::new(0),
            refusing: AtomicBool::new(false),
            running: Mutex::default(),
            commands: AtomicU64::new(0),
        });
        Self {
            shared,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            accepting: None,
            first_uidvalidity: options.first_uidvalidity,
        }
    }

    /// Serves one connection from a task of the current runtime. Closed at once while connections are refused.
    pub fn accept(&self, carrier: impl Carrier + 'static) {
        self.shared.serve(Stream::Carried(Box::new(carrier)));
    }

    /// Where it listens; port 0 when it listens nowhere.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it is like.
    pub fn personality(&self) -> &Personality {
        &self.shared.personality
    }

    /// Adds an account with an empty INBOX (and Gmail's own mailboxes where the
    /// personality has them). One of the same name is replaced.
    pub fn add_account(&self, user: &str, password: &str) -> Account {
        let mut accounts = lock(&self.shared.accounts);
        let offset = u32::try_from(accounts.len())
            .unwrap_or(0)
            .wrapping_mul(100_000);
        let first = self.first_uidvalidity.wrapping_add(offset).max(1);
        let account = Account::new(user, password, &self.shared.personality, first);
        accounts.insert(user.to_owned(), account.clone());
        account
    }

    /// The account of this name.
    pub fn account(&self, user: &str) -> Option<Account> {
        lock(&self.shared.accounts).get(user).cloned()
    }

    /// Everything that clients asked for so far.
    pub fn transcript(&self) -> Transcript {
        self.shared.recorder.copy()
    }

    /// Forgets the commands so far; connections keep their numbers.
    pub fn clear_transcript(&self) {
        self.shared.recorder.clear();
    }

    /// Replaces the script; its counts begin anew, connections keep their numbers.
    pub fn play(&self, script: impl Into<Script>) {
        self.shared.director.play(script.into());
    }

    /// How often each rule of the script has struck, in its order.
    pub fn hits(&self) -> Vec<u32> {
        self.shared.director.hits()
    }

    /// Ends all connections at once, in the middle of whatever they do.
    pub fn drop_connections(&self) {
        let running = std::mem::take(&mut *lock(&self.shared.running));
        for session in running.into_values() {
            session.abort();
        }
    }

    /// Whether new connections are closed as soon as they are accepted.
    pub fn refuse_connections(&self, refuse: bool) {
        self.shared.refusing.store(refuse, Ordering::Release);
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }

    /// Commands executed so far.
    pub fn commands(&self) -> u64 {
        self.shared.commands.load(Ordering::Acquire)
    }
}

impl Drop for MemServer {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
        self.drop_connections();
    }
}

impl std::fmt::Debug for MemServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Counts a connection as open until it is dropped.
struct Open(Arc<Shared>, u32);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
        lock(&self.0.running).remove(&self.1);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, or the peer has gone already: give others time.
            tokio::task::yield_now().await;
            continue;
        };
        shared.serve(Stream::tcp(stream));
    }
}

impl Shared {
    /// Starts a session on a new connection.
    fn serve(self: &Arc<Self>, stream: Stream) {
        if self.refusing.load(Ordering::Acquire) {
            return;
        }
        let number = self.recorder.connected();
        let open = self.connections.fetch_add(1, Ordering::AcqRel) + 1;
        let guard = Open(self.clone(), number);
        let crowded = open > self.limits.connections;
        let session = Session::new(stream, self.clone(), number);
        let implicit = self.implicit_tls.clone();
        // The lock is held over the spawn so that a session that ends at once
        // finds its handle to remove.
        let mut handles = lock(&self.running);
        let task = tokio::spawn(async move {
            let guard = guard;
            let traffic = session.run(implicit, crowded).await;
            guard.0.recorder.traffic(
                number,
                Traffic {
                    ended: true,
                    ..traffic
                },
            );
        });
        handles.insert(number, task.abort_handle());
    }
}
