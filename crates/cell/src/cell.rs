//! The parent: an archive that a child reads, as a source.

use crate::child::Allowance;
use crate::link::{Link, Spawn, astray, fatal};
use crate::reading::{Folder, Opened};
use crate::wire::{Answer, Ask, FolderWire, SawWire};
use futures::future::BoxFuture;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::traits::{Ask as Asked, Reader, Source};
use hikyaku_core::{Abilities, Fault, Key, MailboxInfo, MailboxName, Reach, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// Children that an archive may cost: one that costs more is given up.
const MOST_DEATHS: u32 = 16;

/// An archive, and what its child may use.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Where it is; nothing else is there but what the child unpacks.
    pub directory: PathBuf,
    /// Name of its file in the directory.
    pub file: String,
    /// What a person calls it, for faults.
    pub title: String,
    /// How a folder is called that is named after the file: this in the place of the file's own name.
    pub folder: Option<(String, String)>,
    /// How its kind is written; empty to look only.
    pub kind: String,
    /// The present, in seconds since 1970 UTC.
    pub now: i64,
    /// Most octets that a zip file may come to.
    pub most_unpacked: u64,
    /// Whether everything or nothing counts as read, whatever is recorded.
    pub read: Option<bool>,
    /// What each child may use.
    pub allowance: Allowance,
    /// How long one answer may take.
    pub patience: Duration,
}

impl Archive {
    /// Name of the directory, inside that of the archive, where zip files are unpacked.
    pub const SPOOL: &'static str = "spool";

    /// Patience and computing for an archive of so many octets: a whole folder is read in one answer.
    pub fn sized(mut self, octets: u64) -> Self {
        const LEAST: u64 = 60;
        const SLOWEST: u64 = 4 << 20;
        let seconds = LEAST + octets / SLOWEST;
        self.patience = Duration::from_secs(seconds);
        self.allowance.seconds = 4 * seconds;
        self
    }

    /// A place as people know it: names of this program's making mean nothing to them.
    fn told(&self, file: &str) -> String {
        let here = format!("{}/", self.directory.display());
        file.replace(&here, "").replacen(&self.file, &self.title, 1)
    }

    fn placed(&self, mut fault: Fault) -> Fault {
        fault.at.file = fault.at.file.map(|file| self.told(&file));
        fault.on(Side::Source).server(self.title.clone())
    }
}

/// An archive that a child reads. Clones share the child.
#[derive(Clone)]
pub struct Cell {
    shared: Arc<Shared>,
    abilities: Arc<Abilities>,
}

pub(crate) struct Shared {
    spawn: Arc<dyn Spawn>,
    archive: Archive,
    slot: Mutex<Slot>,
    /// What the folders are called in the child, as of the last listing.
    names: std::sync::Mutex<BTreeMap<MailboxName, MailboxName>>,
}

/// The child, and what became of those before it.
#[derive(Default)]
pub(crate) struct Slot {
    link: Option<Link>,
    /// Rises with every child.
    pub(crate) generation: u64,
    deaths: u32,
    numbers: u32,
    is_closed: bool,
    /// Messages in whose middle a child ended: how often.
    pub(crate) victims: BTreeMap<(MailboxName, Key), u32>,
}

/// Why there is no answer.
pub(crate) enum Trouble {
    /// The child is gone.
    Died(String),
    /// The answer is a fault.
    Fault(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Cell {
    /// Looks what lies there, with a child of its own.
    ///
    /// # Errors
    /// Those of [`hikyaku_archive::look`]; `archive.damaged` where no child survives it.
    pub async fn look(spawn: &dyn Spawn, archive: &Archive) -> Result<SawWire, Fault> {
        let ask = Ask::Look {
            path: archive.file.clone(),
        };
        let mut why = String::new();
        for _ in 0..2 {
            let link = spawn.spawn(&archive.directory, archive.allowance);
            let mut link = link.map_err(|e| archive.placed(no_child(&e)))?;
            match link.ask(&ask, archive.patience).await {
                Ok((Answer::Saw(saw), _)) => {
                    link.end().await;
                    return Ok(saw);
                }
                Ok((Answer::Fault(fault), _)) => return Err(archive.placed(fault.fault())),
                Ok(_) => why = astray(),
                Err(died) => why = died,
            }
        }
        Err(archive.placed(fatal(Reach::Job, &why)))
    }

    /// Opens the archive.
    ///
    /// # Errors
    /// Those of [`hikyaku_archive::Archive::open`]; `archive.damaged` where no child survives it.
    pub async fn open(spawn: Arc<dyn Spawn>, archive: Archive) -> Result<Self, Fault> {
        let shared = Shared {
            spawn,
            archive,
            slot: Mutex::default(),
            names: std::sync::Mutex::default(),
        };
        drop(shared.child().await?);
        // One question at a time; a second folder would only wait.
        let abilities = Abilities::of_a_reader(1);
        Ok(Self {
            shared: Arc::new(shared),
            abilities: Arc::new(abilities),
        })
    }
}

impl Shared {
    /// With the archive's title.
    pub(crate) fn placed(&self, fault: Fault) -> Fault {
        self.archive.placed(fault)
    }

    /// A place as people know it.
    pub(crate) fn told(&self, file: &str) -> String {
        self.archive.told(file)
    }

    /// The child, alive and with the archive open.
    ///
    /// # Errors
    /// See [`Cell::open`].
    pub(crate) async fn child(&self) -> Result<MutexGuard<'_, Slot>, Fault> {
        let mut slot = self.slot.lock().await;
        let mut why = String::new();
        for _ in 0..2 {
            if slot.is_closed {
                return Err(self.placed(Fault::bug("an archive that was closed")));
            }
            if slot.link.is_some() {
                return Ok(slot);
            }
            if slot.deaths >= MOST_DEATHS {
                let why = format!("{} processes in all", slot.deaths);
                return Err(self.placed(fatal(Reach::Job, &why)));
            }
            let archive = &self.archive;
            let begun = async {
                empty(archive.directory.join(Archive::SPOOL)).await?;
                self.spawn.spawn(&archive.directory, archive.allowance)
            };
            slot.link = Some(begun.await.map_err(|e| self.placed(no_child(&e)))?);
            slot.generation += 1;
            let ask = Ask::Open {
                kind: archive.kind.clone(),
                path: archive.file.clone(),
                spool: Archive::SPOOL.to_owned(),
                now: archive.now,
                most_unpacked: archive.most_unpacked,
                read: archive.read,
            };
            match self.ask(&mut slot, &ask).await {
                Ok((Answer::Done, _)) => return Ok(slot),
                Ok(_) => why = slot.lose(astray()),
                Err(Trouble::Died(died)) => why = died,
                Err(Trouble::Fault(fault)) => {
                    slot.link = None;
                    return Err(fault);
                }
            }
        }
        Err(self.placed(fatal(Reach::Job, &why)))
    }

    /// Asks the child; one that does not answer is gone afterwards.
    pub(crate) async fn ask(
        &self,
        slot: &mut Slot,
        ask: &Ask,
    ) -> Result<(Answer, Vec<u8>), Trouble> {
        // Whoever stops waiting in the middle of an answer leaves a child that nobody understands any more.
        let mut taken = Taken {
            link: &mut slot.link,
            is_whole: false,
        };
        let answered = match taken.link.as_mut() {
            Some(link) => link.ask(ask, self.archive.patience).await,
            None => Err("there is none".to_owned()),
        };
        taken.is_whole = answered.is_ok();
        drop(taken);
        match answered {
            Ok((Answer::Fault(fault), _)) => Err(Trouble::Fault(self.placed(fault.fault()))),
            Ok(answered) => Ok(answered),
            Err(died) => Err(Trouble::Died(slot.lose(died))),
        }
    }

    /// The folders, as soon as a child survives the question.
    async fn ask_for_folders(&self) -> Result<Vec<FolderWire>, Fault> {
        let mut why = String::new();
        for _ in 0..2 {
            let mut slot = self.child().await?;
            match self.ask(&mut slot, &Ask::Folders).await {
                Ok((Answer::Folders(folders), _)) => return Ok(folders),
                Ok(_) => why = slot.lose(astray()),
                Err(Trouble::Fault(fault)) => return Err(fault),
                Err(Trouble::Died(died)) => why = died,
            }
        }
        Err(self.placed(fatal(Reach::Job, &why)))
    }

    async fn folders(&self) -> Result<Vec<MailboxInfo>, Fault> {
        let folders = self.ask_for_folders().await?;
        let mut told: Vec<MailboxInfo> = folders.iter().filter_map(FolderWire::info).collect();
        told.sort_by(|a, b| a.name.cmp(&b.name));
        told.dedup_by(|a, b| a.name == b.name);
        // Whoever has a name already keeps it; a renamed one that meets it gets a number.
        let mut taken: BTreeSet<MailboxName> = told.iter().map(|info| info.name.clone()).collect();
        let mut names = BTreeMap::new();
        for info in &mut told {
            let mut outer = self.outer(&info.name);
            if outer != info.name {
                outer = free(outer, &taken);
                taken.insert(outer.clone());
            }
            let inner = std::mem::replace(&mut info.name, outer.clone());
            names.insert(outer, inner);
        }
        told.sort_by(|a, b| a.name.cmp(&b.name));
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
        Ok(told)
    }

    /// The name of a folder for people: not that of a file of this program's making.
    fn outer(&self, name: &MailboxName) -> MailboxName {
        match &self.archive.folder {
            Some((inner, outer)) => renamed(name, inner, outer),
            None => name.clone(),
        }
    }

    fn inner(&self, name: &MailboxName) -> MailboxName {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inner) = names.get(name) {
            return inner.clone();
        }
        match &self.archive.folder {
            Some((inner, outer)) => {
                // As it was told: INBOX has one spelling.
                let told = MailboxName::new(vec![outer.clone()]);
                let told = told.as_ref().map_or("", MailboxName::leaf);
                renamed(name, told, inner)
            }
            None => name.clone(),
        }
    }
}

/// The name, with a number behind it if it is taken.
fn free(name: MailboxName, taken: &BTreeSet<MailboxName>) -> MailboxName {
    let mut tried = name.clone();
    let mut number = 1_u64;
    while taken.contains(&tried) {
        number += 1;
        let leaf = format!("{} ({number})", name.leaf());
        tried = match name.parent() {
            Some(parent) => parent.child(&leaf),
            None => MailboxName::new(vec![leaf]).unwrap_or_else(|| name.clone()),
        };
    }
    tried
}

/// The name with another outermost level, if it has this one.
fn renamed(name: &MailboxName, from: &str, to: &str) -> MailboxName {
    match name.levels() {
        [first, rest @ ..] if first == from => {
            let mut levels = vec![to.to_owned()];
            levels.extend_from_slice(rest);
            MailboxName::new(levels).unwrap_or_else(|| name.clone())
        }
        _ => name.clone(),
    }
}

/// Ends the child whose answer nobody waited for.
struct Taken<'a> {
    link: &'a mut Option<Link>,
    is_whole: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            *self.link = None;
        }
    }
}

impl Slot {
    /// The child is gone.
    pub(crate) fn lose(&mut self, why: String) -> String {
        self.link = None;
        self.deaths += 1;
        tracing::warn!(why, "a process that reads an archive came to an end");
        why
    }

    /// A number for a folder that is opened.
    pub(crate) fn number(&mut self) -> u32 {
        self.numbers = self.numbers.wrapping_add(1);
        self.numbers
    }
}

fn no_child(error: &std::io::Error) -> Fault {
    Fault::bug(format!("no process to read archives with: {error}"))
}

/// Makes a directory that only its owner can enter, or what was in it go away.
async fn empty(directory: PathBuf) -> std::io::Result<()> {
    let made = tokio::task::spawn_blocking(move || {
        clear(&directory)?;
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(&directory)
    });
    made.await.map_err(std::io::Error::other)?
}

fn clear(directory: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

impl Source for Cell {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn mailboxes(&self) -> Asked<'_, Vec<MailboxInfo>> {
        Box::pin(self.shared.folders())
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Asked<'a, Box<dyn Reader>> {
        Box::pin(async move {
            let inner = MailboxInfo {
                name: self.shared.inner(&mailbox.name),
                ..mailbox.clone()
            };
            let folder = Folder::new(&inner, mailbox.name.clone());
            let opened = Opened::open(self.shared.clone(), folder).await?;
            Ok(Box::new(opened) as Box<dyn Reader>)
        })
    }

    fn quota(&self) -> Asked<'_, Option<Quota>> {
        Box::pin(async { Ok(None) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let mut slot = self.shared.slot.lock().await;
            slot.is_closed = true;
            if let Some(link) = slot.link.take() {
                link.end().await;
            }
            let spool = self.shared.archive.directory.join(Archive::SPOOL);
            let cleared = tokio::task::spawn_blocking(move || clear(&spool)).await;
            if let Ok(Err(e)) = cleared {
                tracing::warn!(error = %e, "what was unpacked could not be removed");
            }
        })
    }
}
