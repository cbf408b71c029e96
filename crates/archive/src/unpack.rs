//! Zip files: unpacked into a private directory that goes away with its owner.
//!
//! Messages have to be read at any place and as often as the engine asks, which deflated
//! octets do not allow. Names from the zip become names of files only where each level is
//! an ordinary name; the directory is new and belongs to this process alone, so that
//! nothing of what is unpacked can meet anything else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use hikyaku_core::{Code, Fault, MailboxName, Reach, Remedy};
use tempfile::TempDir;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::dirs::{decode, without_ending};
use crate::fault;
use crate::options::Options;
use crate::store::Folder;

/// Files of one zip, at most.
const MOST_FILES: usize = 2_000_000;
/// Levels of one name, at most.
const MOST_LEVELS: usize = 64;
/// Octets of one level, at most: what file systems allow.
const MOST_NAME: usize = 255;

/// A file inside a zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Its name, level by level.
    pub(crate) levels: Vec<String>,
    /// Its length in octets when unpacked, as the zip says.
    pub(crate) octets: u64,
    /// Its number in the zip.
    pub(crate) index: usize,
}

/// A zip that was unpacked. Gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Unpacked {
    dir: TempDir,
    /// What could not be unpacked, for a person.
    pub(crate) left_out: Vec<(String, Fault)>,
}

impl Unpacked {
    /// Where the contents lie now.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
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

/// Whether the file begins as a zip does.
pub(crate) fn is_zip(path: &Path) -> bool {
    let mut first = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && matches!(&first, b"PK\x03\x04" | b"PK\x05\x06")
}

/// The files of a zip, without unpacking anything. Links and names that lead elsewhere
/// are left out.
///
/// # Faults
/// When it is no zip, or its directory is damaged: `archive.damaged`.
pub(crate) fn list(path: &Path) -> Result<Vec<Packed>, Fault> {
    let mut zip = open(path)?;
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|e| unreadable(path, &e))?;
        if entry.is_dir() || entry.is_symlink() {
            continue;
        }
        if let Some(levels) = levels(entry.name_raw()) {
            files.push(Packed {
                levels,
                octets: entry.size(),
                index,
            });
        }
    }
    files.sort_by(|a, b| a.levels.cmp(&b.levels));
    Ok(files)
}

/// The directories that a zip names itself: empty ones are only told this way.
///
/// # Faults
/// As [`list`].
pub(crate) fn directories(path: &Path) -> Result<Vec<Vec<String>>, Fault> {
    let mut zip = open(path)?;
    let mut out = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|e| unreadable(path, &e))?;
        if entry.is_dir() {
            out.extend(levels(entry.name_raw()));
        }
    }
    Ok(out)
}

/// Unpacks the files that are wanted. One that is damaged or encrypted is left out by
/// name; the others are there.
///
/// # Faults
/// `archive.excess` beyond [`Options::most_unpacked`], `disk.full`, `archive.encrypted`
/// when nothing else is in it.
pub(crate) fn unpack(
    path: &Path,
    options: &Options,
    wanted: impl Fn(&Packed) -> bool,
) -> Result<Unpacked, Fault> {
    let files: Vec<Packed> = list(path)?.into_iter().filter(|f| wanted(f)).collect();
    let announced = files
        .iter()
        .fold(0u64, |sum, f| sum.saturating_add(f.octets));
    if announced > options.most_unpacked {
        return Err(fault::excess(
            path,
            format!("{announced} octets when unpacked"),
        ));
    }
    let dir = match &options.spool {
        Some(spool) => tempfile::Builder::new()
            .prefix("hikyaku-")
            .tempdir_in(spool),
        None => tempfile::Builder::new().prefix("hikyaku-").tempdir(),
    };
    let mut out = Unpacked {
        dir: dir.map_err(|e| spool_fault(&e))?,
        left_out: Vec::new(),
    };
    for levels in directories(path)? {
        let dir: PathBuf = levels.iter().collect();
        fs::create_dir_all(out.dir.path().join(dir)).map_err(|e| spool_fault(&e))?;
    }
    let mut zip = open(path)?;
    let mut room = options.most_unpacked;
    let mut encrypted = 0;
    for file in &files {
        match unpack_one(&mut zip, file, out.dir.path(), &mut room) {
            Ok(()) => {}
            Err(Stop::File(fault)) => {
                encrypted += usize::from(fault.code == Code::ArchiveEncrypted);
                out.left_out.push((file.levels.join("/"), fault));
            }
            Err(Stop::Excess) => {
                return Err(fault::excess(path, "more octets than the zip announces"));
            }
            Err(Stop::Spool(error)) => return Err(spool_fault(&error)),
        }
    }
    if encrypted > 0 && encrypted == files.len() {
        let mut fault = fault::encrypted("the zip needs a password");
        fault.reach = Reach::Job;
        return Err(fault.server(path.display().to_string()));
    }
    Ok(out)
}

enum Stop {
    /// This file only.
    File(Fault),
    /// More comes out than anybody allowed.
    Excess,
    /// The disk here.
    Spool(io::Error),
}

fn unpack_one(
    zip: &mut ZipArchive<BufReader<File>>,
    file: &Packed,
    root: &Path,
    room: &mut u64,
) -> Result<(), Stop> {
    let entry = zip.by_index(file.index);
    let mut entry = entry.map_err(|e| Stop::File(damaged(&e)))?;
    let target: PathBuf = root
        .iter()
        .map(AsRef::as_ref)
        .chain(file.levels.iter().map(Path::new))
        .collect();
    if let Some(above) = target.parent() {
        fs::create_dir_all(above).map_err(Stop::Spool)?;
    }
    // Two entries of one name: the first counts, as nothing here is ever overwritten.
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&target);
    let mut made = match made {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Stop::File(fault::damaged(
                "the zip has two files of this name",
            )));
        }
        other => other.map_err(Stop::Spool)?,
    };
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = match entry.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => {
                // What came out before the damage would look like all there was.
                drop(made);
                fs::remove_file(&target).map_err(Stop::Spool)?;
                return Err(Stop::File(fault::damaged(e.to_string())));
            }
        };
        *room = room.checked_sub(read as u64).ok_or(Stop::Excess)?;
        made.write_all(&buffer[..read]).map_err(Stop::Spool)?;
    }
}

/// Opens a zip.
///
/// # Faults
/// As [`list`].
pub(crate) fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, Fault> {
    let file = File::open(path).map_err(|e| fault::missing(path, &e))?;
    let zip = ZipArchive::new(BufReader::new(file)).map_err(|e| unreadable(path, &e))?;
    match zip.len() > MOST_FILES {
        true => Err(fault::excess(path, "there are too many files in the zip")),
        false => Ok(zip),
    }
}

/// The levels of a name in a zip; `None` where it would lead out of the directory or is
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

fn damaged(error: &ZipError) -> Fault {
    match error {
        ZipError::UnsupportedArchive(why) if *why == ZipError::PASSWORD_REQUIRED => {
            fault::encrypted("the zip needs a password")
        }
        ZipError::InvalidPassword => fault::encrypted("the zip needs a password"),
        other => fault::damaged(other.to_string()),
    }
}

fn unreadable(path: &Path, error: &ZipError) -> Fault {
    let mut fault = damaged(error);
    fault.reach = Reach::Job;
    fault.remedy = Remedy::AskUser;
    fault.server(path.display().to_string())
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
