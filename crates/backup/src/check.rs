//! Whether a backup is as it was written. Pure reading.

use crate::fault;
use crate::folder::{Folder, Purpose};
use crate::format::Format;
use crate::home::{self, Home, MARKER};
use crate::manifest::{self, Line, Slot};
use crate::octets::{Octets, files, mbox};
use crate::sums;
use hikyaku_core::{Fault, Key, MailboxName, Reach};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a look at every message showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Folders.
    pub folders: u64,
    /// Messages that are as they were written.
    pub messages: u64,
    /// Of these, in octets.
    pub octets: u64,
    /// Messages that are not: changed, cut short or gone.
    pub damaged: u64,
    /// Lines of manifests that are not as they were written; a manifest that is gone or tells
    /// nothing counts as one.
    pub damaged_lines: u64,
    /// Files that do not belong to the backup.
    pub strangers: u64,
}

impl Checked {
    /// Whether everything in the manifests is there as it was written. Strangers do no harm.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.damaged_lines == 0
    }
}

/// Something worth naming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A message, or the whole list of a folder, that is not as it was written.
    Damaged {
        /// The folder, where it is known.
        mailbox: Option<MailboxName>,
        /// What and where.
        fault: Fault,
    },
    /// A line of a manifest, counted from 1, that is not as it was written.
    Line {
        /// The folder.
        mailbox: MailboxName,
        /// The manifest.
        path: PathBuf,
        /// Which line.
        number: u32,
    },
    /// A file that does not belong to the backup.
    Stranger(PathBuf),
}

/// Reads every message of a backup and compares it with its sum. Blocks; holds one piece of one
/// message at a time. `found` is told of everything that is odd.
///
/// # Errors
/// `backup.missing`, `backup.version`, `backup.unreadable`: nothing can be said at all.
pub fn check(
    directory: impl AsRef<Path>,
    found: &mut dyn FnMut(Finding),
) -> Result<Checked, Fault> {
    let home = Home::open(directory.as_ref())?;
    let mut checked = Checked::default();
    let directories = home.directories()?;
    for directory in &directories {
        match Folder::load(directory, home.format, Purpose::Looking) {
            Ok(folder) => of_folder(&folder, &mut checked, found)?,
            Err(fault) => {
                checked.damaged_lines += 1;
                found(Finding::Damaged {
                    mailbox: None,
                    fault,
                });
            }
        }
    }
    let lost = home.without_manifest()?;
    for (directory, mailbox) in &lost {
        checked.damaged_lines += 1;
        found(Finding::Damaged {
            mailbox: None,
            fault: home::no_manifest(directory).mailbox(mailbox),
        });
    }
    let mut stranger = |path: PathBuf| {
        checked.strangers += 1;
        found(Finding::Stranger(path));
    };
    for entry in entries(&home.root)? {
        let (name, path) = (entry.file_name(), entry.path());
        let is_folder = directories.contains(&path) || lost.iter().any(|(lost, _)| *lost == path);
        let is_ours = name == MARKER || name == sums::FILE || is_folder;
        if !is_ours {
            stranger(entry.path());
        }
    }
    Ok(checked)
}

fn of_folder(
    folder: &Folder,
    checked: &mut Checked,
    found: &mut dyn FnMut(Finding),
) -> Result<(), Fault> {
    let (name, damaged) = {
        let index = folder.state();
        (index.name.clone(), index.damaged.clone())
    };
    checked.folders += 1;
    for number in damaged {
        checked.damaged_lines += 1;
        found(Finding::Line {
            mailbox: name.clone(),
            path: folder.manifest(),
            number,
        });
    }
    let mut of_message = |fault: Fault, checked: &mut Checked| {
        checked.damaged += 1;
        found(Finding::Damaged {
            mailbox: Some(name.clone()),
            fault: fault.mailbox(&name),
        });
    };
    // The manifest itself, line by line: what is missing is in no list of what is there.
    manifest::index::each(&folder.manifest(), &mut |at, _, line| {
        let Some(Line::Message(record)) = Line::parse(line) else {
            return Ok(());
        };
        // Its file is called after its latest flags.
        let known = folder.slots(record.key.0..=record.key.0, 1);
        let is_later = |slot: &Slot| slot.at == at && slot.flags_at > 0;
        let record = match known.first().copied().filter(is_later) {
            None => record,
            Some(slot) => match folder.records(&[slot]) {
                Ok(mut records) => records.pop().unwrap_or(record),
                Err(_) => record,
            },
        };
        let read = Octets::open(folder, &record);
        match read.and_then(read_through) {
            Ok(octets) => {
                checked.messages += 1;
                checked.octets += octets;
            }
            Err(fault) if fault.reach > Reach::Message => return Err(fault),
            Err(fault) => of_message(fault, checked),
        }
        Ok(())
    })?;
    let stranger = &mut |path| {
        checked.strangers += 1;
        found(Finding::Stranger(path));
    };
    strangers(folder, stranger)
}

fn read_through(mut octets: Octets) -> Result<u64, Fault> {
    let mut all = 0;
    while let Some(piece) = octets.next()? {
        all += piece.len() as u64;
    }
    Ok(all)
}

/// Files in a folder's directory that no line speaks of.
fn strangers(folder: &Folder, told: &mut dyn FnMut(PathBuf)) -> Result<(), Fault> {
    let index = folder.state();
    let shelves: &[&str] = match folder.format {
        Format::Maildir => &["", "cur", "new", "tmp"],
        Format::Mbox | Format::Eml => &[""],
    };
    for shelf in shelves {
        let directory = folder.directory.join(shelf);
        let all = match entries(&directory) {
            // A Maildir without one of its directories has no message in it.
            Err(_) if !shelf.is_empty() => continue,
            all => all?,
        };
        for entry in all {
            let name = entry.file_name();
            let is_file = entry.file_type().is_ok_and(|t| t.is_file());
            let own = match *shelf {
                "" => {
                    let is_shelf = shelves.iter().any(|s| !s.is_empty() && name == *s);
                    let is_mbox = folder.format == Format::Mbox && name == mbox::FILE;
                    (is_file && (name == manifest::FILE || is_mbox)) || (!is_file && is_shelf)
                }
                _ => false,
            };
            let is_message = is_file
                && files::shelves(folder.format).contains(shelf)
                && files::key(&name, index.epoch)
                    .is_some_and(|(key, _)| index.find(Key(u64::from(key))).is_some());
            if !own && !is_message {
                told(entry.path());
            }
        }
    }
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<fs::DirEntry>, Fault> {
    let unreadable = |e: io::Error| fault::reading(directory, &e);
    let all: io::Result<Vec<_>> = fs::read_dir(directory).map_err(unreadable)?.collect();
    let mut all = all.map_err(unreadable)?;
    all.sort_by_key(fs::DirEntry::file_name);
    Ok(all)
}
