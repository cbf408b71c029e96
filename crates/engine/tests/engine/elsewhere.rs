//! Mail that lies in another mailbox of the destination: moved there by its owner, or by a
//! server that archives.

use crate::support::{Everywhere, Pair, fill, mail, passing};
use hikyaku_core::ledger::Elsewhere;
use hikyaku_core::policy::{Fresh, Matching};
use hikyaku_core::report::{Note, Outcome, Report};
use hikyaku_core::{Code, Key, MailboxName};
use hikyaku_engine::Depth;
use hikyaku_testkit::memory::{Append, Epochs, MemoryAccount, Personality};

const ARCHIVE: &str = "保管/2024";

fn pair() -> Pair {
    let mut pair = Pair::new();
    pair.policy.matching = Matching::Account;
    pair
}

/// As a server that archives puts it: days later, read.
fn archive(account: &MemoryAccount, octets: &[u8]) -> Key {
    account.put(ARCHIVE, "\\Seen", 99, octets)
}

fn outcomes(report: &Report) -> Vec<(Outcome, u64)> {
    let tally = report.tally();
    let counts = Outcome::ALL.map(|o| (o, tally.messages(o)));
    counts.into_iter().filter(|(_, n)| *n > 0).collect()
}

/// What was found: source mailbox, where, how many.
fn found(report: &Report) -> Vec<(String, String, u64)> {
    let notes = report.notes.iter().filter_map(|note| match note {
        Note::FoundElsewhere {
            mailbox,
            found_in,
            messages,
        } => Some((mailbox.to_string(), found_in.to_string(), *messages)),
        _ => None,
    });
    notes.collect()
}

fn in_archive(mailbox: &str, messages: u64) -> Vec<(String, String, u64)> {
    vec![(mailbox.to_owned(), ARCHIVE.to_owned(), messages)]
}

fn count(account: &MemoryAccount, mailbox: &str) -> usize {
    account.messages(mailbox).len()
}

/// A run that finds nothing new: nothing is copied, and the outcomes are the same.
async fn assert_same_again(pair: &Pair, before: &Report) {
    let again = pair.copy_completely().await;
    assert_eq!(outcomes(&again), outcomes(before));
    assert_eq!(again.copied_now(), 0);
    assert_eq!(found(&again), []);
    assert_eq!(pair.ledger.open_intents(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_archived_is_already_there() {
    let pair = pair();
    for n in 1..=5 {
        pair.source.put("INBOX", "", n as i64, &mail(n, 300));
    }
    for n in 2..=4 {
        archive(&pair.destination, &mail(n, 300));
    }
    let report = pair.copy_completely().await;
    assert_eq!(
        outcomes(&report),
        [(Outcome::Copied, 2), (Outcome::AlreadyThere, 3)]
    );
    assert_eq!(report.copied_now(), 2);
    assert_eq!(found(&report), in_archive("INBOX", 3));
    assert_eq!(count(&pair.destination, "INBOX"), 2);
    assert_eq!(count(&pair.destination, ARCHIVE), 3);
    for (_, message) in pair.destination.messages(ARCHIVE) {
        assert_eq!(message.flags.to_string(), "\\Seen", "it is its owner's");
    }
    let elsewhere = pair
        .ledger
        .records()
        .into_iter()
        .filter_map(|r| r.elsewhere);
    let mailboxes: Vec<String> = elsewhere
        .map(|e: Elsewhere| e.mailbox.to_string())
        .collect();
    assert_eq!(mailboxes, [ARCHIVE; 3]);
    assert_same_again(&pair, &report).await;
    // Flags that change at the source concern nobody's own mail.
    pair.source.set_flags("INBOX", Key(2), "\\Flagged");
    assert_same_again(&pair, &report).await;
    let flags = pair.destination.messages(ARCHIVE)[0].1.flags.to_string();
    assert_eq!(flags, "\\Seen");
    let check = pair.job().check(Depth::Full).await.expect("starts");
    assert!(check.is_complete(), "{check:#?}");
    assert_eq!(outcomes(&check), outcomes(&report));
}

#[tokio::test(start_paused = true)]
async fn without_the_wish_only_the_mapped_mailbox_counts() {
    let mut pair = pair();
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    archive(&pair.destination, &mail(1, 300));
    pair.policy.matching = Matching::Mapped;
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::Copied, 1)]);
    assert_eq!(found(&report), []);
}

/// What was found counts as long as it is wanted.
#[tokio::test(start_paused = true)]
async fn a_later_run_without_the_wish_copies_into_the_mapped_mailbox() {
    let mut pair = pair();
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    archive(&pair.destination, &mail(1, 300));
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::AlreadyThere, 1)]);
    pair.policy.matching = Matching::Mapped;
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::Copied, 1)]);
    assert_eq!(count(&pair.destination, "INBOX"), 1);
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn twins_stay_twins() {
    for (ours, theirs) in [(2, 1), (1, 2), (3, 2), (2, 2)] {
        let pair = pair();
        for _ in 0..ours {
            pair.source.put("INBOX", "", 1, &mail(1, 300));
        }
        for _ in 0..theirs {
            archive(&pair.destination, &mail(1, 300));
        }
        let report = pair.copy_completely().await;
        let there = ours.min(theirs);
        assert_eq!(report.tally().messages(Outcome::AlreadyThere), there);
        assert_eq!(report.copied_now(), ours - there);
        assert_eq!(count(&pair.destination, ARCHIVE) as u64, theirs);
        assert_same_again(&pair, &report).await;
    }
}

/// The same headers with another body are another message.
#[tokio::test(start_paused = true)]
async fn content_decides() {
    let pair = pair();
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    archive(&pair.destination, &mail(1, 400));
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::Copied, 1)]);
    assert_eq!(found(&report), []);
}

#[tokio::test(start_paused = true)]
async fn an_altered_copy_is_recognised() {
    let pair = pair();
    let grew = [b"X-Archived: yes\r\n", mail(1, 300).as_slice()].concat();
    let mut shorter = mail(2, 300);
    shorter.extend_from_slice(b"\r\n\r\n");
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    pair.source.put("INBOX", "", 2, &shorter);
    archive(&pair.destination, &grew);
    archive(&pair.destination, &mail(2, 300));
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::AlreadyThere, 2)]);
    assert_same_again(&pair, &report).await;
}

/// One message at the destination is the copy of one message, whoever comes first.
#[tokio::test(start_paused = true)]
async fn two_mailboxes_that_want_the_same_message_get_it_once() {
    for lanes in [1, 4] {
        let mut pair = pair();
        pair.policy.lanes = lanes;
        for mailbox in ["INBOX", "仕事", "控え"] {
            pair.source.put(mailbox, "", 1, &mail(1, 300));
        }
        archive(&pair.destination, &mail(1, 300));
        let report = pair.copy_completely().await;
        assert_eq!(
            outcomes(&report),
            [(Outcome::Copied, 2), (Outcome::AlreadyThere, 1)]
        );
        let all: Vec<u64> = Everywhere::of(&pair.destination).0.into_values().collect();
        assert_eq!(all, [3]);
        assert_same_again(&pair, &report).await;
    }
}

/// What another mailbox is mapped to is that mailbox's first.
#[tokio::test(start_paused = true)]
async fn the_mapped_mailbox_comes_first_whichever_is_worked_on_first() {
    for (with_copy, without) in [("INBOX", "仕事"), ("仕事", "INBOX")] {
        let pair = pair();
        for mailbox in ["INBOX", "仕事"] {
            pair.source.put(mailbox, "", 1, &mail(1, 300));
        }
        pair.destination.put(with_copy, "", 1, &mail(1, 300));
        let report = pair.copy_completely().await;
        assert_eq!(
            outcomes(&report),
            [(Outcome::Copied, 1), (Outcome::AlreadyThere, 1)]
        );
        assert_eq!(found(&report), []);
        assert_eq!(count(&pair.destination, with_copy), 1);
        assert_eq!(count(&pair.destination, without), 1);
        pair.assert_settled().await;
    }
}

/// What is spare in the mapped mailbox of another line is found.
#[tokio::test(start_paused = true)]
async fn what_no_mapped_line_needs_is_free() {
    let pair = pair();
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    pair.source.put("仕事", "", 1, &mail(2, 300));
    pair.destination.put("仕事", "", 1, &mail(1, 300));
    pair.destination.put("仕事", "", 1, &mail(2, 300));
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::AlreadyThere, 2)]);
    assert_eq!(found(&report), [("INBOX".into(), "仕事".into(), 1)]);
    pair.assert_settled().await;
    // And is nobody else's from then on, nor that of its mapped line.
    pair.source.put("仕事", "", 3, &mail(1, 300));
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 1);
    assert_eq!(count(&pair.destination, "仕事"), 3);
    pair.assert_settled().await;
}

/// The server archives what hikyaku copied: it is no twin's.
#[tokio::test(start_paused = true)]
async fn an_own_copy_that_was_moved_is_not_taken_for_another_message() {
    let pair = pair();
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    pair.copy_completely().await;
    let (key, moved) = pair.destination.messages("INBOX").remove(0);
    pair.destination.remove("INBOX", key);
    archive(&pair.destination, &moved.octets);
    pair.source.put("INBOX", "", 2, &mail(1, 300));
    pair.source.put("仕事", "", 3, &mail(1, 300));
    let report = pair.copy_completely().await;
    assert_eq!(
        outcomes(&report),
        [(Outcome::Copied, 2), (Outcome::RemovedAtDestination, 1)]
    );
    assert_eq!(Everywhere::of(&pair.destination).count(&mail(1, 300)), 3);
    assert_same_again(&pair, &report).await;
}

/// And neither when that happens while the copy goes on.
#[tokio::test(start_paused = true)]
async fn what_the_server_archives_meanwhile_is_not_taken_for_another_message() {
    for lanes in [1, 4] {
        let mut pair = pair();
        pair.policy.lanes = lanes;
        for mailbox in ["INBOX", "仕事", "控え"] {
            pair.source.put(mailbox, "", 1, &mail(1, 300));
            pair.source.put(mailbox, "", 1, &mail(2, 300));
        }
        archive(&pair.destination, &mail(3, 300));
        pair.destination.after_append(1, |account| {
            for mailbox in ["INBOX", "仕事", "控え"] {
                for (key, message) in account.messages(mailbox) {
                    account.remove(mailbox, key);
                    archive(account, &message.octets);
                }
            }
        });
        pair.copy_completely().await;
        let all = Everywhere::of(&pair.destination);
        assert_eq!((all.count(&mail(1, 300)), all.count(&mail(2, 300))), (3, 3));
        pair.assert_settled().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_its_owner_takes_away_elsewhere_stays_away() {
    let mut pair = pair();
    for n in 1..=3 {
        pair.source.put("INBOX", "", 1, &mail(n, 300));
        archive(&pair.destination, &mail(n, 300));
    }
    pair.copy_completely().await;
    pair.destination.remove(ARCHIVE, Key(2));
    let check = pair.job().check(Depth::Listed).await.expect("starts");
    let expected = [
        (Outcome::AlreadyThere, 2),
        (Outcome::RemovedAtDestination, 1),
    ];
    assert_eq!(outcomes(&check), expected);
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), expected);
    assert_same_again(&pair, &report).await;
    pair.policy.recopy = true;
    let report = pair.copy_completely().await;
    assert_eq!(
        outcomes(&report),
        [(Outcome::Copied, 1), (Outcome::AlreadyThere, 2)]
    );
    assert_eq!(count(&pair.destination, "INBOX"), 1);
}

#[tokio::test(start_paused = true)]
async fn other_keys_on_either_side_change_nothing() {
    let pair = pair();
    for n in 1..=4 {
        pair.source.put("INBOX", "", 1, &mail(n, 300));
    }
    for n in 1..=2 {
        archive(&pair.destination, &mail(n, 300));
    }
    let first = pair.copy_completely().await;
    for renumbered in ["archive", "inbox", "source", "all"] {
        let is = |what| renumbered == what || renumbered == "all";
        if is("archive") {
            pair.destination.renumber(ARCHIVE);
        }
        if is("inbox") {
            pair.destination.renumber("INBOX");
        }
        if is("source") {
            pair.source.renumber("INBOX");
        }
        let report = pair.copy_completely().await;
        assert_eq!(report.copied_now(), 0, "{renumbered}");
        match renumbered {
            // Nothing is left by which an own copy could be known.
            "all" => assert_eq!(outcomes(&report), [(Outcome::AlreadyThere, 4)]),
            _ => assert_eq!(outcomes(&report), outcomes(&first), "{renumbered}"),
        }
        assert_eq!(count(&pair.destination, "INBOX"), 2, "{renumbered}");
        assert_same_again(&pair, &report).await;
    }
    // A twin is a message of its own, whatever was renumbered.
    pair.source.put("仕事", "", 1, &mail(1, 300));
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 1);
    assert_eq!(Everywhere::of(&pair.destination).count(&mail(1, 300)), 2);
}

/// What has no lasting keys cannot be remembered: it is copied, and found there later.
#[tokio::test(start_paused = true)]
async fn without_lasting_keys_nothing_is_found_elsewhere_and_nothing_is_lost() {
    for epochs in [Epochs::Zero, Epochs::NewAtEveryLook] {
        for (source, destination) in [
            (epochs, Epochs::Lasting),
            (Epochs::Lasting, epochs),
            (epochs, epochs),
        ] {
            let with = |epochs| Personality {
                epochs,
                ..Personality::default()
            };
            let mut pair = Pair::between(with(source), with(destination));
            pair.policy.matching = Matching::Account;
            for n in 1..=3 {
                pair.source.put("INBOX", "", 1, &mail(n, 300));
            }
            archive(&pair.destination, &mail(1, 300));
            let said = format!("{source:?} {destination:?}");
            let report = pair.copy_completely().await;
            assert_eq!(outcomes(&report), [(Outcome::Copied, 3)], "{said}");
            let report = pair.copy_completely().await;
            assert_eq!(report.copied_now(), 0, "{said}");
        }
    }
}

/// It is about to go, or nobody looks there.
#[tokio::test(start_paused = true)]
async fn what_lies_in_the_trash_is_not_there() {
    let pair = pair();
    for (n, mailbox) in [(1, "ゴミ箱"), (2, "ゴミ箱/古い"), (3, "迷惑メール")] {
        pair.source.put("INBOX", "", 1, &mail(n, 300));
        pair.destination.put(mailbox, "", 1, &mail(n, 300));
    }
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::Copied, 3)]);
    pair.assert_settled().await;
}

/// Everything again means everything.
#[tokio::test(start_paused = true)]
async fn copying_everything_again_does_not_look_elsewhere() {
    let mut pair = pair();
    pair.source.put("INBOX", "", 1, &mail(1, 300));
    archive(&pair.destination, &mail(1, 300));
    let first = pair.copy_completely().await;
    assert_eq!(outcomes(&first), [(Outcome::AlreadyThere, 1)]);
    for fresh in [
        Fresh::Folder(MailboxName::parse("写し").expect("a name")),
        Fresh::Replace,
    ] {
        pair.policy.fresh = Some(fresh);
        let report = pair.copy_completely().await;
        assert_eq!(outcomes(&report), [(Outcome::Copied, 1)]);
        assert_eq!(count(&pair.destination, ARCHIVE), 1, "it is not ours");
    }
}

/// The room is asked for what is really to copy.
#[tokio::test(start_paused = true)]
async fn what_is_found_takes_no_room() {
    let mut pair = pair();
    for n in 1..=5 {
        pair.source.put("INBOX", "", 1, &mail(n, 10_000));
        archive(&pair.destination, &mail(n, 10_000));
    }
    pair.destination = pair.destination.with(Personality {
        quota: Some(60_000),
        ..Personality::default()
    });
    let report = pair.copy_completely().await;
    assert_eq!(outcomes(&report), [(Outcome::AlreadyThere, 5)]);
}

fn dying() -> Pair {
    let pair = pair();
    fill(&pair.source);
    for n in [2, 3, 12, 13, 14, 1_000] {
        archive(
            &pair.destination,
            &mail(n, [60, 900, 5_000][(n as usize + 2) % 3]),
        );
    }
    archive(&pair.destination, &mail(1_000, 200));
    pair.destination.put("空", "", 1, b"no header at all");
    pair
}

fn assert_all_once(pair: &Pair, expected: &Everywhere, said: &str) {
    let differences = Everywhere::of(&pair.destination).against(expected);
    assert_eq!(differences, [], "{said}");
}

#[tokio::test(start_paused = true)]
async fn dying_at_any_write_loses_and_doubles_nothing() {
    let undisturbed = dying();
    let before = Everywhere::of(&undisturbed.destination);
    let expected = before.or_more(&Everywhere::of(&undisturbed.source));
    let first = undisturbed.copy_completely().await;
    assert_all_once(&undisturbed, &expected, "undisturbed");
    let found: u64 = found(&first).iter().map(|f| f.2).sum();
    assert!(found >= 4, "{first:#?}");
    let writes = undisturbed.ledger.revive();
    assert!(writes > 10, "{writes}");
    for n in 1..=writes {
        for after in [false, true] {
            let pair = dying();
            pair.ledger.die_at(n, after);
            pair.copy().await.ok();
            pair.ledger.revive();
            let report = pair.copy_completely().await;
            let said = format!("write {n}, {after}");
            assert_all_once(&pair, &expected, &said);
            assert_eq!(outcomes(&report), outcomes(&first), "{said}");
            pair.assert_settled().await;
        }
    }
}

/// Connections are lost wherever they can be, while the account is looked through too.
#[tokio::test(start_paused = true)]
async fn trouble_at_any_opening_loses_and_doubles_nothing() {
    let undisturbed = dying();
    let first = undisturbed.copy_completely().await;
    let expected = Everywhere::of(&undisturbed.destination);
    for n in 0..14 {
        for at_source in [true, false] {
            let pair = dying();
            let account = if at_source {
                &pair.source
            } else {
                &pair.destination
            };
            let good = std::iter::repeat_n(None, n);
            account.script_opens(good.chain([Some(passing(Code::LinkLost, None))]));
            pair.destination
                .script_appends([Append::LoseAfter, Append::LosePart(1)]);
            let report = pair.copy_completely().await;
            let said = format!("opening {n}, {at_source}");
            assert_all_once(&pair, &expected, &said);
            assert_eq!(outcomes(&report), outcomes(&first), "{said}");
            pair.assert_settled().await;
        }
    }
}
