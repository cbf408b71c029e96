//! The mails that tell people how their job went.
//!
//! The recipient is unconfirmed: texts are fixed, with the brand's words, the job's counts and sentences of the catalogue
//! in them, never a server's or a message's words.
//!
//! ```text
//!  worker ── render ──► outbox (a row, in the transaction that ends the job)
//!                          │
//!                       Sender ──► Relay (SMTP) or Catcher (a page, for trying out)
//! ```
//!
//! A row has one Message-ID for ever: whoever gets a mail twice after a crash can tell that it is one.

mod careful;
mod catcher;
mod message;
mod relay;
mod render;
mod sender;
mod template;

pub use catcher::{Catcher, Caught};
pub use relay::{Patience, Refusal, Relay};
pub use render::{Rendered, render};
pub use sender::{Delivery, Sender};
pub use template::{NoTemplate, Place, Template};

use crate::brand::Brand;
use crate::job::{Job, JobId};
use hikyaku_core::InternalDate;
use hikyaku_ledger::service::NewLetter;
use hikyaku_text::notice::Moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The order was received; only where the brand wants this mail.
    Accepted,
    /// Every message is accounted for.
    Success,
    /// Finished; some messages are named that were not copied.
    Partly,
    /// The person has to change something.
    Failure,
    /// Nothing happens for more than twelve hours.
    Waiting,
    /// The password or token that had worked no longer does.
    SignInAgain,
    /// Ended by the person.
    Cancelled,
    /// What was copied has been taken away again.
    Undone,
    /// The run that was to begin by itself did not within its time.
    Expired,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [NoticeKind; 9] = [
        NoticeKind::Accepted,
        NoticeKind::Success,
        NoticeKind::Partly,
        NoticeKind::Failure,
        NoticeKind::Waiting,
        NoticeKind::SignInAgain,
        NoticeKind::Cancelled,
        NoticeKind::Undone,
        NoticeKind::Expired,
    ];

    /// Its name in rows and files.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Accepted => "accepted",
            NoticeKind::Success => "success",
            NoticeKind::Partly => "partly",
            NoticeKind::Failure => "failure",
            NoticeKind::Waiting => "waiting",
            NoticeKind::SignInAgain => "sign_in_again",
            NoticeKind::Cancelled => "cancelled",
            NoticeKind::Undone => "undone",
            NoticeKind::Expired => "expired",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where mails lead, and the zone that their times are told in.
#[derive(Clone, Debug)]
pub struct Links {
    base: String,
    zone: TimeZone,
}

impl Links {
    /// Links below the page's address, such as `https://copy.example.jp`; times in the system's zone.
    pub fn new(public_url: &str) -> Self {
        Self {
            base: public_url.trim_end_matches('/').to_owned(),
            zone: TimeZone::system(),
        }
    }

    /// The same with times in another zone.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// A job's page.
    pub fn job(&self, id: JobId) -> String {
        format!("{}/jobs/{id}", self.base)
    }

    /// A job's report.
    pub fn report(&self, id: JobId) -> String {
        format!("{}/jobs/{id}/report", self.base)
    }

    /// A moment (milliseconds since 1970 UTC) for a sentence.
    pub(crate) fn moment(&self, millis: i64) -> Moment {
        let seconds = millis.div_euclid(1000);
        let offset = Timestamp::from_second(seconds).map_or(0, |at| {
            let offset = self.zone.to_offset(at).seconds() / 60;
            i16::try_from(offset).unwrap_or(0)
        });
        Moment(InternalDate {
            seconds,
            offset_minutes: offset,
        })
    }

    /// The domain of Message-IDs.
    fn domain(&self) -> &str {
        let rest = self.base.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split([':', '/']).next().unwrap_or_default();
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        match !host.is_empty() && host.bytes().all(fits) {
            true => host,
            false => "localhost",
        }
    }
}

/// The mail about a job as it goes into the outbox; `None` where the brand does not want this kind.
///
/// `key` tells mails of one kind about one job apart, such as the waits of a long one; with the same key it is the same
/// mail, which the outbox takes once.
pub fn letter(
    brand: &Brand,
    job: &Job,
    kind: NoticeKind,
    key: &str,
    links: &Links,
) -> Option<NewLetter> {
    if kind == NoticeKind::Accepted && !brand.notices.accepted {
        return None;
    }
    let rendered = render(brand, job, kind, links);
    // The job's identity stands in addresses of its pages; a mail without links does not need to tell it.
    let digest = Sha256::digest(format!("{} {} {key}", job.id, kind.as_str()).as_bytes());
    let name: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
    Some(NewLetter {
        message_id: format!("<{name}@{}>", links.domain()),
        tenant: brand.id.clone(),
        job: job.id.to_string(),
        kind: kind.as_str().to_owned(),
        recipient: rendered.to,
        subject: rendered.subject,
        body: rendered.body,
    })
}

#[cfg(test)]
mod tests;
