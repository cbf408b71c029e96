//! A pair of accounts in memory, a ledger that survives the lives of runs, and the
//! question whether everything is where it belongs.

use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Event, Fault, Key, Observer, Reach, Remedy, Side};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, MemoryMessage, Personality};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Everything that was observed, in order.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Event>>>);

impl Observer for Heard {
    fn note(&self, event: &Event) {
        self.0.lock().expect("no panic").push(event.clone());
    }
}

impl Heard {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().expect("no panic").clone()
    }

    /// Reasons of the waits that were announced. Every wait has ended, and none ended
    /// before it began.
    pub(crate) fn waits(&self) -> Vec<Code> {
        let (mut open, mut codes) = (0i32, Vec::new());
        for event in self.all() {
            match event {
                Event::Waiting { because, .. } => {
                    open += 1;
                    codes.push(because.code);
                }
                Event::Resumed => open -= 1,
                _ => {}
            }
            assert!(open >= 0, "a wait ends that did not begin");
        }
        assert_eq!(open, 0, "every wait ends");
        codes
    }

    /// How many lanes were allowed, change by change.
    pub(crate) fn lanes(&self) -> Vec<usize> {
        let lanes = self.all().into_iter().filter_map(|event| match event {
            Event::Lanes { now, .. } => Some(now),
            _ => None,
        });
        lanes.collect()
    }
}

/// A fault of a whole side that passes.
pub(crate) fn passing(code: Code, after: Option<u64>) -> Fault {
    let after = after.map(Duration::from_secs);
    Fault::new(code, Reach::Side, Remedy::Retry { after }, "scripted")
}

pub(crate) struct Pair {
    pub(crate) source: MemoryAccount,
    pub(crate) destination: MemoryAccount,
    pub(crate) ledger: MemoryLedger,
    pub(crate) policy: Policy,
    pub(crate) stop: Stop,
    pub(crate) heard: Heard,
    pub(crate) clock: Option<Arc<dyn Clock>>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::between(Personality::default(), Personality::default())
    }

    pub(crate) fn between(source: Personality, destination: Personality) -> Self {
        Self {
            source: MemoryAccount::new(source.on(Side::Source)),
            destination: MemoryAccount::new(destination.on(Side::Destination)),
            ledger: MemoryLedger::default(),
            policy: Policy::default(),
            stop: Stop::new(),
            heard: Heard::default(),
            clock: None,
        }
    }

    pub(crate) fn job(&self) -> Job {
        Job {
            source: Arc::new(self.source.clone()),
            destination: Arc::new(self.destination.clone()),
            undo: Some(Arc::new(self.destination.clone())),
            ledger: Arc::new(self.ledger.clone()),
            observer: Arc::new(self.heard.clone()),
            clock: self
                .clock
                .clone()
                .unwrap_or_else(|| Arc::new(SystemClock::default())),
            policy: self.policy.clone(),
            stop: self.stop.clone(),
            seed: 7,
        }
    }

    pub(crate) async fn copy(&self) -> Result<Report, Fault> {
        let copied = self.job().copy().await;
        self.heard.waits();
        copied
    }

    /// A run that starts, and adds up whatever happens.
    pub(crate) async fn copy_somehow(&self) -> Report {
        let report = self.copy().await.expect("the run starts");
        assert!(report.adds_up(), "{report:#?}");
        report
    }

    /// Runs again without faults: complete, equal, and settled.
    pub(crate) async fn assert_heals(&self) {
        self.copy_completely().await;
        self.assert_equal();
        self.assert_settled().await;
    }

    /// A run that must be complete.
    pub(crate) async fn copy_completely(&self) -> Report {
        let report = self.copy().await.expect("the run starts");
        assert!(report.adds_up(), "{report:#?}");
        assert!(report.is_complete(), "{report:#?}");
        report
    }

    /// Another run must find nothing to do.
    pub(crate) async fn assert_settled(&self) {
        let before = self.destination.seen().appended;
        let report = self.copy_completely().await;
        assert_eq!(report.copied_now(), 0);
        assert_eq!(self.destination.seen().appended, before);
        assert_eq!(self.ledger.open_intents(), 0);
    }

    /// Every mailbox holds the same multiset of messages on both sides.
    pub(crate) fn assert_equal(&self) {
        for (name, _) in self.source.names() {
            let ours = facts(&self.source.messages(&name));
            let mut theirs = facts(&self.destination.messages(&name));
            let mut lost = Vec::new();
            for message in ours {
                match theirs.iter().position(|m| *m == message) {
                    Some(at) => drop(theirs.swap_remove(at)),
                    None => lost.push(shown(&message)),
                }
            }
            let more: Vec<String> = theirs.iter().map(shown).collect();
            assert!(
                lost.is_empty() && more.is_empty(),
                "mailbox {name}: lost {lost:#?}, too many {more:#?}"
            );
        }
    }
}

/// How often each content is anywhere in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Everywhere(pub(crate) BTreeMap<String, u64>);

impl Everywhere {
    pub(crate) fn of(account: &MemoryAccount) -> Self {
        let mut all = Self::default();
        for (name, _) in account.names() {
            for (_, message) in account.messages(&name) {
                *all.0.entry(Self::name(&message.octets)).or_default() += 1;
            }
        }
        all
    }

    /// The first line and the length: enough to tell the messages of these tests apart.
    fn name(octets: &[u8]) -> String {
        let line = octets.split(|o| *o == b'\r').next().unwrap_or_default();
        format!("{} ({})", String::from_utf8_lossy(line), octets.len())
    }

    pub(crate) fn count(&self, octets: &[u8]) -> u64 {
        self.0.get(&Self::name(octets)).copied().unwrap_or(0)
    }

    /// What an account comes to hold when each message of the other is there, and none
    /// that was there already was copied: of each content as often as where it is oftener.
    pub(crate) fn or_more(&self, other: &Self) -> Self {
        let mut most = self.clone();
        for (content, count) in &other.0 {
            let known = most.0.entry(content.clone()).or_default();
            *known = (*known).max(*count);
        }
        most
    }

    /// What is there less often, and what more often, than expected: by how many.
    pub(crate) fn against(&self, expected: &Self) -> Vec<(String, i64)> {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(expected.0.keys()).collect();
        let count = |all: &Self, name: &String| all.0.get(name).map_or(0, |n| *n as i64);
        let differences = names
            .into_iter()
            .map(|name| (name.clone(), count(self, name) - count(expected, name)));
        differences.filter(|(_, by)| *by != 0).collect()
    }
}

/// Octets, flags and date of a message.
pub(crate) type Facts = (Vec<u8>, String, Option<i64>);

fn shown((octets, flags, date): &Facts) -> String {
    let head = octets.iter().take(60).copied().collect();
    let head: String = String::from_utf8(head).unwrap_or_default();
    format!("{} octets, {flags:?}, {date:?}: {head:?}", octets.len())
}

/// Octets, flags and date of each message, sorted: the multiset.
pub(crate) fn facts(messages: &[(Key, MemoryMessage)]) -> Vec<Facts> {
    let mut all: Vec<_> = messages
        .iter()
        .map(|(_, m)| {
            (
                m.octets.to_vec(),
                m.flags.to_string(),
                m.date.map(|d| d.seconds),
            )
        })
        .collect();
    all.sort();
    all
}

pub(crate) fn mail(n: u64, size: usize) -> Vec<u8> {
    let mut octets = format!(
        "Message-ID: <{n}@example.jp>\r\nSubject: message {n}\r\nFrom: a@example.jp\r\n\r\n"
    )
    .into_bytes();
    while octets.len() < size {
        octets.extend_from_slice(format!("line {n} {}\r\n", octets.len()).as_bytes());
    }
    octets
}

/// Some mailboxes with twins, a message without header, flags, keywords and sizes
/// that are held and streamed.
pub(crate) fn fill(account: &MemoryAccount) -> u64 {
    let mut n = 0;
    for mailbox in ["INBOX", "受信トレイ/請求書", "空"] {
        account.make(mailbox);
        if mailbox == "空" {
            continue;
        }
        for k in 0..9 {
            n += 1;
            let flags = ["", "\\Seen", "\\Seen \\Flagged $label1", "仕事 \\Draft"][k % 4];
            let size = [60, 900, 5_000][k % 3];
            account.put(mailbox, flags, 1_700_000_000 + n as i64, &mail(n, size));
        }
        account.put(mailbox, "\\Seen", 1_600_000_000, &mail(1_000, 200));
        account.put(mailbox, "\\Seen", 1_600_000_000, &mail(1_000, 200));
        account.put(mailbox, "", 1_600_000_000, b"no header at all");
        n += 3;
    }
    n
}
