//! What the integration tests share: accounts on real servers, whole runs of the engine.

use hikyaku_core::Fault;
pub(crate) use hikyaku_core::Side;
use hikyaku_core::plan::Plan;
use hikyaku_core::policy::{Patience, Policy};
use hikyaku_core::report::Report;
use hikyaku_core::traits::{Destination, Source};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_testkit::memory::MemoryLedger;
use hikyaku_testkit::servers::{Account, MailServer};
use std::sync::Arc;
use std::time::Duration;

/// An account in clear text on a port of the loopback.
pub(crate) async fn connect(server: &dyn MailServer, account: &Account, side: Side) -> ImapAccount {
    let port = server.instance().port();
    let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
    let credentials = Credentials::password(&account.user, account.password.clone());
    let options = ImapOptions::new(endpoint, credentials);
    ImapAccount::connect(options).await.expect("login")
}

fn job(source: Arc<dyn Source>, destination: Arc<dyn Destination>, ledger: &MemoryLedger) -> Job {
    Job {
        source,
        destination,
        undo: None,
        ledger: Arc::new(ledger.clone()),
        observer: Arc::new(()),
        clock: Arc::new(SystemClock::default()),
        policy: Policy {
            patience: Patience {
                doubt_settle: Duration::ZERO,
                doubt_interval: Duration::ZERO,
                ..Patience::default()
            },
            ..Policy::default()
        },
        stop: Stop::new(),
        seed: 7,
    }
}

/// What a run between them would do.
pub(crate) async fn plan(source: Arc<dyn Source>, destination: Arc<dyn Destination>) -> Plan {
    let planned = job(source, destination, &MemoryLedger::default())
        .plan()
        .await;
    planned.expect("a plan")
}

/// A whole run, whatever comes of it.
pub(crate) async fn copy_somehow(
    source: Arc<dyn Source>,
    destination: Arc<dyn Destination>,
    ledger: &MemoryLedger,
) -> Result<Report, Fault> {
    let report = job(source, destination, ledger).copy().await;
    if let Ok(report) = &report {
        assert!(report.adds_up(), "{report:#?}");
    }
    report
}

/// A whole run that copies everything.
pub(crate) async fn copy(
    source: Arc<dyn Source>,
    destination: Arc<dyn Destination>,
    ledger: &MemoryLedger,
) -> Report {
    let report = copy_somehow(source, destination, ledger)
        .await
        .expect("a run");
    assert!(report.is_complete(), "{report:#?}");
    report
}
