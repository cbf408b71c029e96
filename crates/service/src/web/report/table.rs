//! The report as comma-separated values (RFC 4180) in the language of the page: every folder, then every exception. With
//! a byte order mark, so that spreadsheets read Japanese.

use hikyaku_core::Fault;
use hikyaku_core::report::Outcome;
use hikyaku_text::escape::csv_cell;
use hikyaku_text::page::{self, result as words};
use hikyaku_text::{Lang, Show, report};
use hikyaku_view::{ExceptionView, MailboxReportView, ReportView};

const COLUMNS: usize = 18;

type Cells = [String; COLUMNS];

/// The whole report.
pub(crate) fn csv(view: &ReportView, lang: Lang) -> String {
    let mut out = String::from("\u{feff}");
    line(&mut out, &headings(lang));
    for one in &view.mailboxes {
        line(&mut out, &folder(one, lang));
    }
    for one in &view.exceptions {
        line(&mut out, &exception(one, lang));
    }
    out
}

fn headings(lang: Lang) -> Cells {
    let [source, destination, seen, now, before, missing] =
        report::mailbox_headings(lang).map(str::to_owned);
    let [_, subject, from, date, _, cause] = report::exception_headings(lang).map(str::to_owned);
    [
        words::column_kind(lang),
        source,
        destination,
        seen,
        now,
        before,
        missing,
        date,
        from,
        subject,
        words::column_octets(lang),
        words::column_result(lang),
        words::column_code(lang),
        cause,
        words::remedy(lang),
        words::who(lang),
        words::column_answer(lang),
        words::column_number(lang),
    ]
}

fn folder(view: &MailboxReportView, lang: Lang) -> Cells {
    let of = &view.outcomes;
    let there = of.copied.messages + of.already_there.messages + of.removed_at_destination.messages;
    let missing = of.skipped.messages
        + of.vanished.messages
        + of.failed_temporary.messages
        + of.failed_permanent.messages;
    let mut cells = Cells::default();
    cells[0] = words::kind_folder(lang);
    cells[1].clone_from(&view.source);
    cells[2].clone_from(&view.destination);
    cells[3] = view.scanned.to_string();
    cells[4] = view.copied_now.to_string();
    cells[5] = there.saturating_sub(view.copied_now).to_string();
    cells[6] = missing.to_string();
    cells
}

fn exception(view: &ExceptionView, lang: Lang) -> Cells {
    let heading = view.heading.clone().unwrap_or_default();
    let fault = Fault::from(&view.fault);
    let explained = page::explain(fault.code, lang);
    let outcome = view.outcome.as_deref().and_then(outcome);
    let mut cells = Cells::default();
    cells[0] = words::kind_message(lang);
    cells[1].clone_from(&view.mailbox);
    cells[7] = heading.date.unwrap_or_default();
    cells[8] = heading.from.unwrap_or_default();
    cells[9] = heading.subject.unwrap_or_default();
    cells[10] = view
        .octets
        .map(|octets| octets.to_string())
        .unwrap_or_default();
    cells[11] = outcome
        .map(|outcome| outcome.show(lang))
        .unwrap_or_default();
    cells[12].clone_from(&view.short);
    cells[13] = explained.title.to_owned();
    cells[14] = explained.remedy.to_owned();
    cells[15] = explained.who.show(lang);
    cells[16] = fault.said.map(|said| said.to_string()).unwrap_or_default();
    cells[17] = view.message.map(|key| key.to_string()).unwrap_or_default();
    cells
}

fn outcome(word: &str) -> Option<Outcome> {
    let spelled = |outcome: &Outcome| outcome.as_str().replace('-', "_");
    Outcome::ALL
        .into_iter()
        .find(|outcome| spelled(outcome) == word)
}

fn line(out: &mut String, cells: &Cells) {
    for (place, text) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&csv_cell(text));
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::sample;
    use hikyaku_core::Code;
    use hikyaku_core::report::Report;

    /// Rows and cells of RFC 4180, read by its grammar.
    fn parse(text: &str) -> Vec<Vec<String>> {
        let mut rows = vec![vec![String::new()]];
        let mut signs = text.chars().peekable();
        let mut quoted = false;
        while let Some(c) = signs.next() {
            let row = rows.last_mut().expect("a row");
            let cell = row.last_mut().expect("a cell");
            match c {
                '"' if quoted && signs.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(String::new()),
                '\r' if !quoted && signs.next_if_eq(&'\n').is_some() => {
                    rows.push(vec![String::new()])
                }
                c => cell.push(c),
            }
        }
        assert!(!quoted);
        assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line ends");
        rows
    }

    #[test]
    fn a_spreadsheet_reads_back_what_was_reported() {
        let mut report = Report {
            mailboxes: vec![sample::mailbox(
                "請求書, \"2024\"",
                &[
                    (Outcome::Copied, 5),
                    (Outcome::AlreadyThere, 2),
                    (Outcome::FailedPermanent, 1),
                ],
                4,
            )],
            exceptions: vec![sample::exception(
                Code::MessageRefused,
                "=cmd|' /C calc'!A0",
                9,
                "=1+1;\"x\"",
            )],
            ..Report::default()
        };
        let said = hikyaku_core::Said::new("NO", Some("CANNOT"), "+81, no\r\nway");
        report.exceptions[0].fault.said = Some(Box::new(said));
        let text = csv(&ReportView::from(&report), Lang::Ja);
        let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
        let rows = parse(text);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == COLUMNS), "{rows:?}");
        assert_eq!(
            rows[1][..7],
            [
                "フォルダ",
                "請求書, \"2024\"",
                "請求書, \"2024\"",
                "8",
                "4",
                "3",
                "1"
            ]
        );
        let explained = page::explain(Code::MessageRefused, Lang::Ja);
        assert_eq!(
            rows[2],
            [
                "ご確認いただきたいもの",
                "'=cmd|' /C calc'!A0",
                "",
                "",
                "",
                "",
                "",
                "",
                "hana@example.jp",
                "'=1+1;\"x\"",
                "125829120",
                "コピーできなかったもの",
                "M501",
                explained.title,
                explained.remedy,
                "レポートで確認",
                "NO [CANNOT] +81, no\u{fffd}\u{fffd}way",
                "9",
            ]
        );
    }

    #[test]
    fn headings_are_in_the_language_of_the_page() {
        let none = ReportView::from(&Report::default());
        let ja = csv(&none, Lang::Ja);
        assert!(
            ja.starts_with("\u{feff}種類,コピー元のフォルダ,コピー先のフォルダ,通数,"),
            "{ja}"
        );
        let en = csv(&none, Lang::En);
        assert!(
            en.starts_with("\u{feff}Kind,Source folder,Destination folder,Messages,"),
            "{en}"
        );
    }
}
