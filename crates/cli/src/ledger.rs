//! Where the ledger of this computer is, and the right to work on an account.

use crate::commands::Context;
use crate::output::told;
use crate::problem::{Failure, Problem};
use crate::words;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Fault};
use hikyaku_engine::SystemClock;
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

/// Opens the ledger for a run that writes; makes it where there is none. A damaged one
/// is set aside, which the person is told.
pub(crate) async fn open(context: &Context) -> Result<Store, Failure> {
    let path = path(context)?;
    if let Some(directory) = path.parent() {
        make_private(directory).map_err(|e| Problem::State(directory.to_owned(), e.kind()))?;
    }
    let now = SystemClock::default().unix_millis();
    let (store, aside) = Store::open_or_renew(&path, now).await?;
    if let Some(aside) = aside {
        let lang = context.output.lang;
        let found = Fault {
            // What comes next has happened already.
            detail: String::new(),
            ..aside.why
        };
        let mut lines = told(&found, lang);
        lines.truncate(1);
        lines.push(words::ledger_set_aside(
            &aside.to.display().to_string(),
            lang,
        ));
        context.output.note(&lines.join("\n"));
    }
    Ok(store)
}

/// Opens the ledger of a run that writes, where there is one. A damaged one counts as
/// none: [`open`] deals with it.
pub(crate) async fn open_kept(context: &Context) -> Result<Option<Store>, Failure> {
    match open_existing(context).await {
        Err(Failure::Fault(fault)) if fault.code == Code::LedgerDamaged => Ok(None),
        opened => opened,
    }
}

/// A ledger that ends with the run. It holds the destination account where other runs
/// of this person look: beside the ledger that is there, and in the session's directory.
pub(crate) async fn open_stateless(context: &Context) -> Result<Store, Failure> {
    let kept = path(context).ok().filter(|path| path.is_file());
    let session = crate::paths::runtime_home().map(|home| home.join("hikyaku"));
    let places = kept.into_iter().chain(session).collect();
    Ok(Store::open_in_memory().await?.holding_beside(places))
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
