//! An archive of any kind that somebody packed into a zip or a tar.

use std::path::{Path, PathBuf};

use hikyaku_core::{Epoch, Fault};

use crate::dirs;
use crate::fault;
use crate::options::Options;
use crate::store::{Flow, Folder, Found, Item, Start, Store};
use crate::text::Text;
use crate::unpack::{self, Unpacked};

/// A store over what was unpacked, which goes away with it.
pub(crate) struct Packed {
    inner: Box<dyn Store>,
    unpacked: Unpacked,
}

impl Packed {
    /// Unpacks the file and opens what is in it.
    ///
    /// # Faults
    /// Those of [`unpack::unpack`], and of `open`.
    pub(crate) fn open(
        path: &Path,
        options: &Options,
        open: impl FnOnce(&Path) -> Result<Box<dyn Store>, Fault>,
    ) -> Result<Self, Fault> {
        let unpacked = unpack::unpack(path, options, |_| true)?;
        let root = innermost(unpacked.root())?;
        let inner = open(&root).map_err(|mut fault| {
            // The person knows the packed file, not where it was unpacked.
            fault.at.server = Some(path.display().to_string());
            fault
        })?;
        Ok(Self { inner, unpacked })
    }

    /// A place as it is in the zip: nobody knows where that was unpacked.
    fn inside(&self, place: &str) -> String {
        let root = format!(
            "{}{}",
            self.unpacked.root().display(),
            std::path::MAIN_SEPARATOR
        );
        place.strip_prefix(&root).unwrap_or(place).to_owned()
    }
}

/// The directory that was packed, which is around what is in it.
fn innermost(root: &Path) -> Result<PathBuf, Fault> {
    let mut at = root.to_owned();
    loop {
        let dir = dirs::list(&at, Vec::new()).map_err(|e| fault::missing(&at, &e))?;
        match (dir.dirs.as_slice(), dir.files.as_slice()) {
            ([only], []) => at.push(only),
            _ => return Ok(at),
        }
    }
}

impl Store for Packed {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        let mut folders = self.inner.folders()?;
        for why in folders.iter_mut().filter_map(|f| f.lost.as_mut()) {
            why.detail = self.inside(&why.detail);
        }
        folders.extend(unpack::lost_folders(&self.unpacked.left_out));
        Ok(folders)
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        self.inner.scan(folder, start, &mut |one| {
            found(match one {
                Found::Unreadable {
                    key,
                    at,
                    place,
                    fault,
                } => Found::Unreadable {
                    key,
                    at,
                    place: self.inside(&place),
                    fault,
                },
                other => other,
            })
        })
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        self.inner.open(folder, item)
    }

    fn file_of(&self, folder: &Folder, item: &Item) -> String {
        self.inside(&self.inner.file_of(folder, item))
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        self.inner.stamp(folder)
    }
}
