//! Taking own copies back: what goes, what stays, and what a crash in between leaves.

use crate::support::{Pair, facts, fill, mail};
use hikyaku_core::undo::{Kept, UndoPlan, UndoReport};
use hikyaku_core::{Code, Key};
use hikyaku_engine::Remembered;
use hikyaku_testkit::memory::{MemoryAccount, MemoryMessage, Personality, Removal};
use std::sync::Arc;
use std::time::Duration;

/// Every message of every mailbox.
pub(crate) type Whole = Vec<(String, Vec<(Key, MemoryMessage)>)>;

pub(crate) fn whole(account: &MemoryAccount) -> Whole {
    let names = account.names().into_iter();
    names
        .map(|(name, _)| (name.clone(), account.messages(&name)))
        .collect()
}

/// Mailboxes with their messages.
pub(crate) type Content = Vec<(String, Vec<String>)>;

/// What the messages are, without keys and mod-sequences; empty mailboxes left out.
pub(crate) fn content(account: &MemoryAccount) -> Content {
    let shown = |(octets, flags, date): crate::support::Facts| {
        let hash = hikyaku_core::ContentHash::of(&octets);
        let head: String = octets.iter().take(20).map(|o| char::from(*o)).collect();
        format!("{head} {} {hash:?} {flags} {date:?}", octets.len())
    };
    let all = whole(account).into_iter();
    all.map(|(name, messages)| (name, facts(&messages).into_iter().map(shown).collect()))
        .filter(|(_, messages): &(String, Vec<String>)| !messages.is_empty())
        .collect()
}

/// Removed, touched, only copies.
fn figures(report: &UndoReport) -> (u64, u64, u64) {
    let sum = |of: fn(&hikyaku_core::undo::UndoLine) -> u64| report.lines.iter().map(of).sum();
    (sum(|l| l.removed), sum(|l| l.touched), sum(|l| l.only_copy))
}

async fn undo(pair: &Pair) -> UndoReport {
    let report = pair.job().undo().await.expect("it starts");
    assert_eq!(report.stopped, None, "{report:#?}");
    report
}

/// The plan, which has to say what the undo then does, and to write nothing.
async fn plan(pair: &Pair) -> UndoPlan {
    let (before, writes) = (whole(&pair.destination), pair.ledger.writes());
    let plan = pair.job().undo_plan().await.expect("a plan");
    assert_eq!(whole(&pair.destination), before, "a plan changes nothing");
    assert_eq!(pair.ledger.writes(), writes, "a plan records nothing");
    plan
}

async fn undo_as_planned(pair: &Pair) -> UndoReport {
    let plan = plan(pair).await;
    let report = undo(pair).await;
    assert_eq!(plan.lines, report.lines, "the plan says what happens");
    report
}

/// A source with everything, and a destination that has mail of its own: some of it the
/// same as at the source.
fn lived_in(destination: Personality) -> Pair {
    let pair = Pair::between(Personality::default(), destination);
    fill(&pair.source);
    let there = &pair.destination;
    there.put("INBOX", "\\Seen", 1_600_000_000, &mail(1_000, 200));
    there.put("INBOX", "\\Flagged", 9, &mail(9_999, 60));
    there.put("自分の", "", 9, &mail(9_998, 3_000));
    pair
}

#[tokio::test(start_paused = true)]
async fn our_copies_go_and_nothing_else() {
    for tracks_changes in [true, false] {
        let pair = lived_in(Personality {
            tracks_changes,
            ..Personality::default()
        });
        let (before, source) = (content(&pair.destination), whole(&pair.source));
        let copied = pair.copy_completely().await.copied_now();
        assert_eq!(copied, 23, "one of 24 was there");
        let report = undo_as_planned(&pair).await;
        assert_eq!(figures(&report), (23, 0, 0));
        assert_eq!(content(&pair.destination), before);
        assert_eq!(whole(&pair.source), source, "the source is only read");
        // Nothing is left to take back, and the next copy brings everything again.
        assert_eq!(figures(&undo_as_planned(&pair).await), (0, 0, 0));
        assert_eq!(pair.copy_completely().await.copied_now(), 23);
        pair.assert_settled().await;
        assert_eq!(figures(&undo_as_planned(&pair).await), (23, 0, 0));
        assert_eq!(content(&pair.destination), before);
    }
}

/// What the owner did to a copy, and how it is counted.
type Deed = fn(&Pair);

#[tokio::test(start_paused = true)]
async fn whatever_the_owner_did_to_a_copy_keeps_it() {
    let deeds: [(&str, Deed, Kept); 8] = [
        (
            "flagged",
            |p| p.destination.set_flags("INBOX", Key(2), "\\Seen \\Flagged"),
            Kept::Touched,
        ),
        (
            "made unread",
            |p| p.destination.set_flags("INBOX", Key(2), ""),
            Kept::Touched,
        ),
        (
            "marked as deleted",
            |p| p.destination.set_flags("INBOX", Key(2), "\\Seen \\Deleted"),
            Kept::Touched,
        ),
        (
            "deleted",
            |p| p.destination.remove("INBOX", Key(2)),
            Kept::Touched,
        ),
        (
            "moved",
            |p| {
                let octets = p.destination.messages("INBOX")[1].1.octets.clone();
                p.destination.remove("INBOX", Key(2));
                p.destination.put("片付け", "\\Seen", 1, &octets);
            },
            Kept::Touched,
        ),
        (
            "hidden by its server",
            |p| p.destination.hide([Key(2)], 1),
            Kept::Touched,
        ),
        (
            "gone from the source",
            |p| p.source.remove("INBOX", Key(2)),
            Kept::OnlyCopy,
        ),
        (
            "read by a keyword",
            |p| {
                p.destination
                    .set_flags("INBOX", Key(2), "\\Seen $Important");
            },
            Kept::Touched,
        ),
    ];
    for (name, deed, why) in deeds {
        let pair = Pair::new();
        for n in 1..=4 {
            pair.source
                .put("INBOX", "\\Seen", n as i64, &mail(n, 300 * n as usize));
        }
        pair.copy_completely().await;
        deed(&pair);
        if name == "hidden by its server" {
            // A list that contradicts itself is asked for again; then it is no absence.
            let report = undo(&pair).await;
            assert_eq!(figures(&report), (4, 0, 0), "{name}");
            continue;
        }
        let left = pair.destination.messages("INBOX");
        let report = undo_as_planned(&pair).await;
        let expect = match why {
            Kept::OnlyCopy => (3, 0, 1),
            _ => (3, 1, 0),
        };
        assert_eq!(figures(&report), expect, "{name}");
        let kept: Vec<_> = left.into_iter().filter(|(k, _)| *k == Key(2)).collect();
        assert_eq!(pair.destination.messages("INBOX"), kept, "{name}");
        if !kept.is_empty() {
            assert_eq!(report.kept.len(), 1, "{name}");
            assert_eq!(report.kept[0].why, why, "{name}");
            let head = report.kept[0].head.clone().unwrap_or_default();
            assert!(head.starts_with(b"Message-ID: <2@"), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_was_made_anew_is_left_alone() {
    let pair = Pair::new();
    fill(&pair.source);
    pair.copy_completely().await;
    pair.destination.renumber("INBOX");
    let before = whole(&pair.destination)[0].clone();
    let report = undo_as_planned(&pair).await;
    assert_eq!(figures(&report), (12, 12, 0));
    assert_eq!(whole(&pair.destination)[0], before);
    // A copy finds them again by content; then they can be taken back.
    let copied = pair.copy_completely().await;
    assert_eq!(copied.copied_now(), 12);
    assert_eq!(figures(&undo_as_planned(&pair).await), (24, 0, 0));
    assert_eq!(content(&pair.destination), []);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_made_anew_is_recognised_by_content() {
    let pair = Pair::new();
    fill(&pair.source);
    pair.copy_completely().await;
    pair.source.remove("INBOX", Key(3));
    pair.source.renumber("INBOX");
    let report = undo_as_planned(&pair).await;
    assert_eq!(figures(&report), (23, 0, 1));
    let left = facts(&pair.destination.messages("INBOX"));
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, mail(3, 5_000));
    pair.copy_completely().await;
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn twins_stay_as_many_as_the_source_lacks() {
    let pair = Pair::new();
    for n in 0..3 {
        pair.source.put("INBOX", "", n, &mail(1, 200));
    }
    pair.copy_completely().await;
    pair.destination.put("INBOX", "", 9, &mail(1, 200));
    pair.source.remove("INBOX", Key(2));
    let report = undo_as_planned(&pair).await;
    assert_eq!(figures(&report), (2, 0, 1));
    let keys: Vec<Key> = pair
        .destination
        .messages("INBOX")
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, [Key(2), Key(4)], "the owner's twin stays too");
}

#[tokio::test(start_paused = true)]
async fn copies_that_the_server_altered_are_known_by_reading_them() {
    let pair = Pair::between(
        Personality::default(),
        Personality {
            rewrite: |octets| Ok([b"X-Received: by b\r\n", octets].concat()),
            ..Personality::default()
        },
    );
    for n in 1..=3 {
        pair.source.put("INBOX", "", 7, &mail(n, 300));
    }
    pair.copy_completely().await;
    let report = undo_as_planned(&pair).await;
    assert_eq!(figures(&report), (3, 0, 0));
    assert_eq!(pair.destination.messages("INBOX"), []);
}

#[tokio::test(start_paused = true)]
async fn flags_that_followed_the_source_are_ours() {
    let pair = Pair::new();
    fill(&pair.source);
    pair.copy_completely().await;
    pair.source.set_flags("INBOX", Key(1), "\\Answered new");
    pair.copy_completely().await;
    assert_eq!(figures(&undo_as_planned(&pair).await), (24, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_uidplus_nothing_is_removed() {
    let pair = lived_in(Personality {
        reports_keys: false,
        ..Personality::default()
    });
    pair.copy_completely().await;
    let before = whole(&pair.destination);
    assert!(!plan(&pair).await.supported);
    let fault = pair.job().undo().await.expect_err("refused");
    assert_eq!(fault.code, Code::UndoUnsupported);
    assert_eq!(whole(&pair.destination), before);
    assert_eq!(pair.destination.seen().removals, []);
}

#[tokio::test(start_paused = true)]
async fn what_its_owner_unmarks_at_the_last_moment_stays() {
    let pair = Pair::new();
    for n in 1..=3 {
        pair.source.put("INBOX", "", 7, &mail(n, 300));
    }
    pair.copy_completely().await;
    pair.destination
        .before_expunge(|account| account.set_flags("INBOX", Key(2), "\\Flagged"));
    let report = undo(&pair).await;
    assert_eq!(figures(&report), (2, 1, 0));
    let left = pair.destination.messages("INBOX");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1.flags.to_string(), "\\Flagged");
    // It is a copy like any other again.
    assert_eq!(pair.copy_completely().await.copied_now(), 2);
    assert_eq!(pair.destination.messages("INBOX").len(), 3);
    pair.assert_settled().await;
}

async fn copied() -> (Pair, Content) {
    let pair = lived_in(Personality::default());
    let before = content(&pair.destination);
    pair.copy_completely().await;
    pair.ledger.revive();
    (pair, before)
}

/// What every interrupted undo has to come to, whichever way the person goes on.
async fn assert_goes_on(make: impl AsyncFn() -> Pair, before: &[(String, Vec<String>)]) {
    let pair = make().await;
    undo(&pair).await;
    assert_eq!(content(&pair.destination), before);
    assert_eq!(pair.copy_completely().await.copied_now(), 23);
    pair.assert_settled().await;
    // Or no more undo: a copy makes everything whole.
    let pair = make().await;
    pair.copy_completely().await;
    let all = content(&pair.destination);
    let undisturbed = copied().await.0;
    assert_eq!(all, content(&undisturbed.destination));
    pair.assert_settled().await;
    // And it can still be taken back.
    undo(&pair).await;
    assert_eq!(content(&pair.destination), before);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_dies_at_any_durable_write_goes_on() {
    let (pair, before) = copied().await;
    undo(&pair).await;
    let writes = pair.ledger.revive();
    assert!(writes >= 6, "{writes}");
    for n in 1..=writes {
        for after in [false, true] {
            let dying = async || {
                let pair = copied().await.0;
                pair.ledger.die_at(n, after);
                pair.job().undo().await.ok();
                pair.ledger.revive();
                pair
            };
            assert_goes_on(dying, &before).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_undo_whose_removal_is_cut_off_goes_on() {
    let (_, before) = copied().await;
    let kinds = [
        Removal::LoseBefore,
        Removal::LoseMarked,
        Removal::LosePart(3),
        Removal::LoseAfter,
    ];
    for kind in kinds {
        for at in 0..2 {
            // The connection is lost, and made again in the same undo.
            let pair = copied().await.0;
            let good = std::iter::repeat_n(Removal::Do, at);
            pair.destination.script_removals(good.chain([kind]));
            assert_eq!(figures(&undo(&pair).await), (23, 0, 0), "{kind:?}");
            assert_eq!(content(&pair.destination), before);
            // The process dies with it.
            let dying = async || {
                let pair = copied().await.0;
                let good = std::iter::repeat_n(Removal::Do, at);
                pair.destination.script_removals(good.chain([kind]));
                pair.destination.before_expunge({
                    let ledger = pair.ledger.clone();
                    move |_| ledger.kill()
                });
                pair.job().undo().await.ok();
                pair.ledger.revive();
                pair.destination.forget_scripts();
                pair
            };
            assert_goes_on(dying, &before).await;
        }
    }
}

/// A copy that was lost half-way is found before anything is taken back.
#[tokio::test(start_paused = true)]
async fn what_an_interrupted_copy_left_goes_too() {
    for n in 1..=9 {
        let pair = lived_in(Personality::default());
        let before = content(&pair.destination);
        pair.ledger.die_at(n, false);
        pair.copy().await.ok();
        pair.ledger.revive();
        undo(&pair).await;
        assert_eq!(content(&pair.destination), before, "died at write {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn asking_to_stop_leaves_the_rest_for_the_next_time() {
    let (pair, before) = copied().await;
    let stop = pair.stop.clone();
    pair.destination.before_expunge(move |_| stop.request());
    let report = pair.job().undo().await.expect("it starts");
    assert_eq!(
        report.stopped.map(|fault| fault.code),
        Some(Code::Interrupted)
    );
    let mut pair = pair;
    pair.stop = hikyaku_engine::Stop::new();
    assert_eq!(figures(&undo(&pair).await).0, 23);
    assert_eq!(content(&pair.destination), before);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_for_a_while_is_waited_for() {
    let (pair, before) = copied().await;
    let lost = crate::support::passing(Code::LinkLost, None);
    pair.destination
        .go_down_after(2, Duration::from_secs(20), lost);
    assert_eq!(figures(&undo(&pair).await), (23, 0, 0));
    assert_eq!(content(&pair.destination), before);
}

/// What others put there stays theirs, whichever side is made anew.
#[tokio::test(start_paused = true)]
async fn what_others_put_there_is_never_taken_for_ours() {
    let anew: [fn(&Pair); 2] = [
        |pair| pair.source.renumber("INBOX"),
        |pair| pair.destination.renumber("INBOX"),
    ];
    for deed in anew {
        let pair = lived_in(Personality::default());
        let before = content(&pair.destination);
        pair.copy_completely().await;
        deed(&pair);
        pair.copy_completely().await;
        undo_as_planned(&pair).await;
        assert_eq!(content(&pair.destination), before);
    }
}

/// An undo without the source: its owner says that they still have it.
async fn undo_from_memory(pair: &Pair) -> UndoReport {
    let mut job = pair.job();
    job.source = Arc::new(Remembered::new(job.ledger.clone()));
    let plan = job.undo_plan().await.expect("a plan");
    let report = job.undo().await.expect("it starts");
    assert_eq!(report.stopped, None, "{report:#?}");
    assert_eq!(plan.lines, report.lines, "the plan says what happens");
    report
}

#[tokio::test(start_paused = true)]
async fn copies_go_without_the_source_where_its_owner_still_has_it() {
    let pair = lived_in(Personality::default());
    let before = content(&pair.destination);
    assert_eq!(pair.copy_completely().await.copied_now(), 23);
    // What the owner touched stays all the same, and so does a copy whose content only the source could prove.
    let inbox = pair.destination.messages("INBOX");
    let (touched, message) = inbox.last().expect("a copy").clone();
    pair.destination.set_flags("INBOX", touched, "\\Flagged");
    let report = undo_from_memory(&pair).await;
    assert_eq!(figures(&report), (22, 1, 0));
    let mut left = before.clone();
    let kept = pair.destination.messages("INBOX");
    assert_eq!(kept.last().expect("kept").1.octets, message.octets);
    pair.destination.remove("INBOX", touched);
    left.retain(|(_, messages)| !messages.is_empty());
    assert_eq!(content(&pair.destination), left);
    // It is taken back once, and the next copy brings everything again.
    assert_eq!(figures(&undo_from_memory(&pair).await).0, 0);
    pair.copy_completely().await;
}

#[tokio::test(start_paused = true)]
async fn what_only_an_older_file_had_stays_without_the_source() {
    let pair = Pair::between(Personality::default(), Personality::default());
    fill(&pair.source);
    pair.copy_completely().await;
    // Another file of the same name: other keys, and one message is gone.
    let mailbox = pair.source.messages("INBOX");
    let gone = mailbox[1].1.octets.clone();
    pair.source.remove("INBOX", Key(2));
    pair.source.renumber("INBOX");
    pair.copy_completely().await;
    let report = undo_from_memory(&pair).await;
    let (removed, touched, only) = figures(&report);
    assert_eq!((touched, only), (0, 1), "{removed}");
    let left = whole(&pair.destination);
    let left: Vec<_> = left.iter().flat_map(|(_, m)| m).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1.octets, gone);
}
