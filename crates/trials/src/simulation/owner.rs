//! What the owners of the two accounts do with their mail, and what becomes true by it.

use hikyaku_memserver::{MailboxShot, MessageShot, Snapshot};

use super::check;
use super::random::Random;
use super::truth::{count, stored};
use super::world::{ELSEWHERE, World, with_facts};

/// One thing that an owner does, or that happens to an account beside the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// New mail at the source.
    Arrival,
    /// A message is expunged at the source.
    SourceExpunge,
    /// The flags of a message at the source change.
    SourceFlags,
    /// A mailbox of the source gets another UIDVALIDITY.
    SourceEpoch,
    /// A message is read or marked at the destination.
    DestinationFlags,
    /// A message is deleted there.
    DestinationDelete,
    /// A message is moved there.
    DestinationMove,
    /// New mail there.
    DestinationArrival,
    /// A mailbox there gets another UIDVALIDITY.
    DestinationEpoch,
    /// The wall clock jumps by so many seconds.
    ClockJump(i64),
}

const COMMON: [Act; 10] = [
    Act::Arrival,
    Act::Arrival,
    Act::SourceExpunge,
    Act::SourceFlags,
    Act::SourceFlags,
    Act::DestinationFlags,
    Act::DestinationDelete,
    Act::DestinationDelete,
    Act::DestinationMove,
    Act::DestinationArrival,
];

impl Act {
    pub(super) fn between(random: &mut Random) -> Self {
        match random.below(8) {
            0 => Act::SourceEpoch,
            1 => Act::DestinationEpoch,
            2 => jump(random),
            _ => *random.pick(&COMMON),
        }
    }

    pub(super) fn meanwhile(random: &mut Random) -> Self {
        match random.below(20) {
            0 => Act::SourceEpoch,
            1 => Act::DestinationEpoch,
            2 => jump(random),
            _ => *random.pick(&COMMON),
        }
    }

    /// One word for tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Act::Arrival => "new mail at the source",
            Act::SourceExpunge => "expunged at the source",
            Act::SourceFlags => "flags changed at the source",
            Act::SourceEpoch => "UIDVALIDITY of the source",
            Act::DestinationFlags => "read at the destination",
            Act::DestinationDelete => "deleted at the destination",
            Act::DestinationMove => "moved at the destination",
            Act::DestinationArrival => "new mail at the destination",
            Act::DestinationEpoch => "UIDVALIDITY of the destination",
            Act::ClockJump(_) => "clock jump",
        }
    }
}

fn jump(random: &mut Random) -> Act {
    let seconds = i64::try_from(random.spread(60, 10_000_000)).unwrap_or(60);
    Act::ClockJump(if random.chance(50) { seconds } else { -seconds })
}

impl World {
    /// Does it, where there is something to do it to. Tells whether there was, or that the source was not as its
    /// owner left it.
    pub(super) fn act(&mut self, act: Act) -> Result<bool, String> {
        let is_at_source = matches!(
            act,
            Act::Arrival | Act::SourceExpunge | Act::SourceFlags | Act::SourceEpoch
        );
        if is_at_source {
            check::source_untouched(self)?;
        }
        let mut random = self.random.fork();
        let done = self.try_act(act, &mut random).is_some();
        if is_at_source {
            self.source_shot = self.source.account.snapshot();
        }
        self.log.line(&format!(
            "{act:?}: {}",
            if done { "done" } else { "nothing to do it to" }
        ));
        Ok(done)
    }

    fn try_act(&mut self, act: Act, random: &mut Random) -> Option<()> {
        match act {
            Act::Arrival => {
                let name = *random.pick(&self.names);
                let octets = self.contents.any();
                let message = with_facts(octets.clone(), random);
                let uid = self.source.account.add_message(name, message);
                match stored(&self.destination.personality, &octets) {
                    Some(stored) => {
                        count(&mut self.truth.arrived, (name.to_owned(), stored));
                        self.truth.is_settled = false;
                    }
                    None => {
                        let class = (name.to_owned(), uid);
                        self.truth.arrived_refused.insert(class);
                    }
                }
                Some(())
            }
            Act::SourceExpunge => {
                let (name, message) = self.one_of_the_source(random)?;
                self.source.account.expunge(name, &[message.uid]);
                if let Some(stored) = stored(&self.destination.personality, &message.body.bytes()) {
                    count(&mut self.truth.expunged, (name.to_owned(), stored));
                }
                Some(())
            }
            Act::SourceFlags => {
                let (name, message) = self.one_of_the_source(random)?;
                let flags = *random.pick(&[
                    &["\\Seen"][..],
                    &["\\Seen", "\\Flagged"],
                    &["$label1"],
                    &["\\Answered", "\\Seen", "work"],
                ]);
                self.source.account.set_flags(name, message.uid, flags);
                if let Some(stored) = stored(&self.destination.personality, &message.body.bytes()) {
                    self.truth
                        .reflagged_at_source
                        .insert((name.to_owned(), stored));
                }
                Some(())
            }
            Act::SourceEpoch => {
                let name = *random.pick(&self.names);
                let epoch = 1_750_000_000 + u32::try_from(random.below(1 << 24)).unwrap_or(0);
                self.source.account.set_uidvalidity(name, epoch);
                Some(())
            }
            Act::DestinationFlags => {
                let (name, message) = self.one_of_the_destination(random)?;
                self.destination.account.set_flags(
                    name,
                    message.uid,
                    &["\\Seen", "\\Flagged", "mine"],
                );
                self.truth
                    .reflagged
                    .insert((name.to_owned(), message.body.bytes()));
                Some(())
            }
            Act::DestinationDelete => {
                let (name, message) = self.one_of_the_destination(random)?;
                self.destination.account.expunge(name, &[message.uid]);
                self.truth.remove((name.to_owned(), message.body.bytes()));
                Some(())
            }
            Act::DestinationMove => {
                let (name, message) = self.one_of_the_destination(random)?;
                self.destination
                    .account
                    .move_message(name, message.uid, ELSEWHERE)?;
                let octets = message.body.bytes();
                self.truth.remove((name.to_owned(), octets.clone()));
                count(&mut self.truth.put, (ELSEWHERE.to_owned(), octets));
                Some(())
            }
            Act::DestinationArrival => {
                let name = *random.pick(&self.names);
                let wire = self.destination.account.wire(name);
                if !self.destination.account.mailboxes().contains(&wire) {
                    return None;
                }
                let octets = self.contents.stranger();
                self.destination.account.add_message(name, octets.clone());
                count(&mut self.truth.put, (name.to_owned(), octets));
                Some(())
            }
            Act::DestinationEpoch => {
                let name = *random.pick(&self.names);
                let epoch = 1_750_000_000 + u32::try_from(random.below(1 << 24)).unwrap_or(0);
                self.truth.forget_unseen(name);
                let there = self.destination.account.set_uidvalidity(name, epoch);
                there.then_some(())
            }
            Act::ClockJump(seconds) => {
                self.clock.jump(seconds * 1000);
                Some(())
            }
        }
    }

    fn one_of_the_source(&self, random: &mut Random) -> Option<(&'static str, MessageShot)> {
        let account = &self.source.account;
        one(&account.snapshot(), &self.names, random, |name| {
            account.wire(name)
        })
    }

    fn one_of_the_destination(&self, random: &mut Random) -> Option<(&'static str, MessageShot)> {
        let account = &self.destination.account;
        one(&account.snapshot(), &self.names, random, |name| {
            account.wire(name)
        })
    }
}

/// Any message of the named mailboxes.
fn one(
    shot: &Snapshot,
    names: &[&'static str],
    random: &mut Random,
    wire: impl Fn(&'static str) -> Vec<u8>,
) -> Option<(&'static str, MessageShot)> {
    let filled: Vec<(&'static str, &MailboxShot)> = names
        .iter()
        .filter_map(|name| Some((*name, shot.mailboxes.get(&wire(name))?)))
        .filter(|(_, mailbox)| !mailbox.messages.is_empty())
        .collect();
    if filled.is_empty() {
        return None;
    }
    let (name, mailbox) = random.pick(&filled);
    Some((name, random.pick(&mailbox.messages).clone()))
}
