//! Two accounts: what `copy`, `plan` and `check` have in common.

use super::{Context, reached};
use crate::account::AccountOptions;
use crate::args::{Filters, Pair};
use crate::problem::{Failure, Problem};
use crate::progress::{self, Stage};
use crate::renewal::Again;
use crate::side::Side;
use crate::words;
use crate::{folders, json};
use hikyaku_core::policy::{Patience, Policy};
use hikyaku_core::report::Wait;
use hikyaku_core::traits::{Source, Undo};
use hikyaku_core::{Code, Fault, MailboxInfo, MailboxName, Reach, Remedy, Role};
use hikyaku_engine::patience::{self, Calm};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions, ImapUndo, Labels};
use hikyaku_ledger::Store;
use hikyaku_net::Endpoint;
use hikyaku_view::Connected as Reached;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// Both sides, understood; nothing was asked of a person or a server yet.
pub(super) struct Sides {
    pub(super) source: Side,
    pub(super) destination: Side,
    labels: Labels,
}

/// Both sides with their secrets, ready to connect.
pub(super) struct Ready {
    source: ImapOptions,
    destination: ImapOptions,
    /// Where whoever needs a new secret finds the person.
    pub(super) stage: Stage,
}

/// Both sides, logged in.
pub(super) struct Connected {
    pub(super) source: Arc<ImapAccount>,
    pub(super) destination: Arc<ImapAccount>,
    /// What was waited for on the way.
    pub(super) waits: Vec<Wait>,
    /// How both were reached.
    pub(super) servers: Vec<Reached>,
}

impl Sides {
    /// Finds out what the locators mean.
    pub(super) fn resolve(
        context: &Context,
        pair: &Pair,
        source: AccountOptions,
        destination: AccountOptions,
    ) -> Result<Self, Failure> {
        use hikyaku_core::Side::{Destination, Source};
        let source = Side::resolve(Source, &pair.from, source, &context.config)?;
        let destination = Side::resolve(Destination, &pair.to, destination, &context.config)?;
        if source.account() == destination.account() {
            return Err(same(&source).into());
        }
        Ok(Self {
            source,
            destination,
            labels: pair.labels.labels()?,
        })
    }

    /// Reads files and secrets, or asks for passwords: last of all, since a person
    /// has to type them.
    pub(super) fn ready(&self, context: &Context) -> Result<Ready, Failure> {
        let endpoints = (self.source.endpoint()?, self.destination.endpoint()?);
        let stage = Stage::default();
        Ok(Ready {
            source: ImapOptions {
                labels: self.labels.clone(),
                ..options(context, endpoints.0, &self.source, &stage)?
            },
            destination: options(context, endpoints.1, &self.destination, &stage)?,
            stage,
        })
    }

    /// Begins the JSON of a command.
    pub(super) fn announce(&self, context: &Context, command: &str) {
        let (source, destination) = (self.source.account(), self.destination.account());
        json::start(context.output, command, Some(&source), Some(&destination));
    }
}

impl Ready {
    /// Logs in on both sides at once, with patience.
    pub(super) async fn connect(
        &self,
        context: &Context,
        stop: &Stop,
    ) -> Result<Connected, Failure> {
        let ((source, mut waits), (destination, more)) = tokio::try_join!(
            log_in(context, stop, &self.source),
            log_in(context, stop, &self.destination),
        )?;
        waits.extend(more);
        let servers = [
            reached::tell(context, &self.source, &source),
            reached::tell(context, &self.destination, &destination),
        ];
        Ok(Connected {
            source: Arc::new(source),
            destination: Arc::new(destination),
            waits,
            servers: servers.into_iter().flatten().collect(),
        })
    }

    /// What can take own copies back; connects when it has to.
    pub(super) fn undo(&self) -> Arc<dyn Undo> {
        Arc::new(ImapUndo::new(self.destination.clone()))
    }

    /// Begins with as many connections as the servers let in lately.
    pub(super) async fn recall(&mut self, context: &Context, store: &Store) {
        reached::recall(context, store, &mut self.source).await;
        reached::recall(context, store, &mut self.destination).await;
    }

    /// Remembers how many connections the servers let in.
    pub(super) async fn remember(&self, store: &Store, connected: &Connected) {
        reached::remember(store, &self.source, &connected.source).await;
        reached::remember(store, &self.destination, &connected.destination).await;
    }
}

/// One account, logged in to be read.
pub(super) async fn connect_one(
    context: &Context,
    side: &Side,
    stop: &Stop,
) -> Result<ImapAccount, Failure> {
    let options = options(context, side.endpoint()?, side, &Stage::default())?;
    let (account, _) = log_in(context, stop, &options).await?;
    reached::tell(context, &options, &account);
    Ok(account)
}

/// How an account is reached; reads or asks for its secret.
fn options(
    context: &Context,
    endpoint: Endpoint,
    side: &Side,
    stage: &Stage,
) -> Result<ImapOptions, Failure> {
    let credentials = side.credentials(context.output)?;
    let again = Again::new(side, &credentials, context.output, stage.clone());
    Ok(ImapOptions {
        lanes: connections(context, Some(side)),
        renewal: Some(Arc::new(again)),
        ..ImapOptions::new(endpoint, credentials)
    })
}

/// Logs in; a server that asks for a pause gets it, unless the user wants none.
async fn log_in(
    context: &Context,
    stop: &Stop,
    options: &ImapOptions,
) -> Result<(ImapAccount, Vec<Wait>), Fault> {
    let calm = Calm {
        patience: &Patience::default(),
        no_wait: context.global.no_wait,
        clock: &SystemClock::default(),
        tell: &|event| progress::announce(context.output, event),
        stop,
        seed: seed(),
    };
    patience::connect(&calm, || ImapAccount::connect(options.clone())).await
}

impl Connected {
    /// Leaves both sides politely.
    pub(super) async fn close(&self) {
        tokio::join!(self.source.close(), self.destination.close());
    }
}

fn connections(context: &Context, side: Option<&Side>) -> usize {
    context
        .global
        .connections
        .or(side.and_then(|side| side.options.connections))
        .or(context.config.connections)
        .unwrap_or(Policy::default().lanes)
}

/// What was chosen, as far as no server has to be asked.
pub(super) fn policy(
    context: &Context,
    filters: &Filters,
    under: Option<&MailboxName>,
    sides: &Sides,
) -> Result<Policy, Problem> {
    if let (Some(since), Some(before)) = (filters.since, filters.before)
        && since >= before
    {
        return Err(Problem::EmptyTime);
    }
    let under = match (under, sides.destination.mailbox()) {
        (Some(option), Some(locator)) if option != locator => return Err(Problem::UnderTwice),
        (option, locator) => option.or(locator).cloned(),
    };
    let mut folders = filters.folder.clone();
    folders.extend(sides.source.mailbox().cloned());
    Ok(Policy {
        folders,
        exclude: filters.exclude.clone(),
        since: filters.since,
        before: filters.before,
        max_octets: filters.max_message_size,
        under,
        lanes: connections(context, None),
        bandwidth: context.global.bwlimit.or(context.config.bandwidth),
        no_wait: context.global.no_wait,
        ..Policy::default()
    })
}

/// Replaces the names of the policy by the spelling of the servers. Asks them only
/// when there is a name; says which exclusions exclude nothing.
pub(super) async fn spell(
    context: &Context,
    connected: &Connected,
    policy: &mut Policy,
) -> Result<(), Failure> {
    explain_labels(context, connected).await?;
    if !policy.folders.is_empty() || !policy.exclude.is_empty() {
        let listed = connected.source.mailboxes().await?;
        let names = policy.folders.iter_mut().chain(&mut policy.exclude);
        names.for_each(|name| *name = folders::find(name, &listed));
        for name in policy
            .exclude
            .iter()
            .filter(|name| !is_there(name, &listed))
        {
            let text = words::nothing_excluded(&name.to_string(), context.output.lang);
            context.output.note(&text);
        }
    }
    if let Some(under) = &mut policy.under {
        *under = folders::find(under, &connected.destination.mailboxes().await?);
    }
    Ok(())
}

/// Says what becomes of the source's labels, where it has any, and which of those
/// that were put first do not exist.
async fn explain_labels(context: &Context, connected: &Connected) -> Result<(), Failure> {
    let Some(labels) = connected.source.labels() else {
        return Ok(());
    };
    let lang = context.output.lang;
    let listed = connected.source.mailboxes().await?;
    let has_all_mail = listed.iter().any(|m| m.role == Some(Role::All));
    let text = words::labels(labels, has_all_mail, lang);
    context.output.note(text);
    if let Labels::One { priority } = labels {
        for name in priority {
            if !is_there(&folders::find(name, &listed), &listed) {
                let text = words::no_such_label(&name.to_string(), lang);
                context.output.note(&text);
            }
        }
    }
    Ok(())
}

fn is_there(name: &MailboxName, listed: &[MailboxInfo]) -> bool {
    listed.iter().any(|m| m.name.is_within(name))
}

fn same(source: &Side) -> Fault {
    Fault::new(
        Code::HostSame,
        Reach::Job,
        Remedy::AskUser,
        "source and destination are the same account",
    )
    .server(source.locator.address())
}

/// A number that differs from run to run; nothing secret depends on it.
pub(super) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
