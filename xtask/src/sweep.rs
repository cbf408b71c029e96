//! `cargo xtask sweep`: every cut of the dialogue with a real server.

use anyhow::Result;

/// The arguments go to the sweep as they are.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    crate::trials::run("sweep", arguments)
}
