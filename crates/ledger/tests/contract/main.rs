//! What every ledger promises, on every database.
//!
//! The checks know `hikyaku_core::ledger::Ledger` and nothing of the databases. Each has a pair of accounts of its own
//! in a store that all share, so that nothing may leak from pair to pair.

mod intents;
mod pairings;
mod records;
#[path = "../support/mod.rs"]
mod support;

use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::ledger::{Ledger, PairingId, Settled};
use hikyaku_core::{Epoch, MailboxName};
use hikyaku_ledger::{PairLedger, Store};
use hikyaku_testkit::postgres::Postgres;
use support::account;

type Check = fn(PairLedger) -> BoxFuture<'static, ()>;

macro_rules! checks {
    ($($group:ident::$name:ident,)*) => {
        [$((stringify!($name), |ledger| Box::pin($group::$name(ledger)))),*]
    };
}

const CHECKS: [(&str, Check); 20] = checks![
    pairings::a_pairing_is_made_once_and_found_again,
    pairings::pairings_keep_every_name,
    pairings::mapping_anew_drops_the_checkpoint_and_the_places,
    pairings::a_checkpoint_is_set_replaced_and_dropped,
    pairings::a_checkpoint_outlives_later_settlements,
    records::every_field_of_a_record_comes_back,
    records::what_was_found_in_another_mailbox_is_told_and_owned_there,
    records::settling_again_replaces_the_record,
    records::of_equal_keys_in_one_settlement_the_last_stays,
    records::records_are_read_page_by_page,
    records::lookup_finds_exactly_the_keys,
    records::lookup_takes_thousands_of_ranges_and_open_ends,
    records::records_are_found_by_destination_key,
    records::owned_unites_all_pairings_of_a_mailbox,
    records::owned_counts_no_key_between_twins,
    intents::epochs_keep_apart_and_in_order,
    intents::an_intent_is_in_doubt_until_it_is_settled,
    intents::an_unknown_intent_refuses_the_whole_settlement,
    intents::proof_is_raised_and_never_lowered,
    intents::many_lanes_at_once_lose_nothing,
];

async fn ledger_contract(store: &Store) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let pair = store
            .pair(
                &account(&format!("{name}@old")),
                &account(&format!("{name}@new")),
            )
            .await;
        let run = std::panic::AssertUnwindSafe(check(pair.expect("a pair")));
        if run.catch_unwind().await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "broken promises: {failed:?}");
}

#[tokio::test]
async fn a_file_keeps_the_contract() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path().join("ledger.sqlite"))
        .await
        .expect("a store");
    ledger_contract(&store).await;
    store.check().await.expect("sound");
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    ledger_contract(&Store::open_in_memory().await.expect("a store")).await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let server = Postgres::start().expect("PostgreSQL");
    let url = server.url();
    ledger_contract(&Store::connect(&url).await.expect("a store")).await;
}

async fn inbox(ledger: &PairLedger) -> PairingId {
    ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await
        .expect("a pairing")
        .id
}

async fn settle(ledger: &PairLedger, pairing: PairingId, records: Vec<Settled>) {
    ledger
        .settle(pairing, records, Vec::new())
        .await
        .expect("settled");
}

async fn all(ledger: &PairLedger, pairing: PairingId, epoch: Epoch) -> Vec<Settled> {
    ledger
        .known(pairing, epoch, None, 10_000)
        .await
        .expect("records")
}
