//! Directories that cannot be looked into are named with their place, whatever kind of
//! archive they are in, and everything else is read.

use crate::kit::{open, options, read_all};
use hikyaku_archive::{Archive, Kind};
use hikyaku_core::policy::Policy;
use hikyaku_core::{Code, Reach};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_testkit::memory::{MemoryAccount, MemoryLedger, Personality};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAIL: &str = "Date: Mon, 1 Apr 2024 09:00:00 +0900\nSubject: x\n\nbody\n";

fn mbox(head: &str) -> String {
    format!("From a@b Mon Apr  1 01:02:03 2024\n{head}{MAIL}\n")
}

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("inside")).expect("made");
    fs::write(path, text).expect("written");
}

/// Directories in directories, deeper than is read, with a file at the end.
fn too_deep(root: &Path, file: &str) -> PathBuf {
    let deep: PathBuf = std::iter::repeat_n("d", 65).collect();
    put(&root.join(&deep), file, "Subject: deep\n\nx\n");
    root.join(deep)
}

/// An archive of each kind, with one message where it is expected.
fn archives(root: &Path) -> Vec<(Kind, PathBuf)> {
    let labels = mbox("X-GM-THRID: 1\nX-Gmail-Labels: Inbox\n");
    let emlx = format!(
        "{:<10}\n{MAIL}<?xml version=\"1.0\"?>\n<plist/>\n",
        MAIL.len()
    );
    let mut express = vec![0; 0x54];
    express[..4].copy_from_slice(b"JMF6");
    express[8] = 1;
    express.extend([0x00, 0x7f, 0x00, 0x7f]);
    let text = MAIL.replace('\n', "\r\n");
    for word in [1, 16 + text.len() as u32, text.len() as u32] {
        express.extend(word.to_le_bytes());
    }
    express.extend(text.as_bytes());
    let files: &[(Kind, &str, Vec<u8>)] = &[
        (Kind::Mbox, "box", mbox("").into()),
        (Kind::Maildir, "cur/1711929600.1.x:2,S", MAIL.into()),
        (
            Kind::Thunderbird,
            "Mail/Local Folders/box",
            mbox("X-Mozilla-Status: 0001\n").into(),
        ),
        (Kind::AppleMail, "INBOX.mbox/Messages/1.emlx", emlx.into()),
        (Kind::Eml, "inbox/1.eml", MAIL.into()),
        (Kind::Mh, "inbox/1", MAIL.into()),
        (Kind::Takeout, "Takeout/Mail/all.mbox", labels.into()),
        (
            Kind::WindowsLiveMail,
            "Windows Live Mail/A (b) 0b1/Inbox/0A-00000001.eml",
            text.clone().into(),
        ),
        (Kind::OutlookExpress, "box.mbx", express),
        (
            Kind::Becky,
            "a.mb/!!!!Inbox/1.bmf",
            format!("{text}.\r\n").into(),
        ),
    ];
    let made = files.iter().map(|(kind, name, octets)| {
        let archive = root.join(kind.scheme());
        put(&archive, name, "");
        fs::write(archive.join(name), octets).expect("written");
        (*kind, archive)
    });
    made.collect()
}

/// The one message comes, and nothing is told but this of that place.
async fn names_only(kind: Kind, archive: &Path, what: &str, place: &Path) -> anyhow::Result<()> {
    let read = read_all(&open(kind, archive)?).await?;
    let messages: usize = read.values().map(|r| r.messages.len()).sum();
    assert_eq!(messages, 1, "{kind}");
    let faults: Vec<_> = read.values().flat_map(|r| &r.faults).collect();
    let [(_, code, detail)] = faults.as_slice() else {
        panic!("{kind}: {faults:?}");
    };
    assert_eq!(code, what, "{kind}");
    assert!(
        detail.contains(&place.display().to_string()),
        "{kind}: {detail}"
    );
    Ok(())
}

#[tokio::test]
async fn a_directory_that_is_not_read_is_named_in_every_kind_of_archive() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let archives = archives(dir.path());
    assert_eq!(
        archives.len(),
        Kind::ALL.len() - 1,
        "all but the one that is refused"
    );
    for (kind, path) in archives {
        let deep = too_deep(&path, "1.eml");
        names_only(kind, &path, "archive.excess", &deep).await?;
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_out_is_named_in_every_kind_of_archive() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let outside = tempfile::tempdir()?;
    put(outside.path(), "1.eml", MAIL);
    for (kind, path) in archives(dir.path()) {
        let link = path.join(if kind == Kind::Maildir { ".out" } else { "out" });
        std::os::unix::fs::symlink(outside.path(), &link)?;
        // The link of a program that shows that it runs.
        std::os::unix::fs::symlink("127.0.1.1:+1234", path.join("lock"))?;
        names_only(kind, &path, "mailbox.unreadable", &link).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_run_names_it_and_copies_the_rest() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    put(dir.path(), "Mail/Local Folders/box", &mbox(""));
    let deep = too_deep(&dir.path().join("Mail/Local Folders"), "box");
    let archive = Archive::open(Kind::Thunderbird, dir.path(), options())?;
    let account = MemoryAccount::new(Personality::default());
    let job = Job {
        source: Arc::new(archive),
        destination: Arc::new(account),
        undo: None,
        ledger: Arc::new(MemoryLedger::default()),
        observer: Arc::new(()),
        clock: Arc::new(SystemClock::default()),
        policy: Policy::default(),
        stop: Stop::new(),
        seed: 7,
    };
    let report = job.copy().await?;
    assert_eq!(report.copied_now(), 1);
    assert!(report.stopped.is_none() && !report.is_complete());
    let [exception] = report.exceptions.as_slice() else {
        panic!("{:#?}", report.exceptions);
    };
    assert_eq!(exception.fault.code, Code::ArchiveExcess);
    assert_eq!(exception.fault.reach, Reach::Mailbox);
    let place = exception.fault.detail.split(": ").next();
    let place = Path::new(place.unwrap_or_default());
    assert!(place.starts_with(dir.path()), "{exception:#?}");
    assert!(deep.starts_with(place), "{exception:#?}");
    Ok(())
}
