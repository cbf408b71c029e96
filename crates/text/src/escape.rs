//! Text from outside, made safe to show.
//!
//! Whatever a server or a message says may try to move a cursor, hide text or turn its
//! direction round. HTML and mail have escapes of their own where they are written; these here are for
//! terminals, plain text and CSV.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is not seen, or changes how its neighbours are shown: controls,
/// line and paragraph separators, bidirectional controls and other format characters.
/// U+200D joins emoji into one and U+FE0F colours them: both stay.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text with U+FFFD in place of every character that is not seen. For sentences.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let seen = |c| if is_unseen(c) { '\u{fffd}' } else { c };
    Cow::Owned(text.chars().map(seen).collect())
}

/// The text with every character that is not seen spelled out, such as `\u{202e}` or
/// `\n`, and a backslash doubled: nothing is lost and nothing is hidden. For records.
pub fn spelled_out(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c == '\\' || is_unseen(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_unseen(c) => {
                // Writing to a String cannot fail.
                write!(out, "\\u{{{:x}}}", u32::from(c)).ok();
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A cell of comma-separated values (RFC 4180): quoted where it must be, and without what
/// would act on a terminal. A text that a spreadsheet would take for a formula, also in
/// full-width signs, gets an apostrophe in front: subjects come from anybody.
pub fn csv_cell(text: &str) -> String {
    let text = clean(text);
    let begins = text.trim_start_matches([' ', '\u{3000}', '\u{fffd}']);
    match begins.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        true => format!("\"'{}\"", text.replace('"', "\"\"")),
        false if text.contains([',', '"', ';']) => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into_owned(),
    }
}

/// Percent-encoding (RFC 3986 §2.1) of every ASCII character that `stands` does not let through, and of whatever
/// would not be seen. Other letters stand as people write them.
pub fn percent(text: &str, stands: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = match c.is_ascii() {
            true => stands(c),
            false => !c.is_whitespace() && !is_unseen(c),
        };
        if plain {
            out.push(c);
        } else {
            let mut octets = [0; 4];
            for octet in c.encode_utf8(&mut octets).bytes() {
                // Writing to a String cannot fail.
                write!(out, "%{octet:02X}").ok();
            }
        }
    }
    out
}

/// A user name as part of a locator or an account's identity: `@` and `*` stand as they are, `:` and `/` would divide.
pub fn percent_user(text: &str) -> String {
    percent(text, |c| {
        c.is_ascii_alphanumeric() || "@-._~+*=!".contains(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_terminal_cannot_be_driven() {
        for (text, cleaned, spelled) in [
            ("請求書 📁", "請求書 📁", "請求書 📁"),
            ("a\u{1b}[2Jb", "a\u{fffd}[2Jb", "a\\u{1b}[2Jb"),
            ("x\r\ny\t", "x\u{fffd}\u{fffd}y\u{fffd}", "x\\r\\ny\\t"),
            ("\u{202e}gpj.exe", "\u{fffd}gpj.exe", "\\u{202e}gpj.exe"),
            ("\u{9b}31m", "\u{fffd}31m", "\\u{9b}31m"),
            ("a\\b", "a\\b", "a\\\\b"),
            ("👩\u{200d}💻", "👩\u{200d}💻", "👩\u{200d}💻"),
        ] {
            assert_eq!(clean(text), cleaned);
            assert_eq!(spelled_out(text), spelled);
        }
    }

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, shown) in [
            ("a", "a"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\r\nb", "a\u{fffd}\u{fffd}b"),
            ("a\u{1b}[2Jb\u{202e}", "a\u{fffd}[2Jb\u{fffd}"),
            ("\t=1+1", "\"'\u{fffd}=1+1\""),
            (" =1+1", "\"' =1+1\""),
            ("+81-3-1234", "\"'+81-3-1234\""),
            ("＝1＋1", "\"'＝1＋1\""),
            ("a;b", "\"a;b\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            ("受信トレイ", "受信トレイ"),
        ] {
            assert_eq!(csv_cell(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_unseen_is_left(text in any::<String>()) {
            prop_assert!(!clean(&text).contains(is_unseen));
            prop_assert!(!spelled_out(&text).contains(is_unseen));
            prop_assert_eq!(clean(&text).chars().count(), text.chars().count());
        }

        #[test]
        fn different_texts_are_spelled_differently(a in "[\\\\a\u{1b}\u{202e}{}u1be2\n]{0,6}", b in "[\\\\a\u{1b}\u{202e}{}u1be2\n]{0,6}") {
            prop_assert_eq!(a == b, spelled_out(&a) == spelled_out(&b));
        }
    }
}
