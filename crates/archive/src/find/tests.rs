use super::*;
use crate::kind::Kind;
use std::fs;

const MBOX: &str = "From a@b Mon Apr  1 00:00:00 2024\nSubject: 1\n\nx\n";

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn stores_are_found_in_the_places_of_every_system() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let home_at = home.path();
    for profile in [
        ".thunderbird/a.default",
        "snap/thunderbird/common/.thunderbird/s.default",
        "Library/Thunderbird/Profiles/m.default",
        "AppData/Roaming/Thunderbird/Profiles/w.default-release",
    ] {
        write(
            home_at,
            &format!("{profile}/Mail/Local Folders/Inbox"),
            MBOX,
        );
        write(
            home_at,
            &format!("{profile}/Mail/Local Folders/Inbox.msf"),
            "",
        );
    }
    write(
        elsewhere.path(),
        "moved/ImapMail/imap.example.jp/INBOX",
        MBOX,
    );
    write(elsewhere.path(), "moved/prefs.js", "");
    let ini = format!(
        "[Profile0]\nIsRelative=1\nPath=a.default\n[Profile1]\nIsRelative=0\nPath={}\n[Profile2]\nPath=gone\n",
        elsewhere.path().join("moved").display()
    );
    write(home_at, ".thunderbird/profiles.ini", &ini);
    write(home_at, ".thunderbird/Crash Reports/x.ini", "");
    write(
        home_at,
        "Library/Mail/V10/IMAP-a@b/INBOX.mbox/1/Data/Messages/1.emlx",
        "x",
    );
    write(
        home_at,
        "AppData/Local/Microsoft/Outlook/taro@example.jp.ost",
        "!BDN",
    );
    write(home_at, "AppData/Local/Microsoft/Outlook/Offline.xml", "");
    write(home_at, "Documents/Outlook ファイル/2020.PST", "!BDN");
    write(
        home_at,
        "AppData/Local/Microsoft/Windows Live Mail/A 0b1/Inbox/1-00000001.eml",
        "x",
    );
    write(
        home_at,
        "AppData/Local/Microsoft/Windows Live Mail/A 0b1/Inbox/winmail.fol",
        "",
    );
    write(
        home_at,
        "Local Settings/Application Data/Identities/{1}/Microsoft/Outlook Express/Inbox.mbx",
        "JMF6\u{3}\0\u{1}\0\u{7}\0\0\0",
    );
    write(home_at, "Maildir/cur/1:2,S", "Subject: x\n\n");
    write(home_at, "Maildir/new/.k", "");
    write(home_at, "Mail/notes.txt", "no mail");
    let told: Vec<_> = find(home_at)
        .into_iter()
        .map(|store| {
            let path = store.path.strip_prefix(home_at);
            let path = path.map_or("elsewhere".to_owned(), |p| p.display().to_string());
            let kind = match store.look.unwrap() {
                Look::Found(found) => Some((found.kind, found.messages)),
                Look::Outlook(1) => None,
                other => panic!("{path}: {other:?}"),
            };
            (store.program, path, kind)
        })
        .collect();
    let thunderbird = Some((Kind::Thunderbird, 1));
    let expected = [
        (Program::Thunderbird, "elsewhere", thunderbird),
        (Program::Thunderbird, ".thunderbird/a.default", thunderbird),
        (
            Program::Thunderbird,
            "AppData/Roaming/Thunderbird/Profiles/w.default-release",
            thunderbird,
        ),
        (
            Program::Thunderbird,
            "Library/Thunderbird/Profiles/m.default",
            thunderbird,
        ),
        (
            Program::Thunderbird,
            "snap/thunderbird/common/.thunderbird/s.default",
            thunderbird,
        ),
        (
            Program::AppleMail,
            "Library/Mail",
            Some((Kind::AppleMail, 1)),
        ),
        (
            Program::Outlook,
            "AppData/Local/Microsoft/Outlook/taro@example.jp.ost",
            None,
        ),
        (
            Program::Outlook,
            "Documents/Outlook ファイル/2020.PST",
            None,
        ),
        (
            Program::WindowsLiveMail,
            "AppData/Local/Microsoft/Windows Live Mail",
            Some((Kind::WindowsLiveMail, 1)),
        ),
        (
            Program::OutlookExpress,
            "Local Settings/Application Data/Identities/{1}/Microsoft/Outlook Express",
            Some((Kind::OutlookExpress, 7)),
        ),
        (Program::Plain, "Maildir", Some((Kind::Maildir, 1))),
    ];
    let mut expected: Vec<_> = expected
        .into_iter()
        .map(|(p, path, k)| (p, path.to_owned(), k))
        .collect();
    let mut told = told;
    expected.sort();
    told.sort();
    assert_eq!(told, expected);
}

#[test]
fn an_empty_home_has_none() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(find(home.path()), []);
    assert_eq!(find(&home.path().join("nowhere")), []);
}
