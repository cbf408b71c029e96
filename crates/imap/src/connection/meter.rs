//! How much a server may say before it has answered something, and how slowly.
//!
//! Octets that stay in memory are bounded by the framer (one response) and here (all
//! responses to one command); rows of FETCH go to a consumer, who bounds what it keeps.
//! Time is bounded by silence ([`super::Shared::silence`]) and, against a server that
//! says just enough to seem alive, by [`Meter::is_too_slow`].

use crate::response::Response;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::time::Duration;

/// Untagged responses to one command, on top of four for each message of the open
/// mailbox: a hundred thousand mailboxes with their states are two hundred thousand.
const RESPONSES: u64 = 250_000;

/// Messages of the open mailbox that count for the above, whatever EXISTS says.
const MESSAGES: u64 = 10_000_000;

/// Memory that the responses to one command may take, in octets, as weighed by
/// [`weight`]. A hundred thousand mailboxes with their states weigh about 90 million.
const WEIGHT: u64 = 96 << 20;

/// Silences in a row that are allowed while the server says something now and then.
const SILENCES: u32 = 5;

/// Octets that make up for [`SILENCES`]: fourteen a second, where an answer is due
/// within a minute, are slower than any link that carries mail.
const LIVELY: u64 = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Meter {
    responses: u64,
    weight: u64,
    /// Time spent waiting for octets, and how many came in that time.
    waited: Duration,
    octets: u64,
}

impl Meter {
    /// A command came to its end.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// A response came that is not the end of a command.
    ///
    /// # Errors
    /// It is one too many for a mailbox of so many messages.
    pub(super) fn response(&mut self, exists: u64) -> Result<(), Fault> {
        self.responses += 1;
        let most = RESPONSES + 4 * exists.min(MESSAGES);
        if self.responses > most {
            return Err(excess(format!("more than {most} responses to one command")));
        }
        Ok(())
    }

    /// A response came that is kept, or that shares a buffer with one that is.
    ///
    /// # Errors
    /// Together they are too many to be held.
    pub(super) fn keep(&mut self, octets: &[u8]) -> Result<(), Fault> {
        self.weight += weight(octets);
        if self.weight > WEIGHT {
            return Err(excess(format!(
                "the responses to one command take more than {WEIGHT} octets"
            )));
        }
        Ok(())
    }

    /// So many octets came after waiting so long.
    pub(super) fn came(&mut self, octets: usize, after: Duration) {
        self.octets += octets as u64;
        self.waited += after;
        if self.octets >= LIVELY {
            self.rest();
        }
    }

    /// Nothing was due.
    pub(super) fn rest(&mut self) {
        (self.waited, self.octets) = (Duration::ZERO, 0);
    }

    /// Whether next to nothing came for many times the patience.
    pub(super) fn is_too_slow(&self, patience: Duration) -> bool {
        self.waited >= patience * SILENCES
    }

    /// For the fault that follows.
    pub(super) fn slowness(&self) -> String {
        format!(
            "{} octets in {} seconds, and no answer",
            self.octets,
            self.waited.as_secs()
        )
    }
}

/// Memory that a response takes, in octets and roughly: words become strings.
fn weight(octets: &[u8]) -> u64 {
    let words = memchr::memchr_iter(b' ', octets).count();
    (octets.len() + 32 * words + size_of::<Response>()) as u64
}

/// The fault of a server that sends more than any server should.
pub(crate) fn excess(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ServerExcess,
        Reach::Side,
        Remedy::Retry { after: None },
        detail,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_mailboxes_with_their_states_fit() {
        let mut meter = Meter::default();
        let list = br#"* LIST (\HasNoChildren \Subscribed) "/" "clients/&U9dP4TDIMOwwpA-/2024-08""#;
        let status = br#"* STATUS "clients/&U9dP4TDIMOwwpA-/2024-08" (MESSAGES 123456 UIDNEXT 1234567 UIDVALIDITY 1234567890)"#;
        for _ in 0..100_000 {
            for line in [&list[..], &status[..]] {
                meter.response(0).expect("not too many");
                meter.keep(line).expect("not too heavy");
            }
        }
        let mut meter = Meter::default();
        let heavy = vec![b'x'; 1 << 20];
        let kept = (0..200).take_while(|_| meter.keep(&heavy).is_ok()).count();
        assert_eq!(kept, 95);
    }

    #[test]
    fn a_mailbox_of_millions_may_answer_by_millions_but_not_without_end() {
        let most = |exists| {
            let mut meter = Meter::default();
            let mut count = 0u64;
            while meter.response(exists).is_ok() {
                count += 1;
            }
            count
        };
        assert_eq!(most(3), RESPONSES + 12);
        assert_eq!(most(1_000_000), RESPONSES + 4_000_000);
        assert_eq!(most(u64::MAX), RESPONSES + 4 * MESSAGES);
    }

    #[test]
    fn a_drip_is_no_sign_of_life() {
        let minute = Duration::from_secs(60);
        let mut meter = Meter::default();
        for _ in 0..5 {
            assert!(!meter.is_too_slow(minute));
            meter.came(1, minute);
        }
        assert!(meter.is_too_slow(minute));
        meter.came(LIVELY as usize, minute);
        assert!(!meter.is_too_slow(minute), "enough came at last");
    }
}
