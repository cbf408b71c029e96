//! One pair of accounts, one policy: the engine's entry.

use crate::attempts::{Attempt, End, persist};
use crate::pace::Seat;
use crate::run::Run;
use crate::stop::Stop;
use crate::{elsewhere, lanes, space};
use futures::future::{BoxFuture, FutureExt};
use hikyaku_core::event::Phase;
use hikyaku_core::ledger::Ledger;
use hikyaku_core::plan::{Plan, Sides, Step, plan_mailboxes};
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::traits::{Clock, Destination, Source, Undo};
use hikyaku_core::undo::{UndoPlan, UndoReport};
use hikyaku_core::{Code, Event, Fault, MailboxInfo, Observer, Reach, Remedy, Side};
use std::sync::Arc;

/// How deep a check looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every message is listed at the destination.
    Listed,
    /// Every message is read back and has the same content.
    Full,
}

/// Everything that a run needs. Nothing is taken from the surroundings: the clock and
/// the seed come from outside, so whole runs can be simulated.
#[derive(Clone)]
pub struct Job {
    /// Read only.
    pub source: Arc<dyn Source>,
    /// Appended to.
    pub destination: Arc<dyn Destination>,
    /// What can take own copies back; only for [`Job::undo`] and
    /// [`hikyaku_core::policy::Fresh::Replace`].
    pub undo: Option<Arc<dyn Undo>>,
    /// Bound to this pair of accounts.
    pub ledger: Arc<dyn Ledger>,
    /// Told of everything.
    pub observer: Arc<dyn Observer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The user's choices.
    pub policy: Policy,
    /// The wish to end early.
    pub stop: Stop,
    /// For jitter and samples.
    pub seed: u64,
}

impl Job {
    /// Looks at both sides and says what a copy would do. Writes nothing anywhere.
    ///
    /// # Errors
    /// A side that cannot be listed, a ledger that cannot be read, or a named mailbox
    /// that is not there.
    pub async fn plan(&self) -> Result<Plan, Fault> {
        self.survey(&Run::new(self, Mode::Copy)).await
    }

    /// Copies what is not there yet, verifies it and accounts for every message.
    ///
    /// # Errors
    /// Only when nothing could start. What fails later is in the report.
    pub async fn copy(&self) -> Result<Report, Fault> {
        self.execute(Mode::Copy).await
    }

    /// Compares both sides without copying anything.
    ///
    /// # Errors
    /// Only when nothing could start.
    pub async fn check(&self, depth: Depth) -> Result<Report, Fault> {
        self.execute(Mode::Check(depth)).await
    }

    /// Looks at both sides and says which own copies could be taken back. Writes nothing
    /// anywhere.
    ///
    /// # Errors
    /// A side that cannot be looked at, or a ledger that cannot be read.
    pub async fn undo_plan(&self) -> Result<UndoPlan, Fault> {
        crate::undo::plan(self).await
    }

    /// Takes back the own copies that nobody touched and that the source still has. Where
    /// it breaks off the next call goes on.
    ///
    /// # Errors
    /// Only when nothing could start. What fails later is in the report.
    pub async fn undo(&self) -> Result<UndoReport, Fault> {
        crate::undo::undo(self).await
    }

    async fn execute(&self, mode: Mode) -> Result<Report, Fault> {
        let started = self.clock.monotonic();
        let run = Run::new(self, mode);
        if mode == Mode::Copy && self.policy.replaces() {
            crate::undo::allowed(&run)?;
        }
        let mut plan = self.survey(&run).await?;
        if let Mode::Check(_) = mode {
            // A check trusts no checkpoint.
            for line in &mut plan.mailboxes {
                if line.step == Step::Unchanged {
                    line.step = Step::Copy { create: false };
                }
            }
        }
        let plan = Arc::new(plan);
        let looks_elsewhere = mode == Mode::Copy && self.policy.looks_elsewhere();
        if mode == Mode::Copy && !looks_elsewhere {
            space::check(&run, &plan).await?;
        }
        self.observer.note(&Event::Planned(plan.clone()));
        self.observer.note(&Event::Phase(match mode {
            Mode::Copy => Phase::Transfer,
            Mode::Check(_) => Phase::Verify,
        }));
        let mut before = lanes::Done::new();
        if looks_elsewhere {
            before = elsewhere::settle(&run, &plan).await?;
            if run.ended().is_none() && !run.stop.is_requested() {
                // What was found takes no room.
                space::check(&run, &elsewhere::known(&run, &plan).await?).await?;
            }
        }
        let mut report = lanes::work(&run, &plan, before).await;
        let elapsed = self.clock.monotonic().saturating_sub(started);
        report.elapsed_millis = elapsed.as_millis() as u64;
        report.waits = run.pace.waits();
        if report.stopped.is_none() && self.stop.is_requested() {
            report.stopped = Some(Stop::fault());
        }
        self.observer.note(&Event::Done(Arc::new(report.clone())));
        Ok(report)
    }

    async fn survey(&self, run: &Arc<Run>) -> Result<Plan, Fault> {
        self.observer.note(&Event::Phase(Phase::Scan));
        let Survey {
            source,
            destination,
        } = list(run).await?;
        let pairings = match self.policy.stateless {
            true => Vec::new(),
            false => self.ledger.pairings().await?,
        };
        for wanted in &self.policy.folders {
            if !source.iter().any(|m| m.name.is_within(wanted)) {
                return Err(missing(wanted, &source));
            }
        }
        self.observer.note(&Event::Phase(Phase::Plan));
        run.subscribe_all(!source.iter().any(|m| m.subscribed));
        Ok(plan_mailboxes(
            Sides {
                source: &source,
                source_abilities: self.source.abilities(),
                destination: &destination,
                destination_abilities: self.destination.abilities(),
                pairings: &pairings,
            },
            &self.policy,
        ))
    }
}

/// The mailboxes of both sides.
#[derive(Default)]
pub(crate) struct Survey {
    pub(crate) source: Vec<MailboxInfo>,
    pub(crate) destination: Vec<MailboxInfo>,
}

/// Lists both sides.
pub(crate) async fn list(run: &Arc<Run>) -> Result<Survey, Fault> {
    let mut both = Survey::default();
    let mut seat = Seat::new(run.pace.clone());
    match persist(run, &mut seat, None, &mut both.of(run)).await {
        Some(fault) => Err(fault),
        None => Ok(both),
    }
}

impl Survey {
    fn of<'a>(&'a mut self, run: &'a Run) -> Surveying<'a> {
        Surveying { run, survey: self }
    }
}

/// Listing both sides, again and again if need be.
struct Surveying<'a> {
    run: &'a Run,
    survey: &'a mut Survey,
}

impl Attempt for Surveying<'_> {
    fn attempt<'a>(&'a mut self, _: &'a mut Seat) -> BoxFuture<'a, Result<End, Fault>> {
        let run = self.run;
        let source = async { run.source.mailboxes().await.map_err(|f| f.on(Side::Source)) };
        let destination = async {
            let listed = run.destination.mailboxes().await;
            listed.map_err(|f| f.on(Side::Destination))
        };
        async move {
            let listed = tokio::select! {
                listed = async { futures::try_join!(source, destination) } => listed?,
                () = run.stop.requested() => return Err(Stop::fault()),
            };
            (self.survey.source, self.survey.destination) = listed;
            Ok(End::Done)
        }
        .boxed()
    }

    fn progress(&self) -> u64 {
        0
    }

    fn again(&mut self) {}
}

fn missing(wanted: &hikyaku_core::MailboxName, source: &[MailboxInfo]) -> Fault {
    let leaf = wanted.leaf().to_lowercase();
    let near: Vec<String> = source
        .iter()
        .filter(|m| {
            m.name.leaf().to_lowercase().contains(&leaf)
                || leaf.contains(&m.name.leaf().to_lowercase())
        })
        .take(3)
        .map(|m| m.name.to_string())
        .collect();
    let hint = if near.is_empty() {
        String::new()
    } else {
        format!("; similar: {}", near.join(", "))
    };
    Fault::new(
        Code::MailboxMissing,
        Reach::Job,
        Remedy::AskUser,
        format!("there is no mailbox {wanted} at the source{hint}"),
    )
    .on(Side::Source)
    .mailbox(wanted)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Copy,
    Check(Depth),
}
