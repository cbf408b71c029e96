//! Taking back own copies: proof first, then removal, so that a crash at any point loses
//! nothing that is not at the source.
//!
//! A copy goes only when all of this holds: the ledger says that hikyaku copied it, and
//! under which key of which generation of the mailbox; the mailbox is still of that
//! generation; the message there still has that content and the flags that were put on it
//! (or followed since); and the source still has the message. Everything else stays and
//! is counted. Message content under one key never changes (RFC 9051 §2.3.1.1), so size
//! and header prove it; where they do not agree it is read in full.
//!
//! Order of durability, which nothing may change:
//!
//! ```text
//!  proof → checkpoint dropped → record "being taken back" durable → mark, expunge → record "taken back" durable → told
//! ```
//!
//! Whoever finds a record that is *being taken back* looks at the destination: when the
//! key is gone, the copy was taken back; when it is there, the next undo goes on, and the
//! next copy takes the deletion mark off again (`mailbox/restore.rs`). A record that was
//! taken back says "not there, try again": an ordinary copy brings the message.
//!
//! What was copied a second time under 最初から is in `undo/replace.rs`.

pub(crate) mod aside;
mod open;
mod own;
mod proof;
pub(crate) mod remembered;
mod removal;
pub(crate) mod replace;
pub(crate) mod take;

use crate::job::{Job, Mode};
use crate::pace::Seat;
use crate::run::{Run, ends_everything};
use crate::stop::Stop;
use hikyaku_core::event::Phase;
use hikyaku_core::undo::{UndoPlan, UndoReport};
use hikyaku_core::{Code, Event, Fault, Reach, Remedy, Side};
use std::sync::Arc;
use take::{Scope, Take};

/// What would go.
pub(crate) async fn plan(job: &Job) -> Result<UndoPlan, Fault> {
    let run = Run::new(job, Mode::Copy);
    let supported = job.destination.abilities().reports_keys;
    let (report, fault) = work(&run, false).await?;
    match fault {
        Some(fault) => Err(fault),
        None => Ok(UndoPlan {
            lines: report.lines,
            supported,
        }),
    }
}

/// Takes back what can be.
pub(crate) async fn undo(job: &Job) -> Result<UndoReport, Fault> {
    let started = job.clock.monotonic();
    let run = Run::new(job, Mode::Copy);
    allowed(&run)?;
    job.observer.note(&Event::Phase(Phase::Undo));
    let (mut report, fault) = work(&run, true).await?;
    let elapsed = job.clock.monotonic().saturating_sub(started);
    report.elapsed_millis = elapsed.as_millis() as u64;
    report.stopped = fault;
    if report.stopped.is_none() && job.stop.is_requested() {
        report.stopped = Some(Stop::fault());
    }
    Ok(report)
}

/// Whether this run may remove anything at all.
///
/// # Errors
/// `undo.unsupported` where the destination cannot remove exactly what is named.
pub(crate) fn allowed(run: &Run) -> Result<(), Fault> {
    if !run.destination.abilities().reports_keys {
        return Err(Fault::new(
            Code::UndoUnsupported,
            Reach::Job,
            Remedy::AskUser,
            "the server has no UIDPLUS: EXPUNGE would take more than what is named",
        )
        .on(Side::Destination));
    }
    match run.undo {
        Some(_) => Ok(()),
        None => Err(Fault::bug(
            "nothing that can take back was given to the job",
        )),
    }
}

/// Goes through all pairings, one after the other; what came of it, and why it ended early.
async fn work(run: &Arc<Run>, acts: bool) -> Result<(UndoReport, Option<Fault>), Fault> {
    let sides = crate::job::list(run).await?;
    let mut report = UndoReport::default();
    let mut seat = Seat::new(run.pace.clone());
    for pairing in run.ledger.pairings().await? {
        let mut take = Take::new(run, &pairing, Scope::Everything, acts);
        take.source = sides.source.iter().find(|m| m.name == pairing.source);
        take.destination = sides
            .destination
            .iter()
            .find(|m| m.name == pairing.destination);
        let fault = take.persist(&mut seat).await;
        take.tell(&mut report.lines, &mut report.kept);
        match fault {
            Some(fault) if ends_everything(&fault) || fault.code == Code::Interrupted => {
                return Ok((report, Some(fault)));
            }
            // The other mailboxes may go all the same; the first reason is told.
            Some(fault) => {
                report.stopped.get_or_insert(fault);
            }
            None => {}
        }
    }
    let fault = report.stopped.take();
    Ok((report, fault))
}
