//! The contract of all sources, held by the formats of mail programs.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use hikyaku_archive::{Archive, Kind, Options, recognise};
use hikyaku_core::traits::Source;
use hikyaku_testkit::contract::{Held, Message, source};
use std::io::Write;
use std::path::Path;

/// 2025-01-01.
const NOW: i64 = 1_735_689_600;
/// 2024-04-01T00:00:00Z.
const APRIL: i64 = 1_711_929_600;

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn mail(n: u32, end: &str) -> String {
    [
        "Date: Mon, 1 Apr 2024 09:00:00 +0900",
        &format!("Subject: {n}"),
        "",
        &format!("body {n}"),
        "",
    ]
    .join(end)
}

/// As the message above comes out.
fn message(n: u32, flags: &str) -> Message {
    Message::new(flags, APRIL, mail(n, "\r\n"))
}

/// What lies at the path is recognised as that kind, and keeps the contract.
async fn keeps(kind: Kind, path: &Path, expected: &[Held]) {
    let recognised = recognise(path).unwrap();
    let count = expected
        .iter()
        .map(|held| held.messages.len() as u64)
        .sum::<u64>();
    assert_eq!(
        (recognised.kind, recognised.messages),
        (kind, count),
        "{path:?}"
    );
    let options = Options {
        now: NOW,
        ..Options::default()
    };
    let account = Archive::open(kind, path, options).unwrap();
    source(&account, expected).await;
    account.close().await;
}

/// The tree as a zip.
fn zip(root: &Path, to: &Path) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(to).unwrap());
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let options = zip::write::SimpleFileOptions::default();
            if path.is_dir() {
                zip.add_directory(name, options).unwrap();
                open.push(path);
            } else {
                zip.start_file(name, options).unwrap();
                zip.write_all(&std::fs::read(path).unwrap()).unwrap();
            }
        }
    }
    zip.finish().unwrap();
}

/// In its directory, and packed.
async fn keeps_both_ways(kind: Kind, root: &Path, expected: &[Held]) {
    keeps(kind, root, expected).await;
    let beside = tempfile::tempdir().unwrap();
    let packed = beside.path().join("archive.zip");
    zip(root, &packed);
    keeps(kind, &packed, expected).await;
    for (name, how) in [("archive.tgz", "-czf"), ("archive.tar", "-cf")] {
        let packed = beside.path().join(name);
        let done = std::process::Command::new("tar")
            .arg(how)
            .args([&packed, Path::new("-C"), root, Path::new(".")])
            .status();
        assert!(done.unwrap().success());
        keeps(kind, &packed, expected).await;
    }
}

#[tokio::test]
async fn apple_mail_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    for (mailbox, n, bits) in [("INBOX", 1, 1), ("INBOX", 2, 0), ("取引先", 3, 21)] {
        let mail = mail(n, "\n");
        let text = format!(
            "{:<10}\n{mail}<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict><key>date-received</key>\
             <integer>{APRIL}</integer><key>flags</key><integer>{bits}</integer></dict></plist>\n",
            mail.len()
        );
        write(
            dir.path(),
            &format!("V10/IMAP-a@b/{mailbox}.mbox/1/Data/Messages/{n}.emlx"),
            &text,
        );
    }
    let expected = [
        Held::new("INBOX", vec![message(1, "\\Seen"), message(2, "")]),
        Held::new("取引先", vec![message(3, "\\Seen \\Answered \\Flagged")]),
    ];
    keeps_both_ways(Kind::AppleMail, dir.path(), &expected).await;
}

#[tokio::test]
async fn takeout_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (n, labels) in [
        (1, "Inbox,Unread"),
        (2, "Work,Opened"),
        (3, "Inbox,Opened,Starred"),
        (4, "Archived,Opened"),
    ] {
        text += &format!(
            "From {n}@xxx Mon Apr 01 00:00:00 +0000 2024\r\nX-GM-THRID: {n}\r\nX-Gmail-Labels: {labels}\r\n{}\r\n",
            mail(n, "\r\n")
        );
    }
    write(
        dir.path(),
        "Takeout/Mail/All mail Including Spam and Trash.mbox",
        &text,
    );
    let expected = [
        Held::new("Archive", vec![message(4, "\\Seen")]),
        Held::new(
            "INBOX",
            vec![message(1, ""), message(3, "\\Seen \\Flagged")],
        ),
        Held::new("Work", vec![message(2, "\\Seen")]),
    ];
    keeps_both_ways(Kind::Takeout, dir.path(), &expected).await;
}

#[tokio::test]
async fn mail_of_thunderbird_and_mbox_keep_the_contract_when_packed() {
    let mbox = |head: &str, n: u32| {
        format!(
            "From a@b Mon Apr  1 00:00:00 2024\n{head}{}\n",
            mail(n, "\n")
        )
    };
    let dir = tempfile::tempdir().unwrap();
    let read = mbox("X-Mozilla-Status: 0001\n", 1) + &mbox("X-Mozilla-Status: 0000\n", 2);
    write(dir.path(), "Mail/Local Folders/取引先", &read);
    write(dir.path(), "Mail/Local Folders/取引先.msf", "");
    let expected = [Held::new(
        "取引先",
        vec![message(1, "\\Seen"), message(2, "")],
    )];
    keeps_both_ways(Kind::Thunderbird, dir.path(), &expected).await;
    let dir = tempfile::tempdir().unwrap();
    let read = mbox("Status: RO\n", 1) + &mbox("Status: O\n", 2);
    write(dir.path(), "box.mbox", &read);
    let expected = [Held::new("box", vec![message(1, "\\Seen"), message(2, "")])];
    keeps_both_ways(Kind::Mbox, dir.path(), &expected).await;
    // One file alone, as lists publish theirs.
    let packed = dir.path().join("box.mbox.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(read.as_bytes()).unwrap();
    std::fs::write(&packed, gzip.finish().unwrap()).unwrap();
    keeps(Kind::Mbox, &packed, &expected).await;
}

#[tokio::test]
async fn windows_live_mail_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    for (folder, n) in [("Inbox", 1), ("Inbox", 2), ("送信済みアイテム", 3)] {
        write(
            dir.path(),
            &format!("Windows Live Mail/A (b) 0b1/{folder}/0A-0000000{n}.eml"),
            &mail(n, "\r\n"),
        );
        write(
            dir.path(),
            &format!("Windows Live Mail/A (b) 0b1/{folder}/winmail.fol"),
            "",
        );
    }
    // Nothing is recorded, and it is long ago.
    let expected = [
        Held::new("INBOX", vec![message(1, "\\Seen"), message(2, "\\Seen")]),
        Held::new("送信済みアイテム", vec![message(3, "\\Seen")]),
    ];
    keeps_both_ways(Kind::WindowsLiveMail, dir.path(), &expected).await;
}

#[tokio::test]
async fn becky_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{}.\r\n{}.\r\n", mail(1, "\r\n"), mail(2, "\r\n"));
    write(dir.path(), "a.mb/!!!!Inbox/1.bmf", &text);
    write(
        dir.path(),
        "a.mb/!!!!Inbox/2.bmf",
        &format!("{}.\r\n", mail(3, "\r\n")),
    );
    let messages = (1..=3).map(|n| message(n, "\\Seen")).collect();
    keeps_both_ways(Kind::Becky, dir.path(), &[Held::new("INBOX", messages)]).await;
}

#[tokio::test]
async fn outlook_express_four_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let mut octets = vec![0; 0x54];
    octets[..4].copy_from_slice(b"JMF6");
    octets[8] = 2;
    for n in [1, 2] {
        let mail = mail(n, "\r\n");
        let size = (16 + mail.len()).next_multiple_of(4);
        octets.extend([0x00, 0x7f, 0x00, 0x7f]);
        for word in [n, size as u32, mail.len() as u32] {
            octets.extend(word.to_le_bytes());
        }
        octets.extend(mail.as_bytes());
        octets.resize(octets.len().next_multiple_of(4), 0);
    }
    std::fs::write(dir.path().join("Arbeit.mbx"), octets).unwrap();
    let messages = vec![message(1, "\\Seen"), message(2, "\\Seen")];
    keeps_both_ways(
        Kind::OutlookExpress,
        dir.path(),
        &[Held::new("Arbeit", messages)],
    )
    .await;
}
