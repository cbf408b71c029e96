//! Where the ledger of this computer is, and the right to work on an account.

use crate::commands::Context;
use crate::problem::{Failure, Problem};
use hikyaku_ledger::Store;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file inside the state directory.
const FILE: &str = "ledger.sqlite";

/// The ledger's file: `--state`, else the configuration, else the XDG state directory.
pub(crate) fn path(context: &Context) -> Result<PathBuf, Problem> {
    let global = context.global.state.clone();
    let directory = global
        .or_else(|| context.config.state.clone())
        .or_else(|| crate::paths::state_home().map(|home| home.join("hikyaku")));
    directory.map(|d| d.join(FILE)).ok_or(Problem::NoState)
}

/// Opens the ledger for a run that writes; makes it where there is none.
pub(crate) async fn open(context: &Context) -> Result<Store, Failure> {
    let path = path(context)?;
    if let Some(directory) = path.parent() {
        make_private(directory).map_err(|e| Problem::State(directory.to_owned(), e.kind()))?;
    }
    Ok(Store::open(&path).await?)
}

/// Opens the ledger for looking; `None` where there is none, and none is made.
pub(crate) async fn open_existing(context: &Context) -> Result<Option<Store>, Failure> {
    let path = path(context)?;
    match path.try_exists() {
        Ok(true) => Ok(Some(Store::open(&path).await?)),
        Ok(false) => Ok(None),
        Err(e) => Err(Problem::State(path, e.kind()).into()),
    }
}

/// Makes a directory that only its owner can enter. One that is there stays as it is.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}
