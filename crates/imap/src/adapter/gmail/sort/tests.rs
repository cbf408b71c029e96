use super::*;

fn listed(names: &[(&str, Option<Role>)]) -> Vec<MailboxInfo> {
    let mailbox = |(wire, role): &(&str, Option<Role>)| {
        let wire = WireName::new(*wire);
        let name = decode_name(&wire, Some('/'), NameEncoding::Utf7).expect("a name");
        made(name, Some(wire), *role)
    };
    names.iter().map(mailbox).collect()
}

const USUAL: [(&str, Option<Role>); 6] = [
    ("INBOX", Some(Role::Inbox)),
    ("[Gmail]/&MFkweTBmMG4w4TD8MOs-", Some(Role::All)),
    ("[Gmail]/&kAFP4W4IMH8w4TD8MOs-", Some(Role::Sent)),
    ("[Gmail]/&MLQw33ux-", Some(Role::Trash)),
    ("&TtVOiw-", None),
    ("R&-D", None),
];

fn sorted(labels: Labels, messages: &[&[&str]]) -> Sorted {
    let listed = listed(&USUAL);
    let mut sorter = Sorter::new(&labels, NameEncoding::Utf7, &listed);
    let state = MailboxState {
        epoch: Some(Epoch(11)),
        ..MailboxState::default()
    };
    sorter.begin(&listed[1], state);
    for (n, labels) in (1..).zip(messages) {
        let labels: Vec<Bytes> = labels
            .iter()
            .map(|l| Bytes::from((*l).to_owned()))
            .collect();
        sorter.take(Key(n), &labels);
    }
    sorter.finish(&KeySet::range(1..=messages.len() as u64 + 2))
}

fn shown(sorted: &Sorted) -> Vec<String> {
    let full = sorted.places.iter().filter(|(_, keys)| !keys.is_empty());
    full.map(|(info, keys)| format!("{} {keys}", info.name))
        .collect()
}

#[test]
fn labels_are_found_however_they_are_spelled() {
    let messages: &[&[&str]] = &[
        &["\\Inbox", "&TtVOiw-"],
        &["仕事"],
        &["\\sent", "\\Important"],
        &["R&-D"],
        &["R&D"],
        // Hidden from IMAP, but a label of the owner's.
        &["&W7Zlzw-/2024", "\\Inbox"],
        &["\\Starred", "\\Muted", "\\Unheard"],
        &[],
    ];
    assert_eq!(
        shown(&sorted(Labels::default(), messages)),
        [
            "[Gmail]/送信済みメール 3",
            "仕事 1:2",
            "R&D 4:5",
            "家族/2024 6",
            // 9 and 10 are there, and nobody told their labels.
            "Archive 7:10",
        ]
    );
}

#[test]
fn priorities_are_understood_as_people_write_them() {
    for (word, winner) in [
        ("r&d", "R&D 1"),
        ("受信トレイ", "INBOX 1"),
        ("送信済み", "[Gmail]/送信済みメール 1"),
        ("送信済みメール", "[Gmail]/送信済みメール 1"),
        ("Sent", "[Gmail]/送信済みメール 1"),
        ("a/b", "a/b/c 1"),
        // Not there: the usual order.
        ("nothing", "a/b/c 1"),
    ] {
        let priority = vec![MailboxName::parse(word).expect("a name")];
        let labels: &[&str] = &["\\Inbox", "\\Sent", "R&-D", "a/b/c"];
        let sorted = sorted(Labels::One { priority }, &[labels]);
        assert!(shown(&sorted).contains(&winner.to_owned()), "{word}");
    }
}

#[test]
fn a_message_that_is_told_twice_stays_where_it_was() {
    let listed = listed(&USUAL);
    let mut sorter = Sorter::new(&Labels::Each, NameEncoding::Utf7, &listed);
    for label in ["\\Inbox", "&TtVOiw-"] {
        sorter.take(Key(1), &[Bytes::from(label)]);
    }
    assert_eq!(sorter.count(), 1);
    let sorted = sorter.finish(&KeySet::range(1..=1));
    assert_eq!(shown(&sorted), ["INBOX 1"]);
}

#[test]
fn an_owners_own_archive_is_where_archived_mail_goes() {
    let listed = listed(&[("INBOX", Some(Role::Inbox)), ("archive", None)]);
    let mut sorter = Sorter::new(&Labels::default(), NameEncoding::Utf7, &listed);
    sorter.take(Key(1), &[]);
    sorter.take(Key(2), &[Bytes::from("archive")]);
    let sorted = sorter.finish(&KeySet::range(1..=2));
    assert_eq!(shown(&sorted), ["archive 1:2"]);
    assert_eq!(sorted.mailboxes(listed.clone()).len(), listed.len());
}

#[test]
fn keys_of_before_a_renumbering_are_forgotten() {
    let listed = listed(&USUAL);
    let mut sorter = Sorter::new(&Labels::default(), NameEncoding::Utf7, &listed);
    let state = |epoch| MailboxState {
        epoch: Some(Epoch(epoch)),
        ..MailboxState::default()
    };
    sorter.begin(&listed[1], state(11));
    sorter.take(Key(1), &[Bytes::from("\\Inbox")]);
    sorter.begin(&listed[1], state(11));
    assert_eq!(sorter.count(), 1);
    sorter.begin(&listed[1], state(12));
    assert_eq!((sorter.count(), sorter.seen().is_empty()), (0, true));
    sorter.take(Key(1), &[]);
    assert_eq!(shown(&sorter.finish(&KeySet::range(1..=1))), ["Archive 1"]);
}
