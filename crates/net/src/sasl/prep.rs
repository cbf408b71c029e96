//! SASLprep (RFC 4013) as far as it changes a text.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Maps and normalises a user name or password so that it means the same octets
/// on every keyboard.
///
/// ASCII and octets that are not UTF-8 stay as they are. Characters that RFC
/// 4013 §2.3 prohibits stay too: whether such a password is right is the
/// server's to decide.
pub(super) fn saslprep(octets: &[u8]) -> Zeroizing<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(octets) else {
        return Zeroizing::new(octets.to_vec());
    };
    if text.is_ascii() {
        return Zeroizing::new(octets.to_vec());
    }
    // NFKC makes a character at most 18 times as long in UTF-8's worst case; one allocation leaves no copies.
    let mut prepared = Zeroizing::new(Vec::with_capacity(octets.len() * 18));
    let mut buffer = [0u8; 4];
    for c in text.chars().filter_map(map).nfkc() {
        prepared.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
    prepared
}

/// RFC 4013 §2.1: other spaces become a space, characters "commonly mapped to
/// nothing" (RFC 3454 table B.1) vanish.
fn map(c: char) -> Option<char> {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Some(' ')
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{1806}'
        | '\u{180b}'..='\u{180d}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4013_section_3_examples() {
        let prepared = |text: &str| String::from_utf8(saslprep(text.as_bytes()).to_vec()).unwrap();
        assert_eq!(prepared("I\u{ad}X"), "IX");
        assert_eq!(prepared("user"), "user");
        assert_eq!(prepared("USER"), "USER");
        assert_eq!(prepared("\u{aa}"), "a");
        assert_eq!(prepared("\u{2168}"), "IX");
    }

    #[test]
    fn full_width_japanese_input_means_the_same_password() {
        assert_eq!(&saslprep("ｐａｓｓ\u{3000}１".as_bytes())[..], b"pass 1");
    }

    #[test]
    fn octets_that_are_no_text_stay() {
        assert_eq!(&saslprep(b"\xff\xfe")[..], b"\xff\xfe");
    }
}
