//! Apple Mail: what 「メールボックスを書き出す」 writes, and `~/Library/Mail` itself.
//!
//! - An exported mailbox is a *bundle*: a directory `NAME.mbox` with a file `mbox` in it;
//!   mailboxes inside it lie in a directory `NAME` beside it.
//! - In the store (versions `V2` to `V10`, and older ones without a version) a mailbox is
//!   a directory `NAME.mbox` (`.imapmbox`) too, with one `.emlx` file per message in
//!   `Messages`, in `…/Data/Messages` and, by thousands, in `…/Data/1/2/Messages`.
//!
//! Which message is in a mailbox is told by the files alone: the index of Mail, an SQLite
//! file, is not needed and not read.

mod emlx;
mod holes;
mod layout;
mod messages;
mod plist;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod rejoin;
#[cfg(test)]
mod tests;

use std::path::Path;

use hikyaku_core::{Epoch, Fault};

use crate::disk;
use crate::fault;
use crate::mbox::{MboxFiles, Reading};
use crate::options::Options;
use crate::store::{Flow, Folder, Found, Item, Start, Store};
use crate::text::Text;

use layout::{Layout, Mailbox, layout};
pub(crate) use layout::{is_apart, is_mailbox, mailbox_levels, newest_version};

/// The mail of an Apple Mail.
pub(crate) struct AppleMail {
    mailboxes: Vec<Mailbox>,
    closed: Vec<Folder>,
    files: MboxFiles,
    reading: Reading,
}

impl AppleMail {
    /// A bundle, a folder of bundles, or a store or any part of it.
    ///
    /// # Faults
    /// When there is no mailbox of Mail.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        let Layout { mailboxes, closed } = layout(path)?;
        if mailboxes.is_empty() {
            return Err(fault::wrong_kind(path, "no mailbox of Apple Mail"));
        }
        let reading = Reading {
            quoting: options.quoting,
            hides_expunged: false,
            now: options.now,
        };
        Ok(Self {
            mailboxes,
            closed,
            files: MboxFiles::default(),
            reading,
        })
    }

    fn mailbox(&self, folder: &Folder) -> Result<&Mailbox, Fault> {
        let found = self.mailboxes.iter().find(|m| m.path == folder.place);
        found.ok_or_else(|| Fault::bug("a folder of another archive"))
    }
}

impl Store for AppleMail {
    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        let folder = |m: &Mailbox| Folder::new(m.name.clone(), &m.path).with_role(m.role);
        let known = self.mailboxes.iter().map(folder);
        Ok(known.chain(self.closed.iter().cloned()).collect())
    }

    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault> {
        let mailbox = self.mailbox(folder)?;
        match &mailbox.exported {
            Some(file) => {
                let unreadable = |e: std::io::Error| fault::folder(file, &e);
                let mbox = self.files.get(file, self.reading).map_err(unreadable)?;
                mbox.scan(start, &mut |told| found(told.found))
                    .map_err(unreadable)?;
                Ok(None)
            }
            None => messages::scan(mailbox, self.reading.now, start, found).map(|()| None),
        }
    }

    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault> {
        let mailbox = self.mailbox(folder)?;
        match &mailbox.exported {
            Some(file) => {
                let mbox = self.files.get(file, self.reading);
                mbox.map_err(|e| fault::message(&e))?.text(item)
            }
            None => messages::open(item),
        }
    }

    fn stamp(&self, folder: &Folder) -> Option<u64> {
        let mailbox = self.mailbox(folder).ok()?;
        disk::stamp(mailbox.exported.as_ref()?)
    }
}
