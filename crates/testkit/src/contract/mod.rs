//! What every source and every destination does, whatever it is: one suite for each, over the
//! traits of `hikyaku-core` alone.
//!
//! Memory, IMAP, POP3, backups and archives run through the same checks, so that the engine may
//! rely on them. Each check panics with the words of what is wrong. Start reading at [`source`]
//! and [`destination`]; the caller says what an account should hold as [`Held`].

mod destination;
mod source;

pub use destination::{Takes, destination};
pub use source::{source, source_without_flags};

use futures::StreamExt;
use hikyaku_core::traits::{Facts, Reader, Source};
use hikyaku_core::{Body, Fault, Flags, Key, KeySet, Letter, MailboxInfo, MailboxName};

/// A mailbox as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub name: MailboxName,
    /// Its messages, in order.
    pub messages: Vec<Message>,
}

impl Held {
    /// A mailbox by the text of its name.
    pub fn new(name: &str, messages: Vec<Message>) -> Self {
        let name = MailboxName::parse(name).expect("a name");
        Self { name, messages }
    }
}

/// A message as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its flags.
    pub flags: Flags,
    /// Its arrival in UTC seconds; `None` where the source has none.
    pub seconds: Option<i64>,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Message {
    /// A message from flags as text, seconds and octets.
    pub fn new(flags: &str, seconds: i64, octets: impl Into<Vec<u8>>) -> Self {
        Self {
            flags: Flags::parse(flags),
            seconds: Some(seconds),
            octets: octets.into(),
        }
    }
}

/// All octets of a body, which are as many as were announced.
pub async fn octets(body: Body) -> Result<Vec<u8>, Fault> {
    let announced = body.octets();
    let mut all = Vec::new();
    match body {
        Body::Held(octets) => all.extend_from_slice(&octets),
        Body::Streamed { mut chunks, .. } => {
            while let Some(chunk) = chunks.next().await {
                all.extend_from_slice(&chunk?);
            }
        }
    }
    assert_eq!(
        all.len() as u64,
        announced,
        "a body is as long as announced"
    );
    Ok(all)
}

/// Everything that an account holds, mailbox by mailbox, as its source tells it.
pub async fn held(source: &dyn Source) -> Vec<Held> {
    let mut all = Vec::new();
    for info in source.mailboxes().await.expect("mailboxes") {
        if info.selectable {
            let mut reader = source.open(&info).await.expect("opened");
            let keys = reader.keys().await.expect("keys");
            let read = read(reader.as_mut(), &keys).await;
            all.push(Held {
                name: info.name,
                messages: read.into_iter().map(|(_, message)| message).collect(),
            });
        }
    }
    all
}

async fn read(reader: &mut dyn Reader, keys: &KeySet) -> Vec<(Key, Message)> {
    let mut all = Vec::new();
    let mut flow = reader.read(keys);
    while let Some(letter) = flow.next().await {
        let letter = letter.expect("a letter");
        all.push((letter.key, message(letter).await));
    }
    all
}

async fn message(letter: Letter) -> Message {
    Message {
        flags: letter.flags,
        seconds: letter.date.map(|date| date.seconds),
        octets: octets(letter.body).await.expect("all octets"),
    }
}

async fn find(source: &dyn Source, name: &MailboxName) -> MailboxInfo {
    let listed = source.mailboxes().await.expect("mailboxes");
    let found = listed.into_iter().find(|info| info.name == *name);
    found.unwrap_or_else(|| panic!("{name} is not listed"))
}

/// Everything that a listing can tell.
const ALL: Facts = Facts {
    flags: true,
    date: true,
    octets: true,
    head: true,
};
