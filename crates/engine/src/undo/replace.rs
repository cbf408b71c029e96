//! 最初から: everything is copied again, and earlier copies go when their replacement is
//! proven.
//!
//! ```text
//!  per mailbox:  checkpoint dropped → earlier copies set aside, portion by portion → mark "open" → copied as if nothing were known → verified
//!  when all of them are done:  per mailbox: earlier copies taken back (undo.rs) → all marks "done" → checkpoints
//! ```
//!
//! A run that is repeated while the mark is open goes on; one after it begins anew. An
//! ordinary copy in between doubles nothing: what is set aside is found by content.

use super::aside::{aside, is_aside, is_open, mark, mark_key};
use super::open::Open;
use super::own::{Claim, claim};
use super::proof::{self, Ask, stored_key};
use super::removal::PORTION;
use super::take::{Origin, Scope, Take, sight};
use crate::compare::Pages;
use crate::mailbox::Scene;
use crate::pace::Seat;
use crate::run::Run;
use hikyaku_core::event::Phase;
use hikyaku_core::ledger::{Pairing, Settled, Verified};
use hikyaku_core::plan::Plan;
use hikyaku_core::report::{Outcome, Report};
use hikyaku_core::undo::Kept;
use hikyaku_core::{ContentHash, Epoch, Event, Fault, Key, KeySet};
use std::collections::HashMap;
use std::sync::Arc;

/// Whether everything of this pairing is being copied again already.
pub(crate) async fn is_under_way(
    run: &Run,
    pairing: &Pairing,
    epoch: Epoch,
) -> Result<bool, Fault> {
    let marks = run
        .ledger
        .lookup(pairing.id, aside(epoch), &mark_key())
        .await?;
    Ok(marks.first().is_some_and(is_open))
}

/// Makes a mailbox as if nothing had been copied into it, and remembers what had.
///
/// Keys that do not last own nothing, so there is nothing to set aside: such a mailbox is
/// matched by content, as always.
pub(crate) async fn set_aside(run: &Run, scene: &mut Scene) -> Result<(), Fault> {
    let (pairing, epoch) = (scene.pairing.id, scene.epoch);
    let lasts = epoch.0 != 0 && scene.destination_epoch.0 != 0;
    if !lasts || is_under_way(run, &scene.pairing, epoch).await? {
        return Ok(());
    }
    if scene.pairing.checkpoint.take().is_some() {
        run.ledger.checkpoint(pairing, None).await?;
    }
    let mut pages = Pages::new(run, &scene.pairing, epoch);
    while let Some(page) = pages.next().await? {
        let wanted = |record: &&Settled| {
            let was_there = matches!(
                record.outcome,
                Outcome::Copied | Outcome::RemovedAtDestination
            );
            was_there && scene.keys.contains(record.key)
        };
        let known: Vec<&Settled> = page.iter().filter(wanted).collect();
        for portion in known.chunks(PORTION) {
            let mut records = Vec::new();
            for record in portion {
                let is_there = record.stored.is_some_and(|(epoch, key)| {
                    epoch == scene.destination_epoch && scene.there.contains(key)
                });
                if is_there && record.outcome == Outcome::Copied {
                    records.push(Settled {
                        epoch: aside(epoch),
                        ..(*record).clone()
                    });
                }
                records.push((*record).clone().taken_back());
            }
            run.ledger.settle(pairing, records, Vec::new()).await?;
        }
    }
    let open = vec![mark(epoch, true)];
    run.ledger.settle(pairing, open, Vec::new()).await
}

/// Takes back the earlier copies of all mailboxes of the plan, then closes the marks. What
/// came of it goes into the report.
pub(crate) async fn finish(run: &Arc<Run>, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    run.observer.note(&Event::Phase(Phase::Undo));
    let sides = crate::job::list(run).await?;
    let mut seat = Seat::new(run.pace.clone());
    let pairings = run.ledger.pairings().await?;
    let mut marks = Vec::new();
    for line in plan.mailboxes.iter().filter(|line| Run::is_work(line)) {
        let pairing = pairings
            .iter()
            .find(|p| p.source == line.source.name && p.destination == line.destination);
        let Some(pairing) = pairing else { continue };
        let mut take = Take::new(run, pairing, Scope::Replaced, true);
        take.source = sides.source.iter().find(|m| m.name == pairing.source);
        take.destination = sides
            .destination
            .iter()
            .find(|m| m.name == pairing.destination);
        let fault = take.persist(&mut seat).await;
        take.tell(&mut report.replaced, &mut report.kept);
        if let Some(fault) = fault {
            return Err(fault);
        }
        for epoch in run.ledger.epochs(pairing.id).await? {
            if !is_aside(epoch) && is_under_way(run, pairing, epoch).await? {
                marks.push((pairing.id, mark(epoch, false)));
            }
        }
    }
    let closing = marks
        .into_iter()
        .map(|(pairing, mark)| run.ledger.settle(pairing, vec![mark], Vec::new()));
    futures::future::try_join_all(closing).await?;
    Ok(())
}

impl Take<'_> {
    /// Earlier copies: those that were set aside, and those of older epochs of the source.
    pub(super) async fn replaced(
        &mut self,
        origin: &mut Origin,
        open: &mut Open,
    ) -> Result<(), Fault> {
        let epochs = self.run.ledger.epochs(self.pairing.id).await?;
        // Without a source nothing can have been copied again.
        if origin.epoch.0 == 0 {
            return Ok(());
        }
        let owned = self.owned_now(origin, open).await?;
        let mut pages = Pages::new(self.run, self.pairing, aside(origin.epoch));
        while let Some(page) = pages.next().await? {
            let (mut earlier, mut gone) = (Vec::new(), Vec::new());
            for record in page {
                match claim(&record, &sight(origin, open)) {
                    // A later run adopted it: it is no earlier copy any more.
                    Claim::Copy(key) | Claim::Only(key) if owned.contains(key) => {}
                    Claim::Copy(_) => earlier.push(record),
                    Claim::Only(key) => self.keep(key, Kept::OnlyCopy),
                    Claim::Lost => self.line.keep(Kept::Touched, 1),
                    Claim::Gone => gone.push(record),
                    Claim::Nothing | Claim::Old(_) => {}
                }
            }
            self.book(open.epoch, gone).await?;
            self.take_replaced(origin, open, earlier).await?;
        }
        let older = epochs
            .into_iter()
            .filter(|epoch| super::aside::source_epoch(*epoch) != origin.epoch);
        self.take_older(origin, open, older.collect(), &owned).await
    }

    /// The destination keys that belong to messages of the source as it is now. Copies of
    /// messages that the source no longer has are named on the way.
    async fn owned_now(&mut self, origin: &mut Origin, open: &mut Open) -> Result<KeySet, Fault> {
        let mut owned = Vec::new();
        let mut pages = Pages::new(self.run, self.pairing, origin.epoch);
        while let Some(page) = pages.next().await? {
            for record in page {
                if let Claim::Only(key) = claim(&record, &sight(origin, open)) {
                    self.keep(key, Kept::OnlyCopy);
                }
                owned.extend(record.stored.filter(|(e, _)| *e == open.epoch).map(|s| s.1));
            }
        }
        owned.sort_unstable();
        Ok(owned.into_iter().collect())
    }

    async fn take_replaced(
        &mut self,
        origin: &mut Origin,
        open: &mut Open,
        earlier: Vec<Settled>,
    ) -> Result<(), Fault> {
        let keys: KeySet = earlier.iter().map(|record| record.key).collect();
        let now = self.run.ledger.lookup(self.pairing.id, origin.epoch, &keys);
        let now = self.verified(origin, open, now.await?).await?;
        let (replaced, left): (Vec<_>, Vec<_>) = earlier.into_iter().partition(|record| {
            let new = now.get(&record.key);
            new.is_some_and(|new| record.content.is_some() && *new == record.content)
        });
        for key in left.iter().filter_map(stored_key) {
            self.keep(key, Kept::NotReplaced);
        }
        self.take(origin, open, replaced, Ask::All).await
    }

    /// Of these records, by source key, the content of those whose copy is there and
    /// proven; what was not read back yet is read now.
    async fn verified(
        &self,
        origin: &mut Origin,
        open: &mut Open,
        records: Vec<Settled>,
    ) -> Result<HashMap<Key, Option<ContentHash>>, Fault> {
        let there =
            |record: &Settled| matches!(claim(record, &sight(origin, open)), Claim::Copy(_));
        let (sure, unsure): (Vec<_>, Vec<_>) = records
            .into_iter()
            .filter(there)
            .partition(|record| record.verified >= Verified::Header);
        let proven = proof::read(self.run, origin.reader(), open, unsure).await?;
        let keys: KeySet = proven.own.iter().map(|record| record.key).collect();
        if !keys.is_empty() {
            let (ledger, id) = (&self.run.ledger, self.pairing.id);
            ledger
                .prove(id, origin.epoch, &keys, Verified::Header)
                .await?;
        }
        let all = sure.into_iter().chain(proven.own);
        Ok(all.map(|record| (record.key, record.content)).collect())
    }

    /// Copies from before the source was renumbered: as many of one content go as new ones
    /// are proven.
    async fn take_older(
        &mut self,
        origin: &mut Origin,
        open: &mut Open,
        epochs: Vec<Epoch>,
        owned: &KeySet,
    ) -> Result<(), Fault> {
        let (mut handled, mut older) = (owned.clone(), Vec::new());
        for epoch in epochs {
            let mut pages = Pages::new(self.run, self.pairing, epoch);
            while let Some(page) = pages.next().await? {
                let mut gone = Vec::new();
                for record in page {
                    match claim(&record, &sight(origin, open)) {
                        Claim::Old(key) if !handled.contains(key) => {
                            handled.insert(key);
                            older.push(record);
                        }
                        Claim::Gone => gone.push(record),
                        _ => {}
                    }
                }
                self.book(open.epoch, gone).await?;
            }
        }
        if older.is_empty() {
            return Ok(());
        }
        let mut new: HashMap<ContentHash, u64> = older
            .iter()
            .filter_map(|record| Some((record.content?, 0)))
            .collect();
        let mut pages = Pages::new(self.run, self.pairing, origin.epoch);
        while let Some(mut page) = pages.next().await? {
            page.retain(|record| record.content.is_some_and(|c| new.contains_key(&c)));
            for content in self.verified(origin, open, page).await?.into_values() {
                if let Some(count) = content.and_then(|content| new.get_mut(&content)) {
                    *count += 1;
                }
            }
        }
        let mut replaced = Vec::new();
        for record in older {
            let count = record.content.and_then(|content| new.get_mut(&content));
            match (count, stored_key(&record)) {
                (Some(count @ 1..), _) => {
                    *count -= 1;
                    replaced.push(record);
                }
                (_, Some(key)) => self.keep(key, Kept::OnlyCopy),
                (_, None) => {}
            }
        }
        // The key of an older epoch names another message now: what has to be read to be
        // known stays.
        let mut unread = Origin {
            reader: None,
            epoch: origin.epoch,
            keys: origin.keys.clone(),
        };
        self.take(&mut unread, open, replaced, Ask::All).await
    }
}
