//! What is written about a job, as one transaction.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::link::{Link, Sql, Value};
use crate::service::audit::{self, AuditRow};
use crate::service::outbox::{self, NewLetter};
use crate::service::queue::{Added, Lane, Wish};
use crate::writer::Operation;

/// A job that is not there yet.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its name.
    pub id: String,
    /// Whose service.
    pub tenant: String,
    /// Whose job.
    pub owner: String,
    /// The owner's token: used once.
    pub token: String,
    /// Opaque.
    pub state: String,
    /// Who takes it up.
    pub lane: Lane,
    /// Not before.
    pub due: i64,
    /// What limits are counted by: the source's host, …
    pub host: String,
    /// … the source's account, …
    pub source: String,
    /// … and the destination's account, on which one job runs at a time.
    pub destination: String,
    /// When it is to begin by itself.
    pub begins: i64,
    /// Now.
    pub now_millis: i64,
    /// Its texts, by name.
    pub parts: Vec<(String, String)>,
    /// Sealed secrets by side.
    pub secrets: Vec<(String, Vec<u8>)>,
    /// Until when they are kept.
    pub secrets_until: i64,
    /// Who added it.
    pub audit: Option<AuditRow>,
}

/// What must be true for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nobody claimed it since.
    Fence(i64),
    /// Nobody changed it since.
    Version(i64),
}

/// What becomes of the secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// As they are.
    #[default]
    AsTheyAre,
    /// They go now.
    Nothing,
    /// They go at this moment.
    Until(i64),
    /// Others (sealed, by side) in their place, until this moment.
    These(Vec<(String, Vec<u8>)>, i64),
}

/// New values of a job; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Opaque.
    pub state: Option<String>,
    /// Whether the person has it paused.
    pub paused: Option<bool>,
    /// Who takes it up.
    pub lane: Option<Lane>,
    /// Not before. A wish that nobody has seen yet makes it due at once.
    pub due: Option<i64>,
    /// What the person wants.
    pub wish: Option<Wish>,
    /// What limits are counted by.
    pub host: Option<String>,
    /// When it is to begin by itself.
    pub begins: Option<i64>,
    /// When its work began.
    pub started: Option<i64>,
    /// When it was over.
    pub ended: Option<i64>,
}

/// A change of a job with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub id: String,
    /// What must be true, or nothing is written.
    pub guard: Guard,
    /// Now.
    pub now_millis: i64,
    /// Its new values.
    pub standing: Standing,
    /// Whether the lease ends.
    pub release: bool,
    /// Texts that are replaced, by name.
    pub parts: Vec<(String, String)>,
    /// Texts that go, by name.
    pub without: Vec<String>,
    /// What becomes of its secrets.
    pub secrets: Keep,
    /// Mails to be sent.
    pub letters: Vec<NewLetter>,
    /// Another job that begins with this change.
    pub successor: Option<Box<NewJob>>,
    /// Who did it.
    pub audit: Option<AuditRow>,
}

impl Change {
    /// A change of nothing.
    pub fn new(id: impl Into<String>, guard: Guard, now_millis: i64) -> Self {
        Self {
            id: id.into(),
            guard,
            now_millis,
            standing: Standing::default(),
            release: false,
            parts: Vec::new(),
            without: Vec::new(),
            secrets: Keep::AsTheyAre,
            letters: Vec::new(),
            successor: None,
            audit: None,
        }
    }
}

pub(super) struct Add(pub(super) NewJob);

impl Operation for Add {
    type Output = Added;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Added, Fault>> {
        Box::pin(add(link, &self.0))
    }
}

async fn add(link: &mut Link<'_>, job: &NewJob) -> Result<Added, Fault> {
    let insert = "INSERT INTO job (id, tenant, owner, token, state, paused, lane, due, wish, host, source, destination, \
         version, fence, worker, lease_until, claimed, begins, created, touched, started, ended) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 0, $8, $9, $10, 1, 0, '', 0, 0, $11, $12, $12, 0, 0) \
         ON CONFLICT (tenant, owner, token) DO NOTHING";
    let values = [
        Value::Text(&job.id),
        Value::Text(&job.tenant),
        Value::Text(&job.owner),
        Value::Text(&job.token),
        Value::Text(&job.state),
        Value::Int(job.lane as i64),
        Value::Int(job.due),
        Value::Text(&job.host),
        Value::Text(&job.source),
        Value::Text(&job.destination),
        Value::Int(job.begins),
        Value::Int(job.now_millis),
    ];
    if link.execute(insert, &values).await? == 0 {
        let query = "SELECT id FROM job WHERE tenant = $1 AND owner = $2 AND token = $3";
        let known = link
            .first(query, &values[1..4], |row| Ok(row.text(0)?.to_owned()))
            .await?;
        return known
            .map(Added::Known)
            .ok_or_else(|| Fault::bug("a job was refused for a token that nobody has"));
    }
    for (part, body) in &job.parts {
        put_part(link, &job.id, part, body).await?;
    }
    put_secrets(link, &job.id, &job.secrets, job.secrets_until).await?;
    if let Some(row) = &job.audit {
        audit::put(link, row).await?;
    }
    Ok(Added::New)
}

pub(super) struct Apply(pub(super) Change);

impl Operation for Apply {
    type Output = bool;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            let change = &self.0;
            if !stand(link, change).await? {
                return Ok(false);
            }
            let id = &change.id;
            for (part, body) in &change.parts {
                put_part(link, id, part, body).await?;
            }
            for part in &change.without {
                let delete = "DELETE FROM job_part WHERE job = $1 AND part = $2";
                let values = [Value::Text(id), Value::Text(part)];
                link.execute(delete, &values).await?;
            }
            match &change.secrets {
                Keep::AsTheyAre => {}
                Keep::Nothing => wipe(link, id).await?,
                Keep::Until(moment) => {
                    let update = "UPDATE secret SET expires = $2 WHERE job = $1";
                    let values = [Value::Text(id), Value::Int(*moment)];
                    link.execute(update, &values).await?;
                }
                Keep::These(secrets, until) => {
                    wipe(link, id).await?;
                    put_secrets(link, id, secrets, *until).await?;
                }
            }
            for letter in &change.letters {
                outbox::put(link, letter, change.now_millis).await?;
            }
            if let Some(successor) = &change.successor {
                add(link, successor).await?;
            }
            if let Some(row) = &change.audit {
                audit::put(link, row).await?;
            }
            Ok(true)
        })
    }
}

/// Writes the new values; `false` when the guard does not hold.
async fn stand(link: &mut Link<'_>, change: &Change) -> Result<bool, Fault> {
    let mut sql = String::from("UPDATE job SET version = version + 1, touched = $3");
    let (guard, number) = match change.guard {
        Guard::Fence(fence) => ("fence", fence),
        Guard::Version(version) => ("version", version),
    };
    let mut values = vec![
        Value::Text(&change.id),
        Value::Int(number),
        Value::Int(change.now_millis),
    ];
    let standing = &change.standing;
    let texts = [("state", &standing.state), ("host", &standing.host)];
    for (column, value) in texts {
        if let Some(value) = value {
            values.push(Value::Text(value));
            sql += &format!(", {column} = ${}", values.len());
        }
    }
    let numbers = [
        ("paused", standing.paused.map(i64::from)),
        ("lane", standing.lane.map(|lane| lane as i64)),
        ("wish", standing.wish.map(|wish| wish as i64)),
        ("begins", standing.begins),
        ("started", standing.started),
        ("ended", standing.ended),
    ];
    for (column, value) in numbers {
        if let Some(value) = value {
            values.push(Value::Int(value));
            sql += &format!(", {column} = ${}", values.len());
        }
    }
    if let Some(due) = standing.due {
        values.push(Value::Int(due));
        let place = values.len();
        sql += &match standing.wish {
            Some(_) => format!(", due = ${place}"),
            None => format!(", due = CASE WHEN wish = 0 THEN ${place} ELSE 0 END"),
        };
    }
    if change.release {
        sql += ", lease_until = 0, worker = ''";
    }
    sql += &format!(" WHERE id = $1 AND {guard} = $2");
    Ok(link.execute(Sql::Made(sql.into()), &values).await? == 1)
}

async fn put_part(link: &mut Link<'_>, id: &str, part: &str, body: &str) -> Result<(), Fault> {
    let upsert = "INSERT INTO job_part (job, part, body) VALUES ($1, $2, $3) \
         ON CONFLICT (job, part) DO UPDATE SET body = excluded.body";
    let values = [Value::Text(id), Value::Text(part), Value::Text(body)];
    link.execute(upsert, &values).await.map(drop)
}

async fn put_secrets(
    link: &mut Link<'_>,
    id: &str,
    secrets: &[(String, Vec<u8>)],
    until: i64,
) -> Result<(), Fault> {
    for (side, sealed) in secrets {
        let insert = "INSERT INTO secret (job, side, sealed, expires) VALUES ($1, $2, $3, $4)";
        let values = [
            Value::Text(id),
            Value::Text(side),
            Value::Blob(sealed),
            Value::Int(until),
        ];
        link.execute(insert, &values).await?;
    }
    Ok(())
}

async fn wipe(link: &mut Link<'_>, id: &str) -> Result<(), Fault> {
    let delete = "DELETE FROM secret WHERE job = $1";
    link.execute(delete, &[Value::Text(id)]).await.map(drop)
}

pub(super) struct WritePart {
    pub(super) id: String,
    pub(super) fence: i64,
    pub(super) part: String,
    pub(super) body: String,
    pub(super) now_millis: i64,
}

impl Operation for WritePart {
    type Output = bool;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            let update = "UPDATE job SET touched = $3 WHERE id = $1 AND fence = $2";
            let values = [
                Value::Text(&self.id),
                Value::Int(self.fence),
                Value::Int(self.now_millis),
            ];
            if link.execute(update, &values).await? == 0 {
                return Ok(false);
            }
            put_part(link, &self.id, &self.part, &self.body).await?;
            Ok(true)
        })
    }
}
