//! One folder of a backup: its manifest, its messages, and what an interrupted life left there.

mod adopt;
mod there;
mod writing;

pub(crate) use writing::{Letters, Queue, work};

use crate::fault;
use crate::format::Format;
use crate::home::{sync_directory, write_whole};
use crate::manifest::journal::Journal;
use crate::manifest::{self, Index, Line, Place, Record, Slot};
use crate::names;
use crate::octets::elsewhere::Elsewhere;
use crate::octets::{files, mbox};
use hikyaku_core::traits::FlagChange;
use hikyaku_core::{Fault, Flags, Key, KeySet, MailboxName, Role};
use std::fs;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use there::There;

/// What a folder is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be added to: what an interrupted life left behind is seen to, and a message whose octets
    /// are gone does not count, so that it is written anew.
    Adding,
    /// To be compared with: the same, and nothing is written.
    Looking,
    /// To be restored: every message of the manifest counts, so that those whose octets are gone
    /// are missed.
    Restoring,
}

/// A folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) directory: PathBuf,
    pub(crate) format: Format,
    index: Mutex<Index>,
    /// Held by whoever adds to the folder.
    store: Mutex<Option<writing::Store>>,
    /// Files that are not where their lines say.
    elsewhere: Mutex<Elsewhere>,
}

impl Folder {
    /// Makes the directory of a new folder, whole and durable, under a name that does not count yet.
    pub(crate) fn make(
        directory: &Path,
        format: Format,
        epoch: u32,
        name: &MailboxName,
        role: Option<Role>,
        subscribed: bool,
    ) -> io::Result<()> {
        Self::unmake(directory)?;
        fs::create_dir(directory)?;
        let shelves: &[&str] = match format {
            Format::Maildir => &["cur", "new", "tmp"],
            Format::Mbox | Format::Eml => &[],
        };
        for shelf in shelves {
            fs::create_dir(directory.join(shelf))?;
        }
        if format == Format::Mbox {
            write_whole(&directory.join(mbox::FILE), b"")?;
        }
        let lines = [
            Line::head(format, epoch),
            Line::Folder(name.clone()),
            Line::Role(role),
            Line::Subscribed(subscribed),
        ];
        let text: String = lines.iter().map(Line::write).collect();
        write_whole(&directory.join(manifest::FILE), text.as_bytes())?;
        sync_directory(directory)
    }

    /// Takes away what [`Folder::make`] left unfinished. Anything else in it stays, and is an error.
    pub(crate) fn unmake(directory: &Path) -> io::Result<()> {
        if !fs::symlink_metadata(directory).is_ok_and(|m| m.is_dir()) {
            return match fs::remove_file(directory) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            };
        }
        for shelf in ["cur", "new", "tmp"] {
            ignore_missing(fs::remove_dir(directory.join(shelf)))?;
        }
        for file in [manifest::FILE, mbox::FILE] {
            ignore_missing(fs::remove_file(directory.join(file)))?;
        }
        fs::remove_dir(directory)
    }

    /// Reads a folder.
    pub(crate) fn load(directory: &Path, format: Format, purpose: Purpose) -> Result<Self, Fault> {
        let path = directory.join(manifest::FILE);
        let unreadable = |e: io::Error| fault::reading(directory, &e);
        there::shelves_are_its_own(directory, format)?;
        let (epoch, instead) = match (epoch_of(&path)?, purpose) {
            (Some(epoch), Purpose::Adding) => (epoch, None),
            // Nothing is added where it is not known for sure whose it is.
            (None, Purpose::Adding) => (0, None),
            (epoch, Purpose::Looking | Purpose::Restoring) => {
                let guessed = files::any_epoch(directory, format).map_err(unreadable)?;
                let epoch = epoch.or(guessed).unwrap_or_default();
                (epoch, Some((name_of(directory), epoch)))
            }
        };
        let mut there = There::look(directory, format, epoch)?;
        let mut counts = |record: &Record| there.has(record) || purpose == Purpose::Restoring;
        let index = Index::read(&path, instead, &mut counts)?;
        let folder = Self {
            directory: directory.to_owned(),
            format,
            index: Mutex::new(index),
            store: Mutex::new(None),
            elsewhere: Mutex::default(),
        };
        if purpose == Purpose::Adding {
            folder.take_in(&there.left())?;
        }
        Ok(folder)
    }

    /// What is known of the folder.
    pub(crate) fn state(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> MutexGuard<'_, Option<writing::Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn elsewhere(&self) -> MutexGuard<'_, Elsewhere> {
        self.elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.directory.join(manifest::FILE)
    }

    /// Keys of all messages.
    pub(crate) fn keys(&self) -> KeySet {
        let index = self.state();
        index
            .slots
            .iter()
            .map(|slot| Key(u64::from(slot.key)))
            .collect()
    }

    /// Where the lines of some messages are, ascending by key, at most so many; of keys that are
    /// gone nothing.
    pub(crate) fn slots(&self, keys: RangeInclusive<u64>, most: usize) -> Vec<Slot> {
        let index = self.state();
        let from = index
            .slots
            .partition_point(|slot| u64::from(slot.key) < *keys.start());
        let rest = index.slots[from..].iter().take(most);
        rest.take_while(|slot| u64::from(slot.key) <= *keys.end())
            .copied()
            .collect()
    }

    /// Messages that something was said of after a line.
    pub(crate) fn changed(&self, modseq: u64) -> Vec<Slot> {
        let index = self.state();
        let later = index.slots.iter().filter(|s| u64::from(s.modseq) > modseq);
        later.copied().collect()
    }

    /// Reads the lines of some messages, with the flags that they have now.
    pub(crate) fn records(&self, slots: &[Slot]) -> Result<Vec<Record>, Fault> {
        let path = self.manifest();
        let unreadable = |e: io::Error| fault::reading(&path, &e);
        let file = crate::home::open(&path).map_err(unreadable)?;
        let mut file = BufReader::with_capacity(1 << 15, file);
        let mut at = 0u64;
        let mut line = Vec::new();
        let mut read = |wanted: u64, line: &mut Vec<u8>| -> io::Result<()> {
            line.clear();
            match i64::try_from(wanted.wrapping_sub(at)) {
                Ok(ahead) if wanted >= at => file.seek_relative(ahead)?,
                _ => drop(file.seek(SeekFrom::Start(wanted))?),
            }
            at = wanted + file.read_until(b'\n', line)? as u64;
            line.pop();
            Ok(())
        };
        let mut records = Vec::with_capacity(slots.len());
        for slot in slots {
            read(slot.at, &mut line).map_err(unreadable)?;
            let Some(Line::Message(mut record)) = Line::parse(&line) else {
                let fault = fault::message(&path, "the line of the message changed meanwhile");
                return Err(fault.message(Key(u64::from(slot.key))));
            };
            if slot.flags_at > 0 {
                read(slot.flags_at, &mut line).map_err(unreadable)?;
                if let Some(Line::Flags(_, flags)) = Line::parse(&line) {
                    record.flags = flags;
                }
            }
            records.push(record);
        }
        Ok(records)
    }

    /// Sets what is new about special use and subscription.
    pub(crate) fn describe(&self, role: Option<Role>, subscribe: bool) -> Result<(), Fault> {
        let mut lines = Vec::new();
        {
            let index = self.state();
            if role.is_some() && role != index.role {
                lines.push(Line::Role(role));
            }
            if subscribe && !index.subscribed {
                lines.push(Line::Subscribed(true));
            }
        }
        match lines.is_empty() {
            true => Ok(()),
            false => self.add(&mut self.store(), lines),
        }
    }

    /// Adds and removes flags.
    pub(crate) fn store_flags(&self, changes: &[FlagChange]) -> Result<(), Fault> {
        let mut store = self.store();
        for changes in changes.chunks(1_000) {
            let mut lines = Vec::new();
            let mut names = Vec::new();
            for change in changes {
                for record in self.records(&self.slots(change.key.0..=change.key.0, 1))? {
                    let flags = record.flags.or(&change.add).minus(&change.remove);
                    // The spelling of a keyword may have changed, too.
                    if flags != record.flags {
                        lines.push(Line::Flags(record.key, flags.clone()));
                        names.push((record, flags));
                    }
                }
            }
            if !lines.is_empty() {
                self.add(&mut store, lines)?;
            }
            for (record, flags) in names {
                self.rename(&record, &flags);
            }
        }
        Ok(())
    }

    /// Gives a Maildir's file the letters of its flags. The manifest counts: a name that stays
    /// behind is found all the same.
    fn rename(&self, record: &Record, flags: &Flags) {
        if let Place::File(place) = &record.place {
            let from = files::path(&self.directory, place, &record.flags);
            let to = files::path(&self.directory, place, flags);
            if from != to {
                fs::rename(from, to).ok();
            }
        }
    }

    /// Adds lines for good.
    fn add(&self, store: &mut Option<writing::Store>, lines: Vec<Line>) -> Result<(), Fault> {
        let path = self.manifest();
        let unwritable = |e: &io::Error| fault::writing(&path, e);
        let store = self.opened(store).map_err(|e| unwritable(&e))?;
        let begins = store.journal.add(&lines).map_err(|(e, _)| unwritable(&e))?;
        self.took(begins, lines, store.journal.end());
        Ok(())
    }

    /// Remembers lines that are durable.
    fn took(&self, begins: Vec<u64>, lines: Vec<Line>, end: u64) {
        let mut index = self.state();
        index.end = end;
        for (at, line) in begins.into_iter().zip(lines) {
            index.lines = index.lines.saturating_add(1);
            let number = index.lines;
            index.take(line, at, number, &mut |_| true);
        }
        index.settle();
    }

    /// The files of the folder, open for adding.
    fn opened<'a>(
        &self,
        store: &'a mut Option<writing::Store>,
    ) -> io::Result<&'a mut writing::Store> {
        match store {
            Some(store) => Ok(store),
            None => {
                let end = self.state().end;
                let journal = Journal::open(&self.manifest(), end)?;
                Ok(store.insert(writing::Store::open(&self.directory, self.format, journal)?))
            }
        }
    }
}

fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// The mailbox as its directory tells it, for want of anything better.
pub(crate) fn name_of(directory: &Path) -> MailboxName {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let decoded = names::mailbox(&name);
    let plain = || MailboxName::new(vec![name.clone().into_owned()]);
    decoded.or_else(plain).unwrap_or_else(MailboxName::inbox)
}

/// The epoch alone, from the first line; `None` where that is damaged.
fn epoch_of(path: &Path) -> Result<Option<u32>, Fault> {
    let file = crate::home::open(path).map_err(|e| fault::reading(path, &e))?;
    let mut first = Vec::new();
    let mut file = io::Read::take(BufReader::new(file), 4_096);
    file.read_until(b'\n', &mut first)
        .map_err(|e| fault::reading(path, &e))?;
    first.pop();
    match Line::parse(&first) {
        Some(Line::Head { epoch, .. }) => Ok(Some(epoch)),
        _ => Ok(None),
    }
}
