//! From what the operating system says to what a person is told.

use hikyaku_core::{Code, Fault, Key, Reach, Remedy};
use std::io;
use std::path::Path;

/// A fault of reading: nothing was lost, and nothing is written.
pub(crate) fn reading(path: &Path, error: &io::Error) -> Fault {
    told(Code::BackupUnreadable, path, error)
}

/// A fault of writing: no room, or no right, or a disk that fails.
pub(crate) fn writing(path: &Path, error: &io::Error) -> Fault {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::BackupFull,
        _ => Code::BackupUnwritable,
    };
    told(code, path, error)
}

fn told(code: Code, path: &Path, error: &io::Error) -> Fault {
    backup(code, path, format!("{}: {error}", path.display()))
}

/// A fault of the whole backup that somebody has to do something about.
pub(crate) fn backup(code: Code, path: &Path, detail: impl Into<String>) -> Fault {
    Fault::new(code, Reach::Side, Remedy::AskUser, detail).server(path.display().to_string())
}

/// A fault of one message: it is named, and the others go on.
pub(crate) fn message(path: &Path, detail: impl Into<String>) -> Fault {
    Fault::new(Code::BackupDamaged, Reach::Message, Remedy::Skip, detail)
        .server(path.display().to_string())
}

/// The same for one message only: the others may be well.
pub(crate) fn of_message(fault: Fault, key: Key) -> Fault {
    Fault {
        reach: Reach::Message,
        remedy: Remedy::Skip,
        ..fault.message(key)
    }
}

/// A task that was given up while the program ends, or a panic.
pub(crate) fn gone(error: &tokio::task::JoinError) -> Fault {
    match error.is_panic() {
        true => Fault::bug("a panic while working on the files of a backup"),
        false => Fault::new(
            Code::Interrupted,
            Reach::Job,
            Remedy::Retry { after: None },
            "the program ends",
        ),
    }
}
