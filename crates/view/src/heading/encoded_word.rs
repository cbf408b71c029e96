//! Encoded words (RFC 2047), as they really occur.
//!
//! Characters cut in two by the end of a word are common, so neighbouring words of one
//! character set are put together before they are decoded.

use super::charset;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text with every encoded word decoded. Blanks between two of them are no text
/// (§6.2); whatever is no encoded word stays.
pub(super) fn decode_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<(&str, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((word, after)) = Word::read(from) else {
            close(&mut open, &mut out);
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            continue;
        };
        let octets = word.octets();
        let is_next = before.chars().all(char::is_whitespace);
        match &mut open {
            Some((label, held))
                if is_next && charset::is_same(label.as_bytes(), word.charset.as_bytes()) =>
            {
                held.extend(octets);
            }
            _ => {
                let had_one = open.is_some();
                close(&mut open, &mut out);
                if !(had_one && is_next) {
                    out.push_str(before);
                }
                open = Some((word.charset, octets));
            }
        }
        rest = after;
    }
    close(&mut open, &mut out);
    out.push_str(rest);
    out
}

fn close(open: &mut Option<(&str, Vec<u8>)>, out: &mut String) {
    if let Some((label, octets)) = open.take() {
        out.push_str(&charset::decode_word(label.as_bytes(), &octets));
    }
}

struct Word<'a> {
    charset: &'a str,
    is_base64: bool,
    text: &'a str,
}

impl<'a> Word<'a> {
    /// Reads `=?charset*language?B or Q?text?=` and gives back what follows it.
    fn read(from: &'a str) -> Option<(Self, &'a str)> {
        let (charset, rest) = from.strip_prefix("=?")?.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let is_base64 = match encoding {
            "B" | "b" => true,
            "Q" | "q" => false,
            _ => return None,
        };
        let (text, after) = rest.split_once("?=")?;
        let charset = charset.split('*').next().unwrap_or(charset);
        let is_label = !charset.is_empty() && charset.chars().all(|c| c.is_ascii_graphic());
        let word = Self {
            charset,
            is_base64,
            text,
        };
        // A word holds no question mark; blanks are wrong too, but occur.
        (is_label && !text.contains('?')).then_some((word, after))
    }

    fn octets(&self) -> Vec<u8> {
        match self.is_base64 {
            true => base64_octets(self.text),
            false => quoted_octets(self.text.as_bytes()),
        }
    }
}

/// Pieces between paddings are decoded one by one: some programs join encoded pieces.
fn base64_octets(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in text.split('=') {
        let mut piece: Vec<u8> = piece
            .bytes()
            .filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
            .collect();
        if piece.len() % 4 == 1 {
            piece.pop();
        }
        out.extend(LENIENT.decode(&piece).unwrap_or_default());
    }
    out
}

fn quoted_octets(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let hex = |digit: u8| char::from(digit).to_digit(16);
        match (first, after) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = tail;
                }
                _ => out.push(b'='),
            },
            (octet, _) => out.push(*octet),
        }
    }
    out
}
