//! Which mbox a file is: what ends its lines, how it hides From lines, whether it knows
//! what was read. Decided from its beginning, so that it is the same at every look.

use super::filter::{Quoting, is_blank};
use super::lines::Lines;
use super::separator::{Separator, field, separator};
use crate::disk::Disk;
use std::io;

/// How much of a file is looked at.
const LOOKED_AT: u64 = 4 << 20;

/// Most octets of a line that begins a message that are looked at.
const FROM_LINE: usize = 512;

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
    /// Looks at the beginning of a file, a little at a time.
    pub(crate) fn of(disk: &Disk) -> io::Result<Self> {
        let mark: &[u8] = b"\xef\xbb\xbf";
        let mut front = [0; 3];
        let filled = disk.fill_at(&mut front, 0)?;
        let mut dialect = Self {
            end: line_end(disk)?,
            quoting: Quoting::All,
            counts_length: false,
            records_seen: false,
            start: if &front[..filled] == mark { 3 } else { 0 },
        };
        let lengths = dialect.look(disk)?;
        // Lengths that are right more often than not are the archive's own; those that
        // senders put into spam are wrong.
        if lengths.right > lengths.wrong {
            dialect.counts_length = true;
            dialect.quoting = match lengths.has_bare_from {
                true => Quoting::None,
                false => Quoting::One,
            };
        }
        Ok(dialect)
    }

    /// Walks from message to message, by length where that is right.
    fn look(&mut self, disk: &Disk) -> io::Result<Lengths> {
        let upto = disk.length().min(LOOKED_AT);
        let mut lines = Lines::new(disk.clone(), self.start, self.end);
        let mut lengths = Lengths::default();
        let mut in_header = false;
        let mut after_blank = true;
        let mut declared: Option<u64> = None;
        // Where a body ends whose length is right.
        let mut until = 0;
        while let Some(line) = lines.next()? {
            let next = line.at + line.octets.len() as u64;
            if next > upto {
                break;
            }
            if line.at < until {
                lengths.has_bare_from |= line.is_start && line.octets.starts_with(b"From ");
                continue;
            }
            if !line.is_start {
                continue;
            }
            let line_octets = line.octets;
            if in_header && is_blank(line_octets) {
                in_header = false;
                let body = declared.take().and_then(|length| next.checked_add(length));
                if let Some(target) = body.filter(|target| *target < upto) {
                    match can_end(disk, target, next, self.end)? {
                        true => {
                            lengths.right += 1;
                            until = target;
                        }
                        false => lengths.wrong += 1,
                    }
                }
            } else if in_header {
                self.note(line_octets, &mut declared);
            } else if after_blank && separator(line_octets) != Separator::No {
                in_header = true;
                declared = None;
            } else if line.at == self.start && field(line_octets).is_some() {
                in_header = true;
                self.note(line_octets, &mut declared);
            }
            after_blank = is_blank(line_octets);
        }
        Ok(lengths)
    }

    /// What a line of a header tells of the file.
    fn note(&mut self, line: &[u8], declared: &mut Option<u64>) {
        let Some((name, value)) = field(line) else {
            return;
        };
        if name.eq_ignore_ascii_case(b"content-length") {
            let text = std::str::from_utf8(value.trim_ascii());
            *declared = text.ok().and_then(|text| text.parse().ok());
        }
        self.records_seen |= [&b"status"[..], b"x-status", b"x-mozilla-status"]
            .iter()
            .any(|f| f.eq_ignore_ascii_case(name));
    }
}

/// LF; CR in a file whose beginning has none.
fn line_end(disk: &Disk) -> io::Result<u8> {
    let upto = disk.length().min(LOOKED_AT);
    let mut block = vec![0; 1 << 16];
    let (mut at, mut has_cr) = (0, false);
    while at < upto {
        let filled = disk.fill_at(&mut block, at)?;
        let octets = &block[..filled];
        if filled == 0 || memchr::memchr(b'\n', octets).is_some() {
            return Ok(b'\n');
        }
        has_cr |= memchr::memchr(b'\r', octets).is_some();
        at += filled as u64;
    }
    Ok(if has_cr { b'\r' } else { b'\n' })
}

#[derive(Default)]
struct Lengths {
    right: u32,
    wrong: u32,
    /// A line inside a body that would divide messages.
    has_bare_from: bool,
}

/// Whether a message whose body begins at `body` can end at `target`, as its Content-Length says.
pub(crate) fn can_end(disk: &Disk, target: u64, body: u64, end: u8) -> io::Result<bool> {
    // With the octet in front of it, and room for the empty lines and the divider behind.
    let from = target.saturating_sub(1).max(body.saturating_sub(1));
    let mut around = [0; FROM_LINE + 8];
    let filled = disk.fill_at(&mut around, from)?;
    let inside = usize::try_from(target - from).unwrap_or(0);
    Ok(ends_at(&around[..filled], inside, end))
}

/// Whether a message can end at that offset: there, or behind empty lines, another begins
/// or the file ends.
fn ends_at(octets: &[u8], target: usize, end: u8) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "From a@b Mon Apr  1 00:00:00 2024\n";

    fn of(text: &str) -> Dialect {
        Dialect::of(&Disk::held(text.as_bytes())).expect("readable")
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
