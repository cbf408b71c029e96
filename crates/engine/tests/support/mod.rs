//! A pair of accounts in memory, a ledger that survives the lives of runs, and the
//! question whether everything is where it belongs.

#![allow(dead_code, reason = "each test file uses its part")]

use hikyaku_core::policy::Policy;
use hikyaku_core::report::{Outcome, Report};
use hikyaku_core::{Fault, Key};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, MemoryMessage, Personality};
use std::sync::Arc;

pub(crate) struct Pair {
    pub(crate) source: MemoryAccount,
    pub(crate) destination: MemoryAccount,
    pub(crate) ledger: MemoryLedger,
    pub(crate) policy: Policy,
    pub(crate) stop: Stop,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::between(Personality::default(), Personality::default())
    }

    pub(crate) fn between(source: Personality, destination: Personality) -> Self {
        Self {
            source: MemoryAccount::new(source),
            destination: MemoryAccount::new(destination),
            ledger: MemoryLedger::default(),
            policy: Policy::default(),
            stop: Stop::new(),
        }
    }

    pub(crate) fn job(&self) -> Job {
        Job {
            source: Arc::new(self.source.clone()),
            destination: Arc::new(self.destination.clone()),
            ledger: Arc::new(self.ledger.clone()),
            observer: Arc::new(()),
            clock: Arc::new(SystemClock::default()),
            policy: self.policy.clone(),
            stop: self.stop.clone(),
            seed: 7,
        }
    }

    pub(crate) async fn copy(&self) -> Result<Report, Fault> {
        self.job().copy().await
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
            assert_eq!(
                facts(&self.source.messages(&name)),
                facts(&self.destination.messages(&name)),
                "mailbox {name}"
            );
        }
    }

    /// What the messages' records say, counted.
    pub(crate) fn outcomes(&self, outcome: Outcome) -> usize {
        let records = self.ledger.records();
        records.iter().filter(|r| r.outcome == outcome).count()
    }
}

/// Octets, flags and date of each message, sorted: the multiset.
pub(crate) fn facts(messages: &[(Key, MemoryMessage)]) -> Vec<(Vec<u8>, String, Option<i64>)> {
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
