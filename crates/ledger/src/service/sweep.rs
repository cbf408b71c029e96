//! What time takes away: secrets, sessions, nonces, old rows.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::link::{Link, Value};
use crate::writer::Operation;

/// What a sweep removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs whose secrets went.
    pub wiped: Vec<String>,
    /// Sessions that ended.
    pub sessions: u64,
    /// Audit rows and letters that were old.
    pub rows: u64,
}

pub(super) struct Sweep {
    pub(super) now_millis: i64,
    pub(super) forget_before: i64,
}

impl Operation for Sweep {
    type Output = Swept;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Swept, Fault>> {
        Box::pin(async move {
            let now = [Value::Int(self.now_millis)];
            // Whoever works on the job has them in memory; they go once it is at rest.
            let due = "SELECT DISTINCT s.job FROM secret AS s JOIN job AS j ON j.id = s.job \
                 WHERE s.expires <= $1 AND j.lease_until <= $1";
            let wiped = link
                .all(due, &now, |row| Ok(row.text(0)?.to_owned()))
                .await?;
            for job in &wiped {
                let delete = "DELETE FROM secret WHERE job = $1";
                link.execute(delete, &[Value::Text(job)]).await?;
                let touch = "UPDATE job SET version = version + 1, touched = $2 WHERE id = $1";
                link.execute(touch, &[Value::Text(job), now[0]]).await?;
            }
            let sessions = link
                .execute("DELETE FROM session WHERE expires <= $1", &now)
                .await?;
            link.execute("DELETE FROM nonce WHERE expires <= $1", &now)
                .await?;
            let old = [Value::Int(self.forget_before)];
            let mut rows = link
                .execute("DELETE FROM audit WHERE happened < $1", &old)
                .await?;
            // A letter that was still to be sent when its job was erased goes once it is.
            let letters = "DELETE FROM outbox WHERE ended > 0 \
                 AND (ended < $1 OR NOT EXISTS (SELECT 1 FROM job WHERE job.id = outbox.job))";
            rows += link.execute(letters, &old).await?;
            Ok(Swept {
                wiped,
                sessions,
                rows,
            })
        })
    }
}

pub(super) struct Forget {
    pub(super) id: String,
    pub(super) now_millis: i64,
}

impl Operation for Forget {
    type Output = bool;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            let query = "SELECT id FROM job WHERE id = $1 AND lease_until <= $2";
            let values = [Value::Text(&self.id), Value::Int(self.now_millis)];
            let is_free = link.first(query, &values, |_| Ok(())).await?.is_some();
            if is_free {
                for delete in [
                    "DELETE FROM secret WHERE job = $1",
                    "DELETE FROM job_part WHERE job = $1",
                    "DELETE FROM outbox WHERE job = $1 AND ended > 0",
                    "DELETE FROM job WHERE id = $1",
                ] {
                    link.execute(delete, &values[..1]).await?;
                }
            }
            Ok(is_free)
        })
    }
}
