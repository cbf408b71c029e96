//! `hikyaku archive-worker`: this program as the process in which an archive from a stranger is read.
//!
//! No command for people: `serve` begins it, and speaks to it over standard input and output (see `hikyaku_cell`).

use crate::exit;
use clap::Parser;
use hikyaku_cell::{Allowance, confine, serve};
use hikyaku_service::server::ARCHIVE_WORKER;
use std::ffi::OsString;
use std::process::ExitCode;

/// Threads that read: one for each folder that is open, and some for the pipes.
const THREADS: usize = 8;

/// What it may use.
#[derive(Debug, Parser)]
struct Limits {
    #[arg(long)]
    memory: u64,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    file: u64,
}

/// The arguments of the worker, if it is asked for.
pub(crate) fn asked(arguments: &[OsString]) -> Option<&[OsString]> {
    let (_, rest) = arguments.split_first()?;
    (rest.first()? == ARCHIVE_WORKER).then_some(rest)
}

/// Reads one archive for whoever began this process, until they end.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    let Ok(limits) = Limits::try_parse_from(arguments) else {
        return ExitCode::from(exit::USAGE);
    };
    let allowance = Allowance {
        memory: limits.memory,
        seconds: limits.seconds,
        file: limits.file,
    };
    // Nothing is read without limits.
    if confine(allowance).is_err() {
        return ExitCode::from(exit::BUG);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(THREADS)
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::from(exit::BUG);
    };
    let served = runtime.block_on(serve(tokio::io::stdin(), tokio::io::stdout()));
    // A thread that still reads would keep the process waiting.
    runtime.shutdown_background();
    ExitCode::from(match served {
        Ok(()) => exit::DONE,
        Err(_) => exit::BUG,
    })
}
