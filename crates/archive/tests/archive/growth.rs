//! An mbox that new mail is written to: only the new part is read again; and one that was
//! rewritten doubles nothing.

use crate::kit::options;
use futures::future::BoxFuture;
use hikyaku_archive::{Archive, Kind};
use hikyaku_core::mailbox::Quota;
use hikyaku_core::policy::Policy;
use hikyaku_core::report::{Note, Report};
use hikyaku_core::traits::{Ask, Facts, Flow, Reader, Source};
use hikyaku_core::{Abilities, Key, KeySet, Letter, Listing, MailboxInfo, MailboxState};
use hikyaku_engine::{Depth, Job, Stop, SystemClock};
use hikyaku_testkit::contract::held;
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the engine asked of an archive.
#[derive(Debug, Default)]
struct Asked {
    /// Messages of which a digest of the header was wanted.
    heads: AtomicU64,
    /// Messages that were wanted whole.
    letters: AtomicU64,
}

struct Counting {
    inner: Box<dyn Source>,
    asked: Arc<Asked>,
}

struct CountingReader {
    inner: Box<dyn Reader>,
    asked: Arc<Asked>,
}

impl Source for Counting {
    fn abilities(&self) -> &Abilities {
        self.inner.abilities()
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        self.inner.mailboxes()
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        Box::pin(async move {
            let reader = CountingReader {
                inner: self.inner.open(mailbox).await?,
                asked: self.asked.clone(),
            };
            Ok(Box::new(reader) as Box<dyn Reader>)
        })
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        self.inner.quota()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

impl Reader for CountingReader {
    fn state(&self) -> MailboxState {
        self.inner.state()
    }

    fn resume<'a>(&'a mut self, earlier: &'a MailboxState) -> Ask<'a, bool> {
        self.inner.resume(earlier)
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        self.inner.keys()
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        if facts.head {
            self.asked.heads.fetch_add(keys.len(), Ordering::Relaxed);
        }
        self.inner.list(keys, facts)
    }

    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing> {
        self.inner.changed(modseq)
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        self.asked.letters.fetch_add(keys.len(), Ordering::Relaxed);
        self.inner.read(keys)
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<bytes::Bytes>> {
        self.inner.head(key)
    }
}

/// An mbox that changes from run to run, and the account that it is copied to.
struct World {
    _dir: tempfile::TempDir,
    path: PathBuf,
    account: MemoryAccount,
    ledger: MemoryLedger,
}

fn message(n: u32) -> String {
    format!("From a@b Mon Apr  1 01:02:03 2024\nSubject: {n}\n\nbody {n}\n\n")
}

fn subjects(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|n| format!("Subject: {n}")).collect()
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self {
            path: dir.path().join("box"),
            _dir: dir,
            account: MemoryAccount::new(Personality::default()),
            ledger: MemoryLedger::default(),
        }
    }

    /// The file holds these messages now: as if its program had written it anew.
    fn write(&self, numbers: &[u32]) {
        let text: String = numbers.iter().map(|n| message(*n)).collect();
        std::fs::write(&self.path, text).expect("written");
    }

    fn job(&self, asked: &Arc<Asked>) -> Job {
        let archive = Archive::open(Kind::Mbox, &self.path, options()).expect("opened");
        Job {
            source: Arc::new(Counting {
                inner: Box::new(archive),
                asked: asked.clone(),
            }),
            destination: Arc::new(self.account.clone()),
            undo: None,
            ledger: Arc::new(self.ledger.clone()),
            observer: Arc::new(()),
            clock: Arc::new(SystemClock::default()),
            policy: Policy::default(),
            stop: Stop::new(),
            seed: 7,
        }
    }

    /// A run of another day: what it copied, the heads and letters that it read, and
    /// whether it said that the numbering was another one.
    async fn run(&self) -> (u64, u64, u64, bool) {
        let asked = Arc::new(Asked::default());
        let report = self.job(&asked).copy().await.expect("a run");
        assert!(report.is_complete(), "{report:#?}");
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (
            report.copied_now(),
            count(&asked.heads),
            count(&asked.letters),
            is_renumbered(&report),
        )
    }

    async fn arrived(&self) -> Vec<String> {
        let held = held(&self.account).await;
        let mailbox = held.into_iter().find(|h| h.name.to_string() == "box");
        let first_line = |octets: Vec<u8>| {
            let text = String::from_utf8(octets).expect("ASCII");
            text.lines().next().unwrap_or_default().to_owned()
        };
        let messages = mailbox.map(|m| m.messages).unwrap_or_default();
        messages.into_iter().map(|m| first_line(m.octets)).collect()
    }
}

fn is_renumbered(report: &Report) -> bool {
    let is_it = |n: &Note| matches!(n, Note::EpochChanged { .. } | Note::EpochUnstable { .. });
    report.notes.iter().any(is_it)
}

#[tokio::test]
async fn only_the_new_part_of_a_file_that_grew_is_read() {
    let world = World::new();
    let mut numbers: Vec<u32> = (1..=300).collect();
    world.write(&numbers);
    assert_eq!(world.run().await, (300, 0, 300, false));
    assert_eq!(world.run().await, (0, 0, 0, false), "nothing has changed");
    for grown in [[301, 302], [303, 304]] {
        numbers.extend(grown);
        world.write(&numbers);
        assert_eq!(world.run().await, (2, 0, 2, false));
        assert_eq!(world.run().await, (0, 0, 0, false));
    }
    assert_eq!(world.arrived().await, subjects(&numbers));
    let checked = world.job(&Arc::default()).check(Depth::Full).await;
    let checked = checked.expect("a check");
    assert!(checked.is_complete(), "{checked:#?}");
    // Compacted: a message in the middle is gone, and the others have moved up.
    numbers.remove(4);
    world.write(&numbers);
    let (copied, _, _, renumbered) = world.run().await;
    assert_eq!((copied, renumbered), (0, true));
    // Compacted, and new mail behind.
    numbers.remove(100);
    numbers.push(305);
    world.write(&numbers);
    let (copied, _, _, renumbered) = world.run().await;
    assert_eq!((copied, renumbered), (1, true));
    // And it only grows again.
    numbers.push(306);
    world.write(&numbers);
    assert_eq!(world.run().await, (1, 0, 1, false));
    let all: Vec<u32> = (1..=306).collect();
    assert_eq!(world.arrived().await, subjects(&all), "each once");
}

#[tokio::test]
async fn a_file_that_was_put_back_and_grew_otherwise_loses_nothing() {
    let world = World::new();
    world.write(&[1, 2, 3]);
    assert_eq!(world.run().await.0, 3);
    world.write(&[1, 2, 3, 4]);
    assert_eq!(world.run().await, (1, 0, 1, false));
    // An older copy of the file: under the old numbering 4 was the message 4.
    world.write(&[1, 2, 3]);
    assert_eq!(world.run().await.0, 0);
    world.write(&[1, 2, 3, 5]);
    assert_eq!(world.run().await.0, 1);
    world.write(&[1, 2, 3, 5, 6]);
    assert_eq!(world.run().await.0, 1);
    assert_eq!(world.arrived().await, subjects(&[1, 2, 3, 4, 5, 6]));
}

#[tokio::test]
async fn flags_that_changed_in_the_file_follow() {
    let world = World::new();
    let status = |flags: &str| {
        let text = message(1).replace("Subject", &format!("Status: {flags}\nSubject"));
        std::fs::write(&world.path, text + &message(2)).expect("written");
    };
    status("O");
    assert_eq!(world.run().await.0, 2);
    status("RO");
    assert_eq!(world.run().await, (0, 0, 0, false));
    let flags: Vec<String> = held(&world.account)
        .await
        .into_iter()
        .filter(|h| h.name.to_string() == "box")
        .flat_map(|h| h.messages)
        .map(|m| m.flags.to_string())
        .collect();
    assert_eq!(flags, ["\\Seen", ""]);
}

/// What cannot be read is told in every run. While the file stays nothing else of it is read; a
/// folder with an exception has no checkpoint to go on from, so when it grows everything is
/// compared by content.
#[tokio::test]
async fn an_item_that_cannot_be_read_is_told_in_each_run_and_doubles_nothing() {
    let world = World::new();
    let mut text: String = (1..=100).map(message).collect();
    // A line that begins a message, and no message.
    text += "From a@b Mon Apr  1 01:02:03 2024\n";
    text += &message(101);
    let mut costs = Vec::new();
    for more in [None, None, Some(102), None] {
        text += &more.map(message).unwrap_or_default();
        std::fs::write(&world.path, &text).expect("written");
        let asked = Arc::new(Asked::default());
        let report = world.job(&asked).copy().await.expect("a run");
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        costs.push((
            report.copied_now(),
            count(&asked.heads),
            count(&asked.letters),
        ));
        let named: Vec<_> = report
            .exceptions
            .iter()
            .map(|e| (e.key, e.fault.code))
            .collect();
        let expected = (Some(Key(101)), hikyaku_core::Code::ArchiveDamaged);
        assert_eq!(named, [expected], "{report:#?}");
    }
    assert_eq!(
        costs,
        [(101, 0, 102), (0, 0, 1), (1, 103, 103), (0, 0, 1)],
        "copied, headers, letters"
    );
    let all: Vec<u32> = (1..=102).collect();
    assert_eq!(world.arrived().await, subjects(&all), "each once");
}
