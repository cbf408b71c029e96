//! Files made here, octet by octet after the published description.

use super::*;
use hikyaku_core::Role;
use proptest::prelude::*;
use std::ops::ControlFlow;

/// Writes a `.dbx` file.
struct Maker {
    octets: Vec<u8>,
    objects: Vec<u32>,
}

impl Maker {
    fn new(kind: [u8; 4]) -> Self {
        let mut octets = vec![0; 0x100];
        octets[..4].copy_from_slice(&layout::MAGIC);
        octets[4..8].copy_from_slice(&kind);
        Self {
            octets,
            objects: Vec::new(),
        }
    }

    fn put(&mut self, at: usize, word: u32) {
        self.octets[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }

    fn end(&self) -> u32 {
        self.octets.len() as u32
    }

    /// A text in segments of 512 octets; where the first one is.
    fn text(&mut self, text: &[u8]) -> u32 {
        let first = self.end();
        let mut parts = text.chunks(0x200).peekable();
        while let Some(part) = parts.next() {
            let at = self.end();
            let next = if parts.peek().is_some() {
                at + 0x210
            } else {
                0
            };
            for word in [at, 0x200, part.len() as u32, next] {
                self.octets.extend(word.to_le_bytes());
            }
            self.octets.extend(part);
            self.octets.resize(at as usize + 0x210, 0);
        }
        first
    }

    fn object(&mut self, values: &[(u8, u32)], texts: &[(u8, &[u8])]) {
        let at = self.end();
        let (mut entries, mut data) = (Vec::new(), Vec::new());
        for (index, value) in values {
            entries.push(value << 8 | 0x80 | u32::from(*index));
        }
        for (index, text) in texts {
            entries.push((data.len() as u32) << 8 | u32::from(*index));
            data.extend(*text);
            data.push(0);
        }
        data.resize(data.len().next_multiple_of(4), 0);
        let length = (entries.len() * 4 + data.len()) as u32;
        self.octets.extend(at.to_le_bytes());
        self.octets.extend(length.to_le_bytes());
        self.octets.extend([0, 0, entries.len() as u8, 0]);
        for entry in entries {
            self.octets.extend(entry.to_le_bytes());
        }
        self.octets.extend(data);
        self.objects.push(at);
    }

    fn message(&mut self, number: u32, flags: u32, moment: u64, text: &[u8]) {
        let first = self.text(text);
        let mut time = moment.to_le_bytes().to_vec();
        time.truncate(8);
        // Moments stand in the data without a terminating zero; one more does no harm.
        self.object(&[(0, number), (1, flags), (4, first)], &[(0x12, &time)]);
    }

    /// The tree: a root whose first child has the first half of the objects.
    fn finish(mut self) -> Vec<u8> {
        let objects = std::mem::take(&mut self.objects);
        self.put(0xc4, objects.len() as u32);
        let (first, second) = objects.split_at(objects.len() / 2);
        let child = self.node(0, first);
        let root = self.node(child, second);
        self.put(0xe4, root);
        self.octets
    }

    fn node(&mut self, child: u32, objects: &[u32]) -> u32 {
        let at = self.end();
        let mut node = vec![0; 0x27c];
        node[..4].copy_from_slice(&at.to_le_bytes());
        node[8..12].copy_from_slice(&child.to_le_bytes());
        node[0x11] = objects.len() as u8;
        for (n, object) in objects.iter().enumerate() {
            node[0x18 + n * 12..][..4].copy_from_slice(&object.to_le_bytes());
        }
        self.octets.extend(node);
        at
    }
}

const MESSAGES: [u8; 4] = [0xc5, 0xfd, 0x74, 0x6f];
const FOLDERS: [u8; 4] = [0xc6, 0xfd, 0x74, 0x6f];
/// 2024-04-01T00:00:00Z in units of 100 ns since 1601.
const APRIL: u64 = (1_711_929_600 + 11_644_473_600) * 10_000_000;
const NOW: i64 = 1_735_689_600;

fn three() -> Vec<u8> {
    let mut maker = Maker::new(MESSAGES);
    let long = format!("Subject: two\r\n\r\n{}\r\n", "0123456789abcdef".repeat(100));
    maker.message(1, 0x81, APRIL, b"Subject: one\r\n\r\nbody\r\n");
    maker.message(2, 0x18_00a1, APRIL + 10_000_000, long.as_bytes());
    maker.message(
        3,
        0x09,
        0,
        b"Date: Mon, 1 Apr 2024 09:00:00 +0900\r\nSubject: three\r\n\r\n",
    );
    maker.finish()
}

fn write(octets: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("Inbox.dbx"), octets).unwrap();
    dir
}

/// Everything a folder tells, as text: message texts, or what is wrong.
fn told(store: &OutlookExpress, folder: &Folder) -> Vec<String> {
    let mut found = Vec::new();
    let scanned = store.scan(folder, Start::BEGINNING, &mut |one| {
        found.push(one);
        ControlFlow::Continue(())
    });
    assert_eq!(scanned, Ok(None));
    let mut out = Vec::new();
    for (n, one) in found.into_iter().enumerate() {
        assert_eq!(one.key(), Key(n as u64 + 1));
        out.push(match one {
            Found::Message(item) => match store.open(folder, &item).and_then(Text::whole) {
                Ok(text) => {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let date = item.date.map(|d| d.to_string()).unwrap_or_default();
                    let subject = text.split("\r\n\r\n").next().unwrap().lines().last();
                    let subject = subject.unwrap_or_default();
                    format!("{subject} {} {date} ({})", text.len(), item.flags)
                }
                Err(fault) => fault.code.to_string(),
            },
            Found::Unreadable { fault, .. } => format!("! {}", fault.code),
            Found::Deleted { .. } => unreachable!(),
        });
    }
    out
}

fn open(dir: &tempfile::TempDir) -> OutlookExpress {
    OutlookExpress::open(dir.path(), NOW).unwrap()
}

#[test]
fn messages_have_text_flags_and_dates() {
    let dir = write(&three());
    let store = open(&dir);
    assert_eq!(
        told(&store, &store.folders[0]),
        [
            "Subject: one 22 2024-04-01T00:00:00+00:00 (\\Seen)",
            "Subject: two 1618 2024-04-01T00:00:01+00:00 (\\Seen \\Answered \\Flagged $Forwarded)",
            "Subject: three 56 2024-04-01T09:00:00+09:00 (\\Draft)",
        ]
    );
}

#[test]
fn a_scan_begins_where_it_is_told() {
    let dir = write(&three());
    let store = open(&dir);
    let mut keys = Vec::new();
    let start = Start { key: Key(2), at: 0 };
    let scanned = store.scan(&store.folders[0], start, &mut |found| {
        keys.push(found.key());
        ControlFlow::Continue(())
    });
    assert_eq!((scanned, keys), (Ok(None), vec![Key(2), Key(3)]));
}

#[test]
fn without_its_tree_the_messages_are_found_by_their_texts() {
    let mut octets = three();
    for wrong in [0x40, 0xffff_fff0_u32] {
        octets[0xe4..0xe8].copy_from_slice(&wrong.to_le_bytes());
        let dir = write(&octets);
        let store = open(&dir);
        let subjects: Vec<String> = told(&store, &store.folders[0])
            .into_iter()
            .map(|t| t.split(' ').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(subjects, ["one", "two", "three"]);
    }
}

#[test]
fn a_tree_that_leads_in_a_circle_ends() {
    let mut octets = three();
    let root = layout::word(&octets, 0xe4).unwrap() as usize;
    octets[root + 8..root + 12].copy_from_slice(&(root as u32).to_le_bytes());
    let dir = write(&octets);
    let store = open(&dir);
    // The half that the root has itself, then the one that was lost.
    let told = told(&store, &store.folders[0]);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("Subject: one"), "{told:?}");
}

#[test]
fn a_text_that_leads_back_to_itself_or_into_nothing_is_named() {
    let octets = three();
    let two = octets
        .windows(12)
        .position(|w| w == b"Subject: two")
        .unwrap()
        - 16;
    let seconds = two + 0x210;
    for (at, value) in [
        (seconds + 12, two as u32),
        (seconds + 12, 0x00ff_fff0),
        (seconds, 7),
        (seconds + 8, 0x4000_0000),
    ] {
        let mut octets = octets.clone();
        octets[at..at + 4].copy_from_slice(&value.to_le_bytes());
        let dir = write(&octets);
        let store = open(&dir);
        let told = told(&store, &store.folders[0]);
        assert_eq!(told.len(), 3);
        assert_eq!(told[1], "archive.damaged");
        assert!(told[0].starts_with("Subject: one") && told[2].starts_with("Subject: three"));
    }
}

#[test]
fn a_file_that_is_cut_keeps_what_is_whole() {
    let octets = three();
    let dir = write(&octets[..octets.len() / 2]);
    let store = open(&dir);
    let told = told(&store, &store.folders[0]);
    assert!(
        told.iter().any(|t| t.starts_with("Subject: one 22")),
        "{told:?}"
    );
}

#[test]
fn folders_have_the_names_that_the_person_gave() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new(FOLDERS);
    maker.object(&[], &[(2, b"Outlook Express")]);
    maker.object(&[(0, 1)], &[(2, b"Local Folders"), (5, b"LocalStore")]);
    maker.object(
        &[(0, 4), (1, 1), (9, 1)],
        &[
            (2, b"\x8e\xf3\x90\x4d\x83\x67\x83\x8c\x83\x43"),
            (3, b"Inbox.dbx"),
        ],
    );
    maker.object(&[(0, 5), (1, 4)], &[(2, b"2004"), (3, b"2004.DBX")]);
    maker.object(&[(0, 6), (1, 6)], &[(2, b"circle"), (3, b"circle.dbx")]);
    maker.object(&[(0, 9)], &[(2, b"Hotmail")]);
    maker.object(
        &[(0, 10), (1, 9), (9, 3)],
        &[(2, b"Sent"), (3, b"Sent.dbx")],
    );
    std::fs::write(dir.path().join("Folders.dbx"), maker.finish()).unwrap();
    for name in ["Inbox.dbx", "2004.dbx", "sent.dbx", "Other.dbx"] {
        std::fs::write(dir.path().join(name), three()).unwrap();
    }
    let mut other = Maker::new([0x30, 0x9d, 0xfe, 0x26]).finish();
    std::fs::write(dir.path().join("Offline.dbx"), &other).unwrap();
    other[0] = 0;
    std::fs::write(dir.path().join("broken.dbx"), &other).unwrap();
    let store = open(&dir);
    let mut named: Vec<_> = store
        .folders
        .iter()
        .map(|f| (f.name.to_string(), f.role))
        .collect();
    named.sort();
    assert_eq!(
        named,
        [
            ("Hotmail/Sent".to_owned(), Some(Role::Sent)),
            ("Other".to_owned(), None),
            ("broken".to_owned(), None),
            ("受信トレイ".to_owned(), Some(Role::Inbox)),
            ("受信トレイ/2004".to_owned(), None),
        ]
    );
    let broken = store.folders.iter().find(|f| f.name.leaf() == "broken");
    let scanned = store.scan(broken.unwrap(), Start::BEGINNING, &mut |_| unreachable!());
    assert_eq!(scanned.unwrap_err().reach, hikyaku_core::Reach::Mailbox);
}

#[test]
fn what_holds_no_messages_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("Folders.dbx");
    std::fs::write(&path, Maker::new(FOLDERS).finish()).unwrap();
    for path in [path.as_path(), dir.path()] {
        let fault = OutlookExpress::open(path, NOW).unwrap_err();
        assert_eq!(fault.code, hikyaku_core::Code::ArchiveKind);
    }
}

/// Two messages of version 4; the second has three octets of padding.
fn version4() -> Vec<u8> {
    let mut octets = vec![0; 0x54];
    octets[..4].copy_from_slice(b"JMF6");
    octets[8] = 2;
    for (number, text) in [
        (1u32, "Subject: one\r\n\r\n1\r\n\r\n"),
        (2, "Subject: two\r\n\r\n\r\n"),
    ] {
        let size = (16 + text.len()).next_multiple_of(4);
        octets.extend([0x00, 0x7f, 0x00, 0x7f]);
        for word in [number, size as u32, text.len() as u32] {
            octets.extend(word.to_le_bytes());
        }
        octets.extend(text.as_bytes());
        octets.resize(octets.len().next_multiple_of(4), 0);
    }
    octets
}

fn told4(octets: &[u8]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("Inbox.mbx"), octets).unwrap();
    let store = open(&dir);
    assert_eq!(store.folders[0].name.to_string(), "INBOX");
    told(&store, &store.folders[0])
}

#[test]
fn version_four_is_read_and_damage_is_named() {
    let whole = version4();
    let (one, two) = ("Subject: one 21  ()", "Subject: two 18  ()");
    assert_eq!(told4(&whole), [one, two]);
    // Room at the end that is not used yet.
    let roomy = [&whole[..], &[0; 100]].concat();
    assert_eq!(told4(&roomy), [one, two]);
    assert_eq!(told4(&whole[..whole.len() - 4]), [one, "! archive.damaged"]);
    let mut wrong = whole.clone();
    wrong[0x54] = 1;
    assert_eq!(told4(&wrong), ["! archive.damaged", two]);
    // A length that reaches into the next message.
    let mut wrong = whole;
    wrong[0x60] += 30;
    wrong[0x5c] += 32;
    assert_eq!(told4(&wrong), ["! archive.damaged", two]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_anywhere_neither_panics_nor_hides_that_something_is_lost(
        changes in prop::collection::vec((0usize..4000, any::<u8>()), 1..8),
        cut in prop::option::of(0usize..4000),
    ) {
        let mut octets = three();
        for (at, value) in changes {
            let length = octets.len();
            octets[at % length] = value;
        }
        if let Some(cut) = cut {
            octets.truncate(cut.max(1));
        }
        properties::dbx(&octets);
    }

    #[test]
    fn damage_of_version_four(
        changes in prop::collection::vec((0x54usize..160, any::<u8>()), 1..8),
        cut in prop::option::of(0usize..160),
    ) {
        let mut octets = version4();
        for (at, value) in changes {
            let length = octets.len();
            octets[at % length] = value;
        }
        octets.truncate(cut.unwrap_or(160).max(4));
        properties::dbx(&octets);
    }

    #[test]
    fn anything(octets: Vec<u8>) {
        properties::dbx(&octets);
    }
}

#[test]
fn a_chain_that_leads_back_ends_within_the_length_of_the_file() {
    let mut octets = vec![0; 0x100];
    for word in [0x100_u32, 0x200, 0x200, 0x100] {
        octets.extend(word.to_le_bytes());
    }
    octets.resize(0x1_0000, b'x');
    let mut text = Vec::new();
    let read = chain::Chain::new(Disk::held(&octets), 0x100).read_to_end(&mut text);
    assert!(read.is_err());
    assert!(text.len() <= octets.len(), "{}", text.len());
}

#[test]
fn what_looks_like_a_segment_inside_of_one_is_text() {
    let mut maker = Maker::new(MESSAGES);
    let at = maker.end() + 16 + 0x20;
    let mut text = b"Subject: one\r\n\r\n".to_vec();
    text.resize(0x20, b' ');
    for word in [at, 0x200, 0x10, 0] {
        text.extend(word.to_le_bytes());
    }
    let first = maker.text(&text);
    let second = maker.text(b"Subject: two\r\n\r\n");
    let heads = chain::heads(&Disk::held(&maker.octets)).unwrap();
    assert_eq!(heads, [first, second]);
}

#[test]
fn a_tree_of_nodes_that_overlap_does_not_fill_the_memory() {
    let mut maker = Maker::new(MESSAGES);
    while maker.octets.len() < 1 << 18 {
        maker.octets.extend(maker.end().to_le_bytes());
    }
    maker.put(0xe4, 0x100);
    let file = Disk::held(&maker.octets);
    let header = layout::header(&file).unwrap().unwrap();
    let tree = layout::objects(&file, &header).unwrap();
    assert!(tree.is_broken);
    let most = 51 * (maker.octets.len() / 0x27c + 1);
    assert!(tree.objects.len() <= most, "{}", tree.objects.len());
}

#[test]
fn of_two_folders_with_one_file_the_same_is_believed_at_every_look() {
    let mut maker = Maker::new(FOLDERS);
    for number in 1..=20 {
        let name = format!("folder {number}");
        maker.object(&[(0, number)], &[(2, name.as_bytes()), (3, b"Inbox.dbx")]);
    }
    let dir = write(&three());
    std::fs::write(dir.path().join("Folders.dbx"), maker.finish()).unwrap();
    for _ in 0..20 {
        let store = OutlookExpress::open(dir.path(), NOW).unwrap();
        let names: Vec<_> = store.folders.iter().map(|f| f.name.to_string()).collect();
        assert_eq!(names, ["folder 20"]);
    }
}
