//! Which messages of All Mail belong to which mailbox. No IO.

use super::Labels;
use crate::names::{NameEncoding, decode_name};
use bytes::Bytes;
use hikyaku_core::{Epoch, Key, KeySet, MailboxInfo, MailboxName, MailboxState, Role, WireName};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Different labels that are kept apart, at most: Gmail itself allows 10,000.
const MOST_LABELS: usize = 20_000;

/// Told apart from the UIDVALIDITY of any mailbox (32 bits): keys of All Mail under the
/// name of a label mailbox must never be taken for keys of that mailbox itself, which an
/// earlier run with another policy may have recorded.
const OF_ALL_MAIL: u64 = 1 << 32;

/// What stands first; lower wins.
type Rank = (usize, u8, Reverse<usize>, MailboxName);

/// One mailbox that consists of messages of All Mail.
#[derive(Debug)]
struct Place {
    info: MailboxInfo,
    rank: Rank,
    keys: KeySet,
    /// Whether the server lists it; others are there only for what is in them.
    is_listed: bool,
}

/// Sorts messages as their labels come.
#[derive(Debug)]
pub(super) struct Sorter {
    labels: Labels,
    encoding: NameEncoding,
    /// Separator of the listed names; Gmail's is always the same.
    separator: Option<char>,
    places: Vec<Place>,
    /// Labels in the server's octets, and the place that each means, if any.
    known: HashMap<Vec<u8>, Option<usize>>,
    /// Wire names of all that was listed.
    listed: Vec<WireName>,
    all: WireName,
    state: MailboxState,
    seen: KeySet,
    count: u64,
}

/// The mailboxes with their messages.
#[derive(Debug)]
pub(super) struct Sorted {
    all: WireName,
    /// Where All Mail stood.
    state: MailboxState,
    listed: Vec<WireName>,
    places: Vec<(MailboxInfo, Arc<KeySet>)>,
}

impl Sorter {
    pub(super) fn new(labels: &Labels, encoding: NameEncoding, listed: &[MailboxInfo]) -> Self {
        let mut sorter = Self {
            labels: labels.clone(),
            encoding,
            separator: Some('/'),
            places: Vec::new(),
            known: HashMap::new(),
            listed: listed.iter().map(|m| m.wire.clone()).collect(),
            all: WireName::new(""),
            state: MailboxState::default(),
            seen: KeySet::new(),
            count: 0,
        };
        let is_elsewhere = |role: Role| role.is_view() || matches!(role, Role::Trash | Role::Junk);
        for info in listed.iter().filter(|m| m.selectable) {
            if !info.role.is_some_and(is_elsewhere) {
                sorter.add(info.clone(), true);
            }
        }
        sorter
    }

    /// All Mail was opened. What was sorted before stays, unless its keys are others now.
    pub(super) fn begin(&mut self, all: &MailboxInfo, state: MailboxState) {
        if self.state.epoch != state.epoch {
            self.places.iter_mut().for_each(|p| p.keys = KeySet::new());
            self.seen = KeySet::new();
            self.count = 0;
        }
        self.all = all.wire.clone();
        self.state = state;
    }

    /// The messages that were sorted.
    pub(super) fn seen(&self) -> &KeySet {
        &self.seen
    }

    /// How many were sorted.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Sorts one message. Its first labels count.
    pub(super) fn take(&mut self, key: Key, labels: &[Bytes]) {
        if self.seen.contains(key) {
            return;
        }
        self.seen.insert(key);
        self.count += 1;
        let mut places: Vec<usize> = labels.iter().filter_map(|l| self.place(l)).collect();
        if places.is_empty() {
            places.push(self.archive());
        }
        if self.labels != Labels::Each {
            places.sort_by(|a, b| self.places[*a].rank.cmp(&self.places[*b].rank));
            places.truncate(1);
        }
        for place in places {
            self.places[place].keys.insert(key);
        }
    }

    /// What was there and whose labels never came counts as archived: nothing is left out.
    pub(super) fn finish(mut self, there: &KeySet) -> Sorted {
        let untold = there.minus(&self.seen);
        if !untold.is_empty() {
            let archive = self.archive();
            self.places[archive].keys.extend(&untold);
        }
        let state = self.state;
        let places = self.places.into_iter();
        let places = places
            .filter(|p| p.is_listed || !p.keys.is_empty())
            .map(|mut p| {
                p.info.state = Some(of_place(state, &p.keys));
                (p.info, Arc::new(p.keys))
            });
        Sorted {
            all: self.all,
            state,
            listed: self.listed,
            places: places.collect(),
        }
    }

    fn place(&mut self, label: &Bytes) -> Option<usize> {
        if let Some(known) = self.known.get(label.as_ref()) {
            return *known;
        }
        if self.known.len() >= MOST_LABELS {
            return None;
        }
        let place = self.understand(label);
        self.known.insert(label.to_vec(), place);
        place
    }

    /// The mailbox that a label means. Starred is the flag that the message has, too;
    /// Important and Muted are Gmail's own affair.
    fn understand(&mut self, label: &[u8]) -> Option<usize> {
        if label.first() == Some(&b'\\') {
            let is = |name: &str| label[1..].eq_ignore_ascii_case(name.as_bytes());
            return if is("Inbox") {
                Some(self.system(Role::Inbox, "INBOX"))
            } else if is("Sent") {
                Some(self.system(Role::Sent, "Sent"))
            } else if is("Draft") || is("Drafts") {
                Some(self.system(Role::Drafts, "Drafts"))
            } else {
                None
            };
        }
        let wire = WireName::new(label);
        if let Some(at) = self.places.iter().position(|p| p.info.wire == wire) {
            return Some(at);
        }
        // Labels are modified UTF-7 even where names are UTF-8, or the other way round.
        let read = |encoding| decode_name(&wire, self.separator, encoding);
        let told = read(self.encoding)?;
        let either = [NameEncoding::Utf7, NameEncoding::Utf8]
            .into_iter()
            .filter_map(read);
        let names: Vec<MailboxName> = either.collect();
        let is_it = |p: &Place| names.contains(&p.info.name);
        if let Some(at) = self.places.iter().position(is_it) {
            return Some(at);
        }
        // The owner hides it from IMAP; it is a label all the same.
        Some(self.add(made(told, Some(wire), None), false))
    }

    fn archive(&mut self) -> usize {
        self.system(Role::Archive, "Archive")
    }

    /// The mailbox with that special use, or of that name, or a new one.
    fn system(&mut self, role: Role, usual: &str) -> usize {
        let at =
            |is_it: &dyn Fn(&MailboxInfo) -> bool| self.places.iter().position(|p| is_it(&p.info));
        let by_role = at(&|m| m.role == Some(role));
        let by_name =
            || at(&|m| matches!(m.name.levels(), [only] if only.eq_ignore_ascii_case(usual)));
        if let Some(found) = by_role.or_else(by_name) {
            return found;
        }
        let name = MailboxName::inbox();
        let name = match role {
            Role::Inbox => name,
            _ => MailboxName::new(vec![usual.to_owned()]).unwrap_or(name),
        };
        self.add(made(name, None, Some(role)), false)
    }

    fn add(&mut self, info: MailboxInfo, is_listed: bool) -> usize {
        let class = match info.role {
            _ if info.name.is_inbox() => 1,
            Some(Role::Inbox) => 1,
            Some(Role::Sent) => 2,
            Some(Role::Drafts) => 3,
            _ => 0,
        };
        let chosen = match &self.labels {
            Labels::One { priority } => priority.iter().position(|p| is_meant(p, &info)),
            _ => None,
        };
        let depth = Reverse(info.name.levels().len());
        let rank = (
            chosen.unwrap_or(usize::MAX),
            class,
            depth,
            info.name.clone(),
        );
        self.places.push(Place {
            info,
            rank,
            keys: KeySet::new(),
            is_listed,
        });
        self.places.len() - 1
    }
}

impl Sorted {
    /// Whether nothing happened in the account since. Without mod-sequences nobody knows.
    pub(super) fn is_fresh(&self, all: &MailboxInfo, listed: &[MailboxInfo]) -> bool {
        let same = |now: MailboxState| {
            now.modseq.is_some()
                && (now.epoch, now.next, now.messages, now.modseq)
                    == (
                        self.state.epoch,
                        self.state.next,
                        self.state.messages,
                        self.state.modseq,
                    )
        };
        all.state.is_some_and(same) && listed.iter().map(|m| &m.wire).eq(&self.listed)
    }

    /// Name of All Mail.
    pub(super) fn wire(&self) -> &WireName {
        &self.all
    }

    /// UIDVALIDITY of All Mail.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.state.epoch
    }

    /// The keys of a mailbox that is read out of All Mail.
    pub(super) fn find(&self, name: &MailboxName) -> Option<(MailboxState, Arc<KeySet>)> {
        let (_, keys) = self.places.iter().find(|(info, _)| info.name == *name)?;
        Some((of_place(self.state, keys), Arc::clone(keys)))
    }

    /// What was listed, with the mailboxes that consist of messages of All Mail as they
    /// were sorted.
    pub(super) fn mailboxes(&self, mut listed: Vec<MailboxInfo>) -> Vec<MailboxInfo> {
        listed.retain(|m| self.places.iter().all(|(info, _)| info.name != m.name));
        listed.extend(self.places.iter().map(|(info, _)| info.clone()));
        listed.sort_by(|a, b| (&a.name, &a.wire).cmp(&(&b.name, &b.wire)));
        listed
    }
}

/// No mod-sequence: that of All Mail says nothing about who has which label, and
/// nothing may look unchanged that is not.
fn of_place(all: MailboxState, keys: &KeySet) -> MailboxState {
    MailboxState {
        epoch: all
            .epoch
            .filter(|e| e.0 != 0)
            .map(|e| Epoch(e.0 | OF_ALL_MAIL)),
        next: all.next,
        messages: keys.len(),
        modseq: None,
        octets: None,
    }
}

/// A mailbox that the server does not list.
fn made(name: MailboxName, wire: Option<WireName>, role: Option<Role>) -> MailboxInfo {
    MailboxInfo {
        wire: wire.unwrap_or_else(|| WireName::new(name.to_string())),
        name,
        role,
        selectable: true,
        subscribed: true,
        no_children: false,
        state: None,
    }
}

/// Whether the user's word means the mailbox or one above it. Letter case does not
/// count; a system mailbox is also known by its last level and by its English name.
fn is_meant(wish: &MailboxName, info: &MailboxInfo) -> bool {
    let lower = |name: &MailboxName| -> Vec<String> {
        name.levels().iter().map(|l| l.to_lowercase()).collect()
    };
    let wish = lower(wish);
    if lower(&info.name).starts_with(&wish) {
        return true;
    }
    let usual: &[&str] = match info.role {
        Some(Role::Inbox) => &["受信トレイ"],
        Some(Role::Sent) => &["sent", "送信済み", "送信済みメール"],
        Some(Role::Drafts) => &["drafts", "下書き"],
        Some(Role::Archive) => &["archive", "アーカイブ"],
        _ => return false,
    };
    let is_usual = |only: &str| usual.contains(&only) || only == info.name.leaf().to_lowercase();
    matches!(wish.as_slice(), [only] if is_usual(only))
}

#[cfg(test)]
mod tests;
