//! What is at the destination already, and what its owner took away.

use super::scene::Scene;
use super::shut::Shut;
use super::{RECORDS, Work};
use crate::compare::Compared;
use crate::doubt::{Doubt, Settling, vanished};
use crate::matching::{self, Found, Match, Matches};
use crate::place::place;
use hikyaku_core::ledger::{PairingId, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Epoch, Fault, Flags, Key, KeySet};
use std::collections::HashMap;

impl Work<'_> {
    /// The destination's owner wins: what was taken away there stays away.
    ///
    /// A message that was acknowledged but never seen there is another matter: it is
    /// looked for in the whole account, and goes again when it is nowhere.
    pub(super) async fn accept_removals(
        &mut self,
        pairing: PairingId,
        compared: &mut Compared,
    ) -> Result<(), Fault> {
        let removed = std::mem::take(&mut compared.removed);
        if self.run.policy.brings_back() {
            for settled in removed {
                compared.todo.insert(settled.key);
                compared.stale.insert(settled.key);
            }
            return Ok(());
        }
        let records = removed
            .into_iter()
            .map(|settled| Settled {
                outcome: Outcome::RemovedAtDestination,
                stored: None,
                ..settled
            })
            .collect();
        self.record(pairing, records).await
    }

    /// Looks for what was acknowledged without a key and not proven since, because the
    /// attempt broke off. What is nowhere was never stored, and goes again; where
    /// something unknown is there it may be that, in another form.
    pub(super) async fn place_old(
        &mut self,
        scene: &mut Scene,
        compared: &mut Compared,
    ) -> Result<(), Fault> {
        let unplaced = std::mem::take(&mut compared.unplaced);
        if unplaced.is_empty() || scene.destination_epoch.0 == 0 {
            return Ok(());
        }
        let run = self.run.clone();
        let (pairing, epoch) = (scene.pairing.id, scene.epoch);
        let owned = run
            .ledger
            .owned(&scene.pairing.destination, scene.destination_epoch)
            .await?;
        let mut spare = scene.there.minus(&owned);
        let (reader, writer) = (scene.reader.as_mut(), scene.writer.as_mut());
        let matches = matching::find(&run, reader, &unplaced, writer, &spare, &[]).await?;
        let mut nowhere = unplaced.minus(&matches.unsure);
        let mut records = Vec::new();
        for m in &matches.found {
            let Found::There { key, .. } = m.found else {
                continue;
            };
            spare.remove(key);
            nowhere.remove(m.source.key);
            compared.stored.insert(key);
            let placed = adopted(m, scene, &std::iter::once(key).collect());
            records.push(placed);
        }
        for chunk in records.chunks(RECORDS) {
            let records = chunk.to_vec();
            run.ledger.settle(pairing, records, Vec::new()).await?;
        }
        self.note_altered(&matches.found);
        if !spare.is_empty() {
            return Ok(());
        }
        for settled in run.ledger.lookup(pairing, epoch, &nowhere).await? {
            compared.forget(&settled);
        }
        compared.unproven.extend(&nowhere);
        Ok(())
    }

    /// Adopts what is there without a record of ours, one to one by content.
    pub(super) async fn adopt(
        &mut self,
        scene: &mut Scene,
        compared: &mut Compared,
    ) -> Result<(), Fault> {
        let run = self.run.clone();
        self.find_unproven(scene, compared).await?;
        if compared.todo.is_empty() || (scene.there.is_empty() && compared.ghosts.is_empty()) {
            return Ok(());
        }
        let owned = run
            .ledger
            .owned(&scene.pairing.destination, scene.destination_epoch)
            .await?;
        let mut candidates = match scene.destination_epoch.0 {
            // Keys without an epoch own nothing.
            0 => scene.there.clone(),
            _ => scene.there.minus(&owned),
        };
        let placed = place(
            &run,
            &scene.pairing,
            (scene.epoch, scene.destination_epoch),
            scene.reader.as_mut(),
            scene.writer.as_mut(),
            &candidates,
        )
        .await?;
        candidates = candidates.minus(&placed);
        self.stored.extend(&placed);
        candidates.extend(&compared.orphans);
        let Matches { found, unsure } = matching::find(
            &run,
            scene.reader.as_mut(),
            &compared.todo,
            scene.writer.as_mut(),
            &candidates,
            &compared.ghosts,
        )
        .await?;
        // What cannot be read now may be there: sending it could double it.
        compared.todo = compared.todo.minus(&unsure);
        self.leave_for_later(scene, &unsure).await?;
        let mut ours = compared.orphans.minus(&compared.foreign);
        for m in &found {
            compared.todo.remove(m.source.key);
            if let Found::There { key, .. } = m.found {
                // Its flags are followed in this run like those of the others.
                compared.done.insert(m.source.key);
                let was_ours = compared.replaced.contains(m.source.key)
                    && !compared.replaced_foreign.contains(m.source.key);
                if was_ours {
                    ours.insert(key);
                }
            }
        }
        for chunk in found.chunks(RECORDS) {
            let mut records: Vec<Settled> =
                chunk.iter().map(|m| adopted(m, scene, &ours)).collect();
            // What was copied earlier keeps the flags that it was copied with: what changed since is still to follow.
            let base = self
                .flags_of_records(scene.pairing.id, scene.epoch, &records)
                .await?;
            for record in &mut records {
                if let Some(flags) = base.get(&record.key) {
                    record.flags = flags.clone();
                }
            }
            self.record(scene.pairing.id, records).await?;
        }
        self.note_altered(&found);
        Ok(())
    }

    /// The flags with which messages were copied earlier, under keys of another destination epoch.
    async fn flags_of_records(
        &self,
        pairing: PairingId,
        epoch: Epoch,
        records: &[Settled],
    ) -> Result<HashMap<Key, Flags>, Fault> {
        let keys: KeySet = records.iter().map(|record| record.key).collect();
        let known = self.run.ledger.lookup(pairing, epoch, &keys).await?;
        let known = known
            .into_iter()
            .filter(|record| matches!(record.outcome, Outcome::Copied | Outcome::AlreadyThere));
        Ok(known.map(|record| (record.key, record.flags)).collect())
    }

    /// Takes back the records of what is sent again: while they claim that a message is
    /// there, nobody would look for it when its answer is lost.
    pub(super) async fn retire_records(
        &mut self,
        scene: &mut Scene,
        compared: &Compared,
    ) -> Result<(), Fault> {
        let stale = compared.stale.and(&compared.todo);
        let (pairing, epoch) = (scene.pairing.id, scene.epoch);
        let ledger = self.run.ledger.clone();
        for window in stale.windows(RECORDS as u64) {
            let mut records = ledger.lookup(pairing, epoch, &window).await?;
            for record in &mut records {
                record.outcome = Outcome::FailedTemporary;
                record.stored = None;
                record.verified = Verified::No;
            }
            ledger.settle(pairing, records, Vec::new()).await?;
        }
        Ok(())
    }

    pub(super) async fn leave_for_later(
        &mut self,
        scene: &mut Scene,
        unsure: &KeySet,
    ) -> Result<(), Fault> {
        let mut records = Vec::new();
        for key in unsure.iter() {
            let fault = matching::unsure().mailbox(&self.line.source.name);
            records.push(Settled {
                outcome: Outcome::FailedTemporary,
                code: Some(fault.code),
                ..vanished(scene.epoch, key)
            });
            self.name(key, None, Some(Outcome::FailedTemporary), fault);
        }
        self.record(scene.pairing.id, records).await
    }

    async fn find_unproven(
        &mut self,
        scene: &mut Scene,
        compared: &mut Compared,
    ) -> Result<(), Fault> {
        // A key that was never given out was never there: nobody moved that message.
        let next = scene.writer.state().next;
        let (pairing, epoch) = (scene.pairing.id, scene.epoch);
        let records = self.run.ledger.lookup(pairing, epoch, &compared.unproven);
        let moved_maybe: KeySet = records
            .await?
            .into_iter()
            .filter(|r| {
                r.stored
                    .is_some_and(|(_, key)| next.is_none_or(|next| key < next))
            })
            .map(|r| r.key)
            .collect();
        if moved_maybe.is_empty() {
            return Ok(());
        }
        let run = self.run.clone();
        let doubt = Doubt {
            run: &run,
            pairing: &scene.pairing,
            destination: &scene.info,
            epoch: scene.epoch,
            settling: Settling::Answered,
            sent: HashMap::new(),
        };
        let source = scene.reader.as_mut();
        scene.writer = Shut::writer(scene.writer.as_ref());
        let found = doubt
            .find_elsewhere(source, &KeySet::new(), &moved_maybe)
            .await?;
        scene.renew_writer(&run).await?;
        let records: Vec<Settled> = found.iter().map(|m| moved(m, scene.epoch)).collect();
        for m in &found {
            compared.todo.remove(m.source.key);
        }
        self.record(scene.pairing.id, records).await
    }

    /// Counts what the resolution of doubts found: copied by this run or its
    /// predecessor. The tally is rebuilt from the records.
    pub(super) fn count_found(&mut self, found: &[Match]) {
        for m in found {
            self.finished.report.copied_now += 1;
            self.finished.report.octets_now += m.source.octets;
        }
        self.note_altered(found);
    }

    fn note_altered(&mut self, found: &[Match]) {
        let altered = found.iter().filter_map(|m| match m.found {
            Found::There { altered: true, .. } => Some(m.source.key),
            _ => None,
        });
        self.altered.extend(altered);
    }
}

fn adopted(m: &Match, scene: &Scene, ours: &KeySet) -> Settled {
    match m.found {
        Found::There { key, altered } => {
            let outcome = match ours.contains(key) {
                true => Outcome::Copied,
                false => Outcome::AlreadyThere,
            };
            let verified = match altered {
                true => Verified::Header,
                false => Verified::Full,
            };
            let stored = Some((scene.destination_epoch, key));
            m.source.settled(scene.epoch, outcome, stored, verified)
        }
        Found::Ghost => moved(m, scene.epoch),
    }
}

/// The record of a message that was at the destination and is no longer where it was put.
fn moved(m: &Match, epoch: Epoch) -> Settled {
    m.source
        .settled(epoch, Outcome::RemovedAtDestination, None, Verified::No)
}
