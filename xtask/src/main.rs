//! The tool of this workspace: `cargo xtask test`, `cargo xtask ci` and what else developers run.
//!
//! One file a command; start reading at [`COMMANDS`].

mod arrows;
mod bench;
mod ci;
mod coverage;
mod docs;
mod fuzz;
mod guide;
mod lines;
mod sim;
mod step;
mod sweep;
mod test;
mod trials;

use std::process::ExitCode;

use anyhow::Result;

/// A command: its name, what it does, and the function that gets the arguments after the name.
type Command = (&'static str, &'static str, fn(&[String]) -> Result<()>);

/// Everything this tool can do, in the order of the help.
const COMMANDS: &[Command] = &[
    (
        "test",
        "install what the tests need, then run all of them; arguments go to cargo-nextest",
        test::run,
    ),
    (
        "ci",
        "the whole gate: format, lint, arrows, documents, then `test`",
        ci::run,
    ),
    (
        "bench",
        "measure hikyaku beside mbsync and dsync; `bench --help` says how",
        bench::run,
    ),
    (
        "sim",
        "copy in memory with faults by seed; `--seeds N`, or `--seed S` to replay one",
        sim::run,
    ),
    (
        "sweep",
        "cut the dialogue with a real server at every line",
        sweep::run,
    ),
    (
        "fuzz",
        "feed the parsers what nobody would write; `fuzz --help` says how",
        fuzz::run,
    ),
    (
        "guide",
        "take the pictures of docs/guide anew, with a real browser",
        guide::run,
    ),
    ("docs", "write the generated documents anew", docs::write),
    ("install", "only install what the tests need", test::install),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map(String::as_str).unwrap_or_default();
    let Some((_, _, run)) = COMMANDS.iter().find(|(known, _, _)| *known == name) else {
        step::say("usage: cargo xtask COMMAND [ARGUMENTS]\n");
        for (name, meaning, _) in COMMANDS {
            step::say(&format!("  {name:8} {meaning}"));
        }
        return ExitCode::FAILURE;
    };
    match run(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
