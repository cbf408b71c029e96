//! What people do with jobs that nobody works on.

use crate::world::{HOUR, Town, secrets};
use hikyaku_ledger::service::Lane;
use hikyaku_service::job::{Accepted, Choices, FinalRun, State};
use hikyaku_service::jobs::{JobError, Owner};

#[tokio::test]
async fn an_order_that_is_sent_twice_is_one_job_and_another_owner_sees_none() {
    let town = Town::new().await;
    let person = town.person("taro", 0);
    let submit = || {
        town.jobs
            .submit(&person.owner, person.order(), secrets(), "token")
    };
    let (one, two, three) = futures::join!(submit(), submit(), submit());
    let id = one.expect("submitted");
    assert_eq!((two, three), (Ok(id), Ok(id)));
    let listed = town.jobs.jobs(&person.owner).await.expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].state, listed[0].has_secrets),
        (State::Received, true)
    );
    // People write their address in either case.
    let shouting = Owner {
        address: "TARO@example.JP".to_owned(),
        ..person.owner.clone()
    };
    assert!(town.jobs.job(&shouting, id).await.expect("read").is_some());
    for other in [
        Owner {
            address: "hanako@example.jp".to_owned(),
            ..person.owner.clone()
        },
        Owner {
            brand: "other".to_owned(),
            ..person.owner.clone()
        },
    ] {
        assert_eq!(town.jobs.job(&other, id).await, Ok(None));
        assert_eq!(town.jobs.jobs(&other).await, Ok(Vec::new()));
        let choices = Choices::default;
        let refused = [
            town.jobs.start(&other, id, choices()).await,
            town.jobs.change(&other, id, choices()).await,
            town.jobs.accept(&other, id, Accepted::ClearText).await,
            town.jobs.pause(&other, id).await,
            town.jobs.resume(&other, id).await,
            town.jobs.cancel(&other, id).await,
            town.jobs.proceed(&other, id, Some(secrets())).await,
            town.jobs.schedule(&other, id, FinalRun::MxMoved).await,
            town.jobs
                .again(&other, id, choices(), secrets(), "t")
                .await
                .map(drop),
            town.jobs.undo(&other, id, secrets(), "t").await.map(drop),
            town.jobs.undo_plan(&other, id).await.map(drop),
            town.jobs
                .schedule_again(&other, id, FinalRun::MxMoved, secrets(), "t")
                .await
                .map(drop),
        ];
        for (n, refused) in refused.into_iter().enumerate() {
            assert_eq!(refused, Err(JobError::Unknown), "{n}");
        }
    }
    assert_eq!(
        town.job(&person, id).await,
        listed[0],
        "nothing was changed"
    );
}

#[tokio::test]
async fn what_cannot_be_done_in_a_state_is_refused_with_it() {
    let town = Town::new().await;
    let person = town.person("taro", 0);
    let id = town.submit(&person).await;
    let (owner, choices) = (&person.owner, Choices::default);
    let received = Err(JobError::State(State::Received));
    assert_eq!(town.jobs.start(owner, id, choices()).await, received);
    assert_eq!(town.jobs.pause(owner, id).await, received);
    assert_eq!(town.jobs.resume(owner, id).await, received);
    let again = town.jobs.again(owner, id, choices(), secrets(), "t").await;
    assert_eq!(again, Err(JobError::State(State::Received)));
    let undo = town.jobs.undo(owner, id, secrets(), "t").await;
    assert_eq!(undo, Err(JobError::State(State::Received)));
    // Before it began it ends without a mail, and stays so.
    assert_eq!(town.jobs.cancel(owner, id).await, Ok(()));
    assert_eq!(town.jobs.cancel(owner, id).await, Ok(()));
    let job = town.job(&person, id).await;
    assert_eq!((job.state, job.has_secrets), (State::Cancelled, false));
    let cancelled = Err(JobError::State(State::Cancelled));
    assert_eq!(town.jobs.start(owner, id, choices()).await, cancelled);
    assert_eq!(
        town.jobs.proceed(owner, id, Some(secrets())).await,
        cancelled
    );
    assert_eq!(town.mails(id).await, Vec::<String>::new());
    let what: Vec<String> = town
        .audit(id)
        .await
        .into_iter()
        .map(|row| format!("{} {} {}", row.who, row.what, row.address))
        .collect();
    assert_eq!(
        what,
        [
            "brand/taro@example.jp job.cancel ",
            "brand/taro@example.jp job.submit "
        ]
    );
}

#[tokio::test]
async fn a_double_click_begins_a_copy_once() {
    let town = Town::new().await;
    let person = town.person("taro", 4);
    let working = town.work();
    let id = town.submit(&person).await;
    town.wait(&person, id, "a plan", |job| job.state == State::Ready)
        .await;
    let from = town.jobs.for_client("192.0.2.7");
    let start = || from.start(&person.owner, id, Choices::default());
    let (one, two) = futures::join!(start(), start());
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(town.over(&person, id).await.state, State::Done);
    assert_eq!(start().await, Ok(()), "late, and still no second copy");
    assert_eq!(town.job(&person, id).await.state, State::Done);
    person.assert_copied();
    assert_eq!(town.mails(id).await, ["success"]);
    let begun: Vec<_> = town
        .audit(id)
        .await
        .into_iter()
        .filter(|row| row.what == "job.start")
        .collect();
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].address, "192.0.2.7");
    working.end().await;
}

#[tokio::test]
async fn other_choices_and_what_was_accepted_are_checked_again() {
    let town = Town::new().await;
    let person = town.person("taro", 4);
    let working = town.work();
    let id = town.submit(&person).await;
    town.wait(&person, id, "a plan", |job| job.state == State::Ready)
        .await;
    let choices = Choices {
        exclude: vec!["Spam".to_owned()],
        ..Choices::default()
    };
    town.jobs
        .change(&person.owner, id, choices.clone())
        .await
        .expect("ready");
    let job = town
        .wait(&person, id, "a plan", |job| job.state == State::Ready)
        .await;
    assert_eq!(job.order.choices, choices);
    town.jobs
        .accept(&person.owner, id, Accepted::ClearText)
        .await
        .expect("ready");
    let job = town
        .wait(&person, id, "a plan", |job| job.state == State::Ready)
        .await;
    assert_eq!(job.order.source.accepted, Some(Accepted::ClearText));
    assert_eq!(job.order.choices, choices);
    working.end().await;
}

#[tokio::test]
async fn passwords_go_after_a_day_in_which_nothing_happened() {
    let town = Town::new().await;
    let (ready, paused) = (town.person("ready", 3), town.person("paused", 3));
    let working = town.work();
    let first = town.submit(&ready).await;
    town.wait(&ready, first, "a plan", |job| job.state == State::Ready)
        .await;
    let second = town.submit(&paused).await;
    town.wait(&paused, second, "a plan", |job| job.state == State::Ready)
        .await;
    working.end().await;
    town.jobs
        .start(&paused.owner, second, Choices::default())
        .await
        .expect("ready");
    town.jobs
        .pause(&paused.owner, second)
        .await
        .expect("queued");
    let row = town.jobs.store().queue().find(&second.to_string()).await;
    assert_eq!(row.expect("read").expect("there").lane, Lane::Rest);

    town.clock.turn(23 * HOUR);
    let working = town.work();
    // A worker sweeps when it begins; this job shows that it has begun.
    let other = town.person("other", 0);
    let third = town.submit(&other).await;
    town.wait(&other, third, "a plan", |job| job.state == State::Ready)
        .await;
    assert!(town.job(&ready, first).await.has_secrets);
    assert!(town.job(&paused, second).await.has_secrets);
    working.end().await;

    town.clock.turn(2 * HOUR);
    let working = town.work();
    for (person, id) in [(&ready, first), (&paused, second)] {
        let job = town.over(person, id).await;
        assert_eq!(
            (job.state, job.paused, job.has_secrets),
            (State::Stopped, false, false)
        );
        assert_eq!(job.fault.expect("why").short, "C903");
        let secretless = town.jobs.proceed(&person.owner, id, None).await;
        assert_eq!(secretless, Err(JobError::SecretsNeeded));
        town.jobs
            .proceed(&person.owner, id, Some(secrets()))
            .await
            .expect("stopped");
    }
    // One was begun and goes on; the other is looked at again.
    assert_eq!(town.over(&paused, second).await.state, State::Done);
    paused.assert_copied();
    town.wait(&ready, first, "a plan", |job| job.state == State::Ready)
        .await;
    working.end().await;
}
