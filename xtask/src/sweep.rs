//! `cargo xtask sweep`: every cut of the dialogue with a real server.

use anyhow::Result;

use crate::{step, test, trials};

/// Installs the mail server where it is missing; the arguments go to the sweep as they are.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    hikyaku_testkit::install::ensure(&mut |text| step::say(text))?;
    let mut command = trials::command("sweep", arguments);
    test::as_root(&mut command)?;
    step::run(&mut command)
}
