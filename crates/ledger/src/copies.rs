//! Own copies, counted: what taking back would concern.

use hikyaku_core::report::Outcome;
use hikyaku_core::{AccountId, Fault, MailboxName};

use crate::Store;
use crate::codec::{self, uint};
use crate::link::Value;

impl Store {
    /// Messages that were copied and whose place is known, by destination mailbox; of accounts that are not known, none.
    pub async fn copies(
        &self,
        source: &AccountId,
        destination: &AccountId,
    ) -> Result<Vec<(MailboxName, u64)>, Fault> {
        let work = async {
            let mut lease = self.inner.db.reader().await?;
            let query = "SELECT l.mailbox, COUNT(*) FROM pair AS p CROSS JOIN place AS l CROSS JOIN message AS m \
                 WHERE p.source = $1 AND p.destination = $2 AND l.pair = p.id AND m.place = l.id \
                 AND m.destination_key IS NOT NULL AND m.outcome = $3 GROUP BY l.mailbox ORDER BY l.mailbox";
            let values = [
                Value::Text(source.as_str()),
                Value::Text(destination.as_str()),
                Value::Int(Outcome::Copied as i64),
            ];
            let mut link = lease.link()?;
            link.all(query, &values, |row| {
                let mailbox = codec::mailbox(row.text(0)?)?;
                Ok((mailbox, uint("copies", row.int(1)?)?))
            })
            .await
        };
        self.inner.db.noticing(work).await
    }
}
