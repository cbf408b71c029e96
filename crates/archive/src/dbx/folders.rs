//! `Folders.dbx`: what the folders are called, and below which other they lie.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::io;

use hikyaku_core::{MailboxName, Role};

use super::layout::{self, Info};
use crate::dirs::{decode, name_of};
use crate::disk::Disk;

/// Names in names, at most.
const MAX_LEVELS: usize = 60;

/// Longest name, in octets.
const MAX_NAME: usize = 1024;

/// Folders that are looked at, at most.
const MAX_FOLDERS: usize = 100_000;

/// A folder as `Folders.dbx` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Levels below the local folders; below the account's name for another account.
    pub(crate) name: MailboxName,
    /// Special use, by the number that Outlook Express gives its own folders.
    pub(crate) role: Option<Role>,
}

/// The folders of these files, by the name of the file in lower case.
pub(crate) fn read(file: &Disk, files: &[OsString]) -> io::Result<HashMap<String, Entry>> {
    let lower = |file: &OsString| name_of(file).to_lowercase();
    let files: HashSet<String> = files.iter().map(lower).collect();
    let Some(header) = layout::header(file)? else {
        return Ok(HashMap::new());
    };
    // In order: of two folders with one file the same one is believed at every look.
    let mut nodes = BTreeMap::new();
    let objects = layout::objects(file, &header)?.objects;
    for at in objects.into_iter().take(MAX_FOLDERS) {
        if let Some(info) = layout::info(file, at)? {
            nodes.insert(info.number(0).unwrap_or(0), Node::of(&info));
        }
    }
    let mut out = HashMap::new();
    for (id, node) in &nodes {
        let file_name = node.file.as_ref().map(|file| file.to_lowercase());
        let Some(file_name) = file_name.filter(|file| files.contains(file)) else {
            continue;
        };
        let mut levels = Vec::new();
        let mut now = *id;
        // The root has number 0; a cycle ends by its length.
        while let Some(node) = nodes
            .get(&now)
            .filter(|_| now != 0 && levels.len() < MAX_LEVELS)
        {
            if !node.is_local_root {
                levels.push(node.name.clone());
            }
            now = node.parent;
        }
        levels.reverse();
        if let Some(name) = MailboxName::new(levels) {
            let role = node.role;
            out.insert(file_name, Entry { name, role });
        }
    }
    Ok(out)
}

#[derive(Debug)]
struct Node {
    parent: u32,
    name: String,
    file: Option<String>,
    role: Option<Role>,
    /// The container of all folders that are on this computer.
    is_local_root: bool,
}

impl Node {
    fn of(info: &Info) -> Self {
        let short = |text: &'_ [u8]| decode(&text[..text.len().min(MAX_NAME)]);
        let text = |index| info.text(index).map(short).filter(|t| !t.is_empty());
        Self {
            parent: info.number(1).unwrap_or(0),
            name: text(2).unwrap_or_default(),
            file: text(3),
            role: match info.number(9) {
                Some(1) => Some(Role::Inbox),
                Some(3) => Some(Role::Sent),
                Some(4) => Some(Role::Trash),
                Some(5) => Some(Role::Drafts),
                _ => None,
            },
            is_local_root: info.text(5) == Some(b"LocalStore"),
        }
    }
}
