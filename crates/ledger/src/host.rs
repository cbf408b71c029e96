//! What servers let in: how many connections a host took when it last refused one.

use futures::future::BoxFuture;
use hikyaku_core::Fault;

use crate::codec::{bound, uint};
use crate::link::{Link, Value};
use crate::writer::Operation;

/// How long a number is obeyed. Limits change, and a server that was busy once is not busy for ever.
const OBEYED_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Remembers a number; forgets those of all hosts that are no longer obeyed.
pub(crate) struct Remember {
    pub(crate) host: String,
    pub(crate) let_in: usize,
    pub(crate) now_millis: i64,
}

impl Operation for Remember {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let forget = "DELETE FROM host WHERE noted < $1 OR noted > $2";
            link.execute(forget, &obeyed_at(self.now_millis)).await?;
            let upsert = "INSERT INTO host (name, let_in, noted) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET let_in = excluded.let_in, noted = excluded.noted";
            let values = [
                Value::Text(&self.host),
                Value::Int(bound(self.let_in as u64)),
                Value::Int(self.now_millis),
            ];
            link.execute(upsert, &values).await.map(drop)
        })
    }
}

/// The number of a host, while it is obeyed.
pub(crate) async fn let_in(
    link: &mut Link<'_>,
    host: &str,
    now_millis: i64,
) -> Result<Option<usize>, Fault> {
    let [oldest, newest] = obeyed_at(now_millis);
    let query = "SELECT let_in FROM host WHERE name = $1 AND noted >= $2 AND noted <= $3";
    let found = link
        .first(query, &[Value::Text(host), oldest, newest], |row| {
            uint("let_in", row.int(0)?)
        })
        .await?;
    Ok(found.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
}

/// The span in which a number must have been noted. It reaches into the future by as much: a clock that was set back
/// makes nothing last for ever.
fn obeyed_at(now_millis: i64) -> [Value<'static>; 2] {
    [
        Value::Int(now_millis.saturating_sub(OBEYED_MILLIS)),
        Value::Int(now_millis.saturating_add(OBEYED_MILLIS)),
    ]
}
