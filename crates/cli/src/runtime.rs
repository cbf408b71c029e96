//! Running to the end, or until the person has had enough.

use crate::output::Output;
use crate::problem::Failure;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_engine::Stop;
use std::future::Future;

/// Runs a future on a runtime of its own. The first Ctrl-C (or SIGTERM) asks `stop`
/// for a clean end, the second ends at once.
pub(crate) fn block_on<T>(
    output: Output,
    stop: Stop,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::bug(format!("no runtime: {e}")))?;
    let done = runtime.block_on(async {
        let mut signals = Signals::new();
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = signals.next() => {}
        }
        stop.request();
        output.note(&hikyaku_text::run::stopping(output.lang));
        tokio::select! {
            biased;
            done = &mut work => done,
            () = signals.next() => Err(at_once().into()),
        }
    });
    // A name that is being looked up would keep the process waiting.
    runtime.shutdown_background();
    done
}

fn at_once() -> Fault {
    Fault::new(
        Code::Interrupted,
        Reach::Job,
        Remedy::Retry { after: None },
        "interrupted twice; what was under way is looked up in the next run",
    )
}

/// The signals by which a person or a service manager ends a program.
struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        let interrupt = tokio::signal::ctrl_c();
        match &mut self.terminate {
            Some(terminate) => tokio::select! {
                done = interrupt => wait_if_deaf(done).await,
                _ = terminate.recv() => {}
            },
            None => wait_if_deaf(interrupt.await).await,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        wait_if_deaf(tokio::signal::ctrl_c().await).await;
    }
}

/// Without a handler no signal ever comes this way; the system ends the program.
async fn wait_if_deaf(heard: std::io::Result<()>) {
    if heard.is_err() {
        std::future::pending::<()>().await;
    }
}
