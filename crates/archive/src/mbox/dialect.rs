//! Which mbox a file is: what ends its lines, how it hides From lines, whether it knows
//! what was read. Decided from its beginning, so that it is the same at every look.

use super::filter::{Quoting, is_blank};
use super::separator::{Separator, field, separator};
use crate::disk::Disk;
use crate::text;
use std::io;

/// How much of a file is looked at.
const LOOKED_AT: usize = 4 << 20;

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// LF, or CR in a file without any LF.
    pub(crate) end: u8,
    pub(crate) quoting: Quoting,
    /// Content-Length fields are the archive's own.
    pub(crate) counts_length: bool,
    /// Some message tells whether it was read: then one that does not is new.
    pub(crate) records_seen: bool,
    /// The first message; behind a byte order mark.
    pub(crate) start: u64,
}

impl Dialect {
    /// Looks at the beginning of a file.
    pub(crate) fn of(disk: &Disk) -> io::Result<Self> {
        let most = usize::try_from(disk.length()).unwrap_or(LOOKED_AT);
        let mut front = vec![0; most.min(LOOKED_AT)];
        let filled = disk.fill_at(&mut front, 0)?;
        front.truncate(filled);
        Ok(Self::of_front(&front))
    }

    pub(crate) fn of_front(front: &[u8]) -> Self {
        let end = text::line_end(front);
        let mark: &[u8] = b"\xef\xbb\xbf";
        let start = if front.starts_with(mark) { 3 } else { 0 };
        let mut dialect = Self {
            end,
            quoting: Quoting::All,
            counts_length: false,
            records_seen: false,
            start: start as u64,
        };
        let lengths = dialect.look(&front[start..]);
        // Lengths that are right more often than not are the archive's own; those that
        // senders put into spam are wrong.
        if lengths.right > lengths.wrong {
            dialect.counts_length = true;
            dialect.quoting = match lengths.has_bare_from {
                true => Quoting::None,
                false => Quoting::One,
            };
        }
        dialect
    }

    /// Walks from message to message, by length where that is right.
    fn look(&mut self, front: &[u8]) -> Lengths {
        let mut lengths = Lengths::default();
        let mut at = 0;
        let mut in_header = false;
        let mut after_blank = true;
        let mut declared = None;
        while at < front.len() {
            let line_end = memchr::memchr(self.end, &front[at..]).map(|n| at + n + 1);
            let Some(next) = line_end else { break };
            let line = &front[at..next];
            if in_header && is_blank(line) {
                in_header = false;
                if let Some(body) = declared.take().and_then(|n: u64| usize::try_from(n).ok()) {
                    let target = next.saturating_add(body);
                    match target < front.len() {
                        true if ends_at(front, target, self.end) => {
                            lengths.right += 1;
                            lengths.has_bare_from |= has_bare_from(&front[next..target], self.end);
                            at = target;
                            after_blank = true;
                            continue;
                        }
                        true => lengths.wrong += 1,
                        false => {}
                    }
                }
            } else if in_header {
                if let Some((name, value)) = field(line) {
                    if name.eq_ignore_ascii_case(b"content-length") {
                        declared = std::str::from_utf8(value.trim_ascii())
                            .ok()
                            .and_then(|v| v.parse().ok());
                    }
                    self.records_seen |= [&b"status"[..], b"x-status", b"x-mozilla-status"]
                        .iter()
                        .any(|f| f.eq_ignore_ascii_case(name));
                }
            } else if after_blank && separator(line) != Separator::No {
                in_header = true;
                declared = None;
            } else if at == 0 && field(line).is_some() {
                in_header = true;
                continue;
            }
            after_blank = is_blank(line);
            at = next;
        }
        lengths
    }
}

#[derive(Default)]
struct Lengths {
    right: u32,
    wrong: u32,
    /// A line inside a body that would divide messages.
    has_bare_from: bool,
}

/// Whether a message can end at that offset: there, or behind empty lines, another begins
/// or the file ends.
pub(crate) fn ends_at(octets: &[u8], target: usize, end: u8) -> bool {
    let Some(mut rest) = octets.get(target..) else {
        return false;
    };
    let at_line_start = target == 0 || octets[target - 1] == end;
    let mut blanks = 0;
    while let Some(line_end) = memchr::memchr(end, rest) {
        let line = &rest[..=line_end];
        if !is_blank(line) || blanks == 2 {
            return (at_line_start || blanks > 0) && separator(line) == Separator::Likely;
        }
        blanks += 1;
        rest = &rest[line_end + 1..];
    }
    rest.is_empty()
}

fn has_bare_from(body: &[u8], end: u8) -> bool {
    body.split_inclusive(|b| *b == end)
        .any(|line| line.starts_with(b"From "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "From a@b Mon Apr  1 00:00:00 2024\n";

    fn of(text: &str) -> Dialect {
        Dialect::of_front(text.as_bytes())
    }

    #[test]
    fn the_dialect_is_told_by_lengths_and_bare_from_lines() {
        let rd = of(&format!(
            "{FROM}A: b\n\n>>From x\n\n{FROM}Status: RO\n\nx\n\n"
        ));
        assert_eq!((rd.quoting, rd.counts_length), (Quoting::All, false));
        assert!(rd.records_seen);
        let cl = of(&format!(
            "{FROM}A: b\nContent-Length: 8\n\n>From x\n\n{FROM}A: b\n\nx\n\n"
        ));
        assert_eq!((cl.quoting, cl.counts_length), (Quoting::One, true));
        let cl2 = of(&format!(
            "{FROM}Content-Length: 7\n\nFrom x\n\n{FROM}A: b\n\nx\n\n"
        ));
        assert_eq!((cl2.quoting, cl2.counts_length), (Quoting::None, true));
        assert!(!cl2.records_seen);
        let lying = of(&format!(
            "{FROM}Content-Length: 3\n\nabcdefg\n\n{FROM}Content-Length: 0\n\nx\n\n"
        ));
        assert_eq!((lying.quoting, lying.counts_length), (Quoting::All, false));
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_are_seen() {
        assert_eq!(of("From x\rA: b\r\r").end, b'\r');
        assert_eq!(of("From x\r\nA: b\r\n\r\n").end, b'\n');
        assert_eq!(of("\u{feff}From x\n").start, 3);
        assert_eq!(of("").start, 0);
    }
}
