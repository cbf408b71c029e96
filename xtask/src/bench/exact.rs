//! How exactly a destination holds what the source holds, counted aspect by aspect.

use std::collections::BTreeMap;

use hikyaku_testkit::judge::{AccountSnapshot, MailboxSnapshot, MessageSnapshot};
use serde::{Deserialize, Serialize};

/// Counts of messages, and of mailboxes for the subscriptions. A copy is exact when all are equal and nothing is extra.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Exactness {
    /// Messages of the source.
    pub(super) messages: usize,
    /// Messages that are there with octets, flags, keywords and date.
    pub(super) exact: usize,
    /// Messages of which all octets are the same.
    pub(super) octets: usize,
    /// Messages with the same system flags.
    pub(super) flags: usize,
    /// Messages with the same keywords.
    pub(super) keywords: usize,
    /// Messages with the same INTERNALDATE.
    pub(super) dates: usize,
    /// Messages of the destination that answer to none of the source.
    pub(super) extra: usize,
    /// Mailboxes of the source.
    pub(super) mailboxes: usize,
    /// Mailboxes that are there.
    pub(super) mailboxes_there: usize,
    /// Mailboxes that are there and subscribed exactly if the source's is.
    pub(super) subscriptions: usize,
}

impl Exactness {
    /// Messages that are exact, in percent; rounded down, so that one wrong message is never 100.
    pub(super) fn percent(&self) -> f64 {
        percent(self.exact, self.messages)
    }

    /// Whether nothing at all differs, but for so many messages more than the source has.
    pub(super) fn is_whole(&self, extra: usize) -> bool {
        self.exact == self.messages && self.extra == extra && self.subscriptions == self.mailboxes
    }
}

/// `part` of `whole` in percent with one decimal, rounded down.
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 100.0;
    }
    (part as f64 * 1000.0 / whole as f64).floor() / 10.0
}

/// Compares two accounts, mailbox by mailbox under the same levels.
pub(super) fn compare(source: &AccountSnapshot, destination: &AccountSnapshot) -> Exactness {
    let mut result = Exactness::default();
    let mut found: BTreeMap<&[String], &MailboxSnapshot> = destination
        .mailboxes
        .values()
        .filter(|mailbox| mailbox.is_selectable())
        .map(|mailbox| (mailbox.levels.as_slice(), mailbox))
        .collect();
    for mailbox in source
        .mailboxes
        .values()
        .filter(|mailbox| mailbox.is_selectable())
    {
        result.mailboxes += 1;
        result.messages += mailbox.messages.len();
        if let Some(other) = found.remove(mailbox.levels.as_slice()) {
            result.mailboxes_there += 1;
            result.subscriptions += usize::from(mailbox.subscribed == other.subscribed);
            messages(&mailbox.messages, &other.messages, &mut result);
        }
    }
    result.extra += found
        .values()
        .map(|mailbox| mailbox.messages.len())
        .sum::<usize>();
    result
}

/// Pairs messages by their octets, of twins those alike in all else first; what is left on both sides by date, then by
/// order, which tells what else is wrong with messages whose octets were changed.
fn messages(source: &[MessageSnapshot], destination: &[MessageSnapshot], result: &mut Exactness) {
    let mut taken = vec![false; destination.len()];
    let mut by_octets: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
    for (index, message) in destination.iter().enumerate() {
        by_octets
            .entry(message.content.sha256())
            .or_default()
            .push(index);
    }
    let mut left = Vec::new();
    for exact_only in [true, false] {
        let wanted: Vec<&MessageSnapshot> = match exact_only {
            true => source.iter().collect(),
            false => std::mem::take(&mut left),
        };
        for message in wanted {
            let twins = by_octets
                .get(&message.content.sha256())
                .map_or(&[][..], Vec::as_slice);
            let mut free = twins.iter().copied().filter(|index| !taken[*index]);
            let index = match exact_only {
                true => free.find(|index| alike(message, &destination[*index])),
                false => free.next(),
            };
            match index {
                Some(index) => {
                    taken[index] = true;
                    count(message, &destination[index], result);
                }
                None => left.push(message),
            }
        }
    }
    // Rewritten messages: by their date where it was kept, by their order otherwise.
    let mut by_date: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for index in (0..destination.len()).rev().filter(|index| !taken[*index]) {
        let date = destination[index].internal_date;
        by_date.entry(date).or_default().push(index);
    }
    for message in std::mem::take(&mut left) {
        match by_date.get_mut(&message.internal_date).and_then(Vec::pop) {
            Some(index) => {
                taken[index] = true;
                count(message, &destination[index], result);
            }
            None => left.push(message),
        }
    }
    let mut others = (0..destination.len())
        .filter(|index| !taken[*index])
        .collect::<Vec<_>>()
        .into_iter();
    for message in left {
        if let Some(index) = others.next() {
            taken[index] = true;
            count(message, &destination[index], result);
        }
    }
    result.extra += taken.iter().filter(|taken| !**taken).count();
}

fn alike(one: &MessageSnapshot, other: &MessageSnapshot) -> bool {
    one.content == other.content
        && one.flags == other.flags
        && one.internal_date == other.internal_date
}

fn count(expected: &MessageSnapshot, found: &MessageSnapshot, result: &mut Exactness) {
    let part = |message: &MessageSnapshot, system: bool| -> Vec<String> {
        let flags = message
            .flags
            .iter()
            .filter(|flag| flag.starts_with('\\') == system);
        flags.cloned().collect()
    };
    result.exact += usize::from(alike(expected, found));
    result.octets += usize::from(expected.content == found.content);
    result.flags += usize::from(part(expected, true) == part(found, true));
    result.keywords += usize::from(part(expected, false) == part(found, false));
    result.dates += usize::from(expected.internal_date == found.internal_date);
}

#[cfg(test)]
mod tests {
    use hikyaku_testkit::judge::{AccountSnapshot, Content, MailboxSnapshot, MessageSnapshot};

    use super::{Exactness, compare};

    fn account(subscribed: bool, messages: &[(&str, &[&str], i64)]) -> AccountSnapshot {
        let messages = messages
            .iter()
            .zip(1..)
            .map(|((text, flags, internal_date), uid)| MessageSnapshot {
                uid,
                flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
                internal_date: *internal_date,
                content: Content::from(text.as_bytes()),
            })
            .collect();
        let mailbox = MailboxSnapshot {
            wire: b"A".to_vec(),
            name: "A".to_owned(),
            levels: vec!["A".to_owned()],
            attributes: Default::default(),
            subscribed,
            uid_validity: 1,
            uid_next: 100,
            messages,
        };
        AccountSnapshot {
            separator: Some('/'),
            prefix: String::new(),
            mailboxes: [(mailbox.wire.clone(), mailbox)].into(),
            subscriptions: Default::default(),
        }
    }

    #[test]
    fn twins_in_another_order_are_exact() {
        let one = account(true, &[("a", &["\\Seen"], 1), ("a", &[], 2), ("b", &[], 3)]);
        let two = account(true, &[("a", &[], 2), ("b", &[], 3), ("a", &["\\Seen"], 1)]);
        let result = compare(&one, &two);
        assert!(result.is_whole(0), "{result:?}");
        assert_eq!(result.percent(), 100.0);
    }

    #[test]
    fn every_aspect_is_counted_by_itself() {
        let source = account(
            true,
            &[
                ("a", &["\\Seen", "$x"], 1),
                ("b", &["$y"], 2),
                ("c", &[], 3),
                ("d", &[], 4),
            ],
        );
        // The first lost a keyword and got another date, the second was rewritten, the last is missing, one is new.
        let destination = account(
            false,
            &[("a", &["\\Seen"], 9), ("B", &["$y"], 2), ("c", &[], 3)],
        );
        assert_eq!(
            compare(&source, &destination),
            Exactness {
                messages: 4,
                exact: 1,
                octets: 2,
                flags: 3,
                keywords: 2,
                dates: 2,
                extra: 0,
                mailboxes: 1,
                mailboxes_there: 1,
                subscriptions: 0,
            }
        );
        assert_eq!(compare(&destination, &source).extra, 1);
    }
}
