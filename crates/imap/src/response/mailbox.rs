//! What a server tells about its mailboxes, as types.

use bytes::Bytes;
use hikyaku_core::mailbox::MailboxState;
use hikyaku_core::{Epoch, Key, Role, WireName};

/// One row of LIST or LSUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListRow {
    /// Attributes.
    pub(crate) attributes: ListAttributes,
    /// Hierarchy separator; `None` for `NIL`.
    pub(crate) separator: Option<char>,
    /// The name in the server's octets; empty for the root of `LIST "" ""`.
    pub(crate) name: WireName,
    /// Selection criteria met by descendants (CHILDINFO, RFC 5258), in capitals.
    pub(crate) child_info: Vec<String>,
    /// OLDNAME (RFC 9051 §6.3.9.7): the name before a rename or a normalisation.
    pub(crate) old_name: Option<WireName>,
}

/// Attributes of a mailbox in LIST (RFC 9051 §7.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListAttributes {
    /// `\Noselect`.
    pub(crate) no_select: bool,
    /// `\NonExistent`; implies that it cannot be selected.
    pub(crate) non_existent: bool,
    /// `\Noinferiors`.
    pub(crate) no_inferiors: bool,
    /// `\HasChildren` (true), `\HasNoChildren` (false).
    pub(crate) has_children: Option<bool>,
    /// `\Subscribed`.
    pub(crate) subscribed: bool,
    /// `\Remote`.
    pub(crate) remote: bool,
    /// Special uses (RFC 6154), in the server's order; XLIST's spellings too.
    pub(crate) roles: Vec<Role>,
    /// Everything else, as written.
    pub(crate) other: Vec<String>,
}

impl ListAttributes {
    /// Whether it can hold messages.
    pub(crate) fn is_selectable(&self) -> bool {
        !self.no_select && !self.non_existent
    }
}

/// STATUS of one mailbox. An item is `None` when it was left out or unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailboxStatus {
    /// The mailbox.
    pub(crate) mailbox: WireName,
    /// MESSAGES.
    pub(crate) messages: Option<u64>,
    /// UIDNEXT.
    pub(crate) uid_next: Option<Key>,
    /// UIDVALIDITY.
    pub(crate) epoch: Option<Epoch>,
    /// UNSEEN: how many are unseen.
    pub(crate) unseen: Option<u64>,
    /// HIGHESTMODSEQ; zero means that the mailbox keeps none and becomes `None`.
    pub(crate) modseq: Option<u64>,
    /// SIZE (RFC 8438), octets.
    pub(crate) octets: Option<u64>,
    /// MAILBOXID (RFC 8474).
    pub(crate) mailbox_id: Option<String>,
    /// APPENDLIMIT (RFC 7889), octets.
    pub(crate) append_limit: Option<u64>,
}

impl MailboxStatus {
    /// As the engine's word; `None` when not even MESSAGES is known.
    pub(crate) fn state(&self) -> Option<MailboxState> {
        Some(MailboxState {
            epoch: self.epoch,
            next: self.uid_next,
            messages: self.messages?,
            modseq: self.modseq,
            octets: self.octets,
        })
    }
}

/// NAMESPACE (RFC 9051 §7.3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Namespaces {
    /// Of the user.
    pub(crate) personal: Vec<Namespace>,
    /// Of other users.
    pub(crate) others: Vec<Namespace>,
    /// Shared.
    pub(crate) shared: Vec<Namespace>,
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// Prefix in the server's octets, usually with the separator at its end.
    pub(crate) prefix: WireName,
    /// Hierarchy separator; `None` for a flat one.
    pub(crate) separator: Option<char>,
}

/// QUOTA of one root (RFC 9208).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QuotaRow {
    /// Name of the root.
    pub(crate) root: Bytes,
    /// Limits; empty when there is none (Courier then leaves the list away).
    pub(crate) resources: Vec<QuotaResource>,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuotaResource {
    /// Name in capitals: `STORAGE` counts units of 1,024 octets, `MESSAGE` messages.
    pub(crate) name: String,
    /// In use.
    pub(crate) usage: u64,
    /// Allowed.
    pub(crate) limit: u64,
}
