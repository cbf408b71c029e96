//! JSON on standard output: the contract of `hikyaku-view`, one object per line.

pub(crate) mod stored;

use crate::output::Output;
use hikyaku_core::report::Report;
use hikyaku_core::{AccountId, Event, Fault};
use hikyaku_view::{FaultView, Line, ReportView};

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

/// An event of a run. The last one is the report.
pub(crate) fn event(output: Output, event: &Event) {
    line(output, &Line::from(event));
}

/// Why a command ended before its end; takes the report's place.
pub(crate) fn failure(output: Output, fault: &Fault) {
    line(output, &Line::Fault(FaultView::from(fault)));
}

/// Any line.
pub(crate) fn line(output: Output, line: &Line) {
    output.result(&line.to_string());
}

/// What the ledger keeps of a run: the same last line.
pub(crate) fn summary(result: &Result<Report, Fault>) -> String {
    let line = match result {
        Ok(report) => Line::Report(Box::new(ReportView::from(report))),
        Err(fault) => Line::Fault(FaultView::from(fault)),
    };
    line.to_string()
}
