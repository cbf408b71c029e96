//! Trees of files: `.eml` and MH.

use crate::kit::{flags, options, read_folders};
use hikyaku_archive::{Archive, Kind};
use std::fs;
use std::path::Path;

fn put(root: &Path, name: &str, octets: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    Ok(fs::write(path, octets)?)
}

fn mail(subject: &str) -> String {
    format!("Subject: {subject}\nDate: Wed, 4 Nov 2026 10:02:01 +0900\n\nbody\n")
}

fn sent(subject: &str) -> String {
    mail(subject).replace('\n', "\r\n")
}

#[tokio::test]
async fn a_tree_of_eml_files_is_read_in_the_order_of_names() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path().join("Backup");
    put(&root, "10.eml", mail("ten"))?;
    put(&root, "2.EML", mail("two"))?;
    put(&root, "a.eml", mail("a").replace('\n', "\r"))?;
    put(&root, ".b.eml", mail("hidden"))?;
    put(&root, "notes.txt", "x")?;
    put(
        &root,
        "仕事/2024/x.eml",
        format!("X-Unsent: 1\n{}", mail("draft")),
    )?;
    put(
        &root,
        "仕事/2024/y.eml",
        format!("X-Mozilla-Status: 0003\n{}", mail("read")),
    )?;
    let [top, work] = read_folders(Kind::Eml, &root, ["Backup", "仕事/2024"]).await?;
    assert_eq!(top.texts(), [sent("two"), sent("ten"), sent("a")]);
    assert_eq!(top.dates(), ["2026-11-04T10:02:01+09:00"; 3]);
    // Not old enough to count as read.
    assert_eq!(top.flags(), ["", "", ""]);
    assert_eq!(work.flags(), [flags("\\Draft"), flags("\\Seen \\Answered")]);
    // A file of its own keeps every field.
    assert_eq!(
        work.texts()[1],
        format!("X-Mozilla-Status: 0003\r\n{}", sent("read"))
    );
    Ok(())
}

#[tokio::test]
async fn one_eml_file_is_an_archive() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    put(dir.path(), "x.eml", mail("x"))?;
    put(dir.path(), "y.txt", "\u{0}\u{1}")?;
    let [inbox] = read_folders(Kind::Eml, &dir.path().join("x.eml"), ["INBOX"]).await?;
    assert_eq!(inbox.texts(), [sent("x")]);
    for (kind, name) in [(Kind::Eml, "y.txt"), (Kind::Mh, "x.eml"), (Kind::Mh, "")] {
        let fault = Archive::open(kind, &dir.path().join(name), options());
        assert_eq!(
            fault.expect_err("none").code.as_str(),
            "archive.kind",
            "{name}"
        );
    }
    let fault = Archive::open(Kind::Eml, &dir.path().join("z"), options());
    assert_eq!(fault.expect_err("none").code.as_str(), "archive.missing");
    Ok(())
}

#[tokio::test]
async fn mh_folders_have_numbers_and_sequences() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path();
    for name in ["inbox/1", "inbox/3", "inbox/12", "inbox/sub/7"] {
        put(root, name, mail(name))?;
    }
    put(
        root,
        "inbox/.mh_sequences",
        "unseen: 3\nreplied: 1-2\nflagged: 12\n",
    )?;
    put(root, "inbox/,2", mail("deleted"))?;
    let [inbox, sub] = read_folders(Kind::Mh, root, ["INBOX", "INBOX/sub"]).await?;
    assert_eq!(inbox.texts(), ["inbox/1", "inbox/3", "inbox/12"].map(sent));
    assert_eq!(inbox.keys.to_string(), "1,3,12");
    assert_eq!(
        inbox.flags(),
        ["\\Seen \\Answered", "", "\\Seen \\Flagged"].map(flags)
    );
    assert_eq!(sub.keys.to_string(), "7");
    assert_eq!(sub.texts(), [sent("inbox/sub/7")]);
    // Packed: another message has the number now, so the numbers are of another kind.
    let epoch = inbox.epoch;
    fs::rename(root.join("inbox/12"), root.join("inbox/3"))?;
    let [packed, _] = read_folders(Kind::Mh, root, ["INBOX", "INBOX/sub"]).await?;
    assert_ne!(packed.epoch, epoch);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_read_is_named() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    put(dir.path(), "a/1.eml", mail("one"))?;
    put(dir.path(), "a/2.eml", "")?;
    put(dir.path(), "a/3.eml", mail("three"))?;
    let outside = tempfile::tempdir()?;
    put(outside.path(), "secret.eml", mail("secret"))?;
    std::os::unix::fs::symlink(outside.path(), dir.path().join("b"))?;
    std::os::unix::fs::symlink(
        outside.path().join("secret.eml"),
        dir.path().join("a/4.eml"),
    )?;
    let names = ["a", "a/4.eml", "b"];
    let [a, file, folder] = read_folders(Kind::Eml, dir.path(), names).await?;
    for link in [file, folder] {
        assert!(link.texts().is_empty());
        assert_eq!(link.faults[0].1, "mailbox.unreadable");
    }
    assert_eq!(a.texts(), [sent("one"), sent("three")]);
    assert_eq!(a.faults.len(), 1);
    assert_eq!(
        (a.faults[0].0, a.faults[0].1.as_str()),
        (2, "archive.damaged")
    );
    Ok(())
}
