//! The report as an object.

use crate::event::Connected;
use crate::fault::FaultView;
use crate::heading::Heading;
use crate::undo::{KeptView, UndoLineView};
use crate::words;
use hikyaku_core::report::{Exception, MailboxReport, Note, Outcome, Report, Tally, Wait};
use serde::{Deserialize, Serialize};

/// The result of a run: the last object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportView {
    /// Whether every message is accounted for without exception.
    pub complete: bool,
    /// Whether the equation holds: `scanned` is the sum of all `outcomes`.
    pub adds_up: bool,
    /// Messages that the source showed.
    pub scanned: u64,
    /// What became of them.
    pub outcomes: OutcomesView,
    /// Messages copied in this run.
    pub copied_now: u64,
    /// Octets appended in this run.
    pub octets_now: u64,
    /// Mailboxes that were not finished.
    pub unfinished: u64,
    /// Differences that verification found.
    pub differences: u64,
    /// Appends that were repeated after a refusal or a lost answer.
    pub retries: u64,
    /// Own earlier copies when everything was copied again, one line per destination
    /// mailbox; absent for any other run.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub replaced: Vec<UndoLineView>,
    /// Own earlier copies that are still there, by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub kept: Vec<KeptView>,
    /// Waits, one entry per reason.
    #[serde(default)]
    pub waits: Vec<WaitView>,
    /// How each side was reached.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub servers: Vec<Connected>,
    /// Milliseconds from start to end.
    pub elapsed_millis: u64,
    /// Why the run ended before its end, if it did.
    pub stopped: Option<FaultView>,
    /// One per mailbox that was to be copied.
    pub mailboxes: Vec<MailboxReportView>,
    /// What is not as it should be, by name.
    pub exceptions: Vec<ExceptionView>,
    /// What is worth telling without being a failure.
    pub notes: Vec<NoteView>,
}

/// What one mailbox came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxReportView {
    /// Source mailbox.
    pub source: String,
    /// Destination mailbox.
    pub destination: String,
    /// Whether the equation holds.
    pub adds_up: bool,
    /// Messages that the source showed.
    pub scanned: u64,
    /// What became of them.
    pub outcomes: OutcomesView,
    /// Messages copied in this run.
    pub copied_now: u64,
    /// Octets appended in this run.
    pub octets_now: u64,
    /// Messages whose flags were brought up to date in this run.
    pub flags_updated: u64,
    /// Messages that were read back and are the same.
    pub read_back: u64,
}

/// Messages and octets under each outcome; every message has exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomesView {
    /// Appended by hikyaku, in this run or an earlier one.
    pub copied: TallyView,
    /// Found at the destination, put there by somebody else.
    pub already_there: TallyView,
    /// Left out by a rule that the user chose.
    pub skipped: TallyView,
    /// Not there yet; tried again in the next run.
    pub failed_temporary: TallyView,
    /// Refused for a reason that stays.
    pub failed_permanent: TallyView,
    /// Gone from the source before it could be read.
    pub vanished: TallyView,
    /// Copied earlier and since moved or deleted there by its owner.
    pub removed_at_destination: TallyView,
}

/// A count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyView {
    /// Messages.
    pub messages: u64,
    /// Their octets, as far as known.
    pub octets: u64,
}

/// Time that a run spent waiting for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitView {
    /// Stable name of what was waited out, as in `fault`.
    pub code: String,
    /// Its number, as in `fault`.
    pub short: String,
    /// `source` or `destination`; absent where neither is meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub side: Option<String>,
    /// How often.
    pub times: u64,
    /// Milliseconds in all.
    pub millis: u64,
}

/// A message or mailbox that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionView {
    /// Source mailbox.
    pub mailbox: String,
    /// Key (IMAP: UID) of the message; absent when the whole mailbox is meant.
    pub message: Option<u64>,
    /// Octets, where known.
    pub octets: Option<u64>,
    /// What became of it; absent for a mailbox.
    pub outcome: Option<String>,
    /// Stable name of the fault, as in `fault`.
    pub code: String,
    /// Its number, as in `fault`.
    pub short: String,
    /// What a person knows the message by, where it could be read.
    pub heading: Option<Heading>,
    /// Why.
    pub fault: FaultView,
}

/// Something worth telling that is no failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum NoteView {
    /// Flags that the destination mailbox does not keep.
    FlagsLost {
        /// Source mailbox.
        mailbox: String,
        /// The flags, divided by blanks.
        flags: String,
        /// Messages concerned.
        messages: u64,
    },
    /// Messages that the server stored with other octets than were sent.
    Altered {
        /// Source mailbox.
        mailbox: String,
        /// Their keys, at most the first hundred.
        keys: Vec<u64>,
        /// Messages concerned.
        messages: u64,
    },
    /// Arrival dates that could not be kept.
    DatesLost {
        /// Source mailbox.
        mailbox: String,
        /// Messages concerned.
        messages: u64,
    },
    /// UIDVALIDITY changed since the last run; messages were matched by content.
    EpochChanged {
        /// Source mailbox.
        mailbox: String,
        /// `source` or `destination`.
        side: String,
    },
    /// The server gives the mailbox a new UIDVALIDITY at every look, or none.
    EpochUnstable {
        /// Source mailbox.
        mailbox: String,
        /// `source` or `destination`.
        side: String,
    },
    /// Messages that arrived during the run.
    Arrived {
        /// Source mailbox.
        mailbox: String,
        /// Messages concerned.
        messages: u64,
    },
    /// Messages of an earlier run that the source no longer has.
    GoneAtSource {
        /// Source mailbox.
        mailbox: String,
        /// Messages concerned.
        messages: u64,
    },
    /// Messages that this run found in another mailbox of the destination than the mapped one.
    FoundElsewhere {
        /// Source mailbox.
        mailbox: String,
        /// Destination mailbox.
        found_in: String,
        /// Messages concerned.
        messages: u64,
    },
}

impl From<&Tally> for OutcomesView {
    fn from(tally: &Tally) -> Self {
        let of = |outcome| TallyView {
            messages: tally.messages(outcome),
            octets: tally.octets(outcome),
        };
        Self {
            copied: of(Outcome::Copied),
            already_there: of(Outcome::AlreadyThere),
            skipped: of(Outcome::Skipped),
            failed_temporary: of(Outcome::FailedTemporary),
            failed_permanent: of(Outcome::FailedPermanent),
            vanished: of(Outcome::Vanished),
            removed_at_destination: of(Outcome::RemovedAtDestination),
        }
    }
}

impl From<&MailboxReport> for MailboxReportView {
    fn from(report: &MailboxReport) -> Self {
        Self {
            source: report.source.to_string(),
            destination: report.destination.to_string(),
            adds_up: report.adds_up(),
            scanned: report.scanned,
            outcomes: OutcomesView::from(&report.tally),
            copied_now: report.copied_now,
            octets_now: report.octets_now,
            flags_updated: report.flags_updated,
            read_back: report.read_back,
        }
    }
}

impl From<&Wait> for WaitView {
    fn from(wait: &Wait) -> Self {
        Self {
            code: wait.code.as_str().to_owned(),
            short: wait.code.short().to_owned(),
            side: wait.side.map(|side| words::side(side).to_owned()),
            times: wait.times,
            millis: wait.millis,
        }
    }
}

impl From<&Exception> for ExceptionView {
    fn from(exception: &Exception) -> Self {
        let fault = FaultView::from(&exception.fault);
        Self {
            mailbox: exception.mailbox.to_string(),
            message: exception.key.map(|k| k.0),
            octets: exception.octets,
            outcome: exception.outcome.map(|o| words::outcome(o).to_owned()),
            code: fault.code.clone(),
            short: fault.short.clone(),
            heading: exception.head.as_deref().map(Heading::of),
            fault,
        }
    }
}

impl From<&Note> for NoteView {
    fn from(note: &Note) -> Self {
        match note {
            Note::FlagsLost {
                mailbox,
                flags,
                messages,
            } => Self::FlagsLost {
                mailbox: mailbox.to_string(),
                flags: flags.clone(),
                messages: *messages,
            },
            Note::Altered {
                mailbox,
                keys,
                messages,
            } => Self::Altered {
                mailbox: mailbox.to_string(),
                keys: keys.iter().map(|k| k.0).collect(),
                messages: *messages,
            },
            Note::DatesLost { mailbox, messages } => Self::DatesLost {
                mailbox: mailbox.to_string(),
                messages: *messages,
            },
            Note::EpochChanged { mailbox, side } => Self::EpochChanged {
                mailbox: mailbox.to_string(),
                side: words::side(*side).to_owned(),
            },
            Note::EpochUnstable { mailbox, side } => Self::EpochUnstable {
                mailbox: mailbox.to_string(),
                side: words::side(*side).to_owned(),
            },
            Note::Arrived { mailbox, messages } => Self::Arrived {
                mailbox: mailbox.to_string(),
                messages: *messages,
            },
            Note::GoneAtSource { mailbox, messages } => Self::GoneAtSource {
                mailbox: mailbox.to_string(),
                messages: *messages,
            },
            Note::FoundElsewhere {
                mailbox,
                found_in,
                messages,
            } => Self::FoundElsewhere {
                mailbox: mailbox.to_string(),
                found_in: found_in.to_string(),
                messages: *messages,
            },
        }
    }
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        Self {
            complete: report.is_complete(),
            adds_up: report.adds_up(),
            scanned: report.scanned(),
            outcomes: OutcomesView::from(&report.tally()),
            copied_now: report.copied_now(),
            octets_now: report.octets_now(),
            unfinished: report.unfinished,
            differences: report.differences,
            retries: report.retries,
            replaced: report.replaced.iter().map(UndoLineView::from).collect(),
            kept: report.kept.iter().map(KeptView::from).collect(),
            waits: report.waits.iter().map(WaitView::from).collect(),
            servers: Vec::new(),
            elapsed_millis: report.elapsed_millis,
            stopped: report.stopped.as_ref().map(FaultView::from),
            mailboxes: report
                .mailboxes
                .iter()
                .map(MailboxReportView::from)
                .collect(),
            exceptions: report.exceptions.iter().map(ExceptionView::from).collect(),
            notes: report.notes.iter().map(NoteView::from).collect(),
        }
    }
}
