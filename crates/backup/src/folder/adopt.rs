//! What an interrupted life left in a folder, seen to before anything is added.
//!
//! A file comes into its place after its line is written, so one that waits and has a line is put
//! there now; one without a line was never finished, nobody was told of it, and it goes. A file in
//! its place whose line the disk has lost gets a new one. Files of others are not touched.

use super::Folder;
use super::there::Left;
use crate::fault;
use crate::format::Format;
use crate::manifest::{Line, Place, Record};
use crate::octets::{files, mbox};
use hikyaku_core::{Fault, Flags, InternalDate, Key};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Octets behind the last message that are looked at.
const TAIL: u64 = 4_096;

impl Folder {
    /// Sees to what was left behind.
    pub(super) fn take_in(&self, left: &Left) -> Result<(), Fault> {
        let unwritable = |e: io::Error| fault::writing(&self.directory, &e);
        match self.format {
            Format::Mbox => self.mend_mbox().map_err(unwritable),
            Format::Maildir | Format::Eml => {
                for double in &left.doubles {
                    fs::remove_file(self.directory.join(&double.place)).ok();
                }
                self.put_waiting_in_place(&left.waiting)?;
                for file in &left.unfinished {
                    fs::remove_file(self.directory.join(&file.place)).map_err(unwritable)?;
                }
                match left.without_line.as_slice() {
                    [] => Ok(()),
                    keys => self.adopt(keys),
                }
            }
        }
    }

    fn put_waiting_in_place(&self, waiting: &[files::Found]) -> Result<(), Fault> {
        for file in waiting {
            let key = u64::from(file.key);
            for record in self.records(&self.slots(key..=key, 1))? {
                if let Place::File(place) = &record.place {
                    let to = files::path(&self.directory, place, &record.flags);
                    let moved = fs::rename(self.directory.join(&file.place), &to);
                    moved.map_err(|e| fault::writing(&to, &e))?;
                }
            }
        }
        Ok(())
    }

    fn adopt(&self, left: &[u32]) -> Result<(), Fault> {
        let unreadable = |e: io::Error| fault::reading(&self.directory, &e);
        let epoch = self.state().epoch;
        let mut found = Vec::new();
        let add = &mut |file: files::Found| {
            if file.is_in_place && left.binary_search(&file.key).is_ok() {
                found.push(file);
            }
        };
        files::each(&self.directory, self.format, epoch, add).map_err(unreadable)?;
        found.sort_by_key(|file| file.key);
        found.dedup_by_key(|file| file.key);
        let mut lines = Vec::new();
        for file in found {
            let path = self.directory.join(&file.place);
            if fs::symlink_metadata(&path).is_ok_and(|m| m.is_file()) {
                lines.extend(record(&path, &file).map_err(unreadable)?.map(Line::Message));
            }
        }
        for lines in lines.chunks(1_000) {
            self.add(&mut self.store(), lines.to_vec())?;
        }
        Ok(())
    }

    /// Cuts off what was never finished at the end of an mbox.
    fn mend_mbox(&self) -> io::Result<()> {
        let (epoch, next, span_end) = {
            let index = self.state();
            (index.epoch, index.next, index.span_end)
        };
        let path = self.directory.join(mbox::FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        crate::home::without_links(&mut options);
        let mut file = options.open(&path)?;
        let length = file.metadata()?.len();
        if length < span_end || (length == 0 && span_end == 0) {
            // Cut short by somebody else: what is gone is known to be missing.
            return Ok(());
        }
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(span_end))?;
        (&mut file).take(TAIL).read_to_end(&mut tail)?;
        let ends_line = ends_line(&mut file, span_end)?;
        let is_whole = match (span_end, ends_line) {
            (0, _) => false,
            (_, true) => [&b"\n"[..], b"\r\n"].contains(&tail.as_slice()),
            (_, false) => [&b"\n\n"[..], b"\r\n\r\n"].contains(&tail.as_slice()),
        };
        if is_whole {
            return Ok(());
        }
        if mbox::is_unfinished(&tail, epoch, next) {
            file.set_len(span_end)?;
            file.seek(SeekFrom::Start(span_end))?;
            match (span_end, ends_line) {
                (0, _) => {}
                (_, true) => file.write_all(b"\r\n")?,
                (_, false) => file.write_all(b"\r\n\r\n")?,
            }
            return file.sync_data();
        }
        // Somebody else's: it stays, and what comes next begins on a line of its own.
        let length = file.metadata()?.len();
        if !ends_line_at(&mut file, length)? {
            file.seek(SeekFrom::End(0))?;
            file.write_all(b"\n\n")?;
        }
        Ok(())
    }
}

fn ends_line(file: &mut File, at: u64) -> io::Result<bool> {
    match at {
        0 => Ok(true),
        at => ends_line_at(file, at),
    }
}

fn ends_line_at(file: &mut File, at: u64) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::Start(at.saturating_sub(1)))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The record of a file that has none; `None` when it is not of the length that its name says.
fn record(path: &Path, found: &files::Found) -> io::Result<Option<Record>> {
    let mut file = crate::home::open(path)?;
    let metadata = file.metadata()?;
    if found.octets.is_some_and(|octets| octets != metadata.len()) {
        return Ok(None);
    }
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hasher.update(&piece[..read]),
        }
    }
    let (place, flags) = match found.place.rsplit_once('/') {
        Some((_, name)) => (format!("cur/{}", files::base(name)), files::flags(name)),
        None => (found.place.clone(), Flags::new()),
    };
    let modified = metadata.modified()?;
    let seconds = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or_default(),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or_default(),
    };
    Ok(Some(Record {
        key: Key(u64::from(found.key)),
        sha256: hasher.finalize().into(),
        octets: metadata.len(),
        date: Some(InternalDate::utc(seconds)),
        place: Place::File(place),
        flags,
    }))
}
