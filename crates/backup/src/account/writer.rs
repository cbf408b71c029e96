//! One folder of a backup, opened for adding to it.

use super::blocking;
use super::opened::Opened;
use crate::folder::{self, Folder, Letters, Queue};
use bytes::Bytes;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::traits::{Appended, Ask, Facts, FlagChange, Flow, Gate, Pending, Reader, Writer};
use hikyaku_core::{Code, Fault, Key, KeySet, Letter, Listing, MailboxState, Reach, Remedy};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

pub(super) struct OpenedForWriting {
    opened: Opened,
    permanent: PermanentFlags,
    /// Begins with the first append.
    queue: Option<Queue>,
}

impl OpenedForWriting {
    pub(super) fn new(folder: Arc<Folder>) -> Self {
        Self {
            opened: Opened::new(folder),
            permanent: PermanentFlags::everything(),
            queue: None,
        }
    }

    fn queue(&mut self) -> &Queue {
        let folder = self.opened.folder().clone();
        self.queue.get_or_insert_with(|| {
            let (queue, appends) = mpsc::unbounded_channel();
            let runtime = Handle::current();
            // Ends when the writer is dropped and everything that was queued is answered.
            tokio::task::spawn_blocking(move || folder::work(&folder, appends, &runtime));
            queue
        })
    }
}

impl Writer for OpenedForWriting {
    fn permanent_flags(&self) -> &PermanentFlags {
        &self.permanent
    }

    fn append(&mut self, letters: Vec<Letter>, gate: Arc<dyn Gate>) -> Ask<'_, Pending> {
        let (answer, coming) = oneshot::channel();
        let letters = Letters {
            letters,
            gate,
            answer,
        };
        // Where nobody takes it the answer is dropped with it, and that is told below.
        self.queue().send(letters).ok();
        let pending: Pending =
            Box::pin(async move { coming.await.unwrap_or_else(|_| Appended::Unknown(lost())) });
        Box::pin(async move { Ok(pending) })
    }

    fn store_flags<'a>(&'a mut self, changes: &'a [FlagChange]) -> Ask<'a, ()> {
        let folder = self.opened.folder().clone();
        let changes = changes.to_vec();
        Box::pin(blocking(move || folder.store_flags(&changes)))
    }
}

fn lost() -> Fault {
    let retry = Remedy::Retry { after: None };
    Fault::new(
        Code::MessageUnknown,
        Reach::Side,
        retry,
        "the append was not answered",
    )
}

impl Reader for OpenedForWriting {
    fn state(&self) -> MailboxState {
        self.opened.state()
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        self.opened.keys()
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        self.opened.list(keys, facts)
    }

    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing> {
        self.opened.changed(modseq)
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        self.opened.read(keys)
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        self.opened.head(key)
    }
}
