//! Modified UTF-7 (RFC 3501 §5.1.3, RFC 9051 Appendix A), and what servers make of it.
//!
//! Decoding is for people; commands are always sent with the server's own octets.
//! So nothing is refused: what cannot be decoded is shown as it is written.

/// A name as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// For people and for mapping.
    pub(crate) text: String,
    /// Whether the octets are exactly what [`encode`] makes of the text. If not, the
    /// server wrote an encoding that differs from the rules, raw 8-bit octets included.
    pub(crate) exact: bool,
}

/// The characters of base64 here: a comma in place of the solidus, no padding.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Reads a name or a part of one.
///
/// Raw UTF-8 is taken as it is; octets that are not UTF-8 become the characters
/// U+0080 … U+00FF of the same value, so that different names stay different.
pub(crate) fn decode(wire: &[u8]) -> Decoded {
    let mut text = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some(at) = memchr::memchr(b'&', rest) {
        push_raw(&mut text, &rest[..at]);
        match shifted(&rest[at + 1..]) {
            Some((decoded, length)) => {
                text.push_str(&decoded);
                rest = &rest[at + 1 + length..];
            }
            None => {
                text.push('&');
                rest = &rest[at + 1..];
            }
        }
    }
    push_raw(&mut text, rest);
    let exact = encode(&text) == wire;
    Decoded { text, exact }
}

/// Writes a name or a part of one. The result is printable ASCII.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    for c in text.chars() {
        if is_direct(c) {
            flush(&mut out, &mut units);
            out.push(c as u8);
            if c == '&' {
                out.push(b'-');
            }
        } else {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut out, &mut units);
    out
}

/// How long the shift sequence is that begins at an `&`, which is included, up to and
/// with its `-`; `None` when there is no well-formed one.
pub(crate) fn shift_length(wire: &[u8]) -> Option<usize> {
    let after = wire.strip_prefix(b"&")?;
    shifted(after).map(|(_, length)| length + 1)
}

fn is_direct(c: char) -> bool {
    matches!(c, ' '..='~')
}

fn push_raw(text: &mut String, octets: &[u8]) {
    match std::str::from_utf8(octets) {
        Ok(valid) => text.push_str(valid),
        Err(_) => text.extend(octets.iter().map(|&octet| char::from(octet))),
    }
}

/// From behind `&`: the text, and how many octets up to and with the `-`.
fn shifted(wire: &[u8]) -> Option<(String, usize)> {
    // The first octet that is not base64 has to be the end; looking for a `-` anywhere
    // would be quadratic in a name full of ampersands.
    let length = wire.iter().position(|&octet| value(octet).is_none())?;
    if wire[length] != b'-' {
        return None;
    }
    if length == 0 {
        return Some(("&".to_owned(), 1));
    }
    let mut units = Vec::with_capacity(length * 6 / 16);
    let (mut bits, mut count) = (0u32, 0);
    for &octet in &wire[..length] {
        bits = bits << 6 | u32::from(value(octet)?);
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push((bits >> count) as u16);
            bits &= (1 << count) - 1;
        }
    }
    // What is left are filling bits: fewer than a digit, and zero.
    if count >= 6 || bits != 0 {
        return None;
    }
    let text = String::from_utf16(&units).ok()?;
    Some((text, length + 1))
}

fn value(octet: u8) -> Option<u8> {
    match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b',' => Some(63),
        _ => None,
    }
}

fn flush(out: &mut Vec<u8>, units: &mut Vec<u16>) {
    if units.is_empty() {
        return;
    }
    out.push(b'&');
    let (mut bits, mut count) = (0u32, 0);
    for unit in units.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            out.push(ALPHABET[(bits >> count & 63) as usize]);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        out.push(ALPHABET[(bits << (6 - count) & 63) as usize]);
    }
    out.push(b'-');
}

/// One character in modified UTF-7 even where it could stand for itself: the only way to
/// spell a separator inside a level.
pub(crate) fn encode_shifted(c: char) -> Vec<u8> {
    let mut out = Vec::new();
    flush(&mut out, &mut c.encode_utf16(&mut [0; 2]).to_vec());
    out
}

#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
