//! `hikyaku demo`: the real engine between two servers in this process, then the page to try it out.

use super::{Context, copy};
use crate::args::DemoArgs;
use crate::demo::{Demo, PASSWORD, VISITOR, loopback};
use crate::problem::Failure;
use crate::progress::Progress;
use crate::words::demo::TryOut;
use crate::{exit, json, results, runtime, words};
use hikyaku_core::Side::{Destination, Source};
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::{Fault, Observer};
use hikyaku_engine::{Depth, Job, Stop, SystemClock};
use hikyaku_ledger::Store;
use hikyaku_service::config::{Config, Egress};
use hikyaku_service::server::{NoStart, Server};
use std::sync::Arc;

pub(super) fn run(context: &Context, args: &DemoArgs) -> Result<u8, Failure> {
    let stop = Stop::new();
    runtime::block_on(context.output, stop.clone(), show(context, args, stop))
}

async fn show(context: &Context, args: &DemoArgs, stop: Stop) -> Result<u8, Failure> {
    let (output, lang) = (context.output, context.output.lang);
    let demo = Demo::start()
        .await
        .map_err(|e| Fault::bug(format!("the demo's servers cannot listen on loopback: {e}")))?;
    let (old, new) = (demo.locator(Source), demo.locator(Destination));
    output.note(&words::demo::intro(&old, &new, lang));

    output.note(words::demo::first(lang));
    let store = Store::open_in_memory().await?;
    let first = copy_once(context, &demo, &store, &stop).await?;
    show_report(context, &first, results::Kind::Copy);

    output.note(words::demo::proof(lang));
    let proof = check(context, &demo, &store, &stop).await?;
    show_report(context, &proof, results::Kind::Check);
    let code =
        exit::exit_code(&Ok(first.clone()), false).max(exit::exit_code(&Ok(proof.clone()), false));

    output.note(words::demo::second(lang));
    let second = copy_once(context, &demo, &store, &stop).await?;
    output.note(&words::demo::copied_again(second.copied_now(), lang));
    let code = match second.copied_now() {
        0 => code,
        _ => exit::DIFFERENT,
    };
    let stays = args.stay || (output.is_watched() && !output.json);
    if stays && code == exit::DONE {
        open_page(context, args, &demo, stop).await?;
    }
    Ok(code)
}

/// Leaves the page open between both servers until the person has had enough.
async fn open_page(
    context: &Context,
    args: &DemoArgs,
    demo: &Demo,
    stop: Stop,
) -> Result<(), Failure> {
    let output = context.output;
    let config = Config {
        listen: args.listen.unwrap_or(Config::default().listen),
        catch_mail: true,
        egress: Egress {
            allow: vec![loopback()],
            ports: vec![demo.port(Source)],
            ..Egress::default()
        },
        ..Config::default()
    };
    let destination = demo.destination();
    let server = match Server::to_try_out(config.clone(), destination.clone()).await {
        // Another program has the usual port, and nobody asked for that one.
        Err(NoStart::Listen(mut listen, _)) if args.listen.is_none() => {
            listen.set_port(0);
            Server::to_try_out(Config { listen, ..config }, destination).await?
        }
        opened => opened?,
    };
    let try_out = TryOut {
        url: server.url(),
        address: VISITOR,
        password: PASSWORD,
        host: &format!("127.0.0.1:{}", demo.port(Source)),
    };
    output.note(&words::demo::page(&try_out, output.lang));
    Ok(server.run(stop).await?)
}

fn show_report(context: &Context, report: &Report, kind: results::Kind) {
    if !context.output.json {
        let text = results::report(report, &[], kind, None, context.output.lang);
        context.output.result(&text);
    }
}

async fn copy_once(
    context: &Context,
    demo: &Demo,
    store: &Store,
    stop: &Stop,
) -> Result<Report, Failure> {
    announce(context, demo, "copy");
    let progress = Arc::new(Progress::start(context.output));
    let job = job(demo, store, progress.clone(), stop).await?;
    let report = copy::watch(&progress, job.copy()).await;
    close(&job).await;
    ended(context, report)
}

async fn check(
    context: &Context,
    demo: &Demo,
    store: &Store,
    stop: &Stop,
) -> Result<Report, Failure> {
    announce(context, demo, "check");
    let progress = Arc::new(Progress::start(context.output));
    let job = job(demo, store, progress.clone(), stop).await?;
    let report = copy::watch(&progress, job.check(Depth::Full)).await;
    close(&job).await;
    ended(context, report)
}

/// As JSON every run ends with its report; as text the reports have an order of their own.
fn ended(context: &Context, report: Result<Report, Fault>) -> Result<Report, Failure> {
    let report = report?;
    if context.output.json {
        json::report(context.output, &report, &[]);
    }
    Ok(report)
}

fn announce(context: &Context, demo: &Demo, command: &str) {
    let (source, destination) = (demo.account(Source), demo.account(Destination));
    json::start(context.output, command, Some(&source), Some(&destination));
}

async fn job(
    demo: &Demo,
    store: &Store,
    observer: Arc<dyn Observer>,
    stop: &Stop,
) -> Result<Job, Failure> {
    let (source, destination) = tokio::try_join!(demo.connect(Source), demo.connect(Destination))?;
    let ledger = store
        .pair(&demo.account(Source), &demo.account(Destination))
        .await?;
    Ok(Job {
        source: Arc::new(source),
        destination: Arc::new(destination),
        undo: None,
        ledger: Arc::new(ledger),
        observer,
        clock: Arc::new(SystemClock::default()),
        policy: Policy::default(),
        stop: stop.clone(),
        seed: 1,
    })
}

async fn close(job: &Job) {
    tokio::join!(job.source.close(), job.destination.close());
}
