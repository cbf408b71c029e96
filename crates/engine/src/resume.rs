//! A source whose epoch is another one because it grew: the old numbering goes on.

use crate::run::Run;
use hikyaku_core::ledger::Pairing;
use hikyaku_core::traits::Reader;
use hikyaku_core::{Epoch, Fault, Key, MailboxState};

/// Lets the reader go on under the epoch of the checkpoint, where it can: then only what
/// came behind it is new. What it went on from, if it did.
///
/// # Errors
/// The ledger cannot be read, or the source fails.
pub(crate) async fn resume(
    run: &Run,
    pairing: &Pairing,
    reader: &mut dyn Reader,
) -> Result<Option<MailboxState>, Fault> {
    let Some(earlier) = pairing.checkpoint.as_ref().map(|c| c.source) else {
        return Ok(None);
    };
    let (Some(epoch), Some(next)) = (earlier.epoch.filter(|e| e.0 != 0), earlier.next) else {
        return Ok(None);
    };
    if reader.state().epoch == Some(epoch) {
        return Ok(None);
    }
    // The mailbox may have been longer once, and then another one: records beyond the
    // checkpoint would claim keys that new messages get now.
    let last = Key(next.0.saturating_sub(1));
    let beyond = run.ledger.known(pairing.id, epoch, Some(last), 1).await?;
    if !beyond.is_empty() {
        return Ok(None);
    }
    Ok(reader.resume(&earlier).await?.then_some(earlier))
}

/// The epoch of an open mailbox; zero where its keys mean nothing later.
pub(crate) fn epoch(reader: &dyn Reader) -> Epoch {
    reader.state().epoch.unwrap_or(Epoch(0))
}
