//! What is taken back, as text.

use super::report::subject;
use crate::terminal::{Align, Table};
use hikyaku_core::undo::{KeptCopy, UndoLine, UndoPlan, UndoReport};
use hikyaku_text::escape::clean;
use hikyaku_text::{Count, Lang, Show, undo as text};

/// Copies that are shown by name here; files hold more.
const SHOWN: usize = 20;

/// What would go.
pub(crate) fn undo_plan(plan: &UndoPlan, lang: Lang) -> String {
    let mut parts = vec![text::plan(plan, lang).join("\n")];
    if plan.supported && !plan.lines.is_empty() {
        parts.push(table(&plan.lines, lang));
    }
    safe(&parts)
}

/// What went.
pub(crate) fn undo_report(report: &UndoReport, lang: Lang) -> String {
    let mut parts = vec![text::report(report, lang).join("\n")];
    if !report.lines.is_empty() {
        parts.push(table(&report.lines, lang));
    }
    parts.extend(kept(&report.kept, lang));
    safe(&parts)
}

/// Copies that stay, by name.
pub(crate) fn kept(kept: &[KeptCopy], lang: Lang) -> Option<String> {
    if kept.is_empty() {
        return None;
    }
    let mut lines = vec![text::kept_follow(Count(kept.len() as u64), lang)];
    for copy in kept.iter().take(SHOWN) {
        let subject = subject(copy.head.as_deref(), copy.key, lang);
        let line = text::kept_line(&copy.mailbox, &subject, copy.why, lang);
        lines.push(format!("  {line}"));
    }
    Some(lines.join("\n"))
}

fn table(lines: &[UndoLine], lang: Lang) -> String {
    let align = [Align::Left, Align::Right, Align::Right, Align::Right];
    let mut table = Table::new(text::headings(lang).into_iter().zip(align));
    for line in lines {
        table.row([
            line.mailbox.show(lang),
            Count(line.removed).show(lang),
            Count(line.touched).show(lang),
            Count(line.only_copy).show(lang),
        ]);
    }
    table.to_string().trim_end().to_owned()
}

/// Names and subjects come from servers.
fn safe(parts: &[String]) -> String {
    let text = parts.join("\n\n");
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}
