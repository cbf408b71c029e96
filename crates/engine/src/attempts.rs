//! Trying again: what happens between two attempts on a mailbox.
//!
//! An attempt that breaks off (a lost connection, a throttled server) is simply made
//! again: all progress is in the ledger, and an attempt begins by asking it.

use crate::pace::{Backoff, Dice, Next, Seat, is_throttling};
use crate::run::Run;
use futures::future::BoxFuture;
use hikyaku_core::{Event, Fault, MailboxName, Reach, Remedy};
use std::sync::Arc;
use std::time::Duration;

/// How an attempt ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything is done.
    Done,
    /// The lane was asked to give its connections back; the rest is for the next attempt.
    Yielded,
}

/// Work that can be attempted again.
pub(crate) trait Attempt: Send {
    /// Does it, as far as it goes.
    fn attempt<'a>(&'a mut self, seat: &'a mut Seat) -> BoxFuture<'a, Result<End, Fault>>;

    /// A number that grows with what was achieved.
    fn progress(&self) -> u64;

    /// It is about to be attempted once more after a fault.
    fn again(&mut self);
}

/// Attempts the work until it is done. Returns why it is not, if it is not.
pub(crate) async fn persist(
    run: &Arc<Run>,
    seat: &mut Seat,
    mailbox: Option<&MailboxName>,
    work: &mut dyn Attempt,
) -> Option<Fault> {
    let patience = &run.policy.patience;
    let mut tries_left = patience.message_tries;
    let mut backoff = Backoff::new(patience.backoff, patience.backoff_max);
    let mut dice = Dice::new(run.seed);
    let mut failures = 0;
    loop {
        if seat.settle(&run.stop).await.is_err() {
            return Some(run.reason());
        }
        let before = work.progress();
        let fault = match work.attempt(seat).await {
            Ok(End::Done) => {
                run.pace.progressed();
                return None;
            }
            Ok(End::Yielded) => continue,
            Err(fault) => match mailbox {
                Some(mailbox) => fault.mailbox(mailbox),
                None => fault,
            },
        };
        run.observer.note(&Event::Fault(fault.clone()));
        run.note_loss(&fault);
        if run.stop.is_requested() {
            return Some(run.reason());
        }
        if work.progress() > before {
            tries_left = patience.message_tries;
            backoff.reset();
        }
        let Remedy::Retry { after } = fault.remedy else {
            return Some(fault);
        };
        let wait: Option<Duration> = match fault.reach {
            Reach::Job => None,
            Reach::Side => {
                failures += 1;
                // Before anything has begun nobody waits for minutes.
                let is_vain = mailbox.is_none() && failures >= patience.reconnects;
                match run.pace.failed(&fault, seat) {
                    Next::Again(wait) if is_throttling(&fault) || !is_vain => Some(wait),
                    Next::Again(_) | Next::GiveUp => None,
                }
            }
            Reach::Message | Reach::Mailbox => {
                tries_left = tries_left.saturating_sub(1);
                (tries_left > 0).then(|| backoff.next(after, dice.part()))
            }
        };
        let Some(wait) = wait else {
            return Some(fault);
        };
        work.again();
        // A server that asks for pauses gets them; repeating is what it wants.
        if !is_throttling(&fault) && run.pace.retry(&fault) == Next::GiveUp {
            return Some(fault);
        }
        if run.wait(wait, &fault).await.is_err() {
            return Some(run.reason());
        }
    }
}
