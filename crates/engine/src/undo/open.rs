//! The destination mailbox, open for looking or for removing.

use crate::listing::contradiction;
use crate::run::Run;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::traits::{Reader, Remover, Writer};
use hikyaku_core::{Epoch, Fault, Key, KeySet, MailboxInfo, Side};

/// How it is open. To look is not enough to remove.
enum Way {
    Looking(Box<dyn Writer>),
    Removing(Box<dyn Remover>),
}

/// The mailbox with the keys that it held when it was opened.
pub(crate) struct Open {
    way: Way,
    pub(crate) epoch: Epoch,
    pub(crate) keys: KeySet,
    pub(crate) permanent: PermanentFlags,
}

impl Open {
    /// Opens it, and lists what it holds.
    pub(crate) async fn new(run: &Run, info: &MailboxInfo, acts: bool) -> Result<Self, Fault> {
        let placed = |fault: Fault| fault.on(Side::Destination);
        let mut way = match &run.undo {
            Some(undo) if acts => {
                let opened = undo.open_for_removal(info).await;
                Way::Removing(opened.map_err(placed)?)
            }
            _ => Way::Looking(run.destination.write(info).await.map_err(placed)?),
        };
        let permanent = match &way {
            Way::Looking(writer) => writer.permanent_flags().clone(),
            Way::Removing(remover) => remover.permanent_flags().clone(),
        };
        let reader = way.reader();
        let keys = reader.keys().await.map_err(placed)?;
        let state = reader.state();
        // What is not listed would count as gone.
        if let Some(fault) = contradiction(state, &keys, Side::Destination) {
            return Err(fault);
        }
        run.pace.connected(Side::Destination);
        Ok(Self {
            epoch: state.epoch.unwrap_or(Epoch(0)),
            keys,
            permanent,
            way,
        })
    }

    /// For reading.
    pub(crate) fn reader(&mut self) -> &mut dyn Reader {
        self.way.reader()
    }

    /// Removes these; those that are gone.
    pub(crate) async fn remove(&mut self, run: &Run, keys: &KeySet) -> Result<KeySet, Fault> {
        let epoch = self.epoch;
        let gone = match &mut self.way {
            Way::Looking(_) => return Err(Fault::bug("removing where only looking was asked for")),
            Way::Removing(remover) => remover.remove(epoch, keys, &run.stop).await,
        };
        let gone = gone.map_err(|fault| fault.on(Side::Destination))?;
        self.keys = self.keys.minus(&gone);
        Ok(gone)
    }

    /// Subject, date and sender of a message, as far as they can be read.
    pub(crate) async fn head(&mut self, key: Key) -> Option<Vec<u8>> {
        self.reader()
            .head(key)
            .await
            .ok()?
            .map(|head| head.to_vec())
    }
}

impl Way {
    fn reader(&mut self) -> &mut dyn Reader {
        match self {
            Way::Looking(writer) => writer.as_mut(),
            Way::Removing(remover) => remover.as_mut(),
        }
    }
}
