//! A ceiling of octets per second that all lanes share.

use hikyaku_core::traits::Clock;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The ceiling, or none.
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
