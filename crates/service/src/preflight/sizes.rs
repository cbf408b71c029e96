//! Messages that are too big, and those with a deletion mark: what the person wants to know of before it is copied.
//!
//! The servers are asked for a while and not longer; the copy itself looks at every message anyway and names what it
//! leaves out.

use super::board::Board;
use crate::job::{CheckStep, TooBig};
use crate::origin::Opened;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use hikyaku_core::plan::{MailboxPlan, Plan, Step};
use hikyaku_core::traits::Facts;
use hikyaku_core::{Fault, KeySet, MailboxInfo};
use hikyaku_imap::Survey;
use hikyaku_view::Heading;
use std::time::Duration;

/// How long the servers are asked.
const LONG_ENOUGH: Duration = Duration::from_secs(20);

/// Mailboxes that are asked at once.
const AT_ONCE: usize = 3;

/// Most messages that are listed; all are counted.
const MOST_LISTED: usize = 1_000;

/// Of so many the subject is shown, too.
const MOST_HEADINGS: usize = 50;

/// What one mailbox holds.
struct Found {
    place: usize,
    deleted: u64,
    larger: KeySet,
}

/// Asks every mailbox that is copied. `limit` is the largest message in octets that is.
pub(super) async fn look(source: &Opened, plan: &Plan, limit: Option<u64>, board: &Board<'_>) {
    board.begin(CheckStep::Sizes);
    let asking = ask(source, plan, limit, board);
    match tokio::time::timeout(LONG_ENOUGH, asking).await {
        Ok(true) => board.good(CheckStep::Sizes),
        // Messages that are too big are left out: worth a look. So is what could not be asked.
        Ok(false) | Err(_) => board.notable(CheckStep::Sizes, None),
    }
}

/// Whether everything could be asked and nothing is too big.
async fn ask(source: &Opened, plan: &Plan, limit: Option<u64>, board: &Board<'_>) -> bool {
    let lines: Vec<&MailboxPlan> = plan.mailboxes.iter().filter(|line| is_work(line)).collect();
    let questions: Vec<BoxFuture<'_, Result<Found, Fault>>> = lines
        .iter()
        .enumerate()
        .map(|(place, line)| survey(source, &line.source, limit, place).boxed())
        .collect();
    let mut asked = futures::stream::iter(questions).buffer_unordered(AT_ONCE);
    let (mut is_complete, mut large) = (true, Vec::new());
    while let Some(found) = asked.next().await {
        match found {
            Ok(found) => {
                let count = found.larger.len();
                board.change(|checked| {
                    checked.deletion_marks += found.deleted;
                    checked.too_big_count += count;
                });
                if count > 0 {
                    large.push(found);
                }
            }
            // The copy names what is wrong with a mailbox.
            Err(fault) => {
                tracing::debug!(%fault, "a mailbox could not be asked for sizes");
                is_complete = false;
            }
        }
    }
    drop(asked);
    large.sort_by_key(|found| found.place);
    let mut listed: Vec<TooBig> = Vec::new();
    for found in &large {
        let mailbox = &lines[found.place].source;
        let room = MOST_LISTED.saturating_sub(listed.len());
        match list(source, mailbox, &found.larger, room, listed.len()).await {
            Ok(some) => listed.extend(some),
            Err(fault) => tracing::debug!(%fault, "large messages could not be listed"),
        }
    }
    board.change(|checked| checked.too_big = listed);
    is_complete && large.is_empty()
}

fn is_work(line: &MailboxPlan) -> bool {
    let holds_mail = line.source.state.is_none_or(|state| state.messages > 0);
    matches!(line.step, Step::Copy { .. }) && holds_mail
}

/// A mailbox that is no larger than the limit as a whole holds nothing larger.
fn may_exceed(mailbox: &MailboxInfo, limit: u64) -> bool {
    let octets = mailbox.state.and_then(|state| state.octets);
    octets.is_none_or(|octets| octets > limit)
}

async fn survey(
    source: &Opened,
    mailbox: &MailboxInfo,
    limit: Option<u64>,
    place: usize,
) -> Result<Found, Fault> {
    let limit = limit.filter(|limit| may_exceed(mailbox, *limit));
    // Only IMAP can be asked for both without a list of everything.
    let found = match &source.imap {
        Some(imap) => imap.survey(mailbox, limit).await?,
        None => Survey {
            deleted: None,
            larger: None,
        },
    };
    let larger = match (limit, found.larger) {
        (None, _) => KeySet::new(),
        (Some(_), Some(larger)) => larger,
        // The server does not search: its list tells.
        (Some(limit), None) => by_listing(source, mailbox, limit).await?,
    };
    Ok(Found {
        place,
        deleted: found.deleted.map_or(0, |keys| keys.len()),
        larger,
    })
}

const OCTETS: Facts = Facts {
    flags: false,
    date: false,
    octets: true,
    head: false,
};

async fn by_listing(source: &Opened, mailbox: &MailboxInfo, limit: u64) -> Result<KeySet, Fault> {
    let mut reader = source.source.open(mailbox).await?;
    let keys = reader.keys().await?;
    let mut larger = KeySet::new();
    let mut listing = reader.list(&keys, OCTETS);
    while let Some(listed) = listing.next().await {
        if let Ok(listed) = listed
            && listed.octets.is_some_and(|octets| octets > limit)
        {
            larger.insert(listed.key);
        }
    }
    Ok(larger)
}

/// Names messages: at most `room`, with headings as long as fewer than [`MOST_HEADINGS`] have one.
async fn list(
    source: &Opened,
    mailbox: &MailboxInfo,
    keys: &KeySet,
    room: usize,
    already: usize,
) -> Result<Vec<TooBig>, Fault> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let keys: KeySet = keys.iter().take(room).collect();
    let mut reader = source.source.open(mailbox).await?;
    let mut listed = Vec::new();
    let mut listing = reader.list(&keys, OCTETS);
    while let Some(one) = listing.next().await {
        // One message that is not told of is one line less.
        if let Ok(one) = one {
            listed.push(TooBig {
                mailbox: mailbox.name.to_string(),
                key: one.key.0,
                octets: one.octets.unwrap_or_default(),
                heading: None,
            });
        }
    }
    drop(listing);
    let headings = MOST_HEADINGS.saturating_sub(already);
    for one in listed.iter_mut().take(headings) {
        let head = reader.head(hikyaku_core::Key(one.key)).await?;
        one.heading = head.map(|head| Heading::of(&head));
    }
    Ok(listed)
}
