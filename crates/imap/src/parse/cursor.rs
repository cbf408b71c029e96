//! A place in a response, and the tokens of RFC 9051 §9 as servers really write them.

use super::MAX_DEPTH;
use super::number::digits;
use crate::frame::announcement;
use crate::response::{RawResponse, StreamedLiteral};
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;

/// A string of the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text {
    Held(Bytes),
    /// Announced octets that went elsewhere.
    Streamed(u64),
}

/// Reads a response from front to back.
///
/// Inside a response a line feed stands only behind the announcement of a literal
/// (the framer sees to that), so no token but a literal ever crosses one: the
/// content of a literal is never read as syntax.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    whole: &'a Bytes,
    octets: &'a [u8],
    at: usize,
    streamed: &'a [StreamedLiteral],
    /// From here to there, a line's end, a string that begins has no end: to look for it
    /// again and again would be quadratic in a line full of quotes.
    endless: (usize, usize),
    /// Searches for the end of a section that came to nothing.
    in_vain: u32,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(raw: &'a RawResponse) -> Self {
        Self {
            whole: &raw.octets,
            octets: &raw.octets,
            at: 0,
            streamed: &raw.streamed,
            endless: (0, 0),
            in_vain: 0,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// The place, to come back to.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    pub(super) fn eat(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Passes over blanks; a carriage return in the middle of a line counts as one.
    pub(super) fn spaces(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Everything from here on.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.octets[self.at..]
    }

    /// Everything from here on, sharing memory.
    pub(super) fn rest_shared(&self) -> Bytes {
        self.whole.slice(self.at..)
    }

    /// Whether only blanks follow.
    pub(super) fn is_done(&self) -> bool {
        self.rest().iter().all(u8::is_ascii_whitespace)
    }

    /// Up to the first octet that is in one of the classes.
    fn take_until(&mut self, classes: u8) -> &'a [u8] {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|&b| CLASSES[usize::from(b)] & classes != 0)
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Up to a blank or the end of the line; may be empty.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.take_until(BLANK)
    }

    /// Up to a blank, a parenthesis or the end of the line; may be empty.
    pub(super) fn atom(&mut self) -> &'a [u8] {
        self.take_until(BLANK | OPEN | CLOSE)
    }

    /// Up to a blank, a closing parenthesis or the end of the line: flags, which on
    /// some servers hold anything else.
    pub(super) fn flag(&mut self) -> &'a [u8] {
        self.take_until(BLANK | CLOSE)
    }

    /// ASCII letters; may be empty.
    pub(super) fn letters(&mut self) -> &'a [u8] {
        self.take_until(NO_LETTER)
    }

    /// The name of a FETCH item: up to what can begin its section or value.
    pub(super) fn item_name(&mut self) -> &'a [u8] {
        self.take_until(BLANK | OPEN | CLOSE | VALUE)
    }

    /// Digits, passed over in any case; `None` when there are none or too many.
    pub(super) fn number(&mut self) -> Option<u64> {
        digits(self.take_until(NO_DIGIT))
    }

    /// A number that ends where a value can end; otherwise the cursor stays.
    pub(super) fn whole_number(&mut self) -> Option<u64> {
        let place = self.at;
        let number = self.number();
        if number.is_none() || !self.is_boundary() {
            self.at = place;
            return None;
        }
        number
    }

    /// Whether a value can end here.
    pub(super) fn is_boundary(&self) -> bool {
        self.peek()
            .is_none_or(|b| CLASSES[usize::from(b)] & (BLANK | OPEN | CLOSE) != 0)
    }

    /// The word NIL, whole; otherwise the cursor stays.
    pub(super) fn nil(&mut self) -> bool {
        let place = self.at;
        if self.rest().len() >= 3 && self.rest()[..3].eq_ignore_ascii_case(b"NIL") {
            self.at += 3;
            if self.is_boundary() {
                return true;
            }
            self.at = place;
        }
        false
    }

    /// A quoted string or a literal; otherwise the cursor stays.
    pub(super) fn string(&mut self) -> Option<Text> {
        match self.peek()? {
            b'"' => self.quoted().map(Text::Held),
            b'{' | b'~' => self.literal(),
            _ => None,
        }
    }

    /// A string or an atom that is in memory; empty atoms are none.
    pub(super) fn astring(&mut self) -> Option<Bytes> {
        let place = self.at;
        match self.string() {
            Some(Text::Held(octets)) => return Some(octets),
            Some(Text::Streamed(_)) => return None,
            None => {}
        }
        let atom = self.atom();
        if atom.is_empty() {
            self.at = place;
            return None;
        }
        Some(self.whole.slice(place..place + atom.len()))
    }

    /// A quoted string without its quotes and escapes. Any octet but a line feed may
    /// be in it, escaped or not.
    fn quoted(&mut self) -> Option<Bytes> {
        let start = self.at + 1;
        if self.endless.0 <= start && start <= self.endless.1 {
            return None;
        }
        let rest = self.octets.get(start..)?;
        let Some(end) = quoted_end(rest) else {
            let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.endless = (start, start + line);
            return None;
        };
        let end = end + start;
        self.at = end + 1;
        Some(match unescaped(&self.octets[start..end]) {
            Cow::Borrowed(_) => self.whole.slice(start..end),
            Cow::Owned(octets) => octets.into(),
        })
    }

    fn literal(&mut self) -> Option<Text> {
        let (data, octets) = self.literal_at(self.at)?;
        Some(self.take_literal(data, octets))
    }

    /// The announcement that begins at a place, as (place of its data, octets).
    fn literal_at(&self, place: usize) -> Option<(usize, u64)> {
        let rest = self.octets.get(place..)?;
        let window = &rest[..rest.len().min(40)];
        let line_feed = memchr::memchr(b'\n', window)?;
        let open = memchr::memchr(b'{', window)?;
        // The braces have to begin right here.
        if !(open == 0 || (open == 1 && window[0] == b'~')) || open > line_feed {
            return None;
        }
        let octets = announcement(&window[..=line_feed])?;
        let is_bare = window[open + 1..line_feed]
            .iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'}' | b'\r'));
        is_bare.then_some((place + line_feed + 1, octets))
    }

    fn take_literal(&mut self, data: usize, octets: u64) -> Text {
        if let Some(streamed) = self.streamed.iter().find(|s| s.at == data) {
            self.at = data;
            return Text::Streamed(streamed.octets);
        }
        // The framer completed it; the bound is for octets that came another way.
        let left = self.octets.len() - data;
        let octets = usize::try_from(octets).map_or(left, |n| n.min(left));
        self.at = data + octets;
        Text::Held(self.whole.slice(data..data + octets))
    }

    /// At a line feed that no token claimed: over the literal behind it.
    pub(super) fn pass_stray_literal(&mut self) {
        let data = self.at + 1;
        match announcement(&self.octets[..data]) {
            Some(octets) => drop(self.take_literal(data, octets)),
            None => self.at = data,
        }
    }

    /// Passes over one value of any kind: atom, string, or list with everything in
    /// it. `false` when nesting is too deep or the response ends inside.
    pub(super) fn skip_value(&mut self) -> bool {
        let mut depth = 0;
        loop {
            self.spaces();
            let Some(octet) = self.peek() else {
                return false;
            };
            match octet {
                b'(' => {
                    depth += 1;
                    self.at += 1;
                    if depth > MAX_DEPTH {
                        // Whatever follows is inside: nothing of it can be told apart.
                        self.at = self.octets.len();
                        return false;
                    }
                }
                // The closing parenthesis of whatever this value should be in.
                b')' if depth == 0 => return true,
                b')' => {
                    depth -= 1;
                    self.at += 1;
                }
                b'\n' => self.pass_stray_literal(),
                b'"' | b'{' | b'~' => {
                    if self.string().is_none() {
                        // No string after all: its first octet is one of an atom.
                        self.at += 1;
                        self.atom();
                    }
                }
                _ => {
                    self.atom();
                }
            }
            if depth == 0 {
                return true;
            }
        }
    }

    /// What stands between `[` (already passed) and its `]`, which is passed; blanks,
    /// quoted strings and literals included.
    pub(super) fn section(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        // A bracket is allowed in the name of a header field, inside parentheses.
        self.section_end(true).or_else(|| {
            self.at = start;
            self.section_end(false)
        })
    }

    fn section_end(&mut self, nested: bool) -> Option<&'a [u8]> {
        if self.in_vain >= MOST_IN_VAIN {
            return None;
        }
        let section = self.find_section_end(nested);
        self.in_vain += u32::from(section.is_none());
        section
    }

    fn find_section_end(&mut self, nested: bool) -> Option<&'a [u8]> {
        let start = self.at;
        let mut depth = 0u32;
        loop {
            match self.peek()? {
                b']' if depth == 0 => {
                    self.at += 1;
                    return Some(&self.octets[start..self.at - 1]);
                }
                b'(' if nested => {
                    depth += 1;
                    self.at += 1;
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b'"' => {
                    if self.string().is_none() {
                        self.at += 1;
                    }
                }
                b'\n' => self.pass_stray_literal(),
                _ => self.at += 1,
            }
        }
    }

    /// From here to the end of the line, passed over.
    pub(super) fn line(&mut self) -> &'a [u8] {
        self.take_until(LINE_FEED)
    }

    /// Shares memory with a slice that this cursor gave.
    pub(super) fn share(&self, slice: &'a [u8]) -> Bytes {
        if slice.is_empty() {
            return Bytes::new();
        }
        self.whole.slice_ref(slice)
    }
}

/// Each search for the end of a section may pass over the rest of a response. A server that
/// means sections closes them.
const MOST_IN_VAIN: u32 = 32;

const BLANK: u8 = 1;
const OPEN: u8 = 2;
const CLOSE: u8 = 4;
/// What can begin the section or the value of a FETCH item, besides a list.
const VALUE: u8 = 8;
const LINE_FEED: u8 = 16;
const NO_LETTER: u8 = 32;
const NO_DIGIT: u8 = 64;

/// Which classes an octet belongs to: tokens are looked up, because they are read by
/// the million.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let c = octet as u8;
        classes[octet] = match c {
            b'\n' => BLANK | LINE_FEED,
            b' ' | b'\t' | b'\r' => BLANK,
            b'(' => OPEN,
            b')' => CLOSE,
            b'[' | b'"' | b'{' | b'<' => VALUE,
            _ => 0,
        };
        if !c.is_ascii_alphabetic() {
            classes[octet] |= NO_LETTER;
        }
        if !c.is_ascii_digit() {
            classes[octet] |= NO_DIGIT;
        }
        octet += 1;
    }
    classes
};

/// Offset of the quote that closes a string, from behind its opening quote.
fn quoted_end(octets: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr3(b'"', b'\\', b'\n', octets.get(from..)?)?;
        match octets[at] {
            b'"' => return Some(at),
            // Whatever is escaped is passed, but never a line end.
            b'\\' if octets.get(at + 1) != Some(&b'\n') => from = at + 2,
            _ => return None,
        }
    }
}

/// Without the backslashes of a quoted string.
pub(super) fn unescaped(octets: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', octets).is_none() {
        return Cow::Borrowed(octets);
    }
    let mut out = BytesMut::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        // Only a quote and a backslash can be escaped; before anything else a server
        // forgot to escape the backslash itself.
        match rest.get(at + 1) {
            Some(escaped @ (b'"' | b'\\')) => {
                out.extend_from_slice(&[*escaped]);
                rest = &rest[at + 2..];
            }
            _ => {
                out.extend_from_slice(b"\\");
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out.to_vec())
}
