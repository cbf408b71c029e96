//! A backup as source and as destination.

mod look;
mod opened;
mod writer;

pub use look::BackupLook;

use crate::fault;
use crate::folder::Folder;
use crate::format::Format;
use crate::home::Home;
use crate::sums;
use futures::future::BoxFuture;
use hikyaku_core::mailbox::{NameRules, Quota};
use hikyaku_core::traits::{Ask, Destination, Reader, Source, Writer};
use hikyaku_core::{
    Abilities, AccountId, Code, Epoch, Fault, Key, MailboxInfo, MailboxName, MailboxState, Reach,
    Remedy, Role, WireName,
};
use opened::Opened;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use writer::OpenedForWriting;

/// Folders that are worked on at once: the disk is one, and its waits overlap.
const LANES: usize = 4;

/// A backup that is read: for restoring it, and for comparing.
///
/// Nothing in it is ever written, so it may lie on a disk that cannot be written to, and somebody
/// may be adding to it meanwhile.
#[derive(Clone, Debug)]
pub struct BackupSource(Shared);

/// A backup that is added to. While it is open no other process can add to it.
#[derive(Clone, Debug)]
pub struct BackupDestination(Shared);

#[derive(Clone, Debug)]
struct Shared {
    home: Arc<Home>,
    abilities: Arc<Abilities>,
}

impl BackupSource {
    /// Opens the backup in a directory.
    ///
    /// # Errors
    /// `backup.missing`, `backup.version`, `backup.damaged`, `backup.unreadable`.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Fault> {
        Ok(Self(Shared::new(Home::open_to_restore(
            directory.as_ref(),
        )?)))
    }

    /// Whose copies the ledger keeps: the same wherever the directory is moved.
    pub fn account(&self) -> AccountId {
        self.0.account()
    }

    /// In which form the messages lie there.
    pub fn format(&self) -> Format {
        self.0.home.format
    }
}

impl BackupDestination {
    /// Opens the backup in a directory for adding to it. Begins one, as Maildir unless another
    /// format is asked for, where the directory is empty or not there.
    ///
    /// # Errors
    /// `backup.foreign` for a directory that holds other things, `backup.format` for a backup
    /// in another format than asked for, `backup.busy` while somebody else adds to it,
    /// `backup.version`, `backup.damaged`, `backup.unwritable`, `backup.full`.
    pub fn open(directory: impl AsRef<Path>, format: Option<Format>) -> Result<Self, Fault> {
        let home = Home::create(directory.as_ref(), format)?;
        Ok(Self(Shared::new(home)))
    }

    /// Whose copies the ledger keeps: the same wherever the directory is moved.
    pub fn account(&self) -> AccountId {
        self.0.account()
    }

    /// In which form the messages lie there.
    pub fn format(&self) -> Format {
        self.0.home.format
    }

    /// Where it is.
    pub fn directory(&self) -> PathBuf {
        self.0.home.root.clone()
    }
}

/// What every backup can do.
fn abilities() -> Abilities {
    Abilities {
        lanes: LANES,
        max_octets: None,
        reports_keys: true,
        appends_batches: true,
        tracks_changes: true,
        exact_sizes: true,
        names: NameRules {
            // Every character may stand in a name; what the directory is called is another matter.
            separator: Some('\0'),
            prefix: Vec::new(),
            forbidden: Vec::new(),
            max_level_octets: 1 << 20,
            max_name_octets: 1 << 20,
            max_levels: 1 << 10,
            strict_edges: false,
            astral: true,
            ignores_case: false,
        },
    }
}

impl Shared {
    fn new(home: Home) -> Self {
        Self {
            home: Arc::new(home),
            abilities: Arc::new(abilities()),
        }
    }

    fn account(&self) -> AccountId {
        AccountId::new(format!("backup:{}", self.home.id))
    }

    async fn mailboxes(&self) -> Result<Vec<MailboxInfo>, Fault> {
        let home = self.home.clone();
        let folders = blocking(move || home.folders()).await?;
        Ok(folders.iter().map(|folder| info(folder)).collect())
    }

    async fn folder(&self, name: &MailboxName) -> Result<Arc<Folder>, Fault> {
        let (home, wanted) = (self.home.clone(), name.clone());
        let found = blocking(move || home.folder(&wanted)).await?;
        found.ok_or_else(|| {
            let detail = "the backup has no such folder";
            let fault = Fault::new(
                Code::MailboxMissing,
                Reach::Mailbox,
                Remedy::AskUser,
                detail,
            );
            fault
                .mailbox(name)
                .server(self.home.root.display().to_string())
        })
    }

    async fn open(&self, name: &MailboxName) -> Result<Box<dyn Reader>, Fault> {
        Ok(Box::new(Opened::new(self.folder(name).await?)))
    }

    async fn quota(&self) -> Option<Quota> {
        let home = self.home.clone();
        let asked = tokio::task::spawn_blocking(move || home.quota()).await;
        asked.ok().flatten()
    }
}

/// Work on files, away from whatever must not wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(fault::gone(&e)),
    }
}

fn state(folder: &Folder) -> MailboxState {
    let index = folder.state();
    MailboxState {
        epoch: Some(Epoch(u64::from(index.epoch))),
        next: Some(Key(u64::from(index.next))),
        messages: index.slots.len() as u64,
        modseq: Some(u64::from(index.lines)),
        octets: Some(index.octets),
    }
}

/// A folder of which no more is known.
fn unreadable(name: MailboxName) -> MailboxInfo {
    MailboxInfo {
        wire: WireName::new(name.to_string()),
        role: name.is_inbox().then_some(Role::Inbox),
        name,
        selectable: true,
        subscribed: true,
        no_children: false,
        state: None,
    }
}

fn info(folder: &Folder) -> MailboxInfo {
    let state = state(folder);
    let index = folder.state();
    let directory = folder.directory.file_name().unwrap_or_default();
    let inbox = index.name.is_inbox().then_some(Role::Inbox);
    MailboxInfo {
        name: index.name.clone(),
        wire: WireName::new(directory.as_encoded_bytes()),
        role: inbox.or(index.role),
        selectable: true,
        subscribed: index.subscribed,
        no_children: false,
        state: Some(state),
    }
}

impl Source for BackupSource {
    fn abilities(&self) -> &Abilities {
        &self.0.abilities
    }

    /// Folders that cannot be read are listed, too: to open one says why.
    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        Box::pin(async move {
            let mut all = self.0.mailboxes().await?;
            all.extend(self.0.home.unreadable().into_iter().map(unreadable));
            Ok(all)
        })
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        Box::pin(self.0.open(&mailbox.name))
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        // Nobody asks how much more mail fits where none is put.
        Box::pin(async { Ok(None) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Source for BackupDestination {
    fn abilities(&self) -> &Abilities {
        &self.0.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        Box::pin(self.0.mailboxes())
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        Box::pin(self.0.open(&mailbox.name))
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        Box::pin(async move { Ok(self.0.quota().await) })
    }

    /// Writes the list of sums anew; the backup is whole without it.
    fn close(&self) -> BoxFuture<'_, ()> {
        let home = self.0.home.clone();
        Box::pin(async move {
            let written = blocking(move || sums::write(&home)).await;
            // A list that could not be written is not there, and says nothing wrong.
            written.ok();
        })
    }
}

impl Destination for BackupDestination {
    fn ensure<'a>(
        &'a self,
        name: &'a MailboxName,
        role: Option<Role>,
        subscribe: bool,
    ) -> Ask<'a, MailboxInfo> {
        Box::pin(async move {
            let (home, name) = (self.0.home.clone(), name.clone());
            let folder = blocking(move || home.ensure(&name, role, subscribe)).await?;
            Ok(info(&folder))
        })
    }

    fn write<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>> {
        Box::pin(async move {
            let folder = self.0.folder(&mailbox.name).await?;
            Ok(Box::new(OpenedForWriting::new(folder)) as Box<dyn Writer>)
        })
    }
}
