//! Servers that want to be treated patiently.

use crate::support::{Pair, fill, mail, passing};
use hikyaku_core::report::{Outcome, Wait};
use hikyaku_core::{Code, Event, Fault, Reach, Remedy, Side};
use hikyaku_testkit::memory::{Append, Personality};
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn single() -> Personality {
    Personality {
        appends_batches: false,
        ..Personality::default()
    }
}

fn many_mailboxes(pair: &Pair) -> u64 {
    for mailbox in 0..8 {
        for n in 0..5 {
            let name = format!("box{mailbox}");
            let octets = mail(mailbox * 100 + n, 300);
            pair.source.put(&name, "\\Seen", 1_700_000_000, &octets);
        }
    }
    40
}

fn wait(report: &hikyaku_core::report::Report, code: Code, side: Side) -> Wait {
    let waits = report.waits.iter();
    *waits
        .clone()
        .find(|w| w.code == code && w.side == Some(side))
        .unwrap_or_else(|| panic!("no wait for {code} in {:?}", report.waits))
}

/// Every throttle word: the side rests, fewer lanes go on, and grow again.
#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_made_by_all_lanes_and_halves_them() {
    for code in [
        Code::ServerBusy,
        Code::ServerConnections,
        Code::ServerBudget,
    ] {
        let pair = Pair::between(Personality::default(), single());
        let messages = many_mailboxes(&pair);
        pair.destination.script_appends([
            Append::Store,
            Append::Answer(passing(code, Some(90))),
            Append::Store,
        ]);
        let started = Instant::now();
        let report = pair.copy_completely().await;
        assert!(started.elapsed() >= 90 * SECOND);
        assert_eq!(report.tally().messages(Outcome::Copied), messages);
        let wait = wait(&report, code, Side::Destination);
        assert_eq!(wait.times, 1, "lanes wait together");
        assert!((89_000..=91_000).contains(&wait.millis), "{wait:?}");
        assert!(pair.heard.waits().contains(&code));
        assert_eq!(pair.heard.lanes().first(), Some(&2), "half of four");
        assert!(report.retries >= 1);
        pair.assert_equal();
        pair.assert_settled().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_asks_for_a_pause_gets_it_and_nobody_opens_it_meanwhile() {
    let pair = Pair::new();
    many_mailboxes(&pair);
    let busy = passing(Code::ServerBusy, Some(600));
    pair.source.script_opens([None, None, Some(busy)]);
    let report = pair.copy_completely().await;
    assert_eq!(wait(&report, Code::ServerBusy, Side::Source).times, 1);
    let tries = pair.source.tries();
    let gap = tries.windows(2).map(|w| w[1] - w[0]).max();
    assert!(gap >= Some(590 * SECOND), "{gap:?}");
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn lanes_grow_again_after_quiet_time() {
    let mut pair = Pair::between(Personality::default(), single());
    many_mailboxes(&pair);
    // Slow enough that the run lasts several periods.
    pair.policy.bandwidth = Some(40);
    pair.destination.script_appends([
        Append::Answer(passing(Code::ServerBusy, None)),
        Append::Store,
    ]);
    pair.copy_completely().await;
    assert_eq!(pair.heard.lanes(), [2, 3, 4]);
    let most = pair.heard.all().into_iter().find_map(|event| match event {
        Event::Lanes { most, .. } => Some(most),
        _ => None,
    });
    assert_eq!(most, Some(4));
    pair.assert_equal();
}

/// Nobody knows how long: the pauses grow up to a quarter of an hour, and end when the
/// server does.
#[tokio::test(start_paused = true)]
async fn pauses_without_a_time_grow_and_the_run_ends_well() {
    let pair = Pair::between(Personality::default(), single());
    fill(&pair.source);
    let busy = || Append::Answer(passing(Code::ServerBusy, None));
    pair.destination.script_appends((0..25).map(|_| busy()));
    let started = Instant::now();
    let report = pair.copy_completely().await;
    let wait = wait(&report, Code::ServerBusy, Side::Destination);
    assert!(wait.times >= 8, "{wait:?}");
    assert!(started.elapsed() > 10 * MINUTE);
    assert!(started.elapsed() < 25 * 16 * MINUTE);
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_for_ever_is_given_up_after_a_day() {
    let pair = Pair::between(Personality::default(), single());
    fill(&pair.source);
    let busy = || Append::Answer(passing(Code::ServerBusy, None));
    pair.destination.script_appends((0..1_000).map(|_| busy()));
    let started = Instant::now();
    let report = pair.copy_somehow().await;
    assert_eq!(
        report.stopped.as_ref().map(|f| f.code),
        Some(Code::ServerBusy)
    );
    assert!(started.elapsed() >= 24 * 60 * MINUTE && started.elapsed() < 27 * 60 * MINUTE);
    assert_eq!(report.copied_now(), 0);
    pair.destination.forget_scripts();
    pair.assert_heals().await;
}

#[tokio::test(start_paused = true)]
async fn without_patience_the_run_ends_instead_of_waiting() {
    let mut pair = Pair::between(Personality::default(), single());
    many_mailboxes(&pair);
    pair.policy.no_wait = true;
    pair.destination.script_appends([
        Append::Store,
        Append::Store,
        Append::Answer(passing(Code::ServerBudget, Some(7_200))),
    ]);
    let started = Instant::now();
    let report = pair.copy_somehow().await;
    assert_eq!(
        report.stopped.as_ref().map(|f| f.code),
        Some(Code::ServerBudget)
    );
    assert!(started.elapsed() < 10 * SECOND);
    assert!(!report.is_complete() && report.unfinished > 0);
    assert!(!pair.heard.waits().contains(&Code::ServerBudget));
    pair.policy.no_wait = false;
    pair.assert_heals().await;
}

/// Five failures open the circuit: then one look after 1, 5 and 15 minutes, by one lane.
#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_looked_for_by_one_lane_and_given_up_for_now() {
    let pair = Pair::new();
    many_mailboxes(&pair);
    let gone = passing(Code::HostUnreachable, None);
    let started = Instant::now();
    pair.destination.go_down_after(1, 1_000 * MINUTE, gone);
    let report = pair.copy_somehow().await;
    assert_eq!(
        report.stopped.as_ref().map(|f| f.code),
        Some(Code::HostUnreachable)
    );
    let elapsed = started.elapsed();
    assert!(
        elapsed >= 21 * MINUTE && elapsed < 24 * MINUTE,
        "{elapsed:?}"
    );
    let late: Vec<Duration> = pair
        .destination
        .tries()
        .into_iter()
        .map(|at| at - started)
        .filter(|at| *at > MINUTE)
        .collect();
    assert_eq!(late.len(), 3, "one probe at a time: {late:?}");
    let wait = wait(&report, Code::HostUnreachable, Side::Destination);
    assert!(wait.millis >= 21 * 60_000, "{wait:?}");
    pair.destination.go_up();
    pair.assert_heals().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_closes_the_circuit() {
    for side in [Side::Source, Side::Destination] {
        let pair = Pair::new();
        many_mailboxes(&pair);
        let account = match side {
            Side::Source => &pair.source,
            Side::Destination => &pair.destination,
        };
        account.go_down_after(2, 4 * MINUTE, passing(Code::LinkSilent, None));
        let started = Instant::now();
        let report = pair.copy_completely().await;
        assert!(started.elapsed() < 10 * MINUTE, "{:?}", started.elapsed());
        let waits = pair.heard.waits();
        let waited = waits.contains(&Code::LinkSilent) || waits.contains(&Code::LinkLost);
        assert!(waited, "{waits:?}");
        assert!(report.retries >= 5, "{}", report.retries);
        pair.assert_equal();
        pair.assert_settled().await;
    }
}

/// A server that breaks off again and again while it does some work gets a few retries
/// and one for ten operations, and a minute of rest before every further one.
#[tokio::test(start_paused = true)]
async fn retries_beyond_the_budget_wait_a_minute_each() {
    let mut pair = Pair::between(Personality::default(), single());
    pair.policy.lanes = 1;
    for n in 0..60 {
        let name = format!("box{n}");
        pair.source.put(&name, "", n as i64 + 1, &mail(n, 200));
    }
    let script = (0..60).flat_map(|_| [Append::LoseBefore, Append::Store]);
    pair.destination.script_appends(script);
    let started = Instant::now();
    let report = pair.copy_completely().await;
    assert_eq!(report.retries, 60);
    // Every lost append costs about fifteen seconds; the rest is rest.
    let rest = started.elapsed().saturating_sub(60 * 16 * SECOND);
    assert!(rest > 10 * MINUTE, "{rest:?}");
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_contradicts_itself_is_asked_for_again_in_that_mailbox_only() {
    let listing = || {
        let retry = Remedy::Retry { after: None };
        Fault::new(Code::MailboxListing, Reach::Mailbox, retry, "scripted")
    };
    // Twice: it is repaired in the same run.
    let pair = Pair::new();
    pair.source.put("INBOX", "", 1, &mail(1, 100));
    pair.source.script_opens([Some(listing()), Some(listing())]);
    let report = pair.copy_completely().await;
    assert_eq!(report.retries, 2);
    pair.assert_equal();
    pair.assert_settled().await;
    // Always: the others go on.
    let mut pair = Pair::new();
    pair.policy.lanes = 1;
    many_mailboxes(&pair);
    pair.source.put("INBOX", "", 1, &mail(1, 100));
    pair.source.script_opens((0..3).map(|_| Some(listing())));
    let report = pair.copy_somehow().await;
    assert_eq!((report.unfinished, report.copied_now()), (1, 40));
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
    assert_eq!(report.exceptions[0].fault.code, Code::MailboxListing);
    pair.assert_heals().await;
}

#[tokio::test(start_paused = true)]
async fn the_first_listing_is_tried_again_and_given_up_without_long_waits() {
    let pair = Pair::new();
    fill(&pair.source);
    let lost = || passing(Code::LinkLost, None);
    pair.source.script_listings([lost(), lost()]);
    pair.copy_completely().await;
    pair.assert_equal();
    let pair = Pair::new();
    pair.destination.script_listings((0..50).map(|_| lost()));
    let started = Instant::now();
    let fault = pair.copy().await.expect_err("nothing can start");
    assert_eq!(fault.code, Code::LinkLost);
    assert!(started.elapsed() < MINUTE);
}
