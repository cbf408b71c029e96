//! Mailbox names between the wire's modified UTF-7 (RFC 3501 §5.1.3) and text.

/// Encodes text as modified UTF-7.
pub fn encode(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut shifted: Vec<u16> = Vec::new();
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            flush(&mut shifted, &mut wire);
            wire.push(character as u8);
            if character == '&' {
                wire.push(b'-');
            }
        } else {
            shifted.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut shifted, &mut wire);
    wire
}

/// Decodes modified UTF-7; `None` when the name is not valid, as some servers let in.
pub fn decode(wire: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut rest = wire;
    while let [first, after @ ..] = rest {
        rest = after;
        if !matches!(first, b' '..=b'~') {
            return None;
        }
        if *first != b'&' {
            text.push(char::from(*first));
            continue;
        }
        let end = rest.iter().position(|octet| *octet == b'-')?;
        let (shifted, after) = rest.split_at(end);
        rest = &after[1..];
        if shifted.is_empty() {
            text.push('&');
        } else {
            text.push_str(&String::from_utf16(&unshift(shifted)?).ok()?);
        }
    }
    Some(text)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

fn flush(shifted: &mut Vec<u16>, wire: &mut Vec<u8>) {
    if shifted.is_empty() {
        return;
    }
    wire.push(b'&');
    let (mut bits, mut count) = (0_u32, 0);
    for unit in shifted.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            wire.push(ALPHABET[(bits >> count & 63) as usize]);
        }
    }
    if count > 0 {
        wire.push(ALPHABET[(bits << (6 - count) & 63) as usize]);
    }
    wire.push(b'-');
}

fn unshift(shifted: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for octet in shifted {
        let value = ALPHABET.iter().position(|letter| letter == octet)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push((bits >> count & 0xffff) as u16);
        }
    }
    // What is left over must be less than a sextet of zero bits.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn names_survive_both_ways() {
        for (text, wire) in [
            ("INBOX", "INBOX"),
            ("R&D", "R&-D"),
            ("請求書", "&istsQmb4-"),
            ("受信トレイ/請求書", "&U9dP4TDIMOwwpA-/&istsQmb4-"),
            ("😀", "&2D3eAA-"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("\t", "&AAk-"),
        ] {
            assert_eq!(String::from_utf8(encode(text)).unwrap(), wire);
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_not_modified_utf7_is_not_decoded() {
        for wire in ["R&D", "&istsQmb4", "&ist*C2b4-", "&2D0-", "日本", "&A-"] {
            assert_eq!(decode(wire.as_bytes()), None, "{wire}");
        }
    }
}
