//! `trials sim …` and `trials sweep …`; `cargo xtask` builds and starts this.

use std::process::ExitCode;

use hikyaku_trials::{simulation, sweep};

#[allow(clippy::print_stderr, reason = "a developer's tool")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((kind, rest)) if kind == "sim" => simulation::run(rest),
        Some((kind, rest)) if kind == "sweep" => sweep::run(rest),
        _ => {
            eprintln!("usage: trials sim [ARGUMENTS] | trials sweep [ARGUMENTS]");
            return ExitCode::FAILURE;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
