//! What holds whatever a file of Outlook Express contains.

use std::io::Write;
use std::ops::ControlFlow;

use super::OutlookExpress;
use crate::store::{Found, Start, Store};
use crate::text::Text;

/// Reads everything of a file: keys are dense, no panic, no end missing.
///
/// # Panics
/// Where a property does not hold.
#[allow(clippy::expect_used)]
pub(crate) fn dbx(octets: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(octets).expect("room for it");
    let Ok(store) = OutlookExpress::open(file.path(), 0) else {
        return;
    };
    for folder in store.folders().expect("held") {
        let mut key = 0;
        let mut messages = Vec::new();
        let scanned = store.scan(&folder, Start::BEGINNING, &mut |found| {
            key += 1;
            assert_eq!(found.key().0, key);
            if let Found::Message(item) = found {
                messages.push(item);
            }
            ControlFlow::Continue(())
        });
        if scanned.is_err() {
            continue;
        }
        for item in messages {
            let text = store.open(&folder, &item).and_then(Text::whole);
            // A chain ends inside the file: it cannot be longer than all of it, apart
            // from line ends.
            assert!(text.map_or(0, |t| t.len()) <= octets.len() * 2);
        }
    }
}
