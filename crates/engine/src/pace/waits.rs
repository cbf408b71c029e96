//! Waits, told to observers when they begin and end, and added up for the report.
//!
//! Lanes that wait for one reason wait together: one event, one entry, and time
//! that passes once.

use hikyaku_core::report::Wait;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Event, Fault, Observer, Side};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shorter waits are nobody's business.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// The waits of a run.
pub(crate) struct Waits {
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    reasons: Mutex<Vec<Reason>>,
}

struct Reason {
    code: Code,
    side: Option<Side>,
    times: u64,
    total: Duration,
    /// Lanes that wait for it now.
    waiting: usize,
    since: Duration,
    /// The end that observers were told.
    told: Duration,
}

/// A wait that lasts until it is dropped.
pub(crate) struct Waiting<'a> {
    waits: &'a Waits,
    place: Option<usize>,
}

impl Waits {
    pub(crate) fn new(clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        Self {
            clock,
            observer,
            reasons: Mutex::new(Vec::new()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Reason>> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A wait begins, up to a monotonic moment.
    pub(crate) fn begin(&self, until: Duration, because: &Fault) -> Waiting<'_> {
        let now = self.clock.monotonic();
        if until < now + WORTH_TELLING {
            return Waiting {
                waits: self,
                place: None,
            };
        }
        let mut reasons = self.lock();
        let side = because.at.side;
        let known = reasons
            .iter()
            .position(|r| r.code == because.code && r.side == side);
        let place = known.unwrap_or(reasons.len());
        if known.is_none() {
            reasons.push(Reason {
                code: because.code,
                side,
                times: 0,
                total: Duration::ZERO,
                waiting: 0,
                since: now,
                told: now,
            });
        }
        let reason = &mut reasons[place];
        reason.waiting += 1;
        let is_first = reason.waiting == 1;
        if is_first {
            reason.times += 1;
            reason.since = now;
        }
        // Lanes that join a wait do not announce it again, unless it became longer.
        if is_first || until >= reason.told + WORTH_TELLING {
            if !is_first {
                self.observer.note(&Event::Resumed);
            }
            reason.told = until;
            self.observer.note(&Event::Waiting {
                until_millis: self.clock.unix_millis() + millis(until - now) as i64,
                because: because.clone(),
            });
        }
        Waiting {
            waits: self,
            place: Some(place),
        }
    }

    /// What the report says of them.
    pub(crate) fn add_up(&self) -> Vec<Wait> {
        let reasons = self.lock();
        let sums = reasons.iter().map(|r| Wait {
            code: r.code,
            side: r.side,
            times: r.times,
            millis: millis(r.total),
        });
        sums.collect()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let now = self.waits.clock.monotonic();
        let mut reasons = self.waits.lock();
        let reason = &mut reasons[place];
        reason.waiting -= 1;
        if reason.waiting == 0 {
            reason.total += now.saturating_sub(reason.since);
            self.waits.observer.note(&Event::Resumed);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use hikyaku_core::{Reach, Remedy};

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Observer for Heard {
        fn note(&self, event: &Event) {
            let text = match event {
                Event::Waiting { because, .. } => because.code.as_str(),
                Event::Resumed => "resumed",
                _ => "other",
            };
            self.0.lock().expect("no panic").push(text.to_string());
        }
    }

    fn fault(code: Code) -> Fault {
        let retry = Remedy::Retry { after: None };
        Fault::new(code, Reach::Side, retry, "").on(Side::Source)
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_that_wait_for_one_reason_wait_together() {
        let heard = Arc::new(Heard::default());
        let waits = Waits::new(Arc::new(SystemClock::default()), heard.clone());
        let (busy, lost) = (fault(Code::ServerBusy), fault(Code::LinkLost));
        let seconds = |s| tokio::time::sleep(Duration::from_secs(s));
        let until = Duration::from_secs;
        let first = waits.begin(until(10), &busy);
        seconds(4).await;
        let second = waits.begin(until(10), &busy);
        let other = waits.begin(until(6), &lost);
        let short = waits.begin(until(4) + Duration::from_millis(900), &lost);
        seconds(2).await;
        drop((other, short));
        // The server asks for more.
        let longer = waits.begin(until(20), &busy);
        drop(first);
        seconds(14).await;
        drop((second, longer));
        let heard = heard.0.lock().expect("no panic").clone();
        let expected = [
            "server.busy",
            "link.lost",
            "resumed",
            "resumed",
            "server.busy",
            "resumed",
        ];
        assert_eq!(heard, expected);
        let sums: Vec<_> = waits
            .add_up()
            .iter()
            .map(|w| (w.code, w.times, w.millis))
            .collect();
        assert_eq!(
            sums,
            [(Code::ServerBusy, 1, 20_000), (Code::LinkLost, 1, 2_000)]
        );
    }
}
