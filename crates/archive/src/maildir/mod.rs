//! Maildir, Maildir++ and trees of Maildirs: one file for each message.
//!
//! <https://cr.yp.to/proto/maildir.html>; Maildir++ as Courier describes it; Dovecot's
//! files beside the messages as its documentation does.

mod folder;
mod name;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod subscriptions;
mod uidlist;

pub(crate) use folder::{MaildirFolder, read};
pub(crate) use name::utf7;

use crate::dirs;
use crate::disk;
use crate::fault;
use crate::options::Options;
use crate::store::{Flow, Folder, Found, Item, Start, Store, mark};
use crate::text::Text;
use crate::walk::walk;
use hikyaku_core::{Epoch, Fault, MailboxName};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The store.
pub(crate) struct Maildir {
    root: PathBuf,
    now: i64,
}

impl Maildir {
    /// # Faults
    /// `archive.kind` when there is no Maildir at the path or below it.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        let store = Self {
            root: path.to_owned(),
            now: options.now,
        };
        match path.is_dir() && store.folders()?.iter().any(|f| f.lost.is_none()) {
            true => Ok(store),
            false => Err(fault::wrong_kind(path, "no folder holds cur or new")),
        }
    }

    fn subscriptions(&self) -> Option<BTreeSet<Vec<String>>> {
        ["subscriptions", "courierimapsubscribed"]
            .iter()
            .find_map(|name| disk::beside(&self.root.join(name)))
            .map(|text| subscriptions::parse(&text))
    }
}

/// Whether the directory holds messages.
pub(crate) fn is_maildir(dirs: &[std::ffi::OsString]) -> bool {
    dirs.iter().any(|dir| dir == "cur" || dir == "new")
}

/// The levels of a directory below the root; `None` inside of a Maildir's own directories.
fn levels(root: &Path, path: &Path) -> Option<Vec<String>> {
    let below = path.strip_prefix(root).ok()?;
    let mut out = Vec::new();
    for part in below.iter() {
        if [OsStr::new("cur"), OsStr::new("new"), OsStr::new("tmp")].contains(&part) {
            return None;
        }
        out.extend(name::levels(&dirs::name_of(part)));
    }
    Some(out)
}

impl Store for Maildir {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        let subscribed = self.subscriptions();
        let mut folders = Vec::new();
        let mut told = |path: &Path| {
            let Some(levels) = levels(&self.root, path) else {
                return;
            };
            let is_wanted = |set: &BTreeSet<_>| levels.is_empty() || set.contains(&levels);
            let is_subscribed = subscribed.as_ref().is_none_or(is_wanted);
            let name = MailboxName::new(levels).unwrap_or_else(MailboxName::inbox);
            let mut folder = Folder::new(name, path);
            folder.subscribed = is_subscribed;
            folders.push(folder);
        };
        let tree = walk(&self.root)?;
        for dir in tree.dirs.iter().filter(|dir| is_maildir(&dir.dirs)) {
            told(&dir.path);
        }
        for closed in tree.closed {
            // Of a folder's own directories the folder itself is told.
            if let Some(levels) = levels(&self.root, &closed.path) {
                folders.push(closed.folder(levels));
            }
        }
        Ok(folders)
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let place = &folder.place;
        let listed = MaildirFolder::list(place).map_err(|e| fault::folder(place, &e))?;
        listed.scan(start, self.now, found);
        Ok(listed.epoch())
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let file = item.place.file.as_deref();
        let file = file.ok_or_else(|| Fault::bug("an item of another store"))?;
        match folder::read(&folder.place.join(file)) {
            // Its flags have changed since: it has another name now.
            Err(fault) if fault.is_temporary() => match folder::renamed(&folder.place, file) {
                Some(path) => folder::read(&folder.place.join(path)),
                None => Err(fault),
            },
            other => other,
        }
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        let mut stamps = Vec::new();
        for name in ["cur", "new", "dovecot-uidlist", "dovecot-keywords"] {
            let stamp = disk::stamp(&folder.place.join(name)).unwrap_or(0);
            stamps.extend(stamp.to_le_bytes());
        }
        Some(mark(&stamps))
    }
}
