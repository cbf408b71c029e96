//! The report as CSV (RFC 4180): one line per folder, then one per exception. With a
//! byte order mark, so that spreadsheets read Japanese.

use hikyaku_view::{ExceptionView, MailboxReportView, ReportView};

const HEADINGS: [&str; 17] = [
    "kind",
    "source_folder",
    "destination_folder",
    "messages",
    "copied",
    "copied_now",
    "already_there",
    "skipped",
    "failed",
    "uid",
    "date",
    "from",
    "subject",
    "octets",
    "outcome",
    "code",
    "detail",
];

/// The whole report.
pub(crate) fn csv(report: &ReportView) -> String {
    let mut out = String::from("\u{feff}");
    line(&mut out, &HEADINGS.map(str::to_owned));
    for folder in &report.mailboxes {
        line(&mut out, &mailbox(folder));
    }
    for one in &report.exceptions {
        line(&mut out, &exception(one));
    }
    out
}

fn mailbox(view: &MailboxReportView) -> [String; 17] {
    let outcomes = &view.outcomes;
    let mut cells = [const { String::new() }; 17];
    let failed = outcomes.failed_temporary.messages + outcomes.failed_permanent.messages;
    cells[0] = "folder".to_owned();
    cells[1].clone_from(&view.source);
    cells[2].clone_from(&view.destination);
    cells[3] = view.scanned.to_string();
    cells[4] = outcomes.copied.messages.to_string();
    cells[5] = view.copied_now.to_string();
    cells[6] = outcomes.already_there.messages.to_string();
    cells[7] = outcomes.skipped.messages.to_string();
    cells[8] = failed.to_string();
    cells
}

fn exception(view: &ExceptionView) -> [String; 17] {
    let heading = view.heading.clone().unwrap_or_default();
    let said = view.fault.said.as_ref();
    let mut cells = [const { String::new() }; 17];
    cells[0] = "exception".to_owned();
    cells[1].clone_from(&view.mailbox);
    cells[9] = view.message.map(|uid| uid.to_string()).unwrap_or_default();
    cells[10] = heading.date.unwrap_or_default();
    cells[11] = heading.from.unwrap_or_default();
    cells[12] = heading.subject.unwrap_or_default();
    cells[13] = view
        .octets
        .map(|octets| octets.to_string())
        .unwrap_or_default();
    cells[14] = view.outcome.clone().unwrap_or_default();
    cells[15].clone_from(&view.short);
    cells[16] = match said {
        Some(said) => format!("{} {}", said.status, said.text),
        None => view.fault.detail.clone(),
    };
    cells
}

fn line(out: &mut String, cells: &[String]) {
    for (n, text) in cells.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&cell(text));
    }
    out.push_str("\r\n");
}

/// Quoted where it must be. A text that a spreadsheet would take for a formula gets an
/// apostrophe in front: subjects come from anybody.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = match formula {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([',', '"', '\r', '\n']) || formula {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, shown) in [
            ("a", "a"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            ("受信トレイ", "受信トレイ"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
