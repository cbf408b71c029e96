//! From the lines of an mbox to those of a message: state fields go, quoted From lines
//! lose their quote, lines end with CRLF.
//!
//! Counting and copying are one decision, so that a length that was counted while scanning
//! is the length of what is copied later.

use super::lines::{APART, LONGEST};
use crate::text::{LineEnds, Sieve};

/// How a format hides lines of a body that begin with `From `.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quoting {
    /// mboxrd: every such line, however often quoted, gets one more `>`.
    #[default]
    All,
    /// mboxo and mboxcl: only lines that begin with `From ` itself.
    One,
    /// mboxcl2: none; Content-Length tells where the message ends.
    None,
}

/// Fields in which programs keep the state of a message inside an mbox. They are told as
/// flags, they change while the message does not, and servers hide them as well.
const STATE_FIELDS: [&[u8]; 9] = [
    b"status",
    b"x-status",
    b"x-keywords",
    b"x-uid",
    b"x-imap",
    b"x-imapbase",
    b"x-mozilla-status",
    b"x-mozilla-status2",
    b"x-mozilla-keys",
];

/// What becomes of each line of one message.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    quoting: Quoting,
    /// What ends a line: LF, or CR in a file without any LF.
    end: u8,
    /// Whether Content-Length is the archive's own field.
    counts_length: bool,
    in_header: bool,
    /// The field that this line belongs to goes.
    is_dropping: bool,
}

impl Filter {
    pub(crate) fn new(quoting: Quoting, end: u8, counts_length: bool) -> Self {
        Self {
            quoting,
            end,
            counts_length,
            in_header: true,
            is_dropping: false,
        }
    }

    pub(crate) fn is_in_header(&self) -> bool {
        self.in_header
    }

    /// What stays of a line, or of a piece of one.
    fn kept<'a>(&mut self, line: &'a [u8], is_start: bool) -> &'a [u8] {
        if !is_start {
            return if self.is_dropping { &[] } else { line };
        }
        if !self.in_header {
            let quoted = line.first() == Some(&b'>') && self.is_quoted(line);
            return &line[usize::from(quoted)..];
        }
        if is_blank(line) {
            self.in_header = false;
            self.is_dropping = false;
        } else if !matches!(line.first(), Some(b' ' | b'\t')) {
            self.is_dropping = self.is_state_field(line);
        }
        if self.is_dropping { &[] } else { line }
    }

    fn is_quoted(&self, line: &[u8]) -> bool {
        let depth = line.iter().take_while(|b| **b == b'>').count();
        line[depth..].starts_with(b"From ")
            && match self.quoting {
                Quoting::All => true,
                Quoting::One => depth == 1,
                Quoting::None => false,
            }
    }

    fn is_state_field(&self, line: &[u8]) -> bool {
        let Some(colon) = memchr::memchr(b':', &line[..line.len().min(32)]) else {
            return false;
        };
        let name = line[..colon].trim_ascii_end();
        STATE_FIELDS.iter().any(|f| f.eq_ignore_ascii_case(name))
            || (self.counts_length && name.eq_ignore_ascii_case(b"content-length"))
    }

    /// Octets that come of whole lines of a body that end with LF, with no CR in them and no
    /// quote in front of them.
    pub(crate) fn count_plain(&self, lines: &[u8]) -> u64 {
        (lines.len() + memchr::memchr_iter(b'\n', lines).count()) as u64
    }

    /// How much of this are whole lines as [`Filter::count_plain`] wants them.
    fn plain(&self, octets: &[u8]) -> usize {
        if self.in_header || self.end != b'\n' {
            return 0;
        }
        let odd = memchr::memchr2(b'\r', b'>', octets).unwrap_or(octets.len());
        memchr::memrchr(b'\n', &octets[..odd]).map_or(0, |at| at + 1)
    }

    /// Octets that come of the line, with CRLF.
    pub(crate) fn count(&mut self, line: &[u8], is_start: bool) -> u64 {
        let kept = self.kept(line, is_start);
        let Some((&last, before)) = kept.split_last() else {
            return 0;
        };
        let (before, ending) = match (last, self.end) {
            (b'\n', b'\n') => (before.strip_suffix(b"\r").unwrap_or(before), 2),
            (b'\r', b'\r') => (before, 2),
            _ => (kept, 0),
        };
        // In a file of CRs a line may hold an LF, which becomes CRLF as well.
        let feeds = match self.end {
            b'\r' => memchr::memchr_iter(b'\n', before).count(),
            _ => 0,
        };
        (before.len() + feeds + ending) as u64
    }

    /// The same octets.
    fn copy(&mut self, line: &[u8], is_start: bool, out: &mut Vec<u8>) {
        let end = self.end;
        let kept = self.kept(line, is_start);
        let Some((&last, before)) = kept.split_last() else {
            return;
        };
        let (before, is_ended) = match last == end {
            true if end == b'\n' => (before.strip_suffix(b"\r").unwrap_or(before), true),
            true => (before, true),
            false => (kept, false),
        };
        if end == b'\r' && memchr::memchr(b'\n', before).is_some() {
            let mut ends = LineEnds::of(end);
            ends.pass(before, out);
            ends.finish(out);
        } else {
            out.extend_from_slice(before);
        }
        if is_ended {
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Whole lines that end with LF, without any CR, with CRLF.
fn with_crlf(lines: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    for at in memchr::memchr_iter(b'\n', lines) {
        out.extend_from_slice(&lines[from..at]);
        out.extend_from_slice(b"\r\n");
        from = at + 1;
    }
}

/// Whether the line holds nothing but its end.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n" | b"\r")
}

/// A [`Filter`] over octets that come in pieces of any length.
pub(crate) struct MessageSieve {
    filter: Filter,
    /// A line that has not ended yet.
    carry: Vec<u8>,
    at_start: bool,
}

impl MessageSieve {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            carry: Vec::new(),
            at_start: true,
        }
    }
}

impl Sieve for MessageSieve {
    fn pass(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut rest = octets;
        let end = self.filter.end;
        let mut apart = 0;
        loop {
            if apart == 0 && self.carry.is_empty() && self.at_start {
                let (plain, after) = rest.split_at(self.filter.plain(rest));
                with_crlf(plain, out);
                rest = after;
                // Where there is nothing ordinary the next lines will hardly be otherwise.
                apart = if plain.is_empty() { APART } else { 0 };
            }
            apart = apart.saturating_sub(1);
            let Some(at) = memchr::memchr(end, rest) else {
                break;
            };
            let (line, after) = rest.split_at(at + 1);
            rest = after;
            let is_start = std::mem::replace(&mut self.at_start, true);
            if self.carry.is_empty() {
                self.filter.copy(line, is_start, out);
            } else {
                self.carry.extend_from_slice(line);
                let line = std::mem::take(&mut self.carry);
                self.filter.copy(&line, is_start, out);
            }
        }
        self.carry.extend_from_slice(rest);
        if self.carry.len() > LONGEST {
            let stays = usize::from(self.carry.last() == Some(&b'\r'));
            let piece = self.carry.len() - stays;
            let kept = self.carry.split_off(piece);
            let piece = std::mem::replace(&mut self.carry, kept);
            let is_start = std::mem::replace(&mut self.at_start, false);
            self.filter.copy(&piece, is_start, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let last = std::mem::take(&mut self.carry);
        self.filter.copy(&last, self.at_start, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed(filter: &Filter, pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut sieve = MessageSieve::new(filter.clone());
        for piece in pieces {
            sieve.pass(piece, &mut out);
        }
        sieve.finish(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn state_fields_go_with_their_folds_and_nothing_else_does() {
        let filter = Filter::new(Quoting::All, b'\n', false);
        let stored =
            b"Subject: a\n status: b\nStatus: RO\nX-Keywords: a\n b\nTo: c\n\nStatus: RO\n";
        assert_eq!(
            passed(&filter, &[stored]),
            "Subject: a\r\n status: b\r\nTo: c\r\n\r\nStatus: RO\r\n"
        );
        let length = b"Content-Length: 3\nA: b\n\nabc";
        assert_eq!(
            passed(&filter, &[length]),
            "Content-Length: 3\r\nA: b\r\n\r\nabc"
        );
        let counting = Filter::new(Quoting::None, b'\n', true);
        assert_eq!(passed(&counting, &[length]), "A: b\r\n\r\nabc");
    }

    #[test]
    fn a_cr_without_lf_is_an_octet_of_the_message_where_lf_ends_lines() {
        let filter = Filter::new(Quoting::All, b'\n', false);
        let stored = b"A: b\rc\nStatus: R\rO\n\none\rtwo\r\r\n\r>From x\n\r\nend\r";
        let message = "A: b\rc\r\n\r\none\rtwo\r\r\n\r>From x\r\n\r\nend\r";
        for cut in 0..stored.len() {
            let (before, after) = stored.split_at(cut);
            assert_eq!(passed(&filter, &[before, after]), message);
        }
        let of_a_mac = Filter::new(Quoting::All, b'\r', false);
        let stored = b"A: b\rStatus: RO\r\rone\ntwo\r";
        assert_eq!(passed(&of_a_mac, &[stored]), "A: b\r\n\r\none\r\ntwo\r\n");
    }

    #[test]
    fn quotes_go_as_the_dialect_has_set_them() {
        let stored = b">From x\n\n>From a\n>>From b\nFrom c\n> From d\n>Fromage\n";
        let body = |quoting| {
            let all = passed(&Filter::new(quoting, b'\n', false), &[stored]);
            all.split_once("\r\n\r\n").expect("a body").1.to_owned()
        };
        assert_eq!(
            body(Quoting::All),
            "From a\r\n>From b\r\nFrom c\r\n> From d\r\n>Fromage\r\n"
        );
        assert_eq!(
            body(Quoting::One),
            "From a\r\n>>From b\r\nFrom c\r\n> From d\r\n>Fromage\r\n"
        );
        assert_eq!(
            body(Quoting::None),
            ">From a\r\n>>From b\r\nFrom c\r\n> From d\r\n>Fromage\r\n"
        );
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            Just(b"\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"Status: R".to_vec()),
            Just(b"Content-Length: 1".to_vec()),
            Just(b" fold".to_vec()),
            Just(b">From x".to_vec()),
            Just(b">>From x".to_vec()),
            prop::collection::vec(any::<u8>(), 0..6),
        ];
        prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn what_is_counted_is_what_is_copied_however_it_is_cut(
            octets in octets(),
            cut in 0usize..60,
            quoting in prop_oneof![Just(Quoting::All), Just(Quoting::One), Just(Quoting::None)],
            end in prop_oneof![Just(b'\n'), Just(b'\r')],
            counts in any::<bool>(),
        ) {
            let filter = Filter::new(quoting, end, counts);
            let mut counting = filter.clone();
            let mut count = 0;
            for line in octets.split_inclusive(|b| *b == end) {
                count += counting.count(line, true);
            }
            let cut = cut.min(octets.len());
            let run = |pieces: &[&[u8]]| {
                let mut out = Vec::new();
                let mut sieve = MessageSieve::new(filter.clone());
                pieces.iter().for_each(|p| sieve.pass(p, &mut out));
                sieve.finish(&mut out);
                out
            };
            let whole = run(&[&octets]);
            prop_assert_eq!(whole.len() as u64, count);
            prop_assert_eq!(run(&[&octets[..cut], &octets[cut..]]), whole);
        }
    }
}
