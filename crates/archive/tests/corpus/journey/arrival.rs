//! What should have arrived, from what the archive tells and what a destination makes of it.

use crate::support::{Message, Read};
use hikyaku_core::{Flags, MailboxName};
use hikyaku_testkit::contract;
use hikyaku_testkit::generate::{Stored, keeps_date, stored};
use hikyaku_testkit::judge::{
    AccountSnapshot, CompareOptions, Content, MailboxSnapshot, MessageSnapshot, compare,
};
use hikyaku_testkit::servers::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// The messages by the folder that they should be in.
pub(crate) struct Expected<'a> {
    folders: BTreeMap<MailboxName, Vec<&'a Message>>,
}

impl<'a> Expected<'a> {
    /// `names` tells where each folder of the archive went. A folder that could not be
    /// opened went nowhere.
    pub(crate) fn of(told: &'a [Read], names: &BTreeMap<String, MailboxName>) -> Self {
        let mut folders: BTreeMap<MailboxName, Vec<&Message>> = BTreeMap::new();
        for folder in told {
            let Some(name) = names.get(&folder.name) else {
                assert!(folder.messages.is_empty(), "{} went nowhere", folder.name);
                continue;
            };
            let there = folders.entry(name.clone()).or_default();
            there.extend(&folder.messages);
        }
        Self { folders }
    }

    /// For a destination that keeps everything.
    pub(crate) fn held(&self) -> Vec<contract::Held> {
        let message = |m: &&Message| contract::Message {
            flags: Flags::parse(&m.flags),
            seconds: m.seconds,
            octets: m.octets.clone(),
        };
        let folder = |(name, messages): (&MailboxName, &Vec<&Message>)| contract::Held {
            name: name.clone(),
            messages: messages.iter().map(message).collect(),
        };
        self.folders.iter().map(folder).collect()
    }

    /// How Dovecot differs from what it should hold; none means that it does not.
    pub(crate) fn differences(&self, found: AccountSnapshot) -> Vec<String> {
        let mut wanted = AccountSnapshot {
            separator: found.separator,
            prefix: found.prefix.clone(),
            mailboxes: BTreeMap::new(),
            subscriptions: BTreeSet::new(),
        };
        for (name, messages) in &self.folders {
            let wire = name.to_string().into_bytes();
            let mailbox = MailboxSnapshot {
                wire: wire.clone(),
                name: name.to_string(),
                levels: name.levels().to_vec(),
                attributes: BTreeSet::new(),
                subscribed: true,
                uid_validity: 0,
                uid_next: 0,
                messages: messages.iter().filter_map(|m| snapshot(m)).collect(),
            };
            wanted.mailboxes.insert(wire, mailbox);
        }
        let options = CompareOptions {
            // Every account is born with it.
            may_be_extra: Box::new(|m| m.levels == ["INBOX"] && m.messages.is_empty()),
            // Compared by the contract of sources; archives differ in what they know.
            subscriptions: false,
            ..CompareOptions::default()
        };
        compare(&wanted, &undated(found), &options)
    }
}

/// How many messages Dovecot does not take: those without any octet.
pub(crate) fn refused(folders: &[Read]) -> usize {
    let messages = folders.iter().flat_map(|f| &f.messages);
    messages
        .filter(|m| stored(Kind::Dovecot, &m.octets) == Stored::Refused)
        .count()
}

/// How many messages Dovecot keeps with other octets.
pub(crate) fn altered(folders: &[Read]) -> usize {
    let messages = folders.iter().flat_map(|f| &f.messages);
    messages
        .filter(|m| matches!(stored(Kind::Dovecot, &m.octets), Stored::Rewritten(_)))
        .count()
}

/// What Dovecot makes of a message, as measured; `None` where it refuses it.
fn snapshot(message: &Message) -> Option<MessageSnapshot> {
    let octets = match stored(Kind::Dovecot, &message.octets) {
        Stored::Exact => message.octets.clone(),
        Stored::Rewritten(octets) => octets,
        Stored::Refused => return None,
    };
    let kept = message.seconds.filter(|s| keeps_date(Kind::Dovecot, *s));
    let flags = message.flags.split(' ').filter(|f| !f.is_empty());
    Some(MessageSnapshot {
        uid: 0,
        // IMAP has no way to write a keyword with other characters (RFC 9051 §9).
        flags: flags.filter(|f| f.is_ascii()).map(str::to_owned).collect(),
        internal_date: kept.unwrap_or(0),
        content: Content::from(octets.as_slice()),
    })
}

/// Dates that the server made up in these minutes become the beginning of time.
fn undated(mut account: AccountSnapshot) -> AccountSnapshot {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("later").as_secs().cast_signed();
    for message in account.mailboxes.values_mut().flat_map(|m| &mut m.messages) {
        if (now - 900..=now + 60).contains(&message.internal_date) {
            message.internal_date = 0;
        }
    }
    account
}
