//! For tests of what is built on a ledger: a crash or a failing disk at the n-th durable write.
//!
//! ```
//! use hikyaku_ledger::testing::Countdown;
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # use hikyaku_core::{AccountId, ledger::Ledger, name::MailboxName};
//! # let store = hikyaku_ledger::Store::open_in_memory().await.unwrap();
//! # let ledger = store.pair(&AccountId::new("a"), &AccountId::new("b")).await.unwrap();
//! let dying = Countdown::stop_after(ledger.clone(), 1);
//! assert!(dying.pair(&MailboxName::inbox(), &MailboxName::inbox()).await.is_err());
//! assert!(dying.is_dead() && dying.pairings().await.is_err());
//! assert_eq!(ledger.pairings().await.unwrap().len(), 1, "the write itself was durable");
//! # });
//! ```

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hikyaku_core::ledger::{
    Checkpoint, Intent, IntentId, Ledger, Pairing, PairingId, Settled, Verified,
};
use hikyaku_core::traits::Ask;
use hikyaku_core::{Code, Epoch, Fault, Key, KeySet, MailboxName, Reach, Remedy};

/// A ledger that fails at one durable write, counted from 1 in the order in which writes are begun. Writes are the
/// calls of `pair`, `intend`, `settle`, `prove` and `checkpoint`.
///
/// A ledger that stopped answers everything with a fault from then on, as if the process had died: nothing that was
/// under way at that moment is answered well either, whether it became durable or not.
#[derive(Debug)]
pub struct Countdown<L> {
    inner: L,
    at: u64,
    what: What,
    writes: AtomicU64,
    dead: AtomicBool,
}

#[derive(Debug)]
enum What {
    Count,
    StopBefore,
    StopAfter,
    Refuse(Fault),
}

impl<L: Ledger> Countdown<L> {
    /// Only counts.
    pub fn count(inner: L) -> Self {
        Self::new(inner, 0, What::Count)
    }

    /// Stops instead of making the n-th write.
    pub fn stop_before(inner: L, n: u64) -> Self {
        Self::new(inner, n, What::StopBefore)
    }

    /// Stops when the n-th write is durable and before anybody knows.
    pub fn stop_after(inner: L, n: u64) -> Self {
        Self::new(inner, n, What::StopAfter)
    }

    /// Answers the n-th write with a fault and does not make it; later ones are made. See [`disk_full`] and
    /// [`disk_failed`].
    pub fn refuse(inner: L, n: u64, fault: Fault) -> Self {
        Self::new(inner, n, What::Refuse(fault))
    }

    fn new(inner: L, at: u64, what: What) -> Self {
        Self {
            inner,
            at,
            what,
            writes: AtomicU64::new(0),
            dead: AtomicBool::new(false),
        }
    }

    /// Writes that were begun so far.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// Whether it has stopped.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// The ledger inside, alive still.
    pub fn inner(&self) -> &L {
        &self.inner
    }

    fn alive<T>(&self, answer: T) -> Result<T, Fault> {
        if self.is_dead() {
            Err(stopped())
        } else {
            Ok(answer)
        }
    }

    async fn read<T>(&self, ask: Ask<'_, T>) -> Result<T, Fault> {
        self.alive(())?;
        let answer = ask.await?;
        self.alive(answer)
    }

    async fn write<T>(&self, ask: Ask<'_, T>) -> Result<T, Fault> {
        self.alive(())?;
        let is_it = self.writes.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        match &self.what {
            What::StopBefore if is_it => self.dead.store(true, Ordering::SeqCst),
            What::Refuse(fault) if is_it => return Err(fault.clone()),
            What::StopAfter if is_it => {
                ask.await?;
                self.dead.store(true, Ordering::SeqCst);
            }
            _ => {
                let answer = ask.await?;
                return self.alive(answer);
            }
        }
        Err(stopped())
    }
}

/// What a full disk answers.
pub fn disk_full() -> Fault {
    Fault::new(
        Code::DiskFull,
        Reach::Job,
        Remedy::AskUser,
        "no space left for the ledger (injected)",
    )
}

/// What a failing disk answers.
pub fn disk_failed() -> Fault {
    Fault::new(
        Code::LedgerUnwritable,
        Reach::Job,
        Remedy::AskUser,
        "the disk failed under the ledger (injected)",
    )
}

fn stopped() -> Fault {
    Fault::new(
        Code::Interrupted,
        Reach::Job,
        Remedy::Retry { after: None },
        "the countdown stopped the ledger",
    )
}

impl<L: Ledger> Ledger for Countdown<L> {
    fn pairings(&self) -> Ask<'_, Vec<Pairing>> {
        Box::pin(self.read(self.inner.pairings()))
    }

    fn pair<'a>(
        &'a self,
        source: &'a MailboxName,
        destination: &'a MailboxName,
    ) -> Ask<'a, Pairing> {
        Box::pin(self.write(self.inner.pair(source, destination)))
    }

    fn known(
        &self,
        pairing: PairingId,
        epoch: Epoch,
        after: Option<Key>,
        limit: u32,
    ) -> Ask<'_, Vec<Settled>> {
        Box::pin(self.read(self.inner.known(pairing, epoch, after, limit)))
    }

    fn lookup<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>> {
        Box::pin(self.read(self.inner.lookup(pairing, epoch, keys)))
    }

    fn lookup_stored<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>> {
        Box::pin(self.read(self.inner.lookup_stored(pairing, epoch, keys)))
    }

    fn owned<'a>(&'a self, destination: &'a MailboxName, epoch: Epoch) -> Ask<'a, KeySet> {
        Box::pin(self.read(self.inner.owned(destination, epoch)))
    }

    fn epochs(&self, pairing: PairingId) -> Ask<'_, Vec<Epoch>> {
        Box::pin(self.read(self.inner.epochs(pairing)))
    }

    fn intend(&self, intent: Intent) -> Ask<'_, IntentId> {
        Box::pin(self.write(self.inner.intend(intent)))
    }

    fn settle(
        &self,
        pairing: PairingId,
        records: Vec<Settled>,
        closes: Vec<IntentId>,
    ) -> Ask<'_, ()> {
        Box::pin(self.write(self.inner.settle(pairing, records, closes)))
    }

    fn prove<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
        level: Verified,
    ) -> Ask<'a, ()> {
        Box::pin(self.write(self.inner.prove(pairing, epoch, keys, level)))
    }

    fn in_doubt(&self, pairing: PairingId) -> Ask<'_, Vec<(IntentId, Intent)>> {
        Box::pin(self.read(self.inner.in_doubt(pairing)))
    }

    fn checkpoint(&self, pairing: PairingId, checkpoint: Option<Checkpoint>) -> Ask<'_, ()> {
        Box::pin(self.write(self.inner.checkpoint(pairing, checkpoint)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PairLedger, Store};
    use hikyaku_core::AccountId;

    async fn ledger() -> PairLedger {
        let store = Store::open_in_memory().await.expect("a store");
        let pair = store.pair(&AccountId::new("a"), &AccountId::new("b")).await;
        pair.expect("a pair")
    }

    /// Three writes, whatever comes of each; answers how many were answered well.
    async fn work(ledger: &impl Ledger) -> usize {
        let names = ["a", "b", "c"].map(|n| MailboxName::parse(n).expect("a name"));
        let mut well = 0;
        for name in &names {
            well += usize::from(ledger.pair(name, name).await.is_ok());
        }
        well
    }

    #[tokio::test]
    async fn stops_are_exactly_before_or_after_the_nth_write() {
        let counting = Countdown::count(ledger().await);
        assert_eq!((work(&counting).await, counting.writes()), (3, 3));
        assert!(!counting.is_dead());
        for n in 1..=3 {
            let before = Countdown::stop_before(ledger().await, n);
            let after = Countdown::stop_after(ledger().await, n);
            for (stopping, durable) in [(before, n - 1), (after, n)] {
                assert_eq!(work(&stopping).await as u64, n - 1);
                assert!(stopping.is_dead());
                assert_eq!(
                    stopping.pairings().await.expect_err("dead").code,
                    Code::Interrupted
                );
                let left = stopping.inner().pairings().await.expect("listed");
                assert_eq!(left.len() as u64, durable);
            }
        }
    }

    #[tokio::test]
    async fn a_refused_write_is_not_made_and_later_ones_are() {
        let full = Countdown::refuse(ledger().await, 2, disk_full());
        assert_eq!(work(&full).await, 2);
        let names: Vec<String> = full
            .pairings()
            .await
            .expect("listed")
            .iter()
            .map(|p| p.source.to_string())
            .collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[tokio::test]
    async fn what_was_under_way_at_the_stop_is_not_answered_well() {
        let stopping = Countdown::stop_before(ledger().await, 2);
        let (first, second) = (MailboxName::inbox(), MailboxName::inbox().child("b"));
        let mut under_way = stopping.pair(&first, &first);
        assert!(futures::poll!(&mut under_way).is_pending());
        stopping
            .pair(&second, &second)
            .await
            .map(drop)
            .expect_err("stopped");
        assert_eq!(
            under_way.await.map(drop).expect_err("dead").code,
            Code::Interrupted
        );
    }
}
