//! What happened, line by line: equal seeds give equal lines.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hikyaku_core::{Code, Event, Observer};
use tokio::time::Instant;

use super::content::BODY_CANARY;

/// The password of both accounts: must never be seen anywhere.
pub(super) const CANARY: &str = "canary-7f3a-password";

/// A log that is always hashed and kept only where somebody wants to read it.
#[derive(Clone)]
pub(super) struct Log(Arc<Mutex<Inner>>);

struct Inner {
    start: Instant,
    hash: u64,
    kept: Option<String>,
    /// What a line must not have held, or an event that must not have been.
    offences: Vec<String>,
}

impl Log {
    pub(super) fn new(keep: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            start: Instant::now(),
            hash: 0xcbf2_9ce4_8422_2325,
            kept: keep.then(String::new),
            offences: Vec::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn line(&self, text: &str) {
        let mut inner = self.lock();
        let line = format!("{:>12} {text}\n", inner.start.elapsed().as_millis());
        for octet in line.bytes() {
            // FNV-1a: the same on every machine.
            inner.hash = (inner.hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
        }
        inspect(&mut inner, &line);
        if let Some(kept) = &mut inner.kept {
            kept.push_str(&line);
        }
    }

    /// Octets of a log that is not ours: only searched for what must not be in it.
    pub(super) fn overhear(&self, text: &str) {
        inspect(&mut self.lock(), text);
    }

    pub(super) fn hash(&self) -> u64 {
        self.lock().hash
    }

    pub(super) fn take_text(&self) -> Option<String> {
        self.lock().kept.take()
    }

    /// What must not have been, since the last call.
    pub(super) fn take_offences(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().offences)
    }
}

fn inspect(inner: &mut Inner, text: &str) {
    for secret in [CANARY, BODY_CANARY] {
        if text.contains(secret) {
            let line: String = text.chars().take(400).collect();
            inner
                .offences
                .push(format!("I10: {secret} is told: {line}"));
        }
    }
}

/// What one life tells; deaf after its death.
#[derive(Clone)]
pub(super) struct Witness {
    log: Log,
    waiting: Arc<AtomicI64>,
    is_deaf: Arc<AtomicBool>,
}

impl Witness {
    pub(super) fn new(log: Log) -> Self {
        Self {
            log,
            waiting: Arc::default(),
            is_deaf: Arc::default(),
        }
    }

    /// The process is dead: what its tasks still say while they are taken down was never said.
    pub(super) fn close_ears(&self) {
        self.is_deaf.store(true, Ordering::Relaxed);
    }

    /// Waits that were announced and did not end.
    pub(super) fn waits_open(&self) -> i64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Observer for Witness {
    fn note(&self, event: &Event) {
        if self.is_deaf.load(Ordering::Relaxed) {
            return;
        }
        match event {
            Event::Waiting { .. } => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
            Event::Resumed => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            Event::Fault(fault) if fault.code == Code::Bug => {
                let offence = format!("a defect shows itself: {fault:?}");
                self.log.lock().offences.push(offence);
            }
            Event::Planned(plan) => {
                for line in &plan.mailboxes {
                    self.log.line(&format!(
                        "plan {} → {} {:?}",
                        line.source.name, line.destination, line.step
                    ));
                }
                return;
            }
            _ => {}
        }
        self.log.line(&format!("{event:?}"));
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}
