//! Messages that are ended by a line with a single dot.

use std::io::{self, Read};

use crate::disk::Disk;

/// Octets that are read at once.
const WINDOW: usize = 1 << 20;

/// Tells beginning and end of each message, without the line with the dot. What follows
/// the last one is a message too, unless it is blank. Ends when `tell` says false.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn pieces(
    file: &Disk,
    tell: &mut dyn FnMut(u64, u64) -> io::Result<bool>,
) -> io::Result<()> {
    let mut begin = 0;
    let mut line = Line::default();
    let mut is_blank = true;
    let mut at = 0;
    while at < file.length() {
        let window = file.octets_at(at, WINDOW)?;
        if window.is_empty() {
            break;
        }
        let mut rest = &window[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            line.take(&rest[..end]);
            let line_start = line.start;
            let after = at + (window.len() - rest.len() + end + 1) as u64;
            if line.is_dot() {
                if !is_blank && !tell(begin, line_start)? {
                    return Ok(());
                }
                begin = after;
                is_blank = true;
            } else {
                is_blank &= line.is_blank;
            }
            line = Line::at(after);
            rest = &rest[end + 1..];
        }
        line.take(rest);
        at += window.len() as u64;
    }
    // A dot without a line end behind it ends a message as well.
    let end = if line.is_dot() { line.start } else { at };
    is_blank &= line.is_blank || line.is_dot();
    if !is_blank {
        tell(begin, end)?;
    }
    Ok(())
}

/// As much as has to be known of a line, however long it is.
#[derive(Debug)]
struct Line {
    start: u64,
    first: [u8; 2],
    length: usize,
    is_blank: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self::at(0)
    }
}

impl Line {
    fn at(start: u64) -> Self {
        Self {
            start,
            first: [0; 2],
            length: 0,
            is_blank: true,
        }
    }

    fn take(&mut self, octets: &[u8]) {
        for (at, octet) in (self.length..2).zip(octets) {
            self.first[at] = *octet;
        }
        self.length = self.length.saturating_add(octets.len());
        self.is_blank &= octets.iter().all(u8::is_ascii_whitespace);
    }

    fn is_dot(&self) -> bool {
        match self.length {
            1 => self.first[0] == b'.',
            2 => self.first == *b".\r",
            _ => false,
        }
    }
}

/// Takes the dot away from lines that begin with two.
#[derive(Debug)]
pub(crate) struct Unstuffed<R> {
    inner: R,
    /// How many dots the line has begun with; `None` once something else came.
    dots: Option<u8>,
}

impl<R: Read> Unstuffed<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            dots: Some(0),
        }
    }
}

impl<R: Read> Read for Unstuffed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(into)?;
            if read == 0 {
                return Ok(0);
            }
            let mut kept = 0;
            for at in 0..read {
                let octet = into[at];
                let is_second_dot = octet == b'.' && self.dots == Some(1);
                self.dots = match (octet, self.dots) {
                    (b'\n', _) => Some(0),
                    (b'.', Some(0)) => Some(1),
                    _ => None,
                };
                if !is_second_dot {
                    into[kept] = octet;
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// What holds whatever a file contains.
#[cfg(any(test, fuzzing))]
pub(crate) mod properties {
    use super::*;
    use std::io::Write;

    /// Messages lie in order, inside the file, and nothing but blanks and dots between.
    ///
    /// # Panics
    /// Where a property does not hold.
    #[allow(clippy::expect_used)]
    pub(crate) fn bmf(octets: &[u8]) {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(octets).expect("room");
        let disk = Disk::open(file.path()).expect("just made");
        let mut last = 0usize;
        let between = |gap: &[u8]| {
            assert!(gap.iter().all(|o| o.is_ascii_whitespace() || *o == b'.'));
        };
        pieces(&disk, &mut |begin, end| {
            let (begin, end) = (begin as usize, end as usize);
            assert!(last <= begin && begin < end && end <= octets.len());
            between(&octets[last..begin]);
            let text = &octets[begin..end];
            let has_dot = text
                .split(|o| *o == b'\n')
                .any(|l| l == b"." || l == b".\r");
            assert!(!has_dot, "a message ends at the dot");
            last = end;
            Ok(true)
        })
        .expect("readable");
        between(&octets[last..]);
    }
}
