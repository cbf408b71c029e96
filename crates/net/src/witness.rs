//! What a handshake refused, in parts that a program can show.

use crate::Fingerprint;
use hikyaku_core::Code;
use std::sync::{Arc, Mutex, PoisonError};

/// A certificate that was presented and refused. Nothing secret had been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Which one.
    pub fingerprint: Fingerprint,
    /// The names that it is for, cleaned and bounded; empty where it names none.
    pub names: Vec<String>,
    /// Why it was refused: `tls.name`, `tls.untrusted`, `tls.expired`, `tls.pin`.
    pub code: Code,
}

/// Remembers the certificate that was refused last, over all connections of an
/// [`Endpoint`](crate::Endpoint). Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Witness(Arc<Mutex<Option<Presented>>>);

impl Witness {
    /// The certificate that was refused last.
    pub fn refused(&self) -> Option<Presented> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn note(&self, presented: Presented) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(presented);
    }
}
