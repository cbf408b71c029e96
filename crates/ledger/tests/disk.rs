//! Disks that fail, fill up and lose power under a SQLite file. The child is this test binary itself, under a library
//! that counts its writes; Linux only.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "how many cases there were")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use hikyaku_core::ledger::{Ledger, PairingId};
use hikyaku_core::{Fault, MailboxName};
use hikyaku_ledger::{PairLedger, Store};
use hikyaku_testkit::disk::{Disk, Files, Recording, Trouble};
use hikyaku_testkit::generate::Random;
use support::{SOURCE, account, checkpoint, copied, intent};

/// Names the directory of the ledger to the child.
const STATE: &str = "HIKYAKU_TEST_STATE";

/// What the child was told is durable, one word a line; written beside the ledger, so that a recording has it in order.
const TOLD: &str = "told";

/// Records per settlement, and settlements.
const BATCH: u64 = 10;
const BATCHES: u64 = 12;

async fn inbox(store: &Store) -> Result<(PairLedger, PairingId), Fault> {
    let ledger = store.pair(&account("a@old"), &account("a@new")).await?;
    let name = MailboxName::inbox();
    let id = ledger.pair(&name, &name).await?.id;
    Ok((ledger, id))
}

/// In memory, where there is such a place: a thousand lives with a sync at every step would wait for the disk.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a directory")
}

fn keys_of(batch: u64) -> std::ops::RangeInclusive<u64> {
    batch * BATCH + 1..=(batch + 1) * BATCH
}

/// A small copy. Says what is durable as soon as it knows.
async fn work(state: &Path, mut say: impl FnMut(String)) -> Result<(), Fault> {
    let store = Store::open(state.join("ledger.sqlite")).await?;
    let (ledger, pairing) = inbox(&store).await?;
    say("pairing".to_owned());
    for batch in 0..BATCHES {
        let (first, last) = (*keys_of(batch).start(), *keys_of(batch).end());
        let open = intent(pairing, &format!("{first}:{last}"));
        let open = ledger.intend(open).await?;
        say(format!("intended {batch}"));
        let records = keys_of(batch).map(copied).collect();
        ledger.settle(pairing, records, vec![open]).await?;
        say(format!("settled {batch}"));
    }
    ledger.checkpoint(pairing, Some(checkpoint())).await?;
    say("checkpoint".to_owned());
    store.close().await;
    Ok(())
}

/// The child: does nothing unless it was started by one of the tests below. Its last line is the code of its fault.
#[tokio::test]
async fn child() {
    use std::io::Write;
    let Some(state) = std::env::var_os(STATE).map(PathBuf::from) else {
        return;
    };
    let mut told = std::fs::File::create(state.join(TOLD)).expect("a file");
    let done = work(&state, |word| {
        // Where the disk is full or dead this is lost, and the test asks for less.
        told.write_all(format!("{word}\n").as_bytes()).ok();
    });
    let end = match done.await {
        Ok(()) => "well".to_owned(),
        Err(fault) => format!("{:?}: {}", fault.code, fault.detail),
    };
    std::io::stdout()
        .write_all(format!("\nended {end}\n").as_bytes())
        .expect("heard");
}

fn child_in(state: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "child", "--nocapture"])
        .env(STATE, state);
    command
}

/// How the child ended; `None` when it was killed.
fn end(mut command: Command) -> Option<String> {
    let output = command.output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("ended ").map(str::to_owned))
}

fn told(state: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(state.join(TOLD)).unwrap_or_default();
    // The last line may be torn.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(str::to_owned).collect()
}

/// The ledger opens, is sound, has everything that was told, and nothing in part.
async fn holds(state: &Path, told: &BTreeSet<String>, what: &str) {
    let store = Store::open(state.join("ledger.sqlite")).await;
    let store = store.unwrap_or_else(|fault| panic!("{what}: {fault}"));
    store
        .check()
        .await
        .unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let (ledger, pairing) = inbox(&store).await.expect("a pair");
    let known = ledger.known(pairing, SOURCE, None, 10_000).await;
    let known = known.expect("records");
    let count = known.len() as u64;
    assert_eq!(known, (1..=count).map(copied).collect::<Vec<_>>(), "{what}");
    assert_eq!(
        count % BATCH,
        0,
        "{what}: a settlement is whole or not there"
    );
    let batches = count / BATCH;
    let open = ledger.in_doubt(pairing).await.expect("open");
    for batch in 0..BATCHES {
        if told.contains(&format!("settled {batch}")) {
            assert!(batches > batch, "{what}: {batches} settled, told {told:?}");
        } else if told.contains(&format!("intended {batch}")) && batches <= batch {
            assert_eq!(open.len(), 1, "{what}");
            assert_eq!(
                open[0].1.keys.iter().next().map(|k| k.0),
                Some(*keys_of(batch).start())
            );
        }
    }
    assert!(open.len() <= 1, "{what}: {open:?}");
    let pairings = ledger.pairings().await.expect("listed");
    if told.contains("checkpoint") {
        assert_eq!(pairings[0].checkpoint, Some(checkpoint()), "{what}");
    }
    // It takes the rest.
    for (id, _) in open {
        let closed = ledger.settle(pairing, Vec::new(), vec![id]).await;
        closed.unwrap_or_else(|fault| panic!("{what}: {fault}"));
    }
    for batch in batches..BATCHES {
        let records = keys_of(batch).map(copied).collect();
        let done = ledger.settle(pairing, records, Vec::new()).await;
        done.unwrap_or_else(|fault| panic!("{what}: {fault}"));
    }
    store.check().await.expect("sound");
    store.close().await;
}

/// How many calls an undisturbed life makes.
fn recorded(disk: &Disk) -> Recording {
    let (state, elsewhere) = (directory(), directory());
    let to = elsewhere.path().join("calls");
    let mut command = child_in(state.path());
    disk.record(&mut command, state.path(), &to);
    assert_eq!(end(command).as_deref(), Some("well"));
    Recording::read(&to).expect("recorded")
}

/// Every kind of trouble at every call of a life: after it the ledger opens with all that was acknowledged, and a
/// process that lived through it said what happened.
#[tokio::test]
async fn any_trouble_at_any_write_leaves_what_was_acknowledged() {
    let disk = Disk::build().expect("Linux and cc");
    let calls = recorded(&disk).calls.len() as u64;
    assert!(calls > 100, "{calls}");
    let mut ends = std::collections::BTreeMap::<(&str, String), u32>::new();
    for trouble in Trouble::ALL {
        // Every call by one kind of kill and of failure; the others at every fifth, each from another first.
        let (first, step) = match trouble {
            Trouble::KillAfter | Trouble::Io => (1, 1),
            other => (1 + other as u64 % 5, 5),
        };
        for nth in (first..=calls).step_by(step) {
            let state = directory();
            let mut command = child_in(state.path());
            disk.fail(&mut command, state.path(), trouble, nth);
            let end = end(command);
            let what = format!("{trouble:?} at {nth} of {calls}: {end:?}");
            match &end {
                None => assert!(trouble.kills() || nth <= 2, "{what}"),
                Some(end) if end == "well" => {}
                Some(end) => {
                    let code = end.split(':').next().unwrap_or_default();
                    let expected: &[&str] = match trouble {
                        Trouble::Io | Trouble::IoOn => &["LedgerUnwritable"],
                        Trouble::NoSpaceOn | Trouble::Torn | Trouble::QuotaOn => &["DiskFull"],
                        // Full for one call only: what SQLite names otherwise cannot be told by a look afterwards.
                        _ => &["DiskFull", "LedgerUnwritable"],
                    };
                    assert!(expected.contains(&code), "{what}");
                }
            }
            let word = end.as_deref().and_then(|e| e.split(':').next());
            let key = (
                if trouble.kills() { "kill" } else { "fail" },
                word.unwrap_or("killed").to_owned(),
            );
            *ends.entry(key).or_default() += 1;
            holds(state.path(), &told(state.path()), &what).await;
        }
    }
    println!("{calls} calls; ends: {ends:?}");
    for (kind, word) in [
        ("kill", "killed"),
        ("fail", "DiskFull"),
        ("fail", "LedgerUnwritable"),
    ] {
        assert!(ends[&(kind, word.to_owned())] > 20, "{ends:?}");
    }
}

fn put(files: &Files, from: &Path, to: &Path) {
    for (path, octets) in files {
        let name = path.strip_prefix(from).expect("below the state directory");
        // The index of the log is in memory that the power took.
        if !name.to_string_lossy().ends_with("-shm") {
            std::fs::write(to.join(name), octets).expect("written");
        }
    }
}

/// The power goes after any call; of what was not synced the disk has any part, in sectors of 512 octets.
#[tokio::test]
async fn a_power_cut_at_any_call_leaves_what_was_acknowledged() {
    const IMAGES: u64 = 600;
    let disk = Disk::build().expect("Linux and cc");
    let recording = recorded(&disk);
    let first = recording.calls.first().expect("calls");
    let from = first.path.parent().expect("a directory").to_owned();
    let mut random = Random::new(20_261_122);
    let (mut begun, mut cut_short) = (0, 0);
    for image in 0..IMAGES {
        let until = random.between(0, recording.calls.len() as u64 + 1) as usize;
        let files = recording.after_power_cut(until, &mut random);
        let state = directory();
        put(&files, &from, state.path());
        // What was told is what the program knew, not what the disk has of it.
        let known = recording.after(until);
        std::fs::write(
            state.path().join(TOLD),
            known.get(&from.join(TOLD)).map_or(&[][..], Vec::as_slice),
        )
        .expect("written");
        let told = told(state.path());
        begun += u32::from(!told.is_empty());
        cut_short += u32::from(files != known);
        let what = format!("image {image}, after call {until}, told {told:?}");
        holds(state.path(), &told, &what).await;
    }
    println!("{IMAGES} images, {begun} with something told, {cut_short} with something lost");
    assert!(begun > 300 && cut_short > 150, "{begun} {cut_short}");
}
