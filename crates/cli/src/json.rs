//! JSON on standard output: the contract of `hikyaku-view`, one object per line.

pub(crate) mod stored;

use crate::output::Output;
use hikyaku_core::report::Report;
use hikyaku_core::{AccountId, Event, Fault};
use hikyaku_text::escape::is_unseen;
use hikyaku_view::{Connected, FaultView, Line, ReportView};
use std::borrow::Cow;
use std::fmt::Write;

/// The first line of a command.
pub(crate) fn start(
    output: Output,
    command: &str,
    source: Option<&AccountId>,
    destination: Option<&AccountId>,
) {
    if output.json {
        let version = env!("CARGO_PKG_VERSION");
        line(output, &Line::start(command, version, source, destination));
    }
}

/// An event of a run. The report is the caller's: it knows more than the event.
pub(crate) fn event(output: Output, event: &Event) {
    if !matches!(event, Event::Done(_)) {
        line(output, &Line::from(event));
    }
}

/// The last line of a run.
pub(crate) fn report(output: Output, report: &Report, servers: &[Connected]) {
    line(output, &last(report, servers));
}

fn last(report: &Report, servers: &[Connected]) -> Line {
    Line::Report(Box::new(ReportView {
        servers: servers.to_vec(),
        ..ReportView::from(report)
    }))
}

/// Why a command ended before its end; takes the report's place.
pub(crate) fn failure(output: Output, fault: &Fault) {
    line(output, &Line::Fault(FaultView::from(fault)));
}

/// Any line.
pub(crate) fn line(output: Output, line: &Line) {
    output.result(&safe(&line.to_string()));
}

/// The same JSON with every character spelled as an escape that would act on a terminal
/// or hide something there: texts of servers are in it.
pub(crate) fn safe(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unseen) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match is_unseen(c) {
            true => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    write!(out, "\\u{unit:04x}").ok();
                }
            }
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// What the ledger keeps of a run: the same last line.
pub(crate) fn summary(result: &Result<Report, Fault>, servers: &[Connected]) -> String {
    let line = match result {
        Ok(report) => last(report, servers),
        Err(fault) => Line::Fault(FaultView::from(fault)),
    };
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_is_only_text() {
        let text = "a\u{1b}]0;x\u{7}b\u{9b}2J\u{202e}\u{e0001}\u{7f}請求書 📁 \"\\";
        let line = serde_json::json!({ "text": text }).to_string();
        let safe = safe(&line);
        assert!(!safe.contains(is_unseen), "{safe:?}");
        assert!(safe.contains("請求書 📁"), "{safe}");
        let back: serde_json::Value = serde_json::from_str(&safe).expect("JSON");
        assert_eq!(back["text"], text);
        assert!(matches!(super::safe("{\"a\":1}"), Cow::Borrowed(_)));
    }
}
