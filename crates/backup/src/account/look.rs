//! A backup as a destination that is only looked at.

use super::opened::Opened;
use super::{Shared, abilities};
use crate::home::{self, Home};
use futures::future::BoxFuture;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::traits::{Ask, Destination, Reader, Source, Writer};
use hikyaku_core::{
    Abilities, AccountId, Code, Fault, MailboxInfo, MailboxName, Reach, Remedy, Role,
};
use std::path::{Path, PathBuf};

/// A backup on the side of the destination, to be planned for and compared with, never written:
/// it may lie on a disk that cannot be written to, and somebody may be adding to it meanwhile.
///
/// Also where none is begun yet: a plan shows what would be saved there.
#[derive(Clone, Debug)]
pub struct BackupLook(Looked);

#[derive(Clone, Debug)]
enum Looked {
    Backup(Shared),
    /// No backup yet: where, and what it would be able to do.
    Nothing(PathBuf, Box<Abilities>),
}

impl BackupLook {
    /// Looks at the backup in a directory.
    ///
    /// # Errors
    /// Those of [`BackupSource::open`](crate::BackupSource::open).
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Fault> {
        let home = Home::open(directory.as_ref())?;
        Ok(Self(Looked::Backup(Shared::new(home))))
    }

    /// Looks at the backup in a directory, or at the place where one could be begun.
    ///
    /// # Errors
    /// `backup.foreign` where other things are in the way; those of [`BackupLook::open`].
    pub fn open_or_imagine(directory: impl AsRef<Path>) -> Result<Self, Fault> {
        let directory = directory.as_ref();
        match Self::open(directory) {
            Err(fault) if fault.code == Code::BackupMissing => {
                home::is_free(directory)?;
                let abilities = Box::new(abilities());
                Ok(Self(Looked::Nothing(directory.to_owned(), abilities)))
            }
            opened => opened,
        }
    }

    /// Whether there is a backup.
    pub fn is_begun(&self) -> bool {
        matches!(self.0, Looked::Backup(_))
    }

    /// Whose copies the ledger keeps; of no account that it knows where none is begun.
    pub fn account(&self) -> AccountId {
        match &self.0 {
            Looked::Backup(shared) => shared.account(),
            Looked::Nothing(..) => AccountId::new("backup:"),
        }
    }
}

impl Source for BackupLook {
    fn abilities(&self) -> &Abilities {
        match &self.0 {
            Looked::Backup(shared) => &shared.abilities,
            Looked::Nothing(_, abilities) => abilities,
        }
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        Box::pin(async move {
            match &self.0 {
                Looked::Backup(shared) => shared.mailboxes().await,
                Looked::Nothing(..) => Ok(Vec::new()),
            }
        })
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        Box::pin(async move {
            let Looked::Backup(shared) = &self.0 else {
                return Err(nothing_here());
            };
            let folder = shared.folder(&mailbox.name).await?;
            Ok(Box::new(Opened::new(folder)) as Box<dyn Reader>)
        })
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        Box::pin(async move {
            Ok(match &self.0 {
                Looked::Backup(shared) => shared.quota().await,
                Looked::Nothing(directory, _) => home::room_for(directory),
            })
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Destination for BackupLook {
    fn ensure<'a>(&'a self, _: &'a MailboxName, _: Option<Role>, _: bool) -> Ask<'a, MailboxInfo> {
        Box::pin(async { Err(only_looked_at()) })
    }

    fn write<'a>(&'a self, _: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>> {
        Box::pin(async { Err(only_looked_at()) })
    }
}

fn only_looked_at() -> Fault {
    Fault::bug("a backup that is only looked at was to be written")
}

fn nothing_here() -> Fault {
    let detail = "there is no backup yet";
    let fault = Fault::new(
        Code::MailboxMissing,
        Reach::Mailbox,
        Remedy::AskUser,
        detail,
    );
    fault.on(hikyaku_core::Side::Destination)
}
