//! A source that is not there any more, as the ledger remembers it.
//!
//! Taking copies back wants the source, since what is nowhere else has to stay. A file that
//! somebody uploaded is a copy of what they have, and goes when its job is over. Whoever
//! says that they still have the file gets this in its place: it has every message that
//! the last copy saw, and can hand out none. So what only content could prove stays.

use super::aside::is_aside;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use hikyaku_core::ledger::Ledger;
use hikyaku_core::mailbox::{Abilities, Quota};
use hikyaku_core::message::{Letter, Listing};
use hikyaku_core::name::WireName;
use hikyaku_core::traits::{Ask, Facts, Flow, Reader, Source};
use hikyaku_core::{Epoch, Fault, Key, KeySet, MailboxInfo, MailboxState};
use std::sync::Arc;

/// Records that are read at once.
const PAGE: u32 = 2_000;

/// See the module. Only for [`crate::Job::undo`]: a copy from it would find nothing.
pub struct Remembered {
    ledger: Arc<dyn Ledger>,
    abilities: Abilities,
}

impl Remembered {
    /// The source of the pair that this ledger is about.
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        let abilities = Abilities::of_a_reader(1);
        Self { ledger, abilities }
    }

    async fn messages(&self, mailbox: &MailboxInfo) -> Result<Kept, Fault> {
        let mut kept = Kept::default();
        for pairing in self.ledger.pairings().await? {
            if pairing.source != mailbox.name {
                continue;
            }
            let epochs = self.ledger.epochs(pairing.id).await?;
            let Some(newest) = epochs.into_iter().rev().find(|epoch| !is_aside(*epoch)) else {
                continue;
            };
            kept.epoch = Some(newest);
            let mut after = None;
            loop {
                let page = self.ledger.known(pairing.id, newest, after, PAGE).await?;
                page.iter().for_each(|record| kept.keys.insert(record.key));
                match page.last() {
                    Some(last) => after = Some(last.key),
                    None => break,
                }
            }
        }
        Ok(kept)
    }
}

impl Source for Remembered {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        async {
            let pairings = self.ledger.pairings().await?;
            let mut names: Vec<_> = pairings.into_iter().map(|pairing| pairing.source).collect();
            names.sort();
            names.dedup();
            let info = |name: hikyaku_core::MailboxName| MailboxInfo {
                wire: WireName::new(name.to_string()),
                name,
                role: None,
                selectable: true,
                subscribed: false,
                no_children: false,
                state: None,
            };
            Ok(names.into_iter().map(info).collect())
        }
        .boxed()
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        async {
            let kept = self.messages(mailbox).await?;
            Ok(Box::new(kept) as Box<dyn Reader>)
        }
        .boxed()
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        async { Ok(None) }.boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

/// The messages of one mailbox.
#[derive(Debug, Default)]
struct Kept {
    epoch: Option<Epoch>,
    keys: KeySet,
}

impl Reader for Kept {
    fn state(&self) -> MailboxState {
        MailboxState {
            epoch: self.epoch,
            next: None,
            messages: self.keys.len(),
            modseq: None,
            octets: None,
        }
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        async { Ok(self.keys.clone()) }.boxed()
    }

    fn list<'a>(&'a mut self, _: &'a KeySet, _: Facts) -> Flow<'a, Listing> {
        stream::empty().boxed()
    }

    fn changed(&mut self, _: u64) -> Flow<'_, Listing> {
        stream::empty().boxed()
    }

    fn read<'a>(&'a mut self, _: &'a KeySet) -> Flow<'a, Letter> {
        stream::empty().boxed()
    }

    fn head(&mut self, _: Key) -> Ask<'_, Option<bytes::Bytes>> {
        async { Ok(None) }.boxed()
    }
}
