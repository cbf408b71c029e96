//! The octets of one message, read piece by piece and compared with their sum at the end.

use super::{files, mbox, quote::Unquoter};
use crate::fault;
use crate::folder::Folder;
use crate::manifest::{Place, Record};
use bytes::Bytes;
use hikyaku_core::Fault;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Octets in one piece.
const PIECE: usize = 256 * 1024;

/// A message that is being read.
#[derive(Debug)]
pub(crate) struct Octets {
    file: File,
    path: PathBuf,
    record: Record,
    /// Octets of the file that belong to it and were not read yet; all of the rest where it is
    /// a file of its own.
    left: u64,
    unquoter: Option<Unquoter>,
    /// Until it was compared.
    hasher: Option<Sha256>,
    given: u64,
    /// A piece that is given only when it is known that the message is whole.
    last: Option<Vec<u8>>,
    ended: bool,
}

impl Octets {
    /// Opens a message of a folder.
    ///
    /// # Faults
    /// `backup.damaged` for the message when its file is gone; `backup.unreadable`.
    pub(crate) fn open(folder: &Folder, record: &Record) -> Result<Self, Fault> {
        let (path, opened) = match &record.place {
            Place::Span { .. } => {
                let path = folder.directory.join(mbox::FILE);
                let opened = crate::home::open(&path);
                (path, opened)
            }
            Place::File(place) => open_file(folder, place, record),
        };
        let named = |fault: Fault| fault::of_message(fault, record.key);
        let file = match opened {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(named(fault::message(
                    &path,
                    "the file of the message is gone",
                )));
            }
            opened => opened.map_err(|e| named(fault::reading(&path, &e)))?,
        };
        let mut octets = Self {
            file,
            path,
            record: record.clone(),
            left: u64::MAX,
            unquoter: None,
            hasher: Some(Sha256::new()),
            given: 0,
            last: None,
            ended: false,
        };
        if let Place::Span {
            offset,
            octets: span,
        } = record.place
        {
            octets.left = span;
            octets.unquoter = Some(Unquoter::default());
            let sought = octets.file.seek(SeekFrom::Start(offset));
            sought.map_err(|e| named(fault::reading(&octets.path, &e)))?;
        }
        Ok(octets)
    }

    /// The next piece; `None` behind the last. The last one is given only when the whole
    /// message is as it was written.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        while !self.ended {
            let wanted = self.left.min(PIECE as u64) as usize;
            // One more shows that there is more than there should be.
            let room = self.record.octets.saturating_add(1).min(wanted as u64);
            let mut piece = Vec::with_capacity(room as usize);
            let read = (&mut self.file).take(wanted as u64).read_to_end(&mut piece);
            let read = read.map_err(|e| self.named(fault::reading(&self.path, &e)))?;
            self.left -= read as u64;
            self.ended = read < wanted || self.left == 0;
            if let Some(unquoter) = &mut self.unquoter {
                let quoted = std::mem::take(&mut piece);
                piece.reserve(quoted.len());
                unquoter.put(&quoted, &mut piece);
                if self.ended {
                    let rest = std::mem::take(unquoter);
                    rest.end(&mut piece);
                }
            }
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&piece);
            }
            self.given += piece.len() as u64;
            if self.given > self.record.octets {
                (self.ended, self.hasher) = (true, None);
                return Err(self.damaged());
            }
            if piece.is_empty() {
                continue;
            }
            if let Some(before) = self.last.replace(piece) {
                return Ok(Some(before.into()));
            }
        }
        let Some(hasher) = self.hasher.take() else {
            return Ok(None);
        };
        let sum: [u8; 32] = hasher.finalize().into();
        match sum == self.record.sha256 && self.given == self.record.octets {
            true => Ok(self.last.take().map(Bytes::from)),
            false => Err(self.damaged()),
        }
    }

    /// All of it.
    pub(crate) fn whole(mut self) -> Result<Bytes, Fault> {
        let first = self.next()?.unwrap_or_default();
        let Some(second) = self.next()? else {
            return Ok(first);
        };
        let mut all = Vec::with_capacity(self.record.octets as usize);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.next()? {
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }

    /// Its first octets, at least so many where it has them, compared with nothing.
    pub(crate) fn head(mut self, most: usize) -> Result<Bytes, Fault> {
        let wanted = self.left.min(most as u64 * 2);
        let mut head = Vec::new();
        let read = (&mut self.file).take(wanted).read_to_end(&mut head);
        read.map_err(|e| self.named(fault::reading(&self.path, &e)))?;
        if let Some(mut unquoter) = self.unquoter.take() {
            let quoted = std::mem::take(&mut head);
            unquoter.put(&quoted, &mut head);
            unquoter.end(&mut head);
        }
        head.truncate(most);
        Ok(head.into())
    }

    fn damaged(&self) -> Fault {
        self.named(fault::message(
            &self.path,
            "the message is not as it was written",
        ))
    }

    fn named(&self, fault: Fault) -> Fault {
        fault::of_message(fault, self.record.key)
    }
}

/// Opens a message's file, though a mail program may have given it other flags since, and an
/// interrupted run may have left it where it was written.
fn open_file(folder: &Folder, place: &str, record: &Record) -> (PathBuf, io::Result<File>) {
    let path = files::path(&folder.directory, place, &record.flags);
    let opened = crate::home::open(&path);
    if !is_gone(&opened) {
        return (path, opened);
    }
    let (mut elsewhere, epoch) = (folder.elsewhere(), folder.state().epoch);
    // What an earlier look showed may have moved meanwhile; a new one shows where to.
    for _ in 0..2 {
        let look = |told: &mut dyn FnMut(files::Found)| {
            files::each(&folder.directory, folder.format, epoch, told)
        };
        let key = u32::try_from(record.key.0).unwrap_or(u32::MAX);
        match elsewhere.find(key, look) {
            Ok(None) => break,
            Ok(Some(place)) => {
                let other = folder.directory.join(place);
                let opened = crate::home::open(&other);
                if !is_gone(&opened) {
                    return (other, opened);
                }
                elsewhere.forget();
            }
            Err(e) => return (path, Err(e)),
        }
    }
    (path, opened)
}

fn is_gone(opened: &io::Result<File>) -> bool {
    opened
        .as_ref()
        .is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}
