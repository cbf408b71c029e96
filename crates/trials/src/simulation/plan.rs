//! What goes wrong in one life: decided before it begins, and told in words.

use std::time::Duration;

use bytes::Bytes;
use hikyaku_memserver::{Action, Point, Refusal, Rule, Script};

use super::network::{Outage, Trouble};
use super::owner::Act;
use super::pipe::{Cut, Way};
use super::random::Random;

/// Everything that goes wrong in one life.
#[derive(Clone, Debug, Default)]
pub(super) struct LifePlan {
    /// On the way to the source.
    pub(super) source: Trouble,
    /// On the way to the destination.
    pub(super) destination: Trouble,
    /// At the source's server, each rule with its kind.
    pub(super) source_rules: Vec<(String, Rule)>,
    /// At the destination's server.
    pub(super) destination_rules: Vec<(String, Rule)>,
    /// Room that the destination has left, in octets, during this life.
    pub(super) room: Option<u64>,
    /// The disk is full at this write: before it, or after.
    pub(super) full_disk: Option<(u64, bool)>,
    /// The process dies.
    pub(super) death: Option<Death>,
    /// Owners do something before the life begins.
    pub(super) before: Vec<Act>,
    /// Owners do something so long after it began.
    pub(super) during: Vec<(Duration, Act)>,
    /// Between the end of the life before and this one.
    pub(super) rest: Duration,
    /// Ended instead of waiting.
    pub(super) no_wait: bool,
}

/// How the process dies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    /// When.
    pub(super) when: DeathAt,
    /// What becomes of its connections.
    pub(super) cut: Cut,
}

/// When the process dies.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeathAt {
    /// So long after its life began.
    After(Duration),
    /// At the n-th durable write: just before it takes effect, or just after.
    Write(u64, bool),
}

/// How much a life moves, as far as can be said before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume {
    /// Octets of all messages.
    pub(super) octets: u64,
    /// How many there are.
    pub(super) messages: u64,
}

impl LifePlan {
    /// A life in which nothing goes wrong, after things have come to rest.
    pub(super) fn healthy() -> Self {
        Self {
            rest: Duration::from_secs(60),
            ..Self::default()
        }
    }

    /// A life with trouble.
    pub(super) fn faulty(random: &mut Random, volume: Volume) -> Self {
        let mut plan = Self {
            rest: Duration::from_millis(random.below(4) * random.spread(1, 30_000)),
            no_wait: random.chance(8),
            ..Self::default()
        };
        // Some lives have one kind of trouble, some have it all.
        let weight = *random.pick(&[0, 8, 15, 15, 30]);
        for _ in 0..3 {
            if random.chance(weight) {
                plan.destination.cuts.push(cut(random, volume, false));
            }
            if random.chance(weight) {
                plan.source.cuts.push(cut(random, volume, true));
            }
            if random.chance(weight) {
                plan.source_rules.push(source_rule(random));
            }
            if random.chance(weight * 2) {
                plan.destination_rules.push(destination_rule(random));
            }
        }
        if random.chance(weight / 2) {
            plan.source.outage = Some(outage(random));
        }
        if random.chance(weight / 2) {
            plan.destination.outage = Some(outage(random));
        }
        if random.chance(weight / 3) {
            plan.room = Some(random.below(volume.octets + 1000));
        }
        match random.below(100) {
            _ if weight == 0 => {}
            0..12 => plan.full_disk = Some((write(random, volume), random.chance(50))),
            12..45 => plan.death = Some(death(random, volume)),
            _ => {}
        }
        for _ in 0..random.below(4) {
            if random.chance(weight.max(10)) {
                plan.before.push(Act::between(random));
            }
        }
        for _ in 0..3 {
            if random.chance(weight.max(10)) {
                let when = Duration::from_millis(random.spread(5, 40_000));
                plan.during.push((when, Act::meanwhile(random)));
            }
        }
        plan.during.sort_by_key(|(when, _)| *when);
        plan
    }

    /// For people: one line for each thing.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![format!("after a rest of {:?}", self.rest)];
        for (side, trouble, rules) in [
            ("source", &self.source, &self.source_rules),
            ("destination", &self.destination, &self.destination_rules),
        ] {
            for (way, at, cut) in &trouble.cuts {
                words.push(format!("{side}: {cut:?} at octet {at} {way:?}"));
            }
            if let Some(outage) = &trouble.outage {
                words.push(format!("{side}: {outage:?}"));
            }
            for (_, rule) in rules {
                words.push(format!("{side}: {rule:?}"));
            }
        }
        words.extend(
            self.room
                .map(|r| format!("destination: room for {r} octets")),
        );
        words.extend(self.full_disk.map(|f| format!("disk full at write {f:?}")));
        words.extend(self.death.map(|d| format!("{d:?}")));
        words.extend(self.before.iter().map(|a| format!("before: {a:?}")));
        words.extend(self.during.iter().map(|(t, a)| format!("at {t:?}: {a:?}")));
        if self.no_wait {
            words.push("ended instead of waiting".into());
        }
        words
    }

    pub(super) fn source_script(&self) -> Script {
        script(&self.source_rules)
    }

    pub(super) fn destination_script(&self) -> Script {
        script(&self.destination_rules)
    }

    /// Whether an APPEND is refused for no reason that lies in the message.
    pub(super) fn refuses_at_random(&self) -> bool {
        let refuses =
            |(kind, _): &(String, Rule)| kind.starts_with("NO") || kind.starts_with("BAD");
        self.destination_rules.iter().any(refuses)
    }

    /// Whether owners are the only ones who do anything, and none of them renumbers messages.
    pub(super) fn is_calm(&self) -> bool {
        let acts = self
            .before
            .iter()
            .chain(self.during.iter().map(|(_, act)| act));
        let trouble = [&self.source, &self.destination];
        trouble
            .iter()
            .all(|t| t.cuts.is_empty() && t.outage.is_none())
            && self.source_rules.is_empty()
            && self.destination_rules.is_empty()
            && self.room.is_none()
            && self.full_disk.is_none()
            && self.death.is_none()
            && acts
                .clone()
                .all(|act| !matches!(act, Act::SourceEpoch | Act::DestinationEpoch))
    }

    /// What was planned, by kind.
    pub(super) fn kinds(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        for trouble in [&self.source, &self.destination] {
            kinds.extend(trouble.cuts.iter().map(|(_, _, cut)| cut.name().to_owned()));
            kinds.extend(trouble.outage.map(|o| outage_name(&o).to_owned()));
        }
        for (kind, _) in self.source_rules.iter().chain(&self.destination_rules) {
            kinds.push(kind.clone());
        }
        kinds.extend(self.full_disk.map(|_| "disk full".to_owned()));
        kinds.extend(self.death.map(|_| "process dies".to_owned()));
        kinds.extend(self.before.iter().map(|a| a.name().to_owned()));
        kinds.extend(self.during.iter().map(|(_, a)| a.name().to_owned()));
        kinds
    }
}

fn outage_name(outage: &Outage) -> &'static str {
    match outage.hangs {
        true => "no way: hangs",
        false => "no way: refused",
    }
}

fn script(rules: &[(String, Rule)]) -> Script {
    rules.iter().map(|(_, rule)| rule.clone()).collect()
}

fn write(random: &mut Random, volume: Volume) -> u64 {
    random.between(1, 4 + volume.messages.min(40))
}

fn death(random: &mut Random, volume: Volume) -> Death {
    let when = match random.chance(50) {
        true => DeathAt::Write(write(random, volume), random.chance(50)),
        false => DeathAt::After(Duration::from_millis(random.spread(5, 30_000))),
    };
    let cut = *random.pick(&[
        Cut::Close,
        Cut::Reset { arrives: true },
        Cut::Reset { arrives: false },
    ]);
    Death { when, cut }
}

fn outage(random: &mut Random) -> Outage {
    Outage {
        from: Duration::from_millis(random.below(2) * random.spread(5, 20_000)),
        lasts: Duration::from_millis(random.spread(500, 3_600_000)),
        hangs: random.chance(30),
    }
}

fn cut(random: &mut Random, volume: Volume, is_source: bool) -> (Way, u64, Cut) {
    let way = *random.pick(&[Way::Up, Way::Down]);
    // Content flows down from the source and up to the destination.
    let heavy = is_source == (way == Way::Down);
    let expected = match heavy {
        true => 2_000 + volume.messages * 250 + volume.octets,
        false => 1_500 + volume.messages * 40,
    };
    let at = match random.chance(50) {
        true => random.below(expected),
        false => random.spread(1, expected),
    };
    let cut = match random.below(9) {
        0..2 => Cut::Close,
        2..4 => Cut::Reset { arrives: true },
        4..6 => Cut::Reset { arrives: false },
        6 => Cut::HalfClose,
        7 => Cut::Silence,
        _ => Cut::Pause(Duration::from_millis(random.spread(100, 400_000))),
    };
    (way, at, cut)
}

fn named(label: &str, rule: Rule) -> (String, Rule) {
    (label.to_owned(), rule)
}

fn timing(random: &mut Random, rule: Rule) -> Rule {
    let rule = rule.nth(u32::try_from(random.spread(1, 12)).unwrap_or(1));
    match random.below(10) {
        0 => rule.always(),
        1..3 => rule.times(u32::try_from(random.between(2, 6)).unwrap_or(2)),
        _ => rule,
    }
}

/// Actions that can strike any command, with their kind.
fn general(random: &mut Random) -> (&'static str, Action) {
    let text = |random: &mut Random| random.below(1000);
    match random.below(20) {
        0 => (
            "NO",
            Action::Answer(Refusal::no(format!("no such luck {}", text(random)))),
        ),
        1 => (
            "NO [UNAVAILABLE]",
            Action::Answer(Refusal::no("[UNAVAILABLE] not now")),
        ),
        2 => (
            "NO [SERVERBUG]",
            Action::Answer(Refusal::no("[SERVERBUG] internal error")),
        ),
        3 => (
            "NO [INUSE]",
            Action::Answer(Refusal::no("[INUSE] somebody else is writing")),
        ),
        4 => (
            "NO [THROTTLED]",
            Action::Answer(Refusal::no("[THROTTLED] slow down")),
        ),
        5 => (
            "NO [LIMIT]",
            Action::Answer(Refusal::no("[LIMIT] rate exceeded, try again later")),
        ),
        6 => ("BAD", Action::Answer(Refusal::bad("what was that?"))),
        7 => ("BYE", Action::Bye("server shutting down".into())),
        8 => (
            "delay",
            Action::Delay(Duration::from_millis(random.spread(100, 900_000))),
        ),
        9 => ("close", Action::Close),
        10 => ("reset", Action::Reset),
        11 => ("half-close", Action::HalfClose),
        12 => ("silence", Action::Silence),
        13 => ("stall", Action::Stall),
        14 => ("wrong tag", Action::WrongTag),
        15 => ("no answer", Action::NoAnswer),
        16 => (
            "garbage line",
            Action::Send(Bytes::from_static(b"* GARBAGE {x} (\r\n")),
        ),
        17 => (
            "chatter",
            Action::Send(Bytes::from_static(b"* OK still here\r\n* 3 RECENT\r\n")),
        ),
        18 => ("one octet a write", Action::Drip),
        _ => (
            "throttled line",
            Action::Throttle(random.spread(200, 20_000)),
        ),
    }
}

fn point(random: &mut Random, is_append: bool) -> Point {
    match random.below(if is_append { 6 } else { 4 }) {
        0 => Point::Line,
        1 => Point::Read,
        2 => Point::Done,
        3 => Point::Answer(random.spread(1, 400)),
        _ => Point::Literal(random.spread(1, 20_000)),
    }
}

fn source_rule(random: &mut Random) -> (String, Rule) {
    const VERBS: [&str; 10] = [
        "UID FETCH",
        "UID FETCH",
        "UID FETCH",
        "EXAMINE",
        "UID SEARCH",
        "LIST",
        "STATUS",
        "LOGIN",
        "CAPABILITY",
        "NAMESPACE",
    ];
    let special = random.below(100);
    let (label, rule) = match special {
        0..12 => {
            // One octet may be the blank behind the text: a reader that forgives its absence cannot know.
            let lie = i64::try_from(random.spread(2, 60)).unwrap_or(2);
            let lie = if random.chance(50) { lie } else { -lie };
            (
                "literal lie".to_owned(),
                Rule::on("UID FETCH", Action::LiteralLie(lie)).at(Point::Row),
            )
        }
        12..24 => (
            "missing row".to_owned(),
            Rule::on("UID FETCH", Action::DropRow).at(Point::Row),
        ),
        24..40 => {
            let (label, action) = general(random);
            (
                format!("in a message: {label}"),
                Rule::on("UID FETCH", action).at(Point::Body(random.spread(1, 300_000))),
            )
        }
        40..45 => {
            let (label, action) = general(random);
            (
                format!("at the greeting: {label}"),
                Rule::on_greeting(action),
            )
        }
        _ => {
            let (label, action) = general(random);
            let verb = *random.pick(&VERBS);
            let rule = Rule::on(verb, action).at(point(random, false));
            (label.to_owned(), rule)
        }
    };
    named(&label, timing(random, rule))
}

fn destination_rule(random: &mut Random) -> (String, Rule) {
    const VERBS: [&str; 16] = [
        "APPEND",
        "APPEND",
        "APPEND",
        "APPEND",
        "APPEND",
        "APPEND",
        "UID FETCH",
        "UID FETCH",
        "SELECT",
        "EXAMINE",
        "CREATE",
        "SUBSCRIBE",
        "LIST",
        "STATUS",
        "UID STORE",
        "LOGIN",
    ];
    let (label, rule) = match random.below(100) {
        0..8 => {
            let kept = random.index(4);
            (
                "stores a part, says NO".to_owned(),
                Rule::on("APPEND", Action::StoreOnly(kept)),
            )
        }
        8..18 => {
            let later = Duration::from_millis(random.spread(10, 8_000));
            (
                "lands later".to_owned(),
                Rule::on("APPEND", Action::LandLater(later)),
            )
        }
        18..26 => (
            "missing row".to_owned(),
            Rule::on("UID FETCH", Action::DropRow).at(Point::Row),
        ),
        26..30 => {
            let full = Action::Answer(Refusal::no("[OVERQUOTA] mailbox is full"));
            (
                "NO [OVERQUOTA]".to_owned(),
                Rule::on("APPEND", full).at(*random.pick(&[Point::Line, Point::Read])),
            )
        }
        30..34 => {
            let (label, action) = general(random);
            (
                format!("at the greeting: {label}"),
                Rule::on_greeting(action),
            )
        }
        _ => {
            let (label, mut action) = general(random);
            let verb = *random.pick(&VERBS);
            // What is stored later than ten seconds after the connection was given up is beyond what is waited for.
            if let ("APPEND", Action::Delay(time)) = (verb, &mut action) {
                *time = (*time).min(Duration::from_secs(65));
            }
            // A BAD for no reason, before the literal, makes some servers run the text of any client's message as commands.
            let at = match point(random, verb == "APPEND") {
                Point::Line if label == "BAD" => Point::Read,
                at => at,
            };
            (label.to_owned(), Rule::on(verb, action).at(at))
        }
    };
    named(&label, timing(random, rule))
}
