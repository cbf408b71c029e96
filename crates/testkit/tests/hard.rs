//! The hard account on every real server: what each one takes, rewrites and refuses is what the tables say.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeSet;

use hikyaku_testkit::generate::{
    Filled, GeneratedAccount, HardOptions, Stored, fill, fill_maildir, hard_account, keeps_date,
    profiles, stored, takes_flag,
};
use hikyaku_testkit::judge::{AccountSnapshot, Content, date};
use hikyaku_testkit::servers::{
    Courier, CourierOptions, Cyrus, CyrusOptions, Dovecot, DovecotOptions, Kind, MailServer,
};

/// Fills an account, checks every message of it against the tables, and returns the names that are not there as they
/// were given.
fn absent_names(server: &dyn MailServer) -> Vec<String> {
    let generated = hard_account(HardOptions::default());
    let account = server.create_account("hard").unwrap();
    let filled = fill(server, &account, &generated).unwrap();
    let snapshot = server.judge(&account).unwrap().snapshot().unwrap();
    check_messages(server.kind(), &generated, &filled, &snapshot);
    let there: BTreeSet<_> = snapshot
        .mailboxes
        .values()
        .map(|mailbox| &mailbox.levels)
        .collect();
    let absent = generated
        .mailboxes
        .iter()
        .filter(|mailbox| !there.contains(&mailbox.levels));
    absent.map(|mailbox| mailbox.levels.join(" / ")).collect()
}

fn check_messages(
    kind: Kind,
    generated: &GeneratedAccount,
    filled: &Filled,
    snapshot: &AccountSnapshot,
) {
    let mut wrong = Vec::new();
    for mailbox in &generated.mailboxes {
        // Mailboxes that were refused or became something else are the other tests' affair.
        let Some(there) = snapshot
            .mailboxes
            .values()
            .find(|there| there.levels == mailbox.levels)
        else {
            continue;
        };
        let mut arrived = there.messages.iter();
        for (index, message) in mailbox.messages.iter().enumerate() {
            let refused = filled.refusals.iter().find(|refusal| {
                refusal.mailbox == there.wire
                    && refusal.message.as_ref().is_some_and(|(at, _)| *at == index)
            });
            let mut given = Vec::new();
            let stored = if message.body.length() > 1 << 20 {
                Stored::Exact
            } else {
                message.body.reader().read_to_end(&mut given).unwrap();
                stored(kind, &given)
            };
            let seconds = date::parse(message.internal_date.as_deref().unwrap()).unwrap();
            let place = format!("{kind:?}: {:?}: {}", mailbox.levels, message.note);
            if let Some(refusal) = refused {
                let flags_taken = message.flags.iter().all(|flag| takes_flag(kind, flag));
                if stored != Stored::Refused && keeps_date(kind, seconds) && flags_taken {
                    wrong.push(format!("{place}: refused: {}", refusal.reason));
                }
                continue;
            }
            let Some(found) = arrived.next() else {
                wrong.push(format!("{place}: missing"));
                continue;
            };
            let expected = match stored {
                Stored::Exact => message.body.content(1 << 20).unwrap(),
                Stored::Rewritten(octets) => Content::from(octets.as_slice()),
                Stored::Refused => {
                    wrong.push(format!("{place}: should have been refused"));
                    continue;
                }
            };
            if found.content != expected {
                wrong.push(format!("{place}: is {:?}, not {expected:?}", found.content));
            }
            let flags: BTreeSet<String> = message.flags.iter().cloned().collect();
            if found.flags != flags {
                wrong.push(format!("{place}: flags {:?}, not {flags:?}", found.flags));
            }
            if (found.internal_date == seconds) != keeps_date(kind, seconds) {
                wrong.push(format!(
                    "{place}: date {}",
                    date::format(found.internal_date)
                ));
            }
        }
        if arrived.len() > 0 {
            wrong.push(format!(
                "{kind:?}: {:?}: {} messages too many",
                mailbox.levels,
                arrived.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dovecot_takes_the_hard_account_as_the_tables_say() {
    let server = Dovecot::start(DovecotOptions {
        in_memory: true,
        ..DovecotOptions::default()
    })
    .unwrap();
    assert_eq!(
        absent_names(&server),
        ["dot.inside", "slash/inside", "~tilde"]
    );
}

#[test]
fn a_maildir_written_directly_is_what_the_profile_says() {
    let server = Dovecot::start(DovecotOptions {
        in_memory: true,
        ..DovecotOptions::default()
    })
    .unwrap();
    let account = server.create_account("office").unwrap();
    let generated = profiles::small_mixed(5, 60, 1_500_000, 20);
    fill_maildir(&server, &account, &generated).unwrap();
    let snapshot = server.judge(&account).unwrap().snapshot().unwrap();
    let filled = Filled {
        messages: generated.messages(),
        refusals: Vec::new(),
    };
    check_messages(Kind::Dovecot, &generated, &filled, &snapshot);
    for mailbox in &generated.mailboxes {
        let there = snapshot
            .mailboxes
            .values()
            .find(|there| there.levels == mailbox.levels)
            .unwrap();
        assert!(there.subscribed, "{}", there.name);
    }
    // The files are good enough for Dovecot to leave them alone: nothing is renumbered by reading.
    assert_eq!(
        server.judge(&account).unwrap().snapshot().unwrap(),
        snapshot
    );
    assert!(
        !server.instance().log_tail().contains("Error"),
        "{}",
        server.instance().log_tail()
    );
}

#[test]
fn cyrus_takes_the_hard_account_as_the_tables_say() {
    let server = Cyrus::start(CyrusOptions {
        in_memory: true,
        ..CyrusOptions::default()
    })
    .unwrap();
    let absent = [
        "with \"quotes\"",
        "back\\slash",
        "100 %",
        "slash/inside",
        "(brackets) {5}",
    ];
    assert_eq!(absent_names(&server), absent);
}

#[test]
fn courier_takes_the_hard_account_as_the_tables_say() {
    let server = Courier::start(CourierOptions {
        in_memory: true,
        ..CourierOptions::default()
    })
    .unwrap();
    // A dot is the separator here, and what is below INBOX is any mailbox's name.
    let absent = ["📮 郵便", "INBOX / Below", "dot.inside", "slash/inside"];
    assert_eq!(absent_names(&server), absent);
}
