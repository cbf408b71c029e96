//! The names of message files: a Maildir's, and `.eml`.
//!
//! Every name holds the key and the epoch of the folder, so that a file of the backup is told
//! from one that somebody else put there.

use crate::format::Format;
use hikyaku_core::{Flag, Flags, InternalDate, Keyword};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// What stands between a Maildir's name and its flags; Windows has no colon in names.
pub(crate) const INFO: &str = if cfg!(windows) { ";2," } else { ":2," };

/// The place of a new message below its folder, without flags.
pub(crate) fn place(
    format: Format,
    key: u32,
    epoch: u32,
    date: Option<InternalDate>,
    octets: u64,
) -> String {
    match format {
        Format::Maildir => {
            let seconds = date.map_or(0, |d| d.seconds.max(0));
            format!("cur/{seconds}.{key:08}.{epoch:08x}.hikyaku,S={octets}")
        }
        Format::Mbox | Format::Eml => format!("{key:08}.{epoch:08x}.eml"),
    }
}

/// Where a file is written before it is whole.
pub(crate) fn temporary(directory: &Path, place: &str) -> PathBuf {
    match place.strip_prefix("cur/") {
        Some(name) => directory.join("tmp").join(name),
        None => directory.join(format!(".{place}.new")),
    }
}

/// Where a message is, with its flags where the format keeps them in the name.
pub(crate) fn path(directory: &Path, place: &str, flags: &Flags) -> PathBuf {
    match place.starts_with("cur/") {
        true => directory.join(format!("{place}{INFO}{}", letters(flags))),
        false => directory.join(place),
    }
}

/// A Maildir's letters, in the order of ASCII.
fn letters(flags: &Flags) -> String {
    let passed = flags.has_keyword(&Keyword::new("$Forwarded"));
    let known = [
        ('D', flags.has(Flag::Draft)),
        ('F', flags.has(Flag::Flagged)),
        ('P', passed),
        ('R', flags.has(Flag::Answered)),
        ('S', flags.has(Flag::Seen)),
        ('T', flags.has(Flag::Deleted)),
    ];
    known
        .iter()
        .filter(|(_, is)| *is)
        .map(|(c, _)| *c)
        .collect()
}

/// The flags that a Maildir's name tells.
pub(crate) fn flags(name: &str) -> Flags {
    let mut flags = Flags::new();
    for c in info(name).unwrap_or_default().chars() {
        match c {
            'D' => flags.set(Flag::Draft),
            'F' => flags.set(Flag::Flagged),
            'P' => flags.set_keyword(Keyword::new("$Forwarded")),
            'R' => flags.set(Flag::Answered),
            'S' => flags.set(Flag::Seen),
            'T' => flags.set(Flag::Deleted),
            _ => {}
        }
    }
    flags
}

fn info(name: &str) -> Option<&str> {
    name.rfind([':', ';', '!'])
        .and_then(|at| name[at + 1..].strip_prefix("2,"))
}

/// A name without its flags.
pub(crate) fn base(name: &str) -> &str {
    match info(name) {
        Some(info) => &name[..name.len() - info.len() - INFO.len()],
        None => name,
    }
}

/// The key of a file of this folder, its size as the name tells it; `None` for any other file.
pub(crate) fn key(name: &OsStr, epoch: u32) -> Option<(u32, Option<u64>)> {
    let name = base(name.to_str()?);
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = name.strip_suffix(".new").unwrap_or(name);
    let (rest, octets) = match name.split_once(".hikyaku,S=") {
        Some((rest, octets)) => {
            let (_, rest) = rest.split_once('.')?;
            (rest, Some(octets.parse().ok()?))
        }
        None => (name.strip_suffix(".eml")?, None),
    };
    let (key, of) = rest.split_once('.')?;
    let is_ours = u32::from_str_radix(of, 16).ok()? == epoch && of.len() == 8 && key.len() >= 8;
    is_ours.then_some((key.parse().ok()?, octets))
}

/// A file of the folder as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: u32,
    pub(crate) octets: Option<u64>,
    /// Below the folder's directory.
    pub(crate) place: String,
    /// Whether it is where it belongs, or still where it was written.
    pub(crate) is_in_place: bool,
}

/// Directories of a folder that hold messages.
pub(crate) fn shelves(format: Format) -> &'static [&'static str] {
    match format {
        Format::Maildir => &["cur", "new", "tmp"],
        Format::Mbox => &[],
        Format::Eml => &[""],
    }
}

/// Files of this folder's own, in no order but for the shelf.
pub(crate) fn each(
    directory: &Path,
    format: Format,
    epoch: u32,
    told: &mut dyn FnMut(Found),
) -> io::Result<()> {
    for shelf in shelves(format) {
        let entries = match std::fs::read_dir(directory.join(shelf)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name();
            let is_in_place = *shelf != "tmp" && !name.to_string_lossy().starts_with('.');
            if let (Some((key, octets)), Some(name)) = (key(&name, epoch), name.to_str()) {
                let place = match shelf.is_empty() {
                    true => name.to_owned(),
                    false => format!("{shelf}/{name}"),
                };
                told(Found {
                    key,
                    octets,
                    place,
                    is_in_place,
                });
            }
        }
    }
    Ok(())
}

/// The epoch that the names of a folder's files tell, when nothing else does any more.
pub(crate) fn any_epoch(directory: &Path, format: Format) -> io::Result<Option<u32>> {
    for shelf in shelves(format) {
        let entries = match std::fs::read_dir(directory.join(shelf)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name();
            // The third part from behind the extension: `….00000007.0000001f.hikyaku`, `….eml`.
            let name = name.to_string_lossy();
            let ends = [".hikyaku,S=", ".eml"];
            let stem = ends
                .iter()
                .find_map(|end| name.split_once(end))
                .map(|(stem, _)| stem);
            let told = stem
                .and_then(|stem| stem.rsplit_once('.'))
                .map(|(_, epoch)| epoch);
            let epoch = told.and_then(|epoch| u32::from_str_radix(epoch, 16).ok());
            if let Some(epoch) =
                epoch.filter(|e| *e != 0 && key(name.as_ref().as_ref(), *e).is_some())
            {
                return Ok(Some(epoch));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_tell_key_epoch_size_and_flags() {
        let made = place(
            Format::Maildir,
            7,
            0x1f,
            Some(InternalDate::utc(1_626_225_630)),
            1_234,
        );
        assert_eq!(made, "cur/1626225630.00000007.0000001f.hikyaku,S=1234");
        let all = Flags::parse("\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded x");
        let whole = path(Path::new("/b"), &made, &all);
        let name = whole.file_name().expect("a name").to_str().expect("text");
        assert_eq!(
            name,
            format!("1626225630.00000007.0000001f.hikyaku,S=1234{INFO}DFPRST")
        );
        assert_eq!(key(OsStr::new(name), 0x1f), Some((7, Some(1_234))));
        assert_eq!(key(OsStr::new(name), 0x20), None);
        assert_eq!(
            flags(name),
            Flags::parse("\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded")
        );
        assert_eq!(format!("cur/{}", base(name)), made);
        let eml = place(Format::Eml, 7, 0x1f, None, 5);
        assert_eq!(eml, "00000007.0000001f.eml");
        assert_eq!(key(OsStr::new(&eml), 0x1f), Some((7, None)));
        assert_eq!(
            temporary(Path::new("/b"), &eml),
            Path::new("/b/.00000007.0000001f.eml.new")
        );
        assert_eq!(
            key(OsStr::new(".00000007.0000001f.eml.new"), 0x1f),
            Some((7, None))
        );
    }

    proptest! {
        #[test]
        fn any_name_may_lie_there(name in "\\PC{0,40}") {
            key(OsStr::new(&name), 1);
            flags(&name);
            prop_assert!(name.starts_with(base(&name)));
        }
    }
}
