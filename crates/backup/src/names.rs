//! From the name of a mailbox to the name of a directory, and back.
//!
//! What comes out is safe on every file system: no separator of any system, no `.` or `..`, no
//! drive letter, no device, no control or invisible character, no edge that Windows cuts off, and
//! never longer than [`LONGEST`]. Levels are divided by `.`; whatever cannot stand as it is
//! becomes `%` and two hexadecimal digits for each octet of its UTF-8 form. Names that are too
//! long are cut and carry a mark; the manifest has all names in full.

use hikyaku_core::MailboxName;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;

/// Longest name of a directory, in octets: below the 143 of encrypted home directories.
pub(crate) const LONGEST: usize = 120;

/// Names at the top of a backup that are its own.
const OWN: [&str; 2] = [crate::home::MARKER, crate::sums::FILE];

/// The directory for a mailbox.
pub(crate) fn directory(name: &MailboxName) -> String {
    let whole = encoded(name);
    match whole.len() > LONGEST {
        true => cut(&whole, "~~", name),
        false => whole,
    }
}

/// Another one, for the case that the first belongs to somebody else, or would on a file system
/// that does not tell letters of different case apart.
pub(crate) fn marked(name: &MailboxName) -> String {
    let whole = encoded(name);
    match whole.len() > LONGEST - MARK {
        true => cut(&whole, "~~", name),
        false => format!("{whole}~{}", mark(name)),
    }
}

/// The mailbox that a directory was made for; `None` when the name had to be cut, or when no
/// mailbox has such a directory.
pub(crate) fn mailbox(directory: &str) -> Option<MailboxName> {
    let whole = match directory.split_once('~') {
        Some((_, rest)) if rest.starts_with('~') => return None,
        Some((whole, _)) => whole,
        None => directory,
    };
    let levels: Option<Vec<String>> = whole.split('.').map(level).collect();
    MailboxName::new(levels?)
}

/// What is the same for two names that some file system takes for one.
pub(crate) fn folded(directory: &str) -> String {
    let composed: String = directory.nfkc().collect();
    composed.to_uppercase().to_lowercase().nfc().collect()
}

/// Octets of `~` and the mark.
const MARK: usize = 18;

fn mark(name: &MailboxName) -> String {
    let mut hasher = Sha256::new();
    for level in name.levels() {
        hasher.update((level.len() as u64).to_le_bytes());
        hasher.update(level.as_bytes());
    }
    hexadecimal(&hasher.finalize()[..8])
}

fn cut(whole: &str, tilde: &str, name: &MailboxName) -> String {
    let mut end = LONGEST - MARK - 1;
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    // Neither half an octet nor a dot or blank at the end.
    if let Some(at) = whole[..end].rfind('%').filter(|at| end - at < 3) {
        end = at;
    }
    let kept = whole[..end].trim_end_matches(['.', ' ']);
    format!("{kept}{tilde}{}", mark(name))
}

fn encoded(name: &MailboxName) -> String {
    let mut whole = String::new();
    for (n, level) in name.levels().iter().enumerate() {
        if n > 0 {
            whole.push('.');
        }
        encode(level, &mut whole);
    }
    let first = whole.split('.').next().unwrap_or_default();
    let is_own = OWN.iter().any(|own| folded(own) == folded(&whole));
    if is_own || is_device(first) {
        // Never empty; whatever it begins with is written as octets.
        let first = whole.chars().next().map_or(0, char::len_utf8);
        let rest = whole.split_off(first);
        let mut escaped = String::new();
        escape(whole.bytes(), &mut escaped);
        whole = escaped + &rest;
    }
    whole
}

/// Devices of Windows, which are files in every directory, whatever their extension.
fn is_device(name: &str) -> bool {
    let name = folded(name);
    let numbered = |stem: &str| {
        name.strip_prefix(stem)
            .is_some_and(|n| n.chars().count() == 1 && n.chars().all(|c| c.is_ascii_digit()))
    };
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"].contains(&name.as_str())
        || numbered("com")
        || numbered("lpt")
}

fn encode(level: &str, out: &mut String) {
    if level.is_empty() {
        // No escape of an octet looks like this.
        out.push_str("%_");
    }
    let last = level.chars().count().saturating_sub(1);
    for (at, c) in level.chars().enumerate() {
        let is_edge = at == 0 || at == last;
        if is_plain(c) && !(is_edge && c.is_whitespace()) && !(at == 0 && c == '-') {
            out.push(c);
        } else {
            escape(c.encode_utf8(&mut [0; 4]).bytes(), out);
        }
    }
}

/// Each octet as `%` and two digits.
pub(crate) fn escape(octets: impl Iterator<Item = u8>, out: &mut String) {
    for octet in octets {
        // Writing to a String cannot fail.
        write!(out, "%{octet:02X}").ok();
    }
}

fn is_plain(c: char) -> bool {
    match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '%' | '.' | '~' | '`' | '$' => false,
        ' '..='}' => true,
        '\u{3000}' => true,
        // Invisible, or turning what follows around.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        _ => !c.is_control() && !c.is_whitespace() && !is_reserved(c),
    }
}

/// Private use and what is no character.
fn is_reserved(c: char) -> bool {
    matches!(u32::from(c), 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xf0000..)
        || u32::from(c) & 0xfffe == 0xfffe
}

fn level(text: &str) -> Option<String> {
    if text == "%_" {
        return Some(String::new());
    }
    unescaped(text)
}

/// Replaces `%` and two digits by the octet; `None` where that is no text.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            octets.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(octets).ok()
}

/// Lower case, two digits an octet.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = octets.iter().flat_map(|o| [o >> 4, o & 15]);
    digits.map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    fn name(levels: &[&str]) -> MailboxName {
        MailboxName::new(levels.iter().map(|l| (*l).to_owned()).collect()).expect("levels")
    }

    #[test]
    fn names_as_people_know_them() {
        for (levels, made) in [
            (&["INBOX"][..], "INBOX"),
            (
                &["受信トレイ", "請求書", "2019年度"],
                "受信トレイ.請求書.2019年度",
            ),
            (&["dot.inside"], "dot%2Einside"),
            (&["..", "..", "etc"], "%2E%2E.%2E%2E.etc"),
            (&["/etc/passwd"], "%2Fetc%2Fpasswd"),
            (&["C:\\x"], "C%3A%5Cx"),
            (&["a\0b"], "a%00b"),
            (&["con"], "%63on"),
            (&["ＣＯＮ"], "%EF%BC%A3ＯＮ"),
            (&["NUL", "x"], "%4EUL.x"),
            (&["com1"], "%63om1"),
            (&["x", "con"], "x.con"),
            (&["trailing "], "trailing%20"),
            (&["trailing."], "trailing%2E"),
            (&["-rf"], "%2Drf"),
            (&["", "a", ""], "%_.a.%_"),
            (&["📮 郵便"], "📮 郵便"),
            (&["\u{202e}gpj"], "%E2%80%AEgpj"),
            (&["hikyaku-backup"], "%68ikyaku-backup"),
            (&["sha256sums"], "%73ha256sums"),
        ] {
            assert_eq!(directory(&name(levels)), made, "{levels:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = |end: &str| name(&[&("長".repeat(60) + end)]);
        let (a, b) = (directory(&long("a")), directory(&long("b")));
        assert_ne!(a, b);
        assert!(a.len() <= LONGEST && b.len() <= LONGEST);
        assert_eq!(mailbox(&a), None);
        assert_eq!(directory(&long("a")), a);
    }

    #[test]
    fn what_one_file_system_takes_for_one_name_is_known() {
        for (a, b) in [
            ("Plain", "plain"),
            ("Caf\u{e9}", "Cafe\u{301}"),
            ("ﬀ", "FF"),
            ("ΣΑΣ", "σας"),
        ] {
            assert_eq!(folded(a), folded(b), "{a} {b}");
        }
        assert_ne!(folded("a"), folded("b"));
    }

    /// Levels that are anything, with a liking for what hurts.
    fn levels() -> impl Strategy<Value = Vec<String>> {
        let nasty = prop::sample::select(vec![
            "..",
            ".",
            "",
            "/",
            "\\",
            "con",
            "NUL.txt",
            "COM9",
            "a.",
            " ",
            "a ",
            "~",
            "%",
            "%41",
            "\0",
            "\u{202e}",
            "𠮷",
            "📮",
            "-",
            "C:",
            "//host/share",
            "hikyaku-backup",
            "lpt1 ",
            "\u{2028}",
            "\u{feff}",
        ]);
        let level = prop_oneof![nasty.prop_map(str::to_owned), "\\PC{0,20}", any::<String>()];
        prop::collection::vec(level, 1..6)
    }

    proptest! {
        #[test]
        fn no_name_leaves_the_directory(levels in levels()) {
            let name = MailboxName::new(levels).expect("levels");
            for made in [directory(&name), marked(&name)] {
                prop_assert!(!made.is_empty() && made.len() <= LONGEST, "{made:?}");
                let parts: Vec<_> = Path::new(&made).components().collect();
                prop_assert!(matches!(parts.as_slice(), [Component::Normal(_)]), "{made:?}");
                prop_assert!(!made.starts_with(['.', ' ', '-']), "{made:?}");
                prop_assert!(!made.ends_with(['.', ' ']), "{made:?}");
                prop_assert!(!made.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']), "{made:?}");
                prop_assert!(!made.chars().any(char::is_control), "{made:?}");
                let first = made.split('.').next().expect("one");
                prop_assert!(!is_device(first) && !is_device(first.trim_end()), "{made:?}");
                for own in OWN {
                    prop_assert!(!made.eq_ignore_ascii_case(own));
                }
                if !made.contains("~~") {
                    prop_assert_eq!(mailbox(&made), Some(name.clone()));
                }
            }
            prop_assert_ne!(folded(&directory(&name)), folded(&marked(&name)).replace("~~", "?"));
        }

        #[test]
        fn different_names_have_different_directories(a in levels(), b in levels()) {
            let (a, b) = (MailboxName::new(a).expect("a"), MailboxName::new(b).expect("b"));
            prop_assert_eq!(a == b, directory(&a) == directory(&b));
            prop_assert_eq!(a == b, folded(&marked(&a)) == folded(&marked(&b)));
        }
    }
}
