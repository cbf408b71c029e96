//! The binary `hikyaku`: arguments, calls, progress, exit codes.
//!
//! Start reading at [`run`]; what each command does is in `commands/`. Nothing here
//! knows a protocol or decides what is copied.

mod account;
mod archive_worker;
mod args;
mod commands;
mod config;
#[cfg(feature = "demo")]
mod demo;
pub mod exit;
mod figures;
mod folders;
mod json;
mod ledger;
mod locator;
mod log;
mod output;
mod paths;
mod problem;
mod progress;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
mod renewal;
mod results;
mod room;
mod runtime;
mod secret;
mod side;
mod suggest;
mod terminal;
mod values;
mod words;

use args::Args;
use clap::Parser;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Does what the arguments ask for and says how it went.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(rest) = archive_worker::asked(&arguments) {
        return archive_worker::run(rest);
    }
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers, not mistakes; a closed pipe is nobody's.
            error.print().ok();
            let code = if error.use_stderr() {
                exit::USAGE
            } else {
                exit::DONE
            };
            return ExitCode::from(code);
        }
    };
    // A panic has said where it happened already. What was under way is in the ledger.
    let code = catch_unwind(AssertUnwindSafe(|| commands::run(args))).unwrap_or(exit::BUG);
    ExitCode::from(code)
}
