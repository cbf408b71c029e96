//! Tagged answers and the pieces that untagged ones are made of.

use crate::command::Malformed;
use crate::personality::Refusal;
use crate::wire::Stop;

/// The tagged answer of a command, without its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    ok: bool,
    pub(super) bad: bool,
    /// Response code and text.
    pub(super) text: String,
}

impl Reply {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self {
            ok: true,
            bad: false,
            text: text.into(),
        }
    }

    pub(super) fn no(text: impl Into<String>) -> Self {
        Self {
            ok: false,
            bad: false,
            text: text.into(),
        }
    }

    pub(super) fn status(&self) -> &'static str {
        match (self.ok, self.bad) {
            (true, _) => "OK",
            (false, false) => "NO",
            (false, true) => "BAD",
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self {
            ok: false,
            bad: refusal.bad,
            text: refusal.text,
        }
    }
}

/// Why a command did not get to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The session is over.
    Stop,
    /// Its arguments make no sense.
    Malformed,
    /// The server does not know it, or not now.
    Unknown,
    /// It is refused in these words.
    Refused(Reply),
}

impl From<Stop> for Halt {
    fn from(_: Stop) -> Self {
        Self::Stop
    }
}

impl From<Malformed> for Halt {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Reply> for Halt {
    fn from(reply: Reply) -> Self {
        Self::Refused(reply)
    }
}

pub(super) type Outcome = Result<Reply, Halt>;

/// A string as the shortest of atom, quoted string and literal. Octets above
/// 127 may stand in quotes only where both sides speak UTF-8.
pub(super) fn quoted_or_literal(text: &[u8], utf8: bool) -> Vec<u8> {
    let atom = |b: &u8| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(b);
    let nil = text.eq_ignore_ascii_case(b"NIL");
    if !text.is_empty() && !nil && text.iter().all(atom) {
        return text.to_vec();
    }
    quoted(text, utf8)
}

/// A string in quotes, or as a literal where quotes cannot hold it.
pub(super) fn quoted(text: &[u8], utf8: bool) -> Vec<u8> {
    let fits = |b: &u8| matches!(b, b' '..=b'~') || (utf8 && *b >= 0x80);
    if text.iter().all(fits) {
        let mut quoted = vec![b'"'];
        for octet in text {
            if b"\"\\".contains(octet) {
                quoted.push(b'\\');
            }
            quoted.push(*octet);
        }
        quoted.push(b'"');
        return quoted;
    }
    let mut literal = format!("{{{}}}\r\n", text.len()).into_bytes();
    literal.extend_from_slice(text);
    literal
}

/// Flags between parentheses.
pub(super) fn flag_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    format!("({})", names.join(" "))
}
