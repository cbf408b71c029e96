//! What MH programs note beside the messages: `.mh_sequences`, and the marks of Sylpheed
//! and Claws Mail.

use hikyaku_core::{Flag, Flags, KeySet, Keyword};
use std::collections::HashMap;

/// The flags of a folder's messages, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Whether anything tells what was read.
    pub(crate) records_seen: bool,
    unseen: KeySet,
    flagged: KeySet,
    replied: KeySet,
    marks: HashMap<u32, Flags>,
}

impl Notes {
    /// From the content of `.mh_sequences` and of a mark file, where there are such.
    pub(crate) fn new(sequences: Option<&[u8]>, marks: Option<&[u8]>) -> Self {
        let mut notes = Self::default();
        if let Some(text) = sequences {
            notes.sequences(&String::from_utf8_lossy(text));
        }
        if let Some(octets) = marks {
            notes.marks(octets);
        }
        notes
    }

    /// Lines such as `unseen: 1-3 7`.
    fn sequences(&mut self, text: &str) {
        for line in text.lines() {
            let Some((name, numbers)) = line.split_once(':') else {
                continue;
            };
            let set = match name.trim() {
                "unseen" => {
                    self.records_seen = true;
                    &mut self.unseen
                }
                "flagged" => &mut self.flagged,
                "replied" | "answered" => &mut self.replied,
                _ => continue,
            };
            for range in numbers.split_ascii_whitespace() {
                let (low, high) = range.split_once('-').unwrap_or((range, range));
                if let (Ok(low), Ok(high)) = (low.parse::<u32>(), high.parse::<u32>()) {
                    set.insert_range(u64::from(low)..=u64::from(high));
                }
            }
        }
    }

    /// A version, then pairs of number and flags, each of four octets in the order of the
    /// computer that wrote them.
    fn marks(&mut self, octets: &[u8]) {
        let mut words = octets.chunks_exact(4).map(|word| {
            let word: [u8; 4] = word.try_into().unwrap_or_default();
            u32::from_le_bytes(word)
        });
        let is_swapped = match words.next() {
            // Versions are small numbers.
            Some(version) => version > 0xffff,
            None => return,
        };
        let mut words = words.map(|word| if is_swapped { word.swap_bytes() } else { word });
        self.records_seen = true;
        while let (Some(number), Some(bits)) = (words.next(), words.next()) {
            let is = |bit: u32| bits & (1 << bit) != 0;
            let mut flags = Flags::new();
            // New, unread, marked, deleted, replied, forwarded.
            for (is_set, flag) in [
                (!is(0) && !is(1), Flag::Seen),
                (is(2), Flag::Flagged),
                (is(3), Flag::Deleted),
                (is(4), Flag::Answered),
            ] {
                if is_set {
                    flags.set(flag);
                }
            }
            if is(5) {
                flags.set_keyword(Keyword::new("$Forwarded"));
            }
            self.marks.insert(number, flags);
        }
    }

    /// The flags of one message.
    pub(crate) fn flags(&self, number: u32) -> Flags {
        if let Some(flags) = self.marks.get(&number) {
            return flags.clone();
        }
        let mut flags = Flags::new();
        let is_in = |set: &KeySet| set.contains(hikyaku_core::Key(u64::from(number)));
        for (is_set, flag) in [
            // A mark file lists every message that is not new.
            (
                self.records_seen && self.marks.is_empty() && !is_in(&self.unseen),
                Flag::Seen,
            ),
            (is_in(&self.flagged), Flag::Flagged),
            (is_in(&self.replied), Flag::Answered),
        ] {
            if is_set {
                flags.set(flag);
            }
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_and_marks_become_flags() {
        let notes = Notes::new(
            Some(b"cur: 4\nunseen: 1-3 7\nflagged: 2\nreplied: 9 x-\nx\n"),
            None,
        );
        let told: Vec<_> = [1, 2, 4, 9].map(|n| notes.flags(n).to_string()).into();
        assert_eq!(told, ["", "\\Flagged", "\\Seen", "\\Seen \\Answered"]);
        assert!(notes.records_seen);

        let mut octets = Vec::new();
        for word in [2_u32, 1, 0b10, 2, 0b10100, 3, 0b100000, 4, 0b1000] {
            octets.extend(word.to_le_bytes());
        }
        let swapped: Vec<u8> = octets
            .chunks_exact(4)
            .flat_map(|w| w.iter().rev().copied())
            .collect();
        for octets in [octets, swapped] {
            let notes = Notes::new(None, Some(&octets));
            let told: Vec<_> = [1, 2, 3, 4, 5].map(|n| notes.flags(n).to_string()).into();
            assert_eq!(
                told,
                [
                    "",
                    "\\Seen \\Answered \\Flagged",
                    "\\Seen $Forwarded",
                    "\\Seen \\Deleted",
                    ""
                ]
            );
        }
        let silent = Notes::new(Some(b"cur: 1\n"), None);
        assert_eq!(
            (silent.records_seen, silent.flags(1)),
            (false, Flags::new())
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            sequences in "[a-z]{0,8}:? [0-9 -]{0,30}",
            marks in prop::collection::vec(any::<u8>(), 0..40),
            number in any::<u32>(),
        ) {
            let notes = Notes::new(Some(format!("unseen: {sequences}\n{sequences}").as_bytes()), Some(&marks));
            let _flags = notes.flags(number);
        }
    }
}
