//! One Dovecot with one filled account, from which many copies are made at a time.

use crate::support::assert_same;
use hikyaku_testkit::generate::{Random, fill, profiles};
use hikyaku_testkit::judge::{AccountSnapshot, CompareOptions, compare};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, MailServer};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Copies at a time: they mostly wait.
const WORKERS: usize = 8;

/// A server, and 24 messages in it.
pub(crate) struct Ground {
    server: Mutex<Dovecot>,
    pub(crate) source: Account,
    snapshot: AccountSnapshot,
    port: u16,
}

impl Ground {
    pub(crate) fn new(seed: u64) -> Self {
        let server = Dovecot::start(DovecotOptions {
            in_memory: true,
            max_userip_connections: 200,
            ..DovecotOptions::default()
        })
        .unwrap();
        let source = server.create_account("source").unwrap();
        let account = profiles::small_mixed(seed, 24, 300_000, 3);
        fill(&server, &source, &account).unwrap();
        let snapshot = server.judge(&source).unwrap().snapshot().unwrap();
        Self {
            port: server.instance().address().port(),
            server: Mutex::new(server),
            source,
            snapshot,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A new, empty account.
    pub(crate) fn account(&self, name: &str) -> Account {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.create_account(name).unwrap()
    }

    /// A directory for a ledger, in memory where there is such a place.
    pub(crate) fn state(&self) -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap()
    }

    pub(crate) fn snapshot(&self, account: &Account) -> AccountSnapshot {
        let judge = {
            let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            server.judge(account)
        };
        judge.unwrap().snapshot().unwrap()
    }

    /// Everything is there once, with flags and dates.
    pub(crate) fn assert_arrived(&self, account: &Account, what: &str) {
        let options = CompareOptions {
            order: false,
            ..CompareOptions::default()
        };
        let differences = compare(&self.snapshot, &self.snapshot(account), &options);
        assert!(differences.is_empty(), "{what}: {}", differences.join("\n"));
    }

    pub(crate) fn assert_source_untouched(&self) {
        assert_same(&self.snapshot(&self.source), &self.snapshot);
    }
}

/// Does all cases, some at a time; answers in their order. A case that panics fails the test after the others.
pub(crate) fn parallel<C: Sync, T: Send>(cases: &[C], check: impl Fn(&C) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(case) = cases.get(index) else {
                        break;
                    };
                    let answer = check(case);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// Changes with the commit, so that in time everything is tried; outside a repository it stays.
pub(crate) fn salt() -> u64 {
    let hash = Command::new("git")
        // Tests of real servers run as root, perhaps in somebody else's directory.
        .args(["-c", "safe.directory=*", "rev-parse", "HEAD"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let octets = hash.map(|hash| hash.stdout).unwrap_or_default();
    let mixed = octets.iter().fold(0, |sum: u64, octet| {
        Random::new(sum ^ u64::from(*octet)).bits()
    });
    mixed % 1_000_000
}
