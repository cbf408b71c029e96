//! A server that archives: mail lies in another folder than the one that it is copied into.

use crate::support::{Pair, assert_only_read};
use hikyaku_core::policy::Matching;
use hikyaku_core::report::{Note, Outcome};
use hikyaku_testkit::generate::{fill, profiles};
use hikyaku_testkit::servers::Kind;

async fn check(source: Kind, destination: Kind) {
    let mut pair = Pair::between(source, destination);
    let account = profiles::small_mixed(9, 60, 600_000, 5);
    fill(pair.source.server.as_ref(), &pair.source.account, &account).unwrap();
    pair.copy_completely().await;
    // Another tool brought the mail, so to speak, and the server has archived INBOX.
    pair.forget();
    let server = &pair.destination.server;
    let mut judge = server.judge(&pair.destination.account).unwrap();
    let archive: &[u8] = match destination {
        Kind::Dovecot => b"Archived",
        _ => b"INBOX.Archived",
    };
    judge.create(archive).unwrap().accepted().unwrap();
    judge.select("INBOX").unwrap().accepted().unwrap();
    judge.copy("1:*", archive).unwrap().accepted().unwrap();
    judge.expunge("1:*").unwrap().accepted().unwrap();
    drop(judge);
    let before = pair.destination.snapshot();
    let archived = before.mailboxes[archive].messages.len() as u64;
    assert!(archived > 5, "{archived}");
    assert!(before.mailboxes[&b"INBOX"[..]].messages.is_empty());

    pair.policy.matching = Matching::Account;
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now(), 0, "{report:#?}");
    let all = report.scanned();
    assert_eq!(report.tally().messages(Outcome::AlreadyThere), all);
    let found: Vec<(String, u64)> = report
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::FoundElsewhere {
                mailbox,
                found_in,
                messages,
            } => {
                assert_eq!(mailbox.to_string(), "INBOX");
                Some((found_in.leaf().to_owned(), *messages))
            }
            _ => None,
        })
        .collect();
    assert_eq!(found, [("Archived".to_owned(), archived)]);
    pair.assert_settled().await;
    assert_eq!(
        pair.destination.snapshot().mailboxes[archive]
            .messages
            .len() as u64,
        archived
    );
    assert_only_read(&pair.source.proxy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_archived_is_not_copied_again_to_dovecot() {
    check(Kind::Dovecot, Kind::Dovecot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_archived_is_not_copied_again_to_courier() {
    check(Kind::Dovecot, Kind::Courier).await;
}
