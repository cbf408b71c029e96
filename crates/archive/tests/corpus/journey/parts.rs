//! The archives of the corpus, family by family, with the numbers of its list.

use super::{Journey, Part};
use crate::support::{corpus, unpacked};
use hikyaku_archive::Kind;
use std::path::{Path, PathBuf};

pub(super) fn part(
    name: &str,
    kind: Kind,
    path: PathBuf,
    messages: usize,
    exceptions: usize,
) -> Part {
    Part {
        name: name.to_owned(),
        kind,
        path,
        messages,
        exceptions,
    }
}

/// Takes the parts that are at hand, each by its place in the corpus.
async fn take(golden: &str, kind: Kind, parts: &[(&str, usize, usize)]) {
    let mut journey = Journey::start();
    let mut all = true;
    for (name, messages, exceptions) in parts {
        match corpus(name) {
            Some(path) => {
                journey
                    .take(&part(name, kind, path, *messages, *exceptions))
                    .await;
            }
            None => all = false,
        }
    }
    if all {
        journey.end(golden);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn constructed_mbox_files_arrive() {
    let parts = [
        ("mbox-constructed/mboxcl.mbox", 13, 0),
        ("mbox-constructed/mboxcl2.mbox", 13, 0),
        ("mbox-constructed/mboxo.mbox", 13, 0),
        ("mbox-constructed/mboxrd-crlf.mbox", 13, 0),
        ("mbox-constructed/mboxrd.mbox", 13, 0),
        ("mbox-constructed/no-blank-line-between.mbox", 13, 0),
        ("mbox-constructed/status-headers.mbox", 13, 0),
        ("ja-constructed/all.mbox", 58, 0),
    ];
    take("mbox-constructed", Kind::Mbox, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mbox_files_of_other_programs_arrive() {
    let parts = [
        ("mbox/kde-cygwin-list.mbox", 16, 0),
        ("mbox/mimekit-content-length.mbox", 29, 0),
        ("mbox/mimekit-issue1189.mbox", 4, 0),
        ("mbox/mimekit-simple.mbox", 3, 0),
        // Python begins a third message at "From Russia with love".
        ("mbox/mimekit-unmunged.mbox", 2, 0),
        ("mbox/spamassassin-nice.mbox", 3, 0),
        ("mbox/thunderbird-test-mbox_mboxrd", 2, 0),
        ("mbox/thunderbird-test-mbox_modern", 2, 0),
        // Python begins a third one at a line "From " in the first.
        ("mbox/thunderbird-test-mbox_unquoted", 2, 0),
        ("mbox/tika-complex.mbox", 3, 0),
        ("mbox/tika-headers.mbox", 1, 0),
        ("mbox/tika-multiline.mbox", 1, 0),
        ("mbox/tika-multiline2.mbox", 1, 0),
        ("mbox/tika-quoted.mbox", 1, 0),
        ("mbox/tika-simple.mbox", 2, 0),
        ("mbox/tika-single_mail.mbox", 1, 0),
        ("mbox/tika-testMBOX_complex.mbox", 1, 0),
        ("mbox/tika-testMBOX_lengthy_x-headers.mbox", 1, 0),
        ("evolution-1.4/local", 49, 0),
    ];
    take("mbox", Kind::Mbox, &parts).await;
}

/// Two files of the corpus' mbox are one message each, without a line that begins it.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_begin_with_the_message_arrive() {
    let mut journey = Journey::start();
    for name in ["thunderbird-test-bugmail1", "thunderbird-test-mime-torture"] {
        let Some(path) = corpus(&format!("mbox/{name}")) else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(format!("{name}.eml"));
        copy(&path, &file);
        journey.take(&part(name, Kind::Eml, file, 1, 0)).await;
    }
    journey.end("mbox-without-divider");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_boxes_of_the_imap_tests_arrive() {
    take("mbox-imaptest", Kind::Mbox, &[("mbox/imaptest", 175, 0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thunderbird_arrives() {
    // One more is in the file: deleted, and the file not compacted since.
    let parts = [("thunderbird-profile/profile", 19, 0)];
    take("thunderbird", Kind::Thunderbird, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn constructed_apple_mail_arrives() {
    let parts = [
        ("applemail-constructed/export", 11, 0),
        // An attachment of one message is not in the archive.
        ("applemail-constructed/Mail", 14, 1),
    ];
    take("applemail-constructed", Kind::AppleMail, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apple_mail_arrives() {
    let parts = [
        // Eight attachments of two messages were never downloaded.
        ("emlx/applemail-imap-cache", 10, 8),
        ("emlx/tika-testEMLX.emlx", 1, 0),
        ("emlx/invalid.emlx", 0, 1),
    ];
    take("applemail", Kind::AppleMail, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_takeout_arrives() {
    let parts = [("takeout-constructed", 24, 0)];
    take("takeout-constructed", Kind::Takeout, &parts).await;
    take("takeout", Kind::Takeout, &[("takeout", 4, 0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_live_mail_arrives() {
    let parts = [("wlm-constructed", 9, 0)];
    take("wlm", Kind::WindowsLiveMail, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outlook_express_arrives() {
    let parts = [
        ("dbx/oe6-en-set", 1, 0),
        ("dbx/kde-test4.dbx", 3, 0),
        ("dbx/kde-test1.mbx", 0, 1),
        ("dbx/kde-test2.dbx", 1, 2),
    ];
    take("dbx", Kind::OutlookExpress, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mh_arrives() {
    take("mh", Kind::Mh, &[("sylpheed-mh/Mail", 49, 0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn constructed_single_messages_arrive() {
    take(
        "eml-constructed",
        Kind::Eml,
        &[("ja-constructed/eml", 59, 0)],
    )
    .await;
}

/// The corpus has single messages under several endings; a tree of `.eml` is made of each
/// part, as a person has it.
#[tokio::test(flavor = "multi_thread")]
async fn single_messages_arrive() {
    let mut journey = Journey::start();
    for (name, messages) in [
        ("ja-test-mails", 21),
        ("mailcore2", 21),
        ("mime4j", 32),
        ("mimekit", 17),
        ("mimekit-dkim", 4),
        ("ruby-mail", 52),
        ("thunderbird", 31),
        ("thunderbird-smime", 2),
    ] {
        let Some(path) = corpus(&format!("eml/{name}")) else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join(name);
        std::fs::create_dir(&tree).unwrap();
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap();
            copy(&file, &tree.join(format!("{stem}.eml")));
        }
        journey
            .take(&part(name, Kind::Eml, tree, messages, 0))
            .await;
    }
    journey.end("eml");
}

#[tokio::test(flavor = "multi_thread")]
async fn constructed_maildirs_arrive() {
    let mut journey = Journey::start();
    for (tar, root, messages) in [
        ("maildir-dovecot/Maildir.tar", "Maildir", 20),
        ("ja-constructed/maildir.tar", "maildir", 27),
    ] {
        let Some(dir) = unpacked(tar) else { return };
        let path = dir.path().join(root);
        journey
            .take(&part(tar, Kind::Maildir, path, messages, 0))
            .await;
    }
    journey.end("maildir-constructed");
}

#[tokio::test(flavor = "multi_thread")]
async fn maildirs_of_another_project_arrive() {
    let mut journey = Journey::start();
    for (name, messages) in [("mu-cjk", 4), ("mu-testdir", 19), ("mu-testdir2", 14)] {
        let Some(path) = corpus(&format!("maildir/{name}")) else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join(name);
        copy_maildirs(&path, &tree);
        journey
            .take(&part(name, Kind::Maildir, tree, messages, 0))
            .await;
    }
    journey.end("maildir");
}

/// Copies a file with its time, which is the date of a message that tells none.
fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    let modified = std::fs::metadata(from).unwrap().modified().unwrap();
    let file = std::fs::File::options().append(true).open(to);
    if let Ok(file) = file {
        file.set_modified(modified).unwrap();
    }
}

/// Copies a tree of Maildirs with the empty directories that the corpus has lost.
pub(super) fn copy_maildirs(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_maildirs(&entry.path(), &to),
            false => copy(&entry.path(), &to),
        }
    }
    if to.join("cur").is_dir() {
        for sub in ["new", "tmp"] {
            std::fs::create_dir_all(to.join(sub)).unwrap();
        }
    }
}
