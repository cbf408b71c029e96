//! mbox in its dialects, and trees of it.

use crate::support::{corpus, counts, crlf, golden, read};
use hikyaku_archive::Kind;

#[tokio::test]
async fn every_dialect_holds_the_same_thirteen_messages() {
    let Some(path) = corpus("mbox-constructed") else {
        return;
    };
    let Some(ja) = corpus("ja-constructed/eml") else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("expected.json")).unwrap()).unwrap();
    for (file, messages) in expected["files"].as_object().unwrap() {
        let folders = read(Kind::Mbox, &path.join(file)).await;
        assert_eq!(folders.len(), 1, "{file}");
        assert_eq!(
            folders[0].messages.len() as u64,
            messages.as_u64().unwrap(),
            "{file}"
        );
        assert_eq!(folders[0].faults, [""; 0], "{file}");
        if ["mboxrd.mbox", "mboxcl2.mbox"].contains(&file.as_str()) {
            let first = std::fs::read(ja.join("from-lines-in-body.eml")).unwrap();
            assert_eq!(
                String::from_utf8_lossy(folders[0].messages[0].octets.trim_ascii_end()),
                String::from_utf8_lossy(crlf(&first).trim_ascii_end()),
                "{file}"
            );
        }
        golden(&format!("mbox-{file}"), &path, &folders);
    }
}

#[tokio::test]
async fn an_evolution_store_is_a_tree_of_mbox_files() {
    let Some(path) = corpus("evolution-1.4/local") else {
        return;
    };
    let folders = read(Kind::Mbox, &path).await;
    let messages: usize = counts(&folders).iter().map(|(_, n)| n).sum();
    assert_eq!(messages, 49);
    golden("evolution", &path, &folders);
}

#[tokio::test]
async fn the_boxes_of_the_imap_tests() {
    let Some(path) = corpus("mbox/imaptest") else {
        return;
    };
    let folders = read(Kind::Mbox, &path).await;
    assert!(folders.len() >= 20, "{}", folders.len());
    for folder in &folders {
        let file = path.join(format!("{}.mbox", folder.name));
        let text = std::fs::read(&file).unwrap();
        let lines = text.split(|o| *o == b'\n');
        let expected = lines.filter(|line| line.starts_with(b"From ")).count();
        assert_eq!(
            folder.messages.len() + folder.faults.len(),
            expected,
            "{}",
            folder.name
        );
    }
    golden("mbox-imaptest", &path, &folders);
}

#[tokio::test]
async fn a_maildir_that_dovecot_wrote() {
    let Some(path) = corpus("maildir") else {
        return;
    };
    for (name, messages) in [("mu-cjk", 4), ("mu-testdir", 19)] {
        // The corpus may have lost empty directories: they make a Maildir.
        let dir = tempfile::tempdir().unwrap();
        for sub in ["cur", "new", "tmp"] {
            std::fs::create_dir(dir.path().join(sub)).unwrap();
            for file in std::fs::read_dir(path.join(name).join(sub))
                .into_iter()
                .flatten()
            {
                let file = file.unwrap();
                std::fs::copy(file.path(), dir.path().join(sub).join(file.file_name())).unwrap();
            }
        }
        let folders = read(Kind::Maildir, dir.path()).await;
        assert_eq!(counts(&folders), [("INBOX", messages)], "{name}");
        golden(&format!("maildir-{name}"), dir.path(), &folders);
    }
}
