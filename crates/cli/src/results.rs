//! Results for people: the plan and the report as text.

mod csv;
mod plan;
mod report;
mod undo;

pub(crate) use csv::csv;
pub(crate) use plan::plan;
pub(crate) use report::{Kind, report};
pub(crate) use undo::{undo_plan, undo_report};
