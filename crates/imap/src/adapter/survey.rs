//! What a person wants to know about a mailbox before it is copied: two questions that the server answers by itself.

use super::ImapAccount;
use super::opened::{Evidence, Mode, Opened, begin};
use crate::encode::{Command, Criterion, Search, SearchReturn};
use crate::machine::Takes;
use hikyaku_core::{Fault, Flag, KeySet, MailboxInfo};

/// What is remarkable about a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Messages with a deletion mark; `None` where the server does not say.
    pub deleted: Option<KeySet>,
    /// Messages of more octets than was asked about; `None` where the server does not say.
    pub larger: Option<KeySet>,
}

impl ImapAccount {
    /// Asks a mailbox, opened for reading only, for its messages with a deletion mark and for those of more than
    /// `octets`; `None` asks for no such ones. A server that does not search is no fault.
    ///
    /// # Faults
    /// As of [`hikyaku_core::traits::Source::open`].
    pub async fn survey(
        &self,
        mailbox: &MailboxInfo,
        octets: Option<u64>,
    ) -> Result<Survey, Fault> {
        loop {
            let lease = self.pool.lease().await?;
            let begun = begin(&lease, mailbox, Mode::Examine).await;
            let Some(begun) = lease.verdict(begun) else {
                continue;
            };
            let begun = begun.map_err(|fault| fault.mailbox(&mailbox.name))?;
            let opened = Opened::new(lease, mailbox, begun);
            let found = questions(&opened, octets).await;
            return found.map_err(|fault| fault.mailbox(&mailbox.name));
        }
    }
}

/// Both questions in one round trip.
async fn questions(opened: &Opened, octets: Option<u64>) -> Result<Survey, Fault> {
    let returns = || match opened.can_search_in_ranges() {
        true => vec![SearchReturn::All],
        false => Vec::new(),
    };
    let ask = |criterion| {
        let search = Command::Search(Search {
            returns: returns(),
            criteria: vec![criterion],
        });
        opened.connection().submit(&search, Takes::SEARCH)
    };
    let deleted = ask(Criterion::Has(Flag::Deleted))?;
    // No message is larger than what 32 bits can say.
    let larger = octets
        .map(|octets| ask(Criterion::Larger(u32::try_from(octets).unwrap_or(u32::MAX))))
        .transpose()?;
    let deleted = Evidence::of(opened.connection().answer(deleted).await?);
    let larger = match larger {
        Some(asked) => Evidence::of(opened.connection().answer(asked).await?),
        None => None,
    };
    Ok(Survey {
        deleted: deleted.map(Evidence::keys),
        larger: larger.map(Evidence::keys),
    })
}
