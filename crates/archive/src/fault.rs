//! Faults of archives, born with their reach and their remedy.

use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::io;
use std::path::Path;

/// One item cannot be read; the others go on.
pub(crate) fn damaged(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ArchiveDamaged,
        Reach::Message,
        Remedy::Skip,
        detail.into(),
    )
}

/// A part of a message is not in the archive; the rest of it is copied.
pub(crate) fn partial(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ArchivePartial,
        Reach::Message,
        Remedy::AskUser,
        detail.into(),
    )
}

/// One item is encrypted; the others go on.
pub(crate) fn encrypted(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ArchiveEncrypted,
        Reach::Message,
        Remedy::AskUser,
        detail.into(),
    )
}

/// An item is not what the scan saw.
pub(crate) fn changed(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ArchiveChanged,
        Reach::Message,
        Remedy::Retry { after: None },
        detail.into(),
    )
}

/// What lies at the path is of another kind.
pub(crate) fn wrong_kind(path: &Path, detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ArchiveKind,
        Reach::Job,
        Remedy::AskUser,
        detail.into(),
    )
    .server(path.display().to_string())
}

/// The archive goes beyond a limit.
pub(crate) fn excess(path: &Path, detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ArchiveExcess,
        Reach::Job,
        Remedy::AskUser,
        detail.into(),
    )
    .server(path.display().to_string())
}

/// The path itself cannot be opened: nothing can be read.
pub(crate) fn missing(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        Code::ArchiveMissing,
        Reach::Job,
        Remedy::AskUser,
        error.to_string(),
    )
    .server(path.display().to_string())
}

/// A folder cannot be read; the others go on.
pub(crate) fn folder(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        Code::MailboxUnreadable,
        Reach::Mailbox,
        Remedy::AskUser,
        format!("{}: {error}", path.display()),
    )
}

/// One message's file cannot be read.
pub(crate) fn message(error: &io::Error) -> Fault {
    match error.kind() {
        // It was there when the folder was scanned, and longer.
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => changed(error.to_string()),
        io::ErrorKind::InvalidData => damaged(error.to_string()),
        _ => Fault::new(
            Code::MessageUnreadable,
            Reach::Message,
            Remedy::Skip,
            error.to_string(),
        ),
    }
}
