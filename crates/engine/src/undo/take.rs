//! Taking back the copies of one pairing, attempt by attempt.

use super::open::Open;
use super::own::{Claim, Sight, claim};
use super::proof::{self, Ask, keys_of, stored_key};
use super::removal;
use crate::attempts::{Attempt, End, persist};
use crate::compare::Pages;
use crate::doubt::{Doubt, Settling};
use crate::matching::{self, Found};
use crate::pace::Seat;
use crate::run::Run;
use futures::future::{BoxFuture, FutureExt};
use hikyaku_core::ledger::{Pairing, Settled};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Reader;
use hikyaku_core::undo::{Kept, KeptCopy, UndoLine, UndoReport, line};
use hikyaku_core::{Epoch, Fault, Key, KeySet, MailboxInfo, Side};
use std::collections::HashMap;
use std::sync::Arc;

/// Copies of one mailbox whose subject and date are fetched.
const NAMED: usize = 200;

/// Which copies are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of the pairing.
    Everything,
    /// Earlier copies that were copied again since.
    Replaced,
}

/// The work on one pairing.
pub(crate) struct Take<'a> {
    pub(super) run: &'a Arc<Run>,
    pub(super) pairing: &'a Pairing,
    scope: Scope,
    /// Whether anything is removed, or only looked at.
    pub(super) acts: bool,
    pub(crate) source: Option<&'a MailboxInfo>,
    pub(crate) destination: Option<&'a MailboxInfo>,
    /// What went, over all attempts.
    removed: u64,
    /// What stays, as the present attempt sees it.
    pub(super) line: UndoLine,
    kept: Vec<(Key, Kept)>,
    named: Vec<KeptCopy>,
    has_checkpoint: bool,
}

/// The source mailbox, open.
pub(super) struct Origin {
    pub(super) reader: Option<Box<dyn Reader>>,
    pub(super) epoch: Epoch,
    pub(super) keys: KeySet,
}

impl Origin {
    /// Whoever asks lives no longer than the answer.
    pub(super) fn reader(&mut self) -> Option<&mut dyn Reader> {
        match &mut self.reader {
            Some(reader) => Some(reader.as_mut()),
            None => None,
        }
    }
}

impl Attempt for Take<'_> {
    fn attempt<'a>(&'a mut self, _: &'a mut Seat) -> BoxFuture<'a, Result<End, Fault>> {
        async move { self.go().await.map(|()| End::Done) }.boxed()
    }

    fn progress(&self) -> u64 {
        self.removed
    }

    fn again(&mut self) {}
}

impl<'a> Take<'a> {
    pub(crate) fn new(run: &'a Arc<Run>, pairing: &'a Pairing, scope: Scope, acts: bool) -> Self {
        Self {
            run,
            pairing,
            scope,
            acts,
            source: None,
            destination: None,
            removed: 0,
            line: UndoLine::of(&pairing.destination),
            kept: Vec::new(),
            named: Vec::new(),
            has_checkpoint: pairing.checkpoint.is_some(),
        }
    }

    /// Does it, however often the connection is lost. Why it is not done, if it is not.
    pub(crate) async fn persist(&mut self, seat: &mut Seat) -> Option<Fault> {
        let (run, mailbox) = (self.run, &self.pairing.source);
        persist(run, seat, Some(mailbox), self).await
    }

    /// Adds what came of it to a report.
    pub(crate) fn tell(self, lines: &mut Vec<UndoLine>, kept: &mut Vec<KeptCopy>) {
        let mut mine = self.line;
        mine.removed = self.removed;
        if !mine.is_empty() {
            line(lines, &self.pairing.destination).merge(&mine);
        }
        let room = UndoReport::MAX_KEPT.saturating_sub(kept.len());
        kept.extend(self.named.into_iter().take(room));
    }

    async fn go(&mut self) -> Result<(), Fault> {
        self.line = UndoLine::of(&self.pairing.destination);
        self.kept.clear();
        self.named.clear();
        if !self.acts {
            self.removed = 0;
        }
        let mut origin = self.open_source().await?;
        if self.acts && self.scope == Scope::Everything {
            self.resolve_doubts(&mut origin).await?;
        }
        let Some(destination) = self.destination.filter(|info| info.selectable) else {
            return self.count_without_destination().await;
        };
        let mut open = Open::new(self.run, destination, self.acts).await?;
        match self.scope {
            Scope::Everything => self.everything(&mut origin, &mut open).await?,
            Scope::Replaced => self.replaced(&mut origin, &mut open).await?,
        }
        self.name(&mut open).await;
        Ok(())
    }

    async fn open_source(&self) -> Result<Origin, Fault> {
        let Some(info) = self.source.filter(|info| info.selectable) else {
            return Ok(Origin {
                reader: None,
                epoch: Epoch(0),
                keys: KeySet::new(),
            });
        };
        let placed = |fault: Fault| fault.on(Side::Source);
        let mut reader = self.run.source.open(info).await.map_err(placed)?;
        let keys = reader.keys().await.map_err(placed)?;
        self.run.pace.connected(Side::Source);
        Ok(Origin {
            epoch: reader.state().epoch.unwrap_or(Epoch(0)),
            keys,
            reader: Some(reader),
        })
    }

    /// What a copy left without an answer may be a copy of ours.
    async fn resolve_doubts(&self, origin: &mut Origin) -> Result<(), Fault> {
        let intents = self.run.ledger.in_doubt(self.pairing.id).await?;
        let epoch = origin.epoch;
        let (false, Some(destination), Some(source)) =
            (intents.is_empty(), self.destination, origin.reader())
        else {
            return Ok(());
        };
        let doubt = Doubt {
            run: self.run,
            pairing: self.pairing,
            destination,
            epoch,
            settling: Settling::Lost,
            sent: HashMap::new(),
        };
        doubt.resolve(source, intents).await.map(drop)
    }

    /// The mailbox is gone, and every copy in it.
    async fn count_without_destination(&mut self) -> Result<(), Fault> {
        let epochs = self.run.ledger.epochs(self.pairing.id).await?;
        let Some(newest) = newest(&epochs) else {
            return Ok(());
        };
        let mut pages = Pages::new(self.run, self.pairing, newest);
        while let Some(page) = pages.next().await? {
            let ours = page
                .iter()
                .filter(|r| matches!(r.outcome, Outcome::Copied | Outcome::RemovedAtDestination));
            self.line.keep(Kept::Touched, ours.count() as u64);
        }
        Ok(())
    }

    async fn everything(&mut self, origin: &mut Origin, open: &mut Open) -> Result<(), Fault> {
        let mut epochs = self.run.ledger.epochs(self.pairing.id).await?;
        let newest = newest(&epochs);
        // The newest first: what a key means now counts.
        epochs.reverse();
        epochs.sort_by_key(|epoch| Some(*epoch) != newest);
        let (mut handled, mut recorded) = (KeySet::new(), KeySet::new());
        let mut old: Vec<Settled> = Vec::new();
        for epoch in epochs {
            let mut pages = Pages::new(self.run, self.pairing, epoch);
            while let Some(page) = pages.next().await? {
                let (mut copies, mut gone) = (Vec::new(), Vec::new());
                for record in page {
                    if epoch == origin.epoch && record.outcome.is_final() {
                        recorded.insert(record.key);
                    }
                    match claim(&record, &sight(origin, open)) {
                        Claim::Nothing => {}
                        Claim::Gone => gone.push(record),
                        Claim::Lost if Some(epoch) == newest => self.line.keep(Kept::Touched, 1),
                        Claim::Lost => {}
                        Claim::Only(key) if !handled.contains(key) => {
                            handled.insert(key);
                            self.keep(key, Kept::OnlyCopy);
                        }
                        Claim::Copy(key) if !handled.contains(key) => {
                            handled.insert(key);
                            copies.push(record);
                        }
                        Claim::Old(key) if !handled.contains(key) => {
                            handled.insert(key);
                            old.push(record);
                        }
                        Claim::Only(_) | Claim::Copy(_) | Claim::Old(_) => {}
                    }
                }
                self.book(open.epoch, gone).await?;
                self.take(origin, open, copies, Ask::All).await?;
            }
        }
        let wanted = origin.keys.minus(&recorded);
        self.take_old(origin, open, old, &wanted).await
    }

    /// Copies that are recorded under an epoch that the source no longer has: content
    /// tells which of its messages they are.
    async fn take_old(
        &mut self,
        origin: &mut Origin,
        open: &mut Open,
        old: Vec<Settled>,
        wanted: &KeySet,
    ) -> Result<(), Fault> {
        if old.is_empty() {
            return Ok(());
        }
        let keys = keys_of(&old);
        let found = match origin.reader() {
            Some(source) => {
                matching::find(self.run, source, wanted, open.reader(), &keys, &[]).await?
            }
            None => matching::Matches::default(),
        };
        let mut at_source = KeySet::new();
        for m in &found.found {
            if let Found::There { key, .. } = m.found {
                at_source.insert(key);
            }
        }
        let (copies, only): (Vec<_>, Vec<_>) = old
            .into_iter()
            .partition(|record| stored_key(record).is_some_and(|key| at_source.contains(key)));
        for key in only.iter().filter_map(stored_key) {
            self.keep(key, Kept::OnlyCopy);
        }
        self.take(origin, open, copies, Ask::Flags).await
    }

    /// Takes back what nobody touched of these, portion by portion: the look and the
    /// removal are never far apart.
    pub(super) async fn take(
        &mut self,
        origin: &mut Origin,
        open: &mut Open,
        copies: Vec<Settled>,
        ask: Ask,
    ) -> Result<(), Fault> {
        for portion in copies.chunks(removal::PORTION) {
            let portion = portion.to_vec();
            let proven = proof::prove(self.run, origin.reader(), open, portion, ask).await?;
            for key in proven.touched.iter().filter_map(stored_key) {
                self.keep(key, Kept::Touched);
            }
            if !self.acts {
                self.removed += proven.own.len() as u64;
                continue;
            }
            self.drop_checkpoint().await?;
            let went = removal::remove(self.run, self.pairing, open, &proven.own).await?;
            self.removed += went.len();
            for key in keys_of(&proven.own).minus(&went).iter() {
                self.keep(key, Kept::Touched);
            }
        }
        Ok(())
    }

    /// Books what an undo that broke off had removed.
    pub(super) async fn book(&mut self, epoch: Epoch, gone: Vec<Settled>) -> Result<(), Fault> {
        if gone.is_empty() || !self.acts {
            return Ok(());
        }
        let keys = keys_of(&gone);
        let ledger = &self.run.ledger;
        let owners = ledger.lookup_stored(self.pairing.id, epoch, &keys).await?;
        removal::book(self.run, self.pairing, owners, &keys).await?;
        self.removed += keys.len();
        Ok(())
    }

    /// It would outlive the changes that are about to be made.
    async fn drop_checkpoint(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.has_checkpoint) {
            self.run.ledger.checkpoint(self.pairing.id, None).await?;
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, key: Key, why: Kept) {
        self.line.keep(why, 1);
        if self.kept.len() < UndoReport::MAX_KEPT {
            self.kept.push((key, why));
        }
    }

    /// What stays, by name; best effort.
    async fn name(&mut self, open: &mut Open) {
        if !self.acts {
            return;
        }
        for (n, (key, why)) in std::mem::take(&mut self.kept).into_iter().enumerate() {
            let head = match n < NAMED {
                true => open.head(key).await,
                false => None,
            };
            self.named.push(KeptCopy {
                mailbox: self.pairing.destination.clone(),
                key,
                why,
                head,
            });
        }
    }
}

/// What both sides hold.
pub(super) fn sight<'a>(origin: &'a Origin, open: &'a Open) -> Sight<'a> {
    Sight {
        source_epoch: origin.epoch,
        source: &origin.keys,
        epoch: open.epoch,
        there: &open.keys,
    }
}

/// The newest epoch of the source of which there are records.
fn newest(epochs: &[Epoch]) -> Option<Epoch> {
    epochs
        .iter()
        .rev()
        .copied()
        .find(|epoch| !super::aside::is_aside(*epoch))
}
