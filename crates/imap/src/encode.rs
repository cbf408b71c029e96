//! Typed commands to octets (RFC 9051 §6, §9).
//!
//! Nothing from outside reaches a line but through a type that cannot hold CR, LF
//! or NUL: names and values travel as quoted strings or literals, flags as
//! [`WireFlags`], dates as [`WireDate`], key sets as numbers. So message text, names
//! and passwords never become commands.
//!
//! A command becomes a list of [`Part`]s, which the connection sends in order.
//! Start reading at [`Command::encode`].

#![allow(
    dead_code,
    unused_imports,
    reason = "the vocabulary is the protocol's; the adapter speaks a part of it"
)]

mod append;
mod command;
mod fetch;
mod gate;
mod list;
mod search;
mod set;
mod wire;

pub(crate) use append::{Append, AppendMessage, WireDate, WireFlags};
pub(crate) use command::{Command, Extension, Opening, Qresync, StoreChange};
pub(crate) use fetch::{BodyPart, ChangedSince, Fetch, FetchItem};
pub(crate) use gate::is_safe_without_waiting;
pub(crate) use list::{List, ListReturn, ListSelect, StatusItem};
pub(crate) use search::{Criterion, Search, SearchReturn};
pub(crate) use set::{MAX_SET_OCTETS, UidSet, split_set};

use crate::response::Tag;
use bytes::Bytes;
use hikyaku_net::Secret;
use std::fmt;

/// How literals may be sent to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum LiteralMode {
    /// `{n}` and wait for the continuation, always.
    #[default]
    Synchronising,
    /// LITERAL- (RFC 7888): without waiting up to 4,096 octets.
    Minus,
    /// LITERAL+ (RFC 7888): without waiting.
    Plus,
}

impl LiteralMode {
    /// Largest literal of LITERAL-, in octets (RFC 7888 §5).
    pub(crate) const MINUS_MAX: u64 = 4096;

    /// Whether a literal of that length may be sent without waiting.
    pub(crate) fn allows(self, octets: u64) -> bool {
        match self {
            LiteralMode::Synchronising => false,
            LiteralMode::Minus => octets <= Self::MINUS_MAX,
            LiteralMode::Plus => true,
        }
    }
}

/// How this server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Style {
    /// Literals of message content. Literals in arguments always wait: a name that is
    /// refused must not run as a command.
    pub(crate) literals: LiteralMode,
    /// UTF8=ACCEPT or IMAP4rev2 is enabled: quoted strings may hold UTF-8
    /// (RFC 6855 §3, RFC 9051 §4.3).
    pub(crate) utf8: bool,
}

/// A piece of a command on its way out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// To be sent as it is.
    Octets(Bytes),
    /// To be sent and never shown.
    Secret(SecretOctets),
    /// Nothing more of this command (nor of any behind it) before the server's `+`.
    /// A tagged answer instead of it ends the command.
    Wait,
    /// Here go the octets of the n-th message of an APPEND: exactly `octets` of them.
    Body {
        /// Place in [`Append::messages`].
        message: usize,
        /// Announced length.
        octets: u64,
    },
    /// The line end that makes the server store the messages of an APPEND: CRLF.
    /// Order matters: only after every body went out complete, and only when the gate
    /// is open. Without it nothing is stored.
    Commit,
}

/// Octets of a line with a password in it.
#[derive(Clone)]
pub(crate) struct SecretOctets(pub(crate) Secret);

impl PartialEq for SecretOctets {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for SecretOctets {}

impl fmt::Debug for Part {
    /// As a transcript shows it: secrets and message text are not in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Octets(octets) => write!(f, "{}", octets.escape_ascii()),
            Part::Secret(_) => f.write_str("***"),
            Part::Wait => f.write_str("<wait>"),
            Part::Body { message, octets } => write!(f, "<message {message}: {octets} octets>"),
            Part::Commit => f.write_str("<commit>"),
        }
    }
}

/// Why a command cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("{what} holds a NUL, which no IMAP string can")]
    Nul { what: &'static str },
    #[error("{what} is not a word that IMAP allows here")]
    NotAnAtom { what: &'static str },
    #[error("{what} holds characters that cannot be sent here")]
    NotPrintable { what: &'static str },
    #[error("the set of messages is empty or holds a key that is no UID")]
    BadSet,
    #[error("nothing was asked for")]
    Empty,
}

/// A command ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// Its tag.
    pub(crate) tag: Tag,
    /// Its pieces, in order.
    pub(crate) parts: Vec<Part>,
}

impl Encoded {
    /// The command as a transcript shows it, without line ends; secrets are `***`.
    pub(crate) fn shown(&self) -> String {
        let text: String = self.parts.iter().map(|p| format!("{p:?}")).collect();
        text.replace("\\r\\n", " ").trim_end().to_owned()
    }

    /// Whether nothing has to be waited for inside it.
    #[cfg(test)]
    pub(crate) fn is_immediate(&self) -> bool {
        !self.parts.iter().any(|p| matches!(p, Part::Wait))
    }
}

/// The line that gives up an AUTHENTICATE (RFC 9051 §6.2.2).
pub(crate) fn authenticate_cancel() -> Part {
    Part::Octets(Bytes::from_static(b"*\r\n"))
}

#[cfg(test)]
mod tests;
