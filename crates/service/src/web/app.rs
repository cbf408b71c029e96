//! What all requests share.

use super::limits::Limits;
use crate::accounts;
use crate::brand::Brands;
use crate::config::Config;
use crate::dns::Dns;
use crate::jobs::{Jobs, Owner};
use crate::notice::Catcher;
use crate::uploads::Uploads;
use hikyaku_core::Fault;
use hikyaku_ledger::service::{AuditRow, Sessions};
use hikyaku_net::Secret;
use hikyaku_net::guard::Guard;
use std::net::IpAddr;
use std::sync::Arc;

/// What the page is made of.
pub struct Parts {
    /// What can be done with jobs.
    pub jobs: Jobs,
    /// Whose page it is.
    pub brands: Brands,
    /// What the operator chose.
    pub config: Config,
    /// Tells whether ⑤ can receive mail; `None`: nobody is asked.
    pub dns: Option<Dns>,
    /// What people upload; `None`: nothing.
    pub uploads: Option<Uploads>,
    /// Shows mails instead of sending them.
    pub catcher: Option<Catcher>,
}

/// State of the router. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    sessions: Sessions,
    handover: Option<Secret>,
    limits: Limits,
    guard: Guard,
}

impl App {
    /// Reads the key of the hand-over, where there is one.
    ///
    /// # Errors
    /// `SecretUnreadable` for a hand-over key that cannot be read.
    pub fn new(parts: Parts) -> Result<Self, Fault> {
        let handover = match &parts.config.handover_secret {
            Some(from) => Some(super::handover::read_key(from)?),
            None => None,
        };
        let limits = Limits::new(parts.config.attempts);
        let sessions = parts.jobs.store().sessions();
        let egress = &parts.config.egress;
        let guard = match &parts.dns {
            Some(dns) => accounts::guard(egress, dns),
            None => accounts::guard_by_system(egress),
        };
        Ok(Self(Arc::new(Inner {
            parts,
            sessions,
            handover,
            limits,
            guard,
        })))
    }

    /// What can be done with jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.0.parts.jobs
    }

    /// Notes who did what, apart from what was done with a job.
    pub(crate) async fn audit(
        &self,
        owner: &Owner,
        what: &str,
        client: IpAddr,
    ) -> Result<(), Fault> {
        let row = AuditRow {
            happened: self.now_millis(),
            who: owner.who(),
            what: what.to_owned(),
            job: String::new(),
            address: client.to_string(),
        };
        self.jobs().store().audit().note(row).await
    }

    /// All brands.
    pub(crate) fn brands(&self) -> &Brands {
        &self.0.parts.brands
    }

    /// What the operator chose.
    pub(crate) fn config(&self) -> &Config {
        &self.0.parts.config
    }

    /// Who is signed in.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The mails that were not sent.
    pub(crate) fn catcher(&self) -> Option<&Catcher> {
        self.0.parts.catcher.as_ref()
    }

    /// Questions to DNS.
    pub(crate) fn dns(&self) -> Option<&Dns> {
        self.0.parts.dns.as_ref()
    }

    /// Which servers may be reached as a source.
    pub(crate) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// What people upload.
    pub(crate) fn uploads(&self) -> Option<&Uploads> {
        self.0.parts.uploads.as_ref()
    }

    /// How often somebody may try.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The key that hand-over tokens are signed with.
    pub(crate) fn handover_key(&self) -> Option<&Secret> {
        self.0.handover.as_ref()
    }

    /// Milliseconds since 1970 UTC.
    pub(crate) fn now_millis(&self) -> i64 {
        self.jobs().now()
    }

    /// Whether people come by TLS: then cookies go nowhere else.
    pub(crate) fn is_https(&self) -> bool {
        self.config().public_url().starts_with("https://")
    }
}
