//! One Maildir: its files in order, each under a key.

use super::name::{MessageName, keywords};
use super::uidlist::UidList;
use crate::dirs;
use crate::disk::{self, Disk};
use crate::fault;
use crate::head;
use crate::store::{Flow, Found, Item, Place, Start, mark};
use crate::text::Text;
use flate2::read::MultiGzDecoder;
use hikyaku_core::{Epoch, Fault, InternalDate, Key, arrival};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file's time later than its delivery by more than this was not set by a mail server:
/// the files were copied.
const COPIED: i64 = 86_400;

/// The files of one Maildir.
pub(crate) struct MaildirFolder {
    root: PathBuf,
    /// Key and path below the root, by ascending key.
    files: Vec<(Key, String)>,
    keywords: BTreeMap<u8, String>,
    epoch: Option<Epoch>,
}

impl MaildirFolder {
    /// Lists what is there now; no file is opened.
    pub(crate) fn list(root: &Path) -> io::Result<Self> {
        let mut paths = Vec::new();
        let mut is_there = false;
        for sub in ["cur", "new"] {
            let dir = match dirs::list(&root.join(sub), Vec::new()) {
                Ok(dir) => dir,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            is_there = true;
            let names = dir.files.iter().map(|name| name.to_string_lossy());
            let shown = names.filter(|name| !name.starts_with('.'));
            paths.extend(shown.map(|name| format!("{sub}/{name}")));
        }
        if !is_there {
            // Asked again for the reason why not.
            fs::read_dir(root.join("cur"))?;
        }
        let keywords = match disk::beside(&root.join("dovecot-keywords")) {
            Some(list) => keywords(&list),
            None => BTreeMap::new(),
        };
        let uids = disk::beside(&root.join("dovecot-uidlist"));
        let uids = uids.and_then(|text| UidList::parse(&text));
        let mut folder = Self {
            root: root.to_owned(),
            files: Vec::new(),
            keywords,
            epoch: None,
        };
        match uids.and_then(|uids| Some((uids.validity, numbered(&paths, &uids)?))) {
            Some((validity, files)) => {
                folder.files = files;
                folder.epoch = Some(Epoch(validity));
            }
            None => {
                paths.sort_by(|a, b| order(a).cmp(&order(b)));
                let keys = (1..).map(Key);
                folder.files = keys.zip(paths).collect();
            }
        }
        Ok(folder)
    }

    /// UIDVALIDITY, when every file has its UID.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    pub(crate) fn scan(&self, start: Start, now: i64, found: &mut dyn FnMut(Found) -> Flow) {
        let from = self.files.partition_point(|(key, _)| *key < start.key);
        for (key, path) in &self.files[from..] {
            let mut item = self.item(*key, path, now);
            if item
                .as_ref()
                .is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
            {
                // Its flags have changed since the listing, or it was taken away.
                match renamed(&self.root, Path::new(path)) {
                    Some(path) => item = self.item(*key, &path, now),
                    None => continue,
                }
            }
            let told = match item {
                Ok(item) => Found::Message(item),
                Err(e) => Found::Unreadable {
                    key: *key,
                    at: 0,
                    place: path.clone(),
                    fault: fault::message(&e),
                },
            };
            if found(told).is_break() {
                return;
            }
        }
    }

    fn item(&self, key: Key, path: &str, now: i64) -> io::Result<Item> {
        let full = self.root.join(path);
        let meta = fs::metadata(&full)?;
        let name = MessageName::of(file_name(path));
        let modified = meta.modified().ok().and_then(disk::seconds);
        let octets = name.octets().unwrap_or(meta.len());
        let place = Place {
            file: Some(Arc::from(Path::new(path))),
            ..Place::default()
        };
        Ok(Item {
            flags: name.flags(&self.keywords),
            seen_recorded: true,
            date: arrival(&name, modified, now, || {
                head::of_file(&full).unwrap_or_default()
            }),
            mark: mark(name.base.as_bytes()),
            ..Item::new(key, octets, place)
        })
    }
}

/// The file's time is when the message arrived, unless the files were copied since.
fn arrival(
    name: &MessageName<'_>,
    modified: Option<i64>,
    now: i64,
    head: impl FnOnce() -> Vec<u8>,
) -> Option<InternalDate> {
    let delivered = name.delivered();
    let kept = modified.filter(|m| delivered.is_some_and(|d| *m <= d.saturating_add(COPIED)));
    if let Some(date) = kept.map(InternalDate::utc)
        && arrival::is_plausible(&date, now)
    {
        return Some(date);
    }
    arrival::of(None, &head(), delivered.or(modified), now)
}

fn file_name(path: &str) -> &str {
    path.split_once('/').map_or(path, |(_, name)| name)
}

fn order(path: &str) -> ((i64, &str), &str) {
    (MessageName::of(file_name(path)).order(), path)
}

/// The files under their UIDs; `None` when one has none, or two have the same.
fn numbered(paths: &[String], uids: &UidList) -> Option<Vec<(Key, String)>> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let uid = uids.uid(MessageName::of(file_name(path)).base)?;
        files.push((Key(uid), path.clone()));
    }
    files.sort();
    let is_unique = files.windows(2).all(|pair| pair[0].0 < pair[1].0);
    is_unique.then_some(files)
}

/// The path below the root of a message whose file has other flags now.
pub(crate) fn renamed(root: &Path, file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    let base = MessageName::of(&name).base;
    ["cur", "new"].iter().find_map(|sub| {
        let dir = dirs::list(&root.join(sub), Vec::new()).ok()?;
        let is_same = |n: &&std::ffi::OsString| MessageName::of(&n.to_string_lossy()).base == base;
        let name = dir.files.iter().find(is_same)?;
        Some(format!("{sub}/{}", name.to_string_lossy()))
    })
}

/// One message; unpacked where Dovecot has compressed it.
pub(crate) fn read(path: &Path) -> Result<Text, Fault> {
    let open = || -> io::Result<Box<dyn Read + Send>> {
        let disk = Disk::open(path)?;
        let part = disk.part(0, disk.length());
        Ok(match disk.octets_at(0, 2)? == [0x1f, 0x8b] {
            true => Box::new(MultiGzDecoder::new(part)),
            false => Box::new(part),
        })
    };
    Text::read(open)
}
