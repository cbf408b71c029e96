//! The selected mailbox as this session knows it, and telling what changed.
//!
//! Sequence numbers belong to the view, not to the mailbox: they stay until the
//! session has told the client otherwise.

use std::fmt::Write as _;

use super::Session;
use super::reply::{Halt, flag_list};
use crate::account::lock;
use crate::flags::Flags;
use crate::seqset::{SequenceSet, compact, within};
use crate::store::{Mailbox, Message, Store};
use crate::wire::Stop;

pub(super) struct Selected {
    pub(super) wire: Vec<u8>,
    /// See [`Mailbox::id`].
    pub(super) id: u64,
    /// UIDs in order; the sequence number is the position counted from 1.
    pub(super) uids: Vec<u32>,
    pub(super) read_only: bool,
    /// Messages from this UID on are `\Recent` in this session.
    pub(super) recent_from: u32,
    /// Changes up to this mod-sequence have been told.
    pub(super) told: u64,
    /// See [`Mailbox::changes`].
    pub(super) told_changes: u64,
    /// How many expunges of the mailbox's history have been told.
    pub(super) told_vanished: usize,
}

impl Selected {
    /// The UIDs that a set names, of those the client knows of.
    pub(super) fn resolve(&self, set: &SequenceSet, by_uid: bool) -> Vec<u32> {
        if by_uid {
            let Some(last) = self.uids.last() else {
                return Vec::new();
            };
            return within(&self.uids, &set.ranges(*last));
        }
        let largest = u32::try_from(self.uids.len()).unwrap_or(u32::MAX);
        let mut uids = Vec::new();
        for (from, to) in set.ranges(largest) {
            let (from, to) = (from as usize, (to.min(largest)) as usize);
            if from >= 1 && from <= to {
                uids.extend_from_slice(&self.uids[from - 1..to]);
            }
        }
        uids
    }

    /// Whether every number of a set is in use (RFC 9051 §9: it is BAD not to be).
    pub(super) fn holds(&self, set: &SequenceSet) -> bool {
        let largest = u32::try_from(self.uids.len()).unwrap_or(u32::MAX);
        let ranges = set.ranges(largest);
        largest > 0 && ranges.iter().all(|(from, to)| *from >= 1 && *to <= largest)
    }

    pub(super) fn sequence(&self, uid: u32) -> Option<usize> {
        self.uids.binary_search(&uid).ok().map(|at| at + 1)
    }

    /// How many messages are `\Recent` in this session.
    pub(super) fn recent(&self) -> usize {
        self.uids.len() - self.uids.partition_point(|uid| *uid < self.recent_from)
    }

    pub(super) fn is_recent(&self, uid: u32) -> bool {
        uid >= self.recent_from
    }
}

impl Session {
    /// Runs with the account's store and what is selected.
    pub(super) fn with_selected<T>(
        &mut self,
        run: impl FnOnce(&mut Store, &mut Selected) -> T,
    ) -> Result<T, Halt> {
        let (Some(account), Some(selected)) = (&self.account, &mut self.selected) else {
            return Err(Halt::Unknown);
        };
        let mut store = lock(&account.cell.store);
        Ok(run(&mut store, selected))
    }

    /// Wakes other sessions of the account.
    pub(super) fn ring(&self) {
        if let Some(account) = &self.account {
            account.cell.changed.notify_waiters();
        }
    }

    /// RFC 9051 §7.5.1: no EXPUNGE while FETCH, STORE or SEARCH is in progress.
    pub(super) fn may_tell_expunges(&self) -> bool {
        !matches!(self.command.verb.as_str(), "FETCH" | "STORE" | "SEARCH")
    }

    /// Tells what happened in the selected mailbox since it was last told.
    pub(super) async fn tell_changes(&mut self, expunges: bool) -> Result<(), Stop> {
        let (rev2, qresync, modseq) = (self.rev2(), self.enabled.qresync, self.enabled.condstore);
        let told =
            self.with_selected(
                |store, selected| match store.mailboxes.get_mut(&selected.wire) {
                    Some(mailbox) if mailbox.id == selected.id => {
                        Some(changes(mailbox, selected, expunges, qresync, modseq, rev2))
                    }
                    _ => None,
                },
            );
        match told {
            Ok(Some(text)) => {
                self.wire.put(text);
                self.wire.relieve().await
            }
            Ok(None) => {
                self.selected = None;
                self.bye("The selected mailbox is no longer the one it was.")
            }
            Err(_) => Ok(()),
        }
    }
}

fn changes(
    mailbox: &mut Mailbox,
    selected: &mut Selected,
    expunges: bool,
    qresync: bool,
    condstore: bool,
    rev2: bool,
) -> String {
    let mut text = String::new();
    if mailbox.modseq == selected.told && mailbox.vanished.len() == selected.told_vanished {
        return text;
    }
    if expunges {
        tell_expunges(&mut text, mailbox, selected, qresync);
    }
    let known = selected.uids.last().copied().unwrap_or(0);
    let first_new = mailbox.messages.partition_point(|m| m.uid <= known);
    let new = mailbox.messages[first_new..].iter().map(|m| m.uid);
    let before = selected.uids.len();
    selected.uids.extend(new);
    if selected.uids.len() > before {
        write!(text, "* {} EXISTS\r\n", selected.uids.len()).ok();
        if !rev2 {
            write!(text, "* {} RECENT\r\n", selected.recent()).ok();
        }
        if !selected.read_only {
            mailbox.recent_from = mailbox.uidnext;
        }
    }
    if mailbox.changes != selected.told_changes {
        for message in mailbox.messages[..first_new]
            .iter()
            .filter(|m| m.modseq > selected.told)
        {
            if let Some(sequence) = selected.sequence(message.uid) {
                let row = flags_row(
                    message,
                    sequence,
                    selected.is_recent(message.uid),
                    condstore,
                    qresync,
                );
                text.push_str(&row);
            }
        }
    }
    selected.told = mailbox.modseq;
    selected.told_changes = mailbox.changes;
    text
}

fn tell_expunges(text: &mut String, mailbox: &Mailbox, selected: &mut Selected, qresync: bool) {
    let mut gone: Vec<u32> = mailbox.vanished[selected.told_vanished..]
        .iter()
        .map(|(_, uid)| *uid)
        .collect();
    selected.told_vanished = mailbox.vanished.len();
    gone.sort_unstable();
    gone.retain(|uid| selected.sequence(*uid).is_some());
    if gone.is_empty() {
        return;
    }
    if qresync {
        write!(text, "* VANISHED {}\r\n", compact(gone.iter().copied())).ok();
    } else {
        for (removed, uid) in gone.iter().enumerate() {
            if let Some(sequence) = selected.sequence(*uid) {
                write!(text, "* {} EXPUNGE\r\n", sequence - removed).ok();
            }
        }
    }
    selected.uids.retain(|uid| gone.binary_search(uid).is_err());
}

/// An untagged FETCH that tells flags.
pub(super) fn flags_row(
    message: &Message,
    sequence: usize,
    recent: bool,
    modseq: bool,
    uid: bool,
) -> String {
    let mut row = format!("* {sequence} FETCH (");
    if uid {
        write!(row, "UID {} ", message.uid).ok();
    }
    write!(row, "FLAGS {}", told_flags(&message.flags, recent)).ok();
    if modseq {
        write!(row, " MODSEQ ({})", message.modseq).ok();
    }
    row.push_str(")\r\n");
    row
}

pub(super) fn told_flags(flags: &Flags, recent: bool) -> String {
    flag_list(flags.names().chain(recent.then_some("\\Recent")))
}
