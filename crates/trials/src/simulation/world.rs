//! Two accounts, made from a seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::policy::{Policy, Reserve};
use hikyaku_core::traits::Clock;
use hikyaku_memserver::{
    Account, Date, Epochs, MemServer, NewMessage, Options, Personality, Snapshot,
};
use hikyaku_testkit::memory::MemoryLedger;
use tokio::time::Instant;

use super::content::Contents;
use super::log::{CANARY, Log};
use super::network::Network;
use super::pipe::Shape;
use super::random::Random;
use super::truth::{Counts, Truth, classes, count, stored};

/// Names that every server takes and none has a special use for.
const NAMES: [&str; 8] = [
    "INBOX",
    "Alpha",
    "Alpha/Beta",
    "請求書",
    "請求書/2024年",
    "Q1 plan",
    "Ölmühle",
    "Projects",
];
/// At the destination only.
pub(super) const ELSEWHERE: &str = "Kept elsewhere";

/// One of the two accounts.
pub(super) struct Account2 {
    pub(super) server: Arc<MemServer>,
    pub(super) account: Account,
    pub(super) network: Network,
    pub(super) personality: Personality,
    pub(super) compress: bool,
}

/// Everything that a seed makes before its first life.
pub(super) struct World {
    pub(super) source: Account2,
    pub(super) destination: Account2,
    /// Mailboxes of the source.
    pub(super) names: Vec<&'static str>,
    pub(super) contents: Contents,
    pub(super) ledger: MemoryLedger,
    pub(super) policy: Policy,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) truth: Truth,
    /// The source as its owner left it.
    pub(super) source_shot: Snapshot,
    pub(super) log: Log,
    pub(super) words: Vec<String>,
    /// For what owners choose.
    pub(super) random: Random,
    /// Some life has an APPEND refused for no reason that lies in the message.
    pub(super) refuses_at_random: bool,
    /// No life has trouble on the way, at a server or with its own end.
    pub(super) is_calm: bool,
}

/// Virtual time; the wall clock jumps when it is told to.
#[derive(Debug)]
pub(super) struct SimulatedClock {
    start: Instant,
    unix: AtomicI64,
}

impl SimulatedClock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            unix: AtomicI64::new(1_790_000_000_000),
        }
    }

    pub(super) fn jump(&self, millis: i64) {
        self.unix.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn unix_millis(&self) -> i64 {
        let since = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.unix.load(Ordering::Relaxed) + since
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

impl World {
    /// The world of a seed.
    pub(super) fn new(random: &mut Random, log: Log) -> Self {
        let mut words = Vec::new();
        let source = side(random, "source", &mut words);
        let destination = side(random, "destination", &mut words);
        let all_named = destination.personality.rewriting.adds_header.is_some();
        let mut world = Self {
            source,
            destination,
            names: names(random),
            contents: Contents::new(random.fork(), all_named),
            ledger: MemoryLedger::default(),
            policy: policy(random),
            clock: Arc::new(SimulatedClock::new()),
            truth: Truth::default(),
            source_shot: Snapshot {
                mailboxes: Default::default(),
                subscribed: Default::default(),
            },
            log,
            words,
            random: random.fork(),
            refuses_at_random: false,
            is_calm: false,
        };
        world.fill(random);
        world.source_shot = world.source.account.snapshot();
        world.words.push(format!(
            "policy: {} lanes{}{}{}",
            world.policy.lanes,
            if world.policy.newest_first {
                ", newest first"
            } else {
                ""
            },
            if world.policy.read_back {
                ", read back"
            } else {
                ""
            },
            if world.policy.fit { ", fit" } else { "" },
        ));
        world
    }

    fn fill(&mut self, random: &mut Random) {
        let most = random.spread(1, 40);
        for name in self.names.clone() {
            self.source.account.add_mailbox(name);
            if random.chance(50) {
                self.source.account.subscribe(name);
            }
            for _ in 0..random.below(most + 1) {
                let message = self.message(random);
                self.source.account.add_message(name, message);
            }
        }
        self.destination.account.add_mailbox(ELSEWHERE);
        self.fill_destination(random);
        self.words.push(format!(
            "{} messages, {} octets in {:?}; {} at the destination",
            self.source.account.snapshot().messages(),
            self.source.account.snapshot().octets(),
            self.names,
            self.destination.account.snapshot().messages(),
        ));
    }

    /// Some of what is to be copied is there already, and some other mail.
    fn fill_destination(&mut self, random: &mut Random) {
        if !random.chance(30) {
            return;
        }
        let shot = self.source.account.snapshot();
        for name in self.names.clone() {
            let wire = self.source.account.wire(name);
            let messages = shot.mailboxes.get(&wire).map(|m| m.messages.clone());
            for message in messages.unwrap_or_default() {
                if !random.chance(20) {
                    continue;
                }
                let body = message.body.bytes();
                if let Some(octets) = stored(&self.destination.personality, &body) {
                    self.put_before(name, octets, message.date);
                }
            }
            for _ in 0..random.below(3) {
                let octets = self.contents.stranger();
                self.put_before(name, octets, Date::utc(1_600_000_000));
            }
        }
    }

    fn put_before(&mut self, name: &str, octets: Bytes, date: Date) {
        self.destination
            .account
            .add_message(name, NewMessage::new(octets.clone()).date(date));
        count(&mut self.truth.before, (name.to_owned(), octets));
    }

    /// A message with flags and a date.
    pub(super) fn message(&mut self, random: &mut Random) -> NewMessage {
        let octets = self.contents.any();
        with_facts(octets, random)
    }

    /// The source by class of what the destination stores, and what it refuses.
    pub(super) fn source_classes(&self) -> (Counts, std::collections::BTreeMap<String, Vec<u32>>) {
        let shot = self.source.account.snapshot();
        let names = self
            .names
            .iter()
            .map(|n| (*n, self.source.account.wire(*n)));
        classes(&shot, names, |octets| {
            stored(&self.destination.personality, octets)
        })
    }

    /// The destination by class, its owner's own mailbox included.
    pub(super) fn destination_classes(&self) -> Counts {
        let shot = self.destination.account.snapshot();
        let names = NAMES
            .into_iter()
            .chain([ELSEWHERE])
            .map(|n| (n, self.destination.account.wire(n)));
        classes(&shot, names, |octets| Some(octets.clone())).0
    }

    /// Whether both sides tell lasting UIDVALIDITYs.
    pub(super) fn has_stable_epochs(&self) -> bool {
        self.source.personality.epochs == Epochs::Stable
            && self.destination.personality.epochs == Epochs::Stable
    }
}

/// The message with flags and a date.
pub(super) fn with_facts(octets: Bytes, random: &mut Random) -> NewMessage {
    const FLAGS: [&[&str]; 8] = [
        &[],
        &[],
        &["\\Seen"],
        &["\\Seen", "\\Answered"],
        &["\\Flagged", "$Forwarded"],
        &["\\Seen", "$label1", "work"],
        &["\\Draft"],
        &["\\Deleted", "\\Seen"],
    ];
    // A streamed message that is refused for its date before it is asked for is given up by the engine for this run.
    let is_streamed = octets.len() >= 10_000;
    let seconds = match random.below(20) {
        _ if is_streamed => 1_500_000_000,
        0 => -86_400 * 365,
        1 => 0,
        2 => 4_102_444_800,
        n => {
            1_000_000_000
                + i64::try_from(random.below(700_000_000)).unwrap_or(0)
                + i64::try_from(n).unwrap_or(0)
        }
    };
    let zone = *random.pick(&[0, 540, -300, 330]);
    let flags: &&[&str] = random.pick(&FLAGS);
    NewMessage::new(octets)
        .flags(flags)
        .date(Date::utc(seconds).in_zone(zone))
}

fn names(random: &mut Random) -> Vec<&'static str> {
    let mut names = vec!["INBOX"];
    for _ in 0..random.below(5) {
        let name = *random.pick(&NAMES);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn side(random: &mut Random, which: &str, words: &mut Vec<String>) -> Account2 {
    let personality = personality(random);
    let compress = random.chance(20);
    let mut options = Options::new(personality.clone());
    options.first_uidvalidity = 1_600_000_000 + u32::try_from(random.below(1 << 20)).unwrap_or(0);
    if random.chance(10) {
        options.limits.sessions_per_account = random.index(4) + 1;
    }
    let crowd = options.limits.sessions_per_account;
    let server = Arc::new(MemServer::in_memory(options));
    let account = server.add_account("user@example.jp", CANARY);
    let shape = Shape {
        delay: Duration::from_micros(random.spread(50, 80_000)),
        capacity: usize::try_from(random.spread(512, 128 * 1024)).unwrap_or(64 * 1024),
    };
    words.push(format!(
        "{which}: {}, {:?} UIDVALIDITY, at most {crowd} sessions, {:?} away, {} octets under way{}",
        personality.name,
        personality.epochs,
        shape.delay,
        shape.capacity,
        if compress { ", compressed" } else { "" },
    ));
    Account2 {
        network: Network::new(server.clone(), shape),
        server,
        account,
        personality,
        compress,
    }
}

fn personality(random: &mut Random) -> Personality {
    let mut personality = match random.below(12) {
        0..4 => Personality::dovecot_like(),
        4..6 => Personality::cyrus_like(),
        6..8 => Personality::courier_like(),
        8 => Personality::bare_rev1(),
        9 => Personality::rev2(),
        10 => Personality::rev2_only(),
        _ => Personality::rewriter(),
    };
    // LOGIN: what a mechanism computes takes real time in a thread of its own, and nothing here is about it.
    personality.mechanisms.clear();
    let optional = [
        "UIDPLUS",
        "MULTIAPPEND",
        "LITERAL+",
        "CONDSTORE",
        "QRESYNC",
        "ESEARCH",
        "LIST-STATUS",
        "LIST-EXTENDED",
        "NAMESPACE",
        "ENABLE",
        "UNSELECT",
        "QUOTA",
        "SPECIAL-USE",
        "STATUS=SIZE",
    ];
    let gone: Vec<&str> = optional
        .into_iter()
        .filter(|_| random.chance(12))
        // Without it nobody could know the prefix of the one server that has one.
        .filter(|gone| *gone != "NAMESPACE" || personality.prefix.is_empty())
        .collect();
    let mut personality = personality.without(&gone);
    // A server that knows QRESYNC knows CONDSTORE.
    if gone.contains(&"CONDSTORE") {
        personality = personality.without(&["QRESYNC"]);
    }
    personality.epochs = match random.below(40) {
        0 => Epochs::Missing,
        1 => Epochs::Zero,
        2 => Epochs::NewEachLogin,
        _ => Epochs::Stable,
    };
    if random.chance(5) {
        personality.size_error = i64::try_from(random.below(41)).unwrap_or(0) - 20;
    }
    personality
}

fn policy(random: &mut Random) -> Policy {
    Policy {
        newest_first: random.chance(30),
        read_back: random.chance(10),
        lanes: random.index(4) + 1,
        fit: random.chance(15),
        reserve: if random.chance(50) {
            Reserve::Usual
        } else {
            Reserve::Nothing
        },
        ..Policy::default()
    }
}
