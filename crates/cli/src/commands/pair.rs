//! Two accounts: what `copy`, `plan`, `check` and their like have in common.

use super::Context;
use super::way::{Opened, Way};
use crate::account::AccountOptions;
use crate::args::{Filters, Pair, Reading};
use crate::problem::{Failure, Problem};
use crate::progress::Stage;
use crate::side::{Place, Side};
use crate::words;
use crate::{folders, json};
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Wait;
use hikyaku_core::traits::{Destination, Source, Undo};
use hikyaku_core::{AccountId, Code, Fault, MailboxInfo, MailboxName, Reach, Remedy, Role};
use hikyaku_engine::Stop;
use hikyaku_imap::Labels;
use hikyaku_ledger::Store;
use hikyaku_view::Connected as Reached;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// Both sides, understood; nothing was asked of a person or a server yet.
pub(super) struct Sides {
    pub(super) source: Side,
    pub(super) destination: Side,
    reading: Reading,
    /// Whether more comes after the run: then the report does not say what to do next.
    pub(super) are_a_step: bool,
}

/// Both sides with their secrets, ready to connect.
pub(super) struct Ready {
    source: Way,
    destination: Way,
    /// Where whoever needs a new secret finds the person.
    pub(super) stage: Stage,
}

/// What the destination is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Mail is put there, or taken back.
    Write,
    /// It is only looked at.
    Look,
}

/// Both sides, open.
pub(super) struct Connected {
    pub(super) source: Opened<dyn Source>,
    pub(super) destination: Opened<dyn Destination>,
    /// What was waited for on the way.
    pub(super) waits: Vec<Wait>,
    /// How the servers were reached.
    pub(super) servers: Vec<Reached>,
}

impl Sides {
    /// Finds out what the locators mean.
    pub(super) fn resolve(
        context: &Context,
        pair: &Pair,
        source: AccountOptions,
        destination: AccountOptions,
        what_for: Use,
    ) -> Result<Self, Failure> {
        use hikyaku_core::Side::{Destination, Source};
        let resolve = |which, text: &str, options| {
            Side::resolve(which, text, options, &context.config, context.output)
        };
        let source = resolve(Source, &pair.from, source)?;
        // A plan may be made for a backup that is not begun yet.
        let imagined = match what_for {
            Use::Look => Side::unbegun_backup(&pair.to),
            Use::Write => None,
        };
        let destination = match imagined {
            Some(backup) => backup,
            None => resolve(Destination, &pair.to, destination)?,
        };
        Self::of(source, destination, &pair.reading)
    }

    /// Two sides that are not one account.
    pub(super) fn of(source: Side, destination: Side, reading: &Reading) -> Result<Self, Failure> {
        if source.account().is_some() && source.account() == destination.account() {
            return Err(same(&source).into());
        }
        if let (Place::Files(files), Place::Backup(backup)) = (&source.place, &destination.place)
            && backup.is_among(files)
        {
            let (backup, files) = (backup.directory.clone(), files.path.clone());
            return Err(Problem::BackupWithin(backup, files).into());
        }
        // Mistakes come before questions.
        reading.labels.labels()?;
        Ok(Self {
            source,
            destination,
            reading: reading.clone(),
            are_a_step: false,
        })
    }

    /// Reads files and secrets, or asks for passwords: last of all, since a person
    /// has to type them.
    pub(super) fn ready(&self, context: &Context) -> Result<Ready, Failure> {
        // Files with issuers first: a mistake there costs nobody a password.
        self.source.check()?;
        self.destination.check()?;
        let stage = Stage::default();
        Ok(Ready {
            source: Way::ready(context, &self.source, &self.reading, &stage)?,
            destination: Way::ready(context, &self.destination, &self.reading, &stage)?,
            stage,
        })
    }

    /// Begins the JSON of a command.
    pub(super) fn announce(&self, context: &Context, command: &str) {
        let (source, destination) = (self.source.account(), self.destination.account());
        let (source, destination) = (source.as_ref(), destination.as_ref());
        json::start(context.output, command, source, destination);
        self.source.tell_found(context.output);
    }
}

impl Ready {
    /// Opens both sides at once, with patience; what would write on this computer only after the
    /// other side is open.
    pub(super) async fn connect(
        &self,
        context: &Context,
        stop: &Stop,
        what_for: Use,
    ) -> Result<Connected, Failure> {
        let source = self.source.read(context, stop);
        let (source, destination) = match what_for {
            Use::Write if self.destination.begins() => {
                let source = source.await?;
                let destination = self.destination.write(context, stop).await;
                if destination.is_err() {
                    source.side.close().await;
                }
                (source, destination?)
            }
            Use::Write => tokio::try_join!(source, self.destination.write(context, stop))?,
            Use::Look => tokio::try_join!(source, self.destination.look(context, stop))?,
        };
        let mut waits = source.waits.clone();
        waits.extend(destination.waits.clone());
        let servers = [source.tell(context), destination.tell(context)];
        source.tell_beside(context);
        Ok(Connected {
            source,
            destination,
            waits,
            servers: servers.into_iter().flatten().collect(),
        })
    }

    /// What can take own copies back, where the destination has such a thing.
    pub(super) fn undo(&self) -> Option<Arc<dyn Undo>> {
        self.destination.undo()
    }

    /// Begins with as many connections as the servers let in lately.
    pub(super) async fn recall(&mut self, context: &Context, store: &Store) {
        self.source.recall(context, store).await;
        self.destination.recall(context, store).await;
    }

    /// Remembers how many connections the servers let in.
    pub(super) async fn remember(&self, store: &Store, connected: &Connected) {
        self.source.remember(store, &connected.source).await;
        self.destination
            .remember(store, &connected.destination)
            .await;
    }
}

/// One account, open to be read.
pub(super) async fn connect_one(
    context: &Context,
    side: &Side,
    stop: &Stop,
) -> Result<Arc<dyn Source>, Failure> {
    let way = Way::ready(context, side, &Reading::default(), &Stage::default())?;
    let opened = way.read(context, stop).await?;
    opened.tell(context);
    opened.tell_beside_at_last(context).await;
    Ok(opened.side)
}

impl Connected {
    /// The identities that the ledger keeps: source, destination.
    pub(super) fn accounts(&self) -> (&AccountId, &AccountId) {
        (&self.source.account, &self.destination.account)
    }

    /// Leaves both sides politely.
    pub(super) async fn close(&self) {
        tokio::join!(self.source.side.close(), self.destination.side.close());
    }
}

/// Most connections to a side.
pub(super) fn connections(context: &Context, side: Option<&Side>) -> usize {
    context
        .global
        .connections
        .or(side.and_then(Side::connections))
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
        let listed = connected.source.side.mailboxes().await?;
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
        *under = folders::find(under, &connected.destination.side.mailboxes().await?);
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
    let listed = connected.source.side.mailboxes().await?;
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
    .server(source.address())
}

/// A number that differs from run to run; nothing secret depends on it.
pub(super) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
