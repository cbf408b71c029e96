//! The process dies at each of its calls to the disk, or the disk fails there, or the power goes:
//! nothing that was said to be stored is lost, and the next run ends as an undisturbed one.
//! Linux only.
//!
//! The lives that end early are those of a process of its own: this test program once more, told
//! by [`LIFE`] what to do.

use crate::common::{copy, copy_somehow};
use bytes::Bytes;
use hikyaku_backup::{BackupDestination, BackupSource, Format, check};
use hikyaku_core::traits::{Appended, Destination, Gate, Source};
use hikyaku_core::{Body, Code, Flags, InternalDate, Key, Letter, MailboxName};
use hikyaku_testkit::contract::{self, Held};
use hikyaku_testkit::disk::{Disk, Files, Recording, Trouble};
use hikyaku_testkit::generate::Random;
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Tells a child what to do: `engine` or `writer`, the format, the directory.
const LIFE: &str = "HIKYAKU_TEST_LIFE";

/// Makes every case instead of a sample: `all`.
const CASES: &str = "HIKYAKU_CRASHES";

fn account() -> MemoryAccount {
    let account = MemoryAccount::new(Personality::default());
    for (n, mailbox) in ["INBOX", "受信トレイ/請求書", "INBOX", "INBOX"]
        .iter()
        .enumerate()
    {
        let octets = mail(n);
        account.put(mailbox, "\\Seen Work", 1_700_000_000 + n as i64, &octets);
    }
    // Twins stay twins.
    account.put("INBOX", "", 1_700_000_000, &mail(0));
    // One that comes in pieces.
    let large = mail(9).repeat(200);
    account.put("INBOX", "\\Flagged", 1_700_000_009, &large);
    account
}

fn mail(n: usize) -> Vec<u8> {
    let text = "From the body\r\n>From it\r\n".repeat(n * 20);
    format!("Subject: mail {n}\r\nMessage-ID: <{n}@example.jp>\r\n\r\n{text}no line end")
        .into_bytes()
}

struct Open;

impl Gate for Open {
    fn is_open(&self) -> bool {
        true
    }
}

/// Appends that a child of the kind `writer` makes, batch by batch.
fn batches() -> Vec<Vec<Vec<u8>>> {
    (0..5)
        .map(|n| (0..=n % 3).map(|k| mail(n * 3 + k)).collect())
        .collect()
}

/// One append after the other; of each that is stored a file tells.
async fn write(directory: &Path, format: Format) {
    let backup = BackupDestination::open(directory.join("backup"), Some(format)).expect("opened");
    let name = MailboxName::inbox();
    let info = backup.ensure(&name, None, true).await.expect("made");
    let mut writer = backup.write(&info).await.expect("opened");
    for (n, batch) in batches().into_iter().enumerate() {
        let letter = |octets: Vec<u8>| Letter {
            key: Key(1),
            flags: Flags::parse("\\Seen"),
            date: Some(InternalDate::utc(1_700_000_000)),
            body: Body::Held(Bytes::from(octets)),
        };
        let letters = batch.into_iter().map(letter).collect();
        let pending = writer
            .append(letters, Arc::new(Open))
            .await
            .expect("queued");
        if let Appended::Stored { .. } = pending.await {
            fs::write(directory.join(format!("stored-{n}")), "").expect("told");
        }
    }
    drop(writer);
    backup.close().await;
}

/// What the program tells when it ends by itself.
fn tell(codes: &[Code]) -> ! {
    let of = |code: &Code| match code {
        Code::BackupFull => 31,
        Code::BackupUnwritable => 32,
        Code::BackupUnreadable => 33,
        other => panic!("{other}"),
    };
    #[expect(clippy::exit, reason = "the status is what the child tells")]
    std::process::exit(codes.first().map_or(0, of));
}

/// Without being told anything, an undisturbed life of each kind.
#[tokio::test(flavor = "multi_thread")]
async fn life() {
    let Ok(told) = std::env::var(LIFE) else {
        let directory = tempfile::tempdir().expect("a directory");
        write(directory.path(), Format::Mbox).await;
        let held = held(&directory.path().join("backup")).await;
        assert_eq!(held[0].messages.len(), batches().concat().len());
        return;
    };
    let mut told = told.lines();
    let (kind, format, directory) = (told.next(), told.next(), told.next());
    let format = format.and_then(Format::from_name).expect("a format");
    let directory = Path::new(directory.expect("a directory"));
    if kind == Some("writer") {
        return write(directory, format).await;
    }
    let backup = match BackupDestination::open(directory.join("backup"), Some(format)) {
        Ok(backup) => Arc::new(backup),
        Err(fault) => tell(&[fault.code]),
    };
    let ran = copy_somehow(
        Arc::new(account()),
        backup.clone(),
        &MemoryLedger::default(),
    )
    .await;
    backup.close().await;
    match ran {
        Err(fault) => tell(&[fault.code]),
        Ok(report) if report.is_complete() => tell(&[]),
        Ok(report) => {
            let stopped = report.stopped.iter().map(|fault| fault.code);
            let named = report.exceptions.iter().map(|e| e.fault.code);
            tell(&stopped.chain(named).collect::<Vec<_>>())
        }
    }
}

fn child(kind: &str, format: Format, directory: &Path) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([
        "--exact",
        "crashes::life",
        "--nocapture",
        "--test-threads=1",
    ]);
    command.env(LIFE, format!("{kind}\n{format}\n{}", directory.display()));
    command
}

async fn held(path: &Path) -> Vec<Held> {
    contract::held(&BackupSource::open(path).expect("opened")).await
}

/// Octets of all messages, sorted.
fn octets(held: &[Held]) -> Vec<&Vec<u8>> {
    let mut all: Vec<_> = held
        .iter()
        .flat_map(|h| &h.messages)
        .map(|m| &m.octets)
        .collect();
    all.sort();
    all
}

/// By name, messages sorted: those of a life that went on have another order.
fn sorted(mut held: Vec<Held>) -> Vec<Held> {
    for mailbox in &mut held {
        mailbox
            .messages
            .sort_by(|a, b| (&a.octets, a.seconds).cmp(&(&b.octets, b.seconds)));
    }
    held
}

/// Goes on after a life that ended early: everything is there, once.
async fn heals(directory: &Path, format: Format, case: &str) {
    let path = directory.join("backup");
    let source = account();
    let backup =
        BackupDestination::open(&path, Some(format)).unwrap_or_else(|e| panic!("{case}: {e}"));
    let backup = Arc::new(backup);
    copy(
        Arc::new(source.clone()),
        backup.clone(),
        &MemoryLedger::default(),
    )
    .await;
    backup.close().await;
    drop(backup);
    let wanted = sorted(contract::held(&source).await);
    assert!(
        sorted(held(&path).await) == wanted,
        "{case}: everything once"
    );
    let mut found = Vec::new();
    let checked = check(&path, &mut |finding| found.push(finding)).expect("checked");
    assert!(checked.is_whole() && found.is_empty(), "{case}: {found:#?}");
}

async fn sweep(format: Format) {
    let disk = Disk::build().expect("the library");
    // How many calls an undisturbed life makes.
    let (quiet, elsewhere) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("another"),
    );
    let mut command = child("engine", format, quiet.path());
    disk.record(&mut command, quiet.path(), &elsewhere.path().join("calls"));
    assert!(command.output().expect("ran").status.success());
    let recording = Recording::read(&elsewhere.path().join("calls")).expect("read");
    let calls = recording.calls.len() as u64;
    assert!(calls > 20, "{calls}");
    let all = std::env::var(CASES).is_ok_and(|cases| cases == "all");
    for nth in 1..=calls {
        for (n, trouble) in Trouble::ALL.into_iter().enumerate() {
            // Each call with two kinds of trouble, each kind at many calls.
            if !all && !(nth as usize + n).is_multiple_of(5) {
                continue;
            }
            let case = format!("{format}, {trouble:?} at call {nth} of {calls}");
            let directory = tempfile::tempdir().expect("a directory");
            let mut command = child("engine", format, directory.path());
            disk.fail(&mut command, directory.path(), trouble, nth);
            let ended = command.output().expect("ran");
            let said = String::from_utf8_lossy(&ended.stderr);
            let allowed: &[i32] = match trouble {
                Trouble::NoSpace | Trouble::NoSpaceOn | Trouble::Torn | Trouble::QuotaOn => {
                    &[0, 31]
                }
                Trouble::Io | Trouble::IoOn => &[0, 32, 33],
                _ => &[0],
            };
            match ended.status.code() {
                None => assert!(trouble.kills(), "{case}: {said}"),
                Some(code) => assert!(allowed.contains(&code), "{case}: {code} {said}"),
            }
            heals(directory.path(), format, &case).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maildir_survives_every_call() {
    sweep(Format::Maildir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mbox_survives_every_call() {
    sweep(Format::Mbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eml_files_survive_every_call() {
    sweep(Format::Eml).await;
}

/// Files of a directory by path.
fn tree(root: &Path) -> Files {
    let mut all = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("listed") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(all.insert(path.clone(), fs::read(&path).expect("octets"))),
            }
        }
    }
    all
}

/// What the disk holds after a power cut, with what was there before the recorded life.
fn play(before: &Files, after: Files, from: &Path, to: &Path) {
    let mut all: BTreeMap<PathBuf, Vec<u8>> = before.clone();
    for (path, octets) in after {
        // A recorded file that was there before begins with what it held.
        let held = all.entry(path).or_default();
        let known = held.len().min(octets.len());
        held.truncate(known);
        held.extend_from_slice(&octets[known..]);
    }
    for (path, octets) in all {
        let place = to.join(path.strip_prefix(from).expect("below"));
        fs::create_dir_all(place.parent().expect("a parent")).expect("made");
        fs::write(place, octets).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_to_be_stored_survives_a_power_cut() {
    let disk = Disk::build().expect("the library");
    for format in Format::ALL {
        let (recorded, elsewhere) = (
            tempfile::tempdir().expect("a directory"),
            tempfile::tempdir().expect("another"),
        );
        let root = recorded.path().canonicalize().expect("a real path");
        // The folder is there before: renaming directories is not recorded.
        let backup = BackupDestination::open(root.join("backup"), Some(format)).expect("opened");
        backup
            .ensure(&MailboxName::inbox(), None, true)
            .await
            .expect("made");
        drop(backup);
        let before = tree(&root);
        let mut command = child("writer", format, &root);
        let to = elsewhere.path().join("calls");
        disk.record(&mut command, &root, &to);
        let ended = command.output().expect("ran");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        let recording = Recording::read(&to).expect("read");
        let sent = batches();
        for until in 0..=recording.calls.len() {
            let mut random = Random::new(until as u64);
            let place = tempfile::tempdir().expect("a directory");
            play(
                &before,
                recording.after_power_cut(until, &mut random),
                &root,
                place.path(),
            );
            for shelf in ["cur", "new", "tmp"] {
                if format == Format::Maildir {
                    fs::create_dir_all(place.path().join("backup/INBOX").join(shelf))
                        .expect("made");
                }
            }
            let case = format!("{format} after {until} calls");
            let path = place.path().join("backup");
            let promised =
                (0..sent.len()).filter(|n| place.path().join(format!("stored-{n}")).exists());
            let promised: Vec<Vec<u8>> = promised.flat_map(|n| sent[n].clone()).collect();
            // Who only reads sees it; who goes on also sees what nobody was told of.
            let read = held(&path).await;
            let there = octets(&read);
            assert!(promised.iter().all(|m| there.contains(&m)), "{case}: lost");
            drop(
                BackupDestination::open(&path, None)
                    .expect("opened")
                    .mailboxes()
                    .await
                    .expect("listed"),
            );
            let read = held(&path).await;
            let mut there = octets(&read);
            let count = there.len();
            assert!(
                promised.iter().all(|m| there.contains(&m)),
                "{case}: lost later"
            );
            there.dedup();
            assert_eq!(there.len(), count, "{case}: twice");
            assert!(
                there.iter().all(|m| sent.concat().contains(m)),
                "{case}: not what was sent"
            );
            let checked = check(&path, &mut |_| {}).expect("checked");
            assert!(checked.is_whole(), "{case}: {checked:?}");
            assert_eq!(checked.strangers, 0, "{case}");
        }
    }
}
