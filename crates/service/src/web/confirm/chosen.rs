//! What was chosen at the confirmation: boxes, what to do when it does not fit, one more run by itself.

use crate::job::{Checked, Choices, FinalRun};
use crate::jobs::FINAL_RUN_MILLIS;
use crate::web::Fields;
use crate::web::form::Wrong;
use hikyaku_text::Lang;
use hikyaku_text::page::confirm as t;
use hikyaku_view::MailboxPlanView;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Whether a folder has a box, and whether it is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// There is nothing to choose.
    None,
    /// A box.
    Box(bool),
}

/// The box of a folder, as the plan and earlier choices have it.
pub(super) fn tick(line: &MailboxPlanView, checked: &Checked, choices: &Choices) -> Tick {
    if checked.hidden.contains(&line.source) {
        return match line.rule.as_deref() {
            Some("not_selectable") => Tick::None,
            _ => Tick::Box(choices.include.contains(&line.source)),
        };
    }
    match line.rule.as_deref() {
        None => Tick::Box(true),
        Some("excluded") => Tick::Box(!choices.exclude.contains(&line.source)),
        Some(_) => Tick::None,
    }
}

/// Reads the form. `shown` says which boxes the page had; the others stay as they were.
pub(super) fn read(
    before: &Choices,
    checked: &Checked,
    fields: &Fields,
    now_millis: i64,
    lang: Lang,
) -> Result<Choices, Vec<Wrong>> {
    let numbers = |name| -> BTreeSet<usize> {
        fields
            .all(name)
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    let (shown, ticked) = (numbers("shown"), numbers("folder"));
    let mut choices = Choices {
        fit: fields.has("fit"),
        ..before.clone()
    };
    let (mut exclude, mut include) = (Vec::new(), Vec::new());
    let mut any = false;
    for (number, line) in checked
        .plan
        .iter()
        .flat_map(|plan| &plan.mailboxes)
        .enumerate()
    {
        let Tick::Box(default) = tick(line, checked, before) else {
            continue;
        };
        let is_ticked = match shown.contains(&number) {
            true => ticked.contains(&number),
            false => default,
        };
        any |= is_ticked;
        match (checked.hidden.contains(&line.source), is_ticked) {
            (true, true) => include.push(line.source.clone()),
            (false, false) => exclude.push(line.source.clone()),
            _ => {}
        }
    }
    let has_folders = checked
        .plan
        .as_ref()
        .is_some_and(|plan| !plan.mailboxes.is_empty());
    let mut wrongs = Vec::new();
    if has_folders && !any {
        wrongs.push(Wrong::at("folders", t::nothing_ticked(lang)));
    }
    if does_not_fit(checked).is_some() && !choices.fit {
        wrongs.push(Wrong::at("fit", t::fit_missing(lang)));
    }
    (choices.exclude, choices.include) = (exclude, include);
    choices.final_run = match final_run(fields, now_millis) {
        Ok(Some(_)) if !fields.has("consent") => {
            wrongs.push(Wrong::at("consent", t::final_run_consent_missing(lang)));
            None
        }
        Ok(run) => run,
        Err(()) => {
            wrongs.push(Wrong::at("final_time", t::final_run_time_odd(lang)));
            None
        }
    };
    match wrongs.is_empty() {
        true => Ok(choices),
        false => Err(wrongs),
    }
}

/// How many octets are missing for the copy to fit.
pub(super) fn does_not_fit(checked: &Checked) -> Option<u64> {
    let room = checked.plan.as_ref()?.room?;
    room.missing.filter(|missing| *missing > 0)
}

fn final_run(fields: &Fields, now_millis: i64) -> Result<Option<FinalRun>, ()> {
    match fields.text("final_run") {
        "moved" => Ok(Some(FinalRun::MxMoved)),
        "at" => {
            let typed: DateTime = fields.trimmed("final_time").parse().map_err(|_| ())?;
            let moment = typed.to_zoned(TimeZone::system()).map_err(|_| ())?;
            let millis = moment.timestamp().as_millisecond();
            let is_soon = millis > now_millis && millis <= now_millis + FINAL_RUN_MILLIS;
            is_soon.then_some(Some(FinalRun::At(millis))).ok_or(())
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_view::{PlanView, RoomView};

    /// 2026-11-22 04:00 UTC.
    const NOW: i64 = 1_795_320_000_000;

    fn line(source: &str, rule: Option<&str>) -> MailboxPlanView {
        MailboxPlanView {
            source: source.to_owned(),
            destination: source.to_owned(),
            action: if rule.is_some() { "skip" } else { "copy" }.to_owned(),
            rule: rule.map(ToOwned::to_owned),
            role: None,
            changes: Vec::new(),
            messages: Some(1),
            octets: Some(10),
        }
    }

    fn checked(missing: Option<u64>) -> Checked {
        let room = RoomView {
            limit: 10,
            used: 0,
            free: 10,
            kept: 0,
            needed: missing,
            left: None,
            missing,
        };
        let mailboxes = vec![
            line("INBOX", None),
            line("Sent", None),
            line("Calendar", Some("excluded")),
            line("All", Some("view")),
            line("Folder", Some("not_selectable")),
            line("Other", Some("not_selected")),
        ];
        Checked {
            plan: Some(PlanView {
                messages: 2,
                octets: Some(20),
                room: Some(room),
                mailboxes,
            }),
            hidden: vec!["Calendar".to_owned(), "All".to_owned(), "Folder".to_owned()],
            ..Checked::default()
        }
    }

    fn read_of(
        checked: &Checked,
        before: &Choices,
        form: &str,
    ) -> Result<Choices, Vec<&'static str>> {
        let fields = Fields::parse(form.as_bytes()).expect("a form");
        let read = read(before, checked, &fields, NOW, Lang::En);
        read.map_err(|wrongs| wrongs.iter().map(|wrong| wrong.field).collect())
    }

    const SHOWN: &str = "shown=0&shown=1&shown=2&shown=3&shown=4&shown=5";

    #[test]
    fn boxes_are_what_was_ticked_and_the_rest_stays() {
        let plain = Choices::default();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for (form, exclude, include) in [
            (format!("{SHOWN}&folder=0&folder=1"), names(&[]), names(&[])),
            (
                format!("{SHOWN}&folder=0&folder=2&folder=3"),
                names(&["Sent"]),
                names(&["Calendar", "All"]),
            ),
            // What has no box cannot be ticked by hand.
            (
                format!("{SHOWN}&folder=1&folder=4&folder=5&folder=99&folder=x"),
                names(&["INBOX"]),
                names(&[]),
            ),
            // What the page did not show stays as it was.
            ("shown=1".to_owned(), names(&["Sent"]), names(&[])),
            (String::new(), names(&[]), names(&[])),
        ] {
            let expected = Choices {
                exclude,
                include,
                ..Choices::default()
            };
            assert_eq!(
                read_of(&checked(None), &plain, &form),
                Ok(expected),
                "{form}"
            );
        }
        let nothing = read_of(&checked(None), &plain, SHOWN);
        assert_eq!(nothing, Err(vec!["folders"]));
        let ticked = Choices {
            include: names(&["Calendar"]),
            ..Choices::default()
        };
        assert_eq!(
            read_of(&checked(None), &ticked, "shown=0&folder=0"),
            Ok(ticked)
        );
    }

    #[test]
    fn what_does_not_fit_is_decided_before() {
        let form = "shown=0&folder=0";
        assert_eq!(
            read_of(&checked(Some(5)), &Choices::default(), form),
            Err(vec!["fit"])
        );
        let fit = read_of(
            &checked(Some(5)),
            &Choices::default(),
            &format!("{form}&fit=1"),
        );
        assert!(fit.is_ok_and(|choices| choices.fit));
        let roomy = read_of(&checked(Some(0)), &Choices::default(), form);
        assert!(roomy.is_ok_and(|choices| !choices.fit));
    }

    #[test]
    fn a_run_by_itself_needs_a_time_and_consent() {
        let read = |form: &str| {
            let form = format!("shown=0&folder=0&{form}");
            read_of(&checked(None), &Choices::default(), &form).map(|choices| choices.final_run)
        };
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("final_run=none&consent=1"), Ok(None));
        assert_eq!(read("final_run=moved"), Err(vec!["consent"]));
        assert_eq!(
            read("final_run=moved&consent=1"),
            Ok(Some(FinalRun::MxMoved))
        );
        let at = read("final_run=at&final_time=2026-12-01T09:30&consent=1");
        assert!(
            matches!(at, Ok(Some(FinalRun::At(millis))) if millis > NOW),
            "{at:?}"
        );
        for time in [
            "",
            "2020-01-01T00:00",
            "2027-02-01T00:00",
            "tomorrow",
            "2026-13-01T00:00",
        ] {
            let form = format!("final_run=at&final_time={time}&consent=1");
            assert_eq!(read(&form), Err(vec!["final_time"]), "{time}");
        }
    }
}
