//! Gmail's labels as mailboxes, without copying a message once per label.
//!
//! Gmail (X-GM-EXT-1) keeps every message once, in *All Mail*, and shows each label as
//! a mailbox. This view reads the labels of All Mail once and sorts its keys to the
//! mailboxes where the messages belong ([`Labels`]). Such a mailbox is then read out of
//! All Mail: its keys are UIDs there, so they stay the same from run to run.
//!
//! Trash and Spam are not in All Mail and stay ordinary mailboxes. All Mail, Starred and
//! Important are listed as the views they are.

mod sort;

use super::ImapAccount;
use super::fetching::{Came, Fetching};
use super::opened::{Mode, Opened};
use crate::connection::Connection;
use crate::encode::FetchItem;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future};
use hikyaku_core::traits::{Ask, Facts, Flow, Reader};
use hikyaku_core::{
    Code, Fault, Key, KeySet, Letter, Listing, MailboxInfo, MailboxName, MailboxState, Reach,
    Remedy, Role,
};
use sort::{Sorted, Sorter};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Messages in one command.
const WINDOW: u64 = 2_000;

/// How the labels of a Gmail account become mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Every message once, in the mailbox of its first label: one of `priority` (or below
    /// it), in that order; else the user's own, deepest and then by name; else Inbox,
    /// Sent, Drafts. A message without any is archived mail and goes to *Archive*.
    One {
        /// Labels that come first. System labels are named as they are listed, or
        /// `INBOX`, `Sent`, `Drafts`.
        priority: Vec<MailboxName>,
    },
    /// Every message once per label.
    Each,
    /// Nothing special: whatever the server lists as a mailbox is one.
    AsMailboxes,
}

impl Default for Labels {
    fn default() -> Self {
        Self::One {
            priority: Vec::new(),
        }
    }
}

/// The view of one account.
#[derive(Debug)]
pub(super) struct View {
    labels: Labels,
    kept: Mutex<Kept>,
}

/// What the last look at All Mail gave.
#[derive(Debug)]
enum Kept {
    /// There was no look yet.
    Nothing,
    /// The owner hides All Mail from IMAP: mailboxes are taken as they are.
    Hidden,
    Sorted(Arc<Sorted>),
}

impl View {
    pub(super) fn new(labels: Labels) -> Self {
        Self {
            labels,
            kept: Mutex::new(Kept::Nothing),
        }
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The mailboxes by labels, out of those that the server listed.
    pub(super) async fn mailboxes(
        &self,
        account: &ImapAccount,
        listed: Vec<MailboxInfo>,
    ) -> Result<Vec<MailboxInfo>, Fault> {
        if self.labels == Labels::AsMailboxes {
            return Ok(listed);
        }
        let mut kept = self.kept.lock().await;
        let is_all = |m: &&MailboxInfo| m.role == Some(Role::All) && m.selectable;
        let Some(all) = listed.iter().find(is_all) else {
            tracing::warn!(
                "All Mail is hidden from IMAP: a message with several labels is copied once per label"
            );
            *kept = Kept::Hidden;
            return Ok(listed);
        };
        if let Kept::Sorted(sorted) = &*kept
            && sorted.is_fresh(all, &listed)
        {
            return Ok(sorted.mailboxes(listed));
        }
        let sorter = Sorter::new(&self.labels, account.namespace.encoding(), &listed);
        let sorted = Arc::new(look(account, all, sorter).await?);
        *kept = Kept::Sorted(Arc::clone(&sorted));
        Ok(sorted.mailboxes(listed))
    }

    /// Opens a mailbox that consists of keys of All Mail; `None` for an ordinary one.
    pub(super) async fn open(
        &self,
        account: &ImapAccount,
        mailbox: &MailboxInfo,
    ) -> Result<Option<Labelled>, Fault> {
        if self.labels == Labels::AsMailboxes {
            return Ok(None);
        }
        let sorted = match &*self.kept.lock().await {
            Kept::Hidden => return Ok(None),
            Kept::Sorted(sorted) => Some(Arc::clone(sorted)),
            Kept::Nothing => None,
        };
        let sorted = match sorted {
            Some(sorted) => sorted,
            None => {
                let listed = account.list().await?;
                self.mailboxes(account, listed).await?;
                match &*self.kept.lock().await {
                    Kept::Sorted(sorted) => Arc::clone(sorted),
                    _ => return Ok(None),
                }
            }
        };
        let Some((state, keys)) = sorted.find(&mailbox.name) else {
            return Ok(None);
        };
        // Named as the label's mailbox, so that faults name it so.
        let all = MailboxInfo {
            wire: sorted.wire().clone(),
            ..mailbox.clone()
        };
        let opened = account.open_as(&all, Mode::Examine).await?;
        if opened.state().epoch != sorted.epoch() {
            *self.kept.lock().await = Kept::Nothing;
            return Err(Fault::new(
                Code::MailboxUnreadable,
                Reach::Mailbox,
                Remedy::Retry { after: None },
                "All Mail was renumbered while it was being read",
            )
            .mailbox(&mailbox.name));
        }
        Ok(Some(Labelled {
            opened,
            state,
            keys,
        }))
    }
}

/// Reads the labels of all messages. A lost connection costs only what was under way,
/// as long as every connection brings some.
async fn look(
    account: &ImapAccount,
    all: &MailboxInfo,
    mut sorter: Sorter,
) -> Result<Sorted, Fault> {
    loop {
        let mut opened = account.open_as(all, Mode::Examine).await?;
        sorter.begin(all, opened.state());
        let there = opened.keys().await?;
        let known = sorter.count();
        let todo = there.minus(sorter.seen());
        match take_labels(opened.connection(), &todo, &mut sorter).await {
            Ok(()) => return Ok(sorter.finish(&there)),
            Err(fault)
                if matches!(fault.code, Code::LinkLost | Code::LinkSilent)
                    && sorter.count() > known => {}
            Err(fault) => return Err(fault.mailbox(&all.name)),
        }
    }
}

async fn take_labels(
    connection: &Connection,
    keys: &KeySet,
    sorter: &mut Sorter,
) -> Result<(), Fault> {
    let mut fetching = Fetching::new(connection, vec![FetchItem::GmailLabels], keys, WINDOW);
    loop {
        fetching.top_up()?;
        match fetching.next().await? {
            None => return Ok(()),
            Some(Came::Rows(rows)) => {
                for row in rows {
                    let labels = row.ids.as_ref().and_then(|ids| ids.gmail_labels.as_ref());
                    // Others the server told on its own.
                    if let (Some(key), Some(labels)) = (row.uid, labels)
                        && fetching.note(key)
                    {
                        sorter.take(key, labels);
                    }
                }
            }
            Some(Came::Large { mut chunks, .. }) => while chunks.recv().await.is_some() {},
            // A message without an answer is sorted as one without labels.
            Some(Came::Window | Came::Refused(..)) => {}
        }
    }
}

/// A mailbox that consists of keys of All Mail, opened.
pub(super) struct Labelled {
    opened: Opened,
    state: MailboxState,
    keys: Arc<KeySet>,
}

impl Reader for Labelled {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        async move { Ok(self.opened.keys().await?.and(&self.keys)) }.boxed()
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        self.opened.list(keys, facts)
    }

    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing> {
        let keys = Arc::clone(&self.keys);
        let is_here = move |item: &Result<Listing, Fault>| {
            item.as_ref()
                .map_or(true, |listing| keys.contains(listing.key))
        };
        self.opened
            .changed(modseq)
            .filter(move |item| future::ready(is_here(item)))
            .boxed()
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        self.opened.read(keys)
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        self.opened.head(key)
    }
}
