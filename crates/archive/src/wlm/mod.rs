//! Windows Live Mail, and Windows Mail of Vista: one `.eml` file per message in a tree of
//! accounts and folders.
//!
//! Accounts are directories with an `.oeaccount` file (described by Microsoft, "New
//! Handling for Account Data"); folders end in a blank and three hexadecimal digits where
//! their own name would not do as the name of a file. What was read stands in a database
//! (`Mail.MSMessageStore`) that is not read.

#[cfg(any(test, fuzzing))]
pub(crate) mod properties {
    //! What holds whatever an account file contains.

    /// The account has a name, or none is told.
    ///
    /// # Panics
    /// Where a property does not hold.
    pub(crate) fn account(input: &[u8]) {
        let name = super::account_in(input);
        // Two octets of UTF-16 are up to three of UTF-8, as is what is no text.
        assert!(name.is_none_or(|name| !name.is_empty() && name.len() <= 3 * input.len()));
    }
}
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hikyaku_core::{Epoch, Fault, Key, MailboxName, arrival};

use crate::dirs::{self, Dir, decode, name_of, without_ending};
use crate::disk::{self, Disk};
use crate::fault;
use crate::store::{Flow, Folder, Found, Item, Place, Start, Store, mark};
use crate::text::Text;
use crate::walk::walk;

/// As much of a message as is looked at for its date, in octets.
const MAX_HEAD: usize = 32 * 1024;
/// Longest account file that is read; they have a few thousand octets.
const MAX_ACCOUNT: usize = 256 * 1024;

/// The mail of a Windows Live Mail.
#[derive(Debug)]
pub(crate) struct WindowsLiveMail {
    folders: Vec<Folder>,
    now: i64,
}

impl WindowsLiveMail {
    /// The directory of the program, of one account, or of one folder.
    ///
    /// # Faults
    /// When there is no message file.
    pub(crate) fn open(path: &Path, now: i64) -> Result<Self, Fault> {
        let tree = walk(path)?;
        let mut folders = folders(path, &tree.dirs);
        if folders.is_empty() {
            return Err(fault::wrong_kind(path, "no folder with .eml files"));
        }
        folders.extend(tree.closed.into_iter().map(|c| {
            let levels = c.levels.iter().map(|l| without_hash(l).to_owned());
            let levels = levels.collect();
            c.folder(levels)
        }));
        Ok(Self { folders, now })
    }
}

/// Whether a tree is one of Windows Live Mail: it has its account or folder files.
pub(crate) fn looks_like_one(dirs: &[Dir]) -> bool {
    let is_ours = |name: &OsString| name.eq_ignore_ascii_case("winmail.fol") || is_account(name);
    dirs.iter().any(|dir| dir.files.iter().any(is_ours))
}

fn is_account(name: &OsStr) -> bool {
    without_ending(&name_of(name), ".oeaccount").is_some()
}

fn is_message(name: &OsStr) -> bool {
    without_ending(&name_of(name), ".eml").is_some()
}

fn folders(root: &Path, dirs: &[Dir]) -> Vec<Folder> {
    let with_mail = dirs
        .iter()
        .filter(|dir| dir.files.iter().any(|f| is_message(f)));
    // How deep accounts lie: below the program's own directory, wherever that is. A folder
    // of an account that was named itself has none.
    let own = root.file_name().map(name_of).unwrap_or_default();
    let is_program = |name: &str| name == "Windows Live Mail" || name == "Windows Mail";
    let program = dirs
        .iter()
        .filter_map(|dir| Some((dir.levels.len(), dir.levels.last()?)))
        .find(|(_, name)| is_program(name))
        .map(|(depth, _)| depth);
    let by_file = dirs
        .iter()
        .find(|dir| !dir.levels.is_empty() && dir.files.iter().any(|f| is_account(f)))
        .map(|dir| dir.levels.len() - 1);
    let depth = if is_program(&own) {
        Some(0)
    } else {
        program.or(by_file)
    };
    let mut found: Vec<(Option<String>, Vec<String>, PathBuf)> = Vec::new();
    for dir in with_mail {
        let (above, levels) = dir
            .levels
            .split_at(dir.levels.len().min(depth.unwrap_or(0)));
        let (account, levels) = match (depth, levels) {
            (Some(_), [account, rest @ ..]) => {
                let mut path = root.to_owned();
                path.extend(
                    dir.path
                        .strip_prefix(root)
                        .ok()
                        .into_iter()
                        .flat_map(|p| p.iter().take(above.len() + 1)),
                );
                (Some(account_name(&path, account, dirs)), rest)
            }
            _ => (None, levels),
        };
        let mut levels: Vec<String> = levels.iter().map(|l| without_hash(l).to_owned()).collect();
        if levels.is_empty() {
            levels.push(
                account
                    .clone()
                    .unwrap_or_else(|| without_hash(&own).to_owned()),
            );
        }
        found.push((account, levels, dir.path.clone()));
    }
    let mut accounts: Vec<&Option<String>> = found.iter().map(|(account, ..)| account).collect();
    accounts.sort();
    accounts.dedup();
    let several = accounts.len() > 1;
    let mut out = Vec::new();
    for (account, levels, path) in &found {
        let above = account.as_ref().filter(|a| several && **a != levels[0]);
        let levels: Vec<String> = above.into_iter().chain(levels).cloned().collect();
        if let Some(name) = MailboxName::new(levels) {
            out.push(Folder::new(name, path));
        }
    }
    out
}

/// What the account is called: by its file, else by its directory.
fn account_name(path: &Path, directory: &str, dirs: &[Dir]) -> String {
    let dir = dirs.iter().find(|dir| dir.path == path);
    let file = dir.and_then(|dir| dir.files.iter().find(|f| is_account(f)));
    let told = file.and_then(|file| {
        let octets = Disk::open(&path.join(file))
            .ok()?
            .octets_at(0, MAX_ACCOUNT)
            .ok()?;
        account_in(&octets)
    });
    told.unwrap_or_else(|| without_hash(directory).to_owned())
}

/// `Account_Name` of an account file: XML in UTF-16 or UTF-8.
fn account_in(octets: &[u8]) -> Option<String> {
    let text = match octets {
        [0xff, 0xfe, rest @ ..] => encoding_rs::UTF_16LE
            .decode_without_bom_handling(rest)
            .0
            .into_owned(),
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE
            .decode_without_bom_handling(rest)
            .0
            .into_owned(),
        [_, 0, ..] => encoding_rs::UTF_16LE
            .decode_without_bom_handling(octets)
            .0
            .into_owned(),
        other => decode(other),
    };
    let after = text.split_once("<Account_Name")?.1;
    let value = after.split_once('>')?.1.split('<').next()?.trim();
    let value = value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    (!value.is_empty()).then_some(value)
}

/// A directory's name without the three digits that the program adds.
fn without_hash(name: &str) -> &str {
    let Some((stem, hash)) = name.rsplit_once(' ') else {
        return name;
    };
    let is_hash = hash.len() == 3
        && hash
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if is_hash && !stem.trim().is_empty() {
        stem
    } else {
        name
    }
}

/// Message files in the order in which the program numbered them.
fn messages(path: &Path) -> std::io::Result<Vec<OsString>> {
    let mut files = dirs::list(path, Vec::new())?.files;
    files.retain(|file| is_message(file));
    // `0FBAF973-00000001.eml`: the number stands behind the hyphen.
    let number = |file: &OsString| {
        let name = name_of(file);
        let stem = without_ending(&name, ".eml")?.rsplit_once('-')?.1;
        u64::from_str_radix(stem, 16).ok()
    };
    files.sort_by_cached_key(|file| (number(file).unwrap_or(u64::MAX), file.clone()));
    Ok(files)
}

impl Store for WindowsLiveMail {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        Ok(self.folders.clone())
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let path = &folder.place;
        let files = messages(path).map_err(|e| fault::folder(path, &e))?;
        let skipped = usize::try_from(start.key.0.saturating_sub(1)).unwrap_or(usize::MAX);
        for (n, file) in files.iter().enumerate().skip(skipped) {
            let key = Key(n as u64 + 1);
            let told = match item(key, path, file, self.now) {
                Ok(item) => Found::Message(item),
                Err(error) => Found::Unreadable {
                    key,
                    at: 0,
                    place: path.join(file).display().to_string(),
                    fault: error,
                },
            };
            if found(told).is_break() {
                break;
            }
        }
        Ok(None)
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let file = item.place.file.as_ref();
        let file = file.ok_or_else(|| Fault::bug("a message without a file"))?;
        Text::of_file(&folder.place.join(file))
    }
}

fn item(key: Key, dir: &Path, file: &OsStr, now: i64) -> Result<Item, Fault> {
    let path = dir.join(file);
    let disk = Disk::open(&path).map_err(|e| fault::message(&e))?;
    let head = disk
        .octets_at(0, MAX_HEAD)
        .map_err(|e| fault::message(&e))?;
    if head.is_empty() {
        return Err(fault::damaged("the file is empty"));
    }
    let place = Place {
        file: Some(Arc::from(Path::new(file))),
        length: disk.length(),
        ..Place::default()
    };
    let modified = fs::metadata(&path)
        .ok()
        .and_then(|m| disk::seconds(m.modified().ok()?));
    Ok(Item {
        date: arrival::of(None, &head, modified, now),
        mark: mark(file.as_encoded_bytes()),
        ..Item::new(key, disk.length(), place)
    })
}
