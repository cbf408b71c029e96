//! An IMAP server in this process, for the demo and for tests.
//!
//! It keeps mail in memory, speaks IMAP4rev1 and IMAP4rev2 with the extensions
//! that a migration meets, behaves like one of several real servers
//! ([`Personality`]), and fails on purpose where a [`Script`] says so. What
//! clients asked for stands in a [`Transcript`]; what an account holds, in a
//! [`Snapshot`].
//!
//! It shares no code with the client crates, so that a mistake in one cannot
//! hide behind the same mistake in the other. It is bounded and never panics
//! on client input, but it is no mail server: nothing is kept on disk.
//!
//! Start reading at [`MemServer::start`] (or [`MemServer::in_memory`]), then `session/mod.rs`.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use hikyaku_memserver::{MemServer, NewMessage, Options, Personality};
//!
//! let server = MemServer::start(Options::new(Personality::dovecot_like())).await?;
//! let account = server.add_account("user@example.jp", "secret");
//! account.add_message("請求書/2024", NewMessage::new("Subject: a\r\n\r\ntext\r\n").flags(&["\\Seen"]));
//! println!("connect to {}", server.address());
//! # Ok(())
//! # }
//! ```

mod account;
mod body;
mod command;
mod date;
mod faults;
mod flags;
mod name;
mod personality;
mod rewrite;
mod seqset;
mod server;
mod session;
mod snapshot;
mod store;
mod transcript;
mod wire;

pub use account::{Account, NewMessage};
pub use body::Body;
pub use date::Date;
pub use faults::{Action, Point, Rule, Script};
pub use name::{Name, decode as decode_name, encode as encode_name};
pub use personality::{
    AfterBad, Ancient, DateRules, Epochs, Limit, NameRules, Octets, Personality, Refusal,
    Rewriting, Unlimited,
};
pub use server::{Limits, MemServer, Options, Tls};
pub use snapshot::{MailboxShot, MessageShot, Snapshot};
pub use store::Quota;
pub use transcript::{Entry, Traffic, Transcript};
pub use wire::Carrier;
