//! Documents that the program itself writes: kept in the repository, and checked to be fresh.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::step::{cargo, output, root, say};

/// A file of the repository, and the cargo command that prints what should stand in it.
const GENERATED: &[(&str, &[&str])] = &[];

/// Fails when a generated document is not what its command prints today.
pub(crate) fn check() -> Result<()> {
    for (path, command) in GENERATED {
        let kept =
            fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))?;
        let fresh = output(&mut cargo(command))?;
        ensure!(
            kept == fresh,
            "{path} is out of date: run `cargo xtask docs`"
        );
    }
    Ok(())
}

/// Writes every generated document anew.
pub(crate) fn write(_: &[String]) -> Result<()> {
    for (path, command) in GENERATED {
        let fresh = output(&mut cargo(command))?;
        fs::write(root().join(path), fresh).with_context(|| format!("cannot write {path}"))?;
        say(&format!("wrote {path}"));
    }
    Ok(())
}
