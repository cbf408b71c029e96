//! Accepted, the list of copies, and how a copy is going, in words.

use crate::figures::{About, Count, Day, Messages, Share, Size};
use crate::sentence::sentences;

sentences! {
    /// Heading: the job is taken.
    accepted() {
        ja: "受け付けました",
        en: "Accepted",
    }
    /// What people quote when they ask.
    receipt(receipt: &str) {
        ja: "受付番号 {receipt}",
        en: "Receipt number {receipt}",
    }
    /// Nobody has to wait here.
    may_close(mail: &str) {
        ja: "この画面は閉じていただいて構いません。完了しましたら {mail} へお知らせいたします。",
        en: "You may close this page. When it is finished, a mail goes to {mail}.",
    }
    /// What happens where.
    runs_on_the_server() {
        ja: "コピーはサーバーの間で行われます。パソコンやスマートフォンの電源を切っても続きます。",
        en: "The mail goes from server to server. It goes on even when you switch your computer or phone off.",
    }
    /// The destination is not locked.
    usable_meanwhile() {
        ja: "コピー先のメールは、途中でもそのままお使いいただけます。",
        en: "You can use the mail at the destination as usual meanwhile.",
    }
    /// Link to the progress.
    see_progress() {
        ja: "進捗を見る",
        en: "See how it is going",
    }
    /// Link to the result.
    see_result() {
        ja: "結果を見る",
        en: "See the result",
    }
    /// Link to the check or the confirmation.
    see_check() {
        ja: "確認画面を開く",
        en: "Open the confirmation",
    }

    /// The list is empty.
    no_jobs() {
        ja: "コピーはまだありません。",
        en: "There are no copies yet.",
    }
    /// Link to the form.
    new_copy() {
        ja: "新しいコピーを始める",
        en: "Start a new copy",
    }
    /// Below a shortened list.
    older_jobs(jobs: Count) {
        ja: "ほかに、これより前のものが{jobs}件あります。",
        en: "Older ones that are not shown: {jobs}.",
    }
    /// Column: receipt.
    column_receipt() {
        ja: "受付番号",
        en: "Receipt",
    }
    /// Column: when.
    column_when() {
        ja: "受付日時",
        en: "Accepted",
    }
    /// Column: where from.
    column_source() {
        ja: "コピー元",
        en: "Source",
    }
    /// Column: what is done.
    column_kind() {
        ja: "内容",
        en: "What",
    }
    /// Column: how it stands.
    column_state() {
        ja: "状態",
        en: "State",
    }
    /// Kind: copy.
    kind_copy() {
        ja: "コピー",
        en: "Copy",
    }
    /// Kind: undo.
    kind_undo() {
        ja: "取り消し",
        en: "Undo",
    }
    /// An account at a server.
    account_at(address: &str, server: &str) {
        ja: "{address}（{server}）",
        en: "{address} ({server})",
    }

    /// State in a list: nobody has looked at it yet.
    state_received() {
        ja: "受け付けました",
        en: "received",
    }
    /// State in a list.
    state_checking() {
        ja: "確認中",
        en: "checking",
    }
    /// State in a list: the person has to say yes.
    state_ready() {
        ja: "実行待ち（内容をご確認ください）",
        en: "waiting for your confirmation",
    }
    /// State in a list.
    state_scheduled() {
        ja: "予約済み",
        en: "scheduled",
    }
    /// State in a list.
    state_queued() {
        ja: "順番待ち",
        en: "in the queue",
    }
    /// State in a list.
    state_copying() {
        ja: "コピー中",
        en: "copying",
    }
    /// State in a list.
    state_undoing() {
        ja: "取り消し中",
        en: "undoing",
    }
    /// State in a list.
    state_verifying() {
        ja: "コピー結果を確認中",
        en: "verifying",
    }
    /// State in a list.
    state_waiting() {
        ja: "待機中",
        en: "on hold",
    }
    /// State in a list.
    state_paused() {
        ja: "一時停止中",
        en: "paused",
    }
    /// State in a list.
    state_done() {
        ja: "完了",
        en: "done",
    }
    /// State in a list.
    state_exceptions() {
        ja: "一部完了",
        en: "done, with exceptions",
    }
    /// State in a list.
    state_stopped() {
        ja: "中断（操作が必要です）",
        en: "stopped, needs you",
    }
    /// State in a list.
    state_cancelled() {
        ja: "中止",
        en: "cancelled",
    }

    /// Heading while a copy goes on.
    copying() {
        ja: "コピーしています",
        en: "Copying",
    }
    /// Heading while copies are taken away.
    undoing() {
        ja: "コピーを取り消しています",
        en: "Undoing the copy",
    }
    /// Heading before the first message.
    connecting() {
        ja: "サーバーへ接続しています",
        en: "Connecting to the servers",
    }
    /// Heading while the copy is looked up.
    verifying() {
        ja: "コピー結果を確認しています",
        en: "Verifying the copy",
    }
    /// Heading before there is room for the job.
    queued() {
        ja: "順番を待っています",
        en: "Waiting for its turn",
    }
    /// What to do about that.
    queued_hint() {
        ja: "まもなく自動で始まります。操作は不要です。",
        en: "It begins by itself before long. There is nothing to do.",
    }
    /// Heading of a job that begins by itself later.
    scheduled() {
        ja: "自動コピーを予約しています",
        en: "A copy is scheduled",
    }
    /// When it begins.
    begins_at(day: Day) {
        ja: "{day} に自動で始まります。操作は不要です。",
        en: "It begins by itself at {day}. There is nothing to do.",
    }
    /// It begins when the delivery of mail has moved.
    begins_after_the_switch(day: Day) {
        ja: "メールの届け先が新しいサーバーへ切り替わったことを確認してから、自動で始まります。{day} までに切り替わらない場合は、コピーせずに終了してお知らせします。",
        en: "It begins by itself once mail is delivered to the new server. If that has not happened by {day}, it ends without copying and tells you.",
    }
    /// Heading of a paused job.
    paused() {
        ja: "一時停止しています",
        en: "Paused",
    }
    /// What to do about that.
    paused_hint() {
        ja: "「再開する」をクリックすると、続きからコピーします。24時間操作がない場合は、安全のため保管中のパスワードを消去します。",
        en: "\"Resume\" copies the rest. After 24 hours without you, the stored passwords are wiped to be safe.",
    }
    /// Heading while a pause takes effect.
    pausing() {
        ja: "一時停止の準備をしています",
        en: "Pausing",
    }
    /// Heading of a wait.
    waiting() {
        ja: "待機しています",
        en: "On hold",
    }
    /// Progress with the time that is left and the folder.
    line_left_in(done: Share, all: Messages, left: About, folder: &str) {
        ja: "{all}中 {done}・残り{left}・いま：{folder}",
        en: "{done} of {all}, {left} left, now in {folder}",
    }
    /// Progress with the folder.
    line_in(done: Share, all: Messages, folder: &str) {
        ja: "{all}中 {done}・いま：{folder}",
        en: "{done} of {all}, now in {folder}",
    }
    /// Octets beside the bar.
    octets_of(done: Size, all: Size) {
        ja: "{all}中 {done}",
        en: "{done} of {all}",
    }
    /// What this run copied so far.
    copied_so_far(messages: Messages) {
        ja: "今回新しくコピーしたメール：{messages}",
        en: "Newly copied in this run: {messages}",
    }
    /// Name of the bar, for screen readers.
    bar_name() {
        ja: "進み具合",
        en: "Progress",
    }
    /// Heading of the table of folders.
    folders() {
        ja: "フォルダごとの状況",
        en: "Folder by folder",
    }
    /// Column: folder.
    column_folder() {
        ja: "フォルダ",
        en: "Folder",
    }
    /// Column: messages.
    column_messages() {
        ja: "通数",
        en: "Messages",
    }
    /// Column: accounted for.
    column_done() {
        ja: "済み",
        en: "Done",
    }
    /// A folder is finished.
    folder_finished() {
        ja: "完了",
        en: "finished",
    }
    /// A folder is being worked on.
    folder_begun() {
        ja: "コピー中",
        en: "under way",
    }
    /// A folder is not begun.
    folder_open() {
        ja: "これから",
        en: "to come",
    }
    /// Below a shortened table.
    more_folders(more: Count) {
        ja: "ほかに{more}個のフォルダがあります。",
        en: "Folders that are not shown: {more}.",
    }
    /// Button.
    pause() {
        ja: "一時停止",
        en: "Pause",
    }
    /// Button.
    resume() {
        ja: "再開する",
        en: "Resume",
    }
    /// Link to the question.
    cancel() {
        ja: "中止",
        en: "Cancel",
    }
    /// Heading of the question.
    cancel_question() {
        ja: "コピーを中止しますか",
        en: "Cancel this copy?",
    }
    /// The same, for an undo.
    cancel_undo_question() {
        ja: "取り消しを中止しますか",
        en: "Cancel this undo?",
    }
    /// The same, for what has not begun.
    cancel_schedule_question() {
        ja: "自動コピーの予約を取りやめますか",
        en: "Call the scheduled copy off?",
    }
    /// What cancelling means.
    cancel_means() {
        ja: "コピー済みのメールはコピー先に残り、コピー元のメールには影響ありません。あとからもう一度コピーすると、続きから始まります。",
        en: "What has been copied stays at the destination, and nothing happens to the source. If you copy again later, it continues from here.",
    }
    /// What it means for an undo.
    cancel_undo_means() {
        ja: "すでに取り除いたコピーは元に戻りません。まだ取り除いていないコピーは、そのまま残ります。",
        en: "Copies that were already removed stay removed. The others stay where they are.",
    }
    /// What it means for what has not begun.
    cancel_schedule_means() {
        ja: "自動でのコピーは行われません。保管しているパスワードは消去します。",
        en: "Nothing is copied by itself. The stored passwords are wiped.",
    }
    /// Button: yes.
    cancel_yes() {
        ja: "中止する",
        en: "Yes, cancel",
    }
    /// Button: yes, for what has not begun.
    cancel_schedule_yes() {
        ja: "予約を取りやめる",
        en: "Yes, call it off",
    }
    /// Link: no.
    cancel_no() {
        ja: "中止せずに戻る",
        en: "No, go back",
    }
    /// Without JavaScript.
    reloads_by_itself() {
        ja: "この画面は5秒ごとに自動で更新されます。",
        en: "This page reloads by itself every 5 seconds.",
    }
    /// While the page cannot reach its server.
    reconnecting() {
        ja: "画面の更新が途切れています。コピーは続いています。自動でつなぎ直します。",
        en: "This page has lost touch. The copy goes on; the page reconnects by itself.",
    }
}
