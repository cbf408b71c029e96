//! A mail server that takes everything, or refuses exactly what a test tells it to.
//!
//! It speaks the real protocol (RFC 5321) with TLS from the start or by STARTTLS and with AUTH PLAIN and LOGIN, keeps
//! what it took, and runs in a thread of its own, so that a test may stop the clock.

mod session;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Identity, Shown};

/// How a sink is reached and who may send.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Encryption.
    pub security: Security,
    /// Login name and password; `None`: anybody may send.
    pub login: Option<(String, String)>,
    /// Which ways to log in are offered; empty: `PLAIN LOGIN`.
    pub mechanisms: &'static str,
    /// Which certificate is shown.
    pub shown: Shown,
}

/// Encryption of a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// TLS from the first octet.
    #[default]
    Tls,
    /// STARTTLS is offered, and required before anything is sent.
    StartTls,
    /// None is offered.
    Clear,
}

/// Where a session can be disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The first line.
    Greeting,
    /// EHLO, also the one after STARTTLS.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The dot after the message.
    End,
}

/// What happens there in place of the right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// This line, such as `451 4.3.0 later`.
    Answer(&'static str),
    /// The right answer with this line behind it, as somebody on the way would add one.
    Also(&'static str),
    /// Nothing, while the connection stays.
    Silence,
    /// The connection is closed.
    Cut,
    /// At [`Stage::End`] only: the message is kept and the connection closed before the answer.
    KeepAndCut,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Envelope sender.
    pub from: String,
    /// Envelope recipients.
    pub to: Vec<String>,
    /// Who logged in.
    pub login: Option<String>,
    /// Whether the connection was encrypted.
    pub encrypted: bool,
    /// The message with CRLF, without the dots of the protocol.
    pub octets: Vec<u8>,
}

impl Arrived {
    /// The value of a header as written, unfolded; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let text = String::from_utf8_lossy(&self.octets);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let found = head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }
}

/// A running sink; it ends with this value.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    identity: Identity,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    instead: VecDeque<(Stage, Instead)>,
    arrived: Vec<Arrived>,
    connections: usize,
    logins: usize,
}

impl Sink {
    /// Starts one on a free loopback port.
    pub fn start(wanted: Wanted) -> Result<Self> {
        let identity = Identity::create(wanted.shown)?;
        let acceptor = acceptor(&identity)?;
        let shared = Arc::new(Shared::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime for the sink")?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let (wanted, kept) = (Arc::new(wanted), Arc::clone(&shared));
        let serve = async move {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                kept.lock().connections += 1;
                let (wanted, kept, acceptor) =
                    (Arc::clone(&wanted), Arc::clone(&kept), acceptor.clone());
                // A session that breaks off is what tests are about.
                tokio::spawn(async move {
                    session::serve(stream, acceptor, &wanted, &kept).await.ok();
                });
            }
        };
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            identity,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Its TCP port on 127.0.0.1, which its certificate names as `localhost` and `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// PEM of the authority that a client has to trust.
    pub fn authority_pem(&self) -> &str {
        &self.identity.authority_pem
    }

    /// The next time that a session comes to this stage something else happens; once per call, in order.
    pub fn instead(&self, stage: Stage, instead: Instead) {
        self.shared.lock().instead.push_back((stage, instead));
    }

    /// What was taken so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.lock().arrived.clone()
    }

    /// Waits until so many were taken.
    pub fn wait_for(&self, count: usize) -> Result<Vec<Arrived>> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let arrived = self.arrived();
            if arrived.len() >= count {
                return Ok(arrived);
            }
            if Instant::now() > deadline {
                bail!(
                    "{} of {count} mails arrived in thirty seconds",
                    arrived.len()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Tries to log in so far, good and bad ones.
    pub fn logins(&self) -> usize {
        self.shared.lock().logins
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to happen at this stage, once.
    fn disturbed(&self, stage: Stage) -> Option<Instead> {
        let mut inner = self.lock();
        let at = inner.instead.iter().position(|(at, _)| *at == stage)?;
        inner.instead.remove(at).map(|(_, instead)| instead)
    }
}

fn acceptor(identity: &Identity) -> Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
