//! Lines and literals in a stream of octets, as IMAP writes them (RFC 9051 §4.3).
//!
//! A client's synchronising literal counts only once the server has said `+`; the server's answers are watched for it.

use std::collections::VecDeque;

/// Longer lines are shown and matched by their beginning.
const SHOWN: usize = 8 * 1024;
/// Literals of up to this size are shown as they are.
const SHOWN_LITERAL: u64 = 64;

/// What a stretch of the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch {
    /// Part of a line, without its end.
    Open,
    /// Up to and including a line feed that ends the text of a line or of a part before a literal.
    TextEnd,
    /// Inside a literal.
    Literal,
}

/// What one direction knows of where it is.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The text since the last line feed.
    text: Vec<u8>,
    /// The whole logical line so far, with literals in it.
    logical: Vec<u8>,
    literal: u64,
    literal_octets: u64,
    shown_literal: Vec<u8>,
    finished: Option<Ended>,
}

/// A part of a line that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// The text since the line's beginning or the last literal.
    pub(super) text: String,
    /// The first word of the logical line.
    pub(super) tag: String,
    /// The whole logical line, when it ends here.
    pub(super) logical: Option<String>,
    /// The literal announced at its end, and whether it waits for `+`.
    pub(super) literal: Option<(u64, bool)>,
}

impl Splitter {
    /// Takes the first stretch from `octets`, which must not be empty, and returns its length and what it is.
    ///
    /// After [`Stretch::TextEnd`], [`Splitter::ended`] tells what ended.
    pub(super) fn next(&mut self, octets: &[u8]) -> (usize, Stretch) {
        if self.literal > 0 {
            let length = usize::try_from(self.literal)
                .unwrap_or(usize::MAX)
                .min(octets.len());
            self.literal -= length as u64;
            if self.literal_octets <= SHOWN_LITERAL {
                self.shown_literal.extend_from_slice(&octets[..length]);
            }
            if self.literal == 0 {
                let shown = std::mem::take(&mut self.shown_literal);
                if shown.is_empty() || shown.contains(&b'\n') {
                    let text = format!("<{} octets>", self.literal_octets);
                    self.logical.extend_from_slice(text.as_bytes());
                } else {
                    self.logical.extend_from_slice(&shown);
                }
            }
            return (length, Stretch::Literal);
        }
        let end = octets.iter().position(|octet| *octet == b'\n');
        let length = end.map_or(octets.len(), |end| end + 1);
        let room = SHOWN.saturating_sub(self.text.len());
        // The end of an over-long line is lost, so a literal after it is not recognised; no client writes one.
        self.text.extend_from_slice(&octets[..length.min(room)]);
        if end.is_none() {
            return (length, Stretch::Open);
        }
        let text = std::mem::take(&mut self.text);
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.logical.extend_from_slice(text);
        let tag = lossy(
            self.logical
                .split(|octet| *octet == b' ')
                .next()
                .unwrap_or_default(),
        );
        let literal = announced(text);
        let logical = match literal {
            Some((length, _)) => {
                self.literal = length;
                self.literal_octets = length;
                None
            }
            None => Some(lossy(&std::mem::take(&mut self.logical))),
        };
        self.finished = Some(Ended {
            text: lossy(text),
            tag,
            logical,
            literal,
        });
        (length, Stretch::TextEnd)
    }

    /// What the last [`Stretch::TextEnd`] ended.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        self.finished.take()
    }

    /// The literal announced last does not come, because the server refused it. Returns the line as it is then.
    pub(super) fn refuse_literal(&mut self) -> String {
        self.literal = 0;
        lossy(&std::mem::take(&mut self.logical))
    }
}

/// The literal that a line announces at its end: its length, and whether the sender waits for `+`.
fn announced(text: &[u8]) -> Option<(u64, bool)> {
    let inner = text.strip_suffix(b"}")?;
    let brace = inner.iter().rposition(|octet| *octet == b'{')?;
    let number = std::str::from_utf8(&inner[brace + 1..]).ok()?;
    match number.strip_suffix(['+', '-']) {
        Some(number) => Some((number.parse().ok()?, false)),
        None => Some((number.parse().ok()?, true)),
    }
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(&octets[..octets.len().min(SHOWN)]).into_owned()
}

/// Which of a client's announced literals the server has yet to answer.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    waiting: VecDeque<String>,
}

impl Announcements {
    /// The client announced a synchronising literal in a command with this tag.
    pub(super) fn announce(&mut self, tag: &str) {
        self.waiting.push_back(tag.to_owned());
    }

    /// The server sent this line: true when it refuses the literal that the client waits to send.
    pub(super) fn is_refused_by(&mut self, line: &str) -> bool {
        let Some(tag) = self.waiting.front() else {
            return false;
        };
        if line.starts_with('+') {
            self.waiting.pop_front();
            return false;
        }
        let refused = !tag.is_empty() && line.split(' ').next() == Some(tag);
        if refused {
            self.waiting.pop_front();
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::{Announcements, Splitter, Stretch};

    fn logical_lines(octets: &[u8], step: usize) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        for chunk in octets.chunks(step) {
            let mut rest = chunk;
            while !rest.is_empty() {
                let (length, stretch) = splitter.next(rest);
                rest = &rest[length..];
                if stretch == Stretch::TextEnd {
                    lines.extend(splitter.ended().and_then(|ended| ended.logical));
                }
            }
        }
        lines
    }

    #[test]
    fn literals_are_part_of_their_line_however_the_octets_arrive() {
        let sent = b"a1 LOGIN {5+}\r\nal ce {4+}\r\npw\r\n\r\na2 APPEND x (\\Seen) {68+}\r\n\
            0123456789\r\n01234567890123456789012345678901234567890123456789}{1}\r\n\r\na3 CREATE {0}\r\n\r\na4 NOOP\n";
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(
                logical_lines(sent, step),
                [
                    "a1 LOGIN {5+}al ce {4+}<4 octets>",
                    "a2 APPEND x (\\Seen) {68+}<68 octets>",
                    "a3 CREATE {0}",
                    "a4 NOOP"
                ],
                "{step}"
            );
        }
    }

    #[test]
    fn a_literal_counts_as_refused_only_by_the_answer_to_its_own_command() {
        let mut announcements = Announcements::default();
        announcements.announce("a7");
        assert!(!announcements.is_refused_by("* 3 EXISTS"));
        assert!(!announcements.is_refused_by("a6 OK done"));
        assert!(announcements.is_refused_by("a7 NO [OVERQUOTA] full"));
        assert!(!announcements.is_refused_by("a7 NO again"));
        announcements.announce("a8");
        assert!(!announcements.is_refused_by("+ go on"));
        assert!(!announcements.is_refused_by("a8 NO after the literal"));
    }
}
