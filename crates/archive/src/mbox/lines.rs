//! The lines of a file of any size, in little memory.

use crate::disk::Disk;
use std::io;

/// How much is read at once.
const BLOCK: usize = 1 << 20;

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
    /// Offset of the buffer's first octet.
    base: u64,
    /// What of the buffer is not told yet.
    from: usize,
    filled: usize,
    at_start: bool,
}

impl Lines {
    /// Lines that end with the octet `end`: LF, or CR where there is no LF.
    pub(crate) fn new(disk: Disk, start: u64, end: u8) -> Self {
        Self {
            disk,
            end,
            buffer: Vec::new(),
            base: start,
            from: 0,
            filled: 0,
            at_start: true,
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

    /// Moves what is left to the front and reads more behind it.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.from..self.filled, 0);
        self.base += self.from as u64;
        self.filled -= self.from;
        self.from = 0;
        let position = self.base + self.filled as u64;
        let left = self.disk.length().saturating_sub(position);
        let more = BLOCK.min(usize::try_from(left).unwrap_or(BLOCK));
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
