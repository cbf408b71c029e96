//! How each kind of side is opened, and what only that kind has: the engine wants a source
//! and a destination, whatever they are.

use super::beside::Beside;
use super::{Context, pair, reached};
use crate::args::Reading;
use crate::problem::Failure;
use crate::progress::{self, Stage};
use crate::renewal::Again;
use crate::side::{Backup, Files, Place, Server, Side};
use hikyaku_archive::{Archive, LabelPolicy, Options};
use hikyaku_backup::{BackupDestination, BackupLook, BackupSource};
use hikyaku_core::policy::Patience;
use hikyaku_core::report::Wait;
use hikyaku_core::traits::{Destination, Source, Undo};
use hikyaku_core::{AccountId, Fault};
use hikyaku_engine::patience::{self, Calm};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions, ImapUndo, Labels};
use hikyaku_ledger::Store;
use hikyaku_net::{Endpoint, PeerInfo};
use hikyaku_pop3::{Pop3Account, Pop3Options};
use hikyaku_text::{backup as text, pop3};
use hikyaku_view::Connected as Reached;
use std::sync::{Arc, Mutex, PoisonError};

/// A side with everything that opening it takes.
pub(super) enum Way {
    /// An IMAP server.
    Imap(AccountId, Box<ImapOptions>),
    /// A POP3 server.
    Pop3(Box<Pop3Options>, Box<Server>),
    /// Mail in files.
    Files(Files, Box<Options>),
    /// A backup.
    Backup(Backup),
}

/// A side that is open, as a [`Source`] or as a [`Destination`].
pub(super) struct Opened<S: ?Sized> {
    pub(super) side: Arc<S>,
    /// The identity that the ledger keeps.
    pub(super) account: AccountId,
    /// What was waited for on the way.
    pub(super) waits: Vec<Wait>,
    /// Where the server is and how it answered, where there is one.
    server: Option<(Endpoint, PeerInfo)>,
    /// What only IMAP accounts have.
    imap: Option<Arc<ImapAccount>>,
    /// Whether there is a better way to the same mail, as long as nobody was told.
    beside: Mutex<Option<Beside>>,
}

impl Way {
    /// Reads files and secrets, or asks for a password: a person has to type it.
    pub(super) fn ready(
        context: &Context,
        side: &Side,
        reading: &Reading,
        stage: &Stage,
    ) -> Result<Self, Failure> {
        match &side.place {
            Place::Imap(server) => {
                let endpoint = server.endpoint()?;
                let credentials = server.credentials(context.output)?;
                let again = Again::new(server, &credentials, context.output, stage.clone());
                let options = ImapOptions {
                    lanes: pair::connections(context, Some(side)),
                    renewal: Some(Arc::new(again)),
                    labels: match side.which {
                        hikyaku_core::Side::Source => reading.labels.labels()?,
                        hikyaku_core::Side::Destination => Labels::default(),
                    },
                    ..ImapOptions::new(endpoint, credentials)
                };
                Ok(Self::Imap(server.account(), Box::new(options)))
            }
            Place::Pop3(server) => {
                let endpoint = server.endpoint()?;
                let credentials = server.credentials(context.output)?;
                let again = Again::new(server, &credentials, context.output, stage.clone());
                let options = Pop3Options {
                    renewal: Some(Arc::new(again)),
                    seen: reading.seen_over_pop3(),
                    accepts_deletion: reading.accept_deletion,
                    ..Pop3Options::new(endpoint, credentials)
                };
                Ok(Self::Pop3(Box::new(options), Box::new(server.clone())))
            }
            Place::Files(files) => {
                let labels = match reading.labels.labels()? {
                    Labels::One { priority } => LabelPolicy::One { priority },
                    Labels::Each | Labels::AsMailboxes => LabelPolicy::Each,
                };
                let options = Options {
                    seen: reading.seen_in_files(),
                    labels,
                    ..Options::default()
                };
                Ok(Self::Files(files.clone(), Box::new(options)))
            }
            Place::Backup(backup) => Ok(Self::Backup(backup.clone())),
        }
    }

    /// Opens the side to be read.
    pub(super) async fn read(
        &self,
        context: &Context,
        stop: &Stop,
    ) -> Result<Opened<dyn Source>, Failure> {
        match self {
            Self::Imap(account, options) => {
                let opened = log_in(context, stop, account, options).await?;
                Ok(opened.into_source())
            }
            Self::Pop3(options, server) => pop3(context, stop, options, server).await,
            Self::Files(files, options) => {
                let (kind, path) = (files.kind, files.path.clone());
                let options = Options::clone(options);
                let archive = blocking(move || Archive::open(kind, &path, options)).await;
                let archive = archive.map_err(|f| f.on(hikyaku_core::Side::Source))?;
                Ok(Opened::on_disk(Arc::new(archive), files.account()))
            }
            Self::Backup(backup) => {
                let directory = backup.directory.clone();
                let backup = blocking(move || BackupSource::open(directory)).await;
                let backup = backup.map_err(|f| f.on(hikyaku_core::Side::Source))?;
                let account = backup.account();
                Ok(Opened::on_disk(Arc::new(backup), account))
            }
        }
    }

    /// Opens the side to be written.
    pub(super) async fn write(
        &self,
        context: &Context,
        stop: &Stop,
    ) -> Result<Opened<dyn Destination>, Failure> {
        match self {
            Self::Imap(account, options) => {
                let opened = log_in(context, stop, account, options).await?;
                Ok(opened.into_destination())
            }
            Self::Backup(backup) => {
                let opened = begin(context, backup).await;
                opened.map_err(|f| f.on(hikyaku_core::Side::Destination).into())
            }
            Self::Pop3(..) | Self::Files(..) => {
                Err(Fault::bug("a destination that can only be read").into())
            }
        }
    }

    /// Opens the side as a destination to which nothing is written: to plan, and to compare.
    pub(super) async fn look(
        &self,
        context: &Context,
        stop: &Stop,
    ) -> Result<Opened<dyn Destination>, Failure> {
        let Self::Backup(backup) = self else {
            return self.write(context, stop).await;
        };
        let (directory, begins) = (backup.directory.clone(), backup.begins);
        let looked = blocking(move || match begins {
            true => BackupLook::open_or_imagine(directory),
            false => BackupLook::open(directory),
        });
        let looked = looked.await;
        let looked = looked.map_err(|f| f.on(hikyaku_core::Side::Destination))?;
        if let (false, false) = (looked.is_begun(), context.output.json) {
            let directory = backup.directory.display().to_string();
            let line = text::would_begin(&directory, context.output.lang);
            context.output.note(&line);
        }
        let account = looked.account();
        Ok(Opened::on_disk(Arc::new(looked), account))
    }

    /// What can take own copies back; connects when it has to.
    pub(super) fn undo(&self) -> Option<Arc<dyn Undo>> {
        match self {
            Self::Imap(_, options) => Some(Arc::new(ImapUndo::new(ImapOptions::clone(options)))),
            Self::Pop3(..) | Self::Files(..) | Self::Backup(_) => None,
        }
    }

    /// Whether opening it to be written begins something on this computer.
    pub(super) fn begins(&self) -> bool {
        matches!(self, Self::Backup(_))
    }

    /// Begins with as many connections as the server let in lately.
    pub(super) async fn recall(&mut self, context: &Context, store: &Store) {
        if let Self::Imap(_, options) = self {
            reached::recall(context, store, options).await;
        }
    }

    /// Remembers how many connections the server let in.
    pub(super) async fn remember<S: ?Sized>(&self, store: &Store, opened: &Opened<S>) {
        if let (Self::Imap(_, options), Some(account)) = (self, &opened.imap) {
            reached::remember(store, options, account).await;
        }
    }
}

impl<S: ?Sized> Opened<S> {
    /// What becomes of the labels of the account, where it has any.
    pub(super) fn labels(&self) -> Option<&Labels> {
        self.imap.as_deref().and_then(ImapAccount::labels)
    }

    /// Says how the side was reached; what is returned belongs into the report.
    pub(super) fn tell(&self, context: &Context) -> Option<Reached> {
        let (endpoint, peer) = self.server.as_ref()?;
        Some(reached::tell(context, endpoint, peer))
    }

    /// Says where IMAP answers beside a POP3 server, if that is known already.
    pub(super) fn tell_beside(&self, context: &Context) {
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        if beside.as_ref().is_some_and(Beside::is_known)
            && let Some(Some(known)) = beside.take().map(Beside::now)
        {
            known.tell(context.output);
        }
    }

    /// The same at the end, when whoever has not answered by then will not.
    pub(super) async fn tell_beside_at_last(&self, context: &Context) {
        let beside = || {
            self.beside
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        };
        if let Some(beside) = beside()
            && let Some(known) = beside.at_last().await
        {
            known.tell(context.output);
        }
    }

    fn on_disk(side: Arc<S>, account: AccountId) -> Self {
        Self {
            side,
            account,
            waits: Vec::new(),
            server: None,
            imap: None,
            beside: Mutex::default(),
        }
    }
}

impl Opened<ImapAccount> {
    fn into_source(self) -> Opened<dyn Source> {
        Opened {
            side: self.side,
            account: self.account,
            waits: self.waits,
            server: self.server,
            imap: self.imap,
            beside: self.beside,
        }
    }

    fn into_destination(self) -> Opened<dyn Destination> {
        Opened {
            side: self.side,
            account: self.account,
            waits: self.waits,
            server: self.server,
            imap: self.imap,
            beside: self.beside,
        }
    }
}

/// Logs in; a server that asks for a pause gets it, unless the user wants none.
async fn log_in(
    context: &Context,
    stop: &Stop,
    account: &AccountId,
    options: &ImapOptions,
) -> Result<Opened<ImapAccount>, Fault> {
    let connect = || ImapAccount::connect(options.clone());
    let (side, waits) = patiently(context, stop, connect).await?;
    let side = Arc::new(side);
    Ok(Opened {
        account: account.clone(),
        waits,
        server: side.peer().map(|peer| (options.endpoint.clone(), peer)),
        imap: Some(side.clone()),
        side,
        beside: Mutex::default(),
    })
}

/// The same over POP3; says what its runs cost. Meanwhile it is looked for what would be better.
async fn pop3(
    context: &Context,
    stop: &Stop,
    options: &Pop3Options,
    server: &Server,
) -> Result<Opened<dyn Source>, Failure> {
    let beside = Beside::look(&options.endpoint, server);
    let connect = || Pop3Account::connect(options.clone());
    let (side, waits) = patiently(context, stop, connect).await?;
    let (output, lang) = (context.output, context.output.lang);
    if side.distrust().is_some() && !output.json {
        output.note(&pop3::distrusted(lang));
    }
    let peer = side.peer();
    Ok(Opened {
        side: Arc::new(side),
        account: server.account(),
        waits,
        server: peer.map(|peer| (options.endpoint.clone(), peer)),
        imap: None,
        beside: Mutex::new(Some(beside)),
    })
}

/// Opens a backup to be written; begins one where that is wanted. Says which it is.
async fn begin(context: &Context, backup: &Backup) -> Result<Opened<dyn Destination>, Fault> {
    let wanted = backup.clone();
    let (is_new, backup) = blocking(move || {
        let is_new = match BackupSource::open(&wanted.directory) {
            Ok(_) => false,
            Err(fault) if !wanted.begins => return Err(fault),
            Err(_) => true,
        };
        BackupDestination::open(&wanted.directory, wanted.format).map(|opened| (is_new, opened))
    })
    .await?;
    let (output, lang) = (context.output, context.output.lang);
    if !output.json {
        let (directory, format) = (backup.directory(), backup.format());
        let directory = directory.display().to_string();
        let line = match is_new {
            true => text::begins(&directory, format.as_str(), lang),
            false => text::goes_on(&directory, format.as_str(), lang),
        };
        output.note(&line);
    }
    let account = backup.account();
    Ok(Opened::on_disk(Arc::new(backup), account))
}

async fn patiently<T, F>(
    context: &Context,
    stop: &Stop,
    connect: impl FnMut() -> F,
) -> Result<(T, Vec<Wait>), Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let calm = Calm {
        patience: &Patience::default(),
        no_wait: context.global.no_wait,
        clock: &SystemClock::default(),
        tell: &|event| progress::announce(context.output, event),
        stop,
        seed: pair::seed(),
    };
    patience::connect(&calm, connect).await
}

/// Runs what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(act).await;
    done.unwrap_or_else(|e| Err(Fault::bug(format!("opening a side: {e}"))))
}
