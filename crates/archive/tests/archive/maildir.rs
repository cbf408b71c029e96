//! Maildir, Maildir++, trees of Maildirs, and what Dovecot puts beside the messages.

use crate::kit::{flags, open, read_all, read_folders};
use hikyaku_archive::{Archive, Kind};
use hikyaku_core::Epoch;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

fn put(root: &Path, name: &str, octets: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    Ok(fs::write(path, octets)?)
}

/// A message with its file's time, in seconds.
fn message(root: &Path, name: &str, seconds: u64, text: &str) -> anyhow::Result<()> {
    put(root, name, text)?;
    let file = fs::File::options().append(true).open(root.join(name))?;
    Ok(file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))?)
}

const MAIL: &str = "Subject: x\nDate: Fri, 1 Mar 2024 10:02:01 +0900\n\nbody\n";
const SENT: &str = "Subject: x\r\nDate: Fri, 1 Mar 2024 10:02:01 +0900\r\n\r\nbody\r\n";

#[tokio::test]
async fn dovecots_maildir_is_read_with_uids_keywords_and_subscriptions() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path();
    message(
        root,
        "new/1795302731.M1P1.h,S=58,W=62:2,S",
        1_712_000_000,
        MAIL,
    )?;
    put(root, "cur/.hidden", "")?;
    put(root, "tmp/1795302731.M9P9.h", MAIL)?;
    put(root, "subscriptions", "V\t2\n\n&U9ZfFVFI-\t2024\n")?;
    let sub = root.join(".&U9ZfFVFI-.2024");
    // UIDs in another order than names.
    message(&sub, "cur/1795302733.M2P2.h:2,RSa", 1_711_000_000, MAIL)?;
    message(&sub, "new/1795302734.M3P3.h:2,ab", 1_711_100_000, MAIL)?;
    put(
        &sub,
        "dovecot-uidlist",
        "3 V77 N9 G0\n5 :1795302734.M3P3.h\n8 :1795302733.M2P2.h\n",
    )?;
    put(&sub, "dovecot-keywords", "0 $label1\n1 NonJunk\n")?;
    put(root, ".&U9ZfFVFI-/maildirfolder", "")?;
    fs::create_dir(root.join(".&U9ZfFVFI-/cur"))?;
    let [inbox, clients, year] =
        read_folders(Kind::Maildir, root, ["INBOX", "取引先", "取引先/2024"]).await?;
    assert_eq!(inbox.texts(), [SENT]);
    assert_eq!(inbox.flags(), ["\\Seen"]);
    assert_eq!(inbox.dates(), ["2024-04-01T19:33:20+00:00"]);
    assert_eq!(clients.messages, []);
    assert_eq!(
        [inbox.subscribed, clients.subscribed, year.subscribed],
        [true, false, true]
    );
    assert_eq!(year.epoch, Some(Epoch(77)));
    assert_eq!(year.keys.to_string(), "5,8");
    assert_eq!(
        year.flags(),
        [flags("$label1 NonJunk"), flags("\\Seen \\Answered $label1")]
    );
    assert_eq!(
        year.dates(),
        ["2024-03-22T09:33:20+00:00", "2024-03-21T05:46:40+00:00"]
    );
    // A message that Dovecot has not numbered: then its numbers say nothing of the rest.
    message(&sub, "new/1795302735.M4P4.h", 1_711_100_000, MAIL)?;
    let all = read_all(&open(Kind::Maildir, root)?).await?;
    assert_eq!(all["取引先/2024"].keys.to_string(), "1:3");
    assert_ne!(all["取引先/2024"].epoch, Some(Epoch(77)));
    Ok(())
}

#[tokio::test]
async fn times_that_a_copy_has_lost_come_from_the_header() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path();
    // Copied years later, without a time in its name, and without any date.
    message(root, "cur/1220863042.12663_1.h!2,S", 1_700_000_000, MAIL)?;
    message(root, "cur/mail1!2,", 1_700_000_000, MAIL)?;
    message(root, "cur/1220863043.1.h", 1_700_000_000, "Subject: y\n\n")?;
    let [inbox] = read_folders(Kind::Maildir, root, ["INBOX"]).await?;
    assert_eq!(
        inbox.dates(),
        [
            "2024-03-01T10:02:01+09:00",
            "2024-03-01T10:02:01+09:00",
            "2008-09-08T08:37:23+00:00"
        ]
    );
    // Nothing says that they were read: Maildir would have said so.
    assert_eq!(inbox.flags(), ["", "\\Seen", ""]);
    Ok(())
}

#[tokio::test]
async fn a_tree_of_maildirs_has_the_names_of_its_directories() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let root = dir.path().join("Mail");
    put(&root, "Inbox/cur/1", MAIL)?;
    put(&root, "仕事/2024/new/1", MAIL)?;
    put(&root, "仕事/2024/cur/sub/1", "not a message")?;
    put(&root, "notes/readme.txt", "x")?;
    let [inbox, work] = read_folders(Kind::Maildir, &root, ["INBOX", "仕事/2024"]).await?;
    assert_eq!(inbox.texts(), [SENT]);
    assert_eq!(work.texts(), [SENT]);
    assert!(inbox.subscribed && work.subscribed);
    for wrong in [root.join("notes"), root.join("notes/readme.txt")] {
        let fault = Archive::open(Kind::Maildir, &wrong, crate::kit::options());
        assert_eq!(fault.expect_err("no Maildir").code.as_str(), "archive.kind");
    }
    Ok(())
}

#[tokio::test]
async fn a_renamed_file_is_found_and_a_lost_one_is_left_out() -> anyhow::Result<()> {
    use futures::StreamExt;
    use hikyaku_core::traits::Source;
    let dir = tempfile::tempdir()?;
    let root = dir.path();
    // More than are read ahead: the last ones are opened after the first was handed out.
    for n in 100..400 {
        put(root, &format!("cur/1220863{n}.1.h:2,"), MAIL)?;
    }
    let source = open(Kind::Maildir, root)?;
    let info = source.mailboxes().await?.remove(0);
    let mut reader = source.open(&info).await?;
    let keys = reader.keys().await?;
    let mut flow = reader.read(&keys);
    let first = flow.next().await.expect("a message")?;
    assert_eq!(crate::kit::whole(first.body).await?, SENT.as_bytes());
    fs::rename(
        root.join("cur/1220863398.1.h:2,"),
        root.join("cur/1220863398.1.h:2,S"),
    )?;
    fs::remove_file(root.join("cur/1220863399.1.h:2,"))?;
    let mut told = Vec::new();
    while let Some(item) = flow.next().await {
        told.push(item?.key.0);
    }
    assert_eq!(told, (2..=299).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn compressed_messages_are_unpacked() -> anyhow::Result<()> {
    use std::io::Write;
    let dir = tempfile::tempdir()?;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(MAIL.as_bytes())?;
    let packed = packed.finish()?;
    put(dir.path(), "cur/1.a,S=58:2,S", &packed)?;
    put(dir.path(), "cur/2.a,S=58:2,S", &packed[..packed.len() - 12])?;
    let [inbox] = read_folders(Kind::Maildir, dir.path(), ["INBOX"]).await?;
    assert_eq!(inbox.texts(), [SENT]);
    assert_eq!(inbox.faults[0].0, 2);
    assert_eq!(inbox.faults.len(), 1);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_nowhere() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let outside = tempfile::tempdir()?;
    put(outside.path(), "cur/1", MAIL)?;
    put(dir.path(), "cur/1", MAIL)?;
    std::os::unix::fs::symlink(outside.path(), dir.path().join(".out"))?;
    std::os::unix::fs::symlink(outside.path().join("cur/1"), dir.path().join("cur/2"))?;
    std::os::unix::fs::symlink(dir.path(), dir.path().join(".round"))?;
    let names = ["INBOX", "out"];
    let [inbox, out] = read_folders(Kind::Maildir, dir.path(), names).await?;
    assert_eq!(inbox.texts(), [SENT]);
    // It holds mail that nobody else finds: that is told.
    assert!(out.texts().is_empty());
    assert_eq!(out.faults[0].1, "mailbox.unreadable");
    Ok(())
}
