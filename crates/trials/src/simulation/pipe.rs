//! A connection in memory: two ends, a delay, and a middle that can cut it.
//!
//! What the middle does strikes at an octet of one direction, counted by [`Middle`]. An end that was closed, one that
//! was reset and one that falls silent are told apart as a TCP peer tells them apart.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What a writer may send into a connection that swallows everything before it blocks, as a socket's buffers would.
const SWALLOWED: u64 = 256 * 1024;

/// Which way octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

impl Way {
    fn other(self) -> Self {
        match self {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        }
    }
}

/// What happens to a connection on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Both ends see an orderly end, after what was sent before.
    Close,
    /// Both ends see a broken connection; what was sent before arrives or does not.
    Reset {
        /// Whether it does, in the direction that was struck.
        arrives: bool,
    },
    /// One direction ends orderly; the writer does not know. The other goes on.
    HalfClose,
    /// Nothing arrives any more in this direction, and nobody is told.
    Silence,
    /// Nothing arrives in this direction for so long.
    Pause(Duration),
}

impl Cut {
    /// One word for tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Cut::Close => "cut: close",
            Cut::Reset { arrives: true } => "cut: reset, what was sent arrives",
            Cut::Reset { arrives: false } => "cut: reset, what was sent is lost",
            Cut::HalfClose => "cut: half-close",
            Cut::Silence => "cut: silence",
            Cut::Pause(_) => "cut: pause",
        }
    }
}

/// Counts octets over all connections of a side and says where to strike.
pub(super) trait Middle: Send {
    /// Of so many octets about to pass: how many pass, and what happens after them.
    fn pass(&mut self, way: Way, octets: u64) -> (u64, Option<Cut>);
}

/// How a pipe is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// From writing to arrival.
    pub(super) delay: Duration,
    /// Octets under way in one direction before the writer waits.
    pub(super) capacity: usize,
}

/// One end. Dropping it ends the connection orderly.
pub(super) struct End {
    pipe: Pipe,
    /// The way of what this end writes.
    way: Way,
    arrival: Option<Pin<Box<Sleep>>>,
}

/// Both ends of a connection as the middle sees them.
#[derive(Clone)]
pub(super) struct Pipe(Arc<Mutex<Inner>>);

struct Inner {
    up: Lane,
    down: Lane,
    shape: Shape,
    middle: Arc<Mutex<dyn Middle>>,
}

/// One direction.
#[derive(Default)]
struct Lane {
    under_way: VecDeque<(Instant, Bytes)>,
    octets: usize,
    /// Nothing comes after what is under way, and the reader is told so.
    ended: bool,
    /// The reader finds the connection broken after what is under way.
    broken: bool,
    /// What a writer is told.
    refuses: Option<ErrorKind>,
    /// Writes vanish.
    swallows: bool,
    swallowed: u64,
    held_until: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The client's end and the server's.
pub(super) fn pipe(shape: Shape, middle: Arc<Mutex<dyn Middle>>) -> (End, End, Pipe) {
    let pipe = Pipe(Arc::new(Mutex::new(Inner {
        up: Lane::default(),
        down: Lane::default(),
        shape,
        middle,
    })));
    let end = |way| End {
        pipe: pipe.clone(),
        way,
        arrival: None,
    };
    (end(Way::Up), end(Way::Down), pipe)
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the connection from outside.
    pub(super) fn cut(&self, way: Way, cut: Cut) {
        self.lock().strike(way, cut);
    }

    /// Whether the client still holds its end.
    pub(super) fn is_held(&self) -> bool {
        self.lock().up.refuses.is_none() && !self.lock().up.ended
    }
}

impl Inner {
    fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    fn strike(&mut self, way: Way, cut: Cut) {
        match cut {
            Cut::Close => {
                for lane in [&mut self.up, &mut self.down] {
                    lane.ended = true;
                    lane.refuses.get_or_insert(ErrorKind::BrokenPipe);
                }
            }
            Cut::Reset { arrives } => {
                if !arrives {
                    self.lane(way).forget();
                }
                self.lane(way.other()).forget();
                for lane in [&mut self.up, &mut self.down] {
                    lane.broken = true;
                    lane.refuses = Some(ErrorKind::ConnectionReset);
                }
            }
            Cut::HalfClose => {
                let lane = self.lane(way);
                lane.ended = true;
                lane.swallows = true;
            }
            Cut::Silence => self.lane(way).swallows = true,
            Cut::Pause(time) => self.lane(way).held_until = Some(Instant::now() + time),
        }
        for lane in [&mut self.up, &mut self.down] {
            lane.wake();
        }
    }

    fn write(&mut self, way: Way, octets: &[u8], cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let Shape { delay, capacity } = self.shape;
        let middle = self.middle.clone();
        let lane = self.lane(way);
        if let Some(kind) = lane.refuses {
            return Poll::Ready(Err(kind.into()));
        }
        if octets.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if lane.swallows {
            if lane.swallowed > SWALLOWED {
                lane.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            lane.swallowed += octets.len() as u64;
            return Poll::Ready(Ok(octets.len()));
        }
        let room = capacity.saturating_sub(lane.octets).min(octets.len());
        if room == 0 {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (passes, cut) = middle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pass(way, room as u64);
        let passes = usize::try_from(passes).unwrap_or(room).min(room);
        if passes > 0 {
            let mut due = Instant::now() + delay;
            if let Some(held) = lane.held_until {
                due = due.max(held);
            }
            lane.octets += passes;
            lane.under_way
                .push_back((due, Bytes::copy_from_slice(&octets[..passes])));
            wake(&mut lane.reader);
        }
        if let Some(cut) = cut {
            self.strike(way, cut);
        }
        match cut {
            None => Poll::Ready(Ok(passes)),
            // Nothing is lost by waiting: the rest comes after it.
            Some(Cut::Pause(_)) if passes > 0 => Poll::Ready(Ok(passes)),
            Some(Cut::Pause(_)) => self.write(way, octets, cx),
            // The writer believes that all of it is on its way.
            Some(_) => Poll::Ready(Ok(room)),
        }
    }
}

impl Lane {
    fn forget(&mut self) {
        self.under_way.clear();
        self.octets = 0;
    }

    fn wake(&mut self) {
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl End {
    fn break_off(&mut self) {
        self.pipe
            .lock()
            .strike(self.way, Cut::Reset { arrives: false });
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut inner = self.pipe.lock();
        let (way, other) = (self.way, self.way.other());
        let lane = inner.lane(way);
        lane.ended = true;
        lane.refuses.get_or_insert(ErrorKind::BrokenPipe);
        lane.wake();
        // Nobody reads what still comes.
        let lane = inner.lane(other);
        lane.forget();
        lane.refuses.get_or_insert(ErrorKind::ConnectionReset);
        lane.wake();
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let end = &mut *self;
        loop {
            let mut inner = end.pipe.lock();
            let lane = inner.lane(end.way.other());
            let Some((due, _)) = lane.under_way.front() else {
                if lane.broken {
                    return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
                }
                if lane.ended {
                    return Poll::Ready(Ok(()));
                }
                lane.reader = Some(cx.waker().clone());
                return Poll::Pending;
            };
            let due = *due;
            if due > Instant::now() {
                lane.reader = Some(cx.waker().clone());
                let arrival = end
                    .arrival
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
                if arrival.deadline() != due {
                    arrival.as_mut().reset(due);
                }
                if arrival.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                continue;
            }
            if let Some((_, octets)) = lane.under_way.front_mut() {
                let taken = octets.len().min(buf.remaining());
                buf.put_slice(&octets[..taken]);
                octets.advance(taken);
                lane.octets -= taken;
                if octets.is_empty() {
                    lane.under_way.pop_front();
                }
            }
            wake(&mut lane.writer);
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pipe.lock().write(self.way, octets, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.pipe.lock();
        let lane = inner.lane(self.way);
        if !lane.swallows {
            lane.ended = true;
        }
        lane.refuses.get_or_insert(ErrorKind::BrokenPipe);
        lane.wake();
        Poll::Ready(Ok(()))
    }
}

impl hikyaku_net::Carrier for End {
    fn reset(&mut self) {
        self.break_off();
    }
}

impl hikyaku_memserver::Carrier for End {
    fn reset(&mut self) {
        self.break_off();
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("End")
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}
