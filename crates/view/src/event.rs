//! Lines of a stream: one object each.

use crate::fault::{CodeView, FaultView};
use crate::files::{BackupView, RecognisedView, StoreView};
use crate::leave_pop::{LeavePopView, StepView};
use crate::plan::{PlanView, RoomView};
use crate::report::ReportView;
use crate::undo::{UndoPlanView, UndoReportView};
use crate::{SCHEMA, words};
use hikyaku_core::{AccountId, Event, MailboxInfo, Side};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One line: what happened, or an answer. `type` says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// The first line of every run.
    Start(Start),
    /// What lies at the path of the source, where its kind was not named.
    Recognised(RecognisedView),
    /// IMAP answers beside a POP3 server.
    ImapBeside {
        /// The account as it is written for IMAP.
        account: String,
    },
    /// A side is logged in.
    Connected(Connected),
    /// A phase began: `scan`, `plan`, `transfer`, `verify` or `undo`.
    Phase {
        /// Which.
        phase: String,
    },
    /// The plan is known.
    Plan(PlanView),
    /// A mailbox is being worked on.
    MailboxStarted {
        /// Source mailbox.
        mailbox: String,
        /// Messages that it holds.
        messages: u64,
        /// Messages of them that this run has to copy.
        to_copy: u64,
    },
    /// Octets left for the destination; for rates only.
    Sent {
        /// How many since the last such line.
        octets: u64,
    },
    /// Outcomes became durable.
    Settled {
        /// Source mailbox.
        mailbox: String,
        /// Which outcome.
        outcome: String,
        /// How many messages.
        messages: u64,
        /// Their octets.
        octets: u64,
    },
    /// Own copies were taken back.
    TakenBack {
        /// The source mailbox that they came from.
        mailbox: String,
        /// How many messages.
        messages: u64,
    },
    /// A mailbox has all its outcomes.
    MailboxDone {
        /// Source mailbox.
        mailbox: String,
    },
    /// Something failed; the run may go on.
    Fault(FaultView),
    /// Nothing happens until a moment.
    Waiting {
        /// ISO 8601, UTC.
        until: String,
        /// Milliseconds since 1970 UTC.
        until_millis: i64,
        /// Why.
        because: FaultView,
    },
    /// A wait is over.
    Resumed,
    /// How many mailboxes are worked on at once has changed.
    Lanes {
        /// So many from now on.
        now: usize,
        /// So many at most in this run.
        most: usize,
    },
    /// The last line of every run.
    Report(Box<ReportView>),
    /// What `hikyaku undo` would take back.
    UndoPlan(UndoPlanView),
    /// The last line of `hikyaku undo`.
    UndoReport(Box<UndoReportView>),
    /// A mailbox, as `hikyaku folders` and `hikyaku size` list it.
    Folder(Folder),
    /// Room of an account: of the one that `hikyaku size` looks at, or of a destination
    /// into which the copy does not fit.
    Room(RoomView),
    /// A code of the catalogue, as `hikyaku explain` shows it.
    Code(CodeView),
    /// Mail that a program keeps on this computer, as `hikyaku find` lists it.
    Store(StoreView),
    /// A line of a backup's list that is not as it was written.
    BackupLine {
        /// The folder.
        mailbox: String,
        /// The list.
        file: String,
        /// Which line, from 1.
        line: u32,
    },
    /// A file in a backup that does not belong to it.
    BackupStranger {
        /// Which.
        file: String,
    },
    /// The last line of `hikyaku check` of a backup alone.
    Backup(BackupView),
    /// A step of `hikyaku leave-pop`.
    Step(StepView),
    /// The last line of `hikyaku leave-pop`.
    LeavePop(LeavePopView),
}

/// How a side was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// `source` or `destination`.
    pub side: String,
    /// Host and port as they were asked for.
    pub server: String,
    /// The address that answered, with the port.
    pub address: String,
    /// Version of TLS; absent where the connection is not encrypted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<String>,
    /// SHA-256 of the server's certificate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<String>,
    /// Whether only its fingerprint, given by the user, vouches for the certificate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub pinned: bool,
}

impl Connected {
    /// A side without encryption.
    pub fn new(side: Side, server: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            side: words::side(side).to_owned(),
            server: server.into(),
            address: address.into(),
            tls: None,
            certificate: None,
            pinned: false,
        }
    }

    /// The same, encrypted by this version of TLS with a certificate of this fingerprint.
    #[must_use]
    pub fn encrypted(self, tls: &str, certificate: impl Into<String>, pinned: bool) -> Self {
        Self {
            tls: Some(tls.to_owned()),
            certificate: Some(certificate.into()),
            pinned,
            ..self
        }
    }
}

/// Says what is about to happen, and by which contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Number of the contract.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// `copy`, `plan`, `check`, …
    pub command: String,
    /// Source account, without password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// Destination account, without password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub destination: Option<String>,
}

/// One mailbox of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Name.
    pub name: String,
    /// Special use, told by the server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// Whether it can hold messages.
    pub selectable: bool,
    /// Whether it is subscribed.
    pub subscribed: bool,
    /// Messages, where listed.
    pub messages: Option<u64>,
    /// Octets, where listed.
    pub octets: Option<u64>,
}

impl Line {
    /// The first line of a run of `command` by this `version` of the program.
    pub fn start(
        command: &str,
        version: &str,
        source: Option<&AccountId>,
        destination: Option<&AccountId>,
    ) -> Self {
        Self::Start(Start {
            schema: SCHEMA,
            version: version.to_owned(),
            command: command.to_owned(),
            source: source.map(AccountId::to_string),
            destination: destination.map(AccountId::to_string),
        })
    }
}

impl fmt::Display for Line {
    /// The JSON text without a line end; it holds none inside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl From<&Event> for Line {
    fn from(event: &Event) -> Self {
        match event {
            Event::Phase(phase) => Self::Phase {
                phase: words::phase(*phase).to_owned(),
            },
            Event::Planned(plan) => Self::Plan(PlanView::from(&**plan)),
            Event::MailboxStarted {
                mailbox,
                messages,
                to_copy,
            } => Self::MailboxStarted {
                mailbox: mailbox.to_string(),
                messages: *messages,
                to_copy: *to_copy,
            },
            Event::Sent { octets } => Self::Sent { octets: *octets },
            Event::Settled {
                mailbox,
                outcome,
                messages,
                octets,
            } => Self::Settled {
                mailbox: mailbox.to_string(),
                outcome: words::outcome(*outcome).to_owned(),
                messages: *messages,
                octets: *octets,
            },
            Event::TakenBack { mailbox, messages } => Self::TakenBack {
                mailbox: mailbox.to_string(),
                messages: *messages,
            },
            Event::MailboxDone { mailbox } => Self::MailboxDone {
                mailbox: mailbox.to_string(),
            },
            Event::Fault(fault) => Self::Fault(FaultView::from(fault)),
            Event::Waiting {
                until_millis,
                because,
            } => Self::Waiting {
                until: words::moment(*until_millis),
                until_millis: *until_millis,
                because: FaultView::from(because),
            },
            Event::Resumed => Self::Resumed,
            Event::Lanes { now, most } => Self::Lanes {
                now: *now,
                most: *most,
            },
            Event::Done(report) => Self::Report(Box::new(ReportView::from(&**report))),
        }
    }
}

impl From<&MailboxInfo> for Folder {
    fn from(mailbox: &MailboxInfo) -> Self {
        Self {
            name: mailbox.name.to_string(),
            role: mailbox.role.map(|r| words::role(r).to_owned()),
            selectable: mailbox.selectable,
            subscribed: mailbox.subscribed,
            messages: mailbox.state.map(|s| s.messages),
            octets: mailbox.state.and_then(|s| s.octets),
        }
    }
}
