//! Limits of rate, and waits between tries.

use hikyaku_core::policy::Patience;
use hikyaku_core::traits::Clock;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A ceiling of octets per second that all lanes share.
pub(crate) struct Bandwidth {
    rate: Option<u64>,
    clock: Arc<dyn Clock>,
    /// Moment up to which the ceiling is used up.
    used_until: Mutex<Duration>,
}

impl Bandwidth {
    pub(crate) fn new(rate: Option<u64>, clock: Arc<dyn Clock>) -> Self {
        Self {
            rate: rate.filter(|r| *r > 0),
            clock,
            used_until: Mutex::new(Duration::ZERO),
        }
    }

    /// Takes octets from the budget and waits until they are due.
    pub(crate) async fn take(&self, octets: u64) {
        let Some(rate) = self.rate else { return };
        let cost = Duration::from_secs_f64(octets as f64 / rate as f64);
        let now = self.clock.monotonic();
        let due = {
            let mut until = self
                .used_until
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let start = (*until).max(now);
            *until = start + cost;
            start
        };
        if due > now {
            self.clock.sleep(due - now).await;
        }
    }
}

/// Waits of rising length with full jitter, from a seed.
pub(crate) struct Backoff {
    next: Duration,
    most: Duration,
    random: u64,
}

impl Backoff {
    pub(crate) fn new(patience: &Patience, seed: u64) -> Self {
        Self {
            next: patience.backoff,
            most: patience.backoff_max,
            random: seed | 1,
        }
    }

    /// The next wait: at least what the server asked for, else between half and all
    /// of the current step.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        // xorshift64: jitter needs spread, not secrecy.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let part = (self.random % 1024) as f64 / 1024.0;
        let wait = self.next.mul_f64(0.5 + part / 2.0);
        self.next = (self.next * 2).min(self.most);
        wait.max(asked.unwrap_or_default())
    }
}
