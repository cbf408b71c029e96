//! The handle by which a test or the demo fills, changes and judges an account
//! without speaking IMAP.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::body::Body;
use crate::date::Date;
use crate::flags::Flags;
use crate::name::Name;
use crate::personality::Personality;
use crate::snapshot::Snapshot;
use crate::store::{Draft, Gmail, Quota, Reflag, Store};

/// What the sessions of one account share.
pub(crate) struct AccountCell {
    pub(crate) user: String,
    pub(crate) secrets: Mutex<Secrets>,
    pub(crate) store: Mutex<Store>,
    /// Rung whenever the store changes, for IDLE.
    pub(crate) changed: Notify,
    /// Sessions logged in now.
    pub(crate) sessions: AtomicUsize,
}

pub(crate) struct Secrets {
    pub(crate) password: String,
    pub(crate) tokens: Vec<String>,
}

/// Takes a lock; a panic of another holder does not spread, since every change
/// under these locks is complete before anything can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message to put into a mailbox.
#[derive(Clone, Debug)]
pub struct NewMessage {
    flags: Vec<String>,
    date: Date,
    body: Body,
}

impl NewMessage {
    /// A message without flags that arrived at 2020-01-01T00:00:00Z.
    pub fn new(body: impl Into<Body>) -> Self {
        Self {
            flags: Vec::new(),
            date: Date::utc(1_577_836_800),
            body: body.into(),
        }
    }

    /// Sets flags and keywords, for example `["\\Seen", "$Forwarded"]`.
    #[must_use]
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags = flags.iter().map(|f| (*f).to_owned()).collect();
        self
    }

    /// Sets the moment of arrival.
    #[must_use]
    pub fn date(mut self, date: Date) -> Self {
        self.date = date;
        self
    }

    fn draft(self) -> Draft {
        Draft {
            flags: Flags::of(&self.flags),
            date: self.date,
            body: self.body,
        }
    }
}

impl<T: Into<Bytes>> From<T> for NewMessage {
    fn from(octets: T) -> Self {
        Self::new(Body::from(octets))
    }
}

/// One account on the server. Clones are the same account. Changes are seen by
/// running sessions as if another client had made them.
#[derive(Clone)]
pub struct Account {
    pub(crate) cell: Arc<AccountCell>,
    pub(crate) personality: Arc<Personality>,
}

impl Account {
    pub(crate) fn new(
        user: &str,
        password: &str,
        personality: &Arc<Personality>,
        first_uidvalidity: u32,
    ) -> Self {
        let gmail = personality.gmail.then(Gmail::default);
        let account = Self {
            cell: Arc::new(AccountCell {
                user: user.to_owned(),
                secrets: Mutex::new(Secrets {
                    password: password.to_owned(),
                    tokens: Vec::new(),
                }),
                store: Mutex::new(Store::new(personality.separator, first_uidvalidity, gmail)),
                changed: Notify::new(),
                sessions: AtomicUsize::new(0),
            }),
            personality: personality.clone(),
        };
        if personality.gmail {
            for (name, special_use) in [
                ("All Mail", "\\All"),
                ("Drafts", "\\Drafts"),
                ("Important", "\\Important"),
                ("Sent Mail", "\\Sent"),
                ("Spam", "\\Junk"),
                ("Starred", "\\Flagged"),
                ("Trash", "\\Trash"),
            ] {
                account.add_mailbox_as(format!("[Gmail]/{name}"), &[special_use]);
            }
        }
        account
    }

    /// The name to log in with.
    pub fn user(&self) -> &str {
        &self.cell.user
    }

    /// Changes the password; running sessions stay.
    pub fn set_password(&self, password: &str) {
        lock(&self.cell.secrets).password = password.to_owned();
    }

    /// Replaces the tokens that XOAUTH2 and OAUTHBEARER accept.
    pub fn set_tokens(&self, tokens: &[&str]) {
        lock(&self.cell.secrets).tokens = tokens.iter().map(|t| (*t).to_owned()).collect();
    }

    /// Adds a mailbox, and `\Noselect` levels above it. Returns its wire name.
    pub fn add_mailbox(&self, name: impl Into<Name>) -> Vec<u8> {
        self.add_mailbox_as(name, &[])
    }

    /// Adds a mailbox with attributes such as `\Sent`.
    pub fn add_mailbox_as(&self, name: impl Into<Name>, attributes: &[&str]) -> Vec<u8> {
        let attributes: Vec<String> = attributes.iter().map(|a| (*a).to_owned()).collect();
        self.change(name, |store, wire| {
            // The prefix itself is not a level that LIST would show: it is INBOX.
            store.create_parents(wire, false);
            store.create(wire, &attributes);
            if let Some(mailbox) = store.mailboxes.get_mut(wire)
                && !attributes.is_empty()
            {
                mailbox.special_use = attributes;
            }
            wire.to_vec()
        })
    }

    /// Adds a level that cannot be selected.
    pub fn add_level(&self, name: impl Into<Name>) -> Vec<u8> {
        self.change(name, |store, wire| {
            store.create_level(wire);
            wire.to_vec()
        })
    }

    /// Removes a mailbox with its messages; false when it was not there.
    pub fn delete_mailbox(&self, name: impl Into<Name>) -> bool {
        self.change(name, |store, wire| store.delete(wire))
    }

    /// Renames a mailbox and those below it; false when that cannot be.
    pub fn rename_mailbox(&self, from: impl Into<Name>, to: impl Into<Name>) -> bool {
        let to = self.wire(to);
        self.change(from, |store, from| store.rename(from, &to))
    }

    /// Subscribes to a name, existing or not.
    pub fn subscribe(&self, name: impl Into<Name>) {
        self.change(name, |store, wire| {
            store.subscribed.insert(wire.to_vec());
        });
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, name: impl Into<Name>) {
        self.change(name, |store, wire| {
            store.subscribed.remove(wire);
        });
    }

    /// Adds a message as it is, past all rewriting and limits; a missing mailbox
    /// is made. Returns its UID.
    pub fn add_message(&self, name: impl Into<Name>, message: impl Into<NewMessage>) -> u32 {
        self.add_messages(name, [message.into()])
            .pop()
            .unwrap_or_default()
    }

    /// Adds many messages at once. Returns their UIDs in order.
    pub fn add_messages(
        &self,
        name: impl Into<Name>,
        messages: impl IntoIterator<Item = NewMessage>,
    ) -> Vec<u32> {
        self.change(name, |store, wire| {
            if store.selectable(wire).is_none() {
                store.create_parents(wire, false);
                store.create(wire, &[]);
            }
            let messages = messages.into_iter();
            messages
                .filter_map(|m| store.add(wire, m.draft()))
                .collect()
        })
    }

    /// Expunges messages; returns how many were there.
    pub fn expunge(&self, name: impl Into<Name>, uids: &[u32]) -> usize {
        self.change(name, |store, wire| {
            let gone = uids
                .iter()
                .filter(|uid| store.expunge(wire, **uid).is_some());
            gone.count()
        })
    }

    /// Moves a message; its new UID, or `None` when message or mailbox is missing.
    pub fn move_message(
        &self,
        from: impl Into<Name>,
        uid: u32,
        to: impl Into<Name>,
    ) -> Option<u32> {
        let to = self.wire(to);
        self.change(from, |store, from| {
            let new = store.copy(from, uid, &to)?;
            store.expunge(from, uid);
            Some(new)
        })
    }

    /// Replaces the flags of a message; false when it is not there.
    pub fn set_flags(&self, name: impl Into<Name>, uid: u32, flags: &[&str]) -> bool {
        let flags = Flags::of(flags);
        self.change(name, |store, wire| {
            store.reflag(wire, uid, Reflag::Replace, &flags).is_some()
        })
    }

    /// Gives a mailbox another UIDVALIDITY; its messages get new UIDs from 1.
    /// Sessions that have it selected are told BYE.
    pub fn set_uidvalidity(&self, name: impl Into<Name>, uidvalidity: u32) -> bool {
        self.change(name, |store, wire| store.renumber(wire, uidvalidity))
    }

    /// Lets the next message of a mailbox have this UID, if that is a rise.
    pub fn set_uidnext(&self, name: impl Into<Name>, uidnext: u32) {
        self.change(name, |store, wire| {
            if let Some(mailbox) = store.mailboxes.get_mut(wire) {
                mailbox.uidnext = mailbox.uidnext.max(uidnext);
            }
        });
    }

    /// Makes a mailbox read-only: SELECT says so, APPEND and STORE are refused.
    pub fn set_read_only(&self, name: impl Into<Name>, read_only: bool) {
        self.change(name, |store, wire| {
            if let Some(mailbox) = store.mailboxes.get_mut(wire) {
                mailbox.read_only = read_only;
            }
        });
    }

    /// What PERMANENTFLAGS tells and APPEND keeps; `None` allows everything.
    pub fn set_permanent_flags(&self, name: impl Into<Name>, flags: Option<&[&str]>) {
        let flags = flags.map(|flags| flags.iter().map(|f| (*f).to_owned()).collect());
        self.change(name, |store, wire| {
            if let Some(mailbox) = store.mailboxes.get_mut(wire) {
                mailbox.permanent = flags;
            }
        });
    }

    /// Bounds what the account may hold.
    pub fn set_quota(&self, quota: Quota) {
        self.change("INBOX", |store, _| store.quota = quota);
    }

    /// The longest message APPEND takes.
    pub fn set_append_limit(&self, octets: Option<u64>) {
        self.change("INBOX", |store, _| store.append_limit = octets);
    }

    /// Everything the account holds.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&lock(&self.cell.store))
    }

    /// The UIDs of a mailbox in order; empty when it is missing.
    pub fn uids(&self, name: impl Into<Name>) -> Vec<u32> {
        let wire = self.wire(name);
        let store = lock(&self.cell.store);
        let mailbox = store.mailbox(&wire);
        mailbox
            .map(|m| m.messages.iter().map(|m| m.uid).collect())
            .unwrap_or_default()
    }

    /// The names of all mailboxes that can be selected, on the wire.
    pub fn mailboxes(&self) -> BTreeSet<Vec<u8>> {
        let store = lock(&self.cell.store);
        let selectable = store.mailboxes.iter().filter(|(_, m)| m.selectable);
        selectable.map(|(name, _)| name.clone()).collect()
    }

    /// The name as this server writes it on the wire.
    pub fn wire(&self, name: impl Into<Name>) -> Vec<u8> {
        name.into()
            .on_wire(self.personality.separator, self.personality.prefix_octets())
    }

    fn change<T>(&self, name: impl Into<Name>, change: impl FnOnce(&mut Store, &[u8]) -> T) -> T {
        let wire = self.wire(name);
        let result = change(&mut lock(&self.cell.store), &wire);
        self.cell.changed.notify_waiters();
        result
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.cell.user)
            .finish_non_exhaustive()
    }
}
