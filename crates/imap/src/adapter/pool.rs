//! Connections of one account: opened when asked for, given back when clean.

use super::login::Login;
use crate::connection::{Answer, Connection, lock};
use crate::encode::Command;
use crate::machine::Takes;
use crate::session::{self, Facts, Prelude, Session, Wishes};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::{Endpoint, PeerInfo};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// How long somebody waits for a connection once the server has let in fewer than
/// wanted: others may hold them for hours.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a polite end, and an answer that nobody waits for any more, may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long nothing may be refused before one connection more is tried again. Twice as
/// long after each time that it was too early.
const QUIET: Duration = Duration::from_secs(5 * 60);

/// The longest of these.
const LONGEST_QUIET: Duration = Duration::from_secs(60 * 60);

/// The connections of one account.
pub(crate) struct Pool {
    endpoint: Endpoint,
    login: Login,
    wishes: Wishes,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    room: Mutex<Room>,
    /// How many there are.
    open: AtomicUsize,
    /// How many are being opened.
    dialling: AtomicUsize,
    is_closed: AtomicBool,
    /// Whom the last connection led to.
    peer: Mutex<Option<PeerInfo>>,
}

/// How many connections there may be, as far as is known.
struct Room {
    wanted: usize,
    limit: usize,
    /// When that was learnt.
    since: Instant,
    /// Whether it was learnt by trying one more.
    has_grown: bool,
    quiet: Duration,
}

impl Room {
    fn is_reduced(&self) -> bool {
        self.limit < self.wanted
    }

    /// One connection more after a quiet time; whether it is so.
    fn grows(&mut self) -> bool {
        let grows = self.is_reduced() && self.since.elapsed() >= self.quiet;
        if grows {
            self.limit += 1;
            self.since = Instant::now();
            self.has_grown = true;
        }
        grows
    }

    /// One was refused beside so many others.
    fn shrink(&mut self, others: usize) {
        if std::mem::take(&mut self.has_grown) {
            self.quiet = (self.quiet * 2).min(LONGEST_QUIET);
        }
        self.limit = self.limit.saturating_sub(1).min(others).max(1);
        self.since = Instant::now();
    }
}

/// Counted as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn one_of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Idle {
    connection: Connection,
    facts: Arc<Facts>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.open.load(Ordering::Relaxed);
        let limit = lock(&self.room).limit;
        write!(
            f,
            "{} ({open} of {limit} connections)",
            self.endpoint.server()
        )
    }
}

impl Pool {
    /// At most `wanted` connections, and no more than `let_in` to begin with.
    pub(super) fn new(
        endpoint: Endpoint,
        login: Login,
        wishes: Wishes,
        wanted: usize,
        let_in: Option<usize>,
    ) -> Arc<Self> {
        let limit = let_in.map_or(wanted, |n| n.clamp(1, wanted));
        Arc::new(Self {
            endpoint,
            login,
            wishes,
            permits: Arc::new(Semaphore::new(limit)),
            idle: Mutex::new(Vec::new()),
            room: Mutex::new(Room {
                wanted,
                limit,
                since: Instant::now(),
                has_grown: false,
                quiet: QUIET,
            }),
            open: AtomicUsize::new(0),
            dialling: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            peer: Mutex::new(None),
        })
    }

    /// How many connections the server lets in, where that is fewer than wanted.
    pub(super) fn let_in(&self) -> Option<usize> {
        let room = lock(&self.room);
        room.is_reduced().then_some(room.limit)
    }

    /// Whom the last connection led to.
    pub(super) fn peer(&self) -> Option<PeerInfo> {
        lock(&self.peer).clone()
    }

    /// A connection for the caller alone, waiting for a free one.
    ///
    /// # Faults
    /// Those of login. `server.connections` when the server lets in fewer than wanted
    /// and none becomes free for a while.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, Fault> {
        loop {
            let permit = self.permit().await?;
            if let Some(idle) = self.take_idle() {
                return Ok(self.lend(idle, permit, true));
            }
            match self.dial(session::nothing).await {
                Ok((idle, _)) => return Ok(self.lend(idle, permit, false)),
                Err(fault) if self.reduce(&fault) => permit.forget(),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// A new connection, with the answers to what is asked for at its beginning.
    pub(super) async fn begin(
        self: &Arc<Self>,
        prelude: Prelude,
    ) -> Result<(Lease, Vec<Answer>), Fault> {
        let permit = self.permit().await?;
        let (idle, answers) = self.dial(prelude).await?;
        Ok((self.lend(idle, permit, false), answers))
    }

    async fn dial(&self, prelude: Prelude) -> Result<(Idle, Vec<Answer>), Fault> {
        // Until it counts as open, so that it is never left out.
        let _dialling = Counted::one_of(&self.dialling);
        let (session, peer) = self
            .login
            .attempt(|credentials| async move {
                session::log_in(&self.endpoint, &credentials, &self.wishes, prelude).await
            })
            .await?;
        let Session {
            connection,
            facts,
            answers,
        } = session;
        *lock(&self.peer) = Some(peer);
        self.open.fetch_add(1, Ordering::Relaxed);
        let idle = Idle {
            connection,
            facts: Arc::new(facts),
        };
        Ok((idle, answers))
    }

    /// Logs out on every connection that is not in use. Later calls of
    /// [`Pool::lease`] fail.
    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        let idle = std::mem::take(&mut *lock(&self.idle));
        self.open.fetch_sub(idle.len(), Ordering::Relaxed);
        let goodbyes = idle
            .iter()
            .map(|i| i.connection.ask(&Command::Logout, Takes::BYE));
        timeout(GOODBYE, futures::future::join_all(goodbyes))
            .await
            .ok();
    }

    /// How many connections wait to be used.
    #[cfg(test)]
    pub(super) fn idle_connections(&self) -> usize {
        lock(&self.idle).len()
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let closed = || self.fault(Code::LinkLost, "the account was closed");
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(closed());
        }
        if lock(&self.room).grows() {
            self.permits.add_permits(1);
        }
        let waiting = Arc::clone(&self.permits).acquire_owned();
        if !lock(&self.room).is_reduced() {
            return waiting.await.map_err(|_| closed());
        }
        match timeout(PATIENCE, waiting).await {
            Ok(permit) => permit.map_err(|_| closed()),
            Err(_) => Err(self.fault(
                Code::ServerConnections,
                "all connections that the server lets in are in use",
            )),
        }
    }

    /// After a refusal for too many connections: whether to go on with those there are.
    fn reduce(&self, fault: &Fault) -> bool {
        let open = self.open.load(Ordering::Relaxed);
        // Courier closes the one connection too many without a word.
        let is_refusal = matches!(fault.code, Code::ServerConnections | Code::LinkLost);
        if !is_refusal || open == 0 {
            return false;
        }
        // A lost link may have another cause and costs one connection only.
        let others = match fault.code {
            Code::ServerConnections => open + self.dialling.load(Ordering::Relaxed),
            _ => usize::MAX,
        };
        let limit = {
            let mut room = lock(&self.room);
            if room.limit == 1 {
                return false;
            }
            let before = room.limit;
            room.shrink(others);
            // The caller gives up its own permit. Whoever holds one is among the others,
            // so these are free.
            self.permits.forget_permits(before - 1 - room.limit);
            room.limit
        };
        tracing::info!(
            server = %self.endpoint.server(),
            limit,
            "the server lets in no more connections; going on with fewer"
        );
        true
    }

    fn take_idle(&self) -> Option<Idle> {
        loop {
            let idle = lock(&self.idle).pop()?;
            if idle.connection.is_clean() {
                return Some(idle);
            }
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Keeps a clean connection; any other is reset.
    fn take_back(&self, idle: Idle) {
        let is_closed = self.is_closed.load(Ordering::Relaxed);
        if idle.connection.is_clean() && !is_closed {
            lock(&self.idle).push(idle);
        } else {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn lend(self: &Arc<Self>, idle: Idle, permit: OwnedSemaphorePermit, reused: bool) -> Lease {
        Lease {
            idle: Some(idle),
            pool: Arc::clone(self),
            reused,
            permit: Some(permit),
        }
    }

    fn fault(&self, code: Code, detail: &str) -> Fault {
        Fault::new(code, Reach::Side, Remedy::Retry { after: None }, detail)
            .on(self.endpoint.side)
            .server(self.endpoint.server())
    }
}

/// A connection that is in use. Dropping it gives it back, if nothing is in flight
/// on it (or nothing but short answers) and it has not failed; otherwise it is reset.
pub(crate) struct Lease {
    idle: Option<Idle>,
    pool: Arc<Pool>,
    reused: bool,
    /// Order matters: it goes back after the connection.
    permit: Option<OwnedSemaphorePermit>,
}

impl Lease {
    pub(super) fn connection(&self) -> &Connection {
        &self.held().connection
    }

    pub(super) fn facts(&self) -> &Arc<Facts> {
        &self.held().facts
    }

    /// The result of the first thing done with the connection; `None` when it had been
    /// idle before and turned out to be dead, so that the next one may do better.
    pub(super) fn verdict<T>(&self, result: Result<T, Fault>) -> Option<Result<T, Fault>> {
        match result {
            Err(_) if self.reused && !self.connection().is_alive() => None,
            Err(fault) => Some(Err(self.connection().placed(fault))),
            ok => Some(ok),
        }
    }

    fn held(&self) -> &Idle {
        self.idle.as_ref().expect("it is taken only by drop")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(idle) = self.idle.take() else { return };
        if idle.connection.is_clean() || !idle.connection.can_be_drained() {
            self.pool.take_back(idle);
            return;
        }
        // Somebody asked and did not wait: with the answer the connection is clean.
        let (Ok(runtime), Some(permit)) = (Handle::try_current(), self.permit.take()) else {
            self.pool.take_back(idle);
            return;
        };
        let pool = Arc::clone(&self.pool);
        runtime.spawn(async move {
            let last = idle.connection.ask(&Command::Noop, Takes::NOTHING);
            timeout(GOODBYE, last).await.ok();
            pool.take_back(idle);
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_connection_more_is_tried_after_a_quiet_time_and_later_each_time() {
        let mut room = Room {
            wanted: 3,
            limit: 3,
            since: Instant::now(),
            has_grown: false,
            quiet: QUIET,
        };
        let pass = |quiets| tokio::time::advance(QUIET * quiets);
        pass(10).await;
        assert!(!room.grows(), "nothing was ever refused");
        room.shrink(usize::MAX);
        room.shrink(usize::MAX);
        room.shrink(usize::MAX);
        assert_eq!(room.limit, 1, "one is kept");
        assert!(!room.grows());
        pass(1).await;
        assert!(room.grows() && room.limit == 2);
        assert!(!room.grows(), "one at a time");
        room.shrink(usize::MAX);
        pass(1).await;
        assert!(!room.grows(), "it was too early");
        pass(1).await;
        assert!(room.grows() && room.limit == 2);
        for _ in 0..10 {
            room.shrink(usize::MAX);
            pass(12).await;
            assert!(room.grows(), "once an hour at the latest");
        }
        pass(12).await;
        assert!(room.grows() && !room.is_reduced());
        assert!(!room.grows(), "no more than were wanted");
    }

    #[test]
    fn what_the_server_has_let_in_is_the_limit_at_once() {
        for (wanted, others, limit) in [(8, 1, 1), (8, 5, 5), (8, 7, 7), (8, 9, 7), (2, 0, 1)] {
            let mut room = Room {
                wanted,
                limit: wanted,
                since: Instant::now(),
                has_grown: false,
                quiet: QUIET,
            };
            room.shrink(others);
            assert_eq!(room.limit, limit, "{wanted} {others}");
        }
    }
}
