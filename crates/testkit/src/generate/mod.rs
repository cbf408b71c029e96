//! Mailboxes computed from a seed: the same on every machine and in every run.
//!
//! - [`profiles`] makes large ordinary accounts for benchmarks.
//! - [`hard_account`] makes the account in which everything is odd.
//! - [`fill`] brings an account to any server through the judge and tells what the server did not take;
//!   [`fill_maildir`] writes Dovecot's files directly, which is much faster.
//! - [`stored`] tells what a server makes of a message, as measured on the real ones.

mod body;
mod hard;
mod load;
mod maildir;
pub mod profiles;
mod random;
mod stored;

pub use body::Body;
pub use hard::{HardOptions, hard_account};
pub use load::{Filled, Refusal, fill};
pub use maildir::fill_maildir;
pub use random::Random;
pub use stored::{Stored, keeps_date, stored, takes_flag};

/// An account as data, independent of any server.
#[derive(Debug, Clone, Default)]
pub struct GeneratedAccount {
    /// Mailboxes in the order of their creation.
    pub mailboxes: Vec<GeneratedMailbox>,
}

impl GeneratedAccount {
    /// How many messages there are.
    pub fn messages(&self) -> usize {
        self.mailboxes
            .iter()
            .map(|mailbox| mailbox.messages.len())
            .sum()
    }

    /// How many octets all messages have together.
    pub fn octets(&self) -> u64 {
        self.mailboxes
            .iter()
            .flat_map(|mailbox| &mailbox.messages)
            .map(|message| message.body.length())
            .sum()
    }
}

/// A mailbox as data.
#[derive(Debug, Clone, Default)]
pub struct GeneratedMailbox {
    /// Decoded levels; `["INBOX"]` is the one that every account has. A level may hold any character, the server's own
    /// separator included, and what comes of that is the server's affair.
    pub levels: Vec<String>,
    /// Whether it is subscribed.
    pub subscribed: bool,
    /// Messages in the order in which they are appended.
    pub messages: Vec<GeneratedMessage>,
}

/// A message as data.
#[derive(Debug, Clone)]
pub struct GeneratedMessage {
    /// What is odd about it, for the words of a failed test.
    pub note: String,
    /// Flags as on the wire.
    pub flags: Vec<String>,
    /// INTERNALDATE as on the wire without quotes; `None` leaves it to the server.
    pub internal_date: Option<String>,
    /// The octets.
    pub body: Body,
}
