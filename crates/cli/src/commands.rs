//! What the commands do, one file each.

mod backup;
mod beside;
mod config;
mod copy;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod find;
mod folders;
mod generate;
mod jobs;
mod leave_pop;
mod pair;
mod reached;
mod report;
mod serve;
mod size;
mod undo;
mod way;

use crate::args::{Args, Command, ConfigCommand, Global};
use crate::config::Config;
use crate::exit;
use crate::log;
use crate::output::Output;
use crate::problem::{Failure, Problem};
use crate::words::lang_of_surroundings;
use hikyaku_core::{Code, Fault, Remedy};
use hikyaku_text::{About, Lang, run};

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) global: Global,
    pub(crate) config: Config,
}

/// The exit code.
pub(crate) fn run(args: Args) -> u8 {
    let mut output = Output {
        lang: args.global.lang.unwrap_or_else(lang_of_surroundings),
        json: args.global.json,
        verbose: args.global.verbose > 0,
    };
    // The file of the service is another one; it reads that itself.
    let config = match args.command {
        Command::Serve(_) => Ok(Config::default()),
        _ => load(&args.global),
    };
    let config = match config {
        Ok(config) => config,
        Err(problem) => return fail(output, &problem.into(), false),
    };
    if let (None, Some(lang)) = (args.global.lang, config.lang) {
        output.lang = lang;
    }
    let context = Context {
        output,
        global: args.global,
        config,
    };
    match args.command {
        Command::Serve(_) => log::start_service(context.global.verbose),
        _ => log::start(context.global.verbose),
    }
    let done = match args.command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(&context, &args),
        Command::Serve(args) => serve::run(&context, &args),
        Command::Copy(args) => copy::copy(&context, &args),
        Command::Plan(args) => copy::plan(&context, &args),
        Command::Check(args) => copy::check(&context, &args),
        Command::Backup(args) => backup::backup(&context, &args),
        Command::Restore(args) => backup::restore(&context, &args),
        Command::LeavePop(args) => leave_pop::run(&context, &args),
        Command::Find(args) => find::run(&context, &args),
        Command::Undo(args) => undo::run(&context, &args),
        Command::Explain { code } => explain::run(&context, code.as_deref()),
        Command::Completions { shell } => generate::completions(&context, shell),
        Command::Man { out } => generate::man(&context, out.as_deref()),
        Command::Config(ConfigCommand::Check) => config::check(&context),
        Command::Folders(args) => folders::run(&context, &args),
        Command::Size(args) => size::run(&context, &args),
        Command::Report(args) => report::run(&context, &args),
        Command::Jobs => jobs::list(&context),
        Command::Forget(args) => jobs::forget(&context, &args),
    };
    done.unwrap_or_else(|failure| {
        let code = fail(output, &failure, context.global.no_wait);
        if let (exit::THROTTLED, false) = (code, output.json) {
            output.note(&not_waiting(&failure.fault(), output.lang));
        }
        if failure.fault().code == Code::SourceDeletes && !output.json {
            output.note(&hikyaku_text::pop3::accept_deletion(output.lang));
        }
        code
    })
}

fn fail(output: Output, failure: &Failure, no_wait: bool) -> u8 {
    output.failure(failure);
    exit::without_start(failure.fault().code, no_wait)
}

/// Why a run with `--no-wait` is over, and for how long the server wants to be left alone.
fn not_waiting(fault: &Fault, lang: Lang) -> String {
    match fault.remedy {
        Remedy::Retry { after: Some(after) } => run::not_waiting_for(About(after), lang),
        _ => run::not_waiting(lang),
    }
}

fn load(global: &Global) -> Result<Config, Problem> {
    let named = global.config.is_some();
    match global.config.clone().or_else(Config::usual_path) {
        Some(path) => Ok(Config::load(&path, named)?),
        None => Ok(Config::default()),
    }
}
