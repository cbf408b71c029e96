//! What the integration tests share: accounts on real servers, letters, gates.

#![allow(dead_code, reason = "each test binary uses its own part")]

use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::traits::{Appended, Destination, Gate, Reader, Source, Writer};
use hikyaku_core::{
    Body, Fault, Flags, InternalDate, Key, KeySet, Letter, MailboxInfo, MailboxName, Side,
};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_testkit::contract::octets;
use hikyaku_testkit::servers::{Account, MailServer};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A gate that is open for so many questions.
#[derive(Debug)]
pub(crate) struct Door(AtomicUsize);

impl Door {
    pub(crate) fn open() -> Arc<Self> {
        Self::open_for(usize::MAX)
    }

    pub(crate) fn open_for(questions: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(questions)))
    }
}

impl Gate for Door {
    fn is_open(&self) -> bool {
        let left = |left: usize| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
            .is_ok()
    }
}

/// Options for an account in clear text on a port of the loopback.
pub(crate) fn plain(port: u16, account: &Account, side: Side) -> ImapOptions {
    let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
    let password = account.password.clone();
    ImapOptions::new(endpoint, Credentials::password(&account.user, password))
}

pub(crate) async fn connect(
    server: &dyn MailServer,
    account: &Account,
    side: Side,
) -> Result<ImapAccount, Fault> {
    ImapAccount::connect(plain(server.instance().port(), account, side)).await
}

pub(crate) fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).expect("a name")
}

pub(crate) async fn find(account: &ImapAccount, text: &str) -> MailboxInfo {
    let found = account.mailboxes().await.expect("mailboxes");
    let found = found.into_iter().find(|m| m.name == name(text));
    found.unwrap_or_else(|| panic!("{text} is not listed"))
}

pub(crate) fn letter(key: u64, flags: &str, seconds: i64, octets: impl Into<Bytes>) -> Letter {
    Letter {
        key: Key(key),
        flags: Flags::parse(flags),
        date: Some(InternalDate::utc(seconds)),
        body: Body::Held(octets.into()),
    }
}

/// A letter as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) key: u64,
    pub(crate) flags: String,
    pub(crate) seconds: Option<i64>,
    pub(crate) octets: Vec<u8>,
}

pub(crate) async fn read_all(reader: &mut dyn Reader, keys: &KeySet) -> Vec<Result<Plain, Fault>> {
    let mut flow = reader.read(keys);
    let mut all = Vec::new();
    while let Some(item) = flow.next().await {
        all.push(match item {
            Ok(letter) => Ok(Plain {
                key: letter.key.0,
                flags: letter.flags.to_string(),
                seconds: letter.date.map(|d| d.seconds),
                octets: octets(letter.body).await.expect("octets"),
            }),
            Err(fault) => Err(fault),
        });
    }
    all
}

/// Appends and waits.
pub(crate) async fn append(writer: &mut dyn Writer, letters: Vec<Letter>) -> Appended {
    let pending = writer.append(letters, Door::open()).await.expect("queued");
    pending.await
}

pub(crate) async fn write(account: &ImapAccount, text: &str) -> Box<dyn Writer> {
    let info = account
        .ensure(&name(text), None, false)
        .await
        .expect("ensured");
    account.write(&info).await.expect("opened for writing")
}
