//! Which records are own copies that may go, before anything is looked at: pure.

use super::aside::source_epoch;
use hikyaku_core::ledger::Settled;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Epoch, Key, KeySet};

/// What both sides hold.
pub(crate) struct Sight<'a> {
    /// Epoch of the source; zero where it has none, or the mailbox is gone.
    pub(crate) source_epoch: Epoch,
    pub(crate) source: &'a KeySet,
    pub(crate) epoch: Epoch,
    pub(crate) there: &'a KeySet,
}

/// What a record says about a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// None of ours.
    Nothing,
    /// Taking it back was begun, and it is gone: only the record is behind.
    Gone,
    /// It cannot be found under the key that we know: its owner moved or removed it, or
    /// the mailbox is of another generation.
    Lost,
    /// There, and the source no longer has the message.
    Only(Key),
    /// There, and the source has the message.
    Copy(Key),
    /// There; the record is of another epoch of the source, so only content can tell
    /// whether the source has the message.
    Old(Key),
}

/// What this record claims.
pub(crate) fn claim(record: &Settled, sight: &Sight<'_>) -> Claim {
    match record.outcome {
        Outcome::RemovedAtDestination => return Claim::Lost,
        Outcome::Copied => {}
        _ => return Claim::Nothing,
    }
    let stored = record
        .stored
        .filter(|(epoch, _)| *epoch == sight.epoch && epoch.0 != 0);
    let Some((_, key)) = stored else {
        return Claim::Lost;
    };
    if !sight.there.contains(key) {
        return match record.is_being_taken_back() {
            true => Claim::Gone,
            false => Claim::Lost,
        };
    }
    let epoch = source_epoch(record.epoch);
    if epoch != sight.source_epoch || epoch.0 == 0 {
        return Claim::Old(key);
    }
    match sight.source.contains(record.key) {
        true => Claim::Copy(key),
        false => Claim::Only(key),
    }
}

#[cfg(test)]
mod tests {
    use super::super::aside::aside;
    use super::*;
    use hikyaku_core::Flags;
    use hikyaku_core::ledger::Verified;

    fn record(epoch: u64, key: u64, outcome: Outcome, stored: Option<(u64, u64)>) -> Settled {
        Settled {
            epoch: Epoch(epoch),
            key: Key(key),
            outcome,
            stored: stored.map(|(epoch, key)| (Epoch(epoch), Key(key))),
            elsewhere: None,
            octets: 1,
            content: None,
            head: None,
            flags: Flags::new(),
            date: None,
            verified: Verified::Present,
            code: None,
        }
    }

    #[test]
    fn only_what_is_proven_to_be_ours_and_elsewhere_may_go() {
        let (source, there) = (KeySet::range(1..=5), KeySet::range(10..=15));
        let sight = Sight {
            source_epoch: Epoch(7),
            source: &source,
            epoch: Epoch(9),
            there: &there,
        };
        let check = |record: Settled, expect| assert_eq!(claim(&record, &sight), expect);
        let copied = Outcome::Copied;
        check(record(7, 1, copied, Some((9, 10))), Claim::Copy(Key(10)));
        check(record(7, 6, copied, Some((9, 10))), Claim::Only(Key(10)));
        check(record(6, 1, copied, Some((9, 10))), Claim::Old(Key(10)));
        check(record(7, 1, copied, Some((8, 10))), Claim::Lost);
        check(record(7, 1, copied, Some((9, 99))), Claim::Lost);
        check(record(7, 1, copied, None), Claim::Lost);
        check(
            record(7, 1, Outcome::AlreadyThere, Some((9, 10))),
            Claim::Nothing,
        );
        check(
            record(7, 1, Outcome::RemovedAtDestination, None),
            Claim::Lost,
        );
        check(
            record(7, 1, copied, Some((9, 99))).being_taken_back(),
            Claim::Gone,
        );
        check(
            record(7, 1, copied, Some((9, 10))).being_taken_back(),
            Claim::Copy(Key(10)),
        );
        let set_aside = record(aside(Epoch(7)).0, 1, copied, Some((9, 11)));
        check(set_aside, Claim::Copy(Key(11)));
        check(
            record(7, 1, copied, Some((9, 10))).taken_back(),
            Claim::Nothing,
        );
    }

    #[test]
    fn without_lasting_keys_nothing_is_proven() {
        let all = KeySet::range(1..=20);
        let sight = |source_epoch, epoch| Sight {
            source_epoch: Epoch(source_epoch),
            source: &all,
            epoch: Epoch(epoch),
            there: &all,
        };
        let copied = |epoch, at| record(epoch, 1, Outcome::Copied, Some((at, 10)));
        assert_eq!(claim(&copied(0, 9), &sight(0, 9)), Claim::Old(Key(10)));
        assert_eq!(claim(&copied(7, 0), &sight(7, 0)), Claim::Lost);
    }
}
