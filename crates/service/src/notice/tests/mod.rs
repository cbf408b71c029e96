//! What jobs become as mails, and how mails get away.

mod mails;
mod sending;
mod texts;

use crate::brand::Brand;
use crate::job::{
    Choices, Job, JobId, Kind, Order, Progress, SourceAccount, SourceKind, State, UndoLine,
    UndoPlan, Waiting,
};
use hikyaku_core::report::{Exception, MailboxReport, Outcome, Report, Tally};
use hikyaku_core::{Code, Fault, Key, MailboxName, Reach, Remedy, Said, Side};
use hikyaku_view::{FaultView, ReportView};
use std::path::Path;

/// Nothing that stands in a server's answer, a message or the form may get into a mail but the destination's address.
const CANARY: &str = "canary-7c1e";

/// 2026-11-22 06:00 UTC.
const NOW: i64 = 1_795_327_200_000;

fn cpi() -> Brand {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../brands/cpi.toml");
    Brand::parse(&std::fs::read_to_string(&path).unwrap(), &path).unwrap()
}

fn fault(code: Code, side: Side) -> Fault {
    Fault::new(
        code,
        Reach::Side,
        Remedy::AskUser,
        format!("{CANARY} detail"),
    )
    .on(side)
    .server(format!("{CANARY}.example:993"))
    .mailbox(format!("{CANARY} mailbox"))
    .said(Said::new("NO", Some("CANARY"), &format!("{CANARY} said")))
}

fn exception(code: Code, key: u64) -> Exception {
    Exception {
        mailbox: MailboxName::parse(CANARY).unwrap(),
        key: Some(Key(key)),
        octets: Some(200 << 20),
        head: Some(format!("Subject: {CANARY} subject\r\n\r\n").into_bytes()),
        outcome: Some(Outcome::FailedPermanent),
        fault: fault(code, Side::Destination),
    }
}

/// A job that did everything that a mail could tell of.
fn job(lang: &str) -> Job {
    let mut tally = Tally::default();
    tally.add(Outcome::Copied, 12_402, 3 << 30);
    tally.add(Outcome::AlreadyThere, 3, 1 << 20);
    tally.add(Outcome::FailedPermanent, 3, 600 << 20);
    let report = Report {
        mailboxes: vec![MailboxReport {
            source: MailboxName::parse(CANARY).unwrap(),
            destination: MailboxName::parse(CANARY).unwrap(),
            scanned: 12_408,
            tally,
            copied_now: 12_402,
            octets_now: 3 << 30,
            flags_updated: 0,
            read_back: 0,
        }],
        exceptions: vec![
            exception(Code::MessageRefused, 1),
            exception(Code::MessageTooLarge, 2),
            exception(Code::MessageTooLarge, 3),
        ],
        ..Report::default()
    };
    Job {
        id: JobId(7),
        receipt: "K7M2Q".into(),
        kind: Kind::Copy,
        order: Order {
            brand: "cpi".into(),
            plan: "business-standard".into(),
            lang: lang.into(),
            source: SourceAccount {
                kind: SourceKind::default(),
                host: format!("{CANARY}.example"),
                port: None,
                transport: None,
                address: format!("{CANARY}@old.example.jp"),
                login: Some(CANARY.into()),
                accepted: None,
            },
            destination: "taro@example.jp".into(),
            notify: "hanako@example.com".into(),
            choices: Choices::default(),
        },
        state: State::Done,
        paused: false,
        checked: None,
        progress: Progress {
            messages_done: 5_120,
            messages: 12_408,
            folder: Some(CANARY.into()),
            waiting: Some(Waiting {
                until_millis: NOW + 18 * 3_600_000,
                because: FaultView::from(&fault(Code::ServerBudget, Side::Source)),
            }),
            ..Progress::default()
        },
        report: Some(ReportView::from(&report)),
        undo: Some(UndoPlan {
            lines: vec![UndoLine {
                mailbox: CANARY.into(),
                removed: 12_000,
                touched: 400,
                only_copy: 2,
            }],
        }),
        fault: Some(FaultView::from(&fault(Code::LoginRejected, Side::Source))),
        previous: None,
        begins_millis: None,
        has_secrets: false,
        created_millis: NOW,
        started_millis: Some(NOW),
        ended_millis: Some(NOW),
    }
}
