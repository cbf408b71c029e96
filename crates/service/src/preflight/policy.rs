//! From choices and plan to what the engine is told. No I/O: check and run come to the same.

use crate::brand::Plan;
use crate::job::{Order, Rerun};
use hikyaku_core::policy::{Fresh, Policy, Reserve};
use hikyaku_core::{InternalDate, MailboxName};
use hikyaku_text::Lang;

/// What is copied and how. `hidden` are the mailboxes that are left out unless ticked, as the check found them;
/// `begun_millis` is when the job was ordered: it names the folder of [`Rerun::FreshFolder`].
pub fn policy(order: &Order, plan: &Plan, hidden: &[String], begun_millis: i64) -> Policy {
    let choices = &order.choices;
    let names = |texts: &[String]| texts.iter().filter_map(|t| MailboxName::parse(t)).collect();
    let mut without: Vec<MailboxName> = names(&choices.exclude);
    let unticked = hidden.iter().filter(|name| !choices.include.contains(name));
    without.extend(unticked.filter_map(|name| MailboxName::parse(name)));
    Policy {
        folders: names(&choices.only),
        without,
        since: choices.since,
        before: choices.before,
        max_octets: plan.max_message_octets,
        fresh: fresh(order, begun_millis),
        fit: choices.fit,
        reserve: Reserve::Usual,
        ..Policy::default()
    }
}

fn fresh(order: &Order, begun_millis: i64) -> Option<Fresh> {
    match order.choices.rerun {
        Rerun::Differential => None,
        Rerun::FreshReplace => Some(Fresh::Replace),
        Rerun::FreshFolder => dated(order, begun_millis).map(Fresh::Folder),
    }
}

/// The folder that carries the date and the time of the order (UTC): that of an earlier order has another name.
fn dated(order: &Order, begun_millis: i64) -> Option<MailboxName> {
    let lang = Lang::from_name(&order.lang).unwrap_or(Lang::Ja);
    let (year, month, day, hour, minute, _) =
        InternalDate::utc(begun_millis.div_euclid(1000)).civil();
    let moment = format!("{year:04}-{month:02}-{day:02} {hour:02}{minute:02}");
    MailboxName::new(vec![hikyaku_text::brand::fresh_folder(&moment, lang)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Choices, SourceAccount};

    fn order(choices: Choices) -> Order {
        Order {
            brand: "hikyaku".into(),
            plan: "standard".into(),
            lang: "ja".into(),
            source: SourceAccount {
                host: String::new(),
                port: None,
                transport: None,
                address: "taro@example.jp".into(),
                login: None,
                accepted: None,
            },
            destination: "taro@example.jp".into(),
            notify: "taro@example.com".into(),
            choices,
        }
    }

    fn shown(names: &[MailboxName]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn hidden_mailboxes_stay_out_unless_ticked() {
        let order = order(Choices {
            exclude: vec!["旧".into()],
            include: vec!["Trash".into()],
            only: vec!["INBOX".into(), "A\\/B/C".into()],
            since: Some(1),
            fit: true,
            ..Choices::default()
        });
        let plan = Plan {
            max_message_octets: Some(100 << 20),
            ..Plan::default()
        };
        let hidden = ["Trash".to_owned(), "Sync Issues".to_owned()];
        let policy = policy(&order, &plan, &hidden, 0);
        assert_eq!(shown(&policy.without), ["旧", "Sync Issues"]);
        assert_eq!(shown(&policy.folders), ["INBOX", "A\\/B/C"]);
        assert_eq!(
            (policy.since, policy.before, policy.fit),
            (Some(1), None, true)
        );
        assert_eq!(policy.max_octets, Some(100 << 20));
        assert_eq!((policy.fresh, policy.exclude), (None, Vec::new()));
    }

    #[test]
    fn a_fresh_copy_replaces_or_has_a_folder_of_its_own() {
        let wanted = |rerun, lang: &str| {
            let mut order = order(Choices {
                rerun,
                ..Choices::default()
            });
            order.lang = lang.into();
            policy(&order, &Plan::default(), &[], 1_795_333_500_123).fresh
        };
        assert_eq!(wanted(Rerun::FreshReplace, "ja"), Some(Fresh::Replace));
        for (lang, name) in [
            ("ja", "メールコピー 2026-11-22 0705"),
            ("en", "Mail copy 2026-11-22 0705"),
        ] {
            let folder = MailboxName::parse(name).map(Fresh::Folder);
            assert_eq!(wanted(Rerun::FreshFolder, lang), folder);
        }
    }
}
