//! One seed from its first life to the judgement.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::Duration;

use hikyaku_core::report::{Outcome, Report};
use tokio::time::Instant;

use super::check;
use super::life::{End, live};
use super::log::Log;
use super::plan::{LifePlan, Volume};
use super::random::Random;
use super::tamper::Tamper;
use super::world::World;

/// How a seed is tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the log.
    pub keep_log: bool,
    /// Something the judge must find.
    pub tamper: Option<Tamper>,
}

/// What a seed came to.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// The seed.
    pub seed: u64,
    /// What was violated.
    pub violation: Option<String>,
    /// What the world was like and what went wrong in it, in words.
    pub words: Vec<String>,
    /// Of the log: equal seeds have equal ones.
    pub hash: u64,
    /// The log, where it was asked for.
    pub log: Option<String>,
    /// Lives by how they ended.
    pub lives: BTreeMap<&'static str, u64>,
    /// Planned faults by kind.
    pub planned: BTreeMap<String, u64>,
    /// Faults that struck, by kind.
    pub struck: BTreeMap<String, u64>,
    /// Messages at the source.
    pub messages: u64,
    /// Virtual time.
    pub time: Duration,
    /// Whether there was something to tamper with.
    pub tampered: bool,
}

thread_local! {
    static IS_TRYING: Cell<bool> = const { Cell::new(false) };
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Panics of tasks are swallowed by the runtime: this remembers them for the thread.
fn remember_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| match IS_TRYING.get() {
            true => PANICS.with_borrow_mut(|panics| panics.push(info.to_string())),
            false => usual(info),
        }));
    });
}

/// Tries one seed.
pub fn run(seed: u64, options: Options) -> Trial {
    remember_panics();
    PANICS.with_borrow_mut(Vec::clear);
    IS_TRYING.set(true);
    let mut trial = Trial {
        seed,
        ..Trial::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            IS_TRYING.set(false);
            trial.violation = Some(format!("no runtime: {error}"));
            return trial;
        }
    };
    let tried = panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(try_seed(&mut trial, options))
    }));
    drop(runtime);
    IS_TRYING.set(false);
    let panics = PANICS.with_borrow_mut(std::mem::take);
    trial.violation = match tried {
        _ if !panics.is_empty() => Some(format!("a panic: {}", panics.join("; "))),
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation),
        Err(_) => Some("a panic".into()),
    };
    trial
}

async fn try_seed(trial: &mut Trial, options: Options) -> Result<(), String> {
    let began = Instant::now();
    let log = Log::new(options.keep_log);
    // Traces are slow to write, so every eighth seed has to do.
    let _tracing = trial.seed.is_multiple_of(8).then(|| overhear(&log));
    let mut random = Random::new(trial.seed);
    let mut world = World::new(&mut random, log.clone());
    let result = live_all(trial, &mut world, &mut random, options).await;
    trial.words = std::mem::take(&mut world.words);
    trial.time = began.elapsed();
    for server in [&world.source.server, &world.destination.server] {
        log.line(&server.transcript().to_string());
    }
    let offences = log.take_offences();
    trial.hash = log.hash();
    trial.log = log.take_text();
    result?;
    match offences.first() {
        Some(offence) => Err(offence.clone()),
        None => Ok(()),
    }
}

async fn live_all(
    trial: &mut Trial,
    world: &mut World,
    random: &mut Random,
    options: Options,
) -> Result<(), String> {
    let shot = world.source.account.snapshot();
    trial.messages = shot.messages() as u64;
    let volume = Volume {
        octets: shot.octets(),
        messages: trial.messages,
    };
    let lives = random.between(1, 4);
    let plans: Vec<LifePlan> = (0..lives)
        .map(|_| LifePlan::faulty(random, volume))
        .collect();
    world.refuses_at_random = plans.iter().any(LifePlan::refuses_at_random);
    world.is_calm = plans.iter().all(LifePlan::is_calm);
    for (n, plan) in plans.iter().enumerate() {
        world.words.push(format!("life {}:", n + 1));
        world
            .words
            .extend(plan.words().iter().map(|w| format!("  {w}")));
        for kind in plan.kinds() {
            *trial.planned.entry(kind).or_default() += 1;
        }
        one_life(trial, world, plan, n as u64 + 1).await?;
    }
    let healthy = LifePlan::healthy();
    world.words.push("then a healthy life, and another".into());
    let report = one_life(trial, world, &healthy, 101)
        .await?
        .ok_or("a healthy life has no report")?;
    check::healthy(world, &report)?;
    if let Some(tamper) = options.tamper {
        trial.tampered = tamper.apply(world, random);
    }
    let before = appends(world);
    let report = one_life(trial, world, &healthy, 102)
        .await?
        .ok_or("a healthy life has no report")?;
    check::healthy(world, &report).map_err(|why| format!("at the second look: {why}"))?;
    let appended = appends(world) - before;
    let refused = report.tally().messages(Outcome::FailedPermanent);
    if report.copied_now() > 0 || (refused == 0 && appended > 0) {
        return Err(format!(
            "I2: the second healthy life copied {} messages in {appended} appends",
            report.copied_now()
        ));
    }
    Ok(())
}

/// Appends that the destination was asked for so far.
fn appends(world: &World) -> usize {
    world.destination.server.transcript().of("APPEND").len()
}

/// A life and what has to hold after each.
async fn one_life(
    trial: &mut Trial,
    world: &mut World,
    plan: &LifePlan,
    number: u64,
) -> Result<Option<Report>, String> {
    world.log.line(&format!("life {number}"));
    let lived = live(world, plan, trial.seed ^ number).await?;
    for (kind, n) in &lived.struck {
        *trial.struck.entry(kind.clone()).or_default() += n;
    }
    let (ended, report) = match lived.end {
        End::Killed => {
            *trial.struck.entry("process dies".into()).or_default() += 1;
            ("killed", None)
        }
        End::NotStarted(fault) => {
            world.log.line(&format!("not started: {fault:?}"));
            ("not started", None)
        }
        End::Reported(report) => {
            world.log.line(&format!("{report:?}"));
            let ended = match (report.is_complete(), &report.stopped) {
                (true, _) => "complete",
                (false, Some(_)) => "stopped",
                (false, None) => "with exceptions",
            };
            (ended, Some(*report))
        }
    };
    *trial.lives.entry(ended).or_default() += 1;
    world
        .words
        .push(format!("  ended: {ended} after {:?}", lived.lasted));
    check::source_untouched(world)?;
    check::verbs(
        &world.source.server.transcript(),
        &world.destination.server.transcript(),
    )?;
    check::destination(world, false, true)?;
    if let Some(report) = &report {
        check::report(world, report)?;
        if report.is_complete() && world.truth.arrived.is_empty() && world.has_stable_epochs() {
            world.truth.settle();
        }
    }
    Ok(report)
}

/// Sends everything that is traced to the log's search for secrets, as long as the guard lives.
fn overhear(log: &Log) -> tracing::subscriber::DefaultGuard {
    let log = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || Ear(log.clone()))
        .finish();
    tracing::subscriber::set_default(subscriber)
}

struct Ear(Log);

impl io::Write for Ear {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.overhear(&String::from_utf8_lossy(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
