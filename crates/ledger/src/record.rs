//! Records of messages: written by many at a time, read by ranges of keys.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use futures::future::BoxFuture;
use hikyaku_core::ledger::{Elsewhere, Settled, Verified};
use hikyaku_core::{Epoch, Fault, Flags, InternalDate, Key, KeySet, MailboxName};

use crate::codec::{self, bound, int, uint};
use crate::link::{Link, Row, Sql, Value};
use crate::pairing;
use crate::sum;
use crate::writer::Operation;

/// Records per statement, largest first: four texts instead of one per length, so that all stay prepared.
const ROWS: [usize; 4] = [100, 25, 5, 1];

/// Ranges with at most so many keys between them are read as one: a few rows too many cost less than another query.
const GAP: u64 = 8;

/// What is written, the sum last.
const COLUMNS: usize = 18;

/// The column that no sum covers.
const VERIFIED: usize = 14;

/// What [`settled`] reads: the columns as they are written, the place of the pairing, and the mailbox of the record's
/// place where that is another one.
const SELECTED: &str = "m.pairing, m.source_epoch, m.source_key, m.outcome, m.place, m.destination_epoch, \
     m.destination_key, m.octets, m.algorithm, m.content, m.head, m.flags, m.date_seconds, m.date_offset, \
     m.verified, m.code, m.run, m.sum, p.place, \
     CASE WHEN m.place = p.place THEN '' ELSE COALESCE((SELECT l.mailbox FROM place AS l WHERE l.id = m.place), '') END";

/// Writes records and closes intents.
pub(crate) struct Settle {
    pub(crate) pair: i64,
    pub(crate) run: i64,
    pub(crate) pairing: i64,
    pub(crate) records: Vec<Settled>,
    pub(crate) closes: Vec<i64>,
}

impl Operation for Settle {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            if self.records.is_empty() {
                pairing::require(link, self.pair, self.pairing).await?;
            }
            let others = self.other_places(link).await?;
            for records in in_order(&self.records).chunk_by(|a, b| a.epoch == b.epoch) {
                let place =
                    pairing::place_for(link, self.pair, self.pairing, records[0].epoch).await?;
                let mut rest = records;
                while !rest.is_empty() {
                    let last = ROWS.len() - 1;
                    let which = ROWS.iter().position(|n| *n <= rest.len()).unwrap_or(last);
                    let (now, later) = rest.split_at(ROWS[which]);
                    self.upsert(link, place, &others, which, now).await?;
                    rest = later;
                }
            }
            for intent in &self.closes {
                let values = [Value::Int(*intent), Value::Int(self.pairing)];
                if link
                    .execute("DELETE FROM intent WHERE id = $1 AND pairing = $2", &values)
                    .await?
                    != 1
                {
                    return Err(Fault::bug(format!(
                        "intent {intent} of pairing {} is not open",
                        self.pairing
                    )));
                }
            }
            Ok(())
        })
    }
}

impl Settle {
    /// The places of what is stored in other mailboxes than the pairing's.
    async fn other_places(&self, link: &mut Link<'_>) -> Result<HashMap<&MailboxName, i64>, Fault> {
        let mut places = HashMap::new();
        for there in self.records.iter().filter_map(elsewhere) {
            if !places.contains_key(&there.mailbox) {
                let mailbox = codec::mailbox_text(&there.mailbox);
                let place = pairing::place(link, self.pair, &mailbox).await?;
                places.insert(&there.mailbox, place);
            }
        }
        Ok(places)
    }

    async fn upsert(
        &self,
        link: &mut Link<'_>,
        place: i64,
        others: &HashMap<&MailboxName, i64>,
        which: usize,
        records: &[&Settled],
    ) -> Result<(), Fault> {
        let flags: Vec<String> = records.iter().map(|r| r.flags.to_string()).collect();
        let mut values = Vec::with_capacity(records.len() * COLUMNS);
        for (record, flags) in records.iter().zip(&flags) {
            let there = elsewhere(record);
            let stored = match record.stored {
                Some((epoch, key)) => {
                    let epoch = there.map_or(epoch, |there| there.epoch);
                    Some((int(epoch.0)?, int(key.0)?))
                }
                None => None,
            };
            let place = there
                .and_then(|there| others.get(&there.mailbox))
                .copied()
                .unwrap_or(place);
            let hashed = record.content.is_some() || record.head.is_some();
            let row = [
                Value::Int(self.pairing),
                Value::Int(int(record.epoch.0)?),
                Value::Int(int(record.key.0)?),
                Value::Int(record.outcome as i64),
                Value::Int(place),
                Value::Maybe(stored.map(|s| s.0)),
                Value::Maybe(stored.map(|s| s.1)),
                Value::Int(int(record.octets)?),
                Value::Int(if hashed {
                    codec::BLAKE3
                } else {
                    codec::NO_HASH
                }),
                Value::Blob(record.content.as_ref().map_or(&[], |c| &c.0)),
                Value::Blob(record.head.as_ref().map_or(&[], |h| &h.0)),
                Value::Text(flags),
                Value::Maybe(record.date.map(|d| d.seconds)),
                Value::Maybe(record.date.map(|d| d.offset_minutes.into())),
                Value::Int(record.verified as i64),
                Value::Text(record.code.map_or("", |c| c.as_str())),
                Value::Int(self.run),
            ];
            values.extend(row);
            values.push(Value::Int(sum(&row)));
        }
        let texts = if link.is_sqlite() {
            &UPSERTS.0
        } else {
            &UPSERTS.1
        };
        link.execute(Sql::Made(Arc::clone(&texts[which])), &values)
            .await
            .map(drop)
    }
}

/// The other mailbox in which a message is stored, if it is stored in another one.
fn elsewhere(record: &Settled) -> Option<&Elsewhere> {
    record
        .elsewhere
        .as_ref()
        .filter(|_| record.stored.is_some())
}

/// Ascending by key, the last of equal keys only: what writing one after the other would leave, and what PostgreSQL
/// takes in one statement.
fn in_order(records: &[Settled]) -> Vec<&Settled> {
    if records.is_sorted_by(|a, b| (a.epoch, a.key) < (b.epoch, b.key)) {
        return records.iter().collect();
    }
    let sorted: BTreeMap<_, _> = records.iter().map(|r| ((r.epoch, r.key), r)).collect();
    sorted.into_values().collect()
}

type Texts = [Arc<str>; 4];

/// For SQLite and for PostgreSQL.
static UPSERTS: LazyLock<(Texts, Texts)> = LazyLock::new(|| {
    (
        ROWS.map(|rows| upsert_text(rows, true)),
        ROWS.map(|rows| upsert_text(rows, false)),
    )
});

fn upsert_text(rows: usize, sqlite: bool) -> Arc<str> {
    const NAMES: [&str; COLUMNS] = [
        "pairing",
        "source_epoch",
        "source_key",
        "outcome",
        "place",
        "destination_epoch",
        "destination_key",
        "octets",
        "algorithm",
        "content",
        "head",
        "flags",
        "date_seconds",
        "date_offset",
        "verified",
        "code",
        "run",
        "sum",
    ];
    let mut text = format!("INSERT INTO message ({}) VALUES ", NAMES.join(", "));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..COLUMNS {
            let gap = if column == 0 { "" } else { ", " };
            // SQLite searches its list of names for every named placeholder: with 1,700 of them that alone would take
            // longer than the write. Placeholders without a name are not searched.
            let number = row * COLUMNS + column + 1;
            let written = if sqlite {
                write!(text, "{gap}?")
            } else {
                write!(text, "{gap}${number}")
            };
            written.expect("a string takes every text");
        }
        text.push(')');
    }
    text.push_str(" ON CONFLICT (pairing, source_epoch, source_key) DO UPDATE SET ");
    let sets: Vec<String> = NAMES[3..]
        .iter()
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    text.push_str(&sets.join(", "));
    text.into()
}

/// Raises the proof of records.
pub(crate) struct Prove {
    pub(crate) pair: i64,
    pub(crate) pairing: i64,
    pub(crate) epoch: Epoch,
    pub(crate) keys: KeySet,
    pub(crate) level: Verified,
}

impl Operation for Prove {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            pairing::require(link, self.pair, self.pairing).await?;
            let update = "UPDATE message SET verified = $3 WHERE pairing = $1 AND source_epoch = $2 \
                 AND verified < $3 AND source_key >= $4 AND source_key <= $5";
            for range in self.keys.ranges() {
                let values = [
                    Value::Int(self.pairing),
                    Value::Int(bound(self.epoch.0)),
                    Value::Int(self.level as i64),
                    Value::Int(bound(*range.start())),
                    Value::Int(bound(*range.end())),
                ];
                link.execute(update, &values).await?;
            }
            Ok(())
        })
    }
}

/// One page of a pairing's records, ascending.
pub(crate) async fn known(
    link: &mut Link<'_>,
    pair: i64,
    pairing: i64,
    epoch: Epoch,
    after: Option<Key>,
    limit: u32,
) -> Result<Vec<Settled>, Fault> {
    static TEXT: LazyLock<Arc<str>> = LazyLock::new(|| {
        format!(
            "SELECT {SELECTED} FROM pairing AS p CROSS JOIN message AS m \
             WHERE p.id = $1 AND p.pair = $2 AND m.pairing = $1 AND m.source_epoch = $3 AND m.source_key > $4 \
             ORDER BY m.source_key LIMIT $5"
        )
        .into()
    });
    let values = [
        Value::Int(pairing),
        Value::Int(pair),
        Value::Int(bound(epoch.0)),
        Value::Int(after.map_or(-1, |key| bound(key.0))),
        Value::Int(limit.into()),
    ];
    link.all(Sql::Made(Arc::clone(&TEXT)), &values, |row| settled(&row))
        .await
}

/// The records of exactly these source keys, ascending.
pub(crate) async fn lookup(
    link: &mut Link<'_>,
    pair: i64,
    pairing: i64,
    epoch: Epoch,
    keys: &KeySet,
) -> Result<Vec<Settled>, Fault> {
    static TEXT: LazyLock<Arc<str>> = LazyLock::new(|| {
        format!(
            "SELECT {SELECTED} FROM pairing AS p CROSS JOIN message AS m \
             WHERE p.id = $1 AND p.pair = $2 AND m.pairing = $1 AND m.source_epoch = $3 \
             AND m.source_key >= $4 AND m.source_key <= $5 ORDER BY m.source_key"
        )
        .into()
    });
    by_spans(link, &TEXT, pair, pairing, epoch, keys, |r| Some(r.key)).await
}

/// The records that own these destination keys, ascending by source key.
pub(crate) async fn lookup_stored(
    link: &mut Link<'_>,
    pair: i64,
    pairing: i64,
    epoch: Epoch,
    keys: &KeySet,
) -> Result<Vec<Settled>, Fault> {
    static TEXT: LazyLock<Arc<str>> = LazyLock::new(|| {
        format!(
            "SELECT {SELECTED} FROM pairing AS p CROSS JOIN message AS m \
             WHERE p.id = $1 AND p.pair = $2 AND m.pairing = $1 \
             AND m.place = p.place AND m.destination_epoch = $3 AND m.destination_key IS NOT NULL \
             AND m.destination_key >= $4 AND m.destination_key <= $5"
        )
        .into()
    });
    let stored = |record: &Settled| record.stored.map(|(_, key)| key);
    let mut found = by_spans(link, &TEXT, pair, pairing, epoch, keys, stored).await?;
    found.sort_by_key(|r| (r.key, r.epoch));
    Ok(found)
}

/// One query per span of keys. Lists of ranges inside one query were tried: how PostgreSQL runs those depends on its
/// statistics, and without any it compares every range with every row.
async fn by_spans(
    link: &mut Link<'_>,
    text: &Arc<str>,
    pair: i64,
    pairing: i64,
    epoch: Epoch,
    keys: &KeySet,
    key_of: fn(&Settled) -> Option<Key>,
) -> Result<Vec<Settled>, Fault> {
    let mut found = Vec::new();
    for (low, high) in spans(keys) {
        let values = [
            Value::Int(pairing),
            Value::Int(pair),
            Value::Int(bound(epoch.0)),
            Value::Int(bound(low)),
            Value::Int(bound(high)),
        ];
        link.each(Sql::Made(Arc::clone(text)), &values, |row| {
            let record = settled(&row)?;
            if key_of(&record).is_some_and(|key| keys.contains(key)) {
                found.push(record);
            }
            Ok(())
        })
        .await?;
    }
    Ok(found)
}

/// The ranges of a set, united where at most [`GAP`] keys lie between them.
fn spans(keys: &KeySet) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = Vec::new();
    for range in keys.ranges() {
        match out.last_mut() {
            Some(last) if range.start() - last.1 <= GAP + 1 => last.1 = *range.end(),
            _ => out.push((*range.start(), *range.end())),
        }
    }
    out
}

/// The destination keys that any pairing of the pair owns in a mailbox.
pub(crate) async fn owned(
    link: &mut Link<'_>,
    pair: i64,
    mailbox: &str,
    epoch: Epoch,
) -> Result<KeySet, Fault> {
    // Runs of consecutive keys keep the same distance to their rank: one row per range, however many keys.
    let query = "SELECT MIN(k), MAX(k) FROM (\
             SELECT m.destination_key AS k, m.destination_key - DENSE_RANK() OVER (ORDER BY m.destination_key) AS run \
             FROM place AS p CROSS JOIN message AS m \
             WHERE p.pair = $1 AND p.mailbox = $2 AND m.place = p.id AND m.destination_epoch = $3 \
             AND m.destination_key IS NOT NULL) AS runs \
         GROUP BY run ORDER BY 1";
    let mut set = KeySet::new();
    link.each(
        query,
        &[
            Value::Int(pair),
            Value::Text(mailbox),
            Value::Int(bound(epoch.0)),
        ],
        |row| {
            set.insert_range(
                uint("destination_key", row.int(0)?)?..=uint("destination_key", row.int(1)?)?,
            );
            Ok(())
        },
    )
    .await?;
    Ok(set)
}

/// The sum over a row, in the order of the columns.
fn sum(row: &[Value<'_>; COLUMNS - 1]) -> i64 {
    let (before, after) = (&row[..VERIFIED], &row[VERIFIED + 1..]);
    let mut covered = [Value::Int(0); COLUMNS - 2];
    covered[..VERIFIED].copy_from_slice(before);
    covered[VERIFIED..].copy_from_slice(after);
    sum::of(&covered)
}

/// A record from a row of [`SELECTED`].
///
/// A key in another mailbox than the pairing's is told with the epoch 0, which no mailbox has: two mailboxes may well
/// have the same UIDVALIDITY, and the key must not be taken for one of this mailbox. Mailbox and epoch stand beside it.
fn settled(row: &Row<'_>) -> Result<Settled, Fault> {
    check_sum(row)?;
    let (stored, elsewhere) = match (row.maybe(5)?, row.maybe(6)?) {
        (Some(epoch), Some(key)) => {
            let epoch = Epoch(uint("destination_epoch", epoch)?);
            let key = Key(uint("destination_key", key)?);
            match row.int(4)? == row.int(18)? {
                true => (Some((epoch, key)), None),
                false => {
                    let mailbox = codec::mailbox(row.text(19)?)?;
                    let there = Elsewhere { mailbox, epoch };
                    (Some((Epoch(0), key)), Some(there))
                }
            }
        }
        _ => (None, None),
    };
    let (content, head) = codec::hashes(row.int(8)?, row.blob(9)?, row.blob(10)?)?;
    let date = match (row.maybe(12)?, row.maybe(13)?) {
        (Some(seconds), Some(offset)) => Some(InternalDate {
            seconds,
            offset_minutes: i16::try_from(offset)
                .map_err(|_| codec::unreadable("date_offset", &offset.to_string()))?,
        }),
        _ => None,
    };
    Ok(Settled {
        epoch: Epoch(uint("source_epoch", row.int(1)?)?),
        key: Key(uint("source_key", row.int(2)?)?),
        outcome: codec::outcome(row.int(3)?)?,
        stored,
        elsewhere,
        octets: uint("octets", row.int(7)?)?,
        content,
        head,
        flags: Flags::parse(row.text(11)?),
        date,
        verified: codec::verified(row.int(14)?)?,
        code: codec::code(row.text(15)?),
    })
}

/// Whether a row of [`SELECTED`] is as it was written.
fn check_sum(row: &Row<'_>) -> Result<(), Fault> {
    let written = row.maybe(17)?;
    let values = [
        Value::Int(row.int(0)?),
        Value::Int(row.int(1)?),
        Value::Int(row.int(2)?),
        Value::Int(row.int(3)?),
        Value::Int(row.int(4)?),
        Value::Maybe(row.maybe(5)?),
        Value::Maybe(row.maybe(6)?),
        Value::Int(row.int(7)?),
        Value::Int(row.int(8)?),
        Value::Blob(row.blob(9)?),
        Value::Blob(row.blob(10)?),
        Value::Text(row.text(11)?),
        Value::Maybe(row.maybe(12)?),
        Value::Maybe(row.maybe(13)?),
        Value::Int(row.int(14)?),
        Value::Text(row.text(15)?),
        Value::Int(row.int(16)?),
    ];
    match written {
        Some(written) if written != sum(&values) => Err(sum::mismatch("message")),
        _ => Ok(()),
    }
}

/// Reads every record and compares it with its sum.
pub(crate) async fn check(link: &mut Link<'_>) -> Result<(), Fault> {
    static TEXT: LazyLock<Arc<str>> = LazyLock::new(|| {
        format!("SELECT {SELECTED} FROM message AS m JOIN pairing AS p ON p.id = m.pairing").into()
    });
    link.each(Sql::Made(Arc::clone(&TEXT)), &[], |row| check_sum(&row))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_are_read_together_and_far_ones_apart() {
        let keys = KeySet::parse("1:3,5,14,24,34:40").expect("a set");
        assert_eq!(spans(&keys), [(1, 14), (24, 24), (34, 40)]);
        assert_eq!(spans(&KeySet::range(0..=u64::MAX)), [(0, u64::MAX)]);
        assert_eq!(spans(&KeySet::new()), []);
    }
}
