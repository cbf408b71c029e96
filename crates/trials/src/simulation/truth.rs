//! What is true whatever the product believes: which messages there are, and what their owners did with them.
//!
//! A message is known by the mailbox it belongs to and by the octets that the destination stores of it (its *class*);
//! equal messages are one class, and counted. The truth allows a class a least and a most number at the destination;
//! they differ only where an owner acted while a copy was under way, so that either order was right.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hikyaku_memserver::{Personality, Snapshot};

/// A mailbox and the octets stored there.
pub(super) type Class = (String, Bytes);

/// How often, by class.
pub(super) type Counts = BTreeMap<Class, u64>;

#[derive(Debug, Default)]
pub(super) struct Truth {
    /// Taken from the source by its owner, ever.
    pub(super) expunged: Counts,
    /// Put into the source since the present life began.
    pub(super) arrived: Counts,
    /// The same of what no mailbox at the destination takes: UIDs by mailbox.
    pub(super) arrived_refused: BTreeSet<(String, u32)>,
    /// At the destination before the first life.
    pub(super) before: Counts,
    /// Put there by its owner later.
    pub(super) put: Counts,
    /// Taken away at the destination when nothing was under way and everything was known to be copied.
    pub(super) removed: Counts,
    /// The same, and no life has seen it yet.
    pub(super) removed_unseen: Counts,
    /// Taken away there in the middle of something.
    pub(super) removed_meanwhile: Counts,
    /// Whose flags the destination's owner has changed.
    pub(super) reflagged: BTreeSet<Class>,
    /// Whose flags the source's owner has changed.
    pub(super) reflagged_at_source: BTreeSet<Class>,
    /// Everything that is to be copied was copied, and no life is under way.
    pub(super) is_settled: bool,
    /// Destination mailboxes whose UIDs began anew since a life last saw everything.
    renewed: BTreeSet<String>,
}

/// The least and the most messages of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: u64,
    pub(super) most: u64,
}

pub(super) fn count(counts: &mut Counts, class: Class) {
    *counts.entry(class).or_default() += 1;
}

fn of(counts: &Counts, class: &Class) -> u64 {
    counts.get(class).copied().unwrap_or(0)
}

impl Truth {
    /// The owner of the destination takes a message away.
    pub(super) fn remove(&mut self, class: Class) {
        match self.is_settled && !self.renewed.contains(&class.0) {
            true => count(&mut self.removed_unseen, class),
            false => count(&mut self.removed_meanwhile, class),
        }
    }

    /// A life has ended that saw everything to its end.
    pub(super) fn settle(&mut self) {
        for (class, n) in std::mem::take(&mut self.removed_unseen) {
            *self.removed.entry(class).or_default() += n;
        }
        self.renewed.clear();
        self.is_settled = true;
    }

    /// The UIDs of a destination mailbox begin anew: what was taken away before anybody looked cannot be told from
    /// what the server has lost.
    pub(super) fn forget_unseen(&mut self, mailbox: &str) {
        self.renewed.insert(mailbox.to_owned());
        let (lost, kept) = std::mem::take(&mut self.removed_unseen)
            .into_iter()
            .partition::<Counts, _>(|((name, _), _)| name == mailbox);
        self.removed_unseen = kept;
        for (class, n) in lost {
            *self.removed_meanwhile.entry(class).or_default() += n;
        }
    }

    /// Between which numbers each class must lie. What arrived in this life need not be there yet unless
    /// `with_arrivals`.
    pub(super) fn bounds(&self, source: &Counts, with_arrivals: bool) -> BTreeMap<Class, Bounds> {
        let classes: BTreeSet<&Class> = [
            source,
            &self.expunged,
            &self.before,
            &self.put,
            &self.removed,
            &self.removed_meanwhile,
        ]
        .iter()
        .flat_map(|counts| counts.keys())
        .collect();
        let bounds = classes.into_iter().map(|class| {
            let alive = of(source, class);
            let arrived = if with_arrivals {
                0
            } else {
                of(&self.arrived, class)
            };
            let (before, put) = (of(&self.before, class), of(&self.put, class));
            let removed = of(&self.removed, class) + of(&self.removed_unseen, class);
            let meanwhile = of(&self.removed_meanwhile, class);
            // What the owner put there later may be taken for a message of the source, or stand beside it.
            let least = alive.saturating_sub(arrived).max(before + put);
            let most = (alive + of(&self.expunged, class)).max(before) + put;
            let bounds = Bounds {
                least: least.saturating_sub(removed + meanwhile),
                most: most.saturating_sub(removed),
            };
            (class.clone(), bounds)
        });
        bounds.collect()
    }
}

/// The messages of the named mailboxes by class; `as_stored` says what is stored of one, `None` for what no mailbox
/// there takes. The second part counts those.
pub(super) fn classes<'a>(
    shot: &Snapshot,
    mailboxes: impl Iterator<Item = (&'a str, Vec<u8>)>,
    as_stored: impl Fn(&Bytes) -> Option<Bytes>,
) -> (Counts, BTreeMap<String, Vec<u32>>) {
    let (mut counts, mut refused) = (Counts::new(), BTreeMap::<String, Vec<u32>>::new());
    for (name, wire) in mailboxes {
        for message in shot.mailboxes.get(&wire).iter().flat_map(|m| &m.messages) {
            match as_stored(&message.body.bytes()) {
                Some(stored) => count(&mut counts, (name.to_owned(), stored)),
                None => refused
                    .entry(name.to_owned())
                    .or_default()
                    .push(message.uid),
            }
        }
    }
    (counts, refused)
}

/// What a server stores of a message.
pub(super) fn stored(personality: &Personality, octets: &Bytes) -> Option<Bytes> {
    personality.rewriting.stored(octets.clone())
}
