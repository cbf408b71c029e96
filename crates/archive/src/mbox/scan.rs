//! From the lines of a file to its messages.

use super::dialect::{Dialect, can_end};
use super::filter::{Filter, is_blank};
use super::lines::{Line, Lines};
use super::separator::{Separator, field, separator};
use crate::disk::Disk;
use crate::store::Flow;
use std::io;
use std::ops::ControlFlow;

/// Most octets of a header that are looked at.
pub(crate) const HEAD: usize = 64 * 1024;

/// Most octets of a `From ` line that are looked at.
const FROM_LINE: usize = 512;

/// Something between two dividers.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// Number in the file, from 1.
    pub(crate) number: u64,
    /// Offset of its `From ` line; of its first octet if it has none.
    pub(crate) start: u64,
    /// Offset of its first octet after the `From ` line.
    pub(crate) text: u64,
    /// Octets as they lie there, without the empty line that divides.
    pub(crate) length: u64,
    /// Octets of the message with CRLF, as [`super::MessageSieve`] makes them.
    pub(crate) octets: u64,
    /// The `From ` line; empty if there is none.
    pub(crate) divider: &'a [u8],
    /// The beginning of the header as it lies there, state fields included.
    pub(crate) head: &'a [u8],
    /// Whether it is a message at all: what stands in front of the first divider and
    /// begins like no header is not.
    pub(crate) is_message: bool,
}

/// The message that the scan is in.
struct Open {
    number: u64,
    start: u64,
    text: u64,
    divider: Vec<u8>,
    head: Vec<u8>,
    filter: Filter,
    octets: u64,
    is_message: bool,
    /// Offset and octets in front of the last line, when that was empty and in the body.
    blank: Option<(u64, u64)>,
    /// End of the body, when Content-Length tells it rightly.
    until: Option<u64>,
}

/// A line that may divide: the next one decides.
struct Candidate {
    at: u64,
    line: Vec<u8>,
    kind: Separator,
    after_blank: bool,
}

/// Walks through a file.
pub(crate) struct Scan {
    disk: Disk,
    dialect: Dialect,
    lines: Lines,
    number: u64,
    open: Option<Open>,
    candidate: Option<Candidate>,
    /// The first line of the file, or of where the scan began.
    is_first: bool,
    after_blank: bool,
}

impl Scan {
    /// Begins at the offset of a divider, which is that of the entry `number`.
    pub(crate) fn new(disk: &Disk, dialect: Dialect, number: u64, at: u64) -> Self {
        let at = at.max(dialect.start);
        Self {
            disk: disk.clone(),
            dialect,
            lines: Lines::new(disk.clone(), at, dialect.end),
            number,
            open: None,
            candidate: None,
            is_first: true,
            after_blank: true,
        }
    }

    /// Tells each entry in order, until the end of the file or a `Break`.
    pub(crate) fn run(mut self, tell: &mut dyn FnMut(Entry<'_>) -> Flow) -> io::Result<()> {
        // Apart, so that a line may borrow from it while the rest changes.
        let empty = Lines::new(self.disk.clone(), 0, self.dialect.end);
        let mut lines = std::mem::replace(&mut self.lines, empty);
        loop {
            if let Some(open) = self.open.as_mut().filter(|open| open.is_in_body())
                && self.candidate.is_none()
                && let Some(plain) = lines.plain()
            {
                open.octets += open.filter.count_plain(plain);
                open.blank = None;
                self.after_blank = false;
            }
            let Some(line) = lines.next()? else { break };
            if self.take(&line, tell)?.is_break() {
                return Ok(());
            }
        }
        let end = self.disk.length();
        if let Some(candidate) = self.candidate.take() {
            let is_divider = candidate.kind == Separator::Likely && candidate.after_blank;
            if is_divider && self.open.is_some() {
                if self.close(candidate.at, tell).is_break() {
                    return Ok(());
                }
                self.begin(&candidate, end);
            } else {
                self.feed_candidate(&candidate);
            }
        }
        let _end = self.close(end, tell);
        Ok(())
    }

    fn take(
        &mut self,
        line: &Line<'_>,
        tell: &mut dyn FnMut(Entry<'_>) -> Flow,
    ) -> io::Result<Flow> {
        if let Some(until) = self.open.as_ref().and_then(|open| open.until) {
            if line.at < until {
                self.feed(line)?;
                return Ok(ControlFlow::Continue(()));
            }
            if let Some(open) = &mut self.open {
                open.until = None;
            }
            self.after_blank = true;
        }
        if let Some(candidate) = self.candidate.take() {
            let before_header = is_blank(line.octets) || begins_header(line.octets);
            let is_divider = match candidate.kind {
                Separator::Likely => candidate.after_blank || begins_header(line.octets),
                Separator::Maybe => candidate.after_blank && before_header,
                Separator::No => false,
            };
            if is_divider {
                if self.close(candidate.at, tell).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                self.begin(&candidate, line.at);
            } else {
                self.feed_candidate(&candidate);
            }
        }
        let is_from = line.is_start && line.octets.starts_with(b"From ");
        let kind = match is_from {
            true => separator(line.octets),
            false => Separator::No,
        };
        if std::mem::take(&mut self.is_first) {
            // The first line needs no company, wherever the scan begins.
            if is_from {
                self.begin_with(line);
                return Ok(ControlFlow::Continue(()));
            }
            if is_blank(line.octets) {
                self.is_first = true;
                return Ok(ControlFlow::Continue(()));
            }
            self.begin_without(line);
        } else if kind != Separator::No {
            self.candidate = Some(Candidate {
                at: line.at,
                line: line.octets.to_vec(),
                kind,
                after_blank: self.after_blank,
            });
            self.after_blank = false;
            return Ok(ControlFlow::Continue(()));
        }
        self.feed(line)?;
        Ok(ControlFlow::Continue(()))
    }

    fn begin_with(&mut self, line: &Line<'_>) {
        let candidate = Candidate {
            at: line.at,
            line: line.octets.to_vec(),
            kind: Separator::Likely,
            after_blank: true,
        };
        self.begin(&candidate, line.at + line.octets.len() as u64);
    }

    /// A message behind a divider.
    fn begin(&mut self, candidate: &Candidate, text: u64) {
        self.opened(candidate.at, text, true);
        if let Some(open) = &mut self.open {
            let length = candidate.line.len().min(FROM_LINE);
            open.divider.extend_from_slice(&candidate.line[..length]);
        }
    }

    /// What stands in front of the first divider.
    fn begin_without(&mut self, line: &Line<'_>) {
        self.opened(line.at, line.at, begins_header(line.octets));
    }

    fn opened(&mut self, start: u64, text: u64, is_message: bool) {
        let number = self.number;
        self.number += 1;
        let Dialect {
            quoting,
            end,
            counts_length,
            ..
        } = self.dialect;
        self.after_blank = false;
        self.open = Some(Open {
            number,
            start,
            text,
            divider: Vec::new(),
            head: Vec::new(),
            filter: Filter::new(quoting, end, counts_length),
            octets: 0,
            is_message,
            blank: None,
            until: None,
        });
    }

    fn feed_candidate(&mut self, candidate: &Candidate) {
        let line = Line {
            at: candidate.at,
            octets: &candidate.line,
            is_start: true,
        };
        if let Some(open) = &mut self.open {
            open.feed(&line);
        }
        self.after_blank = false;
    }

    fn feed(&mut self, line: &Line<'_>) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let was_in_header = open.filter.is_in_header();
        open.feed(line);
        self.after_blank = line.is_start && is_blank(line.octets);
        if was_in_header && !open.filter.is_in_header() && self.dialect.counts_length {
            let body = line.at + line.octets.len() as u64;
            open.until = declared_end(&self.disk, self.dialect.end, &open.head, body)?;
        }
        Ok(())
    }

    fn close(&mut self, end: u64, tell: &mut dyn FnMut(Entry<'_>) -> Flow) -> Flow {
        let Some(open) = self.open.take() else {
            return ControlFlow::Continue(());
        };
        // The empty line in front of a divider, and at the end, belongs to the mbox.
        let (end, octets) = match open.blank {
            Some((at, before)) if !open.divider.is_empty() => (at, before),
            _ => (end, open.octets),
        };
        tell(Entry {
            number: open.number,
            start: open.start,
            text: open.text,
            length: end.saturating_sub(open.text),
            octets,
            divider: &open.divider,
            head: &open.head,
            is_message: open.is_message,
        })
    }
}

impl Open {
    /// Whether only a divider can end it, and its header is over.
    fn is_in_body(&self) -> bool {
        self.until.is_none() && !self.filter.is_in_header()
    }

    fn feed(&mut self, line: &Line<'_>) {
        let in_header = self.filter.is_in_header();
        if in_header && self.head.len() < HEAD {
            let room = HEAD - self.head.len();
            let most = line.octets.len().min(room);
            self.head.extend_from_slice(&line.octets[..most]);
        }
        let is_empty = !in_header && line.is_start && is_blank(line.octets);
        self.blank = is_empty.then_some((line.at, self.octets));
        self.octets += self.filter.count(line.octets, line.is_start);
    }
}

/// Whether a header can begin with this line.
fn begins_header(line: &[u8]) -> bool {
    field(line).is_some() || line.starts_with(b">From ")
}

/// Where the body ends according to its Content-Length; `None` when a message cannot end there.
fn declared_end(disk: &Disk, end: u8, head: &[u8], body: u64) -> io::Result<Option<u64>> {
    let declared = head.split_inclusive(|b| *b == end).find_map(|line| {
        let (name, value) = field(line)?;
        let is_length = name.eq_ignore_ascii_case(b"content-length");
        let text = std::str::from_utf8(value.trim_ascii()).ok()?;
        is_length.then(|| text.parse::<u64>().ok())?
    });
    let Some(target) = declared.and_then(|length| body.checked_add(length)) else {
        return Ok(None);
    };
    if target > disk.length() {
        return Ok(None);
    }
    Ok(can_end(disk, target, body, end)?.then_some(target))
}
