//! What every destination does.

use super::{Held, Message, find, read, source};
use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::traits::{Appended, Destination, FlagChange, Gate, Writer};
use hikyaku_core::{
    Body, Code, Fault, Flags, InternalDate, Key, Letter, MailboxName, Reach, Remedy, Role, Side,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a destination is able to keep, as far as its abilities do not tell.
#[derive(Clone, Copy, Debug)]
pub struct Takes {
    /// Special uses are kept.
    pub roles: bool,
    /// Subscriptions are kept.
    pub subscriptions: bool,
}

/// A gate that is open or shut.
struct Door(AtomicBool);

impl Door {
    fn new(open: bool) -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(open)))
    }
}

impl Gate for Door {
    fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Holds a destination against what the engine relies on. It is empty at first, INBOX aside; what
/// it holds in the end is returned, and is what its source showed.
pub async fn destination(account: &dyn Destination, takes: Takes) -> Vec<Held> {
    folders(account, takes).await;
    let mut made = Made {
        account,
        name: MailboxName::parse("受信トレイ/請求書").expect("a name"),
        messages: Vec::new(),
    };
    made.appends().await;
    made.at_once().await;
    made.streams().await;
    made.refusals().await;
    made.dropped().await;
    made.flags().await;
    let held = made.held().await;
    source(account, &held).await;
    held
}

async fn folders(account: &dyn Destination, takes: Takes) {
    let name = |text: &str| MailboxName::parse(text).expect("a name");
    for (text, role, subscribe) in [
        ("受信トレイ/請求書", None, true),
        ("Sent", Some(Role::Sent), true),
        ("quiet", None, false),
        ("R&D with \"quotes\"", None, true),
    ] {
        let name = name(text);
        let made = account.ensure(&name, role, subscribe).await.expect("made");
        assert_eq!(made.name, name, "made under its name");
        assert!(made.selectable, "{name} can be opened");
        let again = account
            .ensure(&name, role, subscribe)
            .await
            .expect("made again");
        assert_eq!(
            (&again.name, &again.wire),
            (&made.name, &made.wire),
            "{name}: the same again"
        );
        let listed = find(account, &name).await;
        assert!(
            !takes.subscriptions || listed.subscribed == subscribe,
            "{listed:?}"
        );
        assert!(!takes.roles || listed.role == role, "{listed:?}");
        let messages = account
            .open(&listed)
            .await
            .expect("opened")
            .state()
            .messages;
        assert_eq!(messages, 0, "{name} is empty");
    }
    let quiet = name("quiet");
    account
        .ensure(&quiet, None, true)
        .await
        .expect("subscribed later");
    assert!(!takes.subscriptions || find(account, &quiet).await.subscribed);
}

struct Made<'a> {
    account: &'a dyn Destination,
    name: MailboxName,
    /// What was stored, in order.
    messages: Vec<Message>,
}

impl Made<'_> {
    async fn writer(&self) -> Box<dyn Writer> {
        let info = find(self.account, &self.name).await;
        self.account.write(&info).await.expect("opened for writing")
    }

    fn letter(&self, message: &Message) -> Letter {
        Letter {
            // Keys of the source mean nothing to a destination.
            key: Key(1_000 + self.messages.len() as u64),
            flags: message.flags.clone(),
            date: message.seconds.map(InternalDate::utc),
            body: Body::Held(Bytes::copy_from_slice(&message.octets)),
        }
    }

    fn stored(&mut self, answer: Appended, messages: Vec<Message>, writer: &dyn Writer) {
        let Appended::Stored { epoch, keys } = answer else {
            panic!("not stored: {answer:?}");
        };
        if self.account.abilities().reports_keys {
            assert_eq!(epoch, writer.state().epoch, "the epoch of the mailbox");
            let keys = keys.expect("the keys");
            assert_eq!(keys.len(), messages.len(), "a key for each message");
            assert!(
                keys.windows(2).all(|two| two[0] < two[1]),
                "keys ascend: {keys:?}"
            );
            let next = writer.state().next.expect("a next key");
            assert!(
                keys.iter().all(|key| *key >= next),
                "{keys:?} are new since {next}"
            );
        }
        self.messages.extend(messages);
    }

    /// The mailbox holds what was stored, in that order.
    async fn look(&self) {
        let info = find(self.account, &self.name).await;
        let mut reader = self.account.open(&info).await.expect("opened");
        let keys = reader.keys().await.expect("keys");
        let read = read(reader.as_mut(), &keys).await;
        let read: Vec<Message> = read.into_iter().map(|(_, message)| message).collect();
        assert_eq!(read.len(), self.messages.len(), "messages");
        assert!(
            read == self.messages,
            "octets, flags and dates as they were sent"
        );
    }

    async fn appends(&mut self) {
        let mut writer = self.writer().await;
        let permanent = writer.permanent_flags().clone();
        let (_, lost) = permanent.divide(&Flags::parse(
            "\\Seen \\Answered \\Flagged \\Deleted \\Draft",
        ));
        assert!(lost.is_empty(), "system flags are kept: {permanent:?}");
        for (n, flags) in ["", "\\Seen", "\\Answered \\Flagged \\Deleted \\Draft"]
            .iter()
            .enumerate()
        {
            let message = Message::new(flags, 1_500_000_000 + n as i64, mail(n, 200));
            let letters = vec![self.letter(&message)];
            let pending = writer
                .append(letters, Door::new(true))
                .await
                .expect("queued");
            self.stored(pending.await, vec![message], writer.as_ref());
        }
        // A twin is a message of its own.
        let twin = self.messages[0].clone();
        let pending = writer
            .append(vec![self.letter(&twin)], Door::new(true))
            .await;
        self.stored(pending.expect("queued").await, vec![twin], writer.as_ref());
        if permanent.any_keyword {
            let message = Message::new("\\Seen $Label1 NonJunk", 1_500_000_100, mail(99, 100));
            let pending = writer
                .append(vec![self.letter(&message)], Door::new(true))
                .await;
            self.stored(
                pending.expect("queued").await,
                vec![message],
                writer.as_ref(),
            );
        }
        let count = writer.keys().await.expect("keys").len();
        assert_eq!(
            count,
            self.messages.len() as u64,
            "who writes sees what is new"
        );
        drop(writer);
        self.look().await;
    }

    /// Several appends are under way, of one letter or of many.
    async fn at_once(&mut self) {
        let size = match self.account.abilities().appends_batches {
            true => 7i64,
            false => 1,
        };
        let mut writer = self.writer().await;
        let mut under_way = Vec::new();
        for n in 0..3i64 {
            let message =
                |k: i64| Message::new("\\Seen", 1_600_000_000 + k, mail(200 + k as usize, 3_000));
            let messages: Vec<Message> = (n * size..(n + 1) * size).map(message).collect();
            let letters = messages.iter().map(|m| self.letter(m)).collect();
            let pending = writer
                .append(letters, Door::new(true))
                .await
                .expect("queued");
            under_way.push((pending, messages));
        }
        for (pending, messages) in under_way {
            self.stored(pending.await, messages, writer.as_ref());
        }
        drop(writer);
        self.look().await;
    }

    async fn streams(&mut self) {
        let mut writer = self.writer().await;
        let message = Message::new("\\Flagged", 1_650_000_000, mail(300, 1_000_000));
        let letter = Letter {
            body: streamed(&message.octets, None),
            ..self.letter(&message)
        };
        let pending = writer
            .append(vec![letter], Door::new(true))
            .await
            .expect("queued");
        self.stored(pending.await, vec![message], writer.as_ref());
        drop(writer);
        self.look().await;
    }

    /// What is not to be stored is not stored.
    async fn refusals(&mut self) {
        let message = Message::new("", 1_660_000_000, mail(400, 900_000));
        let mut writer = self.writer().await;
        let letter = Letter {
            body: streamed(&message.octets, Some(lost())),
            ..self.letter(&message)
        };
        let pending = writer
            .append(vec![letter], Door::new(true))
            .await
            .expect("queued");
        let answer = pending.await;
        assert!(
            !matches!(answer, Appended::Stored { .. }),
            "half a message: {answer:?}"
        );
        drop(writer);
        self.look().await;
        let mut writer = self.writer().await;
        let letters = vec![self.letter(&message)];
        let answer = match writer.append(letters, Door::new(false)).await {
            Ok(pending) => pending.await,
            Err(fault) => Appended::Refused(fault),
        };
        assert!(
            !matches!(answer, Appended::Stored { .. }),
            "behind a shut gate: {answer:?}"
        );
        drop(writer);
        self.look().await;
    }

    /// An append that nobody waits for is still answered.
    async fn dropped(&mut self) {
        let message = Message::new("", 1_670_000_000, mail(500, 5_000));
        let mut writer = self.writer().await;
        let letters = vec![self.letter(&message)];
        let pending = writer
            .append(letters, Door::new(true))
            .await
            .expect("queued");
        drop(writer);
        if let Appended::Stored { .. } = pending.await {
            self.messages.push(message);
            self.look().await;
        }
    }

    async fn flags(&mut self) {
        let mut writer = self.writer().await;
        let keys = writer.keys().await.expect("keys");
        let keys: Vec<Key> = keys.iter().collect();
        let change = |key, add: &str, remove: &str| FlagChange {
            key,
            add: Flags::parse(add),
            remove: Flags::parse(remove),
        };
        let changes = [
            change(keys[0], "\\Seen \\Flagged", ""),
            change(keys[1], "\\Answered", "\\Seen"),
            change(keys[2], "", "\\Deleted \\Draft"),
        ];
        writer.store_flags(&changes).await.expect("stored");
        self.messages[0].flags = Flags::parse("\\Seen \\Flagged");
        self.messages[1].flags = Flags::parse("\\Answered");
        self.messages[2].flags = Flags::parse("\\Answered \\Flagged");
        drop(writer);
        self.look().await;
    }

    /// What the whole account holds now.
    async fn held(&self) -> Vec<Held> {
        let listed = self.account.mailboxes().await.expect("mailboxes");
        let selectable = listed.into_iter().filter(|info| info.selectable);
        let of = |name: MailboxName| Held {
            messages: match name == self.name {
                true => self.messages.clone(),
                false => Vec::new(),
            },
            name,
        };
        selectable.map(|info| of(info.name)).collect()
    }
}

/// In pieces; with a fault after half of them where one is given.
fn streamed(octets: &[u8], broken: Option<Fault>) -> Body {
    let announced = octets.len() as u64;
    let mut chunks: Vec<Result<Bytes, Fault>> = octets
        .chunks(65_536)
        .map(|c| Ok(Bytes::copy_from_slice(c)))
        .collect();
    if let Some(fault) = broken {
        chunks.truncate(chunks.len() / 2);
        chunks.push(Err(fault));
    }
    Body::Streamed {
        octets: announced,
        chunks: futures::stream::iter(chunks).boxed(),
    }
}

fn lost() -> Fault {
    let retry = Remedy::Retry { after: None };
    Fault::new(Code::LinkLost, Reach::Side, retry, "cut inside the message").on(Side::Source)
}

/// A message that every server keeps as it is.
fn mail(n: usize, size: usize) -> Vec<u8> {
    let mut octets = format!(
        "From: a@example.jp\r\nSubject: contract {n}\r\nMessage-ID: <{n}.contract@example.jp>\r\n\
         Date: Wed, 14 Jul 2021 10:20:30 +0900\r\n\r\n"
    )
    .into_bytes();
    while octets.len() < size {
        octets.extend_from_slice(format!("From line {n}, octet {}\r\n", octets.len()).as_bytes());
    }
    octets
}
