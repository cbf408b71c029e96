//! The message files of a mailbox.
//!
//! `1234.emlx` is a whole message, `1234.partial.emlx` one whose attachments lie apart.
//! Where both are there, the whole one counts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hikyaku_core::{Fault, InternalDate, Key, arrival};

use super::emlx::{self, Emlx};
use super::layout::Mailbox;
use super::rejoin::{Content, Rejoined, rejoin};
use crate::dirs;
use crate::disk::{self, Disk};
use crate::fault;
use crate::store::{Flow, Found, Item, Place, Start, mark};
use crate::text::Text;

/// Longest message without its attachments that is put together again; it is held then.
const MAX_PARTIAL: u64 = 64 << 20;

/// As much of a message as is looked at for its date.
const MAX_HEAD: usize = 32 * 1024;

/// [`Place::note`] of a message whose attachments lie apart.
const PARTIAL: u64 = 1;

/// The number in the name of a message file, and whether attachments lie apart.
pub(crate) fn file_number(name: &OsStr) -> Option<(u64, bool)> {
    let stem = name.to_str()?.strip_suffix(".emlx")?;
    let (digits, is_partial) = match stem.strip_suffix(".partial") {
        Some(digits) => (digits, true),
        None => (stem, false),
    };
    Some((digits.parse().ok()?, is_partial))
}

/// A message file of a mailbox.
struct MessageFile {
    path: PathBuf,
    is_partial: bool,
}

/// All message files by number. Files with another name follow by path: a copy that
/// somebody named is a message too.
fn files(mailbox: &Mailbox) -> io::Result<BTreeMap<(u64, PathBuf), MessageFile>> {
    let mut out: BTreeMap<(u64, PathBuf), MessageFile> = BTreeMap::new();
    for dir in &mailbox.messages {
        if dir.is_file() {
            let is_partial = dir.file_name().and_then(file_number).is_some_and(|n| n.1);
            let path = dir.clone();
            out.insert((u64::MAX, path.clone()), MessageFile { path, is_partial });
            continue;
        }
        for name in dirs::list(dir, Vec::new())?.files {
            let path = dir.join(&name);
            let (key, is_partial) = match file_number(&name) {
                Some((number, is_partial)) => ((number, PathBuf::new()), is_partial),
                None if name.as_encoded_bytes().ends_with(b".emlx") => {
                    ((u64::MAX, path.clone()), false)
                }
                None => continue,
            };
            let whole_is_known = out.get(&key).is_some_and(|known| !known.is_partial);
            if !(is_partial && whole_is_known) {
                out.insert(key, MessageFile { path, is_partial });
            }
        }
    }
    Ok(out)
}

/// Tells the messages of a mailbox. A part that is missing is told as an item of its own
/// behind its message, which is read without it.
pub(crate) fn scan(
    mailbox: &Mailbox,
    now: i64,
    start: Start,
    found: &mut dyn FnMut(Found) -> Flow,
) -> Result<(), Fault> {
    let files = files(mailbox).map_err(|e| fault::folder(&mailbox.path, &e))?;
    let mut key = 0;
    for ((number, _), file) in files {
        key += 1;
        if !file.is_partial && Key(key) < start.key {
            continue;
        }
        let mut told = Vec::new();
        match look(&file, now) {
            Ok(Ok((emlx, missing))) => {
                told.push(Found::Message(item_of(Key(key), number, &file, &emlx)));
                for part in missing {
                    key += 1;
                    told.push(Found::Unreadable {
                        key: Key(key),
                        at: 0,
                        place: format!("{}, {part}", file.path.display()),
                        fault: fault::partial("an attachment is not in the archive"),
                    });
                }
            }
            Ok(Err(detail)) => told.push(unreadable(Key(key), &file, fault::damaged(detail))),
            Err(error) => told.push(unreadable(Key(key), &file, fault::message(&error))),
        }
        for item in told {
            if item.key() >= start.key && found(item).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn unreadable(key: Key, file: &MessageFile, fault: Fault) -> Found {
    Found::Unreadable {
        key,
        at: 0,
        place: file.path.display().to_string(),
        fault,
    }
}

/// Takes a file apart; also which parts are missing.
fn look(file: &MessageFile, now: i64) -> io::Result<Result<(Emlx, Vec<String>), &'static str>> {
    let disk = Disk::open(&file.path)?;
    let mut emlx = match emlx::read(&disk)? {
        Ok(emlx) => emlx,
        Err(unfit) => return Ok(Err(unfit.detail())),
    };
    let (start, length) = (emlx.start, emlx.end - emlx.start);
    emlx.facts.received = arrival(&disk, &file.path, start, length, emlx.facts.received, now)?;
    let missing = match file.is_partial {
        true => put_together(&file.path, &disk, emlx.start, emlx.end)?.missing,
        false => Vec::new(),
    };
    Ok(Ok((emlx, missing)))
}

/// As recorded; the header is read only where nothing sensible is.
fn arrival(
    disk: &Disk,
    path: &Path,
    start: u64,
    length: u64,
    recorded: Option<InternalDate>,
    now: i64,
) -> io::Result<Option<InternalDate>> {
    if recorded.is_some_and(|date| arrival::is_plausible(&date, now)) {
        return Ok(recorded);
    }
    let most = usize::try_from(length).unwrap_or(MAX_HEAD).min(MAX_HEAD);
    let head = disk.octets_at(start, most)?;
    Ok(arrival::of(None, &head, disk::modified(path), now))
}

fn item_of(key: Key, number: u64, file: &MessageFile, emlx: &Emlx) -> Item {
    let length = emlx.end - emlx.start;
    let place = Place {
        file: Some(Arc::from(file.path.as_path())),
        start: emlx.start,
        length,
        note: if file.is_partial { PARTIAL } else { 0 },
    };
    Item {
        flags: emlx.facts.flags.clone(),
        seen_recorded: emlx.facts.is_recorded,
        date: emlx.facts.received,
        mark: mark(&number.to_le_bytes()),
        ..Item::new(key, length, place)
    }
}

/// The octets of one message.
pub(crate) fn open(item: &Item) -> Result<Text, Fault> {
    let Place {
        file,
        start,
        length,
        note,
    } = item.place.clone();
    let path = file.ok_or_else(|| Fault::bug("a message without a file"))?;
    let disk = Disk::open(&path).map_err(|e| fault::message(&e))?;
    if note != PARTIAL {
        return Text::read(move || Ok(disk.part(start, length)));
    }
    let rejoined =
        put_together(&path, &disk, start, start + length).map_err(|e| fault::message(&e))?;
    Text::read(move || Ok(rejoined.clone().reader()))
}

fn put_together(path: &Path, disk: &Disk, start: u64, end: u64) -> io::Result<Rejoined> {
    if end - start > MAX_PARTIAL {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "a message without its attachments is too large",
        ));
    }
    let mut text = Vec::new();
    disk.part(start, end - start).read_to_end(&mut text)?;
    rejoin(&text, |part| content(path, part))
}

/// The file with the content of a part: the only one in `Attachments/NUMBER/PART`, which
/// lies beside `Messages` or, where messages are grouped by thousands, further up.
fn content(message: &Path, part: &str) -> io::Result<Option<Content>> {
    let Some((number, _)) = message.file_name().and_then(file_number) else {
        return Ok(None);
    };
    let number = number.to_string();
    let inside = ["Attachments", &number, part];
    // `Messages`, then the groups of thousands, then `Data`; never further up.
    for dir in message.ancestors().skip(1) {
        let name = dir.file_name().map(dirs::name_of).unwrap_or_default();
        let is_group = name.len() <= 3 && name.bytes().all(|b| b.is_ascii_digit());
        let is_last = !(name == "Messages" || is_group && !name.is_empty());
        let mut dir = dir.to_owned();
        // None of them is a link, which could lead anywhere.
        let is_dir = inside.iter().all(|level| {
            dir.push(level);
            fs::symlink_metadata(&dir).is_ok_and(|m| m.is_dir())
        });
        if !is_dir && is_last {
            break;
        }
        if !is_dir {
            continue;
        }
        let mut files = Vec::new();
        for name in dirs::list(&dir, Vec::new())?.files {
            // Finder leaves its own files everywhere.
            if !name.as_encoded_bytes().starts_with(b".") {
                files.push(dir.join(name));
            }
        }
        if let Some(file) = files.into_iter().next() {
            let octets = fs::metadata(&file)?.len();
            return Ok(Some(Content { file, octets }));
        }
    }
    Ok(None)
}
