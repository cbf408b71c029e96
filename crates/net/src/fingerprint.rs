//! Names of certificates by their content.

use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// SHA-256 over the DER octets of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAFingerprint;

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// Reads 64 hexadecimal digits of either case; colons and blanks between
    /// them and a leading `SHA256:` or `sha256 Fingerprint=` (as OpenSSL prints it) do not count.
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let text = text.trim();
        let digits = match text.rsplit_once('=') {
            Some((_, digits)) => digits,
            None if text
                .get(..7)
                .is_some_and(|p| p.eq_ignore_ascii_case("sha256:")) =>
            {
                &text[7..]
            }
            None => text,
        };
        let mut digest = [0u8; 32];
        let mut count = 0;
        for c in digits.chars().filter(|c| !matches!(c, ':' | ' ')) {
            let value = c.to_digit(16).ok_or(NotAFingerprint)?;
            let octet = digest.get_mut(count / 2).ok_or(NotAFingerprint)?;
            *octet = *octet << 4 | value as u8;
            count += 1;
        }
        if count == 64 {
            Ok(Self(digest))
        } else {
            Err(NotAFingerprint)
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, octet) in self.0.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl fmt::Display for NotAFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SHA-256 fingerprint is 64 hexadecimal digits")
    }
}

impl std::error::Error for NotAFingerprint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_spelling_is_read() {
        let print = Fingerprint::of(b"abc");
        let shown = print.to_string();
        assert!(shown.starts_with("BA:78:16:BF"), "{shown}");
        let bare = shown.replace(':', "").to_lowercase();
        for spelling in [
            shown.clone(),
            bare.clone(),
            format!("SHA256:{bare}"),
            format!("sha256:{shown}"),
            format!("sha256 Fingerprint={shown}\n"),
        ] {
            assert_eq!(spelling.parse(), Ok(print), "{spelling}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let bare = "ab".repeat(32);
        for text in [
            "",
            "zz",
            &bare[1..],
            &format!("{bare}0"),
            &"é".repeat(64),
            "sha256:",
            "日本語日本語",
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }
}
