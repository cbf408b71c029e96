//! Responses of an IMAP server, read simply: one at a time, literals in place.

use std::io::BufRead;

use anyhow::{Context, Result, bail, ensure};

use super::content::Content;

/// One response: the text of its lines with literals between them.
#[derive(Debug)]
pub(crate) struct Response {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Vec<u8>),
    Literal(Content),
}

/// An IMAP value: an atom or string, a literal, a list, or NIL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Nil,
    Word(Vec<u8>),
    Literal(Content),
    List(Vec<Value>),
}

impl Value {
    /// The octets of a word or a kept literal.
    pub(crate) fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Word(octets) => Some(octets),
            Self::Literal(content) => content.octets(),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// A word as text, with anything outside UTF-8 replaced.
    pub(crate) fn text(&self) -> Option<String> {
        self.octets()
            .map(|octets| String::from_utf8_lossy(octets).into_owned())
    }

    pub(crate) fn list(&self) -> Option<&[Value]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

impl Response {
    /// Reads one response, keeping literals of at most `keep` octets.
    pub(crate) fn read(reader: &mut impl BufRead, keep: u64) -> Result<Self> {
        let mut parts = Vec::new();
        loop {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line)?;
            ensure!(line.ends_with(b"\n"), "the server closed the connection");
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
            let literal = literal_length(&line);
            if literal.is_some() {
                let brace = line
                    .iter()
                    .rposition(|octet| *octet == b'{')
                    .unwrap_or(line.len());
                line.truncate(brace);
            }
            parts.push(Part::Text(line));
            match literal {
                // Names and the like arrive as literals too, so short ones are kept whatever the limit.
                Some(length) => parts.push(Part::Literal(Content::read(
                    reader,
                    length,
                    keep.max(4096),
                )?)),
                None => return Ok(Self { parts }),
            }
        }
    }

    /// The text up to the first literal.
    pub(crate) fn line(&self) -> &[u8] {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => b"",
        }
    }

    /// The text up to the first literal, for reading by people and for response codes.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.line()).into_owned()
    }

    /// Reads the response as values; for data responses only, as free text need not follow their grammar.
    pub(crate) fn values(&self) -> Result<Vec<Value>> {
        let mut stack: Vec<Vec<Value>> = vec![Vec::new()];
        for part in &self.parts {
            match part {
                Part::Literal(content) => push(&mut stack, Value::Literal(content.clone()))?,
                Part::Text(text) => tokens(text, &mut stack)?,
            }
        }
        let top = stack.pop().context("no value")?;
        ensure!(stack.is_empty(), "a list is not closed: {}", self.text());
        Ok(top)
    }
}

fn literal_length(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}")?;
    let brace = inner.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&inner[brace + 1..]).ok()?.parse().ok()
}

fn push(stack: &mut [Vec<Value>], value: Value) -> Result<()> {
    stack
        .last_mut()
        .context("a list is closed twice")?
        .push(value);
    Ok(())
}

fn tokens(text: &[u8], stack: &mut Vec<Vec<Value>>) -> Result<()> {
    let mut rest = text;
    while let [first, after @ ..] = rest {
        match first {
            b' ' => rest = after,
            b'(' => {
                stack.push(Vec::new());
                rest = after;
            }
            b')' => {
                let list = stack.pop().context("a list is closed twice")?;
                push(stack, Value::List(list))?;
                rest = after;
            }
            b'"' => {
                let (word, after) = quoted(after)?;
                push(stack, Value::Word(word))?;
                rest = after;
            }
            _ => {
                let end = atom_length(rest);
                let (word, after) = rest.split_at(end);
                push(
                    stack,
                    if word.eq_ignore_ascii_case(b"NIL") {
                        Value::Nil
                    } else {
                        Value::Word(word.to_vec())
                    },
                )?;
                rest = after;
            }
        }
    }
    Ok(())
}

/// An atom ends at a blank or bracket, but not inside the square brackets of `BODY[HEADER.FIELDS (FROM)]`.
fn atom_length(text: &[u8]) -> usize {
    let mut section = false;
    for (index, octet) in text.iter().enumerate() {
        match octet {
            // Anywhere else `[` is an ordinary character of an atom, in a keyword for instance.
            b'[' if text.starts_with(b"BODY[") || text.starts_with(b"BINARY[") => section = true,
            b']' => section = false,
            b' ' | b'(' | b')' if !section => return index,
            _ => {}
        }
    }
    text.len()
}

fn quoted(text: &[u8]) -> Result<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [b'\\', escaped, after @ ..] => {
                word.push(*escaped);
                rest = after;
            }
            [b'"', after @ ..] => return Ok((word, after)),
            [octet, after @ ..] => {
                word.push(*octet);
                rest = after;
            }
            [] => bail!("a quoted string is not closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Response, Value};

    #[test]
    fn a_fetch_with_literals_is_read_in_place() {
        let wire = b"* 12 FETCH (UID 7 FLAGS (\\Seen $Junk) BODY[] {5}\r\na\r\nb) INTERNALDATE \"x \\\" y\" X NIL)\r\nrest";
        let mut reader = &wire[..];
        let values = Response::read(&mut reader, 1 << 20)
            .unwrap()
            .values()
            .unwrap();
        assert_eq!(reader, b"rest");
        let word = |text: &str| Value::Word(text.as_bytes().to_vec());
        assert_eq!(
            values,
            [
                word("*"),
                word("12"),
                word("FETCH"),
                Value::List(vec![
                    word("UID"),
                    word("7"),
                    word("FLAGS"),
                    Value::List(vec![word("\\Seen"), word("$Junk")]),
                    word("BODY[]"),
                    Value::Literal((&b"a\r\nb)"[..]).into()),
                    word("INTERNALDATE"),
                    word("x \" y"),
                    word("X"),
                    Value::Nil,
                ]),
            ]
        );
    }

    #[test]
    fn a_closed_connection_inside_a_literal_is_an_error() {
        assert!(Response::read(&mut &b"* 1 FETCH (BODY[] {10}\r\nabc"[..], 100).is_err());
        assert!(Response::read(&mut &b"* OK half a line"[..], 100).is_err());
    }
}
