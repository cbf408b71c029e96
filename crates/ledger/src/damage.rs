//! A file in trouble: what a fault of it means, who else uses it, and how a damaged one is set aside.
//!
//! ```text
//! ledger.sqlite            the ledger, with its log (-wal) and the log's index (-shm)
//! ledger.sqlite.users      locked by all who have it open; alone by the one who sets it aside
//! ledger.sqlite.damaged    says what was found; whoever opens the ledger next for writing sets it aside
//! ledger.sqlite.20261122T043000-damaged    a ledger that was set aside, never read or removed again
//! ```
//!
//! **Invariant**: a damaged file is renamed and never removed. It is as it was found, but for the log of a program that
//! died, which SQLite folds in when it opens the file.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use hikyaku_core::{Code, Fault, InternalDate};

use crate::fault;
use crate::hold;
use crate::schema::APPLICATION;

/// Octets that are written to find out whether there is room: more than a file system keeps in its own corners.
const PROBE: usize = 128 * 1024;

/// What became of a damaged ledger.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// What was found.
    pub why: Fault,
    /// Where the file is now; its log, where it had one, has the same name with `-wal`.
    pub to: PathBuf,
}

/// A file beside the ledger, or the ledger's own log.
fn beside(ledger: &Path, ending: &str) -> PathBuf {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(OsStr::new(ending));
    ledger.with_file_name(name)
}

/// A lock that says: this file is open here. It ends with the process.
pub(crate) struct User {
    _lock: File,
    /// The program that had the file open before did not close it: it was killed, or the power went.
    pub(crate) was_left_open: bool,
}

impl User {
    /// Waits while the file is being set aside.
    pub(crate) fn new(ledger: &Path) -> Result<Self, Fault> {
        let path = beside(ledger, ".users");
        let lock = open(&path).map_err(|e| fault::file(&path, &e))?;
        // Who is alone and finds a log that nobody folded in knows that it was left.
        let was_left_open = lock.try_lock().is_ok() && {
            let log = std::fs::metadata(beside(ledger, "-wal"));
            lock.unlock().map_err(|e| fault::file(&path, &e))?;
            log.is_ok_and(|log| log.len() > 0)
        };
        lock.lock_shared().map_err(|e| fault::file(&path, &e))?;
        Ok(Self {
            _lock: lock,
            was_left_open,
        })
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What was found in this file before, where that was damage.
pub(crate) fn found_before(ledger: &Path) -> Option<Fault> {
    let mut what = String::new();
    let note = File::open(beside(ledger, ".damaged")).ok()?;
    note.take(1000).read_to_string(&mut what).ok();
    Some(fault::damaged(format!("found earlier: {what}")))
}

/// Whether the first octets of the file are those of a ledger, and not as SQLite would have written them
/// (<https://www.sqlite.org/fileformat2.html>, section 1.3). SQLite itself takes some of these changes as they are, and
/// writes accordingly.
pub(crate) fn has_odd_head(ledger: &Path) -> bool {
    let mut head = [0; 100];
    let read = File::open(ledger).and_then(|mut file| file.read_exact(&mut head));
    let number =
        |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if read.is_err()
        || !head.starts_with(b"SQLite format 3\0")
        || i64::from(number(68)) != APPLICATION
    {
        return false;
    }
    let is_logged = head[18] == 2 && head[19] == 2;
    let (reserved, format, largest_root) = (head[20], number(44), number(52));
    let (encoding, vacuum) = (number(56), number(64));
    let is_plain = (reserved, largest_root, vacuum) == (0, 0, 0) && (1..=4).contains(&format);
    !(is_logged && is_plain && encoding == 1 && head[72..92].iter().all(|o| *o == 0))
}

/// A fault of the file on its way out: remembers damage for the next run, and tells what SQLite does not tell.
pub(crate) fn notice(ledger: &Path, fault: Fault) -> Fault {
    match fault.code {
        Code::LedgerDamaged => {
            // A disk that cannot take this either finds the damage again.
            note_damage(ledger, &fault).ok();
            fault::set_aside_next(fault)
        }
        // SQLite tells a full disk from a broken one at some of its writes only, and knows no quotas.
        Code::LedgerUnwritable if is_full(ledger) => fault::disk_full(&fault.detail),
        Code::LedgerBusy => match hold::owners(ledger).as_slice() {
            [] => fault,
            owners => fault::busy_with(fault, &owners.join(", ")),
        },
        _ => fault,
    }
}

fn note_damage(ledger: &Path, fault: &Fault) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut note = options.open(beside(ledger, ".damaged"))?;
    note.write_all(fault.detail.as_bytes())?;
    note.sync_all()
}

fn is_full(ledger: &Path) -> bool {
    let path = beside(ledger, ".probe");
    let written = open(&path).and_then(|mut file| {
        file.write_all(&[0; PROBE])?;
        file.sync_all()
    });
    std::fs::remove_file(&path).ok();
    written.is_err_and(|e| fault::is_full(e.kind()))
}

/// Gives a damaged ledger another name, so that the next one starts empty. The name has the time, and is free.
///
/// Faults: that of the file operation; the damage itself while another process has the file open, because renaming it
/// under that process would mix its log with the new ledger's.
pub(crate) fn set_aside(ledger: &Path, why: Fault, now_millis: i64) -> Result<SetAside, Fault> {
    let users = beside(ledger, ".users");
    let lock = open(&users).map_err(|e| fault::file(&users, &e))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(fault::still_open(why)),
        Err(TryLockError::Error(error)) => return Err(fault::file(&users, &error)),
    }
    let failed = |e: std::io::Error| fault::file(ledger, &e);
    // Order matters: the note comes first and goes last, the ledger moves after its log. Whoever is stopped in between
    // is found by the next, and never is an old log taken for that of a new ledger.
    match note_damage(ledger, &why) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let to = free_name(ledger, now_millis);
    for ending in ["-wal", "-shm", ""] {
        match std::fs::rename(beside(ledger, ending), beside(&to, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    sync_directory(ledger).map_err(failed)?;
    std::fs::remove_file(beside(ledger, ".damaged")).map_err(failed)?;
    Ok(SetAside { why, to })
}

/// A note without a ledger: somebody was stopped after the ledger was renamed, or moved it away by hand.
pub(crate) fn forget_note_of_none(ledger: &Path) {
    if !ledger.exists() {
        std::fs::remove_file(beside(ledger, ".damaged")).ok();
    }
}

fn free_name(ledger: &Path, now_millis: i64) -> PathBuf {
    let time = InternalDate::utc(now_millis.div_euclid(1000)).to_string();
    let time = time.split('+').next().unwrap_or_default();
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let names = (1u32..).map(|n| match n {
        1 => beside(ledger, &format!(".{time}-damaged")),
        n => beside(ledger, &format!(".{time}-{n}-damaged")),
    });
    let is_free = |name: &PathBuf| !name.exists() && !beside(name, "-wal").exists();
    let mut free = names.filter(is_free);
    free.next()
        .unwrap_or_else(|| beside(ledger, ".damaged-again"))
}

/// Makes the renaming itself durable.
fn sync_directory(ledger: &Path) -> std::io::Result<()> {
    match ledger.parent().filter(|_| cfg!(unix)) {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}
