//! An append that is cut off at every place: what the adapter says of it has to agree
//! with what the server really stored.

mod common;

use common::{Door, letter, plain, write};
use hikyaku_core::Side;
use hikyaku_core::traits::Appended;
use hikyaku_imap::ImapAccount;
use hikyaku_testkit::proxy::{Action, At, Direction, Fault, Proxy, ProxySettings};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, MailServer};
use std::time::{Duration, Instant};

/// Messages in the mailbox once the server has come to rest.
fn stored(server: &Dovecot, user: &Account) -> usize {
    let count = || {
        let snapshot = server
            .judge(user)
            .expect("judge")
            .snapshot()
            .expect("snapshot");
        snapshot.mailboxes[&b"in"[..]].messages.len()
    };
    let until = Instant::now() + Duration::from_secs(20);
    let mut seen = count();
    loop {
        let again = count();
        if again == seen || Instant::now() > until {
            return again;
        }
        seen = again;
    }
}

/// What the adapter said, and what is there.
async fn cut(server: &Dovecot, number: usize, fault: Fault) -> (&'static str, usize) {
    let user = server
        .create_account(&format!("u{number}"))
        .expect("account");
    server
        .judge(&user)
        .expect("judge")
        .create("in")
        .expect("create")
        .accepted()
        .expect("ok");
    let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).expect("proxy");
    let account = ImapAccount::connect(plain(proxy.port(), &user, Side::Destination))
        .await
        .expect("login");
    let mut writer = write(&account, "in").await;
    proxy.add_fault(fault);
    let text =
        |n: u64| format!("From: a\r\nSubject: {n}\r\n\r\n{}\r\n", "x".repeat(40)).into_bytes();
    let letters = (1..=2)
        .map(|n| letter(n, "\\Seen", 1_000_000_000, text(n)))
        .collect();
    let said = match writer
        .append(letters, Door::open())
        .await
        .expect("queued")
        .await
    {
        Appended::Stored { .. } => "stored",
        Appended::Refused(fault) => {
            assert!(fault.is_temporary(), "{fault}");
            "refused"
        }
        Appended::Unknown(fault) => {
            assert!(fault.is_temporary(), "{fault}");
            "unknown"
        }
    };
    assert_eq!(proxy.faults_happened(), 1);
    drop((writer, account));
    drop(proxy);
    (said, stored(server, &user))
}

#[tokio::test]
async fn what_is_said_of_a_cut_append_is_true() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let mut number = 0;
    let mut seen = std::collections::BTreeSet::new();
    for action in [Action::Reset, Action::Close] {
        // From inside the first message to beyond the last line end.
        for octets in [
            0, 1, 30, 64, 65, 66, 90, 120, 150, 180, 182, 184, 186, 188, 190, 192,
        ] {
            number += 1;
            let at = At::AfterLine {
                contains: "APPEND".into(),
                nth: 1,
                octets,
            };
            let direction = Direction::ToServer;
            let fault = Fault {
                direction,
                at,
                action: action.clone(),
                connection: None,
            };
            let happened = cut(&server, number, fault).await;
            // Nothing is doubled or lost by believing the answer.
            assert!(
                matches!(
                    happened,
                    ("unknown", 0 | 2) | ("refused", 0) | ("stored", 2)
                ),
                "{octets}: {happened:?}"
            );
            seen.insert(happened);
        }
        // The answer is cut off: everything is there, and nobody said so.
        number += 1;
        let at = At::BeforeLine {
            contains: "APPENDUID".into(),
            nth: 1,
        };
        let direction = Direction::ToClient;
        let fault = Fault {
            direction,
            at,
            action: action.clone(),
            connection: None,
        };
        assert_eq!(cut(&server, number, fault).await, ("unknown", 2));
    }
    assert!(seen.contains(&("unknown", 0)), "{seen:?}");
}
