//! POP3 (RFC 1939, with 2449 CAPA, 2595 STLS, 5034 SASL), from octets to
//! [`Source`](hikyaku_core::traits::Source).
//!
//! ```text
//!  account     one mailbox, one connection: what the engine sees
//!  reading     messages with their content, pipelined          spool   the large ones, on disk
//!  session     greeting → STLS → login → CAPA, UIDL, LIST      login   which way in
//!  wire        octets in and out, time and silence
//!  command     typed commands → octets                 ┐
//!  frame       octets → lines and message text         │ without I/O
//!  reply       lines → answers, lists                  │
//!  identity    what a message is called → its key      ┘
//!  words       what servers say → faults
//! ```
//!
//! Invariants, each with the test that guards it:
//! - *Nothing can delete*: there is no such command (`command`);
//!   `tests/pop3/real.rs::every_octet_comes_and_the_mailbox_stays_as_it_was`.
//! - *Nothing from outside becomes a command*: words with line ends cannot be made (`command`).
//! - *The mailbox's owner finds unread what was unread*: messages are read by TOP where the server
//!   has it, because RETR marks them as read on many servers; `tests/pop3/real.rs` asks over IMAP.
//! - *A message is whole or it is not handed out*: its end counts only when the answer to the
//!   next command follows (`reading`).
//! - *Memory and time are bounded, whatever the server sends*: `tests/pop3/hostile.rs`.
//!
//! It must not know the engine. Start reading at [`Pop3Account::connect`].

#![warn(missing_docs)]

mod account;
mod beside;
mod command;
mod frame;
mod identity;
mod login;
mod opened;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
mod reading;
mod reply;
mod session;
mod spool;
mod wire;
mod words;

pub use account::{Pop3Account, Pop3Options, Seen};
pub use beside::imap_beside;
pub use identity::Distrust;
