//! What the tests share: reading everything, and whole copies.

use futures::StreamExt;
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::traits::{Destination, Reader, Source};
use hikyaku_core::{Event, Fault, KeySet, MailboxInfo, Observer, Side};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_pop3::Pop3Account;
use hikyaku_testkit::contract::octets;
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A letter as a test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) key: u64,
    pub(crate) flags: String,
    pub(crate) date: Option<String>,
    pub(crate) octets: Vec<u8>,
}

pub(crate) async fn inbox(account: &Pop3Account) -> MailboxInfo {
    let found = account.mailboxes().await.expect("mailboxes");
    assert_eq!(found.len(), 1);
    found.into_iter().next().expect("INBOX")
}

pub(crate) async fn open(account: &Pop3Account) -> Box<dyn Reader> {
    account.open(&inbox(account).await).await.expect("opened")
}

/// Messages as they come, with their faults.
pub(crate) async fn read(reader: &mut dyn Reader, keys: &KeySet) -> Vec<Result<Plain, Fault>> {
    let mut flow = reader.read(keys);
    let mut all = Vec::new();
    while let Some(item) = flow.next().await {
        all.push(match item {
            Ok(letter) => Ok(Plain {
                key: letter.key.0,
                flags: letter.flags.to_string(),
                date: letter.date.map(|date| date.to_string()),
                octets: octets(letter.body).await.expect("octets"),
            }),
            Err(fault) => Err(fault),
        });
    }
    all
}

/// Every message of a fresh session.
pub(crate) async fn read_all(account: &Pop3Account) -> Vec<Plain> {
    let mut reader = open(account).await;
    let keys = reader.keys().await.expect("keys");
    let all = read(reader.as_mut(), &keys).await;
    all.into_iter()
        .map(|item| item.expect("a letter"))
        .collect()
}

/// The texts as text.
pub(crate) async fn texts(account: &Pop3Account) -> Vec<String> {
    let all = read_all(account).await.into_iter();
    all.map(|plain| String::from_utf8_lossy(&plain.octets).into_owned())
        .collect()
}

#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Event>>>);

impl Observer for Heard {
    fn note(&self, event: &Event) {
        self.0.lock().expect("no panic").push(event.clone());
    }
}

/// What survives the runs of one pair of accounts.
#[derive(Clone)]
pub(crate) struct Pair<D> {
    pub(crate) destination: Arc<D>,
    ledger: MemoryLedger,
}

impl Pair<MemoryAccount> {
    pub(crate) fn in_memory() -> Self {
        let destination = MemoryAccount::new(Personality::default().on(Side::Destination));
        Self::into(destination)
    }

    /// What is there, in order.
    pub(crate) fn there(&self) -> Vec<Vec<u8>> {
        let messages = self.destination.messages("INBOX").into_iter();
        messages
            .map(|(_, message)| message.octets.to_vec())
            .collect()
    }
}

impl<D: Destination + 'static> Pair<D> {
    pub(crate) fn into(destination: D) -> Self {
        Self {
            destination: Arc::new(destination),
            ledger: MemoryLedger::default(),
        }
    }

    /// A run, as it ends.
    pub(crate) async fn run(&self, source: &Arc<Pop3Account>) -> Report {
        let mut policy = Policy::default();
        policy.patience.backoff = Duration::from_millis(10);
        policy.patience.backoff_max = Duration::from_millis(20);
        let job = Job {
            source: source.clone(),
            destination: self.destination.clone(),
            undo: None,
            ledger: Arc::new(self.ledger.clone()),
            observer: Arc::new(Heard::default()),
            clock: Arc::new(SystemClock::default()),
            policy,
            stop: Stop::new(),
            seed: 7,
        };
        let report = job.copy().await.expect("the run starts");
        assert!(report.adds_up(), "{report:#?}");
        report
    }

    /// A run that copies so many messages and leaves nothing out.
    pub(crate) async fn copies(&self, source: &Arc<Pop3Account>, messages: u64) -> Report {
        let report = self.run(source).await;
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(report.copied_now(), messages, "{report:#?}");
        report
    }
}
