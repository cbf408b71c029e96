//! The room at the destination.

use crate::support::{Pair, fill, mail};
use hikyaku_core::policy::Reserve;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Fault};
use hikyaku_testkit::memory::{MemoryAccount, Personality};

fn limited(limit: u64) -> Personality {
    Personality {
        quota: Some(limit),
        full_at: Some(limit),
        appends_batches: false,
        ..Personality::default()
    }
}

fn octets(account: &MemoryAccount) -> u64 {
    let names = account.names();
    let messages = names.iter().flat_map(|(name, _)| account.messages(name));
    messages.map(|(_, m)| m.octets.len() as u64).sum()
}

fn pair_of(messages: u64, limit: u64) -> Pair {
    let pair = Pair::between(Personality::default(), limited(limit));
    for n in 1..=messages {
        pair.source.put("INBOX", "", n as i64, &mail(n, 1_000));
    }
    pair
}

async fn refused(pair: &Pair) -> Fault {
    let fault = pair.copy().await.expect_err("does not fit");
    assert_eq!(pair.destination.seen().appends, 0);
    fault
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_does_not_fit_does_not_start_and_says_what_is_missing() {
    let mut pair = pair_of(20, 30_000);
    let needed = octets(&pair.source);
    assert!((20_000..21_000).contains(&needed));
    pair.destination = MemoryAccount::new(limited(needed + 10));
    let reserve = Reserve::Usual.of(needed + 10);
    let fault = refused(&pair).await;
    assert_eq!(fault.code, Code::QuotaReserve);
    let missing = reserve - 10;
    assert!(
        fault.detail.contains(&format!("{missing} are missing")),
        "{}",
        fault.detail
    );
    pair.destination = MemoryAccount::new(limited(needed - 1));
    assert_eq!(refused(&pair).await.code, Code::QuotaExceeded);
    pair.policy.reserve = Reserve::Nothing;
    pair.destination = MemoryAccount::new(limited(needed));
    pair.copy_completely().await;
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_later_run_is_refused_for_what_is_left_only() {
    let pair = pair_of(10, 22_000);
    pair.copy_completely().await;
    // Ten more fit beside the reserve, twenty do not.
    for n in 11..=20 {
        pair.source.put("INBOX", "", n, &mail(n as u64, 900));
    }
    pair.copy_completely().await;
    for n in 21..=30 {
        pair.source.put("INBOX", "", n, &mail(n as u64, 900));
    }
    let appended = pair.destination.seen().appended;
    let fault = pair.copy().await.expect_err("does not fit");
    assert_eq!(fault.code, Code::QuotaExceeded);
    assert_eq!(pair.destination.seen().appended, appended);
}

/// The owner receives mail while the copy goes on: it stops before the reserve is touched.
#[tokio::test(start_paused = true)]
async fn the_reserve_stays_free_when_the_owner_receives_mail_meanwhile() {
    for at in [1, 5, 20, 60] {
        let limit = 150_000;
        let mut pair = pair_of(100, limit);
        pair.source.put("z", "", 1, &mail(5_000, 1_000));
        let mail = mail(9_999, 40_000);
        let big = mail.clone();
        pair.destination.after_append(at, move |account| {
            account.put("INBOX", "", 1, &big);
        });
        let report = pair.copy_somehow().await;
        let stopped = report.stopped.as_ref();
        let stopped = stopped.unwrap_or_else(|| panic!("after {at}: {report:#?}"));
        assert_eq!(stopped.code, Code::QuotaReserve, "{stopped}");
        let left = limit - octets(&pair.destination);
        let reserve = Reserve::Usual.of(limit);
        assert!(left >= reserve, "{left} of {reserve} after {at}");
        assert!(left < reserve + 10_000, "it stops late, not early: {left}");
        assert!(report.copied_now() > 60, "{}", report.copied_now());
        assert_eq!(
            report.tally().messages(Outcome::Copied),
            report.copied_now()
        );
        assert_eq!(pair.ledger.open_intents(), 0, "no doubt is left");
        // The owner makes room; the next run ends it.
        let theirs = pair.destination.messages("INBOX");
        let (key, _) = theirs
            .iter()
            .find(|(_, m)| m.octets == mail)
            .expect("there");
        pair.destination.remove("INBOX", *key);
        pair.policy.reserve = Reserve::Nothing;
        pair.assert_heals().await;
    }
}

/// No quota is told, and the server says OVERQUOTA: nothing more is sent or read.
#[tokio::test(start_paused = true)]
async fn overquota_stops_everything_at_once() {
    let full = Personality {
        quota: None,
        ..limited(30_000)
    };
    let mut pair = Pair::between(Personality::default(), full);
    for mailbox in ["INBOX", "a", "b", "c"] {
        for n in 0..30u64 {
            pair.source.put(mailbox, "", 1, &mail(n, 1_000));
        }
    }
    let report = pair.copy_somehow().await;
    assert_eq!(
        report.stopped.as_ref().map(|f| f.code),
        Some(Code::QuotaExceeded)
    );
    let seen = pair.destination.seen();
    assert!(seen.appends < 30 + 4 * 5, "{seen:?}");
    assert!(pair.source.seen().read < 120);
    pair.destination = pair.destination.with(Personality::default());
    pair.assert_heals().await;
}

/// What fits is copied: INBOX first, newest first; the rest is counted, one line each.
#[tokio::test(start_paused = true)]
async fn what_fits_is_copied_newest_first_inbox_first() {
    let limit = 60_000;
    let mut pair = Pair::between(Personality::default(), limited(limit));
    for mailbox in ["INBOX", "a", "b"] {
        for n in 0..30u64 {
            pair.source.put(mailbox, "", n as i64, &mail(n, 1_000));
        }
    }
    pair.policy.fit = true;
    let report = pair.copy_somehow().await;
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
    assert_eq!(pair.destination.messages("INBOX").len(), 30);
    let newest: Vec<i64> = pair
        .destination
        .messages("a")
        .iter()
        .filter_map(|(_, m)| Some(m.date?.seconds))
        .collect();
    let count = newest.len() as i64;
    assert!((10..25).contains(&count), "{count}");
    assert_eq!(newest.iter().min(), Some(&(30 - count)), "the newest ones");
    assert!(pair.destination.messages("b").is_empty());
    let reserve = Reserve::Usual.of(limit);
    let left = limit - octets(&pair.destination);
    assert!((reserve..reserve + 2_000).contains(&left), "{left}");
    let unfit = 60 - count as u64;
    assert_eq!(report.tally().messages(Outcome::FailedTemporary), unfit);
    let lines: Vec<(String, Code)> = report
        .exceptions
        .iter()
        .map(|e| (e.mailbox.to_string(), e.fault.code))
        .collect();
    assert_eq!(
        lines,
        [
            ("a".to_string(), Code::QuotaReserve),
            ("b".to_string(), Code::QuotaReserve)
        ]
    );
    let said = format!("{} messages with", 30 - count);
    assert!(report.exceptions[0].fault.detail.starts_with(&said));
    assert!(!report.is_complete());
    // Again: nothing more fits, nothing is sent. With room everything comes.
    let appended = pair.destination.seen().appended;
    pair.copy_somehow().await;
    assert_eq!(pair.destination.seen().appended, appended);
    pair.destination = pair.destination.with(Personality::default());
    pair.assert_heals().await;
}

#[tokio::test(start_paused = true)]
async fn plenty_of_room_is_asked_for_once() {
    let mut pair = Pair::between(Personality::default(), limited(1 << 40));
    fill(&pair.source);
    pair.policy.lanes = 1;
    pair.copy_completely().await;
    assert_eq!(pair.destination.seen().quotas, 1);
    pair.assert_equal();
    pair.assert_settled().await;
}

/// What fits is chosen anew when the owner receives mail in the middle.
#[tokio::test(start_paused = true)]
async fn what_fits_is_chosen_again_when_the_owner_receives_mail() {
    let limit = 80_000;
    let mut pair = Pair::between(Personality::default(), limited(limit));
    for mailbox in ["INBOX", "a"] {
        for n in 0..50u64 {
            pair.source.put(mailbox, "", n as i64, &mail(n, 1_000));
        }
    }
    pair.policy.fit = true;
    pair.destination.after_append(5, |account| {
        account.put("INBOX", "", 1, &mail(9_999, 30_000));
    });
    let report = pair.copy_somehow().await;
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
    assert_eq!(report.unfinished, 0);
    let (copied, reserve) = (report.copied_now(), Reserve::Usual.of(limit));
    let left = limit - octets(&pair.destination);
    assert!((reserve..reserve + 5_000).contains(&left), "{left}");
    assert!((35..45).contains(&copied), "{copied}");
    assert_eq!(
        report.tally().messages(Outcome::FailedTemporary),
        100 - copied
    );
    let lines: Vec<(String, Code)> = report
        .exceptions
        .iter()
        .map(|e| (e.mailbox.to_string(), e.fault.code))
        .collect();
    let reserve = |name: &str| (name.to_string(), Code::QuotaReserve);
    assert_eq!(lines, [reserve("INBOX"), reserve("a")]);
    let theirs = pair.destination.messages("INBOX");
    let own = theirs.iter().find(|(_, m)| m.octets.len() >= 30_000);
    pair.destination.remove("INBOX", own.expect("there").0);
    pair.destination = pair.destination.with(Personality::default());
    pair.assert_heals().await;
}
