//! Which octets of a folder are there, as far as a look at its directory tells. Held beside the
//! manifest is a key and a mark for each message.

use crate::fault;
use crate::format::Format;
use crate::manifest::{Place, Record};
use crate::octets::{files, mbox};
use hikyaku_core::{Code, Fault};
use std::fs;
use std::io;
use std::path::Path;

/// What the directory holds, and which of it lines speak of.
#[derive(Debug, Default)]
pub(super) struct There {
    /// Octets of an mbox.
    octets: u64,
    /// Keys of files in their place, ascending.
    in_place: Vec<u32>,
    /// Whether a line speaks of each.
    has_line: Vec<bool>,
    /// Files that still are where they were written, ascending by key, and whether a line speaks
    /// of them. Few: those of one append.
    waiting: Vec<(files::Found, bool)>,
}

/// What an interrupted life left behind.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// With a line, and not in their place.
    pub(super) waiting: Vec<files::Found>,
    /// Never finished.
    pub(super) unfinished: Vec<files::Found>,
    /// Written again under a key whose file is in its place, which counts.
    pub(super) doubles: Vec<files::Found>,
    /// Keys of files that are in their place without a line, ascending.
    pub(super) without_line: Vec<u32>,
}

impl There {
    /// Looks. Directories that links stand for are not looked into.
    ///
    /// # Faults
    /// `backup.unreadable`; `backup.damaged` for such a link.
    pub(super) fn look(directory: &Path, format: Format, epoch: u32) -> Result<Self, Fault> {
        let unreadable = |e: io::Error| fault::reading(directory, &e);
        let mut there = Self::default();
        if format == Format::Mbox {
            there.octets = match fs::symlink_metadata(directory.join(mbox::FILE)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
                found => found.map_err(unreadable)?.len(),
            };
            return Ok(there);
        }
        let add = &mut |found: files::Found| match found.is_in_place {
            true => there.in_place.push(found.key),
            false => there.waiting.push((found, false)),
        };
        files::each(directory, format, epoch, add).map_err(unreadable)?;
        there.in_place.sort_unstable();
        there.in_place.dedup();
        there.waiting.sort_by_key(|(found, _)| found.key);
        there.has_line = vec![false; there.in_place.len()];
        Ok(there)
    }

    /// Whether the octets of a message are there; a line speaks of it.
    pub(super) fn has(&mut self, record: &Record) -> bool {
        let key = match record.place {
            Place::Span { offset, octets } => {
                return offset.saturating_add(octets) <= self.octets;
            }
            // Keys come from the manifest itself, and are 32 bits there.
            Place::File(_) => u32::try_from(record.key.0).unwrap_or(u32::MAX),
        };
        let from = self.waiting.partition_point(|(found, _)| found.key < key);
        let same = self.waiting[from..].iter_mut();
        let mut waits = false;
        for (_, has_line) in same.take_while(|(found, _)| found.key == key) {
            (waits, *has_line) = (true, true);
        }
        match self.in_place.binary_search(&key) {
            Ok(at) => {
                self.has_line[at] = true;
                true
            }
            Err(_) => waits,
        }
    }

    /// What is to be seen to when all lines were read.
    pub(super) fn left(self) -> Left {
        let mut left = Left::default();
        for (found, has_line) in self.waiting {
            let whose = match self.in_place.binary_search(&found.key) {
                Ok(_) => &mut left.doubles,
                Err(_) if has_line => &mut left.waiting,
                Err(_) => &mut left.unfinished,
            };
            whose.push(found);
        }
        let keys = self.in_place.into_iter().zip(self.has_line);
        left.without_line = keys.filter(|(_, has)| !has).map(|(key, _)| key).collect();
        left
    }
}

/// Directories of a folder are its own: what a link in their place leads to is not of the backup.
///
/// # Faults
/// `backup.damaged`.
pub(super) fn shelves_are_its_own(directory: &Path, format: Format) -> Result<(), Fault> {
    for shelf in files::shelves(format).iter().filter(|s| !s.is_empty()) {
        let path = directory.join(shelf);
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_dir()) {
            let detail = format!("{} is no directory but a link or a file", path.display());
            return Err(fault::backup(Code::BackupDamaged, &path, detail));
        }
    }
    Ok(())
}
