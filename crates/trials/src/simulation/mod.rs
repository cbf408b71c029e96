//! One seed, one world: two accounts, everything that goes wrong, and a judge who knows the truth.

use anyhow::{Result, bail};

/// Runs the simulation as the command line asks.
///
/// # Errors
/// What went wrong, or that an invariant was broken.
pub fn run(_arguments: &[String]) -> Result<()> {
    bail!("the simulation is not written yet")
}
