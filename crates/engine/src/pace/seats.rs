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
            self.probes = pace.pauses(stop).await?;
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
        let probes = self.pace.clone().pauses(stop).await?;
        self.probes = [0, 1].map(|n| self.probes[n] || probes[n]);
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
