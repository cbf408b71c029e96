//! What can be done with jobs, by the page and by whoever else may.
//!
//! A job is a row of the ledger's database (`rows` knows how it is written down). Every action is one transaction that
//! holds only if nobody changed the job since it was read, else it is decided anew; every action is audited. A job that
//! a worker has in hand is not changed but wished for: see [`hikyaku_ledger::service::Wish`].

mod actions;
pub(crate) mod again;
mod erase;
mod error;
pub(crate) mod hub;
pub(crate) mod rows;

pub use error::JobError;

use crate::job::{Choices, Job, JobId, Kind, Order, State};
use crate::seal::{Key, side_name};
use hikyaku_core::traits::Clock;
use hikyaku_core::{Fault, Side};
use hikyaku_engine::SystemClock;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{Added, AuditRow, JobRow, Lane, NewJob};
use hikyaku_net::Secret;
use hub::Hub;
use rows::{Head, part};
use std::sync::Arc;

/// How long the passwords of a job are kept in which nothing happens.
pub const INACTIVE_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// How long the passwords of a final run are kept at most.
pub const FINAL_RUN_MILLIS: i64 = 30 * 24 * 60 * 60 * 1000;

/// As long as somebody works on the job.
pub(crate) const WHILE_BUSY: i64 = i64::MAX;

/// Jobs of one owner that a list shows.
const LISTED: u32 = 200;

/// Whose a job is: the account at the destination, as it is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Identity of the brand.
    pub brand: String,
    /// Mail address at the brand's destination.
    pub address: String,
}

impl Owner {
    /// The address as it is compared: people write it in either case.
    pub(crate) fn key(&self) -> String {
        self.address.to_lowercase()
    }

    pub(crate) fn who(&self) -> String {
        format!("{}/{}", self.brand, self.key())
    }
}

/// The passwords of both sides.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Of the source.
    pub source: Option<Secret>,
    /// Of the destination; `None` where the brand has a login of its own.
    pub destination: Option<Secret>,
}

impl Secrets {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.source.is_none() && self.destination.is_none()
    }
}

/// All jobs of a service. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) inner: Arc<Inner>,
    client: Arc<str>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) key: Key,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hub: Hub,
}

impl Jobs {
    /// The jobs in this store, whose passwords this key seals.
    pub fn new(store: Store, key: Key) -> Self {
        Self::with_clock(store, key, Arc::new(SystemClock::default()))
    }

    /// The same with another clock: for tests.
    pub fn with_clock(store: Store, key: Key, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            store,
            key,
            clock,
            hub: Hub::default(),
        };
        Self {
            inner: Arc::new(inner),
            client: Arc::from(""),
        }
    }

    /// The same for a client with this network address, which the audit then names.
    #[must_use]
    pub fn for_client(&self, address: impl ToString) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            client: Arc::from(address.to_string()),
        }
    }

    /// Where they are kept: also sessions, mails and the audit.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Takes an order; its check begins at once. With a token that the owner has used before this is the job of the first
    /// time, and nothing new.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn submit(
        &self,
        owner: &Owner,
        order: Order,
        secrets: Secrets,
        token: &str,
    ) -> Result<JobId, Fault> {
        let head = Head {
            kind: Kind::Copy,
            order,
            previous: None,
        };
        let new = NewRow {
            head,
            state: State::Received,
            lane: Lane::Check,
            secrets: &secrets,
            secrets_until: self.now() + INACTIVE_MILLIS,
        };
        self.add(owner, new, token, "job.submit").await
    }

    /// A job; `None` where there is none, and for that of another owner.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn job(&self, owner: &Owner, id: JobId) -> Result<Option<Job>, Fault> {
        let row = self.inner.store.queue().find(&id.to_string()).await?;
        row.filter(|row| is_of(row, owner))
            .map(|row| self.read(&row))
            .transpose()
    }

    /// The owner's latest jobs, newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn jobs(&self, owner: &Owner) -> Result<Vec<Job>, Fault> {
        let queue = self.inner.store.queue();
        let rows = queue.of_owner(&owner.brand, &owner.key(), LISTED).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    /// Rises whenever the job changed, progress included. The first value counts as seen.
    pub fn watch(&self, id: JobId) -> tokio::sync::watch::Receiver<u64> {
        self.inner.hub.watch(id)
    }

    /// A job as it stands, with what its worker has not written down yet.
    pub(crate) fn read(&self, row: &JobRow) -> Result<Job, Fault> {
        let mut job = rows::read(row)?;
        if row.is_leased(self.now())
            && let Some(live) = self.inner.hub.live(job.id, row.fence)
        {
            job.progress = live;
        }
        Ok(job)
    }

    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.unix_millis()
    }

    /// Adds a job, or finds the one of this token.
    async fn add(
        &self,
        owner: &Owner,
        new: NewRow<'_>,
        token: &str,
        what: &str,
    ) -> Result<JobId, Fault> {
        let id = JobId::random();
        let job = self.new_job(owner, id, new, token, what)?;
        self.add_row(id, job).await
    }

    async fn add_row(&self, id: JobId, job: NewJob) -> Result<JobId, Fault> {
        match self.inner.store.queue().add(job).await? {
            Added::New => {
                self.inner.hub.ring(id);
                Ok(id)
            }
            Added::Known(known) => known
                .parse()
                .map_err(|_| Fault::bug("a job has an impossible name")),
        }
    }

    pub(crate) fn new_job(
        &self,
        owner: &Owner,
        id: JobId,
        new: NewRow<'_>,
        token: &str,
        what: &str,
    ) -> Result<NewJob, Fault> {
        let order = &new.head.order;
        Ok(NewJob {
            id: id.to_string(),
            tenant: owner.brand.clone(),
            owner: owner.key(),
            token: token.to_owned(),
            state: rows::word(new.state).to_owned(),
            lane: new.lane,
            due: 0,
            host: rows::host_of(order),
            source: rows::source_of(order),
            destination: rows::destination_of(order),
            begins: 0,
            now_millis: self.now(),
            parts: vec![(part::HEAD.to_owned(), rows::json(&new.head)?)],
            secrets: self.seal(id, new.secrets)?,
            secrets_until: new.secrets_until,
            audit: Some(self.audit(owner, id, what)),
        })
    }

    pub(crate) fn seal(
        &self,
        id: JobId,
        secrets: &Secrets,
    ) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let both = [
            (Side::Source, &secrets.source),
            (Side::Destination, &secrets.destination),
        ];
        both.into_iter()
            .filter_map(|(side, secret)| Some((side, secret.as_ref()?)))
            .map(|(side, secret)| {
                let sealed = self.inner.key.seal(id, side, secret)?;
                Ok((side_name(side).to_owned(), sealed))
            })
            .collect()
    }

    /// The passwords that are kept for a job.
    pub(crate) async fn secrets(&self, id: JobId) -> Result<Secrets, Fault> {
        let mut secrets = Secrets::default();
        for (name, sealed, _) in self.inner.store.queue().secrets(&id.to_string()).await? {
            for side in [Side::Source, Side::Destination] {
                if name == side_name(side) {
                    let secret = Some(self.inner.key.open(id, side, &sealed)?);
                    match side {
                        Side::Source => secrets.source = secret,
                        Side::Destination => secrets.destination = secret,
                    }
                }
            }
        }
        Ok(secrets)
    }

    pub(crate) fn audit(&self, owner: &Owner, id: JobId, what: &str) -> AuditRow {
        AuditRow {
            happened: self.now(),
            who: owner.who(),
            what: what.to_owned(),
            job: id.to_string(),
            address: self.client.to_string(),
        }
    }
}

/// What a job begins with.
pub(crate) struct NewRow<'a> {
    pub(crate) head: Head,
    pub(crate) state: State,
    pub(crate) lane: Lane,
    pub(crate) secrets: &'a Secrets,
    pub(crate) secrets_until: i64,
}

fn is_of(row: &JobRow, owner: &Owner) -> bool {
    row.tenant == owner.brand && row.owner == owner.key()
}

/// The same order with other choices.
fn with_choices(order: &Order, choices: Choices) -> Order {
    Order {
        choices,
        ..order.clone()
    }
}
