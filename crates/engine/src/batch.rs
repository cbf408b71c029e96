//! Which letters travel together.

use crate::prints::Digest;
use hikyaku_core::ledger::{Settled, Verified};
use hikyaku_core::message::{Body, Letter};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Epoch, Flags, InternalDate, Key, KeySet};

/// Largest message that travels with others, in octets (DESIGN §3).
pub(crate) const SMALL: u64 = 256 * 1024;
/// Most messages in one append.
pub(crate) const MESSAGES: usize = 100;
/// Most octets in one append of several messages.
pub(crate) const OCTETS: u64 = 4 * 1024 * 1024;

/// What stays of a letter here while its octets travel: enough to settle it.
#[derive(Clone, Debug)]
pub(crate) struct Stub {
    pub(crate) key: Key,
    pub(crate) flags: Flags,
    pub(crate) date: Option<InternalDate>,
    pub(crate) octets: u64,
    pub(crate) digest: Digest,
}

impl Stub {
    /// The record of this message with an outcome.
    pub(crate) fn settled(
        &self,
        epoch: Epoch,
        outcome: Outcome,
        stored: Option<(Epoch, Key)>,
        verified: Verified,
    ) -> Settled {
        let print = self.digest.get();
        Settled {
            epoch,
            key: self.key,
            outcome,
            stored,
            elsewhere: None,
            octets: self.octets,
            content: print.map(|p| p.content),
            head: print.map(|p| p.head),
            flags: self.flags.clone(),
            date: self.date,
            verified,
            code: None,
        }
    }
}

/// How much one append takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) letters: usize,
    pub(crate) octets: u64,
}

impl Most {
    /// So many letters, and so many octets that two appends are under way before a lane
    /// holds all that it may.
    pub(crate) fn of(letters: usize, held: u64) -> Self {
        Self {
            letters,
            octets: OCTETS.min(held / 5 * 2),
        }
    }
}

/// Letters on their way into one append.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) letters: Vec<Letter>,
    pub(crate) stubs: Vec<Stub>,
    pub(crate) octets: u64,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Whether the letter has to wait for the next batch.
    pub(crate) fn is_too_full_for(&self, letter: &Letter, most: Most) -> bool {
        !self.is_empty()
            && (self.letters.len() >= most.letters
                || !is_small(letter)
                || self.octets + letter.body.octets() > most.octets)
    }

    /// Whether nothing more can join.
    pub(crate) fn is_full(&self, most: Most) -> bool {
        self.letters.len() >= most.letters
            || self.octets >= most.octets
            || self.letters.last().is_some_and(|l| !is_small(l))
    }

    pub(crate) fn push(&mut self, letter: Letter, stub: Stub) {
        self.octets += letter.body.octets();
        self.letters.push(letter);
        self.stubs.push(stub);
    }

    pub(crate) fn keys(&self) -> KeySet {
        self.stubs.iter().map(|s| s.key).collect()
    }
}

fn is_small(letter: &Letter) -> bool {
    matches!(&letter.body, Body::Held(octets) if octets.len() as u64 <= SMALL)
}
