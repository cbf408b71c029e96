//! Damaged files: what is read is right or refused, and what is refused is set aside by name.

#![allow(clippy::print_stdout, reason = "how many cases there were")]

mod support;

use std::path::{Path, PathBuf};

use hikyaku_core::ledger::{Ledger, PairingId, Settled};
use hikyaku_core::{Code, Fault, MailboxName};
use hikyaku_ledger::{PairLedger, Store};
use hikyaku_testkit::generate::Random;
use support::{DESTINATION, SOURCE, account, checkpoint, copied, intent, keys};

/// 2026-11-22 04:30 UTC.
const NOW: i64 = 1_795_321_800_000;

const RECORDS: u64 = 60;

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    (directory, path)
}

async fn inbox(store: &Store) -> Result<(PairLedger, PairingId), Fault> {
    let ledger = store.pair(&account("a@old"), &account("a@new")).await?;
    let name = MailboxName::inbox();
    let id = ledger.pair(&name, &name).await?.id;
    Ok((ledger, id))
}

async fn write(path: &Path) -> Store {
    let store = Store::open(path).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await.expect("a pair");
    let records = (1..=RECORDS).map(copied).collect();
    ledger
        .settle(pairing, records, Vec::new())
        .await
        .expect("settled");
    let open = intent(pairing, "61:70");
    ledger.intend(open).await.expect("intended");
    ledger
        .checkpoint(pairing, Some(checkpoint()))
        .await
        .expect("set");
    store
}

/// What a run relies on. `None` where the ledger does not know the pair any more, which makes it match by content.
async fn read(store: &Store) -> Result<Option<Vec<Settled>>, Fault> {
    if store.pairs().await?.is_empty() {
        return Ok(None);
    }
    let (ledger, pairing) = inbox(store).await?;
    let pairings = ledger.pairings().await?;
    let known = ledger.known(pairing, SOURCE, None, 1000).await?;
    for intent_now in ledger.in_doubt(pairing).await? {
        assert_eq!(intent_now.1, intent(pairing, "61:70"));
    }
    if let Some(kept) = &pairings
        .iter()
        .find(|p| p.id == pairing)
        .expect("it")
        .checkpoint
    {
        assert_eq!(*kept, checkpoint());
    }
    ledger.owned(&MailboxName::inbox(), DESTINATION).await?;
    Ok(Some(known))
}

/// One file after damage: nothing wrong is read, nothing panics, and a run that writes goes on with a sound ledger.
async fn survive(path: &Path, what: &str) -> bool {
    let opened = Store::open(path).await;
    let answer = match &opened {
        Ok(store) => read(store).await,
        Err(fault) => Err(fault.clone()),
    };
    if let Ok(store) = &opened {
        store.close().await;
    }
    drop(opened);
    let damaged = match answer {
        Ok(known) => {
            for record in known.iter().flatten() {
                let wanted = Settled {
                    verified: record.verified,
                    ..copied(record.key.0)
                };
                assert_eq!(*record, wanted, "{what}");
                assert!(record.key.0 <= RECORDS, "{what}");
            }
            false
        }
        Err(fault) => {
            assert_eq!(fault.code, Code::LedgerDamaged, "{what}: {fault}");
            assert!(
                fault.detail.contains("sets the file aside"),
                "{what}: {fault}"
            );
            true
        }
    };
    let before = std::fs::read(path).expect("read");
    let (store, aside) = Store::open_or_renew(path, NOW)
        .await
        .unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert_eq!(aside.is_some(), damaged, "{what}");
    if let Some(aside) = aside {
        let name = aside
            .to
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert_eq!(name, "ledger.sqlite.20261122T043000-damaged", "{what}");
        let kept = std::fs::read(&aside.to).expect("kept");
        assert_eq!(kept, before, "{what}: kept as it was");
        assert_eq!(store.pairs().await, Ok(Vec::new()), "{what}");
        inbox(&store).await.expect("a new ledger");
        store.check().await.expect("sound");
    }
    store.close().await;
    damaged
}

/// Bits are flipped all over a closed ledger.
#[tokio::test]
async fn a_flipped_bit_anywhere_is_harmless_or_noticed() {
    const PLACES: u64 = 700;
    let (_source, path) = directory();
    write(&path).await.close().await;
    let sound = std::fs::read(&path).expect("read");
    let mut random = Random::new(7);
    let mut noticed = 0;
    for n in 0..PLACES {
        // The first hundred octets all, then the rest by chance.
        let at = match n {
            0..100 => n as usize,
            _ => random.between(100, sound.len() as u64) as usize,
        };
        let bit = random.between(0, 8);
        let (_directory, path) = directory();
        let mut octets = sound.clone();
        octets[at] ^= 1 << bit;
        std::fs::write(&path, octets).expect("written");
        let what = format!("octet {at} of {}, bit {bit}", sound.len());
        noticed += u32::from(survive(&path, &what).await);
    }
    println!("{noticed} of {PLACES} flips were noticed");
    assert!(noticed > 60, "{noticed}");
}

/// The file is cut, and parts of it are zeros or those of another time.
#[tokio::test]
async fn a_file_with_a_part_missing_is_harmless_or_noticed() {
    let (_source, path) = directory();
    write(&path).await.close().await;
    let sound = std::fs::read(&path).expect("read");
    let mut noticed = 0;
    for page in (0..sound.len()).step_by(4096) {
        for (kind, change) in [
            (
                "cut",
                Box::new(|o: &mut Vec<u8>| o.truncate(page)) as Box<dyn Fn(&mut Vec<u8>)>,
            ),
            ("cut inside", Box::new(|o| o.truncate(page + 1000))),
            ("zeros", Box::new(|o| o[page..page + 4096].fill(0))),
            ("half", Box::new(|o| o[page + 2048..page + 4096].fill(0xff))),
        ] {
            if page == 0 && kind == "cut" {
                // An empty file is a ledger that was never begun.
                continue;
            }
            let (_directory, path) = directory();
            let mut octets = sound.clone();
            change(&mut octets);
            std::fs::write(&path, octets).expect("written");
            noticed += u32::from(survive(&path, &format!("{kind} at {page}")).await);
        }
    }
    assert!(noticed > 30, "{noticed}");
}

/// The log and its index are damaged while nobody has the ledger open: at most the end of the log is lost.
#[tokio::test]
async fn a_damaged_log_loses_its_end_at_most() {
    let (_source, path) = directory();
    let store = write(&path).await;
    let files: Vec<(&str, Vec<u8>)> = ["", "-wal", "-shm"]
        .into_iter()
        .map(|ending| {
            let name = format!("{}{ending}", path.display());
            (ending, std::fs::read(name).expect("read"))
        })
        .collect();
    store.close().await;
    let mut random = Random::new(8);
    for n in 0..120u64 {
        let which = if n % 3 == 0 { 2 } else { 1 };
        let (_directory, path) = directory();
        let length = files[which].1.len() as u64;
        let (at, cut) = (random.between(0, length) as usize, n % 5 == 4);
        for (index, (ending, octets)) in files.iter().enumerate() {
            let mut octets = octets.clone();
            if index == which && cut {
                octets.truncate(at);
            } else if index == which {
                octets[at] ^= 1 << random.between(0, 8);
            }
            std::fs::write(format!("{}{ending}", path.display()), octets).expect("written");
        }
        let what = format!("{} of {length} in {}, cut: {cut}", at, files[which].0);
        assert!(!survive(&path, &what).await, "{what}");
    }
}

/// The note of an earlier run is enough, also where the place is not read again.
#[tokio::test]
async fn damage_that_was_met_once_is_dealt_with_by_the_next_run() {
    let (_directory, path) = directory();
    write(&path).await.close().await;
    let mut octets = std::fs::read(&path).expect("read");
    // The hash of the last record stands once in the file.
    let hash = copied(RECORDS).content.expect("a hash").0;
    let at = octets.windows(32).position(|w| w == hash).expect("there");
    octets[at] ^= 1;
    std::fs::write(&path, octets).expect("written");

    let store = Store::open(&path).await.expect("opens");
    let (ledger, pairing) = inbox(&store).await.expect("a pair");
    let first = ledger.lookup(pairing, SOURCE, &keys("1:9")).await;
    assert_eq!(first.expect("sound").len(), 9);
    let fault = ledger
        .lookup(pairing, SOURCE, &keys("60"))
        .await
        .expect_err("damaged");
    assert_eq!(fault.code, Code::LedgerDamaged);

    // Not while somebody has it open.
    let fault = Store::open_or_renew(&path, NOW)
        .await
        .map(drop)
        .expect_err("open");
    assert_eq!(fault.code, Code::LedgerDamaged);
    assert!(
        fault.detail.contains("another process has it open"),
        "{fault}"
    );
    store.close().await;
    drop((store, ledger));
    let fault = Store::open(&path).await.map(drop).expect_err("noted");
    assert!(fault.detail.contains("found earlier"), "{fault}");
    let (store, aside) = Store::open_or_renew(&path, NOW).await.expect("renewed");
    let first = aside.expect("set aside").to;
    inbox(&store).await.expect("a new ledger");
    store.close().await;
    drop(store);
    Store::open(&path).await.map(drop).expect("no note is left");

    // A second one in the same second gets a name of its own.
    std::fs::write(&path, "no database".repeat(900)).expect("written");
    let (_store, aside) = Store::open_or_renew(&path, NOW).await.expect("renewed");
    let second = aside.expect("set aside").to;
    assert_ne!(first, second);
    assert!(first.exists() && second.exists());
}

/// Somebody was stopped between two steps of setting a ledger aside.
#[tokio::test]
async fn a_note_without_a_ledger_is_forgotten() {
    let (directory, path) = directory();
    std::fs::write(directory.path().join("ledger.sqlite.damaged"), "x").expect("written");
    let (store, aside) = Store::open_or_renew(&path, NOW).await.expect("opens");
    assert!(aside.is_none());
    drop(store);
    Store::open(&path).await.map(drop).expect("opens");
}

/// The clock goes back between runs, and then far ahead: the order of runs and the rights do not follow it.
#[tokio::test]
async fn clock_jumps_change_neither_the_order_of_runs_nor_who_holds_an_account() {
    let (_directory, path) = directory();
    let store = Store::open(&path).await.expect("a store");
    let (ledger, _) = inbox(&store).await.expect("a pair");
    let mut begun = Vec::new();
    for (seed, now) in [
        (1, NOW),
        (2, NOW - 86_400_000),
        (3, 0),
        (4, i64::MAX),
        (5, -1),
    ] {
        let run = store
            .begin_run(ledger.id(), "copy", now, seed)
            .await
            .expect("begun");
        // It ends before it began, by the clock.
        store.end_run(run, "{}", 0, now - 1).await.expect("ended");
        begun.push(run);
    }
    let runs: Vec<_> = store
        .runs(10)
        .await
        .expect("listed")
        .iter()
        .map(|r| r.id)
        .collect();
    assert_eq!(runs, begun.iter().rev().copied().collect::<Vec<_>>());
    let pairs = store.pairs().await.expect("listed");
    assert_eq!(
        pairs[0].last_run.as_ref().map(|r| r.id),
        begun.last().copied()
    );

    let other = Store::open(&path).await.expect("a store");
    for (held, asked) in [
        (NOW, 0),
        (0, i64::MAX / 2),
        (i64::MAX, NOW),
        (i64::MIN, NOW),
    ] {
        let hold = store.hold(&ledger, held).await.expect("free");
        let fault = other.hold(&ledger, asked).await.expect_err("held");
        assert_eq!(fault.code, Code::LedgerBusy, "a right does not run out");
        drop(hold);
        other
            .hold(&ledger, asked)
            .await
            .map(drop)
            .expect("free at once");
    }
}
