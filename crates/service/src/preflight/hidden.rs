//! Which mailboxes are left out unless they are ticked. No I/O.
//!
//! Only what holds no mail: the calendars and address books that groupware shows as mailboxes, its notes about its own
//! synchronisation, and mailboxes whose name begins with a dot. And what the plan leaves out: trash or junk. A mailbox
//! that only shows others' messages, and one that can hold none, cannot be ticked and is not among them.

use hikyaku_core::plan::{MailboxPlan, Plan, Step};
use hikyaku_core::policy::SkipRule;
use hikyaku_core::{MailboxName, Role};

/// What groupware shows beside mail, one row for each thing. Every one of these is a name that a person may have given
/// to an ordinary mailbox: they count only where several things of the list are there.
const GROUPWARE: &[&[&str]] = &[
    &["calendar", "calendars", "予定表", "カレンダー"],
    &["contacts", "連絡先", "アドレス帳"],
    &["tasks", "タスク", "仕事"],
    &["journal", "履歴", "履歴 (ジャーナル)"],
    &["notes", "メモ"],
    &["suggested contacts", "推奨される連絡先"],
    &["conversation action settings"],
    &["quick step settings", "クイック操作設定"],
    &["rss feeds", "rss フィード"],
];

/// Things of [`GROUPWARE`] that make an account one of groupware.
const SEVERAL: usize = 3;

/// What only groupware calls so, with whatever lies below it.
const ITS_OWN: &[&str] = &["sync issues", "同期の失敗", "同期の問題"];

/// The mailboxes, in the order of the plan.
pub(super) fn hidden(plan: &Plan, exclude_roles: &[Role]) -> Vec<String> {
    let is_groupware = things(plan) >= SEVERAL;
    let left_out: Vec<&MailboxName> = plan
        .mailboxes
        .iter()
        .filter(|line| has_role(line, exclude_roles))
        .map(|line| &line.source.name)
        .collect();
    let is_hidden = |line: &&MailboxPlan| {
        let name = &line.source.name;
        left_out.iter().any(|trash| name.is_within(trash))
            || (is_groupware && GROUPWARE.iter().any(|names| is_top(name, names)))
            || is_top(name, ITS_OWN)
            || name.levels().iter().any(|level| level.starts_with('.'))
    };
    plan.mailboxes
        .iter()
        .filter(|line| can_be_ticked(line))
        .filter(is_hidden)
        .map(|line| line.source.name.to_string())
        .collect()
}

fn can_be_ticked(line: &MailboxPlan) -> bool {
    !matches!(
        line.step,
        Step::Skip(SkipRule::View | SkipRule::NotSelectable)
    ) && !line.source.name.is_inbox()
}

fn has_role(line: &MailboxPlan, roles: &[Role]) -> bool {
    let role = line.source.role.or(line.role);
    role.is_some_and(|role| roles.contains(&role))
}

/// How many different things of groupware there are.
fn things(plan: &Plan) -> usize {
    let is_there = |names: &&&[&str]| {
        let mut lines = plan.mailboxes.iter();
        lines.any(|line| line.source.name.levels().len() == 1 && is_top(&line.source.name, names))
    };
    GROUPWARE.iter().filter(is_there).count()
}

/// Whether the outermost level is one of these names.
fn is_top(name: &MailboxName, names: &[&str]) -> bool {
    let top = name.levels().first().map(|level| level.to_lowercase());
    top.is_some_and(|top| names.contains(&top.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::{MailboxInfo, WireName};

    fn plan(names: &[(&str, Option<Role>)]) -> Plan {
        let line = |(name, role): &(&str, Option<Role>)| {
            let parsed = MailboxName::parse(name).expect("a name");
            let skip = role.is_some_and(Role::is_view).then_some(SkipRule::View);
            MailboxPlan {
                source: MailboxInfo {
                    name: parsed.clone(),
                    wire: WireName::new(*name),
                    role: *role,
                    selectable: true,
                    subscribed: true,
                    no_children: false,
                    state: None,
                },
                destination: parsed,
                existing: None,
                role: None,
                changes: Vec::new(),
                step: skip.map_or(Step::Copy { create: true }, Step::Skip),
                pairing: None,
            }
        };
        Plan {
            mailboxes: names.iter().map(line).collect(),
        }
    }

    fn of(names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|name| (*name, None)).collect();
        hidden(&plan(&names), &[])
    }

    #[test]
    fn groupware_is_recognised_by_several_of_its_folders() {
        let all = [
            "INBOX",
            "予定表",
            "連絡先",
            "連絡先/同僚",
            "タスク",
            "仕事の話",
            "議事録/メモ",
        ];
        assert_eq!(of(&all), ["予定表", "連絡先", "連絡先/同僚", "タスク"]);
        // Two, or the same thing twice, are a person's own.
        assert!(of(&["INBOX", "Notes", "Contacts", "連絡先"]).is_empty());
        assert!(of(&["INBOX", "メモ", "仕事"]).is_empty());
        assert_eq!(
            of(&["Sync Issues", "Sync Issues/Conflicts", "同期の失敗", "Sync"]),
            ["Sync Issues", "Sync Issues/Conflicts", "同期の失敗"]
        );
        assert_eq!(of(&["INBOX", ".sieve", "A/.x", "A.b"]), [".sieve", "A/.x"]);
    }

    #[test]
    fn what_the_plan_leaves_out_is_hidden_with_what_lies_below() {
        let names = [
            ("INBOX", Some(Role::Inbox)),
            ("Papierkorb", Some(Role::Trash)),
            ("Papierkorb/2020", None),
            ("迷惑メール", Some(Role::Junk)),
            ("All Mail", Some(Role::All)),
        ];
        let plan = plan(&names);
        assert!(hidden(&plan, &[]).is_empty());
        assert_eq!(
            hidden(&plan, &[Role::Trash]),
            ["Papierkorb", "Papierkorb/2020"]
        );
        let both = hidden(&plan, &[Role::Trash, Role::Junk, Role::Inbox]);
        assert_eq!(both, ["Papierkorb", "Papierkorb/2020", "迷惑メール"]);
    }
}
