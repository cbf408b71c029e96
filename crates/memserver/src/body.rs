//! The octets of one message: held in memory, or computed when somebody reads them.

use bytes::{Bytes, BytesMut};

/// The longest piece that a generated message makes at once.
const PIECE: u64 = 64 * 1024;
/// Length of a generated line with its CRLF.
const LINE: u64 = 78;

/// The header field that names the seed of a recognisable message.
const SEED: &str = "X-Seed: ";

/// The octets of a message. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Held(Bytes),
    Generated {
        header: Bytes,
        octets: u64,
        seed: u64,
    },
}

impl Body {
    /// A message of exactly `octets` octets, or of its header's length if that
    /// is more. `header` ends with the empty line; what follows it are lines of
    /// base64-like text computed from `seed`, the same at every reading. Takes
    /// no memory, whatever its length.
    pub fn generated(header: impl Into<Bytes>, octets: u64, seed: u64) -> Self {
        let header = header.into();
        let octets = octets.max(header.len() as u64);
        Self(Kind::Generated {
            header,
            octets,
            seed,
        })
    }

    /// A generated message whose header names the seed in `X-Seed`, so that a server to which it is appended knows it
    /// again.
    pub fn recognisable(header: &str, octets: u64, seed: u64) -> Self {
        Self::generated(format!("{header}{SEED}{seed}\r\n\r\n"), octets, seed)
    }

    /// These octets; without memory for them when they are exactly those of a [`Body::recognisable`] message: many
    /// servers' worth of mail can then be kept in one process.
    pub(crate) fn recognised(octets: Bytes) -> Self {
        let header = octets.slice(..header_end(&octets));
        let seed = std::str::from_utf8(&header).ok().and_then(|header| {
            let line = header.lines().find_map(|line| line.strip_prefix(SEED));
            line?.parse().ok()
        });
        let Some(seed) = seed else {
            return octets.into();
        };
        // A copy of its own: the header must not keep the whole message.
        let header = Bytes::copy_from_slice(&header);
        let length = octets.len() as u64;
        let generated = Self::generated(header, length, seed);
        let mut at = 0;
        while at < length {
            let piece = generated.piece(at, length);
            let end = at + piece.len() as u64;
            if piece != octets[index(at)..index(end)] {
                return octets.into();
            }
            at = end;
        }
        generated
    }

    /// Length of the message.
    pub fn octets(&self) -> u64 {
        match &self.0 {
            Kind::Held(bytes) => bytes.len() as u64,
            Kind::Generated { octets, .. } => *octets,
        }
    }

    /// The whole message at once; for tests and small messages.
    pub fn bytes(&self) -> Bytes {
        match &self.0 {
            Kind::Held(bytes) => bytes.clone(),
            Kind::Generated { octets, .. } => {
                let mut whole = BytesMut::new();
                while (whole.len() as u64) < *octets {
                    whole.extend_from_slice(&self.piece(whole.len() as u64, *octets));
                }
                whole.freeze()
            }
        }
    }

    /// The octets from `at` up to `end`, as many of them as are at hand without
    /// effort; empty only when there are none.
    pub(crate) fn piece(&self, at: u64, end: u64) -> Bytes {
        let end = end.min(self.octets());
        if at >= end {
            return Bytes::new();
        }
        match &self.0 {
            Kind::Held(bytes) => bytes.slice(index(at)..index(end)),
            Kind::Generated { header, .. } if at < header.len() as u64 => {
                header.slice(index(at)..index(end).min(header.len()))
            }
            Kind::Generated {
                header,
                octets,
                seed,
            } => {
                let from = at - header.len() as u64;
                let to = (end - header.len() as u64).min(from + PIECE);
                generate(*seed, from, to, octets - header.len() as u64)
            }
        }
    }

    /// The header with the empty line that ends it; the whole message when it
    /// has none.
    pub(crate) fn header(&self) -> Bytes {
        match &self.0 {
            Kind::Held(bytes) => bytes.slice(..header_end(bytes)),
            Kind::Generated { header, .. } => header.clone(),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(octets: T) -> Self {
        Self(Kind::Held(octets.into()))
    }
}

/// Where the body begins: after the first empty line.
pub(crate) fn header_end(message: &[u8]) -> usize {
    let mut line = 0;
    for newline in memchr::memchr_iter(b'\n', message) {
        let length = newline - line;
        if length == 0 || (length == 1 && message[line] == b'\r') {
            return newline + 1;
        }
        line = newline + 1;
    }
    message.len()
}

/// Octets `from..to` of a generated text of `total` octets.
fn generate(seed: u64, from: u64, to: u64, total: u64) -> Bytes {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = BytesMut::with_capacity(index(to - from));
    let mut at = from;
    while at < to {
        let (line, column) = (at / LINE, at % LINE);
        // The message ends with CRLF even when its last line is short.
        let octet = match column {
            _ if at + 1 == total => b'\n',
            _ if at + 2 == total => b'\r',
            76 => b'\r',
            77 => b'\n',
            _ => {
                let word = mix(seed ^ (line << 4) ^ (column / 10).wrapping_mul(0x9e37_79b9));
                ALPHABET[((word >> (column % 10 * 6)) & 63) as usize]
            }
        };
        text.extend_from_slice(&[octet]);
        at += 1;
    }
    text.freeze()
}

/// The finaliser of SplitMix64: each input bit moves every output bit.
pub(crate) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Lengths inside one message fit the address space: they come from held bytes
/// or from pieces of at most `PIECE`.
fn index(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recognisable_message_is_known_again_and_any_other_is_kept() {
        let body = Body::recognisable("Subject: a\r\n", 200_000, 7);
        let octets = body.bytes();
        assert_eq!(octets.len(), 200_000);
        assert_eq!(Body::recognised(octets.clone()), body);
        let mut changed = octets.to_vec();
        changed[150_000] ^= 1;
        let changed = Bytes::from(changed);
        assert_eq!(Body::recognised(changed.clone()), Body::from(changed));
        let other = Bytes::from_static(b"Subject: a\r\n\r\ntext\r\n");
        assert_eq!(Body::recognised(other.clone()), Body::from(other));
    }

    #[test]
    fn a_generated_message_has_its_length_and_reads_the_same_in_pieces() {
        let body = Body::generated("Subject: big\r\n\r\n", 200_003, 7);
        let whole = body.bytes();
        assert_eq!(whole.len(), 200_003);
        assert!(whole.starts_with(b"Subject: big\r\n\r\n") && whole.ends_with(b"\r\n"));
        let mut at = 0;
        let mut joined = Vec::new();
        while at < body.octets() {
            let piece = body.piece(at, (at + 997).min(body.octets()));
            assert!(!piece.is_empty());
            joined.extend_from_slice(&piece);
            at += piece.len() as u64;
        }
        assert_eq!(joined, whole);
        assert!(whole.split(|b| *b == b'\n').all(|line| line.len() <= 77));
        assert_ne!(
            whole,
            Body::generated("Subject: big\r\n\r\n", 200_003, 8).bytes()
        );
    }

    #[test]
    fn the_header_ends_after_the_first_empty_line() {
        for (message, header) in [
            ("A: b\r\n\r\ntext", "A: b\r\n\r\n"),
            ("A: b\n\ntext", "A: b\n\n"),
            ("\r\ntext", "\r\n"),
            ("no header at all", "no header at all"),
            ("", ""),
        ] {
            assert_eq!(Body::from(message.to_owned()).header(), header.as_bytes());
        }
    }
}
