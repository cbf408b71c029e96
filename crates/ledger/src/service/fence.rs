//! Writes of a run that are made only while its worker has the job.

use futures::future::BoxFuture;
use hikyaku_core::{Code, Fault, Reach, Remedy};

use crate::link::{Link, Value};
use crate::writer::Operation;

/// The right to write for a job.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    pub(crate) job: String,
    pub(crate) number: i64,
}

impl Fence {
    /// In the transaction of the write: PostgreSQL holds a claim by another worker back until the commit, and SQLite has
    /// one writer.
    async fn check(&self, link: &mut Link<'_>) -> Result<(), Fault> {
        let query = match link.is_sqlite() {
            true => "SELECT fence FROM job WHERE id = $1",
            false => "SELECT fence FROM job WHERE id = $1 FOR SHARE",
        };
        let now = link
            .first(query, &[Value::Text(&self.job)], |row| row.int(0))
            .await?;
        match now == Some(self.number) {
            true => Ok(()),
            false => Err(lost()),
        }
    }
}

/// A write behind a fence.
pub(crate) struct Fenced<O>(pub(crate) Fence, pub(crate) O);

impl<O: Operation> Operation for Fenced<O> {
    type Output = O::Output;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<O::Output, Fault>> {
        Box::pin(async move {
            self.0.check(link).await?;
            self.1.apply(link).await
        })
    }
}

/// Another worker has the job. Its reach ends the run without a further try. Not `Interrupted`: that would mean to the writer
/// that the link to the database broke.
fn lost() -> Fault {
    Fault::new(
        Code::LedgerBusy,
        Reach::Job,
        Remedy::Retry { after: None },
        "another worker has taken the job over",
    )
}
