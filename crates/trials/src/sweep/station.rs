//! A place where cases are tried one after the other: a source account of its own on a Dovecot that all share, a new
//! destination account and a new ledger for each case.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hikyaku_core::policy::{Patience, Policy};
use hikyaku_core::report::Report;
use hikyaku_core::traits::Source;
use hikyaku_core::{AccountId, Code, Event, Fault, Observer, Side};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_ledger::Store;
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security, Timeouts};
use hikyaku_testkit::generate::fill;
use hikyaku_testkit::judge::AccountSnapshot;
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, MailServer};

use super::account::{MESSAGES, account};
use super::case::Manner;

/// A run that has not ended by then never will, however busy the machine is.
const ENDLESS: Duration = Duration::from_secs(600);

/// Cases between two looks at the source.
const LOOKS: usize = 8;

/// Dovecot as the sweep needs it: on tmpfs, with room for many connections.
pub(super) fn server() -> Result<Dovecot> {
    Dovecot::start(DovecotOptions {
        in_memory: true,
        max_userip_connections: 100,
        // A process for each connection, and SCRAM's thousands of rounds for each login, would take half of the time.
        extra: "auth_mechanisms = plain\nservice imap {\n  service_count = 200\n  process_limit = 400\n}\n"
            .to_owned(),
        ..DovecotOptions::default()
    })
}

/// See the module.
pub(super) struct Station<'a> {
    pub(super) server: &'a Dovecot,
    source: Account,
    /// What the source holds, and is to hold for ever.
    pub(super) truth: AccountSnapshot,
    name: String,
    cases: usize,
}

/// The two accounts of one case, each behind a proxy, and what is durable between them.
pub(super) struct Pair<'a> {
    server: &'a Dovecot,
    source: Account,
    destination: Account,
    pub(super) source_proxy: Proxy,
    pub(super) destination_proxy: Proxy,
    ledger: tempfile::TempDir,
}

/// How a run of the product is made.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    pub(super) patience: Patience,
    pub(super) timeouts: Timeouts,
}

/// What a run came to: its report or why there is none, and what it had to wait for.
pub(super) struct Ran {
    pub(super) result: Result<Report, Fault>,
    /// How often an append was in doubt until the server had settled.
    pub(super) doubts: usize,
    /// How long it took.
    pub(super) took: Duration,
}

impl<'a> Station<'a> {
    /// Makes and fills the source account.
    pub(super) fn new(server: &'a Dovecot, name: &str) -> Result<Self> {
        let source = server.create_account(&format!("source-{name}"))?;
        let filled = fill(server, &source, &account())?;
        ensure!(filled.refusals.is_empty(), "{:?}", filled.refusals);
        let truth = server.judge(&source)?.snapshot()?;
        let messages: usize = truth.mailboxes.values().map(|m| m.messages.len()).sum();
        ensure!(messages == MESSAGES, "the source has {messages} messages");
        Ok(Self {
            server,
            source,
            truth,
            name: name.to_owned(),
            cases: 0,
        })
    }

    /// A destination and a ledger that nobody used before.
    pub(super) fn pair(&mut self) -> Result<Pair<'a>> {
        self.cases += 1;
        let name = format!("copy-{}-{}", self.name, self.cases);
        let proxy = || Proxy::start(self.server.instance().address(), ProxySettings::default());
        let quick = Path::new("/dev/shm");
        Ok(Pair {
            server: self.server,
            source: self.source.clone(),
            destination: self.server.create_account(&name)?,
            source_proxy: proxy()?,
            destination_proxy: proxy()?,
            ledger: if quick.is_dir() {
                tempfile::tempdir_in(quick)?
            } else {
                tempfile::tempdir()?
            },
        })
    }

    /// Whether the judge looks at the source after this case: it takes as long as a run, and each case shows by the
    /// commands that the source saw that nothing was written there.
    pub(super) fn looks_now(&self) -> bool {
        self.cases.is_multiple_of(LOOKS)
    }

    /// What the source holds now.
    pub(super) fn look(&self) -> Result<AccountSnapshot> {
        self.server.judge(&self.source)?.snapshot()
    }
}

impl Pair<'_> {
    /// The proxy of a side.
    pub(super) fn proxy(&self, side: Side) -> &Proxy {
        match side {
            Side::Source => &self.source_proxy,
            Side::Destination => &self.destination_proxy,
        }
    }

    /// What the destination holds now.
    pub(super) fn look(&self) -> Result<AccountSnapshot> {
        self.server.judge(&self.destination)?.snapshot()
    }

    /// Runs the product once, as a process of its own would: everything that it leaves behind is cut off when the
    /// run is over.
    pub(super) fn run(&self, pace: &Pace) -> Result<Ran> {
        let started = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let doubts = Arc::new(Doubts::default());
        let copy = self.copy(pace, doubts.clone());
        let result = runtime
            .block_on(async { tokio::time::timeout(ENDLESS, copy).await })
            .context("a run did not end")?;
        drop(runtime);
        Ok(Ran {
            result,
            doubts: doubts.0.load(Ordering::Relaxed),
            took: started.elapsed(),
        })
    }

    async fn copy(&self, pace: &Pace, observer: Arc<dyn Observer>) -> Result<Report, Fault> {
        let store = Store::open(self.ledger.path().join("ledger.sqlite")).await?;
        let id = |account: &Account| AccountId::new(format!("imap://{}@localhost", account.user));
        let ledger = store
            .pair(&id(&self.source), &id(&self.destination))
            .await?;
        let (source, destination) = tokio::join!(
            self.connect(Side::Source, pace),
            self.connect(Side::Destination, pace)
        );
        let (source, destination) = (Arc::new(source?), Arc::new(destination?));
        let job = Job {
            source: source.clone(),
            destination: destination.clone(),
            undo: None,
            ledger: Arc::new(ledger),
            observer,
            clock: Arc::new(SystemClock::default()),
            policy: Policy {
                lanes: 1,
                patience: pace.patience.clone(),
                ..Policy::default()
            },
            stop: Stop::new(),
            seed: 11,
        };
        let report = job.copy().await;
        tokio::join!(source.close(), destination.close());
        store.close().await;
        report
    }

    async fn connect(&self, side: Side, pace: &Pace) -> Result<ImapAccount, Fault> {
        let (account, proxy) = match side {
            Side::Source => (&self.source, &self.source_proxy),
            Side::Destination => (&self.destination, &self.destination_proxy),
        };
        let mut endpoint = Endpoint::new("127.0.0.1", proxy.port(), Security::Plain, side);
        endpoint.timeouts = pace.timeouts;
        let credentials = Credentials::password(&account.user, account.password.clone());
        let options = ImapOptions {
            // One, so that the lines of the dialogue have the same numbers in each run.
            lanes: 1,
            ..ImapOptions::new(endpoint, credentials)
        };
        ImapAccount::connect(options).await
    }

    /// Removes the copy: thousands of them would fill the disk.
    pub(super) fn remove(self) -> Result<()> {
        let mail = self.server.mail_directory(&self.destination);
        if let Some(home) = mail.parent().filter(|home| home.is_dir()) {
            // What the server still writes there while it goes is of no interest.
            std::fs::remove_dir_all(home).ok();
        }
        Ok(())
    }
}

impl Pace {
    /// For the run that meets the cut: what Dovecot on loopback needs, and silence is noticed soon.
    pub(super) fn quick(manner: Manner) -> Self {
        let usual = Self::unhurried();
        Self {
            patience: Patience {
                reconnects: match manner {
                    Manner::Retries => usual.patience.reconnects,
                    Manner::Quits => 0,
                },
                circuit: Vec::new(),
                ..usual.patience
            },
            timeouts: Timeouts {
                connect: Duration::from_secs(3),
                greeting: Duration::from_millis(1_500),
                reply: Duration::from_millis(1_500),
                ..usual.timeouts
            },
        }
    }

    /// For the runs that nothing disturbs: the server may be slow, because many cases are tried at a time.
    pub(super) fn unhurried() -> Self {
        Self {
            patience: Patience {
                // Dovecot was seen to store messages 0.3 s after their sender had gone. Waits of less than a second
                // would not be told to observers.
                doubt_settle: Duration::from_millis(1_300),
                doubt_interval: Duration::from_millis(150),
                backoff: Duration::from_millis(20),
                backoff_max: Duration::from_millis(200),
                ..Patience::default()
            },
            timeouts: Timeouts {
                // Whether the port expects TLS is not asked: the answer is known, and the question is no command.
                probe: ENDLESS,
                ..Timeouts::default()
            },
        }
    }

    /// As the product is delivered, but that silence is noticed soon.
    pub(super) fn delivered() -> Self {
        Self {
            patience: Patience::default(),
            timeouts: Self::quick(Manner::Retries).timeouts,
        }
    }
}

/// Counts waits for a server that may still be storing.
#[derive(Default)]
struct Doubts(AtomicUsize);

impl Observer for Doubts {
    fn note(&self, event: &Event) {
        if let Event::Waiting { because, .. } = event
            && because.code == Code::MessageUnknown
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
