//! A ledger in memory that can die before or after any durable write.

use hikyaku_core::ledger::{
    Checkpoint, Intent, IntentId, Ledger, Pairing, PairingId, Settled, Verified,
};
use hikyaku_core::traits::Ask;
use hikyaku_core::{Code, Epoch, Fault, Key, KeySet, MailboxName, Reach, Remedy};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Default)]
struct State {
    pairings: Vec<Pairing>,
    records: BTreeMap<(PairingId, Epoch, Key), Settled>,
    epochs: Vec<(PairingId, Epoch)>,
    intents: BTreeMap<IntentId, Intent>,
    intents_made: i64,
    writes: u64,
    /// The life ends at this write; `true`: after it took effect.
    dies_at: Option<(u64, bool, Fault)>,
    /// Why nothing works any more.
    dead: Option<Fault>,
    /// Told of a death.
    died: Arc<Notify>,
}

/// The ledger. Clones share the state, as processes share a file.
#[derive(Clone, Default)]
pub struct MemoryLedger(Arc<Mutex<State>>);

impl MemoryLedger {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, the n-th durable write (counted from 1) is the last thing that
    /// happens: just before it takes effect, or just after.
    pub fn die_at(&self, write: u64, after: bool) {
        self.fail_at(write, after, Self::dead());
    }

    /// From the n-th durable write on (counted from 1) everything fails like this: that
    /// write does not take effect, or takes effect without saying so.
    pub fn fail_at(&self, write: u64, after: bool, fault: Fault) {
        let mut state = self.lock();
        state.writes = 0;
        state.dies_at = Some((write, after, fault));
    }

    /// A new life: everything durable is there, nothing else. Durable writes of the
    /// last life.
    pub fn revive(&self) -> u64 {
        let mut state = self.lock();
        state.dies_at = None;
        state.dead = None;
        std::mem::take(&mut state.writes)
    }

    /// The life ends now: nothing is read or written any more.
    pub fn kill(&self) {
        let mut state = self.lock();
        state.dead = Some(Self::dead());
        state.died.notify_one();
    }

    /// Whether the life has ended.
    pub fn is_dead(&self) -> bool {
        self.lock().dead.is_some()
    }

    /// Resolves when the life has ended, so that a test can end the process with it.
    pub async fn died(&self) {
        let died = self.lock().died.clone();
        while self.lock().dead.is_none() {
            died.notified().await;
        }
    }

    /// Durable writes of this life.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Every record, by pairing, epoch and key.
    pub fn records(&self) -> Vec<Settled> {
        self.lock().records.values().cloned().collect()
    }

    /// Intents that are open.
    pub fn open_intents(&self) -> usize {
        self.lock().intents.len()
    }

    fn dead() -> Fault {
        Fault::new(
            Code::DiskFull,
            Reach::Job,
            Remedy::AskUser,
            "this life has ended",
        )
    }

    fn read<T>(&self, act: impl FnOnce(&State) -> T) -> Result<T, Fault> {
        let state = self.lock();
        match &state.dead {
            Some(fault) => Err(fault.clone()),
            None => Ok(act(&state)),
        }
    }

    fn write<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, Fault> {
        let mut state = self.lock();
        if let Some(fault) = &state.dead {
            return Err(fault.clone());
        }
        state.writes += 1;
        let writes = state.writes;
        match state.dies_at.take_if(|(at, ..)| *at == writes) {
            Some((_, after, fault)) => {
                state.dead = Some(fault.clone());
                state.died.notify_one();
                if after {
                    act(&mut state);
                }
                Err(fault)
            }
            None => Ok(act(&mut state)),
        }
    }
}

fn ask<T: Send + 'static>(value: Result<T, Fault>) -> Ask<'static, T> {
    // Durable writes take time: everything else gets a turn first.
    Box::pin(async move {
        tokio::task::yield_now().await;
        value
    })
}

impl Ledger for MemoryLedger {
    fn pairings(&self) -> Ask<'_, Vec<Pairing>> {
        ask(self.read(|s| s.pairings.clone()))
    }

    fn pair<'a>(
        &'a self,
        source: &'a MailboxName,
        destination: &'a MailboxName,
    ) -> Ask<'a, Pairing> {
        let known = self.read(|s| {
            s.pairings
                .iter()
                .find(|p| p.source == *source && p.destination == *destination)
                .cloned()
        });
        if let Ok(Some(pairing)) = known {
            return ask(Ok(pairing));
        }
        ask(self.write(|s| {
            let id = PairingId(s.pairings.len() as i64 + 1);
            if let Some(p) = s.pairings.iter_mut().find(|p| p.source == *source) {
                p.destination = destination.clone();
                p.checkpoint = None;
                return p.clone();
            }
            let pairing = Pairing {
                id,
                source: source.clone(),
                destination: destination.clone(),
                checkpoint: None,
            };
            s.pairings.push(pairing.clone());
            pairing
        }))
    }

    fn known(
        &self,
        pairing: PairingId,
        epoch: Epoch,
        after: Option<Key>,
        limit: u32,
    ) -> Ask<'_, Vec<Settled>> {
        ask(self.read(|s| {
            s.records
                .range((pairing, epoch, Key(0))..=(pairing, epoch, Key(u64::MAX)))
                .filter(|((_, _, key), _)| after.is_none_or(|a| *key > a))
                .take(limit as usize)
                .map(|(_, settled)| settled.clone())
                .collect()
        }))
    }

    fn lookup<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>> {
        ask(self.read(|s| {
            keys.iter()
                .filter_map(|key| s.records.get(&(pairing, epoch, key)).cloned())
                .collect()
        }))
    }

    fn lookup_stored<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>> {
        ask(self.read(|s| {
            s.records
                .iter()
                .filter(|((p, ..), r)| {
                    *p == pairing
                        && r.elsewhere.is_none()
                        && r.stored
                            .is_some_and(|(e, k)| e == epoch && keys.contains(k))
                })
                .map(|(_, settled)| settled.clone())
                .collect()
        }))
    }

    fn owned<'a>(&'a self, destination: &'a MailboxName, epoch: Epoch) -> Ask<'a, KeySet> {
        ask(self.read(|s| {
            let into: Vec<PairingId> = s
                .pairings
                .iter()
                .filter(|p| p.destination == *destination)
                .map(|p| p.id)
                .collect();
            s.records
                .iter()
                .filter_map(|((p, ..), r)| match (&r.elsewhere, r.stored?) {
                    (Some(there), (_, key)) => {
                        let is_here = there.mailbox == *destination && there.epoch == epoch;
                        is_here.then_some(key)
                    }
                    (None, (e, key)) => (e == epoch && into.contains(p)).then_some(key),
                })
                .collect()
        }))
    }

    fn epochs(&self, pairing: PairingId) -> Ask<'_, Vec<Epoch>> {
        ask(self.read(|s| {
            s.epochs
                .iter()
                .filter(|(p, _)| *p == pairing)
                .map(|(_, e)| *e)
                .collect()
        }))
    }

    fn intend(&self, intent: Intent) -> Ask<'_, IntentId> {
        ask(self.write(|s| {
            s.intents_made += 1;
            let id = IntentId(s.intents_made);
            s.intents.insert(id, intent);
            id
        }))
    }

    fn settle(
        &self,
        pairing: PairingId,
        records: Vec<Settled>,
        closes: Vec<IntentId>,
    ) -> Ask<'_, ()> {
        ask(self.write(|s| {
            for mut record in records {
                if record.stored.is_none() {
                    record.elsewhere = None;
                }
                if !s.epochs.contains(&(pairing, record.epoch)) {
                    s.epochs.push((pairing, record.epoch));
                }
                s.records
                    .insert((pairing, record.epoch, record.key), record);
            }
            for id in closes {
                s.intents.remove(&id);
            }
        }))
    }

    fn prove<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
        level: Verified,
    ) -> Ask<'a, ()> {
        ask(self.write(|s| {
            for key in keys.iter() {
                if let Some(r) = s.records.get_mut(&(pairing, epoch, key)) {
                    r.verified = r.verified.max(level);
                }
            }
        }))
    }

    fn in_doubt(&self, pairing: PairingId) -> Ask<'_, Vec<(IntentId, Intent)>> {
        ask(self.read(|s| {
            s.intents
                .iter()
                .filter(|(_, i)| i.pairing == pairing)
                .map(|(id, i)| (*id, i.clone()))
                .collect()
        }))
    }

    fn checkpoint(&self, pairing: PairingId, checkpoint: Option<Checkpoint>) -> Ask<'_, ()> {
        ask(self.write(|s| {
            if let Some(p) = s.pairings.iter_mut().find(|p| p.id == pairing) {
                p.checkpoint = checkpoint;
            }
        }))
    }
}
