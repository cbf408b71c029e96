//! Octets to lines and message text (RFC 1939 §3), in any portions.
//!
//! Servers are believed to end a line with CRLF and to double a dot at its beginning. Those
//! that do not are understood as far as they can be:
//! - a bare LF ends a line too, and becomes CRLF;
//! - a single dot before other text is text: who doubles dots never sends one;
//! - a lone dot may be text that was not doubled: [`Framer::resume`] takes the end back;
//! - a dot behind the last octet of a message without a line end at its end is the end when
//!   the message has its announced length and an answer follows.

use bytes::{Buf, BytesMut};

/// Longest line of an answer or a list, in octets. RFC 2449 §4 allows 512.
pub(crate) const LONGEST_LINE: usize = 8 * 1024;

/// A line that does not end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// How far the text of a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// More octets are needed. `is_doubtful` when what is there may be the end, which only the
    /// next answer can tell.
    More {
        /// See above.
        is_doubtful: bool,
    },
    /// The end was there.
    End,
}

/// What the next octets are, where an answer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Too few to tell.
    Unknown,
    /// `+OK` or `-ERR`.
    Answer,
    /// Anything else.
    Other,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Framer {
    buffer: BytesMut,
    /// How far the buffer has no line end.
    searched: usize,
    is_line_start: bool,
    /// Octets of the present message so far.
    octets: u64,
    /// Octets that it was announced with.
    announced: Option<u64>,
    /// The last octet of the present line that was handed out, when it came in parts.
    last: Option<u8>,
}

impl Framer {
    pub(crate) fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            is_line_start: true,
            octets: 0,
            announced: None,
            last: None,
        }
    }

    /// Where the next octets go.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next line without its end; `None` while it is not whole.
    ///
    /// # Errors
    /// It is longer than [`LONGEST_LINE`].
    pub(crate) fn line(&mut self) -> Result<Option<BytesMut>, TooLong> {
        let found = memchr::memchr(b'\n', &self.buffer[self.searched..]);
        let Some(end) = found.map(|at| at + self.searched) else {
            self.searched = self.buffer.len();
            return match self.searched > LONGEST_LINE {
                true => Err(TooLong),
                false => Ok(None),
            };
        };
        self.searched = 0;
        if end > LONGEST_LINE {
            return Err(TooLong);
        }
        let mut line = self.buffer.split_to(end + 1);
        line.truncate(end);
        if line.ends_with(b"\r") {
            line.truncate(end - 1);
        }
        Ok(Some(line))
    }

    /// Whether an answer comes next.
    pub(crate) fn next(&self) -> Next {
        answer_in(&self.buffer)
    }

    /// A message begins, announced with so many octets.
    pub(crate) fn begin(&mut self, announced: Option<u64>) {
        self.is_line_start = true;
        self.octets = 0;
        self.announced = announced;
        self.last = None;
    }

    /// The lone dot was no end: it becomes text, and the message goes on.
    pub(crate) fn resume(&mut self, out: &mut Vec<u8>) {
        self.is_line_start = true;
        self.last = None;
        self.give(b".\r\n", out);
    }

    /// Appends the text that is there to `out`, undoubled and with CRLF line ends.
    pub(crate) fn text(&mut self, out: &mut Vec<u8>) -> Text {
        self.searched = 0;
        let mut buffer = std::mem::take(&mut self.buffer);
        let (taken, text) = self.decode(&buffer, out);
        buffer.advance(taken);
        self.buffer = buffer;
        text
    }

    /// How many of the octets were taken, and how far the text has come.
    fn decode(&mut self, octets: &[u8], out: &mut Vec<u8>) -> (usize, Text) {
        const MORE: Text = Text::More { is_doubtful: false };
        let mut at = 0;
        loop {
            if self.is_line_start {
                match octets[at..] {
                    [] | [b'.'] | [b'.', b'\r'] => return (at, MORE),
                    [b'.', b'\n', ..] => return (at + 2, Text::End),
                    [b'.', b'\r', b'\n', ..] => return (at + 3, Text::End),
                    [b'.', b'.', ..] => at += 1,
                    _ => {}
                }
                self.is_line_start = false;
                self.last = None;
            }
            let rest = &octets[at..];
            let Some(end) = memchr::memchr(b'\n', rest) else {
                // A CR may be half of a line end, a dot the end of everything.
                let kept = match rest {
                    [.., b'.', b'\r'] => 2,
                    [.., b'\r' | b'.'] => 1,
                    _ => 0,
                };
                let part = &rest[..rest.len() - kept];
                self.last = part.last().copied().or(self.last);
                self.give(part, out);
                return (at + part.len(), MORE);
            };
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            if let Some(text) = self.text_before_dot(line) {
                match answer_in(&rest[end + 1..]) {
                    Next::Unknown => return (at, Text::More { is_doubtful: true }),
                    Next::Other => {}
                    Next::Answer => {
                        self.give(text, out);
                        self.give(b"\r\n", out);
                        self.is_line_start = true;
                        return (at + end + 1, Text::End);
                    }
                }
            }
            self.give(line, out);
            self.give(b"\r\n", out);
            at += end + 1;
            self.is_line_start = true;
        }
    }

    /// The line without the dot at its end, where that dot may end the message.
    fn text_before_dot<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let text = line.strip_suffix(b".")?;
        let is_line = !text.is_empty() || self.last.is_some();
        let whole = self.octets + text.len() as u64;
        (is_line && self.announced == Some(whole)).then_some(text)
    }

    fn give(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.octets += octets.len() as u64;
        out.extend_from_slice(octets);
    }
}

/// Whether these octets begin an answer.
fn answer_in(octets: &[u8]) -> Next {
    let begins = |word: &[u8]| {
        let there = octets.len().min(word.len());
        let same = octets[..there].eq_ignore_ascii_case(&word[..there]);
        same.then_some(there == word.len())
    };
    match (begins(b"+OK"), begins(b"-ERR")) {
        (Some(true), _) | (_, Some(true)) => Next::Answer,
        (None, None) => Next::Other,
        _ => Next::Unknown,
    }
}

#[cfg(test)]
mod tests;
