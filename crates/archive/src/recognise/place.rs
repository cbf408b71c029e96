//! A tree of files that is looked at: on disk, or inside a zip.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use hikyaku_core::Fault;
use zip::ZipArchive;

use crate::dirs::Dir;
use crate::disk::Disk;
use crate::fault;
use crate::unpack;
use crate::walk::{Bounds, look_around};

/// Octets of a file that are looked at.
pub(super) const HEAD: usize = 64 * 1024;
/// Directories that are looked at: somebody may have named a whole disk.
const MOST_DIRS: usize = 20_000;

/// What can be asked of a tree.
pub(super) trait Place {
    /// The directories, the outermost first.
    fn dirs(&self) -> &[Dir];
    /// Whether all directories were looked at.
    fn is_complete(&self) -> bool;
    /// The first octets of a file, by the numbers of its directory and of itself.
    fn head(&mut self, dir: usize, file: usize) -> Vec<u8>;
    /// The length of a file in octets.
    fn octets(&self, dir: usize, file: usize) -> u64;
}

/// Files of this computer.
pub(super) struct OnDisk {
    dirs: Vec<Dir>,
    is_complete: bool,
}

impl OnDisk {
    /// One file.
    pub(super) fn file(path: &Path) -> Result<Self, Fault> {
        let name = path.file_name().unwrap_or_default().to_owned();
        // A file that may not be read says so before anything is concluded from it.
        Disk::open(path).map_err(|e| fault::missing(path, &e))?;
        let dir = Dir {
            path: path.parent().unwrap_or(path).to_owned(),
            levels: Vec::new(),
            files: vec![name],
            dirs: Vec::new(),
            links: Vec::new(),
        };
        Ok(Self {
            dirs: vec![dir],
            is_complete: true,
        })
    }

    /// A directory and what is below it, breadth first.
    pub(super) fn tree(path: &Path) -> Result<Self, Fault> {
        let bounds = Bounds {
            depth: 32,
            dirs: MOST_DIRS,
        };
        let tree = look_around(path, bounds)?;
        Ok(Self {
            is_complete: tree.closed.is_empty(),
            dirs: tree.dirs,
        })
    }

    fn path(&self, dir: usize, file: usize) -> PathBuf {
        let dir = &self.dirs[dir];
        dir.path.join(&dir.files[file])
    }
}

impl Place for OnDisk {
    fn dirs(&self) -> &[Dir] {
        &self.dirs
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn head(&mut self, dir: usize, file: usize) -> Vec<u8> {
        let disk = Disk::open(&self.path(dir, file));
        let head = disk.and_then(|disk| disk.octets_at(0, HEAD));
        head.unwrap_or_default()
    }

    fn octets(&self, dir: usize, file: usize) -> u64 {
        fs::metadata(self.path(dir, file)).map_or(0, |m| m.len())
    }
}

/// Files inside a zip.
pub(super) struct InZip {
    dirs: Vec<Dir>,
    /// By directory and file: which entry, and how long.
    entries: Vec<Vec<(usize, u64)>>,
    zip: ZipArchive<BufReader<File>>,
}

impl InZip {
    /// Lists a zip.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let mut by_dir: BTreeMap<Vec<String>, Vec<(String, usize, u64)>> = BTreeMap::new();
        for mut file in unpack::list(path)? {
            let Some(name) = file.levels.pop() else {
                continue;
            };
            // Directories above are directories as well.
            for depth in 0..file.levels.len() {
                by_dir.entry(file.levels[..depth].to_vec()).or_default();
            }
            let files = by_dir.entry(file.levels).or_default();
            files.push((name, file.index, file.octets));
        }
        for levels in unpack::directories(path)? {
            for depth in 0..=levels.len() {
                by_dir.entry(levels[..depth].to_vec()).or_default();
            }
        }
        let mut children: HashMap<&[String], Vec<OsString>> = HashMap::new();
        for levels in by_dir.keys() {
            if let Some((last, above)) = levels.split_last() {
                children.entry(above).or_default().push(last.into());
            }
        }
        let mut dirs = Vec::new();
        let mut entries = Vec::new();
        for (levels, files) in &by_dir {
            dirs.push(Dir {
                path: levels.iter().collect(),
                levels: levels.clone(),
                files: files.iter().map(|(name, ..)| name.into()).collect(),
                dirs: children.remove(levels.as_slice()).unwrap_or_default(),
                links: Vec::new(),
            });
            entries.push(
                files
                    .iter()
                    .map(|(_, index, octets)| (*index, *octets))
                    .collect(),
            );
        }
        let zip = unpack::open(path)?;
        Ok(Self { dirs, entries, zip })
    }
}

impl Place for InZip {
    fn dirs(&self) -> &[Dir] {
        &self.dirs
    }

    fn is_complete(&self) -> bool {
        true
    }

    fn head(&mut self, dir: usize, file: usize) -> Vec<u8> {
        let mut head = Vec::new();
        if let Ok(entry) = self.zip.by_index(self.entries[dir][file].0) {
            // What is damaged behind the first octets is told when it is read.
            let _read = entry.take(HEAD as u64).read_to_end(&mut head);
        }
        head
    }

    fn octets(&self, dir: usize, file: usize) -> u64 {
        self.entries[dir][file].1
    }
}
