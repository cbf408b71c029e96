//! What a server in memory holds, as tests compare it.

use hikyaku_memserver::Account;
use std::collections::BTreeMap;

/// A message without what the server numbers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) octets: String,
    /// Sorted, system flags first.
    pub(crate) flags: String,
    /// UTC seconds, and minutes east of UTC.
    pub(crate) date: (i64, i16),
}

impl Held {
    /// A message that arrived in UTC.
    #[allow(dead_code, reason = "not every test file writes messages down")]
    pub(crate) fn new(octets: &str, flags: &str, seconds: i64) -> Self {
        Self {
            octets: octets.to_owned(),
            flags: flags.to_owned(),
            date: (seconds, 0),
        }
    }
}

/// Every folder that can hold messages, with its messages in order.
pub(crate) fn held(account: &Account) -> BTreeMap<String, Vec<Held>> {
    let snapshot = account.snapshot();
    let selectable = snapshot.mailboxes.values().filter(|m| m.selectable);
    let folders = selectable.map(|mailbox| {
        let messages = mailbox.messages.iter().map(|message| {
            let flags = message.flags.iter().chain(&message.keywords);
            Held {
                octets: String::from_utf8(message.body.bytes().to_vec()).expect("text"),
                flags: flags.cloned().collect::<Vec<_>>().join(" "),
                date: (message.date.seconds, message.date.offset_minutes),
            }
        });
        (mailbox.name.clone(), messages.collect())
    });
    folders.collect()
}
