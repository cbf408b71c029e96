//! One process: the page, the workers, the mails, and what is done from time to time.
//!
//! ```text
//!              ┌─ page ──────┐
//!  Config ──►  ├─ worker ────┤ ──► one store ──► stop: no new work, what runs ends cleanly, then the store is closed
//!              ├─ sender ────┤
//!              └─ sweeper ───┘
//! ```

mod world;

use crate::brand::{Brands, Destination};
use crate::config::{Config, Database, SecretFrom};
use crate::dns::Dns;
use crate::jobs::Jobs;
use crate::notice::{Catcher, Sender};
use crate::seal::Key;
use crate::strict::Problem;
use crate::uploads::Uploads;
use crate::web::{self, App, Parts};
use crate::worker::{Limits, Worker};
use axum::Router;
use hikyaku_cell::{Program, Spawn};
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_ledger::Store;
use hikyaku_ledger::service::ClaimLimits;
use hikyaku_net::Secret;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinError;
use tracing::{info, warn};
use world::Served;

/// The database inside the state directory.
const FILE: &str = "service.sqlite";

/// The key inside the state directory.
const KEY_FILE: &str = "key";

/// The directory of uploads inside the state directory.
const UPLOADS: &str = "uploads";

/// The command of this program that reads an archive for it.
pub const ARCHIVE_WORKER: &str = "archive-worker";

/// How long what is under way has to end cleanly.
const DRAIN: Duration = Duration::from_secs(10);

/// How long answers that have begun may take after that.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Why a service cannot be opened.
#[derive(Debug)]
pub enum NoStart {
    /// A file says something that cannot be.
    Config(Problem),
    /// The page cannot be offered there.
    Listen(SocketAddr, io::Error),
    /// The state directory cannot be made.
    State(PathBuf, io::Error),
    /// Anything else.
    Fault(Fault),
}

impl From<Problem> for NoStart {
    fn from(problem: Problem) -> Self {
        Self::Config(problem)
    }
}

impl From<Fault> for NoStart {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A service that is open but does nothing yet.
pub struct Server {
    listener: TcpListener,
    url: String,
    router: Router,
    store: Store,
    worker: Worker,
    sender: Option<Sender>,
}

impl Server {
    /// Opens everything that the configuration names: brands, database, key, and the address of the page.
    ///
    /// # Errors
    /// Whatever an operator has to mend first.
    pub async fn open(config: Config) -> Result<Self, NoStart> {
        let brands = config.load_brands()?;
        let (store, key) = match &config.state {
            Some(directory) => {
                make_private(directory).map_err(|e| NoStart::State(directory.clone(), e))?;
                (
                    open_store(&config, directory).await?,
                    open_key(&config, directory)?,
                )
            }
            None => return Err(Fault::bug("a service without a state directory").into()),
        };
        let dns = Dns::new(config.egress.resolver)?;
        let archives = archive_worker();
        Self::with(config, brands, store, key, Some(dns), archives).await
    }

    /// Opens a service that forgets everything when it ends, with the built-in brand and this destination.
    /// Mails go nowhere, so any address will do for them.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn to_try_out(config: Config, destination: Destination) -> Result<Self, NoStart> {
        let program = archive_worker();
        Self::to_try_out_reading(config, destination, program).await
    }

    /// The same; what is uploaded is read by children that come from there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn to_try_out_reading(
        config: Config,
        destination: Destination,
        archives: Option<Arc<dyn Spawn>>,
    ) -> Result<Self, NoStart> {
        let brands = Brands::with_destination(destination);
        let store = Store::open_in_memory().await?;
        Self::with(config, brands, store, Key::random(), None, archives).await
    }

    async fn with(
        mut config: Config,
        brands: Brands,
        store: Store,
        key: Key,
        asks_for_mail_hosts: Option<Dns>,
        archives: Option<Arc<dyn Spawn>>,
    ) -> Result<Self, NoStart> {
        let refused = |e| NoStart::Listen(config.listen, e);
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        // Port 0 is any free one; links in mails need to know which.
        config.listen = listener.local_addr().map_err(refused)?;
        let url = config.public_url();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let sender = match (&config.smtp, config.catch_mail) {
            (_, true) => Some(Sender::by_catcher(&store, &brands, clock)),
            (Some(smtp), false) => Some(Sender::by_smtp(&store, &brands, smtp, clock)?),
            (None, false) => {
                warn!("no table [smtp]: mails wait in the outbox until there is one");
                None
            }
        };
        let jobs = Jobs::new(store.clone(), key);
        let dns = Dns::new(config.egress.resolver)?;
        let uploads = archives.and_then(|archives| uploads(&config, archives));
        let world = Served::new(&config, brands.clone(), dns, uploads.clone());
        let worker = Worker::new(jobs.clone(), Arc::new(world), limits(&config));
        let app = App::new(Parts {
            jobs,
            catcher: config.catch_mail.then(|| Catcher::new(&store, &brands)),
            brands,
            dns: asks_for_mail_hosts,
            uploads,
            config,
        })?;
        Ok(Self {
            listener,
            url,
            router: web::router(app),
            store,
            worker,
            sender,
        })
    }

    /// Address of the page as people write it, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `stop` is requested, then ends what is under way within ten seconds.
    ///
    /// # Errors
    /// What made it end by itself.
    pub async fn run(self, stop: Stop) -> Result<(), Fault> {
        info!(url = self.url, "the page is open");
        let service = self
            .router
            .into_make_service_with_connect_info::<SocketAddr>();
        let asked = stop.clone();
        let serving = axum::serve(self.listener, service)
            .with_graceful_shutdown(async move { asked.requested().await });
        let mut page = tokio::spawn(serving.into_future());
        let mut worker = tokio::spawn(self.worker.run(stop.clone()));
        let (sender, asked) = (self.sender, stop.clone());
        let mails = tokio::spawn(async move {
            if let Some(sender) = sender {
                sender.run(async move { asked.requested().await }).await;
            }
        });
        let ended = tokio::select! {
            ended = &mut worker => Some(of_worker(ended)),
            ended = &mut page => Some(of_page(ended)),
            () = stop.requested() => None,
        };
        stop.request();
        let drained = async {
            let worker = async {
                match worker.is_finished() {
                    true => Ok(()),
                    false => of_worker((&mut worker).await),
                }
            };
            let (worker, _) = tokio::join!(worker, mails);
            worker
        };
        let drained = tokio::time::timeout(DRAIN, drained).await;
        // Answers that are being given are finished; browsers that look at a progress page would stay for ever, and find
        // the next process by themselves.
        if !page.is_finished() {
            tokio::time::timeout(LAST_ANSWERS, &mut page).await.ok();
            page.abort();
        }
        self.store.close().await;
        match (ended, drained) {
            (Some(Err(fault)), _) | (None, Ok(Err(fault))) => Err(fault),
            (_, Err(_)) => {
                warn!("some jobs did not end in time; the next start goes on with them");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn of_worker(ended: Result<Result<(), Fault>, JoinError>) -> Result<(), Fault> {
    ended.unwrap_or_else(|e| Err(Fault::bug(format!("the worker ended: {e}"))))
}

fn of_page(ended: Result<io::Result<()>, JoinError>) -> Result<(), Fault> {
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(Fault::bug(format!("the page's listener ended: {e}"))),
        Err(e) => Err(Fault::bug(format!("the page ended: {e}"))),
    }
}

/// What reads uploads: this program itself, in another process. `None` where nothing would limit what that costs.
fn archive_worker() -> Option<Arc<dyn Spawn>> {
    let path = std::env::current_exe().ok().filter(|_| cfg!(unix))?;
    let arguments = vec![ARCHIVE_WORKER.into()];
    Some(Arc::new(Program { path, arguments }))
}

/// Where uploads are kept, if there is such a place.
fn uploads(config: &Config, archives: Arc<dyn Spawn>) -> Option<Uploads> {
    let directory = config.state.as_ref().filter(|_| config.uploads.offered)?;
    Some(Uploads::new(
        directory.join(UPLOADS),
        config.uploads,
        Arc::new(SystemClock::default()),
        archives,
    ))
}

/// How much is done at once, as the configuration says.
fn limits(config: &Config) -> Limits {
    let (usual, wanted) = (Limits::default(), config.limits);
    Limits {
        checks: ClaimLimits {
            whole: wanted.checks,
            ..usual.checks
        },
        runs: ClaimLimits {
            whole: wanted.jobs,
            per_host: wanted.per_host,
            per_source: wanted.per_account,
            per_owner: wanted.per_owner,
            ..usual.runs
        },
        hand: (wanted.checks + wanted.jobs) as usize,
        lanes: wanted.connections as usize,
        ..usual
    }
}

async fn open_store(config: &Config, directory: &Path) -> Result<Store, NoStart> {
    let url = match &config.database {
        None => {
            let now = SystemClock::default().unix_millis();
            let (store, aside) = Store::open_or_renew(directory.join(FILE), now).await?;
            if let Some(aside) = aside {
                warn!(
                    file = %aside.to.display(), why = %aside.why,
                    "the database was damaged and has been set aside; jobs begin anew"
                );
            }
            return Ok(store);
        }
        Some(Database::Url(url)) => url.clone(),
        Some(Database::Secret(from)) => {
            let secret = from.read().map_err(unreadable)?;
            text_of(&secret, from)?.to_owned()
        }
    };
    Ok(Store::connect(&url).await?)
}

fn open_key(config: &Config, directory: &Path) -> Result<Key, Fault> {
    match &config.key {
        None => Key::read_or_make(&directory.join(KEY_FILE)),
        Some(from) => {
            let secret = from.read().map_err(unreadable)?;
            Key::from_base64(text_of(&secret, from)?)
        }
    }
}

fn text_of<'s>(secret: &'s Secret, from: &SecretFrom) -> Result<&'s str, Fault> {
    std::str::from_utf8(secret.expose()).map_err(|_| unreadable(format!("{from} is not UTF-8")))
}

fn unreadable(why: String) -> Fault {
    Fault::new(Code::SecretUnreadable, Reach::Job, Remedy::AskUser, why)
}

/// Makes a directory that only its owner can enter. One that is there stays as it is.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}
