//! What a run comes to: pure.

use crate::jobs::rows::Course;
use hikyaku_core::report::Report;
use hikyaku_core::undo::UndoReport;
use hikyaku_core::{Code, Fault, Remedy};
use hikyaku_view::FaultView;
use std::time::Duration;

/// Waits between attempts of which none achieved anything; the last one again and again.
const DELAYS: [Duration; 5] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
];

/// After this long without achieving anything the person has to look.
const LONGEST: Duration = Duration::from_secs(72 * 60 * 60);

/// A wait of which the person is told by mail.
pub(crate) const TOLD: Duration = Duration::from_secs(12 * 60 * 60);

/// Why the engine was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nobody asked.
    Nothing,
    /// The person wants it to rest.
    Pause,
    /// The person wants it to end.
    Cancel,
    /// This process ends; another one goes on.
    Shutdown,
    /// Another worker has the job.
    Lost,
}

/// What becomes of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every message is accounted for.
    Done,
    /// Finished, with exceptions.
    Partly,
    /// The person has to change something.
    Stopped(FaultView),
    /// It is tried again after a while, because of this.
    Later(Duration, FaultView),
    /// It rests.
    Paused,
    /// Ended by the person.
    Cancelled,
    /// Somebody else goes on at once.
    Back,
    /// It is somebody else's already.
    Lost,
}

/// Judges the result of a copy.
pub(crate) fn of_copy(
    result: &Result<Report, Fault>,
    asked: Asked,
    course: &Course,
    now_millis: i64,
) -> Verdict {
    if asked == Asked::Lost {
        return Verdict::Lost;
    }
    if let Ok(report) = result
        && report.stopped.is_none()
    {
        // Whoever asked for the end came too late.
        return match (report.is_complete(), left_over(report)) {
            // Left out by a rule of the plan and not by the person's own choice: they want to be told by name.
            (true, _) if report.left_out().next().is_some() => Verdict::Partly,
            (true, _) => Verdict::Done,
            (false, Some(fault)) if course.attempts < 2 => later(fault, course, now_millis),
            (false, _) => Verdict::Partly,
        };
    }
    let fault = match result {
        Ok(report) => report.stopped.clone(),
        Err(fault) => Some(fault.clone()),
    };
    of_fault(
        &fault.unwrap_or_else(|| Fault::bug("a run ended for no reason")),
        asked,
        course,
        now_millis,
    )
}

/// Judges the result of taking back.
pub(crate) fn of_undo(
    result: &Result<UndoReport, Fault>,
    asked: Asked,
    course: &Course,
    now_millis: i64,
) -> Verdict {
    let fault = match result {
        _ if asked == Asked::Lost => return Verdict::Lost,
        Ok(UndoReport { stopped: None, .. }) => return Verdict::Done,
        Ok(UndoReport {
            stopped: Some(fault),
            ..
        })
        | Err(fault) => fault,
    };
    of_fault(fault, asked, course, now_millis)
}

/// Judges a run that came to nothing or not to its end.
pub(crate) fn of_fault(fault: &Fault, asked: Asked, course: &Course, now_millis: i64) -> Verdict {
    match asked {
        Asked::Lost => Verdict::Lost,
        Asked::Cancel => Verdict::Cancelled,
        Asked::Pause => Verdict::Paused,
        Asked::Shutdown => Verdict::Back,
        Asked::Nothing => match fault.remedy {
            Remedy::Retry { .. } => later(fault, course, now_millis),
            Remedy::AskUser | Remedy::Skip | Remedy::Bug => {
                Verdict::Stopped(FaultView::from(fault))
            }
        },
    }
}

/// A mailbox that was given up for now, and that another run would go on with.
fn left_over(report: &Report) -> Option<&Fault> {
    let mailboxes = report.exceptions.iter().filter(|e| e.key.is_none());
    mailboxes.map(|e| &e.fault).find(|f| f.is_temporary())
}

fn later(fault: &Fault, course: &Course, now_millis: i64) -> Verdict {
    let view = FaultView::from(fault);
    let waited = now_millis - course.waiting_since.unwrap_or(now_millis);
    if Duration::from_millis(u64::try_from(waited).unwrap_or(0)) >= LONGEST {
        return Verdict::Stopped(view);
    }
    let usual = match fault.code {
        // Another program of this machine works on the account, or the database was away for a moment.
        Code::LedgerBusy | Code::Interrupted => Duration::from_secs(15),
        _ => DELAYS[(course.attempts as usize).min(DELAYS.len() - 1)],
    };
    let asked = match fault.remedy {
        Remedy::Retry { after } => after.unwrap_or_default(),
        Remedy::AskUser | Remedy::Skip | Remedy::Bug => Duration::ZERO,
    };
    Verdict::Later(usual.max(asked), view)
}

/// Whether the person has to sign in again: the login that had worked is refused.
pub(crate) fn wants_sign_in(fault: &FaultView, course: &Course) -> bool {
    course.signed_in && fault.short.starts_with('A')
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::report::Exception;
    use hikyaku_core::{MailboxName, Reach};

    const HOUR: i64 = 60 * 60 * 1000;

    fn fault(code: Code, remedy: Remedy) -> Fault {
        Fault::new(code, Reach::Side, remedy, "x")
    }

    fn retry(seconds: Option<u64>) -> Remedy {
        Remedy::Retry {
            after: seconds.map(Duration::from_secs),
        }
    }

    fn course(attempts: u32, waiting_since: Option<i64>) -> Course {
        Course {
            attempts,
            waiting_since,
            ..Course::default()
        }
    }

    fn seconds(verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Later(after, _) => after.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    fn stopped(fault: &Fault) -> Verdict {
        Verdict::Stopped(FaultView::from(fault))
    }

    #[test]
    fn what_time_heals_is_tried_again_ever_more_rarely() {
        let gone = fault(Code::HostUnreachable, retry(None));
        for (attempts, delay) in [
            (0, 60),
            (1, 300),
            (2, 900),
            (3, 1800),
            (4, 3600),
            (90, 3600),
        ] {
            let course = course(attempts, Some(0));
            let verdict = of_fault(&gone, Asked::Nothing, &course, HOUR);
            assert_eq!(seconds(verdict), delay, "{attempts}");
        }
        // Never sooner than the server asked for.
        let asked = fault(Code::ServerBudget, retry(Some(50_000)));
        let verdict = of_fault(&asked, Asked::Nothing, &course(0, None), 0);
        assert_eq!(seconds(verdict), 50_000);
        // After three days somebody has to look.
        let course = course(70, Some(HOUR));
        assert!(matches!(
            of_fault(&gone, Asked::Nothing, &course, 73 * HOUR - 1),
            Verdict::Later(..)
        ));
        assert_eq!(
            of_fault(&gone, Asked::Nothing, &course, 73 * HOUR),
            stopped(&gone)
        );
    }

    #[test]
    fn what_a_person_has_to_change_stops_the_job() {
        for remedy in [Remedy::AskUser, Remedy::Skip, Remedy::Bug] {
            let refused = fault(Code::LoginRejected, remedy);
            let verdict = of_copy(&Err(refused.clone()), Asked::Nothing, &Course::default(), 0);
            assert_eq!(verdict, stopped(&refused));
            let report = Report {
                stopped: Some(refused.clone()),
                ..Report::default()
            };
            let verdict = of_copy(&Ok(report), Asked::Nothing, &Course::default(), 0);
            assert_eq!(verdict, stopped(&refused));
        }
    }

    #[test]
    fn whoever_asked_for_the_end_gets_it_unless_it_came_by_itself() {
        let cases = [
            (Asked::Pause, Verdict::Paused),
            (Asked::Cancel, Verdict::Cancelled),
            (Asked::Shutdown, Verdict::Back),
            (Asked::Lost, Verdict::Lost),
        ];
        let interrupted = fault(Code::Interrupted, retry(None));
        for (asked, expected) in cases {
            let report = Report {
                stopped: Some(interrupted.clone()),
                ..Report::default()
            };
            let course = Course::default();
            assert_eq!(of_copy(&Ok(report), asked, &course, 0), expected);
            let failed = Err(interrupted.clone());
            assert_eq!(of_copy(&failed, asked, &course, 0), expected);
            let complete = Ok(Report::default());
            let at_the_end = match asked {
                Asked::Lost => Verdict::Lost,
                _ => Verdict::Done,
            };
            assert_eq!(of_copy(&complete, asked, &course, 0), at_the_end);
        }
    }

    #[test]
    fn exceptions_end_a_job_and_a_mailbox_that_was_given_up_for_now_does_not_at_first() {
        let exception = |remedy| Exception {
            mailbox: MailboxName::inbox(),
            key: None,
            octets: None,
            outcome: None,
            head: None,
            fault: fault(Code::MailboxUnreadable, remedy),
        };
        let report = |remedy| {
            Ok(Report {
                exceptions: vec![exception(remedy)],
                unfinished: 1,
                ..Report::default()
            })
        };
        let judge =
            |remedy, attempts| of_copy(&report(remedy), Asked::Nothing, &course(attempts, None), 0);
        assert_eq!(judge(Remedy::Skip, 0), Verdict::Partly);
        assert_eq!(seconds(judge(retry(None), 0)), 60);
        assert_eq!(seconds(judge(retry(None), 1)), 300);
        assert_eq!(judge(retry(None), 2), Verdict::Partly);
    }

    #[test]
    fn only_a_login_that_had_worked_asks_to_sign_in_again() {
        let refused = FaultView::from(&fault(Code::LoginExpired, Remedy::AskUser));
        let full = FaultView::from(&fault(Code::QuotaExceeded, Remedy::AskUser));
        let mut course = Course::default();
        assert!(!wants_sign_in(&refused, &course));
        course.signed_in = true;
        assert!(wants_sign_in(&refused, &course) && !wants_sign_in(&full, &course));
    }
}
