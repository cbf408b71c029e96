//! mbox in its dialects, and trees of it.

use crate::support::{corpus, counts, crlf, golden, read, unpacked};
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
async fn maildirs_of_another_project() {
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

#[tokio::test]
async fn boxes_of_other_projects_have_the_messages_that_python_finds() {
    let mut told = Vec::new();
    let mut wanted = Vec::new();
    for (file, messages) in [
        ("kde-cygwin-list.mbox", 16),
        ("mimekit-content-length.mbox", 29),
        ("mimekit-issue1189.mbox", 4),
        ("mimekit-simple.mbox", 3),
        // Python begins a third message at "From Russia with love".
        ("mimekit-unmunged.mbox", 2),
        ("spamassassin-nice.mbox", 3),
        ("thunderbird-test-mbox_mboxrd", 2),
        ("thunderbird-test-mbox_modern", 2),
        // Python begins a third one at a line "From " in the first.
        ("thunderbird-test-mbox_unquoted", 2),
        ("tika-complex.mbox", 3),
        ("tika-headers.mbox", 1),
        ("tika-multiline.mbox", 1),
        ("tika-multiline2.mbox", 1),
        ("tika-quoted.mbox", 1),
        ("tika-simple.mbox", 2),
        ("tika-single_mail.mbox", 1),
        ("tika-testMBOX_complex.mbox", 1),
        ("tika-testMBOX_lengthy_x-headers.mbox", 1),
        // Single messages: Python finds none.
        ("thunderbird-test-bugmail1", 1),
        ("thunderbird-test-mime-torture", 1),
    ] {
        let Some(path) = corpus(&format!("mbox/{file}")) else {
            continue;
        };
        let folders = read(Kind::Mbox, &path).await;
        golden(&format!("mbox-{file}"), &path, &folders);
        wanted.push((file, messages, 0));
        told.push((file, folders[0].messages.len(), folders[0].faults.len()));
    }
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn a_maildir_of_dovecot_is_as_dovecot_tells() {
    let Some(dir) = unpacked("maildir-dovecot/Maildir.tar") else {
        return;
    };
    let Some(table) = corpus("maildir-dovecot/messages.tsv") else {
        return;
    };
    let folders = read(Kind::Maildir, &dir.path().join("Maildir")).await;
    let table = std::fs::read_to_string(table).unwrap();
    let mut wanted: Vec<String> = table
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let mut flags: Vec<&str> = fields[2]
                .split(' ')
                .filter(|f| !f.is_empty() && *f != "\\Recent")
                .collect();
            flags.sort_unstable();
            format!(
                "{} {} {} {}",
                fields[0],
                fields[3].replace(' ', "T"),
                fields[4],
                flags.join(" ")
            )
        })
        .collect();
    wanted.sort();
    let mut told = Vec::new();
    for folder in &folders {
        assert_eq!(folder.faults, [""; 0]);
        for message in &folder.messages {
            let mut flags: Vec<&str> = message.flags.split(' ').filter(|f| !f.is_empty()).collect();
            flags.sort_unstable();
            let date = message.date.trim_end_matches("+00:00");
            told.push(format!(
                "{} {date} {} {}",
                folder.name,
                message.octets.len(),
                flags.join(" ")
            ));
        }
    }
    told.sort();
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn a_maildir_with_japanese_names() {
    let Some(dir) = unpacked("ja-constructed/maildir.tar") else {
        return;
    };
    let folders = read(Kind::Maildir, &dir.path().join("maildir")).await;
    let with_mail: Vec<_> = counts(&folders)
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .collect();
    let total: usize = with_mail.iter().map(|(_, n)| n).sum();
    assert_eq!((with_mail.len(), total), (14, 27), "{with_mail:?}");
    golden("maildir-ja", dir.path(), &folders);
}

#[tokio::test]
async fn the_japanese_box_holds_its_messages() {
    let Some(path) = corpus("ja-constructed/all.mbox") else {
        return;
    };
    let folders = read(Kind::Mbox, &path).await;
    assert_eq!(counts(&folders), [("all", 58)]);
    assert_eq!(folders[0].faults, [""; 0]);
    golden("mbox-ja", &path, &folders);
}
