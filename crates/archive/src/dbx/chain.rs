//! A message's text: a chain of segments of at most 512 octets.
//!
//! Each begins with its own offset, the length of its body, the length of the text in it
//! and the offset of the next one (0: the last).

use std::io::{self, Read};

use super::layout::word;
use crate::disk::Disk;

const HEAD: usize = 16;
/// Text of one segment. Outlook Express writes 0x200; more than this is damage.
const MAX_SEGMENT: usize = 64 * 1024;

/// Reads the text of a message segment by segment.
#[derive(Debug)]
pub(crate) struct Chain {
    file: Disk,
    next: u32,
    /// Octets of segments that can still come: more than the file has is a cycle.
    left: u64,
    now: Vec<u8>,
    given: usize,
}

impl Chain {
    /// From the first segment on.
    pub(crate) fn new(file: Disk, first: u32) -> Self {
        Self {
            left: file.length(),
            file,
            next: first,
            now: Vec::new(),
            given: 0,
        }
    }

    fn advance(&mut self) -> io::Result<()> {
        let at = self.next;
        let head = self.file.octets_at(u64::from(at), HEAD)?;
        let fields = (
            word(&head, 0),
            word(&head, 4),
            word(&head, 8),
            word(&head, 12),
        );
        let (Some(marker), Some(body), Some(text), Some(next)) = fields else {
            return Err(damaged(at, "ends in the middle"));
        };
        if marker != at || text > body || text as usize > MAX_SEGMENT {
            return Err(damaged(at, "is no part of a message"));
        }
        let whole = HEAD as u64 + u64::from(text);
        let left = self.left.checked_sub(whole);
        self.left = left.ok_or_else(|| damaged(at, "leads back to itself"))?;
        let octets = self
            .file
            .octets_at(u64::from(at) + HEAD as u64, text as usize)?;
        if octets.len() < text as usize {
            return Err(damaged(at, "ends in the middle"));
        }
        self.now = octets;
        self.given = 0;
        self.next = next;
        Ok(())
    }
}

fn damaged(at: u32, what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the segment at offset {at} {what}"),
    )
}

impl Read for Chain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.now.len() {
            if self.next == 0 || into.is_empty() {
                return Ok(0);
            }
            self.advance()?;
        }
        let count = (self.now.len() - self.given).min(into.len());
        into[..count].copy_from_slice(&self.now[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// Offsets at which a text may begin: segments to which no other leads. For files whose
/// tree is broken; ascending.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn heads(file: &Disk) -> io::Result<Vec<u32>> {
    /// Read at once; a multiple of four.
    const WINDOW: usize = 1 << 20;
    /// Text of one segment, as the program writes all of them.
    const BODY: u32 = 0x200;
    let mut segments = Vec::new();
    let mut followers = std::collections::HashSet::new();
    let mut base = 0u64;
    // What stands inside of a segment begins none.
    let mut free = 0u64;
    while base < file.length() {
        let window = file.octets_at(base, WINDOW + HEAD)?;
        for at in (0..window.len().min(WINDOW)).step_by(4) {
            let Ok(offset) = u32::try_from(base + at as u64) else {
                break;
            };
            if offset == 0 || u64::from(offset) < free || word(&window, at) != Some(offset) {
                continue;
            }
            let fields = (
                word(&window, at + 4),
                word(&window, at + 8),
                word(&window, at + 12),
            );
            let (Some(body), Some(text), Some(next)) = fields else {
                continue;
            };
            let inside = u64::from(next) < file.length();
            if body == BODY && text > 0 && text <= body && inside && next % 4 == 0 {
                free = u64::from(offset) + HEAD as u64 + u64::from(BODY);
                segments.push(offset);
                followers.insert(next);
            }
        }
        base += WINDOW as u64;
    }
    segments.retain(|offset| !followers.contains(offset));
    Ok(segments)
}
