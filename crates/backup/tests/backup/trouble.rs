//! What is refused, what is damaged, and what is not of the backup.

use crate::common::{copy, copy_somehow};
use hikyaku_backup::{BackupDestination, BackupSource, Finding, Format, MARKER, check};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_testkit::contract;
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) fn open(path: &Path, format: Option<Format>) -> Result<BackupDestination, Fault> {
    BackupDestination::open(path, format)
}

pub(crate) fn code(opened: Result<BackupDestination, Fault>) -> Code {
    let fault = opened.expect_err("refused");
    assert_eq!((fault.reach, fault.remedy), (Reach::Side, Remedy::AskUser));
    fault.code
}

/// Every file below a directory with its octets; of links where they lead.
pub(crate) fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("listed") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                open.push(entry.path());
                all.insert(entry.path(), Vec::new());
            } else if kind.is_symlink() {
                let to = fs::read_link(entry.path()).expect("a link");
                all.insert(entry.path(), to.into_os_string().into_encoded_bytes());
            } else {
                all.insert(entry.path(), fs::read(entry.path()).expect("octets"));
            }
        }
    }
    all
}

pub(crate) async fn made(path: &Path, format: Format) -> MemoryAccount {
    let account = MemoryAccount::new(Personality::default());
    for n in 0..4 {
        let octets = format!(
            "Subject: mail {n}\r\n\r\nFrom here\r\n{}",
            "x".repeat(n * 1_000)
        );
        account.put(
            "INBOX",
            "\\Seen",
            1_700_000_000 + n as i64,
            octets.as_bytes(),
        );
        account.put("Sent", "", 1_700_000_000 + n as i64, octets.as_bytes());
    }
    let backup = Arc::new(open(path, Some(format)).expect("opened"));
    copy(
        Arc::new(account.clone()),
        backup.clone(),
        &MemoryLedger::default(),
    )
    .await;
    backup.close().await;
    account
}

#[tokio::test]
async fn a_directory_with_other_things_is_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    fs::write(path.join("thesis.txt"), "years of work").expect("written");
    let before = files(path);
    assert_eq!(code(open(path, None)), Code::BackupForeign);
    assert_eq!(
        code(open(&path.join("thesis.txt"), None)),
        Code::BackupForeign
    );
    assert_eq!(files(path), before);
    // Below it a new one can be made.
    drop(open(&path.join("a/b/backup"), None).expect("opened"));
}

#[tokio::test]
async fn where_there_is_no_backup_none_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    for place in [path.to_owned(), path.join("not there")] {
        let fault = BackupSource::open(&place).expect_err("refused");
        assert_eq!(fault.code, Code::BackupMissing);
        assert_eq!(
            check(&place, &mut |_| {}).expect_err("refused").code,
            Code::BackupMissing
        );
    }
    assert!(files(path).is_empty());
    for (marker, wanted) in [
        ("hikyaku-backup\t2\tmaildir\tabc\n", Code::BackupVersion),
        ("hikyaku-backup\t1\tzip\tabc\n", Code::BackupVersion),
        ("hikyaku-backup\t1\tmaildir\n", Code::BackupDamaged),
        ("", Code::BackupDamaged),
    ] {
        fs::write(path.join(MARKER), marker).expect("written");
        assert_eq!(
            BackupSource::open(path).expect_err("refused").code,
            wanted,
            "{marker}"
        );
        assert_eq!(code(open(path, None)), wanted, "{marker}");
    }
}

#[tokio::test]
async fn the_second_who_writes_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    let first = open(&path, Some(Format::Eml)).expect("opened");
    assert_eq!(code(open(&path, None)), Code::BackupBusy);
    // Reading goes on all the time.
    BackupSource::open(&path).expect("opened for reading");
    drop(first);
    assert_eq!(code(open(&path, Some(Format::Mbox))), Code::BackupFormat);
    assert_eq!(open(&path, None).expect("opened").format(), Format::Eml);
}

#[tokio::test]
async fn what_is_not_of_the_backup_is_named_and_kept() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = made(&path, format).await;
        let strangers = [
            path.join("INBOX/notes.txt"),
            path.join("Sent/00000009.00000001.eml"),
            path.join("holiday.jpg"),
            path.join("zip.d"),
        ];
        for stranger in &strangers[..3] {
            fs::write(stranger, "mine").expect("written");
        }
        fs::create_dir(&strangers[3]).expect("made");
        let before = files(&path);
        let mut found = Vec::new();
        let checked = check(&path, &mut |finding| found.push(finding)).expect("checked");
        assert_eq!(files(&path), before, "a check only reads");
        assert!(checked.is_whole());
        assert_eq!(
            (checked.folders, checked.messages, checked.strangers),
            (2, 8, 4)
        );
        let named: Vec<&PathBuf> = found
            .iter()
            .map(|finding| match finding {
                Finding::Stranger(path) => path,
                other => panic!("{other:?}"),
            })
            .collect();
        let mut wanted: Vec<&PathBuf> = strangers.iter().collect();
        wanted.sort();
        let mut sorted = named.clone();
        sorted.sort();
        assert_eq!(sorted, wanted);
        // A later run does not touch them either, nor take them for mail.
        let backup = Arc::new(open(&path, None).expect("opened"));
        let report = copy(Arc::new(account.clone()), backup, &MemoryLedger::default()).await;
        assert_eq!(report.copied_now(), 0);
        for stranger in &strangers[..3] {
            assert_eq!(fs::read(stranger).expect("still there"), b"mine");
        }
    }
}

#[tokio::test]
async fn a_folder_beside_another_thing_of_its_name_gets_a_name_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    drop(open(&path, None).expect("begun"));
    fs::create_dir(path.join("sent")).expect("made");
    fs::write(path.join("sent/mine"), "mine").expect("written");
    let outside = directory.path().join("outside");
    fs::create_dir(&outside).expect("made");
    symlink(&outside, path.join("INBOX")).expect("linked");
    let account = MemoryAccount::new(Personality::default());
    account.put("Sent", "", 1, b"a");
    account.put("INBOX", "", 1, b"b");
    let backup = Arc::new(open(&path, None).expect("opened"));
    copy(
        Arc::new(account.clone()),
        backup.clone(),
        &MemoryLedger::default(),
    )
    .await;
    assert!(files(&outside).is_empty(), "nothing goes through a link");
    assert_eq!(fs::read(path.join("sent/mine")).expect("there"), b"mine");
    contract::source(backup.as_ref(), &contract::held(&account).await).await;
}

#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_not_followed() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = made(&path, format).await;
        let outside = directory.path().join("outside");
        fs::write(&outside, "precious").expect("written");
        let target = match format {
            Format::Mbox => path.join("INBOX/mbox"),
            _ => path.join("INBOX/manifest.tsv"),
        };
        fs::remove_file(&target).expect("removed");
        symlink(&outside, &target).expect("linked");
        account.put("INBOX", "", 1, b"new");
        let opened = open(&path, None).map(Arc::new);
        if let Ok(backup) = opened {
            let source = Arc::new(account.clone());
            let ran = copy_somehow(source, backup.clone(), &MemoryLedger::default()).await;
            // The folder counts as gone, and another one takes its place; or nothing can be done.
            if ran.is_ok_and(|report| report.is_complete()) {
                contract::source(backup.as_ref(), &contract::held(&account).await).await;
            }
        }
        assert_eq!(fs::read(&outside).expect("there"), b"precious");
    }
}

/// Every message file or the mbox of a folder.
pub(crate) fn octets_of(path: &Path, folder: &str, format: Format) -> Vec<PathBuf> {
    let folder = path.join(folder);
    let (shelf, is_message): (PathBuf, fn(&str) -> bool) = match format {
        Format::Maildir => (folder.join("cur"), |_| true),
        Format::Mbox => (folder, |name| name == "mbox"),
        Format::Eml => (folder, |name| name.ends_with(".eml")),
    };
    let entries = fs::read_dir(shelf)
        .expect("listed")
        .map(|e| e.expect("an entry").path());
    let mut all: Vec<PathBuf> = entries
        .filter(|p| {
            is_message(
                p.file_name()
                    .unwrap_or_default()
                    .to_str()
                    .unwrap_or_default(),
            )
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn what_is_damaged_is_named_and_the_rest_is_restored() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        made(&path, format).await;
        let messages = octets_of(&path, "INBOX", format);
        let damaged = match format {
            Format::Mbox => {
                // The last octets of the last message; an octet of the third.
                let mut octets = fs::read(&messages[0]).expect("octets");
                let cut = octets.len() - 10;
                octets.truncate(cut);
                let third = octets
                    .windows(14)
                    .position(|w| w == b"Subject: mail ")
                    .expect("first");
                octets[third] = b'X';
                fs::write(&messages[0], &octets).expect("written");
                2
            }
            _ => {
                fs::write(&messages[0], "changed").expect("written");
                fs::remove_file(&messages[2]).expect("removed");
                2
            }
        };
        // A line of the other folder's manifest.
        let manifest = path.join("Sent/manifest.tsv");
        let text = fs::read_to_string(&manifest).expect("text");
        let line = text.lines().nth(5).expect("a line").to_owned();
        fs::write(
            &manifest,
            text.replace(&line, &line.replace("message", "massage")),
        )
        .expect("written");
        let before = files(&path);
        let mut found = Vec::new();
        let checked = check(&path, &mut |finding| found.push(finding)).expect("checked");
        assert!(!checked.is_whole());
        assert_eq!(
            (checked.damaged, checked.damaged_lines),
            (damaged, 1),
            "{format} {found:#?}"
        );
        assert_eq!(checked.messages, 8 - damaged - 1);
        assert!(found.contains(&Finding::Line {
            mailbox: hikyaku_core::MailboxName::parse("Sent").expect("a name"),
            path: manifest.clone(),
            number: 6,
        }));
        let restored = MemoryAccount::new(Personality::default());
        let source = Arc::new(BackupSource::open(&path).expect("opened"));
        let destination = Arc::new(restored.clone());
        let report = copy_somehow(source, destination, &MemoryLedger::default())
            .await
            .expect("a run");
        let failed = report.tally().messages(Outcome::FailedPermanent)
            + report.tally().messages(Outcome::FailedTemporary);
        let named = report
            .exceptions
            .iter()
            .filter(|e| e.fault.code == Code::BackupDamaged)
            .count();
        // What is changed is named, and what is gone is missed.
        let wanted = (damaged, damaged as usize);
        assert_eq!((failed, named), wanted, "{format} {:#?}", report.exceptions);
        let octets: usize = contract::held(&restored)
            .await
            .iter()
            .map(|h| h.messages.len())
            .sum();
        assert_eq!(octets as u64, checked.messages);
        assert_eq!(files(&path), before, "restoring only reads");
    }
}

#[tokio::test]
async fn a_folder_that_lost_its_name_is_still_restored() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = made(&path, format).await;
        let manifest = path.join("Sent/manifest.tsv");
        let text = fs::read_to_string(&manifest).expect("text");
        let rest = text.lines().skip(2).map(|line| format!("{line}\n"));
        let damaged: String = ["x\n".to_owned(), "y\n".to_owned()]
            .into_iter()
            .chain(rest)
            .collect();
        fs::write(&manifest, damaged).expect("written");
        let source = BackupSource::open(&path).expect("opened");
        assert!(
            contract::held(&source).await == contract::held(&account).await,
            "{format}"
        );
        let checked = check(&path, &mut |_| {}).expect("checked");
        assert_eq!(
            (checked.damaged, checked.damaged_lines, checked.messages),
            (0, 2, 8),
            "{format}"
        );
        // Nothing is added to it: whose it is is not known for sure.
        let backup = Arc::new(open(&path, None).expect("opened"));
        let ran = copy_somehow(Arc::new(account), backup, &MemoryLedger::default()).await;
        assert_eq!(ran.expect_err("refused").code, Code::BackupDamaged);
    }
}

#[test]
fn what_the_disk_says_is_a_fault_that_says_what_to_do() {
    let missing = Path::new("/proc/hikyaku/backup");
    let fault = open(missing, None).expect_err("no files can be made there");
    assert_eq!(fault.code, Code::BackupUnwritable, "{fault}");
    assert_eq!(fault.remedy, Remedy::AskUser);
}
