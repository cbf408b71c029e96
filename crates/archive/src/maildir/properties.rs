//! What holds whatever stands beside the messages of a Maildir, or in their names.

use super::name::{MessageName, keywords, levels};
use super::subscriptions;
use super::uidlist::UidList;

/// Dovecot's list of UIDs: what it tells of a file is a UID.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn uid_list(input: &[u8]) {
    let Some(list) = UidList::parse(input) else {
        return;
    };
    assert!(list.validity > 0);
    for line in String::from_utf8_lossy(input).lines() {
        let name = line.rsplit_once(':').map_or(line, |(_, name)| name);
        assert_ne!(list.uid(MessageName::of(name).base), Some(0));
    }
}

/// The name of a message's file or of a folder, and below it Dovecot's list of keywords.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn names(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (first, list) = text.split_once('\n').unwrap_or((&text, ""));
    let told = MessageName::of(first);
    assert!(first.starts_with(told.base));
    let words = keywords(list.as_bytes());
    assert!(words.keys().all(|letter| *letter < 26));
    let _facts = (told.flags(&words), told.octets(), told.delivered());
    // Three octets of UTF-8 at most for each letter that codes them.
    let decoded: usize = levels(first).iter().map(String::len).sum();
    assert!(decoded <= 3 * first.len());
}

/// Which folders are subscribed: each has a level.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn subscribed(input: &[u8]) {
    let folders = subscriptions::parse(input);
    assert!(folders.iter().all(|levels| !levels.is_empty()));
}
