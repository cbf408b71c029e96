//! One pair of accounts, one policy: the engine's entry.

use crate::lanes;
use crate::pace::Bandwidth;
use crate::stop::Stop;
use hikyaku_core::ledger::Ledger;
use hikyaku_core::plan::{MailboxPlan, Plan, Sides, Step, plan_mailboxes};
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::traits::{Clock, Destination, Source};
use hikyaku_core::{Code, Event, Fault, MailboxInfo, Observer, Reach, Remedy, Side};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
        Ok(self.survey().await?.0)
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

    async fn execute(&self, mode: Mode) -> Result<Report, Fault> {
        let started = self.clock.monotonic();
        let (mut plan, subscribe_all) = self.survey().await?;
        if let Mode::Check(_) = mode {
            // A check trusts no checkpoint.
            for line in &mut plan.mailboxes {
                if line.step == Step::Unchanged {
                    line.step = Step::Copy { create: false };
                }
            }
        }
        if mode == Mode::Copy {
            self.check_space(&plan).await?;
        }
        let plan = Arc::new(plan);
        self.observer.note(&Event::Planned(plan.clone()));
        let run = Arc::new(Run {
            source: self.source.clone(),
            destination: self.destination.clone(),
            ledger: self.ledger.clone(),
            observer: self.observer.clone(),
            clock: self.clock.clone(),
            bandwidth: Bandwidth::new(self.policy.bandwidth, self.clock.clone()),
            policy: self.policy.clone(),
            stop: self.stop.child(),
            seed: self.seed,
            mode,
            subscribe_all,
            lost: Mutex::new(started),
        });
        self.observer.note(&Event::Phase(match mode {
            Mode::Copy => hikyaku_core::event::Phase::Transfer,
            Mode::Check(_) => hikyaku_core::event::Phase::Verify,
        }));
        let mut report = lanes::work(&run, &plan).await;
        let elapsed = self.clock.monotonic().saturating_sub(started);
        report.elapsed_millis = elapsed.as_millis() as u64;
        if report.stopped.is_none() && self.stop.is_requested() {
            report.stopped = Some(Stop::fault());
        }
        self.observer.note(&Event::Done(Arc::new(report.clone())));
        Ok(report)
    }

    async fn survey(&self) -> Result<(Plan, bool), Fault> {
        self.observer
            .note(&Event::Phase(hikyaku_core::event::Phase::Scan));
        let listing =
            async { futures::try_join!(self.source.mailboxes(), self.destination.mailboxes()) };
        let (source, destination) = tokio::select! {
            listed = listing => listed?,
            () = self.stop.requested() => return Err(Stop::fault()),
        };
        let pairings = match self.policy.stateless {
            true => Vec::new(),
            false => self.ledger.pairings().await?,
        };
        for wanted in &self.policy.folders {
            if !source.iter().any(|m| m.name.is_within(wanted)) {
                return Err(missing(wanted, &source));
            }
        }
        self.observer
            .note(&Event::Phase(hikyaku_core::event::Phase::Plan));
        let plan = plan_mailboxes(
            Sides {
                source: &source,
                source_abilities: self.source.abilities(),
                destination: &destination,
                destination_abilities: self.destination.abilities(),
                pairings: &pairings,
            },
            &self.policy,
        );
        let subscribe_all = !source.iter().any(|m| m.subscribed);
        Ok((plan, subscribe_all))
    }

    /// Refuses to start what cannot end: more octets than the destination has room
    /// for, when nothing was copied yet and both are known.
    async fn check_space(&self, plan: &Plan) -> Result<(), Fault> {
        let fresh = plan.copied().all(|m| m.pairing.is_none());
        let limited = !self.policy.folders.is_empty() || self.policy.judges_messages();
        let (Some(needed), true, false) = (plan.octets(), fresh, limited) else {
            return Ok(());
        };
        if needed == 0
            || plan.copied().any(|m| {
                m.existing
                    .as_ref()
                    .is_some_and(|e| e.state.is_some_and(|s| s.messages > 0))
            })
        {
            return Ok(());
        }
        match self.destination.quota().await? {
            Some(quota) if quota.free() < needed => Err(Fault::new(
                Code::QuotaExceeded,
                Reach::Job,
                Remedy::AskUser,
                format!(
                    "{needed} octets are to be copied and {} are free; {} are missing",
                    quota.free(),
                    needed - quota.free()
                ),
            )
            .on(Side::Destination)),
            _ => Ok(()),
        }
    }
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

/// What all lanes share.
pub(crate) struct Run {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Policy,
    pub(crate) stop: Stop,
    pub(crate) bandwidth: Bandwidth,
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    /// The source has no subscriptions at all: then everything is subscribed, so that
    /// mail programs show it.
    subscribe_all: bool,
    /// When a connection was last lost; the start of the run stands for the end of
    /// an earlier one that died.
    lost: Mutex<Duration>,
}

impl Run {
    pub(crate) fn wants_subscription(&self, source: &MailboxInfo) -> bool {
        source.subscribed || self.subscribe_all
    }

    pub(crate) fn last_loss(&self) -> Duration {
        *self
            .lost
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn note_loss(&self, fault: &Fault) {
        if fault.reach >= Reach::Side {
            *self
                .lost
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = self.clock.monotonic();
        }
    }

    /// Sleeps, unless a stop is asked for.
    pub(crate) async fn sleep(&self, duration: Duration) -> Result<(), Fault> {
        tokio::select! {
            () = self.clock.sleep(duration) => Ok(()),
            () = self.stop.requested() => Err(Stop::fault()),
        }
    }

    /// Whether the line is worked on in this run.
    pub(crate) fn is_work(line: &MailboxPlan) -> bool {
        matches!(line.step, Step::Copy { .. })
    }
}
