//! Runs without faults: what arrives, what a second run does, who wins.

use crate::support::{Pair, facts, fill, mail};
use hikyaku_core::policy::SkipRule;
use hikyaku_core::report::{Note, Outcome};
use hikyaku_core::{Code, Key, MailboxName};
use hikyaku_engine::Depth;
use hikyaku_testkit::memory::Personality;

#[tokio::test(start_paused = true)]
async fn everything_arrives_once_and_a_second_run_copies_nothing() {
    let pair = Pair::new();
    let messages = fill(&pair.source);
    let report = pair.copy_completely().await;
    assert_eq!(report.scanned(), messages);
    assert_eq!(report.copied_now(), messages);
    assert_eq!(report.tally().messages(Outcome::Copied), messages);
    pair.assert_equal();
    assert_eq!(pair.source.names(), pair.destination.names());
    let opened = (pair.source.seen().opened, pair.destination.seen().opened);
    pair.assert_settled().await;
    // Both sides still show the checkpoint: nothing is even opened.
    assert_eq!(
        opened,
        (pair.source.seen().opened, pair.destination.seen().opened)
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_run_copies_only_the_difference() {
    let pair = Pair::new();
    fill(&pair.source);
    pair.copy_completely().await;
    let appended = pair.destination.seen().appended;
    pair.source.put("INBOX", "", 5_000_000, &mail(77, 300));
    pair.source.remove("INBOX", Key(2));
    pair.source
        .set_flags("INBOX", Key(1), "\\Seen \\Answered new");
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 1);
    assert_eq!(pair.destination.seen().appended, appended + 1);
    assert_eq!(
        report
            .mailboxes
            .iter()
            .map(|m| m.flags_updated)
            .sum::<u64>(),
        1
    );
    assert!(
        report
            .notes
            .iter()
            .any(|n| matches!(n, Note::GoneAtSource { messages: 1, .. }))
    );
    // What the source no longer has stays at the destination.
    assert_eq!(pair.destination.messages("INBOX").len(), 13);
    let first = &pair.destination.messages("INBOX")[0].1;
    assert_eq!(first.flags.to_string(), "\\Seen \\Answered new");
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn flags_follow_without_mod_sequences_too() {
    let plain = Personality {
        tracks_changes: false,
        ..Personality::default()
    };
    let pair = Pair::between(plain.clone(), plain);
    fill(&pair.source);
    pair.copy_completely().await;
    pair.source.set_flags("INBOX", Key(3), "\\Answered");
    pair.destination.set_flags("INBOX", Key(2), "");
    pair.copy_completely().await;
    let now = pair.destination.messages("INBOX");
    // Nothing is made unread; what the owner cleared there stays cleared.
    assert_eq!(now[2].1.flags.to_string(), "\\Seen \\Answered");
    assert_eq!(now[1].1.flags.to_string(), "");
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_owner_removed_stays_removed_unless_asked_for() {
    let mut pair = Pair::new();
    let messages = fill(&pair.source);
    pair.copy_completely().await;
    pair.destination.remove("INBOX", Key(1));
    pair.destination.remove("INBOX", Key(10));
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 0);
    assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 2);
    assert_eq!(report.scanned(), messages);
    pair.assert_settled().await;
    pair.policy.recopy = true;
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 2);
    pair.policy.recopy = false;
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_adopted_one_to_one() {
    let pair = Pair::new();
    let messages = fill(&pair.source);
    // One of the twins, a normal message, and mail of the owner's own.
    pair.destination
        .put("INBOX", "\\Seen", 1_600_000_000, &mail(1_000, 200));
    pair.destination
        .put("INBOX", "\\Flagged", 1_700_000_001, &mail(1, 60));
    pair.destination.put("INBOX", "", 9, &mail(9_999, 60));
    let report = pair.copy_completely().await;
    assert_eq!(report.tally().messages(Outcome::AlreadyThere), 2);
    assert_eq!(report.copied_now(), messages - 2);
    assert_eq!(pair.destination.messages("INBOX").len(), 13);
    // The owner's flags on the adopted one are left alone.
    assert_eq!(
        pair.destination.messages("INBOX")[1].1.flags.to_string(),
        "\\Flagged"
    );
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn equal_headers_with_other_bodies_are_two_messages() {
    let pair = Pair::new();
    pair.source
        .put("INBOX", "", 1, b"Message-ID: <1>\r\n\r\nold");
    pair.destination
        .put("INBOX", "", 1, b"Message-ID: <1>\r\n\r\nnew");
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 1);
    assert_eq!(pair.destination.messages("INBOX").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_is_rebuilt_by_matching() {
    let mut pair = Pair::new();
    let messages = fill(&pair.source);
    pair.copy_completely().await;
    pair.ledger = hikyaku_testkit::memory::MemoryLedger::default();
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 0);
    assert_eq!(report.tally().messages(Outcome::AlreadyThere), messages);
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn new_epochs_on_either_side_copy_nothing_again() {
    let pair = Pair::new();
    fill(&pair.source);
    pair.copy_completely().await;
    pair.destination.remove("INBOX", Key(4));
    pair.copy_completely().await;
    let kept = facts(&pair.destination.messages("INBOX"));
    pair.source.renumber("INBOX");
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 0);
    assert!(
        report
            .notes
            .iter()
            .any(|n| matches!(n, Note::EpochChanged { .. }))
    );
    assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
    pair.assert_settled().await;
    pair.destination.renumber("INBOX");
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 0);
    assert_eq!(facts(&pair.destination.messages("INBOX")), kept);
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn servers_that_do_not_report_keys_lose_nothing() {
    let plain = Personality {
        reports_keys: false,
        appends_batches: false,
        tracks_changes: false,
        ..Personality::default()
    };
    let pair = Pair::between(plain.clone(), plain);
    fill(&pair.source);
    pair.copy_completely().await;
    pair.assert_equal();
    assert!(pair.ledger.records().iter().all(|r| r.stored.is_some()));
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_rewrites_gets_nothing_twice() {
    let rewriting = Personality {
        rewrite: |octets| {
            let mut out: Vec<u8> = octets.to_vec();
            if !out.ends_with(b"\r\n") {
                out.extend_from_slice(b"\r\n");
            }
            Ok(out)
        },
        ..Personality::default()
    };
    let mut pair = Pair::between(Personality::default(), rewriting);
    let messages = fill(&pair.source);
    let report = pair.copy_completely().await;
    // Only the message without a final line end is altered, in two mailboxes.
    let altered: u64 = report
        .notes
        .iter()
        .map(|n| match n {
            Note::Altered { messages, .. } => *messages,
            _ => 0,
        })
        .sum();
    assert_eq!(altered, 2);
    pair.assert_settled().await;
    pair.ledger = hikyaku_testkit::memory::MemoryLedger::default();
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 0);
    assert_eq!(report.tally().messages(Outcome::AlreadyThere), messages);
}

#[tokio::test(start_paused = true)]
async fn one_refused_message_is_named_and_the_others_arrive() {
    let strict = Personality {
        rewrite: |octets| match octets.contains(&0) {
            true => Err("Message contains NUL characters"),
            false => Ok(octets.to_vec()),
        },
        ..Personality::default()
    };
    let pair = Pair::between(Personality::default(), strict);
    let messages = fill(&pair.source);
    let bad = pair
        .source
        .put("INBOX", "", 5, b"Subject: bad\r\n\r\n\0\r\n");
    let report = pair.copy().await.expect("starts");
    assert!(report.adds_up());
    assert!(!report.is_complete());
    assert_eq!(report.copied_now(), messages);
    assert_eq!(report.tally().messages(Outcome::FailedPermanent), 1);
    let exception = &report.exceptions[0];
    assert_eq!(
        (exception.key, exception.fault.code),
        (Some(bad), Code::MessageRefused)
    );
    assert!(
        exception
            .fault
            .said
            .as_ref()
            .is_some_and(|s| s.text.contains("NUL"))
    );
    assert!(exception.head.is_some());
    // The next run tries it again, and only it.
    let appended = pair.destination.seen().appended;
    pair.copy().await.expect("starts");
    assert!(pair.destination.seen().appended > appended);
    assert_eq!(pair.destination.messages("INBOX").len(), 12);
}

#[tokio::test(start_paused = true)]
async fn rules_of_the_user_leave_out_and_count() {
    let mut pair = Pair::new();
    let messages = fill(&pair.source);
    pair.policy.max_octets = Some(4_000);
    pair.policy.since = Some(1_650_000_000);
    let report = pair.copy_completely().await;
    let named = report.exceptions.iter();
    assert_eq!(
        named
            .filter(|e| e.fault.code == Code::MessageTooLarge)
            .count(),
        6
    );
    let skipped = report.tally().messages(Outcome::Skipped);
    assert_eq!(skipped, 2 * 3 + 2 * 3);
    assert_eq!(report.copied_now(), messages - skipped);
    pair.policy.max_octets = None;
    pair.policy.since = None;
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), skipped);
    pair.assert_equal();
}

#[tokio::test(start_paused = true)]
async fn folders_can_be_chosen_and_a_missing_one_is_named() {
    let mut pair = Pair::new();
    fill(&pair.source);
    pair.policy.folders = vec![MailboxName::parse("受信トレイ").expect("name")];
    let plan = pair.job().plan().await.expect("plan");
    let inbox = plan
        .mailboxes
        .iter()
        .find(|m| m.source.name.is_inbox())
        .expect("inbox");
    assert_eq!(
        inbox.step,
        hikyaku_core::plan::Step::Skip(SkipRule::NotSelected)
    );
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 12);
    assert!(pair.destination.messages("INBOX").is_empty());
    pair.policy.folders = vec![MailboxName::parse("請求").expect("name")];
    let fault = pair.copy().await.expect_err("no such mailbox");
    assert_eq!(fault.code, Code::MailboxMissing);
    assert!(
        fault.detail.contains("受信トレイ/請求書"),
        "{}",
        fault.detail
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_destination_is_refused_before_anything_is_written() {
    let small = Personality {
        quota: Some(1_000),
        ..Personality::default()
    };
    let pair = Pair::between(Personality::default(), small);
    fill(&pair.source);
    let fault = pair.copy().await.expect_err("too full");
    assert_eq!(fault.code, Code::QuotaExceeded);
    assert_eq!(pair.destination.seen().appends, 0);
    assert_eq!(pair.destination.names().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_check_finds_what_is_missing_and_what_differs() {
    let pair = Pair::new();
    let messages = fill(&pair.source);
    pair.copy_completely().await;
    let report = pair.job().check(Depth::Full).await.expect("starts");
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(
        report.mailboxes.iter().map(|m| m.read_back).sum::<u64>(),
        messages
    );
    let new = pair.source.put("INBOX", "", 5, &mail(500, 100));
    let report = pair.job().check(Depth::Listed).await.expect("starts");
    assert_eq!(report.differences, 1);
    assert_eq!(report.exceptions[0].key, Some(new));
    assert_eq!(report.exceptions[0].fault.code, Code::VerifyDifference);
    assert!(report.adds_up());
    let appended = pair.destination.seen().appended;
    pair.copy_completely().await;
    assert_eq!(pair.destination.seen().appended, appended + 1);
}

#[tokio::test(start_paused = true)]
async fn newest_first_and_stateless_runs_end_the_same() {
    let mut pair = Pair::new();
    fill(&pair.source);
    pair.policy.newest_first = true;
    pair.copy_completely().await;
    pair.assert_equal();
    let mut other = Pair::new();
    fill(&other.source);
    other.policy.stateless = true;
    other.copy_completely().await;
    other.assert_equal();
    other.ledger = hikyaku_testkit::memory::MemoryLedger::default();
    let report = other.copy_completely().await;
    assert_eq!(report.copied_now(), 0);
}
