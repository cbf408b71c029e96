//! The mail stores of a computer, in the places where programs put them.
//!
//! Nothing is searched: only known places below one person's home directory are looked
//! at, those of all systems, so that a copied or mounted home works as well.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hikyaku_core::{Code, Fault};

use crate::dirs::{self, name_of};
use crate::disk::Disk;
use crate::recognise::{Look, look};

/// A mail program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// Thunderbird, also as Betterbird and Icedove.
    Thunderbird,
    /// Apple Mail.
    AppleMail,
    /// Outlook of Microsoft Office: data files.
    Outlook,
    /// Windows Live Mail.
    WindowsLiveMail,
    /// Windows Mail of Vista.
    WindowsMail,
    /// Outlook Express.
    OutlookExpress,
    /// Becky! Internet Mail.
    Becky,
    /// Evolution.
    Evolution,
    /// KMail.
    Kmail,
    /// No program of its own: `~/Maildir`, `~/Mail`, `~/mail`.
    Plain,
}

/// A mail store that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailStore {
    /// Whose it is.
    pub program: Program,
    /// Where it is.
    pub path: PathBuf,
    /// What is in it; a fault where it may not be read, as macOS has it until the terminal
    /// is allowed to.
    pub look: Result<Look, Fault>,
}

/// What is looked for at a place.
#[derive(Clone, Copy)]
enum Shape {
    /// The place itself.
    Itself,
    /// Each directory in it that is a profile, and what `profiles.ini` names.
    Profiles,
    /// Each data file of Outlook in it.
    DataFiles,
    /// `Identities/…/Microsoft/Outlook Express`.
    Identities,
}

/// Places below the home directory, with `/` between levels.
const PLACES: &[(Program, Shape, &str)] = &[
    // Linux.
    (Program::Thunderbird, Shape::Profiles, ".thunderbird"),
    (
        Program::Thunderbird,
        Shape::Profiles,
        ".mozilla-thunderbird",
    ),
    (Program::Thunderbird, Shape::Profiles, ".icedove"),
    (
        Program::Thunderbird,
        Shape::Profiles,
        "snap/thunderbird/common/.thunderbird",
    ),
    (
        Program::Thunderbird,
        Shape::Profiles,
        ".var/app/org.mozilla.Thunderbird/.thunderbird",
    ),
    (
        Program::Thunderbird,
        Shape::Profiles,
        ".var/app/org.mozilla.thunderbird/.thunderbird",
    ),
    (
        Program::Thunderbird,
        Shape::Profiles,
        ".var/app/eu.betterbird.Betterbird/.thunderbird",
    ),
    (
        Program::Evolution,
        Shape::Itself,
        ".local/share/evolution/mail/local",
    ),
    (Program::Evolution, Shape::Itself, "evolution/local"),
    (Program::Kmail, Shape::Itself, ".local/share/local-mail"),
    (Program::Plain, Shape::Itself, "Maildir"),
    (Program::Plain, Shape::Itself, "Mail"),
    (Program::Plain, Shape::Itself, "mail"),
    // macOS.
    (Program::Thunderbird, Shape::Profiles, "Library/Thunderbird"),
    (Program::AppleMail, Shape::Itself, "Library/Mail"),
    (
        Program::Outlook,
        Shape::DataFiles,
        "Documents/Microsoft User Data",
    ),
    // Windows.
    (
        Program::Thunderbird,
        Shape::Profiles,
        "AppData/Roaming/Thunderbird",
    ),
    (
        Program::Thunderbird,
        Shape::Profiles,
        "Application Data/Thunderbird",
    ),
    (
        Program::Outlook,
        Shape::DataFiles,
        "AppData/Local/Microsoft/Outlook",
    ),
    (
        Program::Outlook,
        Shape::DataFiles,
        "Documents/Outlook Files",
    ),
    (
        Program::Outlook,
        Shape::DataFiles,
        "Documents/Outlook ファイル",
    ),
    (
        Program::Outlook,
        Shape::DataFiles,
        "OneDrive/Documents/Outlook Files",
    ),
    (
        Program::Outlook,
        Shape::DataFiles,
        "OneDrive/ドキュメント/Outlook ファイル",
    ),
    (
        Program::Outlook,
        Shape::DataFiles,
        "Local Settings/Application Data/Microsoft/Outlook",
    ),
    (
        Program::WindowsLiveMail,
        Shape::Itself,
        "AppData/Local/Microsoft/Windows Live Mail",
    ),
    (
        Program::WindowsMail,
        Shape::Itself,
        "AppData/Local/Microsoft/Windows Mail",
    ),
    (
        Program::OutlookExpress,
        Shape::Identities,
        "AppData/Local/Identities",
    ),
    (
        Program::OutlookExpress,
        Shape::Identities,
        "Local Settings/Application Data/Identities",
    ),
    (Program::Becky, Shape::Itself, "AppData/Roaming/RimArts"),
    (Program::Becky, Shape::Itself, "Documents/Becky"),
    (Program::Becky, Shape::Itself, "Becky"),
];

/// The mail stores below a home directory, by program and path. Places that are not
/// there, or hold no mail, are left out.
pub fn find(home: &Path) -> Vec<MailStore> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for (program, shape, place) in PLACES {
        let path: PathBuf = home
            .iter()
            .map(Path::new)
            .chain(place.split('/').map(Path::new))
            .collect();
        for path in candidates(*shape, &path) {
            // `Mail` and `mail` are one directory on many file systems, and two programs
            // may name one profile.
            let same = path.canonicalize().unwrap_or_else(|_| path.clone());
            if !seen.insert(same) {
                continue;
            }
            let look = look(&path);
            let is_there = match &look {
                Ok(Look::Nothing { .. }) => false,
                Ok(_) => true,
                Err(fault) => fault.code != Code::ArchiveMissing || path.exists(),
            };
            if is_there {
                out.push(MailStore {
                    program: *program,
                    path,
                    look,
                });
            }
        }
    }
    out.sort_by(|a, b| (a.program, &a.path).cmp(&(b.program, &b.path)));
    out
}

fn candidates(shape: Shape, path: &Path) -> Vec<PathBuf> {
    match shape {
        Shape::Itself => vec![path.to_owned()],
        Shape::Profiles => profiles(path),
        Shape::DataFiles => inside(path, |dir| {
            let is_data = |n: &&std::ffi::OsString| {
                let name = name_of(n).to_lowercase();
                name.ends_with(".pst") || name.ends_with(".ost")
            };
            dir.files
                .iter()
                .filter(is_data)
                .map(|f| dir.path.join(f))
                .collect()
        }),
        Shape::Identities => inside(path, |dir| {
            let below =
                |d: &std::ffi::OsString| dir.path.join(d).join("Microsoft").join("Outlook Express");
            dir.dirs.iter().map(below).filter(|p| p.is_dir()).collect()
        }),
    }
}

/// What is in a directory; itself where it may not be listed, so that this is told.
fn inside(path: &Path, pick: impl Fn(&dirs::Dir) -> Vec<PathBuf>) -> Vec<PathBuf> {
    match dirs::list(path, Vec::new()) {
        Ok(dir) => pick(&dir),
        Err(_) if path.exists() => vec![path.to_owned()],
        Err(_) => Vec::new(),
    }
}

/// The profiles of Thunderbird: directories with mail here and in `Profiles`, and those
/// that lie elsewhere and are named in `profiles.ini`.
fn profiles(path: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for place in [path.to_owned(), path.join("Profiles")] {
        out.extend(inside(&place, |dir| {
            let profile = |d: &std::ffi::OsString| dir.path.join(d);
            let has_mail = |p: &PathBuf| p.join("Mail").is_dir() || p.join("ImapMail").is_dir();
            dir.dirs.iter().map(profile).filter(has_mail).collect()
        }));
    }
    let ini = Disk::open(&path.join("profiles.ini")).and_then(|d| d.octets_at(0, 1 << 20));
    let ini = String::from_utf8_lossy(&ini.unwrap_or_default()).into_owned();
    for line in ini.lines() {
        if let Some(named) = line.trim().strip_prefix("Path=") {
            let named = Path::new(named);
            let profile = if named.is_absolute() {
                named.to_owned()
            } else {
                path.join(named)
            };
            if profile.join("Mail").is_dir() || profile.join("ImapMail").is_dir() {
                out.push(profile);
            }
        }
    }
    out
}
