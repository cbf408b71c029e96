//! The hard mailbox between all nine ordered pairs of servers.

use crate::support::{Pair, assert_only_read, assert_same};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, MailboxName};
use hikyaku_testkit::generate::{
    HardOptions, Stored, fill, hard_account, keeps_date, stored, takes_flag,
};
use hikyaku_testkit::judge::{
    AccountSnapshot, CompareOptions, Content, MailboxSnapshot, MessageSnapshot, compare,
};
use hikyaku_testkit::servers::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// Copies the hard account and judges everything.
async fn check(source: Kind, destination: Kind) {
    let mut pair = Pair::between(source, destination);
    let hard = hard_account(HardOptions::default());
    fill(pair.source.server.as_ref(), &pair.source.account, &hard).unwrap();
    // Dovecot answers another date for messages of before 1970 when it is asked again.
    pair.source.snapshot();
    let before = pair.source.snapshot();
    let names: BTreeMap<Vec<String>, Vec<String>> = pair
        .plan()
        .await
        .mailboxes
        .iter()
        .map(|m| {
            (
                m.source.name.levels().to_vec(),
                m.destination.levels().to_vec(),
            )
        })
        .collect();
    assert_names_stay_apart(&names);
    let report = pair.copy().await;
    assert_only_read(&pair.source.proxy);
    assert_same(&pair.source.snapshot(), &before);
    assert_eq!(report.unfinished, 0, "{report:#?}");
    assert_eq!(report.differences, 0, "{report:#?}");
    // Every message that did not arrive is one that this server refuses, and is named.
    let refused: usize = before
        .mailboxes
        .values()
        .flat_map(|m| &m.messages)
        .filter(|m| becomes(destination, m).is_none())
        .count();
    let failed = report.tally().messages(Outcome::FailedPermanent) as usize;
    assert_eq!(
        (failed, report.exceptions.len()),
        (refused, refused),
        "{:#?}",
        report.exceptions
    );
    assert!(report.exceptions.iter().all(|e| {
        e.fault.code == Code::MessageRefused && e.fault.said.is_some() && e.key.is_some()
    }));
    let takes_all_flags = before
        .mailboxes
        .values()
        .flat_map(|m| &m.messages)
        .all(|m| m.flags.iter().all(|flag| takes_flag(destination, flag)));
    let differences = compare(
        &undated(before.clone()),
        &undated(pair.destination.snapshot()),
        &CompareOptions {
            map_name: Box::new(|m: &MailboxSnapshot| names.get(&m.levels).cloned()),
            rewrite: Box::new(|_, m| becomes(destination, m).map(|m| dated(destination, m))),
            // What is refused is tried once more alone, after the others.
            order: refused == 0 && takes_all_flags,
            ..CompareOptions::default()
        },
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    pair.assert_settled().await;
    // A lost ledger is rebuilt by matching, in spite of what was rewritten.
    pair.forget();
    pair.assert_settled().await;
    assert_only_read(&pair.source.proxy);
}

/// What this server makes of a message; `None` when it refuses it.
fn becomes(server: Kind, message: &MessageSnapshot) -> Option<MessageSnapshot> {
    let content = match message.content.octets() {
        None => message.content.clone(),
        Some(octets) => match stored(server, octets) {
            Stored::Exact => message.content.clone(),
            Stored::Rewritten(octets) => Content::from(octets.as_slice()),
            Stored::Refused => return None,
        },
    };
    let mut becomes = message.clone();
    becomes.content = content;
    becomes.flags.retain(|flag| takes_flag(server, flag));
    Some(becomes)
}

/// Dates that this server does not keep become the beginning of time…
fn dated(server: Kind, mut message: MessageSnapshot) -> MessageSnapshot {
    if !keeps_date(server, message.internal_date) {
        message.internal_date = 0;
    }
    message
}

/// …and so do those that a server made up in these minutes.
fn undated(mut account: AccountSnapshot) -> AccountSnapshot {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    for message in account.mailboxes.values_mut().flat_map(|m| &mut m.messages) {
        if (now - 900..=now + 60).contains(&message.internal_date) {
            message.internal_date = 0;
        }
    }
    account
}

/// No two mailboxes become one.
fn assert_names_stay_apart(names: &BTreeMap<Vec<String>, Vec<String>>) {
    let all: BTreeSet<&Vec<String>> = names.values().collect();
    assert_eq!(
        all.len(),
        names.len(),
        "two mailboxes would become one: {names:#?}"
    );
    assert!(names.keys().all(|n| MailboxName::new(n.clone()).is_some()));
}

macro_rules! pairs {
    ($($name:ident: $source:ident => $destination:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            check(Kind::$source, Kind::$destination).await;
        }
    )*};
}

pairs! {
    dovecot_to_dovecot: Dovecot => Dovecot;
    dovecot_to_cyrus: Dovecot => Cyrus;
    dovecot_to_courier: Dovecot => Courier;
    cyrus_to_dovecot: Cyrus => Dovecot;
    cyrus_to_cyrus: Cyrus => Cyrus;
    cyrus_to_courier: Cyrus => Courier;
    courier_to_dovecot: Courier => Dovecot;
    courier_to_cyrus: Courier => Cyrus;
    courier_to_courier: Courier => Courier;
}
