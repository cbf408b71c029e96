//! Which tables a ledger has, and how an older one becomes a newer one.
//!
//! A schema's number is the count of steps that made it. Steps are never edited once they were released: a change is a
//! new file, in both folders. The meaning of a column never changes.

use hikyaku_core::{Code, Fault, Reach, Remedy};

use crate::fault;
use crate::link::{Link, Sql, Value};
use crate::sum;

/// The steps of a database, oldest first.
pub(crate) type Steps = &'static [&'static str];

pub(crate) const SQLITE: Steps = &[
    include_str!("../migrations/sqlite/0001_first.sql"),
    include_str!("../migrations/sqlite/0002_host.sql"),
    include_str!("../migrations/sqlite/0003_sums.sql"),
    include_str!("../migrations/sqlite/0004_jobs.sql"),
];
pub(crate) const POSTGRES: Steps = &[
    include_str!("../migrations/postgres/0001_first.sql"),
    include_str!("../migrations/postgres/0002_host.sql"),
    include_str!("../migrations/postgres/0003_sums.sql"),
    include_str!("../migrations/postgres/0004_jobs.sql"),
];

/// `PRAGMA application_id` of a ledger: `hiky` in ASCII.
pub(crate) const APPLICATION: i64 = 0x6869_6b79;

/// The sum over the texts of all tables and indexes of the newest SQLite schema.
const TABLES: i64 = 5_313_444_269_162_745_628;

/// Key of the advisory lock under which PostgreSQL tables are made: `hiky` once more.
const MIGRATION_LOCK: i64 = APPLICATION;

/// Brings a SQLite file to the newest schema; a file that has it is only looked at.
///
/// Faults: [`Code::LedgerVersion`] for a newer schema, [`Code::LedgerDamaged`] for a file that is no database,
/// [`Code::ConfigInvalid`] for another program's database, which stays untouched.
pub(crate) async fn prepare_sqlite(link: &mut Link<'_>, steps: Steps) -> Result<(), Fault> {
    let version = sqlite_version(link).await?;
    let mut looks_right = tables_fit(link, version, steps).await?;
    if !looks_right {
        // Asked again: another process may have brought it forward between both answers.
        link.begin().await?;
        let version = sqlite_version(link).await;
        let fit = tables_fit(link, version.clone().unwrap_or(0), steps).await;
        link.roll_back().await;
        looks_right = version.and(fit)?;
    }
    if !looks_right {
        let what = "the ledger's tables are not those of its schema";
        return Err(fault::damaged(what.to_owned()));
    }
    if is_current(version, steps)? {
        return Ok(());
    }
    if version == 0 {
        // Outside any transaction, or it has no effect. It stays with the file.
        link.each("PRAGMA journal_mode = WAL", &[], |_| Ok(()))
            .await?;
    }
    link.begin().await?;
    let done = advance_sqlite(link, steps).await;
    finish(link, done).await
}

async fn advance_sqlite(link: &mut Link<'_>, steps: Steps) -> Result<(), Fault> {
    // Asked again: another process may have done it while this one waited for the lock.
    let version = sqlite_version(link).await?;
    if is_current(version, steps)? {
        return Ok(());
    }
    run_steps(link, version, steps).await?;
    let stamp = format!(
        "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {}",
        steps.len()
    );
    link.script(Sql::Made(stamp.into())).await
}

async fn sqlite_version(link: &mut Link<'_>) -> Result<i64, Fault> {
    let query = "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema) \
         FROM pragma_application_id AS a, pragma_user_version AS v";
    let found = link
        .first(query, &[], |row| {
            Ok((row.int(0)?, row.int(1)?, row.int(2)?))
        })
        .await?;
    match found {
        Some((0, 0, 0)) => Ok(0),
        Some((APPLICATION, version, _)) if version > 0 => Ok(version),
        Some((APPLICATION, ..)) => Err(fault::damaged("the ledger has no schema".to_owned())),
        _ if has_our_tables(link).await? => Err(fault::damaged(
            "the ledger does not say that it is one".to_owned(),
        )),
        _ => Err(Fault::new(
            Code::ConfigInvalid,
            Reach::Job,
            Remedy::AskUser,
            "the file is the database of another program; choose another place for the ledger",
        )),
    }
}

/// Whether number and tables tell the same: a file has the newest tables exactly when it has their number.
async fn tables_fit(link: &mut Link<'_>, version: i64, steps: Steps) -> Result<bool, Fault> {
    if steps != SQLITE || version == 0 {
        return Ok(true);
    }
    let is_newest = usize::try_from(version) == Ok(steps.len());
    Ok((tables(link).await? == TABLES) == is_newest)
}

/// Whether the tables are ours, though the file does not say so.
async fn has_our_tables(link: &mut Link<'_>) -> Result<bool, Fault> {
    let query = "SELECT count(*) FROM sqlite_schema \
         WHERE type = 'table' AND name IN ('pair', 'place', 'pairing', 'checkpoint', 'message', 'intent')";
    let found = link.first(query, &[], |row| row.int(0)).await?;
    Ok(found >= Some(3))
}

/// The sum over the texts of all tables and indexes.
async fn tables(link: &mut Link<'_>) -> Result<i64, Fault> {
    let query = "SELECT COALESCE(sql, ''), name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name";
    let texts = link
        .all(query, &[], |row| {
            Ok([row.text(0)?.to_owned(), row.text(1)?.to_owned()])
        })
        .await?;
    let values: Vec<Value<'_>> = texts.iter().flatten().map(|t| Value::Text(t)).collect();
    Ok(sum::of(&values))
}

/// Brings the tables of a PostgreSQL database to the newest schema. They live in the database schema `hikyaku`, which
/// the connection's search path names.
pub(crate) async fn prepare_postgres(link: &mut Link<'_>, steps: Steps) -> Result<(), Fault> {
    if is_current(postgres_version(link).await?, steps)? {
        return Ok(());
    }
    link.begin().await?;
    let done = advance_postgres(link, steps).await;
    finish(link, done).await
}

async fn advance_postgres(link: &mut Link<'_>, steps: Steps) -> Result<(), Fault> {
    link.script(Sql::Made(
        format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})").into(),
    ))
    .await?;
    link.script(
        "CREATE SCHEMA IF NOT EXISTS hikyaku; \
         CREATE TABLE IF NOT EXISTS hikyaku.schema_version (version BIGINT NOT NULL)",
    )
    .await?;
    let version = postgres_version(link).await?;
    if is_current(version, steps)? {
        return Ok(());
    }
    run_steps(link, version, steps).await?;
    let stamp = format!(
        "DELETE FROM schema_version; INSERT INTO schema_version VALUES ({})",
        steps.len()
    );
    link.script(Sql::Made(stamp.into())).await
}

async fn postgres_version(link: &mut Link<'_>) -> Result<i64, Fault> {
    let query = "SELECT CASE WHEN to_regclass('hikyaku.schema_version') IS NULL THEN 0::bigint ELSE 1::bigint END";
    let exists = link.first(query, &[], |row| row.int(0)).await?;
    if exists != Some(1) {
        return Ok(0);
    }
    let version = link
        .first("SELECT version FROM hikyaku.schema_version", &[], |row| {
            row.int(0)
        })
        .await?;
    Ok(version.unwrap_or(0))
}

fn is_current(version: i64, steps: Steps) -> Result<bool, Fault> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(fault::newer(version, known));
    }
    Ok(version == known)
}

async fn run_steps(link: &mut Link<'_>, version: i64, steps: Steps) -> Result<(), Fault> {
    for step in steps.iter().skip(usize::try_from(version).unwrap_or(0)) {
        link.script(*step).await?;
    }
    Ok(())
}

async fn finish(link: &mut Link<'_>, done: Result<(), Fault>) -> Result<(), Fault> {
    let done = match done {
        Ok(()) => link.commit().await,
        Err(fault) => Err(fault),
    };
    if done.is_err() {
        link.roll_back().await;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{Connection, SqliteConnection};

    const TWO_STEPS: Steps = &[
        "CREATE TABLE old (a INTEGER NOT NULL) STRICT; INSERT INTO old VALUES (7)",
        "CREATE TABLE new (a INTEGER NOT NULL, b TEXT NOT NULL) STRICT; \
         INSERT INTO new SELECT a, 'kept' FROM old; DROP TABLE old",
    ];

    #[tokio::test]
    async fn an_older_schema_is_brought_forward_step_by_step() {
        let mut connection = SqliteConnection::connect("sqlite::memory:")
            .await
            .expect("memory");
        let link = &mut Link::Sqlite(&mut connection);
        prepare_sqlite(link, &TWO_STEPS[..1]).await.expect("first");
        prepare_sqlite(link, TWO_STEPS).await.expect("second");
        prepare_sqlite(link, TWO_STEPS)
            .await
            .expect("nothing to do");
        let query = "SELECT a, b FROM new";
        let rows = link.all(query, &[], |row| Ok((row.int(0)?, row.text(1)?.to_owned())));
        assert_eq!(rows.await.expect("rows"), [(7, "kept".to_owned())]);
        let fault = prepare_sqlite(link, &TWO_STEPS[..1])
            .await
            .expect_err("newer");
        assert_eq!(fault.code, Code::LedgerVersion);
        assert!(
            fault.detail.contains("schema 2") && fault.detail.contains("up to 1"),
            "{fault}"
        );
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_the_older_schema() {
        const BROKEN: Steps = &[
            TWO_STEPS[0],
            "CREATE TABLE new (a INTEGER) STRICT; DROP TABLE absent",
        ];
        let mut connection = SqliteConnection::connect("sqlite::memory:")
            .await
            .expect("memory");
        let link = &mut Link::Sqlite(&mut connection);
        prepare_sqlite(link, &TWO_STEPS[..1]).await.expect("first");
        prepare_sqlite(link, BROKEN)
            .await
            .expect_err("no such table");
        assert_eq!(sqlite_version(link).await.expect("a ledger"), 1);
        let tables = link.all("SELECT name FROM sqlite_schema", &[], |row| {
            Ok(row.text(0)?.to_owned())
        });
        assert_eq!(tables.await.expect("rows"), ["old"]);
    }

    #[tokio::test]
    async fn every_schema_there_was_is_brought_forward_with_its_rows() {
        for n in 1..SQLITE.len() {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("ledger.sqlite");
            let url = format!("sqlite://{}?mode=rwc", path.display());
            let mut connection = SqliteConnection::connect(&url).await.expect("a file");
            let link = &mut Link::Sqlite(&mut connection);
            prepare_sqlite(link, &SQLITE[..n]).await.expect("older");
            link.script(
                "INSERT INTO pair VALUES (1, 'a', 'b'); INSERT INTO place (pair, mailbox) VALUES (1, 'INBOX'); \
                 INSERT INTO pairing (pair, source, place) VALUES (1, 'INBOX', 1)",
            )
            .await
            .expect("rows");
            connection.close().await.expect("closed");
            let store = crate::Store::open(&path).await.expect("brought forward");
            store.check().await.expect("sound");
            let pairs = store.pairs().await.expect("listed");
            assert_eq!(pairs[0].mailboxes, 1, "schema {n}");
            store.close().await;
            crate::Store::open(&path).await.map(drop).expect("again");
        }
    }

    #[tokio::test]
    async fn the_newest_tables_are_known_by_their_sum() {
        let mut connection = SqliteConnection::connect("sqlite::memory:")
            .await
            .expect("memory");
        let link = &mut Link::Sqlite(&mut connection);
        run_steps(link, 0, SQLITE).await.expect("made");
        let found = tables(link).await.expect("summed");
        assert_eq!(found, TABLES, "the new value of TABLES");
    }

    #[test]
    fn both_databases_have_the_same_steps() {
        assert_eq!(SQLITE.len(), POSTGRES.len());
        for (sqlite, postgres) in SQLITE.iter().zip(POSTGRES) {
            assert_eq!(columns(sqlite), columns(postgres));
        }
    }

    /// Names of tables and columns in their order.
    fn columns(step: &str) -> Vec<String> {
        step.lines()
            .filter(|line| line.starts_with("CREATE TABLE") || line.starts_with("    "))
            .filter(|line| !line.trim_start().starts_with("WHERE"))
            .map(|line| {
                line.split_whitespace()
                    .find(|w| !["CREATE", "TABLE"].contains(w))
            })
            .map(|word| word.unwrap_or_default().to_owned())
            .collect()
    }
}
