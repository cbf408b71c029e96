//! Stores and bundles made here.

use super::*;
use std::fs;
use std::ops::ControlFlow;

const PLIST: &str = "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict><key>date-received</key>\
    <integer>1711929600</integer><key>flags</key><integer>1</integer></dict></plist>\n";
const MBOX: &str = "From a@b Mon Apr  1 00:00:00 2024\nSubject: 1\n\nx\n\nFrom a@b Mon Apr  1 00:00:00 2024\nSubject: 2\n\ny\n";

fn emlx(message: &str) -> String {
    format!("{:<10}\n{message}{PLIST}", message.len())
}

fn tree(files: &[(&str, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn open(path: &Path) -> AppleMail {
    let options = Options {
        now: 1_735_689_600,
        ..Options::default()
    };
    AppleMail::open(path, &options).unwrap_or_else(|fault| panic!("{path:?}: {fault}"))
}

/// Every folder with its role, and its messages as subject, date and flags.
fn told(path: &Path) -> Vec<String> {
    let store = open(path);
    let mut out = Vec::new();
    let mut folders = store.folders().unwrap();
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    for folder in folders {
        let role = folder.role.map_or_else(String::new, |r| format!(" {r:?}"));
        out.push(format!("{}{role}", folder.name));
        let scanned = store.scan(&folder, Start::BEGINNING, &mut |found| {
            out.push(match found {
                Found::Message(item) => {
                    let text = store.open(&folder, &item).and_then(Text::whole).unwrap();
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let subject = text
                        .lines()
                        .find(|l| l.starts_with("Subject"))
                        .unwrap_or("?");
                    let date = item.date.map(|d| d.seconds).unwrap_or_default();
                    format!("{} {subject} {date} ({})", item.key, item.flags)
                }
                Found::Unreadable { key, fault, .. } => format!("{key} {}", fault.code),
                Found::Deleted { .. } => unreachable!(),
            });
            ControlFlow::Continue(())
        });
        assert_eq!(scanned, Ok(None));
    }
    out
}

fn message(n: u32) -> String {
    emlx(&format!("Subject: {n}\n\nbody\n"))
}

/// As the message above is told under that key.
fn line(key: u32, n: u32) -> String {
    format!("{key} Subject: {n} 1711929600 (\\Seen)")
}

#[test]
fn a_store_of_one_account_has_its_names() {
    let dir = tree(&[
        (
            "Mail/V9/IMAP-old@example.jp/INBOX.mbox/Messages/1.emlx",
            message(99),
        ),
        ("Mail/V10/MailData/x.mbox/Messages/1.emlx", message(98)),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/INBOX.mbox/AAAABBBB-0000-1111-2222-333344445555/Data/Messages/10.emlx",
            message(10),
        ),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/INBOX.mbox/AAAABBBB-0000-1111-2222-333344445555/Data/2/1/Messages/9.emlx",
            message(9),
        ),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/INBOX.mbox/AAAABBBB-0000-1111-2222-333344445555/Data/2/Messages/2000.emlx",
            "no length\n".to_owned(),
        ),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/Sent Messages.mbox/Messages/3.emlx",
            message(3),
        ),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/か\u{3099}.mbox/Messages/4.emlx",
            message(4),
        ),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/か\u{3099}.mbox/子.mbox/Messages/5.emlx",
            message(5),
        ),
        (
            "Mail/V10/1AB2C3D4-0000-1111-2222-333344445555/空.mbox/Info.plist",
            String::new(),
        ),
        ("Mail/V10/Mailboxes/手元.mbox/Messages/6.emlx", message(6)),
    ]);
    let expected = [
        "INBOX Inbox".to_owned(),
        line(1, 9),
        line(2, 10),
        "3 archive.damaged".to_owned(),
        "Sent Messages Sent".to_owned(),
        line(1, 3),
        "が".to_owned(),
        line(1, 4),
        "が/子".to_owned(),
        line(1, 5),
        "手元".to_owned(),
        line(1, 6),
    ];
    assert_eq!(told(&dir.path().join("Mail")), expected);
    assert_eq!(told(&dir.path().join("Mail/V10")), expected);
    let account = dir
        .path()
        .join("Mail/V10/1AB2C3D4-0000-1111-2222-333344445555");
    assert_eq!(told(&account), expected[..10]);
    assert_eq!(
        told(&account.join("Sent Messages.mbox")),
        ["Sent Messages Sent", &line(1, 3)]
    );
    let file = account.join("Sent Messages.mbox/Messages/3.emlx");
    assert_eq!(told(&file), ["3.emlx", &line(1, 3)]);
}

#[test]
fn several_accounts_stand_below_their_addresses() {
    let dir = tree(&[
        (
            "V10/IMAP-taro@example.jp/INBOX.mbox/Messages/1.emlx",
            message(1),
        ),
        (
            "V10/POP-hanako@pop.example.jp/INBOX.mbox/Messages/1.emlx",
            message(2),
        ),
        ("V10/Mailboxes/手元.mbox/Messages/6.emlx", message(6)),
    ]);
    assert_eq!(
        told(dir.path()),
        [
            "hanako@pop.example.jp/INBOX Inbox".to_owned(),
            line(1, 2),
            "taro@example.jp/INBOX Inbox".to_owned(),
            line(1, 1),
            "手元".to_owned(),
            line(1, 6),
        ]
    );
}

#[test]
fn attachments_come_back_and_what_is_missing_is_an_item_of_its_own() {
    let partial = "Subject: p\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n\
        Content-Transfer-Encoding: base64\nX-Apple-Content-Length: 8\n\n\n--b\n\
        X-Apple-Content-Length: 4\n\n\n--b--\n";
    let dir = tree(&[
        ("A.mbox/Data/1/Messages/1001.partial.emlx", emlx(partial)),
        ("A.mbox/Data/Attachments/1001/2/.DS_Store", "x".to_owned()),
        (
            "A.mbox/Data/Attachments/1001/2/名前.bin",
            "hello".to_owned(),
        ),
        ("A.mbox/Data/Messages/1002.partial.emlx", emlx(partial)),
        ("A.mbox/Data/Messages/1002.emlx", message(1002)),
        ("A.mbox/Data/Messages/1003.emlx", message(1003)),
        // Above the mailbox nothing is looked for.
        ("Attachments/1001/3/secret", "x".to_owned()),
    ]);
    assert_eq!(
        told(dir.path()),
        [
            "A".to_owned(),
            "1 Subject: p 1711929600 (\\Seen)".to_owned(),
            "2 archive.partial".to_owned(),
            line(3, 1002),
            line(4, 1003),
        ]
    );
    let store = open(dir.path());
    let folder = &store.folders().unwrap()[0];
    let mut keys = Vec::new();
    let start = Start {
        key: hikyaku_core::Key(2),
        at: 0,
    };
    store
        .scan(folder, start, &mut |found| {
            keys.push(found.key().0);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(keys, [2, 3, 4]);
    let mut whole = None;
    store
        .scan(folder, Start::BEGINNING, &mut |found| {
            let Found::Message(item) = found else {
                unreachable!()
            };
            whole = store.open(folder, &item).and_then(Text::whole).ok();
            ControlFlow::Break(())
        })
        .unwrap();
    let whole = String::from_utf8(whole.unwrap().to_vec()).unwrap();
    assert_eq!(
        whole,
        "Subject: p\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
         Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b\r\n\
         X-Apple-Content-Length: 4\r\n\r\n\r\n--b--\r\n"
    );
}

#[cfg(unix)]
#[test]
fn attachments_behind_a_link_are_not_there() {
    let partial = "Subject: p\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
        X-Apple-Content-Length: 7\n\n\n--b--\n";
    let outside = tree(&[
        ("5/1/secret", "secret\n".to_owned()),
        ("1/secret", "secret\n".to_owned()),
    ]);
    for level in ["A.mbox/Attachments", "A.mbox/Attachments/5"] {
        let dir = tree(&[("A.mbox/Messages/5.partial.emlx", emlx(partial))]);
        let link = dir.path().join(level);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.path(), link).unwrap();
        let told = told(dir.path());
        assert_eq!(told[2..], ["2 archive.partial"], "{level}");
    }
}

#[test]
fn exported_bundles_are_read_alone_and_in_their_folders() {
    let dir = tree(&[
        ("受信.mbox/mbox", MBOX.to_owned()),
        ("受信.mbox/table_of_contents", "x".to_owned()),
        ("取引先/サンプル.mbox/mbox", MBOX.to_owned()),
        ("空.mbox/mbox", String::new()),
    ]);
    let without_flags = |n: u32| format!("{n} Subject: {n} 1711929600 ()");
    let told_here = told(dir.path());
    assert_eq!(
        told_here,
        [
            "取引先/サンプル".to_owned(),
            without_flags(1),
            without_flags(2),
            "受信".to_owned(),
            without_flags(1),
            without_flags(2),
            "空".to_owned(),
        ]
    );
    for path in ["受信.mbox", "受信.mbox/mbox"] {
        let told = told(&dir.path().join(path));
        assert_eq!(
            told,
            ["受信".to_owned(), without_flags(1), without_flags(2)]
        );
    }
}

#[test]
fn what_is_no_mail_is_refused() {
    let dir = tree(&[("a/b.txt", "x".to_owned())]);
    let fault = AppleMail::open(dir.path(), &Options::default())
        .err()
        .unwrap();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveKind);
}

/// What a look says of a store, and what opening it finds: folders, messages, octets of
/// the names.
fn both(root: &Path) -> ((u64, u64), Vec<(String, usize)>) {
    let crate::Look::Found(found) = crate::look(root).unwrap() else {
        panic!("{:?}", crate::look(root));
    };
    assert_eq!(found.kind, crate::Kind::AppleMail);
    let store = AppleMail::open(root, &Options::default()).unwrap();
    let mut folders = Vec::new();
    for folder in store.folders().unwrap() {
        let mut count = 0;
        let scanned = store.scan(&folder, Start::BEGINNING, &mut |_| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        });
        scanned.unwrap();
        folders.push((folder.name.to_string(), count));
    }
    folders.sort();
    ((found.folders, found.messages), folders)
}

/// Files, and the mailboxes that they make with their numbers of messages.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, usize)]);

#[test]
fn whatever_a_look_finds_can_be_opened() {
    let cases: &[Case<'_>] = &[
        // Without the identifier, or with another name in its place.
        (
            &["V10/IMAP-a@b/INBOX.mbox/Data/Messages/1.emlx"],
            &[("INBOX", 1)],
        ),
        (
            &["V10/IMAP-a@b/INBOX.mbox/copy/Data/Messages/1.emlx"],
            &[("INBOX", 1)],
        ),
        (&["INBOX.mbox/1.emlx", "INBOX.mbox/2.emlx"], &[("INBOX", 2)]),
        // Files that somebody took out of their mailboxes.
        (
            &["saved/2019/1.emlx", "saved/2020/Messages/2.emlx"],
            &[("saved/2019", 1), ("saved/2020", 1)],
        ),
        (
            &[
                "IMAP-a@b/x/Data/1/Messages/1001.emlx",
                "IMAP-a@b/x/Data/Messages/2.emlx",
            ],
            &[("x", 2)],
        ),
        // The store of an older version is not read, nor are messages in attachments.
        (
            &[
                "V9/IMAP-a@b/INBOX.mbox/Messages/1.emlx",
                "V10/IMAP-a@b/INBOX.mbox/Data/Messages/1.emlx",
                "V10/IMAP-a@b/INBOX.mbox/Data/Attachments/1/2/9.emlx",
                "V10/MailData/x.mbox/Messages/8.emlx",
            ],
            &[("INBOX", 1)],
        ),
    ];
    for (files, expected) in cases {
        let files: Vec<(&str, String)> = files.iter().map(|f| (*f, message(1))).collect();
        let dir = tree(&files);
        let (looked, opened) = both(dir.path());
        let wanted: Vec<_> = expected
            .iter()
            .map(|(n, c)| ((*n).to_owned(), *c))
            .collect();
        assert_eq!(opened, wanted, "{files:?}");
        let messages: usize = expected.iter().map(|(_, n)| n).sum();
        assert_eq!(
            looked,
            (expected.len() as u64, messages as u64),
            "{files:?}"
        );
    }
}
