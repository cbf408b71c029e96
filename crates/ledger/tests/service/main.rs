//! What a service's tables promise, on every database. Time is a number that the tests choose.

mod leases;
mod outbox;
mod people;
#[path = "../support/mod.rs"]
mod support;

use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{Added, ClaimLimits, JobRow, Lane, NewJob};
use hikyaku_testkit::postgres::Postgres;

type Check = fn(Store) -> BoxFuture<'static, ()>;

macro_rules! checks {
    ($($group:ident::$name:ident,)*) => {
        [$((stringify!($name), |store| Box::pin($group::$name(store)))),*]
    };
}

/// Each has a store of its own.
const CHECKS: [(&str, Check); 14] = checks![
    leases::a_token_is_used_once,
    leases::a_job_comes_back_as_it_was_added,
    leases::a_claim_shuts_out_whoever_had_the_job_before,
    leases::writes_of_a_run_stop_at_a_lost_fence,
    leases::a_lease_that_ran_out_is_taken_over,
    leases::fifty_jobs_at_once_stay_within_the_limits,
    leases::owners_take_turns,
    leases::wishes_reach_whoever_has_the_job,
    outbox::an_end_its_mail_and_the_wiping_are_one_transaction,
    outbox::a_mail_is_taken_by_one_and_again_later,
    people::sessions_begin_and_end,
    people::a_name_is_used_once,
    people::time_takes_away_secrets_sessions_and_old_rows,
    people::who_did_what_is_listed,
];

#[tokio::test]
async fn a_file_keeps_the_service_contract() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let path = directory.path().join(name);
        let store = Store::open(path).await.expect("a store");
        failed.extend(run(name, check, store).await);
    }
    assert!(failed.is_empty(), "broken promises: {failed:?}");
}

#[tokio::test]
async fn memory_keeps_the_service_contract() {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let store = Store::open_in_memory().await.expect("a store");
        failed.extend(run(name, check, store).await);
    }
    assert!(failed.is_empty(), "broken promises: {failed:?}");
}

#[tokio::test]
async fn postgresql_keeps_the_service_contract() {
    let server = Postgres::start().expect("PostgreSQL");
    let mut failed = Vec::new();
    for (n, (name, check)) in CHECKS.into_iter().enumerate() {
        let url = server
            .create_database(&format!("check{n}"))
            .expect("a database");
        let store = Store::connect(&url).await.expect("a store");
        failed.extend(run(name, check, store).await);
    }
    assert!(failed.is_empty(), "broken promises: {failed:?}");
}

async fn run(name: &'static str, check: Check, store: Store) -> Option<&'static str> {
    let run = std::panic::AssertUnwindSafe(check(store.clone()));
    let broken = run.catch_unwind().await.is_err();
    store.close().await;
    broken.then_some(name)
}

/// No limit that a test of something else could meet.
const WIDE: ClaimLimits = ClaimLimits {
    whole: 1_000,
    per_host: 1_000,
    per_source: 1_000,
    per_destination: 1_000,
    per_owner: 1_000,
};

/// A job of an owner with a name for everything that limits count.
fn job(id: &str, owner: &str, host: &str) -> NewJob {
    NewJob {
        id: id.to_owned(),
        tenant: "brand".to_owned(),
        owner: owner.to_owned(),
        token: format!("token of {id}"),
        state: "queued".to_owned(),
        lane: Lane::Run,
        due: 0,
        host: host.to_owned(),
        source: format!("{host} {id}"),
        destination: format!("to {id}"),
        begins: 0,
        now_millis: 1_000,
        parts: vec![("head".to_owned(), "{}".to_owned())],
        secrets: Vec::new(),
        secrets_until: 0,
        audit: None,
    }
}

async fn add(store: &Store, job: NewJob) {
    let added = store.queue().add(job).await.expect("added");
    assert_eq!(added, Added::New);
}

/// Claims from the lane of runs at a moment, for ten seconds.
async fn claim(store: &Store, worker: &str, now: i64, limits: ClaimLimits) -> Option<JobRow> {
    let queue = store.queue();
    let claimed = queue.claim(Lane::Run, limits, worker, now, now + 10_000);
    claimed.await.expect("asked")
}

async fn find(store: &Store, id: &str) -> JobRow {
    let found = store.queue().find(id).await.expect("asked");
    found.expect("the job")
}
