//! The words and the pure decisions of hikyaku.
//!
//! Everything here is a value or a function over values: no I/O, no clock, no
//! runtime, no protocol. Adapters (IMAP, archives, the ledger) implement the
//! traits of [`traits`]; the engine drives them; observers are told [`event`]s.
//!
//! Start reading at [`traits`], then [`plan`].

#![warn(missing_docs)]

pub mod account;
pub mod arrival;
pub mod date;
pub mod event;
pub mod fault;
pub mod flags;
pub mod identity;
pub mod key;
pub mod ledger;
pub mod mailbox;
pub mod mapping;
pub mod message;
pub mod name;
pub mod plan;
pub mod policy;
pub mod report;
pub mod traits;
pub mod undo;

pub use account::AccountId;
pub use date::InternalDate;
pub use event::{Event, Observer};
pub use fault::{Code, Fault, Place, Reach, Remedy, Said, Side};
pub use flags::{Flag, Flags, Keyword};
pub use identity::{ContentHash, HeadDigest};
pub use key::{Epoch, Key, KeySet};
pub use mailbox::{Abilities, MailboxInfo, MailboxState, Role};
pub use message::{Body, BodyStream, Letter, Listing};
pub use name::{MailboxName, WireName};
