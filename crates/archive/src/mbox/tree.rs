//! One mbox file as one folder, or a tree of files as a tree of folders.

use super::file::{MboxFile, MboxFiles, Reading, begins_like_mail};
use crate::dirs::name_of;
use crate::disk;
use crate::fault;
use crate::options::Options;
use crate::store::{Flow, Folder, Found, Item, Start, Store};
use crate::text::Text;
use crate::walk::walk;
use hikyaku_core::{Epoch, Fault, MailboxName};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files with these ends are known to be something else.
const NOT_MAIL: [&str; 15] = [
    ".msf", ".dat", ".html", ".json", ".sqlite", ".db", ".idx", ".index", ".log", ".lock", ".sbd",
    ".zip", ".ics", ".vcf", ".xml",
];

/// The store.
pub(crate) struct MboxTree {
    root: PathBuf,
    reading: Reading,
    files: MboxFiles,
}

impl MboxTree {
    /// # Faults
    /// `archive.kind` when a single file begins neither like an mbox nor like a message.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        if path.is_file() && !begins_like_mail(path).map_err(|e| fault::missing(path, &e))? {
            return Err(fault::wrong_kind(path, "it begins like no mail"));
        }
        Ok(Self {
            root: path.to_owned(),
            reading: Reading {
                quoting: options.quoting,
                hides_expunged: false,
                now: options.now,
            },
            files: MboxFiles::default(),
        })
    }

    fn file(&self, path: &Path) -> std::io::Result<Arc<MboxFile>> {
        self.files.get(path, self.reading)
    }

    fn is_mail(path: &Path, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        if name.starts_with('.') || NOT_MAIL.iter().any(|end| name.ends_with(end)) {
            return false;
        }
        // A file that cannot be opened is listed: its scan tells why.
        begins_like_mail(path).unwrap_or(true)
    }
}

/// The levels of a folder's name. Evolution 1 keeps `FOLDER/mbox`, and folders inside it
/// in `FOLDER/subfolders`.
fn named(levels: &[String]) -> Vec<String> {
    let levels = match levels {
        [above @ .., last] if last == "mbox" && !above.is_empty() => above,
        all => all,
    };
    let inner = levels.iter().enumerate();
    let inner = inner.filter(|(n, level)| *n == 0 || *level != "subfolders");
    inner.map(|(_, l)| level(l).to_owned()).collect()
}

/// A level of a name: without what programs add to files and directories.
fn level(name: &str) -> &str {
    [".mbox", ".mbx", ".sbd"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name)
}

impl Store for MboxTree {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        if self.root.is_file() {
            let name = self.root.file_name().unwrap_or_default().to_string_lossy();
            let name = MailboxName::new(vec![level(&name).to_owned()]);
            let name = name.unwrap_or_else(MailboxName::inbox);
            return Ok(vec![Folder::new(name, &self.root)]);
        }
        let mut folders = Vec::new();
        let tree = walk(&self.root)?;
        for dir in &tree.dirs {
            for file in &dir.files {
                let path = dir.path.join(file);
                let mut levels = dir.levels.clone();
                levels.push(name_of(file));
                if Self::is_mail(&path, levels.last().map_or("", String::as_str)) {
                    let name = MailboxName::new(named(&levels));
                    let name = name.unwrap_or_else(MailboxName::inbox);
                    folders.push(Folder::new(name, path));
                }
            }
        }
        folders.extend(tree.closed.into_iter().map(|c| {
            let levels = named(&c.levels);
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
        let file = self.file(place).map_err(|e| fault::folder(place, &e))?;
        file.scan(start, &mut |told| found(told.found))
            .map_err(|e| fault::folder(place, &e))?;
        Ok(None)
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let file = self.file(&folder.place).map_err(|e| fault::message(&e))?;
        file.text(item)
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        disk::stamp(&folder.place)
    }
}
