//! The wish to stop, seen by every lane and by the gate before each commit.

use hikyaku_core::traits::Gate;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use tokio_util::sync::CancellationToken;

/// A request to end cleanly: nothing new is sent, what is under way is settled or
/// left in doubt, and the run can be resumed. Clones share one wish.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Nobody wants to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end. Cannot be taken back.
    pub fn request(&self) {
        self.0.cancel();
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Resolves when somebody asks.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// A wish of its own that also follows this one.
    pub(crate) fn child(&self) -> Self {
        Self(self.0.child_token())
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
        !self.is_requested()
    }
}
