//! A SQLite file from outside: who made it, what became of it, and what is left of it after a power cut.

mod support;

use std::path::{Path, PathBuf};

use hikyaku_core::ledger::{Ledger, PairingId, Settled};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Fault, KeySet, MailboxName, Remedy};
use hikyaku_ledger::{PairLedger, Store};
use sqlx::{Connection, SqliteConnection};
use support::{DESTINATION, SOURCE, account, checkpoint, copied, intent, keys, refused};

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    (directory, path)
}

async fn inbox(store: &Store) -> Result<(PairLedger, PairingId), Fault> {
    let ledger = store.pair(&account("a@old"), &account("a@new")).await?;
    let id = ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await?
        .id;
    Ok((ledger, id))
}

/// Runs statements past the ledger.
async fn alter(path: &Path, statements: &'static str) {
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    sqlx::raw_sql(statements)
        .execute(&mut connection)
        .await
        .expect("altered");
    connection.close().await.expect("closed");
}

async fn refusal(path: &Path) -> Fault {
    Store::open(path).await.map(drop).expect_err("refused")
}

/// What the fixture of the first schema holds. `write_fixture` made it; later releases must read it.
async fn is_as_written(store: &Store) {
    let pairs = store.pairs().await.expect("listed");
    assert_eq!(pairs.len(), 1);
    let run = pairs[0].last_run.as_ref().expect("a run");
    assert_eq!(
        (run.kind.as_str(), run.exit, run.summary.as_str()),
        ("copy", Some(3), "{}")
    );
    let (ledger, pairing) = inbox(store).await.expect("the pair");
    let pairings = ledger.pairings().await.expect("listed");
    assert_eq!(pairings.len(), 1, "the pairing was found, not made");
    assert_eq!(pairings[0].checkpoint, Some(checkpoint()));
    let mut wanted: Vec<Settled> = (1..=5).map(copied).collect();
    wanted.push(refused(6, Outcome::FailedPermanent));
    assert_eq!(
        ledger
            .known(pairing, SOURCE, None, 100)
            .await
            .expect("records"),
        wanted
    );
    let open = ledger.in_doubt(pairing).await.expect("open");
    assert_eq!(
        open.into_iter().map(|(_, i)| i).collect::<Vec<_>>(),
        [intent(pairing, "7:9")]
    );
    assert_eq!(
        ledger
            .owned(&MailboxName::inbox(), DESTINATION)
            .await
            .expect("owned"),
        keys("1001:1005")
    );
}

async fn write_fixture(path: &Path) {
    let store = Store::open(path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await.expect("a pair");
    let run = store
        .begin_run(ledger.id(), "copy", 1_700_000_000_000, 5)
        .await
        .expect("begun");
    let ledger = ledger.within(run);
    let mut records: Vec<Settled> = (1..=5).map(copied).collect();
    records.push(refused(6, Outcome::FailedPermanent));
    ledger
        .settle(pairing, records, Vec::new())
        .await
        .expect("settled");
    ledger
        .checkpoint(pairing, Some(checkpoint()))
        .await
        .expect("set");
    ledger
        .intend(intent(pairing, "7:9"))
        .await
        .expect("intended");
    store
        .end_run(run, "{}", 3, 1_700_000_001_000)
        .await
        .expect("ended");
    store.close().await;
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_read() {
    let (_directory, path) = directory();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ledger-1.sqlite");
    std::fs::copy(fixture, &path).expect("copied");
    is_as_written(&Store::open(&path).await.expect("a store")).await;
}

#[tokio::test]
async fn a_file_is_the_same_after_closing_and_after_dropping() {
    let (_directory, path) = directory();
    write_fixture(&path).await;
    for _ in 0..2 {
        let store = Store::open(&path).await.expect("a store");
        is_as_written(&store).await;
        store.check().await.expect("sound");
        drop(store);
    }
}

#[tokio::test]
async fn two_stores_on_one_file_see_each_other() {
    let (_directory, path) = directory();
    // Both make the file at the same time.
    let (first, second) = futures::join!(Store::open(&path), Store::open(&path));
    let (first, second) = (first.expect("a store"), second.expect("a store"));
    let ((one, pairing), (two, same)) =
        futures::join!(async { inbox(&first).await.expect("a pair") }, async {
            inbox(&second).await.expect("a pair")
        });
    assert_eq!((one.id(), pairing), (two.id(), same));
    for key in (1..100).step_by(2) {
        let (a, b) = futures::join!(
            one.settle(pairing, vec![copied(key)], Vec::new()),
            two.settle(pairing, vec![copied(key + 1)], Vec::new())
        );
        a.and(b).expect("settled");
    }
    for ledger in [&one, &two] {
        let known = ledger
            .known(pairing, SOURCE, None, 1000)
            .await
            .expect("records");
        assert_eq!(known, (1..=100).map(copied).collect::<Vec<_>>());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_ledger_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (root, _) = directory();
    let path = root.path().join("state/hikyaku/ledger.sqlite");
    let store = Store::open(&path).await.expect("a store");
    let ledger = inbox(&store).await.expect("a pair").0;
    let _hold = store.hold(&ledger, 0).await.expect("held");
    let mut seen = 0;
    for entry in std::fs::read_dir(path.parent().expect("a directory")).expect("listed") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
        seen += 1;
    }
    assert_eq!(
        seen, 5,
        "the ledger, its log, the log's index, its users and the hold"
    );
    let mode = std::fs::metadata(root.path().join("state"))
        .expect("metadata")
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let (_directory, path) = directory();
    write_fixture(&path).await;
    let newer = "CREATE TABLE later (a INTEGER) STRICT; PRAGMA user_version = 99";
    alter(&path, newer).await;
    let before = std::fs::read(&path).expect("read");
    let fault = refusal(&path).await;
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::LedgerVersion, Remedy::AskUser)
    );
    assert!(
        fault.detail.contains("newer program") && fault.detail.contains("ledger.sqlite"),
        "{fault}"
    );
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let (_directory, path) = directory();
    alter(&path, "CREATE TABLE recipes (name TEXT)").await;
    let before = std::fs::read(&path).expect("read");
    let fault = refusal(&path).await;
    assert_eq!(fault.code, Code::ConfigInvalid);
    assert!(fault.detail.contains("another program"), "{fault}");
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

#[tokio::test]
async fn paths_that_cannot_be_used_are_said_so() {
    let (root, path) = directory();
    std::fs::write(&path, "").expect("written");
    for bad in [root.path().to_owned(), path.join("below/ledger.sqlite")] {
        let fault = refusal(&bad).await;
        assert_eq!(fault.code, Code::ConfigInvalid, "{fault}");
        assert!(
            fault.detail.contains("ledger.sqlite")
                || fault.detail.contains(&*root.path().to_string_lossy()),
            "{fault}"
        );
    }
    // An empty file is a ledger that was never begun.
    Store::open(&path).await.expect("a store");
}

#[tokio::test]
async fn what_is_no_database_is_damaged() {
    let (_directory, path) = directory();
    std::fs::write(&path, "Dear diary, ".repeat(500)).expect("written");
    let fault = refusal(&path).await;
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::LedgerDamaged, Remedy::AskUser)
    );
    assert!(fault.detail.contains("sets the file aside"), "{fault}");
}

#[tokio::test]
async fn a_lost_page_is_damage_and_never_a_panic_or_a_wrong_answer() {
    const PAGE: usize = 4096;
    let (_directory, path) = directory();
    write_fixture(&path).await;
    let sound = std::fs::read(&path).expect("read");
    assert_eq!(sound.len() % PAGE, 0);
    let mut found = 0;
    for page in 0..sound.len() / PAGE {
        let mut octets = sound.clone();
        octets[page * PAGE..][..PAGE].fill(0);
        std::fs::write(&path, octets).expect("written");
        let opened = Store::open(&path).await;
        let checked = match &opened {
            Ok(store) => store.check().await,
            Err(fault) => Err(fault.clone()),
        };
        let fault = checked.expect_err("a page is gone");
        assert_eq!(fault.code, Code::LedgerDamaged, "page {page}: {fault}");
        if let Ok(store) = opened {
            let answers = async {
                let (ledger, pairing) = inbox(&store).await?;
                let known = ledger.known(pairing, SOURCE, None, 100).await?;
                assert_eq!(known[..5], (1..=5).map(copied).collect::<Vec<_>>());
                ledger.owned(&MailboxName::inbox(), DESTINATION).await?;
                ledger.in_doubt(pairing).await
            };
            if let Err(fault) = answers.await {
                assert_eq!(fault.code, Code::LedgerDamaged, "page {page}: {fault}");
                found += 1;
            }
            store.close().await;
        }
        for rest in ["sqlite-wal", "sqlite-shm", "sqlite.damaged"] {
            std::fs::remove_file(path.with_extension(rest)).ok();
        }
    }
    assert!(found > 0, "some page matters to the answers");
}

#[tokio::test]
async fn a_truncated_file_is_damaged() {
    let (_directory, path) = directory();
    write_fixture(&path).await;
    let sound = std::fs::read(&path).expect("read");
    std::fs::write(&path, &sound[..sound.len() / 2]).expect("written");
    let fault = match Store::open(&path).await {
        Ok(store) => store.check().await.expect_err("half is gone"),
        Err(fault) => fault,
    };
    assert_eq!(fault.code, Code::LedgerDamaged, "{fault}");
}

#[tokio::test]
async fn a_power_cut_leaves_whole_settlements_in_their_order() {
    const BATCH: u64 = 7;
    let (_directory, path) = directory();
    let store = Store::open(&path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await.expect("a pair");
    for first in (1..=70).step_by(BATCH as usize) {
        let open = ledger.intend(intent(pairing, "1")).await.expect("intended");
        let records = (first..first + BATCH).map(copied).collect();
        ledger
            .settle(pairing, records, vec![open])
            .await
            .expect("settled");
    }
    let log = std::fs::read(path.with_extension("sqlite-wal")).expect("the log");
    let (_other, copy) = directory();
    std::fs::copy(&path, &copy).expect("copied");
    let mut counts = Vec::new();
    // The log as the disk may have it when the power goes: any length of it, the last sector torn or garbled.
    for length in (0..=log.len()).step_by(6007).chain([log.len()]) {
        let mut torn = log[..length].to_vec();
        let last = torn.len().saturating_sub(512);
        if length < log.len() {
            torn[last..].fill(0xa5);
        }
        std::fs::write(copy.with_extension("sqlite-wal"), torn).expect("written");
        std::fs::remove_file(copy.with_extension("sqlite-shm")).ok();
        std::fs::copy(&path, &copy).expect("copied");
        let store = Store::open(&copy).await.expect("opens");
        let (ledger, pairing) = inbox(&store).await.expect("a pair");
        let known = ledger
            .known(pairing, SOURCE, None, 100)
            .await
            .expect("records");
        let count = known.len() as u64;
        assert_eq!(count % BATCH, 0, "a settlement is whole or not there");
        assert_eq!(known, (1..=count).map(copied).collect::<Vec<_>>());
        assert!(ledger.in_doubt(pairing).await.expect("open").len() <= 1);
        store.check().await.expect("sound");
        store.close().await;
        counts.push(count);
    }
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!(counts.last(), Some(&70));
    assert!(
        counts.contains(&35),
        "the cuts fall between settlements too: {counts:?}"
    );
    assert_eq!(
        ledger
            .owned(&MailboxName::inbox(), DESTINATION)
            .await
            .expect("owned"),
        KeySet::range(1001..=1070)
    );
}
