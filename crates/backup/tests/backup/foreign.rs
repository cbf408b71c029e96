//! Backups that somebody else changed, packed, or made: nothing outside of them is touched, no
//! message disappears without a word, and nothing panics or waits for ever.

use crate::common::{copy, copy_somehow};
use crate::trouble::{files, made, octets_of, open};
use hikyaku_backup::{BackupSource, Finding, Format, check};
use hikyaku_core::Code;
use hikyaku_core::traits::Source;
use hikyaku_testkit::contract;
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// A line with its sum, as anybody can make it.
fn sealed(line: &str) -> String {
    let sum: String = Sha256::digest(line)[..4]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    format!("{line}\t{sum}\n")
}

fn append(path: &Path, line: &str) {
    let text = fs::read_to_string(path).expect("text") + &sealed(line);
    fs::write(path, text).expect("written");
}

#[tokio::test]
async fn a_folder_without_its_manifest_is_missed() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = made(&path, format).await;
        let manifest = path.join("Sent/manifest.tsv");
        fs::remove_file(&manifest).expect("removed");
        let mut found = Vec::new();
        let checked = check(&path, &mut |finding| found.push(finding)).expect("checked");
        assert!(!checked.is_whole(), "{format}");
        let counted = (checked.folders, checked.messages, checked.damaged_lines);
        assert_eq!((counted, checked.strangers), ((1, 4, 1), 0), "{format}");
        let [Finding::Damaged { fault, .. }] = found.as_slice() else {
            panic!("{found:#?}")
        };
        assert_eq!(fault.code, Code::BackupDamaged);
        assert!(fault.detail.contains("Sent/manifest.tsv"), "{fault:?}");
        assert_eq!(fault.at.mailbox.as_deref(), Some("Sent"));

        // The other folder is restored, and this one is named.
        let restored = MemoryAccount::new(Personality::default());
        let source = Arc::new(BackupSource::open(&path).expect("opened"));
        let destination = Arc::new(restored.clone());
        let report = copy_somehow(source, destination, &MemoryLedger::default())
            .await
            .expect("a run");
        assert!(!report.is_complete(), "{format}");
        assert_eq!(report.unfinished, 1, "{format} {report:#?}");
        let named: Vec<_> = report
            .exceptions
            .iter()
            .map(|e| (e.fault.code, e.fault.at.mailbox.as_deref()))
            .collect();
        assert_eq!(named, [(Code::BackupDamaged, Some("Sent"))], "{format}");
        assert_eq!(restored.messages("INBOX").len(), 4, "{format}");

        // The next backup saves it anew, beside what is left of the old one.
        let before = files(&path.join("Sent"));
        let backup = Arc::new(open(&path, None).expect("opened"));
        let source = Arc::new(account.clone());
        copy(source, backup.clone(), &MemoryLedger::default()).await;
        assert_eq!(files(&path.join("Sent")), before);
        contract::source(backup.as_ref(), &contract::held(&account).await).await;
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_directory_is_not_followed() {
    for shelf in ["cur", "new", "tmp"] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = made(&path, Format::Maildir).await;
        // Elsewhere lies what looks like a file that was never finished, and what looks whole.
        let outside = directory.path().join("outside");
        fs::rename(path.join("INBOX").join(shelf), &outside).expect("moved");
        let messages = octets_of(&path, "Sent", Format::Maildir);
        let name = messages[0].file_name().expect("a name").to_string_lossy();
        let epoch = fs::read_to_string(path.join("INBOX/manifest.tsv")).expect("text");
        let epoch: u32 = epoch
            .split('\t')
            .nth(3)
            .expect("an epoch")
            .parse()
            .expect("a number");
        let (time, _) = name.split_once('.').expect("a time");
        fs::write(
            outside.join(format!("{time}.00000077.{epoch:08x}.hikyaku,S=8")),
            "precious",
        )
        .expect("written");
        symlink(&outside, path.join("INBOX").join(shelf)).expect("linked");
        let before = files(&outside);
        account.put("INBOX", "", 1, b"new");
        let backup = Arc::new(open(&path, None).expect("opened"));
        let source = Arc::new(account.clone());
        let ran = copy_somehow(source, backup.clone(), &MemoryLedger::default()).await;
        assert_eq!(
            ran.expect_err("refused").code,
            Code::BackupDamaged,
            "{shelf}"
        );
        backup.close().await;
        assert_eq!(files(&outside), before, "{shelf}");
        let mut found = Vec::new();
        let checked = check(&path, &mut |finding| found.push(finding)).expect("checked");
        assert!(!checked.is_whole());
        assert!(
            matches!(found.first(), Some(Finding::Damaged { fault, .. })
                if fault.detail.contains(&format!("INBOX/{shelf}"))),
            "{found:#?}"
        );
        // The other folder is restored all the same.
        let restored = MemoryAccount::new(Personality::default());
        let source = Arc::new(BackupSource::open(&path).expect("opened"));
        let ledger = MemoryLedger::default();
        let report = copy_somehow(source, Arc::new(restored.clone()), &ledger).await;
        let report = report.expect("a run");
        assert_eq!((report.unfinished, report.exceptions.len()), (1, 1));
        assert_eq!(report.exceptions[0].fault.code, Code::BackupDamaged);
        assert_eq!(restored.messages("Sent").len(), 4, "{shelf}");
    }
}

#[tokio::test]
async fn nobody_waits_for_the_other_end_of_a_pipe() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    made(&path, Format::Eml).await;
    let message = &octets_of(&path, "INBOX", Format::Eml)[1];
    fs::remove_file(message).expect("removed");
    let made = Command::new("mkfifo").arg(message).status();
    assert!(made.expect("mkfifo").success());
    let checked = check(&path, &mut |_| {}).expect("checked");
    assert_eq!((checked.messages, checked.damaged), (7, 1));
    let restored = MemoryAccount::new(Personality::default());
    let source = Arc::new(BackupSource::open(&path).expect("opened"));
    let ledger = MemoryLedger::default();
    let report = copy_somehow(source, Arc::new(restored.clone()), &ledger).await;
    assert_eq!(report.expect("a run").exceptions.len(), 1);
    assert_eq!(restored.messages("INBOX").len(), 3);
    assert_eq!(restored.messages("Sent").len(), 4);
}

#[tokio::test]
async fn empty_directories_that_were_lost_on_the_way_are_made_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    let account = made(&path, Format::Maildir).await;
    for folder in ["INBOX", "Sent"] {
        for shelf in ["new", "tmp"] {
            fs::remove_dir(path.join(folder).join(shelf)).expect("empty");
        }
    }
    assert!(check(&path, &mut |_| {}).expect("checked").is_whole());
    account.put("INBOX", "", 1, b"new");
    let backup = Arc::new(open(&path, None).expect("opened"));
    let source = Arc::new(account.clone());
    let report = copy(source, backup.clone(), &MemoryLedger::default()).await;
    assert_eq!(report.copied_now(), 1);
    contract::source(backup.as_ref(), &contract::held(&account).await).await;
}

#[tokio::test]
async fn a_mail_program_may_have_given_every_file_another_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    let account = made(&path, Format::Maildir).await;
    for (n, from) in octets_of(&path, "INBOX", Format::Maildir)
        .iter()
        .enumerate()
    {
        let name = from.file_name().expect("a name").to_string_lossy();
        let (base, _) = name.split_once(":2,").expect("flags");
        let to = match n % 2 {
            0 => path.join(format!("INBOX/cur/{base}:2,FTa")),
            _ => path.join(format!("INBOX/new/{base}")),
        };
        fs::rename(from, to).expect("renamed");
    }
    let checked = check(&path, &mut |_| {}).expect("checked");
    assert!(checked.is_whole() && checked.messages == 8, "{checked:?}");
    let source = BackupSource::open(&path).expect("opened");
    // What counts are the flags of the manifest.
    assert!(contract::held(&source).await == contract::held(&account).await);
}

#[tokio::test]
async fn sizes_and_numbers_beyond_all_measure_are_damage_and_no_panic() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    let account = made(&path, Format::Eml).await;
    let file = octets_of(&path, "INBOX", Format::Eml)[0]
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let manifest = path.join("INBOX/manifest.tsv");
    let (sum, most) = ("0".repeat(64), u64::MAX);
    append(
        &manifest,
        &format!("message\t4294967295\t{sum}\t{most}\t-\t{file}\t"),
    );
    let checked = check(&path, &mut |_| {}).expect("checked");
    assert_eq!((checked.messages, checked.damaged), (8, 1));
    let restored = MemoryAccount::new(Personality::default());
    let source = Arc::new(BackupSource::open(&path).expect("opened"));
    let ledger = MemoryLedger::default();
    copy_somehow(source, Arc::new(restored.clone()), &ledger)
        .await
        .expect("a run");
    assert_eq!(restored.messages("INBOX").len(), 4);
    // No number is left for what is new: it is refused, and what is there stays.
    let before = files(&path);
    account.put("INBOX", "", 1, b"one");
    account.put("INBOX", "", 1, b"two");
    let backup = Arc::new(open(&path, None).expect("opened"));
    let report = copy_somehow(Arc::new(account), backup, &MemoryLedger::default()).await;
    match report {
        Err(fault) => assert_eq!(fault.code, Code::BackupDamaged),
        Ok(report) => assert!(!report.is_complete(), "{report:#?}"),
    }
    assert_eq!(files(&path), before);
}
