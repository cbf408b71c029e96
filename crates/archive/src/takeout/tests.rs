use super::*;
use hikyaku_core::Role;

const NOW: i64 = 1_735_689_600;

fn message(n: u32, labels: &str, end: &str) -> String {
    let id = 1_790_000_000_000_000_000_u64 + u64::from(n);
    let labels = labels.replace("\n", end);
    [
        &format!("From {id}@xxx Mon Apr 01 00:30:00 +0000 2024"),
        &format!("X-GM-THRID: {id}"),
        &format!("X-Gmail-Labels: {labels}"),
        &format!("Subject: {n}"),
        "",
        &format!("body {n}"),
        "",
        "",
    ]
    .join(end)
}

fn options() -> Options {
    Options {
        now: NOW,
        ..Options::default()
    }
}

/// Every folder with its role, and each message as text and flags.
fn told(store: &Takeout) -> Vec<(String, Option<Role>, Vec<String>)> {
    let mut out = Vec::new();
    for folder in store.folders().unwrap() {
        let mut items = Vec::new();
        let mut key = 0;
        let scanned = store.scan(&folder, Start::BEGINNING, &mut |found| {
            key += 1;
            assert_eq!(found.key(), Key(key));
            let Found::Message(item) = found else {
                unreachable!("{found:?}")
            };
            let text = store.open(&folder, &item).unwrap();
            assert_eq!(text.octets(), item.octets);
            assert!(item.seen_recorded);
            let text = String::from_utf8(text.whole().unwrap().to_vec()).unwrap();
            items.push(format!("{text:?} ({})", item.flags));
            ControlFlow::Continue(())
        });
        assert_eq!(scanned, Ok(None));
        out.push((folder.name.to_string(), folder.role, items));
    }
    out
}

fn expected(n: u32, flags: &str) -> String {
    format!(
        "{:?} ({flags})",
        format!("Subject: {n}\r\n\r\nbody {n}\r\n")
    )
}

fn all(end: &str) -> String {
    [
        message(1, "Inbox,Unread", end),
        message(2, "Work/Bills,Opened,Starred", end),
        message(3, "=?UTF-8?Q?Archived,Opened,Work\n =2FBills?=", end),
        message(4, "Archived", end),
        message(5, "Inbox,Opened", end),
    ]
    .concat()
}

fn expected_all() -> Vec<(String, Option<Role>, Vec<String>)> {
    vec![
        (
            "Archive".to_owned(),
            Some(Role::Archive),
            vec![expected(4, "\\Seen")],
        ),
        (
            "INBOX".to_owned(),
            Some(Role::Inbox),
            vec![expected(1, ""), expected(5, "\\Seen")],
        ),
        (
            "Work/Bills".to_owned(),
            None,
            vec![expected(2, "\\Seen \\Flagged"), expected(3, "\\Seen")],
        ),
    ]
}

#[test]
fn labels_are_folders_and_googles_fields_are_gone() {
    // Folded encoded words are not legal inside one word: the second line is its own.
    let text = |end: &str| {
        all(end).replace(
            &format!("Work{end} =2FBills?="),
            &format!("Work?={end} =?UTF-8?Q?=2FBills?="),
        )
    };
    for end in ["\n", "\r\n"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("All mail Including Spam and Trash.mbox");
        std::fs::write(&path, text(end)).unwrap();
        for at in [path.as_path(), dir.path()] {
            let store = Takeout::open(at, &options()).unwrap();
            assert_eq!(told(&store), expected_all(), "{end:?}");
        }
    }
}

#[test]
fn a_zip_is_read_like_the_file_in_it_and_goes_away() {
    use std::io::Write;
    let text = all("\r\n").replace("Work\r\n =2FBills?=", "Work?=\r\n =?UTF-8?Q?=2FBills?=");
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    for (name, entry) in [
        ("takeout-1.zip", "Takeout/メール/すべてのメール.mbox"),
        ("takeout-2.zip", "Takeout/archive_browser.html"),
    ] {
        let file = std::fs::File::create(dir.path().join(name)).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        zip.start_file(entry, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        zip.finish().unwrap();
    }
    let options = Options {
        spool: Some(spool.clone()),
        ..options()
    };
    for path in [dir.path().join("takeout-1.zip"), dir.path().to_owned()] {
        let store = Takeout::open(&path, &options).unwrap();
        assert_eq!(told(&store), expected_all());
        drop(store);
        assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0);
    }
    let fault = Takeout::open(&dir.path().join("takeout-2.zip"), &options)
        .err()
        .unwrap();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveKind);
}

#[test]
fn a_message_in_the_files_of_several_labels_is_read_once_and_twins_stay_twins() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (
        message(1, "Inbox,Work", "\n"),
        message(2, "Inbox,Opened", "\n"),
    );
    let files = [
        ("Inbox.mbox", [one.as_str(), &two, &two].concat()),
        ("Work.mbox", [one.as_str(), &one].concat()),
    ];
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let store = Takeout::open(dir.path(), &options()).unwrap();
    assert_eq!(
        told(&store),
        [
            (
                "INBOX".to_owned(),
                Some(Role::Inbox),
                vec![expected(2, "\\Seen"), expected(2, "\\Seen")],
            ),
            (
                "Work".to_owned(),
                None,
                vec![expected(1, "\\Seen"), expected(1, "\\Seen")],
            ),
        ]
    );
}

#[test]
fn a_scan_begins_in_the_middle_and_a_long_message_is_streamed_without_its_front() {
    let body = "0123456789abcde\n".repeat(40_000);
    let long = message(7, "Inbox,Opened", "\n").replace("body 7", &body);
    let text = [message(1, "Inbox", "\n"), long, message(3, "Inbox", "\n")].concat();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mbox");
    std::fs::write(&path, text).unwrap();
    let store = Takeout::open(&path, &options()).unwrap();
    let folder = &store.folders().unwrap()[0];
    let mut items = Vec::new();
    let start = Start { key: Key(2), at: 0 };
    let scanned = store.scan(folder, start, &mut |found| {
        let Found::Message(item) = found else {
            unreachable!("{found:?}")
        };
        items.push(item);
        ControlFlow::Continue(())
    });
    assert_eq!(scanned, Ok(None));
    assert_eq!(items.iter().map(|i| i.key.0).collect::<Vec<_>>(), [2, 3]);
    let text = store.open(folder, &items[0]).unwrap();
    assert!(matches!(text, Text::Streamed { .. }));
    assert_eq!(text.octets(), items[0].octets);
    let whole = text.whole().unwrap();
    assert!(whole.starts_with(b"Subject: 7\r\n\r\n0123456789abcde\r\n"));
    assert_eq!(whole.len() as u64, items[0].octets);
}

/// Found by the fuzzer: the message began with the end of the field.
#[test]
fn a_lone_cr_in_a_field_that_google_added_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let labels = "Inbox,\rOpened\r";
    let text = [message(1, labels, "\n"), message(2, labels, "\r\n")].concat();
    let path = dir.path().join("All mail.mbox");
    std::fs::write(&path, text).unwrap();
    let store = Takeout::open(&path, &options()).unwrap();
    let messages = vec![expected(1, "\\Seen"), expected(2, "\\Seen")];
    assert_eq!(
        told(&store),
        [("INBOX".to_owned(), Some(Role::Inbox), messages)]
    );
}

/// As paths, `a` and `a/.` are the same, and `.` is nothing.
#[test]
fn labels_that_look_like_paths_have_folders_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.mbox");
    let labels = ["a", "a/.", ".", "..", "a/../b", "./c"];
    let text: String = (1..)
        .zip(labels)
        .map(|(n, label)| message(n, &format!("{label},Opened"), "\n"))
        .collect();
    std::fs::write(&path, text).unwrap();
    let store = Takeout::open(&path, &options()).unwrap();
    let mut wanted: Vec<_> = (1..)
        .zip(labels)
        .map(|(n, label)| (label.to_owned(), None, vec![expected(n, "\\Seen")]))
        .collect();
    wanted.sort();
    let mut found = told(&store);
    found.sort();
    assert_eq!(found, wanted);
}

/// The beginning of the header is a chain of servers that all have passed.
#[test]
fn messages_of_several_files_are_copies_by_their_whole_header() {
    let dir = tempfile::tempdir().unwrap();
    let servers = "Received: by a.example.com\n".repeat(200);
    for (file, n) in [("a.mbox", 1), ("b.mbox", 2)] {
        let text = format!(
            "From 1@xxx Mon Apr 01 00:30:00 +0000 2024\nX-Gmail-Labels: Inbox\n{servers}Subject: {n}\n\nx\n\n"
        );
        // The first again: that one is a copy.
        let first = std::fs::read_to_string(dir.path().join("a.mbox")).unwrap_or_default();
        std::fs::write(dir.path().join(file), first + &text).unwrap();
    }
    let store = Takeout::open(dir.path(), &options()).unwrap();
    let told = told(&store);
    let subjects: Vec<_> = told[0]
        .2
        .iter()
        .map(|text| text.split("Subject: ").nth(1).map(|rest| &rest[..1]))
        .collect();
    assert_eq!((told.len(), subjects), (1, vec![Some("1"), Some("2")]));
}

#[test]
fn a_file_that_cannot_be_read_does_not_cost_the_others() {
    let dir = tempfile::tempdir().unwrap();
    for (file, n) in [("a.mbox", 1), ("b.mbox", 2)] {
        std::fs::write(dir.path().join(file), message(n, "Inbox", "\n")).unwrap();
    }
    let store = Takeout::open(dir.path(), &options()).unwrap();
    std::fs::remove_file(dir.path().join("a.mbox")).unwrap();
    let folders = store.folders().unwrap();
    let lost: Vec<_> = folders
        .iter()
        .map(|folder| (folder.name.to_string(), folder.lost.is_some()))
        .collect();
    assert_eq!(lost, [("INBOX".to_owned(), false), ("a".to_owned(), true)]);
    let mut keys = Vec::new();
    let scanned = store.scan(&folders[0], Start::BEGINNING, &mut |found| {
        keys.push(found.key());
        ControlFlow::Continue(())
    });
    assert_eq!((scanned, keys), (Ok(None), vec![Key(1)]));
}
