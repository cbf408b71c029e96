//! Google Takeout: one mbox with all mail, or one per label, alone or in zip or tar files.
//!
//! Two fields at the top of every message are Google's additions: `X-GM-THRID` and
//! `X-Gmail-Labels`. The labels become folders ([`sort`]) and flags, and both fields are
//! left out, so that a message is octet for octet what Gmail gives over IMAP. A message
//! that was exported with several labels, and so stands in several files, is read once.

mod labels;
mod sort;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties {
    //! What holds whatever a field with labels contains.

    /// Every place has levels, none twice.
    ///
    /// # Panics
    /// Where a property does not hold.
    pub(crate) fn labels(input: &[u8]) {
        let labels = super::labels::read(input);
        for (n, place) in labels.places.iter().enumerate() {
            assert!(!labels.places[..n].contains(place));
            if let super::labels::Label::Own(levels) = place {
                assert!(!levels.is_empty() && levels.iter().all(|l| !l.is_empty()));
            }
        }
    }
}
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hikyaku_core::identity::header_fields;
use hikyaku_core::{Epoch, Fault, Key, MailboxName};

use crate::dirs::{self, without_ending};
use crate::disk;
use crate::fault;
use crate::mbox::{MboxFile, MboxFiles, Reading, Told, begins_like_mail};
use crate::options::{LabelPolicy, Options};
use crate::store::{Flow, Folder, Found, Item, Place, Start, Store, at_offset, mark};
use crate::text::Text;
use crate::unpack::{self, Unpacked};
use crate::walk::{Closed, walk};

use labels::Labels;
use sort::{Sorted, Sorter};

/// The fields that Google adds.
const ADDED: [&[u8]; 2] = [b"X-GM-THRID", b"X-Gmail-Labels"];

/// The mail of one Takeout.
pub(crate) struct Takeout {
    files: Vec<PathBuf>,
    open: MboxFiles,
    reading: Reading,
    policy: LabelPolicy,
    /// What was looked at last, and the stamp of the files then.
    index: Mutex<Option<(u64, Arc<Index>)>>,
    /// Files of a zip that could not be unpacked.
    left_out: Vec<(String, Fault)>,
    /// Directories that could not be looked into.
    closed: Vec<Closed>,
    /// Holds the files.
    unpacked: Vec<Unpacked>,
}

/// What was found in all files.
struct Index {
    /// Which messages are in which folder.
    folders: Vec<Sorted<Entry>>,
    /// Files that could not be read to their end.
    lost: Vec<(String, Fault)>,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// Offset that a scan of the file can begin at.
    at: u64,
    /// Number in the file.
    number: u64,
    /// Which file.
    file: u32,
}

impl Takeout {
    /// A zip or tar, a folder with some of them or with mbox files in it, or one mbox file.
    ///
    /// # Faults
    /// When there is no mbox file; what [`unpack::unpack`] says.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        let mut out = Self {
            files: Vec::new(),
            open: MboxFiles::default(),
            reading: Reading {
                quoting: options.quoting,
                hides_expunged: false,
                now: options.now,
            },
            policy: options.labels.clone(),
            index: Mutex::default(),
            left_out: Vec::new(),
            closed: Vec::new(),
            unpacked: Vec::new(),
        };
        if path.is_dir() {
            out.add_tree(path)?;
            let parts = match out.files.is_empty() {
                true => packed_in(path)?,
                false => Vec::new(),
            };
            for part in parts {
                out.add_packed(&part, options)?;
            }
        } else if unpack::is_packed(path) {
            out.add_packed(path, options)?;
        } else if begins_like_mail(path).map_err(|e| fault::missing(path, &e))? {
            out.files.push(path.to_owned());
        }
        if out.files.is_empty() && out.left_out.is_empty() {
            return Err(fault::wrong_kind(path, "there is no mbox file with mail"));
        }
        Ok(out)
    }

    fn add_packed(&mut self, path: &Path, options: &Options) -> Result<(), Fault> {
        let mut unpacked = unpack::unpack(path, options, |file| {
            file.levels.last().is_some_and(|name| is_mbox(name))
        })?;
        self.left_out.append(&mut unpacked.left_out);
        self.add_tree(unpacked.root())?;
        self.unpacked.push(unpacked);
        Ok(())
    }

    fn add_tree(&mut self, root: &Path) -> Result<(), Fault> {
        let tree = walk(root)?;
        self.closed.extend(tree.closed);
        for dir in tree.dirs {
            for name in &dir.files {
                let path = dir.path.join(name);
                if is_mbox(&dirs::name_of(name)) && begins_like_mail(&path).unwrap_or(true) {
                    self.files.push(path);
                }
            }
        }
        Ok(())
    }

    fn stamp_of_files(&self) -> u64 {
        let stamp = |file| disk::stamp(file).unwrap_or(0).to_le_bytes();
        let stamps: Vec<_> = self.files.iter().map(|file| stamp(file)).collect();
        mark(&stamps.concat())
    }

    /// Sorts all messages, unless nothing changed since.
    fn index(&self) -> Arc<Index> {
        let stamp = self.stamp_of_files();
        let mut known = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, index)) = &*known
            && *before == stamp
        {
            return index.clone();
        }
        let index = Arc::new(self.look());
        *known = Some((stamp, index.clone()));
        index
    }

    fn file(&self, number: u32) -> Result<Arc<MboxFile>, Fault> {
        let path = self.files.get(number as usize);
        let path = path.ok_or_else(|| Fault::bug("a message of another archive"))?;
        self.open
            .get(path, self.reading)
            .map_err(|e| fault::folder(path, &e))
    }

    fn look(&self) -> Index {
        let mut sorter = Sorter::new(&self.policy);
        let mut copies = Copies::new(self.files.len() > 1);
        let mut lost = Vec::new();
        for (file, path) in (0..).zip(&self.files) {
            copies.next_file();
            let mut take = |told: Told<'_>| {
                let is_copy = match &told.found {
                    Found::Message(item) => copies.is_copy(mark(told.head), item.octets),
                    Found::Unreadable { .. } => false,
                    Found::Deleted { .. } => true,
                };
                if !is_copy {
                    let entry = Entry {
                        at: told.found.at(),
                        number: told.found.key().0,
                        file,
                    };
                    sorter.take(entry, &labels_of(told.head));
                }
                ControlFlow::Continue(())
            };
            // One that cannot be read is named, and does not cost the others.
            let opened = self.file(file);
            let scanned = opened.and_then(|mbox| {
                let scanned = mbox.scan(Start::BEGINNING, &mut take);
                scanned.map_err(|e| fault::folder(path, &e))
            });
            if let Err(fault) = scanned {
                let name = path.file_name().map(dirs::name_of).unwrap_or_default();
                lost.push((name, fault));
            }
        }
        Index {
            folders: sorter.finish(),
            lost,
        }
    }
}

/// Messages that stand in several files, told by their header and their length. Twins in one
/// file stay twins.
struct Copies {
    is_asked: bool,
    before: HashMap<(u64, u64), u32>,
    here: HashMap<(u64, u64), u32>,
}

impl Copies {
    fn new(is_asked: bool) -> Self {
        Self {
            is_asked,
            before: HashMap::new(),
            here: HashMap::new(),
        }
    }

    fn next_file(&mut self) {
        for (message, count) in self.here.drain() {
            let most = self.before.entry(message).or_default();
            *most = (*most).max(count);
        }
    }

    fn is_copy(&mut self, header: u64, octets: u64) -> bool {
        if !self.is_asked {
            return false;
        }
        let message = (header, octets);
        let here = self.here.entry(message).or_default();
        *here += 1;
        self.before
            .get(&message)
            .is_some_and(|before| *here <= *before)
    }
}

fn is_mbox(name: &str) -> bool {
    without_ending(name, ".mbox").is_some()
}

/// The zip files in a directory: a large Takeout comes in several.
pub(crate) fn packed_in(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    let dir = dirs::list(path, Vec::new()).map_err(|e| fault::missing(path, &e))?;
    let is_packed = |name: &&std::ffi::OsString| {
        unpack::is_named_packed(&dirs::name_of(name)) && unpack::is_packed(&path.join(name))
    };
    Ok(dir
        .files
        .iter()
        .filter(is_packed)
        .map(|f| path.join(f))
        .collect())
}

/// Whether a header is one of Takeout; LF line ends.
pub(crate) fn has_labels(head: &[u8]) -> bool {
    header_fields(head).any(|(name, _)| name.eq_ignore_ascii_case(ADDED[1]))
}

fn labels_of(head: &[u8]) -> Labels {
    let value = header_fields(head).find(|(name, _)| name.eq_ignore_ascii_case(ADDED[1]));
    labels::read(value.map_or(&[][..], |(_, value)| value))
}

/// Length with CRLF line ends of the fields that Google added in front of the message.
fn added_octets(head: &[u8]) -> u64 {
    let mut octets = 0;
    let mut is_added = false;
    for line in head.split_inclusive(|o| *o == b'\n') {
        is_added = match line.first() {
            Some(b' ' | b'\t') => is_added,
            _ => {
                let name = line.split(|o| *o == b':').next().unwrap_or_default();
                ADDED.iter().any(|added| name.eq_ignore_ascii_case(added))
            }
        };
        let Some(text) = line.strip_suffix(b"\n").filter(|_| is_added) else {
            break;
        };
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        octets += text.len() as u64 + 2;
    }
    octets
}

/// The text without so many octets at its beginning.
fn without_front(text: Text, front: u64) -> Text {
    let cut = usize::try_from(front).unwrap_or(usize::MAX);
    match text {
        Text::Held(octets) => Text::Held(octets.slice(cut.min(octets.len())..)),
        Text::Streamed { octets, pieces } => {
            let mut left = cut;
            let rest = pieces.map(move |piece| {
                piece.map(|piece| {
                    let here = left.min(piece.len());
                    left -= here;
                    piece.slice(here..)
                })
            });
            Text::Streamed {
                octets: octets.saturating_sub(front),
                pieces: Box::new(rest),
            }
        }
    }
}

impl Store for Takeout {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        let mut folders = Vec::new();
        let index = self.index();
        for folder in &index.folders {
            let place = place_of(&folder.name);
            folders.push(Folder::new(folder.name.clone(), place).with_role(folder.role));
        }
        folders.extend(unpack::lost_folders(&self.left_out));
        folders.extend(unpack::lost_folders(&index.lost));
        folders.extend(self.closed.iter().map(|c| {
            let levels = c.levels.clone();
            c.clone().folder(levels)
        }));
        Ok(folders)
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let index = self.index();
        // By the place: the source may have given the folder another name. Octet by octet: as
        // paths the labels `a` and `a/.` would be one.
        let is_it = |f: &&Sorted<Entry>| place_of(&f.name).as_os_str() == folder.place.as_os_str();
        let Some(sorted) = index.folders.iter().find(is_it) else {
            return Ok(None);
        };
        let skipped = usize::try_from(start.key.0.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut rest = sorted.entries.get(skipped..).unwrap_or_default();
        let mut key = skipped as u64;
        while let Some(first) = rest.first() {
            // What stands together in the file is scanned together.
            let run = rest
                .iter()
                .zip(0..)
                .take_while(|(e, n)| e.file == first.file && e.number == first.number + n)
                .count();
            let last = first.number + run as u64 - 1;
            let begin = Start {
                key: Key(first.number),
                at: first.at,
            };
            let mut is_over = false;
            let scanned = self.file(first.file)?.scan(begin, &mut |told| {
                if told.found.key().0 > last {
                    return ControlFlow::Break(());
                }
                key += 1;
                let is_last = told.found.key().0 == last;
                is_over = found(renamed(told.found, told.head, Key(key), first.file)).is_break();
                match is_over || is_last {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            scanned.map_err(|e| fault::folder(&self.files[first.file as usize], &e))?;
            if is_over {
                break;
            }
            rest = &rest[run..];
        }
        Ok(None)
    }

    fn open(&self, _folder: &Folder, item: &Item) -> Result<Text, Fault> {
        // The note has the number of the file above, the length of the added fields below.
        let front = item.place.note & u64::from(u32::MAX);
        let file = self.file((item.place.note >> 32) as u32)?;
        let mut whole = item.clone();
        whole.octets += front;
        Ok(without_front(file.text(&whole)?, front))
    }

    fn file_of(&self, _folder: &Folder, item: &Item) -> String {
        let number = (item.place.note >> 32) as usize;
        let path = self
            .files
            .get(number)
            .map_or(Path::new(""), PathBuf::as_path);
        // Nobody knows where a zip was unpacked.
        let roots = self.unpacked.iter().map(Unpacked::root);
        let inside = roots.filter_map(|root| path.strip_prefix(root).ok()).next();
        at_offset(inside.unwrap_or(path), item.place.start)
    }

    fn stamp(&self, _folder: &Folder) -> Option<u64> {
        Some(self.stamp_of_files())
    }
}

/// The place of a label's folder.
fn place_of(name: &MailboxName) -> PathBuf {
    PathBuf::from(format!("label/{name}"))
}

/// What an mbox told, as a message of a label's folder.
fn renamed(found: Found, head: &[u8], key: Key, file: u32) -> Found {
    match found {
        Found::Message(item) => {
            let front = added_octets(head).min(u64::from(u32::MAX));
            let place = Place {
                note: u64::from(file) << 32 | front,
                ..item.place
            };
            Found::Message(Item {
                key,
                flags: item.flags.or(&labels_of(head).flags),
                seen_recorded: true,
                octets: item.octets.saturating_sub(front),
                at: 0,
                place,
                ..item
            })
        }
        Found::Unreadable { place, fault, .. } => Found::Unreadable {
            key,
            at: 0,
            place,
            fault,
        },
        Found::Deleted { octets, mark, .. } => Found::Deleted {
            key,
            at: 0,
            octets,
            mark,
        },
    }
}
