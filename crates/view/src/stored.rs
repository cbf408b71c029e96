//! The way back: from what was kept as JSON to a report that can be shown again, in any
//! language. What another version wrote and this one does not know becomes the nearest
//! thing that it does.

use crate::{
    ExceptionView, FaultView, Heading, KeptView, MailboxReportView, NoteView, OutcomesView,
    ReportView, TallyView, UndoLineView, UndoReportView, WaitView,
};
use hikyaku_core::report::{Exception, MailboxReport, Note, Outcome, Report, Tally, Wait};
use hikyaku_core::undo::{Kept, KeptCopy, UndoLine, UndoReport};
use hikyaku_core::{Code, Fault, Key, MailboxName, Reach, Remedy, Said, Side};
use std::time::Duration;

impl From<&ReportView> for Report {
    fn from(view: &ReportView) -> Self {
        Self {
            mailboxes: view.mailboxes.iter().map(mailbox).collect(),
            exceptions: view.exceptions.iter().map(Exception::from).collect(),
            notes: view.notes.iter().map(Note::from).collect(),
            stopped: view.stopped.as_ref().map(Fault::from),
            unfinished: view.unfinished,
            differences: view.differences,
            retries: view.retries,
            replaced: view.replaced.iter().map(undo_line).collect(),
            kept: view.kept.iter().map(kept).collect(),
            waits: view.waits.iter().filter_map(wait).collect(),
            elapsed_millis: view.elapsed_millis,
        }
    }
}

impl From<&UndoReportView> for UndoReport {
    fn from(view: &UndoReportView) -> Self {
        Self {
            lines: view.mailboxes.iter().map(undo_line).collect(),
            kept: view.kept.iter().map(kept).collect(),
            stopped: view.stopped.as_ref().map(Fault::from),
            elapsed_millis: view.elapsed_millis,
        }
    }
}

fn undo_line(view: &UndoLineView) -> UndoLine {
    UndoLine {
        mailbox: name(&view.mailbox),
        removed: view.removed,
        touched: view.touched,
        only_copy: view.only_copy,
        not_replaced: view.not_replaced,
    }
}

fn kept(view: &KeptView) -> KeptCopy {
    KeptCopy {
        mailbox: name(&view.mailbox),
        key: Key(view.message),
        why: match view.why.as_str() {
            "only_copy" => Kept::OnlyCopy,
            "not_replaced" => Kept::NotReplaced,
            _ => Kept::Touched,
        },
        head: view.heading.as_ref().map(head),
    }
}

fn wait(view: &WaitView) -> Option<Wait> {
    let code = Code::ALL.iter().find(|code| code.as_str() == view.code)?;
    Some(Wait {
        code: *code,
        side: view.side.as_deref().and_then(side),
        times: view.times,
        millis: view.millis,
    })
}

fn mailbox(view: &MailboxReportView) -> MailboxReport {
    MailboxReport {
        source: name(&view.source),
        destination: name(&view.destination),
        scanned: view.scanned,
        tally: tally(&view.outcomes),
        copied_now: view.copied_now,
        octets_now: view.octets_now,
        flags_updated: view.flags_updated,
        read_back: view.read_back,
    }
}

fn tally(view: &OutcomesView) -> Tally {
    let mut tally = Tally::default();
    let mut add = |outcome, of: TallyView| tally.add(outcome, of.messages, of.octets);
    add(Outcome::Copied, view.copied);
    add(Outcome::AlreadyThere, view.already_there);
    add(Outcome::Skipped, view.skipped);
    add(Outcome::FailedTemporary, view.failed_temporary);
    add(Outcome::FailedPermanent, view.failed_permanent);
    add(Outcome::Vanished, view.vanished);
    add(Outcome::RemovedAtDestination, view.removed_at_destination);
    tally
}

impl From<&ExceptionView> for Exception {
    fn from(view: &ExceptionView) -> Self {
        let outcome = view.outcome.as_deref().and_then(|word| {
            let same =
                |outcome: &Outcome| outcome.as_str().replace('-', "_") == word.replace('-', "_");
            Outcome::ALL.into_iter().find(same)
        });
        Exception {
            mailbox: name(&view.mailbox),
            key: view.message.map(Key),
            octets: view.octets,
            head: view.heading.as_ref().map(head),
            outcome,
            fault: Fault::from(&view.fault),
        }
    }
}

/// A header that is read as the same heading.
fn head(heading: &Heading) -> Vec<u8> {
    let fields = [
        ("Subject", &heading.subject),
        ("From", &heading.from),
        ("Date", &heading.date),
        ("Message-ID", &heading.message_id),
    ];
    let field = |(name, value): (&str, &Option<String>)| {
        let value = value.as_ref()?.replace(['\r', '\n'], " ");
        Some(format!("{name}: {value}\r\n"))
    };
    fields
        .into_iter()
        .filter_map(field)
        .collect::<String>()
        .into_bytes()
}

impl From<&NoteView> for Note {
    fn from(view: &NoteView) -> Self {
        match view {
            NoteView::FlagsLost {
                mailbox,
                flags,
                messages,
            } => Note::FlagsLost {
                mailbox: name(mailbox),
                flags: flags.clone(),
                messages: *messages,
            },
            NoteView::Altered {
                mailbox,
                keys,
                messages,
            } => Note::Altered {
                mailbox: name(mailbox),
                keys: keys.iter().copied().map(Key).collect(),
                messages: *messages,
            },
            NoteView::DatesLost { mailbox, messages } => Note::DatesLost {
                mailbox: name(mailbox),
                messages: *messages,
            },
            NoteView::EpochChanged { mailbox, side } => Note::EpochChanged {
                mailbox: name(mailbox),
                side: crate::side(side).unwrap_or(Side::Source),
            },
            NoteView::EpochUnstable { mailbox, side } => Note::EpochUnstable {
                mailbox: name(mailbox),
                side: crate::side(side).unwrap_or(Side::Source),
            },
            NoteView::Arrived { mailbox, messages } => Note::Arrived {
                mailbox: name(mailbox),
                messages: *messages,
            },
            NoteView::GoneAtSource { mailbox, messages } => Note::GoneAtSource {
                mailbox: name(mailbox),
                messages: *messages,
            },
            NoteView::FoundElsewhere {
                mailbox,
                found_in,
                messages,
            } => Note::FoundElsewhere {
                mailbox: name(mailbox),
                found_in: name(found_in),
                messages: *messages,
            },
        }
    }
}

impl From<&FaultView> for Fault {
    fn from(view: &FaultView) -> Self {
        let code = Code::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == view.code);
        let reach = match view.reach.as_str() {
            "message" => Reach::Message,
            "mailbox" => Reach::Mailbox,
            "side" => Reach::Side,
            _ => Reach::Job,
        };
        let remedy = match view.remedy.as_str() {
            "retry" => Remedy::Retry {
                after: view.retry_after_millis.map(Duration::from_millis),
            },
            "ask_user" => Remedy::AskUser,
            "skip" => Remedy::Skip,
            _ => Remedy::Bug,
        };
        let mut fault = Fault::new(
            code.unwrap_or(Code::Bug),
            reach,
            remedy,
            view.detail.clone(),
        );
        fault.at.side = view.side.as_deref().and_then(side);
        fault.at.server.clone_from(&view.server);
        fault.at.mailbox.clone_from(&view.mailbox);
        fault.at.message = view.message.map(Key);
        fault.at.file.clone_from(&view.file);
        let said = view
            .said
            .as_ref()
            .map(|s| Said::new(&s.status, s.code.as_deref(), &s.text));
        fault.said = said.map(Box::new);
        fault
    }
}

/// The side that a word of the contract means.
pub fn side(word: &str) -> Option<Side> {
    match word {
        "source" => Some(Side::Source),
        "destination" => Some(Side::Destination),
        _ => None,
    }
}

fn name(text: &str) -> MailboxName {
    // A view never holds an empty name; a file edited by hand may.
    MailboxName::parse(text).unwrap_or_else(MailboxName::inbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Report {
        let inbox = MailboxName::inbox();
        let mut tally = Tally::default();
        for (outcome, n) in Outcome::ALL.into_iter().zip(1..) {
            tally.add(outcome, n, n * 100);
        }
        let mut busy = Fault::new(
            Code::ServerBusy,
            Reach::Side,
            Remedy::Retry {
                after: Some(Duration::from_secs(9)),
            },
            "detail",
        )
        .on(Side::Destination)
        .server("mail.example.jp:993")
        .mailbox("受信")
        .message(Key(7));
        busy = busy.said(Said::new("NO", Some("OVERQUOTA"), "いっぱいです"));
        Report {
            mailboxes: vec![MailboxReport {
                source: MailboxName::parse(r"受信/a\/b").expect("name"),
                destination: inbox.clone(),
                scanned: 28,
                tally,
                copied_now: 1,
                octets_now: 2,
                flags_updated: 3,
                read_back: 4,
            }],
            exceptions: vec![
                Exception {
                    mailbox: inbox.clone(),
                    key: Some(Key(9)),
                    octets: Some(5),
                    head: Some("Subject: 件名\r\nFrom: 太郎 <t@example.jp>\r\n".into()),
                    outcome: Some(Outcome::FailedPermanent),
                    fault: busy.clone(),
                },
                Exception {
                    mailbox: inbox.clone(),
                    key: None,
                    octets: None,
                    head: None,
                    outcome: None,
                    fault: Fault::new(Code::MailboxRefused, Reach::Mailbox, Remedy::AskUser, ""),
                },
            ],
            notes: vec![
                Note::FlagsLost {
                    mailbox: inbox.clone(),
                    flags: "x y".into(),
                    messages: 1,
                },
                Note::Altered {
                    mailbox: inbox.clone(),
                    keys: vec![Key(1)],
                    messages: 2,
                },
                Note::DatesLost {
                    mailbox: inbox.clone(),
                    messages: 3,
                },
                Note::EpochChanged {
                    mailbox: inbox.clone(),
                    side: Side::Destination,
                },
                Note::EpochUnstable {
                    mailbox: inbox.clone(),
                    side: Side::Source,
                },
                Note::Arrived {
                    mailbox: inbox.clone(),
                    messages: 4,
                },
                Note::GoneAtSource {
                    mailbox: inbox.clone(),
                    messages: 5,
                },
                Note::FoundElsewhere {
                    mailbox: inbox,
                    found_in: MailboxName::parse("保管").expect("a name"),
                    messages: 6,
                },
            ],
            stopped: Some(busy),
            unfinished: 1,
            differences: 2,
            retries: 3,
            replaced: vec![UndoLine {
                mailbox: MailboxName::inbox(),
                removed: 1,
                touched: 2,
                only_copy: 3,
                not_replaced: 4,
            }],
            kept: [Kept::Touched, Kept::OnlyCopy, Kept::NotReplaced]
                .map(|why| KeptCopy {
                    mailbox: MailboxName::inbox(),
                    key: Key(8),
                    why,
                    head: Some("Subject: 件名\r\n".into()),
                })
                .to_vec(),
            waits: vec![Wait {
                code: Code::ServerBusy,
                side: Some(Side::Destination),
                times: 2,
                millis: 5,
            }],
            elapsed_millis: 4,
        }
    }

    #[test]
    fn a_kept_report_is_the_same_report() {
        let report = full();
        let kept = serde_json::to_string(&ReportView::from(&report)).expect("JSON");
        let view: ReportView = serde_json::from_str(&kept).expect("a view");
        assert_eq!(Report::from(&view), report);
    }
}
