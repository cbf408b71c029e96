//! The way to one of the two servers, and what goes wrong on it.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_memserver::MemServer;
use hikyaku_net::{Dial, Dialled, Endpoint};
use tokio::time::Instant;

use super::pipe::{Cut, Middle, Pipe, Shape, Way, pipe};

/// A time in which nobody gets through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    /// Since the life began.
    pub(super) from: Duration,
    /// How long it lasts.
    pub(super) lasts: Duration,
    /// Whether connecting hangs instead of being refused.
    pub(super) hangs: bool,
}

/// What goes wrong on the way during one life.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// Where connections are cut: the octet of a direction, counted over all connections of the life.
    pub(super) cuts: Vec<(Way, u64, Cut)>,
    /// When nobody gets through.
    pub(super) outage: Option<Outage>,
}

/// The way to one server. Clones are the same way.
#[derive(Clone)]
pub(super) struct Network {
    server: Arc<MemServer>,
    shape: Shape,
    weather: Arc<Mutex<Weather>>,
}

struct Weather {
    began: Instant,
    outage: Option<Outage>,
    /// Octets that have passed in this life, up and down.
    passed: [u64; 2],
    cuts: Vec<(Way, u64, Cut)>,
    pipes: Vec<Pipe>,
    struck: BTreeMap<&'static str, u64>,
}

impl Network {
    pub(super) fn new(server: Arc<MemServer>, shape: Shape) -> Self {
        Self {
            server,
            shape,
            weather: Arc::new(Mutex::new(Weather {
                began: Instant::now(),
                outage: None,
                passed: [0; 2],
                cuts: Vec::new(),
                pipes: Vec::new(),
                struck: BTreeMap::new(),
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new life: its octets are counted from 0.
    pub(super) fn begin(&self, trouble: Trouble) {
        let mut weather = self.lock();
        weather.began = Instant::now();
        weather.outage = trouble.outage;
        weather.cuts = trouble.cuts;
        weather.passed = [0; 2];
        weather.struck.clear();
        weather.pipes.clear();
    }

    /// What has struck in this life, and how often.
    pub(super) fn struck(&self) -> BTreeMap<&'static str, u64> {
        self.lock().struck.clone()
    }

    /// The process behind all connections is gone.
    pub(super) fn abandon(&self, cut: Cut) {
        let pipes = std::mem::take(&mut self.lock().pipes);
        for pipe in pipes {
            pipe.cut(Way::Up, cut);
        }
    }

    /// Connections that the client has not ended.
    pub(super) fn held(&self) -> usize {
        self.lock().pipes.iter().filter(|p| p.is_held()).count()
    }
}

impl Middle for Weather {
    fn pass(&mut self, way: Way, octets: u64) -> (u64, Option<Cut>) {
        let passed = &mut self.passed[way as usize];
        let due = self
            .cuts
            .iter()
            .enumerate()
            .filter(|(_, (w, at, _))| *w == way && *at < *passed + octets)
            .min_by_key(|(_, (_, at, _))| *at)
            .map(|(n, _)| n);
        let Some(n) = due else {
            *passed += octets;
            return (octets, None);
        };
        let (_, at, cut) = self.cuts.remove(n);
        let passes = at.saturating_sub(*passed);
        *passed += passes;
        *self.struck.entry(cut.name()).or_default() += 1;
        (passes, Some(cut))
    }
}

impl Dial for Network {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, io::Result<Dialled>> {
        async move {
            tokio::time::sleep(self.shape.delay).await;
            let outage = {
                let weather = self.lock();
                let since = weather.began.elapsed();
                weather
                    .outage
                    .filter(|o| o.from <= since && since < o.from + o.lasts)
            };
            if let Some(outage) = outage {
                let kind = match outage.hangs {
                    true => "no way: hangs",
                    false => "no way: refused",
                };
                *self.lock().struck.entry(kind).or_default() += 1;
                if outage.hangs {
                    std::future::pending::<()>().await;
                }
                return Err(ErrorKind::ConnectionRefused.into());
            }
            let (client, server, pipe) = pipe(self.shape, self.weather.clone());
            self.lock().pipes.push(pipe);
            self.server.accept(server);
            Ok(Dialled {
                carrier: Box::new(client),
                address: ([127, 0, 0, 1], endpoint.port).into(),
            })
        }
        .boxed()
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}
