//! Accounts, mailboxes and batches: everything of a pair that is not a single message.

use futures::future::BoxFuture;
use hikyaku_core::ledger::{Checkpoint, Intent, IntentId, Pairing, PairingId};
use hikyaku_core::{Epoch, Fault, Key};

use crate::codec::{self, int, uint};
use crate::link::{Link, Row, Value};
use crate::sum;
use crate::writer::Operation;

const PAIRINGS: &str = "SELECT g.id, g.source, l.mailbox, c.pairing, COALESCE(c.source, ''), \
         COALESCE(c.destination, ''), COALESCE(c.source_keys, ''), COALESCE(c.destination_keys, ''), \
         COALESCE(c.tally, ''), g.pair, g.place, l.pair, g.sum, l.sum, c.sum \
     FROM pairing AS g JOIN place AS l ON l.id = g.place LEFT JOIN checkpoint AS c ON c.pairing = g.id \
     WHERE g.pair = $1 ORDER BY g.id";

const PAIRING: &str = "SELECT g.id, g.source, l.mailbox, c.pairing, COALESCE(c.source, ''), \
         COALESCE(c.destination, ''), COALESCE(c.source_keys, ''), COALESCE(c.destination_keys, ''), \
         COALESCE(c.tally, ''), g.pair, g.place, l.pair, g.sum, l.sum, c.sum \
     FROM pairing AS g JOIN place AS l ON l.id = g.place LEFT JOIN checkpoint AS c ON c.pairing = g.id \
     WHERE g.pair = $1 AND g.source = $2";

/// All pairings of a pair, oldest first.
pub(crate) async fn all(link: &mut Link<'_>, pair: i64) -> Result<Vec<Pairing>, Fault> {
    link.all(PAIRINGS, &[Value::Int(pair)], |row| read(&row))
        .await
}

/// The pairing of a source mailbox.
pub(crate) async fn find(
    link: &mut Link<'_>,
    pair: i64,
    source: &str,
) -> Result<Option<Pairing>, Fault> {
    link.first(PAIRING, &[Value::Int(pair), Value::Text(source)], |row| {
        read(&row)
    })
    .await
}

fn read(row: &Row<'_>) -> Result<Pairing, Fault> {
    let (pair, source, place) = (row.int(9)?, row.text(1)?, row.int(10)?);
    sum::check(
        "pairing",
        row.maybe(12)?,
        &pairing_values(pair, source, place),
    )?;
    let mailbox = place_values(row.int(11)?, row.text(2)?);
    sum::check("place", row.maybe(13)?, &mailbox)?;
    let checkpoint = match row.maybe(3)? {
        Some(_) => {
            let columns = [
                row.text(4)?,
                row.text(5)?,
                row.text(6)?,
                row.text(7)?,
                row.text(8)?,
            ];
            let values = checkpoint_values(row.int(0)?, columns);
            sum::check("checkpoint", row.maybe(14)?, &values)?;
            Some(codec::checkpoint(columns)?)
        }
        None => None,
    };
    Ok(Pairing {
        id: PairingId(row.int(0)?),
        source: codec::mailbox(row.text(1)?)?,
        destination: codec::mailbox(row.text(2)?)?,
        checkpoint,
    })
}

/// What the sum of a destination mailbox covers.
fn place_values(pair: i64, mailbox: &str) -> [Value<'_>; 2] {
    [Value::Int(pair), Value::Text(mailbox)]
}

/// What the sum of a pairing covers.
fn pairing_values(pair: i64, source: &str, place: i64) -> [Value<'_>; 3] {
    [Value::Int(pair), Value::Text(source), Value::Int(place)]
}

/// What the sum of a checkpoint covers.
fn checkpoint_values(pairing: i64, columns: [&str; 5]) -> [Value<'_>; 6] {
    let [source, destination, source_keys, destination_keys, tally] = columns.map(Value::Text);
    let pairing = Value::Int(pairing);
    [
        pairing,
        source,
        destination,
        source_keys,
        destination_keys,
        tally,
    ]
}

/// Reads every row of these tables and compares it with its sum.
pub(crate) async fn check(link: &mut Link<'_>) -> Result<(), Fault> {
    let pairs = link
        .all("SELECT id FROM pair", &[], |row| row.int(0))
        .await?;
    for pair in pairs {
        for pairing in all(link, pair).await? {
            open_intents(link, pair, pairing.id.0).await?;
        }
    }
    Ok(())
}

/// A fault when the pairing is not one of the pair.
pub(crate) async fn require(link: &mut Link<'_>, pair: i64, pairing: i64) -> Result<(), Fault> {
    let values = [Value::Int(pairing), Value::Int(pair)];
    link.first(
        "SELECT id FROM pairing WHERE id = $1 AND pair = $2",
        &values,
        |row| row.int(0),
    )
    .await?
    .map(drop)
    .ok_or_else(|| foreign(pairing))
}

/// The destination mailbox of a pairing into which records of an epoch are written. Remembers the epoch.
pub(crate) async fn place_for(
    link: &mut Link<'_>,
    pair: i64,
    pairing: i64,
    epoch: Epoch,
) -> Result<i64, Fault> {
    let query = "SELECT g.place, (SELECT COUNT(*) FROM epoch AS e WHERE e.pairing = $1 AND e.epoch = $3) \
         FROM pairing AS g WHERE g.id = $1 AND g.pair = $2";
    let values = [
        Value::Int(pairing),
        Value::Int(pair),
        Value::Int(int(epoch.0)?),
    ];
    let found = link
        .first(query, &values, |row| Ok((row.int(0)?, row.int(1)?)))
        .await?;
    let (place, epochs) = found.ok_or_else(|| foreign(pairing))?;
    if epochs == 0 {
        let insert = "INSERT INTO epoch (pairing, epoch) VALUES ($1, $2)";
        link.execute(insert, &[values[0], values[2]]).await?;
    }
    Ok(place)
}

/// Somebody used the number of a pairing with the wrong handle.
fn foreign(pairing: i64) -> Fault {
    Fault::bug(format!(
        "the pairing {pairing} is not one of this pair of accounts"
    ))
}

/// Epochs in which a pairing has records, newest last.
pub(crate) async fn epochs(
    link: &mut Link<'_>,
    pair: i64,
    pairing: i64,
) -> Result<Vec<Epoch>, Fault> {
    let query = "SELECT e.epoch FROM epoch AS e JOIN pairing AS g ON g.id = e.pairing \
         WHERE e.pairing = $1 AND g.pair = $2 ORDER BY e.number";
    link.all(query, &[Value::Int(pairing), Value::Int(pair)], |row| {
        Ok(Epoch(uint("epoch", row.int(0)?)?))
    })
    .await
}

/// Intents that were never closed, oldest first.
pub(crate) async fn open_intents(
    link: &mut Link<'_>,
    pair: i64,
    pairing: i64,
) -> Result<Vec<(IntentId, Intent)>, Fault> {
    let query = "SELECT i.id, i.source_epoch, i.source_keys, i.destination_epoch, i.destination_next, i.sum \
         FROM intent AS i JOIN pairing AS g ON g.id = i.pairing \
         WHERE i.pairing = $1 AND g.pair = $2 ORDER BY i.id";
    link.all(query, &[Value::Int(pairing), Value::Int(pair)], |row| {
        let values = [
            Value::Int(pairing),
            Value::Int(row.int(1)?),
            Value::Text(row.text(2)?),
            Value::Int(row.int(3)?),
            Value::Int(row.int(4)?),
        ];
        sum::check("intent", row.maybe(5)?, &values)?;
        let intent = Intent {
            pairing: PairingId(pairing),
            epoch: Epoch(uint("source_epoch", row.int(1)?)?),
            keys: codec::keys("source_keys", row.text(2)?)?,
            destination_epoch: Epoch(uint("destination_epoch", row.int(3)?)?),
            destination_next: Key(uint("destination_next", row.int(4)?)?),
        };
        Ok((IntentId(row.int(0)?), intent))
    })
    .await
}

/// Finds or makes a pair of accounts; answers its number.
pub(crate) struct FindPair {
    pub(crate) source: String,
    pub(crate) destination: String,
}

impl Operation for FindPair {
    type Output = i64;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<i64, Fault>> {
        Box::pin(async move {
            let values = [Value::Text(&self.source), Value::Text(&self.destination)];
            let insert =
                "INSERT INTO pair (source, destination) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            link.execute(insert, &values).await?;
            let number = find_pair(link, &self.source, &self.destination).await?;
            number.ok_or_else(|| Fault::bug("a pair of accounts vanished while it was made"))
        })
    }
}

/// The number of a pair of accounts.
pub(crate) async fn find_pair(
    link: &mut Link<'_>,
    source: &str,
    destination: &str,
) -> Result<Option<i64>, Fault> {
    let values = [Value::Text(source), Value::Text(destination)];
    link.first(
        "SELECT id FROM pair WHERE source = $1 AND destination = $2",
        &values,
        |row| row.int(0),
    )
    .await
}

/// Maps a source mailbox to a destination mailbox.
pub(crate) struct Map {
    pub(crate) pair: i64,
    pub(crate) source: String,
    pub(crate) destination: String,
}

impl Operation for Map {
    type Output = Pairing;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Pairing, Fault>> {
        Box::pin(async move {
            let place = place(link, self.pair, &self.destination).await?;
            let known = [Value::Int(self.pair), Value::Text(&self.source)];
            let query = "SELECT id, place FROM pairing WHERE pair = $1 AND source = $2";
            let existing = link
                .first(query, &known, |row| Ok((row.int(0)?, row.int(1)?)))
                .await?;
            match existing {
                Some((_, same)) if same == place => {}
                Some((pairing, _)) => {
                    let sum = sum::of(&pairing_values(self.pair, &self.source, place));
                    let values = [Value::Int(pairing), Value::Int(place), Value::Int(sum)];
                    let update = "UPDATE pairing SET place = $2, sum = $3 WHERE id = $1";
                    link.execute(update, &values).await?;
                    link.execute("DELETE FROM checkpoint WHERE pairing = $1", &values[..1])
                        .await?;
                }
                None => {
                    let [pair, source, at] = pairing_values(self.pair, &self.source, place);
                    let sum = Value::Int(sum::of(&[pair, source, at]));
                    let insert =
                        "INSERT INTO pairing (pair, source, place, sum) VALUES ($1, $2, $3, $4)";
                    link.execute(insert, &[pair, source, at, sum]).await?;
                }
            }
            let made = find(link, self.pair, &self.source).await?;
            made.ok_or_else(|| Fault::bug("a pairing vanished while it was made"))
        })
    }
}

/// Finds or makes a destination mailbox; answers its number.
pub(crate) async fn place(link: &mut Link<'_>, pair: i64, mailbox: &str) -> Result<i64, Fault> {
    let values = place_values(pair, mailbox);
    let sum = Value::Int(sum::of(&values));
    let insert =
        "INSERT INTO place (pair, mailbox, sum) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    link.execute(insert, &[values[0], values[1], sum]).await?;
    link.first(
        "SELECT id FROM place WHERE pair = $1 AND mailbox = $2",
        &values,
        |row| row.int(0),
    )
    .await?
    .ok_or_else(|| Fault::bug("a destination mailbox vanished while it was made"))
}

/// Writes an intent; answers its number.
pub(crate) struct Intend {
    pub(crate) pair: i64,
    pub(crate) run: i64,
    pub(crate) intent: Intent,
}

impl Operation for Intend {
    type Output = i64;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<i64, Fault>> {
        Box::pin(async move {
            let pairing = self.intent.pairing.0;
            let keys = self.intent.keys.to_string();
            let values = [
                Value::Int(pairing),
                Value::Int(int(self.intent.epoch.0)?),
                Value::Text(&keys),
                Value::Int(int(self.intent.destination_epoch.0)?),
                Value::Int(int(self.intent.destination_next.0)?),
            ];
            let sum = sum::of(&values);
            let more = [Value::Int(self.run), Value::Int(self.pair), Value::Int(sum)];
            let insert = "INSERT INTO intent \
                 (pairing, source_epoch, source_keys, destination_epoch, destination_next, run, sum) \
                 SELECT $1, $2, $3, $4, $5, $6, $8 FROM pairing WHERE id = $1 AND pair = $7 RETURNING id";
            let number = link
                .first(insert, &[&values[..], &more].concat(), |row| row.int(0))
                .await?;
            number.ok_or_else(|| foreign(pairing))
        })
    }
}

/// Sets or drops a checkpoint.
pub(crate) struct SetCheckpoint {
    pub(crate) pair: i64,
    pub(crate) pairing: i64,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Operation for SetCheckpoint {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            require(link, self.pair, self.pairing).await?;
            let pairing = Value::Int(self.pairing);
            let Some(checkpoint) = &self.checkpoint else {
                return link
                    .execute("DELETE FROM checkpoint WHERE pairing = $1", &[pairing])
                    .await
                    .map(drop);
            };
            let source = codec::state_text(&checkpoint.source);
            let destination = codec::state_text(&checkpoint.destination);
            let (keys, stored) = (checkpoint.keys.to_string(), checkpoint.stored.to_string());
            let tally = codec::tally_text(&checkpoint.tally);
            let columns = [&*source, &destination, &keys, &stored, &tally];
            let values = checkpoint_values(self.pairing, columns);
            let sum = Value::Int(sum::of(&values));
            let upsert = "INSERT INTO checkpoint \
                 (pairing, source, destination, source_keys, destination_keys, tally, sum) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (pairing) DO UPDATE SET source = excluded.source, destination = excluded.destination, \
                 source_keys = excluded.source_keys, destination_keys = excluded.destination_keys, \
                 tally = excluded.tally, sum = excluded.sum";
            let values = [&values[..], &[sum]].concat();
            link.execute(upsert, &values).await.map(drop)
        })
    }
}

/// Removes everything about a pair of accounts.
pub(crate) struct Forget {
    pub(crate) pair: i64,
}

impl Operation for Forget {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            // Order matters: what refers to a row goes before the row.
            for statement in [
                "DELETE FROM message WHERE pairing IN (SELECT id FROM pairing WHERE pair = $1)",
                "DELETE FROM intent WHERE pairing IN (SELECT id FROM pairing WHERE pair = $1)",
                "DELETE FROM epoch WHERE pairing IN (SELECT id FROM pairing WHERE pair = $1)",
                "DELETE FROM checkpoint WHERE pairing IN (SELECT id FROM pairing WHERE pair = $1)",
                "DELETE FROM pairing WHERE pair = $1",
                "DELETE FROM place WHERE pair = $1",
                "DELETE FROM run WHERE pair = $1",
                "DELETE FROM pair WHERE id = $1",
            ] {
                link.execute(statement, &[Value::Int(self.pair)]).await?;
            }
            Ok(())
        })
    }
}
