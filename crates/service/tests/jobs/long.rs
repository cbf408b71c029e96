//! What takes hours: servers that are away, waits that are told of, runs that begin by themselves.

use crate::world::{HOUR, Town, secrets};
use hikyaku_service::job::{Choices, FinalRun, Job, State};
use hikyaku_service::jobs::JobError;

#[tokio::test]
async fn a_server_that_is_away_is_waited_for_and_told_of_after_half_a_day() {
    let town = Town::new().await;
    let person = town.person("taro", 5);
    let working = town.work();
    let id = town.submit(&person).await;
    town.wait(&person, id, "a plan", |job| job.state == State::Ready)
        .await;
    working.end().await;
    town.jobs
        .start(&person.owner, id, Choices::default())
        .await
        .expect("ready");
    // Whoever connects is sent away.
    town.new.refuse_connections(true);
    let working = town.work();
    let waits = |job: &Job| job.state == State::Queued && job.progress.waiting.is_some();
    let waiting = town.wait(&person, id, "a wait", waits).await;
    let wait = waiting.progress.waiting.expect("a wait");
    assert_eq!(wait.because.short, "N104");
    let now = hikyaku_core::traits::Clock::unix_millis(&*town.clock);
    assert!(wait.until_millis > now && wait.until_millis <= now + 60_000);
    assert!(waiting.has_secrets && !waiting.paused);
    assert_eq!(town.mails(id).await, Vec::<String>::new());
    town.clock.turn(13 * HOUR);
    let later = |job: &Job| waits(job) && job.progress.waiting.as_ref() != Some(&wait);
    town.wait(&person, id, "a later wait", later).await;
    assert_eq!(town.mails(id).await, ["waiting"]);
    town.new.refuse_connections(false);
    town.clock.turn(HOUR);
    let done = town.over(&person, id).await;
    assert_eq!((done.state, done.progress.waiting), (State::Done, None));
    person.assert_copied();
    assert_eq!(town.mails(id).await, ["waiting", "success"]);
    working.end().await;
}

#[tokio::test]
async fn a_final_run_that_never_comes_ends_after_thirty_days_with_a_mail() {
    let town = Town::new().await;
    let person = town.person("taro", 3);
    let working = town.work();
    let id = town.copy(&person).await;
    town.over(&person, id).await;
    let schedule = |token: &'static str| {
        let (jobs, owner) = (town.jobs.clone(), person.owner.clone());
        async move {
            jobs.schedule_again(&owner, id, FinalRun::MxMoved, secrets(), token)
                .await
                .expect("over")
        }
    };
    let never = schedule("one").await;
    assert_eq!(schedule("one").await, never);
    let cancelled = schedule("two").await;
    town.jobs
        .cancel(&person.owner, cancelled)
        .await
        .expect("scheduled");
    let job = town.over(&person, cancelled).await;
    assert_eq!((job.state, job.has_secrets), (State::Cancelled, false));
    assert_eq!(town.mails(cancelled).await, ["cancelled"]);

    town.clock.turn(29 * 24 * HOUR);
    working.end().await;
    let working = town.work();
    let other = town.submit(&person).await;
    town.wait(&person, other, "a plan", |job| job.state == State::Ready)
        .await;
    let job = town.job(&person, never).await;
    assert_eq!((job.state, job.has_secrets), (State::Scheduled, true));
    town.clock.turn(24 * HOUR);
    let job = town.over(&person, never).await;
    assert_eq!((job.state, job.has_secrets), (State::Cancelled, false));
    assert_eq!(town.mails(never).await, ["expired"]);
    let late = town
        .jobs
        .schedule(&person.owner, never, FinalRun::MxMoved)
        .await;
    assert_eq!(late, Err(JobError::State(State::Cancelled)));
    working.end().await;
}

#[tokio::test]
async fn a_final_run_begins_at_its_time() {
    let town = Town::new().await;
    let person = town.person("taro", 3);
    let working = town.work();
    let id = town.copy(&person).await;
    town.over(&person, id).await;
    let now = hikyaku_core::traits::Clock::unix_millis(&*town.clock);
    let run = FinalRun::At(now + 5 * HOUR);
    let last = town
        .jobs
        .schedule_again(&person.owner, id, run, secrets(), "last")
        .await
        .expect("over");
    let job = town.job(&person, last).await;
    assert_eq!(
        (job.state, job.begins_millis),
        (State::Scheduled, Some(now + 5 * HOUR))
    );
    // Later, as the person wishes; never later than the passwords are kept.
    town.jobs
        .schedule(&person.owner, last, FinalRun::At(now + 900 * 24 * HOUR))
        .await
        .expect("scheduled");
    let job = town.job(&person, last).await;
    assert_eq!(job.begins_millis, Some(job.created_millis + 30 * 24 * HOUR));
    town.jobs
        .schedule(&person.owner, last, FinalRun::At(now + HOUR))
        .await
        .expect("scheduled");
    person
        .old
        .add_message("INBOX", "Subject: late\r\n\r\nlate\r\n");
    town.clock.turn(2 * HOUR);
    let done = town.over(&person, last).await;
    assert_eq!(done.state, State::Done);
    assert_eq!(done.report.expect("a report").copied_now, 1);
    person.assert_copied();
    assert_eq!(town.mails(last).await, ["success"]);
    working.end().await;
}

#[tokio::test]
async fn a_job_is_forgotten_after_its_time_and_with_the_last_one_its_messages() {
    let town = Town::new().await;
    let person = town.person("taro", 3);
    let working = town.work();
    let id = town.copy(&person).await;
    town.over(&person, id).await;
    working.end().await;
    let known = || async {
        let pairs = town.jobs.store().pairs().await.expect("listed");
        (
            pairs.len(),
            town.jobs.jobs(&person.owner).await.expect("listed").len(),
        )
    };
    assert_eq!(known().await, (1, 1));
    let other = town.person("other", 0);
    for (days, left) in [(179, (1, 1)), (2, (0, 0))] {
        town.clock.turn(days * 24 * HOUR);
        let working = town.work();
        // A worker sweeps when it begins; this job shows that it has begun.
        let begun = town.submit(&other).await;
        town.wait(&other, begun, "a plan", |job| job.state == State::Ready)
            .await;
        let mut tries = 0;
        while known().await != left {
            tries += 1;
            assert!(tries < 500, "{days}: {:?}", known().await);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        working.end().await;
        assert_eq!(known().await, left, "after {days} more days");
    }
    person.assert_copied();
}
