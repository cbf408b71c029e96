//! The store: one file or database with any number of pairs of accounts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hikyaku_core::report::Tally;
use hikyaku_core::{AccountId, Code, Fault};

use crate::codec::{self, uint};
use crate::damage::{self, SetAside};
use crate::db::{self, Db};
use crate::hold::{self, Hold};
use crate::host::{self, Remember};
use crate::link::Value;
use crate::pair::PairLedger;
use crate::pairing::{self, FindPair, Forget};
use crate::record;
use crate::run::{self, BeginRun, Cursor, EndRun, ExceptionRow, Run, RunId};
use crate::schema;
use crate::writer::Writer;

/// Number of a pair of accounts inside its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairId(pub i64);

/// What is known of a pair of accounts, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSummary {
    /// Its number.
    pub id: PairId,
    /// The account that is read.
    pub source: AccountId,
    /// The account that is written.
    pub destination: AccountId,
    /// Source mailboxes that were mapped.
    pub mailboxes: u64,
    /// Records in the newest epoch of each mailbox, by outcome.
    pub tally: Tally,
    /// The latest run, if there was one.
    pub last_run: Option<Run>,
}

/// Durable state. Clones share it. All methods must be called inside the tokio runtime in which it was opened.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Arc<Db>,
    pub(crate) writer: Writer,
    home: Home,
}

/// Where the store is, as far as holds are concerned.
enum Home {
    File(PathBuf),
    /// Holds are taken in the list, and then by files beside these paths.
    Memory(hold::Owners, Vec<PathBuf>),
    Postgres,
}

impl Store {
    /// Opens a SQLite file, or makes it, with its directory, readable by its owner only.
    ///
    /// Faults: `LedgerVersion` for a newer schema, `LedgerDamaged`, `LedgerBusy` when another process keeps it locked
    /// for ten seconds, `DiskFull`, `LedgerUnwritable` for a disk that fails and for missing permissions,
    /// `ConfigInvalid` for a path that cannot be used or another program's database.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Fault> {
        let path = path.as_ref();
        Ok(Self::with(
            Db::file(path, schema::SQLITE).await?,
            Home::File(path.to_owned()),
        ))
    }

    /// Opens a file for a run that writes. A damaged one is set aside first, and an empty one begun: its mailboxes are
    /// then matched by content (fault 32).
    ///
    /// Faults: as of [`Store::open`]; `LedgerDamaged` while another process has the damaged file open.
    pub async fn open_or_renew(
        path: impl AsRef<Path>,
        now_millis: i64,
    ) -> Result<(Self, Option<SetAside>), Fault> {
        let path = path.as_ref();
        match Self::open(path).await {
            Err(fault) if fault.code == Code::LedgerDamaged => {
                let aside = damage::set_aside(path, fault, now_millis)?;
                Ok((Self::open(path).await?, Some(aside)))
            }
            opened => Ok((opened?, None)),
        }
    }

    /// A store that ends with its last clone, for runs without memory and for tests.
    pub async fn open_in_memory() -> Result<Self, Fault> {
        Ok(Self::with(
            Db::memory(schema::SQLITE).await?,
            Home::Memory(hold::Owners::default(), Vec::new()),
        ))
    }

    /// A store in memory, whose holds also exclude those of other processes beside these paths: that of a ledger whose
    /// runs shall be excluded, whether it exists or not, in a directory that exists. Must be called before the store is
    /// shared; other stores stay as they are.
    #[must_use]
    pub fn holding_beside(mut self, paths: Vec<PathBuf>) -> Self {
        if let Some(Inner {
            home: Home::Memory(_, beside),
            ..
        }) = Arc::get_mut(&mut self.inner)
        {
            *beside = paths;
        }
        self
    }

    /// Uses a PostgreSQL database, `postgres://user@host/name`. The tables live there in a schema of their own,
    /// `hikyaku`, and are made if needed. The address may hold a password; it never appears in a fault.
    pub async fn connect(url: &str) -> Result<Self, Fault> {
        Ok(Self::with(
            Db::postgres(url, schema::POSTGRES).await?,
            Home::Postgres,
        ))
    }

    fn with(db: Db, home: Home) -> Self {
        let db = Arc::new(db);
        let writer = Writer::start(Arc::clone(&db));
        Self {
            inner: Arc::new(Inner { db, writer, home }),
        }
    }

    /// Writes what is queued and ends all connections, so that a file is left without its write-ahead log. Every later
    /// call is refused. A store that is dropped instead loses nothing.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.db.close().await;
    }

    /// Finds or makes the handle for two accounts.
    pub async fn pair(
        &self,
        source: &AccountId,
        destination: &AccountId,
    ) -> Result<PairLedger, Fault> {
        let find = async {
            let mut lease = self.inner.db.reader().await?;
            pairing::find_pair(&mut lease.link()?, source.as_str(), destination.as_str()).await
        };
        let known = self.read(find).await?;
        let number = match known {
            Some(number) => number,
            None => {
                let (source, destination) =
                    (source.as_str().to_owned(), destination.as_str().to_owned());
                self.inner
                    .writer
                    .write(FindPair {
                        source,
                        destination,
                    })
                    .await?
            }
        };
        Ok(PairLedger::new(
            self.clone(),
            PairId(number),
            destination.clone(),
        ))
    }

    /// Every pair of accounts, oldest first, with counts. Reads through all message records; memory stays flat.
    pub async fn pairs(&self) -> Result<Vec<PairSummary>, Fault> {
        self.read(self.all_pairs()).await
    }

    async fn all_pairs(&self) -> Result<Vec<PairSummary>, Fault> {
        let mut lease = self.inner.db.reader().await?;
        let link = &mut lease.link()?;
        let query = "SELECT p.id, p.source, p.destination, \
                 (SELECT COUNT(*) FROM pairing AS g WHERE g.pair = p.id) FROM pair AS p ORDER BY p.id";
        let mut pairs = link
            .all(query, &[], |row| {
                Ok(PairSummary {
                    id: PairId(row.int(0)?),
                    source: AccountId::new(row.text(1)?),
                    destination: AccountId::new(row.text(2)?),
                    mailboxes: uint("mailboxes", row.int(3)?)?,
                    tally: Tally::default(),
                    last_run: None,
                })
            })
            .await?;
        let query = "SELECT g.pair, m.outcome, COUNT(*), CAST(SUM(m.octets) AS BIGINT) \
             FROM epoch AS e CROSS JOIN pairing AS g CROSS JOIN message AS m \
             WHERE e.number IN (SELECT MAX(number) FROM epoch GROUP BY pairing) AND g.id = e.pairing \
             AND m.pairing = e.pairing AND m.source_epoch = e.epoch GROUP BY g.pair, m.outcome";
        link.each(query, &[], |row| {
            let (outcome, messages) =
                (codec::outcome(row.int(1)?)?, uint("messages", row.int(2)?)?);
            let octets = uint("octets", row.int(3)?)?;
            let pair = row.int(0)?;
            if let Some(summary) = pairs.iter_mut().find(|s| s.id.0 == pair) {
                summary.tally.add(outcome, messages, octets);
            }
            Ok(())
        })
        .await?;
        for run in run::latest(link).await? {
            if let Some(summary) = pairs.iter_mut().find(|s| s.id == run.pair) {
                summary.last_run = Some(run);
            }
        }
        Ok(pairs)
    }

    /// Removes everything about a pair of accounts from the store; nothing at any mail server is touched. Refused while
    /// somebody holds the destination. A pair that is not there is none to forget.
    pub async fn forget(&self, pair: PairId, now_millis: i64) -> Result<(), Fault> {
        let find = async {
            let mut lease = self.inner.db.reader().await?;
            let query = "SELECT destination FROM pair WHERE id = $1";
            lease
                .link()?
                .first(query, &[Value::Int(pair.0)], |row| {
                    Ok(AccountId::new(row.text(0)?))
                })
                .await
        };
        let Some(destination) = self.read(find).await? else {
            return Ok(());
        };
        let hold = self.hold_account(&destination, now_millis).await?;
        let done = self.inner.writer.write(Forget { pair: pair.0 }).await;
        // Whoever forgets another pair of the same account next must not be refused because of this one.
        hold.release().await;
        done
    }

    /// The exclusive right to work on the destination account of a pair, as long as the guard lives. The operating
    /// system (or PostgreSQL) ends it with the process, however that ends.
    ///
    /// Fault: `LedgerBusy`, which names the process that has the right.
    pub async fn hold(&self, pair: &PairLedger, now_millis: i64) -> Result<Hold, Fault> {
        self.hold_account(pair.destination(), now_millis).await
    }

    async fn hold_account(&self, destination: &AccountId, now_millis: i64) -> Result<Hold, Fault> {
        match (&self.inner.home, &*self.inner.db) {
            (Home::File(path), _) => hold::by_file(path, destination, now_millis),
            (Home::Memory(owners, beside), _) => {
                let hold = hold::by_memory(owners, destination, now_millis)?;
                let files = beside
                    .iter()
                    .map(|path| hold::by_file(path, destination, now_millis));
                Ok(hold.and(files.collect::<Result<_, _>>()?))
            }
            (Home::Postgres, Db::Postgres(pool)) => {
                hold::by_postgres(pool, destination, now_millis).await
            }
            (Home::Postgres, Db::Sqlite { .. }) => Err(Fault::bug("a store is in two places")),
        }
    }

    /// The knowledge that no other process serves from this store, as long as the guard lives: then whatever leases stand
    /// in it are those of processes that are gone. `None` where another process serves, and for PostgreSQL, which many
    /// may use at once.
    pub fn sole(&self, now_millis: i64) -> Result<Option<Hold>, Fault> {
        // No account has such a name: see `AccountId`.
        let service = AccountId::new("service");
        let held = match &self.inner.home {
            Home::File(path) => hold::by_file(path, &service, now_millis),
            Home::Memory(owners, _) => hold::by_memory(owners, &service, now_millis),
            Home::Postgres => return Ok(None),
        };
        match held {
            Ok(hold) => Ok(Some(hold)),
            Err(fault) if fault.code == Code::LedgerBusy => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Notes that a run began; the answer is what people quote. `kind` is a word such as `copy` or `check`; the seed
    /// decides the name of the run.
    pub async fn begin_run(
        &self,
        pair: PairId,
        kind: &str,
        now_millis: i64,
        seed: u64,
    ) -> Result<RunId, Fault> {
        self.inner
            .writer
            .write(BeginRun {
                pair,
                kind: kind.to_owned(),
                now_millis,
                seed,
            })
            .await
    }

    /// Notes how a run ended. The summary is the caller's JSON; it must hold no secret.
    pub async fn end_run(
        &self,
        run: RunId,
        summary: &str,
        exit: u8,
        now_millis: i64,
    ) -> Result<(), Fault> {
        self.inner
            .writer
            .write(EndRun {
                run,
                summary: summary.to_owned(),
                exit,
                now_millis,
            })
            .await
    }

    /// The latest runs of all pairs, newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>, Fault> {
        let work = async {
            let mut lease = self.inner.db.reader().await?;
            run::list(&mut lease.link()?, limit).await
        };
        self.read(work).await
    }

    /// One run.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, Fault> {
        let work = async {
            let mut lease = self.inner.db.reader().await?;
            run::find(&mut lease.link()?, id).await
        };
        self.read(work).await
    }

    /// Messages of a pair that are neither copied nor already there, in the newest epoch of each mailbox; only those
    /// that a run settled, where one is named. Ascending from the cursor, at most `limit`.
    pub async fn exceptions(
        &self,
        pair: PairId,
        run: Option<RunId>,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<ExceptionRow>, Fault> {
        let work = async {
            let mut lease = self.inner.db.reader().await?;
            run::exceptions(&mut lease.link()?, pair, run, after, limit).await
        };
        self.read(work).await
    }

    /// How many connections a server let in when it last refused one; `None` where that never happened, and a day
    /// later, so that the number may grow again. Hosts are compared as they are written.
    pub async fn let_in(&self, host: &str, now_millis: i64) -> Result<Option<usize>, Fault> {
        let work = async {
            let mut lease = self.inner.db.reader().await?;
            host::let_in(&mut lease.link()?, host, now_millis).await
        };
        self.read(work).await
    }

    /// Remembers how many connections a server let in, for [`Store::let_in`].
    pub async fn remember_let_in(
        &self,
        host: &str,
        let_in: usize,
        now_millis: i64,
    ) -> Result<(), Fault> {
        self.inner
            .writer
            .write(Remember {
                host: host.to_owned(),
                let_in,
                now_millis,
            })
            .await
    }

    /// Reads everything: every page of a SQLite file, tables against their indexes, rows against their sums. Takes
    /// seconds for a large ledger. The pages of PostgreSQL are its own affair.
    ///
    /// Fault: `LedgerDamaged` with the first thing found.
    pub async fn check(&self) -> Result<(), Fault> {
        let work = async {
            let mut lease = self.inner.db.reader().await?;
            let mut link = lease.link()?;
            if link.is_sqlite() {
                db::check_pages(&mut link).await?;
            }
            pairing::check(&mut link).await?;
            record::check(&mut link).await
        };
        self.read(work).await
    }

    async fn read<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.inner.db.noticing(work).await
    }
}
