//! A server's own files, copied into the account that they are of.

use super::parts::{copy_maildirs, part};
use super::{connect, copy};
use crate::support::read;
use hikyaku_archive::Kind;
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Source;
use hikyaku_testkit::generate::{HardOptions, fill, hard_account, keeps_date};
use hikyaku_testkit::judge::{AccountSnapshot, CompareOptions, MessageSnapshot, compare};
use hikyaku_testkit::memory::MemoryLedger;
use hikyaku_testkit::servers::{self, Dovecot, DovecotOptions, MailServer};
use std::sync::Arc;

/// Nothing is known of earlier runs: every message is recognised by its octets.
#[tokio::test(flavor = "multi_thread")]
async fn the_maildir_of_a_hard_account_is_recognised_in_the_account_itself() {
    let server = Dovecot::start(DovecotOptions {
        in_memory: true,
        ..DovecotOptions::default()
    })
    .expect("server");
    let account = server.create_account("home").expect("account");
    let options = HardOptions {
        huge_message: false,
        ..HardOptions::default()
    };
    fill(&server, &account, &hard_account(options)).expect("filled");
    let mut judge = server.judge(&account).expect("judge");
    let before = judge.snapshot().expect("snapshot");
    let held: usize = before.mailboxes.values().map(|m| m.messages.len()).sum();
    let odd = |message: &&MessageSnapshot| {
        let octets = message.content.octets().unwrap_or_default();
        let text = String::from_utf8_lossy(octets).replace("\r\n", "");
        text.contains('\r')
    };
    let messages = before.mailboxes.values().flat_map(|m| &m.messages);
    assert_eq!(messages.filter(odd).count(), 1, "a message with lone CRs");

    let copied = tempfile::tempdir().expect("a directory");
    let path = copied.path().join("Maildir");
    copy_maildirs(&server.mail_directory(&account), &path);
    let told = read(Kind::Maildir, &path).await;
    assert_eq!(told.iter().map(|f| f.messages.len()).sum::<usize>(), held);
    assert!(told.iter().all(|f| f.faults.is_empty()), "{told:#?}");

    let ledger = MemoryLedger::default();
    let part = part("home", Kind::Maildir, path, held, 0);
    let imap = Arc::new(connect(&server, &account).await);
    let report = copy(&part, imap.clone(), &ledger).await;
    imap.close().await;
    assert!(report.is_complete(), "{report:#?}");
    let tally = report.tally();
    assert_eq!(
        (report.copied_now(), tally.messages(Outcome::AlreadyThere)),
        (0, held as u64),
        "{report:#?}"
    );
    let after = judge.snapshot().expect("snapshot");
    let (before, after) = (with_kept_dates(before), with_kept_dates(after));
    let differences = compare(&before, &after, &CompareOptions::default());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Of the others Dovecot tells one in the session that brought them and another later.
fn with_kept_dates(mut account: AccountSnapshot) -> AccountSnapshot {
    for message in account.mailboxes.values_mut().flat_map(|m| &mut m.messages) {
        if !keeps_date(servers::Kind::Dovecot, message.internal_date) {
            message.internal_date = 0;
        }
    }
    account
}
