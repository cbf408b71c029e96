//! What lies at a path that somebody only named: which kind of archive, and how much of it.
//!
//! Nothing is opened as an archive here: names, sizes and the first octets of files tell
//! enough to say what was found before anything is planned. What is not mail, or not read
//! yet, is told as what it is.

mod evidence;
mod place;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use hikyaku_core::{Code, Fault, Reach, Remedy};

use crate::fault;
use crate::kind::Kind;
use crate::unpack;

use evidence::Evidence;
use place::{HEAD, InZip, OnDisk, Place};

/// What was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The kind, for [`crate::Archive::open`].
    pub kind: Kind,
    /// Where it is.
    pub path: PathBuf,
    /// Folders with messages or made for them.
    pub folders: u64,
    /// Messages.
    pub messages: u64,
    /// Whether the number of messages is counted; else it is an estimate by size.
    pub is_exact: bool,
    /// Octets of the files with messages, as they lie there.
    pub octets: u64,
}

/// What a look at a path gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// One kind of archive.
    Found(Recognised),
    /// Several kinds beside each other: somebody has to say which one is meant.
    Several(Vec<Recognised>),
    /// Data files of Outlook, which are not read yet: how many.
    Outlook(u64),
    /// A compressed file that has to be unpacked first (`.xz`, `.bz2`, `.7z`, `.rar`, `.zst`).
    Compressed,
    /// No mail: how many files were looked at, and which endings are the most frequent.
    Nothing {
        /// Files.
        files: u64,
        /// Up to three endings with a dot, or names of files without one.
        endings: Vec<String>,
    },
}

/// Looks at a path.
///
/// # Faults
/// `archive.missing` when there is nothing or it may not be read; `archive.damaged` and
/// `archive.encrypted` of a packed one.
pub fn look(path: &Path) -> Result<Look, Fault> {
    let path = std::path::absolute(path).map_err(|e| fault::missing(path, &e))?;
    let path = path.as_path();
    let meta = std::fs::metadata(path).map_err(|e| fault::missing(path, &e))?;
    if !meta.is_dir() && unpack::is_packed(path) {
        return Ok(conclude(path, &in_packed(path)?));
    }
    let mut place = match meta.is_dir() {
        true => OnDisk::tree(path)?,
        false => OnDisk::file(path)?,
    };
    if !meta.is_dir() && is_compressed(&place.head(0, 0)) {
        return Ok(Look::Compressed);
    }
    let found = evidence::of(&mut place);
    if found.kinds.is_empty() && found.outlook == 0 && meta.is_dir() {
        // A large Takeout comes as several files.
        if let Some(takeout) = parts_of_takeout(path)? {
            return Ok(Look::Found(takeout));
        }
    }
    Ok(conclude(path, &found))
}

/// What lies at a path, as one archive.
///
/// # Faults
/// As [`look`]; and `archive.kind` for everything but one kind of archive: the detail says
/// what was seen.
pub fn recognise(path: &Path) -> Result<Recognised, Fault> {
    let detail = match look(path)? {
        Look::Found(found) => return Ok(found),
        Look::Several(kinds) => {
            let told: Vec<String> = kinds
                .iter()
                .map(|k| format!("{}: {} messages", k.kind, k.messages))
                .collect();
            let told = told.join(", ");
            format!("several kinds of mail ({told}); write the kind in front of the path")
        }
        Look::Outlook(files) => format!("{files} data files of Outlook, which are not read yet"),
        Look::Compressed => "a compressed file; unpack it first".to_owned(),
        Look::Nothing { files: 0, .. } => "there are no files".to_owned(),
        Look::Nothing { files, endings } => {
            format!("no mail among {files} files ({})", endings.join(", "))
        }
    };
    Err(
        Fault::new(Code::ArchiveKind, Reach::Job, Remedy::AskUser, detail)
            .server(path.display().to_string()),
    )
}

/// What is in a zip, a tar, or a file compressed with gzip.
fn in_packed(path: &Path) -> Result<Evidence, Fault> {
    if unpack::is_zip(path) {
        return Ok(evidence::of(&mut InZip::open(path)?));
    }
    let heads = unpack::heads(path, HEAD as u64)?;
    let mut found = evidence::of(&mut OnDisk::tree(heads.root())?);
    found.is_complete &= heads.left_out.is_empty();
    Ok(found)
}

/// Whether a file is compressed in a way that is not read here.
fn is_compressed(head: &[u8]) -> bool {
    let magics: [&[u8]; 5] = [
        b"\xfd7zXZ\0",
        b"BZh",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
        b"\x28\xb5\x2f\xfd",
    ];
    magics.iter().any(|magic| head.starts_with(magic))
}

/// The packed files of a directory as one Takeout.
fn parts_of_takeout(path: &Path) -> Result<Option<Recognised>, Fault> {
    let mut sum: Option<Recognised> = None;
    for part in crate::takeout::packed_in(path)? {
        let Ok(inside) = in_packed(&part) else {
            continue;
        };
        let found = conclude(path, &inside);
        if let Look::Found(found) = found
            && found.kind == Kind::Takeout
        {
            let before = sum.take();
            sum = Some(Recognised {
                folders: found.folders + before.as_ref().map_or(0, |b| b.folders),
                messages: found.messages + before.as_ref().map_or(0, |b| b.messages),
                is_exact: found.is_exact && before.as_ref().is_none_or(|b| b.is_exact),
                octets: found.octets + before.as_ref().map_or(0, |b| b.octets),
                ..found
            });
        }
    }
    Ok(sum)
}

fn conclude(path: &Path, evidence: &Evidence) -> Look {
    let mut found: Vec<Recognised> = evidence
        .kinds
        .iter()
        .map(|(kind, amount)| Recognised {
            kind: *kind,
            path: path.to_owned(),
            folders: amount.folders,
            messages: amount.messages,
            is_exact: amount.is_exact && evidence.is_complete,
            octets: amount.octets,
        })
        .collect();
    match found.len() {
        0 if evidence.outlook > 0 => Look::Outlook(evidence.outlook),
        0 => Look::Nothing {
            files: evidence.files,
            endings: evidence.endings(),
        },
        1 => Look::Found(found.remove(0)),
        _ => Look::Several(found),
    }
}
