//! Connections that were lost, and the messages that were under way at the time.

use super::Work;
use super::scene::Scene;
use crate::doubt;
use crate::pace::is_throttling;
use crate::poison::GivenUp;
use crate::transfer::Passed;
use hikyaku_core::ledger::Settled;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Fault, KeySet, Reach, Side};

impl Work<'_> {
    /// Remembers what was under way when a pass broke off. Passes that broke off
    /// because of something else suspect nobody.
    pub(super) fn suspect(&mut self, passed: &Passed, fault: &Fault) {
        if fault.reach != Reach::Side || !fault.is_temporary() || is_throttling(fault) {
            return;
        }
        match fault.at.side {
            Some(Side::Source) => {
                if let Some(key) = passed.expected {
                    self.suspects.died_reading(key);
                }
            }
            Some(Side::Destination) => self.suspects.died_sending(&passed.under_way),
            None => {}
        }
    }

    /// Gives up, by name, the messages on which connections die. Whether they were stored
    /// is known by now: doubts are resolved first. A row of them without a single
    /// message that goes through says more about the server: then nobody is given up.
    pub(super) async fn give_up_poison(
        &mut self,
        scene: &mut Scene,
        todo: &mut KeySet,
    ) -> Result<(), Fault> {
        let (tries, in_a_row) = {
            let patience = &self.run.policy.patience;
            (patience.message_tries, patience.reconnects)
        };
        let mut records = Vec::new();
        for given_up in self.suspects.give_up(todo, tries, in_a_row) {
            let GivenUp {
                key,
                octets,
                fault,
                is_new,
            } = given_up;
            todo.remove(key);
            let outcome = match fault.is_temporary() {
                true => Outcome::FailedTemporary,
                false => Outcome::FailedPermanent,
            };
            match is_new {
                true => records.push(Settled {
                    outcome,
                    octets,
                    code: Some(fault.code),
                    ..doubt::vanished(scene.epoch, key)
                }),
                false => self.tally.add(outcome, 1, octets),
            }
            self.name(key, Some(octets).filter(|o| *o > 0), Some(outcome), fault);
        }
        if !records.is_empty() {
            self.record(scene.pairing.id, records).await?;
            self.run.pace.progressed();
        }
        Ok(())
    }
}
