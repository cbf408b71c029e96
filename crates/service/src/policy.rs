//! What is copied and how: from a plan of the brand and the choices of the person to what the engine is told.
//!
//! The check before the plan and the copy itself ask the same function, so that what is shown is what happens.

use crate::brand::Plan;
use crate::job::{Choices, Rerun, SourceKind};
use hikyaku_core::MailboxName;
use hikyaku_core::policy::{Fresh, Matching, Policy};
use hikyaku_text::{Lang, brand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the engine is told.
///
/// Mail of POP3 servers and of computers was mostly on other computers and servers, too, and its owner has put it into
/// other folders there: it counts as there wherever in the account it lies, whatever the plan says of IMAP servers.
///
/// `hidden` are the source mailboxes that are left out unless they were ticked; `created_millis` dates the folder of
/// [`Rerun::FreshFolder`], so that a job which goes on after a restart finds its own again.
pub fn policy(
    plan: &Plan,
    source: &SourceKind,
    choices: &Choices,
    hidden: &[String],
    created_millis: i64,
    lang: Lang,
) -> Policy {
    let unticked = hidden.iter().filter(|name| !choices.include.contains(name));
    let left_out = choices.exclude.iter().chain(unticked);
    Policy {
        folders: names(choices.only.iter()),
        without: names(left_out),
        since: choices.since,
        before: choices.before,
        max_octets: plan.max_message_octets,
        fit: choices.fit,
        matching: match source {
            SourceKind::Imap if !plan.match_account => Matching::Mapped,
            _ => Matching::Account,
        },
        fresh: match choices.rerun {
            Rerun::Differential => None,
            Rerun::FreshReplace => Some(Fresh::Replace),
            Rerun::FreshFolder => folder(created_millis, lang).map(Fresh::Folder),
        },
        ..Policy::default()
    }
}

fn names<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<MailboxName> {
    texts.filter_map(|text| MailboxName::parse(text)).collect()
}

/// The folder of one job, by its date and time.
fn folder(created_millis: i64, lang: Lang) -> Option<MailboxName> {
    let moment = Timestamp::from_millisecond(created_millis).unwrap_or_default();
    let moment = moment.to_zoned(TimeZone::system());
    let moment = moment.strftime("%Y-%m-%d %H%M").to_string();
    MailboxName::new(vec![brand::copy_of(&moment, lang)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brand::Brands;
    use crate::job::UploadId;
    use std::path::Path;

    fn texts(names: &[MailboxName]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_hidden_is_left_out_unless_ticked() {
        let choices = Choices {
            exclude: vec!["迷惑メール".to_owned()],
            include: vec!["Sync Issues".to_owned()],
            only: vec!["A\\/B/c".to_owned()],
            since: Some(1),
            before: Some(2),
            fit: true,
            ..Choices::default()
        };
        let hidden = ["Calendar".to_owned(), "Sync Issues".to_owned()];
        let plan = Plan {
            max_message_octets: Some(7),
            ..Plan::default()
        };
        let made = policy(&plan, &SourceKind::Imap, &choices, &hidden, 0, Lang::Ja);
        assert_eq!(texts(&made.without), ["迷惑メール", "Calendar"]);
        assert_eq!(texts(&made.folders), ["A\\/B/c"]);
        assert_eq!(made.folders[0].levels(), ["A/B", "c"]);
        let rest = (made.since, made.before, made.max_octets, made.fit);
        assert_eq!(rest, (Some(1), Some(2), Some(7), true));
        assert_eq!(made.fresh, None);
    }

    #[test]
    fn a_plan_says_where_mail_is_looked_for() {
        let of = |plan: &Plan, source: &SourceKind| {
            policy(plan, source, &Choices::default(), &[], 0, Lang::Ja).matching
        };
        let matching = |plan: &Plan| of(plan, &SourceKind::Imap);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../brands/cpi.toml");
        let cpi = Brands::load([file]).expect("a brand");
        let cpi = cpi.usual();
        // The server of this brand archives old mail by itself.
        assert!(!cpi.plans.is_empty());
        assert!(
            cpi.plans
                .iter()
                .all(|plan| matching(plan) == Matching::Account)
        );
        assert_eq!(matching(&Plan::default()), Matching::Mapped);
        for source in [SourceKind::Pop3, SourceKind::Upload(UploadId::random())] {
            assert_eq!(of(&Plan::default(), &source), Matching::Account);
        }
    }

    #[test]
    fn a_fresh_folder_is_the_same_for_the_whole_job() {
        let folder = |created| {
            let choices = Choices {
                rerun: Rerun::FreshFolder,
                ..Choices::default()
            };
            match policy(
                &Plan::default(),
                &SourceKind::Imap,
                &choices,
                &[],
                created,
                Lang::Ja,
            )
            .fresh
            {
                Some(Fresh::Folder(name)) => name.to_string(),
                other => panic!("{other:?}"),
            }
        };
        let made = folder(1_700_000_000_000);
        assert!(made.contains("2023-11-1"), "{made}");
        assert_eq!(made, folder(1_700_000_000_000));
        assert_ne!(made, folder(1_700_000_000_000 + 60_000));
        let choices = Choices {
            rerun: Rerun::FreshReplace,
            ..Choices::default()
        };
        let made = policy(
            &Plan::default(),
            &SourceKind::Imap,
            &choices,
            &[],
            0,
            Lang::En,
        )
        .fresh;
        assert_eq!(made, Some(Fresh::Replace));
    }
}
