//! The long trials are a program of their own, so that they run optimised and this tool stays small.

use std::process::Command;

use anyhow::Result;

use crate::step;

/// Builds the trials, runs one of them, and fails when it fails.
pub(crate) fn run(kind: &str, arguments: &[String]) -> Result<()> {
    step::run(&mut command(kind, arguments))
}

/// What [`run`] runs.
pub(crate) fn command(kind: &str, arguments: &[String]) -> Command {
    let mut command = step::cargo(&["run", "--release", "--quiet", "-p", "hikyaku-trials", "--"]);
    command.arg(kind).args(arguments);
    command
}
