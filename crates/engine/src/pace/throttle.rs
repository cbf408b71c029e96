//! A server that asks for a pause: how long, with how many lanes afterwards, and when
//! to ask for more again.

use super::backoff::Backoff;
use std::time::Duration;

/// A server that asks for pauses all the time while nothing at all gets done is given
/// up for now after this long: the longest budget of any known provider is a day's.
const ENOUGH: Duration = Duration::from_secs(24 * 60 * 60);

/// The state of one side. Moments are monotonic.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    backoff: Backoff,
    regrow: Duration,
    most: usize,
    allowed: usize,
    /// End of the present or last pause.
    until: Duration,
    /// From here on the time without throttling counts.
    quiet_from: Duration,
    /// The first pause since something was last done.
    in_vain_since: Option<Duration>,
}

impl Throttle {
    pub(crate) fn new(first: Duration, longest: Duration, regrow: Duration) -> Self {
        Self {
            backoff: Backoff::new(first, longest),
            regrow,
            most: usize::MAX,
            allowed: usize::MAX,
            until: Duration::ZERO,
            quiet_from: Duration::ZERO,
            in_vain_since: None,
        }
    }

    /// How many lanes the run has when nobody objects.
    pub(crate) fn set_most(&mut self, lanes: usize) {
        self.most = lanes.max(1);
        self.allowed = self.allowed.min(self.most);
    }

    /// The server asked for a pause. `None` when it did so for too long. During a pause
    /// only a longer time that the server names changes anything: what was under
    /// way together fails together, and is one request.
    pub(crate) fn throttled(
        &mut self,
        now: Duration,
        asked: Option<Duration>,
        progressed: bool,
        part: f64,
    ) -> Option<Duration> {
        if now < self.until {
            self.until = self.until.max(now + asked.unwrap_or_default());
            self.quiet_from = self.until;
            return Some(self.until);
        }
        self.regrow(now);
        if progressed {
            self.in_vain_since = None;
        }
        if now.saturating_sub(*self.in_vain_since.get_or_insert(now)) > ENOUGH {
            return None;
        }
        self.allowed = (self.allowed / 2).max(1);
        self.until = now + self.backoff.next(asked, part);
        self.quiet_from = self.until;
        Some(self.until)
    }

    /// The end of the pause, while there is one.
    pub(crate) fn pause(&self, now: Duration) -> Option<Duration> {
        Some(self.until).filter(|until| *until > now)
    }

    /// How many lanes may work now.
    pub(crate) fn allowed(&mut self, now: Duration) -> usize {
        self.regrow(now);
        self.allowed
    }

    /// When one more may, if nothing happens until then.
    pub(crate) fn grows_at(&self) -> Option<Duration> {
        (self.allowed < self.most).then(|| self.quiet_from + self.regrow)
    }

    fn regrow(&mut self, now: Duration) {
        while self.allowed < self.most
            && let Some(at) = self.grows_at().filter(|at| *at <= now)
        {
            self.allowed += 1;
            self.quiet_from = at;
            self.backoff.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn throttle(lanes: usize) -> Throttle {
        let mut throttle = Throttle::new(at(1), at(900), at(60));
        throttle.set_most(lanes);
        throttle
    }

    #[test]
    fn lanes_are_halved_and_grow_again_one_by_one() {
        let mut t = throttle(8);
        assert_eq!(t.throttled(at(100), None, true, 1.0), Some(at(101)));
        assert_eq!(t.allowed(at(100)), 4);
        assert_eq!(t.throttled(at(110), None, true, 1.0), Some(at(112)));
        assert_eq!(t.throttled(at(120), None, true, 1.0), Some(at(124)));
        assert_eq!(t.throttled(at(130), None, true, 1.0), Some(at(138)));
        assert_eq!(t.allowed(at(138)), 1, "never below one");
        assert_eq!(t.allowed(at(197)), 1);
        assert_eq!(t.allowed(at(198)), 2);
        assert_eq!(t.grows_at(), Some(at(258)));
        assert_eq!(t.allowed(at(138 + 7 * 60)), 8);
        assert_eq!((t.allowed(at(100_000)), t.grows_at()), (8, None));
        // After such a quiet time the waits begin small again.
        assert_eq!(t.throttled(at(100_000), None, true, 1.0), Some(at(100_001)));
    }

    #[test]
    fn what_fails_together_is_one_request() {
        let mut t = throttle(4);
        t.throttled(at(10), Some(at(5)), true, 0.0);
        assert_eq!(t.throttled(at(11), None, true, 0.0), Some(at(15)));
        assert_eq!(t.allowed(at(12)), 2);
        assert_eq!(t.throttled(at(12), Some(at(60)), true, 0.0), Some(at(72)));
        assert_eq!((t.pause(at(71)), t.pause(at(72))), (Some(at(72)), None));
        assert_eq!(t.allowed(at(72)), 2);
    }

    #[test]
    fn pauses_in_vain_end_after_a_day() {
        let mut t = throttle(1);
        let mut now = at(0);
        let mut pauses = 0;
        while let Some(until) = t.throttled(now, None, false, 1.0) {
            now = until;
            pauses += 1;
            assert!(pauses < 1_000, "it ends");
        }
        assert!(now > at(86_400) && now < at(86_400 + 901), "{now:?}");
        let mut t = throttle(1);
        let mut now = at(0);
        for _ in 0..1_000 {
            now = t
                .throttled(now, None, true, 1.0)
                .expect("something is done");
        }
    }
}
