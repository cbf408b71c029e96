use super::*;
use crate::web::sample;
use crate::web::shown::tests::NOW;
use hikyaku_core::{Code, Fault, MailboxName, Reach, Remedy};
use hikyaku_view::{MailboxPlanView, PlanView};

fn decide(report: &Report, change: impl FnOnce(&mut Job)) -> Retire {
    let mut job = sample::ended(report);
    change(&mut job);
    retire(&job, Some(report))
}

fn plan(lines: &[(&str, &str, Option<&str>, Option<u64>)]) -> PlanView {
    let line = |(source, action, rule, messages): &(&str, &str, Option<&str>, Option<u64>)| {
        MailboxPlanView {
            source: (*source).to_owned(),
            destination: (*source).to_owned(),
            action: (*action).to_owned(),
            rule: rule.map(str::to_owned),
            role: None,
            changes: Vec::new(),
            messages: *messages,
            octets: None,
        }
    };
    PlanView {
        messages: 0,
        octets: None,
        room: None,
        mailboxes: lines.iter().map(line).collect(),
    }
}

#[test]
fn only_what_is_complete_proven_and_switched_may_go() {
    let safe = Retire::After {
        millis: NOW + 14 * 86_400_000,
        messages: 12_408,
    };
    assert_eq!(decide(&sample::complete(), |_| {}), safe);
}

/// What changes about a job that went well, and why its source may not go then.
type Case = (fn(&mut Job), &'static [Reason]);

#[test]
fn each_thing_that_is_missing_is_a_reason_to_stay() {
    let reasons = |report: &Report, change: fn(&mut Job)| match decide(report, change) {
        Retire::NotYet(reasons) => reasons,
        other => panic!("{other:?}"),
    };
    let whole = sample::complete();
    let table: [Case; 9] = [
        (|job| job.checked = None, &[Reason::DeliveryUnknown]),
        (
            |job| {
                job.checked = Some(Checked {
                    delivery: Delivery::Elsewhere,
                    ..Checked::default()
                })
            },
            &[Reason::StillDelivered],
        ),
        (|job| job.state = State::Cancelled, &[Reason::NotEnded]),
        (|job| job.state = State::Stopped, &[Reason::NotEnded]),
        (|job| job.kind = Kind::Undo, &[Reason::NotEnded]),
        (|job| job.order.choices.since = Some(0), &[Reason::Period]),
        (|job| job.order.choices.before = Some(0), &[Reason::Period]),
        (|job| job.order.choices.fit = true, &[Reason::OnlyWhatFits]),
        (
            |job| job.order.choices.exclude = vec!["Trash".to_owned()],
            &[Reason::FoldersLeftOut(1)],
        ),
    ];
    for (change, expected) in table {
        assert_eq!(reasons(&whole, change), expected);
    }
    assert_eq!(
        retire(&sample::ended(&whole), None),
        Retire::NotYet(vec![Reason::NotEnded])
    );
}

#[test]
fn everything_that_a_report_lacks_is_counted() {
    let inbox = MailboxName::inbox();
    let mut report = sample::complete();
    report.mailboxes.push(sample::mailbox(
        "a",
        &[
            (Outcome::FailedPermanent, 2),
            (Outcome::FailedTemporary, 3),
            (Outcome::Vanished, 1),
            (Outcome::Skipped, 4),
            (Outcome::RemovedAtDestination, 9),
        ],
        0,
    ));
    report.unfinished = 1;
    report.differences = 5;
    report.exceptions = vec![
        sample::exception(Code::MessageRefused, "a", 1, "x"),
        hikyaku_core::report::Exception {
            mailbox: inbox.clone(),
            key: None,
            octets: None,
            head: None,
            outcome: None,
            fault: Fault::new(Code::MailboxUnreadable, Reach::Mailbox, Remedy::Skip, ""),
        },
    ];
    report.notes = vec![
        Note::Arrived {
            mailbox: inbox.clone(),
            messages: 7,
        },
        Note::DatesLost {
            mailbox: inbox,
            messages: 70,
        },
    ];
    let reasons = vec![
        Reason::Unfinished(1),
        Reason::Missing(6),
        Reason::Differences(5),
        Reason::Remarks(1),
        Reason::LeftOut(4),
        Reason::Arrived(7),
    ];
    assert_eq!(decide(&report, |_| {}), Retire::NotYet(reasons));

    let mut odd = sample::complete();
    odd.mailboxes[0].scanned += 1;
    assert_eq!(decide(&odd, |_| {}), Retire::NotYet(vec![Reason::NotEnded]));
}

#[test]
fn folders_without_mail_of_their_own_are_not_missed() {
    let checked = Checked {
        plan: Some(plan(&[
            ("INBOX", "copy", None, Some(9)),
            ("All", "skip", Some("view"), Some(9)),
            ("Folder", "skip", Some("not_selectable"), None),
            ("Junk", "skip", Some("excluded"), Some(0)),
            ("Trash", "skip", Some("excluded"), Some(2)),
            ("Calendar", "copy", None, Some(3)),
            ("Notes", "copy", None, None),
        ])),
        hidden: vec!["Calendar".to_owned(), "Trash".to_owned()],
        ..Checked::default()
    };
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let with = |exclude: &[&str], include: &[&str], only: &[&str]| {
        let choices = Choices {
            exclude: names(exclude),
            include: names(include),
            only: names(only),
            ..Choices::default()
        };
        left_out(&checked, &choices)
    };
    assert_eq!(with(&[], &[], &[]), 2);
    assert_eq!(with(&[], &["Calendar", "Trash"], &[]), 0);
    assert_eq!(with(&["Notes"], &["Calendar", "Trash"], &[]), 1);
    assert_eq!(with(&[], &[], &["INBOX"]), 3);
}
