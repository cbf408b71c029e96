//! Outlook Express 4 `.mbx`: messages one after the other, each behind a small header.
//!
//! ```text
//! 0x00  "JMF6"            0x08 number of messages
//! 0x54  00 7f 00 7f       a message: its number, the length of the record
//!       (header included), the length of the text, the text
//! ```
//!
//! Seen in files of the program; the `.idx` beside it (described by J. Evans and
//! A. Schloh, "Outlook Express (IE4) Index File Format") is not read, so what was read
//! and what was deleted without compacting is not known.

use std::io;

use super::layout::word;
use crate::disk::Disk;

/// The first four octets.
pub(crate) const MAGIC: [u8; 4] = *b"JMF6";
/// Where the first message begins.
const FIRST: u64 = 0x54;
const RECORD: [u8; 4] = [0x00, 0x7f, 0x00, 0x7f];
/// Octets of a message's header.
const HEAD: usize = 16;

/// What stands at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A message.
    Message {
        /// The program's own number of it.
        number: u32,
        /// Offset of its text.
        start: u64,
        /// Length of its text in octets.
        length: u64,
    },
    /// Nothing that could be read; the next message was looked for behind it.
    Damaged {
        /// Where.
        at: u64,
        /// Octets passed over.
        length: u64,
    },
}

/// Tells everything in the file in order until it is told to stop.
pub(crate) fn records(file: &Disk, found: &mut dyn FnMut(Record) -> bool) -> io::Result<()> {
    let mut at = FIRST;
    while at < file.length() {
        let head = file.octets_at(at, HEAD)?;
        let (number, size, text) = (word(&head, 4), word(&head, 8), word(&head, 12));
        let whole = match (number, size, text) {
            (Some(number), Some(size), Some(text)) if head[..4] == RECORD => {
                let start = at + HEAD as u64;
                let (end, length) = (at + u64::from(size), u64::from(text));
                // Where the length of the record leads nowhere, the next one is looked
                // for; a text that reaches into it is not what was written.
                let next = match is_border(file, end)? && end >= start + length {
                    true => end,
                    false => next_record(file, start)?,
                };
                let message = Record::Message {
                    number,
                    start,
                    length,
                };
                (start + length <= next).then_some((message, next))
            }
            _ => None,
        };
        let (record, next) = match whole {
            Some((message, end)) => (message, end),
            None => {
                let next = next_record(file, at + 4)?;
                let length = next - at;
                // Zeros at the end are room that is not used yet.
                let rest = file.octets_at(at, usize::try_from(length.min(4096)).unwrap_or(4096))?;
                if next == file.length() && rest.iter().all(|o| *o == 0) && length <= 4096 {
                    return Ok(());
                }
                (Record::Damaged { at, length }, next)
            }
        };
        if !found(record) {
            return Ok(());
        }
        at = next;
    }
    Ok(())
}

/// Whether a record begins there, or the file ends.
fn is_border(file: &Disk, at: u64) -> io::Result<bool> {
    Ok(at == file.length() || file.octets_at(at, RECORD.len())? == RECORD)
}

/// The next place that looks like a message's header, or the end of the file.
fn next_record(file: &Disk, from: u64) -> io::Result<u64> {
    const WINDOW: usize = 1 << 16;
    let mut at = from;
    while at < file.length() {
        let window = file.octets_at(at, WINDOW + RECORD.len())?;
        if let Some(found) = memchr::memmem::find(&window, &RECORD) {
            return Ok(at + found as u64);
        }
        at += WINDOW as u64;
    }
    Ok(file.length())
}
