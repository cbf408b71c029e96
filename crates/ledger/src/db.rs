//! The two databases, and how a connection to them is come by.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hikyaku_core::{Code, Fault};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgPool, Postgres, SqliteConnection};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::damage::{self, User};
use crate::fault;
use crate::link::Link;
use crate::schema::{self, Steps};

/// Reading connections to a SQLite file; each has a thread of its own.
const READERS: usize = 3;

/// What the writing connection is told once it is there. These read the file, which may be damaged: a connection that
/// fails while it is made is closed at some later time, when its file may have another name already. Every commit waits
/// for the disk. The page cache is in KiB (negative says so). What is deleted is overwritten where that costs no write
/// of its own: sealed passwords.
const WRITER_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 16777216; \
     PRAGMA secure_delete = FAST";

/// Page cache of a reading connection, which goes through pages once.
const READER_CACHE: &str = "-1024";

/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// How long a write waits for a connection to PostgreSQL before it is refused for now.
const CONNECT: Duration = Duration::from_secs(5);

/// Tries to open a file that another process is just creating, 20 ms apart.
const OPEN_TRIES: u32 = 250;

/// Most connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 8;

/// A place where ledgers are kept.
pub(crate) enum Db {
    /// A file, or memory. One connection writes.
    Sqlite {
        /// Gone after [`Db::close`].
        writer: Arc<tokio::sync::Mutex<Option<SqliteConnection>>>,
        /// `None` for memory, which only its one connection can see.
        readers: Option<Arc<Readers>>,
        /// `None` for memory.
        file: Option<(PathBuf, User)>,
    },
    Postgres(PgPool),
}

/// A connection for a while.
pub(crate) enum Lease {
    Writer(OwnedMutexGuard<Option<SqliteConnection>>),
    Reader(Reader),
    Postgres(PoolConnection<Postgres>),
}

impl Lease {
    /// To speak over it.
    pub(crate) fn link(&mut self) -> Result<Link<'_>, Fault> {
        match self {
            Lease::Writer(guard) => guard.as_mut().map(Link::Sqlite),
            Lease::Reader(reader) => reader.connection.as_mut().map(Link::Sqlite),
            Lease::Postgres(connection) => Some(Link::Postgres(connection)),
        }
        .ok_or_else(fault::closed)
    }
}

impl Db {
    /// Opens or creates a file.
    pub(crate) async fn file(path: &Path, steps: Steps) -> Result<Self, Fault> {
        let opened = Self::open_file(path, steps).await;
        opened.map_err(|fault| {
            let mut fault = damage::notice(path, fault);
            let name = path.display().to_string();
            if !fault.detail.contains(&name) {
                fault.detail = format!("{name}: {}", fault.detail);
            }
            fault
        })
    }

    async fn open_file(path: &Path, steps: Steps) -> Result<Self, Fault> {
        create_directory(path).map_err(|e| fault::file(path, &e))?;
        // Order matters: from here on nobody sets the file aside.
        let user = User::new(path)?;
        damage::forget_note_of_none(path);
        if let Some(fault) = damage::found_before(path) {
            return Err(fault);
        }
        create_private(path).map_err(|e| fault::file(path, &e))?;
        if damage::has_odd_head(path) {
            return Err(fault::damaged(
                "the ledger's first octets are not as they were written".to_owned(),
            ));
        }
        let options = sqlite_options().filename(path);
        let mut tries = 0;
        let mut writer = loop {
            match open_sqlite(&options, steps).await {
                // SQLite does not wait while another process switches a new file to write-ahead logging.
                Err(fault) if fault.code == Code::LedgerBusy && tries < OPEN_TRIES => tries += 1,
                done => break done?,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        if user.was_left_open {
            // A power cut may lose whole pages at disks that promise more than they keep.
            let checked = check_pages(&mut Link::Sqlite(&mut writer)).await;
            if let Err(fault) = checked {
                close(writer).await;
                return Err(fault);
            }
        }
        let reading = options.read_only(true).pragma("cache_size", READER_CACHE);
        Ok(Db::Sqlite {
            writer: shared(writer),
            readers: Some(Arc::new(Readers::new(reading))),
            file: Some((path.to_owned(), user)),
        })
    }

    /// A ledger that ends with its last handle.
    pub(crate) async fn memory(steps: Steps) -> Result<Self, Fault> {
        let writer = open_sqlite(&sqlite_options().in_memory(true), steps).await?;
        Ok(Db::Sqlite {
            writer: shared(writer),
            readers: None,
            file: None,
        })
    }

    /// Tables in a PostgreSQL database.
    pub(crate) async fn postgres(url: &str, steps: Steps) -> Result<Self, Fault> {
        let options = PgConnectOptions::from_str(url)
            .map_err(fault::from_sqlx)?
            .application_name("hikyaku")
            .options([("search_path", "hikyaku")])
            .disable_statement_logging();
        // The first connection is made by hand: its fault says more than the pool's "timed out".
        let mut first = options.connect().await.map_err(fault::from_sqlx)?;
        schema::prepare_postgres(&mut Link::Postgres(&mut first), steps).await?;
        first.close().await.ok();
        Ok(Db::Postgres(
            PgPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(CONNECT)
                .connect_lazy_with(options),
        ))
    }

    /// A connection that sees everything that is durable.
    pub(crate) async fn reader(&self) -> Result<Lease, Fault> {
        match self {
            Db::Sqlite {
                readers: Some(readers),
                ..
            } => Ok(Lease::Reader(Readers::lease(readers).await?)),
            Db::Sqlite {
                writer,
                readers: None,
                ..
            } => Ok(Lease::Writer(Arc::clone(writer).lock_owned().await)),
            Db::Postgres(pool) => Ok(Lease::Postgres(
                pool.acquire().await.map_err(fault::from_sqlx)?,
            )),
        }
    }

    /// A connection that may write. For the writer task only.
    pub(crate) async fn writer(&self) -> Result<Lease, Fault> {
        match self {
            Db::Sqlite { writer, .. } => Ok(Lease::Writer(Arc::clone(writer).lock_owned().await)),
            Db::Postgres(pool) => Ok(Lease::Postgres(
                pool.acquire().await.map_err(fault::from_sqlx)?,
            )),
        }
    }

    /// A fault of the database on its way out.
    pub(crate) fn notice(&self, fault: Fault) -> Fault {
        match self {
            Db::Sqlite {
                file: Some((path, _)),
                ..
            } => damage::notice(path, fault),
            _ => fault,
        }
    }

    /// What was asked of the database, with its faults as [`Db::notice`] tells them.
    pub(crate) async fn noticing<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        work.await.map_err(|fault| self.notice(fault))
    }

    /// Ends all connections. What is asked afterwards is refused.
    pub(crate) async fn close(&self) {
        match self {
            Db::Sqlite {
                writer, readers, ..
            } => {
                // Order matters: the last connection folds the write-ahead log into the file, and a reader cannot.
                if let Some(readers) = readers {
                    readers.close().await;
                }
                if let Some(writer) = writer.lock().await.take() {
                    writer.close().await.ok();
                }
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

fn shared(connection: SqliteConnection) -> Arc<tokio::sync::Mutex<Option<SqliteConnection>>> {
    Arc::new(tokio::sync::Mutex::new(Some(connection)))
}

fn sqlite_options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("cell_size_check", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("temp_store", "MEMORY")
        .row_buffer_size(512)
        .thread_name(|n| format!("ledger-{n}"))
        .disable_statement_logging()
}

async fn open_sqlite(
    options: &SqliteConnectOptions,
    steps: Steps,
) -> Result<SqliteConnection, Fault> {
    let mut connection = options.connect().await.map_err(fault::from_sqlx)?;
    let link = &mut Link::Sqlite(&mut connection);
    let prepared = async {
        link.script(WRITER_SETTINGS).await?;
        schema::prepare_sqlite(link, steps).await
    };
    match prepared.await {
        Ok(()) => Ok(connection),
        Err(fault) => {
            close(connection).await;
            Err(fault)
        }
    }
}

/// Waits for the end. A connection that is only dropped ends a moment later and then removes its log by name, which may
/// be that of a new ledger by then.
async fn close(connection: SqliteConnection) {
    connection.close().await.ok();
}

/// Reads every page and compares tables with their indexes.
///
/// Fault: `LedgerDamaged` with the first thing found.
pub(crate) async fn check_pages(link: &mut Link<'_>) -> Result<(), Fault> {
    let query = "PRAGMA integrity_check(1)";
    let found = link
        .first(query, &[], |row| Ok(row.text(0)?.to_owned()))
        .await?;
    match found {
        Some(text) if text == "ok" => Ok(()),
        other => Err(fault::damaged(other.unwrap_or_default())),
    }
}

/// Makes the directory of the ledger where there is none, for its owner only.
fn create_directory(path: &Path) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|d| !d.as_os_str().is_empty())
        .map(PathBuf::from);
    if let Some(directory) = directory.filter(|d| !d.is_dir()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
    }
    Ok(())
}

/// Makes sure that the file exists and, where it is new, that only its owner can read it: it names accounts.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Connections that only read, made when first needed.
///
/// A pool of our own, because that of the driver gives up by a timer, and timers jump in simulated time.
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    fn new(options: SqliteConnectOptions) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(READERS)),
        }
    }

    async fn lease(readers: &Arc<Self>) -> Result<Reader, Fault> {
        let permit = Arc::clone(&readers.permits)
            .acquire_owned()
            .await
            .map_err(|_| fault::closed())?;
        let idle = readers
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => readers.options.connect().await.map_err(fault::from_sqlx)?,
        };
        Ok(Reader {
            connection: Some(connection),
            home: Arc::clone(readers),
            _permit: permit,
        })
    }

    async fn close(&self) {
        // Whoever reads now is waited for.
        let all = self.permits.acquire_many(READERS as u32).await;
        self.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            connection.close().await.ok();
        }
    }
}

/// A reading connection on loan; it goes back when this is dropped.
pub(crate) struct Reader {
    connection: Option<SqliteConnection>,
    home: Arc<Readers>,
    // Order matters: fields are dropped after `Drop::drop`, so the connection is back before the permit is.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
