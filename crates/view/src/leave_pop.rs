//! The way out of POP.

use serde::{Deserialize, Serialize};

/// A step begins, or needs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// `backup`, `check`, `copy`, `verify` or `retire`.
    pub step: String,
    /// Which one, from 1.
    pub number: u64,
    /// How many there are.
    pub of: u64,
    /// The source that is worked on; absent where the step is about all of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// `begins`; `earlier` where an earlier run finished it and nothing has changed since; `own`
    /// where the person did it.
    pub state: String,
}

/// How far a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEndView {
    /// Which.
    pub source: String,
    /// Whether every message of it was found at the destination.
    pub may_retire: bool,
    /// Messages that it shows.
    pub messages: u64,
    /// Those of them that no earlier source had and that hikyaku brought, in all runs.
    pub copied: u64,
    /// Those that were not found at the destination; absent where the comparison did not end.
    pub missing: Option<u64>,
}

/// How far the way is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeavePopView {
    /// Whether every source may be given up.
    pub complete: bool,
    /// One per source, in the order of work.
    pub sources: Vec<SourceEndView>,
}
