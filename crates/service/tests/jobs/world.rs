//! Two servers with accounts, a store, workers, and a clock that can be set.

use futures::future::{BoxFuture, FutureExt};
use hikyaku_core::policy::Policy;
use hikyaku_core::traits::Clock;
use hikyaku_core::{AccountId, Code, Fault, Reach, Remedy, Side};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{AuditRow, Letter, NewLetter};
use hikyaku_memserver::{Account, MemServer, NewMessage, Options, Personality, Snapshot};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Secret, Security};
use hikyaku_service::job::{
    Checked, Choices, Job, JobId, Order, Protocol, Reached, SourceAccount, SourceKind, State,
    Transport,
};
use hikyaku_service::jobs::{Jobs, Owner, Secrets};
use hikyaku_service::notice::NoticeKind;
use hikyaku_service::origin::Way;
use hikyaku_service::seal::Key;
use hikyaku_service::worker::{Accounts, Limits, Tell, Worker, World};
use hikyaku_view::{FaultView, PlanView};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The password of every account at the source: nobody may find it anywhere.
pub(crate) const CANARY: &str = "canary-5f3a91-source";

/// That of every account at the destination.
pub(crate) const OTHER_CANARY: &str = "canary-77b0c2-destination";

pub(crate) const HOUR: i64 = 60 * 60 * 1000;

/// How long a test waits for what has to come.
const GENEROUS: Duration = Duration::from_secs(90);

/// The system's clock, whose wall can be turned.
#[derive(Default)]
pub(crate) struct Turned {
    clock: SystemClock,
    ahead: AtomicI64,
}

impl Turned {
    pub(crate) fn turn(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Turned {
    fn unix_millis(&self) -> i64 {
        self.clock.unix_millis() + self.ahead.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }
}

/// What the workers of a test know of the world.
pub(crate) struct Stage {
    source: u16,
    destination: u16,
    pub(crate) moved: AtomicBool,
    /// Policies are made from this one.
    pub(crate) policy: Mutex<Policy>,
}

impl World for Stage {
    fn check<'a>(
        &'a self,
        order: &'a Order,
        secrets: Secrets,
        _: &'a Store,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Checked> {
        async move {
            let mut checked = Checked {
                reached: Some(Reached {
                    host: order.source.host.clone(),
                    port: self.source,
                    transport: Transport::Clear,
                    login: order.source.address.clone(),
                    protocol: Protocol::default(),
                }),
                ..Checked::default()
            };
            tell(&checked);
            for side in [Side::Source, Side::Destination] {
                let options = self.options(side, order, &secrets);
                match ImapAccount::connect(options).await {
                    Ok(account) => hikyaku_core::traits::Source::close(&account).await,
                    Err(fault) => checked.fault = Some(FaultView::from(&fault)),
                }
                tell(&checked);
            }
            checked.plan = Some(PlanView {
                messages: 0,
                octets: None,
                room: None,
                mailboxes: Vec::new(),
            });
            checked
        }
        .boxed()
    }

    fn accounts(&self, job: &Job, secrets: &Secrets) -> Result<Accounts, Fault> {
        let order = &job.order;
        if secrets.source.is_none() {
            let gone = "no password";
            let fault = Fault::new(Code::SecretUnreadable, Reach::Job, Remedy::AskUser, gone);
            return Err(fault);
        }
        Ok(Accounts {
            source: AccountId::new(format!("imap://{}@old", order.source.address)),
            way: Way::imap(self.options(Side::Source, order, secrets)),
            destination: AccountId::new(format!("imap://{}@new", order.destination)),
            destination_options: self.options(Side::Destination, order, secrets),
        })
    }

    fn policy(&self, _: &Job) -> Result<Policy, Fault> {
        Ok(self.policy.lock().expect("a lock").clone())
    }

    fn mail(&self, job: &Job, kind: NoticeKind, key: &str) -> Result<Option<NewLetter>, Fault> {
        if kind == NoticeKind::Accepted {
            return Ok(None);
        }
        Ok(Some(NewLetter {
            message_id: format!("<{key}@example.jp>"),
            tenant: job.order.brand.clone(),
            job: job.id.to_string(),
            kind: kind.as_str().to_owned(),
            recipient: job.order.notify.clone(),
            subject: kind.as_str().to_owned(),
            body: String::new(),
        }))
    }

    fn is_moved<'a>(&'a self, _: &'a Order) -> BoxFuture<'a, bool> {
        async { self.moved.load(Ordering::SeqCst) }.boxed()
    }

    fn retention_days(&self, _: &Order) -> u32 {
        180
    }
}

impl Stage {
    fn options(&self, side: Side, order: &Order, secrets: &Secrets) -> ImapOptions {
        let (port, user, secret) = match side {
            Side::Source => (self.source, &order.source.address, &secrets.source),
            Side::Destination => (self.destination, &order.destination, &secrets.destination),
        };
        let mut endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
        endpoint.timeouts.connect = Duration::from_secs(5);
        let secret = secret.clone().unwrap_or_else(|| Secret::from(""));
        ImapOptions::new(endpoint, Credentials::password(user, secret))
    }
}

/// Everything of a test.
pub(crate) struct Town {
    pub(crate) old: MemServer,
    pub(crate) new: MemServer,
    pub(crate) clock: Arc<Turned>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) jobs: Jobs,
    key: Key,
    directory: tempfile::TempDir,
}

impl Town {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(file_in(&directory)).await.expect("a store");
        Self::with(directory, store).await
    }

    /// With the jobs in this store.
    pub(crate) async fn on(store: Store) -> Self {
        Self::with(tempfile::tempdir().expect("a directory"), store).await
    }

    async fn with(directory: tempfile::TempDir, store: Store) -> Self {
        // One message per append: so that there is time to do something meanwhile.
        let mut personality = Personality::dovecot_like();
        personality.capabilities.retain(|c| c != "MULTIAPPEND");
        let server = || MemServer::start(Options::new(personality.clone()));
        let (old, new) = (
            server().await.expect("a port"),
            server().await.expect("a port"),
        );
        let clock = Arc::new(Turned::default());
        let key = Key::random();
        let mut policy = Policy::default();
        // A server in this process has settled at once.
        policy.patience.doubt_settle = Duration::from_millis(50);
        policy.patience.doubt_interval = Duration::from_millis(10);
        let stage = Stage {
            source: old.port(),
            destination: new.port(),
            moved: AtomicBool::new(false),
            policy: Mutex::new(policy),
        };
        Self {
            stage: Arc::new(stage),
            jobs: Jobs::with_clock(store, key.clone(), clock.clone()),
            old,
            new,
            clock,
            key,
            directory,
        }
    }

    /// The same service after its process has died: whatever was not durable is forgotten.
    pub(crate) async fn restart(&mut self) {
        let store = Store::open(self.file()).await.expect("a store");
        self.jobs = Jobs::with_clock(store, self.key.clone(), self.clock.clone());
    }

    pub(crate) fn file(&self) -> PathBuf {
        file_in(&self.directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A person with so many messages at the old server.
    pub(crate) fn person(&self, name: &str, messages: usize) -> Person {
        let address = format!("{name}@example.jp");
        let old = self.old.add_account(&address, CANARY);
        let new = self.new.add_account(&address, OTHER_CANARY);
        for n in 0..messages {
            let mailbox = ["INBOX", "仕事", "Sent"][n % 3];
            let text = format!(
                "From: a@example.jp\r\nSubject: {name} {n}\r\nMessage-ID: <{name}.{n}@x>\r\n\r\ntext {n}\r\n"
            );
            old.add_message(mailbox, NewMessage::new(text).flags(&["\\Seen"]));
        }
        Person {
            owner: Owner {
                brand: "brand".to_owned(),
                address,
            },
            old,
            new,
        }
    }

    pub(crate) fn work(&self) -> Working {
        self.work_with(quick())
    }

    pub(crate) fn work_with(&self, limits: Limits) -> Working {
        self.work_on(self.jobs.clone(), limits)
    }

    /// Jobs as another process sees them.
    pub(crate) fn elsewhere(&self, store: Store) -> Jobs {
        Jobs::with_clock(store, self.key.clone(), self.clock.clone())
    }

    pub(crate) fn work_on(&self, jobs: Jobs, limits: Limits) -> Working {
        let stop = Stop::new();
        let worker = Worker::new(jobs, self.stage.clone(), limits);
        let task = tokio::spawn(worker.run(stop.clone()));
        Working { stop, task }
    }

    /// Orders a copy and says yes as soon as the plan is there.
    pub(crate) async fn copy(&self, person: &Person) -> JobId {
        self.copy_as(person, Choices::default()).await
    }

    pub(crate) async fn copy_as(&self, person: &Person, choices: Choices) -> JobId {
        let id = self.submit(person).await;
        self.wait(person, id, "a plan", |job| job.state == State::Ready)
            .await;
        let started = self.jobs.start(&person.owner, id, choices).await;
        started.expect("a plan was there");
        id
    }

    pub(crate) async fn submit(&self, person: &Person) -> JobId {
        let token = format!("{:x}", rand_token());
        let submitted = self
            .jobs
            .submit(&person.owner, person.order(), secrets(), &token);
        submitted.await.expect("submitted")
    }

    /// The job, once it stands so.
    pub(crate) async fn wait(
        &self,
        person: &Person,
        id: JobId,
        what: &str,
        is_so: impl Fn(&Job) -> bool,
    ) -> Job {
        let mut bell = self.jobs.watch(id);
        let waiting = async {
            loop {
                let job = self.job(person, id).await;
                if is_so(&job) {
                    return job;
                }
                let rung = tokio::time::timeout(Duration::from_millis(200), bell.changed());
                drop(rung.await);
            }
        };
        match tokio::time::timeout(GENEROUS, waiting).await {
            Ok(job) => job,
            Err(_) => panic!("{what} did not come: {:?}", self.job(person, id).await),
        }
    }

    pub(crate) async fn over(&self, person: &Person, id: JobId) -> Job {
        self.wait(person, id, "the end", |job| job.state.is_over())
            .await
    }

    pub(crate) async fn job(&self, person: &Person, id: JobId) -> Job {
        let found = self.jobs.job(&person.owner, id).await.expect("read");
        found.expect("the job")
    }

    /// What was done with a job, newest first.
    pub(crate) async fn audit(&self, id: JobId) -> Vec<AuditRow> {
        let (audit, id) = (self.jobs.store().audit(), id.to_string());
        audit.latest(Some(&id), 100).await.expect("listed")
    }

    /// Kinds of the mails about a job, in their order.
    pub(crate) async fn mails(&self, id: JobId) -> Vec<String> {
        let mails = self.jobs.store().outbox().of_job(&id.to_string()).await;
        let kind = |mail: Letter| mail.letter.kind;
        mails.expect("listed").into_iter().map(kind).collect()
    }
}

fn file_in(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("hikyaku.sqlite")
}

fn rand_token() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

pub(crate) fn secrets() -> Secrets {
    Secrets {
        source: Some(Secret::from(CANARY)),
        destination: Some(Secret::from(OTHER_CANARY)),
    }
}

/// Limits under which a test does not have to wait.
pub(crate) fn quick() -> Limits {
    Limits {
        beat: Duration::from_millis(50),
        lanes: 2,
        ..Limits::default()
    }
}

/// A worker that runs.
pub(crate) struct Working {
    stop: Stop,
    task: tokio::task::JoinHandle<Result<(), Fault>>,
}

impl Working {
    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(self) {
        self.stop.request();
        let ended = self.task.await.expect("no panic");
        ended.expect("it served");
    }

    /// Ends it as a kill does: nothing is settled, nothing is given back.
    pub(crate) async fn kill(self) {
        self.task.abort();
        self.task.await.expect_err("killed");
    }
}

/// Somebody whose mail is copied.
pub(crate) struct Person {
    pub(crate) owner: Owner,
    pub(crate) old: Account,
    pub(crate) new: Account,
}

impl Person {
    pub(crate) fn order(&self) -> Order {
        Order {
            brand: self.owner.brand.clone(),
            plan: "standard".to_owned(),
            lang: "ja".to_owned(),
            source: SourceAccount {
                kind: SourceKind::default(),
                host: "old.example.jp".to_owned(),
                port: None,
                transport: None,
                address: self.owner.address.clone(),
                login: None,
                accepted: None,
            },
            destination: self.owner.address.clone(),
            notify: "notify@example.com".to_owned(),
            choices: Choices::default(),
        }
    }

    /// Every message of the old server is at the new one exactly once.
    pub(crate) fn assert_copied(&self) {
        assert_eq!(
            bodies(&self.new.snapshot()),
            bodies(&self.old.snapshot()),
            "of {}",
            self.owner.address
        );
    }
}

/// Bodies with their mailboxes, and how often each is there.
pub(crate) fn bodies(snapshot: &Snapshot) -> BTreeMap<(String, Vec<u8>), usize> {
    let mut counts = BTreeMap::new();
    for mailbox in snapshot.mailboxes.values() {
        for message in &mailbox.messages {
            let body = message.body.bytes().to_vec();
            *counts.entry((mailbox.name.clone(), body)).or_insert(0) += 1;
        }
    }
    counts
}
