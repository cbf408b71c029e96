//! The plan as a table: what goes where, and why under another name.

use crate::room;
use crate::terminal::{Align, Table};
use hikyaku_core::plan::{MailboxPlan, Plan, Step};
use hikyaku_text::{Count, Lang, Show, Size, plan as text};
use hikyaku_view::RoomView;

/// The whole plan, and the room for it where that is known.
pub(crate) fn plan(plan: &Plan, room: Option<&RoomView>, lang: Lang) -> String {
    let [source, destination, messages, size, remarks] = text::headings(lang);
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
    let mut lines = vec![text::total_of(plan, lang)];
    lines.extend(room.into_iter().flat_map(|room| room::lines(room, lang)));
    lines.push(text::nothing_written(lang));
    format!("{table}\n{}", lines.join("\n"))
}

fn row(line: &MailboxPlan, lang: Lang) -> [String; 5] {
    let state = line.source.state;
    let destination = match line.step {
        Step::Skip(_) => "-".to_owned(),
        _ => line.destination.show(lang),
    };
    [
        line.source.name.show(lang),
        destination,
        state.map_or_else(|| "?".to_owned(), |s| Count(s.messages).show(lang)),
        state
            .and_then(|s| s.octets)
            .map_or_else(|| "-".to_owned(), |octets| Size(octets).show(lang)),
        remarks(line, lang),
    ]
}

/// Reasons first; what happens is said where it is not the ordinary.
fn remarks(line: &MailboxPlan, lang: Lang) -> String {
    let mut remarks = Vec::new();
    if !matches!(line.step, Step::Skip(_) | Step::Unchanged) {
        let reasons = line.changes.iter();
        remarks.extend(reasons.map(|change| text::name_change(change, lang)));
    }
    if (line.step != Step::Copy { create: false }) {
        remarks.push(text::step(&line.step, lang));
    }
    remarks.join(match lang {
        Lang::Ja => "・",
        Lang::En => "; ",
    })
}
