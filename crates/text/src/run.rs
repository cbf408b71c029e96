//! What is said while a run goes on.

use crate::Lang;
use crate::figures::{About, Count, Messages, Rate, Share, Show, Until};
use crate::sentence::sentences;
use hikyaku_core::event::Phase;
use hikyaku_core::{Fault, MailboxName, Side};

/// What is being done.
pub fn phase(phase: Phase, lang: Lang) -> String {
    match phase {
        Phase::Scan => scanning(lang),
        Phase::Plan => planning(lang),
        Phase::Transfer => copying(lang),
        Phase::Verify => verifying(lang),
        Phase::Undo => taking_back(lang),
    }
}

/// Why nothing happens, and until when.
pub fn waiting(because: &Fault, until: Until, lang: Lang) -> String {
    let cause = crate::explain(because.code, lang).title;
    match because.at.side {
        Some(side) => waiting_for_side(side, cause, until, lang),
        None => waiting_for(cause, until, lang),
    }
}

/// A side as the start of a line.
pub fn side(side: Side, lang: Lang) -> String {
    side.show(lang)
}

sentences! {
    /// The server of a side is being called.
    connecting(side: Side, server: &str) {
        ja: "{side}（{server}）へ接続しています…",
        en: "Connecting to the {side} ({server})…",
    }
    /// A side has been reached.
    connected(side: Side, server: &str) {
        ja: "{side}（{server}）に接続しました。",
        en: "Connected to the {side} ({server}).",
    }
    /// Mailboxes are being listed.
    scanning() {
        ja: "フォルダを調べています…",
        en: "Looking at the folders…",
    }
    /// The plan is being made.
    planning() {
        ja: "コピーの計画を立てています…",
        en: "Making the plan…",
    }
    /// Messages are being copied.
    copying() {
        ja: "コピーしています…",
        en: "Copying…",
    }
    /// What was copied is being looked up.
    verifying() {
        ja: "コピー結果を確認しています…",
        en: "Verifying the copy…",
    }
    /// Phase: own copies go.
    taking_back() {
        ja: "コピーしたメールを取り除いています…",
        en: "Taking copies back…",
    }
    /// Progress with a guess of the time that is left.
    progress_left(done: Share, all: Messages, left: About) {
        ja: "{all}中 {done}・残り{left}",
        en: "{done} of {all}, {left} left",
    }
    /// Progress while the time that is left cannot be guessed.
    progress(done: Share, all: Messages) {
        ja: "{all}中 {done}",
        en: "{done} of {all}",
    }
    /// Speed beside a bar.
    speed(rate: Rate) {
        ja: "{rate}",
        en: "{rate}",
    }
    /// The mailbox that is worked on.
    now_in(mailbox: &MailboxName) {
        ja: "いま：{mailbox}",
        en: "Now in {mailbox}",
    }
    /// A mailbox is finished.
    mailbox_done(mailbox: &MailboxName) {
        ja: "「{mailbox}」が完了しました。",
        en: "{mailbox} is done.",
    }
    /// A mailbox gets its messages.
    mailbox_started(mailbox: &MailboxName, to_copy: Messages, all: Messages) {
        ja: "「{mailbox}」：{all}のうち{to_copy}をコピーします。",
        en: "{mailbox}: copying {to_copy} of {all}.",
    }
    /// A wait on account of one side.
    waiting_for_side(side: Side, cause: &str, until: Until) {
        ja: "待機中です（{side}：{cause}）。{until}に自動で再開します。操作は不要です。",
        en: "On hold ({side}: {cause}). It goes on by itself at {until}; there is nothing to do.",
    }
    /// A wait.
    waiting_for(cause: &str, until: Until) {
        ja: "待機中です（{cause}）。{until}に自動で再開します。操作は不要です。",
        en: "On hold ({cause}). It goes on by itself at {until}; there is nothing to do.",
    }
    /// A wait is over.
    resumed() {
        ja: "再開しました。",
        en: "Going on.",
    }
    /// A wait that the user does not want.
    not_waiting() {
        ja: "--no-waitが指定されているため、再開を待たずに終了しました。",
        en: "Ended without waiting, as --no-wait asks.",
    }
    /// A wait that the user does not want, where the server has named its length.
    not_waiting_for(time: About) {
        ja: "--no-waitが指定されているため、再開を待たずに終了しました。サーバーが求めている待ち時間は{time}です。",
        en: "Ended without waiting, as --no-wait asks. The server wants a pause of {time}.",
    }
    /// How many mailboxes are worked on at once has changed.
    lanes(now: Count, most: Count) {
        ja: "同時に処理するフォルダを{now}個にしました（最大{most}個）。",
        en: "Folders worked on at the same time from now on: {now} (at most {most}).",
    }
    /// Which address of a side was used, and how the connection is protected.
    connected_at(side: Side, server: &str, address: &str, protection: &str) {
        ja: "{side}（{server}）に接続しました：{address}・{protection}",
        en: "Connected to the {side} ({server}): {address}, {protection}",
    }
    /// A connection that nobody on the way can read, and whose certificate it has.
    encrypted(tls: &str, certificate: &str) {
        ja: "{tls}・証明書のフィンガープリント {certificate}",
        en: "{tls}, certificate {certificate}",
    }
    /// A connection that everybody on the way can read.
    not_encrypted() {
        ja: "暗号化なし",
        en: "not encrypted",
    }
    /// A side lets in fewer connections than wanted; known from an earlier run.
    let_in_earlier(side: Side, connections: Count) {
        ja: "{side}は前回、同時に{connections}個までの接続を受け付けました。今回もその数から始めます。",
        en: "The {side} let in {connections} connections at a time in an earlier run; this run begins with that many.",
    }
    /// A secret that worked is refused in the middle of a run.
    renewing(side: Side) {
        ja: "{side}のログインが無効になりました。パスワードまたはアクセストークンを読み込み直します。",
        en: "The {side} no longer accepts the login; password or access token are read again.",
    }
    /// A secret was replaced.
    renewed(side: Side) {
        ja: "{side}の新しいパスワードまたはアクセストークンで続けます。",
        en: "Going on with the new password or access token of the {side}.",
    }
    /// There is no other secret.
    not_renewed(side: Side) {
        ja: "{side}の新しいパスワードまたはアクセストークンはありませんでした。",
        en: "There is no new password or access token for the {side}.",
    }
    /// A run continues an earlier one.
    continuing() {
        ja: "前回の続きから再開します。",
        en: "Continuing where the last run stopped.",
    }
    /// The user asked to stop.
    stopping() {
        ja: "中断しています。送信中のメールの結果を確認してから終了します（すぐに終了するには、もう一度Ctrl-Cを押してください）。",
        en: "Stopping after what is on its way has been confirmed. Press Ctrl-C again to stop at once.",
    }
    /// The source is safe.
    source_untouched() {
        ja: "コピー元のメールは変更も削除もしていません。",
        en: "Nothing was changed or deleted at the source.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::{Code, InternalDate, Reach, Remedy};
    use std::time::Duration;

    #[test]
    fn waiting_names_reason_and_time() {
        let at = |hour, minute| {
            InternalDate::from_civil((2026, 11, 22), (hour, minute, 0), 540).expect("a date")
        };
        let until = Until {
            at: at(14, 5),
            now: at(13, 50),
        };
        let fault = Fault::new(
            Code::ServerBusy,
            Reach::Side,
            Remedy::Retry { after: None },
            "",
        );
        assert_eq!(
            waiting(&fault.clone().on(Side::Source), until, Lang::Ja),
            "待機中です（コピー元：サーバーの制限または混雑）。14:05に自動で再開します。操作は不要です。"
        );
        assert_eq!(
            waiting(&fault, until, Lang::En),
            "On hold (Server is busy). It goes on by itself at 14:05; there is nothing to do."
        );
    }

    #[test]
    fn progress_is_in_words() {
        let (done, all) = (Share(5_120), Messages(12_408));
        let left = About(Duration::from_secs(14 * 60));
        assert_eq!(
            progress_left(done, all, left, Lang::Ja),
            "12,408通中 5,120通・残り約14分"
        );
        assert_eq!(
            progress_left(done, all, left, Lang::En),
            "5,120 of 12,408 messages, about 14 min left"
        );
    }
}
