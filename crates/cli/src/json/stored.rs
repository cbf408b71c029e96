//! The way back: from the line that the ledger keeps to what it tells.

use hikyaku_core::Fault;
use hikyaku_view::{BackupView, Line, ReportView, UndoReportView};

/// How a run ended, as it was kept.
#[derive(Debug)]
pub(crate) enum Stored {
    /// With a report.
    Report(Box<ReportView>),
    /// Copies were taken back.
    Undo(Box<UndoReportView>),
    /// A backup was compared with its own list.
    Backup(Box<BackupView>),
    /// Before it could start.
    Fault(Fault),
    /// Not at all, or in words of another version.
    Nothing,
}

/// Reads what [`super::summary`] wrote.
pub(crate) fn read(summary: &str) -> Stored {
    match serde_json::from_str(summary) {
        Ok(Line::Report(view)) => Stored::Report(view),
        Ok(Line::UndoReport(view)) => Stored::Undo(view),
        Ok(Line::Backup(view)) => Stored::Backup(Box::new(view)),
        Ok(Line::Fault(view)) => Stored::Fault(Fault::from(&view)),
        _ => Stored::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::report::Report;
    use hikyaku_core::undo::{Kept, KeptCopy, UndoLine, UndoReport};
    use hikyaku_core::{Code, Key, MailboxName, Reach, Remedy};

    #[test]
    fn a_kept_report_is_the_same_report() {
        let report = Report {
            retries: 3,
            elapsed_millis: 4,
            ..Report::default()
        };
        let kept = super::super::summary(&Ok(report.clone()), &[]);
        let Stored::Report(view) = read(&kept) else {
            panic!("{kept}");
        };
        assert_eq!(Report::from(&*view), report);
    }

    #[test]
    fn what_was_taken_back_is_told_again() {
        let mailbox = MailboxName::inbox();
        let report = UndoReport {
            lines: vec![UndoLine {
                removed: 3,
                touched: 1,
                ..UndoLine::of(&mailbox)
            }],
            kept: vec![KeptCopy {
                mailbox,
                key: Key(7),
                why: Kept::Touched,
                head: None,
            }],
            stopped: None,
            elapsed_millis: 4,
        };
        let kept = Line::UndoReport(Box::new(UndoReportView::from(&report))).to_string();
        let Stored::Undo(view) = read(&kept) else {
            panic!("{kept}");
        };
        assert_eq!(UndoReport::from(&*view), report);
    }

    #[test]
    fn faults_and_nonsense_are_told_apart() {
        let fault = Fault::new(Code::LoginRejected, Reach::Side, Remedy::AskUser, "x");
        let kept = super::super::summary(&Err(fault.clone()), &[]);
        assert!(matches!(read(&kept), Stored::Fault(kept) if kept == fault));
        assert!(matches!(read(""), Stored::Nothing));
        assert!(matches!(read("{\"type\":\"future\"}"), Stored::Nothing));
    }
}
