//! Octets to characters.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, WINDOWS_1252};
use std::borrow::Cow;

/// Text of octets that no one declared the character set of.
///
/// Lossless: what cannot be understood is spelled out octet by octet.
pub(super) fn detect(octets: &[u8]) -> Cow<'_, str> {
    let escapes = octets.windows(2).any(|w| w == b"\x1b$" || w == b"\x1b(");
    if escapes && let Some(text) = decode_with(ISO_2022_JP, octets) {
        return text;
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        return Cow::Borrowed(text);
    }
    let candidates = if looks_western(octets) {
        vec![WINDOWS_1252]
    } else {
        vec![SHIFT_JIS, EUC_JP]
    };
    // Either of the two often reads the other without an error, but then as half-width kana.
    let best = candidates
        .into_iter()
        .filter_map(|encoding| decode_with(encoding, octets))
        .min_by_key(|text| text.chars().filter(|c| is_unlikely(*c)).count());
    best.unwrap_or_else(|| Cow::Owned(spelled_out(octets)))
}

/// Text of octets whose character set is declared by a label; `None` when it is not true.
pub(super) fn decode_labelled(label: &[u8], octets: &[u8]) -> Option<String> {
    let label = String::from_utf8_lossy(label).to_ascii_lowercase();
    if let Some(encoding) = encoding_of(&label) {
        // ASCII with other octets is a label that nobody thought about.
        let is_careless = matches!(label.as_str(), "us-ascii" | "ascii" | "ansi_x3.4-1968");
        if is_careless && !octets.is_ascii() {
            return None;
        }
        return decode_with(encoding, octets).map(Cow::into_owned);
    }
    let rare = mail_parser::decoders::charsets::map::charset_decoder(label.as_bytes())?;
    Some(rare(octets)).filter(|text| !text.contains('\u{fffd}'))
}

fn encoding_of(label: &str) -> Option<&'static Encoding> {
    // Names that mail programs use and the registry of the web does not know.
    let known = match label {
        "cp932" | "ms932" | "windows-932" | "windows31j" | "x-ms-cp932" | "mskanji" | "s-jis"
        | "shift-jisx0213" | "shift_jisx0213" | "shift_jis-2004" | "shift_jis_2004" => "shift_jis",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-2004"
        | "iso-2022-jp-ms" | "x-iso-2022-jp" | "cp50220" | "cp50221" | "cp50222" | "jis"
        | "iso2022jp" | "iso2022-jp" => "iso-2022-jp",
        "eucjp" | "euc_jp" | "ujis" | "cp51932" | "eucjp-ms" | "eucjp-win" | "euc-jp-ms"
        | "euc-jisx0213" | "euc-jis-2004" => "euc-jp",
        "cp949" | "ms949" | "x-windows-949" | "uhc" => "euc-kr",
        "cp936" | "ms936" => "gbk",
        "cp950" | "ms950" => "big5",
        "utf_8" | "utf8mb4" | "utf-8-sig" => "utf-8",
        other => other,
    };
    Encoding::for_label(known.as_bytes())
}

fn decode_with<'a>(encoding: &'static Encoding, octets: &'a [u8]) -> Option<Cow<'a, str>> {
    if encoding != ISO_2022_JP {
        return encoding.decode_without_bom_handling_and_without_replacement(octets);
    }
    // The later sets hold JIS X 0208; what they hold besides is rare enough.
    let mut plain: Option<Vec<u8>> = None;
    for escape in [b"\x1b$(O", b"\x1b$(Q", b"\x1b$(B", b"\x1b$(@"] {
        let text = plain.as_deref().unwrap_or(octets);
        if text.windows(escape.len()).any(|w| w == escape) {
            plain = Some(replaced(text, escape, b"\x1b$B"));
        }
    }
    match plain {
        None => encoding.decode_without_bom_handling_and_without_replacement(octets),
        Some(plain) => encoding
            .decode_without_bom_handling_and_without_replacement(&plain)
            .map(|text| Cow::Owned(text.into_owned())),
    }
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    out
}

/// Single letters of Latin-1 inside ASCII words: no Japanese encoding has lone octets of
/// that range as the first of a pair so regularly.
fn looks_western(octets: &[u8]) -> bool {
    let is_high = |at: usize| octets.get(at).is_some_and(|o| *o >= 0x80);
    let mut letters = (0..octets.len()).filter(|at| is_high(*at)).peekable();
    letters.peek().is_some()
        && letters.all(|at| {
            let lone = !is_high(at + 1) && (at == 0 || !is_high(at - 1));
            lone && octets[at] >= 0xc0
        })
}

fn is_unlikely(c: char) -> bool {
    matches!(c, '\u{ff61}'..='\u{ff9f}' | '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}')
}

/// ASCII as it is, every other octet as `\xe9`.
fn spelled_out(octets: &[u8]) -> String {
    let spell = |octet: &u8| match octet {
        0x80.. => format!("\\x{octet:02x}"),
        ascii => char::from(*ascii).to_string(),
    };
    octets.iter().map(spell).collect()
}

/// Octets of an encoded word: as declared, or as guessed where that is not true.
pub(super) fn decode_word(label: &[u8], octets: &[u8]) -> String {
    decode_labelled(label, octets).unwrap_or_else(|| detect(octets).into_owned())
}

/// Whether two labels mean the same character set.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let of = |label: &[u8]| encoding_of(&String::from_utf8_lossy(label).to_ascii_lowercase());
    one.eq_ignore_ascii_case(other) || of(one).is_some_and(|encoding| of(other) == Some(encoding))
}
