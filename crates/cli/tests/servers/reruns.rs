//! What later runs do on real servers.

use crate::support::{Pair, assert_only_read};
use hikyaku_core::report::Outcome;
use hikyaku_testkit::generate::{fill, profiles};
use hikyaku_testkit::servers::Kind;

async fn filled(source: Kind, destination: Kind) -> Pair {
    let pair = Pair::between(source, destination);
    let account = profiles::small_mixed(9, 60, 600_000, 5);
    fill(pair.source.server.as_ref(), &pair.source.account, &account).unwrap();
    pair.copy_completely().await;
    pair
}

/// New mail, changed flags, mail gone at the source, mail filed away at the
/// destination: each as the design says.
async fn check(source: Kind, destination: Kind) {
    let mut pair = filled(source, destination).await;
    let mut judge = pair.source.server.judge(&pair.source.account).unwrap();
    judge.select("INBOX").unwrap().accepted().unwrap();
    judge
        .store("1", "+FLAGS", &["\\Flagged"])
        .unwrap()
        .accepted()
        .unwrap();
    judge
        .store("2", "+FLAGS", &["\\Deleted"])
        .unwrap()
        .accepted()
        .unwrap();
    judge.expunge("2").unwrap().accepted().unwrap();
    let mail = b"Subject: new\r\n\r\nnew\r\n";
    judge
        .append(
            "INBOX",
            &["\\Seen"],
            Some("01-Jan-2024 00:00:00 +0000"),
            mail,
        )
        .unwrap()
        .accepted()
        .unwrap();
    drop(judge);
    let mut judge = pair
        .destination
        .server
        .judge(&pair.destination.account)
        .unwrap();
    judge.select("INBOX").unwrap().accepted().unwrap();
    judge
        .store("3", "+FLAGS", &["\\Deleted"])
        .unwrap()
        .accepted()
        .unwrap();
    judge.expunge("3").unwrap().accepted().unwrap();
    judge
        .store("4", "+FLAGS", &["\\Seen"])
        .unwrap()
        .accepted()
        .unwrap();
    drop(judge);
    let before = pair.destination.snapshot().mailboxes[&b"INBOX"[..]]
        .messages
        .len();
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 1, "{report:#?}");
    assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
    assert_eq!(
        report
            .mailboxes
            .iter()
            .map(|m| m.flags_updated)
            .sum::<u64>(),
        1
    );
    let inbox = &pair.destination.snapshot().mailboxes[&b"INBOX"[..]];
    assert_eq!(inbox.messages.len(), before + 1);
    let first = inbox.messages.iter().find(|m| m.uid == 1).unwrap();
    assert!(first.flags.contains("\\Flagged"));
    // What the user has read stays read.
    let fourth = inbox.messages.iter().find(|m| m.uid == 4).unwrap();
    assert!(fourth.flags.contains("\\Seen"));
    let newest = inbox.messages.last().unwrap();
    assert_eq!(newest.content.octets(), Some(&mail[..]));
    pair.assert_settled().await;
    assert_only_read(&pair.source.proxy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_follow_from_dovecot_to_dovecot() {
    check(Kind::Dovecot, Kind::Dovecot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_follow_from_cyrus_to_dovecot() {
    check(Kind::Cyrus, Kind::Dovecot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_follow_from_courier_to_cyrus() {
    check(Kind::Courier, Kind::Cyrus).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_follow_from_dovecot_to_courier() {
    check(Kind::Dovecot, Kind::Courier).await;
}
