//! The account as a whole: who owns which message, and which are free.

use crate::compare::Pages;
use crate::matching::{heads, nothing_is_hidden};
use crate::run::Run;
use hikyaku_core::ledger::{PairingId, Settled};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Reader;
use hikyaku_core::{
    Epoch, Fault, HeadDigest, Key, KeySet, MailboxInfo, MailboxName, Reach, Remedy, Side,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A mailbox by its place in [`Account::infos`].
type At = usize;

/// A record, wherever it is.
type Record = (PairingId, Epoch, Key);

/// The mailboxes of the destination that are looked through.
pub(super) struct Account {
    infos: Vec<MailboxInfo>,
    /// Mailboxes that do not count.
    barred: HashSet<MailboxName>,
    /// Mailboxes whose own lines may yet match what is there: nobody else takes anything.
    pending: HashSet<MailboxName>,
    /// What each held when it was first looked at; `None` where it does not open.
    views: HashMap<At, Option<View>>,
    index: Option<Index>,
    /// Mailboxes that had other keys at a later look; twice means always.
    renumbered: HashSet<At>,
    /// Claimed in this run.
    taken: HashSet<(At, Key)>,
    /// Records of what was found in this run: where it is is known again.
    landed: HashSet<Record>,
}

struct View {
    epoch: Epoch,
    keys: KeySet,
}

/// Made once: 32 octets for each message that no record owns.
struct Index {
    free: Vec<(HeadDigest, u32, Key)>,
    /// Messages of ours that are not where they were put: any free message that looks the
    /// same may be one of them.
    adrift: Vec<(HeadDigest, Record)>,
    /// Who claims what was found elsewhere, in any epoch of the source.
    claims: HashMap<(At, Key), Vec<(PairingId, Epoch)>>,
}

/// Who looks for messages.
#[derive(Clone, Copy)]
pub(super) struct Seeker<'a> {
    pub(super) pairing: PairingId,
    pub(super) epoch: Epoch,
    /// Its mapped mailbox.
    pub(super) mapped: &'a MailboxName,
    /// Everything that it looks for.
    pub(super) wanted: &'a KeySet,
}

/// Messages of one head that somebody may take.
#[derive(Default)]
pub(super) struct Free {
    pub(super) places: Vec<(At, Key)>,
    /// How many at most: as many as may be ours, moved, are left alone.
    pub(super) most: u64,
    /// Whether there are others, of which nobody can tell yet whose they are.
    pub(super) may_be_taken: bool,
}

/// Whether a message that was found is there still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    /// Its owner took it away.
    Gone,
    /// The mailbox has other keys now.
    Unknown,
}

impl Account {
    pub(super) fn new(
        infos: Vec<MailboxInfo>,
        barred: HashSet<MailboxName>,
        pending: HashSet<MailboxName>,
    ) -> Self {
        Self {
            infos,
            barred,
            pending,
            views: HashMap::new(),
            index: None,
            renumbered: HashSet::new(),
            taken: HashSet::new(),
            landed: HashSet::new(),
        }
    }

    pub(super) fn info(&self, at: At) -> &MailboxInfo {
        &self.infos[at]
    }

    /// Whether what a record found elsewhere is there still.
    pub(super) async fn presence(
        &mut self,
        run: &Run,
        settled: &Settled,
    ) -> Result<Presence, Fault> {
        let (Some(there), Some((_, key))) = (&settled.elsewhere, settled.stored) else {
            return Ok(Presence::Unknown);
        };
        let Some(at) = self.at(&there.mailbox) else {
            return Ok(Presence::Gone);
        };
        Ok(match self.view(run, at).await? {
            // What cannot be looked at may be there.
            None => Presence::There,
            Some(view) if view.epoch != there.epoch => Presence::Unknown,
            Some(view) if view.keys.contains(key) => Presence::There,
            Some(_) => Presence::Gone,
        })
    }

    fn at(&self, mailbox: &MailboxName) -> Option<At> {
        self.infos.iter().position(|info| info.name == *mailbox)
    }

    async fn view(&mut self, run: &Run, at: At) -> Result<Option<&View>, Fault> {
        if !self.views.contains_key(&at) {
            let view = match open(run, &self.infos[at]).await? {
                Some(mut reader) => Some(View {
                    epoch: reader.state().epoch.unwrap_or(Epoch(0)),
                    keys: reader.keys().await.map_err(there)?,
                }),
                None => None,
            };
            self.views.insert(at, view);
        }
        Ok(self.views.get(&at).and_then(Option::as_ref))
    }

    /// Looks through the account, once.
    pub(super) async fn prepare(&mut self, run: &Run) -> Result<(), Fault> {
        if self.index.is_some() {
            return Ok(());
        }
        let pairings = run.ledger.pairings().await?;
        for at in 0..self.infos.len() {
            let name = &self.infos[at].name;
            let is_mapped = pairings.iter().any(|p| p.destination == *name);
            if is_mapped || !self.barred.contains(name) {
                self.view(run, at).await?;
            }
        }
        let mut index = self.of_records(run).await?;
        for at in 0..self.infos.len() {
            let free = self.unowned(run, at, &index).await?;
            if free.is_empty() {
                continue;
            }
            let Some(mut reader) = open(run, &self.infos[at]).await? else {
                continue;
            };
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let each = |head, key| index.free.push((head, number, key));
            let listed = heads(reader.as_mut(), &free, each).await.map_err(there)?;
            nothing_is_hidden(reader.as_mut(), &free.minus(&listed))
                .await
                .map_err(there)?;
        }
        index.free.sort_unstable();
        index.adrift.sort_unstable();
        self.index = Some(index);
        Ok(())
    }

    /// The keys of a mailbox that are nobody's for certain, and those that may be taken
    /// over from a record of another source epoch.
    async fn unowned(&self, run: &Run, at: At, index: &Index) -> Result<KeySet, Fault> {
        let info = &self.infos[at];
        let view = self.views.get(&at).and_then(Option::as_ref);
        let Some(view) = view.filter(|v| v.epoch.0 != 0 && !v.keys.is_empty()) else {
            // Keys without an epoch cannot be owned, so not claimed either.
            return Ok(KeySet::new());
        };
        if self.barred.contains(&info.name) {
            return Ok(KeySet::new());
        }
        let ledger = &run.ledger;
        let owned = ledger.owned(&info.name, view.epoch).await?;
        let mut free = view.keys.minus(&owned);
        let mut claimed: Vec<Key> = index
            .claims
            .keys()
            .filter(|c| c.0 == at)
            .map(|c| c.1)
            .collect();
        claimed.sort_unstable();
        free.extend(&claimed.into_iter().collect());
        for pairing in ledger.pairings().await? {
            if pairing.destination != info.name {
                continue;
            }
            // What was sent without an answer may be any message since.
            for (_, intent) in ledger.in_doubt(pairing.id).await? {
                let from = match intent.destination_epoch == view.epoch {
                    true => intent.destination_next,
                    false => Key(0),
                };
                free = free.minus(&KeySet::range(from.0..=u64::MAX));
            }
        }
        Ok(free)
    }

    /// What the records of all pairings tell, page by page.
    async fn of_records(&self, run: &Run) -> Result<Index, Fault> {
        let mut index = Index {
            free: Vec::new(),
            adrift: Vec::new(),
            claims: HashMap::new(),
        };
        for pairing in run.ledger.pairings().await? {
            for epoch in run.ledger.epochs(pairing.id).await? {
                let mut pages = Pages::new(run, &pairing, epoch);
                while let Some(page) = pages.next().await? {
                    for settled in page.iter().filter(|s| s.outcome.is_final()) {
                        self.add(&mut index, &pairing.destination, pairing.id, settled);
                    }
                }
            }
        }
        Ok(index)
    }

    fn add(&self, index: &mut Index, mapped: &MailboxName, id: PairingId, settled: &Settled) {
        let place = settled
            .stored
            .and_then(|(epoch, key)| match &settled.elsewhere {
                Some(other) => Some((self.at(&other.mailbox)?, other.epoch, key)),
                None => Some((self.at(mapped)?, epoch, key)),
            });
        let place = place.filter(|(at, epoch, key)| {
            let view = self.views.get(at).and_then(Option::as_ref);
            view.is_some_and(|v| v.epoch == *epoch && epoch.0 != 0 && v.keys.contains(*key))
        });
        match (place, settled.head) {
            (Some((at, _, key)), _)
                if settled.elsewhere.is_some() && settled.outcome == Outcome::AlreadyThere =>
            {
                let owners = index.claims.entry((at, key)).or_default();
                owners.push((id, settled.epoch));
            }
            (Some(_), _) | (None, None) => {}
            (None, Some(head)) => index.adrift.push((head, (id, settled.epoch, settled.key))),
        }
    }

    /// What there is with this head for the seeker.
    pub(super) fn free(&self, head: HeadDigest, seeker: &Seeker<'_>) -> Free {
        let Some(index) = &self.index else {
            return Free::default();
        };
        let from = index.free.partition_point(|(h, ..)| *h < head);
        let group = index.free[from..].iter().take_while(|(h, ..)| *h == head);
        let (pending, free): (Vec<_>, Vec<_>) = group
            .map(|(_, at, key)| (*at as usize, *key))
            .filter(|place| !self.taken.contains(place))
            .filter(|(at, _)| self.infos[*at].name != *seeker.mapped)
            .partition(|(at, _)| self.pending.contains(&self.infos[*at].name));
        let places: Vec<(At, Key)> = free
            .into_iter()
            .filter(|place| {
                let owners = index.claims.get(place).map_or(&[][..], Vec::as_slice);
                let is_history = |owner: &(PairingId, Epoch)| {
                    owner.0 == seeker.pairing && owner.1 != seeker.epoch
                };
                owners.iter().all(is_history)
            })
            .collect();
        Free {
            most: (places.len() as u64).saturating_sub(self.adrift(index, head, seeker)),
            places,
            may_be_taken: !pending.is_empty(),
        }
    }

    /// How many messages of ours with this head are anywhere. Those that the seeker looks
    /// for are not among them, nor what it knew by other keys; each epoch of another source
    /// mailbox tells of the same messages.
    fn adrift(&self, index: &Index, head: HeadDigest, seeker: &Seeker<'_>) -> u64 {
        let from = index.adrift.partition_point(|(h, _)| *h < head);
        let group = index.adrift[from..].iter().take_while(|(h, _)| *h == head);
        let mut counts: BTreeMap<PairingId, BTreeMap<Epoch, u64>> = BTreeMap::new();
        for (_, record) in group {
            let (pairing, epoch, key) = *record;
            let is_wanted =
                pairing == seeker.pairing && (epoch != seeker.epoch || seeker.wanted.contains(key));
            if !is_wanted && !self.landed.contains(record) {
                *counts.entry(pairing).or_default().entry(epoch).or_default() += 1;
            }
        }
        let most = counts.values().filter_map(|epochs| epochs.values().max());
        most.sum()
    }

    /// From now on the message is somebody's.
    pub(super) fn take(&mut self, at: At, key: Key, record: Record) {
        self.taken.insert((at, key));
        self.landed.insert(record);
    }

    /// Opens a mailbox that is as it was when the account was looked through.
    ///
    /// # Errors
    /// Those of opening; `mailbox.listing` when it has other keys now: then the account is
    /// looked through again.
    pub(super) async fn reopen(&mut self, run: &Run, at: At) -> Result<Box<dyn Reader>, Fault> {
        let opened = run.destination.open(&self.infos[at]).await;
        let reader = opened.map_err(there)?;
        let view = self.views.get(&at).and_then(Option::as_ref);
        if view.map(|v| v.epoch) == reader.state().epoch {
            return Ok(reader);
        }
        if !self.renumbered.insert(at) {
            self.barred.insert(self.infos[at].name.clone());
        }
        self.index = None;
        self.views.clear();
        // What was claimed stands in the ledger.
        self.taken.clear();
        self.landed.clear();
        let retry = Remedy::Retry { after: None };
        let detail = "the destination renumbered its messages while they were looked for";
        let fault = Fault::new(
            hikyaku_core::Code::MailboxListing,
            Reach::Mailbox,
            retry,
            detail,
        );
        Err(there(fault))
    }

    pub(super) fn epoch(&self, at: At) -> Epoch {
        let view = self.views.get(&at).and_then(Option::as_ref);
        view.map_or(Epoch(0), |view| view.epoch)
    }
}

/// Opens a mailbox; `None` when it is closed to us: then nothing is found in it.
async fn open(run: &Run, info: &MailboxInfo) -> Result<Option<Box<dyn Reader>>, Fault> {
    match run.destination.open(info).await {
        Ok(reader) => Ok(Some(reader)),
        Err(fault) if fault.reach <= Reach::Mailbox && !fault.is_temporary() => Ok(None),
        Err(fault) => Err(there(fault)),
    }
}

fn there(fault: Fault) -> Fault {
    fault.on(Side::Destination)
}
