//! What is particular about a ledger on PostgreSQL.

mod support;

use hikyaku_core::ledger::{Ledger, PairingId};
use hikyaku_core::{Code, Fault, MailboxName, Remedy};
use hikyaku_ledger::{PairLedger, Store};
use hikyaku_testkit::postgres::Postgres;
use support::{SOURCE, account, copied};

async fn inbox(store: &Store) -> (PairLedger, PairingId) {
    let ledger = store
        .pair(&account("a@old"), &account("a@new"))
        .await
        .expect("a pair");
    let pairing = ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await;
    let id = pairing.expect("a pairing").id;
    (ledger, id)
}

async fn refusal(url: &str) -> Fault {
    Store::connect(url).await.map(drop).expect_err("refused")
}

#[tokio::test]
async fn programs_share_the_tables_and_older_ones_are_refused() {
    let server = Postgres::start().expect("PostgreSQL");
    // Both make the tables at the same time.
    let url = server.create_database("shared").expect("a database");
    let (first, second) = futures::join!(Store::connect(&url), Store::connect(&url));
    let (first, second) = (first.expect("a store"), second.expect("a store"));
    let (one, pairing) = inbox(&first).await;
    let (two, same) = inbox(&second).await;
    assert_eq!((one.id(), pairing), (two.id(), same));
    one.settle(pairing, vec![copied(1)], Vec::new())
        .await
        .expect("settled");
    two.settle(pairing, vec![copied(2)], Vec::new())
        .await
        .expect("settled");
    for ledger in [&one, &two] {
        let known = ledger
            .known(pairing, SOURCE, None, 10)
            .await
            .expect("records");
        assert_eq!(known, [copied(1), copied(2)]);
    }
    assert!(Store::connect(&url).await.is_ok());

    let url = server.url();
    Store::connect(&url).await.expect("a store").close().await;
    server
        .query("UPDATE hikyaku.schema_version SET version = 99")
        .expect("changed");
    let fault = refusal(&url).await;
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::LedgerVersion, Remedy::AskUser)
    );
}

#[tokio::test]
async fn the_right_to_an_account_has_one_owner_with_a_name() {
    let server = Postgres::start().expect("PostgreSQL");
    let first = Store::connect(&server.url()).await.expect("a store");
    let second = Store::connect(&server.url()).await.expect("a store");
    let (one, _) = inbox(&first).await;
    let merging = second
        .pair(&account("b@old"), &account("a@new"))
        .await
        .expect("a pair");
    let elsewhere = second
        .pair(&account("a@old"), &account("c@new"))
        .await
        .expect("a pair");

    let hold = first.hold(&one, 1_700_000_000_000).await.expect("held");
    let _other = second
        .hold(&elsewhere, 0)
        .await
        .expect("another account is free");
    let fault = second.hold(&merging, 0).await.expect_err("held");
    assert_eq!(fault.code, Code::LedgerBusy);
    let owner = format!(
        "process {} since 2023-11-14T22:13:20+00:00",
        std::process::id()
    );
    assert!(fault.detail.contains(&owner), "{fault}");
    hold.release().await;
    let hold = second.hold(&merging, 0).await.expect("free again");

    // The server ends the session as it would that of a killed process.
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name LIKE 'process%'";
    server.query(end).expect("ended");
    let again = first
        .hold(&one, 0)
        .await
        .expect("a lost session holds nothing");
    drop((hold, again));
}

#[tokio::test]
async fn an_outage_is_temporary_and_tells_no_password() {
    let server = Postgres::start().expect("PostgreSQL");
    let url = server.url();
    let store = Store::connect(&url).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    ledger
        .settle(pairing, vec![copied(1)], Vec::new())
        .await
        .expect("settled");

    // Every connection breaks; the next write takes a new one.
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'hikyaku'";
    server.query(end).expect("ended");
    ledger
        .settle(pairing, vec![copied(2)], Vec::new())
        .await
        .expect("settled on a new connection");
    let known = ledger
        .known(pairing, SOURCE, None, 10)
        .await
        .expect("records");
    assert_eq!(known, [copied(1), copied(2)]);

    drop(server);
    let refused = ledger.settle(pairing, vec![copied(3)], Vec::new()).await;
    let faults = [refused.expect_err("gone"), refusal(&url).await];
    for fault in faults {
        assert!(
            [Code::HostUnreachable, Code::LinkLost].contains(&fault.code),
            "{fault}"
        );
        assert!(fault.is_temporary(), "{fault}");
        assert!(!format!("{fault:?}").contains("pw-of-hikyaku"), "{fault:?}");
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_said_so() {
    let server = Postgres::start().expect("PostgreSQL");
    let url = server.url();
    for (bad, words) in [
        (
            url.replace("pw-of-hikyaku", "pw-of-nobody"),
            "refused the login",
        ),
        (url.replace("/postgres", "/absent"), "cannot be used"),
        (
            "not an address with pw-of-nobody".to_owned(),
            "address cannot be used",
        ),
    ] {
        let fault = refusal(&bad).await;
        assert_eq!(
            (fault.code, fault.remedy),
            (Code::ConfigInvalid, Remedy::AskUser),
            "{fault}"
        );
        assert!(fault.detail.contains(words), "{fault}");
        assert!(!format!("{fault:?}").contains("pw-of-"), "{fault:?}");
    }
}

#[tokio::test]
async fn tables_of_the_first_schema_are_brought_forward_with_what_they_hold() {
    const FIRST: &str = include_str!("../migrations/postgres/0001_first.sql");
    let server = Postgres::start().expect("PostgreSQL");
    let made = format!(
        "CREATE SCHEMA hikyaku; SET search_path TO hikyaku; {FIRST} \
         CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (1); \
         INSERT INTO pair (source, destination) VALUES ('imap://a@old.example.jp', 'imap://a@new.example.jp'); \
         INSERT INTO place (pair, mailbox) VALUES (1, 'INBOX'); \
         INSERT INTO pairing (pair, source, place) VALUES (1, 'INBOX', 1); \
         INSERT INTO epoch (pairing, epoch) VALUES (1, {}); \
         INSERT INTO message VALUES (1, {0}, 5, 6, 1, NULL, NULL, 0, 0, '', '', '\\Seen', NULL, NULL, 0, \
             'message.refused', 0)",
        SOURCE.0
    );
    server.query(&made).expect("the first schema");
    let store = Store::connect(&server.url()).await.expect("a store");
    let (ledger, pairing) = inbox(&store).await;
    assert_eq!(pairing, PairingId(1), "found, not made");
    let known = ledger.known(pairing, SOURCE, None, 10).await;
    let kept = known.expect("records");
    assert_eq!(
        kept.iter().map(|r| (r.key.0, r.code)).collect::<Vec<_>>(),
        [(5, Some(Code::MessageRefused))]
    );
    store
        .remember_let_in("imap.example.jp", 2, 0)
        .await
        .expect("the second schema");
    assert_eq!(store.let_in("imap.example.jp", 0).await, Ok(Some(2)));
}
