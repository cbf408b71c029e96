//! A job to try the screens with.

use crate::job::{
    Choices, Delivery, FolderProgress, Job, JobId, Kind, Order, Progress, SourceAccount,
    SourceKind, State,
};
use crate::web::shown::tests::NOW;
use hikyaku_core::report::{Exception, MailboxReport, Outcome, Report, Tally};
use hikyaku_core::{Code, Fault, Key, MailboxName, Reach, Remedy, Side};
use hikyaku_view::ReportView;

/// A copy that is under way.
pub(crate) fn job() -> Job {
    Job {
        id: JobId(7),
        receipt: "8F3K2".to_owned(),
        kind: Kind::Copy,
        order: Order {
            brand: "hikyaku".to_owned(),
            plan: "standard".to_owned(),
            lang: "ja".to_owned(),
            source: SourceAccount {
                kind: SourceKind::default(),
                host: "mail.old.example.jp".to_owned(),
                port: None,
                transport: None,
                address: "taro@example.jp".to_owned(),
                login: None,
                accepted: None,
            },
            destination: "taro@example.jp".to_owned(),
            notify: "taro@example.com".to_owned(),
            choices: Choices::default(),
        },
        state: State::Copying,
        paused: false,
        checked: None,
        progress: Progress {
            messages_done: 5_120,
            messages: 12_408,
            octets_done: 1 << 30,
            octets: 3 << 30,
            copied: 5_117,
            folder: Some("受信トレイ 2023年".to_owned()),
            folders: vec![
                folder("INBOX", 5_000, 5_000, true),
                folder("受信トレイ 2023年", 7_000, 120, false),
                folder("Sent", 408, 0, false),
            ],
            left_seconds: Some(14 * 60),
            waiting: None,
            at_millis: NOW,
        },
        report: None,
        undo: None,
        fault: None,
        previous: None,
        begins_millis: None,
        has_secrets: true,
        created_millis: NOW - 600_000,
        started_millis: Some(NOW - 500_000),
        ended_millis: None,
    }
}

fn folder(name: &str, messages: u64, done: u64, finished: bool) -> FolderProgress {
    FolderProgress {
        name: name.to_owned(),
        messages,
        done,
        finished,
    }
}

/// What a source mailbox came to.
pub(crate) fn mailbox(source: &str, outcomes: &[(Outcome, u64)], copied_now: u64) -> MailboxReport {
    let mut tally = Tally::default();
    for (outcome, messages) in outcomes {
        tally.add(*outcome, *messages, messages * 1_000);
    }
    let name = MailboxName::parse(source).unwrap_or_else(MailboxName::inbox);
    MailboxReport {
        source: name.clone(),
        destination: name,
        scanned: tally.total(),
        tally,
        copied_now,
        octets_now: copied_now * 1_000,
        flags_updated: 0,
        read_back: 0,
    }
}

/// A message that was not copied.
pub(crate) fn exception(code: Code, mailbox: &str, key: u64, subject: &str) -> Exception {
    let name = MailboxName::parse(mailbox).unwrap_or_else(MailboxName::inbox);
    let fault = Fault::new(code, Reach::Message, Remedy::Skip, "detail")
        .on(Side::Destination)
        .mailbox(&name)
        .message(Key(key));
    let head = format!("Subject: {subject}\r\nFrom: hana@example.jp\r\n");
    Exception {
        mailbox: name,
        key: Some(Key(key)),
        octets: Some(120 << 20),
        head: Some(head.into_bytes()),
        outcome: Some(Outcome::FailedPermanent),
        fault,
    }
}

/// A copy that has ended with this report.
pub(crate) fn ended(report: &Report) -> Job {
    let mut job = job();
    job.state = match report.is_complete() {
        true => State::Done,
        false => State::DoneWithExceptions,
    };
    job.report = Some(ReportView::from(report));
    job.has_secrets = false;
    job.ended_millis = Some(NOW);
    job.checked = Some(crate::job::Checked {
        delivery: Delivery::Here,
        ..Default::default()
    });
    job
}

/// 12,408 messages, all accounted for.
pub(crate) fn complete() -> Report {
    Report {
        mailboxes: vec![
            mailbox(
                "INBOX",
                &[(Outcome::Copied, 12_000), (Outcome::AlreadyThere, 3)],
                12_000,
            ),
            mailbox("Sent", &[(Outcome::Copied, 405)], 405),
        ],
        elapsed_millis: 60_000,
        ..Report::default()
    }
}
