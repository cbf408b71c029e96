//! One connection through the proxy: two ways, each read at once and written when its time has come.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::way::{Dialogue, Step, Way};
use super::{Action, Direction, Shared};

/// What may be under way in one direction of one connection, as much as a large TCP window lets.
const UNDER_WAY: usize = 16 * 1024 * 1024;

/// How one direction came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The sender finished, and so does this direction; the other goes on.
    Finished,
    /// Both directions end in an orderly way.
    Close,
    /// Both directions are reset.
    Reset,
    /// Nothing passes any more.
    Silence,
}

/// Serves one connection until both directions have ended, a fault ends it, or the test does.
pub(super) async fn connection(
    client: TcpStream,
    number: usize,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<u64>,
) {
    let delay = shared.state().settings.delay;
    // What opening a connection takes on a long line: there, back, and there again.
    sleep(delay * 3).await;
    let Ok(server) = TcpStream::connect(shared.target).await else {
        client.set_zero_linger().ok();
        return;
    };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let (mut client, mut server) = (client.into_split(), server.into_split());
    stop.borrow_and_update();
    let end = tokio::select! {
        end = serve(&mut client, &mut server, number, &shared) => end,
        _ = stop.changed() => Outcome::Reset,
    };
    if end == Outcome::Reset {
        client.1.as_ref().set_zero_linger().ok();
        server.1.as_ref().set_zero_linger().ok();
        // Dropped as they are, the writing halves would send an orderly end first.
        client.1.forget();
        server.1.forget();
        return;
    }
    // A socket closed with unread octets sends a reset; what still arrives is read and thrown away.
    client.1.shutdown().await.ok();
    server.1.shutdown().await.ok();
    let drained = async { tokio::join!(drain(&mut client.0), drain(&mut server.0)) };
    timeout(Duration::from_secs(2), drained).await.ok();
}

type Halves = (OwnedReadHalf, OwnedWriteHalf);

async fn serve(
    client: &mut Halves,
    server: &mut Halves,
    number: usize,
    shared: &Arc<Shared>,
) -> Outcome {
    let dialogue = Arc::new(Mutex::new(Dialogue::default()));
    let way = |direction| Way::new(direction, number, Arc::clone(shared), Arc::clone(&dialogue));
    let mut out = std::pin::pin!(pass(&mut client.0, &mut server.1, way(Direction::ToServer)));
    let mut back = std::pin::pin!(pass(&mut server.0, &mut client.1, way(Direction::ToClient)));
    let (mut out_open, mut back_open) = (true, true);
    while out_open || back_open {
        let outcome = tokio::select! {
            outcome = &mut out, if out_open => { out_open = false; outcome }
            outcome = &mut back, if back_open => { back_open = false; outcome }
        };
        match outcome {
            Outcome::Finished => {}
            Outcome::Close | Outcome::Reset => return outcome,
            // Neither direction is looked after any more, and both stay open.
            Outcome::Silence => pending().await,
        }
    }
    Outcome::Close
}

/// What leaves the line, and when.
struct Leaving {
    at: Instant,
    what: Leaves,
    /// Makes room on the line when it has left.
    _room: Option<OwnedSemaphorePermit>,
}

enum Leaves {
    Octets(Vec<u8>),
    End(Outcome),
}

/// Passes one direction on.
async fn pass(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, way: Way) -> Outcome {
    let (enter, leave) = mpsc::unbounded_channel();
    let arrivals = async {
        receive(from, way, enter).await;
        pending().await
    };
    tokio::select! {
        outcome = send(to, leave) => outcome,
        outcome = arrivals => outcome,
    }
}

/// Reads until the sender ends or a fault does.
async fn receive(from: &mut OwnedReadHalf, mut way: Way, enter: mpsc::UnboundedSender<Leaving>) {
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    let mut buffer = vec![0; 64 * 1024];
    // A fault before the first octet happens without waiting for it.
    let mut steps = way.begin();
    loop {
        for step in steps {
            let (what, room) = match step {
                Step::Octets(octets) => {
                    let wanted = u32::try_from(octets.len().min(UNDER_WAY)).unwrap_or(u32::MAX);
                    let room = Arc::clone(&room).acquire_many_owned(wanted).await.ok();
                    (Leaves::Octets(octets), room)
                }
                Step::Action(Action::Say(octets)) => (Leaves::Octets(octets), None),
                Step::Action(Action::Close) => (Leaves::End(Outcome::Close), None),
                Step::Action(Action::Reset) => (Leaves::End(Outcome::Reset), None),
                Step::Action(Action::HalfClose) => (Leaves::End(Outcome::Finished), None),
                Step::Action(Action::Silence) => (Leaves::End(Outcome::Silence), None),
            };
            let octets = if let Leaves::Octets(octets) = &what {
                octets.len()
            } else {
                0
            };
            let at = way.departure(octets);
            let last = matches!(what, Leaves::End(_));
            if enter
                .send(Leaving {
                    at,
                    what,
                    _room: room,
                })
                .is_err()
                || last
            {
                return;
            }
        }
        let end = match from.read(&mut buffer).await {
            Ok(0) => Outcome::Finished,
            Ok(length) => {
                steps = way.take(&buffer[..length]);
                continue;
            }
            Err(_) => Outcome::Reset,
        };
        // What was held back for a line that never ended goes first.
        let rest = way.finish();
        let at = way.departure(rest.len());
        enter
            .send(Leaving {
                at,
                what: Leaves::Octets(rest),
                _room: None,
            })
            .ok();
        enter
            .send(Leaving {
                at,
                what: Leaves::End(end),
                _room: None,
            })
            .ok();
        return;
    }
}

/// Writes what has come to the end of the line.
async fn send(to: &mut OwnedWriteHalf, mut leave: mpsc::UnboundedReceiver<Leaving>) -> Outcome {
    while let Some(leaving) = leave.recv().await {
        if leaving.at > Instant::now() {
            sleep_until(leaving.at).await;
        }
        match leaving.what {
            Leaves::Octets(octets) => {
                if to.write_all(&octets).await.is_err() {
                    return Outcome::Reset;
                }
            }
            Leaves::End(outcome) => {
                if outcome == Outcome::Finished {
                    to.shutdown().await.ok();
                }
                return outcome;
            }
        }
    }
    pending().await
}

async fn drain(from: &mut OwnedReadHalf) {
    let mut buffer = vec![0; 64 * 1024];
    while from.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}

/// The lock of what both directions of a connection share.
pub(super) fn locked(dialogue: &Mutex<Dialogue>) -> std::sync::MutexGuard<'_, Dialogue> {
    dialogue.lock().unwrap_or_else(PoisonError::into_inner)
}
