use super::*;
use std::fs;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

const MBOX: &str = "From a@b Mon Apr  1 00:00:00 2024\nSubject: 1\n\nx\n\nFrom a@b Mon Apr  1 00:00:00 2024\nSubject: 2\n\ny\n";
const LABELS: &str = "From 1@xxx Mon Apr 01 00:30:00 +0000 2024\r\nX-GM-THRID: 1\r\nX-Gmail-Labels: Inbox\r\nSubject: 1\r\n\r\nx\r\n";
const MAIL: &str = "Date: Mon, 1 Apr 2024 09:00:00 +0900\nSubject: 1\n\nx\n";

fn told(path: &Path) -> (Kind, u64, u64, bool) {
    let found = recognise(path).unwrap_or_else(|fault| panic!("{path:?}: {fault}"));
    assert_eq!(found.path, path);
    (found.kind, found.folders, found.messages, found.is_exact)
}

#[test]
fn each_kind_is_recognised_in_its_folder() {
    type Case = (Kind, u64, u64, &'static [(&'static str, &'static str)]);
    let cases: &[Case] = &[
        (
            Kind::Mbox,
            2,
            4,
            &[
                ("Inbox", MBOX),
                ("old/Sent.mbox", MBOX),
                ("readme.html", "<p>"),
            ],
        ),
        (
            Kind::Maildir,
            2,
            2,
            &[
                ("cur/1:2,S", MAIL),
                ("new/2", MAIL),
                ("tmp/3", MAIL),
                (".Sent/cur/.k", ""),
                (".Sent/new/.k", ""),
            ],
        ),
        (
            Kind::Thunderbird,
            2,
            4,
            &[
                ("prefs.js", ""),
                ("Mail/Local Folders/Inbox", MBOX),
                ("Mail/Local Folders/Inbox.msf", ""),
                ("Mail/Local Folders/Inbox.sbd/2024", MBOX),
            ],
        ),
        (
            Kind::AppleMail,
            2,
            3,
            &[
                ("V10/IMAP-a/INBOX.mbox/1/Data/Messages/1.emlx", "x"),
                ("V10/IMAP-a/INBOX.mbox/1/Data/Messages/2.partial.emlx", "x"),
                ("V10/IMAP-a/Sent.mbox/1/Data/Messages/3.emlx", "x"),
                ("V10/MailData/Envelope Index", "SQLite"),
            ],
        ),
        (
            Kind::AppleMail,
            2,
            2,
            &[
                ("受信.mbox/mbox", MBOX),
                ("受信.mbox/table_of_contents", ""),
                ("空.mbox/mbox", ""),
            ],
        ),
        (
            Kind::Eml,
            2,
            3,
            &[
                ("a.eml", MAIL),
                ("b.EML", MAIL),
                ("sub/c.eml", MAIL),
                ("x.txt", "hello"),
            ],
        ),
        (
            Kind::Mh,
            2,
            3,
            &[
                ("inbox/1", MAIL),
                ("inbox/2", MAIL),
                ("inbox/.mh_sequences", ""),
                ("sent/1", MAIL),
            ],
        ),
        (
            Kind::Takeout,
            1,
            1,
            &[
                ("Takeout/Mail/All.mbox", LABELS),
                ("Takeout/archive_browser.html", "<p>"),
            ],
        ),
        (
            Kind::WindowsLiveMail,
            1,
            1,
            &[
                ("Gmail 0b1/Inbox/1-00000001.eml", MAIL),
                ("Gmail 0b1/Inbox/winmail.fol", ""),
            ],
        ),
        (
            Kind::OutlookExpress,
            1,
            7,
            &[("Inbox.mbx", "JMF6\u{3}\0\u{1}\0\u{7}\0\0\0")],
        ),
        (
            Kind::Becky,
            1,
            2,
            &[
                ("a.mb/!!!!Inbox/1.bmf", "a: b\r\n\r\n.\r\na: b\r\n\r\n.\r\n"),
                ("a.mb/Mailbox.ini", ""),
            ],
        ),
    ];
    for (kind, folders, messages, files) in cases {
        let dir = tree(files);
        assert_eq!(
            told(dir.path()),
            (*kind, *folders, *messages, true),
            "{files:?}"
        );
    }
}

#[test]
fn single_files_are_recognised() {
    let dir = tree(&[
        ("Inbox", MBOX),
        ("a.eml", MAIL),
        ("noname", MAIL),
        ("all.mbox", LABELS),
        ("x.bmf", "a: b\r\n\r\n.\r\n"),
    ]);
    for (name, kind, messages) in [
        ("Inbox", Kind::Mbox, 2),
        ("a.eml", Kind::Eml, 1),
        ("noname", Kind::Eml, 1),
        ("all.mbox", Kind::Takeout, 1),
        ("x.bmf", Kind::Becky, 1),
    ] {
        assert_eq!(
            told(&dir.path().join(name)),
            (kind, 1, messages, true),
            "{name}"
        );
    }
}

#[test]
fn a_bundle_that_is_named_itself_is_one() {
    let dir = tree(&[("取引先.mbox/mbox", MBOX)]);
    assert_eq!(
        told(&dir.path().join("取引先.mbox")),
        (Kind::AppleMail, 1, 2, true)
    );
}

#[test]
fn large_files_are_estimated() {
    let dir = tree(&[("Inbox", &MBOX.repeat(10_000))]);
    let (kind, folders, messages, is_exact) = told(&dir.path().join("Inbox"));
    assert_eq!((kind, folders, is_exact), (Kind::Mbox, 1, false));
    assert!((19_000..21_000).contains(&messages), "{messages}");
}

fn zip(path: &Path, files: &[(&str, &str)]) {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn zips_are_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let takeout = dir.path().join("takeout-001.zip");
    zip(
        &takeout,
        &[
            ("Takeout/Mail/All.mbox", LABELS),
            ("Takeout/index.html", ""),
        ],
    );
    assert_eq!(told(&takeout), (Kind::Takeout, 1, 1, true));
    zip(
        &dir.path().join("takeout-002.zip"),
        &[("Takeout/Mail/More.mbox", LABELS)],
    );
    assert_eq!(told(dir.path()), (Kind::Takeout, 2, 2, true));
    let profile = dir.path().join("profile.zip");
    zip(
        &profile,
        &[
            ("x.default/prefs.js", ""),
            ("x.default/Mail/Local Folders/Inbox", MBOX),
        ],
    );
    assert_eq!(told(&profile), (Kind::Thunderbird, 1, 2, true));
    let broken = dir.path().join("broken.zip");
    fs::write(&broken, "PK\u{3}\u{4}").unwrap();
    assert_eq!(recognise(&broken).unwrap_err().code, Code::ArchiveDamaged);
}

#[test]
fn what_is_no_archive_says_what_it_is() {
    let dir = tree(&[
        ("pst/a.pst", "!BDN"),
        ("text/a.txt", "hello"),
        ("text/b.TXT", "hello"),
        ("text/c.rs", ""),
        ("text/Makefile", "all: x"),
        ("both/a.eml", MAIL),
        ("both/Inbox", MBOX),
    ]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    fs::write(dir.path().join("a.tar.xz"), b"\xfd7zXZ\0\0").unwrap();
    fs::write(dir.path().join("a.tgz"), [0x1f, 0x8b, 8, 0]).unwrap();
    let look = |name: &str| super::look(&dir.path().join(name)).unwrap();
    assert_eq!(look("pst"), Look::Outlook(1));
    assert_eq!(look("pst/a.pst"), Look::Outlook(1));
    assert_eq!(look("a.tar.xz"), Look::Compressed);
    let broken = super::look(&dir.path().join("a.tgz")).unwrap_err();
    assert_eq!(broken.code, Code::ArchiveDamaged);
    assert_eq!(
        look("text"),
        Look::Nothing {
            files: 4,
            endings: vec![".txt".to_owned(), ".rs".to_owned(), "makefile".to_owned()],
        }
    );
    assert_eq!(
        look("empty"),
        Look::Nothing {
            files: 0,
            endings: vec![]
        }
    );
    let Look::Several(kinds) = look("both") else {
        panic!("{:?}", look("both"))
    };
    let kinds: Vec<_> = kinds.iter().map(|k| (k.kind, k.messages)).collect();
    assert_eq!(kinds, [(Kind::Mbox, 2), (Kind::Eml, 1)]);
    for (name, said) in [
        ("pst", "1 data files of Outlook"),
        ("a.tar.xz", "unpack it first"),
        ("text", "no mail among 4 files (.txt, .rs, makefile)"),
        ("empty", "there are no files"),
        ("both", "mbox: 2 messages, eml: 1 messages"),
    ] {
        let fault = recognise(&dir.path().join(name)).unwrap_err();
        assert_eq!(fault.code, Code::ArchiveKind);
        assert!(fault.detail.contains(said), "{name}: {}", fault.detail);
        assert!(
            fault
                .at
                .server
                .as_deref()
                .is_some_and(|s| s.ends_with(name))
        );
    }
    let fault = recognise(&dir.path().join("nowhere")).unwrap_err();
    assert_eq!(fault.code, Code::ArchiveMissing);
}
