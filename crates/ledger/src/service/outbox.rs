//! Mails to be sent: written with the end of a job, taken by whoever sends.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::Store;
use crate::codec::uint;
use crate::link::{Link, Row, Value};
use crate::writer::Operation;

/// Mails to be sent. Clones share the store.
#[derive(Clone)]
pub struct Outbox(pub(crate) Store);

/// A mail that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    /// Stays the same however often it is tried; a second one of the same is not added.
    pub message_id: String,
    /// Whose service.
    pub tenant: String,
    /// About which job.
    pub job: String,
    /// Opaque.
    pub kind: String,
    /// One address.
    pub recipient: String,
    /// Subject, as text.
    pub subject: String,
    /// Text, with LF.
    pub body: String,
}

/// A mail that was taken to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names it here.
    pub number: i64,
    /// What was added.
    pub letter: NewLetter,
    /// When it was added.
    pub created: i64,
    /// How often it was taken, this time included.
    pub tries: u64,
    /// When it was sent; 0 while it was not.
    pub sent: i64,
    /// When it was sent or given up; 0 before.
    pub ended: i64,
    /// The last refusal, or why it was given up.
    pub code: String,
}

const COLUMNS: &str = "number, message_id, tenant, job, kind, recipient, subject, body, created, tries, sent, ended, code";

impl Outbox {
    /// Adds a mail by itself; those of a job's end come with the end.
    pub async fn add(&self, letter: NewLetter, now_millis: i64) -> Result<(), Fault> {
        self.0.inner.writer.write(Add { letter, now_millis }).await
    }

    /// Takes mails that are due, oldest first. Nobody else gets them before `again`, so a process that dies while it
    /// sends delays a mail and loses none.
    pub async fn take(
        &self,
        now_millis: i64,
        again: i64,
        limit: u32,
    ) -> Result<Vec<Letter>, Fault> {
        let take = Take {
            now_millis,
            again,
            limit,
        };
        self.0.inner.writer.write(take).await
    }

    /// It was taken by the mail server.
    pub async fn sent(&self, number: i64, now_millis: i64) -> Result<(), Fault> {
        self.end(number, Some(now_millis), now_millis, "", 0).await
    }

    /// It was not taken: the next try is at `due`.
    pub async fn later(&self, number: i64, due: i64, code: &str) -> Result<(), Fault> {
        self.end(number, None, 0, code, due).await
    }

    /// It will never be taken.
    pub async fn give_up(&self, number: i64, code: &str, now_millis: i64) -> Result<(), Fault> {
        self.end(number, None, now_millis, code, 0).await
    }

    async fn end(
        &self,
        number: i64,
        sent: Option<i64>,
        ended: i64,
        code: &str,
        due: i64,
    ) -> Result<(), Fault> {
        let end = End {
            number,
            sent,
            ended,
            code: code.to_owned(),
            due,
        };
        self.0.inner.writer.write(end).await
    }

    /// How many mails were sent to an address since a moment, in whichever case it was written.
    pub async fn sent_since(&self, recipient: &str, since: i64) -> Result<u64, Fault> {
        let query = "SELECT COUNT(*) FROM outbox WHERE LOWER(recipient) = LOWER($1) AND sent >= $2";
        let values = [Value::Text(recipient), Value::Int(since.max(1))];
        self.count(query, &values).await
    }

    /// How many mails were sent to anybody since a moment.
    pub async fn all_sent_since(&self, since: i64) -> Result<u64, Fault> {
        let query = "SELECT COUNT(*) FROM outbox WHERE sent >= $1";
        self.count(query, &[Value::Int(since.max(1))]).await
    }

    async fn count(&self, query: &'static str, values: &[Value<'_>]) -> Result<u64, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let mut link = lease.link()?;
            let count = link.first(query, values, |row| uint("count", row.int(0)?));
            Ok(count.await?.unwrap_or(0))
        };
        self.0.inner.db.noticing(work).await
    }

    /// The mails about a job, oldest first.
    pub async fn of_job(&self, job: &str) -> Result<Vec<Letter>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE job = $1 ORDER BY number");
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let sql = crate::link::Sql::Made(sql.into());
            lease
                .link()?
                .all(sql, &[Value::Text(job)], |row| read(&row))
                .await
        };
        self.0.inner.db.noticing(work).await
    }

    /// The latest mails, newest first.
    pub async fn latest(&self, limit: u32) -> Result<Vec<Letter>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM outbox ORDER BY number DESC LIMIT $1");
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let sql = crate::link::Sql::Made(sql.into());
            lease
                .link()?
                .all(sql, &[Value::Int(limit.into())], |row| read(&row))
                .await
        };
        self.0.inner.db.noticing(work).await
    }
}

fn read(row: &Row<'_>) -> Result<Letter, Fault> {
    let text = |n| row.text(n).map(ToOwned::to_owned);
    Ok(Letter {
        number: row.int(0)?,
        letter: NewLetter {
            message_id: text(1)?,
            tenant: text(2)?,
            job: text(3)?,
            kind: text(4)?,
            recipient: text(5)?,
            subject: text(6)?,
            body: text(7)?,
        },
        created: row.int(8)?,
        tries: uint("tries", row.int(9)?)?,
        sent: row.int(10)?,
        ended: row.int(11)?,
        code: text(12)?,
    })
}

/// Adds a mail inside a transaction.
pub(super) async fn put(
    link: &mut Link<'_>,
    letter: &NewLetter,
    now_millis: i64,
) -> Result<(), Fault> {
    let insert = "INSERT INTO outbox (message_id, tenant, job, kind, recipient, subject, body, created, due, tries, sent, \
         ended, code) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0, 0, 0, '') ON CONFLICT (message_id) DO NOTHING";
    let values = [
        Value::Text(&letter.message_id),
        Value::Text(&letter.tenant),
        Value::Text(&letter.job),
        Value::Text(&letter.kind),
        Value::Text(&letter.recipient),
        Value::Text(&letter.subject),
        Value::Text(&letter.body),
        Value::Int(now_millis),
    ];
    link.execute(insert, &values).await.map(drop)
}

struct Add {
    letter: NewLetter,
    now_millis: i64,
}

impl Operation for Add {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(put(link, &self.letter, self.now_millis))
    }
}

struct Take {
    now_millis: i64,
    again: i64,
    limit: u32,
}

impl Operation for Take {
    type Output = Vec<Letter>;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Self::Output, Fault>> {
        Box::pin(async move {
            let skip = match link.is_sqlite() {
                true => "",
                false => " FOR UPDATE SKIP LOCKED",
            };
            let sql = format!(
                "UPDATE outbox SET tries = tries + 1, due = $2 WHERE number IN \
                 (SELECT number FROM outbox WHERE ended = 0 AND due <= $1 ORDER BY due, number LIMIT $3{skip}) \
                 RETURNING {COLUMNS}"
            );
            let values = [
                Value::Int(self.now_millis),
                Value::Int(self.again),
                Value::Int(self.limit.into()),
            ];
            let sql = crate::link::Sql::Made(sql.into());
            let mut letters = link.all(sql, &values, |row| read(&row)).await?;
            letters.sort_unstable_by_key(|letter| letter.number);
            Ok(letters)
        })
    }
}

struct End {
    number: i64,
    sent: Option<i64>,
    ended: i64,
    code: String,
    due: i64,
}

impl Operation for End {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let update = "UPDATE outbox SET sent = $2, ended = $3, code = $4, due = $5 WHERE number = $1 AND ended = 0";
            let values = [
                Value::Int(self.number),
                Value::Int(self.sent.unwrap_or(0)),
                Value::Int(self.ended),
                Value::Text(&self.code),
                Value::Int(self.due),
            ];
            link.execute(update, &values).await.map(drop)
        })
    }
}
