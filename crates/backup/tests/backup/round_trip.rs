//! The hard mailbox there and back: from a server into each of the three forms, and from there
//! to an empty server, equal in every octet, flag, date and folder.

use crate::common::{Side, connect, copy, plan};
use hikyaku_backup::{BackupDestination, BackupSource, Checked, Format, check};
use hikyaku_core::traits::{Destination, Source};
use hikyaku_testkit::contract;
use hikyaku_testkit::generate::{HardOptions, Stored, fill, hard_account, keeps_date, stored};
use hikyaku_testkit::judge::{AccountSnapshot, CompareOptions, Content, MessageSnapshot, compare};
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, Kind, MailServer};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

fn snapshot(server: &Dovecot, account: &Account) -> AccountSnapshot {
    let mut judge = server.judge(account).expect("judge");
    // Dovecot answers another date for messages of before 1970 when it is asked again.
    judge.snapshot().expect("snapshot");
    judge.snapshot().expect("snapshot")
}

fn open(path: &Path, format: Format) -> Arc<BackupDestination> {
    Arc::new(BackupDestination::open(path, Some(format)).expect("opened"))
}

/// Backs up, once more, and looks at every octet of the result.
async fn back_up(source: Arc<dyn Source>, path: &Path, format: Format) -> Checked {
    let ledger = MemoryLedger::default();
    let backup = open(path, format);
    let first = copy(source.clone(), backup.clone(), &ledger).await;
    assert!(first.copied_now() > 0);
    assert!(first.exceptions.is_empty(), "{:#?}", first.exceptions);
    backup.close().await;
    drop(backup);
    for ledger in [
        // The same ledger; then a lost one: everything is found by its content.
        ledger,
        MemoryLedger::default(),
    ] {
        let backup = open(path, format);
        let again = copy(source.clone(), backup.clone(), &ledger).await;
        assert_eq!(
            again.copied_now(),
            0,
            "{format}: the second run copies nothing"
        );
        backup.close().await;
    }
    let mut found = Vec::new();
    let checked = check(path, &mut |finding| found.push(finding)).expect("checked");
    assert!(
        checked.is_whole() && found.is_empty(),
        "{checked:?} {found:#?}"
    );
    checked
}

/// Other programs agree about the sums.
fn compare_sums(path: &Path, format: Format, messages: u64) {
    if format == Format::Mbox {
        assert!(!path.join("SHA256SUMS").exists());
        return;
    }
    let run = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(path)
        .output()
        .expect("sha256sum");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}");
    assert_eq!(
        told.lines().filter(|line| line.ends_with(": OK")).count() as u64,
        messages
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hard_mailbox_of_dovecot_comes_back_as_it_was() {
    let server = Dovecot::start(DovecotOptions {
        in_memory: true,
        ..DovecotOptions::default()
    })
    .expect("server");
    let from = server.create_account("from").expect("account");
    let hard = hard_account(HardOptions::default());
    fill(&server, &from, &hard).expect("filled");
    let before = snapshot(&server, &from);
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let source = Arc::new(connect(&server, &from, Side::Source).await);
        let checked = back_up(source.clone(), &path, format).await;
        // In the backup everything is exactly as the server hands it out.
        let wanted = contract::held(source.as_ref()).await;
        let backup = Arc::new(BackupSource::open(&path).expect("opened"));
        assert!(contract::held(backup.as_ref()).await == wanted, "{format}");
        source.close().await;
        compare_sums(&path, format, checked.messages);
        let to = server
            .create_account(&format!("to-{format}"))
            .expect("account");
        let restored = Arc::new(connect(&server, &to, Side::Destination).await);
        let ledger = MemoryLedger::default();
        let names: BTreeMap<Vec<String>, Vec<String>> = plan(backup.clone(), restored.clone())
            .await
            .mailboxes
            .iter()
            .map(|m| {
                (
                    m.source.name.levels().to_vec(),
                    m.destination.levels().to_vec(),
                )
            })
            .collect();
        copy(backup.clone(), restored.clone(), &ledger).await;
        let again = copy(backup, restored.clone(), &ledger).await;
        assert_eq!(again.copied_now(), 0, "{format}: restored once");
        restored.close().await;
        let differences = compare(
            &undated(before.clone()),
            &undated(snapshot(&server, &to)),
            &CompareOptions {
                map_name: Box::new(|m| names.get(&m.levels).cloned()),
                rewrite: Box::new(|_, m| Some(becomes(m))),
                ..CompareOptions::default()
            },
        );
        assert!(
            differences.is_empty(),
            "{format}: {}",
            differences.join("\n")
        );
    }
}

/// What Dovecot itself makes of a message that it is given: some octets and dates it never keeps.
fn becomes(message: &MessageSnapshot) -> MessageSnapshot {
    let mut becomes = message.clone();
    match message.content.octets() {
        Some(octets) => {
            if let Stored::Rewritten(octets) = stored(Kind::Dovecot, octets) {
                becomes.content = Content::from(octets.as_slice());
            }
        }
        // Only the message of 110 MB is known by its sum alone; nothing in it is odd.
        None => assert_eq!(message.content.length(), 110_000_000),
    }
    if !keeps_date(Kind::Dovecot, message.internal_date) {
        becomes.internal_date = 0;
    }
    becomes
}

/// Dates that a server made up in these minutes become the beginning of time.
fn undated(mut account: AccountSnapshot) -> AccountSnapshot {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("later")
        .as_secs() as i64;
    for message in account.mailboxes.values_mut().flat_map(|m| &mut m.messages) {
        if (now - 900..=now + 60).contains(&message.internal_date) {
            message.internal_date = 0;
        }
    }
    account
}

/// What no server keeps, a backup does: octets of every kind, dates of every time, any keyword,
/// names of any characters.
fn everything(account: &MemoryAccount) {
    let mut n = 0;
    for octets in [
        &b""[..],
        b"\n",
        b"\r\n",
        b"\r",
        b"x",
        b"no line end at the end",
        b"A: b\r\n\r\nbare LF\nand CR\rand CRLF\r\n",
        b"A: b\n\nunix\n",
        b"From the top\r\n>From x\r\n>>From y\nFrom \r\n",
        b">",
        b">From ",
        b"From",
        b"A: b\r\n\r\na\0b\xff\xfe\r\n",
        b"A: b\r\n\r\ntwo empty lines\r\n\r\n\r\n",
        b"From hikyaku-00000001-9@backup.invalid Wed Jul 14 01:20:30 2021\r\n\r\n",
    ] {
        for flags in [
            "",
            "\\Seen $Label1 \u{4ed5}\u{4e8b} a%b",
            "\\Deleted \\Draft $Forwarded",
        ] {
            n += 1;
            let seconds = [0, -1, 1_700_000_000, 4_000_000_000, -70_000_000_000][n % 5];
            account.put("INBOX", flags, seconds, octets);
        }
    }
    let large = b"From the large one\r\n>From x\r\n".repeat(40_000);
    account.put("INBOX", "\\Seen", 1_600_000_000, &large);
    account.put("INBOX", "\\Seen", 1_600_000_000, &large[..large.len() - 5]);
    for name in [
        "..",
        "../../etc",
        "con",
        "a\u{202e}b",
        "Plain",
        "plain",
        "PLAIN",
        "Caf\u{e9}",
        "Cafe\u{301}",
        "\u{1f4ee} \u{90f5}\u{4fbf}",
        "C:\\\\x",
        "-rf",
        " ",
        "hikyaku-backup",
        "SHA256SUMS",
        "manifest.tsv",
        "cur",
        "tmp",
        "~",
        "%41",
        "A",
    ] {
        account.put(name, "", 1_500_000_000, name.as_bytes());
    }
    account.put(&"\u{9577}".repeat(200), "", 1, b"x");
    account.put(&"\u{9577}".repeat(201), "", 1, b"y");
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_and_names_that_no_server_keeps_come_back_as_they_were() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = MemoryAccount::new(Personality::default());
        everything(&account);
        back_up(Arc::new(account.clone()), &path, format).await;
        let restored = MemoryAccount::new(Personality::default());
        let source = Arc::new(BackupSource::open(&path).expect("opened"));
        copy(
            source.clone(),
            Arc::new(restored.clone()),
            &MemoryLedger::default(),
        )
        .await;
        let wanted = contract::held(&account).await;
        contract::source(source.as_ref(), &wanted).await;
        // Memory takes every octet as a server would, but not every name.
        let messages = |held: Vec<contract::Held>| -> Vec<contract::Message> {
            let mut all: Vec<_> = held.into_iter().flat_map(|h| h.messages).collect();
            all.sort_by(|a, b| (&a.octets, a.seconds).cmp(&(&b.octets, b.seconds)));
            all
        };
        assert!(
            messages(contract::held(&restored).await) == messages(wanted),
            "{format}"
        );
        assert_eq!(
            std::fs::read_dir(directory.path()).expect("listed").count(),
            1,
            "nothing lies beside the backup"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_follow_and_new_mail_is_added() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = MemoryAccount::new(Personality::default());
        let keys: Vec<_> = (0..5)
            .map(|n| {
                account.put(
                    "INBOX",
                    "",
                    1_700_000_000 + n,
                    format!("A: {n}\r\n\r\nx\r\n").as_bytes(),
                )
            })
            .collect();
        let ledger = MemoryLedger::default();
        copy(Arc::new(account.clone()), open(&path, format), &ledger).await;
        account.set_flags("INBOX", keys[1], "\\Seen \\Flagged Work");
        account.put("INBOX", "\\Draft", 1_700_000_100, b"A: new\r\n\r\n");
        let backup = open(&path, format);
        let report = copy(Arc::new(account.clone()), backup.clone(), &ledger).await;
        assert_eq!(report.copied_now(), 1);
        let wanted = contract::held(&account).await;
        backup.close().await;
        contract::source(backup.as_ref(), &wanted).await;
        drop(backup);
        contract::source(&BackupSource::open(&path).expect("opened"), &wanted).await;
        compare_sums(&path, format, 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_moved_is_the_same_backup() {
    let directory = tempfile::tempdir().expect("a directory");
    let (here, there) = (
        directory.path().join("here"),
        directory.path().join("there"),
    );
    let account = MemoryAccount::new(Personality::default());
    account.put("INBOX", "\\Seen", 1_700_000_000, b"A: b\r\n\r\n");
    let ledger = MemoryLedger::default();
    let backup = open(&here, Format::Eml);
    let id = backup.account();
    copy(Arc::new(account.clone()), backup, &ledger).await;
    std::fs::rename(&here, &there).expect("moved");
    let backup = Arc::new(BackupDestination::open(&there, None).expect("opened"));
    assert_eq!(backup.account(), id);
    assert_eq!(BackupSource::open(&there).expect("opened").account(), id);
    let report = copy(Arc::new(account), backup as Arc<dyn Destination>, &ledger).await;
    assert_eq!(report.copied_now(), 0);
}
