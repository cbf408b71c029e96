//! Where the script meets a session.

use super::Session;
use crate::faults::{Action, Moment, Point};
use crate::personality::Refusal;
use crate::wire::Stop;

impl Session {
    pub(super) fn cue(&self, point: Point, uid: Option<u32>) -> Vec<(u64, Action)> {
        let selected = self.selected.as_ref().map(|s| s.wire.as_slice());
        self.server.director.cue(Moment {
            point,
            connection: self.number,
            verb: &self.command.verb,
            mailbox: self.command.mailbox.as_deref().or(selected),
            uid,
        })
    }

    /// Lets the script act at a point of this command; the answer it wants.
    pub(super) async fn act(&mut self, point: Point) -> Result<Option<Refusal>, Stop> {
        let mut answer = None;
        for (_, action) in self.cue(point, None) {
            match action {
                Action::Answer(refusal) => answer = Some(refusal),
                Action::WrongTag => self.command.wrong_tag = true,
                Action::NoAnswer => self.command.no_answer = true,
                Action::StoreOnly(count) => self.command.store_only = Some(count),
                Action::LandLater(time) => self.command.land_later = Some(time),
                Action::Send(octets) => self.wire.put(octets),
                action => {
                    self.wire.flush().await?;
                    self.wire.perform(action).await?;
                }
            }
        }
        Ok(answer)
    }
}
