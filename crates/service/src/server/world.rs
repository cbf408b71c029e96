//! What workers need of the world, out of the configuration and the brands.

use crate::accounts;
use crate::brand::{Brand, Brands, Plan};
use crate::config::Config;
use crate::dns::Dns;
use crate::job::{Checked, Delivery, Job, JobId, Order};
use crate::jobs::{Jobs, Secrets};
use crate::notice::{self, Links, NoticeKind};
use crate::policy::policy;
use crate::preflight;
use crate::uploads::{self, Uploads};
use crate::worker::{Accounts, Tell, World};
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::policy::Policy;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_engine::SystemClock;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::NewLetter;
use hikyaku_net::guard::Guard;
use hikyaku_text::Lang;

/// The world of a service.
pub(super) struct Served {
    brands: Brands,
    guard: Guard,
    dns: Dns,
    links: Links,
    uploads: Option<Uploads>,
}

impl Served {
    pub(super) fn new(config: &Config, brands: Brands, dns: Dns, uploads: Option<Uploads>) -> Self {
        Self {
            brands,
            guard: accounts::guard(&config.egress, &dns),
            dns,
            links: Links::new(&config.public_url()),
            uploads,
        }
    }

    fn brand(&self, order: &Order) -> Result<&Brand, Fault> {
        let brand = self.brands.get(&order.brand);
        brand.ok_or_else(|| gone(format!("there is no brand {} any more", order.brand)))
    }

    fn plan(&self, order: &Order) -> Result<&Plan, Fault> {
        let brand = self.brand(order)?;
        let plan = brand.plan(&order.plan);
        plan.ok_or_else(|| gone(format!("there is no plan {} any more", order.plan)))
    }
}

/// What the operator took away while a job needed it.
fn gone(why: String) -> Fault {
    Fault::new(Code::ConfigInvalid, Reach::Job, Remedy::AskUser, why)
}

impl World for Served {
    fn check<'a>(
        &'a self,
        order: &'a Order,
        secrets: Secrets,
        store: &'a Store,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Checked> {
        async move {
            let (brand, plan) = match (self.brand(order), self.plan(order)) {
                (Ok(brand), Ok(plan)) => (brand, plan),
                (Err(fault), _) | (_, Err(fault)) => return preflight::impossible(&fault),
            };
            let request = preflight::Request {
                order,
                secrets: &secrets,
                brand,
                plan,
                guard: &self.guard,
                dns: &self.dns,
                uploads: self.uploads.as_ref(),
                store,
                now_millis: SystemClock::default().unix_millis(),
            };
            preflight::check(request, tell).await
        }
        .boxed()
    }

    fn accounts(&self, job: &Job, secrets: &Secrets) -> Result<Accounts, Fault> {
        let order = &job.order;
        let brand = self.brand(order)?;
        if let Some(id) = order.source.upload() {
            let uploads = self.uploads.as_ref();
            let uploads = uploads.ok_or_else(|| gone("uploads are not offered any more".into()))?;
            let address = &order.destination;
            return Ok(Accounts {
                source: uploads::source_id(&order.source.address),
                way: uploads.way(id, order.choices.read),
                destination: accounts::destination_id(brand, address),
                destination_options: accounts::destination_options(
                    brand,
                    address,
                    secrets.destination.as_ref(),
                )?,
            });
        }
        let reached = job.checked.as_ref().and_then(|c| c.reached.as_ref());
        let reached = reached.ok_or_else(|| Fault::bug("a job without a check is run"))?;
        let missing = || {
            let why = "the password of the source is not kept any more";
            Fault::new(Code::SecretUnreadable, Reach::Job, Remedy::AskUser, why).on(Side::Source)
        };
        let secret = secrets.source.as_ref().ok_or_else(missing)?;
        let guard = accounts::guard_of(brand, &self.guard);
        let accepted = order.source.accepted.as_ref();
        let address = &order.destination;
        Ok(Accounts {
            source: accounts::source_id(reached),
            way: accounts::source_way(reached, secret, accepted, &order.choices, &guard),
            destination: accounts::destination_id(brand, address),
            destination_options: accounts::destination_options(
                brand,
                address,
                secrets.destination.as_ref(),
            )?,
        })
    }

    fn policy(&self, job: &Job) -> Result<Policy, Fault> {
        let plan = self.plan(&job.order)?;
        let hidden = job.checked.as_ref().map_or(&[][..], |c| &c.hidden);
        let lang = Lang::from_name(&job.order.lang).unwrap_or(Lang::Ja);
        let Order {
            source, choices, ..
        } = &job.order;
        let created = job.created_millis;
        Ok(policy(plan, &source.kind, choices, hidden, created, lang))
    }

    fn mail(&self, job: &Job, kind: NoticeKind, key: &str) -> Result<Option<NewLetter>, Fault> {
        let brand = self.brand(&job.order)?;
        Ok(notice::letter(brand, job, kind, key, &self.links))
    }

    fn is_moved<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, bool> {
        async move {
            let Ok(brand) = self.brand(order) else {
                return false;
            };
            preflight::delivery_of(&self.dns, brand, &order.destination).await == Delivery::Here
        }
        .boxed()
    }

    fn let_go<'a>(&'a self, jobs: &'a Jobs, job: JobId) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            match &self.uploads {
                Some(uploads) => uploads.let_go(jobs, job).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn sweep<'a>(&'a self, jobs: &'a Jobs) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            match &self.uploads {
                Some(uploads) => uploads.sweep(jobs).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn retention_days(&self, order: &Order) -> u32 {
        let usual = Plan::default().retention_days;
        self.plan(order).map_or(usual, |plan| plan.retention_days)
    }
}
