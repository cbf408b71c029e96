//! The scenarios, in the order in which they are measured and shown.

use super::scene::{Line, Place, Profile};
use super::tools::Tool;

/// A scenario and what hikyaku should reach in it.
#[derive(Debug)]
pub(super) struct Row {
    /// What a person types.
    pub(super) name: &'static str,
    /// What a person reads.
    pub(super) title: &'static str,
    pub(super) profile: Profile,
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) line: Line,
    pub(super) must: Target,
    pub(super) aim: Target,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everything is copied to an empty account.
    First,
    /// Everything has been copied and nothing has changed.
    Again,
    /// Everything has been copied; then mail came, went, and was read.
    Changed,
}

/// A figure to reach.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// At most so many times the time of another program in the same row.
    Times(f64, Tool),
    /// At most so many seconds; the second part says why.
    Seconds(f64, &'static str),
    /// As fast as in another row: at most a quarter, or 20 ms, more.
    SameAs(&'static str),
}

/// All rows. `again` rows come after the `first-copy` rows whose accounts they go on with.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "first-copy",
        title: "first copy, 10,000 messages, 634 MB, ram",
        profile: Profile::Office,
        kind: Kind::First,
        place: Place::Ram,
        line: Line::Direct,
        must: Target::Times(0.5, Tool::Mbsync),
        aim: Target::Times(1.25, Tool::Limit),
    },
    Row {
        name: "first-copy-disk",
        title: "same, destination on disk with fsync",
        profile: Profile::Office,
        kind: Kind::First,
        place: Place::Disk,
        line: Line::Direct,
        must: Target::Times(0.4, Tool::Mbsync),
        aim: Target::Times(0.8, Tool::Dsync),
    },
    Row {
        name: "again",
        title: "run again, nothing new",
        profile: Profile::Office,
        kind: Kind::Again,
        place: Place::Ram,
        line: Line::Direct,
        must: Target::Times(1.0, Tool::Mbsync),
        aim: Target::Seconds(0.03, ""),
    },
    Row {
        name: "again-changed",
        title: "run again, 100 new, 50 flags, 10 gone",
        profile: Profile::Office,
        kind: Kind::Changed,
        place: Place::Ram,
        line: Line::Direct,
        must: Target::Times(0.7, Tool::Mbsync),
        aim: Target::Seconds(0.15, ""),
    },
    Row {
        name: "first-copy-long",
        title: "first copy, 1,000 messages, 52 MB, long",
        profile: Profile::Modest,
        kind: Kind::First,
        place: Place::Ram,
        line: Line::Long,
        must: Target::Times(0.4, Tool::Mbsync),
        aim: Target::Times(1.15, Tool::Limit),
    },
    Row {
        name: "again-long",
        title: "again, long, 20 mailboxes",
        profile: Profile::Modest,
        kind: Kind::Again,
        place: Place::Ram,
        line: Line::Long,
        must: Target::Times(0.4, Tool::Mbsync),
        aim: Target::Seconds(0.4, "8 round trips"),
    },
    Row {
        name: "first-copy-many",
        title: "first copy, 100,000 × 2 KB, ram",
        profile: Profile::Many,
        kind: Kind::First,
        place: Place::Ram,
        line: Line::Direct,
        must: Target::Times(0.6, Tool::Dsync),
        aim: Target::Times(1.25, Tool::Limit),
    },
    Row {
        name: "again-many",
        title: "again, 100,000",
        profile: Profile::Many,
        kind: Kind::Again,
        place: Place::Ram,
        line: Line::Direct,
        must: Target::Times(0.5, Tool::Mbsync),
        aim: Target::SameAs("again"),
    },
    Row {
        name: "large",
        title: "20 messages of 50–95 MB, 1.4 GB",
        profile: Profile::Large,
        kind: Kind::First,
        place: Place::Ram,
        line: Line::Direct,
        must: Target::Times(0.7, Tool::Mbsync),
        aim: Target::Times(1.25, Tool::Limit),
    },
];

/// Peak memory that hikyaku must not pass in any row, and the aim, in octets.
pub(super) const MEMORY: (u64, u64) = (48_000_000, 32_000_000);
