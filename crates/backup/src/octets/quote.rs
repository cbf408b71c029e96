//! The quotes of mboxrd: a line that begins with `From `, behind any number of `>`, gets one
//! more `>`; reading takes it off again. Works on pieces, since messages come in pieces.

const FROM: &[u8] = b"From ";

/// Where in a line the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Behind so many octets of `From ` at the start of the line, after any number of `>`.
    Start(usize),
    /// Anywhere else.
    Inside,
}

/// Puts quotes in.
#[derive(Debug)]
pub(crate) struct Quoter(At);

impl Default for Quoter {
    fn default() -> Self {
        Self(At::Start(0))
    }
}

impl Quoter {
    /// Takes a piece of a message and adds what goes into the mbox.
    pub(crate) fn put(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some((&octet, rest)) = piece.split_first() {
            match self.0 {
                At::Inside => {
                    let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
                    out.extend_from_slice(&piece[..end]);
                    if piece[end - 1] == b'\n' {
                        self.0 = At::Start(0);
                    }
                    piece = &piece[end..];
                }
                At::Start(0) if octet == b'>' => {
                    out.push(octet);
                    piece = rest;
                }
                At::Start(n) if octet == FROM[n] => {
                    piece = rest;
                    if n + 1 == FROM.len() {
                        out.push(b'>');
                        out.extend_from_slice(FROM);
                        self.0 = At::Inside;
                    } else {
                        self.0 = At::Start(n + 1);
                    }
                }
                At::Start(n) => {
                    out.extend_from_slice(&FROM[..n]);
                    self.0 = At::Inside;
                }
            }
        }
    }

    /// Adds what was held back at the end of the message.
    pub(crate) fn end(self, out: &mut Vec<u8>) {
        if let At::Start(n) = self.0 {
            out.extend_from_slice(&FROM[..n]);
        }
    }
}

/// Takes quotes off.
#[derive(Debug)]
pub(crate) struct Unquoter {
    at: At,
    /// A `>` that may be a quote.
    held: bool,
}

impl Default for Unquoter {
    fn default() -> Self {
        Self {
            at: At::Start(0),
            held: false,
        }
    }
}

impl Unquoter {
    /// Takes a piece of the mbox and adds what belongs to the message.
    pub(crate) fn put(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some((&octet, rest)) = piece.split_first() {
            match self.at {
                At::Inside => {
                    let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
                    out.extend_from_slice(&piece[..end]);
                    if piece[end - 1] == b'\n' {
                        self.at = At::Start(0);
                    }
                    piece = &piece[end..];
                }
                At::Start(0) if octet == b'>' => {
                    if self.held {
                        out.push(octet);
                    }
                    self.held = true;
                    piece = rest;
                }
                At::Start(n) if octet == FROM[n] => {
                    piece = rest;
                    if n + 1 == FROM.len() {
                        self.held = false;
                        out.extend_from_slice(FROM);
                        self.at = At::Inside;
                    } else {
                        self.at = At::Start(n + 1);
                    }
                }
                At::Start(n) => {
                    self.let_go(n, out);
                    self.at = At::Inside;
                }
            }
        }
    }

    fn let_go(&mut self, n: usize, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.held) {
            out.push(b'>');
        }
        out.extend_from_slice(&FROM[..n]);
    }

    /// Adds what was held back at the end of the message.
    pub(crate) fn end(mut self, out: &mut Vec<u8>) {
        if let At::Start(n) = self.at {
            self.let_go(n, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut quoter, mut out) = (Quoter::default(), Vec::new());
        pieces.iter().for_each(|piece| quoter.put(piece, &mut out));
        quoter.end(&mut out);
        out
    }

    fn unquoted(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut unquoter, mut out) = (Unquoter::default(), Vec::new());
        pieces
            .iter()
            .for_each(|piece| unquoter.put(piece, &mut out));
        unquoter.end(&mut out);
        out
    }

    #[test]
    fn lines_are_quoted_as_mboxrd_says() {
        let message = b"From x\r\n>From y\r\n>>From z\r\nFrom\r\n From a\r\n>x\r\n\r\nFrom ";
        assert_eq!(
            quoted(&[message]),
            b">From x\r\n>>From y\r\n>>>From z\r\nFrom\r\n From a\r\n>x\r\n\r\n>From "
        );
    }

    proptest! {
        #[test]
        fn quotes_come_off_again_however_a_message_is_cut(
            octets in prop::collection::vec(prop::sample::select(b">>From \r\nx\0\xff".to_vec()), 0..60),
            cuts in (0usize..60, 0usize..90),
        ) {
            let cut = cuts.0.min(octets.len());
            let made = quoted(&[&octets]);
            prop_assert_eq!(&quoted(&[&octets[..cut], &octets[cut..]]), &made);
            let cut = cuts.1.min(made.len());
            prop_assert_eq!(unquoted(&[&made[..cut], &made[cut..]]), octets.clone());
            // No line of a message looks like the line between messages.
            prop_assert!(made.split(|o| *o == b'\n').all(|line| !line.starts_with(FROM)));
        }

        #[test]
        fn words_that_look_like_from(
            words in prop::collection::vec(prop::sample::select(vec!["From ", ">From ", ">", "\n", "Fro", "m ", "\r\n", "a"]), 0..20),
        ) {
            let octets = words.concat().into_bytes();
            prop_assert_eq!(unquoted(&[&quoted(&[&octets])]), octets);
        }
    }
}
