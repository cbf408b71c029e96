//! Runs, and what they left undone.

use std::fmt;
use std::str::FromStr;

use futures::future::BoxFuture;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Epoch, Fault, Key, MailboxName};

use crate::codec::{self, bound, int, uint};
use crate::link::{Link, Row, Value};
use crate::store::PairId;
use crate::writer::Operation;

/// Digits of a run's name: no I, L, O or U, so that they can be read out and written by hand.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Names are this short while enough of them are free.
const SHORT: u32 = 5;

/// The name of a run, such as `8F3K2`: what people quote.
///
/// Reading takes either case, and `O` for `0`, `I` and `L` for `1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(i64);

impl RunId {
    pub(crate) fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = SHORT.max(u64::BITS.saturating_sub(self.0.leading_zeros()).div_ceil(5));
        (0..digits).rev().try_for_each(|n| {
            let digit = DIGITS[(self.0 >> (5 * n) & 31) as usize];
            write!(f, "{}", char::from(digit))
        })
    }
}

impl FromStr for RunId {
    type Err = NoRunId;

    fn from_str(text: &str) -> Result<Self, NoRunId> {
        let mut number: i64 = 0;
        if text.len() < SHORT as usize || text.len() > 12 {
            return Err(NoRunId);
        }
        for c in text.bytes() {
            let digit = match c.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let value = DIGITS.iter().position(|d| *d == digit).ok_or(NoRunId)?;
            number = number << 5 | value as i64;
        }
        Ok(Self(number))
    }
}

/// A text that is no name of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRunId;

impl fmt::Display for NoRunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a run, such as 8F3K2")
    }
}

impl std::error::Error for NoRunId {}

/// One run of the program for a pair of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// The accounts.
    pub pair: PairId,
    /// What it was for, such as `copy` or `check`.
    pub kind: String,
    /// Milliseconds since 1970 UTC.
    pub started_millis: i64,
    /// Milliseconds since 1970 UTC; `None` while it goes on, and when it was killed.
    pub ended_millis: Option<i64>,
    /// Its exit code, once it ended.
    pub exit: Option<u8>,
    /// The JSON that was given at its end; empty before.
    pub summary: String,
}

/// A place in the list of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pairing: i64,
    epoch: Epoch,
    key: Key,
}

/// A message that is neither copied nor already there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionRow {
    /// Where it stands in the list.
    pub cursor: Cursor,
    /// Source mailbox.
    pub source: MailboxName,
    /// Destination mailbox, as it is mapped now.
    pub destination: MailboxName,
    /// Source key.
    pub key: Key,
    /// What became of it.
    pub outcome: Outcome,
    /// Octets as read; zero when it was never read.
    pub octets: u64,
    /// Why, where a reason was given.
    pub code: Option<Code>,
    /// The run that settled it, where one was named.
    pub run: Option<RunId>,
}

/// Notes that a run began.
pub(crate) struct BeginRun {
    pub(crate) pair: PairId,
    pub(crate) kind: String,
    pub(crate) now_millis: i64,
    pub(crate) seed: u64,
}

impl Operation for BeginRun {
    type Output = RunId;

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<RunId, Fault>> {
        Box::pin(async move {
            let query = "SELECT id FROM pair WHERE id = $1";
            if link
                .first(query, &[Value::Int(self.pair.0)], |row| row.int(0))
                .await?
                .is_none()
            {
                return Err(Fault::bug(format!(
                    "there is no pair of accounts {}",
                    self.pair.0
                )));
            }
            let insert = "INSERT INTO run (code, pair, kind, started, summary) VALUES ($1, $2, $3, $4, '') \
                 ON CONFLICT (code) DO NOTHING";
            for name in names(self.seed) {
                let values = [
                    Value::Int(name.0),
                    Value::Int(self.pair.0),
                    Value::Text(&self.kind),
                    Value::Int(self.now_millis),
                ];
                if link.execute(insert, &values).await? == 1 {
                    return Ok(name);
                }
            }
            Err(Fault::bug("no free name for a run was found"))
        })
    }
}

/// Names to try: sixteen short ones, then long ones. Zero means *no run* and is never among them.
fn names(seed: u64) -> impl Iterator<Item = RunId> {
    (0..64).map(move |n| {
        let bits = if n < 16 { 5 * SHORT } else { 10 * SHORT };
        let mixed = mix(seed.wrapping_add(n)) & ((1 << bits) - 1);
        RunId(i64::try_from(mixed).unwrap_or(1).max(1))
    })
}

/// Spreads neighbouring seeds over all bits (the finaliser of SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Notes how a run ended.
pub(crate) struct EndRun {
    pub(crate) run: RunId,
    pub(crate) summary: String,
    pub(crate) exit: u8,
    pub(crate) now_millis: i64,
}

impl Operation for EndRun {
    type Output = ();

    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let values = [
                Value::Int(self.run.0),
                Value::Int(self.now_millis),
                Value::Int(self.exit.into()),
                Value::Text(&self.summary),
            ];
            let update = "UPDATE run SET ended = $2, exit = $3, summary = $4 WHERE code = $1";
            match link.execute(update, &values).await? {
                1 => Ok(()),
                _ => Err(Fault::bug(format!("there is no run {}", self.run))),
            }
        })
    }
}

/// The latest runs, newest first.
pub(crate) async fn list(link: &mut Link<'_>, limit: u32) -> Result<Vec<Run>, Fault> {
    let query = "SELECT code, pair, kind, started, ended, exit, summary FROM run ORDER BY number DESC LIMIT $1";
    link.all(query, &[Value::Int(limit.into())], |row| read(&row))
        .await
}

/// The latest run of each pair.
pub(crate) async fn latest(link: &mut Link<'_>) -> Result<Vec<Run>, Fault> {
    let query = "SELECT code, pair, kind, started, ended, exit, summary FROM run \
         WHERE number IN (SELECT MAX(number) FROM run GROUP BY pair)";
    link.all(query, &[], |row| read(&row)).await
}

/// One run.
pub(crate) async fn find(link: &mut Link<'_>, id: RunId) -> Result<Option<Run>, Fault> {
    let query = "SELECT code, pair, kind, started, ended, exit, summary FROM run WHERE code = $1";
    link.first(query, &[Value::Int(id.0)], |row| read(&row))
        .await
}

fn read(row: &Row<'_>) -> Result<Run, Fault> {
    let exit = match row.maybe(5)? {
        Some(code) => {
            Some(u8::try_from(code).map_err(|_| codec::unreadable("exit", &code.to_string()))?)
        }
        None => None,
    };
    Ok(Run {
        id: RunId(row.int(0)?),
        pair: PairId(row.int(1)?),
        kind: row.text(2)?.to_owned(),
        started_millis: row.int(3)?,
        ended_millis: row.maybe(4)?,
        exit,
        summary: row.text(6)?.to_owned(),
    })
}

/// Messages that are neither copied nor already there, in the newest epoch of each mailbox.
pub(crate) async fn exceptions(
    link: &mut Link<'_>,
    pair: PairId,
    run: Option<RunId>,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<ExceptionRow>, Fault> {
    let query = "SELECT m.pairing, m.source_epoch, m.source_key, m.outcome, m.octets, m.code, m.run, \
             g.source, l.mailbox \
         FROM message AS m JOIN pairing AS g ON g.id = m.pairing JOIN place AS l ON l.id = g.place \
         WHERE g.pair = $1 AND m.outcome > 2 AND (m.pairing, m.source_epoch, m.source_key) > ($2, $3, $4) \
         AND ($5 = 0 OR m.run = $5) \
         AND m.source_epoch = (SELECT e.epoch FROM epoch AS e WHERE e.pairing = m.pairing \
             ORDER BY e.number DESC LIMIT 1) \
         ORDER BY m.pairing, m.source_epoch, m.source_key LIMIT $6";
    let (pairing, epoch, key) = match after {
        Some(cursor) => (cursor.pairing, int(cursor.epoch.0)?, bound(cursor.key.0)),
        None => (0, -1, -1),
    };
    let values = [
        Value::Int(pair.0),
        Value::Int(pairing),
        Value::Int(epoch),
        Value::Int(key),
        Value::Int(run.map_or(0, RunId::number)),
        Value::Int(limit.into()),
    ];
    link.all(query, &values, |row| {
        let key = Key(uint("source_key", row.int(2)?)?);
        Ok(ExceptionRow {
            cursor: Cursor {
                pairing: row.int(0)?,
                epoch: Epoch(uint("source_epoch", row.int(1)?)?),
                key,
            },
            source: codec::mailbox(row.text(7)?)?,
            destination: codec::mailbox(row.text(8)?)?,
            key,
            outcome: codec::outcome(row.int(3)?)?,
            octets: uint("octets", row.int(4)?)?,
            code: codec::code(row.text(5)?),
            run: Some(row.int(6)?).filter(|code| *code != 0).map(RunId),
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_read_as_people_write_it() {
        assert_eq!(
            "8f3k2".parse::<RunId>().map(|r| r.to_string()),
            Ok("8F3K2".to_owned())
        );
        assert_eq!(
            "OoIlL".parse::<RunId>().map(|r| r.to_string()),
            Ok("00111".to_owned())
        );
        for bad in ["", "8F3K", "8F3KU", "8F3K2!", "０F3K2", "0000000000000"] {
            assert_eq!(bad.parse::<RunId>(), Err(NoRunId), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_name_that_is_made_can_be_read(seed in any::<u64>()) {
            for (n, name) in names(seed).enumerate() {
                let text = name.to_string();
                prop_assert!(name.0 > 0);
                prop_assert_eq!(text.parse(), Ok(name));
                prop_assert!(n >= 16 || text.len() == 5, "{}", text);
            }
        }
    }
}
