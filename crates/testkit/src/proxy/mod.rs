//! A TCP proxy on loopback that delays, narrows, breaks and records connections.
//!
//! Delay does not lower throughput: octets are read at once and leave later, as on a long line. Faults are placed at an
//! octet, at a protocol line or at a [`Piece`] of the dialogue, so that a test breaks a connection at exactly one point of
//! it. Start reading at [`Proxy`]; `lines` knows literals, so that message text is never taken for protocol.

mod lines;
mod pump;
mod way;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

/// The way that octets take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// Where in a connection a fault happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// After so many octets of this direction have passed; 0 means before the first.
    Octets(u64),
    /// In place of the `nth` line (counting from 1, over all connections) that contains the text.
    BeforeLine {
        /// Compared without regard to case; literals are not searched.
        contains: String,
        /// Which of the matching lines.
        nth: u32,
    },
    /// So many octets after the end of the `nth` line that contains the text; 0 means right after it.
    AfterLine {
        /// Compared without regard to case; literals are not searched.
        contains: String,
        /// Which of the matching lines.
        nth: u32,
        /// Octets of this direction that still pass, for breaks inside a literal.
        octets: u64,
    },
    /// At a [`Piece`], counting from 0 in each direction of each connection. Together with [`Fault::connection`] this
    /// names one place of a dialogue without looking at its text.
    Piece {
        /// Which of the pieces.
        number: usize,
        /// Where in it.
        place: Place,
    },
}

/// A place in a piece of a dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The piece has come as far as the proxy, and nothing of it passes. Of a literal only its first octets need to
    /// have come.
    Before,
    /// One octet of it has passed.
    First,
    /// Half of it has passed.
    Middle,
    /// All of it has passed but the last octet: the line feed, where it is a line.
    Last,
    /// All of it has passed, and what comes next need not have been sent yet.
    After,
}

impl Place {
    /// How many octets pass of a piece that has so many.
    fn of(self, octets: u64) -> u64 {
        match self {
            Self::Before => 0,
            Self::First => octets.min(1),
            Self::Middle => octets / 2,
            Self::Last => octets.saturating_sub(1),
            Self::After => octets,
        }
    }
}

/// A line, a part of a line before or after a literal, or a literal: what a dialogue consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The connection, counting from 0 in the order of their opening.
    pub connection: usize,
    /// The way it went.
    pub direction: Direction,
    /// Which of the pieces of this direction of the connection, counting from 0.
    pub number: usize,
    /// Whether it is the octets of a literal. An empty literal is no piece.
    pub is_literal: bool,
    /// Its length in octets, the line end included.
    pub octets: u64,
    /// The text without its line end; empty for a literal.
    pub text: String,
}

/// What happens to the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Both sides see an orderly end.
    Close,
    /// Both sides see a reset.
    Reset,
    /// The receiving side sees the end of this direction; the other direction goes on.
    HalfClose,
    /// Nothing passes any more in either direction, and nothing ends.
    Silence,
    /// These octets go on in place of what the fault is placed before; the rest passes as usual.
    ///
    /// With [`At::BeforeLine`] the line itself is dropped, with the other places nothing is.
    Say(Vec<u8>),
}

/// A fault that happens once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which way the place is counted.
    pub direction: Direction,
    /// The place.
    pub at: At,
    /// What happens there.
    pub action: Action,
    /// Only in this connection, counting from 0; in the first that gets there when `None`.
    pub connection: Option<usize>,
}

/// How a proxy treats its connections. The default passes everything at once and records lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// How long octets take in each direction. A round trip takes twice as long, and so does opening a connection.
    pub delay: Duration,
    /// Octets a second in each direction, shared by all connections; `None` for no limit.
    pub bandwidth: Option<u64>,
    /// Whether lines are kept for [`Proxy::transcript`]. Turn it off for TLS and for benchmarks.
    pub record: bool,
    /// Faults from the start; [`Proxy::add_fault`] adds more.
    pub faults: Vec<Fault>,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            bandwidth: None,
            record: true,
            faults: Vec::new(),
        }
    }
}

impl ProxySettings {
    /// A line of 50 ms round trip and 100 Mbit/s, not recorded: one side of the benchmarks' "long" rows.
    pub fn long_line() -> Self {
        Self {
            delay: Duration::from_millis(25),
            bandwidth: Some(12_500_000),
            record: false,
            faults: Vec::new(),
        }
    }
}

/// A line that passed, literals inside it included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The connection, counting from 0 in the order of their opening.
    pub connection: usize,
    /// The way it went.
    pub direction: Direction,
    /// The text without its line end. Literals of up to 64 octets without line ends are shown as they are, others as
    /// `<1234 octets>`; octets outside UTF-8 are replaced.
    pub text: String,
}

/// A running proxy, ended with all its connections on drop.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<u64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Raised by one for each [`Proxy::cut_all`]; this value ends the proxy itself.
const END: u64 = u64::MAX;

impl Proxy {
    /// Listens on a free loopback port and passes connections on to `target`. The proxy has a thread of its own, so it
    /// serves synchronous and asynchronous tests alike.
    pub fn start(target: SocketAddr, settings: ProxySettings) -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .context("the proxy cannot listen")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared {
            target,
            state: Mutex::new(State::new(settings)),
        });
        let (stop, stopped) = watch::channel(0);
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(accept(listener, for_thread, stopped));
        });
        Ok(Self {
            address,
            shared,
            stop,
            thread: Some(thread),
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`Proxy::address`].
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Adds a fault that has not happened yet.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.state().faults.push(Placed {
            fault,
            matches: 0,
            happened: false,
        });
    }

    /// How many of the faults have happened, so that a test can prove it broke something.
    pub fn faults_happened(&self) -> usize {
        self.shared
            .state()
            .faults
            .iter()
            .filter(|placed| placed.happened)
            .count()
    }

    /// How long octets take from now on, in each direction.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.state().settings.delay = delay;
    }

    /// Resets every open connection; new ones are welcome.
    pub fn cut_all(&self) {
        self.stop.send_modify(|cuts| *cuts += 1);
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// How many octets have passed so far.
    pub fn octets(&self, direction: Direction) -> u64 {
        self.shared.state().link(direction).octets
    }

    /// Everything recorded so far, both directions, in the order in which the proxy received it.
    pub fn transcript(&self) -> Vec<Line> {
        self.shared.state().transcript.clone()
    }

    /// Everything recorded so far, piece by piece.
    pub fn pieces(&self) -> Vec<Piece> {
        self.shared.state().pieces.clone()
    }

    /// What clients sent so far, line by line, without tags: `UID FETCH 1:* (FLAGS)`.
    pub fn commands(&self) -> Vec<String> {
        let state = self.shared.state();
        let sent = state
            .transcript
            .iter()
            .filter(|line| line.direction == Direction::ToServer);
        sent.map(|line| {
            line.text
                .split_once(' ')
                .map_or(line.text.as_str(), |(_, rest)| rest)
                .to_owned()
        })
        .collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.send_replace(END);
        if let Some(thread) = self.thread.take() {
            // A panic in the proxy's thread would already have broken the test's connections.
            thread.join().ok();
        }
    }
}

/// What the proxy's thread and the test share.
struct Shared {
    target: SocketAddr,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    settings: ProxySettings,
    faults: Vec<Placed>,
    connections: usize,
    transcript: Vec<Line>,
    pieces: Vec<Piece>,
    to_server: Link,
    to_client: Link,
}

/// A fault with how near it is.
struct Placed {
    fault: Fault,
    matches: u32,
    happened: bool,
}

/// One direction of the line that all connections share.
struct Link {
    octets: u64,
    free_at: Instant,
}

impl State {
    fn new(mut settings: ProxySettings) -> Self {
        let faults = std::mem::take(&mut settings.faults);
        let link = || Link {
            octets: 0,
            free_at: Instant::now(),
        };
        Self {
            settings,
            faults: faults
                .into_iter()
                .map(|fault| Placed {
                    fault,
                    matches: 0,
                    happened: false,
                })
                .collect(),
            connections: 0,
            transcript: Vec::new(),
            pieces: Vec::new(),
            to_server: link(),
            to_client: link(),
        }
    }

    fn link(&mut self, direction: Direction) -> &mut Link {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// Counts octets that enter the line now, and tells when they leave it.
    fn pass(&mut self, direction: Direction, octets: usize) -> Instant {
        let (delay, bandwidth) = (self.settings.delay, self.settings.bandwidth);
        let link = self.link(direction);
        link.octets += octets as u64;
        link.free_at = link.free_at.max(Instant::now());
        if let Some(bandwidth) = bandwidth {
            link.free_at += Duration::from_secs_f64(octets as f64 / bandwidth as f64);
        }
        link.free_at + delay
    }
}

async fn accept(
    listener: std::net::TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<u64>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let number = {
                    let mut state = shared.state();
                    state.connections += 1;
                    state.connections - 1
                };
                tokio::spawn(pump::connection(client, number, Arc::clone(&shared), stop.clone()));
            }
            changed = stop.changed() => {
                // The end of the runtime ends every connection with it.
                if changed.is_err() || *stop.borrow_and_update() == END {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Direction, ProxySettings, State};

    #[test]
    fn connections_share_the_bandwidth_of_a_direction() {
        let mut state = State::new(ProxySettings::long_line());
        let first = state.pass(Direction::ToServer, 1_250_000);
        let second = state.pass(Direction::ToServer, 1_250_000);
        let back = state.pass(Direction::ToClient, 1_250_000);
        assert_eq!(second - first, Duration::from_millis(100));
        assert!(back < second, "the other direction is free");
    }
}
