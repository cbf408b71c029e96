//! The exclusive right to work on a destination account.
//!
//! Two runs into one account could append the same message twice, so there is one at a time (fault model, section 2).
//! What keeps the right is something that ends with the process whatever happens to it: a lock of the operating system
//! on a file beside the ledger, or a session lock of PostgreSQL. A network file system that does not carry locks from
//! machine to machine is no place for a ledger that several machines use.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hikyaku_core::{AccountId, Fault, InternalDate};
use sqlx::{Connection, PgConnection, PgPool};

use crate::fault;
use crate::link::{Link, Value};

/// Holders inside this process, by account.
pub(crate) type Owners = Arc<Mutex<HashMap<String, String>>>;

/// Longest text about an owner that is read; PostgreSQL keeps 63 octets of it.
const OWNER_OCTETS: u64 = 300;

/// The right, until it is dropped.
#[must_use = "the right ends when this is dropped"]
pub struct Hold(Kind, Vec<Hold>);

enum Kind {
    File {
        _locked: File,
    },
    Memory {
        _listed: Listed,
    },
    Postgres {
        connection: Box<PgConnection>,
        key: i64,
    },
}

/// An entry of [`Owners`], until it is dropped.
struct Listed {
    owners: Owners,
    account: String,
}

impl Hold {
    fn new(kind: Kind) -> Self {
        Self(kind, Vec::new())
    }

    /// With the same right in other places, which ends with this one.
    pub(crate) fn and(mut self, others: Vec<Hold>) -> Self {
        self.1.extend(others);
        self
    }

    /// Gives the right back and waits until another can have it. Dropping does the same, where PostgreSQL keeps the
    /// lock, a moment later.
    pub async fn release(self) {
        if let Kind::Postgres {
            mut connection,
            key,
        } = self.0
        {
            let unlock = "SELECT pg_advisory_unlock($1)";
            Link::Postgres(&mut connection)
                .each(unlock, &[Value::Int(key)], |_| Ok(()))
                .await
                .ok();
            connection.close().await.ok();
        }
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hold")
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.account);
    }
}

/// By a file beside the ledger. The file stays: removing it while another process is about to lock it would give the
/// right to two.
pub(crate) fn by_file(
    ledger: &Path,
    destination: &AccountId,
    now_millis: i64,
) -> Result<Hold, Fault> {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(format!(".hold-{:016x}", account_number(destination)));
    let path = ledger.with_file_name(name);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(|e| fault::file(&path, &e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(fault::held(&read_owner(&mut file))),
        Err(TryLockError::Error(error)) => return Err(fault::file(&path, &error)),
    }
    // For people only: that it cannot be written takes nothing from the lock.
    let written = file.set_len(0).and_then(|()| file.rewind());
    written
        .and_then(|()| file.write_all(owner(now_millis).as_bytes()))
        .ok();
    Ok(Hold::new(Kind::File { _locked: file }))
}

/// Everybody who holds an account by a file beside this ledger.
pub(crate) fn owners(ledger: &Path) -> Vec<String> {
    let directory = ledger.parent().map(std::fs::read_dir);
    let entries = directory.into_iter().flatten().flatten().flatten();
    let start = format!("{}.hold-", ledger.file_name().unwrap_or_default().display());
    let held = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&start))
        .filter_map(|entry| File::open(entry.path()).ok())
        .filter(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
    let mut owners: Vec<String> = held.map(|mut file| read_owner(&mut file)).collect();
    owners.sort_unstable();
    owners
}

fn read_owner(file: &mut File) -> String {
    let mut text = Vec::new();
    file.take(OWNER_OCTETS).read_to_end(&mut text).ok();
    name_owner(&String::from_utf8_lossy(&text))
}

/// By a list in this process.
pub(crate) fn by_memory(
    owners: &Owners,
    destination: &AccountId,
    now_millis: i64,
) -> Result<Hold, Fault> {
    let account = destination.as_str().to_owned();
    let mut held = owners.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(owner) = held.get(&account) {
        return Err(fault::held(owner));
    }
    held.insert(account.clone(), owner(now_millis));
    Ok(Hold::new(Kind::Memory {
        _listed: Listed {
            owners: Arc::clone(owners),
            account,
        },
    }))
}

/// By a session lock, on a connection of its own whose name tells the owner.
pub(crate) async fn by_postgres(
    pool: &PgPool,
    destination: &AccountId,
    now_millis: i64,
) -> Result<Hold, Fault> {
    // The same 64 bits, read with a sign.
    let key = account_number(destination).cast_signed();
    let mut connection = pool.acquire().await.map_err(fault::from_sqlx)?.detach();
    let mut link = Link::Postgres(&mut connection);
    let lock = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN 1::bigint ELSE 0::bigint END";
    if link
        .first(lock, &[Value::Int(key)], |row| row.int(0))
        .await?
        == Some(1)
    {
        let owner = owner(now_millis);
        let name = "SELECT set_config('application_name', $1, false)";
        link.each(name, &[Value::Text(&owner)], |_| Ok(())).await?;
        return Ok(Hold::new(Kind::Postgres {
            connection: Box::new(connection),
            key,
        }));
    }
    let query = "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND (l.classid::bigint << 32 | l.objid::bigint) = $1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let owner = link
        .first(query, &[Value::Int(key)], |row| {
            Ok(name_owner(row.text(0)?))
        })
        .await?;
    connection.close().await.ok();
    Err(fault::held(&owner.unwrap_or_else(|| name_owner(""))))
}

/// Stable over releases and machines, and tells nothing about the account.
fn account_number(account: &AccountId) -> u64 {
    let hash = blake3::hash(account.as_str().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// Who this process is. Short, because PostgreSQL cuts names.
fn owner(now_millis: i64) -> String {
    let since = InternalDate::utc(now_millis.div_euclid(1000));
    format!(
        "process {} since {since} on {}",
        std::process::id(),
        machine()
    )
}

fn name_owner(text: &str) -> String {
    let clean: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if clean.is_empty() {
        "another process".to_owned()
    } else {
        clean
    }
}

#[cfg(unix)]
fn machine() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn machine() -> String {
    "this machine".to_owned()
}
