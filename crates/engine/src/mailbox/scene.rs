//! A mailbox open on both sides.

use super::shut::Shut;
use crate::compare::Now;
use crate::listing::contradiction;
use crate::resume;
use crate::run::Run;
use hikyaku_core::ledger::Pairing;
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::traits::{Reader, Writer};
use hikyaku_core::{
    Code, Epoch, Fault, Key, KeySet, MailboxInfo, MailboxState, Reach, Remedy, Side,
};

/// Both sides, open, with the keys that they held at that moment.
pub(crate) struct Scene {
    pub(crate) pairing: Pairing,
    /// Destination mailbox.
    pub(crate) info: MailboxInfo,
    pub(crate) epoch: Epoch,
    pub(crate) keys: KeySet,
    pub(crate) reader: Box<dyn Reader>,
    /// The state that the source goes on from, when it is one that only grew since.
    resumed: Option<MailboxState>,
    pub(crate) destination_epoch: Epoch,
    pub(crate) there: KeySet,
    /// The destination's UIDNEXT at the same moment.
    pub(crate) next: Option<Key>,
    pub(crate) writer: Box<dyn Writer>,
}

impl Scene {
    /// Makes sure that the destination mailbox exists, then opens both sides at once.
    /// `again` says that an earlier attempt failed: then the mailbox may be gone.
    pub(crate) async fn open(run: &Run, line: &MailboxPlan, again: bool) -> Result<Self, Fault> {
        let subscribe = run.wants_subscription(&line.source);
        let source = async {
            let opened = read(run, &line.source).await;
            opened.map_err(|fault| fault.on(Side::Source))
        };
        let destination = async {
            // Order matters: the mailbox is ensured before anything is intended for it.
            let info = match &line.existing {
                Some(info) if info.selectable && (info.subscribed || !subscribe) && !again => {
                    info.clone()
                }
                _ => {
                    run.destination
                        .ensure(&line.destination, line.role, subscribe)
                        .await?
                }
            };
            let (writer, there) = write(run, &info).await?;
            Ok((info, writer, there))
        };
        let destination = async {
            destination
                .await
                .map_err(|f: Fault| f.on(Side::Destination))
        };
        let pairing = run.ledger.pair(&line.source.name, &line.destination);
        let ((mut reader, keys), (info, writer, there), pairing) =
            futures::try_join!(source, destination, pairing)?;
        let resumed = resume::resume(run, &pairing, reader.as_mut()).await?;
        Ok(Self {
            pairing,
            info,
            epoch: resume::epoch(reader.as_ref()),
            keys,
            reader,
            resumed,
            destination_epoch: writer.state().epoch.unwrap_or(Epoch(0)),
            there,
            next: writer.state().next,
            writer,
        })
    }

    /// Opens the destination anew without taking a new look at what it holds.
    pub(crate) async fn renew_writer(&mut self, run: &Run) -> Result<(), Fault> {
        self.shut_destination();
        let writer = run.destination.write(&self.info).await;
        self.writer = writer.map_err(|fault| fault.on(Side::Destination))?;
        Ok(())
    }

    /// Gives the destination's connection back, until it is opened anew.
    pub(crate) fn shut_destination(&mut self) {
        self.writer = Shut::writer(self.writer.as_ref());
    }

    /// Opens the destination anew: keys and state are those of now.
    pub(crate) async fn reopen_destination(&mut self, run: &Run) -> Result<(), Fault> {
        self.shut_destination();
        let opened = write(run, &self.info).await;
        let (writer, there) = opened.map_err(|fault| fault.on(Side::Destination))?;
        self.destination_epoch = writer.state().epoch.unwrap_or(Epoch(0));
        self.next = writer.state().next;
        self.writer = writer;
        self.there = there;
        Ok(())
    }

    /// Opens the source anew, on a connection that has not failed; the keys that it
    /// holds now.
    ///
    /// # Faults
    /// `mailbox.listing` when its keys may have another meaning now: then the mailbox
    /// has to be compared again.
    pub(crate) async fn reopen_source(
        &mut self,
        run: &Run,
        line: &MailboxPlan,
    ) -> Result<KeySet, Fault> {
        self.reader = Shut::reader(self.reader.as_ref());
        let opened = read(run, &line.source).await;
        let (mut reader, keys) = opened.map_err(|fault| fault.on(Side::Source))?;
        if let Some(earlier) = &self.resumed {
            reader.resume(earlier).await?;
        }
        if resume::epoch(reader.as_ref()) != self.epoch {
            let detail = "the source renumbered its messages while they were read";
            let retry = Remedy::Retry { after: None };
            let fault = Fault::new(Code::MailboxListing, Reach::Mailbox, retry, detail);
            return Err(fault.on(Side::Source));
        }
        self.reader = reader;
        Ok(keys)
    }

    /// The sides on which keys do not last from one look to the next: no epoch, or
    /// another one than a moment ago in the list of mailboxes.
    pub(crate) fn unstable(&self, line: &MailboxPlan) -> Vec<Side> {
        let listed = |info: Option<&MailboxInfo>| info.and_then(|i| i.state).and_then(|s| s.epoch);
        let source = listed(Some(&line.source)).filter(|_| self.resumed.is_none());
        let sides = [
            (Side::Source, self.epoch, source),
            (
                Side::Destination,
                self.destination_epoch,
                listed(line.existing.as_ref()),
            ),
        ];
        let unstable = sides
            .into_iter()
            .filter(|(_, now, listed)| now.0 == 0 || listed.is_some_and(|listed| listed != *now));
        unstable.map(|(side, ..)| side).collect()
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

async fn read(run: &Run, info: &MailboxInfo) -> Result<(Box<dyn Reader>, KeySet), Fault> {
    let mut reader = run.source.open(info).await?;
    let keys = reader.keys().await?;
    run.pace.connected(Side::Source);
    Ok((reader, keys))
}

async fn write(run: &Run, info: &MailboxInfo) -> Result<(Box<dyn Writer>, KeySet), Fault> {
    let mut writer = run.destination.write(info).await?;
    let keys = writer.keys().await?;
    run.pace.connected(Side::Destination);
    // What is not listed would count as taken away by the owner.
    match contradiction(writer.state(), &keys, Side::Destination) {
        Some(fault) => Err(fault),
        None => Ok((writer, keys)),
    }
}
