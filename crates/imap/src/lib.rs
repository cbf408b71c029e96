//! IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051), from octets to
//! [`Source`](hikyaku_core::traits::Source) and
//! [`Destination`](hikyaku_core::traits::Destination).
//!
//! ```text
//!  adapter      accounts, mailboxes, letters: what the engine sees
//!  session      greeting → STARTTLS → login → what the server can do
//!  connection   two tasks over one stream, many commands in flight
//!  machine      which command a response belongs to      ┐
//!  encode       typed commands → octets                  │ without I/O
//!  frame, parse octets → responses                       ┘
//!  quirks       named leniencies, chosen at run time
//! ```
//!
//! Invariants, each with the test that guards it:
//! - *The source is never written*: `connection::access`;
//!   `tests/dovecot.rs::the_source_hears_nothing_that_could_change_it`.
//! - *Nothing that copies can delete*: `connection::access`;
//!   `connection::tests::only_a_connection_for_removing_removes`.
//! - *Message text never runs as a command*: `encode::gate`, `machine`;
//!   `tests/dovecot.rs::message_text_never_runs_as_a_command`.
//! - *Without the last line end nothing is stored, and it leaves only through an open
//!   gate*: `connection::outgoing`; `tests/dovecot.rs::without_the_last_line_end_nothing_is_stored`.
//! - *What is said of a lost append is true*: `tests/cuts.rs`.
//! - *Memory does not depend on the size of a message*: `tests/memory.rs`.
//!
//! It must not know the engine. Start reading at [`ImapAccount::connect`].

mod adapter;
mod connection;
mod encode;
mod frame;
mod machine;
mod names;
mod parse;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
mod quirks;
mod response;
mod session;
#[cfg(test)]
mod testing;
mod utf7;

pub use adapter::{Budget, Compress, ImapAccount, ImapOptions, ImapUndo, Labels, Survey};
