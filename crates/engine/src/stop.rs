//! The wish to stop, seen by every lane and by the gate before each commit.

use hikyaku_core::traits::{Clock, Gate};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A request to end cleanly: nothing new is sent, what is under way is settled or
/// left in doubt, and the run can be resumed. Clones share one wish.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    token: CancellationToken,
    lease: Option<Lease>,
}

impl Stop {
    /// Nobody wants to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a run that may go on only while a lease is held: the gate shuts
    /// with it by itself, even when nobody comes to ask for the end.
    pub fn with_lease(lease: Lease) -> Self {
        Self {
            token: CancellationToken::new(),
            lease: Some(lease),
        }
    }

    /// Asks for the end. Cannot be taken back.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Resolves when somebody asks.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// A wish of its own that also follows this one.
    pub(crate) fn child(&self) -> Self {
        Self {
            token: self.token.child_token(),
            lease: self.lease.clone(),
        }
    }

    pub(crate) fn fault() -> Fault {
        Fault::new(
            Code::Interrupted,
            Reach::Job,
            Remedy::Retry { after: None },
            "the run was asked to stop; run the same command again to continue",
        )
    }
}

impl Gate for Stop {
    fn is_open(&self) -> bool {
        !self.is_requested() && self.lease.as_ref().is_none_or(Lease::is_held)
    }
}

/// The time for which a run may commit. A process that was frozen finds it over when
/// it wakes up, before it has heard of anything. Clones share it.
#[derive(Clone)]
pub struct Lease {
    clock: Arc<dyn Clock>,
    /// Milliseconds of the clock's monotonic time.
    until: Arc<AtomicU64>,
}

impl Lease {
    /// Over at once; see [`Lease::hold_until`].
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            until: Arc::default(),
        }
    }

    /// It is held until this moment of the clock's monotonic time.
    pub fn hold_until(&self, moment: Duration) {
        let millis = u64::try_from(moment.as_millis()).unwrap_or(u64::MAX);
        self.until.store(millis, Ordering::SeqCst);
    }

    /// Whether it is held now.
    pub fn is_held(&self) -> bool {
        self.clock.monotonic().as_millis() < u128::from(self.until.load(Ordering::SeqCst))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.until).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{BoxFuture, FutureExt};
    use std::sync::Mutex;

    #[derive(Default)]
    struct Watch(Mutex<Duration>);

    impl Watch {
        fn set(&self, seconds: u64) {
            *self.0.lock().expect("a lock") = Duration::from_secs(seconds);
        }
    }

    impl Clock for Watch {
        fn unix_millis(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().expect("a lock")
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            async {}.boxed()
        }
    }

    #[test]
    fn the_gate_shuts_with_the_lease_and_with_the_wish() {
        let watch = Arc::new(Watch::default());
        let lease = Lease::new(watch.clone());
        let stop = Stop::with_lease(lease.clone());
        let child = stop.child();
        assert!(!stop.is_open() && !child.is_open(), "nothing is held yet");
        lease.hold_until(Duration::from_secs(15));
        watch.set(14);
        assert!(stop.is_open() && child.is_open());
        // Frozen beyond the lease: nobody has asked for anything.
        watch.set(15);
        assert!(!stop.is_open() && !child.is_open() && !stop.is_requested());
        lease.hold_until(Duration::from_secs(30));
        assert!(stop.is_open() && child.is_open());
        stop.request();
        assert!(!stop.is_open() && !child.is_open() && child.is_requested());
        assert!(Stop::new().is_open());
    }
}
