//! Differences between what should have arrived and what did, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{AccountSnapshot, MailboxSnapshot, MessageSnapshot};

/// From a mailbox of the source to its levels at the destination, or `None`.
pub type NameMap<'a> = Box<dyn Fn(&MailboxSnapshot) -> Option<Vec<String>> + 'a>;

/// From a message of the source to what the destination makes of it, or `None`.
pub type Rewrite<'a> =
    Box<dyn Fn(&MailboxSnapshot, &MessageSnapshot) -> Option<MessageSnapshot> + 'a>;

/// Which differences are right between these two servers.
///
/// [`CompareOptions::default`] allows none: the same levels, octets, flags, dates, order and subscriptions.
pub struct CompareOptions<'a> {
    /// The levels under which a mailbox should be found at the destination; `None` when it should not be there.
    pub map_name: NameMap<'a>,
    /// What the destination makes of a message; `None` when it refuses it.
    pub rewrite: Rewrite<'a>,
    /// Whether a mailbox that only the destination has is right, as one that every account is born with.
    pub may_be_extra: Box<dyn Fn(&MailboxSnapshot) -> bool + 'a>,
    /// Whether subscriptions are compared.
    pub subscriptions: bool,
    /// Whether messages must stand in the same order.
    pub order: bool,
}

impl Default for CompareOptions<'_> {
    fn default() -> Self {
        Self {
            map_name: Box::new(|mailbox| Some(mailbox.levels.clone())),
            rewrite: Box::new(|_, message| Some(message.clone())),
            may_be_extra: Box::new(|_| false),
            subscriptions: true,
            order: true,
        }
    }
}

impl fmt::Debug for CompareOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareOptions")
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// Compares by multisets, mailbox by mailbox, and returns one sentence for each difference; none means equal.
///
/// UIDs, UIDVALIDITY and `\Recent` are not compared. Mailboxes that cannot hold messages need not exist at the
/// destination, but what is below them must.
pub fn compare(
    expected: &AccountSnapshot,
    actual: &AccountSnapshot,
    options: &CompareOptions<'_>,
) -> Vec<String> {
    let mut differences = Vec::new();
    let mut wanted: BTreeMap<Vec<String>, Vec<MessageSnapshot>> = BTreeMap::new();
    let mut subscribed: BTreeMap<Vec<String>, bool> = BTreeMap::new();
    let mut unselectable = BTreeSet::new();
    for mailbox in expected.mailboxes.values() {
        let Some(levels) = (options.map_name)(mailbox) else {
            continue;
        };
        if mailbox.is_selectable() {
            let messages = mailbox
                .messages
                .iter()
                .filter_map(|message| (options.rewrite)(mailbox, message));
            wanted.entry(levels.clone()).or_default().extend(messages);
            *subscribed.entry(levels).or_default() |= mailbox.subscribed;
        } else {
            unselectable.insert(levels);
        }
    }
    let mut found: BTreeMap<&[String], &MailboxSnapshot> = BTreeMap::new();
    for mailbox in actual.mailboxes.values() {
        if let Some(twin) = found.insert(&mailbox.levels, mailbox) {
            differences.push(format!(
                "{} is listed twice, also as {}",
                show(&mailbox.levels),
                twin.wire.escape_ascii()
            ));
        }
    }
    for (levels, messages) in &wanted {
        match found.get(levels.as_slice()) {
            None => differences.push(format!(
                "{} ({} messages) is missing",
                show(levels),
                messages.len()
            )),
            Some(mailbox) if !mailbox.is_selectable() => {
                differences.push(format!("{} cannot be selected", show(levels)));
            }
            Some(mailbox) => {
                compare_messages(
                    &show(levels),
                    messages,
                    &mailbox.messages,
                    options.order,
                    &mut differences,
                );
                let should_be = subscribed.get(levels).copied().unwrap_or(false);
                if options.subscriptions && should_be != mailbox.subscribed {
                    let is = if mailbox.subscribed { "is" } else { "is not" };
                    differences.push(format!("{} {is} subscribed, which is wrong", show(levels)));
                }
            }
        }
    }
    for (levels, mailbox) in found {
        let known = wanted.contains_key(levels) || unselectable.contains(levels);
        // A server without phantom parents has to create them as mailboxes or list them as not selectable.
        let parent = wanted
            .keys()
            .chain(&unselectable)
            .any(|below| below.len() > levels.len() && below.starts_with(levels));
        let harmless = known || (parent && mailbox.messages.is_empty());
        if !harmless && !(options.may_be_extra)(mailbox) {
            differences.push(format!(
                "{} ({} messages) was not expected",
                show(levels),
                mailbox.messages.len()
            ));
        }
    }
    differences
}

fn compare_messages(
    name: &str,
    expected: &[MessageSnapshot],
    actual: &[MessageSnapshot],
    order: bool,
    differences: &mut Vec<String>,
) {
    let mut left: Vec<&MessageSnapshot> = actual.iter().collect();
    let mut by_content: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
    for (index, message) in actual.iter().enumerate() {
        by_content
            .entry(message.content.sha256())
            .or_default()
            .push(index);
    }
    let mut taken = vec![false; actual.len()];
    let mut unmatched = Vec::new();
    let mut places = Vec::new();
    for message in expected {
        let candidates = by_content
            .get(&message.content.sha256())
            .map(Vec::as_slice)
            .unwrap_or_default();
        match candidates
            .iter()
            .find(|index| !taken[**index] && alike(message, &actual[**index]))
        {
            Some(index) => {
                taken[*index] = true;
                places.push(*index);
            }
            None => unmatched.push(message),
        }
    }
    if order && unmatched.is_empty() && !places.is_sorted() {
        differences.push(format!("{name}: the messages are not in their order"));
    }
    for message in unmatched {
        // The same octets with other flags or another date are one wrong message, not one missing and one too many.
        let twin = by_content
            .get(&message.content.sha256())
            .and_then(|candidates| candidates.iter().copied().find(|index| !taken[*index]));
        match twin {
            Some(index) => {
                taken[index] = true;
                differences.push(format!(
                    "{name}: UID {} should be {}, but is {}",
                    actual[index].uid,
                    describe(message),
                    describe(&actual[index])
                ));
            }
            None => differences.push(format!(
                "{name}: missing: {} {:?}",
                describe(message),
                message.content
            )),
        }
    }
    left.retain({
        let mut index = 0;
        move |_| {
            index += 1;
            !taken[index - 1]
        }
    });
    for message in left {
        differences.push(format!(
            "{name}: UID {} is one too many: {} {:?}",
            message.uid,
            describe(message),
            message.content
        ));
    }
}

fn alike(expected: &MessageSnapshot, actual: &MessageSnapshot) -> bool {
    expected.flags == actual.flags
        && expected.internal_date == actual.internal_date
        && expected.content == actual.content
}

fn describe(message: &MessageSnapshot) -> String {
    let flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
    format!(
        "({}) of {}",
        flags.join(" "),
        super::date::format(message.internal_date).trim_start()
    )
}

fn show(levels: &[String]) -> String {
    levels.join(" / ")
}

#[cfg(test)]
mod tests {
    use super::super::{AccountSnapshot, Content, MailboxSnapshot, MessageSnapshot};
    use super::{CompareOptions, compare};

    fn message(uid: u32, text: &str, flags: &[&str], internal_date: i64) -> MessageSnapshot {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        MessageSnapshot {
            uid,
            flags,
            internal_date,
            content: Content::from(text.as_bytes()),
        }
    }

    fn account(mailboxes: &[(&str, bool, &[MessageSnapshot])]) -> AccountSnapshot {
        let mailbox = |(name, subscribed, messages): &(&str, bool, &[MessageSnapshot])| {
            let mailbox = MailboxSnapshot {
                wire: name.as_bytes().to_vec(),
                name: (*name).to_owned(),
                levels: name.split('/').map(str::to_owned).collect(),
                attributes: Default::default(),
                subscribed: *subscribed,
                uid_validity: 1,
                uid_next: 100,
                messages: messages.to_vec(),
            };
            (mailbox.wire.clone(), mailbox)
        };
        AccountSnapshot {
            separator: Some('/'),
            prefix: String::new(),
            mailboxes: mailboxes.iter().map(mailbox).collect(),
            subscriptions: Default::default(),
        }
    }

    #[test]
    fn uids_do_not_matter_and_twins_stay_twins() {
        let twin = || message(1, "a", &["\\Seen"], 5);
        let one = account(&[("INBOX", true, &[twin(), message(2, "b", &[], 6), twin()])]);
        let two = account(&[(
            "INBOX",
            true,
            &[
                message(7, "a", &["\\Seen"], 5),
                message(8, "b", &[], 6),
                message(9, "a", &["\\Seen"], 5),
            ],
        )]);
        assert_eq!(compare(&one, &two, &CompareOptions::default()), [""; 0]);
    }

    #[test]
    fn every_difference_is_named_once() {
        let expected = account(&[
            (
                "A",
                true,
                &[
                    message(1, "kept", &[], 0),
                    message(2, "lost", &[], 0),
                    message(3, "read", &["\\Seen"], 0),
                ],
            ),
            ("B", false, &[]),
            (
                "C",
                false,
                &[message(1, "x", &[], 0), message(2, "y", &[], 0)],
            ),
        ]);
        let actual = account(&[
            (
                "A",
                false,
                &[
                    message(5, "kept", &[], 0),
                    message(6, "read", &[], 0),
                    message(7, "kept", &[], 0),
                ],
            ),
            (
                "C",
                false,
                &[message(1, "y", &[], 0), message(2, "x", &[], 0)],
            ),
            ("D", false, &[]),
        ]);
        assert_eq!(
            compare(&expected, &actual, &CompareOptions::default()),
            [
                "A: missing: () of 1-Jan-1970 00:00:00 +0000 4 octets, SHA-256 76f75e6129fe…, \"lost\"",
                "A: UID 6 should be (\\Seen) of 1-Jan-1970 00:00:00 +0000, but is () of 1-Jan-1970 00:00:00 +0000",
                "A: UID 7 is one too many: () of 1-Jan-1970 00:00:00 +0000 4 octets, SHA-256 79f076abdd19…, \"kept\"",
                "A is not subscribed, which is wrong",
                "B (0 messages) is missing",
                "C: the messages are not in their order",
                "D (0 messages) was not expected",
            ]
        );
    }
}
