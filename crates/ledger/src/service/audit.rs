//! Who did what, for whoever has to answer for the service.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::Store;
use crate::link::{Link, Value};
use crate::writer::Operation;

/// What people and workers did. Clones share the store.
#[derive(Clone)]
pub struct Audit(pub(crate) Store);

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub happened: i64,
    /// Who: an owner, or the service itself.
    pub who: String,
    /// What: a word such as `job.start`; never a text from outside.
    pub what: String,
    /// Which job; empty where none is meant.
    pub job: String,
    /// Network address of the client; empty where there was none.
    pub address: String,
}

impl Audit {
    /// Notes it.
    pub async fn note(&self, row: AuditRow) -> Result<(), Fault> {
        self.0.inner.writer.write(Note(row)).await
    }

    /// The latest, newest first; only those about a job, where one is named.
    pub async fn latest(&self, job: Option<&str>, limit: u32) -> Result<Vec<AuditRow>, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let query = match job {
                Some(_) => {
                    "SELECT happened, who, what, job, address FROM audit WHERE job = $2 ORDER BY number DESC LIMIT $1"
                }
                None => {
                    "SELECT happened, who, what, job, address FROM audit ORDER BY number DESC LIMIT $1"
                }
            };
            let mut values = vec![Value::Int(limit.into())];
            values.extend(job.map(Value::Text));
            lease
                .link()?
                .all(query, &values, |row| {
                    let text = |n| row.text(n).map(ToOwned::to_owned);
                    Ok(AuditRow {
                        happened: row.int(0)?,
                        who: text(1)?,
                        what: text(2)?,
                        job: text(3)?,
                        address: text(4)?,
                    })
                })
                .await
        };
        self.0.inner.db.noticing(work).await
    }
}

struct Note(AuditRow);

impl Operation for Note {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(put(link, &self.0))
    }
}

/// Notes it inside a transaction.
pub(super) async fn put(link: &mut Link<'_>, row: &AuditRow) -> Result<(), Fault> {
    let insert =
        "INSERT INTO audit (happened, who, what, job, address) VALUES ($1, $2, $3, $4, $5)";
    let values = [
        Value::Int(row.happened),
        Value::Text(&row.who),
        Value::Text(&row.what),
        Value::Text(&row.job),
        Value::Text(&row.address),
    ];
    link.execute(insert, &values).await.map(drop)
}
