//! Taking back own copies, in words.

use crate::figures::{Count, Messages, Show, Span};
use crate::sentence::sentences;
use crate::{Lang, explain};
use hikyaku_core::MailboxName;
use hikyaku_core::undo::{Kept, UndoLine, UndoPlan, UndoReport};
use std::time::Duration;

/// The columns of the table, in order: folder, taken back, then left alone because touched,
/// because it is the only copy.
pub fn headings(lang: Lang) -> [&'static str; 4] {
    match lang {
        Lang::Ja => [
            "コピー先のフォルダ",
            "取り除く",
            "変更あり（残す）",
            "コピー元になし（残す）",
        ],
        Lang::En => [
            "Destination folder",
            "To remove",
            "Changed (stays)",
            "Only copy (stays)",
        ],
    }
}

impl Show for Kept {
    fn show(&self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::Ja, Kept::Touched) => "コピー後に変更・移動・削除されている",
            (Lang::Ja, Kept::OnlyCopy) => "コピー元にもうない",
            (Lang::Ja, Kept::NotReplaced) => "新しいコピーを確認できていない",
            (Lang::En, Kept::Touched) => "changed, moved or deleted since it was copied",
            (Lang::En, Kept::OnlyCopy) => "no longer at the source",
            (Lang::En, Kept::NotReplaced) => "its new copy is not verified",
        }
        .to_owned()
    }
}

/// What taking back would do, line by line.
pub fn plan(plan: &UndoPlan, lang: Lang) -> Vec<String> {
    if !plan.supported {
        let told = explain(hikyaku_core::Code::UndoUnsupported, lang);
        return vec![told.cause.to_owned(), told.remedy.to_owned()];
    }
    let removed = plan.removed();
    let mut lines = vec![match removed {
        0 => nothing_to_take_back(lang),
        _ => would_go(Messages(removed), lang),
    }];
    lines.extend(left(&plan.lines, lang));
    lines.push(others_stay(lang));
    lines
}

/// What taking back came to, line by line.
pub fn report(report: &UndoReport, lang: Lang) -> Vec<String> {
    let elapsed = Span(Duration::from_millis(report.elapsed_millis));
    let mut lines = vec![went(Messages(report.removed()), elapsed, lang)];
    lines.extend(left(&report.lines, lang));
    match &report.stopped {
        Some(fault) => {
            let told = crate::fault::tell(fault, lang);
            lines.push(format!("{} [{}]", told.cause, fault.code.short()));
            lines.extend(told.quote);
            lines.push(told.remedy);
        }
        None => lines.push(copied_again_later(lang)),
    }
    lines
}

/// What became of earlier copies when everything was copied again, line by line.
pub fn replaced(lines: &[UndoLine], lang: Lang) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let removed = lines.iter().map(|l| l.removed).sum();
    let mut out = vec![earlier_went(Messages(removed), lang)];
    out.extend(left(lines, lang));
    out
}

/// What stays, one sentence per reason that occurs.
fn left(lines: &[UndoLine], lang: Lang) -> Vec<String> {
    let sum = |of: fn(&UndoLine) -> u64| lines.iter().map(of).sum::<u64>();
    [
        (
            sum(|l| l.touched),
            touched_stay as fn(Messages, Lang) -> String,
        ),
        (sum(|l| l.only_copy), only_copies_stay),
        (sum(|l| l.not_replaced), not_replaced_stay),
    ]
    .into_iter()
    .filter(|(messages, _)| *messages > 0)
    .map(|(messages, sentence)| sentence(Messages(messages), lang))
    .collect()
}

sentences! {
    /// The plan: how much goes.
    would_go(messages: Messages) {
        ja: "コピーした{messages}をコピー先から取り除きます。コピー元のメールはそのままです。",
        en: "To be removed from the destination: {messages} that hikyaku copied. The source is not touched.",
    }
    /// The plan: nothing goes.
    nothing_to_take_back() {
        ja: "取り除けるコピーはありません。",
        en: "There is no copy that can be taken back.",
    }
    /// What is safe.
    others_stay() {
        ja: "もともとあったメール、届いたメール、作成されたフォルダはそのまま残ります。",
        en: "Mail that was there before, mail that arrived, and folders stay as they are.",
    }
    /// How much went.
    went(messages: Messages, time: Span) {
        ja: "コピーした{messages}をコピー先から取り除きました（所要時間 {time}）。",
        en: "Removed from the destination: {messages} that hikyaku had copied ({time}).",
    }
    /// What a later copy does.
    copied_again_later() {
        ja: "もう一度コピーすると、取り除いたメールは再びコピーされます。",
        en: "The next copy brings back what was removed.",
    }
    /// Earlier copies that were replaced.
    earlier_went(messages: Messages) {
        ja: "新しいコピーを確認したうえで、前回までのコピー{messages}を取り除きました。",
        en: "Earlier copies removed after their replacement was verified: {messages}.",
    }
    /// Left alone because of their owner.
    touched_stay(messages: Messages) {
        ja: "コピー後に変更・移動・削除された{messages}には触れません。",
        en: "Left alone because they were changed, moved or deleted since: {messages}.",
    }
    /// Left alone because nobody else has them.
    only_copies_stay(messages: Messages) {
        ja: "コピー元にもうない{messages}は、コピー先に残します。",
        en: "Left alone because the source no longer has them: {messages}.",
    }
    /// Left alone because the new copy is missing.
    not_replaced_stay(messages: Messages) {
        ja: "新しいコピーを確認できなかった{messages}は、前回のコピーを残します。",
        en: "Earlier copies left because the new copy is not verified: {messages}.",
    }
    /// Above the list of what is left.
    kept_follow(copies: Count) {
        ja: "残したコピー（{copies}件）",
        en: "Copies that stay ({copies})",
    }
    /// One copy that is left.
    kept_line(mailbox: &MailboxName, subject: &str, why: Kept) {
        ja: "{mailbox}　{subject}（{why}）",
        en: "{mailbox}  {subject} ({why})",
    }
    /// The question before anything is removed.
    really() {
        ja: "取り除いてよろしければ「取り消し」と入力してください：",
        en: "Type \"undo\" to remove them: ",
    }
    /// Another answer.
    not_done() {
        ja: "何も取り除いていません。",
        en: "Nothing was removed.",
    }
}

/// The folder of the destination for a copy beside the earlier ones; `day` is `2026-11-22`.
pub fn dated_folder(day: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("コピー {day}"),
        Lang::En => format!("Copy {day}"),
    }
}

/// The words that mean yes.
pub const YES: [&str; 2] = ["取り消し", "undo"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_what_went_and_why_the_rest_stays() {
        let inbox = MailboxName::inbox();
        let done = UndoReport {
            lines: vec![UndoLine {
                removed: 3,
                touched: 2,
                only_copy: 1,
                ..UndoLine::of(&inbox)
            }],
            elapsed_millis: 2_000,
            ..UndoReport::default()
        };
        let ja = report(&done, Lang::Ja).join("\n");
        assert!(ja.contains("3通をコピー先から取り除きました"), "{ja}");
        assert!(ja.contains("2通には触れません"), "{ja}");
        assert!(ja.contains("1通は、コピー先に残します"), "{ja}");
        assert!(!ja.contains("前回のコピーを残します"), "{ja}");
        let en = report(&done, Lang::En);
        assert_eq!(en.len(), 4, "{en:?}");
    }

    #[test]
    fn what_is_not_supported_promises_nothing() {
        let told = plan(&UndoPlan::default(), Lang::En).join(" ");
        assert!(told.contains("nothing was removed"), "{told}");
    }
}
