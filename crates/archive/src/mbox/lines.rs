//! The lines of a file of any size, in little memory.

use crate::disk::Disk;
use std::io;

/// How much is read at once. More costs memory, and the caches of processors hold no more.
const BLOCK: usize = 1 << 17;

/// How much is read first: a scan of a few messages in the middle of a file ends soon.
const FIRST: usize = 1 << 15;

/// A line longer than this comes in pieces.
pub(crate) const LONGEST: usize = 1 << 16;

/// A line, or a piece of one that is longer than [`LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Offset of its first octet.
    pub(crate) at: u64,
    /// The octets with the line end. A piece never ends between CR and LF.
    pub(crate) octets: &'a [u8],
    /// Whether it begins a line.
    pub(crate) is_start: bool,
}

/// Reads lines from an offset on, up to the length that the file had when it was opened.
pub(crate) struct Lines {
    disk: Disk,
    end: u8,
    buffer: Vec<u8>,
    /// How much is read next.
    block: usize,
    /// Offset of the buffer's first octet.
    base: u64,
    /// What of the buffer is not told yet.
    from: usize,
    filled: usize,
    at_start: bool,
    /// So many lines are told one by one before [`Lines::plain`] looks again.
    apart: u32,
}

/// Lines between two looks for ordinary text, where the last look found none: in a file with
/// CRLF each line has a CR.
pub(crate) const APART: u32 = 64;

impl Lines {
    /// Lines that end with the octet `end`: LF, or CR where there is no LF.
    pub(crate) fn new(disk: Disk, start: u64, end: u8) -> Self {
        Self {
            disk,
            end,
            buffer: Vec::new(),
            block: FIRST,
            base: start,
            from: 0,
            filled: 0,
            at_start: true,
            apart: 0,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            let rest = &self.buffer[self.from..self.filled];
            let found = memchr::memchr(self.end, rest).map(|at| at + 1);
            let is_last = self.base + self.filled as u64 >= self.disk.length();
            let length = match found {
                Some(length) => length,
                None if rest.len() > LONGEST => match rest.last() {
                    Some(b'\r') if !is_last => rest.len() - 1,
                    _ => rest.len(),
                },
                None if is_last && !rest.is_empty() => rest.len(),
                None if is_last => return Ok(None),
                None => {
                    self.refill()?;
                    continue;
                }
            };
            let start = self.from;
            self.from += length;
            let is_start = std::mem::replace(&mut self.at_start, found.is_some());
            return Ok(Some(Line {
                at: self.base + start as u64,
                octets: &self.buffer[start..start + length],
                is_start,
            }));
        }
    }

    /// Whole lines from here on, as many as are at hand, that are ordinary text of a body:
    /// none begins with `From ` or `>`, none is the last one and empty, no octet is a CR.
    /// Looking at many lines at once is what makes long files quick.
    pub(crate) fn plain(&mut self) -> Option<&[u8]> {
        if self.apart > 0 {
            self.apart -= 1;
            return None;
        }
        let rest = &self.buffer[self.from..self.filled];
        let rest = &rest[..rest.len().min(LONGEST)];
        if !self.at_start || self.end != b'\n' || rest.starts_with(b"From ") {
            return None;
        }
        let odd = memchr::memchr2(b'\r', b'>', rest).unwrap_or(rest.len());
        let divider = memchr::memmem::find(&rest[..odd], b"\nFrom ");
        let upto = divider.map_or(odd, |at| at + 1);
        let Some(last) = memchr::memrchr(b'\n', &rest[..upto]) else {
            self.apart = APART;
            return None;
        };
        let mut length = last + 1;
        // An empty line may be the one in front of a divider.
        while length > 0 && (length == 1 || rest[length - 2] == b'\n') {
            length -= 1;
        }
        let start = self.from;
        self.from += length;
        (length > 0).then(|| &self.buffer[start..start + length])
    }

    /// Moves what is left to the front and reads more behind it.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.from..self.filled, 0);
        self.base += self.from as u64;
        self.filled -= self.from;
        self.from = 0;
        let position = self.base + self.filled as u64;
        let left = self.disk.length().saturating_sub(position);
        let more = self.block.min(usize::try_from(left).unwrap_or(BLOCK));
        self.block = (self.block * 2).min(BLOCK);
        if self.buffer.len() < self.filled + more {
            self.buffer.resize(self.filled + more, 0);
        }
        let room = &mut self.buffer[self.filled..self.filled + more];
        let read = self.disk.fill_at(room, position)?;
        self.filled += read;
        if read < more {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was read",
            ));
        }
        Ok(())
    }
}
