//! The circuit breaker: a server that cannot be reached is left alone for a while, by
//! all lanes together, and then probed by one.

use std::time::Duration;

/// The state of one side. Moments are monotonic.
#[derive(Clone, Debug)]
pub(crate) struct Circuit {
    /// So many failures in a row open it.
    limit: u32,
    /// How long it stays open, the first time, the second …
    waits: Vec<Duration>,
    failures: u32,
    /// How many of `waits` are used.
    used: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// Nobody tries before the moment.
    Open(Duration),
    /// One is trying.
    Probing,
}

/// What somebody who wants to use the side has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    /// The circuit is closed.
    On,
    /// Go on, and see whether the server is back.
    Probe,
    /// Nothing before the moment.
    NotBefore(Duration),
    /// Somebody else is probing.
    AfterProbe,
}

impl Circuit {
    /// A limit of zero gives up at the first failure.
    pub(crate) fn new(limit: u32, waits: &[Duration]) -> Self {
        let waits = if limit == 0 { &[] } else { waits };
        Self {
            limit: limit.max(1),
            waits: waits.to_vec(),
            failures: 0,
            used: 0,
            state: State::Closed,
        }
    }

    /// A failure to reach the server. `false` when the waits are used up: then the run
    /// gives up for now.
    pub(crate) fn failed(&mut self, now: Duration) -> bool {
        self.failures += 1;
        self.failures < self.limit || self.open(now)
    }

    /// Opens it whatever the failures; `false` when the waits are used up.
    pub(crate) fn open(&mut self, now: Duration) -> bool {
        if let State::Open(until) = self.state
            && until > now
        {
            return true;
        }
        let Some(wait) = self.waits.get(self.used) else {
            return false;
        };
        self.used += 1;
        self.state = State::Open(now + *wait);
        true
    }

    /// A connection was made. That lets the others go on; but a server that only takes
    /// connections and does nothing on them fails its next probe at once.
    pub(crate) fn connected(&mut self) {
        if self.state == State::Probing {
            self.state = State::Closed;
            self.failures = self.limit - 1;
        }
    }

    /// Something was done on the server: all is well.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
        self.used = 0;
        self.state = State::Closed;
    }

    /// The probe ended without telling anything about the server.
    pub(crate) fn abandoned(&mut self) {
        if self.state == State::Probing {
            self.state = State::Open(Duration::ZERO);
        }
    }

    /// Failures since something was last done.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Asks to use the side; the first one after a wait becomes the probe.
    pub(crate) fn enter(&mut self, now: Duration) -> Go {
        match self.state {
            State::Closed => Go::On,
            State::Probing => Go::AfterProbe,
            State::Open(until) if until > now => Go::NotBefore(until),
            State::Open(_) => {
                self.state = State::Probing;
                Go::Probe
            }
        }
    }

    /// Whether somebody is trying.
    pub(crate) fn is_probed(&self) -> bool {
        self.state == State::Probing
    }

    /// The end of the wait, while there is one.
    pub(crate) fn pause(&self, now: Duration) -> Option<Duration> {
        match self.state {
            State::Open(until) => Some(until).filter(|until| *until > now),
            State::Closed | State::Probing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn circuit() -> Circuit {
        Circuit::new(3, &[at(60), at(300)])
    }

    #[test]
    fn it_opens_is_probed_by_one_and_gives_up_when_the_waits_are_used() {
        let mut c = circuit();
        assert!(c.failed(at(1)) && c.failed(at(2)));
        assert_eq!(c.enter(at(2)), Go::On);
        assert!(c.failed(at(3)));
        assert_eq!(c.enter(at(3)), Go::NotBefore(at(63)));
        assert_eq!(c.enter(at(63)), Go::Probe);
        assert_eq!(c.enter(at(63)), Go::AfterProbe, "one only");
        assert!(c.failed(at(64)));
        assert_eq!(c.enter(at(64)), Go::NotBefore(at(364)));
        assert_eq!(c.enter(at(364)), Go::Probe);
        assert!(!c.failed(at(365)), "the waits are used up");
    }

    #[test]
    fn without_any_patience_the_first_failure_is_the_last() {
        let mut c = Circuit::new(0, &[at(60)]);
        assert!(!c.failed(at(1)));
    }

    #[test]
    fn what_is_done_closes_it_and_gives_all_waits_back() {
        let mut c = circuit();
        for _ in 0..10 {
            assert!(c.failed(at(1)) && c.failed(at(1)) && c.failed(at(1)));
            assert_eq!(c.enter(at(61)), Go::Probe);
            c.progressed();
            assert_eq!((c.enter(at(61)), c.failures()), (Go::On, 0));
        }
    }

    #[test]
    fn connections_on_which_nothing_is_done_do_not_close_it_for_good() {
        let mut c = circuit();
        assert!(c.failed(at(1)) && c.failed(at(1)) && c.failed(at(1)));
        for used in [true, false] {
            assert_eq!(c.enter(at(10_000)), Go::Probe);
            c.connected();
            assert_eq!(c.enter(at(10_000)), Go::On, "all may go on");
            assert_eq!(c.failed(at(10_000)), used);
            c.state = State::Open(at(0));
        }
    }

    #[test]
    fn a_probe_that_tells_nothing_is_made_again_by_the_next() {
        let mut c = circuit();
        assert!(c.open(at(0)));
        assert_eq!(c.enter(at(60)), Go::Probe);
        c.abandoned();
        assert_eq!(c.enter(at(60)), Go::Probe);
    }
}
