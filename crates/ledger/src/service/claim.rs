//! Who works on which job: claims, leases, fences.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::link::{Link, Row, Sql, Value};
use crate::service::queue::{JobRow, Lane, Wish, load_one, read_wish};
use crate::writer::Operation;

/// Key of the advisory lock under which PostgreSQL claims, so that two claims at one moment count each other.
const CLAIM_LOCK: i64 = 0x6869_6b79_0001;

/// How many jobs of one lane may be under way at once, over all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// In all.
    pub whole: u32,
    /// From one source host.
    pub per_host: u32,
    /// From one source account.
    pub per_source: u32,
    /// Into one destination account.
    pub per_destination: u32,
    /// Of one owner.
    pub per_owner: u32,
}

/// A lease that is held, and what the person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The job.
    pub id: String,
    /// The fence.
    pub fence: i64,
    /// What the person wants.
    pub wish: Wish,
}

impl Renewed {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: row.text(0)?.to_owned(),
            fence: row.int(1)?,
            wish: read_wish(row.int(2)?)?,
        })
    }
}

pub(super) struct Claim {
    pub(super) lane: Lane,
    pub(super) limits: ClaimLimits,
    pub(super) worker: String,
    pub(super) now_millis: i64,
    pub(super) lease_until: i64,
}

/// `r` is a job under way, `j` one that could be. The counts are those of the same lane.
fn statement(is_sqlite: bool) -> String {
    let running = "(SELECT COUNT(*) FROM job AS r WHERE r.lane = $1 AND r.lease_until > $2";
    let skip = match is_sqlite {
        true => "",
        false => " FOR UPDATE SKIP LOCKED",
    };
    format!(
        "UPDATE job SET fence = fence + 1, version = version + 1, worker = $3, lease_until = $4, claimed = $2, touched = $2 \
         WHERE number = (SELECT j.number FROM job AS j \
         WHERE j.lane = $1 AND j.due <= $2 AND j.lease_until <= $2 \
         AND {running}) < $5 \
         AND {running} AND r.host = j.host) < $6 \
         AND {running} AND r.source = j.source) < $7 \
         AND {running} AND r.destination = j.destination) < $8 \
         AND {running} AND r.tenant = j.tenant AND r.owner = j.owner) < $9 \
         ORDER BY {running} AND r.tenant = j.tenant AND r.owner = j.owner), \
         (SELECT MAX(o.claimed) FROM job AS o WHERE o.tenant = j.tenant AND o.owner = j.owner), j.number \
         LIMIT 1{skip}) RETURNING id"
    )
}

impl Operation for Claim {
    type Output = Option<JobRow>;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Self::Output, Fault>> {
        Box::pin(async move {
            let is_sqlite = link.is_sqlite();
            if !is_sqlite {
                let lock = "SELECT 1::bigint FROM pg_advisory_xact_lock($1)";
                link.each(lock, &[Value::Int(CLAIM_LOCK)], |_| Ok(()))
                    .await?;
            }
            let values = [
                Value::Int(self.lane as i64),
                Value::Int(self.now_millis),
                Value::Text(&self.worker),
                Value::Int(self.lease_until),
                Value::Int(self.limits.whole.into()),
                Value::Int(self.limits.per_host.into()),
                Value::Int(self.limits.per_source.into()),
                Value::Int(self.limits.per_destination.into()),
                Value::Int(self.limits.per_owner.into()),
            ];
            let sql = Sql::Made(statement(is_sqlite).into());
            let claimed = link
                .first(sql, &values, |row| Ok(row.text(0)?.to_owned()))
                .await?;
            match claimed {
                Some(id) => load_one(link, &id).await,
                None => Ok(None),
            }
        })
    }
}

pub(super) struct Renew {
    pub(super) held: Vec<(String, i64)>,
    pub(super) lease_until: i64,
}

impl Operation for Renew {
    type Output = Vec<Renewed>;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Self::Output, Fault>> {
        Box::pin(async move {
            let mut held = Vec::new();
            for (id, fence) in &self.held {
                // A lease that was given back stays so.
                let renew = "UPDATE job SET lease_until = $3 WHERE id = $1 AND fence = $2 AND lease_until > 0 \
                     RETURNING id, fence, wish";
                let values = [
                    Value::Text(id),
                    Value::Int(*fence),
                    Value::Int(self.lease_until),
                ];
                held.extend(
                    link.first(renew, &values, |row| Renewed::read(&row))
                        .await?,
                );
            }
            Ok(held)
        })
    }
}

pub(super) struct FreeAll {
    pub(super) now_millis: i64,
}

impl Operation for FreeAll {
    type Output = u64;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<u64, Fault>> {
        Box::pin(async move {
            // The fence rises at the next claim.
            let free =
                "UPDATE job SET lease_until = 0, worker = '', touched = $1 WHERE lease_until > 0";
            link.execute(free, &[Value::Int(self.now_millis)]).await
        })
    }
}
