//! How many lanes work at once.

use super::Pace;
use crate::stop::Stop;
use hikyaku_core::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// The lanes that work now.
#[derive(Default)]
pub(super) struct Seats {
    taken: AtomicUsize,
    /// Somebody stood up, or one more is allowed.
    changed: Notify,
}

impl Seats {
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    fn take(&self, allowed: usize) -> bool {
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < allowed).then_some(taken + 1)
            })
            .is_ok()
    }

    /// Gives one back unless it is within what is allowed.
    fn give_back_if_over(&self, allowed: usize) -> bool {
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken > allowed).then_some(taken - 1)
            })
            .is_ok()
    }
}

/// The right of one lane to work. Dropping it lets another one in.
pub(crate) struct Seat {
    pace: Arc<Pace>,
    is_taken: bool,
    /// The sides on which this lane is the probe.
    probes: [bool; 2],
    /// How many faults each side had when this lane last began something.
    pub(super) generations: [u64; 2],
}

impl Seat {
    /// A lane that has not begun.
    pub(crate) fn new(pace: Arc<Pace>) -> Self {
        Self {
            generations: pace.generations(),
            pace,
            is_taken: false,
            probes: [false; 2],
        }
    }

    /// Waits until this lane may work: no side wants a pause, and no more lanes work than
    /// are allowed. The lanes that are too many stay here.
    ///
    /// # Faults
    /// A stop.
    pub(crate) async fn settle(&mut self, stop: &Stop) -> Result<(), Fault> {
        let pace = self.pace.clone();
        loop {
            self.end_probes();
            if stop.is_requested() {
                return Err(Stop::fault());
            }
            self.probes = pace.pauses([false; 2], stop).await?;
            let changed = pace.seats.changed.notified();
            let allowed = pace.allowed();
            if self.is_taken && pace.seats.give_back_if_over(allowed) {
                // Who stands up lets nobody in: fewer are allowed now.
                self.is_taken = false;
            }
            self.is_taken = self.is_taken || pace.seats.take(allowed);
            if self.is_taken {
                self.generations = pace.generations();
                return Ok(());
            }
            self.end_probes();
            tokio::select! {
                () = changed => {}
                () = pace.growth() => {}
                () = stop.requested() => {}
            }
        }
    }

    /// Waits, in the middle of a mailbox, until neither side wants a pause.
    ///
    /// # Faults
    /// A stop.
    pub(crate) async fn pause(&mut self, stop: &Stop) -> Result<(), Fault> {
        let mine = std::mem::take(&mut self.probes);
        self.probes = self.pace.pauses(mine, stop).await?;
        self.generations = self.pace.generations();
        Ok(())
    }

    fn end_probes(&mut self) {
        self.pace.abandon(std::mem::take(&mut self.probes));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end_probes();
        if self.is_taken {
            self.pace.seats.taken.fetch_sub(1, Ordering::AcqRel);
            self.pace.seats.changed.notify_waiters();
        }
    }
}

impl Seats {
    /// Lets those look again who stay outside.
    pub(super) fn wake(&self) {
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use hikyaku_core::policy::Policy;
    use hikyaku_core::{Code, Event, Observer, Reach, Remedy, Side};
    use std::time::Duration;
    use tokio::time::timeout;

    struct Deaf;

    impl Observer for Deaf {
        fn note(&self, _: &Event) {}
    }

    fn pace() -> Arc<Pace> {
        let clock = Arc::new(SystemClock::default());
        let pace = Pace::new(&Policy::default(), clock, Arc::new(Deaf), 7);
        pace.set_lanes(4);
        pace
    }

    /// A side fails until it is left alone for a while.
    fn open_circuit(pace: &Arc<Pace>, side: Side) {
        let retry = Remedy::Retry { after: None };
        let fault = Fault::new(Code::LinkLost, Reach::Side, retry, "scripted").on(side);
        for _ in 0..Policy::default().patience.reconnects {
            pace.failed(&fault, &Seat::new(pace.clone()));
        }
    }

    const LONG: Duration = Duration::from_secs(86_400);

    #[tokio::test(start_paused = true)]
    async fn the_probe_does_not_wait_for_itself() {
        let (pace, stop) = (pace(), Stop::new());
        let mut seat = Seat::new(pace.clone());
        timeout(LONG, seat.settle(&stop))
            .await
            .expect("closed")
            .expect("no stop");
        open_circuit(&pace, Side::Source);
        for boundary in 0..3 {
            let passed = timeout(LONG, seat.pause(&stop)).await;
            passed
                .unwrap_or_else(|_| panic!("boundary {boundary}"))
                .expect("no stop");
            assert_eq!(seat.probes, [true, false]);
        }
        pace.progressed();
        timeout(LONG, seat.pause(&stop))
            .await
            .expect("closed")
            .expect("no stop");
        assert_eq!(
            seat.probes, [false; 2],
            "there is nothing to find out any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_probe_leaves_his_own_to_others() {
        let (pace, stop) = (pace(), Stop::new());
        let (mut first, mut second) = (Seat::new(pace.clone()), Seat::new(pace.clone()));
        open_circuit(&pace, Side::Source);
        timeout(LONG, first.settle(&stop))
            .await
            .expect("the pause ends")
            .expect("no stop");
        assert_eq!(first.probes, [true, false]);
        open_circuit(&pace, Side::Destination);
        let works = |paused: Result<(), Fault>| {
            paused.expect("no stop");
            pace.progressed();
        };
        let both = async {
            tokio::join!(async { works(first.pause(&stop).await) }, async {
                works(second.settle(&stop).await)
            },)
        };
        timeout(LONG, both).await.expect("nobody waits for ever");
    }
}
