//! What is remembered of a manifest: where the line of each message begins.
//!
//! Twenty-four octets a message, whatever its line is long; everything else is read from the
//! file when it is asked for.

use super::{Line, Record, VERSION};
use crate::fault;
use hikyaku_core::{Code, Fault, Key, MailboxName, Role};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Longest line that is looked at, in octets; a longer one is damaged.
const LONGEST: usize = 1 << 20;

/// Where a message's lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) key: u32,
    /// Number of the line that last said something of it: its mod-sequence.
    pub(crate) modseq: u32,
    /// Where its own line begins.
    pub(crate) at: u64,
    /// Where its latest line of flags begins; zero without one.
    pub(crate) flags_at: u64,
}

/// A manifest, read once from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) name: MailboxName,
    pub(crate) epoch: u32,
    pub(crate) role: Option<Role>,
    pub(crate) subscribed: bool,
    /// Messages whose octets are there, ascending by key.
    pub(crate) slots: Vec<Slot>,
    /// Those whose lines came behind that of a higher key, until [`Self::settle`].
    late: BTreeMap<u32, Slot>,
    /// Of these, in octets.
    pub(crate) octets: u64,
    /// The lowest key that nothing ever had.
    pub(crate) next: u32,
    /// Lines so far, whole or not.
    pub(crate) lines: u32,
    /// Where the next line belongs.
    pub(crate) end: u64,
    /// Behind the last octet of an mbox that a line speaks of.
    pub(crate) span_end: u64,
    /// Numbers of lines that are not as they were written, from 1.
    pub(crate) damaged: Vec<u32>,
}

impl Index {
    /// Reads a manifest. Messages of which `is_there` says no are left out. Where its first lines
    /// are damaged it counts as that of `instead`, if anything is.
    ///
    /// # Faults
    /// `backup.version` for a newer one; `backup.damaged` when it does not say whose it is.
    pub(crate) fn read(
        path: &Path,
        instead: Option<(MailboxName, u32)>,
        is_there: &mut dyn FnMut(&Record) -> bool,
    ) -> Result<Self, Fault> {
        let mut index: Option<Self> = None;
        let mut head: Option<u32> = None;
        let mut damaged = Vec::new();
        let (mut lines, mut end) = (0u32, 0u64);
        each(path, &mut |at, after, line| {
            lines += 1;
            end = after;
            let Some(line) = Line::parse(line) else {
                // Zeros are what a power cut leaves of a line that nobody was told of.
                if memchr::memchr(0, line).is_none() {
                    damaged.push(lines);
                }
                if let Some(index) = &mut index {
                    // It may have been a message: nothing else gets its key.
                    index.next = index.next.saturating_add(1);
                }
                return Ok(());
            };
            match (line, &mut index) {
                (Line::Head { version, .. }, _) if version > VERSION => {
                    let detail = format!("{}: version {version}", path.display());
                    return Err(fault::backup(Code::BackupVersion, path, detail));
                }
                (Line::Head { epoch, .. }, None) => head = Some(epoch),
                (Line::Folder(name), None) => {
                    index = head.map(|epoch| Self::new(name, epoch));
                }
                (line, Some(index)) => index.take(line, at, lines, is_there),
                (line, None) => {
                    if let Some((name, epoch)) = instead.clone() {
                        let own = Self::new(name, head.unwrap_or(epoch));
                        index.insert(own).take(line, at, lines, is_there);
                    }
                }
            }
            Ok(())
        })?;
        let Some(mut index) = index else {
            let detail = format!("{}: its first lines are damaged", path.display());
            return Err(fault::backup(Code::BackupDamaged, path, detail));
        };
        index.lines = lines;
        index.end = end;
        index.damaged = damaged;
        index.settle();
        Ok(index)
    }

    fn new(name: MailboxName, epoch: u32) -> Self {
        Self {
            name,
            epoch,
            role: None,
            subscribed: false,
            slots: Vec::new(),
            late: BTreeMap::new(),
            octets: 0,
            next: 1,
            lines: 2,
            end: 0,
            span_end: 0,
            damaged: Vec::new(),
        }
    }

    /// Takes a line that begins at an octet and is the n-th; [`Self::settle`] after the last.
    pub(crate) fn take(
        &mut self,
        line: Line,
        at: u64,
        number: u32,
        is_there: &mut dyn FnMut(&Record) -> bool,
    ) {
        match line {
            Line::Role(role) => self.role = role,
            Line::Subscribed(is) => self.subscribed = is,
            Line::Message(record) => {
                if let super::Place::Span { offset, octets } = record.place {
                    self.span_end = self.span_end.max(offset.saturating_add(octets));
                }
                // Keys come from the manifest itself, and are 32 bits there.
                let key = u32::try_from(record.key.0).unwrap_or(u32::MAX);
                self.next = self.next.max(key.saturating_add(1));
                let slot = Slot {
                    key,
                    modseq: number,
                    at,
                    flags_at: 0,
                };
                if !is_there(&record) {
                    return;
                }
                // Ascending but for what was taken in after a crash, and what somebody else wrote.
                match self.slots.last().is_none_or(|last| last.key < key) {
                    true => self.slots.push(slot),
                    false if self.slot(Key(u64::from(key))).is_some() => return,
                    false => drop(self.late.insert(key, slot)),
                }
                self.octets = self.octets.saturating_add(record.octets);
            }
            Line::Flags(key, _) => {
                if let Some(slot) = self.slot(key) {
                    slot.flags_at = at;
                    slot.modseq = number;
                }
            }
            Line::Head { .. } | Line::Folder(_) | Line::Other => {}
        }
    }

    /// Puts what came late among the others.
    pub(crate) fn settle(&mut self) {
        if !self.late.is_empty() {
            self.slots
                .extend(std::mem::take(&mut self.late).into_values());
            self.slots.sort_unstable_by_key(|slot| slot.key);
        }
    }

    /// The place of a key among the slots.
    pub(crate) fn find(&self, key: Key) -> Option<usize> {
        let by_key = |slot: &Slot| u64::from(slot.key).cmp(&key.0);
        self.slots.binary_search_by(by_key).ok()
    }

    fn slot(&mut self, key: Key) -> Option<&mut Slot> {
        match self.find(key) {
            Some(n) => self.slots.get_mut(n),
            None => self.late.get_mut(&u32::try_from(key.0).ok()?),
        }
    }
}

/// Told of a line: where it begins, where the next one does, and the line without its end.
pub(crate) type Told<'a> = dyn FnMut(u64, u64, &[u8]) -> Result<(), Fault> + 'a;

/// Every line that has an end, with the octet at which it begins and that behind its end.
pub(crate) fn each(path: &Path, told: &mut Told<'_>) -> Result<(), Fault> {
    let unreadable = |e: std::io::Error| fault::reading(path, &e);
    let mut file = BufReader::with_capacity(1 << 16, crate::home::open(path).map_err(unreadable)?);
    let mut line = Vec::new();
    let mut at = 0u64;
    loop {
        line.clear();
        let octets = take_line(&mut file, &mut line).map_err(unreadable)?;
        if line.pop() != Some(b'\n') {
            // What has no end was being written when everything ended.
            return Ok(());
        }
        told(at, at + octets, &line)?;
        at += octets;
    }
}

/// Reads through the next line end; of a line that is too long only the end is kept, which no
/// sum can fit.
fn take_line(file: &mut BufReader<File>, line: &mut Vec<u8>) -> std::io::Result<u64> {
    let mut octets = 0u64;
    loop {
        let buffer = file.fill_buf()?;
        let end = memchr::memchr(b'\n', buffer);
        let take = end.map_or(buffer.len(), |at| at + 1);
        if take == 0 {
            return Ok(octets);
        }
        if line.len() > LONGEST {
            line.clear();
        }
        line.extend_from_slice(&buffer[..take]);
        file.consume(take);
        octets += take as u64;
        if end.is_some() {
            return Ok(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::manifest::Place;
    use hikyaku_core::Flags;

    fn message(key: u32) -> Line {
        Line::Message(Record {
            key: Key(u64::from(key)),
            sha256: [0; 32],
            octets: 3,
            date: None,
            place: Place::File(format!("{key}.eml")),
            flags: Flags::new(),
        })
    }

    fn read(lines: impl Iterator<Item = Line>) -> Index {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("manifest.tsv");
        let head = [
            Line::head(Format::Eml, 7),
            Line::Folder(MailboxName::inbox()),
        ];
        let text: String = head.into_iter().chain(lines).map(|l| l.write()).collect();
        std::fs::write(&path, text).expect("written");
        Index::read(&path, None, &mut |_| true).expect("read")
    }

    /// Took minutes while each line moved all those before it.
    #[test]
    fn keys_that_descend_are_read_as_fast_as_others() {
        const COUNT: u32 = 400_000;
        let flags = |key: u32| Line::Flags(Key(u64::from(key)), Flags::parse("\\Seen"));
        let lines = (1..=COUNT).rev().map(message);
        // A message that is told of twice counts once, and as it was told first.
        let more = [flags(5), message(5), flags(COUNT), flags(COUNT + 1)];
        let index = read(lines.chain(more));
        let keys: Vec<u32> = index.slots.iter().map(|slot| slot.key).collect();
        assert!(keys.iter().copied().eq(1..=COUNT));
        assert_eq!(
            (index.next, index.octets),
            (COUNT + 1, u64::from(COUNT) * 3)
        );
        let of_five = index.slots[4];
        // Behind two lines of the head and those of all higher keys.
        assert_eq!(of_five.modseq, COUNT + 3);
        let changed: Vec<u32> = index
            .slots
            .iter()
            .filter(|slot| slot.flags_at > 0)
            .map(|slot| slot.key)
            .collect();
        assert_eq!(changed, [5, COUNT]);
        let rising = index.slots.windows(2).all(|pair| pair[0].at > pair[1].at);
        assert!(rising, "the lower key came later");
    }

    #[test]
    fn keys_in_any_order_are_those_of_the_sorted_manifest() {
        let index = read([3, 9, 1, 7, 3, 12, 8, 1].map(message).into_iter());
        let keys: Vec<u32> = index.slots.iter().map(|slot| slot.key).collect();
        assert_eq!(keys, [1, 3, 7, 8, 9, 12]);
        assert_eq!((index.next, index.octets, index.lines), (13, 18, 10));
    }
}
