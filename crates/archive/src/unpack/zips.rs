//! Zip files.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use hikyaku_core::{Code, Fault, Reach, Remedy};
use zip::ZipArchive;
use zip::result::ZipError;

use super::{MOST_FILES, Packed, Spool, levels};
use crate::fault;

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

/// Unpacks the files that are wanted.
///
/// # Faults
/// Those of [`super::unpack`].
pub(super) fn unpack(
    path: &Path,
    spool: &mut Spool<'_>,
    wanted: &dyn Fn(&Packed) -> bool,
) -> Result<(), Fault> {
    let files: Vec<Packed> = list(path)?.into_iter().filter(|f| wanted(f)).collect();
    let announced = files
        .iter()
        .fold(0u64, |sum, f| sum.saturating_add(f.octets));
    if announced > spool.room {
        return Err(fault::excess(
            path,
            format!("{announced} octets when unpacked"),
        ));
    }
    for levels in directories(path)? {
        spool.directory(&levels)?;
    }
    let mut zip = open(path)?;
    for file in &files {
        match zip.by_index(file.index) {
            Ok(mut entry) => spool.file(&file.levels, &mut entry)?,
            Err(error) => spool.leave_out(file.levels.join("/"), damaged(&error)),
        }
    }
    let left_out = &spool.out.left_out;
    let is_encrypted = |f: &Fault| f.code == Code::ArchiveEncrypted;
    let encrypted = left_out.iter().filter(|(_, f)| is_encrypted(f)).count();
    if encrypted > 0 && encrypted == files.len() {
        let mut fault = fault::encrypted("the zip needs a password");
        fault.reach = Reach::Job;
        return Err(fault.server(path.display().to_string()));
    }
    Ok(())
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
