//! `cargo xtask bench`: hikyaku beside other programs, on servers and mailboxes of its own.
//!
//! [`rows`] lists the scenarios and the figures to reach, [`scene`] starts servers and makes accounts, [`tools`] knows the
//! programs' commands, [`measure`] runs one, [`exact`] judges what it did, [`report`] writes `docs/performance.md`.

mod change;
mod exact;
mod files;
mod limit;
mod measure;
mod report;
mod results;
mod rows;
mod scene;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::step::{self, cargo, output, root, say};
use results::{Measured, Results, Runs};
use rows::{Kind, ROWS, Row};
use scene::{Destination, Place, Profile, Scene};
use tools::Tool;

/// A program that took longer than this is not run again in the same row.
const SLOW: f64 = 60.0;

const HELP: &str = "\
usage: cargo xtask bench [OPTIONS] [ROW…]
       cargo xtask bench service [JOBS [MESSAGES [OCTETS]]]
       cargo xtask bench page
       cargo xtask bench files [--help]

  --quick            mailboxes of a twentieth, one run each; docs/ is left alone
  --repetitions N    runs of each program in each row [default: 3]
  --tools A,B        only these of limit, mbsync, dsync, hikyaku; docs/ is left alone
  --minutes N        after this time, one run each for the remaining rows [default: 25]
  --no-build         measures the release build that is there; docs/ is left alone
  --date YYYY-MM-DD  the day to write down [default: today]
  --under COMMAND    runs hikyaku under strace, perf or the like, such as
                     \"strace -f -o /tmp/trace\"; docs/ is left alone

Needs root, because it starts mail servers. Measured rows are kept in
docs/performance.json, and docs/performance.md is written from them.

`service` copies 200 accounts of 1,000 messages of 50 kB at once, in one process
with both servers, and fails unless all verify within 512 MB. `page` measures how
soon the page tells what is wrong (10 s) and the first message arrives (5 s).

rows:";

/// What the person asked for.
struct Options {
    quick: bool,
    repetitions: usize,
    tools: Vec<Tool>,
    minutes: u64,
    build: bool,
    date: String,
    under: Vec<String>,
    rows: Vec<&'static Row>,
}

/// The command.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments
        .first()
        .is_some_and(|first| first == measure::FLAG)
    {
        return measure::measured(&arguments[1..]);
    }
    if let Some((row, rest)) = arguments.split_first()
        && row == "files"
    {
        return files::run(rest);
    }
    let own = arguments.split_first().and_then(|(row, rest)| {
        let program = match row.as_str() {
            "service" => "jobs",
            "page" => "answers",
            _ => return None,
        };
        Some((program, rest))
    });
    if let Some((program, rest)) = own {
        // One process with servers and workers: nothing to compare it with.
        let mut bench = cargo(&["bench", "--quiet", "--package", "hikyaku-service"]);
        bench.args(["--bench", program, "--"]).args(rest);
        return step::run(&mut bench);
    }
    if arguments
        .iter()
        .any(|word| word == "--help" || word == "-h")
    {
        say(HELP);
        for row in ROWS {
            say(&format!("  {:17} {}", row.name, row.title));
        }
        return Ok(());
    }
    let options = Options::parse(arguments)?;
    let started = Instant::now();
    hikyaku_testkit::install::ensure(&mut |text| say(text))?;
    if options.build && options.tools.contains(&Tool::Hikyaku) {
        step::run(&mut cargo(&[
            "build",
            "--quiet",
            "--release",
            "--package",
            "hikyaku",
        ]))?;
    }
    let documented = !options.quick
        && options.build
        && options.under.is_empty()
        && options.tools.len() == Tool::ALL.len();
    let (data, document) = match documented {
        true => (
            root().join("docs/performance.json"),
            root().join("docs/performance.md"),
        ),
        false => {
            let directory = root().join("target/bench");
            fs::create_dir_all(&directory)?;
            (
                directory.join("performance.json"),
                directory.join("performance.md"),
            )
        }
    };
    let machine = machine()?;
    let mut results = match documented {
        true => Results::read(&data)?,
        false => Results::default(),
    };
    if results.machine != machine {
        // Figures of different machines do not belong in one table.
        results = Results {
            machine,
            rows: BTreeMap::new(),
        };
    }
    measure_rows(&options, started, &mut results, |results| {
        results.write(&data)?;
        let earlier = fs::read_to_string(&document).unwrap_or_default();
        fs::write(&document, report::document(results, &earlier))
            .with_context(|| format!("cannot write {}", document.display()))
    })?;
    say(&format!(
        "\n{}\n{}\n{}\n{}",
        report::times(&results),
        report::targets(&results),
        report::exactness(&results),
        report::resources(&results)
    ));
    say(&format!(
        "{} rows in {:.1} minutes; written to {}",
        options.rows.len(),
        started.elapsed().as_secs_f64() / 60.0,
        document.display()
    ));
    let failed: Vec<&str> = options
        .rows
        .iter()
        .map(|row| row.name)
        .filter(|name| {
            let runs = results
                .rows
                .get(*name)
                .and_then(|row| row.tools.get(&Tool::Hikyaku));
            runs.is_some_and(|runs| !runs.failures.is_empty())
        })
        .collect();
    ensure!(
        failed.is_empty(),
        "hikyaku failed in: {}",
        failed.join(", ")
    );
    Ok(())
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            quick: false,
            repetitions: 3,
            tools: Tool::ALL.to_vec(),
            minutes: 25,
            build: true,
            date: String::new(),
            under: Vec::new(),
            rows: Vec::new(),
        };
        let mut repetitions = None;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "--quick" => options.quick = true,
                "--repetitions" => repetitions = Some(value()?.parse()?),
                "--minutes" => options.minutes = value()?.parse()?,
                "--no-build" => options.build = false,
                "--date" => options.date = value()?.clone(),
                "--under" => {
                    options.under = value()?.split_whitespace().map(str::to_owned).collect();
                }
                "--tools" => {
                    let names: BTreeSet<&str> = value()?.split(',').collect();
                    options.tools.retain(|tool| names.contains(tool.name()));
                    ensure!(options.tools.len() == names.len(), "--tools: see --help");
                }
                name => match ROWS.iter().find(|row| row.name == name) {
                    Some(row) => options.rows.push(row),
                    None => bail!("{name:?} is neither an option nor a row: see --help"),
                },
            }
        }
        options.repetitions = repetitions
            .unwrap_or(if options.quick { 1 } else { 3 })
            .max(1);
        if options.date.is_empty() {
            options.date = output(Command::new("date").arg("+%F"))?.trim().to_owned();
        }
        // The table's order, because later rows go on with what earlier ones made.
        let chosen: BTreeSet<&str> = options.rows.iter().map(|row| row.name).collect();
        options.rows = ROWS
            .iter()
            .filter(|row| chosen.is_empty() || chosen.contains(row.name))
            .collect();
        Ok(options)
    }
}

/// Measures row after row; `save` is called after each, so that a broken-off run has told what it found.
fn measure_rows(
    options: &Options,
    started: Instant,
    results: &mut Results,
    save: impl Fn(&Results) -> Result<()>,
) -> Result<()> {
    let mut scene = Scene::start(options.quick, &options.under)?;
    let commit = commit();
    for (index, row) in options.rows.iter().enumerate() {
        say(&format!("\n{} ({})", row.title, row.name));
        let late = started.elapsed() > Duration::from_secs(options.minutes * 60);
        let repetitions = if late { 1 } else { options.repetitions };
        let began = Instant::now();
        let source = scene.source(row.profile)?;
        let mut measured = Measured {
            date: options.date.clone(),
            commit: commit.clone(),
            versions: tools::versions(),
            messages: source.messages(),
            octets: source.octets(),
            mailboxes: source.mailboxes(),
            tools: BTreeMap::new(),
            took: 0.0,
        };
        measured.tools = match row.kind {
            Kind::First => first(&mut scene, row, &options.tools, repetitions)?,
            Kind::Again | Kind::Changed => again(&mut scene, row, &options.tools, repetitions)?,
        };
        measured.took = began.elapsed().as_secs_f64();
        say(&format!("  the row took {:.0} s", measured.took));
        results.rows.insert(row.name.to_owned(), measured);
        save(results)?;
        if !options.rows[index + 1..]
            .iter()
            .any(|later| later.profile == row.profile)
        {
            scene.forget(row.profile)?;
        }
    }
    Ok(())
}

/// Copies everything into a new account, each program in turn.
fn first(
    scene: &mut Scene,
    row: &Row,
    tools: &[Tool],
    repetitions: usize,
) -> Result<BTreeMap<Tool, Runs>> {
    let mut all: BTreeMap<Tool, Runs> = BTreeMap::new();
    for repetition in 0..repetitions {
        for tool in in_turn(tools, repetition) {
            let runs = all.entry(tool).or_default();
            if runs.good.iter().any(|run| run.seconds > SLOW) {
                continue;
            }
            let destination = scene.destination(row.place, row.profile)?;
            if !once(scene, row, tool, &destination, repetition, runs) {
                scene.remove(destination)?;
                continue;
            }
            judge(scene, row.profile, tool, &destination, runs)?;
            if goes_on(row) && tool != Tool::Limit {
                scene.keep((row.profile, row.line, tool), destination)?;
            } else {
                scene.remove(destination)?;
            }
        }
    }
    Ok(all)
}

/// Whether a later row goes on with what this one copied.
fn goes_on(row: &Row) -> bool {
    ROWS.iter().any(|later| {
        later.kind != Kind::First
            && (later.profile, later.line, later.place) == (row.profile, row.line, row.place)
    })
}

/// Runs each program over what it copied before, which is made first where no earlier row has left it.
fn again(
    scene: &mut Scene,
    row: &Row,
    tools: &[Tool],
    repetitions: usize,
) -> Result<BTreeMap<Tool, Runs>> {
    let mut all: BTreeMap<Tool, Runs> = BTreeMap::new();
    let mut destinations: Vec<(Tool, Destination)> = Vec::new();
    for tool in tools.iter().copied().filter(|tool| *tool != Tool::Limit) {
        let key = (row.profile, row.line, tool);
        let destination = match scene.take(key) {
            Some(kept) => kept,
            None => {
                let destination = scene.destination(Place::Ram, row.profile)?;
                if let Err(error) = scene.run(tool, (row.profile, row.line), &destination, 0) {
                    let failure = format!("its first copy failed: {error:#}");
                    say(&format!("  {:8} {failure}", tool.name()));
                    all.entry(tool).or_default().failures.push(failure);
                    scene.remove(destination)?;
                    continue;
                }
                destination
            }
        };
        destinations.push((tool, destination));
    }
    for repetition in 0..repetitions {
        if row.kind == Kind::Changed {
            scene.change(row.profile, repetition)?;
        }
        let tools: Vec<Tool> = destinations.iter().map(|(tool, _)| *tool).collect();
        for tool in in_turn(&tools, repetition) {
            if let Some((_, destination)) = destinations.iter().find(|(known, _)| *known == tool) {
                once(
                    scene,
                    row,
                    tool,
                    destination,
                    repetition,
                    all.entry(tool).or_default(),
                );
            }
        }
    }
    for (tool, destination) in destinations {
        let runs = all.entry(tool).or_default();
        judge(scene, row.profile, tool, &destination, runs)?;
        scene.keep((row.profile, row.line, tool), destination)?;
    }
    Ok(all)
}

/// The programs, beginning with another one each time.
fn in_turn(tools: &[Tool], repetition: usize) -> Vec<Tool> {
    let mut tools = tools.to_vec();
    let places = repetition % tools.len().max(1);
    tools.rotate_left(places);
    tools
}

/// Runs a program once, tells and notes how it went; true when it went well.
fn once(
    scene: &mut Scene,
    row: &Row,
    tool: Tool,
    destination: &Destination,
    repetition: usize,
    runs: &mut Runs,
) -> bool {
    match scene.run(tool, (row.profile, row.line), destination, repetition) {
        Ok(usage) => {
            say(&format!(
                "  {:8} {:8.3} s   user {:7.3} s  system {:7.3} s   {:6.1} MB",
                tool.name(),
                usage.seconds,
                usage.user,
                usage.system,
                usage.peak as f64 / 1e6
            ));
            runs.good.push(usage);
            true
        }
        Err(error) => {
            say(&format!("  {:8} failed: {error:#}", tool.name()));
            runs.failures.push(format!("{error:#}"));
            false
        }
    }
}

/// Compares both accounts and notes what differs.
fn judge(
    scene: &mut Scene,
    profile: Profile,
    tool: Tool,
    destination: &Destination,
    runs: &mut Runs,
) -> Result<()> {
    runs.kept = scene.extra(tool, profile, destination)?;
    let found = scene.judge(tool, destination)?;
    runs.exactness = Some(exact::compare(&scene.source(profile)?.snapshot, &found));
    Ok(())
}

/// The machine, in lines.
fn machine() -> Result<Vec<String>> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or_else(
            || "unknown".to_owned(),
            |(_, value)| value.trim().to_owned(),
        )
    };
    let kibibytes = field(&read("/proc/meminfo")?, "MemTotal");
    let memory: f64 = kibibytes
        .split(' ')
        .next()
        .unwrap_or_default()
        .parse()
        .unwrap_or(0.0);
    let system = field(&read("/etc/os-release")?.replace('=', ":"), "PRETTY_NAME");
    Ok(vec![
        format!(
            "{}, {} cores, {:.0} GB of memory",
            field(&read("/proc/cpuinfo")?, "model name"),
            std::thread::available_parallelism()?,
            memory * 1024.0 / 1e9
        ),
        format!(
            "{}, Linux {}; disk: {}",
            system.trim_matches('"'),
            read("/proc/sys/kernel/osrelease")?.trim(),
            scene::file_system(Path::new("/tmp"))
        ),
    ])
}

/// Which state of the sources was built.
fn commit() -> String {
    let git = |arguments: &[&str]| output(Command::new("git").args(arguments).current_dir(root()));
    let Ok(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let changed = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        "crates",
        "Cargo.lock",
    ]);
    match changed.is_ok_and(|text| text.trim().is_empty()) {
        true => commit.trim().to_owned(),
        false => format!("{} + changes", commit.trim()),
    }
}
