//! What holds whatever somebody wrote into a backup, as functions over octets that panic where it
//! does not. Not a part of the product: compiled for tests and by cargo-fuzz only.

use crate::folder::{Folder, Purpose};
use crate::format::Format;
use crate::manifest::{self, FILE, Line, Place};
use crate::names;
use crate::octets::mbox;
use crate::octets::quote::{Quoter, Unquoter};
use hikyaku_core::MailboxName;
use std::fs;
use std::path::{Component, Path};

/// Any of the properties below; the first octet says which, `a` the first.
pub fn octets(input: &[u8]) {
    let properties = [manifest, sealed, folder, quotes, names];
    if let Some((first, rest)) = input.split_first() {
        properties[usize::from(first.wrapping_sub(b'a')) % properties.len()](rest);
    }
}

/// Lines of somebody who can make their sums.
pub fn sealed(input: &[u8]) {
    for line in input.split(|octet| *octet == b'\n') {
        let line = manifest::sealed(line);
        manifest(&line);
    }
}

/// A folder whose manifest consists of such lines, behind a head of its own; up to the first zero
/// octet it is the manifest, behind that the mbox.
///
/// # Panics
/// Where keys are not ascending, a message is told of that is not in the file, or reading writes.
#[allow(clippy::expect_used)]
pub fn folder(input: &[u8]) {
    let cut = memchr::memchr(0, input).unwrap_or(input.len());
    let held = input.get(cut + 1..).unwrap_or_default();
    let mut octets = Vec::new();
    for line in [
        Line::head(Format::Mbox, 7),
        Line::Folder(MailboxName::inbox()),
    ] {
        octets.extend(line.write().into_bytes());
    }
    for line in input[..cut].split(|octet| *octet == b'\n') {
        octets.extend(manifest::sealed(line));
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    fs::write(path.join(FILE), &octets).expect("room");
    fs::write(path.join(mbox::FILE), held).expect("room");
    if let Ok(folder) = Folder::load(path, Format::Mbox, Purpose::Looking) {
        let slots = folder.slots(0..=u64::MAX, usize::MAX);
        assert_eq!(slots.len() as u64, folder.keys().len());
        assert!(slots.windows(2).all(|pair| pair[0].key < pair[1].key));
        for record in folder.records(&slots).expect("lines that were read once") {
            if let Place::Span { offset, octets } = record.place {
                assert!(offset + octets <= held.len() as u64);
            }
        }
    }
    let there = fs::read(path.join(FILE)).expect("there");
    assert_eq!(there, octets, "it was written to");
}

/// Lines of a manifest: what is read is written again as it was read, and no place leads out of
/// the folder.
pub fn manifest(input: &[u8]) {
    for line in input.split(|octet| *octet == b'\n') {
        let Some(read) = Line::parse(line) else {
            continue;
        };
        if let Line::Message(record) = &read
            && let Place::File(place) = &record.place
        {
            let is_inside = |part| matches!(part, Component::Normal(_));
            assert!(Path::new(place).components().all(is_inside), "{place:?}");
        }
        if read != Line::Other {
            let written = read.write();
            let again = Line::parse(written.trim_end_matches('\n').as_bytes());
            assert_eq!(again.as_ref(), Some(&read));
        }
    }
}

/// Messages in an mbox: quotes come off as they went on, and nothing inside a message begins one.
pub fn quotes(input: &[u8]) {
    let (mut quoter, mut quoted) = (Quoter::default(), Vec::new());
    input
        .chunks(7)
        .for_each(|piece| quoter.put(piece, &mut quoted));
    quoter.end(&mut quoted);
    assert!(
        quoted
            .split(|o| *o == b'\n')
            .all(|line| !line.starts_with(b"From "))
    );
    let (mut unquoter, mut plain) = (Unquoter::default(), Vec::new());
    quoted
        .chunks(5)
        .for_each(|piece| unquoter.put(piece, &mut plain));
    unquoter.end(&mut plain);
    assert_eq!(plain, input);
    mbox::is_unfinished(input, 1, 1);
}

/// Names of mailboxes: one directory for each, inside the backup and never too long.
pub fn names(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let levels = text.split('/').map(str::to_owned).collect();
    let Some(name) = MailboxName::new(levels) else {
        return;
    };
    for made in [names::directory(&name), names::marked(&name)] {
        let parts: Vec<_> = Path::new(&made).components().collect();
        assert!(
            matches!(parts.as_slice(), [Component::Normal(_)]),
            "{made:?}"
        );
        assert!(
            made.len() <= names::LONGEST && !made.starts_with('.'),
            "{made:?}"
        );
        let read = names::mailbox(&made);
        assert!(read.is_none_or(|read| read == name), "{made:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Record;
    use hikyaku_core::{Flags, Key};
    use hikyaku_testkit::corpus::Corpus;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CORPUS: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("backup", "backup"));

    #[test]
    fn they_hold_for_every_seed() {
        CORPUS.seeds().iter().for_each(|seed| octets(seed));
    }

    /// The lengths of all messages together are more than a number holds.
    #[test]
    fn a_manifest_of_messages_beyond_all_numbers_is_read() {
        let line = |key: u64| format!("message\t{key}\t{}\t{}\t-\t0+1\t", "0".repeat(64), u64::MAX);
        folder(format!("{}\n{}\0From", line(1), line(2)).as_bytes());
    }

    fn written() -> Vec<u8> {
        let mut lines = vec![
            Line::head(Format::Mbox, 7),
            Line::Folder(MailboxName::inbox()),
            Line::Subscribed(true),
        ];
        for key in 1..5 {
            lines.push(Line::Message(Record {
                key: Key(key),
                sha256: [0; 32],
                octets: key,
                date: None,
                place: Place::Span {
                    offset: key * 10,
                    octets: key,
                },
                flags: Flags::new(),
            }));
            lines.push(Line::Flags(Key(key / 2), Flags::parse("\\Seen")));
        }
        lines
            .iter()
            .flat_map(|line| line.write().into_bytes())
            .collect()
    }

    proptest! {
        #[test]
        fn they_hold_for_seeds_with_edits(choices in prop::collection::vec(any::<u8>(), 0..60)) {
            octets(&CORPUS.mutated(&choices));
        }

        #[test]
        fn any_octets(input in prop::collection::vec(any::<u8>(), 0..200)) {
            manifest(&input);
            quotes(&input);
            names(&input);
        }

        #[test]
        fn octets_that_look_like_it(input in "(From |>|\n|\t|/|\\.\\.|%[0-9A-F]{2}|a|~){0,40}") {
            manifest(input.as_bytes());
            quotes(input.as_bytes());
            names(input.as_bytes());
        }

        #[test]
        fn a_manifest_that_was_changed_anywhere_is_read_as_far_as_it_goes(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
        ) {
            let mut octets = written();
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            if is_cut {
                octets.truncate(cut.index(octets.len()));
            }
            manifest(&octets);
            let directory = tempfile::tempdir().expect("a directory");
            fs::write(directory.path().join(FILE), &octets).expect("written");
            fs::write(directory.path().join(mbox::FILE), [b'x'; 43]).expect("written");
            if let Ok(folder) = Folder::load(directory.path(), Format::Mbox, Purpose::Looking) {
                let slots = folder.slots(0..=u64::MAX, usize::MAX);
                prop_assert_eq!(slots.len() as u64, folder.keys().len());
                prop_assert!(slots.len() <= 4);
                prop_assert_eq!(folder.records(&slots).expect("read").len(), slots.len());
            }
            prop_assert_eq!(fs::read(directory.path().join(FILE)).expect("there"), octets);
        }
    }
}
