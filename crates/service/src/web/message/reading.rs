//! Reads one message from a source while somebody waits for it.

use crate::origin::Way;
use bytes::Bytes;
use futures::stream::unfold;
use futures::{Stream, StreamExt};
use hikyaku_core::traits::Source;
use hikyaku_core::{Body, Fault, Key, KeySet, MailboxName};
use hikyaku_view::Heading;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{SemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

/// How long it may take until the first octet is here.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the browser may take for one chunk before the source's connection is given up.
const SLOWEST: Duration = Duration::from_secs(60);

/// Which message.
pub(super) struct Wanted {
    /// Source mailbox.
    pub(super) mailbox: MailboxName,
    /// Its key there.
    pub(super) key: Key,
    /// What it was when it was reported: keys are given anew when a mailbox is made anew.
    pub(super) heading: Option<Heading>,
}

/// A message on its way.
pub(super) struct Read {
    /// Its octets.
    pub(super) octets: u64,
    /// The octets, which end with an error if the source breaks off.
    pub(super) chunks: Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>,
}

type Chunks = mpsc::Sender<Result<Bytes, Fault>>;

/// Begins to read; `None` when the message is not there any more.
pub(super) async fn begin(
    way: Way,
    wanted: Wanted,
    seat: SemaphorePermit<'static>,
) -> Result<Option<Read>, Fault> {
    let (begun, begins) = oneshot::channel();
    let (chunks, arriving) = mpsc::channel(4);
    // A task of its own, since the connection has to live as long as the answer to the browser.
    let server = way.server().unwrap_or_default();
    let task = tokio::spawn(async move {
        read(way, wanted, begun, chunks).await;
        drop(seat);
    });
    match timeout(PATIENCE, begins).await {
        Ok(Ok(Ok(Some(octets)))) => {
            let chunks = unfold(arriving, |mut arriving| async move {
                arriving.recv().await.map(|chunk| (chunk, arriving))
            });
            Ok(Some(Read {
                octets,
                chunks: chunks.boxed(),
            }))
        }
        Ok(Ok(Ok(None))) => Ok(None),
        Ok(Ok(Err(fault))) => Err(fault),
        Ok(Err(_)) => Err(Fault::bug("reading a message ended without a word")),
        Err(_) => {
            task.abort();
            Err(crate::accounts::too_long(
                hikyaku_core::Side::Source,
                server,
            ))
        }
    }
}

async fn read(
    way: Way,
    wanted: Wanted,
    begun: oneshot::Sender<Result<Option<u64>, Fault>>,
    chunks: Chunks,
) {
    let account = match way.open().await {
        Ok(opened) => opened.source,
        Err(fault) => {
            begun.send(Err(fault)).ok();
            return;
        }
    };
    if let Err(fault) = pass_on(&*account, wanted, begun, &chunks).await {
        chunks.send(Err(fault)).await.ok();
    }
    account.close().await;
}

/// Announces the length, then passes the octets on. What goes wrong before the length is announced goes there too.
async fn pass_on(
    account: &dyn Source,
    wanted: Wanted,
    begun: oneshot::Sender<Result<Option<u64>, Fault>>,
    chunks: &Chunks,
) -> Result<(), Fault> {
    let mut reader = match open(account, &wanted).await {
        Ok(Some(reader)) => reader,
        Ok(None) => {
            begun.send(Ok(None)).ok();
            return Ok(());
        }
        Err(fault) => {
            begun.send(Err(fault)).ok();
            return Ok(());
        }
    };
    let keys: KeySet = [wanted.key].into_iter().collect();
    let mut letters = reader.read(&keys);
    let letter = match letters.next().await {
        Some(Ok(letter)) => letter,
        Some(Err(fault)) => {
            begun.send(Err(fault)).ok();
            return Ok(());
        }
        None => {
            begun.send(Ok(None)).ok();
            return Ok(());
        }
    };
    if begun.send(Ok(Some(letter.body.octets()))).is_err() {
        return Ok(());
    }
    match letter.body {
        Body::Held(octets) => give(chunks, Ok(octets)).await,
        Body::Streamed {
            chunks: mut arriving,
            ..
        } => {
            while let Some(chunk) = arriving.next().await {
                let is_end = chunk.is_err();
                if !give(chunks, chunk).await || is_end {
                    break;
                }
            }
            true
        }
    };
    Ok(())
}

/// Whether the browser took it.
async fn give(chunks: &Chunks, chunk: Result<Bytes, Fault>) -> bool {
    matches!(timeout(SLOWEST, chunks.send(chunk)).await, Ok(Ok(())))
}

/// Opens the mailbox, if it and the message are still what they were.
async fn open(
    account: &dyn Source,
    wanted: &Wanted,
) -> Result<Option<Box<dyn hikyaku_core::traits::Reader>>, Fault> {
    let mailboxes = account.mailboxes().await?;
    let Some(info) = mailboxes.iter().find(|info| info.name == wanted.mailbox) else {
        return Ok(None);
    };
    let mut reader = account.open(info).await?;
    let Some(known) = &wanted.heading else {
        return Ok(Some(reader));
    };
    let head = reader.head(wanted.key).await?;
    let is_same = head.is_some_and(|head| is_the_one(known, &Heading::of(&head)));
    Ok(is_same.then_some(reader))
}

/// Whether the message is the one that was reported: by its Message-ID, else by all that is known.
fn is_the_one(known: &Heading, found: &Heading) -> bool {
    match (&known.message_id, &found.message_id) {
        (Some(known), Some(found)) => known == found,
        _ => {
            (&known.subject, &known.from, &known.date) == (&found.subject, &found.from, &found.date)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_took_the_number_of_another_is_not_handed_out() {
        let heading = |text: &str| Heading::of(text.as_bytes());
        let known = heading("Subject: a\r\nMessage-ID: <1@x>\r\n");
        for (text, same) in [
            ("Subject: a\r\nMessage-ID: <1@x>\r\n", true),
            ("Subject: changed\r\nMessage-ID: <1@x>\r\n", true),
            ("Subject: a\r\nMessage-ID: <2@x>\r\n", false),
            ("Subject: a\r\n", true),
            ("Subject: b\r\n", false),
        ] {
            assert_eq!(is_the_one(&known, &heading(text)), same, "{text}");
        }
    }
}
