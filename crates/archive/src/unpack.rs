//! Packed archives: unpacked into a private directory that goes away with its owner.
//!
//! Messages have to be read at any place and as often as the engine asks, which deflated
//! octets do not allow. Names become names of files only where each level is an ordinary
//! name; the directory is new and belongs to this process alone, so that nothing of what
//! is unpacked can meet anything else.

mod tars;
mod zips;

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use hikyaku_core::{Code, Fault, MailboxName, Reach, Remedy};
use tempfile::TempDir;

use crate::dirs::{decode, name_of, without_ending};
use crate::fault;
use crate::options::Options;
use crate::store::Folder;

pub(crate) use zips::{directories, is_zip, list, open};

/// Files of one archive, at most.
const MOST_FILES: usize = 2_000_000;
/// Levels of one name, at most.
const MOST_LEVELS: usize = 64;
/// Octets of one level, at most: what file systems allow.
const MOST_NAME: usize = 255;

/// A file inside a packed archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Its name, level by level.
    pub(crate) levels: Vec<String>,
    /// Its length in octets when unpacked, as the archive says.
    pub(crate) octets: u64,
    /// Its number in the archive.
    pub(crate) index: usize,
}

/// What was unpacked. Gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Removes everything when it goes.
    _dir: TempDir,
    root: PathBuf,
    /// What could not be unpacked, for a person.
    pub(crate) left_out: Vec<(String, Fault)>,
}

impl Unpacked {
    /// Where the contents lie now: a directory with the archive's own name, which is the
    /// folder of what lies in it at the top.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

/// The folders that stand for files which could not be unpacked.
pub(crate) fn lost_folders(left_out: &[(String, Fault)]) -> impl Iterator<Item = Folder> + '_ {
    left_out.iter().filter_map(|(name, why)| {
        let leaf = name.rsplit('/').next().unwrap_or(name);
        let leaf = without_ending(leaf, ".mbox").unwrap_or(leaf);
        let folder = MailboxName::new(vec![leaf.to_owned()])?;
        let place = Path::new("left out").join(name);
        Some(Folder::new(folder, place).lost(why.clone()))
    })
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Zip,
    /// A tar, compressed with gzip or not.
    Tar {
        is_gzip: bool,
    },
    /// One file, compressed with gzip.
    Gzip,
}

fn form(path: &Path) -> Option<Form> {
    if is_zip(path) {
        return Some(Form::Zip);
    }
    let is_gzip = tars::is_gzip(path);
    match tars::is_tar(path, is_gzip) {
        true => Some(Form::Tar { is_gzip }),
        false => is_gzip.then_some(Form::Gzip),
    }
}

/// Whether the file is a packed archive that can be unpacked here, by its first octets.
pub(crate) fn is_packed(path: &Path) -> bool {
    form(path).is_some()
}

/// Whether a file is named as a packed archive.
pub(crate) fn is_named_packed(name: &str) -> bool {
    let endings = [".zip", ".tgz", ".gz", ".tar"];
    endings.iter().any(|e| without_ending(name, e).is_some())
}

/// The name of a packed file without its ending: it stays from one look to the next, as the
/// names of folders have to.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(name_of).unwrap_or_default();
    let endings = [".zip", ".tgz", ".tar.gz", ".tar", ".gz"];
    let stem = endings.iter().find_map(|e| without_ending(&name, e));
    let stem = stem.unwrap_or(&name).trim();
    // Other code pages may need fewer octets than UTF-8 does.
    let stem = &stem[..stem.floor_char_boundary(MOST_NAME)];
    match stem {
        "" | "." | ".." => "archive".to_owned(),
        stem => stem.to_owned(),
    }
}

/// Unpacks the files that are wanted. One that is damaged or encrypted is left out by
/// name; the others are there.
///
/// # Faults
/// `archive.excess` beyond [`Options::most_unpacked`], `disk.full`, `archive.encrypted`
/// when nothing else is in it, `archive.damaged` when nothing can be read at all.
pub(crate) fn unpack(
    path: &Path,
    options: &Options,
    wanted: impl Fn(&Packed) -> bool,
) -> Result<Unpacked, Fault> {
    let mut spool = Spool::new(path, options, None)?;
    match form(path) {
        Some(Form::Tar { is_gzip }) => tars::unpack(path, is_gzip, &mut spool, &wanted)?,
        Some(Form::Gzip) => tars::unpack_one(path, &mut spool)?,
        Some(Form::Zip) | None => zips::unpack(path, &mut spool, &wanted)?,
    }
    Ok(spool.out)
}

/// The same tree with the first octets of each file only, at its full length: for a look
/// at what is in a tar, whose files can be read one after the other only.
///
/// # Faults
/// As [`unpack`].
pub(crate) fn heads(path: &Path, most: u64) -> Result<Unpacked, Fault> {
    let options = Options::default();
    let mut spool = Spool::new(path, &options, Some(most))?;
    match form(path) {
        Some(Form::Gzip) => tars::unpack_one(path, &mut spool)?,
        other => {
            let is_gzip = other == Some(Form::Tar { is_gzip: true });
            tars::unpack(path, is_gzip, &mut spool, &|_| true)?;
        }
    }
    Ok(spool.out)
}

/// The private directory while it is filled.
struct Spool<'a> {
    /// The packed archive.
    path: &'a Path,
    out: Unpacked,
    /// Octets that may still come.
    room: u64,
    /// How much of each file is kept; `None`: all.
    most: Option<u64>,
    files: usize,
}

impl<'a> Spool<'a> {
    fn new(path: &'a Path, options: &Options, most: Option<u64>) -> Result<Self, Fault> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("hikyaku-");
        let dir = match &options.spool {
            Some(spool) => builder.tempdir_in(spool),
            None => builder.tempdir(),
        };
        let dir = dir.map_err(|e| spool_fault(&e))?;
        let root = dir.path().join(stem(path));
        fs::create_dir(&root).map_err(|e| spool_fault(&e))?;
        Ok(Self {
            path,
            out: Unpacked {
                _dir: dir,
                root,
                left_out: Vec::new(),
            },
            room: options.most_unpacked,
            most,
            files: 0,
        })
    }

    fn directory(&self, levels: &[String]) -> Result<(), Fault> {
        let dir: PathBuf = levels.iter().collect();
        // A file may have that name: it was first.
        match fs::create_dir_all(self.out.root.join(dir)) {
            Err(e) if is_taken(&e) => Ok(()),
            other => other.map_err(|e| spool_fault(&e)),
        }
    }

    /// Writes one file. What is wrong with it alone leaves it out, by name.
    fn file(&mut self, levels: &[String], from: &mut dyn Read) -> Result<(), Fault> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(fault::excess(self.path, "there are too many files in it"));
        }
        match self.write(levels, from) {
            Ok(()) => Ok(()),
            Err(Stop::File(fault)) => {
                self.leave_out(levels.join("/"), fault);
                Ok(())
            }
            Err(Stop::Excess) => Err(fault::excess(
                self.path,
                "more octets than are allowed when unpacked",
            )),
            Err(Stop::Spool(error)) => Err(spool_fault(&error)),
        }
    }

    fn leave_out(&mut self, name: String, fault: Fault) {
        self.out.left_out.push((name, fault));
    }

    fn write(&mut self, levels: &[String], from: &mut dyn Read) -> Result<(), Stop> {
        let inside: PathBuf = levels.iter().collect();
        let target = self.out.root.join(inside);
        let twice = || Stop::File(fault::damaged("the archive has two files of this name"));
        if let Some(above) = target.parent() {
            match fs::create_dir_all(above) {
                Err(e) if is_taken(&e) => return Err(twice()),
                other => other.map_err(Stop::Spool)?,
            }
        }
        // Two entries of one name: the first counts, as nothing here is ever overwritten.
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&target);
        let mut made = match made {
            Err(e) if is_taken(&e) => return Err(twice()),
            other => other.map_err(Stop::Spool)?,
        };
        let mut buffer = vec![0; 256 * 1024];
        let mut length = 0_u64;
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    // What came out before the damage would look like all there was.
                    drop(made);
                    fs::remove_file(&target).map_err(Stop::Spool)?;
                    return Err(Stop::File(fault::damaged(e.to_string())));
                }
            };
            self.room = self.room.checked_sub(read as u64).ok_or(Stop::Excess)?;
            let kept = self.most.unwrap_or(u64::MAX).saturating_sub(length);
            let kept = read.min(usize::try_from(kept).unwrap_or(read));
            made.write_all(&buffer[..kept]).map_err(Stop::Spool)?;
            length += read as u64;
        }
        match self.most {
            Some(_) => made.set_len(length).map_err(Stop::Spool),
            None => Ok(()),
        }
    }
}

enum Stop {
    /// This file only.
    File(Fault),
    /// More comes out than anybody allowed.
    Excess,
    /// The disk here.
    Spool(io::Error),
}

/// Whether something else has the name.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

/// The levels of a name in a packed archive; `None` where it would lead out of the directory or is
/// no name for a file.
fn levels(name: &[u8]) -> Option<Vec<String>> {
    let name = decode(name);
    let levels: Vec<String> = name
        .split(['/', '\\'])
        .filter(|level| !level.is_empty() && *level != ".")
        .map(str::to_owned)
        .collect();
    let is_name = |level: &String| {
        level != ".."
            && level.len() <= MOST_NAME
            && !level.contains(|c: char| c.is_control() || cfg!(windows) && "<>:\"|?*".contains(c))
    };
    let fits = (1..=MOST_LEVELS).contains(&levels.len()) && levels.iter().all(is_name);
    fits.then_some(levels)
}

fn spool_fault(error: &io::Error) -> Fault {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => Code::ArchiveExcess,
    };
    let detail = format!("while unpacking: {error}");
    Fault::new(code, Reach::Job, Remedy::AskUser, detail)
}

/// What holds whatever a zip contains.
#[cfg(any(test, fuzzing))]
pub(crate) mod properties {
    use super::*;

    /// Unpacks and looks that nothing lies outside.
    ///
    /// # Panics
    /// Where a property does not hold.
    #[allow(clippy::expect_used)]
    pub(crate) fn unpacked(octets: &[u8]) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.zip");
        fs::write(&path, octets).expect("room");
        let spool = dir.path().join("spool");
        fs::create_dir(&spool).expect("room");
        let options = Options {
            spool: Some(spool.clone()),
            most_unpacked: 1 << 20,
            ..Options::default()
        };
        let out = unpack(&path, &options, |_| true);
        let beside: Vec<_> = fs::read_dir(dir.path()).expect("listed").collect();
        assert_eq!(beside.len(), 2, "only the zip and the spool");
        drop(out);
        assert_eq!(fs::read_dir(&spool).expect("listed").count(), 0);
    }
}

#[cfg(test)]
#[path = "unpack/tests.rs"]
mod tests;
