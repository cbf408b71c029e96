//! What holds whatever the files of a profile contain.

use super::{mork, prefs};

/// The cells of a database: together not much larger than the database itself.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn mork(input: &[u8]) {
    let wanted = ["flags", "folderName", "storeToken", "keywords"];
    let rows = mork::rows(input, &wanted);
    let mut octets = 0;
    for (_, row) in rows {
        for (column, value) in row {
            assert!(wanted.contains(&column));
            octets += value.len();
        }
    }
    assert!(octets <= 8 * input.len(), "{octets} of {}", input.len());
}

/// The accounts in the preferences: no more than they name, and none outside the profile.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn prefs(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut octets = 0;
    for account in prefs::accounts(&text) {
        for level in &account.directory {
            assert!(!level.is_empty() && level != ".." && !level.contains('\\'));
            octets += level.len();
        }
        octets += account.name.len() + account.kind.len();
    }
    assert!(octets <= 2 * text.len(), "{octets} of {}", text.len());
}
