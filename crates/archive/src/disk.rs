//! Files, read at positions: no cursor that two readers could fight over, no mapping that
//! a truncated file could turn into a crash.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// An open file. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    origin: Arc<Origin>,
    length: u64,
}

#[derive(Debug)]
enum Origin {
    File(File),
    /// As if it were one.
    Held(Vec<u8>),
}

impl Disk {
    /// Opens a regular file for reading; the length is that of this moment.
    ///
    /// # Errors
    /// Also when it is something else than a regular file: a pipe would never end.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // Asked before it is opened: opening a pipe waits for a writer.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            origin: Arc::new(Origin::File(file)),
            length,
        })
    }

    /// Octets at hand, read like a file.
    #[cfg_attr(not(any(test, fuzzing)), allow(dead_code))]
    pub(crate) fn held(octets: &[u8]) -> Self {
        Self {
            length: octets.len() as u64,
            origin: Arc::new(Origin::Held(octets.to_vec())),
        }
    }

    /// Length in octets when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Reads up to the whole buffer from the position on; 0 at the end.
    pub(crate) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let file = match &*self.origin {
            Origin::File(file) => file,
            Origin::Held(octets) => {
                let from = usize::try_from(position).unwrap_or(usize::MAX);
                let rest = octets.get(from..).unwrap_or_default();
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                return Ok(length);
            }
        };
        loop {
            #[cfg(unix)]
            let read = std::os::unix::fs::FileExt::read_at(file, buffer, position);
            #[cfg(windows)]
            let read = std::os::windows::fs::FileExt::seek_read(file, buffer, position);
            match read {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Reads until the buffer is full or the file ends; how much that was.
    pub(crate) fn fill_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(&mut buffer[filled..], position + filled as u64)? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }

    /// Up to `most` octets from the position on; fewer only where the file ends.
    pub(crate) fn octets_at(&self, position: u64, most: usize) -> io::Result<Vec<u8>> {
        let rest = self.length.saturating_sub(position);
        let most = most.min(usize::try_from(rest).unwrap_or(usize::MAX));
        let mut octets = vec![0; most];
        let filled = self.fill_at(&mut octets, position)?;
        octets.truncate(filled);
        Ok(octets)
    }

    /// A reader over a part of the file. One that ends early is an error when it is
    /// shorter than `length` says: the file was cut meanwhile.
    pub(crate) fn part(&self, start: u64, length: u64) -> Part {
        Part {
            disk: self.clone(),
            position: start,
            left: length,
        }
    }
}

/// A part of a file.
#[derive(Debug)]
pub(crate) struct Part {
    disk: Disk,
    position: u64,
    left: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.disk.read_at(&mut buffer[..most], self.position)?;
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file is shorter than it was",
            ));
        }
        self.position += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Longest file beside messages that is read whole, in octets.
const MOST_BESIDE: u64 = 64 << 20;

/// A file that a program keeps beside its messages, whole; `None` where there is none of a
/// sensible size. A link is none: it could lead anywhere.
pub(crate) fn beside(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::symlink_metadata(path).ok()?;
    let is_fit = meta.is_file() && meta.len() <= MOST_BESIDE;
    is_fit.then(|| fs::read(path).ok())?
}

/// Derived from a file's identity, length and time: equal while it was not written to.
pub(crate) fn stamp(path: &Path) -> Option<u64> {
    let meta = fs::metadata(path).ok()?;
    let time = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut facts = Vec::with_capacity(64);
    facts.extend(meta.len().to_le_bytes());
    facts.extend(time.as_nanos().to_le_bytes());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        facts.extend(meta.ino().to_le_bytes());
        facts.extend(meta.ctime().to_le_bytes());
        facts.extend(meta.ctime_nsec().to_le_bytes());
    }
    Some(crate::store::mark(&facts))
}

/// The file's time in seconds since 1970 UTC.
pub(crate) fn modified(path: &Path) -> Option<i64> {
    let time = fs::metadata(path).ok()?.modified().ok()?;
    seconds(time)
}

/// Seconds since 1970 UTC, negative before.
pub(crate) fn seconds(time: std::time::SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|s| -s),
    }
}
