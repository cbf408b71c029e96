//! The mails of a service in words. Whoever reads one may not be the owner of the account: there is nothing in them
//! that a server, a message or another person wrote.

use crate::figures::{Day, Messages};
use crate::sentence::sentences;
use hikyaku_core::InternalDate;

/// A moment far from the reader's clock, with the zone that it is told in.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub InternalDate);

impl crate::Show for Moment {
    fn show(&self, lang: crate::Lang) -> String {
        let minutes = self.0.offset_minutes;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        let day = Day(self.0).show(lang);
        match lang {
            crate::Lang::Ja => format!("{day}（UTC{sign}{hours}:{minutes:02}）"),
            crate::Lang::En => format!("{day} (UTC{sign}{hours}:{minutes:02})"),
        }
    }
}

sentences! {
    /// Subject.
    accepted_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}を受け付けました（受付番号 {receipt}）",
        en: "[{brand}] {title}: received ({receipt})",
    }
    /// Subject.
    success_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}が完了しました（受付番号 {receipt}）",
        en: "[{brand}] {title}: complete ({receipt})",
    }
    /// Subject.
    partly_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}の結果をお知らせします（受付番号 {receipt}）",
        en: "[{brand}] {title}: the result ({receipt})",
    }
    /// Subject.
    failure_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}の再操作をお願いします（受付番号 {receipt}）",
        en: "[{brand}] {title}: your help is needed ({receipt})",
    }
    /// Subject.
    waiting_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}は現在待機中です（受付番号 {receipt}）",
        en: "[{brand}] {title}: on hold ({receipt})",
    }
    /// Subject.
    sign_in_again_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}を続けるには再ログインが必要です（受付番号 {receipt}）",
        en: "[{brand}] {title}: please sign in again ({receipt})",
    }
    /// Subject.
    cancelled_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}を中止しました（受付番号 {receipt}）",
        en: "[{brand}] {title}: cancelled ({receipt})",
    }
    /// Subject.
    undone_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】{title}の取り消しが完了しました（受付番号 {receipt}）",
        en: "[{brand}] {title}: undone ({receipt})",
    }
    /// Subject.
    expired_subject(brand: &str, title: &str, receipt: &str) {
        ja: "【{brand}】予約された{title}を実行できませんでした（受付番号 {receipt}）",
        en: "[{brand}] {title}: the scheduled run did not take place ({receipt})",
    }

    /// First words.
    accepted(dest: &str) {
        ja: "{dest} へのメールのコピーを受け付けました。",
        en: "Your order to copy mail to {dest} has been received.",
    }
    /// What comes next.
    accepted_next() {
        ja: "完了しましたら、このメールアドレスへお知らせいたします。ブラウザーやパソコンは閉じていただいて構いません。",
        en: "The result will be sent to this address. You may close your browser and switch off your computer.",
    }
    /// First words.
    success(dest: &str) {
        ja: "{dest} へのメールのコピーが完了しました。コピー元のすべてのメールを、コピー先で確認しています。",
        en: "Your mail has been copied to {dest}. Every message of the source has been found at the destination.",
    }
    /// First words where there was nothing to copy.
    success_empty(dest: &str) {
        ja: "{dest} へのメールのコピーが完了しました。コピー元にメールがなかったため、コピーしたものはありません。",
        en: "The copy to {dest} is complete. There was no mail at the source, so nothing was copied.",
    }
    /// First words.
    partly(dest: &str) {
        ja: "{dest} へのメールのコピーが終わりました。ただし、コピーできなかったメールか、ご確認いただきたいことがあります。",
        en: "The copy to {dest} has ended, but some messages could not be copied or need a look.",
    }
    /// First words.
    failure(dest: &str) {
        ja: "{dest} へのメールのコピーを完了できませんでした。",
        en: "The copy of your mail to {dest} could not be completed.",
    }
    /// First words where a copy was to be undone.
    failure_undo(dest: &str) {
        ja: "{dest} へコピーしたメールの取り消しを完了できませんでした。残りのメールには触れていません。",
        en: "The copy to {dest} could not be undone completely. The other messages were left alone.",
    }
    /// First words where a copy was to be undone.
    cancelled_undo(dest: &str) {
        ja: "{dest} へコピーしたメールの取り消しは、ご指示により中止しました。残りのメールには触れていません。",
        en: "Undoing the copy to {dest} was cancelled as you asked. The other messages were left alone.",
    }
    /// First words.
    waiting(dest: &str) {
        ja: "{dest} へのメールのコピーは、現在待機中です。",
        en: "The copy of your mail to {dest} is on hold.",
    }
    /// When it goes on.
    waiting_until(until: Moment) {
        ja: "{until}に自動で再開します。操作は不要です。",
        en: "It goes on by itself on {until}. There is nothing for you to do.",
    }
    /// When it goes on, where that is not known.
    waiting_open() {
        ja: "再開できるようになりましたら、自動で再開します。操作は不要です。",
        en: "It goes on by itself as soon as possible. There is nothing for you to do.",
    }
    /// First words.
    sign_in_again(dest: &str) {
        ja: "{dest} へのメールのコピーの途中で、これまで使えていたパスワードではログインできなくなりました。パスワードが変更されたか、ログインの有効期限が切れたことが考えられます。",
        en: "While mail was being copied to {dest}, the password that had worked until then was no longer accepted. It may have been changed, or the sign-in may have expired.",
    }
    /// What to do about it.
    sign_in_again_next() {
        ja: "画面からパスワードを入力し直していただくと、続きから再開します。",
        en: "Enter the password again on the page, and the copy continues where it stopped.",
    }
    /// First words.
    cancelled(dest: &str) {
        ja: "{dest} へのメールのコピーは、ご指示により中止しました。コピー済みのメールはそのまま残っています。",
        en: "The copy of your mail to {dest} was cancelled as you asked. What has been copied stays copied.",
    }
    /// First words.
    undone(dest: &str) {
        ja: "{dest} へコピーしたメールの取り消しが完了しました。コピー後に変更・移動されたメールと、コピー元に残っていないメールには触れていません。",
        en: "The copy to {dest} has been undone. Messages that were changed or moved since, and those that the source no longer has, were left alone.",
    }
    /// First words.
    expired(dest: &str) {
        ja: "{dest} への予約されたメールのコピーは、期限までに実行の条件が整わなかったため、実行しませんでした。お預かりしたパスワードは消去しました。",
        en: "The scheduled copy to {dest} did not take place, because its condition was not met in time. The passwords kept for it have been erased.",
    }
    /// What to do about it.
    expired_next() {
        ja: "DNSの切り替えがお済みになりましたら、画面からもう一度コピー（差分）を実行してください。",
        en: "Once DNS points to the new server, run the differential copy again from the page.",
    }

    /// What is promised about the source.
    source_untouched() {
        ja: "※コピー元のメールは、変更も削除もしておりません。",
        en: "The mail at the source has been neither changed nor deleted.",
    }
    /// What became of a file that was uploaded.
    upload_deleted() {
        ja: "※アップロードされたファイルは、サーバーから削除しました。",
        en: "The uploaded file has been deleted from the server.",
    }
    /// What becomes of it while the copy may go on.
    upload_kept() {
        ja: "※アップロードされたファイルは、続きから再開できるよう24時間保管したあと、サーバーから削除します。",
        en: "The uploaded file is kept for 24 hours, so that the copy can go on, and is then deleted from the server.",
    }
    /// When the mail on the computer may go.
    keep_the_file() {
        ja: "※パソコンの中のメールは、コピー先でメールをご確認いただくまで、消さずにお残しください。",
        en: "Keep the mail on your computer until you have looked at the mail at the destination.",
    }
    /// When the old server may go.
    keep_the_old_server() {
        ja: "※前のサーバーは、DNSの切り替え後にもう一度コピー（差分）を実行し、すべて完了するまで解約しないでください。",
        en: "Keep the old server until DNS points to the new one and a last differential copy after that has completed.",
    }
    /// Who may be reading.
    closing() {
        ja: "このメールは、コピーを申し込まれた際に入力された通知先へ自動でお送りしています。お心当たりのない場合は、お手数ですが破棄してください。",
        en: "This mail was sent automatically to the address given when the copy was ordered. If you know nothing about it, please discard it.",
    }

    /// Line of the details.
    receipt(receipt: &str) {
        ja: "受付番号：{receipt}",
        en: "Receipt number: {receipt}",
    }
    /// Line of the details.
    cause(cause: &str, code: &str) {
        ja: "原因：{cause} [{code}]",
        en: "Cause: {cause} [{code}]",
    }
    /// Line of the details.
    remedy(remedy: &str) {
        ja: "対処：{remedy}",
        en: "What to do: {remedy}",
    }
    /// Line of the details.
    not_copied(messages: Messages) {
        ja: "コピーできなかったメール：{messages}",
        en: "Not copied: {messages}",
    }
    /// Line of the details, below the line before: one cause and what it concerns.
    because(cause: &str, code: &str, count: crate::Count) {
        ja: "・{cause} [{code}]：{count}件",
        en: "- {cause} [{code}]: {count}",
    }
    /// Line of the details.
    so_far(messages: Messages) {
        ja: "確認済みのメール：{messages}（コピー先にそのまま残っています）",
        en: "Accounted for so far: {messages}; they stay at the destination",
    }
    /// Line of the details of an undo.
    taken_away(messages: Messages) {
        ja: "取り除いたメール：{messages}",
        en: "Taken away: {messages}",
    }
    /// Line of the details of an undo.
    left_alone(messages: Messages) {
        ja: "触れずに残したメール：{messages}",
        en: "Left alone: {messages}",
    }
    /// Line of the details.
    see_report(url: &str) {
        ja: "レポート：{url}",
        en: "Report: {url}",
    }
    /// Line of the details.
    continue_at(url: &str) {
        ja: "続きから再開：{url}",
        en: "Continue here: {url}",
    }
    /// Line of the details.
    see_progress(url: &str) {
        ja: "進み具合：{url}",
        en: "Progress: {url}",
    }
    /// Line of the details.
    sign_in_at(url: &str) {
        ja: "再ログイン：{url}",
        en: "Sign in again: {url}",
    }
    /// Line of the details.
    again_at(url: &str) {
        ja: "もう一度コピーする：{url}",
        en: "Copy again: {url}",
    }
    /// Line of the mail.
    webmail_at(url: &str) {
        ja: "ウェブメール：{url}",
        en: "Web mail: {url}",
    }
    /// Line of the mail.
    support_at(url: &str) {
        ja: "お問い合わせ：{url}",
        en: "Questions: {url}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lang, Show};

    #[test]
    fn a_moment_names_its_zone() {
        for (offset, ja, en) in [
            (
                540,
                "1970年1月1日 9:00（UTC+9:00）",
                "1970-01-01 09:00 (UTC+9:00)",
            ),
            (
                -210,
                "1969年12月31日 20:30（UTC-3:30）",
                "1969-12-31 20:30 (UTC-3:30)",
            ),
            (
                0,
                "1970年1月1日 0:00（UTC+0:00）",
                "1970-01-01 00:00 (UTC+0:00)",
            ),
        ] {
            let moment = Moment(InternalDate {
                seconds: 0,
                offset_minutes: offset,
            });
            assert_eq!(moment.show(Lang::Ja), ja);
            assert_eq!(moment.show(Lang::En), en);
        }
    }
}
