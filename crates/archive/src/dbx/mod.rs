//! Outlook Express: `.dbx` files (versions 5 and 6), `.mbx` files (version 4), and the
//! folder in which they lie.
//!
//! One file is one folder; `Folders.dbx` beside it has the names as the person sees them.
//! A message whose tree is broken is looked for in the file itself.

mod chain;
mod express4;
mod folders;
mod layout;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

use hikyaku_core::{Epoch, Fault, Flag, Flags, InternalDate, Key, Keyword, MailboxName, arrival};

use crate::dirs;
use crate::disk::{self, Disk};
use crate::fault;
use crate::store::{Flow, Folder, Found, Item, Place, Start, Store, mark};
use crate::text::Text;
use crate::walk::{Tree, walk};

/// A message in a `.dbx` file: [`Place::start`] is its first segment.
const CHAINED: u64 = 0;
/// A message in a `.mbx` file.
const PLAIN: u64 = 1;

/// As much of a message as is looked at for its date, in octets.
const MAX_HEAD: u64 = 32 * 1024;

/// The mail of an Outlook Express.
#[derive(Debug)]
pub(crate) struct OutlookExpress {
    folders: Vec<Folder>,
    now: i64,
}

/// What a file is, by its first octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// `.dbx` with messages.
    Messages,
    /// `Folders.dbx`.
    Folders,
    /// Another `.dbx`: no mail.
    Other,
    /// `.mbx` of version 4.
    Express4,
}

/// What a file is; `None` when it is not one of Outlook Express.
pub(crate) fn kind_of(file: &Disk) -> io::Result<Option<FileKind>> {
    if file.octets_at(0, 4)? == express4::MAGIC {
        return Ok(Some(FileKind::Express4));
    }
    Ok(layout::header(file)?.map(|header| match header.content {
        layout::Content::Messages => FileKind::Messages,
        layout::Content::Folders => FileKind::Folders,
        layout::Content::Other => FileKind::Other,
    }))
}

/// What the first octets of a file of Outlook Express tell: whether it holds messages, and
/// how many it says there are. `None` for another file.
pub(crate) fn told(head: &[u8]) -> Option<(bool, u64)> {
    if head.starts_with(&express4::MAGIC) {
        return Some((true, u64::from(layout::word(head, 8)?)));
    }
    let header = layout::header_in(head)?;
    let is_mail = header.content == layout::Content::Messages;
    Some((is_mail, u64::from(header.count)))
}

impl OutlookExpress {
    /// One file, or a folder of files, at any depth.
    ///
    /// # Faults
    /// When there is nothing of Outlook Express.
    pub(crate) fn open(path: &Path, now: i64) -> Result<Self, Fault> {
        let mut folders = Vec::new();
        if path.is_dir() {
            let Tree {
                dirs: mut stores,
                closed,
            } = walk(path)?;
            stores.retain(|dir| dir.files.iter().any(|f| is_ours(f)));
            let several = stores.len() > 1;
            for dir in &stores {
                let above = dir.levels.last().filter(|_| several);
                folders.extend(folders_of(dir, above));
            }
            if !folders.is_empty() {
                let closed = closed.into_iter();
                folders.extend(closed.map(|c| {
                    let levels = c.levels.clone();
                    c.folder(levels)
                }));
            }
        } else {
            let file = Disk::open(path).map_err(|e| fault::missing(path, &e))?;
            match kind_of(&file).map_err(|e| fault::missing(path, &e))? {
                Some(FileKind::Messages | FileKind::Express4) => {
                    folders.push(Folder::new(stem(path), path));
                }
                Some(FileKind::Folders | FileKind::Other) => {
                    return Err(fault::wrong_kind(
                        path,
                        "this file of Outlook Express holds no messages: name its folder",
                    ));
                }
                None => {
                    return Err(fault::wrong_kind(path, "not a file of Outlook Express"));
                }
            }
        }
        if folders.is_empty() {
            return Err(fault::wrong_kind(
                path,
                "no .dbx or .mbx file with messages",
            ));
        }
        Ok(Self { folders, now })
    }
}

/// Whether a file is named as one of Outlook Express.
pub(crate) fn is_ours(name: &OsStr) -> bool {
    ends_with(name, ".dbx") || ends_with(name, ".mbx")
}

fn ends_with(name: &OsStr, ending: &str) -> bool {
    dirs::without_ending(&dirs::name_of(name), ending).is_some()
}

fn stem(path: &Path) -> MailboxName {
    let level = dirs::name_of(path.file_stem().unwrap_or_default());
    MailboxName::new(vec![level]).unwrap_or_else(MailboxName::inbox)
}

/// The folders of one directory, below its own name where there are several.
fn folders_of(dir: &dirs::Dir, above: Option<&String>) -> Vec<Folder> {
    let list = dir
        .files
        .iter()
        .find(|f| f.eq_ignore_ascii_case("folders.dbx"));
    let names = match list.map(|f| Disk::open(&dir.path.join(f))) {
        // A list that cannot be read costs the names, not the mail.
        Some(Ok(file)) => folders::read(&file, &dir.files).unwrap_or_default(),
        _ => std::collections::HashMap::new(),
    };
    let mut out = Vec::new();
    for file in dir.files.iter().filter(|f| is_ours(f)) {
        let path = dir.path.join(file);
        let kind = Disk::open(&path).and_then(|file| kind_of(&file));
        let is_mail = match kind {
            Ok(Some(FileKind::Messages | FileKind::Express4)) => true,
            Ok(Some(FileKind::Folders | FileKind::Other)) => false,
            // Named `.dbx` and broken: its scan says what is wrong.
            Ok(None) | Err(_) => ends_with(file, ".dbx"),
        };
        if !is_mail {
            continue;
        }
        let entry = names.get(&dirs::name_of(file).to_lowercase());
        let mut name = entry.map_or_else(|| stem(&path), |e| e.name.clone());
        if let Some(above) = above {
            let mut levels = vec![above.clone()];
            levels.extend(name.levels().iter().cloned());
            name = MailboxName::new(levels).unwrap_or(name);
        }
        let role = entry.and_then(|e| e.role).filter(|_| above.is_none());
        out.push(Folder::new(name, path).with_role(role));
    }
    out
}

impl Store for OutlookExpress {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        Ok(self.folders.clone())
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let path: &Path = &folder.place;
        let unreadable = |e: io::Error| fault::folder(path, &e);
        let file = Disk::open(path).map_err(unreadable)?;
        let mut telling = Telling {
            start,
            key: 0,
            found,
            is_over: false,
        };
        match kind_of(&file).map_err(unreadable)? {
            Some(FileKind::Express4) => scan_express4(&file, path, self.now, &mut telling),
            Some(FileKind::Messages) => scan_dbx(&file, path, self.now, &mut telling),
            _ => {
                return Err(Fault::new(
                    hikyaku_core::Code::MailboxUnreadable,
                    hikyaku_core::Reach::Mailbox,
                    hikyaku_core::Remedy::AskUser,
                    format!("{}: not a file of Outlook Express", path.display()),
                ));
            }
        }
        .map_err(unreadable)?;
        Ok(None)
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let file = Disk::open(&folder.place).map_err(|e| fault::message(&e))?;
        let Place {
            start,
            length,
            note,
            ..
        } = item.place;
        if note == PLAIN {
            return Text::read(move || Ok(file.part(start, length)));
        }
        let first = u32::try_from(start).map_err(|_| fault::damaged("outside of the file"))?;
        Text::read(move || Ok(chain::Chain::new(file.clone(), first)))
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        disk::stamp(&folder.place)
    }
}

/// Counts keys and leaves out what was not asked for.
struct Telling<'a> {
    start: Start,
    key: u64,
    found: &'a mut dyn FnMut(Found) -> Flow,
    is_over: bool,
}

impl Telling<'_> {
    fn tell(&mut self, made: impl FnOnce(Key) -> Found) {
        self.key += 1;
        let key = Key(self.key);
        if !self.is_over && key >= self.start.key {
            self.is_over = (self.found)(made(key)).is_break();
        }
    }
}

fn scan_express4(file: &Disk, path: &Path, now: i64, telling: &mut Telling<'_>) -> io::Result<()> {
    let modified = disk::modified(path);
    express4::records(file, &mut |record| {
        match record {
            express4::Record::Message {
                number,
                start,
                length,
            } => {
                telling.tell(|key| {
                    let place = Place {
                        start,
                        length,
                        note: PLAIN,
                        ..Place::default()
                    };
                    let mut item = Item::new(key, length, place);
                    item.mark = mark(&number.to_le_bytes());
                    item.date = dated(None, file.part(start, length), modified, now);
                    Found::Message(item)
                });
            }
            express4::Record::Damaged { at, length } => telling
                .tell(|key| damaged_at(key, path, at, format!("{length} octets are no message"))),
        }
        !telling.is_over
    })
}

/// As recorded; the message is looked at only where nothing sensible is.
fn dated(
    recorded: Option<InternalDate>,
    text: impl Read,
    modified: Option<i64>,
    now: i64,
) -> Option<InternalDate> {
    if recorded.is_some_and(|date| arrival::is_plausible(&date, now)) {
        return recorded;
    }
    let mut head = Vec::new();
    // What cannot be read here is told when the message is opened.
    let _read = text.take(MAX_HEAD).read_to_end(&mut head);
    arrival::of(None, &head, modified, now)
}

fn scan_dbx(file: &Disk, path: &Path, now: i64, telling: &mut Telling<'_>) -> io::Result<()> {
    let Some(header) = layout::header(file)? else {
        return Ok(());
    };
    let tree = layout::objects(file, &header)?;
    let mut firsts = HashSet::new();
    let modified = disk::modified(path);
    let mut is_broken = tree.is_broken;
    for at in tree.objects {
        if telling.is_over {
            return Ok(());
        }
        let info = layout::info(file, at)?;
        let first = info.as_ref().and_then(|i| i.number(4)).filter(|n| *n != 0);
        let (Some(info), Some(first)) = (info, first) else {
            is_broken = true;
            let what = "the message's text is not in the file";
            telling.tell(|key| damaged_at(key, path, u64::from(at), what));
            continue;
        };
        if firsts.insert(first) {
            telling.tell(|key| {
                let mut item = item_of(key, &info, first);
                let text = chain::Chain::new(file.clone(), first);
                item.date = dated(item.date, text, modified, now);
                Found::Message(item)
            });
        }
    }
    if is_broken || (firsts.len() as u64) < u64::from(header.count) {
        for first in chain::heads(file)? {
            if looks_like_a_message(file, first)? && firsts.insert(first) {
                telling.tell(|key| {
                    let place = Place {
                        start: u64::from(first),
                        note: CHAINED,
                        ..Place::default()
                    };
                    let mut item = Item::new(key, 0, place);
                    item.mark = mark(&first.to_le_bytes());
                    let text = chain::Chain::new(file.clone(), first);
                    item.date = dated(None, text, modified, now);
                    Found::Message(item)
                });
            }
        }
    }
    Ok(())
}

/// A recovered text begins with a header field.
fn looks_like_a_message(file: &Disk, first: u32) -> io::Result<bool> {
    let octets = file.octets_at(u64::from(first) + 16, 80)?;
    let name = octets.split(|o| *o == b':').next().unwrap_or_default();
    Ok(name.len() < octets.len() && !name.is_empty() && name.iter().all(|o| o.is_ascii_graphic()))
}

fn damaged_at(key: Key, path: &Path, at: u64, what: impl Into<String>) -> Found {
    Found::Unreadable {
        key,
        at: 0,
        place: format!("{}, {at:#x}", path.display()),
        fault: fault::damaged(what),
    }
}

fn item_of(key: Key, info: &layout::Info, first: u32) -> Item {
    let bits = info.number(1).unwrap_or(0);
    let mut flags = Flags::new();
    for (bit, flag) in [
        (0x08, Flag::Draft),
        (0x20, Flag::Flagged),
        (0x80, Flag::Seen),
        (0x08_0000, Flag::Answered),
    ] {
        if bits & bit != 0 {
            flags.set(flag);
        }
    }
    if bits & 0x10_0000 != 0 {
        flags.set_keyword(Keyword::new("$Forwarded"));
    }
    let seconds = info.moment(0x12).or_else(|| info.moment(0x06));
    let octets = u64::from(info.number(0x11).unwrap_or(0));
    let place = Place {
        start: u64::from(first),
        length: octets,
        note: CHAINED,
        ..Place::default()
    };
    let mut of = info.number(0).unwrap_or(0).to_le_bytes().to_vec();
    of.extend(info.text(7).unwrap_or_default());
    Item {
        flags,
        seen_recorded: true,
        date: seconds.map(InternalDate::utc),
        mark: mark(&of),
        ..Item::new(key, octets, place)
    }
}
