//! Directories and their names.
//!
//! Symbolic links are not followed, whatever they point to: a tree that somebody else
//! packed must not lead to files of this computer, nor in a circle.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One directory.
#[derive(Clone, Debug)]
pub(crate) struct Dir {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its name and the names above it, below the root of the walk; empty for the root.
    pub(crate) levels: Vec<String>,
    /// Regular files, sorted by name.
    pub(crate) files: Vec<OsString>,
    /// Directories, sorted by name.
    pub(crate) dirs: Vec<OsString>,
    /// Symbolic links, sorted by name.
    pub(crate) links: Vec<OsString>,
}

impl Dir {
    /// Whether there is such a file, in any letter case.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.files
            .iter()
            .any(|file| file.eq_ignore_ascii_case(name))
    }

    /// Whether there is such a directory.
    pub(crate) fn has_dir(&self, name: &str) -> bool {
        self.dirs.iter().any(|dir| dir == name)
    }
}

/// Lists one directory.
pub(crate) fn list(path: &Path, levels: Vec<String>) -> io::Result<Dir> {
    let mut dir = Dir {
        path: path.to_owned(),
        levels,
        files: Vec::new(),
        dirs: Vec::new(),
        links: Vec::new(),
    };
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            dir.dirs.push(entry.file_name());
        } else if kind.is_file() {
            dir.files.push(entry.file_name());
        } else if kind.is_symlink() {
            dir.links.push(entry.file_name());
        }
    }
    dir.files.sort();
    dir.dirs.sort();
    dir.links.sort();
    Ok(dir)
}

/// A file's name as text. Names that are no UTF-8 come from a Windows zip that was
/// unpacked elsewhere: Shift_JIS where that fits.
pub(crate) fn name_of(name: &OsStr) -> String {
    match name.to_str() {
        Some(text) => text.to_owned(),
        None => decode(name.as_encoded_bytes()),
    }
}

/// Text in the code page of the computer that wrote it: nothing says which. UTF-8 and
/// Shift_JIS are recognised by their form, the rest is taken for Western European.
pub(crate) fn decode(octets: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(octets) {
        return text.to_owned();
    }
    // Both read almost anything. Common Japanese has first octets that mean nothing usual
    // in the West; half-width kana stand alone.
    let is_kana = |o: &u8| (0xa1..=0xdf).contains(o);
    let common = octets.iter().any(|o| (0x81..=0x9f).contains(o));
    let kana = octets
        .iter()
        .all(|o| is_kana(o) || !o.is_ascii_alphabetic() && o.is_ascii());
    let (text, wrong) = encoding_rs::SHIFT_JIS.decode_without_bom_handling(octets);
    if !wrong && (common || kana) {
        return text.into_owned();
    }
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets);
    text.into_owned()
}

/// The name without the ending, where it has that ending in any letter case.
pub(crate) fn without_ending<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(ending.len()).filter(|at| *at > 0)?;
    let (stem, end) = (name.get(..at)?, name.get(at..)?);
    end.eq_ignore_ascii_case(ending).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_the_code_page_that_fits() {
        assert_eq!(decode("受信".as_bytes()), "受信");
        assert_eq!(
            decode(b"\x8e\xf3\x90\x4d\x83\x67\x83\x8c\x83\x43"),
            "受信トレイ"
        );
        assert_eq!(decode(b"Gel\xf6scht"), "Gelöscht");
        assert_eq!(decode(b"\xc9l\xe9ments envoy\xe9s"), "Éléments envoyés");
        assert_eq!(decode(b"\xca\xdd\xb6\xb8 1"), "ﾊﾝｶｸ 1");
    }

    #[test]
    fn endings_are_taken_off_in_any_case_and_never_all_of_a_name() {
        assert_eq!(without_ending("受信.MBOX", ".mbox"), Some("受信"));
        assert_eq!(without_ending(".mbox", ".mbox"), None);
        assert_eq!(without_ending("あ", ".mbox"), None);
        assert_eq!(without_ending("ああ", "mbox"), None);
    }
}
