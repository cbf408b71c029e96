//! Mails that were not sent but are shown: for trying the service out without a mail server.

use super::message::message;
use crate::brand::Brands;
use hikyaku_core::Fault;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{Letter, Outbox};
use std::fmt;

/// Reads what would have been sent. Clones share the store.
#[derive(Clone)]
pub struct Catcher {
    outbox: Outbox,
    brands: Brands,
}

/// A mail that would have been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Stays the same.
    pub message_id: String,
    /// Sender as the header shows it.
    pub from: String,
    /// Recipient.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Text with LF.
    pub body: String,
    /// Milliseconds since 1970 UTC.
    pub date_millis: i64,
    /// The job that it is about.
    pub job: String,
    /// What it is about, as [`super::NoticeKind::as_str`].
    pub kind: String,
    /// The octets that would have gone over the wire, as text.
    pub source: String,
}

impl Catcher {
    /// Reads the outbox of a store.
    pub fn new(store: &Store, brands: &Brands) -> Self {
        Self {
            outbox: store.outbox(),
            brands: brands.clone(),
        }
    }

    /// The mails that were caught, newest first, at most so many.
    ///
    /// # Faults
    /// Those of the store.
    pub async fn latest(&self, most: u32) -> Result<Vec<Caught>, Fault> {
        let letters = self.outbox.latest(most).await?;
        let caught = letters.into_iter().filter(|letter| letter.sent > 0);
        Ok(caught.filter_map(|letter| self.caught(letter)).collect())
    }

    fn caught(&self, letter: Letter) -> Option<Caught> {
        let mail = message(&letter, &self.brands, None).ok()?;
        let header = |name: &str| mail.headers().get_raw(name).unwrap_or_default().to_owned();
        Some(Caught {
            from: header("From"),
            source: String::from_utf8_lossy(&mail.formatted()).into_owned(),
            message_id: letter.letter.message_id,
            to: letter.letter.recipient,
            subject: letter.letter.subject,
            body: letter.letter.body,
            date_millis: letter.created,
            job: letter.letter.job,
            kind: letter.letter.kind,
        })
    }
}

impl fmt::Debug for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Catcher")
    }
}
