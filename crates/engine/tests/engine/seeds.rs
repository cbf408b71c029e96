//! Many things go wrong at once, as a seed decides: afterwards everything is there once.

use crate::support::{Everywhere, Pair, fill, mail, passing};
use hikyaku_core::policy::Matching;
use hikyaku_core::{Code, Fault, Key, Reach, Remedy, Side};
use hikyaku_testkit::memory::{Append, MemoryAccount, Personality};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn append(&mut self) -> Append {
        let code = [Code::ServerBusy, Code::ServerConnections][self.below(2) as usize];
        match self.below(28) {
            0 => Append::LoseBefore,
            1 => Append::LoseAfter,
            2 => Append::LosePart(self.below(5) as usize),
            3 => Append::LandLater(Duration::from_secs(self.below(5))),
            4 => Append::StoreAndRefuse,
            5 => Append::Refuse,
            6 => Append::LoseAfter,
            7 => Append::Lie,
            8 => Append::Answer(passing(code, None)),
            9 => Append::End(passing(Code::LinkSilent, None)),
            10 if self.one_in(4) => Append::End(Fault::new(
                Code::LoginExpired,
                Reach::Side,
                Remedy::AskUser,
                "scripted",
            )),
            _ => Append::Store,
        }
    }

    fn open(&mut self) -> Option<Fault> {
        let retry = Remedy::Retry { after: None };
        match self.below(16) {
            0 => Some(passing(Code::LinkLost, None)),
            1 => Some(passing(Code::ServerConnections, Some(5))),
            2 => Some(Fault::new(
                Code::MailboxListing,
                Reach::Mailbox,
                retry,
                "scripted",
            )),
            _ => None,
        }
    }

    fn personality(&mut self) -> Personality {
        Personality {
            appends_batches: !self.one_in(2),
            reports_keys: !self.one_in(3),
            tracks_changes: !self.one_in(3),
            ..Personality::default()
        }
    }
}

/// `renumbered` tells whether a mailbox did it in the end.
fn trouble(dice: &mut Dice, pair: &Pair, renumbered: &Arc<AtomicBool>) {
    let (source, destination) = (&pair.source, &pair.destination);
    let count = dice.below(40);
    destination.script_appends((0..count).map(|_| dice.append()).collect::<Vec<_>>());
    for account in [source, destination] {
        if dice.one_in(2) {
            account.script_opens((0..12).map(|_| dice.open()).collect::<Vec<_>>());
        }
        if dice.one_in(6) {
            let time = Duration::from_secs(dice.below(400));
            account.go_down_after(1 + dice.below(6), time, passing(Code::LinkLost, None));
        }
        if dice.one_in(8) {
            account.script_listings([passing(Code::LinkSilent, None)]);
        }
    }
    if dice.one_in(3) {
        source.break_reads([Key(1 + dice.below(12)), Key(1 + dice.below(12))]);
    }
    if dice.one_in(4) {
        source.refuse_reads(Key(1 + dice.below(12)), 1 + dice.below(4) as u32);
    }
    if dice.one_in(8) {
        source.hide([Key(1 + dice.below(12))], 1 + dice.below(4) as u32);
    }
    if dice.one_in(8) {
        source.set_deadly_reads([Key(1 + dice.below(12))]);
    }
    if dice.one_in(8) {
        destination.set_deadly_appends([Key(1 + dice.below(12))]);
    }
    for _ in 0..dice.below(3) {
        let at = destination.seen().appends + 1 + dice.below(20);
        let (which, n) = (dice.below(4), dice.0);
        let (source, destination) = (source.clone(), destination.clone());
        let renumbered = renumbered.clone();
        pair.destination.after_append(at, move |_| {
            renumbered.fetch_or(which < 2, Ordering::Relaxed);
            match which {
                0 => source.renumber("INBOX"),
                1 => destination.renumber("INBOX"),
                _ => drop_in(&source, n),
            }
        });
    }
    if dice.one_in(4) {
        pair.ledger.die_at(1 + dice.below(30), dice.one_in(2));
    }
}

fn drop_in(source: &MemoryAccount, n: u64) {
    source.put("INBOX", "\\Seen", 1_650_000_000, &mail(n, 300));
}

async fn trial(seed: u64) {
    let mut dice = Dice(seed);
    let mut pair = Pair::between(dice.personality(), dice.personality());
    pair.policy.lanes = 1 + dice.below(4) as usize;
    fill(&pair.source);
    let renumbered = Arc::default();
    for run in 0..1 + dice.below(3) {
        trouble(&mut dice, &pair, &renumbered);
        let copied = pair.copy().await;
        if let Ok(report) = &copied {
            assert!(report.adds_up(), "seed {seed}, run {run}: {report:#?}");
        }
        pair.ledger.revive();
        if dice.one_in(4) {
            drop_in(&pair.source, dice.0);
        }
    }
    for account in [&pair.source, &pair.destination] {
        account.forget_scripts();
    }
    for side in [Side::Source, Side::Destination] {
        let report = pair.copy().await.expect("starts");
        assert!(report.adds_up(), "seed {seed}: {report:#?}");
        assert!(report.is_complete(), "seed {seed}, {side:?}: {report:#?}");
    }
    pair.assert_equal();
    pair.assert_settled().await;
}

/// Somebody else has put some of the mail anywhere at the destination, and the whole account
/// counts: nothing is lost, whatever happens, and nothing doubled unless a mailbox renumbers itself.
async fn trial_elsewhere(seed: u64) {
    let mut dice = Dice(seed);
    let mut pair = Pair::between(dice.personality(), dice.personality());
    pair.policy.matching = Matching::Account;
    pair.policy.lanes = 1 + dice.below(4) as usize;
    fill(&pair.source);
    for mailbox in ["INBOX", "受信トレイ/請求書"] {
        for (_, message) in pair.source.messages(mailbox) {
            let place = ["INBOX", "受信トレイ/請求書", "保管", "保管/古い", "空"]
                .get(dice.below(9) as usize)
                .copied();
            if let Some(place) = place {
                pair.destination.put(place, "\\Seen", 5, &message.octets);
            }
        }
    }
    let foreign = Everywhere::of(&pair.destination);
    let renumbered: Arc<AtomicBool> = Arc::default();
    for _ in 0..1 + dice.below(3) {
        trouble(&mut dice, &pair, &renumbered);
        if dice.one_in(4) {
            let archive = pair.destination.clone();
            let renumbered = renumbered.clone();
            pair.destination.after_append(1 + dice.below(5), move |_| {
                renumbered.store(true, Ordering::Relaxed);
                archive.renumber("保管");
            });
        }
        pair.copy().await.ok();
        pair.ledger.revive();
        if dice.one_in(4) {
            drop_in(&pair.source, dice.0);
        }
    }
    for account in [&pair.source, &pair.destination] {
        account.forget_scripts();
    }
    // What a run could not look for it leaves to the next one.
    for _ in 0..2 {
        let report = pair.copy().await.expect("starts");
        assert!(report.adds_up(), "seed {seed}: {report:#?}");
    }
    let report = pair.copy().await.expect("starts");
    assert!(report.is_complete(), "seed {seed}: {report:#?}");
    let expected = foreign.or_more(&Everywhere::of(&pair.source));
    let mut differences = Everywhere::of(&pair.destination).against(&expected);
    if renumbered.load(Ordering::Relaxed) {
        // Then a message that may be a copy is left alone, and copied rather than lost.
        differences.retain(|(_, by)| *by < 0);
    }
    assert!(differences.is_empty(), "seed {seed}: {differences:?}");
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_a_seed_decides_everything_is_there_once() {
    for seed in seeds() {
        if let Err(error) = tokio::spawn(trial(seed)).await {
            panic!("seed {seed}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_seed_decides_what_lies_elsewhere_is_not_copied_again() {
    for seed in seeds() {
        if let Err(error) = tokio::spawn(trial_elsewhere(seed)).await {
            panic!("seed {seed}: {error}");
        }
    }
}

/// A failure names its seed; `HIKYAKU_ENGINE_SEEDS=FROM..TO` runs others, or that one.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("HIKYAKU_ENGINE_SEEDS") {
        Ok(range) => {
            let (from, to) = range.split_once("..").expect("FROM..TO");
            from.parse().expect("a number")..to.parse().expect("a number")
        }
        Err(_) => 0..300,
    }
}
