//! The long trials are a program of their own, so that they run optimised and this tool stays small.

use anyhow::Result;

use crate::step;

/// Builds the trials, runs one of them, and fails when it fails.
pub(crate) fn run(kind: &str, arguments: &[String]) -> Result<()> {
    let mut command = step::cargo(&["run", "--release", "--quiet", "-p", "hikyaku-trials", "--"]);
    step::run(command.arg(kind).args(arguments))
}
