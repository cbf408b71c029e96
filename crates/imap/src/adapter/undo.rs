//! Taking own copies back: the only thing here that can remove a message.
//!
//! A type and connections of its own: those of an ordinary destination refuse deletion
//! marks and UID EXPUNGE (`connection::access`), and these refuse everything else that
//! alters anything. Nothing is connected before something is to be removed.

use super::opened::{Mode, Opened};
use super::{ImapAccount, ImapOptions};
use crate::connection::Access;
use crate::encode::{Command, MAX_SET_OCTETS, StoreChange, UidSet, WireFlags, split_set};
use crate::machine::Takes;
use crate::quirks::command_fault;
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::traits::{Ask, Gate, Reader, Remover, Source, Undo};
use hikyaku_core::{Code, Epoch, Fault, Flag, Flags, KeySet, MailboxInfo, Reach, Remedy, Side};
use tokio::sync::OnceCell;

/// A destination from which own copies can be taken back.
#[derive(Debug)]
pub struct ImapUndo {
    options: ImapOptions,
    account: OnceCell<ImapAccount>,
}

impl ImapUndo {
    /// For the destination that these options reach; connects when something is to be
    /// removed.
    pub fn new(options: ImapOptions) -> Self {
        Self {
            options: ImapOptions {
                lanes: 1,
                ..options
            },
            account: OnceCell::new(),
        }
    }

    async fn account(&self) -> Result<&ImapAccount, Fault> {
        if self.options.endpoint.side != Side::Destination {
            return Err(Fault::bug("nothing is ever removed from a source"));
        }
        let connect = || ImapAccount::connect_as(self.options.clone(), Access::Removing);
        let account = self.account.get_or_try_init(connect).await?;
        if !account.abilities().reports_keys {
            return Err(Fault::new(
                Code::UndoUnsupported,
                Reach::Side,
                Remedy::AskUser,
                "the server has no UIDPLUS: EXPUNGE would take more than what is named",
            ));
        }
        Ok(account)
    }
}

impl Undo for ImapUndo {
    fn open_for_removal<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Remover>> {
        async move {
            let account = self.account().await?;
            let opened = account.open_as(mailbox, Mode::Select).await?;
            Ok(Box::new(opened) as Box<dyn Remover>)
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            if let Some(account) = self.account.get() {
                Source::close(account).await;
            }
        }
        .boxed()
    }
}

impl Opened {
    /// Marks, then expunges exactly these (RFC 4315 §2.1).
    async fn expunge(
        &mut self,
        epoch: Epoch,
        keys: &KeySet,
        gate: &dyn Gate,
    ) -> Result<KeySet, Fault> {
        let retry = Remedy::Retry { after: None };
        if self.state().epoch != Some(epoch) || epoch.0 == 0 {
            let detail = "the mailbox is of another generation than what is to be removed";
            return Err(Fault::new(
                Code::MailboxListing,
                Reach::Mailbox,
                retry,
                detail,
            ));
        }
        if !Remover::permanent_flags(self).named.has(Flag::Deleted) {
            return Err(Fault::new(
                Code::MailboxReadOnly,
                Reach::Mailbox,
                Remedy::AskUser,
                "the mailbox keeps no deletion marks",
            ));
        }
        self.will_change();
        let mut mark = Flags::new();
        mark.set(Flag::Deleted);
        let (flags, _) = WireFlags::divide(&mark);
        let sets = split_set(keys, MAX_SET_OCTETS);
        for set in &sets {
            let uids = UidSet::Keys(set.clone());
            let flags = flags.clone();
            let change = StoreChange::Add;
            self.order(&Command::Store {
                uids,
                change,
                flags,
            })
            .await?;
        }
        if !gate.is_open() {
            return Err(Fault::new(
                Code::Interrupted,
                Reach::Job,
                retry,
                "asked to stop before anything was removed",
            ));
        }
        for set in sets {
            self.order(&Command::Expunge(set)).await?;
        }
        let left = self.keys().await?;
        Ok(keys.minus(&left))
    }

    async fn order(&self, command: &Command) -> Result<(), Fault> {
        let answer = self.connection().ask(command, Takes::NOTHING).await?;
        match answer.reply.is_ok() {
            true => Ok(()),
            false => Err(command_fault(&answer.reply, command.name())),
        }
    }
}

impl Remover for Opened {
    fn permanent_flags(&self) -> &PermanentFlags {
        self.permanent()
    }

    fn remove<'a>(
        &'a mut self,
        epoch: Epoch,
        keys: &'a KeySet,
        gate: &'a dyn Gate,
    ) -> Ask<'a, KeySet> {
        async move {
            let removed = self.expunge(epoch, keys, gate).await;
            removed.map_err(|fault| fault.mailbox(self.mailbox()))
        }
        .boxed()
    }
}
