//! What one level, and one whole name, may look like at the destination.

use crate::mailbox::NameRules;
use crate::plan::NameChange;
use std::collections::BTreeSet;
use unicode_normalization::char::is_combining_mark;

/// Octets of room below which a child is joined with its parent instead of being cut:
/// less than this would leave nothing readable.
const LEAST_ROOM: usize = 24;

/// No rule makes levels shorter than this: it holds the mark of a cut and a number.
const LEAST_LEVEL: usize = 16;

/// What stands for a separator where levels had to be joined.
const JOINT: char = '／';

/// Length of the modified UTF-7 form (RFC 3501 §5.1.3) in octets, without making it:
/// printable ASCII is itself, `&` becomes `&-`, and every run of anything else is
/// `&`, eight thirds of an octet per UTF-16 unit rounded up, `-`.
pub(super) fn wire_octets(text: &str) -> usize {
    let mut measure = Measure::default();
    text.chars().for_each(|c| measure.push(c));
    measure.octets()
}

#[derive(Clone, Copy, Default)]
struct Measure {
    closed: usize,
    units: usize,
}

impl Measure {
    fn push(&mut self, c: char) {
        if matches!(c, ' '..='~') {
            self.closed = self.octets() + if c == '&' { 2 } else { 1 };
            self.units = 0;
        } else {
            self.units += c.len_utf16();
        }
    }

    fn octets(&self) -> usize {
        match self.units {
            0 => self.closed,
            units => self.closed + 2 + (units * 8).div_ceil(3),
        }
    }
}

/// Where a name was put, and what had to change for it.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub levels: Vec<String>,
    pub changes: BTreeSet<NameChange>,
}

/// The naming rules of the destination at work.
pub(super) struct Fitter<'a> {
    rules: &'a NameRules,
    prefix_octets: usize,
}

impl<'a> Fitter<'a> {
    pub(super) fn new(rules: &'a NameRules) -> Self {
        Self {
            rules,
            prefix_octets: rules.prefix.iter().map(|l| wire_octets(l) + 1).sum(),
        }
    }

    /// Puts `level` below `base`. `is_closed` says which mailboxes cannot have children;
    /// `identity` is what the mark of a cut name is made from.
    pub(super) fn place(
        &self,
        base: &[String],
        level: &str,
        identity: &[String],
        is_closed: &dyn Fn(&[String]) -> bool,
    ) -> Placed {
        let (mut text, mut changes) = self.level(level);
        let mut levels = base.to_vec();
        let deepest = self
            .rules
            .max_levels
            .saturating_sub(self.rules.prefix.len());
        while !levels.is_empty()
            && (self.rules.separator.is_none() || levels.len() >= deepest || is_closed(&levels))
        {
            text = self.join(&mut levels, &text);
            changes.insert(NameChange::Depth);
        }
        while !levels.is_empty() && self.room(&levels) < LEAST_ROOM {
            text = self.join(&mut levels, &text);
            changes.insert(NameChange::Length);
        }
        if let Some(short) = self.cut(&text, self.room(&levels), identity) {
            text = short;
            changes.insert(NameChange::Length);
        }
        levels.push(text);
        Placed { levels, changes }
    }

    /// The same place with a number at the end of its last level.
    pub(super) fn number(&self, placed: &Placed, number: usize, identity: &[String]) -> Placed {
        let mut numbered = placed.clone();
        numbered.changes.insert(NameChange::Collision);
        let suffix = if [' ', '(', ')'].into_iter().all(|c| self.takes(c)) {
            format!(" ({number})")
        } else {
            format!("{}{number}", self.mark())
        };
        if let Some(mut last) = numbered.levels.pop() {
            let room = self.room(&numbered.levels).saturating_sub(suffix.len());
            if let Some(short) = self.cut(&last, room, identity) {
                last = short;
                numbered.changes.insert(NameChange::Length);
            }
            numbered.levels.push(last + &suffix);
        }
        numbered
    }

    /// One level with everything replaced that the destination cannot take.
    fn level(&self, level: &str) -> (String, BTreeSet<NameChange>) {
        let mut changes = BTreeSet::new();
        let mut chars: Vec<char> = Vec::with_capacity(level.len());
        for c in level.chars() {
            if self.takes(c) {
                chars.push(c);
            } else {
                changes.insert(NameChange::Character(c));
                chars.push(self.stand_in(c));
            }
        }
        // A level of nothing would make a doubled separator, which no server keeps.
        if chars.is_empty() {
            changes.insert(NameChange::Edge);
            chars.push(self.mark());
        }
        if self.rules.strict_edges {
            if let Some(first @ ('~' | '.')) = chars.first().copied() {
                changes.insert(NameChange::Edge);
                chars[0] = self.stand_in(first);
            }
            let leading = chars.iter().take_while(|c| **c == ' ').count();
            let trailing = chars.iter().rev().take_while(|c| **c == ' ').count();
            let count = chars.len();
            for (at, c) in chars.iter_mut().enumerate() {
                if at < leading || at >= count - trailing {
                    changes.insert(NameChange::Edge);
                    *c = self.mark();
                }
            }
        }
        (chars.into_iter().collect(), changes)
    }

    fn takes(&self, c: char) -> bool {
        Some(c) != self.rules.separator
            && !self.rules.forbidden.contains(&c)
            && !c.is_control()
            && (self.rules.astral || c.len_utf16() == 1)
    }

    /// A character that looks like the one that cannot be taken, where there is one:
    /// ASCII signs have full-width twins; 〓 is the printer's sign for a missing glyph.
    fn stand_in(&self, c: char) -> char {
        let twin = match c {
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0),
            '𠮷' => Some('吉'),
            _ if c.is_control() || c.is_whitespace() => None,
            _ => Some('〓'),
        };
        twin.filter(|t| self.takes(*t)).unwrap_or(self.mark())
    }

    /// A character that is taken, for places where nothing better stands.
    fn mark(&self) -> char {
        let first = ['_', '-', 'x'].into_iter().find(|c| self.takes(*c));
        first.unwrap_or('\u{fffd}')
    }

    /// Takes the last of `levels` and the text of a child together into one level.
    fn join(&self, levels: &mut Vec<String>, text: &str) -> String {
        let joint = if self.takes(JOINT) {
            JOINT
        } else {
            self.mark()
        };
        let parent = levels.pop().unwrap_or_default();
        format!("{parent}{joint}{text}")
    }

    /// Octets that one more level may take below `levels`.
    fn room(&self, levels: &[String]) -> usize {
        let above: usize = levels.iter().map(|l| wire_octets(l) + 1).sum();
        self.rules
            .max_name_octets
            .saturating_sub(self.prefix_octets + above)
            .min(self.rules.max_level_octets)
            .max(if levels.is_empty() { LEAST_LEVEL } else { 0 })
    }

    /// The text cut to at most `room` octets of its wire form, ending in a mark that
    /// depends on `identity` alone; `None` when it fits as it is.
    fn cut(&self, text: &str, room: usize, identity: &[String]) -> Option<String> {
        if wire_octets(text) <= room {
            return None;
        }
        let mark = format!("{}{}", self.mark(), fingerprint(identity));
        // The mark is ASCII in every known case; measured with the text it is right in any.
        let mut kept = String::new();
        let mut best = 0;
        let mut measure = Measure::default();
        for c in text.chars() {
            // A mark that belongs to the character before it is not torn off.
            if !is_combining_mark(c) && !matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}') {
                best = kept.len();
            }
            measure.push(c);
            let mut whole = measure;
            mark.chars().for_each(|m| whole.push(m));
            if whole.octets() > room {
                break;
            }
            kept.push(c);
        }
        kept.truncate(best);
        let kept = kept.trim_end_matches(|c: char| c.is_whitespace() || c == '\u{200d}');
        Some(format!("{kept}{mark}"))
    }
}

fn fingerprint(identity: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for level in identity {
        hasher.update(&(level.len() as u64).to_le_bytes());
        hasher.update(level.as_bytes());
    }
    let digest = hasher.finalize();
    digest.as_bytes()[..4]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wire_length_is_that_of_modified_utf7() {
        for (text, wire) in [
            ("", ""),
            ("INBOX", "INBOX"),
            ("a&b", "a&-b"),
            ("台北", "&U,BTFw-"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("受信トレイ", "&U9dPoTDIMMwwpA-"),
            ("請求書", "&istsQmb4-"),
            ("\t", "&AAk-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(wire_octets(text), wire.len(), "{text}");
        }
    }

    fn rules() -> impl Strategy<Value = NameRules> {
        (
            prop::sample::select(vec![None, Some('/'), Some('.'), Some('\\')]),
            prop::sample::subsequence(vec!['%', '*', '"', '^', '／', '_', ' '], 0..5),
            16usize..80,
            16usize..160,
            1usize..5,
            any::<(bool, bool, bool)>(),
        )
            .prop_map(
                |(separator, forbidden, level, name, depth, flags)| NameRules {
                    separator,
                    prefix: Vec::new(),
                    forbidden,
                    max_level_octets: level,
                    max_name_octets: name,
                    max_levels: depth,
                    strict_edges: flags.0,
                    astral: flags.1,
                    ignores_case: flags.2,
                },
            )
    }

    proptest! {
        #[test]
        fn whatever_is_placed_satisfies_the_rules(
            rules in rules(),
            levels in prop::collection::vec("[a~. /%*\"^&_あ𠮷😀\u{3099}\t]{0,40}", 1..8),
            number in 2usize..200,
        ) {
            let fitter = Fitter::new(&rules);
            let mut at: Vec<String> = Vec::new();
            for level in &levels {
                let placed = fitter.place(&at, level, &levels, &|_| false);
                let numbered = fitter.number(&placed, number, &levels);
                for name in [&placed.levels, &numbered.levels] {
                    prop_assert!(name.len() <= rules.max_levels);
                    let octets: usize = name.iter().map(|l| wire_octets(l) + 1).sum();
                    prop_assert!(octets - 1 <= rules.max_name_octets, "{name:?}");
                    for level in name {
                        prop_assert!(wire_octets(level) <= rules.max_level_octets);
                        prop_assert!(!level.is_empty() && level.chars().all(|c| fitter.takes(c)));
                        if rules.strict_edges {
                            prop_assert!(!level.starts_with(['~', '.', ' ']) && !level.ends_with(' '));
                        }
                    }
                }
                prop_assert_ne!(&placed.levels, &numbered.levels);
                // What fits once fits for ever.
                let last = placed.levels.len() - 1;
                let again = fitter.place(&placed.levels[..last], &placed.levels[last], &levels, &|_| false);
                prop_assert_eq!(&again.levels, &placed.levels);
                at = placed.levels;
            }
        }
    }
}
