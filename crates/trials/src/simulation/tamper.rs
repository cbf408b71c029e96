//! Things that a judge has to find: done to the accounts behind the product's back.

use bytes::Bytes;
use hikyaku_memserver::{MessageShot, NewMessage};

use super::random::Random;
use super::world::World;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// A copy is lost.
    Drop,
    /// A copy is doubled.
    Double,
    /// One octet of a copy is another.
    Alter,
    /// A flag of a copy is set.
    Flag,
    /// A copy is a day younger.
    Date,
    /// A flag at the source is set.
    Source,
}

impl Tamper {
    /// All of them.
    pub const ALL: [Tamper; 6] = [
        Tamper::Drop,
        Tamper::Double,
        Tamper::Alter,
        Tamper::Flag,
        Tamper::Date,
        Tamper::Source,
    ];

    /// Does it to a copy that nobody else has touched; tells whether there was one.
    pub(super) fn apply(self, world: &World, random: &mut Random) -> bool {
        if self == Tamper::Source {
            let account = &world.source.account;
            let uids = account.uids("INBOX");
            return uids
                .first()
                .is_some_and(|uid| account.set_flags("INBOX", *uid, &["\\Flagged", "tampered"]));
        }
        let account = &world.destination.account;
        let Some((name, message)) = untouched(world, random) else {
            return false;
        };
        let octets = message.body.bytes();
        let again = |octets: Bytes, date, flags: &[&str]| {
            account.add_message(name, NewMessage::new(octets).flags(flags).date(date));
        };
        let flags: Vec<&str> = message
            .flags
            .union(&message.keywords)
            .map(String::as_str)
            .collect();
        match self {
            Tamper::Drop => {
                account.expunge(name, &[message.uid]);
            }
            Tamper::Double => again(octets, message.date, &flags),
            Tamper::Alter => {
                let mut altered = octets.to_vec();
                let last = altered.len() - 3;
                altered[last] ^= 1;
                account.expunge(name, &[message.uid]);
                again(altered.into(), message.date, &flags);
            }
            Tamper::Flag => {
                let more = [flags.as_slice(), &["tampered"]].concat();
                account.set_flags(name, message.uid, &more);
            }
            Tamper::Date => {
                let mut date = message.date;
                date.seconds += 86_400;
                account.expunge(name, &[message.uid]);
                again(octets, date, &flags);
            }
            Tamper::Source => {}
        }
        true
    }
}

/// A copy whose class nobody but the product has touched, alone in it, with a date that every server keeps.
fn untouched(world: &World, random: &mut Random) -> Option<(&'static str, MessageShot)> {
    if !world.has_stable_epochs() {
        return None;
    }
    let shot = world.destination.account.snapshot();
    let (source, there) = (world.source_classes().0, world.destination_classes());
    let truth = &world.truth;
    let mut found = Vec::new();
    for name in &world.names {
        let wire = world.destination.account.wire(*name);
        for message in shot.mailboxes.get(&wire).iter().flat_map(|m| &m.messages) {
            let class = ((*name).to_owned(), message.body.bytes());
            let touched = [
                &truth.before,
                &truth.put,
                &truth.expunged,
                &truth.removed,
                &truth.removed_meanwhile,
            ]
            .iter()
            .any(|counts| counts.contains_key(&class));
            // Later dates are those that servers put in place of odd ones.
            let is_safe = (1_000_000_000..1_700_000_100).contains(&message.date.seconds);
            let is_alone = source.get(&class) == Some(&1) && there.get(&class) == Some(&1);
            if is_alone
                && !touched
                && is_safe
                && !truth.reflagged.contains(&class)
                && !truth.reflagged_at_source.contains(&class)
                && class.1.len() > 20
            {
                found.push((*name, message.clone()));
            }
        }
    }
    (!found.is_empty()).then(|| random.pick(&found).clone())
}
