//! 最初から: everything is copied again, and exactly one copy of each is left.

use crate::support::{Pair, facts, fill, mail};
use crate::undo::{content, whole};
use hikyaku_core::policy::Fresh;
use hikyaku_core::report::{Outcome, Report};
use hikyaku_core::undo::Kept;
use hikyaku_core::{Code, Key, MailboxName};
use hikyaku_testkit::memory::{Append, Personality, Removal};

/// Copied once by an ordinary run, with mail of the owner's own beside it.
async fn copied() -> Pair {
    let pair = Pair::new();
    fill(&pair.source);
    pair.destination
        .put("INBOX", "\\Seen", 1_600_000_000, &mail(1_000, 200));
    pair.destination.put("INBOX", "", 9, &mail(9_999, 60));
    pair.copy_completely().await;
    pair.ledger.revive();
    pair
}

fn replacing(mut pair: Pair) -> Pair {
    pair.policy.fresh = Some(Fresh::Replace);
    pair
}

fn ordinary(mut pair: Pair) -> Pair {
    pair.policy.fresh = None;
    pair
}

/// Removed, touched, only copies, not replaced.
fn figures(report: &Report) -> (u64, u64, u64, u64) {
    let sum =
        |of: fn(&hikyaku_core::undo::UndoLine) -> u64| report.replaced.iter().map(of).sum::<u64>();
    (
        sum(|l| l.removed),
        sum(|l| l.touched),
        sum(|l| l.only_copy),
        sum(|l| l.not_replaced),
    )
}

#[tokio::test(start_paused = true)]
async fn everything_is_copied_again_and_the_earlier_copies_go() {
    let pair = copied().await;
    let (before, source) = (content(&pair.destination), whole(&pair.source));
    let next: Vec<_> = whole(&pair.destination);
    let pair = replacing(pair);
    let report = pair.copy_completely().await;
    // One message was there before: it stays, and is not copied.
    assert_eq!(report.copied_now(), 23);
    assert_eq!(report.tally().messages(Outcome::AlreadyThere), 1);
    assert_eq!(figures(&report), (23, 0, 0, 0));
    assert_eq!(report.kept, []);
    assert_eq!(content(&pair.destination), before);
    assert_ne!(whole(&pair.destination), next, "they are other messages");
    assert_eq!(whole(&pair.source), source, "the source is only read");
    let read_back: u64 = report.mailboxes.iter().map(|m| m.read_back).sum();
    assert_eq!(
        read_back, 23,
        "each was read back before its earlier copy went"
    );
    // An ordinary run has nothing to do, and opens nothing.
    let pair = ordinary(pair);
    let opened = pair.destination.seen().opened;
    pair.assert_settled().await;
    assert_eq!(pair.destination.seen().opened, opened);
    // Once more is once more.
    let pair = replacing(pair);
    assert_eq!(figures(&pair.copy_completely().await), (23, 0, 0, 0));
    assert_eq!(content(&pair.destination), before);
}

#[tokio::test(start_paused = true)]
async fn what_the_owner_touched_or_alone_has_stays() {
    let pair = copied().await;
    let there = &pair.destination;
    let inbox = there.messages("INBOX");
    let key_of = |n: u64, size| {
        let octets = mail(n, size);
        let found = inbox.iter().find(|(_, m)| m.octets == octets);
        found.map(|(key, _)| *key).expect("copied")
    };
    there.set_flags("INBOX", key_of(1, 60), "\\Flagged");
    there.remove("INBOX", key_of(2, 900));
    pair.source.remove("INBOX", Key(3));
    let only = key_of(3, 5_000);
    let pair = replacing(pair);
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 22);
    assert_eq!(figures(&report), (20, 1, 1, 0));
    let kept: Vec<_> = report.kept.iter().map(|k| (k.key, k.why)).collect();
    assert!(kept.contains(&(only, Kept::OnlyCopy)), "{kept:?}");
    assert!(kept.contains(&(key_of(1, 60), Kept::Touched)), "{kept:?}");
    let named = report.kept.iter().find(|k| k.key == only).expect("named");
    let head = named.head.clone().expect("read");
    assert!(head.starts_with(b"Message-ID: <3@"));
    // The one that was touched has its new copy beside it, the removed one came back.
    let all = facts(&pair.destination.messages("INBOX"));
    let count = |n, size| all.iter().filter(|m| m.0 == mail(n, size)).count();
    assert_eq!((count(1, 60), count(2, 900), count(3, 5_000)), (2, 1, 1));
    let pair = ordinary(pair);
    pair.assert_settled().await;
}

/// For every durable write of the run: a process that dies there, and is started again
/// with the same choice, leaves exactly one copy of each.
#[tokio::test(start_paused = true)]
async fn dying_at_any_durable_write_leaves_one_copy_of_each() {
    let undisturbed = replacing(copied().await);
    undisturbed.copy_completely().await;
    let writes = undisturbed.ledger.revive();
    let expect = content(&undisturbed.destination);
    assert!(writes > 20, "{writes}");
    for n in 1..=writes {
        for after in [false, true] {
            let dead = async || {
                let pair = replacing(copied().await);
                pair.ledger.die_at(n, after);
                pair.copy().await.ok();
                pair.ledger.revive();
                pair
            };
            let pair = dead().await;
            pair.copy_completely().await;
            assert_eq!(content(&pair.destination), expect, "write {n}, {after}");
            ordinary(pair).assert_settled().await;
            // An ordinary run in between loses and doubles nothing more.
            let pair = ordinary(dead().await);
            pair.copy_completely().await;
            pair.assert_settled().await;
            let pair = replacing(pair);
            pair.copy_completely().await;
            assert_eq!(content(&pair.destination), expect, "write {n}, {after}");
            ordinary(pair).assert_settled().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_at_any_append_or_removal_leaves_one_copy_of_each() {
    let undisturbed = replacing(copied().await);
    let before = undisturbed.destination.seen();
    undisturbed.copy_completely().await;
    let expect = content(&undisturbed.destination);
    let after = undisturbed.destination.seen();
    for n in 0..after.appends - before.appends {
        for kind in [
            Append::LoseAfter,
            Append::LosePart(1),
            Append::StoreAndRefuse,
        ] {
            let pair = replacing(copied().await);
            let good = (0..n).map(|_| Append::Store);
            pair.destination.script_appends(good.chain([kind]));
            pair.copy_completely().await;
            assert_eq!(content(&pair.destination), expect);
            ordinary(pair).assert_settled().await;
        }
    }
    for n in 0..after.removals.len() {
        for kind in [
            Removal::LoseMarked,
            Removal::LosePart(2),
            Removal::LoseAfter,
        ] {
            let pair = replacing(copied().await);
            let good = (0..n).map(|_| Removal::Do);
            pair.destination.script_removals(good.chain([kind]));
            pair.copy_completely().await;
            assert_eq!(content(&pair.destination), expect);
            ordinary(pair).assert_settled().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_without_a_proven_replacement_stays() {
    let pair = replacing(copied().await);
    pair.source.set_unreadable([Key(5)]);
    let report = pair.copy().await.expect("starts");
    assert_eq!(report.tally().failures(), 2);
    assert_eq!(figures(&report), (21, 0, 0, 2));
    let whole = facts(&pair.destination.messages("INBOX"));
    assert!(whole.iter().any(|m| m.0 == mail(5, 900)));
    let pair = ordinary(pair);
    pair.source.forget_scripts();
    let report = pair.copy_completely().await;
    assert_eq!(
        report.copied_now(),
        0,
        "the earlier copy is known by its content"
    );
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_before_everything_is_copied() {
    let pair = replacing(copied().await);
    let pair = Pair {
        destination: pair.destination.with(Personality {
            full_at: Some(60_000),
            ..Personality::default()
        }),
        ..pair
    };
    let before = whole(&pair.destination);
    let report = pair.copy().await.expect("starts");
    assert_eq!(
        report.stopped.map(|fault| fault.code),
        Some(Code::QuotaExceeded)
    );
    assert_eq!(pair.destination.seen().removals, []);
    for ((name, earlier), (_, now)) in before.iter().zip(whole(&pair.destination)) {
        assert!(earlier.iter().all(|m| now.contains(m)), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_uidplus_nothing_is_begun() {
    let pair = replacing(copied().await);
    let pair = Pair {
        destination: pair.destination.with(Personality {
            reports_keys: false,
            ..Personality::default()
        }),
        ..pair
    };
    let before = whole(&pair.destination);
    let fault = pair.copy().await.expect_err("refused");
    assert_eq!(fault.code, Code::UndoUnsupported);
    assert_eq!(whole(&pair.destination), before);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_made_anew_in_between_doubles_nothing() {
    let pair = copied().await;
    let expect = content(&pair.destination);
    pair.source.renumber("INBOX");
    let pair = replacing(pair);
    let report = pair.copy_completely().await;
    assert_eq!(figures(&report), (23, 0, 0, 0));
    assert_eq!(content(&pair.destination), expect);
    ordinary(pair).assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_with_the_date_gets_everything_and_nothing_is_removed() {
    let name = MailboxName::parse("コピー 2026-11-22").expect("a name");
    let expect = |pair: &Pair| {
        for (mailbox, _) in pair.source.names() {
            let there = pair.destination.messages(&format!("{name}/{mailbox}"));
            assert_eq!(facts(&pair.source.messages(&mailbox)), facts(&there));
        }
    };
    let fresh = || Some(Fresh::Folder(name.clone()));
    let mut pair = copied().await;
    pair.destination.remove("INBOX", Key(5));
    let before = whole(&pair.destination);
    pair.policy.fresh = fresh();
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 24);
    let writes = pair.ledger.revive();
    expect(&pair);
    for (mailbox, messages) in before {
        assert_eq!(pair.destination.messages(&mailbox), messages, "{mailbox}");
    }
    assert_eq!(pair.destination.seen().removals, []);
    pair.assert_settled().await;
    ordinary(pair).assert_settled().await;
    // Interrupted anywhere, the same choice ends it.
    for n in 1..=writes {
        let mut pair = copied().await;
        pair.policy.fresh = fresh();
        pair.ledger.die_at(n, true);
        pair.copy().await.ok();
        pair.ledger.revive();
        pair.copy_completely().await;
        expect(&pair);
        ordinary(pair).assert_settled().await;
    }
}
