//! Many seeds on all cores, and what is told of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::trial::{self, Options, Trial};

/// A seed that takes longer than this in real time turns in circles.
const STUCK: Duration = Duration::from_secs(120);
/// Violations after which there is no use in going on.
const ENOUGH: usize = 25;

/// What was asked for.
struct Wish {
    from: u64,
    seeds: u64,
    single: bool,
    log: bool,
    threads: usize,
}

impl Wish {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut wish = Self {
            from: 1,
            seeds: 200,
            single: false,
            log: false,
            threads: thread::available_parallelism().map_or(1, usize::from),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || -> Result<u64> {
                let value = arguments
                    .next()
                    .with_context(|| format!("{argument} needs a number"))?;
                value
                    .parse()
                    .with_context(|| format!("{argument}: {value} is no number"))
            };
            match argument.as_str() {
                "--seeds" => wish.seeds = number()?,
                "--from" => wish.from = number()?,
                "--seed" => {
                    wish.from = number()?;
                    wish.seeds = 1;
                    wish.single = true;
                }
                "--threads" => wish.threads = usize::try_from(number()?)?.max(1),
                "--log" => wish.log = true,
                _ => bail!(
                    "{argument}? known are --seeds N, --from S, --seed S, --threads N and --log"
                ),
            }
        }
        Ok(wish)
    }
}

/// Runs as the command line asks.
///
/// # Errors
/// That an invariant was broken.
pub fn run(arguments: &[String]) -> Result<()> {
    let wish = Wish::read(arguments)?;
    let began = Instant::now();
    let seeds = Seeds::new(wish.from, wish.seeds);
    let options = Options {
        keep_log: wish.log,
        tamper: None,
    };
    let sum = many(&seeds, wish.threads, options);
    for trial in &sum.violations {
        tell(trial);
    }
    if wish.single {
        tell_single(&sum);
    }
    say(&sum.text(began.elapsed()));
    match sum.violations.len() {
        0 => Ok(()),
        n => bail!("{n} seeds with a violation"),
    }
}

/// Tries so many seeds on so many threads; stops early when many are violated.
pub fn try_seeds(from: u64, seeds: u64, threads: usize) -> Sum {
    many(&Seeds::new(from, seeds), threads, Options::default())
}

struct Seeds {
    next: AtomicU64,
    end: u64,
    stopped: AtomicBool,
}

impl Seeds {
    fn new(from: u64, count: u64) -> Self {
        Self {
            next: AtomicU64::new(from),
            end: from.saturating_add(count),
            stopped: AtomicBool::new(false),
        }
    }

    fn next(&self) -> Option<u64> {
        let seed = self.next.fetch_add(1, Ordering::Relaxed);
        (seed < self.end && !self.stopped.load(Ordering::Relaxed)).then_some(seed)
    }
}

fn many(seeds: &Seeds, threads: usize, options: Options) -> Sum {
    let sum = Mutex::new(Sum::default());
    let under_way: Vec<Mutex<Option<(u64, Instant)>>> =
        (0..threads).map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = under_way
            .iter()
            .map(|mine| {
                let sum = &sum;
                scope.spawn(move || {
                    while let Some(seed) = seeds.next() {
                        *lock(mine) = Some((seed, Instant::now()));
                        let trial = trial::run(seed, options);
                        *lock(mine) = None;
                        let mut sum = lock(sum);
                        sum.add(trial);
                        if sum.violations.len() >= ENOUGH {
                            seeds.stopped.store(true, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            thread::sleep(Duration::from_millis(100));
            for mine in &under_way {
                if let Some((seed, since)) = *lock(mine)
                    && since.elapsed() > STUCK
                {
                    give_up(seed);
                }
            }
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that turns in circles cannot be ended, only the process.
#[allow(clippy::exit, reason = "nothing else ends a thread")]
fn give_up(seed: u64) {
    say(&format!(
        "seed {seed}: no end after {STUCK:?} of real time\n  replay: cargo xtask sim --seed {seed}"
    ));
    std::process::exit(1);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What many seeds came to.
#[derive(Debug, Default)]
pub struct Sum {
    /// Seeds tried.
    pub seeds: u64,
    /// Those with a violation, by seed.
    pub violations: Vec<Trial>,
    /// Lives by how they ended.
    pub lives: BTreeMap<&'static str, u64>,
    /// Planned faults by kind.
    pub planned: BTreeMap<String, u64>,
    /// Faults that struck, by kind.
    pub struck: BTreeMap<String, u64>,
    /// Messages at the sources.
    pub messages: u64,
    /// Virtual time.
    pub time: Duration,
    last: Option<Trial>,
}

impl Sum {
    fn add(&mut self, trial: Trial) {
        self.seeds += 1;
        for (kind, n) in &trial.lives {
            *self.lives.entry(kind).or_default() += n;
        }
        for (kind, n) in &trial.planned {
            *self.planned.entry(kind.clone()).or_default() += n;
        }
        for (kind, n) in &trial.struck {
            *self.struck.entry(kind.clone()).or_default() += n;
        }
        self.messages += trial.messages;
        self.time += trial.time;
        if trial.violation.is_some() {
            self.violations.push(trial.clone());
            self.violations.sort_by_key(|t| t.seed);
        }
        self.last = Some(trial);
    }

    /// The summary that people read.
    pub fn text(&self, wall: Duration) -> String {
        let count = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        let lives: Vec<String> = self
            .lives
            .iter()
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        let (planned, struck) = (count(&self.planned), count(&self.struck));
        let mut text = format!(
            "{} seeds, {} lives ({}), {} messages\n{planned} faults and acts planned, {struck} strikes\n",
            self.seeds,
            self.lives.values().sum::<u64>(),
            lives.join(", "),
            self.messages,
        );
        text.push_str(&format!(
            "  {:44} {:>8} {:>8}\n",
            "kind", "planned", "strikes"
        ));
        for (kind, planned) in &self.planned {
            let struck = self.struck.get(kind).copied().unwrap_or(0);
            text.push_str(&format!("  {kind:44} {planned:>8} {struck:>8}\n"));
        }
        text.push_str(&format!(
            "{:.0} days of virtual time in {:.1} s: {:.1} ms a seed\n{} violations\n",
            self.time.as_secs_f64() / 86_400.0,
            wall.as_secs_f64(),
            wall.as_secs_f64() * 1000.0 / (self.seeds.max(1) as f64),
            self.violations.len(),
        ));
        text
    }
}

/// A violation with everything that is needed to look into it.
fn tell(trial: &Trial) {
    say(&format!(
        "seed {}: {}",
        trial.seed,
        trial.violation.as_deref().unwrap_or("no violation")
    ));
    for word in &trial.words {
        say(&format!("    {word}"));
    }
    say(&format!(
        "  replay: cargo xtask sim --seed {0}; with all events: cargo xtask sim --seed {0} --log\n",
        trial.seed
    ));
}

fn tell_single(sum: &Sum) {
    let Some(trial) = &sum.last else { return };
    if let Some(log) = &trial.log {
        say(log);
    }
    if trial.violation.is_none() {
        tell(trial);
    }
}

#[allow(clippy::print_stdout, reason = "a developer's tool")]
fn say(text: &str) {
    println!("{text}");
}
