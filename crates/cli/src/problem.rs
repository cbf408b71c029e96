//! What the person has to change before anything can start.

use crate::config::ConfigProblem;
use crate::locator::{LocatorProblem, masked};
use crate::secret::SecretProblem;
use crate::words;
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_text::Lang;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A mistake in what was asked for.
#[derive(Debug)]
pub(crate) enum Problem {
    /// A locator that cannot be read; the text never holds a password.
    Locator(String, LocatorProblem),
    /// A kind of place that this version cannot read or write.
    NotYet(&'static str),
    /// A path at which nothing is, or a word that looks like one.
    Place(String),
    /// What can be read and not written, as a destination.
    OnlySource(String),
    /// A backup and mail in files of which one lies within the other: each run would save what the
    /// one before it has saved.
    BackupWithin(PathBuf, PathBuf),
    /// One side to compare, which is no backup.
    NothingToCompare,
    /// Nobody knows where the person's files are.
    NoHome,
    /// No mail was found on this computer, and no other source is named.
    NoSource,
    /// A saved name that the configuration lacks; the nearest that it has.
    SavedName(String, Option<String>),
    /// The configuration cannot be used.
    Config(ConfigProblem),
    /// A password or token cannot be read.
    Secret(Side, SecretProblem),
    /// A file with issuers cannot be used.
    CaFile(PathBuf, String),
    /// `--since` is not before `--before`.
    EmptyTime,
    /// The destination is named twice, differently.
    UnderTwice,
    /// `--label-priority` without `--labels one`.
    LabelPriority,
    /// The directory of the ledger cannot be made or written.
    State(PathBuf, io::ErrorKind),
    /// Nobody knows where the ledger is to live.
    NoState,
    /// A code that does not exist, and the nearest that does.
    UnknownCode(String, Option<String>),
    /// A run or job that the ledger does not know.
    UnknownRun(String),
    /// The ledger knows no run at all.
    NoRun,
    /// A run that was killed, or still goes on.
    Unended(String),
    /// Something is to be deleted and nobody can be asked.
    Unconfirmed,
    /// A file that should be written cannot be.
    Output(PathBuf, io::ErrorKind),
    /// A file of the service cannot be used.
    Service(hikyaku_service::strict::Problem),
    /// The page cannot be offered at this address.
    Listen(SocketAddr, io::ErrorKind),
}

impl Problem {
    /// About a locator; hides what may be a password.
    pub(crate) fn locator(text: &str, why: LocatorProblem) -> Self {
        Self::Locator(masked(text), why)
    }

    /// The stable code.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Locator(..)
            | Self::NotYet(_)
            | Self::Place(_)
            | Self::OnlySource(_)
            | Self::BackupWithin(..)
            | Self::SavedName(..) => Code::LocatorInvalid,
            Self::Secret(..) => Code::SecretUnreadable,
            Self::State(_, io::ErrorKind::StorageFull)
            | Self::Output(_, io::ErrorKind::StorageFull) => Code::DiskFull,
            Self::Config(_)
            | Self::CaFile(..)
            | Self::EmptyTime
            | Self::NothingToCompare
            | Self::NoHome
            | Self::NoSource
            | Self::UnderTwice
            | Self::LabelPriority
            | Self::State(..)
            | Self::NoState
            | Self::UnknownCode(..)
            | Self::UnknownRun(_)
            | Self::NoRun
            | Self::Unended(_)
            | Self::Unconfirmed
            | Self::Output(..)
            | Self::Service(_)
            | Self::Listen(..) => Code::ConfigInvalid,
        }
    }

    /// What is wrong and what to do, for a person.
    pub(crate) fn sentences(&self, lang: Lang) -> words::Advice {
        words::problem(self, lang)
    }

    /// As a fault, for programs.
    pub(crate) fn fault(&self) -> Fault {
        let advice = self.sentences(Lang::En);
        let detail = format!("{} {}", advice.cause, advice.remedy);
        let fault = Fault::new(self.code(), Reach::Job, Remedy::AskUser, detail);
        match self {
            Self::Secret(side, _) => fault.on(*side),
            _ => fault,
        }
    }
}

impl From<ConfigProblem> for Problem {
    fn from(problem: ConfigProblem) -> Self {
        Self::Config(problem)
    }
}

/// Why a command ended before its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A mistake in what was asked for.
    Problem(Problem),
    /// Something failed.
    Fault(Fault),
}

impl Failure {
    /// As a fault, for programs and for the exit code.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Problem(problem) => problem.fault(),
            Self::Fault(fault) => fault.clone(),
        }
    }
}

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
