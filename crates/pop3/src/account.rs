//! A POP3 account as source: one mailbox, one connection.
//!
//! POP3 shows what was there at login, and some servers let nobody else in meanwhile. So there is
//! one session, which the reader of the mailbox holds; the next reader gets a new one, unless
//! nobody has used the first.

use crate::identity::{Distrust, Listed};
use crate::opened::Opened;
use crate::session::{Session, establish};
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::mailbox::{NameRules, Quota};
use hikyaku_core::traits::{Ask, Reader, Source};
use hikyaku_core::{
    Abilities, Code, Fault, Key, MailboxInfo, MailboxName, MailboxState, Reach, Remedy, Role,
    WireName,
};
use hikyaku_net::sasl::{Credentials, Renewal};
use hikyaku_net::{Endpoint, PeerInfo};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Largest message that is taken, unless told otherwise, in octets: as for IMAP.
const LARGEST: u64 = u32::MAX as u64;

/// A session that was used so recently is not asked whether it still is there.
const RECENT: Duration = Duration::from_secs(20);

/// Whether messages count as read. POP3 does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// As recorded. POP3 records nothing: what is older than 30 days counts as read.
    #[default]
    AsRecorded,
    /// Everything is read.
    All,
    /// Nothing is read.
    None,
}

/// How an account is reached and treated.
#[derive(Clone, Debug)]
pub struct Pop3Options {
    /// Server, transport and trust. [`hikyaku_net::Security::StartTls`] means STLS.
    pub endpoint: Endpoint,
    /// Who logs in.
    pub credentials: Credentials,
    /// Asked for a new secret when the one that worked before is refused in the middle of a run;
    /// without it such a refusal ends the run.
    pub renewal: Option<Arc<dyn Renewal>>,
    /// Whether messages count as read.
    pub seen: Seen,
    /// Goes on where the server says that it may delete what was read (EXPIRE 0, RFC 2449
    /// §6.7). Somebody has to have agreed to that.
    pub accepts_deletion: bool,
    /// The largest message that is taken, in octets; a longer one ends the connection with
    /// `server.excess`.
    pub largest: u64,
    /// Where messages above 8 MiB wait until their length is known; the system's own place for
    /// temporary files unless it is told.
    pub spool: Option<PathBuf>,
    /// The present, in seconds since 1970 UTC: what "old" and "in the future" mean.
    pub now: i64,
}

impl Pop3Options {
    /// The usual.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            endpoint,
            credentials,
            renewal: None,
            seen: Seen::default(),
            accepts_deletion: false,
            largest: LARGEST,
            spool: None,
            now: now.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0)),
        }
    }
}

/// An account on a POP3 server, logged in.
#[derive(Debug)]
pub struct Pop3Account {
    shared: Arc<Shared>,
    slot: Arc<tokio::sync::Mutex<Slot>>,
    abilities: Abilities,
}

/// The one connection. Whoever holds the lock uses it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    session: Option<Session>,
    is_closed: bool,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Pop3Options,
    pub(crate) known: Mutex<Known>,
}

/// What is remembered from session to session.
#[derive(Debug)]
pub(crate) struct Known {
    credentials: Credentials,
    /// Whether these credentials ever were accepted.
    has_worked: bool,
    /// Their refusal, which is the end of them.
    refused: Option<Fault>,
    /// Keys of the last session, ascending.
    keys: Vec<Key>,
    state: MailboxState,
    distrust: Option<Distrust>,
    peer: Option<PeerInfo>,
    /// Whether a reader holds the connection.
    pub(crate) is_open: bool,
    /// Before this moment the server lets nobody log in.
    closed_until: Option<Instant>,
}

pub(crate) fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pop3Account {
    /// Connects, logs in and learns what the mailbox holds.
    ///
    /// # Faults
    /// N and T: not reached or not trusted. A: login refused, never tried twice. L: too busy.
    /// `mailbox.locked`: another program is in. `source.deletes`: see
    /// [`Pop3Options::accepts_deletion`]. Each with side, server and the server's words.
    pub async fn connect(options: Pop3Options) -> Result<Self, Fault> {
        let known = Known {
            credentials: options.credentials.clone(),
            has_worked: false,
            refused: None,
            keys: Vec::new(),
            state: MailboxState::default(),
            distrust: None,
            peer: None,
            is_open: false,
            closed_until: None,
        };
        let shared = Arc::new(Shared {
            options,
            known: Mutex::new(known),
        });
        let session = shared.begin().await?;
        let slot = Slot {
            session: Some(session),
            is_closed: false,
        };
        Ok(Self {
            shared,
            slot: Arc::new(tokio::sync::Mutex::new(slot)),
            abilities: abilities(),
        })
    }

    /// Why messages are known by their content only, so that every run reads all of them;
    /// `None` where the server names them lastingly.
    pub fn distrust(&self) -> Option<Distrust> {
        lock(&self.shared.known).distrust
    }

    /// The address and encryption of the newest connection.
    pub fn peer(&self) -> Option<PeerInfo> {
        lock(&self.shared.known).peer.clone()
    }

    /// A look at the mailbox as it is now, where that is possible at once; else as it was.
    async fn look_again(&self) {
        if lock(&self.shared.known).is_open {
            return;
        }
        // Somebody says farewell, at most.
        let mut slot = self.slot.lock().await;
        if slot.session.is_some() || slot.is_closed || self.shared.must_wait().is_some() {
            return;
        }
        match self.shared.begin().await {
            Ok(session) => slot.session = Some(session),
            Err(fault) => tracing::debug!(%fault, "the mailbox cannot be looked at again"),
        }
    }

    /// The session for a new reader.
    async fn session(&self, slot: &mut Slot) -> Result<Session, Fault> {
        if let Some(mut session) = slot.session.take() {
            let is_recent = session.since.elapsed() < RECENT;
            if is_recent || session.is_alive().await {
                return Ok(session);
            }
        }
        self.shared.begin().await
    }
}

impl Shared {
    pub(crate) fn place(&self, fault: Fault) -> Fault {
        let endpoint = &self.options.endpoint;
        fault.on(endpoint.side).server(endpoint.server())
    }

    /// How long the server still lets nobody log in.
    fn must_wait(&self) -> Option<Duration> {
        let until = lock(&self.known).closed_until?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// A new session. A refused secret is never tried again; one that worked before may be
    /// followed by another, which is tried once.
    async fn begin(&self) -> Result<Session, Fault> {
        if let Some(left) = self.must_wait() {
            let detail = "the server lets nobody log in again so soon (LOGIN-DELAY)";
            let remedy = Remedy::Retry { after: Some(left) };
            return Err(self.place(Fault::new(Code::ServerBusy, Reach::Side, remedy, detail)));
        }
        let (credentials, has_worked, refused) = {
            let known = lock(&self.known);
            (
                known.credentials.clone(),
                known.has_worked,
                known.refused.clone(),
            )
        };
        if let Some(refused) = refused {
            return Err(refused);
        }
        let fault = match self.log_in(&credentials).await {
            Ok(session) => return Ok(session),
            Err(fault) if !is_refusal(&fault) => return Err(fault),
            Err(fault) => fault,
        };
        let renewed = match &self.options.renewal {
            Some(renewal) if has_worked => renewal.renew(&fault).await,
            _ => None,
        };
        let refused = match renewed {
            None => fault,
            Some(renewed) => {
                tracing::info!(code = %fault.code, "the secret was refused and has been renewed");
                match self.log_in(&renewed).await {
                    Ok(session) => {
                        lock(&self.known).credentials = renewed;
                        return Ok(session);
                    }
                    Err(fault) if !is_refusal(&fault) => {
                        // Nobody knows yet whether it is good.
                        lock(&self.known).credentials = renewed;
                        return Err(fault);
                    }
                    Err(fault) => fault,
                }
            }
        };
        lock(&self.known).refused = Some(refused.clone());
        Err(refused)
    }

    async fn log_in(&self, credentials: &Credentials) -> Result<Session, Fault> {
        let endpoint = &self.options.endpoint;
        let mut session = establish(endpoint, credentials, self.options.accepts_deletion)
            .await
            .map_err(|fault| self.place(fault))?;
        let mut known = lock(&self.known);
        known.has_worked = true;
        known.peer = Some(session.peer().clone());
        known.closed_until = session.login_delay.map(|delay| session.since + delay);
        let listed = std::mem::take(&mut session.listed);
        let has_changed =
            known.distrust == Some(Distrust::Changed) || listed.is_unlike(&known.keys);
        session.listed = match has_changed {
            true => listed.distrust(Distrust::Changed),
            false => listed,
        };
        let listed = &session.listed;
        known.distrust = listed.distrust;
        if listed.distrust.is_none() {
            known.keys = listed.entries.iter().map(|entry| entry.key).collect();
        }
        known.state = state(listed);
        if let Some(why) = listed.distrust {
            tracing::info!(?why, "messages are known by their content only");
        }
        Ok(session)
    }
}

/// Whether the server refused the secret itself.
fn is_refusal(fault: &Fault) -> bool {
    matches!(fault.code, Code::LoginRejected | Code::LoginExpired)
}

fn state(listed: &Listed) -> MailboxState {
    MailboxState {
        epoch: listed.epoch,
        // Keys do not ascend with time everywhere.
        next: None,
        messages: listed.entries.len() as u64,
        modseq: None,
        octets: Some(
            listed
                .entries
                .iter()
                .map(|e| e.octets)
                .fold(0, u64::saturating_add),
        ),
    }
}

fn abilities() -> Abilities {
    Abilities {
        names: NameRules {
            separator: None,
            ..NameRules::default()
        },
        ..Abilities::of_a_reader(1)
    }
}

impl Source for Pop3Account {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        async move {
            self.look_again().await;
            let state = lock(&self.shared.known).state;
            Ok(vec![MailboxInfo {
                name: MailboxName::inbox(),
                wire: WireName::new("INBOX"),
                role: Some(Role::Inbox),
                selectable: true,
                subscribed: true,
                no_children: true,
                state: Some(state),
            }])
        }
        .boxed()
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        async move {
            if !mailbox.name.is_inbox() {
                let detail = "POP3 has one mailbox, INBOX";
                let fault = Fault::new(
                    Code::MailboxMissing,
                    Reach::Mailbox,
                    Remedy::AskUser,
                    detail,
                );
                return Err(self.shared.place(fault).mailbox(&mailbox.name));
            }
            let mut slot = Arc::clone(&self.slot).lock_owned().await;
            if slot.is_closed {
                return Err(Fault::bug("a mailbox is opened after the farewell"));
            }
            let session = self.session(&mut slot).await?;
            let state = state(&session.listed);
            let shared = Arc::clone(&self.shared);
            Ok(Box::new(Opened::new(shared, state, session, slot)) as Box<dyn Reader>)
        }
        .boxed()
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        async { Ok(None) }.boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            let mut slot = self.slot.lock().await;
            slot.is_closed = true;
            if let Some(session) = slot.session.take() {
                session.leave().await;
            }
        }
        .boxed()
    }
}
