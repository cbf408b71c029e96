//! The pen: writes lines, and is the only place that puts octets into them.

use super::{EncodeError, Part, SecretOctets, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hikyaku_net::Secret;
use std::fmt::Write as _;

/// Longest quoted string; longer ones go as literals. Some servers have small
/// buffers for quoted strings.
const MAX_QUOTED: usize = 1024;

/// Collects a command.
pub(super) struct Pen {
    style: Style,
    line: String,
    parts: Vec<Part>,
}

impl Pen {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            line: String::new(),
            parts: Vec::new(),
        }
    }

    /// Text of our own: words of the grammar, numbers, parentheses.
    pub(super) fn word(&mut self, text: &str) {
        debug_assert!(!text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)));
        self.line.push_str(text);
    }

    /// A number.
    pub(super) fn number(&mut self, number: u64) {
        write!(self.line, "{number}").ok();
    }

    /// A word from outside that must be an atom.
    pub(super) fn atom(&mut self, text: &str, what: &'static str) -> Result<(), EncodeError> {
        if !is_atom(text.as_bytes()) {
            return Err(EncodeError::NotAnAtom { what });
        }
        self.line.push_str(text);
        Ok(())
    }

    /// A string in any octets: quoted where possible, else a literal that waits.
    pub(super) fn string(&mut self, octets: &[u8], what: &'static str) -> Result<(), EncodeError> {
        if octets.contains(&0) {
            return Err(EncodeError::Nul { what });
        }
        match self.quotable(octets) {
            Some(text) => {
                self.line.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        self.line.push('\\');
                    }
                    self.line.push(c);
                }
                self.line.push('"');
            }
            None => {
                write!(self.line, "{{{}}}\r\n", octets.len()).ok();
                self.end_part();
                self.parts.push(Part::Wait);
                self.parts
                    .push(Part::Octets(Bytes::copy_from_slice(octets)));
            }
        }
        Ok(())
    }

    /// The same for octets that nobody may see.
    pub(super) fn secret_string(
        &mut self,
        secret: &Secret,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        let octets = secret.expose();
        if octets.contains(&0) {
            return Err(EncodeError::Nul { what });
        }
        let hidden = if self.quotable(octets).is_some() {
            // Room for every octet escaped, so that no copy stays behind in a grown buffer.
            let mut quoted = Vec::with_capacity(octets.len() * 2 + 2);
            quoted.push(b'"');
            for &octet in octets {
                if matches!(octet, b'"' | b'\\') {
                    quoted.push(b'\\');
                }
                quoted.push(octet);
            }
            quoted.push(b'"');
            quoted
        } else {
            write!(self.line, "{{{}}}\r\n", octets.len()).ok();
            self.end_part();
            self.parts.push(Part::Wait);
            octets.to_vec()
        };
        self.end_part();
        self.hidden(hidden);
        Ok(())
    }

    /// Octets that are hidden, as they are: base64 and quoted strings made here.
    pub(super) fn hidden(&mut self, octets: Vec<u8>) {
        self.end_part();
        self.parts
            .push(Part::Secret(SecretOctets(Secret::new(octets))));
    }

    /// A pause, a body, a commit.
    pub(super) fn part(&mut self, part: Part) {
        self.end_part();
        self.parts.push(part);
    }

    /// The announcement of a literal of message content, and what goes with it.
    pub(super) fn announce(&mut self, octets: u64, literal8: bool, wait: bool) {
        let tilde = if literal8 { "~" } else { "" };
        let plus = if wait { "" } else { "+" };
        write!(self.line, "{tilde}{{{octets}{plus}}}\r\n").ok();
        if wait {
            self.part(Part::Wait);
        }
    }

    /// Ends the line.
    pub(super) fn end_line(&mut self) {
        self.line.push_str("\r\n");
    }

    /// Everything that was written.
    pub(super) fn finish(mut self) -> Vec<Part> {
        self.end_part();
        self.parts
    }

    fn end_part(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.parts.push(Part::Octets(Bytes::from(line)));
        }
    }

    /// The text, when it may be quoted: no CR, LF or NUL, short, and ASCII unless UTF-8
    /// is enabled.
    fn quotable<'a>(&self, octets: &'a [u8]) -> Option<&'a str> {
        let plain = octets.len() <= MAX_QUOTED
            && !octets.iter().any(|b| matches!(b, b'\r' | b'\n' | 0))
            && (self.style.utf8 || octets.is_ascii());
        plain.then(|| std::str::from_utf8(octets).ok()).flatten()
    }
}

/// Whether the octets are an atom (RFC 9051 §9).
pub(super) fn is_atom(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().copied().all(is_atom_char)
}

fn is_atom_char(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']'
        )
}

/// Base64 without a copy left behind in a buffer that grew.
pub(super) fn base64_secret(octets: &[u8]) -> Vec<u8> {
    let length = octets.len().div_ceil(3) * 4;
    let mut text = Vec::with_capacity(length + 2);
    text.resize(length, 0);
    let written = STANDARD.encode_slice(octets, &mut text).unwrap_or(0);
    text.truncate(written);
    text
}
