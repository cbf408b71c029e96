//! Two real accounts, a ledger on disk, and runs between them.

use hikyaku_core::ledger::Ledger;
use hikyaku_core::plan::Plan;
use hikyaku_core::policy::{Patience, Policy};
use hikyaku_core::report::Report;
use hikyaku_core::undo::UndoReport;
use hikyaku_core::{AccountId, Fault, Side};
use hikyaku_engine::{Job, Source, Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions, ImapUndo};
use hikyaku_ledger::{PairLedger, Store};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_testkit::judge::{AccountSnapshot, MailboxSnapshot};
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::{Account, Kind, MailServer};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One account, reached through a recording proxy.
pub(crate) struct End {
    pub(crate) server: Arc<dyn MailServer + Sync>,
    pub(crate) account: Account,
    pub(crate) proxy: Proxy,
    side: Side,
}

impl End {
    pub(crate) fn new(server: Arc<dyn MailServer + Sync>, name: &str, side: Side) -> Self {
        let account = server.create_account(name).unwrap();
        let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).unwrap();
        Self {
            server,
            account,
            proxy,
            side,
        }
    }

    pub(crate) fn snapshot(&self) -> AccountSnapshot {
        self.server
            .judge(&self.account)
            .unwrap()
            .snapshot()
            .unwrap()
    }

    pub(crate) fn options(&self) -> ImapOptions {
        let endpoint = Endpoint::new("127.0.0.1", self.proxy.port(), Security::Plain, self.side);
        let credentials = Credentials::password(&self.account.user, self.account.password.clone());
        ImapOptions::new(endpoint, credentials)
    }

    pub(crate) async fn connect(&self) -> Result<Arc<ImapAccount>, Fault> {
        ImapAccount::connect(self.options()).await.map(Arc::new)
    }

    fn id(&self) -> AccountId {
        AccountId::new(format!("imap://{}@{:?}", self.account.user, self.side))
    }
}

/// A source, a destination and what is durable between them.
pub(crate) struct Pair {
    pub(crate) source: End,
    pub(crate) destination: End,
    pub(crate) policy: Policy,
    state: tempfile::TempDir,
}

/// The ledger as the engine gets it, wrapped or plain.
pub(crate) type Wrap<'a> = &'a dyn Fn(PairLedger) -> Arc<dyn Ledger>;

impl Pair {
    pub(crate) fn between(source: Kind, destination: Kind) -> Self {
        let first: Arc<dyn MailServer + Sync> = start_shared(source);
        let second = match source == destination {
            true => Arc::clone(&first),
            false => start_shared(destination),
        };
        Self {
            source: End::new(first, "source", Side::Source),
            destination: End::new(second, "destination", Side::Destination),
            policy: Policy {
                patience: quick(),
                ..Policy::default()
            },
            state: tempfile::tempdir().unwrap(),
        }
    }

    /// A new destination account and an empty ledger, with the same source.
    pub(crate) fn renew(&mut self, name: &str) {
        let server = Arc::clone(&self.destination.server);
        self.destination = End::new(server, name, Side::Destination);
        self.state = tempfile::tempdir().unwrap();
    }

    pub(crate) fn forget(&mut self) {
        self.state = tempfile::tempdir().unwrap();
    }

    pub(crate) fn ledger_file(&self) -> PathBuf {
        self.state.path().join("ledger.sqlite")
    }

    /// What a person's command works with.
    fn job(
        &self,
        source: Arc<ImapAccount>,
        destination: Arc<ImapAccount>,
        ledger: Arc<dyn Ledger>,
    ) -> Job {
        Job {
            source,
            destination,
            undo: Some(Arc::new(ImapUndo::new(self.destination.options()))),
            ledger,
            observer: Arc::new(()),
            clock: Arc::new(SystemClock::default()),
            policy: self.policy.clone(),
            stop: Stop::new(),
            seed: 11,
        }
    }

    /// The ledger, and a job over it.
    async fn open(&self) -> (Store, Job) {
        let store = Store::open(self.ledger_file()).await.unwrap();
        let ledger = store
            .pair(&self.source.id(), &self.destination.id())
            .await
            .unwrap();
        let source = self.source.connect().await.unwrap();
        let destination = self.destination.connect().await.unwrap();
        (store, self.job(source, destination, Arc::new(ledger)))
    }

    pub(crate) async fn copy_with(&self, wrap: Wrap<'_>) -> Result<Report, Fault> {
        let store = Store::open(self.ledger_file()).await?;
        let ledger = store
            .pair(&self.source.id(), &self.destination.id())
            .await?;
        let (source, destination) = tokio::join!(self.source.connect(), self.destination.connect());
        let (source, destination) = (source?, destination?);
        let job = self.job(source.clone(), destination.clone(), wrap(ledger));
        let report = job.copy().await;
        source.close().await;
        destination.close().await;
        store.close().await;
        report
    }

    pub(crate) async fn copy(&self) -> Report {
        let report = self.copy_with(&|ledger| Arc::new(ledger)).await.unwrap();
        assert!(report.adds_up(), "{report:#?}");
        report
    }

    pub(crate) async fn copy_completely(&self) -> Report {
        let report = self.copy().await;
        assert!(report.is_complete(), "{report:#?}");
        report
    }

    /// Takes back what it may, as the plan said; what came of it.
    pub(crate) async fn undo(&self) -> UndoReport {
        let (store, job) = self.open().await;
        let plan = job.undo_plan().await.unwrap();
        let report = job.undo().await.unwrap();
        store.close().await;
        assert_eq!(report.stopped, None);
        assert_eq!(plan.lines, report.lines, "the plan says what happens");
        report
    }

    /// Where each source mailbox goes, by the plan that a user is shown.
    pub(crate) async fn plan(&self) -> Plan {
        let (store, job) = self.open().await;
        let plan = job.plan().await.unwrap();
        store.close().await;
        plan
    }

    /// Another run, with and without a ledger, appends nothing and changes nothing.
    pub(crate) async fn assert_settled(&mut self) {
        let before = self.destination.snapshot();
        let report = self.copy().await;
        assert_eq!(report.copied_now(), 0, "{report:#?}");
        assert_same(&self.destination.snapshot(), &before);
    }
}

fn start_shared(kind: Kind) -> Arc<dyn MailServer + Sync> {
    use hikyaku_testkit::servers::{
        Courier, CourierOptions, Cyrus, CyrusOptions, Dovecot, DovecotOptions,
    };
    match kind {
        Kind::Dovecot => Arc::new(Dovecot::start(DovecotOptions::default()).unwrap()),
        Kind::Cyrus => Arc::new(Cyrus::start(CyrusOptions::default()).unwrap()),
        Kind::Courier => Arc::new(Courier::start(CourierOptions::default()).unwrap()),
    }
}

/// Waits that are enough for servers on the loopback.
pub(crate) fn quick() -> Patience {
    Patience {
        doubt_settle: Duration::from_millis(400),
        doubt_interval: Duration::from_millis(100),
        backoff: Duration::from_millis(20),
        backoff_max: Duration::from_millis(200),
        ..Patience::default()
    }
}

/// The verbs that a source may ever see.
const ALLOWED: [&str; 22] = [
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID",
    "ENABLE",
    "STARTTLS",
    "AUTHENTICATE",
    "LOGIN",
    "COMPRESS",
    "NAMESPACE",
    "LIST",
    "LSUB",
    "STATUS",
    "EXAMINE",
    "UNSELECT",
    "UID FETCH",
    "UID SEARCH",
    "FETCH",
    "SEARCH",
    "GETQUOTAROOT",
    "GETQUOTA",
    "IDLE",
];

/// The source saw nothing that could change it.
pub(crate) fn assert_only_read(proxy: &Proxy) {
    let commands = proxy.commands();
    assert!(!commands.is_empty());
    for command in commands {
        let upper = command.to_ascii_uppercase();
        // What answers a challenge of AUTHENTICATE has no verb.
        let verb = ALLOWED.iter().any(|verb| upper.starts_with(verb));
        assert!(verb || !upper.contains(' '), "the source saw: {command}");
        let peeks = !upper.contains("BODY[")
            && !upper.contains("RFC822 ")
            && !upper.contains("RFC822.TEXT");
        assert!(peeks, "the source saw: {command}");
    }
}

/// The account is exactly as it was, UIDs, UIDVALIDITY and subscriptions included.
pub(crate) fn assert_same(now: &AccountSnapshot, before: &AccountSnapshot) {
    for (wire, was) in &before.mailboxes {
        let is = now.mailboxes.get(wire);
        if is != Some(was) {
            let is = is.unwrap_or_else(|| panic!("{} is gone", was.name));
            for (a, b) in was.messages.iter().zip(&is.messages) {
                assert_eq!(a, b, "in {}", was.name);
            }
            let heads = |m: &MailboxSnapshot| {
                let attributes = format!("{:?}", m.attributes);
                (
                    m.uid_validity,
                    m.uid_next,
                    m.subscribed,
                    m.messages.len(),
                    attributes,
                )
            };
            assert_eq!(heads(is), heads(was), "{} changed", was.name);
        }
    }
    assert!(now == before, "mailboxes or subscriptions were added");
}
