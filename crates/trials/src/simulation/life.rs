//! One life of the product: from connecting to its report, or to its death.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hikyaku_core::report::Report;
use hikyaku_core::{Fault, Side};
use hikyaku_engine::{Job, Stop};
use hikyaku_imap::{Compress, ImapAccount, ImapOptions};
use hikyaku_memserver::{Quota, Script};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use tokio::time::Instant;

use super::log::{CANARY, Witness};
use super::owner::Act;
use super::plan::{Death, DeathAt, LifePlan};
use super::world::{Account2, World};

/// I9: no life may take longer than this, whatever goes wrong: retries, back-off and open circuits included.
const LONGEST: Duration = Duration::from_secs(72 * 3600);

/// How a life ended.
pub(super) enum End {
    /// With a report.
    Reported(Box<Report>),
    /// It could not begin.
    NotStarted(Fault),
    /// The process died.
    Killed,
}

/// What a life came to.
pub(super) struct Lived {
    pub(super) end: End,
    /// What has struck, by kind.
    pub(super) struck: BTreeMap<String, u64>,
    pub(super) lasted: Duration,
}

/// Lives one life.
///
/// # Errors
/// What must not have been.
pub(super) async fn live(world: &mut World, plan: &LifePlan, seed: u64) -> Result<Lived, String> {
    tokio::time::sleep(plan.rest).await;
    if plan.rest >= Duration::from_secs(60) {
        // By now the servers have noticed who is gone.
        world.source.server.drop_connections();
        world.destination.server.drop_connections();
    }
    let mut struck = BTreeMap::new();
    world.truth.arrived.clear();
    world.truth.arrived_refused.clear();
    for act in &plan.before {
        if world.act(*act)? {
            *struck.entry(act.name().to_owned()).or_default() += 1;
        }
    }
    world.truth.is_settled = false;
    world.ledger.revive();
    if let Some((write, after)) = plan.full_disk {
        world.ledger.die_at(write, after);
    }
    if let Some(Death {
        when: DeathAt::Write(write, after),
        ..
    }) = plan.death
    {
        world.ledger.die_at(write, after);
    }
    world.source.network.begin(plan.source.clone());
    world.destination.network.begin(plan.destination.clone());
    world.source.server.play(plan.source_script());
    world.destination.server.play(plan.destination_script());
    let room = plan
        .room
        .map(|room| world.destination.account.snapshot().octets() + room);
    world.destination.account.set_quota(Quota {
        octets: room,
        messages: None,
    });

    let began = Instant::now();
    let end = act_meanwhile(world, plan, seed, &mut struck).await?;
    let lasted = began.elapsed();
    after(world, plan, &mut struck);
    Ok(Lived {
        end,
        struck,
        lasted,
    })
}

/// The product and the owners at the same time.
async fn act_meanwhile(
    world: &mut World,
    plan: &LifePlan,
    seed: u64,
    struck: &mut BTreeMap<String, u64>,
) -> Result<End, String> {
    let ledger = world.ledger.clone();
    let death_at = match plan.death {
        Some(Death {
            when: DeathAt::After(time),
            ..
        }) => Some(Instant::now() + time),
        _ => None,
    };
    let dies_by_write = matches!(
        plan.death,
        Some(Death {
            when: DeathAt::Write(..),
            ..
        })
    );
    let witness = Witness::new(world.log.clone());
    let product = product(world, plan, seed, witness.clone());
    let mut product = Box::pin(tokio::time::timeout(LONGEST, product));
    let began = Instant::now();
    let mut acts: std::collections::VecDeque<(Duration, Act)> =
        plan.during.iter().copied().collect();
    let end = loop {
        let next_act = acts.front().map(|(at, _)| began + *at);
        tokio::select! {
            biased;
            () = ledger.died(), if dies_by_write => break End::Killed,
            () = tokio::time::sleep_until(death_at.unwrap_or(began)), if death_at.is_some() => break End::Killed,
            () = tokio::time::sleep_until(next_act.unwrap_or(began)), if next_act.is_some() => {
                if let Some((_, act)) = acts.pop_front() && world.act(act)? {
                    *struck.entry(act.name().to_owned()).or_default() += 1;
                }
            }
            ended = &mut product => match ended {
                Ok(Ok(report)) => break End::Reported(Box::new(report)),
                Ok(Err(fault)) => break End::NotStarted(fault),
                Err(_) => return Err(format!("I9: a life of more than {LONGEST:?}")),
            },
        }
    };
    if let (End::Killed, Some(death)) = (&end, plan.death) {
        // Order matters: a dead process neither writes to its disk nor speaks any more.
        world.ledger.kill();
        world.source.network.abandon(death.cut);
        world.destination.network.abandon(death.cut);
        witness.close_ears();
    }
    drop(product);
    if let End::Reported(report) = &end
        && report.stopped.is_none()
        && witness.waits_open() != 0
    {
        return Err(format!("I9: {} waits have no end", witness.waits_open()));
    }
    if !matches!(end, End::Killed) {
        no_connection_is_left(world).await?;
    }
    Ok(end)
}

/// I9: what ended holds nothing open.
async fn no_connection_is_left(world: &World) -> Result<(), String> {
    // What was asked and not waited for may still be answered.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let held = world.source.network.held() + world.destination.network.held();
    match held {
        0 => Ok(()),
        _ => Err(format!("I9: {held} connections are open after the end")),
    }
}

/// The product as its command line drives it. The future owns all it needs.
fn product(
    world: &World,
    plan: &LifePlan,
    seed: u64,
    witness: Witness,
) -> impl Future<Output = Result<Report, Fault>> + use<> {
    let source = options(&world.source, Side::Source, world.policy.lanes);
    let destination = options(&world.destination, Side::Destination, world.policy.lanes);
    let (ledger, clock) = (world.ledger.clone(), world.clock.clone());
    let mut policy = world.policy.clone();
    policy.no_wait = plan.no_wait;
    async move {
        let (source, destination) =
            futures::future::try_join(connect(source), connect(destination)).await?;
        let (source, destination) = (Arc::new(source), Arc::new(destination));
        let job = Job {
            source: source.clone(),
            destination: destination.clone(),
            undo: None,
            ledger: Arc::new(ledger),
            observer: Arc::new(witness),
            clock,
            policy,
            stop: Stop::new(),
            seed,
        };
        let report = job.copy().await;
        use hikyaku_core::traits::Source;
        futures::future::join(source.close(), destination.close()).await;
        report
    }
}

/// Connects; somebody who is told that a server is out of reach starts the program again, a few times.
async fn connect(options: ImapOptions) -> Result<ImapAccount, Fault> {
    let mut tries = 0;
    loop {
        tries += 1;
        match ImapAccount::connect(options.clone()).await {
            Err(fault) if fault.is_temporary() && tries < 4 => {
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
            connected => return connected,
        }
    }
}

fn options(side: &Account2, which: Side, lanes: usize) -> ImapOptions {
    let host = match which {
        Side::Source => "source.example.jp",
        Side::Destination => "destination.example.jp",
    };
    let mut endpoint = Endpoint::new(host, 143, Security::Plain, which);
    endpoint.dial = Some(Arc::new(side.network.clone()));
    let mut options = ImapOptions::new(endpoint, Credentials::password("user@example.jp", CANARY));
    options.lanes = lanes;
    if side.compress {
        options.compress = Compress::Auto;
    }
    options
}

/// Counts what has struck and ends all trouble.
fn after(world: &mut World, plan: &LifePlan, struck: &mut BTreeMap<String, u64>) {
    for network in [&world.source.network, &world.destination.network] {
        for (kind, n) in network.struck() {
            *struck.entry(kind.to_owned()).or_default() += n;
        }
    }
    for (server, rules) in [
        (&world.source.server, &plan.source_rules),
        (&world.destination.server, &plan.destination_rules),
    ] {
        for ((kind, _), hits) in rules.iter().zip(server.hits()) {
            if hits > 0 {
                *struck.entry(kind.clone()).or_default() += 1;
            }
        }
        server.play(Script::new());
    }
    if plan.full_disk.is_some() && plan.death.is_none() && world.ledger.is_dead() {
        *struck.entry("disk full".into()).or_default() += 1;
    }
    world.destination.account.set_quota(Quota::default());
}
