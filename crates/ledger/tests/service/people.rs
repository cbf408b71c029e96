//! Who is signed in, who did what, and what time takes away.

use super::{WIDE, add, claim, find, job};
use futures::future::join_all;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{AuditRow, Lane, NewJob, NewLetter, NewSession, Swept};

fn session(hash: u8, owner: &str) -> NewSession {
    NewSession {
        hash: vec![hash; 32],
        tenant: "brand".to_owned(),
        owner: owner.to_owned(),
        csrf: format!("csrf {hash}"),
        body: "{}".to_owned(),
        expires: 10_000,
    }
}

pub(crate) async fn sessions_begin_and_end(store: Store) {
    let sessions = store.sessions();
    for (hash, owner) in [(1, "taro"), (2, "taro"), (3, "hanako")] {
        let begun = sessions.begin(session(hash, owner), 1_000).await;
        begun.expect("begun");
    }
    sessions.touch(&[1; 32], 3_000).await.expect("touched");
    let found = sessions.find(&[1; 32], 9_999).await.expect("asked");
    let found = found.expect("signed in");
    assert_eq!(found.session, session(1, "taro"));
    assert_eq!((found.created, found.seen), (1_000, 3_000));
    assert_eq!(sessions.find(&[1; 32], 10_000).await, Ok(None));
    assert_eq!(sessions.find(&[9; 32], 2_000).await, Ok(None));
    sessions.end(&[3; 32]).await.expect("ended");
    assert_eq!(sessions.find(&[3; 32], 2_000).await, Ok(None));
    sessions.end_all("other", "taro").await.expect("nobody");
    assert!(
        sessions
            .find(&[2; 32], 2_000)
            .await
            .is_ok_and(|s| s.is_some())
    );
    sessions.end_all("brand", "taro").await.expect("ended");
    for hash in [1, 2] {
        assert_eq!(sessions.find(&[hash; 32], 2_000).await, Ok(None));
    }
}

pub(crate) async fn a_name_is_used_once(store: Store) {
    let uses = join_all((0..8).map(|_| {
        let sessions = store.sessions();
        async move { sessions.use_once("nonce", 5_000).await.expect("asked") }
    }));
    let first = uses.await.into_iter().filter(|first| *first).count();
    assert_eq!(first, 1);
    assert_eq!(store.sessions().use_once("other", 5_000).await, Ok(true));
}

pub(crate) async fn time_takes_away_secrets_sessions_and_old_rows(store: Store) {
    let queue = store.queue();
    for (id, until, lane) in [
        ("rests", 5_000, Lane::Rest),
        ("busy", 5_000, Lane::Run),
        ("later", 5_001, Lane::Rest),
    ] {
        let new = NewJob {
            lane,
            secrets: ["source", "destination"]
                .map(|side| (side.to_owned(), vec![1]))
                .to_vec(),
            secrets_until: until,
            ..job(id, "taro", "old")
        };
        add(&store, new).await;
    }
    claim(&store, "a", 2_000, WIDE).await.expect("busy");
    let old = |expires| NewSession {
        expires,
        ..session(1, "taro")
    };
    store.sessions().begin(old(5_000), 1_000).await.expect("in");
    assert_eq!(store.sessions().use_once("n", 5_000).await, Ok(true));
    let row = AuditRow {
        happened: 100,
        who: "brand/taro".to_owned(),
        what: "job.start".to_owned(),
        job: "rests".to_owned(),
        address: String::new(),
    };
    store.audit().note(row).await.expect("noted");
    let mail = NewLetter {
        message_id: "<a@b>".to_owned(),
        tenant: "brand".to_owned(),
        job: "rests".to_owned(),
        kind: "success".to_owned(),
        recipient: "t@example.jp".to_owned(),
        subject: String::new(),
        body: String::new(),
    };
    store.outbox().add(mail, 10).await.expect("added");

    // Nothing is old yet but what expired; a mail that was not sent is never old.
    let swept = queue.sweep(5_000, 100).await.expect("swept");
    let expected = Swept {
        wiped: vec!["rests".to_owned()],
        sessions: 1,
        rows: 0,
    };
    assert_eq!(swept, expected);
    let kept = |id: &'static str| {
        let store = store.clone();
        async move { find(&store, id).await.has_secrets }
    };
    assert_eq!(
        (kept("rests").await, kept("busy").await, kept("later").await),
        (false, true, true)
    );
    assert_eq!(store.sessions().use_once("n", 9_000).await, Ok(true));
    let swept = queue.sweep(5_000, 101).await.expect("swept");
    assert_eq!(
        swept,
        Swept {
            rows: 1,
            ..Swept::default()
        }
    );
    assert_eq!(store.outbox().of_job("rests").await.map(|m| m.len()), Ok(1));

    assert_eq!(queue.forget("busy", 5_000).await, Ok(false));
    assert_eq!(queue.forget("later", 5_000).await, Ok(true));
    assert_eq!(queue.find("later").await, Ok(None));
    assert_eq!(queue.secrets("later").await, Ok(Vec::new()));
    assert!(queue.find("busy").await.is_ok_and(|job| job.is_some()));

    // A letter outlives its job until it is sent, and no longer.
    assert_eq!(queue.forget("rests", 5_000).await, Ok(true));
    let swept = queue.sweep(5_000, 0).await.expect("swept");
    assert_eq!(swept, Swept::default());
    let letters = store.outbox().of_job("rests").await.expect("listed");
    let sent = store.outbox().sent(letters[0].number, 5_000).await;
    sent.expect("written down");
    let swept = queue.sweep(5_000, 0).await.expect("swept");
    assert_eq!(swept.rows, 1);
    assert_eq!(store.outbox().of_job("rests").await, Ok(Vec::new()));
}

pub(crate) async fn who_did_what_is_listed(store: Store) {
    let row = |n: i64, job: &str| AuditRow {
        happened: n,
        who: "brand/taro".to_owned(),
        what: "job.start".to_owned(),
        job: job.to_owned(),
        address: "192.0.2.1".to_owned(),
    };
    let new = NewJob {
        audit: Some(row(1, "one")),
        ..job("one", "taro", "old")
    };
    add(&store, new).await;
    for (n, job) in [(2, "two"), (3, "one")] {
        store.audit().note(row(n, job)).await.expect("noted");
    }
    let audit = store.audit();
    assert_eq!(
        audit.latest(None, 2).await,
        Ok(vec![row(3, "one"), row(2, "two")])
    );
    assert_eq!(
        audit.latest(Some("one"), 9).await,
        Ok(vec![row(3, "one"), row(1, "one")])
    );
}
