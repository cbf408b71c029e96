//! An IMAP account as source and destination.
//!
//! ```text
//!  ImapAccount ─► Pool ─► Lease (one connection) ─► Opened (one mailbox)
//!                                                     Reader: keys, list, changed, read, head
//!                                                     Writer: append, store_flags
//!  ImapUndo ─► connections of its own ─► Opened     Remover: remove
//! ```
//!
//! It must not know the engine. Start reading at [`ImapAccount::connect`].

mod append;
mod body;
mod budget;
mod ensure;
mod fetching;
mod gmail;
mod listing;
mod login;
mod mailboxes;
mod namespace;
mod opened;
mod pool;
mod reading;
mod survey;
#[cfg(test)]
mod tests;
mod undo;

use crate::connection::{Access, Connection};
use crate::encode::Command;
use crate::frame::FrameLimits;
use crate::machine::Takes;
use crate::quirks::Product;
use crate::response::{QuotaRow, Response};
use crate::session::{Facts, Wishes};
pub use budget::Budget;
use futures::FutureExt;
use futures::future::BoxFuture;
pub use gmail::Labels;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::traits::{Ask, Destination, Reader, Source, Writer};
use hikyaku_core::{Abilities, Fault, MailboxInfo, MailboxName, Role, Side, WireName};
use hikyaku_net::sasl::{Credentials, Renewal};
use hikyaku_net::{Endpoint, PeerInfo};
use login::Login;
use namespace::Namespace;
use pool::Pool;
use std::sync::Arc;
pub use survey::Survey;
pub use undo::ImapUndo;

/// How an account is reached and treated.
#[derive(Clone, Debug)]
pub struct ImapOptions {
    /// Server, transport and trust; its side says what may be sent: nothing that
    /// alters anything on [`Side::Source`].
    pub endpoint: Endpoint,
    /// Who logs in; with [`Credentials::act_as`] as another account.
    pub credentials: Credentials,
    /// How many mailboxes may be open at once. One more connection serves
    /// everything else. Fewer are used where the server does not let more in.
    pub lanes: usize,
    /// Whether octets are compressed.
    pub compress: Compress,
    /// What becomes of Gmail's labels when the account is read.
    pub labels: Labels,
    /// Asked for a new secret when the one that worked before is refused in the middle
    /// of a run; without it such a refusal ends the run.
    pub renewal: Option<Arc<dyn Renewal>>,
    /// So many connections the server let in at an earlier time, where that was fewer
    /// than wanted.
    pub let_in: Option<usize>,
    /// The largest message that is taken from the server, in octets: a longer literal
    /// ends the connection with `server.excess`. It costs no memory, since messages are
    /// passed on as they come; it bounds what a server can make us read.
    pub largest: u64,
}

/// When to use COMPRESS=DEFLATE (RFC 4978).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compress {
    /// Never.
    #[default]
    Off,
    /// Where the server offers it.
    Auto,
}

impl ImapOptions {
    /// The usual: four lanes, no compression.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials,
            lanes: 4,
            compress: Compress::Off,
            labels: Labels::default(),
            renewal: None,
            let_in: None,
            largest: FrameLimits::LARGEST_MESSAGE,
        }
    }
}

/// An account on an IMAP server, logged in.
#[derive(Debug)]
pub struct ImapAccount {
    pool: Arc<Pool>,
    abilities: Abilities,
    budget: Option<Budget>,
    namespace: Namespace,
    listed: mailboxes::Listed,
    /// Gmail's labels in place of its mailboxes.
    labels: Option<gmail::View>,
    /// One mailbox is made at a time: Courier rewrites one file for every SUBSCRIBE,
    /// and of two at the same moment one is lost.
    making: tokio::sync::Mutex<()>,
}

impl ImapAccount {
    /// Connects, logs in and learns what the server can do. The mailboxes are asked
    /// for in the same round trip, for the first call of [`Source::mailboxes`].
    ///
    /// # Faults
    /// N and T: not reached or not trusted. A: login refused, never tried twice. L: too
    /// busy. Each with side, server and the server's words.
    pub async fn connect(options: ImapOptions) -> Result<Self, Fault> {
        let access = match options.endpoint.side {
            Side::Source => Access::Reading,
            Side::Destination => Access::Writing,
        };
        Self::connect_as(options, access).await
    }

    async fn connect_as(options: ImapOptions, access: Access) -> Result<Self, Fault> {
        let wishes = Wishes {
            access,
            compress: options.compress == Compress::Auto,
            largest: options.largest,
        };
        let view = (wishes.access == Access::Reading).then(|| gmail::View::new(options.labels));
        let lanes = options.lanes.max(1);
        let login = Login::new(options.credentials, options.renewal);
        let pool = Pool::new(options.endpoint, login, wishes, lanes + 1, options.let_in);
        let (lease, answers) = pool.begin(mailboxes::questions).await?;
        let facts = Arc::clone(lease.facts());
        let (namespace, first) = mailboxes::survey(lease.connection(), &facts, answers).await?;
        let names = namespace.rules(&facts, &first);
        let abilities = abilities(&facts, lanes, names);
        drop(lease);
        Ok(Self {
            pool,
            abilities,
            budget: budget::of(facts.product),
            namespace,
            listed: mailboxes::Listed::new(first),
            labels: view.filter(|_| facts.can("X-GM-EXT-1")),
            making: tokio::sync::Mutex::new(()),
        })
    }

    /// What becomes of the labels, where this account is a source that has labels.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref().map(gmail::View::labels)
    }

    /// How many connections the server lets in, where that is fewer than wanted: to be
    /// given back as [`ImapOptions::let_in`] next time. `None` when none was refused, or
    /// all that were wanted are let in again.
    pub fn connections(&self) -> Option<usize> {
        self.pool.let_in()
    }

    /// What the provider lets through in a day, where it says so in public.
    pub fn budget(&self) -> Option<Budget> {
        self.budget
    }

    /// The address and encryption of the newest connection, of perhaps several
    /// addresses that the server's name has.
    pub fn peer(&self) -> Option<PeerInfo> {
        self.pool.peer()
    }

    /// The mailboxes as the server lists them.
    async fn list(&self) -> Result<Vec<MailboxInfo>, Fault> {
        if let Some(first) = self.listed.take_first() {
            return Ok(first);
        }
        loop {
            let lease = self.pool.lease().await?;
            let found = mailboxes::list(lease.connection(), lease.facts(), &self.namespace).await;
            if let Some(found) = lease.verdict(found) {
                let found = found?;
                self.listed.remember(&found);
                return Ok(found);
            }
        }
    }

    async fn open_as(
        &self,
        mailbox: &MailboxInfo,
        mode: opened::Mode,
    ) -> Result<opened::Opened, Fault> {
        loop {
            let lease = self.pool.lease().await?;
            let begun = opened::begin(&lease, mailbox, mode).await;
            if let Some(begun) = lease.verdict(begun) {
                let begun = begun.map_err(|fault| fault.mailbox(&mailbox.name))?;
                return Ok(opened::Opened::new(lease, mailbox, begun));
            }
        }
    }
}

fn abilities(facts: &Facts, lanes: usize, names: hikyaku_core::mailbox::NameRules) -> Abilities {
    Abilities {
        lanes,
        max_octets: facts.capabilities.append_limit(),
        reports_keys: facts.can("UIDPLUS"),
        appends_batches: facts.can("MULTIAPPEND"),
        tracks_changes: facts.tracks_changes(),
        exact_sizes: true,
        names,
    }
}

impl Source for ImapAccount {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        async move {
            let listed = self.list().await?;
            match &self.labels {
                Some(view) => view.mailboxes(self, listed).await,
                None => Ok(listed),
            }
        }
        .boxed()
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        async move {
            if let Some(view) = &self.labels
                && let Some(labelled) = view.open(self, mailbox).await?
            {
                return Ok(Box::new(labelled) as Box<dyn Reader>);
            }
            let opened = self.open_as(mailbox, opened::Mode::Examine).await?;
            Ok(Box::new(opened) as Box<dyn Reader>)
        }
        .boxed()
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        async move {
            loop {
                let lease = self.pool.lease().await?;
                let found = quota(lease.connection(), lease.facts()).await;
                if let Some(found) = lease.verdict(found) {
                    return found;
                }
            }
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.pool.close().boxed()
    }
}

impl Destination for ImapAccount {
    fn ensure<'a>(
        &'a self,
        name: &'a MailboxName,
        role: Option<Role>,
        subscribe: bool,
    ) -> Ask<'a, MailboxInfo> {
        async move {
            let known = self.listed.find(name);
            let made = loop {
                let lease = self.pool.lease().await?;
                let alone = match lease.facts().product {
                    Product::Dovecot | Product::Cyrus => None,
                    _ => Some(self.making.lock().await),
                };
                let made = ensure::ensure(ensure::Wish {
                    connection: lease.connection(),
                    facts: lease.facts(),
                    namespace: &self.namespace,
                    name,
                    known: known.as_ref(),
                    role,
                    subscribe,
                })
                .await;
                drop(alone);
                if let Some(made) = lease.verdict(made) {
                    break made.map_err(|fault| fault.mailbox(name))?;
                }
            };
            self.listed.add(&made);
            Ok(made)
        }
        .boxed()
    }

    fn write<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>> {
        async move {
            let opened = self.open_as(mailbox, opened::Mode::Select).await?;
            Ok(Box::new(opened) as Box<dyn Writer>)
        }
        .boxed()
    }
}

/// STORAGE of the quota roots of INBOX; the tightest where there are several.
async fn quota(connection: &Connection, facts: &Facts) -> Result<Option<Quota>, Fault> {
    if !facts.can("QUOTA") && facts.capabilities.values("QUOTA").next().is_none() {
        return Ok(None);
    }
    let inbox = Command::GetQuotaRoot(WireName::new("INBOX"));
    let answer = connection.ask(&inbox, Takes::QUOTA).await?;
    if !answer.reply.is_ok() {
        // Not a reason to stop: without an answer nobody counts on free space.
        return Ok(None);
    }
    Ok(storage(answer.data.iter().filter_map(|r| match r {
        Response::Quota(row) => Some(row),
        _ => None,
    })))
}

fn storage<'a>(rows: impl Iterator<Item = &'a QuotaRow>) -> Option<Quota> {
    rows.flat_map(|row| &row.resources)
        .filter(|resource| resource.name == "STORAGE")
        .map(|resource| Quota {
            used: resource.usage.saturating_mul(1024),
            limit: resource.limit.saturating_mul(1024),
        })
        .min_by_key(Quota::free)
}
