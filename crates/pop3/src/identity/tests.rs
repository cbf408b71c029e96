use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Messages with these names, in order; message n has 100 + n octets unless said otherwise.
fn listed(names: &[&str]) -> Listed {
    let sized: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (*name, 100 + n as u64))
        .collect();
    listed_with(&sized)
}

fn listed_with(messages: &[(&str, u64)]) -> Listed {
    let mut names = Names::default();
    let mut sizes = Vec::new();
    for (n, (name, octets)) in messages.iter().enumerate() {
        names.take(n as u32 + 1, name.as_bytes());
        sizes.push((n as u32 + 1, *octets));
    }
    names.identify(sizes)
}

/// Keys by name of file, in the order of the session.
fn keys(listed: &Listed) -> Vec<u64> {
    let mut entries = listed.entries.clone();
    entries.sort_by_key(|entry| entry.number);
    entries.into_iter().map(|entry| entry.key.0).collect()
}

#[test]
fn names_of_known_servers_give_number_and_generation() {
    for (forms, generation) in [
        (
            ["000000014f3b2c1d", "0000000a4f3b2c1d", "000000ff4f3b2c1d"],
            "000000014f3b2c1e",
        ),
        (
            ["1395846984.1", "1395846984.10", "1395846984.255"],
            "1395846985.1",
        ),
        (
            ["UID1-1395846984", "UID10-1395846984", "UID255-1395846984"],
            "UID1-1395846985",
        ),
    ] {
        let list = listed(&forms);
        assert_eq!(keys(&list), [1, 10, 255]);
        assert_eq!(list.distrust, None);
        // Arrivals, deletions and odd sizes change nothing, a new generation does.
        let later = listed_with(&[(forms[1], 7), (forms[2], 8)]);
        assert_eq!((later.epoch, keys(&later)), (list.epoch, vec![10, 255]));
        assert_ne!(listed(&[generation]).epoch, list.epoch);
        // Two generations are no generation.
        let mixed = listed(&[forms[0], generation]);
        assert_ne!(mixed.epoch, list.epoch);
        assert!(
            mixed
                .entries
                .iter()
                .all(|entry| entry.key.0 > u64::from(u32::MAX))
        );
    }
    let epochs: BTreeSet<_> = ["0000000100000001", "1.1", "UID1-1", "7", "x"]
        .map(|name| listed(&[name]).epoch)
        .into();
    assert_eq!(epochs.len(), 5, "no two forms have one epoch");
}

#[test]
fn names_that_only_look_alike_are_opaque() {
    for odd in [
        "000000014F3B2C1D",
        "00000000aaaaaaaa",
        "01.2",
        "1.02",
        "0.0",
        "1.0",
        "UID0-1",
        "UID1-",
        "UID-1",
        "UID1-4294967296",
        "4294967296.1",
        "1.2.3",
        "018",
        "99999999999999999999",
        "4611686018427387904",
        "-1",
    ] {
        let list = listed(&[odd]);
        assert!(list.entries[0].key.0 >= 1 << SHORT, "{odd}");
        assert_eq!(list.distrust, None, "{odd}");
    }
}

#[test]
fn names_that_begin_with_a_time_keep_the_order_of_arrival() {
    let list = listed(&[
        "1300000000.M1P2.host",
        "1200000000.V3.host",
        "1700000000_1",
        "GmailId18c2",
    ]);
    let entries: Vec<u32> = list.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(entries, [2, 1, 3, 4]);
}

#[test]
fn what_cannot_be_trusted_has_no_epoch() {
    let why = |messages: &[(&str, u64)]| {
        let list = listed_with(messages);
        assert_eq!(list.epoch, None);
        assert_eq!(keys(&list), (1..=messages.len() as u64).collect::<Vec<_>>());
        list.distrust
    };
    assert_eq!(why(&[("a", 1), ("", 2)]), Some(Distrust::Missing));
    assert_eq!(
        why(&[("a", 1), (&"x".repeat(600), 2)]),
        Some(Distrust::Missing)
    );
    assert_eq!(why(&[("a", 1), ("a", 2)]), Some(Distrust::Repeated));
    assert_eq!(
        why(&[("1", 1), ("2", 2), ("3", 3)]),
        Some(Distrust::Positions)
    );
    let none = Names::default().identify(vec![(1, 5)]);
    assert_eq!(none.distrust, Some(Distrust::Missing));
}

#[test]
fn twins_may_share_a_name() {
    let list = listed_with(&[("a", 5), ("b", 6), ("a", 5), ("a", 5)]);
    assert_eq!(list.distrust, None);
    let three: BTreeSet<_> = keys(&list).into_iter().collect();
    assert_eq!(three.len(), 4);
    // One of them gone: two of the three keys are left.
    let later = listed_with(&[("b", 6), ("a", 5), ("a", 5)]);
    assert!(keys(&later).iter().all(|key| three.contains(key)));
}

#[test]
fn numbers_that_begin_anew_have_another_epoch() {
    let before = listed_with(&[("5", 100), ("6", 200), ("9", 300)]);
    let rebuilt = listed_with(&[("5", 111), ("6", 222), ("9", 333)]);
    assert_eq!(keys(&before), keys(&rebuilt));
    assert_ne!(before.epoch, rebuilt.epoch);
}

#[test]
fn an_empty_mailbox_has_an_epoch() {
    let list = listed(&[]);
    assert!(list.epoch.is_some() && list.distrust.is_none());
}

#[test]
fn names_that_were_all_others_a_moment_ago_are_noticed() {
    let first = listed(&["a", "b"]);
    let known: Vec<Key> = first.entries.iter().map(|entry| entry.key).collect();
    assert!(listed(&["c", "d"]).is_unlike(&known));
    assert!(!listed(&["b", "c"]).is_unlike(&known));
    assert!(!listed(&[]).is_unlike(&known));
    assert!(!listed(&["c"]).is_unlike(&[]));
    let changed = listed(&["c", "d"]).distrust(Distrust::Changed);
    assert_eq!((changed.epoch, keys(&changed)), (None, vec![1, 2]));
}

/// Names of one kind, with their octets.
fn mailboxes() -> impl Strategy<Value = BTreeMap<String, u64>> {
    let kinds = prop::sample::select(vec!["opaque-", "GmailId", "1700000000.M", "", "UID"]);
    (
        kinds,
        prop::collection::btree_map(10u32..5000, 1u64..1000, 1..40),
    )
        .prop_map(|(kind, found)| {
            let name = |n: u32| match kind {
                "UID" => format!("UID{n}-77"),
                kind => format!("{kind}{n}"),
            };
            found
                .into_iter()
                .map(|(n, octets)| (name(n), octets))
                .collect()
        })
}

proptest! {
    /// Whatever comes and goes, a name has one key, and the epoch stays while its anchor does.
    #[test]
    fn keys_last_from_session_to_session(all in mailboxes(), parts in prop::collection::vec(any::<(bool, bool)>(), 40)) {
        let part = |of: fn(&(bool, bool)) -> bool| -> Vec<(&str, u64)> {
            all.iter().zip(&parts).filter(|(_, p)| of(p)).map(|((name, octets), _)| (name.as_str(), *octets)).collect()
        };
        let (before, after) = (part(|p| p.0), part(|p| p.1));
        let (first, second) = (listed_with(&before), listed_with(&after));
        prop_assert_eq!((first.distrust, second.distrust), (None, None));
        let by_name = |messages: &[(&str, u64)], list: &Listed| -> BTreeMap<String, u64> {
            messages.iter().map(|m| m.0.to_owned()).zip(keys(list)).collect()
        };
        let (one, two) = (by_name(&before, &first), by_name(&after, &second));
        for (name, key) in &one {
            prop_assert!(two.get(name).is_none_or(|other| other == key));
        }
        for list in [&first, &second] {
            prop_assert!(list.entries.windows(2).all(|pair| pair[0].key < pair[1].key));
            prop_assert!(list.entries.iter().all(|entry| entry.key.0 < 1 << 63));
            prop_assert!(list.epoch.is_some_and(|epoch| 0 < epoch.0 && epoch.0 < 1 << 62));
        }
    }

    #[test]
    fn any_names_make_a_list(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        crate::properties::listing(&octets);
    }
}
