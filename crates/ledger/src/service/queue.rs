//! Jobs as rows.

use std::collections::BTreeMap;

use hikyaku_core::Fault;

use crate::Store;
use crate::codec::{bound, uint};
use crate::fault;
use crate::link::{Link, Row, Value};
use crate::service::change::{Add, Apply, Change, NewJob, WritePart};
use crate::service::claim::{Claim, ClaimLimits, FreeAll, Renew, Renewed};
use crate::service::sweep::{self, Sweep, Swept};

/// The jobs of a service. Clones share the store.
#[derive(Clone)]
pub struct Queue(pub(crate) Store);

/// Who takes a job up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Lane {
    /// Nobody: it rests.
    Rest = 0,
    /// Workers that look at both accounts.
    Check = 1,
    /// Workers that copy.
    Run = 2,
}

/// What the person wants of a job that somebody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Wish {
    /// Nothing.
    None = 0,
    /// That it rests.
    Pause = 1,
    /// That it ends.
    Cancel = 2,
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its name.
    pub id: String,
    /// Whose service.
    pub tenant: String,
    /// Whose job.
    pub owner: String,
    /// Opaque.
    pub state: String,
    /// Whether the person has it paused.
    pub paused: bool,
    /// Who takes it up.
    pub lane: Lane,
    /// Not before.
    pub due: i64,
    /// What the person wants, while somebody works on it.
    pub wish: Wish,
    /// What limits are counted by: the source's host.
    pub host: String,
    /// Rises with every change.
    pub version: i64,
    /// Rises with every claim.
    pub fence: i64,
    /// Until when somebody works on it.
    pub lease_until: i64,
    /// When it is to begin by itself.
    pub begins: i64,
    /// When it was added.
    pub created: i64,
    /// When it was last changed in any way.
    pub touched: i64,
    /// When its work began.
    pub started: i64,
    /// When it was over.
    pub ended: i64,
    /// Whether secrets are kept.
    pub has_secrets: bool,
    /// Its texts.
    pub parts: BTreeMap<String, String>,
}

impl JobRow {
    /// Whether somebody works on it.
    pub fn is_leased(&self, now_millis: i64) -> bool {
        self.lease_until > now_millis
    }
}

/// What became of an addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there now.
    New,
    /// There is one of the same token already; its name.
    Known(String),
}

const COLUMNS: &str = "j.id, j.tenant, j.owner, j.state, j.paused, j.lane, j.due, j.wish, j.host, j.version, j.fence, \
     j.lease_until, j.begins, j.created, j.touched, j.started, j.ended, \
     (SELECT COUNT(*) FROM secret AS s WHERE s.job = j.id)";

impl Queue {
    /// Adds a job. With a token that the owner has used before nothing is added.
    pub async fn add(&self, job: NewJob) -> Result<Added, Fault> {
        self.0.inner.writer.write(Add(job)).await
    }

    /// One job.
    pub async fn find(&self, id: &str) -> Result<Option<JobRow>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM job AS j WHERE j.id = $1");
        Ok(self.read(sql, &[Value::Text(id)]).await?.pop())
    }

    /// The latest jobs of an owner, newest first.
    pub async fn of_owner(
        &self,
        tenant: &str,
        owner: &str,
        limit: u32,
    ) -> Result<Vec<JobRow>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job AS j WHERE j.tenant = $1 AND j.owner = $2 ORDER BY j.number DESC LIMIT $3"
        );
        let values = [
            Value::Text(tenant),
            Value::Text(owner),
            Value::Int(limit.into()),
        ];
        self.read(sql, &values).await
    }

    /// Jobs in a state that ended (or, in a state that is no end, are) before a moment, oldest first.
    pub async fn in_state(
        &self,
        state: &str,
        ended_before: i64,
        limit: u32,
    ) -> Result<Vec<JobRow>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job AS j WHERE j.state = $1 AND j.ended < $2 ORDER BY j.number LIMIT $3"
        );
        let values = [
            Value::Text(state),
            Value::Int(ended_before),
            Value::Int(limit.into()),
        ];
        self.read(sql, &values).await
    }

    /// Names of the jobs that changed at this moment or later, with the moment.
    pub async fn touched_since(&self, since: i64) -> Result<Vec<(String, i64)>, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let query = "SELECT id, touched FROM job WHERE touched >= $1 ORDER BY touched";
            lease
                .link()?
                .all(query, &[Value::Int(since)], |row| {
                    Ok((row.text(0)?.to_owned(), row.int(1)?))
                })
                .await
        };
        self.0.inner.db.noticing(work).await
    }

    /// Changes a job in one transaction; `false` when the guard does not hold, and then nothing was changed.
    pub async fn apply(&self, change: Change) -> Result<bool, Fault> {
        self.0.inner.writer.write(Apply(change)).await
    }

    /// Replaces one text of a job, if the fence still holds. Its version stays.
    pub async fn write_part(
        &self,
        id: &str,
        fence: i64,
        part: &str,
        body: String,
        now_millis: i64,
    ) -> Result<bool, Fault> {
        let write = WritePart {
            id: id.to_owned(),
            fence,
            part: part.to_owned(),
            body,
            now_millis,
        };
        self.0.inner.writer.write(write).await
    }

    /// Takes up the next job of a lane that is due and within the limits; also one whose lease has run out. Fair between
    /// owners: whoever has the fewest under way comes first, and of those whoever was served longest ago.
    pub async fn claim(
        &self,
        lane: Lane,
        limits: ClaimLimits,
        worker: &str,
        now_millis: i64,
        lease_until: i64,
    ) -> Result<Option<JobRow>, Fault> {
        let claim = Claim {
            lane,
            limits,
            worker: worker.to_owned(),
            now_millis,
            lease_until,
        };
        self.0.inner.writer.write(claim).await
    }

    /// Renews the leases of these jobs (name, fence). Whoever is missing in the answer has lost its lease.
    pub async fn renew(
        &self,
        held: Vec<(String, i64)>,
        lease_until: i64,
    ) -> Result<Vec<Renewed>, Fault> {
        self.0.inner.writer.write(Renew { held, lease_until }).await
    }

    /// Where the jobs of a worker stand, without renewing anything.
    pub async fn held_by(&self, worker: &str) -> Result<Vec<Renewed>, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let query = "SELECT id, fence, wish FROM job WHERE worker = $1 AND lease_until > 0";
            lease
                .link()?
                .all(query, &[Value::Text(worker)], |row| Renewed::read(&row))
                .await
        };
        self.0.inner.db.noticing(work).await
    }

    /// Ends every lease: for a process that knows that nobody else works on this store (see [`Store::sole`]).
    pub async fn free_all(&self, now_millis: i64) -> Result<u64, Fault> {
        self.0.inner.writer.write(FreeAll { now_millis }).await
    }

    /// The sealed secrets of a job: side, octets, until when they are kept.
    pub async fn secrets(&self, id: &str) -> Result<Vec<(String, Vec<u8>, i64)>, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let query = "SELECT side, sealed, expires FROM secret WHERE job = $1 ORDER BY side";
            lease
                .link()?
                .all(query, &[Value::Text(id)], |row| {
                    Ok((row.text(0)?.to_owned(), row.blob(1)?.to_vec(), row.int(2)?))
                })
                .await
        };
        self.0.inner.db.noticing(work).await
    }

    /// Removes secrets whose time has come (of jobs that nobody works on), sessions, nonces, and audit rows and letters
    /// from before a moment.
    pub async fn sweep(&self, now_millis: i64, forget_before: i64) -> Result<Swept, Fault> {
        let sweep = Sweep {
            now_millis,
            forget_before,
        };
        self.0.inner.writer.write(sweep).await
    }

    /// Removes a job that nobody works on, with its texts, secrets and letters.
    pub async fn forget(&self, id: &str, now_millis: i64) -> Result<bool, Fault> {
        let forget = sweep::Forget {
            id: id.to_owned(),
            now_millis,
        };
        self.0.inner.writer.write(forget).await
    }

    async fn read(&self, sql: String, values: &[Value<'_>]) -> Result<Vec<JobRow>, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            load(&mut lease.link()?, sql, values).await
        };
        self.0.inner.db.noticing(work).await
    }
}

/// Reads jobs by a query over [`COLUMNS`], then their texts.
async fn load(
    link: &mut Link<'_>,
    sql: String,
    values: &[Value<'_>],
) -> Result<Vec<JobRow>, Fault> {
    let sql = crate::link::Sql::Made(sql.into());
    let mut jobs = link.all(sql, values, |row| read_row(&row)).await?;
    for job in &mut jobs {
        let query = "SELECT part, body FROM job_part WHERE job = $1";
        let values = [Value::Text(&job.id)];
        let parts = link.all(query, &values, |row| {
            Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
        });
        job.parts = parts.await?.into_iter().collect();
    }
    Ok(jobs)
}

/// One job, inside a transaction.
pub(super) async fn load_one(link: &mut Link<'_>, id: &str) -> Result<Option<JobRow>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM job AS j WHERE j.id = $1");
    Ok(load(link, sql, &[Value::Text(id)]).await?.pop())
}

fn read_row(row: &Row<'_>) -> Result<JobRow, Fault> {
    Ok(JobRow {
        id: row.text(0)?.to_owned(),
        tenant: row.text(1)?.to_owned(),
        owner: row.text(2)?.to_owned(),
        state: row.text(3)?.to_owned(),
        paused: row.int(4)? != 0,
        lane: match row.int(5)? {
            0 => Lane::Rest,
            1 => Lane::Check,
            2 => Lane::Run,
            other => return Err(unknown("lane", other)),
        },
        due: row.int(6)?,
        wish: read_wish(row.int(7)?)?,
        host: row.text(8)?.to_owned(),
        version: row.int(9)?,
        fence: row.int(10)?,
        lease_until: row.int(11)?,
        begins: row.int(12)?,
        created: row.int(13)?,
        touched: row.int(14)?,
        started: row.int(15)?,
        ended: row.int(16)?,
        has_secrets: bound(uint("secrets", row.int(17)?)?) > 0,
        parts: BTreeMap::new(),
    })
}

pub(super) fn read_wish(number: i64) -> Result<Wish, Fault> {
    match number {
        0 => Ok(Wish::None),
        1 => Ok(Wish::Pause),
        2 => Ok(Wish::Cancel),
        other => Err(unknown("wish", other)),
    }
}

fn unknown(column: &str, number: i64) -> Fault {
    fault::damaged(format!("the column {column} of a job holds {number}"))
}
