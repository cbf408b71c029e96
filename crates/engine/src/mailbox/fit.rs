//! Copying what fits: the newest messages, as long as there is room.

use super::Work;
use super::scene::Scene;
use crate::room;
use futures::StreamExt;
use hikyaku_core::report::{Exception, Outcome};
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{Code, Fault, Key, KeySet, Reach, Remedy, Side};

impl Work<'_> {
    /// Leaves in `todo` what fits. The rest is counted, and named by one exception for
    /// the whole mailbox.
    pub(super) async fn choose_what_fits(
        &mut self,
        todo: &mut KeySet,
        scene: &mut Scene,
    ) -> Result<(), Fault> {
        if !self.run.policy.fit || todo.is_empty() {
            return Ok(());
        }
        let run = self.run.clone();
        let free = match run.room.ask().await {
            Err(fault) if fault.code == Code::ServerConnections => {
                // The only connection that the server allows may be the one that is held here.
                scene.shut_destination();
                let free = run.room.ask().await;
                scene.renew_writer(&run).await?;
                free?
            }
            asked => asked?,
        };
        let Some(free) = free else {
            return Ok(());
        };
        let mut all = octets_of(scene.reader.as_mut(), todo).await?;
        all.sort_unstable_by_key(|(key, _)| std::cmp::Reverse(*key));
        let mut fitting = room::fitting(&all, free.room());
        fitting.sort_unstable();
        let fitting: KeySet = fitting.into_iter().collect();
        let left: Vec<u64> = all
            .iter()
            .filter(|(key, _)| !fitting.contains(*key))
            .map(|(_, octets)| *octets)
            .collect();
        let (messages, octets) = (left.len() as u64, left.iter().sum::<u64>());
        *todo = fitting;
        if messages > 0 {
            self.tally.add(Outcome::FailedTemporary, messages, octets);
            self.name_rest(messages, octets);
        }
        Ok(())
    }

    fn name_rest(&mut self, messages: u64, octets: u64) {
        let fault = Fault::new(
            Code::QuotaReserve,
            Reach::Mailbox,
            Remedy::AskUser,
            format!("{messages} messages with {octets} octets do not fit"),
        )
        .on(Side::Destination)
        .mailbox(&self.line.source.name);
        self.finished.exceptions.push(Exception {
            mailbox: self.line.source.name.clone(),
            key: None,
            octets: Some(octets),
            head: None,
            outcome: Some(Outcome::FailedTemporary),
            fault,
        });
    }
}

/// What each message takes; what is not listed is gone, and costs nothing.
async fn octets_of(reader: &mut dyn Reader, keys: &KeySet) -> Result<Vec<(Key, u64)>, Fault> {
    let facts = Facts {
        octets: true,
        ..Facts::default()
    };
    let mut flow = reader.list(keys, facts);
    let mut octets: Vec<(Key, u64)> = Vec::new();
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) => octets.push((listing.key, listing.octets.unwrap_or(0))),
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    drop(flow);
    let listed: KeySet = octets.iter().map(|(key, _)| *key).collect();
    // They are asked for all the same, so that each has an outcome.
    octets.extend(keys.minus(&listed).iter().map(|key| (key, 0)));
    Ok(octets)
}
