//! Becky! Internet Mail: `.bmf` files in the directories of its folders.
//!
//! The maker publishes no description. What is known from users who looked into their
//! files: a folder is a directory with `.bmf` files, in which messages stand as they came
//! over POP3, each ended by a line with a single dot, lines that begin with a dot having
//! another one in front (RFC 1939 §3). `Folder.idx` beside them has what the list shows;
//! nothing certain is known of its columns, so what was read is not taken from it.

mod scan;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hikyaku_core::{Epoch, Fault, Key, MailboxName, Role, arrival};

use crate::dirs::{self, Dir, name_of, without_ending};
use crate::disk::{self, Disk};
use crate::fault;
use crate::store::{Flow, Folder, Found, Item, Place, Start, Store, mark};
use crate::text::Text;
use crate::walk::walk;

#[cfg(any(test, fuzzing))]
pub(crate) use scan::properties;
use scan::{Unstuffed, pieces};

/// As much of a message as is looked at for its date, in octets.
const MAX_HEAD: usize = 32 * 1024;

/// The mail of a Becky!.
#[derive(Debug)]
pub(crate) struct Becky {
    folders: Vec<Folder>,
    now: i64,
}

impl Becky {
    /// The data folder, a mailbox (`*.mb`), one folder, or one file.
    ///
    /// # Faults
    /// When there is no `.bmf` file.
    pub(crate) fn open(path: &Path, now: i64) -> Result<Self, Fault> {
        let folders = match path.is_dir() {
            true => {
                let tree = walk(path)?;
                let mut found = folders(path, &tree.dirs);
                if !found.is_empty() {
                    let closed = tree.closed.into_iter();
                    found.extend(closed.map(|c| {
                        let levels = c.levels.iter().map(|l| plain(l).to_owned()).collect();
                        c.folder(levels)
                    }));
                }
                found
            }
            false => {
                let name = path.file_stem().map(name_of).unwrap_or_default();
                let is_ours = path.file_name().is_some_and(is_bmf);
                let folder = MailboxName::new(vec![name]).filter(|_| is_ours);
                folder
                    .map(|name| Folder::new(name, path))
                    .into_iter()
                    .collect()
            }
        };
        match folders.is_empty() {
            true => Err(fault::wrong_kind(path, "no .bmf file")),
            false => Ok(Self { folders, now }),
        }
    }
}

/// Whether a file is one with messages, by its name.
pub(crate) fn is_bmf(name: &OsStr) -> bool {
    without_ending(&name_of(name), ".bmf").is_some()
}

fn folders(root: &Path, dirs: &[Dir]) -> Vec<Folder> {
    let own = root.file_name().map(name_of).unwrap_or_default();
    let mut found = Vec::new();
    for dir in dirs.iter().filter(|d| d.files.iter().any(|f| is_bmf(f))) {
        // A mailbox of Becky! is an account.
        let at = dir
            .levels
            .iter()
            .position(|l| without_ending(l, ".mb").is_some());
        let account = at.map(|at| dir.levels[at].clone());
        let inside = &dir.levels[at.map_or(0, |at| at + 1)..];
        let mut levels: Vec<String> = inside.iter().map(|l| plain(l).to_owned()).collect();
        if levels.is_empty() {
            levels.push(plain(&own).to_owned());
        }
        let role = match inside {
            [only] if only.starts_with('!') => role(plain(only)),
            _ => None,
        };
        found.push((account, levels, role, dir.path.clone()));
    }
    let mut accounts: Vec<_> = found.iter().filter_map(|f| f.0.clone()).collect();
    accounts.sort();
    accounts.dedup();
    let mut out = Vec::new();
    for (account, mut levels, role, path) in found {
        if let Some(account) = account.filter(|_| accounts.len() > 1) {
            let stem = without_ending(&account, ".mb").unwrap_or(&account);
            levels.insert(0, stem.to_owned());
        }
        if let Some(name) = MailboxName::new(levels) {
            out.push(Folder::new(name, path).with_role(role));
        }
    }
    out
}

/// The program puts its own folders first with exclamation marks.
fn plain(name: &str) -> &str {
    let plain = name.trim_start_matches('!');
    if plain.is_empty() { name } else { plain }
}

fn role(name: &str) -> Option<Role> {
    Some(match name.to_ascii_lowercase().as_str() {
        "inbox" => Role::Inbox,
        "sent" => Role::Sent,
        "draft" | "drafts" => Role::Drafts,
        "trash" => Role::Trash,
        _ => return None,
    })
}

/// The files of a folder, by name.
fn files(place: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let files = dirs::list(place, Vec::new())?.files;
    let files = files.into_iter().filter(|f| is_bmf(f));
    Ok(files.map(|f| place.join(f)).collect())
}

impl Store for Becky {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        Ok(self.folders.clone())
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let paths = files(&folder.place).map_err(|e| fault::folder(&folder.place, &e))?;
        let mut key = 0;
        for path in paths {
            let modified = disk::modified(&path);
            let shared: Arc<Path> = Arc::from(path.as_path());
            let mut is_over = false;
            let opened = Disk::open(&path);
            let read = opened.and_then(|file| {
                pieces(&file, &mut |begin, end| {
                    key += 1;
                    if Key(key) < start.key {
                        return Ok(true);
                    }
                    let most = usize::try_from(end - begin)
                        .unwrap_or(MAX_HEAD)
                        .min(MAX_HEAD);
                    let head = file.octets_at(begin, most)?;
                    let place = Place {
                        file: Some(shared.clone()),
                        start: begin,
                        length: end - begin,
                        note: 0,
                    };
                    let item = Item {
                        date: arrival::of(None, &head, modified, self.now),
                        mark: mark(&head[..head.len().min(4096)]),
                        ..Item::new(Key(key), end - begin, place)
                    };
                    is_over = found(Found::Message(item)).is_break();
                    Ok(!is_over)
                })
            });
            // The rest of one file is one item; the other files go on.
            if let Err(error) = read {
                key += 1;
                let lost = Found::Unreadable {
                    key: Key(key),
                    at: 0,
                    place: path.display().to_string(),
                    fault: fault::message(&error),
                };
                is_over = Key(key) >= start.key && found(lost).is_break();
            }
            if is_over {
                break;
            }
        }
        Ok(None)
    }

    fn open(&self, _folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let Place {
            file,
            start,
            length,
            ..
        } = item.place.clone();
        let path = file.ok_or_else(|| Fault::bug("a message without a file"))?;
        let disk = Disk::open(&path).map_err(|e| fault::message(&e))?;
        Text::read(move || Ok(Unstuffed::new(disk.part(start, length))))
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        let mut stamps = Vec::new();
        for path in files(&folder.place).ok()? {
            stamps.extend(disk::stamp(&path)?.to_le_bytes());
        }
        Some(mark(&stamps))
    }
}
