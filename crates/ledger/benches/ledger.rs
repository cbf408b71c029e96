//! How long the ledger takes for what a copy asks of it, on the disk of the temporary directory (or `TMPDIR`).

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::future::Future;
use std::time::Instant;

use anyhow::Result;
use futures::stream::{FuturesUnordered, StreamExt};
use hikyaku_core::ledger::{Intent, Ledger, PairingId, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::{
    AccountId, ContentHash, Epoch, Flags, HeadDigest, InternalDate, Key, KeySet, MailboxName,
};
use hikyaku_ledger::{PairLedger, Store};

const BATCH: u64 = 100;

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("ledger.sqlite");
    let store = timed("open, new file", Store::open(&path)).await?;
    let ledger = store
        .pair(
            &AccountId::new("imap://a@old.example"),
            &AccountId::new("imap://a@new.example"),
        )
        .await?;
    for messages in [10_000, 100_000] {
        let name = MailboxName::new(vec![format!("n{messages}")]).expect("one level");
        let pairing = ledger.pair(&name, &name).await?.id;
        println!("-- {messages} messages");
        timed(
            "intend and settle, one lane",
            settle_all(&ledger, pairing, messages, 1),
        )
        .await?;
        timed(
            "the same records again, four lanes",
            settle_all(&ledger, pairing, messages, 4),
        )
        .await?;
        timed(
            "known, pages of 1,000",
            known_all(&ledger, pairing, messages),
        )
        .await?;
        timed(
            "lookup of all",
            ledger.lookup(pairing, Epoch(7), &KeySet::range(1..=messages)),
        )
        .await?;
        let every_second: KeySet = (1..=messages).step_by(2).map(Key).collect();
        timed(
            "lookup of every second",
            ledger.lookup(pairing, Epoch(7), &every_second),
        )
        .await?;
        timed(
            "lookup by destination key",
            ledger.lookup_stored(pairing, Epoch(9), &KeySet::range(1..=messages)),
        )
        .await?;
        timed("owned", ledger.owned(&name, Epoch(9))).await?;
        timed(
            "prove all",
            ledger.prove(
                pairing,
                Epoch(7),
                &KeySet::range(1..=messages),
                Verified::Present,
            ),
        )
        .await?;
        timed(
            "prove every second",
            ledger.prove(pairing, Epoch(7), &every_second, Verified::Full),
        )
        .await?;
    }
    timed("pairs", store.pairs()).await?;
    timed("close", async {
        store.close().await;
        Ok::<_, anyhow::Error>(())
    })
    .await?;
    println!("   file: {} octets", std::fs::metadata(&path)?.len());
    let store = timed("open, existing file", Store::open(&path)).await?;
    store.close().await;
    Ok(())
}

async fn timed<T, E>(what: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let start = Instant::now();
    let done = work.await;
    println!("{:9.1} ms  {what}", start.elapsed().as_secs_f64() * 1000.0);
    done
}

async fn settle_all(
    ledger: &PairLedger,
    pairing: PairingId,
    messages: u64,
    lanes: usize,
) -> Result<()> {
    let mut waiting = FuturesUnordered::new();
    for first in (1..=messages).step_by(BATCH as usize) {
        if waiting.len() == lanes {
            waiting.next().await.transpose()?;
        }
        waiting.push(async move {
            let keys = KeySet::range(first..=first + BATCH - 1);
            let records = keys.iter().map(record).collect();
            let (epoch, destination_epoch) = (Epoch(7), Epoch(9));
            let intent = Intent {
                pairing,
                epoch,
                keys,
                destination_epoch,
                destination_next: Key(first),
            };
            let intent = ledger.intend(intent).await?;
            ledger.settle(pairing, records, vec![intent]).await
        });
    }
    while waiting.next().await.transpose()?.is_some() {}
    Ok(())
}

async fn known_all(ledger: &PairLedger, pairing: PairingId, messages: u64) -> Result<()> {
    let (mut after, mut seen) = (None, 0);
    loop {
        let page = ledger.known(pairing, Epoch(7), after, 1000).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        seen += page.len() as u64;
    }
    anyhow::ensure!(seen == messages, "{seen} of {messages} records");
    Ok(())
}

fn record(key: Key) -> Settled {
    Settled {
        epoch: Epoch(7),
        key,
        outcome: Outcome::Copied,
        stored: Some((Epoch(9), key)),
        elsewhere: None,
        octets: 2048 + key.0,
        content: Some(ContentHash::of(&key.0.to_le_bytes())),
        head: Some(HeadDigest([key.0 as u8; 16])),
        flags: Flags::parse("\\Seen $Label1"),
        date: Some(InternalDate {
            seconds: 1_700_000_000 + key.0 as i64,
            offset_minutes: 540,
        }),
        verified: Verified::Acknowledged,
        code: None,
    }
}
