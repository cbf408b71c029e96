//! `cargo xtask ci`: the whole gate, the same on a developer's machine and on a server.

use std::process::Command;

use anyhow::Result;

use crate::step::{self, cargo, output, say};
use crate::{arrows, coverage, docs, guide, lines, test};

/// Runs every check, the cheap ones first, and the tests last.
pub(crate) fn run(_: &[String]) -> Result<()> {
    ensure_components()?;
    step::run(&mut cargo(&["fetch", "--locked"]))?;
    step::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    lines::check()?;
    arrows::check()?;
    coverage::check()?;
    guide::check()?;
    say(
        "\nfile lengths, dependency arrows, the table of faults and tests and the pictures of the guide are right",
    );
    step::run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    // The product without its demonstration, as packagers build it. The linter is asked, not the compiler, because other
    // compiler flags would build every dependency again.
    step::run(&mut cargo(&[
        "clippy",
        "--package",
        "hikyaku",
        "--no-default-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    step::run(cargo(&["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-Dwarnings"))?;
    test::install(&[])?;
    docs::check()?;
    test::run_with(&[])
}

/// A minimal toolchain comes without the formatter and the linter.
fn ensure_components() -> Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if output(&mut cargo(&[command, "--version"])).is_err() {
            step::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}
