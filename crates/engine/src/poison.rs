//! Messages on which a connection dies every time.
//!
//! A lost connection says nothing about the message that was under way: links break.
//! Only when the same message was under way again and again, and at last alone, it
//! is given up by name, so that the others can go on.

use crate::batch::SMALL;
use hikyaku_core::{Code, Epoch, Fault, Key, KeySet, Reach, Remedy, Side};
use std::collections::BTreeMap;

/// More suspects than this are no suspects: then it is the link.
const MOST: usize = 10_000;

/// The suspects of one mailbox, over all attempts of a run.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// In this source epoch.
    epoch: Option<Epoch>,
    reading: BTreeMap<Key, u32>,
    sending: BTreeMap<Key, Sending>,
    given_up: KeySet,
    /// So many were given up since a message last went through.
    in_a_row: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sending {
    octets: u64,
    deaths: u32,
    /// Of these, with nothing else under way.
    alone: u32,
}

impl Suspects {
    /// The mailbox is open in this epoch: keys of another one mean nothing.
    pub(crate) fn begin(&mut self, epoch: Epoch) {
        if self.epoch != Some(epoch) {
            *self = Self {
                epoch: Some(epoch),
                ..Self::default()
            };
        }
    }

    /// The source died while this message was to come.
    pub(crate) fn died_reading(&mut self, key: Key) {
        if self.reading.len() < MOST {
            *self.reading.entry(key).or_default() += 1;
        }
    }

    /// The destination died while these were on their way, with their octets.
    pub(crate) fn died_sending(&mut self, under_way: &[(Key, u64)]) {
        for (key, octets) in under_way {
            if self.sending.len() >= MOST && !self.sending.contains_key(key) {
                return;
            }
            let sending = self.sending.entry(*key).or_default();
            sending.octets = *octets;
            sending.deaths += 1;
            sending.alone += u32::from(under_way.len() == 1);
        }
    }

    /// Those that travel alone from now on, after the others.
    pub(crate) fn alone(&self) -> KeySet {
        let reading = self.reading.iter().filter(|(_, deaths)| **deaths >= 2);
        let sending = self
            .sending
            .iter()
            .filter(|(_, s)| s.deaths >= 2 || s.alone >= 1);
        let mut keys: Vec<Key> = reading.map(|(k, _)| *k).collect();
        keys.extend(sending.map(|(k, _)| *k));
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().collect()
    }

    /// Those of `todo` that are given up in this run, and why: read in vain `tries` times,
    /// or sent in vain twice with nothing else under way (three times, when not always
    /// alone). At most `in_a_row` while nothing goes through: more of them say
    /// something about the server, not about messages.
    pub(crate) fn give_up(&mut self, todo: &KeySet, tries: u32, in_a_row: u32) -> Vec<GivenUp> {
        let reading = self.reading.iter();
        let reading = reading
            .filter(|(_, deaths)| **deaths >= tries.max(2))
            .map(|(key, deaths)| (*key, 0, unreadable(*deaths)));
        let sending = self.sending.iter();
        let sending = sending
            .filter(|(_, s)| s.alone >= 2 || (s.alone >= 1 && s.deaths >= 3))
            .map(|(key, s)| (*key, s.octets, refused(s)));
        let condemned: BTreeMap<Key, (u64, Fault)> = reading
            .chain(sending)
            .filter(|(key, ..)| todo.contains(*key))
            .map(|(key, octets, fault)| (key, (octets, fault.message(key))))
            .collect();
        let mut out = Vec::new();
        for (key, (octets, fault)) in condemned {
            let is_new = !self.given_up.contains(key);
            if is_new && self.in_a_row >= in_a_row.max(1) {
                continue;
            }
            if is_new {
                self.given_up.insert(key);
                self.in_a_row += 1;
            }
            out.push(GivenUp {
                key,
                octets,
                fault,
                is_new,
            });
        }
        out
    }

    /// A message went through.
    pub(crate) fn relax(&mut self) {
        self.in_a_row = 0;
    }
}

/// A message that is given up.
#[derive(Debug)]
pub(crate) struct GivenUp {
    pub(crate) key: Key,
    /// Zero where it was never read.
    pub(crate) octets: u64,
    pub(crate) fault: Fault,
    /// Not given up in an earlier attempt already.
    pub(crate) is_new: bool,
}

fn unreadable(deaths: u32) -> Fault {
    Fault::new(
        Code::MessageUnreadable,
        Reach::Message,
        Remedy::Retry { after: None },
        format!("the source's connection ended {deaths} times when this message was to come"),
    )
    .on(Side::Source)
}

fn refused(sending: &Sending) -> Fault {
    let (deaths, octets) = (sending.deaths, sending.octets);
    let code = match octets > SMALL {
        true => Code::MessageTooLarge,
        false => Code::MessageRefused,
    };
    Fault::new(
        code,
        Reach::Message,
        Remedy::Skip,
        format!(
            "the destination ended the connection {deaths} times while this message of {octets} octets was sent"
        ),
    )
    .on(Side::Destination)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_up(s: &mut Suspects) -> Vec<(u64, Code)> {
        let all = s.give_up(&KeySet::range(0..=100), 3, 5);
        all.iter().map(|g| (g.key.0, g.fault.code)).collect()
    }

    fn suspects() -> Suspects {
        let mut s = Suspects::default();
        s.begin(Epoch(1));
        s
    }

    #[test]
    fn one_death_in_company_makes_nobody_a_suspect() {
        let mut s = suspects();
        s.died_sending(&[(Key(1), 9), (Key(2), 9)]);
        s.died_reading(Key(3));
        assert!(s.alone().is_empty());
        assert_eq!(given_up(&mut s), []);
    }

    #[test]
    fn only_who_was_alone_at_last_is_given_up() {
        let mut s = suspects();
        s.died_sending(&[(Key(1), 9), (Key(2), 9)]);
        s.died_sending(&[(Key(2), 9), (Key(3), 9)]);
        assert_eq!(s.alone(), KeySet::range(2..=2));
        assert_eq!(given_up(&mut s), []);
        s.died_sending(&[(Key(2), 9)]);
        assert_eq!(given_up(&mut s), [(2, Code::MessageRefused)]);
    }

    #[test]
    fn a_large_message_alone_is_given_up_after_two_deaths() {
        let mut s = suspects();
        s.died_sending(&[(Key(7), SMALL + 1)]);
        assert_eq!(s.alone(), KeySet::range(7..=7));
        assert_eq!(given_up(&mut s), []);
        s.died_sending(&[(Key(7), SMALL + 1)]);
        assert_eq!(given_up(&mut s), [(7, Code::MessageTooLarge)]);
    }

    #[test]
    fn reading_is_given_up_after_all_tries() {
        let mut s = suspects();
        s.died_reading(Key(4));
        s.died_reading(Key(4));
        assert_eq!(s.alone(), KeySet::range(4..=4));
        assert_eq!(given_up(&mut s), []);
        s.died_reading(Key(4));
        assert_eq!(given_up(&mut s), [(4, Code::MessageUnreadable)]);
    }

    #[test]
    fn a_long_row_says_something_about_the_server() {
        let mut s = suspects();
        for key in 1..=7 {
            s.died_sending(&[(Key(key), 9)]);
            s.died_sending(&[(Key(key), 9)]);
        }
        assert_eq!(given_up(&mut s).len(), 5);
        assert_eq!(given_up(&mut s).len(), 5, "the same ones");
        s.relax();
        assert_eq!(given_up(&mut s).len(), 7);
    }

    #[test]
    fn another_epoch_clears_everybody() {
        let mut s = suspects();
        s.died_sending(&[(Key(7), 1)]);
        s.died_sending(&[(Key(7), 1)]);
        s.begin(Epoch(2));
        assert!(s.alone().is_empty());
        assert_eq!(given_up(&mut s), []);
    }
}
