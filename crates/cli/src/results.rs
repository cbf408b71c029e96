//! Results for people: the plan and the report as text.

mod plan;
mod report;

pub(crate) use plan::plan;
pub(crate) use report::{Kind, report};
