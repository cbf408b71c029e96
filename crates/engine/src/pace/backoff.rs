//! Waits of rising length with full jitter.

use std::time::Duration;

/// Numbers without pattern, from a seed: jitter needs spread, not secrecy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds shall not give neighbouring numbers (splitmix64).
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self((mixed ^ (mixed >> 27)) | 1)
    }

    /// At least zero and below one (xorshift64).
    pub(crate) fn part(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % 1024) as f64 / 1024.0
    }
}

/// Steps that double from `first` to `most`; a wait is anything between `first` and
/// the step ("full jitter": many clients that failed together do not come back
/// together).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    step: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        let most = most.max(first);
        Self {
            first,
            most,
            step: first,
        }
    }

    /// The next wait: at least what the server asked for. `part` is from zero to one.
    pub(crate) fn next(&mut self, asked: Option<Duration>, part: f64) -> Duration {
        let wait = self.first + (self.step - self.first).mul_f64(part.clamp(0.0, 1.0));
        self.step = (self.step * 2).min(self.most);
        wait.max(asked.unwrap_or_default())
    }

    /// Back to the first step.
    pub(crate) fn reset(&mut self) {
        self.step = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn steps_double_up_to_the_longest_and_start_again() {
        let mut backoff = Backoff::new(SECOND, 10 * SECOND);
        let longest: Vec<u64> = (0..6).map(|_| backoff.next(None, 1.0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 10, 10]);
        backoff.reset();
        assert_eq!(backoff.next(None, 1.0), SECOND);
    }

    #[test]
    fn every_wait_lies_between_the_first_and_the_step() {
        for seed in 0..50 {
            let mut dice = Dice::new(seed);
            let mut backoff = Backoff::new(SECOND, 900 * SECOND);
            let mut step = SECOND;
            for _ in 0..20 {
                let wait = backoff.next(None, dice.part());
                assert!(wait >= SECOND && wait <= step, "{wait:?} of {step:?}");
                step = (step * 2).min(900 * SECOND);
            }
        }
    }

    #[test]
    fn a_server_that_names_a_time_gets_it() {
        let mut backoff = Backoff::new(SECOND, 10 * SECOND);
        assert_eq!(backoff.next(Some(70 * SECOND), 0.5), 70 * SECOND);
        assert!(backoff.next(Some(SECOND / 2), 0.5) >= SECOND);
    }
}
