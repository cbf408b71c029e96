//! The log: standard error, and only when somebody asked for it.

use std::io;
use tracing_subscriber::EnvFilter;

/// Starts the log of a service, which says by itself what its operator should know.
pub(crate) fn start_service(verbose: u8) {
    match verbose {
        0 => start_with("warn,hikyaku_service=info"),
        more => start(more),
    }
}

/// Starts the log for `-v` (what happens) or `-vv` (every connection in detail). A
/// filter in `HIKYAKU_LOG` refines it. Without `-v` there is none at all.
pub(crate) fn start(verbose: u8) {
    let usual = match verbose {
        0 => return,
        1 => "info",
        _ => {
            "info,hikyaku_engine=debug,hikyaku_imap=debug,hikyaku_net=debug,hikyaku_ledger=debug,hikyaku_service=debug"
        }
    };
    start_with(usual);
}

fn start_with(usual: &str) {
    let filter = EnvFilter::try_from_env("HIKYAKU_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init();
    // A second start in one process (tests) keeps the first.
    started.ok();
}
