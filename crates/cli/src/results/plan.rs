//! The plan as a table: what goes where, and why under another name.

use crate::figures;
use crate::terminal::{Align, Table};
use crate::words::{Lang, plan as words};
use hikyaku_core::plan::{MailboxPlan, Plan, Step};

/// The whole plan.
pub(crate) fn plan(plan: &Plan, lang: Lang) -> String {
    let [source, destination, messages, size, remarks] = words::headings(lang);
    let mut table = Table::new([
        (source, Align::Left),
        (destination, Align::Left),
        (messages, Align::Right),
        (size, Align::Right),
        (remarks, Align::Left),
    ]);
    for line in &plan.mailboxes {
        table.row(row(line, lang));
    }
    let octets = plan.octets().map(|octets| figures::octets(octets, lang));
    let total = words::total(
        &figures::count(plan.messages()),
        octets.as_deref(),
        &figures::count(plan.copied().count() as u64),
        lang,
    );
    format!("{table}\n{total}\n{}", words::only_a_plan(lang))
}

fn row(line: &MailboxPlan, lang: Lang) -> [String; 5] {
    let state = line.source.state;
    let destination = match line.step {
        Step::Skip(_) => "-".to_owned(),
        _ => line.destination.to_string(),
    };
    [
        line.source.name.to_string(),
        destination,
        state.map_or_else(|| "?".to_owned(), |s| figures::count(s.messages)),
        state
            .and_then(|s| s.octets)
            .map_or_else(|| "-".to_owned(), |octets| figures::octets(octets, lang)),
        remarks(line, lang).join(match lang {
            Lang::Ja => "・",
            Lang::En => "; ",
        }),
    ]
}

fn remarks(line: &MailboxPlan, lang: Lang) -> Vec<String> {
    match line.step {
        Step::Skip(rule) => return vec![words::skipped(rule, lang).to_owned()],
        Step::Unchanged => return vec![words::unchanged(lang).to_owned()],
        Step::Copy { .. } => {}
    }
    let mut remarks: Vec<String> = line
        .changes
        .iter()
        .map(|change| words::change(change, lang))
        .collect();
    if (line.step == Step::Copy { create: true }) {
        remarks.push(words::created(lang).to_owned());
    }
    remarks
}
