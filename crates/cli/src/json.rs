//! JSON on standard output: one object per event, the report last.

use crate::output::Output;
use hikyaku_core::plan::Plan;
use hikyaku_core::report::Report;
use hikyaku_core::{Event, Fault};

/// Writes an event.
pub(crate) fn event(event: &Event, output: Output) {
    let _ = (event, output);
}

/// Writes the plan.
pub(crate) fn plan(plan: &Plan, output: Output) {
    let _ = (plan, output);
}

/// Writes the report, the last object of a run.
pub(crate) fn report(report: &Report, run: &str, output: Output) {
    let _ = (report, run, output);
}

/// What the ledger keeps of a run.
pub(crate) fn summary(result: &Result<Report, Fault>, run: &str) -> String {
    let _ = (result, run);
    String::new()
}
