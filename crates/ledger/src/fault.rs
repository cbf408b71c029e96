//! Faults of the databases, in the words of the product.
//!
//! Details name the ledger and the database's reason. They never hold a value of a row or a connection's password.

use std::path::Path;

use hikyaku_core::{Code, Fault, Reach, Remedy};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::sqlite::SqliteError;

/// What a driver answered.
pub(crate) fn from_sqlx(error: sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<SqliteError>() {
            Some(error) => from_sqlite(error),
            None => from_postgres(&*error),
        },
        sqlx::Error::Io(error) => match error.kind() {
            kind if is_full(kind) => disk_full(&error.to_string()),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => retry(
                Code::HostUnreachable,
                format!("the ledger's database cannot be reached: {error}; start it and run again"),
            ),
            _ => link_lost(&error.to_string()),
        },
        sqlx::Error::Tls(error) => ask(
            Code::TlsFailed,
            format!("no encrypted connection to the ledger's database: {error}"),
        ),
        sqlx::Error::PoolTimedOut => retry(
            Code::HostUnreachable,
            "no connection to the ledger's database could be had in time; run again to continue"
                .to_owned(),
        ),
        sqlx::Error::Configuration(error) => ask(
            Code::ConfigInvalid,
            format!("the ledger's address cannot be used: {error}"),
        ),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => closed(),
        sqlx::Error::Protocol(what) => link_lost(&what),
        error @ (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
            damaged(format!("a record cannot be read: {error}"))
        }
        error => Fault::bug(format!("the ledger's database driver: {error}")),
    }
}

/// `SQLITE_IOERR_SHORT_READ`: the file is shorter than it says.
const SHORT_READ: i32 = 10 | 2 << 8;

/// By the primary result code (<https://www.sqlite.org/rescode.html>).
fn from_sqlite(error: &SqliteError) -> Fault {
    let code: i32 = error
        .code()
        .and_then(|c| c.parse().ok())
        .unwrap_or_default();
    let message = error.message();
    match code & 0xff {
        5 | 6 => retry(
            Code::LedgerBusy,
            format!("another process keeps the ledger locked ({message}); try again later"),
        ),
        10 if code == SHORT_READ => damaged(message.to_owned()),
        // The file itself was opened before; what SQLite then cannot open is what it would have to make beside it.
        8 | 10 | 14 | 23 => unwritable(message),
        11 | 26 => damaged(message.to_owned()),
        13 => disk_full(message),
        _ => Fault::bug(format!(
            "the ledger's database refused a statement (code {code}): {message}"
        )),
    }
}

/// By SQLSTATE (PostgreSQL manual, appendix A).
fn from_postgres(error: &dyn DatabaseError) -> Fault {
    let state = error.code().unwrap_or_default();
    let message = error.message();
    match &*state {
        "53100" => disk_full(message),
        // Written to a standby, or the disk under the tables failed.
        "25006" | "58030" => unwritable(message),
        "40001" | "40P01" | "55P03" | "57014" => retry(
            Code::LedgerBusy,
            format!("the ledger's database is busy ({message})"),
        ),
        "3D000" | "42501" => ask(
            Code::ConfigInvalid,
            format!("the ledger's database cannot be used ({message})"),
        ),
        _ if state.starts_with("08") || state.starts_with("57P") => link_lost(message),
        _ if state.starts_with("28") => ask(
            Code::ConfigInvalid,
            format!("the ledger's database refused the login ({message})"),
        ),
        _ if state.starts_with("53") => retry(
            Code::LedgerBusy,
            format!("the ledger's database is busy ({message})"),
        ),
        _ if state.starts_with("XX") || state.starts_with("58") => damaged(message.to_owned()),
        _ => Fault::bug(format!(
            "the ledger's database refused a statement (SQLSTATE {state}): {message}"
        )),
    }
}

/// A value that could not be handed to the driver.
pub(crate) fn encoding(error: BoxDynError) -> Fault {
    Fault::bug(format!("a value does not fit into the ledger: {error}"))
}

/// The ledger holds what this program never wrote.
pub(crate) fn damaged(what: String) -> Fault {
    ask(Code::LedgerDamaged, what)
}

/// What the detail of a damaged file says besides: what the next run does about it.
pub(crate) fn set_aside_next(mut fault: Fault) -> Fault {
    fault.detail += "; the next run that writes sets the file aside, begins a new ledger and matches both sides by content";
    fault
}

/// A damaged file that another process has open.
pub(crate) fn still_open(mut fault: Fault) -> Fault {
    fault.detail += "; another process has it open: end that one and run again";
    fault
}

/// Who works with the file that is locked.
pub(crate) fn busy_with(mut fault: Fault, owners: &str) -> Fault {
    fault.detail = format!("{}; working with it: {owners}", fault.detail);
    fault
}

/// The disk, or the permissions on it, do not let the ledger be written.
pub(crate) fn unwritable(what: &str) -> Fault {
    ask(
        Code::LedgerUnwritable,
        format!(
            "the ledger cannot be written ({what}); check the disk and the permissions, then run again to continue"
        ),
    )
}

/// A schema that this program does not know.
pub(crate) fn newer(found: i64, known: i64) -> Fault {
    ask(
        Code::LedgerVersion,
        format!(
            "the ledger has schema {found}, this program knows up to {known}; use the newer program"
        ),
    )
}

/// Somebody else has the exclusive right.
pub(crate) fn held(owner: &str) -> Fault {
    retry(
        Code::LedgerBusy,
        format!("the destination account is being worked on by {owner}; wait for it or stop it"),
    )
}

/// The ledger was closed while something was asked of it.
pub(crate) fn closed() -> Fault {
    retry(
        Code::Interrupted,
        "the ledger was closed; run again to continue".to_owned(),
    )
}

/// A file operation beside the database.
pub(crate) fn file(path: &Path, error: &std::io::Error) -> Fault {
    let what = format!("{}: {error}", path.display());
    match error.kind() {
        kind if is_full(kind) => disk_full(&what),
        std::io::ErrorKind::NotADirectory
        | std::io::ErrorKind::IsADirectory
        | std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::InvalidFilename => ask(
            Code::ConfigInvalid,
            format!("cannot use {what}; choose another path"),
        ),
        _ => unwritable(&what),
    }
}

/// Whether there is no room, or no more room for this person.
pub(crate) fn is_full(kind: std::io::ErrorKind) -> bool {
    matches!(
        kind,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    )
}

pub(crate) fn disk_full(what: &str) -> Fault {
    ask(
        Code::DiskFull,
        format!("no space left for the ledger ({what}); free some and run again to continue"),
    )
}

fn link_lost(what: &str) -> Fault {
    retry(
        Code::LinkLost,
        format!("the connection to the ledger's database was lost: {what}"),
    )
}

fn retry(code: Code, detail: String) -> Fault {
    Fault::new(code, Reach::Job, Remedy::Retry { after: None }, detail)
}

fn ask(code: Code, detail: String) -> Fault {
    Fault::new(code, Reach::Job, Remedy::AskUser, detail)
}
