//! The command reader: one command's line with its literals taken out, and a
//! cursor over it (RFC 9051 §9).

use std::collections::VecDeque;

use bytes::Bytes;

use crate::date::Date;
use crate::flags::SYSTEM;
use crate::seqset::SequenceSet;

/// Stands in the text where a literal was; no line contains it.
const LITERAL: u8 = 0;
/// Deepest nesting of lists that the cursor follows.
const DEPTH: u32 = 32;

/// The arguments make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) type Parsed<T> = Result<T, Malformed>;

/// A literal announced at the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) octets: u64,
    /// False for `{n+}`: the octets follow without a `+` from the server.
    pub(crate) synchronising: bool,
    /// `~{n}`: may contain NUL.
    pub(crate) eight: bool,
}

/// Splits the announcement of a literal off the end of a line.
pub(crate) fn announced(line: &[u8]) -> (&[u8], Option<Announced>) {
    let found = || {
        let inside = line.strip_suffix(b"}")?;
        let open = memchr::memrchr(b'{', inside)?;
        let (before, mut digits) = (&inside[..open], &inside[open + 1..]);
        let synchronising = match digits.strip_suffix(b"+").or(digits.strip_suffix(b"-")) {
            Some(rest) => {
                digits = rest;
                false
            }
            None => true,
        };
        let text = std::str::from_utf8(digits).ok()?;
        if text.is_empty() || text.len() > 18 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let octets = text.parse().ok()?;
        let (before, eight) = match before.strip_suffix(b"~") {
            Some(rest) => (rest, true),
            None => (before, false),
        };
        Some((
            before,
            Announced {
                octets,
                synchronising,
                eight,
            },
        ))
    };
    match found() {
        Some((before, announced)) => (before, Some(announced)),
        None => (line, None),
    }
}

/// A cursor over the text of a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    text: Vec<u8>,
    at: usize,
    literals: VecDeque<Bytes>,
}

impl Args {
    /// Adds the text of a line; false when it contains what no line may.
    pub(crate) fn push_text(&mut self, text: &[u8]) -> bool {
        self.text.extend_from_slice(text);
        memchr::memchr2(LITERAL, b'\r', text).is_none()
    }

    pub(crate) fn push_literal(&mut self, octets: Bytes) {
        self.text.push(LITERAL);
        self.literals.push_back(octets);
    }

    /// Forgets the text before the cursor, so that only unread text counts.
    pub(crate) fn forget_read(&mut self) {
        self.text.drain(..self.at);
        self.at = 0;
    }

    /// Octets of text so far.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// What is left, for the transcript.
    pub(crate) fn shown(&self) -> String {
        let mut shown = String::new();
        let mut literals = self.literals.iter();
        for piece in self.text[self.at..].split_inclusive(|b| *b == LITERAL) {
            let (text, literal) = match piece.strip_suffix(&[LITERAL]) {
                Some(text) => (text, literals.next()),
                None => (piece, None),
            };
            shown.push_str(&String::from_utf8_lossy(text));
            if let Some(literal) = literal {
                shown.push_str(&format!("{{{}}}", literal.len()));
            }
        }
        shown
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        let there = self.peek() == Some(octet);
        self.at += usize::from(there);
        there
    }

    pub(crate) fn expect(&mut self, octet: u8) -> Parsed<()> {
        self.eat(octet).then_some(()).ok_or(Malformed)
    }

    pub(crate) fn space(&mut self) -> Parsed<()> {
        self.expect(b' ')
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn end(&self) -> Parsed<()> {
        self.at_end().then_some(()).ok_or(Malformed)
    }

    /// Takes this word (without regard to case) if it comes next as a whole.
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let there = self
            .text
            .get(self.at..end)
            .is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()));
        let whole = self
            .text
            .get(end)
            .is_none_or(|b| !b.is_ascii_alphanumeric() && !b".-_=".contains(b));
        if there && whole {
            self.at = end;
        }
        there && whole
    }

    fn run(&mut self, takes: impl Fn(u8) -> bool) -> &[u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|b| !takes(*b)).unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        &self.text[start..self.at]
    }

    /// The tag of a command as it came.
    pub(crate) fn tag(&mut self) -> Option<String> {
        let tag = self.run(|b| is_atom(b) || b == b']');
        let tag = std::str::from_utf8(tag).ok()?;
        (!tag.is_empty()).then(|| tag.to_owned())
    }

    /// An atom in capitals.
    pub(crate) fn word(&mut self) -> Parsed<String> {
        let word = self.run(is_atom);
        match word.is_empty() {
            true => Err(Malformed),
            false => Ok(String::from_utf8_lossy(word).to_ascii_uppercase()),
        }
    }

    /// The name of a FETCH item: an atom that stops at `[`.
    pub(crate) fn item(&mut self) -> Parsed<String> {
        let word = self.run(|b| is_atom(b) && !b"[]<>".contains(&b));
        match word.is_empty() {
            true => Err(Malformed),
            false => Ok(String::from_utf8_lossy(word).to_ascii_uppercase()),
        }
    }

    pub(crate) fn number(&mut self) -> Parsed<u64> {
        let digits = self.run(|b| b.is_ascii_digit());
        let text = std::str::from_utf8(digits).map_err(|_| Malformed)?;
        text.parse().map_err(|_| Malformed)
    }

    /// A string or an atom.
    pub(crate) fn astring(&mut self) -> Parsed<Bytes> {
        self.string_or(|b| is_atom(b) || b == b']')
    }

    /// A mailbox pattern: an astring that may contain wildcards.
    pub(crate) fn pattern(&mut self) -> Parsed<Bytes> {
        self.string_or(|b| is_atom(b) || b"]%*".contains(&b))
    }

    fn string_or(&mut self, takes: impl Fn(u8) -> bool) -> Parsed<Bytes> {
        match self.peek() {
            Some(b'"' | LITERAL) => self.string(),
            _ => {
                let atom = Bytes::copy_from_slice(self.run(takes));
                (!atom.is_empty()).then_some(atom).ok_or(Malformed)
            }
        }
    }

    /// A quoted string or a literal.
    pub(crate) fn string(&mut self) -> Parsed<Bytes> {
        if self.eat(LITERAL) {
            return self.literals.pop_front().ok_or(Malformed);
        }
        self.expect(b'"')?;
        let mut octets = Vec::new();
        loop {
            let octet = self.peek().ok_or(Malformed)?;
            self.at += 1;
            match octet {
                b'"' => return Ok(octets.into()),
                b'\\' => {
                    let escaped = self
                        .peek()
                        .filter(|b| b"\"\\".contains(b))
                        .ok_or(Malformed)?;
                    self.at += 1;
                    octets.push(escaped);
                }
                LITERAL => return Err(Malformed),
                octet => octets.push(octet),
            }
        }
    }

    /// A string, or `None` for NIL.
    pub(crate) fn nstring(&mut self) -> Parsed<Option<Bytes>> {
        match self.eat_word("NIL") {
            true => Ok(None),
            false => self.string().map(Some),
        }
    }

    /// `(a b c)`, perhaps empty; `each` reads one element.
    pub(crate) fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect(b'(')?;
        let mut all = Vec::new();
        if self.eat(b')') {
            return Ok(all);
        }
        loop {
            all.push(each(self)?);
            if self.eat(b')') {
                return Ok(all);
            }
            self.space()?;
        }
    }

    /// A list of flags, without its parentheses if `bare` allows that. `\Recent`
    /// and system flags that cannot be stored are malformed.
    pub(crate) fn flags(&mut self, bare: bool) -> Parsed<Vec<String>> {
        if self.peek() == Some(b'(') {
            return self.list(Self::flag);
        }
        if !bare {
            return Err(Malformed);
        }
        let mut flags = vec![self.flag()?];
        while self.eat(b' ') {
            flags.push(self.flag()?);
        }
        Ok(flags)
    }

    fn flag(&mut self) -> Parsed<String> {
        let system = self.eat(b'\\');
        let atom = self.run(is_atom);
        let name = std::str::from_utf8(atom).map_err(|_| Malformed)?;
        if name.is_empty() {
            return Err(Malformed);
        }
        match system {
            false => Ok(name.to_owned()),
            true => {
                let name = format!("\\{name}");
                let storable = SYSTEM.iter().any(|s| s.eq_ignore_ascii_case(&name));
                storable.then_some(name).ok_or(Malformed)
            }
        }
    }

    /// A quoted INTERNALDATE.
    pub(crate) fn date_time(&mut self) -> Parsed<Date> {
        let text = self.string()?;
        Date::parse(&text).ok_or(Malformed)
    }

    pub(crate) fn sequence_set(&mut self) -> Parsed<SequenceSet> {
        let text = self.run(|b| b.is_ascii_digit() || b":,*".contains(&b));
        SequenceSet::parse(text).ok_or(Malformed)
    }

    /// Jumps over whatever comes next: a string, an atom or a list.
    pub(crate) fn skip_value(&mut self) -> Parsed<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: u32) -> Parsed<()> {
        match self.peek() {
            _ if depth > DEPTH => Err(Malformed),
            Some(b'(') => self.list(|args| args.skip_nested(depth + 1)).map(drop),
            Some(b'"' | LITERAL) => self.string().map(drop),
            _ => {
                let atom = self.run(|b| is_atom(b) || b"\\*%".contains(&b));
                (!atom.is_empty()).then_some(()).ok_or(Malformed)
            }
        }
    }
}

/// ATOM-CHAR (RFC 9051 §9), with octets above 127 let through: names come raw
/// from some clients.
fn is_atom(octet: u8) -> bool {
    octet > b' ' && octet != 0x7f && !b"(){%*\"\\".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Args {
        let mut args = Args::default();
        assert!(args.push_text(text.as_bytes()));
        args
    }

    #[test]
    fn literals_are_announced_at_the_end_of_a_line() {
        let plain = Announced {
            octets: 12,
            synchronising: true,
            eight: false,
        };
        for (line, expected) in [
            ("a {12}", Some(plain)),
            (
                "a {12+}",
                Some(Announced {
                    synchronising: false,
                    ..plain
                }),
            ),
            (
                "a ~{12}",
                Some(Announced {
                    eight: true,
                    ..plain
                }),
            ),
            ("a {12} ", None),
            ("a {}", None),
            ("a {+}", None),
            ("a {-1}", None),
            ("a {99999999999999999999}", None),
            ("}", None),
        ] {
            assert_eq!(announced(line.as_bytes()).1, expected, "{line}");
        }
        assert_eq!(announced(b"a (~{3+}").0, b"a (");
    }

    #[test]
    fn arguments_are_read_in_order() {
        let mut a = args("login \"a \\\"b\\\\\" NIL (x Y \\seen) 7:*,3 ");
        a.push_literal(Bytes::from_static(b"lit\r\n"));
        assert_eq!(
            a.shown(),
            "login \"a \\\"b\\\\\" NIL (x Y \\seen) 7:*,3 {5}"
        );
        assert_eq!(a.word().unwrap(), "LOGIN");
        a.space().unwrap();
        assert_eq!(a.astring().unwrap(), "a \"b\\");
        a.space().unwrap();
        assert_eq!(a.nstring().unwrap(), None);
        a.space().unwrap();
        assert_eq!(a.flags(false).unwrap(), ["x", "Y", "\\seen"]);
        a.space().unwrap();
        a.sequence_set().unwrap();
        a.space().unwrap();
        assert_eq!(a.astring().unwrap(), "lit\r\n");
        assert_eq!(a.end(), Ok(()));
    }

    #[test]
    fn nonsense_is_malformed_and_never_a_panic() {
        assert_eq!(args("(a").flags(false), Err(Malformed));
        assert_eq!(args("(\\Recent)").flags(false), Err(Malformed));
        assert_eq!(args("\"a").string(), Err(Malformed));
        assert_eq!(args("99999999999999999999999").number(), Err(Malformed));
        assert_eq!(args(&"(".repeat(100_000)).skip_value(), Err(Malformed));
        assert_eq!(args("").astring(), Err(Malformed));
        assert!(!Args::default().push_text(b"a\0b"));
        assert!(!Args::default().push_text(b"a\rb"));
    }
}
