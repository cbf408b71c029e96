use super::*;
use proptest::prelude::*;
use std::ops::ControlFlow;

const NOW: i64 = 1_735_689_600;

fn told(store: &Becky, folder: &Folder) -> Vec<String> {
    let mut told = Vec::new();
    let scanned = store.scan(folder, Start::BEGINNING, &mut |found| {
        let Found::Message(item) = found else {
            unreachable!("{found:?}")
        };
        let text = store.open(folder, &item).and_then(Text::whole).unwrap();
        assert!(!item.seen_recorded && item.flags.is_empty());
        let date = item.date.map(|d| d.to_string()).unwrap_or_default();
        told.push(format!(
            "{} {date} {}",
            item.key,
            String::from_utf8_lossy(&text)
        ));
        ControlFlow::Continue(())
    });
    assert_eq!(scanned, Ok(None));
    told
}

#[test]
fn messages_end_at_a_dot_and_stuffed_dots_are_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = dir.path().join("taro.mb/!!!!Inbox");
    let sub = dir.path().join("taro.mb/取引先/サンプル");
    for dir in [&inbox, &sub] {
        std::fs::create_dir_all(dir).unwrap();
    }
    let date = "Date: Mon, 1 Apr 2024 09:00:00 +0900";
    std::fs::write(
        inbox.join("1.bmf"),
        format!("{date}\r\n\r\na\r\n..b\r\n...\r\n. c\r\n.\r\n{date}\r\n\r\nsecond\r\n.\r\n"),
    )
    .unwrap();
    std::fs::write(
        inbox.join("2.BMF"),
        format!("{date}\r\n\r\nwithout its dot\r\n"),
    )
    .unwrap();
    std::fs::write(inbox.join("Folder.idx"), "x").unwrap();
    std::fs::write(sub.join("3.bmf"), "\r\n.\r\n").unwrap();
    let store = Becky::open(dir.path(), NOW).unwrap();
    let named: Vec<_> = store
        .folders
        .iter()
        .map(|f| (f.name.to_string(), f.role))
        .collect();
    assert_eq!(
        named,
        [
            ("INBOX".to_owned(), Some(Role::Inbox)),
            ("取引先/サンプル".to_owned(), None),
        ]
    );
    let day = "2024-04-01T09:00:00+09:00";
    assert_eq!(
        told(&store, &store.folders[0]),
        [
            format!("1 {day} {date}\r\n\r\na\r\n.b\r\n..\r\n. c\r\n"),
            format!("2 {day} {date}\r\n\r\nsecond\r\n"),
            format!("3 {day} {date}\r\n\r\nwithout its dot\r\n"),
        ]
    );
    assert_eq!(told(&store, &store.folders[1]), [""; 0]);
    assert_eq!(names(&inbox), ["INBOX"]);
    assert_eq!(names(&inbox.join("1.bmf")), ["1"]);
}

fn names(path: &Path) -> Vec<String> {
    let store = Becky::open(path, NOW).unwrap();
    store.folders.iter().map(|f| f.name.to_string()).collect()
}

#[test]
fn several_accounts_stand_below_their_names() {
    let dir = tempfile::tempdir().unwrap();
    for account in ["a.mb", "b.mb"] {
        let sent = dir.path().join(account).join("!!!Sent");
        std::fs::create_dir_all(&sent).unwrap();
        std::fs::write(sent.join("x.bmf"), "").unwrap();
    }
    assert_eq!(names(dir.path()), ["a/Sent", "b/Sent"]);
    let fault = Becky::open(&dir.path().join("a.mb/!!!Sent/y"), NOW).unwrap_err();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveKind);
}

proptest! {
    #[test]
    fn nothing_is_lost_between_messages(text in "([.a \r]{0,3}\n|[.a]{0,2}){0,30}") {
        properties::bmf(text.as_bytes());
    }

    #[test]
    fn unstuffing_undoes_stuffing_whatever_the_pieces(lines in prop::collection::vec("[.a]{0,4}", 0..12), size in 1usize..9) {
        let text: String = lines.iter().map(|l| format!("{l}\r\n")).collect();
        let stuffed: String = lines
            .iter()
            .map(|l| format!("{}{l}\r\n", if l.starts_with('.') { "." } else { "" }))
            .collect();
        let mut out = Vec::new();
        let mut reader = Unstuffed::new(stuffed.as_bytes());
        let mut buffer = vec![0; size];
        loop {
            match std::io::Read::read(&mut reader, &mut buffer).unwrap() {
                0 => break,
                n => out.extend(&buffer[..n]),
            }
        }
        prop_assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_item_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("1.bmf");
    std::fs::write(&file, "Subject: 1\r\n\r\nx\r\n.\r\n").unwrap();
    let store = Becky::open(&file, 0).unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut told = Vec::new();
    let scanned = store.scan(&store.folders[0], Start::BEGINNING, &mut |found| {
        let Found::Unreadable {
            key, place, fault, ..
        } = found
        else {
            panic!("{found:?}");
        };
        told.push((key, place, fault.code));
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(scanned, Ok(None));
    let place = file.display().to_string();
    assert_eq!(told, [(Key(1), place, hikyaku_core::Code::ArchiveChanged)]);
}
