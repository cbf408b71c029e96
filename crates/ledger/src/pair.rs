//! The handle for two accounts.

use hikyaku_core::ledger::{
    Checkpoint, Intent, IntentId, Ledger, Pairing, PairingId, Settled, Verified,
};
use hikyaku_core::traits::Ask;
use hikyaku_core::{AccountId, Epoch, Fault, Key, KeySet, MailboxName};

use crate::codec;
use crate::db::Lease;
use crate::pairing::{self, Intend, Map, SetCheckpoint};
use crate::record::{self, Prove, Settle};
use crate::run::RunId;
use crate::service::fence::{Fence, Fenced};
use crate::store::{PairId, Store};
use crate::writer::Operation;

/// What is durable about two accounts. Clones share the store. See [`Ledger`] for what the methods mean.
///
/// Where [`Ledger::pair`] chose another mailbox for a pairing, earlier records tell their destination key with the
/// epoch 0 and the earlier mailbox beside it: the message is stored, but not in a generation of this mailbox. The key
/// stays owned in the earlier mailbox. What was found in another mailbox is told and owned in the same way.
#[derive(Clone)]
pub struct PairLedger {
    store: Store,
    id: PairId,
    destination: AccountId,
    run: Option<RunId>,
    fence: Option<Fence>,
}

impl PairLedger {
    pub(crate) fn new(store: Store, id: PairId, destination: AccountId) -> Self {
        Self {
            store,
            id,
            destination,
            run: None,
            fence: None,
        }
    }

    /// The number of the pair.
    pub fn id(&self) -> PairId {
        self.id
    }

    /// The account that is written.
    pub fn destination(&self) -> &AccountId {
        &self.destination
    }

    /// The same handle, whose writes carry the name of a run.
    #[must_use]
    pub fn within(&self, run: RunId) -> Self {
        Self {
            run: Some(run),
            ..self.clone()
        }
    }

    /// The same handle, whose writes are refused with `LedgerBusy` once another worker has claimed the job. The check
    /// and the write are one transaction.
    #[must_use]
    pub fn fenced(&self, job: &str, fence: i64) -> Self {
        Self {
            fence: Some(Fence {
                job: job.to_owned(),
                number: fence,
            }),
            ..self.clone()
        }
    }

    async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, Fault> {
        let writer = &self.store.inner.writer;
        match &self.fence {
            None => writer.write(operation).await,
            Some(fence) => writer.write(Fenced(fence.clone(), operation)).await,
        }
    }

    fn run(&self) -> i64 {
        self.run.map_or(0, RunId::number)
    }

    /// A read, with its faults as the store tells them.
    fn read<'a, T: 'a>(
        &'a self,
        work: impl Future<Output = Result<T, Fault>> + Send + 'a,
    ) -> Ask<'a, T> {
        Box::pin(self.store.inner.db.noticing(work))
    }

    async fn reader(&self) -> Result<Lease, Fault> {
        self.store.inner.db.reader().await
    }
}

impl Ledger for PairLedger {
    fn pairings(&self) -> Ask<'_, Vec<Pairing>> {
        self.read(async move { pairing::all(&mut self.reader().await?.link()?, self.id.0).await })
    }

    fn pair<'a>(
        &'a self,
        source: &'a MailboxName,
        destination: &'a MailboxName,
    ) -> Ask<'a, Pairing> {
        Box::pin(async move {
            let text = codec::mailbox_text(source);
            let find =
                async { pairing::find(&mut self.reader().await?.link()?, self.id.0, &text).await };
            let known = self.read(find).await?;
            if let Some(same) = known.filter(|p| p.destination == *destination) {
                return Ok(same);
            }
            let destination = codec::mailbox_text(destination);
            let map = Map {
                pair: self.id.0,
                source: text,
                destination,
            };
            self.write(map).await
        })
    }

    fn known(
        &self,
        pairing: PairingId,
        epoch: Epoch,
        after: Option<Key>,
        limit: u32,
    ) -> Ask<'_, Vec<Settled>> {
        self.read(async move {
            record::known(
                &mut self.reader().await?.link()?,
                self.id.0,
                pairing.0,
                epoch,
                after,
                limit,
            )
            .await
        })
    }

    fn lookup<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>> {
        self.read(async move {
            record::lookup(
                &mut self.reader().await?.link()?,
                self.id.0,
                pairing.0,
                epoch,
                keys,
            )
            .await
        })
    }

    fn lookup_stored<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>> {
        self.read(async move {
            record::lookup_stored(
                &mut self.reader().await?.link()?,
                self.id.0,
                pairing.0,
                epoch,
                keys,
            )
            .await
        })
    }

    fn owned<'a>(&'a self, destination: &'a MailboxName, epoch: Epoch) -> Ask<'a, KeySet> {
        self.read(async move {
            let mailbox = codec::mailbox_text(destination);
            record::owned(
                &mut self.reader().await?.link()?,
                self.id.0,
                &mailbox,
                epoch,
            )
            .await
        })
    }

    fn epochs(&self, pairing: PairingId) -> Ask<'_, Vec<Epoch>> {
        self.read(async move {
            pairing::epochs(&mut self.reader().await?.link()?, self.id.0, pairing.0).await
        })
    }

    fn intend(&self, intent: Intent) -> Ask<'_, IntentId> {
        Box::pin(async move {
            let write = Intend {
                pair: self.id.0,
                run: self.run(),
                intent,
            };
            self.write(write).await.map(IntentId)
        })
    }

    fn settle(
        &self,
        pairing: PairingId,
        records: Vec<Settled>,
        closes: Vec<IntentId>,
    ) -> Ask<'_, ()> {
        Box::pin(async move {
            let closes = closes.into_iter().map(|c| c.0).collect();
            let write = Settle {
                pair: self.id.0,
                run: self.run(),
                pairing: pairing.0,
                records,
                closes,
            };
            self.write(write).await
        })
    }

    fn prove<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
        level: Verified,
    ) -> Ask<'a, ()> {
        Box::pin(async move {
            let write = Prove {
                pair: self.id.0,
                pairing: pairing.0,
                epoch,
                keys: keys.clone(),
                level,
            };
            self.write(write).await
        })
    }

    fn in_doubt(&self, pairing: PairingId) -> Ask<'_, Vec<(IntentId, Intent)>> {
        self.read(async move {
            pairing::open_intents(&mut self.reader().await?.link()?, self.id.0, pairing.0).await
        })
    }

    fn checkpoint(&self, pairing: PairingId, checkpoint: Option<Checkpoint>) -> Ask<'_, ()> {
        Box::pin(async move {
            let write = SetCheckpoint {
                pair: self.id.0,
                pairing: pairing.0,
                checkpoint,
            };
            self.write(write).await
        })
    }
}
