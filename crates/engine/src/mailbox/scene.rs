//! A mailbox open on both sides.

use crate::compare::Now;
use crate::job::Run;
use hikyaku_core::ledger::Pairing;
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::traits::{Reader, Writer};
use hikyaku_core::{Epoch, Fault, KeySet, MailboxInfo};

/// Both sides, open, with the keys that they held at that moment.
pub(crate) struct Scene {
    pub(crate) pairing: Pairing,
    /// Destination mailbox.
    pub(crate) info: MailboxInfo,
    pub(crate) epoch: Epoch,
    pub(crate) keys: KeySet,
    pub(crate) reader: Box<dyn Reader>,
    pub(crate) destination_epoch: Epoch,
    pub(crate) there: KeySet,
    pub(crate) writer: Box<dyn Writer>,
}

impl Scene {
    /// Makes sure that the destination mailbox exists, then opens both sides at once.
    pub(crate) async fn open(run: &Run, line: &MailboxPlan) -> Result<Self, Fault> {
        let subscribe = run.wants_subscription(&line.source);
        let source = async {
            let mut reader = run.source.open(&line.source).await?;
            let keys = reader.keys().await?;
            Ok::<_, Fault>((reader, keys))
        };
        let destination = async {
            // Order matters: the mailbox is ensured before anything is intended for it.
            let info = match &line.existing {
                Some(info) if info.selectable && (info.subscribed || !subscribe) => info.clone(),
                _ => {
                    run.destination
                        .ensure(&line.destination, line.role, subscribe)
                        .await?
                }
            };
            let mut writer = run.destination.write(&info).await?;
            let there = writer.keys().await?;
            Ok::<_, Fault>((info, writer, there))
        };
        let pairing = run.ledger.pair(&line.source.name, &line.destination);
        let ((reader, keys), (info, writer, there), pairing) =
            futures::try_join!(source, destination, pairing)?;
        Ok(Self {
            pairing,
            info,
            epoch: reader.state().epoch.unwrap_or(Epoch(0)),
            keys,
            reader,
            destination_epoch: writer.state().epoch.unwrap_or(Epoch(0)),
            there,
            writer,
        })
    }

    /// Opens the destination anew: keys and state are those of now.
    pub(crate) async fn reopen_destination(&mut self, run: &Run) -> Result<(), Fault> {
        self.writer = run.destination.write(&self.info).await?;
        self.there = self.writer.keys().await?;
        self.destination_epoch = self.writer.state().epoch.unwrap_or(Epoch(0));
        Ok(())
    }

    /// What both sides hold.
    pub(crate) fn now(&self) -> Now<'_> {
        Now {
            epoch: self.epoch,
            keys: &self.keys,
            destination_epoch: self.destination_epoch,
            there: &self.there,
        }
    }
}
