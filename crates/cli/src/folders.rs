//! From a folder as a person names it to a mailbox that is there.

use hikyaku_core::{MailboxInfo, MailboxName, Role};
use unicode_normalization::UnicodeNormalization;

/// What mail programs call mailboxes that have a special use, in comparable form.
const USUAL: [(&str, Role); 18] = [
    ("inbox", Role::Inbox),
    ("受信トレイ", Role::Inbox),
    ("受信箱", Role::Inbox),
    ("受信ボックス", Role::Inbox),
    ("sent", Role::Sent),
    ("送信済み", Role::Sent),
    ("送信済みトレイ", Role::Sent),
    ("送信済みアイテム", Role::Sent),
    ("drafts", Role::Drafts),
    ("下書き", Role::Drafts),
    ("archive", Role::Archive),
    ("アーカイブ", Role::Archive),
    ("junk", Role::Junk),
    ("spam", Role::Junk),
    ("迷惑メール", Role::Junk),
    ("trash", Role::Trash),
    ("ごみ箱", Role::Trash),
    ("ゴミ箱", Role::Trash),
];

/// The listed spelling of what was asked for: the very name, else one that differs
/// only in letter case or Unicode form, else the mailbox with the special use that the
/// first level usually names. What is found nowhere stays as it is.
pub(crate) fn find(wanted: &MailboxName, listed: &[MailboxInfo]) -> MailboxName {
    if listed.iter().any(|m| m.name.is_within(wanted)) {
        return wanted.clone();
    }
    if let Some(name) = respelled(wanted, listed) {
        return name;
    }
    let Some((first, rest)) = wanted.levels().split_first() else {
        return wanted.clone();
    };
    let first = comparable(first);
    let role = USUAL.iter().find(|(usual, _)| *usual == first).map(|u| u.1);
    let place = role.and_then(|role| {
        let is_it = |m: &&MailboxInfo| m.role == Some(role);
        let by_role = listed.iter().find(is_it).map(|m| m.name.clone());
        by_role.or_else(|| (role == Role::Inbox).then(MailboxName::inbox))
    });
    match place {
        Some(place) => {
            let meant = rest.iter().fold(place, |name, level| name.child(level));
            respelled(&meant, listed).unwrap_or(meant)
        }
        None => wanted.clone(),
    }
}

fn respelled(wanted: &MailboxName, listed: &[MailboxInfo]) -> Option<MailboxName> {
    let depth = wanted.levels().len();
    let same = |m: &&MailboxInfo| {
        let levels = m.name.levels();
        levels.len() >= depth
            && levels
                .iter()
                .zip(wanted.levels())
                .all(|(a, b)| comparable(a) == comparable(b))
    };
    let found = listed.iter().find(same)?;
    MailboxName::new(found.name.levels()[..depth].to_vec())
}

fn comparable(level: &str) -> String {
    level.nfc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::WireName;

    fn listed(names: &[(&str, Option<Role>)]) -> Vec<MailboxInfo> {
        let info = |&(name, role): &(&str, Option<Role>)| MailboxInfo {
            name: MailboxName::parse(name).expect("name"),
            wire: WireName::new("x"),
            role,
            selectable: true,
            subscribed: false,
            no_children: false,
            state: None,
        };
        names.iter().map(info).collect()
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        let listed = listed(&[
            ("INBOX", None),
            ("INBOX/請求書", None),
            ("Work/Projects", None),
            ("が", None),
            ("Sent Messages", Some(Role::Sent)),
            ("ごみ箱", None),
        ]);
        for (wanted, found) in [
            ("INBOX", "INBOX"),
            ("受信トレイ", "INBOX"),
            ("受信トレイ/請求書", "INBOX/請求書"),
            ("受信箱/新しい", "INBOX/新しい"),
            ("work/PROJECTS", "Work/Projects"),
            ("work", "Work"),
            ("か\u{3099}", "が"),
            ("送信済み", "Sent Messages"),
            ("ごみ箱", "ごみ箱"),
            ("迷惑メール", "迷惑メール"),
            ("nowhere/at all", "nowhere/at all"),
        ] {
            let wanted = MailboxName::parse(wanted).expect("name");
            assert_eq!(find(&wanted, &listed).to_string(), found);
        }
    }

    #[test]
    fn a_real_mailbox_wins_over_a_usual_name() {
        let listed = listed(&[("INBOX", None), ("受信トレイ", None)]);
        let wanted = MailboxName::parse("受信トレイ").expect("name");
        assert_eq!(find(&wanted, &listed).to_string(), "受信トレイ");
    }
}
