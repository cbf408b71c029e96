//! `hikyaku serve`: pages, workers and database in one process.

use super::Context;
use crate::args::ServeArgs;
use crate::problem::{Failure, Problem};
use crate::{exit, paths, runtime, words};
use hikyaku_engine::Stop;
use hikyaku_service::config::Config;
use hikyaku_service::server::{NoStart, Server};
use std::path::PathBuf;

pub(super) fn run(context: &Context, args: &ServeArgs) -> Result<u8, Failure> {
    let config = settings(context, args)?;
    let stop = Stop::new();
    let output = context.output;
    runtime::block_on(output, stop.clone(), async {
        let server = Server::open(config).await?;
        output.note(&words::serve::open(server.url(), output.lang));
        server.run(stop).await?;
        Ok(exit::DONE)
    })
}

/// What the file says, and what the command line says instead.
fn settings(context: &Context, args: &ServeArgs) -> Result<Config, Problem> {
    let mut config = match &context.global.config {
        Some(path) => Config::load(path).map_err(Problem::Service)?,
        None => Config::default(),
    };
    if !args.brand.is_empty() {
        config.brands = args.brand.clone();
        config.destination = None;
    }
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if args.catch_mail {
        config.catch_mail = true;
        config.smtp = None;
    }
    let named = context.global.state.clone().or(config.state.take());
    config.state = Some(named.or_else(usual_state).ok_or(Problem::NoState)?);
    Ok(config)
}

/// Apart from the ledger of the other commands.
fn usual_state() -> Option<PathBuf> {
    paths::state_home().map(|home| home.join("hikyaku").join("service"))
}

impl From<NoStart> for Failure {
    fn from(why: NoStart) -> Self {
        match why {
            NoStart::Config(problem) => Problem::Service(problem).into(),
            NoStart::Listen(address, e) => Problem::Listen(address, e.kind()).into(),
            NoStart::State(path, e) => Problem::State(path, e.kind()).into(),
            NoStart::Fault(fault) => fault.into(),
        }
    }
}
