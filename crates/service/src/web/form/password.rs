//! Passwords as they are typed. Full-width characters and blanks at the ends are noticed, since they come from an input
//! method or from pasting; they are changed only when the person says so, since they may belong to the password.

use super::Wrong;
use crate::web::Fields;
use hikyaku_net::Secret;
use hikyaku_text::page::form::wrong as t;
use hikyaku_text::{Count, Lang};
use zeroize::Zeroizing;

/// Longest password in characters.
const MOST: usize = 1_000;

/// A password field, and the choice beside it (`FIELD_width`).
pub(crate) fn read(
    fields: &Fields,
    field: &'static str,
    mark: &str,
    missing: String,
    lang: Lang,
) -> Result<Secret, Wrong> {
    let typed = fields.text(field);
    if typed.is_empty() {
        return Err(Wrong::at(field, missing));
    }
    if typed.chars().count() > MOST {
        return Err(Wrong::at(field, t::too_long(Count(MOST as u64), lang)));
    }
    if typed.contains(char::is_control) {
        return Err(Wrong::at(field, t::odd_characters(lang)));
    }
    let width = format!("{field}_width");
    match (oddity(typed), fields.text(&width)) {
        (None, _) | (Some(_), "keep") => Ok(Secret::from(typed)),
        (Some(_), "narrow") => match narrow(typed) {
            text if text.is_empty() => Err(Wrong::at(field, missing)),
            text => Ok(Secret::from(text.as_str())),
        },
        (Some(Oddity::FullWidth), _) => Err(Wrong::at(field, t::full_width(mark, lang))),
        (Some(Oddity::Blanks), _) => Err(Wrong::at(field, t::blanks(mark, lang))),
    }
}

/// What is noticed about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    FullWidth,
    Blanks,
}

pub(crate) fn oddity(text: &str) -> Option<Oddity> {
    if text.contains(is_full_width) {
        return Some(Oddity::FullWidth);
    }
    (text.trim() != text).then_some(Oddity::Blanks)
}

/// Letters, digits and signs of twice the width, and the blank of Japanese text.
fn is_full_width(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{3000}')
}

fn narrow(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.trim().chars() {
        out.push(match c {
            '\u{3000}' => ' ',
            c if is_full_width(c) => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            c => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(password: &str, width: &str) -> Result<Vec<u8>, String> {
        let mut body = String::from("p=");
        for octet in password.bytes() {
            body.push_str(&format!("%{octet:02x}"));
        }
        let fields = Fields::parse(format!("{body}&p_width={width}").as_bytes()).expect("a form");
        let read = read(&fields, "p", "④", "missing".to_owned(), Lang::En);
        read.map(|secret| secret.expose().to_vec())
            .map_err(|wrong| wrong.text)
    }

    #[test]
    fn a_password_is_changed_only_on_request() {
        let full = t::full_width("④", Lang::En);
        let blanks = t::blanks("④", Lang::En);
        for (password, width, read) in [
            ("plain-9b1c", "", Ok("plain-9b1c")),
            ("パスワード", "", Ok("パスワード")),
            ("in side", "", Ok("in side")),
            ("ｐａｓｓ１！", "", Err(full.as_str())),
            ("ｐａｓｓ１！", "keep", Ok("ｐａｓｓ１！")),
            ("ｐａｓｓ１！", "narrow", Ok("pass1!")),
            ("a\u{3000}b", "", Err(full.as_str())),
            ("a\u{3000}b", "narrow", Ok("a b")),
            (" pass ", "", Err(blanks.as_str())),
            (" pass ", "keep", Ok(" pass ")),
            (" pass ", "narrow", Ok("pass")),
            ("\u{3000}", "narrow", Err("missing")),
            ("", "", Err("missing")),
            ("a\r\nb", "keep", Err(t::odd_characters(Lang::En).as_str())),
            ("plain", "nonsense", Ok("plain")),
        ] {
            let expected = read
                .map(|r| r.as_bytes().to_vec())
                .map_err(ToOwned::to_owned);
            assert_eq!(typed(password, width), expected, "{password} {width}");
        }
        assert!(typed(&"x".repeat(MOST), "").is_ok() && typed(&"x".repeat(MOST + 1), "").is_err());
    }
}
