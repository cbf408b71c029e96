//! Response codes and capabilities, as types.

use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::{Epoch, Key, KeySet};
use std::collections::BTreeSet;

/// Codes of RFC 9051 §7.1, RFC 5530 and the extensions that are spoken here.
/// Anything else, or one with unreadable arguments, is `Other`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplyCode {
    Alert,
    AlreadyExists,
    /// UIDs of appended messages, in the order of the messages (RFC 4315 §3).
    AppendUid {
        epoch: Epoch,
        uids: UidRanges,
    },
    AuthenticationFailed,
    AuthorizationFailed,
    BadCharset,
    Cannot,
    Capability(Capabilities),
    ClientBug,
    Closed,
    CompressionActive,
    ContactAdmin,
    CopyUid {
        epoch: Epoch,
        from: UidRanges,
        to: UidRanges,
    },
    Corruption,
    Expired,
    ExpungeIssued,
    HasChildren,
    HighestModSeq(u64),
    InUse,
    Limit,
    /// OBJECTID (RFC 8474).
    MailboxId(String),
    /// UIDs or numbers whose UNCHANGEDSINCE failed (RFC 7162 §3.1.3).
    Modified(KeySet),
    NoModSeq,
    NonExistent,
    NoPerm,
    OverQuota,
    Parse,
    PermanentFlags(PermanentFlags),
    PrivacyRequired,
    ReadOnly,
    ReadWrite,
    Referral,
    ServerBug,
    /// Back-off words of providers: `THROTTLED`.
    Throttled,
    TooBig,
    TryCreate,
    UidNext(Key),
    UidNotSticky,
    UidValidity(Epoch),
    Unavailable,
    /// Sequence number of the first unseen message.
    Unseen(u64),
    UseAttr,
    /// Gmail: a page that the user must visit.
    WebAlert,
    /// The name of a code without a type of its own, in capitals.
    Other(String),
}

/// UID ranges in the order in which the server wrote them. Never expanded
/// without a bound: `1:4294967295` is one range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UidRanges(pub(crate) Vec<(u64, u64)>);

impl UidRanges {
    /// How many UIDs there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().fold(0u64, |sum, (low, high)| {
            sum.saturating_add(high - low).saturating_add(1)
        })
    }

    /// The UIDs, in the server's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Key> + '_ {
        self.0.iter().flat_map(|&(low, high)| (low..=high).map(Key))
    }

    /// The UIDs one by one when there are exactly `count` of them.
    pub(crate) fn exactly(&self, count: usize) -> Option<Vec<Key>> {
        (self.len() == count as u64).then(|| self.iter().collect())
    }

    /// Adds a range behind the others.
    pub(crate) fn push(&mut self, low: u64, high: u64) {
        match self.0.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(low) => last.1 = high,
            _ => self.0.push((low, high)),
        }
    }

    /// As a set, which forgets the order.
    pub(crate) fn to_set(&self) -> KeySet {
        let mut ranges = self.0.clone();
        ranges.sort_unstable();
        let mut set = KeySet::new();
        for (low, high) in ranges {
            set.insert_range(low..=high);
        }
        set
    }
}

/// Capability names, in capitals; `KEY=VALUE` capabilities as one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) BTreeSet<String>);

impl Capabilities {
    /// Whether the capability (in capitals) is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The values of a `KEY=VALUE` capability, such as the mechanisms of `AUTH`.
    pub(crate) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0
            .iter()
            .filter_map(move |c| c.strip_prefix(key)?.strip_prefix('='))
    }

    /// `APPENDLIMIT=n` (RFC 7889): octets of the largest message for every mailbox.
    pub(crate) fn append_limit(&self) -> Option<u64> {
        self.values("APPENDLIMIT").find_map(|v| v.parse().ok())
    }
}
