//! Adding lines to a manifest so that they are there for good.

use super::Line;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// A manifest open for adding.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    end: u64,
}

impl Journal {
    /// Opens a manifest whose last whole line ends at an octet; what lies behind it was never
    /// finished, and goes.
    pub(crate) fn open(path: &Path, end: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true);
        crate::home::without_links(&mut options);
        let file = options.open(path)?;
        if file.metadata()?.len() != end {
            file.set_len(end)?;
        }
        Ok(Self { file, end })
    }

    /// Behind the last line.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Adds lines; when this returns they are durable. Where each of them begins.
    ///
    /// # Errors
    /// When they could not be made durable; then they are taken out again, and the second half
    /// says whether that worked.
    pub(crate) fn add(&mut self, lines: &[Line]) -> Result<Vec<u64>, (io::Error, bool)> {
        let mut text = String::new();
        let mut begins = Vec::with_capacity(lines.len());
        for line in lines {
            begins.push(self.end + text.len() as u64);
            text.push_str(&line.write());
        }
        let written = self.put(text.as_bytes());
        match written {
            Ok(()) => {
                self.end += text.len() as u64;
                Ok(begins)
            }
            Err(error) => {
                let undone = self
                    .file
                    .set_len(self.end)
                    .and_then(|()| self.file.sync_data());
                Err((error, undone.is_ok()))
            }
        }
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(text)?;
        self.file.sync_data()
    }
}
