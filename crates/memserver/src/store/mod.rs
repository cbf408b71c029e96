//! One account's mail. Pure state: no sockets, no protocol text.

mod gmail;
mod mailbox;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use gmail::Gmail;
pub(crate) use mailbox::{Draft, Mailbox, Message, Reflag};

use crate::flags::Flags;
use crate::name;

/// Bounds of what an account may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Octets of all messages; told to clients in units of 1024.
    pub octets: Option<u64>,
    /// Number of messages.
    pub messages: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) separator: Option<u8>,
    /// By wire name.
    pub(crate) mailboxes: BTreeMap<Vec<u8>, Mailbox>,
    pub(crate) subscribed: BTreeSet<Vec<u8>>,
    pub(crate) quota: Quota,
    pub(crate) append_limit: Option<u64>,
    pub(crate) used_octets: u64,
    pub(crate) used_messages: u64,
    next_id: u64,
    next_uidvalidity: u32,
    next_object: u64,
    gmail: Option<Gmail>,
}

impl Store {
    pub(crate) fn new(separator: Option<u8>, first_uidvalidity: u32, gmail: Option<Gmail>) -> Self {
        let mut store = Self {
            separator,
            mailboxes: BTreeMap::new(),
            subscribed: BTreeSet::new(),
            quota: Quota::default(),
            append_limit: None,
            used_octets: 0,
            used_messages: 0,
            next_id: 1,
            next_uidvalidity: first_uidvalidity,
            next_object: 1,
            gmail,
        };
        store.create(b"INBOX", &[]);
        store
    }

    /// Makes a mailbox, or makes a `\Noselect` level selectable. The caller has
    /// checked the name. False when it was there already.
    pub(crate) fn create(&mut self, wire: &[u8], special_use: &[String]) -> bool {
        if let Some(mailbox) = self.mailboxes.get_mut(wire) {
            let was = mailbox.selectable;
            mailbox.selectable = true;
            return !was;
        }
        let mut mailbox = self.blank();
        mailbox.special_use = special_use.to_vec();
        self.mailboxes.insert(wire.to_vec(), mailbox);
        true
    }

    /// A level that holds no messages.
    pub(crate) fn create_level(&mut self, wire: &[u8]) {
        if !self.mailboxes.contains_key(wire) {
            let mut level = self.blank();
            level.selectable = false;
            self.mailboxes.insert(wire.to_vec(), level);
        }
    }

    fn blank(&mut self) -> Mailbox {
        let mailbox = Mailbox::new(self.fresh_id(), self.next_uidvalidity);
        self.next_uidvalidity = self.next_uidvalidity.wrapping_add(1).max(1);
        mailbox
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn mailbox(&self, wire: &[u8]) -> Option<&Mailbox> {
        self.mailboxes.get(wire)
    }

    pub(crate) fn selectable(&self, wire: &[u8]) -> Option<&Mailbox> {
        self.mailbox(wire).filter(|m| m.selectable)
    }

    /// True when a mailbox lies below this name.
    pub(crate) fn has_children(&self, wire: &[u8]) -> bool {
        let Some(separator) = self.separator else {
            return false;
        };
        let mut below = wire.to_vec();
        below.push(separator);
        let first = self.mailboxes.range(below.clone()..).next();
        first.is_some_and(|(name, _)| name.starts_with(&below))
    }

    /// Removes a mailbox with its messages. A mailbox with children stays as a
    /// level. False when it is not there.
    pub(crate) fn delete(&mut self, wire: &[u8]) -> bool {
        let Some(mailbox) = self.mailboxes.get(wire) else {
            return false;
        };
        let uids: Vec<u32> = mailbox.messages.iter().map(|m| m.uid).collect();
        for uid in uids {
            self.expunge(wire, uid);
        }
        self.mailboxes.remove(wire);
        if self.has_children(wire) {
            self.create_level(wire);
        }
        true
    }

    /// Renames a mailbox and everything below it. False when the source is
    /// missing or the destination is there.
    pub(crate) fn rename(&mut self, from: &[u8], to: &[u8]) -> bool {
        let below = |name: &[u8]| {
            name == from
                || self
                    .separator
                    .is_some_and(|s| name.starts_with(from) && name.get(from.len()) == Some(&s))
        };
        let moved: Vec<Vec<u8>> = self
            .mailboxes
            .keys()
            .filter(|n| below(n))
            .cloned()
            .collect();
        if moved.first().is_none_or(|first| first != from) || self.mailboxes.contains_key(to) {
            return false;
        }
        for old in moved {
            let mut new = to.to_vec();
            new.extend_from_slice(&old[from.len()..]);
            if let Some(mailbox) = self.mailboxes.remove(&old) {
                if let Some(gmail) = &mut self.gmail {
                    gmail.renamed(&old, &new);
                }
                self.mailboxes.insert(new, mailbox);
            }
        }
        true
    }

    /// Stores a message; `None` when there is no such mailbox to select.
    pub(crate) fn add(&mut self, wire: &[u8], draft: Draft) -> Option<u32> {
        self.selectable(wire)?;
        match self.gmail.take() {
            Some(mut gmail) => {
                let uid = gmail.add(self, wire, draft);
                self.gmail = Some(gmail);
                uid
            }
            None => {
                let object = self.fresh_object();
                self.put(wire, draft, object)
            }
        }
    }

    fn fresh_object(&mut self) -> u64 {
        self.next_object += 1;
        self.next_object
    }

    fn put(&mut self, wire: &[u8], draft: Draft, object: u64) -> Option<u32> {
        self.used_octets += draft.body.octets();
        self.used_messages += 1;
        let mailbox = self.mailboxes.get_mut(wire)?;
        Some(mailbox.push(draft, object))
    }

    /// Takes a message out of its mailbox.
    pub(crate) fn expunge(&mut self, wire: &[u8], uid: u32) -> Option<Message> {
        let message = self.mailboxes.get_mut(wire)?.take(uid)?;
        self.used_octets -= message.body.octets();
        self.used_messages -= 1;
        if let Some(gmail) = &mut self.gmail {
            gmail.forget(message.object, wire);
        }
        Some(message)
    }

    /// Changes flags; the mod-sequence of the message afterwards, `None` when it
    /// is not there.
    pub(crate) fn reflag(
        &mut self,
        wire: &[u8],
        uid: u32,
        how: Reflag,
        given: &Flags,
    ) -> Option<u64> {
        let mailbox = self.mailboxes.get_mut(wire)?;
        let changed = mailbox.reflag(uid, how, given);
        let message = mailbox.message(uid)?;
        let (modseq, object, flags) = (message.modseq, message.object, message.flags.clone());
        if changed && let Some(mut gmail) = self.gmail.take() {
            gmail.mirror(self, wire, object, &flags);
            self.gmail = Some(gmail);
        }
        Some(modseq)
    }

    /// Copies a message into another mailbox with flags and date.
    pub(crate) fn copy(&mut self, from: &[u8], uid: u32, to: &[u8]) -> Option<u32> {
        let message = self.mailbox(from)?.message(uid)?.clone();
        self.selectable(to)?;
        let draft = Draft {
            flags: message.flags,
            date: message.date,
            body: message.body,
        };
        match self.gmail.take() {
            Some(mut gmail) => {
                let uid = gmail.label(self, to, draft, message.object);
                self.gmail = Some(gmail);
                uid
            }
            None => self.put(to, draft, message.object),
        }
    }

    /// Gives a mailbox another UIDVALIDITY and its messages new UIDs.
    pub(crate) fn renumber(&mut self, wire: &[u8], uidvalidity: u32) -> bool {
        let id = self.fresh_id();
        let Some(mailbox) = self.mailboxes.get_mut(wire) else {
            return false;
        };
        mailbox.renumber(id, uidvalidity);
        if let Some(gmail) = &mut self.gmail {
            let uids = mailbox.messages.iter().map(|m| (m.object, m.uid));
            gmail.renumbered(wire, uids);
        }
        true
    }

    /// The labels of a message as X-GM-LABELS tells them in this mailbox.
    pub(crate) fn labels(&self, wire: &[u8], object: u64) -> Vec<Vec<u8>> {
        match &self.gmail {
            Some(gmail) => gmail.labels(self, wire, object),
            None => Vec::new(),
        }
    }

    /// The mailbox that a label names.
    pub(crate) fn mailbox_of_label(&self, label: &[u8]) -> Vec<u8> {
        gmail::mailbox_of_label(self, label)
    }

    /// Whether so much more fits.
    pub(crate) fn has_room(&self, octets: u64, messages: u64) -> bool {
        let fits = |limit: Option<u64>, used: u64, more: u64| {
            limit.is_none_or(|l| used.saturating_add(more) <= l)
        };
        fits(self.quota.octets, self.used_octets, octets)
            && fits(self.quota.messages, self.used_messages, messages)
    }

    /// The stored spelling of a name on a server that ignores case.
    pub(crate) fn spelling(&self, wire: &[u8]) -> Option<&[u8]> {
        let mut names = self.mailboxes.keys();
        names
            .find(|n| n.eq_ignore_ascii_case(wire))
            .map(Vec::as_slice)
    }

    /// Makes the missing levels above a name.
    pub(crate) fn create_parents(&mut self, wire: &[u8], real: bool) {
        let missing: Vec<Vec<u8>> = name::parents(wire, self.separator)
            .filter(|p| !self.mailboxes.contains_key(*p))
            .map(<[u8]>::to_vec)
            .collect();
        for parent in missing {
            if real {
                self.create(&parent, &[]);
            } else {
                self.create_level(&parent);
            }
        }
    }
}
