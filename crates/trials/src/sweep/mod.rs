//! Every line of the dialogue with a real server, cut in every way.
//!
//! A copy of 24 messages between two accounts on Dovecot is recorded line by line. Then, for each line and each literal,
//! in both directions, on both sides, at each place of it and in each way, a new copy is cut exactly there, run again
//! once without a cut, and judged: nothing may be lost, doubled or altered, the source must be what it was, no report may
//! claim more than is true, and a third run must find nothing to do.
//!
//! Start reading at [`case::Case`] and `trial`.

mod account;
mod case;
mod station;
mod summary;
mod trial;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hikyaku_core::Side;
use hikyaku_testkit::proxy::{Direction, Piece, Place};
use hikyaku_testkit::servers::Dovecot;

pub use case::{Case, Cut, Manner};
pub use summary::Summary;
pub use trial::Verdict;

use station::{Pace, Station};

/// Cases tried at a time: they wait most of the time.
const AT_A_TIME: usize = 16;
/// How often a case is tried whose place the dialogue does not come to.
const TRIES: usize = 3;
/// A run of this length is told of.
const SLOW: Duration = Duration::from_secs(20);
/// So many broken cases end the sweep: more of them tell nothing new.
const ENOUGH: usize = 50;
/// Between two lines of progress.
const NEWS: Duration = Duration::from_secs(10);

const HELP: &str = "usage: cargo xtask sweep [--sample N --salt TEXT] [--manner retries|quits] [--at-a-time N]
                         [--minutes N] [--case CASE]

  --sample N     so many of all cases, chosen by the salt
  --salt TEXT    for --sample; the same text chooses the same cases
  --manner M     only the run that connects again after a cut (retries), or only the one that ends there (quits)
  --at-a-time N  cases tried at a time
  --minutes N    begin no new case after that time, and tell how far it came
  --case CASE    one case, with everything that was said";

#[derive(Default)]
struct Options {
    sample: Option<usize>,
    salt: String,
    manner: Option<Manner>,
    at_a_time: Option<usize>,
    minutes: Option<u64>,
    case: Option<Case>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value\n{HELP}"))
            };
            match word.as_str() {
                "--sample" => options.sample = Some(value()?.parse()?),
                "--salt" => options.salt.clone_from(value()?),
                "--at-a-time" => options.at_a_time = Some(value()?.parse()?),
                "--minutes" => options.minutes = Some(value()?.parse()?),
                "--case" => options.case = Some(value()?.parse()?),
                "--manner" => {
                    let name = value()?;
                    let found = Manner::ALL.into_iter().find(|m| m.word() == name);
                    options.manner = Some(found.with_context(|| HELP.to_owned())?);
                }
                _ => bail!("{HELP}"),
            }
        }
        Ok(options)
    }
}

/// Runs the sweep as the command line asks.
///
/// # Errors
/// What went wrong, or that anything was lost, doubled or altered.
pub fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let server = station::server()?;
    if let Some(case) = options.case {
        return replay(&server, &case);
    }
    let mut cases = all_cases(&server)?;
    if let Some(manner) = options.manner {
        cases.retain(|(case, _)| case.manner == manner);
    }
    say(&format!("{} cases", cases.len()));
    // In a random order always, so that a part of the sweep is a part of everything.
    let count = options.sample.unwrap_or(cases.len());
    cases = case::sample(cases, count, &options.salt);
    if options.sample.is_some() {
        say(&format!(
            "{} of them, chosen by {:?}",
            cases.len(),
            options.salt
        ));
    }
    let at_a_time = options.at_a_time.unwrap_or(AT_A_TIME).max(1);
    let limit = options
        .minutes
        .map_or(Duration::MAX, |n| Duration::from_secs(n * 60));
    let summary = try_all(&server, cases, at_a_time, limit)?;
    say(&summary.to_string());
    ensure!(
        summary.violations() == 0,
        "{} cases broke an invariant",
        summary.violations()
    );
    Ok(())
}

/// So many of all cases, chosen by the salt.
///
/// # Errors
/// What keeps the cases from being tried at all.
pub fn sample(count: usize, salt: &str) -> Result<Summary> {
    let server = station::server()?;
    let cases = case::sample(all_cases(&server)?, count, salt);
    try_all(&server, cases, AT_A_TIME, Duration::MAX)
}

/// With the patience that the product is delivered with: an APPEND that is cut in the middle of its literal, and one
/// whose OK is lost. Each in both manners.
///
/// # Errors
/// What keeps the cases from being tried at all.
pub fn patient() -> Result<Vec<(Case, Verdict)>> {
    let server = station::server()?;
    let [_, pieces] = trial::rehearse(&mut Station::new(&server, "rehearsal")?)?;
    let is_append = |p: &&Piece| p.direction == Direction::ToServer && p.text.contains(" APPEND ");
    let append = pieces
        .iter()
        .find(is_append)
        .context("no APPEND was sent")?;
    let is_ok = |p: &&Piece| p.direction == Direction::ToClient && p.text.contains("[APPENDUID ");
    let ok = pieces
        .iter()
        .find(is_ok)
        .context("no APPEND was answered")?;
    let case = |manner, piece: &Piece, number, place| Case {
        manner,
        side: Side::Destination,
        connection: piece.connection,
        direction: piece.direction,
        piece: number,
        place,
        cut: Cut::Reset,
    };
    let cases = Manner::ALL.into_iter().flat_map(|manner| {
        [
            case(manner, append, append.number + 1, Place::Middle),
            case(manner, ok, ok.number, Place::Before),
        ]
    });
    std::thread::scope(|scope| {
        let threads: Vec<_> = cases
            .map(|case| {
                let server = &server;
                let name = format!("patient-{case}").replace(':', "-");
                scope.spawn(move || {
                    let mut station = Station::new(server, &name)?;
                    let mut cut = Pace::delivered();
                    if case.manner == Manner::Quits {
                        cut.patience.reconnects = 0;
                        cut.patience.circuit.clear();
                    }
                    let after = Pace::delivered();
                    Ok((case, trial::attempt(&mut station, &case, &cut, &after)?))
                })
            })
            .collect();
        threads.into_iter().map(joined).collect()
    })
}

/// A case and what is said at its place, for people.
type Named = (Case, String);

/// Records the dialogue and makes all cases of it.
fn all_cases(server: &Dovecot) -> Result<Vec<Named>> {
    let dialogues = trial::rehearse(&mut Station::new(server, "rehearsal")?)?;
    let mut cases = Vec::new();
    for manner in Manner::ALL {
        for (side, pieces) in [Side::Source, Side::Destination].iter().zip(&dialogues) {
            for (piece, case) in case::every(manner, *side, pieces) {
                let said = match piece.is_literal {
                    true => format!("a literal of {} octets", piece.octets),
                    false => piece.text.chars().take(120).collect(),
                };
                cases.push((case, said));
            }
        }
    }
    Ok(cases)
}

/// Tries one case and tells everything.
fn replay(server: &Dovecot, case: &Case) -> Result<()> {
    let mut station = Station::new(server, "replay")?;
    let verdict = try_case(&mut station, case);
    say(&verdict.story.join("\n"));
    say(&format!("\nthe place was reached: {}", verdict.reached));
    say(&verdict.violations.join("\n"));
    ensure!(verdict.violations.is_empty(), "{case} broke an invariant");
    Ok(())
}

/// Until the place of the cut is reached, a few times. A case that cannot be judged has failed.
fn try_case(station: &mut Station<'_>, case: &Case) -> Verdict {
    let (cut, after) = (Pace::quick(case.manner), Pace::unhurried());
    let mut verdict = Verdict::default();
    for _ in 0..TRIES {
        verdict = trial::attempt(station, case, &cut, &after).unwrap_or_else(|error| Verdict {
            reached: true,
            violations: vec![format!("{error:#}")],
            ..Verdict::default()
        });
        if verdict.reached || !verdict.violations.is_empty() {
            break;
        }
    }
    verdict
}

/// Tries the cases, many at a time; begins no more of them after `limit`.
fn try_all(
    server: &Dovecot,
    cases: Vec<Named>,
    at_a_time: usize,
    limit: Duration,
) -> Result<Summary> {
    let started = Instant::now();
    let summary = Mutex::new(Summary::new(cases.len()));
    let queue = Mutex::new(VecDeque::from(cases));
    let failed = AtomicBool::new(false);
    let work = |number: usize| -> Result<()> {
        let mut station = Station::new(server, &number.to_string())?;
        while !failed.load(Ordering::Relaxed) && started.elapsed() < limit {
            let Some((case, said)) = locked(&queue).pop_front() else {
                break;
            };
            let verdict = try_case(&mut station, &case);
            let mut summary = locked(&summary);
            summary.add(&case, &said, &verdict);
            if !verdict.violations.is_empty() {
                say(&format!(
                    "\nVIOLATION at: {said}\n  {}\n  replay: cargo xtask sweep --case {case}\n  {}",
                    verdict.violations.join("\n  "),
                    verdict.runs().join("\n  ")
                ));
            }
            if verdict.slowest > SLOW {
                let runs = verdict.runs().join("\n  ");
                say(&format!("slow: {case} at: {said}\n  {runs}"));
            }
            ensure!(
                summary.violations() < ENOUGH,
                "enough is broken:\n{summary}"
            );
        }
        let is_same = station.look()? == station.truth;
        ensure!(is_same, "the source account of worker {number} has changed");
        Ok(())
    };
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..at_a_time)
            .map(|number| {
                let (work, failed) = (&work, &failed);
                scope.spawn(move || {
                    let result = work(number);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    result
                })
            })
            .collect();
        let mut told = Instant::now();
        while !threads.iter().all(|thread| thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(50));
            if told.elapsed() > NEWS {
                told = Instant::now();
                say(&locked(&summary).progress());
            }
        }
        threads.into_iter().map(joined).collect()
    });
    results.into_iter().collect::<Result<()>>()?;
    Ok(summary.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::print_stderr, reason = "a developer's tool")]
fn say(text: &str) {
    eprintln!("{text}");
}
