//! Pacing: what all lanes of a run share about the patience of the two servers.
//!
//! ```text
//!  a fault of a side ─┬─ asks for a pause ─► Throttle: the side rests, fewer lanes ─┐
//!                     └─ cannot be reached ► Circuit: one tries, all others wait ───┤
//!  a retry ─────────────────────────────────► RetryBudget ─► over it: as above ─────┤
//!                                                                                   ▼
//!  every lane, before an attempt and between windows ◄── Seat::settle ◄── pauses, allowed lanes
//! ```
//!
//! Success is counted without locks, by batch; the locks here are taken at faults and
//! at boundaries only. Why it is so: `docs/adr/0007-pacing.md`.

mod backoff;
mod bandwidth;
mod budget;
mod circuit;
mod seats;
mod throttle;
mod waits;

pub(crate) use backoff::{Backoff, Dice};
pub(crate) use bandwidth::Bandwidth;
pub(crate) use seats::Seat;

use crate::stop::Stop;
use budget::RetryBudget;
use circuit::{Circuit, Go};
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Wait;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Event, Fault, Observer, Remedy, Side};
use seats::Seats;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use throttle::Throttle;
use tokio::sync::Notify;
use waits::Waits;

/// Pauses up to this long are waited out with the mailbox open; before longer ones the
/// connections are given back.
const IN_PLACE: Duration = Duration::from_secs(60);

/// The pacing of one run.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    no_wait: bool,
    reconnect: (Duration, Duration),
    sides: [Paced; 2],
    seats: Seats,
    waits: Waits,
    /// Lanes of the run when nobody objects, and how many of them were announced.
    lanes: Mutex<(usize, usize)>,
    /// A probe has ended.
    probed: Notify,
}

/// One side.
struct Paced {
    /// Batches appended, windows read.
    done: AtomicU64,
    /// Mailboxes opened: worth a retry, and no proof that anything gets done.
    opened: AtomicU64,
    state: Mutex<State>,
}

struct State {
    throttle: Throttle,
    circuit: Circuit,
    budget: RetryBudget,
    dice: Dice,
    /// `done` at the last fault.
    done_then: u64,
    /// Faults that were counted.
    generation: u64,
    /// The last one, as the reason of waits.
    because: Option<Fault>,
}

impl Paced {
    fn new(policy: &Policy, seed: u64) -> Self {
        let patience = &policy.patience;
        Self {
            done: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            state: Mutex::new(State {
                throttle: Throttle::new(patience.backoff, patience.throttle_max, patience.regrow),
                circuit: Circuit::new(patience.reconnects, &patience.circuit),
                budget: RetryBudget::new(patience.retry_share),
                dice: Dice::new(seed),
                done_then: 0,
                generation: 0,
                because: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to do after a fault of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again after [`Seat::settle`], and not before this wait.
    Again(Duration),
    /// The run ends for now.
    GiveUp,
}

fn index(side: Side) -> usize {
    match side {
        Side::Source => 0,
        Side::Destination => 1,
    }
}

/// Whether the server asks for a pause.
pub(crate) fn is_throttling(fault: &Fault) -> bool {
    fault.code.asks_for_a_pause() && fault.is_temporary()
}

impl Pace {
    pub(crate) fn new(
        policy: &Policy,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        seed: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            waits: Waits::new(clock.clone(), observer.clone()),
            clock,
            observer,
            no_wait: policy.no_wait,
            reconnect: (policy.patience.backoff, policy.patience.backoff_max),
            sides: [Paced::new(policy, seed), Paced::new(policy, !seed)],
            seats: Seats::default(),
            lanes: Mutex::new((1, 1)),
            probed: Notify::new(),
        })
    }

    fn side(&self, side: Side) -> &Paced {
        &self.sides[index(side)]
    }

    /// How many lanes the run has.
    pub(crate) fn set_lanes(&self, lanes: usize) {
        let lanes = lanes.max(1);
        *self.lanes.lock().unwrap_or_else(PoisonError::into_inner) = (lanes, lanes);
        for side in &self.sides {
            side.lock().throttle.set_most(lanes);
        }
    }

    /// Operations that succeeded: batches appended, windows read. Takes no lock.
    pub(crate) fn done(&self, side: Side, operations: u64) {
        self.side(side)
            .done
            .fetch_add(operations, Ordering::Relaxed);
    }

    /// A mailbox was opened on the side.
    pub(crate) fn connected(&self, side: Side) {
        let paced = self.side(side);
        paced.opened.fetch_add(1, Ordering::Relaxed);
        paced.lock().circuit.connected();
        self.probed.notify_waiters();
    }

    /// A boundary at which something was achieved on both sides: nobody has to hold
    /// back any more because of failures.
    pub(crate) fn progressed(&self) {
        for side in &self.sides {
            let mut state = side.lock();
            state.done_then = side.done.load(Ordering::Relaxed);
            state.circuit.progressed();
        }
        self.probed.notify_waiters();
    }

    /// How many faults each side had so far.
    fn generations(&self) -> [u64; 2] {
        [0, 1].map(|n| self.sides[n].lock().generation)
    }

    /// An attempt failed because of a side, for a reason that passes. The seat knows when
    /// the attempt began: a fault that others met in the meantime is the same one.
    pub(crate) fn failed(&self, fault: &Fault, seat: &Seat) -> Next {
        let Remedy::Retry { after } = fault.remedy else {
            return Next::GiveUp;
        };
        let side = fault.at.side.unwrap_or(Side::Destination);
        let now = self.clock.monotonic();
        let paced = self.side(side);
        let mut guard = paced.lock();
        let state = &mut *guard;
        state.because = Some(fault.clone());
        let done = paced.done.load(Ordering::Relaxed);
        let part = state.dice.part();
        let progressed = done != state.done_then;
        state.done_then = done;
        let next = if is_throttling(fault) {
            let until = state.throttle.throttled(now, after, progressed, part);
            match until {
                Some(_) if !self.no_wait => Next::Again(Duration::ZERO),
                _ => Next::GiveUp,
            }
        } else {
            if progressed {
                state.circuit.progressed();
            }
            // Lanes that lost their connections together failed once.
            let is_news = seat.generations[index(side)] == state.generation;
            let goes_on = !is_news || state.circuit.failed(now);
            let opened = state.circuit.pause(now).is_some();
            match goes_on && !(opened && self.no_wait) {
                true if opened => Next::Again(after.unwrap_or_default()),
                true => {
                    let (first, most) = self.reconnect;
                    let mut backoff = Backoff::new(first, most);
                    for _ in 1..state.circuit.failures() {
                        backoff.next(None, 0.0);
                    }
                    Next::Again(backoff.next(after, part))
                }
                false => Next::GiveUp,
            }
        };
        state.generation += 1;
        drop(guard);
        self.announce_lanes();
        self.probed.notify_waiters();
        next
    }

    /// Something is about to be repeated. Beyond the budget the side rests first, as if
    /// it could not be reached.
    pub(crate) fn retry(&self, fault: &Fault) -> Next {
        let side = fault.at.side.unwrap_or(Side::Destination);
        let paced = self.side(side);
        let done = paced.done.load(Ordering::Relaxed);
        let opened = paced.opened.load(Ordering::Relaxed);
        let mut guard = paced.lock();
        let state = &mut *guard;
        if state.budget.spend(done + opened) {
            return Next::Again(Duration::ZERO);
        }
        state.because = Some(fault.clone());
        if done != state.done_then {
            state.done_then = done;
            state.circuit.progressed();
        }
        match state.circuit.open(self.clock.monotonic()) && !self.no_wait {
            true => Next::Again(Duration::ZERO),
            false => Next::GiveUp,
        }
    }

    /// Whether a lane shall stop at this boundary and give its connections back: too
    /// many work, or a side wants a long pause.
    pub(crate) fn wants_back(&self) -> bool {
        let now = self.clock.monotonic();
        let long = self.sides.iter().any(|side| {
            let state = side.lock();
            let pauses = [state.throttle.pause(now), state.circuit.pause(now)];
            pauses
                .into_iter()
                .flatten()
                .any(|until| until > now + IN_PLACE)
        });
        long || self.seats.taken() > self.allowed()
    }

    /// Waits until neither side wants a pause, for one who is the probe on some sides. Says on
    /// which sides the caller is the probe from now on.
    ///
    /// # Faults
    /// A stop.
    async fn pauses(&self, mut mine: [bool; 2], stop: &Stop) -> Result<[bool; 2], Fault> {
        loop {
            if stop.is_requested() {
                self.abandon(mine);
                return Err(Stop::fault());
            }
            let entry = self.enter(mine);
            if !matches!(entry, Entry::Go(_)) {
                // Whoever waits leaves the probe to the others: they may be waiting for it.
                self.abandon(std::mem::take(&mut mine));
            }
            // Before looking again: what changes afterwards wakes this lane.
            let probed = self.probed.notified();
            match entry {
                Entry::Go(probes) => return Ok(probes),
                Entry::Until(until, because) => self.wait_until(until, &because, stop).await?,
                Entry::AfterProbe if !self.is_probed_by_another(mine) => {}
                Entry::AfterProbe => tokio::select! {
                    () = probed => {}
                    () = stop.requested() => return Err(Stop::fault()),
                },
            }
        }
    }

    fn is_probed_by_another(&self, mine: [bool; 2]) -> bool {
        let sides = self.sides.iter().zip(mine);
        let mut others = sides.filter(|(_, mine)| !mine);
        others.any(|(side, _)| side.lock().circuit.is_probed())
    }

    fn enter(&self, mine: [bool; 2]) -> Entry {
        let now = self.clock.monotonic();
        for side in &self.sides {
            let state = side.lock();
            let until = state.throttle.pause(now).max(state.circuit.pause(now));
            if let Some(until) = until {
                let because = state.because.clone();
                return Entry::Until(until, because.unwrap_or_else(pause_fault));
            }
        }
        // Before becoming the probe on one side: nobody waits for two things at once.
        if self.is_probed_by_another(mine) {
            return Entry::AfterProbe;
        }
        let mut probes = [false; 2];
        for (n, side) in self.sides.iter().enumerate() {
            match side.lock().circuit.enter(now) {
                Go::On => {}
                Go::Probe => probes[n] = true,
                Go::AfterProbe if mine[n] => probes[n] = true,
                Go::NotBefore(_) | Go::AfterProbe => {
                    self.abandon(probes);
                    return Entry::AfterProbe;
                }
            }
        }
        Entry::Go(probes)
    }

    /// The probes ended without telling anything about their sides: the next who comes
    /// makes them.
    fn abandon(&self, probes: [bool; 2]) {
        for (side, _) in self.sides.iter().zip(probes).filter(|(_, probe)| *probe) {
            side.lock().circuit.abandoned();
        }
        if probes != [false; 2] {
            self.probed.notify_waiters();
        }
    }

    /// A wait for a reason, told and counted.
    ///
    /// # Faults
    /// A stop.
    pub(crate) async fn wait(
        &self,
        duration: Duration,
        because: &Fault,
        stop: &Stop,
    ) -> Result<(), Fault> {
        let until = self.clock.monotonic() + duration;
        self.wait_until(until, because, stop).await
    }

    async fn wait_until(&self, until: Duration, because: &Fault, stop: &Stop) -> Result<(), Fault> {
        let waiting = self.waits.begin(until, because);
        let left = until.saturating_sub(self.clock.monotonic());
        let slept = tokio::select! {
            () = self.clock.sleep(left) => Ok(()),
            () = stop.requested() => Err(Stop::fault()),
        };
        drop(waiting);
        slept
    }

    /// How many lanes work now; at least one.
    pub(crate) fn at_work(&self) -> usize {
        self.seats.taken().max(1)
    }

    /// How many lanes may work now.
    fn allowed(&self) -> usize {
        self.announce_lanes();
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn announce_lanes(&self) {
        let now = self.clock.monotonic();
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut allowed = lanes.0;
        for side in &self.sides {
            allowed = allowed.min(side.lock().throttle.allowed(now));
        }
        if allowed != lanes.1 {
            lanes.1 = allowed;
            self.observer.note(&Event::Lanes {
                now: allowed,
                most: lanes.0,
            });
            self.seats.wake();
        }
    }

    /// Resolves when one more lane may be allowed.
    async fn growth(&self) {
        let at = self
            .sides
            .iter()
            .filter_map(|side| side.lock().throttle.grows_at())
            .min();
        match at {
            Some(at) => {
                let left = at.saturating_sub(self.clock.monotonic());
                self.clock.sleep(left.max(Duration::from_millis(1))).await;
            }
            None => std::future::pending().await,
        }
    }

    /// The waits of the run.
    pub(crate) fn waits(&self) -> Vec<Wait> {
        self.waits.add_up()
    }
}

enum Entry {
    /// The sides on which this is the probe.
    Go([bool; 2]),
    Until(Duration, Fault),
    AfterProbe,
}

fn pause_fault() -> Fault {
    Fault::new(
        Code::ServerBusy,
        hikyaku_core::Reach::Side,
        Remedy::Retry { after: None },
        "the server is given a rest",
    )
}
