//! What every source does.

use super::{ALL, Held, Message, find, read};
use futures::StreamExt;
use hikyaku_core::traits::{Facts, Reader, Source};
use hikyaku_core::{Fault, HeadDigest, Key, KeySet, Listing, MailboxInfo, MailboxState, WireName};

/// Holds a source against what it should hold: every mailbox that can be opened, sorted by name,
/// with its messages in order. Nothing may change it meanwhile.
pub async fn source(source: &dyn Source, expected: &[Held]) {
    check(source, expected, true).await;
}

/// The same for a source that knows no flags: its letters carry those that they get at the
/// destination, its listings none.
pub async fn source_without_flags(source: &dyn Source, expected: &[Held]) {
    check(source, expected, false).await;
}

async fn check(source: &dyn Source, expected: &[Held], lists_flags: bool) {
    let listed = source.mailboxes().await.expect("mailboxes");
    assert!(
        listed.windows(2).all(|two| two[0].name < two[1].name),
        "mailboxes are sorted by name, each once: {listed:#?}"
    );
    assert_eq!(
        source.mailboxes().await.expect("again"),
        listed,
        "a second look is the same"
    );
    let selectable: Vec<&MailboxInfo> = listed.iter().filter(|info| info.selectable).collect();
    let names: Vec<_> = selectable
        .iter()
        .map(|info| info.name.to_string())
        .collect();
    let wanted: Vec<_> = expected.iter().map(|held| held.name.to_string()).collect();
    assert_eq!(names, wanted, "mailboxes");
    for (info, held) in selectable.into_iter().zip(expected) {
        mailbox(source, info, held, lists_flags).await;
    }
    missing(source, &listed).await;
    source.quota().await.expect("a quota, or none");
}

async fn mailbox(source: &dyn Source, info: &MailboxInfo, held: &Held, lists_flags: bool) {
    let name = &held.name;
    let mut reader = source.open(info).await.expect("opened");
    let state = reader.state();
    let keys = reader.keys().await.expect("keys");
    let count = held.messages.len() as u64;
    assert_eq!(
        (keys.len(), state.messages),
        (count, count),
        "{name}: messages"
    );
    assert!(
        state.next.is_none_or(|next| keys.last() < Some(next)),
        "{name}: next is above all"
    );
    assert_eq!(
        reader.keys().await.expect("keys"),
        keys,
        "{name}: keys stay"
    );
    if let Some(listed) = info.state {
        assert_eq!(
            facts_of(&listed),
            facts_of(&state),
            "{name}: listed as it is opened"
        );
    }
    let exact = source.abilities().exact_sizes;
    if let (Some(octets), true) = (state.octets, exact) {
        let sum: u64 = held.messages.iter().map(|m| m.octets.len() as u64).sum();
        assert_eq!(octets, sum, "{name}: octets");
    }
    listings(reader.as_mut(), &keys, held, exact, lists_flags).await;
    let all = read(reader.as_mut(), &keys).await;
    let messages: Vec<&Message> = all.iter().map(|(_, message)| message).collect();
    for (n, (message, wanted)) in messages.iter().zip(&held.messages).enumerate() {
        same(message, wanted, &format!("{name}, message {n}"));
    }
    let order: Vec<Key> = all.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        order,
        keys.iter().collect::<Vec<_>>(),
        "{name}: read in order, each once"
    );
    parts(reader.as_mut(), &keys, &all).await;
    heads(reader.as_mut(), &all).await;
    if source.abilities().tracks_changes {
        let since = state
            .modseq
            .unwrap_or_else(|| panic!("{name}: a mod-sequence"));
        assert!(
            changed(reader.as_mut(), since).await.is_empty(),
            "{name}: nothing changed"
        );
        let ever: Vec<Key> = changed(reader.as_mut(), 0)
            .await
            .iter()
            .map(|l| l.key)
            .collect();
        assert_eq!(
            ever, order,
            "{name}: everything changed since the beginning"
        );
    }
    drop(reader);
    broken_off(source, info, &keys, &all).await;
    if source.abilities().lanes > 1 {
        side_by_side(source, info, &keys, &all).await;
    }
    let again = source
        .open(&find(source, name).await)
        .await
        .expect("opened again");
    assert_eq!(
        facts_of(&again.state()),
        facts_of(&state),
        "{name}: reading changes nothing"
    );
}

/// What stays the same while nothing changes.
fn facts_of(state: &MailboxState) -> (Option<u64>, Option<Key>, u64, Option<u64>) {
    (
        state.epoch.map(|epoch| epoch.0),
        state.next,
        state.messages,
        state.modseq,
    )
}

/// Long octets are not shown whole.
fn same(found: &Message, wanted: &Message, what: &str) {
    assert_eq!(found.flags, wanted.flags, "{what}: flags");
    assert_eq!(found.seconds, wanted.seconds, "{what}: date");
    let first = found
        .octets
        .iter()
        .zip(&wanted.octets)
        .position(|(a, b)| a != b);
    assert!(
        found.octets == wanted.octets,
        "{what}: {} octets and {} expected, the first difference at {first:?}",
        found.octets.len(),
        wanted.octets.len()
    );
}

async fn list(reader: &mut dyn Reader, keys: &KeySet, facts: Facts) -> Vec<Listing> {
    let flow = reader.list(keys, facts);
    let all: Vec<Result<Listing, Fault>> = flow.collect().await;
    all.into_iter()
        .map(|item| item.expect("a listing"))
        .collect()
}

async fn changed(reader: &mut dyn Reader, modseq: u64) -> Vec<Listing> {
    let all: Vec<Result<Listing, Fault>> = reader.changed(modseq).collect().await;
    all.into_iter()
        .map(|item| item.expect("a listing"))
        .collect()
}

async fn listings(
    reader: &mut dyn Reader,
    keys: &KeySet,
    held: &Held,
    exact: bool,
    lists_flags: bool,
) {
    let name = &held.name;
    let all = list(reader, keys, ALL).await;
    let order: Vec<Key> = all.iter().map(|listing| listing.key).collect();
    assert_eq!(
        order,
        keys.iter().collect::<Vec<_>>(),
        "{name}: listed in order, each once"
    );
    for (listing, message) in all.iter().zip(&held.messages) {
        let key = listing.key;
        assert_eq!(
            listing.flags.as_ref(),
            lists_flags.then_some(&message.flags),
            "{name} {key}: flags"
        );
        assert_eq!(
            listing.date.map(|d| d.seconds),
            message.seconds,
            "{name} {key}: date"
        );
        let head = HeadDigest::of(&message.octets);
        assert_eq!(listing.head, Some(head), "{name} {key}: header");
        if exact {
            assert_eq!(
                listing.octets,
                Some(message.octets.len() as u64),
                "{name} {key}: octets"
            );
        }
    }
    for facts in [
        Facts {
            flags: true,
            ..Facts::default()
        },
        Facts {
            date: true,
            ..Facts::default()
        },
        Facts {
            octets: true,
            ..Facts::default()
        },
        Facts {
            head: true,
            ..Facts::default()
        },
        Facts::default(),
    ] {
        let some = list(reader, keys, facts).await;
        assert_eq!(some.len(), all.len(), "{name}: {facts:?}");
        for (some, all) in some.iter().zip(&all) {
            assert_eq!(some.key, all.key, "{name}: {facts:?}");
            assert!(
                !facts.flags || some.flags == all.flags,
                "{name}: {facts:?} {some:?}"
            );
            assert!(
                !facts.date || some.date == all.date,
                "{name}: {facts:?} {some:?}"
            );
            assert!(
                !facts.octets || some.octets == all.octets,
                "{name}: {facts:?} {some:?}"
            );
            assert!(
                !facts.head || some.head == all.head,
                "{name}: {facts:?} {some:?}"
            );
        }
    }
}

/// Keys that are not there are left out, and parts are what the whole is.
async fn parts(reader: &mut dyn Reader, keys: &KeySet, all: &[(Key, Message)]) {
    let none = KeySet::new();
    assert!(
        list(reader, &none, ALL).await.is_empty(),
        "no keys, no listing"
    );
    assert!(read(reader, &none).await.is_empty(), "no keys, no letter");
    let absent = keys.last().map_or(1, |key| key.0 + 1);
    let beyond = KeySet::range(absent..=absent + 5);
    assert!(
        list(reader, &beyond, ALL).await.is_empty(),
        "nothing beyond the last"
    );
    assert!(
        read(reader, &beyond).await.is_empty(),
        "nothing beyond the last"
    );
    let mut some: KeySet = keys.iter().step_by(2).collect();
    let wanted: Vec<_> = all
        .iter()
        .filter(|(key, _)| some.contains(*key))
        .cloned()
        .collect();
    some.extend(&beyond);
    assert!(
        read(reader, &some).await == wanted,
        "every second message, and none beyond"
    );
    let listed: Vec<Key> = list(reader, &some, Facts::default())
        .await
        .iter()
        .map(|l| l.key)
        .collect();
    let order: Vec<Key> = wanted.iter().map(|(key, _)| *key).collect();
    assert_eq!(listed, order, "every second message listed");
}

async fn heads(reader: &mut dyn Reader, all: &[(Key, Message)]) {
    for (key, message) in all.iter().take(20) {
        let head = reader
            .head(*key)
            .await
            .expect("a head")
            .expect("of a message that is there");
        assert_eq!(
            HeadDigest::of(&head),
            HeadDigest::of(&message.octets),
            "head of {key}"
        );
    }
    let absent = all.last().map_or(1, |(key, _)| key.0 + 1);
    assert_eq!(
        reader.head(Key(absent)).await.expect("an answer"),
        None,
        "head of nothing"
    );
}

/// Whoever drops a flow may lose the connection, and nothing else.
async fn broken_off(
    source: &dyn Source,
    info: &MailboxInfo,
    keys: &KeySet,
    all: &[(Key, Message)],
) {
    {
        let mut reader = source.open(info).await.expect("opened");
        let mut flow = reader.read(keys);
        if let Some(first) = flow.next().await {
            assert_eq!(first.expect("a letter").key, all[0].0);
        }
    }
    let mut reader = source.open(info).await.expect("opened after breaking off");
    assert!(
        read(reader.as_mut(), keys).await == all,
        "everything after breaking off"
    );
}

async fn side_by_side(
    source: &dyn Source,
    info: &MailboxInfo,
    keys: &KeySet,
    all: &[(Key, Message)],
) {
    let mut one = source.open(info).await.expect("opened");
    let mut other = source.open(info).await.expect("opened beside");
    let (one, other) = futures::join!(read(one.as_mut(), keys), read(other.as_mut(), keys));
    assert!(
        one == all && other == all,
        "two readers at once read the same"
    );
}

async fn missing(source: &dyn Source, listed: &[MailboxInfo]) {
    let Some(any) = listed.first() else { return };
    let name = any.name.child("not there");
    let wire = WireName::new(name.to_string());
    let absent = MailboxInfo {
        name,
        wire,
        state: None,
        ..any.clone()
    };
    assert!(
        source.open(&absent).await.is_err(),
        "a mailbox that is not there opens"
    );
}
