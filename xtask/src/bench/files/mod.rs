//! `cargo xtask bench files`: mail in files and in POP3 accounts, beside what others read and copy it with.
//!
//! [`mail`] makes the mailboxes and a POP3 server, [`programs`] knows the commands, [`table`] writes what people read. A
//! program is run as in the other rows: whole processes, each in turn, medians of the runs.

mod mail;
mod programs;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::measure::{self, Usage};
use super::results::Runs;
use crate::step::{self, cargo, root, say};
use mail::{Mbox, Pop};
use programs::{Program, Task};

const HELP: &str = "\
usage: cargo xtask bench files [--quick] [--repetitions N] [--no-build] [ROW…]

Mail in files and POP3 accounts on tmpfs. The table goes into docs/performance.md,
unless it is --quick (a twentieth, one run), not built now, or some rows only.

rows:";

/// A scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    name: &'static str,
    title: &'static str,
    work: Work,
    /// Mbox files among which the messages are divided.
    files: usize,
    messages: usize,
    octets: u64,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// The messages of an mbox are counted.
    Scan,
    /// An mbox becomes a Maildir.
    ToMaildir,
    /// A POP3 account becomes a Maildir.
    Pop,
}

const ROWS: [Row; 6] = [
    Row {
        name: "scan",
        title: "mbox of 40,000 messages, 634 MB, scanned",
        work: Work::Scan,
        files: 1,
        messages: 40_000,
        octets: 634_000_000,
    },
    Row {
        name: "to-maildir",
        title: "mbox of 10,000 messages, 634 MB, to Maildir",
        work: Work::ToMaildir,
        files: 1,
        messages: 10_000,
        octets: 634_000_000,
    },
    Row {
        name: "little",
        title: "mbox of 1,000 messages, 64 MB, to Maildir",
        work: Work::ToMaildir,
        files: 1,
        messages: 1_000,
        octets: 64_000_000,
    },
    Row {
        name: "much",
        title: "mbox of 32,000 messages, 2 GB, to Maildir",
        work: Work::ToMaildir,
        files: 1,
        messages: 32_000,
        octets: 2_000_000_000,
    },
    Row {
        name: "several",
        title: "4 mbox files of 10,000 messages, 634 MB, to Maildir",
        work: Work::ToMaildir,
        files: 4,
        messages: 10_000,
        octets: 634_000_000,
    },
    Row {
        name: "pop3",
        title: "POP3 account of 10,000 messages, 634 MB, to Maildir",
        work: Work::Pop,
        files: 0,
        messages: 10_000,
        octets: 634_000_000,
    },
];

/// One row, measured.
#[derive(Debug)]
struct Measured {
    row: Row,
    runs: BTreeMap<Program, Runs>,
}

#[derive(Debug)]
struct Options {
    is_quick: bool,
    builds: bool,
    repetitions: usize,
    rows: Vec<Row>,
}

/// The command.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|word| word == "--help") {
        say(HELP);
        for row in ROWS {
            say(&format!("  {:12} {}", row.name, row.title));
        }
        return Ok(());
    }
    let options = read(arguments)?;
    let mut others = Vec::new();
    if options.rows.iter().any(|row| row.work == Work::Pop) {
        others.extend(programs::PACKAGES);
    }
    hikyaku_testkit::install::ensure_with(&others, &mut |text| say(text))?;
    if options.builds {
        let build = ["build", "--quiet", "--release", "--package", "hikyaku"];
        step::run(&mut cargo(&build))?;
    }
    let began = Instant::now();
    let mut all = Vec::new();
    for row in &options.rows {
        say(&format!("\n{} ({})", row.title, row.name));
        all.push(measured(*row, options.repetitions)?);
    }
    let text = format!(
        "{}\n{}",
        table::table(&all),
        table::circumstances(&super::machine()?, &super::commit(), options.repetitions)
    );
    say(&format!(
        "\n{text}\n{:.1} minutes",
        began.elapsed().as_secs_f64() / 60.0
    ));
    if !options.is_quick && options.builds && options.rows.len() == ROWS.len() {
        let path = root().join("docs/performance.md");
        let document =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(&path, table::put(&document, &text)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let has_failed = |measured: &Measured| {
        let own = measured.runs.get(&Program::Hikyaku);
        own.is_some_and(|runs| !runs.failures.is_empty())
    };
    ensure!(!all.iter().any(has_failed), "hikyaku failed in a row");
    Ok(())
}

fn read(arguments: &[String]) -> Result<Options> {
    let mut options = Options {
        is_quick: false,
        builds: true,
        repetitions: 3,
        rows: Vec::new(),
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => options.is_quick = true,
            "--no-build" => options.builds = false,
            "--repetitions" => {
                let number = words.next().context("--repetitions needs a number")?;
                options.repetitions = number.parse::<usize>()?.max(1);
            }
            name => match ROWS.iter().find(|row| row.name == name) {
                Some(row) => options.rows.push(*row),
                None => bail!("{name:?} is neither an option nor a row: see --help"),
            },
        }
    }
    if options.rows.is_empty() {
        options.rows = ROWS.to_vec();
    }
    if options.is_quick {
        options.repetitions = 1;
        for row in &mut options.rows {
            row.messages /= 20;
            row.octets /= 20;
        }
    }
    Ok(options)
}

/// Runs every program that can do it, in turn.
fn measured(row: Row, repetitions: usize) -> Result<Measured> {
    let work = tempfile::Builder::new()
        .prefix("hikyaku-bench-")
        .tempdir_in("/dev/shm")
        .context("cannot create a directory in /dev/shm")?;
    let (mbox, pop) = match row.work {
        Work::Scan | Work::ToMaildir => {
            let mbox = Mbox::make(work.path(), row.files, row.messages, row.octets)?;
            (Some(mbox), None)
        }
        Work::Pop => (None, Some(Pop::start(row.messages, row.octets)?)),
    };
    let mut runs: BTreeMap<Program, Runs> = BTreeMap::new();
    let programs = Program::for_work(row.work);
    for repetition in 0..repetitions {
        for turn in 0..programs.len() {
            let program = programs[(turn + repetition) % programs.len()];
            let state = work.path().join("state");
            fs::create_dir(&state)?;
            let task = Task {
                work: row.work,
                mbox: mbox.as_ref(),
                pop: pop.as_ref(),
                state: &state,
            };
            note(
                program,
                once(program, &task, row.messages),
                runs.entry(program).or_default(),
            );
            fs::remove_dir_all(&state)?;
        }
    }
    Ok(Measured { row, runs })
}

/// Runs a program once, and fails unless it ended well and told or brought as many messages as there are.
fn once(program: Program, task: &Task<'_>, messages: usize) -> Result<Usage> {
    let Some(command) = programs::command(program, task)? else {
        let pop = task.pop.context("the limit is one of a server")?;
        let began = Instant::now();
        pop.drain()?;
        return Ok(Usage {
            seconds: began.elapsed().as_secs_f64(),
            user: 0.0,
            system: 0.0,
            peak: 0,
        });
    };
    let log = task.state.join("output");
    let usage = measure::run(&command, &log, Duration::from_secs(900))?;
    let found = match task.work {
        Work::Scan => programs::counted(&fs::read_to_string(&log)?),
        Work::ToMaildir | Work::Pop => mail::in_maildirs(&task.state.join("mail"))?,
    };
    ensure!(
        found == messages,
        "ended well, but {found} messages are there, not {messages}"
    );
    Ok(usage)
}

fn note(program: Program, outcome: Result<Usage>, runs: &mut Runs) {
    match outcome {
        Ok(usage) => {
            say(&format!(
                "  {:16} {:8.3} s   user {:7.3} s  system {:7.3} s   {:6.1} MB",
                program.name(),
                usage.seconds,
                usage.user,
                usage.system,
                usage.peak as f64 / 1e6
            ));
            runs.good.push(usage);
        }
        Err(error) => {
            say(&format!("  {:16} failed: {error:#}", program.name()));
            runs.failures.push(format!("{error:#}"));
        }
    }
}

/// A file that only its owner reads.
fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ROWS, read};

    #[test]
    fn rows_are_chosen_by_name_and_quick_ones_are_small() {
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let all = read(&[]).unwrap();
        assert_eq!((all.rows.len(), all.repetitions), (ROWS.len(), 3));
        let some = read(&words("--quick pop3 scan --no-build")).unwrap();
        assert_eq!((some.rows[0].messages, some.rows[1].messages), (500, 2_000));
        assert!(!some.builds && some.repetitions == 1);
        assert!(read(&words("mobx")).is_err() && read(&words("--repetitions")).is_err());
    }
}
