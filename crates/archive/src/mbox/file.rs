//! One mbox file: its entries as items, an item as a message.

use super::dialect::Dialect;
use super::filter::{Filter, MessageSieve, Quoting};
use super::scan::{Entry, Scan};
use super::separator;
use super::state::{self, State};
use crate::disk::{self, Disk};
use crate::fault;
use crate::recent::Recent;
use crate::store::{Flow, Found, Item, Place, Start, mark};
use crate::text::Text;
use hikyaku_core::{Fault, Flag, InternalDate, Key, arrival};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of a header goes into the mark of a message.
const MARKED: usize = 4096;

/// How far the time of a `From ` line, which has no zone, may be from the same moment
/// with one.
const ZONES: i64 = 14 * 3600;

/// An mbox file, open for reading.
pub(crate) struct MboxFile {
    path: PathBuf,
    disk: Disk,
    dialect: Dialect,
    modified: Option<i64>,
    reading: Reading,
}

/// How files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// How `From ` lines are hidden; `None`: as the file itself tells.
    pub(crate) quoting: Option<Quoting>,
    /// What was deleted and is still in the file is left out, as the program that owns
    /// the file does. Else it comes with `\\Deleted`.
    pub(crate) hides_expunged: bool,
    /// The present, in seconds since 1970 UTC.
    pub(crate) now: i64,
}

/// A message with what a format built on mbox may want to know of it.
pub(crate) struct Told<'a> {
    /// What would be told of it as plain mbox.
    pub(crate) found: Found,
    /// The beginning of its header with LF line ends, state fields included.
    pub(crate) head: &'a [u8],
}

/// Whether the file begins like an mbox, or like a message; an empty one does.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn begins_like_mail(path: &Path) -> io::Result<bool> {
    let disk = Disk::open(path)?;
    let mut front = vec![0; 8192];
    let filled = disk.fill_at(&mut front, 0)?;
    let front = &front[..filled];
    let front = front.strip_prefix(b"\xef\xbb\xbf").unwrap_or(front);
    let front = front.trim_ascii_start();
    let end = memchr::memchr2(b'\n', b'\r', front).unwrap_or(front.len());
    let line = &front[..end];
    Ok(front.is_empty()
        || line == b"From"
        || line.starts_with(b"From ")
        || separator::field(line).is_some())
}

/// Open files, so that one message after the other does not open one again.
#[derive(Default)]
pub(crate) struct MboxFiles {
    open: Recent<MboxFile>,
}

impl MboxFiles {
    /// The file as it is now.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn get(&self, path: &Path, reading: Reading) -> io::Result<Arc<MboxFile>> {
        self.open.get(path, || MboxFile::open(path, reading))
    }
}

impl MboxFile {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn open(path: &Path, reading: Reading) -> io::Result<Self> {
        let disk = Disk::open(path)?;
        let mut dialect = Dialect::of(&disk)?;
        dialect.quoting = reading.quoting.unwrap_or(dialect.quoting);
        Ok(Self {
            path: path.to_owned(),
            disk,
            dialect,
            modified: disk::modified(path),
            reading,
        })
    }

    /// Tells each message from `start` on.
    ///
    /// # Errors
    /// When the file cannot be read, or became shorter.
    pub(crate) fn scan(
        &self,
        start: Start,
        tell: &mut dyn FnMut(Told<'_>) -> Flow,
    ) -> io::Result<()> {
        // Without a place to begin at, everything in front is passed over.
        let number = if start.at == 0 { 1 } else { start.key.0 };
        let scan = Scan::new(&self.disk, self.dialect, number, start.at);
        scan.run(&mut |entry| {
            if entry.number < start.key.0 {
                return ControlFlow::Continue(());
            }
            let head = state::lines(entry.head, self.dialect.end);
            tell(Told {
                found: self.found(&entry, &head),
                head: &head,
            })
        })
    }

    fn found(&self, entry: &Entry<'_>, head: &[u8]) -> Found {
        let key = Key(entry.number);
        let unreadable = |detail: &str| Found::Unreadable {
            key,
            at: entry.start,
            place: format!("{}, offset {}", self.path.display(), entry.start),
            fault: fault::damaged(detail),
        };
        if !entry.is_message {
            return unreadable("what stands in front of the first message is not mail");
        }
        if entry.octets == 0 {
            return unreadable("there is nothing behind the line that begins the message");
        }
        let State {
            mut flags,
            is_recorded,
            is_expunged,
        } = state::state(head);
        let mark = self.mark(entry.head);
        if is_expunged && self.reading.hides_expunged {
            return Found::Deleted {
                key,
                at: entry.start,
                octets: entry.octets,
                mark,
            };
        }
        if is_expunged {
            flags.set(Flag::Deleted);
        }
        Found::Message(Item {
            flags,
            seen_recorded: is_recorded || self.dialect.records_seen,
            date: self.date(entry.divider, head),
            at: entry.start,
            mark,
            place: Place {
                file: None,
                start: entry.text,
                length: entry.length,
                note: 0,
            },
            ..Item::new(key, entry.octets, Place::default())
        })
    }

    fn filter(&self) -> Filter {
        let Dialect {
            quoting,
            end,
            counts_length,
            ..
        } = self.dialect;
        Filter::new(quoting, end, counts_length)
    }

    /// Of the header as it comes out: state changes, the message does not.
    fn mark(&self, head: &[u8]) -> u64 {
        use crate::text::Sieve;
        let mut out = Vec::with_capacity(head.len().min(MARKED) + 64);
        let mut sieve = MessageSieve::new(self.filter());
        for line in head.split_inclusive(|b| *b == self.dialect.end) {
            sieve.pass(line, &mut out);
            if out.len() >= MARKED {
                break;
            }
        }
        out.truncate(MARKED);
        mark(&out)
    }

    /// The `From ` line's moment, with the zone of the header when it is the same moment;
    /// else what the header tells. Mozilla writes the time of the download, which counts
    /// only where there is nothing else.
    fn date(&self, divider: &[u8], head: &[u8]) -> Option<InternalDate> {
        let noted = separator::date(divider);
        let header = arrival::in_header(head, self.reading.now);
        let file = noted.map(|d| d.seconds).or(self.modified);
        if separator::is_mozilla(divider) {
            return arrival::of(None, head, file, self.reading.now);
        }
        let is_same = |a: &InternalDate| {
            noted.is_some_and(|n| (n.seconds - a.seconds).abs() <= ZONES && n.offset_minutes == 0)
        };
        header
            .filter(is_same)
            .or_else(|| arrival::of(noted, head, self.modified, self.reading.now))
    }

    /// One message.
    ///
    /// # Faults
    /// When the file does not hold it any more.
    pub(crate) fn text(&self, item: &Item) -> Result<Text, Fault> {
        let Place { start, length, .. } = item.place;
        let sieve = MessageSieve::new(self.filter());
        Text::counted(item.octets, self.disk.part(start, length), sieve)
    }
}
