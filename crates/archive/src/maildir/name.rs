//! Names: of messages (flags, sizes, times) and of folders (modified UTF-7).

use crate::dirs::decode;
use hikyaku_core::{Flag, Flags, Keyword};
use std::collections::BTreeMap;

/// What the name of a message's file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageName<'a> {
    /// What stays when flags change.
    pub(crate) base: &'a str,
    /// The letters behind `2,`.
    letters: &'a str,
}

impl<'a> MessageName<'a> {
    /// Divides at the last `:2,`; also with `!` or `;` in place of the colon, which file
    /// systems of Windows do not take.
    pub(crate) fn of(name: &'a str) -> Self {
        let at = name
            .char_indices()
            .rev()
            .find(|(at, c)| matches!(c, ':' | '!' | ';') && name.get(at + 1..at + 3) == Some("2,"));
        match at {
            Some((at, _)) => Self {
                base: &name[..at],
                letters: &name[at + 3..],
            },
            None => Self {
                base: name,
                letters: "",
            },
        }
    }

    /// The flags; small letters are keywords of Dovecot's list.
    pub(crate) fn flags(&self, keywords: &BTreeMap<u8, String>) -> Flags {
        let mut flags = Flags::new();
        // Dovecot and others put fields of their own behind another comma.
        let letters = self.letters.split(',').next().unwrap_or_default();
        for letter in letters.bytes() {
            match letter {
                b'P' => flags.set_keyword(Keyword::new("$Forwarded")),
                b'R' => flags.set(Flag::Answered),
                b'S' => flags.set(Flag::Seen),
                b'T' => flags.set(Flag::Deleted),
                b'D' => flags.set(Flag::Draft),
                b'F' => flags.set(Flag::Flagged),
                b'a'..=b'z' => {
                    if let Some(word) = keywords.get(&(letter - b'a')) {
                        flags.add_wire(word);
                    }
                }
                _ => {}
            }
        }
        flags
    }

    /// The size with CRLF that Dovecot notes (`W=`).
    pub(crate) fn octets(&self) -> Option<u64> {
        let mut fields = self.base.split(',').skip(1);
        fields.find_map(|field| field.strip_prefix("W=")?.parse().ok())
    }

    /// When the file was delivered, in seconds since 1970 UTC: the number that it begins with.
    pub(crate) fn delivered(&self) -> Option<i64> {
        let digits = self.base.split('.').next()?;
        let digits = digits.split('_').next()?;
        let is_time = (9..=11).contains(&digits.len());
        is_time.then(|| digits.parse().ok())?
    }

    /// In this order messages were delivered, as far as names tell.
    pub(crate) fn order(&self) -> (i64, &'a str) {
        (self.delivered().unwrap_or(0), self.base)
    }
}

/// The levels of a directory's name: `.A.B` is Maildir++, anything else is one level.
pub(crate) fn levels(name: &str) -> Vec<String> {
    match name.strip_prefix('.') {
        Some(levels) => levels.split('.').map(level).collect(),
        None => vec![level(name)],
    }
}

/// One level; modified UTF-7 (RFC 9051 appendix A.1) where it is that.
pub(crate) fn level(text: &str) -> String {
    utf7(text).unwrap_or_else(|| text.to_owned())
}

/// Decodes modified UTF-7; `None` for anything else.
pub(crate) fn utf7(text: &str) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.find('-')?;
        let (coded, left) = (&after[..end], &after[end + 1..]);
        match coded {
            "" => out.push('&'),
            _ => out.push_str(&utf16(coded)?),
        }
        rest = left;
    }
    out.push_str(rest);
    Some(out)
}

/// Modified Base64 of UTF-16.
fn utf16(coded: &str) -> Option<String> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut units = Vec::new();
    for octet in coded.bytes() {
        let six = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b',' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push(((bits >> held) & 0xffff) as u16);
            bits &= (1 << held) - 1;
        }
    }
    let is_whole = held < 6 && bits == 0;
    is_whole.then(|| String::from_utf16(&units).ok())?
}

/// Dovecot's list of keywords: a number and a word on each line.
pub(crate) fn keywords(list: &[u8]) -> BTreeMap<u8, String> {
    let list = decode(list);
    let entry = |line: &str| {
        let (number, word) = line.trim_end().split_once(' ')?;
        let number = number.parse().ok().filter(|n| *n < 26)?;
        Some((number, word.to_owned()))
    };
    list.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_messages_tell_flags_size_and_time() {
        let list = keywords(b"0 $label1\n1 NonJunk\nx\n99 y\n");
        for (name, base, flags) in [
            (
                "1.M2P3.host,S=1:2,RS",
                "1.M2P3.host,S=1",
                "\\Seen \\Answered",
            ),
            ("1!2,Sab", "1", "\\Seen $label1 NonJunk"),
            ("1;2,DFTz", "1", "\\Flagged \\Deleted \\Draft"),
            ("1:2,P", "1", "$Forwarded"),
            ("1:2,S,a", "1", "\\Seen"),
            ("1:1,S", "1:1,S", ""),
            ("1", "1", ""),
            ("1:2,", "1", ""),
        ] {
            let told = MessageName::of(name);
            assert_eq!(told.base, base);
            assert_eq!(told.flags(&list), Flags::parse(flags), "{name}");
        }
        let told = MessageName::of("1795302733.M996982P7917.mailhost,S=420,W=430:2,ab");
        assert_eq!(
            (told.octets(), told.delivered()),
            (Some(430), Some(1_795_302_733))
        );
        let told = MessageName::of("1252168370_3.14675.cthulhu!2,S");
        assert_eq!(
            (told.octets(), told.delivered()),
            (None, Some(1_252_168_370))
        );
        assert_eq!(MessageName::of("mail5").delivered(), None);
    }

    #[test]
    fn names_of_folders_are_decoded_level_by_level() {
        assert_eq!(
            levels(".&U9ZfFVFI-.&MLUw8zDXMOtVRk6L-.2024"),
            ["取引先", "サンプル商事", "2024"]
        );
        assert_eq!(levels(".A&-B"), ["A&B"]);
        assert_eq!(levels("A&B.c"), ["A&B.c"]);
        assert_eq!(levels("受信"), ["受信"]);
        assert_eq!(utf7("&"), None);
        assert_eq!(utf7("&2D0-"), None, "half a pair");
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic(name in "\\PC{0,40}", list in prop::collection::vec(any::<u8>(), 0..60)) {
            let told = MessageName::of(&name);
            let _flags = told.flags(&keywords(&list));
            let _facts = (told.octets(), told.delivered(), levels(&name));
            prop_assert!(name.starts_with(told.base));
        }

        #[test]
        fn no_coded_name_makes_it_panic(name in "[&A-Za-z0-9+,-]{0,20}") {
            let _levels = levels(&name);
        }
    }
}
