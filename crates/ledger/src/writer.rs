//! Group commit: one task writes, and one durable write serves everybody who waits at the time.
//!
//! ```text
//! lane 1 ─┐
//! lane 2 ─┼─► bounded queue ─► writer task: BEGIN · all that is queued · COMMIT ─► every lane its own answer
//! lane 3 ─┘
//! ```
//!
//! **Invariant**: an answer that is no fault means *durable*. A request that fails takes none of its neighbours along:
//! the group is rolled back and everyone is tried alone.

use std::sync::Arc;

use futures::future::BoxFuture;
use hikyaku_core::{Code, Fault};
use tokio::sync::{mpsc, oneshot};

use crate::db::{Db, Lease};
use crate::fault;
use crate::link::Link;

/// Requests that may wait; who comes later waits for a place.
const QUEUE: usize = 64;

/// Most requests in one transaction.
const GROUP: usize = 64;

/// Something that is written in a transaction. It may be applied more than once, each time to a state in which it has
/// not been applied.
pub(crate) trait Operation: Send + Sync + 'static {
    /// What it answers.
    type Output: Send + 'static;

    /// Writes, without committing.
    fn apply<'a>(&'a self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<Self::Output, Fault>>;
}

/// The way to the writer task. The task ends with the last of these.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Request>,
}

enum Request {
    Write(Box<dyn Queued>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the task. Must be called inside a tokio runtime.
    pub(crate) fn start(db: Arc<Db>) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        tokio::spawn(write(db, requests));
        Self { queue }
    }

    /// Makes an operation durable. When the answer is no longer awaited the write happens all the same.
    pub(crate) async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, Fault> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            operation,
            output: None,
            answer,
        };
        self.queue
            .send(Request::Write(Box::new(job)))
            .await
            .map_err(|_| fault::closed())?;
        answered.await.unwrap_or_else(|_| Err(fault::closed()))
    }

    /// Ends the task after everything that is queued.
    pub(crate) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Request::Close(answer)).await.is_ok() {
            answered.await.ok();
        }
    }
}

async fn write(db: Arc<Db>, mut requests: mpsc::Receiver<Request>) {
    let mut closed = None;
    while closed.is_none() {
        let Some(first) = requests.recv().await else {
            break;
        };
        let mut group = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write(job) => group.push(job),
                Request::Close(answer) => {
                    closed = Some(answer);
                    break;
                }
            }
            next = if group.len() < GROUP {
                requests.try_recv().ok()
            } else {
                None
            };
        }
        if !group.is_empty() {
            write_group(&db, group).await;
        }
    }
    requests.close();
    if let Some(answer) = closed {
        // Whoever asked has gone, then: nothing is lost.
        answer.send(()).ok();
    }
}

async fn write_group(db: &Db, mut group: Vec<Box<dyn Queued>>) {
    let answer_all = |group, done: Result<(), &Fault>| {
        let done = done.map_err(|fault| db.notice(fault.clone()));
        answer_all(group, done.as_ref().copied());
    };
    let mut lease = match db.writer().await {
        Ok(lease) => lease,
        Err(fault) => return answer_all(group, Err(&fault)),
    };
    match attempt(&mut lease, &mut group).await {
        Ok(()) => answer_all(group, Ok(())),
        Err(Attempt::Lost(fault)) => answer_all(group, Err(&fault)),
        Err(Attempt::Refused(fault)) if group.len() == 1 => answer_all(group, Err(&fault)),
        Err(Attempt::Refused(fault)) => {
            tracing::debug!(requests = group.len(), %fault, "one of a group was refused; each is tried alone");
            for job in group {
                let mut alone = vec![job];
                let done = attempt(&mut lease, &mut alone).await;
                answer_all(alone, done.as_ref().copied().map_err(Attempt::fault));
            }
        }
    }
}

/// Why a group did not become durable.
enum Attempt {
    /// It was taken back; one alone may still succeed.
    Refused(Fault),
    /// The link broke: whether it is durable cannot be known from here.
    Lost(Fault),
}

impl Attempt {
    fn fault(&self) -> &Fault {
        match self {
            Attempt::Refused(fault) | Attempt::Lost(fault) => fault,
        }
    }
}

async fn attempt(lease: &mut Lease, group: &mut [Box<dyn Queued>]) -> Result<(), Attempt> {
    let mut link = lease.link().map_err(Attempt::Lost)?;
    let done = transaction(&mut link, group).await;
    if let Err(fault) = done {
        if matches!(
            fault.code,
            Code::LinkLost | Code::HostUnreachable | Code::Interrupted
        ) {
            return Err(Attempt::Lost(fault));
        }
        link.roll_back().await;
        return Err(Attempt::Refused(fault));
    }
    Ok(())
}

async fn transaction(link: &mut Link<'_>, group: &mut [Box<dyn Queued>]) -> Result<(), Fault> {
    link.begin().await?;
    for job in group {
        job.apply(link).await?;
    }
    link.commit().await
}

fn answer_all(group: Vec<Box<dyn Queued>>, done: Result<(), &Fault>) {
    for job in group {
        job.answer(done.map_err(Fault::clone));
    }
}

/// An operation with somebody who waits for it.
trait Queued: Send {
    fn apply<'a>(&'a mut self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>>;

    /// Called once, after the commit or its failure.
    fn answer(self: Box<Self>, done: Result<(), Fault>);
}

struct Job<O: Operation> {
    operation: O,
    output: Option<O::Output>,
    answer: oneshot::Sender<Result<O::Output, Fault>>,
}

impl<O: Operation> Queued for Job<O> {
    fn apply<'a>(&'a mut self, link: &'a mut Link<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            self.output = Some(self.operation.apply(link).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, done: Result<(), Fault>) {
        let Job { output, answer, .. } = *self;
        let output = done.and_then(|()| {
            output.ok_or_else(|| Fault::bug("a write was committed without running"))
        });
        // An error means that nobody waits any more. The write stays, and the next run reads it.
        answer.send(output).ok();
    }
}

#[cfg(test)]
mod tests;
