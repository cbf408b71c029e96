//! Whole jobs.

use crate::world::{CANARY, OTHER_CANARY, Town, quick, secrets};
use hikyaku_core::policy::Fresh;
use hikyaku_engine::Stop;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{ClaimLimits, Lane};
use hikyaku_memserver::{Action, Point, Rule, Script};
use hikyaku_net::Secret;
use hikyaku_service::job::{Choices, FinalRun, Job, Kind, Rerun, State, UndoLine};
use hikyaku_service::jobs::{JobError, Secrets};
use hikyaku_service::worker::Limits;
use hikyaku_testkit::postgres::Postgres;
use std::time::Duration;

/// Every answer to an APPEND comes late, so that there is time to do something meanwhile.
fn slowly() -> Script {
    Script::from(
        Rule::on("APPEND", Action::Delay(Duration::from_millis(40)))
            .at(Point::Done)
            .always(),
    )
}

#[tokio::test]
async fn an_order_becomes_a_copy_that_adds_up() {
    let town = Town::new().await;
    let person = town.person("taro", 30);
    let working = town.work();
    let id = town.copy(&person).await;
    let job = town.over(&person, id).await;
    person.assert_copied();
    assert_eq!((job.state, job.fault), (State::Done, None));
    let report = job.report.expect("a report");
    assert!(report.complete && report.adds_up, "{report:?}");
    assert_eq!((report.scanned, report.copied_now), (30, 30));
    assert_eq!(report.outcomes.copied.messages, 30);
    assert_eq!(report.servers.len(), 2);
    let progress = job.progress;
    assert_eq!((progress.messages_done, progress.messages), (30, 30));
    assert_eq!(progress.octets_done, progress.octets);
    assert!(progress.waiting.is_none() && progress.folder.is_none());
    assert!(
        progress
            .folders
            .iter()
            .all(|f| f.finished && f.done == f.messages)
    );
    assert!(job.started_millis.is_some() && job.ended_millis.is_some());
    assert!(!job.has_secrets);
    assert_eq!(town.mails(id).await, ["success"]);

    // Once more: nothing is left to do.
    let again = town
        .jobs
        .again(&person.owner, id, Default::default(), secrets(), "again")
        .await
        .expect("over");
    let twice = town
        .jobs
        .again(&person.owner, id, Default::default(), secrets(), "again")
        .await;
    assert_eq!(twice, Ok(again), "the token was used before");
    town.wait(&person, again, "a plan", |job| job.state == State::Ready)
        .await;
    town.jobs
        .start(&person.owner, again, Default::default())
        .await
        .expect("ready");
    let second = town.over(&person, again).await;
    assert_eq!((second.state, second.previous), (State::Done, Some(id)));
    assert_eq!(second.report.expect("a report").copied_now, 0);
    person.assert_copied();
    working.end().await;

    let plan = town.jobs.undo_plan(&person.owner, id).await.expect("over");
    let lines: Vec<(&str, u64)> = plan
        .lines
        .iter()
        .map(|line| (&*line.mailbox, line.removed))
        .collect();
    assert_eq!(lines.iter().map(|l| l.1).sum::<u64>(), 30);
    assert!(lines.contains(&("仕事", 10)), "{lines:?}");
}

#[tokio::test]
async fn a_wrong_password_stops_the_check_with_its_code_and_a_right_one_goes_on() {
    let town = Town::new().await;
    let person = town.person("taro", 3);
    let working = town.work();
    let wrong = Secrets {
        source: Some(Secret::from("wrong")),
        ..secrets()
    };
    let submitted = town
        .jobs
        .submit(&person.owner, person.order(), wrong, "token")
        .await;
    let id = submitted.expect("submitted");
    let job = town.over(&person, id).await;
    assert_eq!((job.state, job.started_millis), (State::Stopped, None));
    let fault = job.fault.expect("a fault");
    assert_eq!(
        (fault.short.as_str(), fault.side.as_deref()),
        ("A201", Some("source"))
    );
    assert_eq!(job.checked.expect("a check").fault, Some(fault));
    assert_eq!(
        town.jobs.start(&person.owner, id, Default::default()).await,
        Err(JobError::State(State::Stopped))
    );
    // Nobody was told by mail of what stands on the page.
    assert_eq!(town.mails(id).await, Vec::<String>::new());
    town.jobs
        .proceed(&person.owner, id, Some(secrets()))
        .await
        .expect("stopped");
    town.wait(&person, id, "a plan", |job| job.state == State::Ready)
        .await;
    town.jobs
        .start(&person.owner, id, Default::default())
        .await
        .expect("ready");
    assert_eq!(town.over(&person, id).await.state, State::Done);
    person.assert_copied();
    working.end().await;
}

#[tokio::test]
async fn a_password_that_changes_under_way_asks_to_sign_in_again() {
    let town = Town::new().await;
    let person = town.person("taro", 12);
    let working = town.work();
    let id = town.copy(&person).await;
    assert_eq!(town.over(&person, id).await.state, State::Done);
    person.old.set_password("changed");
    let again = town
        .jobs
        .again(&person.owner, id, Default::default(), secrets(), "again")
        .await
        .expect("over");
    let stopped = town.over(&person, again).await;
    assert_eq!(stopped.fault.expect("refused").short, "A201");
    person.old.set_password(CANARY);
    town.jobs
        .proceed(&person.owner, again, Some(secrets()))
        .await
        .expect("stopped");
    town.wait(&person, again, "a plan", |job| job.state == State::Ready)
        .await;
    // Between the yes and the login of the run.
    person.old.set_password("changed");
    town.jobs
        .start(&person.owner, again, Default::default())
        .await
        .expect("ready");
    let stopped = town.over(&person, again).await;
    assert_eq!((stopped.state, stopped.has_secrets), (State::Stopped, true));
    assert_eq!(stopped.fault.expect("refused").short, "A201");
    assert_eq!(town.mails(again).await, ["sign_in_again"]);
    let right = Secrets {
        source: Some(Secret::from("changed")),
        ..secrets()
    };
    town.jobs
        .proceed(&person.owner, again, Some(right))
        .await
        .expect("stopped");
    let done = town.over(&person, again).await;
    assert_eq!((done.state, done.fault), (State::Done, None));
    assert_eq!(town.mails(again).await, ["sign_in_again", "success"]);
    working.end().await;
}

#[tokio::test]
async fn pause_resume_and_cancel_are_heard_in_the_middle_of_a_copy() {
    let town = Town::new().await;
    town.new.play(slowly());
    let person = town.person("taro", 400);
    let working = town.work();
    let id = town.copy(&person).await;
    let moving = |job: &Job| job.state == State::Copying && job.progress.copied > 0;
    town.wait(&person, id, "progress", moving).await;
    town.jobs.pause(&person.owner, id).await.expect("copying");
    let paused = town.wait(&person, id, "the pause", |job| job.paused).await;
    assert!(!paused.state.is_over() && paused.has_secrets);
    let there = person.new.snapshot().messages();
    assert!(there < 400, "it was heard in the middle: {there}");
    // Twice is once.
    town.jobs.pause(&person.owner, id).await.expect("paused");
    town.jobs.resume(&person.owner, id).await.expect("paused");
    town.wait(&person, id, "more of it", |job| {
        job.state == State::Copying && !job.paused
    })
    .await;
    town.jobs.cancel(&person.owner, id).await.expect("copying");
    let job = town.over(&person, id).await;
    assert_eq!(
        (job.state, job.paused, job.has_secrets),
        (State::Cancelled, false, false)
    );
    assert_eq!(town.mails(id).await, ["cancelled"]);
    let left = person.new.snapshot().messages();
    assert!(left < 400, "it was heard in the middle: {left}");
    assert_eq!(
        town.jobs.resume(&person.owner, id).await,
        Err(JobError::State(State::Cancelled))
    );
    // What was copied stays, and another job brings the rest without doubling anything.
    town.new.play(Script::new());
    let rest = town
        .jobs
        .again(&person.owner, id, Default::default(), secrets(), "rest")
        .await
        .expect("over");
    town.wait(&person, rest, "a plan", |job| job.state == State::Ready)
        .await;
    town.jobs
        .start(&person.owner, rest, Default::default())
        .await
        .expect("ready");
    assert_eq!(town.over(&person, rest).await.state, State::Done);
    person.assert_copied();
    working.end().await;
}

#[tokio::test]
async fn whoever_loses_the_lease_records_nothing_more() {
    let town = Town::new().await;
    town.new.play(slowly());
    let person = town.person("taro", 300);
    let working = town.work();
    let id = town.copy(&person).await;
    let moving = |job: &Job| job.progress.copied > 0;
    town.wait(&person, id, "progress", moving).await;
    // Its lease has run out by the clock of somebody else, who takes the job over.
    let (queue, limits) = (town.jobs.store().queue(), quick().runs);
    let limits = ClaimLimits {
        per_destination: 9,
        ..limits
    };
    town.clock.turn(20_000);
    let taken = loop {
        let now = hikyaku_core::traits::Clock::unix_millis(&*town.clock);
        let claimed = queue
            .claim(Lane::Run, limits, "other", now, now + 600_000)
            .await;
        match claimed.expect("asked") {
            Some(row) => break row,
            // Renewed in the same moment: once more.
            None => town.clock.turn(20_000),
        }
    };
    let settled = || async {
        let copies = town
            .jobs
            .store()
            .copies(
                &hikyaku_core::AccountId::new("imap://taro@example.jp@old"),
                &hikyaku_core::AccountId::new("imap://taro@example.jp@new"),
            )
            .await;
        copies.expect("counted").iter().map(|c| c.1).sum::<u64>()
    };
    let known = settled().await;
    // The first worker finds out, leaves both servers and puts the job down.
    let mut tries = 0;
    while town.new.open_connections() + town.old.open_connections() > 0 {
        tries += 1;
        assert!(tries < 3_000, "it did not give up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(settled().await, known, "records of a lost lease");
    let row = queue
        .find(&id.to_string())
        .await
        .expect("read")
        .expect("there");
    assert_eq!(row.fence, taken.fence);
    assert_eq!((row.state.as_str(), row.ended), ("copying", 0));
    assert_eq!(town.mails(id).await, Vec::<String>::new());
    working.end().await;
    // The other one dies; whoever comes next settles what was in doubt.
    town.clock.turn(700_000);
    town.new.play(Script::new());
    let working = town.work();
    assert_eq!(town.over(&person, id).await.state, State::Done);
    person.assert_copied();
    working.end().await;
}

#[tokio::test]
async fn a_process_that_dies_is_followed_at_once_and_nothing_is_doubled() {
    let mut town = Town::new().await;
    town.new.play(slowly());
    let person = town.person("taro", 300);
    let working = town.work();
    let id = town.copy(&person).await;
    town.wait(&person, id, "progress", |job| job.progress.copied > 0)
        .await;
    working.kill().await;
    let before = person.new.snapshot().messages();
    assert!(before < 300, "it died in the middle");
    town.new.play(Script::new());
    town.restart().await;
    // No clock is turned: whoever serves alone does not wait for the lease of a dead one.
    let working = town.work();
    let job = town.over(&person, id).await;
    assert_eq!(job.state, State::Done);
    person.assert_copied();
    assert_eq!(town.mails(id).await, ["success"]);
    let report = job.report.expect("a report");
    assert!(report.complete && report.copied_now < 300, "{report:?}");
    working.end().await;
}

#[tokio::test]
async fn on_postgresql_workers_share_the_jobs_and_one_follows_another_that_died() {
    let server = Postgres::start().expect("PostgreSQL");
    let store = || async {
        let connected = Store::connect(&server.url()).await;
        connected.expect("a store")
    };
    let town = Town::on(store().await).await;
    town.new.play(slowly());
    let limits = Limits {
        lease: Duration::from_secs(3),
        renew: Duration::from_secs(1),
        runs: ClaimLimits {
            whole: 6,
            ..Limits::default().runs
        },
        hand: 3,
        ..quick()
    };
    let dying = town.work_on(town.elsewhere(store().await), limits.clone());
    let living = town.work_on(town.elsewhere(store().await), limits);
    let people: Vec<_> = (0..6).map(|n| town.person(&format!("p{n}"), 90)).collect();
    let ids = futures::future::join_all(people.iter().map(|person| town.copy(person))).await;
    for (person, id) in people.iter().zip(&ids) {
        town.wait(person, *id, "progress", |job| job.progress.copied > 0)
            .await;
    }
    dying.kill().await;
    town.new.play(Script::new());
    for (person, id) in people.iter().zip(ids) {
        assert_eq!(town.over(person, id).await.state, State::Done);
        person.assert_copied();
        assert_eq!(town.mails(id).await, ["success"]);
    }
    living.end().await;
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_gives_its_jobs_back() {
    let town = Town::new().await;
    town.new.play(slowly());
    let person = town.person("taro", 300);
    let working = town.work();
    let id = town.copy(&person).await;
    town.wait(&person, id, "progress", |job| job.progress.copied > 0)
        .await;
    working.end().await;
    let job = town.job(&person, id).await;
    assert_eq!((job.state, job.paused), (State::Queued, false));
    assert!(job.progress.copied > 0 && job.progress.waiting.is_none());
    assert_eq!(town.mails(id).await, Vec::<String>::new());
    let row = town.jobs.store().queue().find(&id.to_string()).await;
    assert_eq!(row.expect("read").expect("there").lease_until, 0);
    town.new.play(Script::new());
    let working = town.work();
    assert_eq!(town.over(&person, id).await.state, State::Done);
    person.assert_copied();
    working.end().await;
}

#[tokio::test]
async fn fifty_people_at_once_are_served_within_the_limits() {
    let town = Town::new().await;
    let people: Vec<_> = (0..50).map(|n| town.person(&format!("p{n}"), 6)).collect();
    let limits = Limits {
        runs: ClaimLimits {
            whole: 7,
            per_host: 5,
            ..Limits::default().runs
        },
        ..quick()
    };
    let working = town.work_with(limits);
    let started = futures::future::join_all(people.iter().map(|person| town.copy(person)));
    let watch = Stop::new();
    let queue = town.jobs.store().queue();
    let counting = async {
        let mut most = 0;
        while !watch.is_requested() {
            // One question is one moment: two of them would count a job twice that moves on in between.
            let rows = queue
                .in_state("copying", i64::MAX, 100)
                .await
                .expect("read");
            let now = hikyaku_core::traits::Clock::unix_millis(&*town.clock);
            most = most.max(rows.iter().filter(|row| row.is_leased(now)).count());
            tokio::task::yield_now().await;
        }
        most
    };
    let working_off = async {
        let ids = started.await;
        for (person, id) in people.iter().zip(ids) {
            assert_eq!(town.over(person, id).await.state, State::Done);
            person.assert_copied();
            assert_eq!(town.mails(id).await, ["success"]);
        }
        watch.request();
    };
    let (most, ()) = tokio::join!(counting, working_off);
    assert!((1..=5).contains(&most), "{most} at once");
    working.end().await;
}

#[tokio::test]
async fn a_final_run_follows_by_itself_and_its_passwords_go_with_it() {
    let town = Town::new().await;
    let person = town.person("taro", 9);
    let working = town.work();
    let id = town
        .copy_as(
            &person,
            Choices {
                final_run: Some(FinalRun::MxMoved),
                ..Default::default()
            },
        )
        .await;
    let first = town.over(&person, id).await;
    assert_eq!((first.state, first.has_secrets), (State::Done, false));
    let listed = town.jobs.jobs(&person.owner).await.expect("listed");
    let last = listed.first().expect("a job").clone();
    assert_eq!((last.state, last.previous), (State::Scheduled, Some(id)));
    assert!(last.has_secrets && last.begins_millis.is_some());
    // New mail, then the switch.
    person
        .old
        .add_message("INBOX", "Subject: late\r\n\r\nlate\r\n");
    town.stage
        .moved
        .store(true, std::sync::atomic::Ordering::SeqCst);
    town.clock.turn(11 * 60 * 1000);
    let done = town.over(&person, last.id).await;
    assert_eq!((done.state, done.has_secrets), (State::Done, false));
    assert_eq!(done.report.expect("a report").copied_now, 1);
    person.assert_copied();
    assert_eq!(town.mails(last.id).await, ["success"]);
    assert_eq!(
        town.jobs.jobs(&person.owner).await.expect("listed").len(),
        2
    );
    working.end().await;
}

#[tokio::test]
async fn a_copy_is_taken_back_but_for_what_its_owner_touched() {
    let town = Town::new().await;
    let person = town.person("taro", 9);
    let working = town.work();
    let id = town.copy(&person).await;
    town.over(&person, id).await;
    let uid = person.new.uids("仕事")[0];
    assert!(person.new.set_flags("仕事", uid, &["\\Seen", "\\Flagged"]));
    person
        .new
        .add_message("INBOX", "Subject: own\r\n\r\nown\r\n");
    let undo = || town.jobs.undo(&person.owner, id, secrets(), "undo");
    let back = undo().await.expect("over");
    assert_eq!(undo().await, Ok(back), "the token was used before");
    let job = town.over(&person, back).await;
    assert_eq!(
        (job.state, job.kind, job.previous, job.fault),
        (State::Done, Kind::Undo, Some(id), None)
    );
    let lines = job.undo.expect("what was taken back").lines;
    let sum = |of: fn(&UndoLine) -> u64| lines.iter().map(of).sum::<u64>();
    assert_eq!(
        (sum(|l| l.removed), sum(|l| l.touched), sum(|l| l.only_copy)),
        (8, 1, 0)
    );
    assert!(!job.has_secrets);
    assert_eq!(town.mails(back).await, ["undone"]);
    let left: Vec<(String, usize)> = person
        .new
        .snapshot()
        .mailboxes
        .values()
        .map(|m| (m.name.clone(), m.messages.len()))
        .filter(|(_, messages)| *messages > 0)
        .collect();
    assert_eq!(left, [("仕事".to_owned(), 1), ("INBOX".to_owned(), 1)]);
    assert_eq!(person.old.snapshot().messages(), 9);
    working.end().await;
}

#[tokio::test]
async fn from_the_beginning_again_leaves_one_of_each() {
    let town = Town::new().await;
    let person = town.person("taro", 9);
    let working = town.work();
    let id = town.copy(&person).await;
    town.over(&person, id).await;
    town.stage.policy.lock().expect("a lock").fresh = Some(Fresh::Replace);
    let choices = Choices {
        rerun: Rerun::FreshReplace,
        ..Choices::default()
    };
    let again = town
        .jobs
        .again(&person.owner, id, choices.clone(), secrets(), "again")
        .await
        .expect("over");
    town.wait(&person, again, "a plan", |job| job.state == State::Ready)
        .await;
    town.jobs
        .start(&person.owner, again, choices)
        .await
        .expect("ready");
    let job = town.over(&person, again).await;
    assert_eq!((job.state, job.fault), (State::Done, None));
    let report = job.report.expect("a report");
    assert_eq!((report.scanned, report.copied_now), (9, 9));
    person.assert_copied();
    working.end().await;
}

#[tokio::test]
async fn no_password_stands_in_the_files_of_the_service() {
    let town = Town::new().await;
    let person = town.person("taro", 20);
    town.new.play(slowly());
    let working = town.work();
    let id = town.copy(&person).await;
    town.wait(&person, id, "progress", |job| job.progress.copied > 0)
        .await;
    let search = || {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(town.path()).expect("a directory") {
            let path = entry.expect("an entry").path();
            let octets = std::fs::read(&path).expect("a file");
            for canary in [CANARY, OTHER_CANARY] {
                if octets.windows(canary.len()).any(|w| w == canary.as_bytes()) {
                    found.push(path.clone());
                }
            }
        }
        found
    };
    let sealed = town.jobs.store().queue().secrets(&id.to_string()).await;
    let sealed = sealed.expect("read");
    assert_eq!(sealed.len(), 2);
    assert_eq!(search(), Vec::<std::path::PathBuf>::new());
    assert_eq!(town.over(&person, id).await.state, State::Done);
    working.end().await;
    town.jobs.store().close().await;
    assert_eq!(search(), Vec::<std::path::PathBuf>::new());
    // What was sealed is gone from the file as well.
    let file = std::fs::read(town.file()).expect("a file");
    for (_, octets, _) in sealed {
        assert!(
            !file.windows(octets.len()).any(|w| w == octets),
            "still there"
        );
    }
}
