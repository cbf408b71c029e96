//! Gmail's world: one store of messages, mailboxes are labels on it.
//!
//! A message is in *All Mail* once; equal octets are the same message, wherever
//! they are appended; flags belong to the message, not to the mailbox.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{Draft, Reflag, Store};
use crate::flags::Flags;

/// Longest message whose octets are compared with others.
const COMPARED: u64 = 64 * 1024 * 1024;

#[derive(Clone, Debug, Default)]
pub(crate) struct Gmail {
    /// Where each message is: (mailbox, UID).
    places: HashMap<u64, Vec<(Vec<u8>, u32)>>,
    /// Octets to message.
    known: HashMap<[u8; 32], u64>,
}

/// (mailbox attribute, label).
const SYSTEM: [(&str, &str); 6] = [
    ("\\Sent", "\\Sent"),
    ("\\Drafts", "\\Draft"),
    ("\\Flagged", "\\Starred"),
    ("\\Important", "\\Important"),
    ("\\Trash", "\\Trash"),
    ("\\Junk", "\\Spam"),
];

impl Gmail {
    pub(super) fn add(&mut self, store: &mut Store, wire: &[u8], draft: Draft) -> Option<u32> {
        let digest: Option<[u8; 32]> =
            (draft.body.octets() <= COMPARED).then(|| Sha256::digest(draft.body.bytes()).into());
        let known = digest.and_then(|d| self.known.get(&d).copied());
        let object = match known.filter(|object| self.places.contains_key(object)) {
            Some(object) => object,
            None => {
                let object = store.fresh_object();
                if let Some(digest) = digest {
                    self.known.insert(digest, object);
                }
                object
            }
        };
        self.label(store, wire, draft, object)
    }

    /// Puts a message into a mailbox, and into All Mail (and Starred) if it is
    /// not there yet.
    pub(super) fn label(
        &mut self,
        store: &mut Store,
        wire: &[u8],
        draft: Draft,
        object: u64,
    ) -> Option<u32> {
        let mut draft = draft;
        if let Some((place, uid)) = self.places.get(&object).and_then(|p| p.first())
            && let Some(message) = store.mailbox(place).and_then(|m| m.message(*uid))
        {
            draft.flags = message.flags.clone();
            draft.date = message.date;
        }
        let uid = self.insert(store, wire, &draft, object)?;
        let hidden = with_use(store, "\\Trash").as_deref() == Some(wire)
            || with_use(store, "\\Junk").as_deref() == Some(wire);
        if !hidden && let Some(all) = with_use(store, "\\All") {
            self.insert(store, &all, &draft, object);
        }
        if draft.flags.has("\\Flagged")
            && let Some(starred) = with_use(store, "\\Flagged")
        {
            self.insert(store, &starred, &draft, object);
        }
        Some(uid)
    }

    fn insert(
        &mut self,
        store: &mut Store,
        wire: &[u8],
        draft: &Draft,
        object: u64,
    ) -> Option<u32> {
        let places = self.places.entry(object).or_default();
        if let Some((_, uid)) = places.iter().find(|(place, _)| place == wire) {
            return Some(*uid);
        }
        let uid = store.put(wire, draft.clone(), object)?;
        places.push((wire.to_vec(), uid));
        Some(uid)
    }

    /// The same flags everywhere, and Starred follows `\Flagged`.
    pub(super) fn mirror(&mut self, store: &mut Store, wire: &[u8], object: u64, flags: &Flags) {
        let places = self.places.get(&object).cloned().unwrap_or_default();
        for (place, uid) in places.iter().filter(|(place, _)| place != wire) {
            if let Some(mailbox) = store.mailboxes.get_mut(place) {
                mailbox.reflag(*uid, Reflag::Replace, flags);
            }
        }
        let Some(starred) = with_use(store, "\\Flagged") else {
            return;
        };
        let there = places.iter().find(|(place, _)| *place == starred);
        match (there, flags.has("\\Flagged")) {
            (None, true) => {
                let Some((place, uid)) = places.first() else {
                    return;
                };
                let message = store.mailbox(place).and_then(|m| m.message(*uid)).cloned();
                if let Some(message) = message {
                    let draft = Draft {
                        flags: message.flags,
                        date: message.date,
                        body: message.body,
                    };
                    self.insert(store, &starred, &draft, object);
                }
            }
            (Some((_, uid)), false) if starred != wire => {
                if let Some(message) = store.mailboxes.get_mut(&starred).and_then(|m| m.take(*uid))
                {
                    store.used_octets -= message.body.octets();
                    store.used_messages -= 1;
                    self.forget(object, &starred);
                }
            }
            _ => {}
        }
    }

    pub(super) fn forget(&mut self, object: u64, wire: &[u8]) {
        if let Some(places) = self.places.get_mut(&object) {
            places.retain(|(place, _)| place != wire);
            if places.is_empty() {
                self.places.remove(&object);
            }
        }
    }

    pub(super) fn renamed(&mut self, old: &[u8], new: &[u8]) {
        for (place, _) in self.places.values_mut().flatten() {
            if place == old {
                *place = new.to_vec();
            }
        }
    }

    pub(super) fn renumbered(&mut self, wire: &[u8], uids: impl Iterator<Item = (u64, u32)>) {
        for (object, uid) in uids {
            let places = self.places.entry(object).or_default();
            for (place, old) in places.iter_mut().filter(|(place, _)| place == wire) {
                debug_assert_eq!(place, wire);
                *old = uid;
            }
        }
    }

    /// In the order in which the labels were given; the mailbox asked about and
    /// All Mail are no labels.
    pub(super) fn labels(&self, store: &Store, wire: &[u8], object: u64) -> Vec<Vec<u8>> {
        let places = self
            .places
            .get(&object)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let others = places
            .iter()
            .map(|(place, _)| place)
            .filter(|place| *place != wire);
        others.filter_map(|place| label_of(store, place)).collect()
    }
}

fn with_use(store: &Store, special_use: &str) -> Option<Vec<u8>> {
    let mut all = store.mailboxes.iter();
    let (name, _) = all.find(|(_, m)| m.special_use.iter().any(|u| u == special_use))?;
    Some(name.clone())
}

fn label_of(store: &Store, wire: &[u8]) -> Option<Vec<u8>> {
    if wire == b"INBOX" {
        return Some(b"\\Inbox".to_vec());
    }
    let mailbox = store.mailbox(wire)?;
    if mailbox.special_use.iter().any(|u| u == "\\All") {
        return None;
    }
    let system = SYSTEM
        .iter()
        .find(|(u, _)| mailbox.special_use.iter().any(|m| m == u));
    Some(match system {
        Some((_, label)) => label.as_bytes().to_vec(),
        None => wire.to_vec(),
    })
}

pub(super) fn mailbox_of_label(store: &Store, label: &[u8]) -> Vec<u8> {
    if label.eq_ignore_ascii_case(b"\\Inbox") {
        return b"INBOX".to_vec();
    }
    let system = SYSTEM
        .iter()
        .find(|(_, l)| l.as_bytes().eq_ignore_ascii_case(label));
    match system.and_then(|(special_use, _)| with_use(store, special_use)) {
        Some(name) => name,
        None => label.to_vec(),
    }
}
