//! One way to speak to both databases: values in, rows out.
//!
//! Query texts are shared and use `$1` placeholders. Integers are 64 bits wide on both sides.

use std::sync::Arc;

use futures::TryStreamExt;
use hikyaku_core::Fault;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, PgConnection, Row as _, SqlSafeStr, SqlStr, SqliteConnection,
};

use crate::fault;

/// A borrowed connection.
pub(crate) enum Link<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// A value for a placeholder.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Int(i64),
    Maybe(Option<i64>),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A query text: fixed, or generated once for a number of rows and then shared.
#[derive(Clone)]
pub(crate) enum Sql {
    Fixed(&'static str),
    Made(Arc<str>),
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Sql::Fixed(text)
    }
}

impl From<Sql> for SqlStr {
    fn from(sql: Sql) -> Self {
        match sql {
            Sql::Fixed(text) => text.into_sql_str(),
            // Made from constants and counts only; values are always bound.
            Sql::Made(text) => AssertSqlSafe(text).into_sql_str(),
        }
    }
}

impl Link<'_> {
    /// Whether this is SQLite.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Link::Sqlite(_))
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<u64, Fault> {
        let sql = SqlStr::from(sql.into());
        match self {
            Link::Sqlite(link) => {
                let query = sqlx::query_with(sql, sqlite_arguments(values)?);
                Ok(query
                    .execute(&mut **link)
                    .await
                    .map_err(fault::from_sqlx)?
                    .rows_affected())
            }
            Link::Postgres(link) => {
                let query = sqlx::query_with(sql, postgres_arguments(values)?);
                Ok(query
                    .execute(&mut **link)
                    .await
                    .map_err(fault::from_sqlx)?
                    .rows_affected())
            }
        }
    }

    /// Runs a query and hands every row to `take`, in order.
    pub(crate) async fn each(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        mut take: impl FnMut(Row<'_>) -> Result<(), Fault> + Send,
    ) -> Result<(), Fault> {
        let sql = SqlStr::from(sql.into());
        match self {
            Link::Sqlite(link) => {
                let mut rows = sqlx::query_with(sql, sqlite_arguments(values)?).fetch(&mut **link);
                while let Some(row) = rows.try_next().await.map_err(fault::from_sqlx)? {
                    take(Row::Sqlite(&row))?;
                }
            }
            Link::Postgres(link) => {
                let mut rows =
                    sqlx::query_with(sql, postgres_arguments(values)?).fetch(&mut **link);
                while let Some(row) = rows.try_next().await.map_err(fault::from_sqlx)? {
                    take(Row::Postgres(&row))?;
                }
            }
        }
        Ok(())
    }

    /// All rows, made into values by `make`.
    pub(crate) async fn all<T: Send>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        mut make: impl FnMut(Row<'_>) -> Result<T, Fault> + Send,
    ) -> Result<Vec<T>, Fault> {
        let mut out = Vec::new();
        self.each(sql, values, |row| {
            out.push(make(row)?);
            Ok(())
        })
        .await?;
        Ok(out)
    }

    /// The first row, if there is one. The others are read and dropped, so that a statement that writes runs to its end.
    pub(crate) async fn first<T: Send>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        mut make: impl FnMut(Row<'_>) -> Result<T, Fault> + Send,
    ) -> Result<Option<T>, Fault> {
        let mut out = None;
        self.each(sql, values, |row| {
            if out.is_none() {
                out = Some(make(row)?);
            }
            Ok(())
        })
        .await?;
        Ok(out)
    }

    /// Runs several statements without values.
    pub(crate) async fn script(&mut self, sql: impl Into<Sql>) -> Result<(), Fault> {
        let sql = SqlStr::from(sql.into());
        match self {
            Link::Sqlite(link) => sqlx::raw_sql(sql).execute(&mut **link).await.map(drop),
            Link::Postgres(link) => sqlx::raw_sql(sql).execute(&mut **link).await.map(drop),
        }
        .map_err(fault::from_sqlx)
    }

    /// Opens a transaction that may write.
    pub(crate) async fn begin(&mut self) -> Result<(), Fault> {
        // Order matters: with a plain BEGIN, SQLite would take the write lock only at the first write, where a wait
        // for another process can no longer succeed.
        let sql = if self.is_sqlite() {
            "BEGIN IMMEDIATE"
        } else {
            "BEGIN"
        };
        self.script(sql).await
    }

    /// Makes the transaction durable.
    pub(crate) async fn commit(&mut self) -> Result<(), Fault> {
        self.script("COMMIT").await
    }

    /// Takes the transaction back. A database that has done so by itself answers with a fault, which means nothing.
    pub(crate) async fn roll_back(&mut self) {
        self.script("ROLLBACK").await.ok();
    }
}

fn sqlite_arguments(values: &[Value<'_>]) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match *value {
            Value::Int(number) => arguments.add(number),
            Value::Maybe(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Blob(octets) => arguments.add(octets),
        }
        .map_err(fault::encoding)?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: &[Value<'_>]) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), values.len() * 8);
    for value in values {
        match *value {
            Value::Int(number) => arguments.add(number),
            Value::Maybe(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Blob(octets) => arguments.add(octets),
        }
        .map_err(fault::encoding)?;
    }
    Ok(arguments)
}

/// One row of an answer. Columns are counted from zero.
pub(crate) enum Row<'a> {
    Sqlite(&'a SqliteRow),
    Postgres(&'a PgRow),
}

impl Row<'_> {
    /// An integer.
    pub(crate) fn int(&self, column: usize) -> Result<i64, Fault> {
        match self {
            Row::Sqlite(row) => row.try_get_unchecked(column),
            Row::Postgres(row) => row.try_get(column),
        }
        .map_err(fault::from_sqlx)
    }

    /// An integer that may be missing.
    pub(crate) fn maybe(&self, column: usize) -> Result<Option<i64>, Fault> {
        match self {
            Row::Sqlite(row) => row.try_get_unchecked(column),
            Row::Postgres(row) => row.try_get(column),
        }
        .map_err(fault::from_sqlx)
    }

    /// A text.
    pub(crate) fn text(&self, column: usize) -> Result<&str, Fault> {
        match self {
            Row::Sqlite(row) => row.try_get_unchecked(column),
            Row::Postgres(row) => row.try_get(column),
        }
        .map_err(fault::from_sqlx)
    }

    /// Octets.
    pub(crate) fn blob(&self, column: usize) -> Result<&[u8], Fault> {
        match self {
            Row::Sqlite(row) => row.try_get_unchecked(column),
            Row::Postgres(row) => row.try_get(column),
        }
        .map_err(fault::from_sqlx)
    }
}
