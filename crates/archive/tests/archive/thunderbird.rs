//! Thunderbird: the profile that the program itself wrote, and profiles of every shape.

use crate::kit::{Read, flags, options, read_all, read_folders};
use hikyaku_archive::{Archive, Kind};
use hikyaku_core::Role;
use std::fs;
use std::io::Write;
use std::path::Path;

fn put(root: &Path, name: &str, octets: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    Ok(fs::write(path, octets)?)
}

fn mbox(subject: &str, status: &str) -> String {
    format!(
        "From - Sat Nov 21 23:12:29 2026\nX-Mozilla-Status: {status}\nX-Mozilla-Status2: 00000000\n\
        X-Mozilla-Keys:                    \nDate: Wed, 4 Nov 2026 10:02:01 +0900\nSubject: {subject}\n\nbody\n\n"
    )
}

fn sent(subject: &str) -> String {
    format!("Date: Wed, 4 Nov 2026 10:02:01 +0900\r\nSubject: {subject}\r\n\r\nbody\r\n")
}

fn prefs(accounts: &[(&str, &str, &str)]) -> String {
    let mut out = String::new();
    let ids: Vec<_> = (1..=accounts.len())
        .map(|n| format!("account{n}"))
        .collect();
    out += &format!(
        "user_pref(\"mail.accountmanager.accounts\", \"{}\");\n",
        ids.join(",")
    );
    for (n, (kind, name, directory)) in accounts.iter().enumerate() {
        let n = n + 1;
        out += &format!(
            "user_pref(\"mail.account.account{n}.server\", \"server{n}\");\n\
            user_pref(\"mail.server.server{n}.type\", \"{kind}\");\n\
            user_pref(\"mail.server.server{n}.name\", \"{name}\");\n\
            user_pref(\"mail.server.server{n}.directory-rel\", \"[ProfD]{directory}\");\n"
        );
    }
    out
}

fn subjects(read: &Read) -> Vec<String> {
    let subject = |text: String| {
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix("Subject: ").map(str::to_owned));
        line.unwrap_or_default()
    };
    read.texts().into_iter().map(subject).collect()
}

#[tokio::test]
async fn one_account_has_its_folders_at_the_top() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path().join("abcd.default");
    put(
        &root,
        "prefs.js",
        prefs(&[
            ("none", "Local", "Mail/Local Folders"),
            ("pop3", "taro", "Mail/pop"),
        ]),
    )?;
    let expunged = mbox("gone", "0009");
    put(
        &root,
        "Mail/pop/Inbox",
        mbox("one", "0001") + &expunged + &mbox("two", "1006"),
    )?;
    put(
        &root,
        "Mail/pop/Inbox.msf",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->",
    )?;
    put(&root, "Mail/pop/Inbox.sbd/取引先", mbox("three", "0000"))?;
    put(&root, "Mail/pop/Sent", mbox("four", "0001"))?;
    put(&root, "Mail/pop/Trash", "")?;
    put(&root, "Mail/pop/popstate.dat", "# POP3 State File")?;
    put(&root, "Mail/pop/msgFilterRules.dat", "version=\"9\"")?;
    // A name that would not do as a file's.
    put(&root, "Mail/pop/a4b9aa7a2", mbox("five", "0001"))?;
    put(
        &root,
        "Mail/pop/a4b9aa7a2.msf",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)> (AF=folderName)>\n<(91=a: 2024/4)>{1:^9F [1(^AF^91)]}",
    )?;
    put(&root, "Mail/pop/b4b9aa7a2", "")?;
    put(
        &root,
        "folderCache.json",
        r#"{"C:\\x\\Mail\\pop\\b4b9aa7a2.msf": {"folderName": "b?", "flags": 512}, "x": 3}"#,
    )?;
    put(&root, "Mail/Local Folders/Trash", "")?;
    put(&root, "Mail/Feeds/Trash", "")?;
    let [inbox, clients, sent_, trash, a, b] = read_folders(
        Kind::Thunderbird,
        &root,
        [
            "INBOX",
            "INBOX/取引先",
            "Sent",
            "Trash",
            "a: 2024\\/4",
            "b?",
        ],
    )
    .await?;
    assert_eq!(inbox.texts(), [sent("one"), sent("two")]);
    // The second was deleted and is still in the file.
    assert_eq!(inbox.keys.to_string(), "1,3");
    assert_eq!(
        inbox.flags(),
        [flags("\\Seen"), flags("\\Answered \\Flagged $Forwarded")]
    );
    assert_eq!(inbox.dates(), ["2026-11-04T10:02:01+09:00"; 2]);
    assert_eq!(clients.texts(), [sent("three")]);
    assert_eq!(sent_.texts(), [sent("four")]);
    assert_eq!(a.texts(), [sent("five")]);
    assert_eq!(
        [
            inbox.role,
            clients.role,
            sent_.role,
            trash.role,
            a.role,
            b.role
        ],
        [
            None,
            None,
            Some(Role::Sent),
            Some(Role::Trash),
            None,
            Some(Role::Sent)
        ]
    );
    Ok(())
}

#[tokio::test]
async fn several_accounts_lie_below_their_names() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path().join("profile");
    put(
        &root,
        "prefs.js",
        prefs(&[
            ("imap", "taro@gmail.example", "ImapMail/imap.gmail.com"),
            ("none", "ローカルフォルダー", "Mail/Local Folders"),
            ("rss", "Feeds", "Mail/Feeds"),
        ]),
    )?;
    put(&root, "ImapMail/imap.gmail.com/INBOX", mbox("one", "0001"))?;
    put(
        &root,
        "ImapMail/imap.gmail.com/&U9ZfFVFI-",
        mbox("two", "0001"),
    )?;
    put(&root, "ImapMail/imap.gmail.com/[Gmail].msf", "")?;
    for (name, subject) in [("All Mail", "all"), ("&Tgtm+DBN-", "x"), ("Spam", "spam")] {
        put(
            &root,
            &format!("ImapMail/imap.gmail.com/[Gmail].sbd/{name}"),
            mbox(subject, "0001"),
        )?;
    }
    put(&root, "Mail/Local Folders/Inbox", mbox("three", "0001"))?;
    put(
        &root,
        "Mail/Local Folders/Archives.sbd/2024",
        mbox("four", "0001"),
    )?;
    put(&root, "Mail/Feeds/News", mbox("news", "0001"))?;
    put(&root, "Mail/pop.old.example/Inbox", mbox("five", "0001"))?;
    let all = read_all(&Archive::open(Kind::Thunderbird, &root, options())?).await?;
    let told: Vec<_> = all
        .iter()
        .map(|(name, read)| format!("{name} {:?} {}", read.role, subjects(read).join(",")))
        .collect();
    assert_eq!(
        told,
        [
            "INBOX None one",
            "[Gmail]/All Mail Some(All) all",
            "[Gmail]/Spam Some(Junk) spam",
            "[Gmail]/下書き Some(Drafts) x",
            "pop.old.example/Inbox None five",
            "ローカルフォルダー/Archives/2024 None four",
            "ローカルフォルダー/Inbox None three",
            "取引先 None two",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_maildir_store_has_its_flags_in_the_database() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path();
    let mail = |n: u32| format!("Date: Wed, 4 Nov 2026 10:02:01 +0900\nSubject: {n}\n\nbody\n");
    put(
        root,
        "Mail/Local Folders/Inbox/cur/1795302733001.eml",
        mail(1),
    )?;
    put(
        root,
        "Mail/Local Folders/Inbox/cur/1795302733002.eml",
        mail(2),
    )?;
    put(
        root,
        "Mail/Local Folders/Inbox/cur/1795302733003.eml",
        mail(3),
    )?;
    put(root, "Mail/Local Folders/Inbox/tmp/x.eml", mail(9))?;
    put(root, "Mail/Local Folders/Inbox.sbd/仕事/cur/1.eml", mail(4))?;
    put(
        root,
        "Mail/Local Folders/Inbox.msf",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)> (88=flags)(B2=storeToken)(B6=keywords)>\n\
        <(91=1795302733001.eml)(92=1795302733002.eml)(93=\\$label1 work)>\n\
        {1:^80 {(k^96:c)(s=9)} [1(^88=5)(^B2^91)(^B6^93)] [2(^88=0)(^B2^92)]}\n\
        {1:^9F {(k^A0:c)(s=9)} [1(^88=4)]}\n",
    )?;
    let [inbox, work] = read_folders(Kind::Thunderbird, root, ["INBOX", "INBOX/仕事"]).await?;
    assert_eq!(subjects(&inbox), ["1", "2", "3"]);
    assert_eq!(
        inbox.flags(),
        [flags("\\Seen \\Flagged $label1 work"), flags(""), flags("")]
    );
    assert_eq!(subjects(&work), ["4"]);
    assert_eq!(work.dates(), ["2026-11-04T10:02:01+09:00"]);
    Ok(())
}

#[tokio::test]
async fn a_zip_of_a_profile_is_the_same_as_the_profile() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("profile.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path)?);
    let plain = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        (
            "p/abcd.default/prefs.js",
            prefs(&[("none", "x", "Mail/Local Folders")]),
        ),
        (
            "p/abcd.default/Mail/Local Folders/取引先",
            mbox("one", "0001"),
        ),
        (
            "p/abcd.default/Mail/Local Folders/取引先.sbd/2024",
            mbox("two", "0000"),
        ),
        ("p/abcd.default/places.sqlite", "x".to_owned()),
        ("../../outside", mbox("three", "0000")),
    ] {
        zip.start_file(name, plain)?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?;
    let [clients, year] = read_folders(Kind::Thunderbird, &path, ["取引先", "取引先/2024"]).await?;
    assert_eq!(clients.texts(), [sent("one")]);
    assert_eq!(year.texts(), [sent("two")]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_profile_is_refused() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    put(dir.path(), "x/picture", "\u{0}\u{1}\n")?;
    for path in [dir.path().join("x"), dir.path().join("x/picture")] {
        let fault = Archive::open(Kind::Thunderbird, &path, options());
        assert_eq!(fault.expect_err("no mail").code.as_str(), "archive.kind");
    }
    Ok(())
}
