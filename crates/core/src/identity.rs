//! When two messages are the same message.
//!
//! Content is known by BLAKE3 over its octets. Candidates are found by a digest of
//! chosen header fields, which survives what servers are known to rewrite. A
//! message that a server altered is recognised by its *normal form*. Message-ID alone
//! is never an identity: it may be missing, repeated or rewritten.

use std::fmt;

/// BLAKE3-256 over the octets of a message as read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// Name of the algorithm, as stored beside the hash.
    pub const ALGORITHM: &'static str = "blake3";

    /// Of octets at hand.
    pub fn of(octets: &[u8]) -> Self {
        Self(*blake3::hash(octets).as_bytes())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for ContentHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// First 16 octets of BLAKE3 over the folded header fields Message-ID, Date, From
/// and Subject: equal for a message and its copy on a server that refolds headers or replaces
/// 8-bit octets in them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeadDigest(pub [u8; 16]);

impl fmt::Debug for HeadDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl HeadDigest {
    /// The fields that count, in lower case.
    pub const FIELDS: [&'static str; 4] = ["message-id", "date", "from", "subject"];

    /// Longest header that is looked at, in octets; the rest of a longer one does not count.
    pub const MAX_HEADER: usize = 256 * 1024;

    /// Of a message, a header, or only the fields of [`Self::FIELDS`]: all give the
    /// same digest as long as the header is within [`Self::MAX_HEADER`].
    pub fn of(octets: &[u8]) -> Self {
        let octets = &octets[..octets.len().min(Self::MAX_HEADER)];
        let mut fields: Vec<(usize, Vec<u8>)> = Vec::new();
        for (name, value) in header_fields(octets) {
            let which = Self::FIELDS
                .iter()
                .position(|f| f.as_bytes().eq_ignore_ascii_case(name));
            if let Some(which) = which {
                fields.push((which, fold(value)));
            }
        }
        fields.sort();
        let mut hasher = blake3::Hasher::new();
        for (which, value) in fields {
            hasher.update(&[which as u8]);
            hasher.update(&value);
            hasher.update(&[0]);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(digest)
    }
}

/// White space runs become one blank, edges go, 8-bit octets, `NUL` and `X` become one.
fn fold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for &octet in value {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => {
                if out.last().is_some_and(|&l| l != b' ') {
                    out.push(b' ');
                }
            }
            0 | 0x80.. => out.push(b'X'),
            _ => out.push(octet),
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
    out
}

/// The header fields as (name, value with its folds), up to the first empty line.
/// Lines that are no field are passed over.
pub fn header_fields(octets: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let mut end = line_end(rest, 0);
            let first = trim_line(&rest[..end]);
            if first.is_empty() {
                rest = &[];
                return None;
            }
            while end < rest.len() && matches!(rest[end], b' ' | b'\t') {
                end = line_end(rest, end);
            }
            let field = &rest[..end];
            rest = &rest[end..];
            let name_end = field.iter().position(|&b| b == b':');
            if let Some(at) = name_end.filter(|&at| at < first.len()) {
                return Some((field[..at].trim_ascii(), trim_line(&field[at + 1..])));
            }
        }
    })
}

fn line_end(octets: &[u8], from: usize) -> usize {
    octets[from..]
        .iter()
        .position(|&b| b == b'\n')
        .map_or(octets.len(), |at| from + at + 1)
}

fn trim_line(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Hash of the *normal form*: what stays of a message under every rewrite that
/// the servers in the field are known to make. Line ends are one, closing
/// empty lines are gone, `NUL` and 0x80 are one, 8-bit octets in the header and `X` are one.
///
/// Equal normal forms with unequal content mean: stored, altered.
#[derive(Clone)]
pub struct NormalForm {
    hasher: blake3::Hasher,
    /// Line ends held back until something follows them.
    line_ends: u64,
    in_header: bool,
    line_is_empty: bool,
    buffer: Vec<u8>,
    /// The same of what follows the header.
    body: blake3::Hasher,
    has_body: bool,
}

impl Default for NormalForm {
    fn default() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            line_ends: 0,
            in_header: true,
            line_is_empty: true,
            buffer: Vec::new(),
            body: blake3::Hasher::new(),
            has_body: false,
        }
    }
}

impl NormalForm {
    /// Takes the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.buffer.clear();
        for &octet in octets {
            match octet {
                b'\r' => {}
                b'\n' => {
                    if self.line_is_empty && self.in_header {
                        self.flush();
                        self.in_header = false;
                    }
                    self.line_is_empty = true;
                    self.line_ends += 1;
                }
                _ => {
                    while self.line_ends > 0 {
                        self.buffer.push(b'\n');
                        self.line_ends -= 1;
                        if self.buffer.len() > 1 << 16 {
                            self.flush();
                        }
                    }
                    self.line_is_empty = false;
                    self.buffer.push(match octet {
                        0 | 0x80.. if self.in_header => b'X',
                        0 => 0x80,
                        _ => octet,
                    });
                }
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        self.hasher.update(&self.buffer);
        if !self.in_header && !self.buffer.is_empty() {
            self.body.update(&self.buffer);
            self.has_body = true;
        }
        self.buffer.clear();
    }

    /// The hash of what followed the header; `None` when nothing did.
    ///
    /// Together with an equal [`HeadDigest`] it recognises a message to whose header a
    /// server has added fields.
    pub fn body(&self) -> Option<ContentHash> {
        self.has_body
            .then(|| ContentHash(*self.body.finalize().as_bytes()))
    }

    /// The hash of everything taken.
    pub fn finish(&self) -> ContentHash {
        ContentHash(*self.hasher.finalize().as_bytes())
    }

    /// Of octets at hand.
    pub fn of(octets: &[u8]) -> ContentHash {
        let mut form = Self::default();
        form.update(octets);
        form.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAIL: &[u8] = b"Received: x\r\nMessage-ID: <a@b>\r\nSubject: =?utf-8?q?a?=\r\n  b\r\nFrom: c\r\nDate: d\r\n\r\nMessage-ID: <other>\r\n";

    #[test]
    fn head_digest_is_the_same_from_message_header_and_fields() {
        let fields =
            b"Subject:   =?utf-8?q?a?= b\r\nDate: d\r\nFrom: c\r\nMessage-ID: <a@b>\r\n\r\n";
        assert_eq!(HeadDigest::of(MAIL), HeadDigest::of(fields));
        assert_eq!(
            HeadDigest::of(MAIL),
            HeadDigest::of(&fields[..fields.len() - 2])
        );
    }

    #[test]
    fn head_digest_tells_fields_apart() {
        let a = HeadDigest::of(b"From: a\r\nSubject: b\r\n\r\n");
        assert_ne!(a, HeadDigest::of(b"From: b\r\nSubject: a\r\n\r\n"));
        assert_ne!(a, HeadDigest::of(b"From: a\r\nSubject: bc\r\n\r\n"));
        assert_ne!(
            a,
            HeadDigest::of(b"From: a\r\nFrom: a\r\nSubject: b\r\n\r\n")
        );
    }

    #[test]
    fn a_server_that_munges_8_bit_headers_is_seen_through() {
        let sent = "Subject: 件名\r\n\r\n本文\r\n".as_bytes();
        let mut stored = sent.to_vec();
        for octet in &mut stored[..sent.len() - 10] {
            if *octet >= 0x80 {
                *octet = b'X';
            }
        }
        assert_ne!(sent, stored);
        assert_eq!(HeadDigest::of(sent), HeadDigest::of(&stored));
        assert_eq!(NormalForm::of(sent), NormalForm::of(&stored));
        assert_ne!(ContentHash::of(sent), ContentHash::of(&stored));
    }

    #[test]
    fn normal_form_ignores_rewrites_and_nothing_else() {
        let form = NormalForm::of(b"A: b\r\n\r\nx\ny\r\n");
        for same in [
            &b"A: b\n\nx\r\ny"[..],
            b"A: b\r\n\r\nx\r\ny\r\n\r\n",
            b"A: b\r\n\r\nx\r\r\ny",
        ] {
            assert_eq!(form, NormalForm::of(same), "{}", same.escape_ascii());
        }
        for other in [
            &b"A: b\r\n\r\nxy"[..],
            b"A: b\r\n\r\nx\r\n\r\ny",
            b"A: b\r\n\r\nx\r\nz",
            b"A: b\r\nx\r\ny",
        ] {
            assert_ne!(form, NormalForm::of(other), "{}", other.escape_ascii());
        }
        assert_eq!(
            NormalForm::of(b"A:b\n\na\0"),
            NormalForm::of(b"A:b\n\na\x80")
        );
    }

    #[test]
    fn a_header_that_grew_leaves_the_body_as_it_was() {
        let body = |octets: &[u8]| {
            let mut form = NormalForm::default();
            form.update(octets);
            form.body()
        };
        let sent = body(b"Subject: a\r\n\r\nx\r\ny\r\n");
        assert!(sent.is_some());
        assert_eq!(sent, body(b"X-By: b\r\nSubject: a\r\n\r\nx\r\ny"));
        assert_ne!(sent, body(b"Subject: a\r\n\r\nx\r\nz\r\n"));
        assert_eq!(body(b"Subject: a\r\n\r\n"), None);
        assert_eq!(body(b"no header\r\n"), None);
    }

    proptest! {
        #[test]
        fn normal_form_does_not_depend_on_chunks(octets in prop::collection::vec(prop::sample::select(b"a:\r\n\0\x80X ".to_vec()), 0..60), cut in 0usize..60) {
            let cut = cut.min(octets.len());
            let mut form = NormalForm::default();
            form.update(&octets[..cut]);
            form.update(&octets[cut..]);
            prop_assert_eq!(form.finish(), NormalForm::of(&octets));
            let mut whole = NormalForm::default();
            whole.update(&octets);
            prop_assert_eq!(form.body(), whole.body());
        }

        #[test]
        fn digests_take_any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            HeadDigest::of(&octets);
            NormalForm::of(&octets);
        }
    }
}
