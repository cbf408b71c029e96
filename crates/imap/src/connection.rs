//! A connection after login: many commands in flight, one task that reads, one that
//! writes.
//!
//! ```text
//!  submit ─► Machine (in flight) ◄──────── reader task ◄── framer ◄── socket
//!    │             │                           │
//!    └─► queue ─► writer task ─► socket        ├─► one answer      (Sink::Answer)
//!                                              ├─► rows, bounded   (Sink::Rows)
//!                                              └─► end of append   (Sink::Append)
//! ```
//!
//! A consumer of rows that is slow stops the reader and by that the server. When
//! either task fails, the socket is reset, everything in flight is told, and
//! the connection is never used again.

mod access;
mod meter;
mod outgoing;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use access::Access;
pub(crate) use meter::excess;

use crate::encode::{Command, Style};
use crate::frame::Framer;
use crate::machine::{Machine, Sent, Takes};
use crate::response::{FetchRow, Reply, ReplyKind, Response, Tag};
use bytes::Bytes;
use hikyaku_core::message::Body;
use hikyaku_core::traits::Gate;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Endpoint;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// One row of FETCH.
pub(crate) type Row = FetchRow;

/// Most untagged responses that one command may collect.
const MOST_DATA: usize = 250_000;

/// Longest silence while an answer is due to a command that is quick by its nature.
const PATIENCE: Duration = Duration::from_secs(60);

/// Events that wait for the consumer of rows.
pub(crate) const ROW_EVENTS: usize = 2;

/// What the consumer of rows gets.
#[derive(Debug)]
pub(crate) enum RowEvent {
    /// Rows whose content, if any, is held (or was streamed before).
    Rows(Vec<Row>),
    /// A message too large to be held: what stood before it, and its octets. The
    /// whole row follows among [`RowEvent::Rows`].
    Large {
        row: Row,
        octets: u64,
        chunks: mpsc::Receiver<Result<Bytes, Fault>>,
    },
    /// One of the consumer's commands is over.
    Done { tag: Tag, reply: Reply },
}

/// The end of a command that collects.
#[derive(Debug)]
pub(crate) struct Answer {
    /// How it ended: `OK`, `NO` or `BAD`.
    pub(crate) reply: Reply,
    /// The untagged data that belongs to it.
    pub(crate) data: Vec<Response>,
}

/// How an append ended.
#[derive(Debug)]
pub(crate) enum AppendEnd {
    /// The server answered.
    Answered(Reply),
    /// The server cannot have stored anything.
    NotSent(Fault),
    /// No answer.
    Unknown(Fault),
}

/// Room in the window of unanswered appends; given back with the answer.
#[derive(Debug, Default)]
pub(crate) struct Room {
    _permits: Vec<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(permits: Vec<OwnedSemaphorePermit>) -> Self {
        Self { _permits: permits }
    }
}

/// Where the answer of a command goes.
#[derive(Debug)]
pub(crate) enum Sink {
    /// To one who waits for all of it.
    Answer {
        data: Vec<Response>,
        to: oneshot::Sender<Result<Answer, Fault>>,
    },
    /// Row by row.
    Rows(mpsc::Sender<RowEvent>),
    /// To one who waits for the end of an append.
    Append {
        to: oneshot::Sender<AppendEnd>,
        room: Room,
    },
}

/// What a connection needs to be told.
pub(crate) struct Profile {
    /// Where it leads, for faults.
    pub(crate) endpoint: Endpoint,
    /// What may be sent.
    pub(crate) access: Access,
    /// The last tag that was used before.
    pub(crate) last_tag: Tag,
    /// Cuts the socket off.
    pub(crate) reset: Box<dyn Fn() + Send + Sync>,
}

/// What both tasks and all callers share.
pub(crate) struct Shared {
    machine: Mutex<Machine<Sink>>,
    dead: Mutex<Option<Fault>>,
    tasks: Mutex<Vec<AbortHandle>>,
    /// Wakes the writer when something changed that it may wait for.
    nudge: Notify,
    /// The last moment at which this side made progress.
    beat: Mutex<Instant>,
    /// How many times this side keeps the server waiting.
    holds: AtomicUsize,
    /// Messages in the open mailbox.
    exists: AtomicU64,
    endpoint: Endpoint,
    reset: Box<dyn Fn() + Send + Sync>,
}

/// One connection. Dropping it resets the socket.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<outgoing::Outgoing>,
    access: Access,
    style: Style,
}

impl Connection {
    /// Starts the tasks over the two halves. `framer` may hold octets already.
    pub(crate) fn start<R, W>(read: R, write: W, framer: Framer, profile: Profile) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let shared = Arc::new(Shared {
            machine: Mutex::new(Machine::new(profile.last_tag)),
            dead: Mutex::new(None),
            tasks: Mutex::new(Vec::new()),
            nudge: Notify::new(),
            beat: Mutex::new(Instant::now()),
            holds: AtomicUsize::new(0),
            exists: AtomicU64::new(0),
            endpoint: profile.endpoint,
            reset: profile.reset,
        });
        let (queue, commands) = mpsc::unbounded_channel();
        let mut tasks = lock(&shared.tasks);
        tasks.push(tokio::spawn(reader::run(read, framer, Arc::clone(&shared))).abort_handle());
        tasks.push(tokio::spawn(writer::run(write, commands, Arc::clone(&shared))).abort_handle());
        drop(tasks);
        Self {
            shared,
            queue,
            access: profile.access,
            style: Style::default(),
        }
    }

    /// How the server is spoken to from now on.
    pub(crate) fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// How the server is spoken to.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Queues a command whose data is collected.
    pub(crate) fn submit(
        &self,
        command: &Command,
        takes: Takes,
    ) -> Result<oneshot::Receiver<Result<Answer, Fault>>, Fault> {
        let (to, answer) = oneshot::channel();
        let sink = Sink::Answer {
            data: Vec::new(),
            to,
        };
        self.send(command, takes, sink, Vec::new(), None)?;
        Ok(answer)
    }

    /// Queues a command and waits for its end.
    pub(crate) async fn ask(&self, command: &Command, takes: Takes) -> Result<Answer, Fault> {
        let answer = self.submit(command, takes)?;
        self.answer(answer).await
    }

    /// Waits for the end of a queued command.
    pub(crate) async fn answer(
        &self,
        answer: oneshot::Receiver<Result<Answer, Fault>>,
    ) -> Result<Answer, Fault> {
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.shared.dead_fault()),
        }
    }

    /// Queues a FETCH whose rows go to `rows`.
    pub(crate) fn fetch(
        &self,
        command: &Command,
        rows: &mpsc::Sender<RowEvent>,
    ) -> Result<Tag, Fault> {
        let sink = Sink::Rows(rows.clone());
        self.send(command, Takes::FETCH, sink, Vec::new(), None)
    }

    /// Queues an append; its bodies stand in the order of its messages.
    pub(crate) fn append(
        &self,
        command: &Command,
        bodies: Vec<Body>,
        gate: &Arc<dyn Gate>,
        room: Room,
    ) -> Result<oneshot::Receiver<AppendEnd>, Fault> {
        let (to, end) = oneshot::channel();
        let sink = Sink::Append { to, room };
        self.send(command, Takes::NOTHING, sink, bodies, Some(gate))?;
        Ok(end)
    }

    /// Whether it can be used for something new: alive, and nothing is in flight.
    pub(crate) fn is_clean(&self) -> bool {
        lock(&self.shared.dead).is_none() && self.shared.machine().is_idle()
    }

    /// Whether all that is in flight are answers that may be passed over: no rows, no
    /// append.
    pub(crate) fn can_be_drained(&self) -> bool {
        let machine = self.shared.machine();
        let mut sinks = machine.sinks();
        sinks.all(|sink| matches!(sink, Sink::Answer { .. })) && self.is_alive()
    }

    /// Whether it has not failed.
    pub(crate) fn is_alive(&self) -> bool {
        lock(&self.shared.dead).is_none()
    }

    /// Why it ended.
    pub(crate) fn fault(&self) -> Fault {
        self.shared.dead_fault()
    }

    /// What tells the reason of its end after it is gone.
    pub(crate) fn obituary(&self) -> Obituary {
        Obituary(Arc::clone(&self.shared))
    }

    /// Messages in the open mailbox, as last told.
    pub(crate) fn exists(&self) -> u64 {
        self.shared.exists.load(Ordering::Relaxed)
    }

    /// Names side and server in a fault.
    pub(crate) fn placed(&self, fault: Fault) -> Fault {
        self.shared.placed(fault)
    }

    fn send(
        &self,
        command: &Command,
        takes: Takes,
        sink: Sink,
        bodies: Vec<Body>,
        gate: Option<&Arc<dyn Gate>>,
    ) -> Result<Tag, Fault> {
        if !self.access.allows(command) {
            return Err(self.placed(Fault::bug(format!(
                "{} on a connection that only reads",
                command.name()
            ))));
        }
        let carries_text = gate.is_some();
        let mut machine = self.shared.machine();
        if let Some(fault) = lock(&self.shared.dead).clone() {
            return Err(fault);
        }
        let encoded = command
            .encode(machine.next_tag(), self.style)
            .map_err(|e| {
                self.placed(Fault::new(
                    Code::ServerRefused,
                    Reach::Message,
                    Remedy::Skip,
                    format!("the command cannot be written: {e}"),
                ))
            })?;
        tracing::trace!(server = %self.shared.endpoint.server(), "C: {}", encoded.shown());
        let tag = machine.submit(takes, carries_text, sink);
        // Order matters: the lock is held until the command stands in the queue, so
        // that both agree on the order.
        let outgoing = outgoing::outgoing(encoded, bodies, gate);
        self.shared.beat();
        // A writer that is gone has told, or will tell, everything in flight.
        self.queue.send(outgoing).ok();
        Ok(tag)
    }
}

/// See [`Connection::obituary`].
#[derive(Clone)]
pub(crate) struct Obituary(Arc<Shared>);

impl Obituary {
    /// Why the connection ended.
    pub(crate) fn fault(&self) -> Fault {
        self.0.dead_fault()
    }

    /// Names side and server in a fault.
    pub(crate) fn placed(&self, fault: Fault) -> Fault {
        self.0.placed(fault)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.fail(Fault::new(
            Code::LinkLost,
            Reach::Side,
            Remedy::Retry { after: None },
            "the connection was given up",
        ));
    }
}

/// An append that may not be completed.
pub(crate) fn shut_gate() -> Fault {
    Fault::new(
        Code::Interrupted,
        Reach::Job,
        Remedy::Retry { after: None },
        "the append was not completed: the run was stopped or its lease ended",
    )
}

/// Puts collected data to its command.
fn deliver(sink: &mut Sink, response: Response) -> Result<(), Fault> {
    if let Sink::Answer { data, .. } = sink {
        if data.len() >= MOST_DATA {
            return Err(excess(format!("more than {MOST_DATA} rows in one answer")));
        }
        data.push(response);
    }
    Ok(())
}

impl Shared {
    fn machine(&self) -> MutexGuard<'_, Machine<Sink>> {
        lock(&self.machine)
    }

    /// Tells the end of a command.
    fn finish(&self, sink: Sink, tag: Tag, reply: Reply) {
        match sink {
            Sink::Answer { data, to } => drop(to.send(Ok(Answer { reply, data }))),
            Sink::Append { to, room } => {
                to.send(AppendEnd::Answered(reply)).ok();
                drop(room);
            }
            // Only the reader ends commands with rows; it waits for room itself.
            Sink::Rows(to) => drop(to.try_send(RowEvent::Done { tag, reply })),
        }
    }

    /// Tells a command that it will not be answered.
    fn abandon(&self, sink: Sink, sent: Sent, fault: &Fault) {
        match sink {
            Sink::Answer { to, .. } => drop(to.send(Err(fault.clone()))),
            Sink::Append { to, .. } => {
                let end = if sent >= Sent::Literal {
                    AppendEnd::Unknown(fault.clone())
                } else {
                    AppendEnd::NotSent(fault.clone())
                };
                to.send(end).ok();
            }
            // The consumer sees its channel end and asks for the fault.
            Sink::Rows(_) => {}
        }
    }

    /// Ends the connection: the first fault counts. Everything in flight is told.
    fn fail(&self, fault: Fault) {
        let fault = self.placed(fault);
        let flights = {
            // Order matters: nobody may submit between the two.
            let mut machine = self.machine();
            let mut dead = lock(&self.dead);
            if dead.is_none() {
                tracing::debug!(server = %self.endpoint.server(), %fault, "connection ended");
                *dead = Some(fault.clone());
            }
            machine.abandon()
        };
        (self.reset)();
        for flight in flights {
            self.abandon(flight.sink, flight.sent, &fault);
        }
        for task in lock(&self.tasks).drain(..) {
            task.abort();
        }
    }

    fn dead_fault(&self) -> Fault {
        lock(&self.dead)
            .clone()
            .unwrap_or_else(|| self.lost("the connection ended"))
    }

    /// Keeps the count of the open mailbox.
    fn count(&self, response: &Response) {
        let gone = match response {
            Response::Exists(count) => {
                self.exists.store(*count, Ordering::Relaxed);
                return;
            }
            Response::Expunge(_) => 1,
            Response::Vanished {
                earlier: false,
                uids,
            } => uids.len(),
            _ => return,
        };
        let left = self.exists.load(Ordering::Relaxed).saturating_sub(gone);
        self.exists.store(left, Ordering::Relaxed);
    }

    /// Untagged data that no command wants.
    fn idle(&self, response: &Response) {
        if let Response::Status(reply) = response
            && matches!(reply.kind, ReplyKind::No | ReplyKind::Bad)
        {
            tracing::warn!(server = %self.endpoint.server(), "the server says: {}", reply.said());
        }
    }

    fn beat(&self) {
        *lock(&self.beat) = Instant::now();
    }

    /// Until dropped, silence of the server is not its fault.
    fn hold(self: &Arc<Self>) -> Hold {
        self.holds.fetch_add(1, Ordering::Relaxed);
        Hold(Arc::clone(self))
    }

    /// How long the server may be silent now; `None` when it owes no answer.
    fn patience(&self) -> Option<Duration> {
        let (is_idle, is_slow) = {
            let machine = self.machine();
            (machine.is_idle(), machine.is_slow())
        };
        if is_idle || self.holds.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let reply = self.endpoint.timeouts.reply;
        Some(if is_slow { reply } else { self.shortest() })
    }

    /// The patience with a command that is quick by its nature.
    fn shortest(&self) -> Duration {
        self.endpoint.timeouts.reply.min(PATIENCE)
    }

    /// The later of a moment and of the last progress of this side.
    fn since(&self, moment: Instant) -> Instant {
        moment.max(*lock(&self.beat))
    }

    /// Decides about a silence since a moment: the moment at which to look again, or the
    /// fault.
    fn silence(&self, since: Instant) -> Result<Instant, Fault> {
        let now = Instant::now();
        let Some(patience) = self.patience() else {
            return Ok(now + self.shortest());
        };
        let due = self.since(since) + patience;
        if due > now {
            return Ok(due);
        }
        Err(self.silent(format!("no answer for {} seconds", patience.as_secs())))
    }

    fn silent(&self, detail: String) -> Fault {
        self.placed(Fault::new(
            Code::LinkSilent,
            Reach::Side,
            Remedy::Retry { after: None },
            detail,
        ))
    }

    fn placed(&self, fault: Fault) -> Fault {
        fault.on(self.endpoint.side).server(self.endpoint.server())
    }

    fn lost(&self, detail: &str) -> Fault {
        self.placed(Fault::new(
            Code::LinkLost,
            Reach::Side,
            Remedy::Retry { after: None },
            detail,
        ))
    }

    fn io_fault(&self, error: &io::Error) -> Fault {
        self.endpoint.link_fault(error)
    }
}

/// See [`Shared::hold`].
struct Hold(Arc<Shared>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.holds.fetch_sub(1, Ordering::Relaxed);
        self.0.beat();
    }
}

/// A lock that outlives a panic of another holder: the data is plain.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
