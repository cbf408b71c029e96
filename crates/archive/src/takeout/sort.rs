//! Which messages of a Takeout belong to which folder: the policy of Gmail over IMAP.
//!
//! Every message once, in the folder of its first label: one that somebody put first; else
//! the owner's own, deepest and then by name; else Inbox, Sent, Drafts; without any it is
//! archived mail. Spam and Trash are places of their own in Gmail: what is there is nowhere
//! else.

use std::cmp::Reverse;
use std::collections::HashMap;

use hikyaku_core::{MailboxName, Role};

use super::labels::{Label, Labels};
use crate::options::LabelPolicy;

/// Folders of one archive, at most: Gmail allows 10,000 labels.
const MOST_FOLDERS: usize = 20_000;

/// What stands first; lower wins.
type Rank = (usize, u8, Reverse<usize>, MailboxName);

/// A folder that messages were sorted to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sorted<T> {
    /// Its name.
    pub(crate) name: MailboxName,
    /// Special use.
    pub(crate) role: Option<Role>,
    /// What is in it, in order.
    pub(crate) entries: Vec<T>,
    rank: Rank,
}

/// Sorts messages as their labels come.
#[derive(Debug)]
pub(crate) struct Sorter<T> {
    policy: LabelPolicy,
    folders: Vec<Sorted<T>>,
    by_label: HashMap<Label, usize>,
    by_name: HashMap<MailboxName, usize>,
}

impl<T: Copy> Sorter<T> {
    pub(crate) fn new(policy: &LabelPolicy) -> Self {
        Self {
            policy: policy.clone(),
            folders: Vec::new(),
            by_label: HashMap::new(),
            by_name: HashMap::new(),
        }
    }

    /// Sorts one message.
    pub(crate) fn take(&mut self, entry: T, labels: &Labels) {
        let apart = [Label::Trash, Label::Junk]
            .into_iter()
            .find(|place| labels.places.contains(place));
        let mut at: Vec<usize> = match apart {
            Some(place) => vec![self.place(&place, labels)],
            None => labels
                .places
                .iter()
                .map(|p| self.place(p, labels))
                .collect(),
        };
        if at.is_empty() {
            at.push(self.archive());
        }
        if !matches!(self.policy, LabelPolicy::Each) {
            at.sort_by(|a, b| self.folders[*a].rank.cmp(&self.folders[*b].rank));
            at.truncate(1);
        }
        at.sort_unstable();
        at.dedup();
        for folder in at {
            self.folders[folder].entries.push(entry);
        }
    }

    /// The folders with what is in them, by name.
    pub(crate) fn finish(mut self) -> Vec<Sorted<T>> {
        self.folders.retain(|folder| !folder.entries.is_empty());
        self.folders.sort_by(|a, b| a.name.cmp(&b.name));
        self.folders
    }

    fn place(&mut self, label: &Label, labels: &Labels) -> usize {
        if let Some(known) = self.by_label.get(label) {
            return *known;
        }
        if self.folders.len() >= MOST_FOLDERS {
            return self.archive();
        }
        let word = labels.words.iter().find(|(l, _)| l == label);
        let word = |usual: &str| vec![word.map_or(usual, |(_, w)| w.as_str()).to_owned()];
        let (levels, role) = match label {
            Label::Inbox => (vec!["INBOX".to_owned()], Some(Role::Inbox)),
            Label::Sent => (word("Sent"), Some(Role::Sent)),
            Label::Drafts => (word("Drafts"), Some(Role::Drafts)),
            Label::Junk => (word("Spam"), Some(Role::Junk)),
            Label::Trash => (word("Trash"), Some(Role::Trash)),
            Label::Own(levels) => (levels.clone(), None),
        };
        let at = self.folder(levels, role);
        self.by_label.insert(label.clone(), at);
        at
    }

    fn archive(&mut self) -> usize {
        self.folder(vec!["Archive".to_owned()], Some(Role::Archive))
    }

    /// The folder of that name; a label of the owner that is called like one of Gmail's
    /// is the same folder.
    fn folder(&mut self, levels: Vec<String>, role: Option<Role>) -> usize {
        let name = MailboxName::new(levels).unwrap_or_else(MailboxName::inbox);
        if let Some(known) = self.by_name.get(&name) {
            let folder = &mut self.folders[*known];
            folder.role = folder.role.or(role);
            return *known;
        }
        let class = match role {
            Some(Role::Inbox) => 1,
            Some(Role::Sent) => 2,
            Some(Role::Drafts) => 3,
            _ => 0,
        };
        let chosen = match &self.policy {
            LabelPolicy::One { priority } => priority.iter().position(|p| is_meant(p, &name, role)),
            LabelPolicy::Each => None,
        };
        let depth = Reverse(name.levels().len());
        let rank = (chosen.unwrap_or(usize::MAX), class, depth, name.clone());
        self.folders.push(Sorted {
            name: name.clone(),
            role,
            entries: Vec::new(),
            rank,
        });
        self.by_name.insert(name, self.folders.len() - 1);
        self.folders.len() - 1
    }
}

/// Whether somebody's word means the folder or one above it. Letter case does not count;
/// Gmail's own folders are also known by their English names.
fn is_meant(wish: &MailboxName, name: &MailboxName, role: Option<Role>) -> bool {
    let lower = |name: &MailboxName| -> Vec<String> {
        name.levels().iter().map(|l| l.to_lowercase()).collect()
    };
    let wish = lower(wish);
    let usual: &[&str] = match role {
        Some(Role::Inbox) => &["inbox", "受信トレイ"],
        Some(Role::Sent) => &["sent", "送信済み", "送信済みメール"],
        Some(Role::Drafts) => &["drafts", "下書き"],
        Some(Role::Archive) => &["archive", "アーカイブ"],
        _ => &[],
    };
    lower(name).starts_with(&wish)
        || matches!(wish.as_slice(), [only] if usual.contains(&only.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::labels::read;
    use super::*;

    fn sorted(policy: &LabelPolicy, messages: &[&str]) -> Vec<(String, Option<Role>, Vec<usize>)> {
        let mut sorter = Sorter::new(policy);
        for (n, labels) in messages.iter().enumerate() {
            sorter.take(n, &read(labels.as_bytes()));
        }
        let told = |f: Sorted<usize>| (f.name.to_string(), f.role, f.entries);
        sorter.finish().into_iter().map(told).collect()
    }

    const MAIL: &[&str] = &[
        "受信トレイ,未読",
        "受信トレイ,仕事",
        "仕事,仕事/請求書,送信済み",
        "アーカイブ済み,開封済み",
        "迷惑メール,仕事",
        "ゴミ箱,受信トレイ",
        "送信済み,受信トレイ",
        "下書き,家族",
        "Archive",
    ];

    #[test]
    fn each_message_is_in_the_folder_of_its_first_label() {
        let one = LabelPolicy::default();
        assert_eq!(
            sorted(&one, MAIL),
            [
                ("Archive".to_owned(), Some(Role::Archive), vec![3, 8]),
                ("INBOX".to_owned(), Some(Role::Inbox), vec![0, 6]),
                ("ゴミ箱".to_owned(), Some(Role::Trash), vec![5]),
                ("仕事".to_owned(), None, vec![1]),
                ("仕事/請求書".to_owned(), None, vec![2]),
                ("家族".to_owned(), None, vec![7]),
                ("迷惑メール".to_owned(), Some(Role::Junk), vec![4]),
            ]
        );
    }

    #[test]
    fn what_somebody_puts_first_comes_first() {
        let wish = |text: &str| MailboxName::parse(text).expect("a name");
        let policy = LabelPolicy::One {
            priority: vec![wish("inbox"), wish("Sent"), wish("仕事")],
        };
        let told = sorted(&policy, MAIL);
        let of = |name: &str| told.iter().find(|f| f.0 == name).map(|f| f.2.clone());
        assert_eq!(of("INBOX"), Some(vec![0, 1, 6]));
        assert_eq!(of("送信済み"), Some(vec![2]));
        assert_eq!(of("仕事"), None);
    }

    #[test]
    fn each_label_can_have_its_copy() {
        let told = sorted(&LabelPolicy::Each, MAIL);
        let of = |name: &str| told.iter().find(|f| f.0 == name).map(|f| f.2.clone());
        assert_eq!(of("INBOX"), Some(vec![0, 1, 6]));
        assert_eq!(of("送信済み"), Some(vec![2, 6]));
        assert_eq!(of("仕事"), Some(vec![1, 2]));
        assert_eq!(of("仕事/請求書"), Some(vec![2]));
        assert_eq!(of("下書き"), Some(vec![7]));
        assert_eq!(of("迷惑メール"), Some(vec![4]));
    }
}
