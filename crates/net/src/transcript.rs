//! What was said on a connection, without secrets and without mail: for `--trace`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Characters kept of one line.
const LONGEST: usize = 400;

/// The last lines of one or more connections, oldest first.
///
/// It holds what it is told to hold: the protocol records its lines, never the
/// content of literals, and calls [`Transcript::secret`] for a line that carries
/// one, whose octets then never get here.
#[derive(Debug)]
pub struct Transcript {
    most: usize,
    lines: Mutex<VecDeque<Line>>,
}

/// One line of a [`Transcript`], fit for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the connection, as the protocol counts them.
    pub connection: u32,
    /// Who said it.
    pub speaker: Speaker,
    /// What was said; control characters and octets that are no text are escaped.
    pub text: String,
}

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// This program.
    Client,
    /// The peer.
    Server,
    /// Neither: a remark, such as that TLS began.
    Remark,
}

impl Transcript {
    /// Keeps the last `most` lines.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            lines: Mutex::default(),
        }
    }

    /// Records a line that was sent and carries no secret.
    pub fn sent(&self, connection: u32, line: &[u8]) {
        self.keep(connection, Speaker::Client, printable(line));
    }

    /// Records that a line with a secret was sent; `what` names it in general
    /// words, such as `AUTHENTICATE response`.
    pub fn secret(&self, connection: u32, what: &str) {
        self.keep(connection, Speaker::Client, format!("*** ({what})"));
    }

    /// Records a line of the server.
    pub fn received(&self, connection: u32, line: &[u8]) {
        self.keep(connection, Speaker::Server, printable(line));
    }

    /// Records what happened between lines.
    pub fn remark(&self, connection: u32, text: &str) {
        self.keep(connection, Speaker::Remark, printable(text.as_bytes()));
    }

    /// Hands the lines out and starts afresh.
    pub fn take(&self) -> Vec<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lines).into()
    }

    fn keep(&self, connection: u32, speaker: Speaker, text: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        while lines.len() >= self.most.max(1) {
            lines.pop_front();
        }
        lines.push_back(Line {
            connection,
            speaker,
            text,
        });
    }
}

impl fmt::Display for Line {
    /// `3 C: a1 NOOP`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speaker = match self.speaker {
            Speaker::Client => "C",
            Speaker::Server => "S",
            Speaker::Remark => "*",
        };
        write!(f, "{} {speaker}: {}", self.connection, self.text)
    }
}

/// One printable line: the peer must not be able to drive a terminal through it.
fn printable(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut shown = String::new();
    let mut kept = 0;
    'chunks: for chunk in line.utf8_chunks() {
        let invalid = chunk.invalid().iter().map(|b| format!("\\x{b:02x}"));
        let valid = chunk.valid().chars().map(|c| match c {
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        });
        for piece in valid.chain(invalid) {
            if kept == LONGEST {
                shown.push('…');
                break 'chunks;
            }
            shown.push_str(&piece);
            kept += 1;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_and_not_kept() {
        let transcript = Transcript::new(10);
        transcript.received(3, b"* OK ready\r\n");
        transcript.sent(3, b"a1 AUTHENTICATE PLAIN\r\n");
        transcript.secret(3, "AUTHENTICATE response");
        transcript.remark(3, "compression begins");
        let shown: Vec<String> = transcript.take().iter().map(Line::to_string).collect();
        assert_eq!(
            shown,
            [
                "3 S: * OK ready",
                "3 C: a1 AUTHENTICATE PLAIN",
                "3 C: *** (AUTHENTICATE response)",
                "3 *: compression begins",
            ]
        );
        assert_eq!(transcript.take(), []);
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let transcript = Transcript::new(2);
        for line in [b"a", b"b", b"c"] {
            transcript.sent(0, line);
        }
        let kept: Vec<String> = transcript.take().into_iter().map(|l| l.text).collect();
        assert_eq!(kept, ["b", "c"]);
    }

    #[test]
    fn lines_are_printable_and_bounded() {
        assert_eq!(
            printable("é\u{1b}[2J\0日".as_bytes()),
            "é\\u{1b}[2J\\u{0}日"
        );
        assert_eq!(printable(b"a\xff\xfeb\r\n"), "a\\xff\\xfeb");
        let long = printable(&[0xff; 5000]);
        assert_eq!(long.len(), 4 * LONGEST + '…'.len_utf8());
    }
}
