//! Results for people: the plan and the report as text.

mod csv;
mod plan;
mod report;

pub(crate) use csv::csv;
pub(crate) use plan::plan;
pub(crate) use report::{Kind, report};
