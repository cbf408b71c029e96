//! Claims, leases, fences, limits.

use super::{WIDE, add, claim, find, job};
use crate::support::{account, copied};
use futures::future::join_all;
use hikyaku_core::ledger::Ledger;
use hikyaku_core::{Code, MailboxName};
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{
    Added, Change, ClaimLimits, Guard, JobRow, Lane, NewJob, Renewed, Standing, Wish,
};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) async fn a_token_is_used_once(store: Store) {
    add(&store, job("one", "taro", "old")).await;
    let again = NewJob {
        token: "token of one".to_owned(),
        parts: vec![("head".to_owned(), "other".to_owned())],
        ..job("two", "taro", "old")
    };
    let twice = join_all((0..4).map(|_| {
        let (queue, again) = (store.queue(), again.clone());
        async move { queue.add(again).await.expect("asked") }
    }));
    for added in twice.await {
        assert_eq!(added, Added::Known("one".to_owned()));
    }
    assert_eq!(find(&store, "one").await.parts["head"], "{}");
    assert_eq!(store.queue().find("two").await, Ok(None));
    // Another owner's token is another one.
    let others = NewJob {
        token: "token of one".to_owned(),
        ..job("three", "hanako", "old")
    };
    add(&store, others).await;
    let listed = store.queue().of_owner("brand", "taro", 10).await;
    let names: Vec<String> = listed.expect("listed").into_iter().map(|j| j.id).collect();
    assert_eq!(names, ["one"]);
}

pub(crate) async fn a_job_comes_back_as_it_was_added(store: Store) {
    let new = NewJob {
        secrets: vec![("source".to_owned(), vec![0, 255, 7])],
        secrets_until: 5_000,
        begins: 77,
        due: 3,
        ..job("one", "taro", "old")
    };
    add(&store, new).await;
    let expected = JobRow {
        id: "one".to_owned(),
        tenant: "brand".to_owned(),
        owner: "taro".to_owned(),
        state: "queued".to_owned(),
        paused: false,
        lane: Lane::Run,
        due: 3,
        wish: Wish::None,
        host: "old".to_owned(),
        version: 1,
        fence: 0,
        lease_until: 0,
        begins: 77,
        created: 1_000,
        touched: 1_000,
        started: 0,
        ended: 0,
        has_secrets: true,
        parts: BTreeMap::from([("head".to_owned(), "{}".to_owned())]),
    };
    assert_eq!(find(&store, "one").await, expected);
    let secrets = store.queue().secrets("one").await.expect("read");
    assert_eq!(secrets, [("source".to_owned(), vec![0, 255, 7], 5_000)]);
    assert_eq!(
        store.queue().touched_since(1_000).await,
        Ok(vec![("one".to_owned(), 1_000)])
    );
    assert_eq!(store.queue().touched_since(1_001).await, Ok(Vec::new()));
}

/// A change of state with a text, by whoever has this fence.
fn by_fence(id: &str, fence: i64, state: &str) -> Change {
    let mut change = Change::new(id, Guard::Fence(fence), 2_000);
    change.standing.state = Some(state.to_owned());
    change.parts = vec![("head".to_owned(), state.to_owned())];
    change
}

pub(crate) async fn a_claim_shuts_out_whoever_had_the_job_before(store: Store) {
    add(&store, job("one", "taro", "old")).await;
    let queue = store.queue();
    let first = claim(&store, "a", 2_000, WIDE).await.expect("claimed");
    assert_eq!((first.fence, first.lease_until), (1, 12_000));
    assert_eq!(claim(&store, "b", 11_999, WIDE).await, None);
    let second = claim(&store, "b", 12_000, WIDE).await.expect("taken over");
    assert_eq!((second.fence, second.id), (2, "one".to_owned()));

    assert_eq!(queue.apply(by_fence("one", 1, "late")).await, Ok(false));
    let late = queue.write_part("one", 1, "head", "late".to_owned(), 2_000);
    assert_eq!(late.await, Ok(false));
    let held = vec![("one".to_owned(), 1)];
    assert_eq!(queue.renew(held, 50_000).await, Ok(Vec::new()));
    let untouched = find(&store, "one").await;
    assert_eq!(
        (untouched.state.as_str(), untouched.parts["head"].as_str()),
        ("queued", "{}")
    );
    assert_eq!(untouched.lease_until, 22_000);

    assert_eq!(queue.apply(by_fence("one", 2, "done")).await, Ok(true));
    // Whoever read the job before is told that it has changed.
    let stale = Change {
        guard: Guard::Version(second.version),
        ..by_fence("one", 0, "stale")
    };
    assert_eq!(queue.apply(stale).await, Ok(false));
    let ended = find(&store, "one").await;
    assert_eq!(
        (ended.state.as_str(), ended.version),
        ("done", second.version + 1)
    );
}

pub(crate) async fn writes_of_a_run_stop_at_a_lost_fence(store: Store) {
    add(&store, job("one", "taro", "old")).await;
    let first = claim(&store, "a", 2_000, WIDE).await.expect("claimed");
    let pair = store.pair(&account("a@old"), &account("a@new")).await;
    let ledger = pair.expect("a pair").fenced("one", first.fence);
    let inbox = MailboxName::inbox();
    let pairing = ledger.pair(&inbox, &inbox).await.expect("ours").id;
    ledger
        .settle(pairing, vec![copied(1)], Vec::new())
        .await
        .expect("ours");
    claim(&store, "b", 12_000, WIDE).await.expect("taken over");
    let refused = ledger.settle(pairing, vec![copied(2)], Vec::new()).await;
    assert_eq!(refused.expect_err("lost").code, Code::LedgerBusy);
    let other = inbox.child("other");
    let refused = ledger.pair(&other, &other).await;
    assert_eq!(refused.map(drop).expect_err("lost").code, Code::LedgerBusy);
    let refused = ledger.checkpoint(pairing, None).await;
    assert_eq!(refused.expect_err("lost").code, Code::LedgerBusy);
    let known = ledger.known(pairing, copied(1).epoch, None, 10).await;
    assert_eq!(known.expect("read"), [copied(1)]);
}

pub(crate) async fn a_lease_that_ran_out_is_taken_over(store: Store) {
    for id in ["one", "two"] {
        add(&store, job(id, "taro", "old")).await;
    }
    let queue = store.queue();
    let one = claim(&store, "a", 2_000, WIDE).await.expect("claimed");
    let two = claim(&store, "a", 2_000, WIDE).await.expect("claimed");
    let held = [&one, &two].map(|j| (j.id.clone(), j.fence)).to_vec();
    let renewed = queue.renew(held[..1].to_vec(), 30_000).await;
    let mine = Renewed {
        id: "one".to_owned(),
        fence: 1,
        wish: Wish::None,
    };
    assert_eq!(renewed, Ok(vec![mine]));
    let taken = claim(&store, "b", 15_000, WIDE).await.expect("ran out");
    assert_eq!((taken.id.as_str(), taken.fence), ("two", 2));
    assert_eq!(claim(&store, "b", 15_000, WIDE).await, None);
    // The worker that comes back learns which one it still has.
    let renewed = queue.renew(held, 40_000).await.expect("asked");
    assert_eq!(
        renewed.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
        ["one"]
    );
    // A process that is alone takes everything at once.
    assert_eq!(queue.free_all(16_000).await, Ok(2));
    assert!(claim(&store, "c", 16_000, WIDE).await.is_some());
}

pub(crate) async fn fifty_jobs_at_once_stay_within_the_limits(store: Store) {
    let limits = ClaimLimits {
        whole: 12,
        per_host: 5,
        per_source: 2,
        per_destination: 1,
        per_owner: 4,
    };
    for n in 0..50 {
        let new = NewJob {
            source: format!("source {}", n % 7),
            destination: format!("destination {}", n % 20),
            ..job(
                &format!("job{n:02}"),
                &format!("owner{}", n % 5),
                &format!("host{}", n % 3),
            )
        };
        add(&store, new).await;
    }
    let (mut left, mut now) = (50, 10_000);
    while left > 0 {
        let claims = join_all((0..20).map(|n| {
            let store = store.clone();
            async move { claim(&store, &format!("worker{n}"), now, limits).await }
        }));
        let claimed: Vec<JobRow> = claims.await.into_iter().flatten().collect();
        assert!(!claimed.is_empty(), "{left} wait for nothing at {now}");
        assert!(claimed.len() <= 12, "{}", claimed.len());
        let number = |job: &JobRow| job.id[3..].parse::<usize>().expect("a number");
        let most = |by: &dyn Fn(usize) -> usize| {
            let mut counts = BTreeMap::new();
            for job in &claimed {
                *counts.entry(by(number(job))).or_insert(0) += 1;
            }
            counts.into_values().max().unwrap_or(0)
        };
        let counts = [
            most(&|n| n % 3),
            most(&|n| n % 7),
            most(&|n| n % 20),
            most(&|n| n % 5),
        ];
        for (count, limit) in counts.into_iter().zip([5, 2, 1, 4]) {
            assert!(count <= limit, "{counts:?} at once");
        }
        for job in claimed {
            let mut change = Change::new(job.id, Guard::Fence(job.fence), now);
            change.standing.lane = Some(Lane::Rest);
            change.release = true;
            assert_eq!(store.queue().apply(change).await, Ok(true));
            left -= 1;
        }
        now += 1_000;
    }
}

pub(crate) async fn owners_take_turns(store: Store) {
    for n in 0..6 {
        add(&store, job(&format!("many{n}"), "many", "old")).await;
    }
    add(&store, job("few0", "few", "old")).await;
    add(&store, job("few1", "few", "old")).await;
    let mut order = Vec::new();
    for n in 0..8 {
        let job = claim(&store, "a", 2_000 + n, WIDE).await.expect("claimed");
        let mut change = Change::new(job.id.clone(), Guard::Fence(job.fence), 2_000 + n);
        change.standing.lane = Some(Lane::Rest);
        change.release = true;
        assert_eq!(store.queue().apply(change).await, Ok(true));
        order.push(job.id);
    }
    assert_eq!(
        order,
        [
            "many0", "few0", "many1", "few1", "many2", "many3", "many4", "many5"
        ]
    );
    // Whoever has more under way waits, whoever came first.
    for (id, owner) in [("x", "many"), ("y", "many"), ("z", "few")] {
        add(&store, job(id, owner, "old")).await;
    }
    let mut taken = BTreeSet::new();
    for _ in 0..2 {
        let job = claim(&store, "a", 9_000, WIDE).await.expect("claimed");
        taken.insert(job.owner);
    }
    assert_eq!(taken.into_iter().collect::<Vec<_>>(), ["few", "many"]);
}

pub(crate) async fn wishes_reach_whoever_has_the_job(store: Store) {
    add(&store, job("one", "taro", "old")).await;
    let queue = store.queue();
    let held = claim(&store, "a", 2_000, WIDE).await.expect("claimed");
    let mut wish = Change::new("one", Guard::Version(held.version), 2_500);
    wish.standing.wish = Some(Wish::Pause);
    assert_eq!(queue.apply(wish).await, Ok(true));
    let mine = Renewed {
        id: "one".to_owned(),
        fence: held.fence,
        wish: Wish::Pause,
    };
    assert_eq!(queue.held_by("a").await, Ok(vec![mine.clone()]));
    assert_eq!(queue.held_by("b").await, Ok(Vec::new()));
    let renewed = queue.renew(vec![("one".to_owned(), held.fence)], 20_000);
    assert_eq!(renewed.await, Ok(vec![mine]));
    // Given back for an hour by a worker that has not seen the wish: it is due at once.
    let mut back = Change::new("one", Guard::Fence(held.fence), 3_000);
    back.release = true;
    back.standing = Standing {
        due: Some(3_600_000),
        ..Standing::default()
    };
    assert_eq!(queue.apply(back).await, Ok(true));
    let again = claim(&store, "b", 3_001, WIDE).await.expect("due");
    assert_eq!((again.wish, again.due), (Wish::Pause, 0));
    assert_eq!(queue.held_by("a").await, Ok(Vec::new()));
    // A lease that was given back is not renewed.
    let mut rest = Change::new("one", Guard::Fence(again.fence), 4_000);
    rest.release = true;
    rest.standing.lane = Some(Lane::Rest);
    assert_eq!(queue.apply(rest).await, Ok(true));
    let renewed = queue.renew(vec![("one".to_owned(), again.fence)], 90_000);
    assert_eq!(renewed.await, Ok(Vec::new()));
}
