//! `cargo xtask sim`: faults by seed, in memory and virtual time.

use anyhow::Result;

/// `--seeds N` runs N seeds, `--seed S` replays one.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    crate::trials::run("sim", arguments)
}
