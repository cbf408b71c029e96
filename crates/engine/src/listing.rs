//! Lists of keys that contradict what the server said a moment before.

use hikyaku_core::{Code, Fault, KeySet, MailboxState, Reach, Remedy, Side};

/// The fault when a mailbox lists fewer messages than it said that it holds. Messages may
/// have been removed in between: then the next look agrees.
pub(crate) fn contradiction(state: MailboxState, keys: &KeySet, side: Side) -> Option<Fault> {
    let (listed, said) = (keys.len(), state.messages);
    let fault = || {
        Fault::new(
            Code::MailboxListing,
            Reach::Mailbox,
            Remedy::Retry { after: None },
            format!("{said} messages are there, and {listed} are listed"),
        )
        .on(side)
    };
    (listed < said).then(fault)
}
