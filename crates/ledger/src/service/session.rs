//! Who is signed in, and what may be used once only.
//!
//! The browser keeps a random token; here is only its hash, so that whoever reads the database can sign in as nobody.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::Store;
use crate::link::{Link, Value};
use crate::writer::Operation;

/// Sessions. Clones share the store.
#[derive(Clone)]
pub struct Sessions(pub(crate) Store);

/// A session that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Hash of the browser's token.
    pub hash: Vec<u8>,
    /// Whose service.
    pub tenant: String,
    /// Who is signed in.
    pub owner: String,
    /// What forms must bring along.
    pub csrf: String,
    /// Opaque.
    pub body: String,
    /// When it ends, whatever happens.
    pub expires: i64,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What was begun.
    pub session: NewSession,
    /// When it began.
    pub created: i64,
    /// When it was last used.
    pub seen: i64,
}

impl Sessions {
    /// Begins a session. One of the same hash is replaced.
    pub async fn begin(&self, session: NewSession, now_millis: i64) -> Result<(), Fault> {
        let begin = Begin {
            session,
            now_millis,
        };
        self.0.inner.writer.write(begin).await
    }

    /// The session of a token's hash, unless it has ended by time. Whether it was idle for too long is the caller's to say.
    pub async fn find(&self, hash: &[u8], now_millis: i64) -> Result<Option<Session>, Fault> {
        let work = async {
            let mut lease = self.0.inner.db.reader().await?;
            let query = "SELECT tenant, owner, csrf, body, created, seen, expires FROM session \
                 WHERE hash = $1 AND expires > $2";
            lease
                .link()?
                .first(query, &[Value::Blob(hash), Value::Int(now_millis)], |row| {
                    let text = |n| row.text(n).map(ToOwned::to_owned);
                    Ok(Session {
                        session: NewSession {
                            hash: hash.to_vec(),
                            tenant: text(0)?,
                            owner: text(1)?,
                            csrf: text(2)?,
                            body: text(3)?,
                            expires: row.int(6)?,
                        },
                        created: row.int(4)?,
                        seen: row.int(5)?,
                    })
                })
                .await
        };
        self.0.inner.db.noticing(work).await
    }

    /// It was used. Once a minute is enough.
    pub async fn touch(&self, hash: &[u8], now_millis: i64) -> Result<(), Fault> {
        let touch = Touch {
            hash: hash.to_vec(),
            now_millis,
        };
        self.0.inner.writer.write(touch).await
    }

    /// Ends a session.
    pub async fn end(&self, hash: &[u8]) -> Result<(), Fault> {
        let hash = hash.to_vec();
        self.0.inner.writer.write(End(Whose::Hash(hash))).await
    }

    /// Ends every session of an owner.
    pub async fn end_all(&self, tenant: &str, owner: &str) -> Result<(), Fault> {
        let whose = Whose::Owner(tenant.to_owned(), owner.to_owned());
        self.0.inner.writer.write(End(whose)).await
    }

    /// Uses a name up; `false` when it was used before. It is forgotten after `expires`, when it is of no use to anybody.
    pub async fn use_once(&self, name: &str, expires: i64) -> Result<bool, Fault> {
        let name = name.to_owned();
        self.0.inner.writer.write(UseOnce { name, expires }).await
    }
}

struct Begin {
    session: NewSession,
    now_millis: i64,
}

impl Operation for Begin {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let session = &self.session;
            let delete = "DELETE FROM session WHERE hash = $1";
            link.execute(delete, &[Value::Blob(&session.hash)]).await?;
            let insert = "INSERT INTO session (hash, tenant, owner, csrf, body, created, seen, expires) \
                 VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
            let values = [
                Value::Blob(&session.hash),
                Value::Text(&session.tenant),
                Value::Text(&session.owner),
                Value::Text(&session.csrf),
                Value::Text(&session.body),
                Value::Int(self.now_millis),
                Value::Int(session.expires),
            ];
            link.execute(insert, &values).await.map(drop)
        })
    }
}

struct Touch {
    hash: Vec<u8>,
    now_millis: i64,
}

impl Operation for Touch {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let update = "UPDATE session SET seen = $2 WHERE hash = $1";
            let values = [Value::Blob(&self.hash), Value::Int(self.now_millis)];
            link.execute(update, &values).await.map(drop)
        })
    }
}

enum Whose {
    Hash(Vec<u8>),
    Owner(String, String),
}

struct End(Whose);

impl Operation for End {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            match &self.0 {
                Whose::Hash(hash) => {
                    let delete = "DELETE FROM session WHERE hash = $1";
                    link.execute(delete, &[Value::Blob(hash)]).await
                }
                Whose::Owner(tenant, owner) => {
                    let delete = "DELETE FROM session WHERE tenant = $1 AND owner = $2";
                    let values = [Value::Text(tenant), Value::Text(owner)];
                    link.execute(delete, &values).await
                }
            }
            .map(drop)
        })
    }
}

struct UseOnce {
    name: String,
    expires: i64,
}

impl Operation for UseOnce {
    type Output = bool;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            let insert =
                "INSERT INTO nonce (name, expires) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
            let values = [Value::Text(&self.name), Value::Int(self.expires)];
            Ok(link.execute(insert, &values).await? == 1)
        })
    }
}
