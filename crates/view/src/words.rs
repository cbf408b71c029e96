//! The words that stand for the variants of `core`: `snake_case`, and stable.

use hikyaku_core::event::Phase;
use hikyaku_core::policy::SkipRule;
use hikyaku_core::report::Outcome;
use hikyaku_core::undo::Kept;
use hikyaku_core::{Reach, Remedy, Role, Side};

pub(crate) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Scan => "scan",
        Phase::Plan => "plan",
        Phase::Transfer => "transfer",
        Phase::Verify => "verify",
        Phase::Undo => "undo",
    }
}

pub(crate) fn kept(why: Kept) -> &'static str {
    match why {
        Kept::Touched => "touched",
        Kept::OnlyCopy => "only_copy",
        Kept::NotReplaced => "not_replaced",
    }
}

pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

pub(crate) fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Message => "message",
        Reach::Mailbox => "mailbox",
        Reach::Side => "side",
        Reach::Job => "job",
    }
}

pub(crate) fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Retry { .. } => "retry",
        Remedy::AskUser => "ask_user",
        Remedy::Skip => "skip",
        Remedy::Bug => "bug",
    }
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Inbox => "inbox",
        Role::Sent => "sent",
        Role::Drafts => "drafts",
        Role::Archive => "archive",
        Role::Junk => "junk",
        Role::Trash => "trash",
        Role::All => "all",
        Role::Flagged => "flagged",
        Role::Important => "important",
    }
}

pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Copied => "copied",
        Outcome::AlreadyThere => "already_there",
        Outcome::Skipped => "skipped",
        Outcome::FailedTemporary => "failed_temporary",
        Outcome::FailedPermanent => "failed_permanent",
        Outcome::Vanished => "vanished",
        Outcome::RemovedAtDestination => "removed_at_destination",
    }
}

pub(crate) fn rule(rule: SkipRule) -> &'static str {
    match rule {
        SkipRule::NotSelected => "not_selected",
        SkipRule::Excluded => "excluded",
        SkipRule::View => "view",
        SkipRule::NotSelectable => "not_selectable",
        SkipRule::Date => "date",
        SkipRule::Size => "size",
    }
}

/// A moment as ISO 8601 in UTC.
pub(crate) fn moment(unix_millis: i64) -> String {
    let date = hikyaku_core::InternalDate::utc(unix_millis.div_euclid(1000));
    date.to_string().replace("+00:00", "Z")
}
