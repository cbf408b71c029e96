//! The report in words: the equation, what is not as it should be, and what to do.

use crate::figures::{Count, Mailboxes, Messages, Rate, Share, Show, Size, Span, Times};
use crate::sentence::sentences;
use crate::{Lang, explain};
use hikyaku_core::report::{Note, Outcome, Report, Wait};
use hikyaku_core::{MailboxName, Side};
use std::time::Duration;

/// The columns of the table of exceptions, in order: folder, subject, sender, date,
/// size, cause.
pub fn exception_headings(lang: Lang) -> [&'static str; 6] {
    match lang {
        Lang::Ja => ["フォルダ", "件名", "差出人", "日時", "サイズ", "原因"],
        Lang::En => ["Folder", "Subject", "From", "Date", "Size", "Cause"],
    }
}

/// The columns of the table of mailboxes, in order: source, destination, seen, then
/// copied in this run, already there, not copied.
pub fn mailbox_headings(lang: Lang) -> [&'static str; 6] {
    match lang {
        Lang::Ja => [
            "コピー元のフォルダ",
            "コピー先のフォルダ",
            "通数",
            "今回コピー",
            "コピー済み・既存",
            "未コピー",
        ],
        Lang::En => [
            "Source folder",
            "Destination folder",
            "Messages",
            "Copied now",
            "There before",
            "Not copied",
        ],
    }
}

/// The first sentence of a report: how it ended.
pub fn headline(report: &Report, lang: Lang) -> String {
    let tally = report.tally();
    let missing = tally.failures();
    let proven = report.scanned().saturating_sub(missing);
    if let Some(fault) = &report.stopped {
        return stopped(explain(fault.code, lang).title, lang);
    }
    if !report.adds_up() {
        return does_not_add_up(lang);
    }
    if report.differences > 0 {
        return found_differences(Messages(report.differences), lang);
    }
    if report.is_complete() {
        return match report.scanned() {
            0 => nothing_to_copy(lang),
            all => match report.left_out().count() as u64 {
                0 => complete(lang),
                left => complete_but(Messages(all.saturating_sub(left)), Messages(left), lang),
            },
        };
    }
    if report.unfinished > 0 {
        return unfinished(Mailboxes(report.unfinished), lang);
    }
    match missing {
        0 => with_exceptions(Count(report.exceptions.len() as u64), lang),
        _ => partly(Messages(proven), Messages(missing), lang),
    }
}

/// The equation: every message that the source showed has exactly one outcome.
/// Outcomes without messages are left out.
pub fn equation(report: &Report, lang: Lang) -> String {
    let tally = report.tally();
    let now = report.copied_now().min(tally.messages(Outcome::Copied));
    let earlier = tally.messages(Outcome::Copied) - now;
    let mut terms = Vec::new();
    if now > 0 || report.scanned() == 0 {
        terms.push(term_copied_now(Share(now), lang));
    }
    if earlier > 0 {
        terms.push(term_copied_earlier(Share(earlier), lang));
    }
    for outcome in Outcome::ALL.into_iter().skip(1) {
        let messages = tally.messages(outcome);
        if messages > 0 {
            terms.push(term(outcome, Share(messages), lang));
        }
    }
    let sign = match (lang, report.adds_up()) {
        (Lang::Ja, true) => "＝",
        (Lang::Ja, false) => " ≠ ",
        (Lang::En, true) => " = ",
        (Lang::En, false) => " ≠ ",
    };
    let plus = match lang {
        Lang::Ja => "＋",
        Lang::En => " + ",
    };
    let sum = seen(Messages(report.scanned()), lang);
    format!("{sum}{sign}{}", terms.join(plus))
}

fn term(outcome: Outcome, messages: Share, lang: Lang) -> String {
    match outcome {
        Outcome::Copied => term_copied_earlier(messages, lang),
        Outcome::AlreadyThere => term_already_there(messages, lang),
        Outcome::Skipped => term_skipped(messages, lang),
        Outcome::FailedTemporary => term_failed_temporary(messages, lang),
        Outcome::FailedPermanent => term_failed_permanent(messages, lang),
        Outcome::Vanished => term_vanished(messages, lang),
        Outcome::RemovedAtDestination => term_removed(messages, lang),
    }
}

impl Show for Outcome {
    fn show(&self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::Ja, Outcome::Copied) => "コピー済み",
            (Lang::Ja, Outcome::AlreadyThere) => "コピー先にすでにあったもの",
            (Lang::Ja, Outcome::Skipped) => "対象外",
            (Lang::Ja, Outcome::FailedTemporary) => "次回もう一度コピーするもの",
            (Lang::Ja, Outcome::FailedPermanent) => "コピーできなかったもの",
            (Lang::Ja, Outcome::Vanished) => "コピー元からなくなったもの",
            (Lang::Ja, Outcome::RemovedAtDestination) => "コピー後にコピー先で移動・削除されたもの",
            (Lang::En, Outcome::Copied) => "copied",
            (Lang::En, Outcome::AlreadyThere) => "already there",
            (Lang::En, Outcome::Skipped) => "left out",
            (Lang::En, Outcome::FailedTemporary) => "to be tried again",
            (Lang::En, Outcome::FailedPermanent) => "not copied",
            (Lang::En, Outcome::Vanished) => "gone from the source",
            (Lang::En, Outcome::RemovedAtDestination) => "moved or deleted at the destination",
        }
        .to_owned()
    }
}

/// A note as one sentence.
pub fn note(note: &Note, lang: Lang) -> String {
    match note {
        Note::FlagsLost {
            mailbox,
            flags,
            messages,
        } => flags_lost(mailbox, flags, Messages(*messages), lang),
        Note::Altered {
            mailbox, messages, ..
        } => altered(mailbox, Messages(*messages), lang),
        Note::DatesLost { mailbox, messages } => dates_lost(mailbox, Messages(*messages), lang),
        Note::EpochChanged { mailbox, side } => epoch_changed(mailbox, *side, lang),
        Note::EpochUnstable { mailbox, side } => epoch_unstable(mailbox, *side, lang),
        Note::Arrived { mailbox, messages } => arrived(mailbox, Messages(*messages), lang),
        Note::GoneAtSource { mailbox, messages } => {
            gone_at_source(mailbox, Messages(*messages), lang)
        }
        Note::FoundElsewhere {
            mailbox,
            found_in,
            messages,
        } => found_elsewhere(mailbox, found_in, Messages(*messages), lang),
    }
}

/// How long was waited for what.
pub fn waited(wait: &Wait, lang: Lang) -> String {
    let time = Span(Duration::from_millis(wait.millis));
    let (cause, times) = (explain(wait.code, lang).title, Times(wait.times));
    match wait.side {
        Some(side) => waited_for_side(time, side, cause, times, lang),
        None => waited_for(time, cause, times, lang),
    }
}

/// The lines of a report that are not tables: how it ended, the equation, what this run
/// did, what to do next. Exceptions and notes are for the caller to lay out.
pub fn summary(report: &Report, lang: Lang) -> Vec<String> {
    let mut lines = vec![headline(report, lang), equation(report, lang)];
    lines.extend(facts(report, lang));
    if let Some(fault) = &report.stopped {
        let told = crate::fault::tell(fault, lang);
        lines.push(format!("{} [{}]", told.cause, fault.code.short()));
        lines.extend(told.quote);
        lines.push(told.remedy);
    } else if report.unfinished > 0 || report.tally().messages(Outcome::FailedTemporary) > 0 {
        lines.push(run_again(lang));
    }
    lines
}

/// What the run did: messages and octets, flags, proofs, repeats and waits.
pub fn facts(report: &Report, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    let elapsed = Duration::from_millis(report.elapsed_millis);
    match (report.copied_now(), report.octets_now()) {
        (0, _) => lines.push(copied_nothing(Span(elapsed), lang)),
        (messages, octets) => {
            let rate = u128::from(octets) * 1000 / u128::from(report.elapsed_millis.max(1));
            let rate = Rate(u64::try_from(rate).unwrap_or(u64::MAX));
            let size = Size(octets);
            lines.push(copied_now(
                Messages(messages),
                size,
                Span(elapsed),
                rate,
                lang,
            ));
        }
    }
    let sum = |of: fn(&hikyaku_core::report::MailboxReport) -> u64| {
        report.mailboxes.iter().map(of).sum::<u64>()
    };
    let (updated, read_back) = (sum(|m| m.flags_updated), sum(|m| m.read_back));
    if updated > 0 {
        lines.push(flags_updated(Messages(updated), lang));
    }
    if read_back > 0 {
        lines.push(proven_by_reading(Messages(read_back), lang));
    }
    if report.retries > 0 {
        lines.push(repeated(Times(report.retries), lang));
    }
    lines.extend(report.waits.iter().map(|wait| waited(wait, lang)));
    lines
}

sentences! {
    /// Everything is there and proven.
    complete() {
        ja: "すべてのメールを確認できました。",
        en: "Every message is accounted for and verified.",
    }
    /// Complete, but for messages that a rule keeps back.
    complete_but(proven: Messages, left: Messages) {
        ja: "{proven}を確認しました。{left}は対象外のため、コピーしていません。",
        en: "Accounted for and verified: {proven}. Left out by a rule: {left}.",
    }
    /// The source is empty.
    nothing_to_copy() {
        ja: "コピー元にメールがないため、コピーするものはありませんでした。",
        en: "The source holds no mail, so there was nothing to copy.",
    }
    /// Some messages could not be copied.
    partly(proven: Messages, missing: Messages) {
        ja: "{proven}を確認しました。{missing}はコピーできませんでした。",
        en: "Accounted for: {proven}. Not copied: {missing}.",
    }
    /// All messages are there, something else is not as it should be.
    with_exceptions(exceptions: Count) {
        ja: "コピーは終わりましたが、ご確認いただきたいことが{exceptions}件あります。",
        en: "The copy has ended; matters to look at: {exceptions}.",
    }
    /// The run ended before its end.
    stopped(cause: &str) {
        ja: "途中で終了しました（{cause}）。コピー済みのメールはそのまま残っています。",
        en: "The run ended early ({cause}). What has been copied stays copied.",
    }
    /// Mailboxes that need another run.
    unfinished(mailboxes: Mailboxes) {
        ja: "コピーが終わっていないフォルダが{mailboxes}あります。",
        en: "Not finished yet: {mailboxes}.",
    }
    /// Verification failed.
    found_differences(messages: Messages) {
        ja: "コピー結果の確認で、{messages}に違いが見つかりました。",
        en: "The verification found differences: {messages}.",
    }
    /// A defect of the program.
    does_not_add_up() {
        ja: "通数の合計が一致しません。お手数ですが、レポートを添えてhikyakuの開発元へご連絡ください。",
        en: "The counts do not add up. Please send this report to the developers of hikyaku.",
    }
    /// The left side of the equation.
    seen(messages: Messages) {
        ja: "コピー元のメール {messages}",
        en: "{messages} at the source",
    }
    /// Copied in this run.
    term_copied_now(messages: Share) {
        ja: "新しくコピー {messages}",
        en: "{messages} newly copied",
    }
    /// Copied in an earlier run.
    term_copied_earlier(messages: Share) {
        ja: "前回までにコピー済み {messages}",
        en: "{messages} copied earlier",
    }
    /// Put there by somebody else.
    term_already_there(messages: Share) {
        ja: "コピー先にすでにあったもの {messages}",
        en: "{messages} already there",
    }
    /// Left out by a rule.
    term_skipped(messages: Share) {
        ja: "対象外 {messages}",
        en: "{messages} left out",
    }
    /// Failed for now.
    term_failed_temporary(messages: Share) {
        ja: "次回もう一度コピーするもの {messages}",
        en: "{messages} to be tried again",
    }
    /// Failed for good.
    term_failed_permanent(messages: Share) {
        ja: "コピーできなかったもの {messages}",
        en: "{messages} not copied",
    }
    /// Gone before they could be read.
    term_vanished(messages: Share) {
        ja: "コピー中にコピー元からなくなったもの {messages}",
        en: "{messages} gone from the source",
    }
    /// Removed by the owner.
    term_removed(messages: Share) {
        ja: "コピー後にコピー先で移動・削除されたもの {messages}",
        en: "{messages} moved or deleted at the destination since",
    }
    /// What this run did.
    copied_now(messages: Messages, size: Size, time: Span, rate: Rate) {
        ja: "今回のコピー：{messages}（{size}）・所要時間 {time}・平均 {rate}",
        en: "Copied in this run: {messages} ({size}) in {time}, {rate} on average",
    }
    /// What this run did not have to do.
    copied_nothing(time: Span) {
        ja: "新しくコピーするメールはありませんでした（所要時間 {time}）。",
        en: "There was nothing new to copy ({time}).",
    }
    /// Flags that followed the source.
    flags_updated(messages: Messages) {
        ja: "既読・フラグなどの状態を{messages}に反映しました。",
        en: "Read marks and flags brought up to date: {messages}.",
    }
    /// The full proof.
    proven_by_reading(messages: Messages) {
        ja: "コピー先から読み戻し、内容がすべて同じであることを確認したメール：{messages}",
        en: "Read back from the destination and identical: {messages}.",
    }
    /// Repeated appends.
    repeated(times: Times) {
        ja: "応答がなかったため送り直した回数：{times}（二重にはなっていません）",
        en: "Sent again after a lost or negative answer: {times}, nothing twice",
    }
    /// Waits on account of one side.
    waited_for_side(time: Span, side: Side, cause: &str, times: Times) {
        ja: "待機した時間：合計 {time}（{side}：{cause}・{times}）",
        en: "Waited {time} in all for the {side}: {cause} ({times}).",
    }
    /// Waits.
    waited_for(time: Span, cause: &str, times: Times) {
        ja: "待機した時間：合計 {time}（{cause}・{times}）",
        en: "Waited {time} in all: {cause} ({times}).",
    }
    /// A certificate that only its fingerprint vouches for.
    pinned(side: Side, server: &str, fingerprint: &str) {
        ja: "{side}（{server}）の証明書は、指定されたフィンガープリント（{fingerprint}）で確認しました。発行元・名前・有効期間は確認していません。",
        en: "The certificate of the {side} ({server}) was accepted by the given fingerprint, {fingerprint}; its issuer, name and dates were not checked.",
    }
    /// What to do when something is left.
    run_again() {
        ja: "同じ操作をもう一度行うと、続きから再開します。",
        en: "Run the same command again: it continues where it stopped.",
    }
    /// Above the table of exceptions.
    exceptions_follow(exceptions: Count) {
        ja: "コピーできなかったもの・ご確認いただきたいもの（{exceptions}件）",
        en: "Not copied, or to be looked at ({exceptions})",
    }
    /// Below a shortened table of exceptions.
    exceptions_more(more: Count) {
        ja: "ほか{more}件（「hikyaku report」ですべて表示できます）",
        en: "and {more} more (\"hikyaku report\" lists all of them)",
    }
    /// In place of a subject that could not be read.
    no_subject() {
        ja: "（件名なし）",
        en: "(no subject)",
    }
    /// In place of a subject, where the whole mailbox is meant.
    whole_mailbox() {
        ja: "（フォルダ全体）",
        en: "(the whole folder)",
    }
    /// In place of a subject, where what has no room is meant.
    without_room() {
        ja: "（入りきらなかったメール）",
        en: "(what did not fit)",
    }
    /// Above the notes.
    notes_follow() {
        ja: "お知らせ",
        en: "Notes",
    }
    /// Flags that the destination does not keep.
    flags_lost(mailbox: &MailboxName, flags: &str, messages: Messages) {
        ja: "「{mailbox}」の{messages}は、コピー先で保存できない状態（{flags}）を除いてコピーしました。",
        en: "{mailbox}: the destination cannot keep {flags}; concerned: {messages}.",
    }
    /// Stored with other octets.
    altered(mailbox: &MailboxName, messages: Messages) {
        ja: "「{mailbox}」の{messages}は、コピー先のサーバーが保存時に一部（改行やヘッダーの書き方）を書き換えました。",
        en: "{mailbox}: the destination server rewrote line ends or headers when storing; concerned: {messages}.",
    }
    /// Dates that could not be kept.
    dates_lost(mailbox: &MailboxName, messages: Messages) {
        ja: "「{mailbox}」の{messages}は、受信日時をそのまま保存できませんでした。",
        en: "{mailbox}: the date of arrival could not be kept; concerned: {messages}.",
    }
    /// UIDVALIDITY changed.
    epoch_changed(mailbox: &MailboxName, side: Side) {
        ja: "{side}の「{mailbox}」は作り直されていたため、内容を照合して続けました。",
        en: "{mailbox} was recreated at the {side}; its messages were matched by content.",
    }
    /// A mailbox whose UIDVALIDITY cannot be relied on.
    epoch_unstable(mailbox: &MailboxName, side: Side) {
        ja: "{side}の「{mailbox}」はサーバーの識別番号（IMAPのUIDVALIDITY、POPのUIDL）が安定しないため、メールの内容だけで照合しました。",
        en: "{mailbox} at the {side} has no stable identity (UIDVALIDITY of IMAP, UIDL of POP); its messages were matched by content only.",
    }
    /// New mail during the run.
    arrived(mailbox: &MailboxName, messages: Messages) {
        ja: "コピー中に「{mailbox}」へ{messages}が届きました。次回のコピーの対象になります。",
        en: "{mailbox}: arrived during the run and left for the next one: {messages}.",
    }
    /// Gone at the source since an earlier run.
    gone_at_source(mailbox: &MailboxName, messages: Messages) {
        ja: "前回までにコピーした「{mailbox}」の{messages}は、コピー元からなくなっています。コピー先には残しています。",
        en: "{mailbox}: copied earlier and gone from the source since; kept at the destination: {messages}.",
    }
    /// Messages that are there already, in another mailbox than the mapped one.
    found_elsewhere(mailbox: &MailboxName, found_in: &MailboxName, messages: Messages) {
        ja: "「{mailbox}」の{messages}は、コピー先の「{found_in}」にすでにありましたので、コピーしていません。",
        en: "{mailbox}: already at the destination in {found_in}, so not copied: {messages}.",
    }
}

#[cfg(test)]
mod tests;
