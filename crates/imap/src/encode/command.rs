//! The commands that hikyaku speaks. One removes: UID EXPUNGE of named messages, which only
//! a connection made for it may send (`connection::access`). There is no EXPUNGE without
//! names, no CLOSE, DELETE, RENAME, MOVE.

use super::append::{Append, WireFlags};
use super::fetch::Fetch;
use super::list::{self, List, StatusItem};
use super::search::Search;
use super::set::{UidSet, write_keys};
use super::wire::{Pen, base64_secret};
use super::{EncodeError, Encoded, Style};
use crate::response::Tag;
use hikyaku_core::{Epoch, KeySet, Role, WireName};
use hikyaku_net::Secret;

/// One command.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Capability,
    Noop,
    Logout,
    StartTls,
    /// COMPRESS DEFLATE (RFC 4978).
    Compress,
    /// ID (RFC 2971); empty sends `NIL`.
    Id(Vec<(&'static str, String)>),
    /// ENABLE (RFC 9051 §6.3.1).
    Enable(Vec<Extension>),
    /// AUTHENTICATE. Without an initial response (or without SASL-IR) the server asks
    /// first.
    Authenticate {
        /// Name of the mechanism.
        mechanism: String,
        /// Undecoded initial response (RFC 4959); may be empty.
        initial: Option<Secret>,
    },
    /// LOGIN. Only where LOGINDISABLED is absent.
    Login {
        user: String,
        password: Secret,
    },
    Namespace,
    List(List),
    /// LSUB, for servers without LIST-EXTENDED. `%` and `*` in the pattern are wildcards.
    Lsub {
        reference: WireName,
        pattern: Vec<u8>,
    },
    Status {
        mailbox: WireName,
        items: Vec<StatusItem>,
    },
    /// CREATE, with a special use where the server has CREATE-SPECIAL-USE (RFC 6154 §3).
    Create {
        mailbox: WireName,
        role: Option<Role>,
    },
    Subscribe(WireName),
    /// Opens for reading only.
    Examine {
        mailbox: WireName,
        opening: Opening,
    },
    /// Opens for reading and writing: destination only.
    Select {
        mailbox: WireName,
        opening: Opening,
    },
    /// UNSELECT (RFC 9051 §6.4.2): leaves a mailbox without expunging.
    Unselect,
    /// UID SEARCH.
    Search(Search),
    /// UID FETCH.
    Fetch(Fetch),
    /// UID STORE, silent: destination only.
    Store {
        uids: UidSet,
        change: StoreChange,
        flags: WireFlags,
    },
    /// UID EXPUNGE (RFC 4315 §2.1) of exactly these: taking own copies back only.
    Expunge(KeySet),
    Append(Append),
    GetQuotaRoot(WireName),
}

/// What ENABLE asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    Condstore,
    Qresync,
    Utf8Accept,
    Imap4Rev2,
}

impl Extension {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Extension::Condstore => "CONDSTORE",
            Extension::Qresync => "QRESYNC",
            Extension::Utf8Accept => "UTF8=ACCEPT",
            Extension::Imap4Rev2 => "IMAP4rev2",
        }
    }
}

/// Parameters of SELECT and EXAMINE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Opening {
    /// None.
    #[default]
    Plain,
    /// `(CONDSTORE)` (RFC 7162 §3.1.8).
    Condstore,
    /// `(QRESYNC (…))` (RFC 7162 §3.2.5), after it was enabled.
    Qresync(Qresync),
}

/// What the client knew when it last saw the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Qresync {
    /// UIDVALIDITY then.
    pub(crate) epoch: Epoch,
    /// HIGHESTMODSEQ then.
    pub(crate) modseq: u64,
    /// The UIDs known then; `None` means all below UIDNEXT.
    pub(crate) known: Option<KeySet>,
}

/// Direction of a STORE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreChange {
    Add,
    Remove,
}

impl Command {
    /// The command under a tag, in pieces.
    ///
    /// # Errors
    /// Something in it cannot be said in IMAP; nothing must be sent then.
    pub(crate) fn encode(&self, tag: Tag, style: Style) -> Result<Encoded, EncodeError> {
        let mut pen = Pen::new(style);
        pen.word(&tag.to_string());
        pen.word(" ");
        match self {
            Command::Append(append) => append.write(&mut pen, style)?,
            other => {
                other.write(&mut pen)?;
                pen.end_line();
            }
        }
        Ok(Encoded {
            tag,
            parts: pen.finish(),
        })
    }

    /// Its name, for logs and limits.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Capability => "CAPABILITY",
            Command::Noop => "NOOP",
            Command::Logout => "LOGOUT",
            Command::StartTls => "STARTTLS",
            Command::Compress => "COMPRESS DEFLATE",
            Command::Id(_) => "ID",
            Command::Enable(_) => "ENABLE",
            Command::Authenticate { .. } => "AUTHENTICATE",
            Command::Login { .. } => "LOGIN",
            Command::Namespace => "NAMESPACE",
            Command::List(_) => "LIST",
            Command::Lsub { .. } => "LSUB",
            Command::Status { .. } => "STATUS",
            Command::Create { .. } => "CREATE",
            Command::Subscribe(_) => "SUBSCRIBE",
            Command::Examine { .. } => "EXAMINE",
            Command::Select { .. } => "SELECT",
            Command::Unselect => "UNSELECT",
            Command::Search(_) => "UID SEARCH",
            Command::Fetch(_) => "UID FETCH",
            Command::Store { .. } => "UID STORE",
            Command::Expunge(_) => "UID EXPUNGE",
            Command::Append(_) => "APPEND",
            Command::GetQuotaRoot(_) => "GETQUOTAROOT",
        }
    }

    fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        pen.word(self.name());
        match self {
            Command::Capability
            | Command::Noop
            | Command::Logout
            | Command::StartTls
            | Command::Compress
            | Command::Namespace
            | Command::Unselect => Ok(()),
            Command::Id(fields) => write_id(fields, pen),
            Command::Enable(extensions) => {
                for extension in extensions {
                    pen.word(" ");
                    pen.word(extension.as_str());
                }
                refuse_empty(extensions)
            }
            Command::Authenticate { mechanism, initial } => {
                pen.word(" ");
                pen.atom(mechanism, "the mechanism")?;
                if let Some(initial) = initial {
                    pen.word(" ");
                    if initial.is_empty() {
                        pen.word("=");
                    } else {
                        pen.hidden(base64_secret(initial.expose()));
                    }
                }
                Ok(())
            }
            Command::Login { user, password } => {
                pen.word(" ");
                pen.string(user.as_bytes(), "the user name")?;
                pen.word(" ");
                pen.secret_string(password, "the password")
            }
            Command::List(list) => list.write(pen),
            Command::Lsub { reference, pattern } => {
                name(pen, reference)?;
                pen.word(" ");
                pen.string(pattern, "the pattern")
            }
            Command::Status { mailbox, items } => {
                name(pen, mailbox)?;
                pen.word(" ");
                list::write_status_items(items, pen);
                refuse_empty(items)
            }
            Command::Create { mailbox, role } => {
                name(pen, mailbox)?;
                if let Some(attribute) = role.and_then(list::role_attribute) {
                    pen.word(" (USE (");
                    pen.word(attribute);
                    pen.word("))");
                }
                Ok(())
            }
            Command::Subscribe(mailbox) | Command::GetQuotaRoot(mailbox) => name(pen, mailbox),
            Command::Examine { mailbox, opening } | Command::Select { mailbox, opening } => {
                name(pen, mailbox)?;
                opening.write(pen)
            }
            Command::Search(search) => search.write(pen),
            Command::Fetch(fetch) => fetch.write(pen),
            Command::Store {
                uids,
                change,
                flags,
            } => {
                pen.word(" ");
                uids.write(pen)?;
                pen.word(match change {
                    StoreChange::Add => " +FLAGS.SILENT ",
                    StoreChange::Remove => " -FLAGS.SILENT ",
                });
                flags.write(pen);
                if flags.is_empty() {
                    return Err(EncodeError::Empty);
                }
                Ok(())
            }
            Command::Expunge(keys) => {
                pen.word(" ");
                write_keys(keys, pen)
            }
            Command::Append(_) => Err(EncodeError::Empty),
        }
    }
}

impl Opening {
    fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        match self {
            Opening::Plain => {}
            Opening::Condstore => pen.word(" (CONDSTORE)"),
            Opening::Qresync(known) => {
                pen.word(" (QRESYNC (");
                pen.number(known.epoch.0);
                pen.word(" ");
                pen.number(known.modseq);
                if let Some(uids) = &known.known {
                    pen.word(" ");
                    write_keys(uids, pen)?;
                }
                pen.word("))");
            }
        }
        Ok(())
    }
}

fn write_id(fields: &[(&'static str, String)], pen: &mut Pen) -> Result<(), EncodeError> {
    if fields.is_empty() {
        pen.word(" NIL");
        return Ok(());
    }
    for (n, (field, value)) in fields.iter().enumerate() {
        pen.word(if n == 0 { " (" } else { " " });
        pen.string(field.as_bytes(), "a field of ID")?;
        pen.word(" ");
        pen.string(value.as_bytes(), "a value of ID")?;
    }
    pen.word(")");
    Ok(())
}

/// A space and a mailbox name.
pub(super) fn name(pen: &mut Pen, mailbox: &WireName) -> Result<(), EncodeError> {
    pen.word(" ");
    pen.string(mailbox.as_bytes(), "the mailbox name")
}

fn refuse_empty<T>(items: &[T]) -> Result<(), EncodeError> {
    if items.is_empty() {
        return Err(EncodeError::Empty);
    }
    Ok(())
}
