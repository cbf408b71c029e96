//! Messages on which connections die, or which are not handed out.

use crate::support::{Facts, Pair, facts, fill, mail};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Key};
use hikyaku_testkit::memory::Personality;

fn single() -> Personality {
    Personality {
        appends_batches: false,
        ..Personality::default()
    }
}

/// Everything of a mailbox but one message.
fn without(pair: &Pair, mailbox: &str, key: Key) -> Vec<Facts> {
    let mut all = pair.source.messages(mailbox);
    all.retain(|(k, _)| *k != key);
    facts(&all)
}

/// The destination closes whenever one message comes: small or large, first or last,
/// in company or alone, with or without MULTIAPPEND. All others arrive once.
#[tokio::test(start_paused = true)]
async fn a_destination_that_closes_on_one_message_gets_all_others() {
    for personality in [Personality::default(), single()] {
        for (key, size) in [(1, 300), (5, 300), (9, 400_000)] {
            let pair = Pair::between(Personality::default(), personality.clone());
            for n in 1..=9 {
                let size = if n == key { size } else { 150 * n as usize };
                pair.source.put("INBOX", "\\Seen", n as i64, &mail(n, size));
            }
            pair.source.put("other", "", 1, &mail(77, 300));
            pair.source.put("other", "", 1, &mail(78, 300));
            // Keys of the other mailbox mean other messages.
            pair.source.remove("other", Key(1));
            pair.destination.set_deadly_appends([Key(key)]);
            let report = pair.copy_somehow().await;
            let said = format!("{key} of {size}: {:#?}", report.exceptions);
            assert!(report.stopped.is_none() && report.unfinished == 0, "{said}");
            assert_eq!(
                report.tally().messages(Outcome::FailedPermanent),
                1,
                "{said}"
            );
            assert_eq!(report.tally().messages(Outcome::Copied), 9, "{said}");
            let exception = &report.exceptions[0];
            let expected = match size > 256 * 1024 {
                true => Code::MessageTooLarge,
                false => Code::MessageRefused,
            };
            assert_eq!(exception.key, Some(Key(key)), "{said}");
            assert_eq!(exception.fault.code, expected, "{said}");
            assert!(exception.head.is_some(), "it is named");
            let retries = report.retries;
            assert!((2..=4).contains(&retries), "{retries} for {said}");
            assert_eq!(
                facts(&pair.destination.messages("INBOX")),
                without(&pair, "INBOX", Key(key))
            );
            assert_eq!(pair.ledger.open_intents(), 0);
            // It is tried again, and only it; when the server takes it, all is well.
            let appended = pair.destination.seen().appended;
            let again = pair.copy_somehow().await;
            assert_eq!((again.copied_now(), again.tally().failures()), (0, 1));
            assert!(pair.destination.seen().appended <= appended + 3);
            pair.destination.set_deadly_appends([]);
            pair.assert_heals().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_deadly_messages_are_all_named() {
    let pair = Pair::between(Personality::default(), single());
    for n in 1..=12 {
        pair.source.put("INBOX", "", n as i64, &mail(n, 300));
    }
    pair.destination.set_deadly_appends([3, 4, 9].map(Key));
    let report = pair.copy_somehow().await;
    assert!(
        report.stopped.is_none() && report.unfinished == 0,
        "{report:#?}"
    );
    let mut named: Vec<u64> = report
        .exceptions
        .iter()
        .filter_map(|e| Some(e.key?.0))
        .collect();
    named.sort_unstable();
    assert_eq!(named, [3, 4, 9]);
    assert_eq!(report.tally().messages(Outcome::Copied), 9);
    pair.destination.set_deadly_appends([]);
    pair.assert_heals().await;
}

/// Where nothing at all goes through it is not the messages: the run gives up for now,
/// in bounded time, and says so.
#[tokio::test(start_paused = true)]
async fn a_destination_that_closes_on_everything_is_not_asked_message_by_message() {
    let pair = Pair::between(Personality::default(), single());
    for n in 1..=40 {
        pair.source.put("INBOX", "", n as i64, &mail(n, 300));
    }
    pair.destination.set_deadly_appends((1..=40).map(Key));
    let report = pair.copy_somehow().await;
    assert!(report.stopped.is_some());
    assert!(report.retries < 60, "{}", report.retries);
    assert_eq!(report.copied_now(), 0);
    pair.destination.set_deadly_appends([]);
    pair.assert_heals().await;
}

/// The source closes whenever one message is read, held or streamed.
#[tokio::test(start_paused = true)]
async fn a_source_that_closes_on_one_message_hands_out_all_others() {
    for (key, size) in [(1, 300), (5, 300), (5, 9_000), (9, 9_000)] {
        let pair = Pair::new();
        for n in 1..=9 {
            let size = if n == key { size } else { 150 * n as usize };
            pair.source.put("INBOX", "\\Seen", n as i64, &mail(n, size));
        }
        pair.source.set_deadly_reads([Key(key)]);
        let report = pair.copy_somehow().await;
        let said = format!("{key} of {size}: {:#?}", report.exceptions);
        assert!(report.stopped.is_none() && report.unfinished == 0, "{said}");
        assert_eq!(
            report.tally().messages(Outcome::FailedTemporary),
            1,
            "{said}"
        );
        assert_eq!(report.tally().messages(Outcome::Copied), 8, "{said}");
        let exception = &report.exceptions[0];
        assert_eq!(
            (exception.key, exception.fault.code),
            (Some(Key(key)), Code::MessageUnreadable),
            "{said}"
        );
        assert_eq!(
            facts(&pair.destination.messages("INBOX")),
            without(&pair, "INBOX", Key(key))
        );
        pair.source.set_deadly_reads([]);
        pair.assert_heals().await;
    }
}

/// NO to one message: three tries in all, the later ones on new connections.
#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_handed_out_is_tried_three_times_on_new_connections() {
    for refused in 1..=4 {
        let pair = Pair::new();
        fill(&pair.source);
        pair.source.put("一通", "", 1, &mail(900, 100));
        let key = pair.source.put("一通", "\\Seen", 2, &mail(901, 100));
        // The keys of the other mailboxes begin at 1 too: read them first.
        pair.copy_completely().await;
        let new = pair.source.put("一通", "\\Seen", 3, &mail(902, 100));
        assert_eq!((key, new), (Key(2), Key(3)));
        pair.source.refuse_reads(new, refused);
        let (opened, read) = (pair.source.seen().opened, pair.source.seen().read);
        let report = pair.copy_somehow().await;
        let tries = pair.source.seen().read - read;
        assert_eq!(tries, u64::from(refused + 1).min(3));
        if refused < 3 {
            assert!(report.is_complete(), "{report:#?}");
            assert!(pair.source.seen().opened > opened + 1, "a new connection");
            pair.assert_equal();
            pair.assert_settled().await;
        } else {
            assert_eq!(report.tally().messages(Outcome::FailedTemporary), 1);
            assert_eq!(report.exceptions[0].key, Some(new));
            assert_eq!(report.exceptions[0].fault.code, Code::MessageUnreadable);
            pair.source.refuse_reads(new, 0);
            pair.assert_heals().await;
        }
    }
}

/// A source that once leaves a message out of its answers: it is not taken for gone.
#[tokio::test(start_paused = true)]
async fn a_message_that_a_look_leaves_out_is_not_lost() {
    for looks in 1..=3 {
        let pair = Pair::new();
        for n in 1..=6 {
            pair.source.put("INBOX", "", n as i64, &mail(n, 300));
        }
        pair.source.hide([Key(2), Key(6)], looks);
        let report = pair.copy_somehow().await;
        // What the first look did not show is not among what was scanned.
        assert_eq!(report.scanned(), report.tally().total());
        pair.assert_heals().await;
    }
}
