//! What an account holds at one moment, for tests to compare and judge.

use std::collections::{BTreeMap, BTreeSet};

use crate::body::Body;
use crate::date::Date;
use crate::name;
use crate::store::Store;

/// Everything in an account. Equal snapshots: nothing changed in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// By wire name.
    pub mailboxes: BTreeMap<Vec<u8>, MailboxShot>,
    /// Wire names.
    pub subscribed: BTreeSet<Vec<u8>>,
}

/// One mailbox of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxShot {
    /// The name decoded from modified UTF-7, or lossily when it is not that.
    pub name: String,
    /// False for `\Noselect` levels.
    pub selectable: bool,
    /// Attributes such as `\Sent`.
    pub special_use: Vec<String>,
    /// The epoch of its UIDs.
    pub uidvalidity: u32,
    /// The UID of the next message.
    pub uidnext: u32,
    /// In UID order.
    pub messages: Vec<MessageShot>,
}

/// One message of a [`MailboxShot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageShot {
    /// The UID.
    pub uid: u32,
    /// Names such as `\Seen`.
    pub flags: BTreeSet<String>,
    /// Keywords in the server's spelling.
    pub keywords: BTreeSet<String>,
    /// INTERNALDATE.
    pub date: Date,
    /// The octets.
    pub body: Body,
}

impl Snapshot {
    pub(crate) fn of(store: &Store) -> Self {
        let mailboxes = store.mailboxes.iter().map(|(wire, mailbox)| {
            let messages = mailbox.messages.iter().map(|m| MessageShot {
                uid: m.uid,
                flags: m.flags.system_names(),
                keywords: m.flags.keyword_names(),
                date: m.date,
                body: m.body.clone(),
            });
            let shot = MailboxShot {
                name: name::decode(wire)
                    .unwrap_or_else(|| String::from_utf8_lossy(wire).into_owned()),
                selectable: mailbox.selectable,
                special_use: mailbox.special_use.clone(),
                uidvalidity: mailbox.uidvalidity,
                uidnext: mailbox.uidnext,
                messages: messages.collect(),
            };
            (wire.clone(), shot)
        });
        Self {
            mailboxes: mailboxes.collect(),
            subscribed: store.subscribed.clone(),
        }
    }

    /// The mailbox of this decoded name, as on the wire with the server's own
    /// prefix and separator.
    pub fn mailbox(&self, name: &str) -> Option<&MailboxShot> {
        self.mailboxes.values().find(|m| m.name == name)
    }

    /// Messages in all mailboxes.
    pub fn messages(&self) -> usize {
        self.mailboxes.values().map(|m| m.messages.len()).sum()
    }

    /// Octets in all mailboxes.
    pub fn octets(&self) -> u64 {
        let messages = self.mailboxes.values().flat_map(|m| &m.messages);
        messages.map(|m| m.body.octets()).sum()
    }
}
