//! The report as CSV (RFC 4180): one line per folder, then one per exception, per
//! reason of waiting, and per side. With a byte order mark, so that spreadsheets read
//! Japanese. Columns are only ever added, at the end.

use hikyaku_text::escape::csv_cell;
use hikyaku_view::{Connected, ExceptionView, MailboxReportView, ReportView, WaitView};

const HEADINGS: [&str; COLUMNS] = [
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
    "side",
    "times",
    "milliseconds",
    "server",
    "address",
    "certificate",
    "file",
];

const COLUMNS: usize = 24;

type Cells = [String; COLUMNS];

/// A line of which only the kind is known.
fn cells(kind: &str) -> Cells {
    let mut cells = [const { String::new() }; COLUMNS];
    kind.clone_into(&mut cells[0]);
    cells
}

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
    if report.retries > 0 {
        let mut cells = cells("retries");
        cells[18] = report.retries.to_string();
        line(&mut out, &cells);
    }
    for one in &report.waits {
        line(&mut out, &wait(one));
    }
    for one in &report.servers {
        line(&mut out, &server(one));
    }
    out
}

fn wait(view: &WaitView) -> Cells {
    let mut cells = cells("wait");
    cells[15].clone_from(&view.short);
    cells[16].clone_from(&view.code);
    cells[17] = view.side.clone().unwrap_or_default();
    cells[18] = view.times.to_string();
    cells[19] = view.millis.to_string();
    cells
}

fn server(view: &Connected) -> Cells {
    let mut cells = cells("server");
    let tls = view.tls.as_deref().unwrap_or("not encrypted");
    cells[16] = match view.pinned {
        true => format!("{tls}, pinned"),
        false => tls.to_owned(),
    };
    cells[17].clone_from(&view.side);
    cells[20].clone_from(&view.server);
    cells[21].clone_from(&view.address);
    cells[22] = view.certificate.clone().unwrap_or_default();
    cells
}

fn mailbox(view: &MailboxReportView) -> Cells {
    let outcomes = &view.outcomes;
    let mut cells = cells("folder");
    let failed = outcomes.failed_temporary.messages + outcomes.failed_permanent.messages;
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

fn exception(view: &ExceptionView) -> Cells {
    let heading = view.heading.clone().unwrap_or_default();
    let said = view.fault.said.as_ref();
    let mut cells = cells("exception");
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
    cells[23] = view.fault.file.clone().unwrap_or_default();
    cells
}

fn line(out: &mut String, cells: &[String]) {
    for (n, text) in cells.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&csv_cell(text));
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_and_sides_stand_below_the_folders() {
        let mut report = ReportView::from(&hikyaku_core::report::Report {
            retries: 3,
            waits: vec![hikyaku_core::report::Wait {
                code: hikyaku_core::Code::ServerBusy,
                side: Some(hikyaku_core::Side::Destination),
                times: 2,
                millis: 90_000,
            }],
            ..Default::default()
        });
        let source = hikyaku_core::Side::Source;
        report.servers = vec![
            Connected::new(source, "old.example.jp:993", "192.0.2.1:993")
                .encrypted("TLS 1.3", "abcd", true),
        ];
        let text = csv(&report);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "retries,,,,,,,,,,,,,,,,,,3,,,,,",
                "wait,,,,,,,,,,,,,,,L401,server.busy,destination,2,90000,,,,",
                "server,,,,,,,,,,,,,,,,\"TLS 1.3, pinned\",source,,,old.example.jp:993,192.0.2.1:993,abcd,",
            ]
        );
        assert!(
            text.lines()
                .all(|line| line.is_ascii() || line.starts_with('\u{feff}'))
        );
    }
}
