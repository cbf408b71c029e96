//! `cargo xtask test`: everything that tests the product, on a machine that has nothing but Rust and a C compiler.

use std::process::Command;

use anyhow::{Context, Result};

use crate::step::{self, cargo, output, say};

/// Installs what is missing, runs the documentation's examples, then all tests; the runner's summary comes last.
///
/// Arguments go to cargo-nextest. Where they choose a package, the rest of the workspace is left alone.
pub(crate) fn run_with(arguments: &[String]) -> Result<()> {
    let whole = !arguments
        .iter()
        .any(|word| word == "-p" || word.starts_with("--package"));
    if whole {
        // First, so that the summary of the tests stays the last thing on the screen.
        step::run(&mut cargo(&["test", "--quiet", "--workspace", "--doc"]))?;
    }
    let mut command = cargo(&["nextest", "run"]);
    if whole {
        command.arg("--workspace");
    }
    command.args(arguments);
    as_root(&mut command)?;
    step::run(&mut command)
}

/// Has cargo run what it builds as root, where this tool is not: mail servers change their user and so are started as
/// root. Only the finished programs run that way.
pub(crate) fn as_root(command: &mut Command) -> Result<()> {
    if hikyaku_testkit::install::is_root() {
        return Ok(());
    }
    let host = output(Command::new("rustc").arg("-vV"))?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not tell its host")?;
    let variable = format!(
        "CARGO_TARGET_{}_RUNNER",
        host.to_uppercase().replace('-', "_")
    );
    command.env(variable, "sudo -n -E");
    Ok(())
}

/// The command: [`install`], then [`run_with`].
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    install(&[])?;
    run_with(arguments)
}

/// Installs the mail servers, the database and the test runner where they are missing.
pub(crate) fn install(_: &[String]) -> Result<()> {
    hikyaku_testkit::install::ensure(&mut |text| say(text))?;
    if output(&mut cargo(&["nextest", "--version"])).is_err() {
        step::run(&mut cargo(&["install", "cargo-nextest", "--locked"]))?;
    }
    Ok(())
}
