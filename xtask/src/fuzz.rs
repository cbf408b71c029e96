//! `cargo xtask fuzz`: the fuzz targets of `fuzz/`, one after the other.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::step::{self, cargo, output, root, say};

/// The targets, each with the dictionary whose words it likes, and whether it is about what people write
/// and read: the others are built without the command line.
const TARGETS: [Target; 14] = [
    ("framer", "imap", false),
    ("parser", "imap", false),
    ("utf7", "names", false),
    ("sasl", "sasl", false),
    ("dialogue", "imap", false),
    ("pop3", "pop3", false),
    ("mbox", "archive", false),
    ("containers", "archive", false),
    ("notes", "archive", false),
    ("anything", "archive", false),
    ("backup", "backup", false),
    ("config", "config", true),
    ("locator", "locator", true),
    ("content", "content", true),
];

type Target = (&'static str, &'static str, bool);

/// Most memory of a target, in MiB. It is the goal for the product; the fuzzer's own is in it.
const MEMORY: u32 = 256;

/// When the fuzzer gives up waiting for one input, in seconds. That is for what never ends: the limit of one second
/// is the targets' own (`fuzz/src/lib.rs`), since this clock runs on while others have the processor.
const ENDLESS: u32 = 30;

const HELP: &str = "usage: cargo xtask fuzz [TARGET] [--minutes N] [--asan]

Runs each fuzz target, or one, for N minutes (5 unless told) with its seeds, and says how it went.
--asan adds the address sanitizer: slower, and about the crates below, since ours have no unsafe code.
What makes a target fail is kept in fuzz/artifacts; put it among the seeds when it is mended.";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    targets: Vec<Target>,
    minutes: u32,
    asan: bool,
}

/// Runs the targets; fails when one of them found something.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|word| word == "--help") {
        say(HELP);
        return Ok(());
    }
    let wish = read(arguments)?;
    install()?;
    let mut lines = Vec::new();
    let mut failed = false;
    for target in &wish.targets {
        let outcome = fuzz(*target, &wish)?;
        failed |= outcome.is_failure;
        lines.push(outcome.line(target.0));
        say(&format!("\n{}", lines[lines.len() - 1]));
    }
    say(&format!("\n{}", lines.join("\n")));
    ensure!(!failed, "a target failed: its input is in fuzz/artifacts");
    Ok(())
}

fn read(arguments: &[String]) -> Result<Wish> {
    let mut wish = Wish {
        targets: TARGETS.to_vec(),
        minutes: 5,
        asan: false,
    };
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--minutes" => {
                let number = words.next().context("--minutes wants a number")?;
                wish.minutes = number.parse().context("--minutes wants a number")?;
                ensure!(wish.minutes > 0, "--minutes wants a number from 1");
            }
            "--asan" => wish.asan = true,
            name => match TARGETS.iter().find(|(known, ..)| *known == name) {
                Some(target) => wish.targets = vec![*target],
                None => bail!("there is no target {name}\n\n{HELP}"),
            },
        }
    }
    Ok(wish)
}

/// cargo-fuzz, and the compiler that it needs.
fn install() -> Result<()> {
    if output(&mut cargo(&["fuzz", "--version"])).is_err() {
        step::run(&mut cargo(&["install", "cargo-fuzz", "--locked"]))?;
    }
    if output(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_err() {
        let install = ["toolchain", "install", "nightly", "--profile", "minimal"];
        step::run(Command::new("rustup").args(install))?;
    }
    Ok(())
}

fn fuzz((target, dictionary, people): Target, wish: &Wish) -> Result<Outcome> {
    let fuzz = root().join("fuzz");
    let corpus = fuzz.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    // Another compiler than the one that runs this tool, so not `cargo()`.
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", "cargo", "fuzz", "run", target])
        .args((!people).then_some("--no-default-features"))
        .current_dir(root())
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN");
    let memory = if wish.asan {
        // Beside the other build, so that neither undoes the other.
        command.args(["--sanitizer", "address", "--target-dir"]);
        command.arg(fuzz.join("target").join("asan"));
        // The sanitizer's own memory is not the product's.
        8 * MEMORY
    } else {
        command.args(["--sanitizer", "none"]);
        MEMORY
    };
    let words = fuzz.join("words").join(dictionary).with_extension("dict");
    command
        .args([&corpus, &fuzz.join("seeds").join(target)])
        .arg("--")
        .arg(format!("-max_total_time={}", 60 * wish.minutes))
        .arg(format!("-timeout={ENDLESS}"))
        .arg(format!("-rss_limit_mb={memory}"))
        .arg(format!("-dict={}", words.display()))
        .args(["-max_len=16384", "-print_final_stats=1"]);
    say(&format!("\nfuzzing {target} for {} min", wish.minutes));
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo fuzz")?;
    let mut outcome = Outcome::default();
    let stderr = child.stderr.take().context("no standard error")?;
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        outcome.hear(&line);
        if is_worth_showing(&line) {
            say(&line);
        }
    }
    outcome.is_failure = !child.wait()?.success();
    outcome.kept = kept(&fuzz.join("artifacts").join(target));
    Ok(outcome)
}

/// The fuzzer tells of every input that reaches something new: not a person's concern.
fn is_worth_showing(line: &str) -> bool {
    let progress = ["NEW ", "REDUCE", "RELOAD", "pulse"];
    let is_progress = line.starts_with('#') && progress.iter().any(|word| line.contains(word));
    !is_progress && !line.starts_with("\tNEW_FUNC") && !line.starts_with("Loaded ")
}

fn kept(artifacts: &Path) -> usize {
    fs::read_dir(artifacts).map_or(0, Iterator::count)
}

/// What a run of a target told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// Inputs tried, and how many a second.
    runs: u64,
    per_second: u64,
    /// Edges reached by the seeds, and at the end.
    first: Option<u64>,
    edges: u64,
    /// Inputs that reached something new.
    inputs: u64,
    /// Most memory, in MiB.
    memory: u64,
    is_failure: bool,
    /// Inputs in `fuzz/artifacts`, those of earlier runs included.
    kept: usize,
}

impl Outcome {
    fn hear(&mut self, line: &str) {
        let after = |name: &str| {
            let word = line.split(name).nth(1)?.split_whitespace().next()?;
            word.parse().ok()
        };
        if line.starts_with('#') {
            self.edges = after("cov: ").unwrap_or(self.edges);
            if line.contains("INITED") {
                self.first = Some(self.edges);
            }
        }
        for (name, value) in [
            ("stat::number_of_executed_units:", &mut self.runs),
            ("stat::average_exec_per_sec:", &mut self.per_second),
            ("stat::new_units_added:", &mut self.inputs),
            ("stat::peak_rss_mb:", &mut self.memory),
        ] {
            *value = after(name).unwrap_or(*value);
        }
    }

    fn line(&self, target: &str) -> String {
        let mut line = format!(
            "{target:8} {} runs, {}/s; {} edges, {} of them new; {} inputs found; {} MiB; ",
            self.runs,
            self.per_second,
            self.edges,
            self.edges - self.first.unwrap_or(self.edges).min(self.edges),
            self.inputs,
            self.memory,
        );
        let verdict = match (self.is_failure, self.kept) {
            (false, _) => "nothing failed".to_owned(),
            (true, kept) => format!("FAILED, {kept} inputs kept"),
        };
        // Writing to a String cannot fail.
        write!(line, "{verdict}").ok();
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_target_has_seeds_words_and_a_program() {
        let fuzz = root().join("fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        for (target, dictionary, _) in TARGETS {
            assert!(kept(&fuzz.join("seeds").join(target)) > 5, "{target}");
            assert!(
                fuzz.join("words")
                    .join(dictionary)
                    .with_extension("dict")
                    .is_file()
            );
            assert!(
                fuzz.join("fuzz_targets")
                    .join(target)
                    .with_extension("rs")
                    .is_file()
            );
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        assert_eq!(kept(&fuzz.join("seeds")), TARGETS.len());
    }

    #[test]
    fn arguments_choose_target_and_time() {
        let wish = read(&words("parser --minutes 7 --asan")).unwrap();
        assert_eq!(
            wish,
            Wish {
                targets: vec![("parser", "imap", false)],
                minutes: 7,
                asan: true
            }
        );
        assert_eq!(read(&[]).unwrap().targets, TARGETS);
        for wrong in ["pasrer", "--minutes", "--minutes 0", "--minutes x"] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_fuzzer_prints_becomes_one_line() {
        let mut outcome = Outcome::default();
        for line in [
            "INFO: seed corpus: files: 20 min: 2b max: 700b total: 1840b rss: 41Mb",
            "#21\tINITED cov: 310 ft: 690 corp: 19/1700b exec/s: 0 rss: 42Mb",
            "#2291\tNEW    cov: 355 ft: 701 corp: 20/1711b lim: 700 exec/s: 0 rss: 43Mb L: 11/600 MS: 1 ChangeBit-",
            "#900000\tDONE   cov: 402 ft: 1500 corp: 211/9kb lim: 4096 exec/s: 3000 rss: 98Mb",
            "stat::number_of_executed_units: 900000",
            "stat::average_exec_per_sec:     3000",
            "stat::new_units_added:          192",
            "stat::slowest_unit_time_sec:    0",
            "stat::peak_rss_mb:              98",
        ] {
            outcome.hear(line);
        }
        assert_eq!(
            outcome.line("framer"),
            "framer   900000 runs, 3000/s; 402 edges, 92 of them new; 192 inputs found; 98 MiB; nothing failed"
        );
        outcome.is_failure = true;
        outcome.kept = 2;
        assert!(outcome.line("framer").ends_with("FAILED, 2 inputs kept"));
        assert!(!is_worth_showing("#2291\tNEW    cov: 355"));
        assert!(is_worth_showing("#900000\tDONE   cov: 402"));
    }
}
