//! A mailbox that was given back.
//!
//! Some servers let in one connection only: whoever opens a mailbox a second time has
//! to give the first one back before. In between this stands in its place.

use futures::StreamExt;
use futures::future::FutureExt;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::message::{Letter, Listing};
use hikyaku_core::traits::{Ask, Facts, FlagChange, Flow, Gate, Pending, Reader, Writer};
use hikyaku_core::{Code, Fault, Key, KeySet, MailboxState, Reach, Remedy};
use std::sync::Arc;

/// Answers everything with a lost link, which makes its user open the mailbox anew.
pub(super) struct Shut {
    state: MailboxState,
    permanent: PermanentFlags,
}

impl Shut {
    /// In the place of a reader.
    pub(super) fn reader(open: &dyn Reader) -> Box<dyn Reader> {
        Box::new(Self {
            state: open.state(),
            permanent: PermanentFlags::everything(),
        })
    }

    /// In the place of a writer.
    pub(super) fn writer(open: &dyn Writer) -> Box<dyn Writer> {
        Box::new(Self {
            state: open.state(),
            permanent: open.permanent_flags().clone(),
        })
    }

    fn fault() -> Fault {
        Fault::new(
            Code::LinkLost,
            Reach::Side,
            Remedy::Retry { after: None },
            "the connection was given back",
        )
    }

    fn ask<'a, T: Send + 'a>() -> Ask<'a, T> {
        async { Err(Self::fault()) }.boxed()
    }

    fn flow<'a, T: Send + 'a>() -> Flow<'a, T> {
        futures::stream::iter([Err(Self::fault())]).boxed()
    }
}

impl Reader for Shut {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        Self::ask()
    }

    fn list<'a>(&'a mut self, _: &'a KeySet, _: Facts) -> Flow<'a, Listing> {
        Self::flow()
    }

    fn changed(&mut self, _: u64) -> Flow<'_, Listing> {
        Self::flow()
    }

    fn read<'a>(&'a mut self, _: &'a KeySet) -> Flow<'a, Letter> {
        Self::flow()
    }

    fn head(&mut self, _: Key) -> Ask<'_, Option<bytes::Bytes>> {
        Self::ask()
    }
}

impl Writer for Shut {
    fn permanent_flags(&self) -> &PermanentFlags {
        &self.permanent
    }

    fn append(&mut self, _: Vec<Letter>, _: Arc<dyn Gate>) -> Ask<'_, Pending> {
        Self::ask()
    }

    fn store_flags<'a>(&'a mut self, _: &'a [FlagChange]) -> Ask<'a, ()> {
        Self::ask()
    }
}
