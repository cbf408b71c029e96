//! Thunderbird: a profile folder with mbox and maildir stores.

mod layout;
mod mork;
mod names;
mod prefs;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;

use crate::disk;
use crate::fault;
use crate::maildir::MaildirFolder;
use crate::mbox::{MboxFile, MboxFiles, Reading, State};
use crate::options::Options;
use crate::recent::Recent;
use crate::store::{Flow, Folder, Found, Item, Start, Store, mark};
use crate::text::Text;
use hikyaku_core::{Epoch, Fault};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The store.
pub(crate) struct Thunderbird {
    folders: Vec<Folder>,
    reading: Reading,
    files: MboxFiles,
    states: Recent<HashMap<String, State>>,
}

impl Thunderbird {
    /// # Faults
    /// `archive.kind` when there is no folder with mail.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        if !path.is_dir() {
            return Err(fault::wrong_kind(path, "not a folder"));
        }
        let folders = layout::folders(path)?;
        if folders.is_empty() {
            return Err(fault::wrong_kind(path, "no folder with mail"));
        }
        Ok(Self {
            folders,
            reading: Reading {
                quoting: options.quoting,
                hides_expunged: true,
                now: options.now,
            },
            files: MboxFiles::default(),
            states: Recent::default(),
        })
    }

    fn file(&self, path: &Path) -> std::io::Result<Arc<MboxFile>> {
        self.files.get(path, self.reading)
    }

    /// A folder of the maildir store: its state is in the database beside it.
    fn scan_maildir(
        &self,
        place: &Path,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<(), Fault> {
        let listed = MaildirFolder::list(place).map_err(|e| fault::folder(place, &e))?;
        let states = self.states(place);
        listed.scan(start, self.reading.now, &mut |mut told| {
            if let Found::Message(item) = &mut told {
                let name = item.place.file.as_deref().and_then(Path::file_name);
                let name = name.unwrap_or_default().to_string_lossy();
                let state = states.get(name.as_ref());
                item.seen_recorded = state.is_some();
                if let Some(state) = state {
                    item.flags = state.flags.clone();
                }
            }
            found(told)
        });
        Ok(())
    }

    /// A folder of the mbox store: the database knows better than the state fields, which
    /// new versions do not write again when a message is read.
    fn scan_mbox(
        &self,
        place: &Path,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<(), Fault> {
        let states = self.states(place);
        let file = self.file(place).map_err(|e| fault::folder(place, &e))?;
        let scanned = file.scan(start, &mut |mut told| {
            if let Found::Message(item) = &mut told.found
                && let Some(state) = states.get(item.at.to_string().as_str())
            {
                item.seen_recorded = true;
                item.flags = state.flags.clone();
                if state.is_expunged {
                    return found(Found::Deleted {
                        key: item.key,
                        at: item.at,
                        octets: item.octets,
                        mark: item.mark,
                    });
                }
            }
            found(told.found)
        });
        scanned.map_err(|e| fault::folder(place, &e))
    }

    /// What the database beside the folder says of its messages.
    fn states(&self, place: &Path) -> Arc<HashMap<String, State>> {
        let database = database(place);
        let read = || Ok::<_, std::convert::Infallible>(states(&database));
        match self.states.get(&database, read) {
            Ok(states) => states,
            Err(never) => match never {},
        }
    }
}

/// The database beside a folder.
fn database(place: &Path) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".msf");
    place.with_file_name(name)
}

/// The states of messages by their place: an offset, or the name of a file.
fn states(database: &Path) -> HashMap<String, State> {
    let octets = disk::beside(database).unwrap_or_default();
    let rows = mork::rows(&octets, &["flags", "keywords", "storeToken"]);
    let mut out = HashMap::new();
    // Should several rows tell of one message, the newest is believed, at every look.
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
    for (_, mut row) in rows {
        let Some(token) = row.remove("storeToken") else {
            continue;
        };
        let flags = row.remove("flags").unwrap_or_default();
        let keywords = row.remove("keywords").unwrap_or_default();
        // As Thunderbird would write it into an mbox.
        let head = format!(
            "X-Mozilla-Status: {flags}\nX-Mozilla-Status2: {flags}\nX-Mozilla-Keys: {keywords}\n\n"
        );
        out.insert(token, crate::mbox::state(head.as_bytes()));
    }
    out
}

impl Store for Thunderbird {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        Ok(self.folders.clone())
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let place = &folder.place;
        if place.is_dir() {
            self.scan_maildir(place, start, found)?;
        } else {
            self.scan_mbox(place, start, found)?;
        }
        Ok(None)
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        match item.place.file.as_deref() {
            Some(file) => crate::maildir::read(&folder.place.join(file)),
            None => {
                let file = self.file(&folder.place).map_err(|e| fault::message(&e))?;
                file.text(item)
            }
        }
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        let place = &folder.place;
        let parts = match place.is_dir() {
            true => [place.join("cur"), place.join("new"), database(place)],
            false => [place.clone(), place.clone(), database(place)],
        };
        let stamps = parts.map(|p| disk::stamp(&p).unwrap_or(0).to_le_bytes());
        Some(mark(&stamps.concat()))
    }
}
