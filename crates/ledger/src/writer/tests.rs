//! Tests of the group commit from inside: only here can a disk be made to run full.

use futures::future::join_all;
use hikyaku_core::ledger::{Intent, IntentId, Ledger, PairingId, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::{AccountId, Code, Epoch, Fault, Flags, Key, KeySet, MailboxName, Remedy};

use crate::link::Sql;
use crate::{PairLedger, Store};

fn record(key: u64, flags: &str) -> Settled {
    Settled {
        epoch: Epoch(1),
        key: Key(key),
        outcome: Outcome::Copied,
        stored: Some((Epoch(2), Key(key))),
        elsewhere: None,
        octets: 1,
        content: None,
        head: None,
        flags: Flags::parse(flags),
        date: None,
        verified: Verified::Acknowledged,
        code: None,
    }
}

async fn inbox(store: &Store) -> (PairLedger, PairingId) {
    let pair = store.pair(&AccountId::new("a"), &AccountId::new("b")).await;
    let ledger = pair.expect("a pair");
    let pairing = ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await;
    let id = pairing.expect("a pairing").id;
    (ledger, id)
}

async fn pragma(store: &Store, text: &str) {
    let mut lease = store.inner.db.writer().await.expect("the writer");
    let mut link = lease.link().expect("open");
    link.script(Sql::Made(text.into())).await.expect("set");
}

#[tokio::test]
async fn one_commit_serves_all_who_wait() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    let store = Store::open(&path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    let log = || {
        std::fs::metadata(path.with_extension("sqlite-wal"))
            .expect("a log")
            .len()
    };
    // Whatever is queued while the writer is busy becomes one group.
    let writer = store.inner.db.writer().await.expect("the writer");
    let before = log();
    let lanes = (1..=30).map(|n| ledger.settle(pairing, vec![record(n, "")], Vec::new()));
    let free = async {
        tokio::task::yield_now().await;
        drop(writer);
    };
    let (done, ()) = futures::join!(join_all(lanes), free);
    assert!(done.iter().all(Result::is_ok));
    // A commit of its own for each would have written at least two pages of 4 KiB thirty times.
    let written = log() - before;
    assert!(written < 30 * 4096, "{written} octets");
}

#[tokio::test]
async fn a_request_that_fails_takes_no_neighbour_along() {
    let store = Store::open_in_memory().await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    let lanes = (1..=9).map(|n| {
        let closes = if n % 3 == 0 {
            vec![IntentId(999)]
        } else {
            Vec::new()
        };
        ledger.settle(pairing, vec![record(n, "")], closes)
    });
    let done = join_all(lanes).await;
    let refused: Vec<usize> = (1..=9).filter(|n| done[n - 1].is_err()).collect();
    assert_eq!(refused, [3, 6, 9]);
    let known = ledger
        .known(pairing, Epoch(1), None, 100)
        .await
        .expect("records");
    let keys: KeySet = known.iter().map(|r| r.key).collect();
    assert_eq!(keys.to_string(), "1:2,4:5,7:8");
}

#[tokio::test]
async fn a_write_happens_even_if_nobody_awaits_its_answer() {
    let store = Store::open_in_memory().await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    let mut asked = ledger.settle(pairing, vec![record(1, "")], Vec::new());
    assert!(futures::poll!(&mut asked).is_pending());
    drop(asked);
    // Writes are made in order, so this one comes after the first.
    let second = ledger.settle(pairing, vec![record(2, "")], Vec::new());
    second.await.expect("settled");
    let known = ledger.known(pairing, Epoch(1), None, 10).await;
    assert_eq!(known.expect("records").len(), 2);
}

#[tokio::test]
async fn a_full_disk_stops_writing_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    let store = Store::open(path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    let intent = Intent {
        pairing,
        epoch: Epoch(1),
        keys: KeySet::range(1..=500),
        destination_epoch: Epoch(2),
        destination_next: Key(1),
    };
    let intent = ledger.intend(intent).await.expect("intended");
    let first = ledger.settle(pairing, vec![record(1, "")], Vec::new());
    first.await.expect("settled");
    pragma(&store, "PRAGMA max_page_count = 1").await;

    let large = "x".repeat(3000);
    let many: Vec<Settled> = (2..=500).map(|n| record(n, &large)).collect();
    let refused = ledger.settle(pairing, many.clone(), vec![intent]).await;
    let fault = refused.expect_err("no space");
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::DiskFull, Remedy::AskUser)
    );
    assert!(fault.detail.contains("free some"), "{fault}");
    // Reading goes on, and nothing of the settlement is there.
    let known = ledger.known(pairing, Epoch(1), None, 10).await;
    assert_eq!(known.expect("records"), [record(1, "")]);
    assert_eq!(ledger.in_doubt(pairing).await.expect("open").len(), 1);

    pragma(&store, "PRAGMA max_page_count = 1073741823").await;
    let again = ledger.settle(pairing, many, vec![intent]).await;
    again.expect("there is space again");
    let known = ledger.known(pairing, Epoch(1), None, 1000).await;
    assert_eq!(known.expect("records").len(), 500);
    assert_eq!(ledger.in_doubt(pairing).await.expect("none"), []);
}

#[tokio::test]
async fn every_commit_waits_for_the_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path().join("ledger.sqlite")).await;
    let store = store.expect("a store");
    let mut lease = store.inner.db.writer().await.expect("the writer");
    let mut link = lease.link().expect("open");
    let mode = link.first("PRAGMA journal_mode", &[], |row| {
        Ok(row.text(0)?.to_owned())
    });
    assert_eq!(mode.await.expect("answered").as_deref(), Some("wal"));
    let synchronous = link.first("PRAGMA synchronous", &[], |row| row.int(0));
    assert_eq!(synchronous.await.expect("answered"), Some(2), "2 is FULL");
}

#[tokio::test]
async fn a_closed_store_refuses_politely() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    let store = Store::open(&path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    let last = ledger.settle(pairing, vec![record(1, "")], Vec::new());
    let (last, ()) = futures::join!(last, store.close());
    last.expect("what was queued is written");
    let late = ledger
        .settle(pairing, vec![record(2, "")], Vec::new())
        .await;
    let faults: [Fault; 2] = [
        ledger.pairings().await.map(drop).expect_err("closed"),
        late.expect_err("closed"),
    ];
    assert!(
        faults.iter().all(|f| f.code == Code::Interrupted),
        "{faults:?}"
    );
    store.close().await;
    let log = path.with_extension("sqlite-wal");
    assert!(!log.exists(), "the log is folded into the file");

    let store = Store::open(&path).await.expect("open again");
    let (ledger, pairing) = inbox(&store).await;
    let known = ledger.known(pairing, Epoch(1), None, 10).await;
    assert_eq!(known.expect("records"), [record(1, "")]);
}

#[tokio::test]
async fn a_ledger_that_another_process_keeps_locked_is_busy_for_now() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    let store = Store::open(&path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    pragma(&store, "PRAGMA busy_timeout = 1").await;
    let other = Store::open(&path).await.expect("another store");
    let at_work = inbox(&other).await.0;
    let hold = other.hold(&at_work, 0).await.expect("free");
    pragma(&other, "BEGIN IMMEDIATE").await;
    let refused = ledger
        .settle(pairing, vec![record(1, "")], Vec::new())
        .await;
    let fault = refused.expect_err("locked");
    assert_eq!(fault.code, Code::LedgerBusy);
    assert!(fault.is_temporary(), "{fault}");
    let owner = format!("working with it: process {} since ", std::process::id());
    assert!(fault.detail.contains(&owner), "{fault}");
    drop(hold);
    pragma(&other, "ROLLBACK").await;
    let again = ledger
        .settle(pairing, vec![record(1, "")], Vec::new())
        .await;
    again.expect("free again");
}
