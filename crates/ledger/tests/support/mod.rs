//! What the tests of the ledger share.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use hikyaku_core::ledger::{Checkpoint, Intent, PairingId, Settled, Verified};
use hikyaku_core::report::{Outcome, Tally};
use hikyaku_core::{
    AccountId, Code, ContentHash, Epoch, Flags, HeadDigest, InternalDate, Key, KeySet, MailboxName,
    MailboxState,
};

/// Generation of the source mailbox in most tests.
pub(crate) const SOURCE: Epoch = Epoch(1_700_000_001);

/// Generation of the destination mailbox in most tests.
pub(crate) const DESTINATION: Epoch = Epoch(1_700_000_999);

pub(crate) fn account(name: &str) -> AccountId {
    AccountId::new(format!("imap://{name}.example.jp"))
}

pub(crate) fn mailbox(text: &str) -> MailboxName {
    MailboxName::parse(text).expect("a name")
}

pub(crate) fn keys(text: &str) -> KeySet {
    KeySet::parse(text).expect("a set")
}

/// A copied message with every field filled; stored under its key plus 1000.
pub(crate) fn copied(key: u64) -> Settled {
    Settled {
        epoch: SOURCE,
        key: Key(key),
        outcome: Outcome::Copied,
        stored: Some((DESTINATION, Key(key + 1000))),
        elsewhere: None,
        octets: 100 + key,
        content: Some(ContentHash::of(&key.to_le_bytes())),
        head: Some(HeadDigest([key as u8; 16])),
        flags: Flags::parse("\\Seen \\Flagged $Label1 請求書"),
        date: Some(InternalDate {
            seconds: 1_700_000_000 - key as i64,
            offset_minutes: -210,
        }),
        verified: Verified::Acknowledged,
        code: None,
    }
}

/// A message that was never read, with every field empty that can be.
pub(crate) fn refused(key: u64, outcome: Outcome) -> Settled {
    Settled {
        outcome,
        stored: None,
        octets: 0,
        content: None,
        head: None,
        flags: Flags::new(),
        date: None,
        verified: Verified::No,
        code: Some(Code::MessageRefused),
        ..copied(key)
    }
}

pub(crate) fn intent(pairing: PairingId, set: &str) -> Intent {
    Intent {
        pairing,
        epoch: SOURCE,
        keys: keys(set),
        destination_epoch: DESTINATION,
        destination_next: Key(1001),
    }
}

pub(crate) fn checkpoint() -> Checkpoint {
    let mut tally = Tally::default();
    tally.add(Outcome::Copied, 3, 306);
    tally.add(Outcome::AlreadyThere, 1, 4);
    Checkpoint {
        source: MailboxState {
            epoch: Some(SOURCE),
            next: Some(Key(5)),
            messages: 4,
            modseq: Some(9_223_372_036_854_775_807),
            octets: None,
        },
        destination: MailboxState {
            epoch: Some(DESTINATION),
            next: None,
            messages: 0,
            modseq: None,
            octets: Some(310),
        },
        keys: keys("1:3,7"),
        stored: keys("1001:1003,1007"),
        tally,
    }
}
