//! Pairs, runs, exceptions and forgetting, on every database.

mod support;

use hikyaku_core::ledger::{Ledger, Settled};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Epoch, KeySet, MailboxName};
use hikyaku_ledger::{ExceptionRow, PairId, RunId, Store};
use hikyaku_testkit::postgres::Postgres;
use support::{DESTINATION, SOURCE, account, checkpoint, copied, intent, mailbox, refused};

#[tokio::test]
async fn a_file_lists_and_forgets() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    lists_and_forgets(&Store::open(path).await.expect("a store")).await;
}

#[tokio::test]
async fn memory_lists_and_forgets() {
    lists_and_forgets(&Store::open_in_memory().await.expect("a store")).await;
}

#[tokio::test]
async fn postgresql_lists_and_forgets() {
    let server = Postgres::start().expect("PostgreSQL");
    let url = server.url();
    let store = Store::connect(&url).await.expect("a store");
    lists_and_forgets(&store).await;
}

async fn lists_and_forgets(store: &Store) {
    runs_are_named_and_listed(store).await;
    pairs_are_counted(store).await;
    exceptions_are_paged(store).await;
    forgetting_spares_the_others(store).await;
    what_a_host_let_in_is_forgotten_after_a_day(store).await;
}

async fn runs_are_named_and_listed(store: &Store) {
    assert_eq!(store.pairs().await.expect("none"), []);
    let ledger = store
        .pair(&account("a@old"), &account("a@new"))
        .await
        .expect("a pair");
    let again = store
        .pair(&account("a@old"), &account("a@new"))
        .await
        .expect("a pair");
    assert_eq!(ledger.id(), again.id());

    let first = store
        .begin_run(ledger.id(), "copy", 1000, 1)
        .await
        .expect("begun");
    // The same seed again: a name is never given twice.
    let second = store
        .begin_run(ledger.id(), "check", 900, 1)
        .await
        .expect("begun");
    assert_ne!(first, second);
    store
        .end_run(first, r#"{"copied":3}"#, 3, 5000)
        .await
        .expect("ended");

    let runs = store.runs(10).await.expect("listed");
    assert_eq!(
        runs.iter().map(|r| r.id).collect::<Vec<_>>(),
        [second, first],
        "newest first"
    );
    let (check, copy) = (&runs[0], &runs[1]);
    assert_eq!((check.kind.as_str(), check.started_millis), ("check", 900));
    assert_eq!(
        (check.ended_millis, check.exit, check.summary.as_str()),
        (None, None, "")
    );
    assert_eq!(
        (copy.pair, copy.ended_millis, copy.exit),
        (ledger.id(), Some(5000), Some(3))
    );
    assert_eq!(copy.summary, r#"{"copied":3}"#);
    assert_eq!(store.runs(1).await.expect("listed"), runs[..1]);

    let read: RunId = first.to_string().to_lowercase().parse().expect("a name");
    assert_eq!(store.run(read).await.expect("found").as_ref(), Some(copy));
    assert_eq!(
        store
            .run("00000".parse().expect("a name"))
            .await
            .expect("none"),
        None
    );
    let nobody = "00000".parse().expect("a name");
    assert_eq!(
        store
            .end_run(nobody, "", 0, 0)
            .await
            .expect_err("no run")
            .code,
        Code::Bug
    );
    let fault = store
        .begin_run(PairId(i64::MAX), "copy", 0, 0)
        .await
        .map(drop);
    assert_eq!(fault.expect_err("no pair").code, Code::Bug);
}

async fn pairs_are_counted(store: &Store) {
    let ledger = store
        .pair(&account("a@old"), &account("a@new"))
        .await
        .expect("a pair");
    let inbox = ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await
        .expect("made")
        .id;
    let sent = ledger
        .pair(&mailbox("Sent"), &mailbox("Sent"))
        .await
        .expect("made")
        .id;
    // Records of an earlier generation are history.
    let old = Settled {
        epoch: Epoch(3),
        ..copied(1)
    };
    ledger
        .settle(inbox, vec![old], Vec::new())
        .await
        .expect("settled");
    let records = vec![copied(1), copied(2), refused(3, Outcome::FailedPermanent)];
    ledger
        .settle(inbox, records, Vec::new())
        .await
        .expect("settled");
    ledger
        .settle(sent, vec![copied(5)], Vec::new())
        .await
        .expect("settled");
    store
        .pair(&account("empty@old"), &account("a@new"))
        .await
        .expect("a pair");

    let pairs = store.pairs().await.expect("listed");
    assert_eq!(pairs.len(), 2);
    let (full, empty) = (&pairs[0], &pairs[1]);
    assert_eq!(
        (full.source.clone(), full.destination.clone()),
        (account("a@old"), account("a@new"))
    );
    assert_eq!(full.mailboxes, 2);
    assert_eq!(full.tally.total(), 4);
    assert_eq!(full.tally.messages(Outcome::Copied), 3);
    assert_eq!(full.tally.octets(Outcome::Copied), 101 + 102 + 105);
    assert_eq!(full.tally.failures(), 1);
    assert_eq!(
        full.last_run.as_ref().map(|r| r.kind.as_str()),
        Some("check")
    );
    assert_eq!((empty.tally.total(), &empty.last_run), (0, &None));
}

async fn exceptions_are_paged(store: &Store) {
    let ledger = store
        .pair(&account("b@old"), &account("b@new"))
        .await
        .expect("a pair");
    let run = store
        .begin_run(ledger.id(), "copy", 0, 7)
        .await
        .expect("begun");
    let first = ledger
        .pair(&mailbox("one"), &mailbox("eins"))
        .await
        .expect("made")
        .id;
    let second = ledger
        .pair(&mailbox("two"), &mailbox("zwei"))
        .await
        .expect("made")
        .id;
    let history = Settled {
        epoch: Epoch(3),
        ..refused(1, Outcome::Vanished)
    };
    ledger
        .settle(first, vec![history], Vec::new())
        .await
        .expect("settled");
    let mixed = (1..=9).map(|key| match key % 3 {
        0 => copied(key),
        1 => refused(key, Outcome::FailedTemporary),
        _ => refused(key, Outcome::Skipped),
    });
    ledger
        .settle(first, mixed.collect(), Vec::new())
        .await
        .expect("settled");
    let named = ledger.within(run);
    named
        .settle(second, vec![refused(4, Outcome::Vanished)], Vec::new())
        .await
        .expect("settled");
    named
        .settle(first, vec![refused(8, Outcome::Skipped)], Vec::new())
        .await
        .expect("settled");

    let mut rows: Vec<ExceptionRow> = Vec::new();
    let mut pages = Vec::new();
    loop {
        let after = rows.last().map(|r| r.cursor);
        let page = store
            .exceptions(ledger.id(), None, after, 3)
            .await
            .expect("a page");
        if page.is_empty() {
            break;
        }
        pages.push(page.len());
        rows.extend(page);
    }
    assert_eq!(pages, [3, 3, 1]);
    let seen: Vec<_> = rows
        .iter()
        .map(|r| (r.source.to_string(), r.key.0, r.outcome))
        .collect();
    let (temporary, skipped) = (Outcome::FailedTemporary, Outcome::Skipped);
    let one = [
        (1, temporary),
        (2, skipped),
        (4, temporary),
        (5, skipped),
        (7, temporary),
        (8, skipped),
    ];
    let mut wanted: Vec<_> = one
        .map(|(key, outcome)| ("one".to_owned(), key, outcome))
        .to_vec();
    wanted.push(("two".to_owned(), 4, Outcome::Vanished));
    assert_eq!(seen, wanted);
    assert_eq!(rows[0].destination, mailbox("eins"));
    assert_eq!(
        (rows[0].octets, rows[0].code, rows[0].run),
        (0, Some(Code::MessageRefused), None)
    );

    let of_run = store
        .exceptions(ledger.id(), Some(run), None, 10)
        .await
        .expect("a page");
    assert_eq!(of_run, [rows[5].clone(), rows[6].clone()]);
    assert_eq!(of_run[0].run, Some(run));
}

async fn forgetting_spares_the_others(store: &Store) {
    let kept = store
        .pair(&account("b@old"), &account("b@new"))
        .await
        .expect("a pair");
    let gone = store
        .pair(&account("a@old"), &account("a@new"))
        .await
        .expect("a pair");
    let empty = store
        .pair(&account("empty@old"), &account("a@new"))
        .await
        .expect("a pair");
    let inbox = gone
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await
        .expect("found")
        .id;
    gone.intend(intent(inbox, "1")).await.expect("intended");
    gone.checkpoint(inbox, Some(checkpoint()))
        .await
        .expect("set");

    let hold = store.hold(&gone, 0).await.expect("held");
    let fault = store
        .forget(gone.id(), 0)
        .await
        .expect_err("somebody works on it");
    assert_eq!(fault.code, Code::LedgerBusy);
    hold.release().await;
    store.forget(gone.id(), 0).await.expect("forgotten");
    store.forget(empty.id(), 0).await.expect("forgotten");
    store
        .forget(gone.id(), 0)
        .await
        .expect("nothing left to forget");

    let pairs = store.pairs().await.expect("listed");
    assert_eq!(pairs.iter().map(|p| p.id).collect::<Vec<_>>(), [kept.id()]);
    assert_eq!(store.runs(10).await.expect("listed").len(), 1);
    assert_eq!(gone.pairings().await.expect("none"), []);
    assert_eq!(gone.known(inbox, SOURCE, None, 10).await.expect("none"), []);
    let owned = gone.owned(&MailboxName::inbox(), DESTINATION).await;
    assert_eq!(owned.expect("none"), KeySet::new());
    let fresh = store
        .pair(&account("a@old"), &account("a@new"))
        .await
        .expect("a pair");
    assert!(fresh.id() > gone.id(), "a number is never used again");
    assert_eq!(fresh.pairings().await.expect("none"), []);
    store.forget(fresh.id(), 0).await.expect("forgotten");
}

async fn what_a_host_let_in_is_forgotten_after_a_day(store: &Store) {
    const HOUR: i64 = 3_600_000;
    let now = 1_700_000_000_000;
    let asked = |host: &'static str, hours: i64| async move {
        let answer = store.let_in(host, now + hours * HOUR).await;
        answer.expect("asked")
    };
    assert_eq!(asked("imap.example.jp", 0).await, None);
    let remember = |host: &'static str, n, hours: i64| async move {
        let done = store.remember_let_in(host, n, now + hours * HOUR).await;
        done.expect("remembered");
    };
    remember("imap.example.jp", 3, 0).await;
    remember("imap.example.com", 10, 0).await;
    for hours in [-23, 0, 1, 24] {
        assert_eq!(asked("imap.example.jp", hours).await, Some(3), "{hours}");
        assert_eq!(asked("imap.example.com", hours).await, Some(10), "{hours}");
    }
    // The clock may be wrong in either direction; nothing lasts for ever.
    for hours in [-25, 25, 9_000_000, i64::MIN / HOUR + 1_000_000] {
        assert_eq!(asked("imap.example.jp", hours).await, None, "{hours}");
    }
    // The latest number counts, larger or smaller, and lasts a day of its own.
    for (n, hours) in [(1, 2), (usize::MAX, 4), (2, 20)] {
        remember("imap.example.jp", n, hours).await;
        let kept = n.min(i64::MAX as usize);
        assert_eq!(asked("imap.example.jp", hours).await, Some(kept));
    }
    assert_eq!(asked("imap.example.jp", 40).await, Some(2));
    assert_eq!(asked("imap.example.com", 20).await, Some(10));
}
