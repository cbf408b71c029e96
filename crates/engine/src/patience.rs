//! Logging in with patience: a server that asks for a pause gets it, in sight of the
//! person, and a connection that is lost before the login is tried again.
//!
//! During the run the lanes do the same. A refused login is never tried again.

use crate::stop::Stop;
use hikyaku_core::policy::Patience;
use hikyaku_core::report::Wait;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Event, Fault, Reach, Remedy};
use std::time::Duration;

/// How patient a login is.
pub struct Calm<'a> {
    /// Waiting times.
    pub patience: &'a Patience,
    /// End instead of waiting for a server that asks for a pause.
    pub no_wait: bool,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Told of every wait.
    pub tell: &'a (dyn Fn(&Event) + Sync),
    /// The wish to end early.
    pub stop: &'a Stop,
    /// For jitter.
    pub seed: u64,
}

/// Longest pause that a server may ask for: after that somebody should look.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Logs in. The waits that were needed come with what was connected.
///
/// # Faults
/// Those of the login; the last one, when patience has come to its end.
pub async fn connect<T, F>(
    calm: &Calm<'_>,
    mut attempt: impl FnMut() -> F,
) -> Result<(T, Vec<Wait>), Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut waits = Vec::new();
    let mut failures = 0;
    loop {
        let fault = match attempt().await {
            Ok(connected) => return Ok((connected, waits)),
            Err(fault) => fault,
        };
        let Some(pause) = calm.pause(&fault, failures) else {
            return Err(fault);
        };
        failures += 1;
        count(&mut waits, &fault, pause);
        let until = calm.clock.unix_millis() + i64::try_from(pause.as_millis()).unwrap_or(0);
        (calm.tell)(&Event::Waiting {
            until_millis: until,
            because: fault,
        });
        tokio::select! {
            () = calm.clock.sleep(pause) => {}
            () = calm.stop.requested() => return Err(interrupted()),
        }
        (calm.tell)(&Event::Resumed);
    }
}

impl Calm<'_> {
    /// How long to wait after so many failures before this one; `None` to give up.
    fn pause(&self, fault: &Fault, failures: u32) -> Option<Duration> {
        let Remedy::Retry { after } = fault.remedy else {
            return None;
        };
        match fault.code {
            code if code.asks_for_a_pause() => {
                if self.no_wait || after.is_some_and(|asked| asked > LONGEST) {
                    return None;
                }
                let asked = after.unwrap_or_default();
                match failures.checked_sub(self.patience.reconnects) {
                    None => Some(self.step(failures, self.patience.throttle_max).max(asked)),
                    Some(opened) => {
                        let wait = self.patience.circuit.get(usize::try_from(opened).ok()?)?;
                        Some((*wait).max(asked))
                    }
                }
            }
            // Who has just typed a name should not have to wait long to see that it was
            // the wrong one.
            Code::LinkLost | Code::LinkSilent if failures + 1 < self.patience.message_tries => {
                Some(self.step(failures, self.patience.backoff_max))
            }
            _ => None,
        }
    }

    /// The usual wait: anything between the first step and one that doubles from
    /// failure to failure.
    fn step(&self, failures: u32, most: Duration) -> Duration {
        let first = self.patience.backoff;
        let step = first
            .saturating_mul(2u32.saturating_pow(failures))
            .min(most);
        let part = (self.seed.rotate_left(failures * 7) % 1024) as f64 / 1024.0;
        first + step.saturating_sub(first).mul_f64(part)
    }
}

fn count(waits: &mut Vec<Wait>, fault: &Fault, pause: Duration) {
    let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    let same = |wait: &&mut Wait| (wait.code, wait.side) == (fault.code, fault.at.side);
    match waits.iter_mut().find(same) {
        Some(wait) => {
            wait.times += 1;
            wait.millis = wait.millis.saturating_add(millis);
        }
        None => waits.push(Wait {
            code: fault.code,
            side: fault.at.side,
            times: 1,
            millis,
        }),
    }
}

/// Adds waits before a run to those in it: one entry per reason.
pub fn merge(into: &mut Vec<Wait>, earlier: &[Wait]) {
    for (place, wait) in earlier.iter().enumerate() {
        let same = |known: &&mut Wait| (known.code, known.side) == (wait.code, wait.side);
        match into.iter_mut().find(same) {
            Some(known) => {
                known.times += wait.times;
                known.millis = known.millis.saturating_add(wait.millis);
            }
            None => into.insert(place.min(into.len()), *wait),
        }
    }
}

fn interrupted() -> Fault {
    Fault::new(
        Code::Interrupted,
        Reach::Job,
        Remedy::Retry { after: None },
        "the run was asked to stop before both sides were connected",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use hikyaku_core::Side;
    use std::sync::Mutex;

    /// Time passes when somebody sleeps.
    #[derive(Default)]
    struct Watch(Mutex<Duration>);

    impl Clock for Watch {
        fn unix_millis(&self) -> i64 {
            i64::try_from(self.monotonic().as_millis()).expect("a short test")
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().expect("a lock")
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            *self.0.lock().expect("a lock") += duration;
            async {}.boxed()
        }
    }

    fn fault(code: Code, after: Option<u64>) -> Fault {
        let after = after.map(Duration::from_secs);
        Fault::new(code, Reach::Side, Remedy::Retry { after }, "x").on(Side::Source)
    }

    /// What became of a login that fails so often; how many tries, which waits in
    /// seconds, how many events.
    async fn log_in(
        no_wait: bool,
        fails: usize,
        with: &Fault,
    ) -> (Result<Vec<Wait>, Code>, usize, f64, usize) {
        let (clock, tries, told) = (Watch::default(), Mutex::new(0), Mutex::new(Vec::new()));
        let tell = |event: &Event| told.lock().expect("a lock").push(event.clone());
        let calm = Calm {
            patience: &Patience::default(),
            no_wait,
            clock: &clock,
            tell: &tell,
            stop: &Stop::new(),
            seed: 0x1234_5678_9abc_def0,
        };
        let connected = connect(&calm, || {
            let mut tries = tries.lock().expect("a lock");
            *tries += 1;
            let failed = *tries <= fails;
            async move { if failed { Err(with.clone()) } else { Ok(()) } }
        })
        .await;
        let slept = clock.monotonic().as_secs_f64();
        let (tries, told) = (*tries.lock().expect("a lock"), told.lock().expect("a lock"));
        for pair in told.chunks(2) {
            assert!(
                matches!(pair, [Event::Waiting { .. }, Event::Resumed]),
                "{pair:?}"
            );
        }
        let result = connected.map(|((), waits)| waits).map_err(|f| f.code);
        (result, tries, slept, told.len())
    }

    #[tokio::test]
    async fn a_busy_server_is_waited_for() {
        let (result, tries, slept, told) = log_in(false, 2, &fault(Code::ServerBusy, None)).await;
        let waits = result.expect("the third try succeeds");
        assert_eq!((tries, told, waits.len()), (3, 4, 1));
        assert_eq!(
            (waits[0].code, waits[0].side),
            (Code::ServerBusy, Some(Side::Source))
        );
        assert_eq!(
            (waits[0].times, waits[0].millis as f64),
            (2, (slept * 1000.0).floor())
        );
        assert!((2.0..=3.0).contains(&slept), "1 s and up to 2 s: {slept}");
    }

    #[tokio::test]
    async fn the_pause_is_never_shorter_than_the_server_asked_for() {
        let asked = fault(Code::ServerBudget, Some(600));
        let (result, tries, slept, _) = log_in(false, 1, &asked).await;
        assert!(result.is_ok());
        assert_eq!((tries, slept), (2, 600.0));
        // Nobody waits for years.
        let years = fault(Code::ServerBudget, Some(100_000_000));
        let given_up = (Err(Code::ServerBudget), 1, 0.0, 0);
        assert_eq!(log_in(false, 1, &years).await, given_up);
    }

    #[tokio::test]
    async fn patience_ends_after_the_circuit() {
        let busy = fault(Code::ServerConnections, None);
        let (result, tries, slept, _) = log_in(false, usize::MAX, &busy).await;
        assert_eq!((result, tries), (Err(Code::ServerConnections), 9));
        let circuit = 21.0 * 60.0;
        assert!((circuit + 5.0..=circuit + 31.0).contains(&slept), "{slept}");
    }

    #[tokio::test]
    async fn without_waiting_the_first_refusal_is_the_last() {
        for code in [
            Code::ServerBusy,
            Code::ServerConnections,
            Code::ServerBudget,
        ] {
            let given_up = (Err(code), 1, 0.0, 0);
            assert_eq!(log_in(true, 1, &fault(code, None)).await, given_up);
        }
    }

    #[tokio::test]
    async fn a_lost_connection_is_tried_again_and_a_refused_login_is_not() {
        let lost = fault(Code::LinkLost, None);
        let (result, tries, _, _) = log_in(true, 2, &lost).await;
        assert_eq!((result.is_ok(), tries), (true, 3));
        let (result, tries, _, _) = log_in(false, 3, &lost).await;
        assert_eq!((result, tries), (Err(Code::LinkLost), 3));
        for code in [
            Code::LoginRejected,
            Code::LoginLocked,
            Code::LoginExpired,
            Code::HostUnreachable,
        ] {
            let given_up = (Err(code), 1, 0.0, 0);
            assert_eq!(
                log_in(false, 1, &fault(code, None)).await,
                given_up,
                "{code}"
            );
        }
        let mut final_ = fault(Code::ServerBusy, None);
        final_.remedy = Remedy::AskUser;
        assert_eq!(log_in(false, 1, &final_).await.1, 1);
    }

    #[tokio::test]
    async fn a_wish_to_stop_ends_the_wait() {
        struct Still;
        impl Clock for Still {
            fn unix_millis(&self) -> i64 {
                0
            }
            fn monotonic(&self) -> Duration {
                Duration::ZERO
            }
            fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
                futures::future::pending().boxed()
            }
        }
        let stop = Stop::new();
        let tell = |_: &Event| stop.request();
        let calm = Calm {
            patience: &Patience::default(),
            no_wait: false,
            clock: &Still,
            tell: &tell,
            stop: &stop,
            seed: 1,
        };
        let ended = connect(&calm, || async {
            Err::<(), _>(fault(Code::ServerBusy, None))
        })
        .await;
        assert_eq!(ended.expect_err("stopped").code, Code::Interrupted);
    }

    #[test]
    fn waits_before_and_in_a_run_are_one_list() {
        let wait = |code, times| Wait {
            code,
            side: None,
            times,
            millis: times * 10,
        };
        let mut all = vec![wait(Code::LinkLost, 1), wait(Code::ServerBusy, 2)];
        merge(
            &mut all,
            &[wait(Code::ServerConnections, 3), wait(Code::ServerBusy, 4)],
        );
        let expected = [
            wait(Code::ServerConnections, 3),
            wait(Code::LinkLost, 1),
            wait(Code::ServerBusy, 6),
        ];
        assert_eq!(all, expected);
    }
}
