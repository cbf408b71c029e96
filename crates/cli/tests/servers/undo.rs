//! Taking back, and copying everything again, on real servers.

use crate::support::{Pair, assert_only_read, assert_same};
use hikyaku_core::policy::Fresh;
use hikyaku_core::undo::UndoLine;
use hikyaku_testkit::generate::{fill, profiles};
use hikyaku_testkit::judge::{AccountSnapshot, MessageSnapshot};
use hikyaku_testkit::servers::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// A source with mail, and a destination whose owner has some too.
fn lived_in() -> Pair {
    let pair = Pair::between(Kind::Dovecot, Kind::Dovecot);
    let account = profiles::small_mixed(9, 60, 600_000, 5);
    fill(pair.source.server.as_ref(), &pair.source.account, &account).unwrap();
    let to = &pair.destination;
    let mut judge = to.server.judge(&to.account).unwrap();
    judge.create("mine").unwrap().accepted().unwrap();
    for mailbox in ["INBOX", "mine"] {
        let mail = b"Subject: mine\r\n\r\nmine\r\n";
        judge
            .append(mailbox, &["\\Seen"], None, mail)
            .unwrap()
            .accepted()
            .unwrap();
    }
    pair
}

/// The messages of every mailbox that holds any, by UID.
fn messages(account: &AccountSnapshot) -> BTreeMap<Vec<u8>, Vec<MessageSnapshot>> {
    let all = account.mailboxes.iter();
    all.map(|(wire, m)| (wire.to_vec(), m.messages.clone()))
        .filter(|(_, messages)| !messages.is_empty())
        .collect()
}

/// The same without what a new copy has of its own.
fn content(account: &AccountSnapshot) -> BTreeMap<Vec<u8>, Vec<String>> {
    let all = messages(account).into_iter();
    all.map(|(wire, messages)| {
        let mut shown: Vec<String> = messages
            .iter()
            .map(|m| format!("{:?} {:?} {}", m.content, m.flags, m.internal_date))
            .collect();
        shown.sort();
        (wire, shown)
    })
    .collect()
}

/// UIDs of INBOX that were named in UID EXPUNGE. Nothing else was sent that removes.
fn expunged(pair: &Pair) -> BTreeSet<u32> {
    let (mut uids, mut is_inbox) = (BTreeSet::new(), false);
    for command in pair.destination.proxy.commands() {
        let upper = command.to_ascii_uppercase();
        for verb in ["EXPUNGE", "CLOSE", "DELETE ", "RENAME", "UID MOVE"] {
            assert!(!upper.starts_with(verb), "the destination saw: {command}");
        }
        // One connection removes, one mailbox after the other.
        if let Some(name) = upper.strip_prefix("SELECT ") {
            is_inbox = name.split(' ').next().map(|n| n.trim_matches('"')) == Some("INBOX");
        }
        let Some(set) = upper.strip_prefix("UID EXPUNGE ").filter(|_| is_inbox) else {
            continue;
        };
        for range in set.trim().split(',') {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            uids.extend(first.parse::<u32>().unwrap()..=last.parse::<u32>().unwrap());
        }
    }
    uids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_removes_our_untouched_copies_and_leaves_the_rest() {
    let pair = lived_in();
    let before = messages(&pair.destination.snapshot());
    let source = pair.source.snapshot();
    pair.copy_completely().await;
    // The owner reads one, moves one, deletes one; the source loses one.
    let to = &pair.destination;
    let mut judge = to.server.judge(&to.account).unwrap();
    judge.select("INBOX").unwrap().accepted().unwrap();
    judge
        .store("3", "FLAGS", &["\\Flagged", "$touched"])
        .unwrap()
        .accepted()
        .unwrap();
    judge.copy("4", "mine").unwrap().accepted().unwrap();
    judge.expunge("4").unwrap().accepted().unwrap();
    judge.expunge("5").unwrap().accepted().unwrap();
    drop(judge);
    let from = &pair.source;
    let mut judge = from.server.judge(&from.account).unwrap();
    judge.select("INBOX").unwrap().accepted().unwrap();
    judge.expunge("5").unwrap().accepted().unwrap();
    drop(judge);
    let (touched, from_now) = (pair.destination.snapshot(), pair.source.snapshot());
    let report = pair.undo().await;
    let sum = |of: fn(&UndoLine) -> u64| report.lines.iter().map(of).sum::<u64>();
    let copied: u64 = source
        .mailboxes
        .values()
        .map(|m| m.messages.len() as u64)
        .sum();
    assert_eq!(
        (sum(|l| l.removed), sum(|l| l.touched), sum(|l| l.only_copy)),
        (copied - 4, 3, 1)
    );
    // What was there before, the touched one, the only copy and what was moved: exactly.
    let after = pair.destination.snapshot();
    let mut expect = before.clone();
    let touched_now = messages(&touched);
    let keep = |uid: u32| {
        let found = touched_now[&b"INBOX"[..]].iter().find(|m| m.uid == uid);
        found.unwrap().clone()
    };
    let inbox = expect.get_mut(&b"INBOX"[..]).unwrap();
    inbox.extend([keep(3), keep(6)]);
    expect.insert(b"mine".to_vec(), touched_now[&b"mine"[..]].clone());
    assert_eq!(messages(&after), expect);
    assert_same(&pair.source.snapshot(), &from_now);
    assert_only_read(&pair.source.proxy);
    // On the wire: UID EXPUNGE, and no UID that is not ours.
    let named = expunged(&pair);
    assert!(!named.is_empty() && !named.contains(&1) && !named.contains(&3));
    assert!(!named.contains(&6));
    // The next copy brings back what was taken back.
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), copied - 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_copied_again_leaves_one_copy_of_each() {
    let mut pair = lived_in();
    pair.copy_completely().await;
    let (once, source) = (pair.destination.snapshot(), pair.source.snapshot());
    pair.policy.fresh = Some(Fresh::Replace);
    let report = pair.copy_completely().await;
    let copied: u64 = source
        .mailboxes
        .values()
        .map(|m| m.messages.len() as u64)
        .sum();
    assert_eq!(report.copied_now(), copied);
    let removed: u64 = report.replaced.iter().map(|l| l.removed).sum();
    assert_eq!((removed, report.kept.len()), (copied, 0));
    let again = pair.destination.snapshot();
    assert_eq!(content(&again), content(&once));
    assert_ne!(messages(&again), messages(&once), "they are other messages");
    assert_same(&pair.source.snapshot(), &source);
    assert_only_read(&pair.source.proxy);
    let named = expunged(&pair);
    assert!(!named.is_empty() && !named.contains(&1), "the owner's own");
    pair.policy.fresh = None;
    pair.assert_settled().await;
    // A copy in a folder with the date stands beside it.
    let name = hikyaku_core::MailboxName::parse("Copy 2026-11-22").unwrap();
    pair.policy.fresh = Some(Fresh::Folder(name));
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), copied);
    let beside = pair.destination.snapshot();
    for (wire, was) in messages(&again) {
        assert_eq!(messages(&beside)[&wire], was);
    }
    let all: usize = messages(&beside).values().map(Vec::len).sum();
    assert_eq!(all as u64, 2 * copied + 2);
    pair.policy.fresh = None;
    pair.assert_settled().await;
}
