//! Trees in which each message is a file: `.eml` files, and MH folders.

#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod sequences;

use crate::dirs::{self, Dir, name_of, without_ending};
use crate::disk;
use crate::fault;
use crate::head;
use crate::mbox;
use crate::options::Options;
use crate::store::{Flow, Folder, Found, Item, Place, Start, Store, mark};
use crate::text::Text;
use crate::walk::walk;
use hikyaku_core::identity::header_fields;
use hikyaku_core::{Epoch, Fault, Flag, Key, MailboxName, arrival};
use sequences::Notes;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which files are messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// Those that end with `.eml`.
    Eml,
    /// Those whose names are numbers.
    Mh,
}

/// The store.
pub(crate) struct FileTree {
    root: PathBuf,
    flavor: Flavor,
    now: i64,
}

impl FileTree {
    /// # Faults
    /// `archive.kind` when there is no such file at the path or below it.
    pub(crate) fn open(path: &Path, flavor: Flavor, options: &Options) -> Result<Self, Fault> {
        let store = Self {
            root: path.to_owned(),
            flavor,
            now: options.now,
        };
        let is_one = match path.is_file() {
            true => {
                let is_mail = mbox::begins_like_mail(path);
                flavor == Flavor::Eml && is_mail.map_err(|e| fault::missing(path, &e))?
            }
            false => store.folders()?.iter().any(|f| f.lost.is_none()),
        };
        let none = match flavor {
            Flavor::Eml => "there is no .eml file",
            Flavor::Mh => "there is no file with a number as its name",
        };
        match is_one {
            true => Ok(store),
            false => Err(fault::wrong_kind(path, none)),
        }
    }

    /// The message files of a directory in their order, each with its number.
    fn messages(&self, files: &[OsString]) -> Vec<(Key, OsString)> {
        let mut out: Vec<(u64, &OsString)> = files
            .iter()
            .filter_map(|file| {
                let name = name_of(file);
                let stem = match self.flavor {
                    Flavor::Eml if name.starts_with('.') => return None,
                    Flavor::Eml => without_ending(&name, ".eml")?.to_owned(),
                    Flavor::Mh => name,
                };
                match (number(&stem), self.flavor) {
                    (Some(number), _) => Some((u64::from(number), file)),
                    // Behind the numbers, in the order of names.
                    (None, Flavor::Eml) => Some((u64::MAX, file)),
                    (None, Flavor::Mh) => None,
                }
            })
            .collect();
        out.sort();
        let by_order =
            |(n, (_, file)): (usize, (u64, &OsString))| (Key(n as u64 + 1), file.clone());
        match self.flavor {
            Flavor::Eml => out.into_iter().enumerate().map(by_order).collect(),
            Flavor::Mh => out.into_iter().map(|(n, f)| (Key(n), f.clone())).collect(),
        }
    }

    fn listed(&self, place: &Path) -> io::Result<(PathBuf, Vec<(Key, OsString)>)> {
        if self.root.is_file() {
            let name = self.root.file_name().unwrap_or_default().to_owned();
            let parent = self.root.parent().unwrap_or(&self.root);
            return Ok((parent.to_owned(), vec![(Key(1), name)]));
        }
        let dir = dirs::list(place, Vec::new())?;
        Ok((place.to_owned(), self.messages(&dir.files)))
    }

    fn notes(&self, place: &Path) -> Notes {
        if self.flavor == Flavor::Eml {
            return Notes::default();
        }
        let read = |name: &str| disk::beside(&place.join(name));
        let marks = read(".sylpheed_mark").or_else(|| read(".claws_mark"));
        Notes::new(read(".mh_sequences").as_deref(), marks.as_deref())
    }

    fn item(&self, key: Key, path: &Path, file: &OsString, notes: &Notes) -> io::Result<Item> {
        let meta = fs::symlink_metadata(path)?;
        if meta.len() == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file is empty",
            ));
        }
        let head = head::of_file(path)?;
        let state = mbox::state(&head);
        let modified = meta.modified().ok().and_then(disk::seconds);
        let place = Place {
            file: Some(Arc::from(Path::new(file))),
            ..Place::default()
        };
        let number = u32::try_from(key.0).unwrap_or(u32::MAX);
        let mut flags = state.flags.or(&notes.flags(number));
        let is_unsent = |(name, value): (&[u8], &[u8])| {
            name.eq_ignore_ascii_case(b"x-unsent") && value.trim_ascii() == b"1"
        };
        if header_fields(&head).any(is_unsent) {
            flags.set(Flag::Draft);
        }
        Ok(Item {
            flags,
            seen_recorded: state.is_recorded || notes.records_seen,
            date: arrival::of(None, &head, modified, self.now),
            mark: mark(&head),
            ..Item::new(key, meta.len(), place)
        })
    }

    /// The name of a directory below the root; the root's own messages are in a folder
    /// of its name.
    fn name(&self, levels: &[String]) -> MailboxName {
        let root = || name_of(self.root.file_name().unwrap_or_default());
        let levels = match levels {
            [] => vec![root()],
            below => below.to_vec(),
        };
        MailboxName::new(levels).unwrap_or_else(MailboxName::inbox)
    }
}

/// A number as MH gives them.
fn number(name: &str) -> Option<u32> {
    let is_plain = name.bytes().all(|b| b.is_ascii_digit()) && !name.starts_with('0');
    is_plain.then(|| name.parse().ok())?
}

impl Store for FileTree {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        if self.root.is_file() {
            return Ok(vec![Folder::new(MailboxName::inbox(), &self.root)]);
        }
        let tree = walk(&self.root)?;
        let holds_mail = |dir: &&Dir| !self.messages(&dir.files).is_empty();
        let mut folders: Vec<_> = tree
            .dirs
            .iter()
            .filter(holds_mail)
            .map(|dir| Folder::new(self.name(&dir.levels), &dir.path))
            .collect();
        folders.extend(tree.closed.into_iter().map(|c| {
            let levels = c.levels.clone();
            c.folder(levels)
        }));
        Ok(folders)
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let place = &folder.place;
        let (dir, files) = self.listed(place).map_err(|e| fault::folder(place, &e))?;
        let notes = self.notes(&dir);
        let from = files.partition_point(|(key, _)| *key < start.key);
        for (key, file) in &files[from..] {
            let path = dir.join(file);
            let told = match self.item(*key, &path, file, &notes) {
                Ok(item) => Found::Message(item),
                Err(e) => Found::Unreadable {
                    key: *key,
                    at: 0,
                    place: name_of(file),
                    fault: fault::message(&e),
                },
            };
            if found(told).is_break() {
                break;
            }
        }
        Ok(None)
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let file = item.place.file.as_deref();
        let file = file.ok_or_else(|| Fault::bug("an item of another store"))?;
        let path = match self.root.is_file() {
            true => self.root.clone(),
            false => folder.place.join(file),
        };
        Text::of_file(&path)
    }
}
