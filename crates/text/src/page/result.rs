//! The result of a copy in words: how it ended, what is missing, what to do next.

use crate::figures::{Count, Day, Mailboxes, Messages, Share, Size};
use crate::sentence::sentences;

sentences! {
    /// Heading.
    done() {
        ja: "コピーが完了しました",
        en: "The copy is complete",
    }
    /// Heading.
    done_with_exceptions() {
        ja: "コピーが終わりました（一部コピーできなかったメールがあります）",
        en: "The copy has ended; some messages could not be copied",
    }
    /// Heading.
    done_with_remarks() {
        ja: "コピーが終わりました（ご確認いただきたいことがあります）",
        en: "The copy has ended; there are matters to look at",
    }
    /// Heading.
    stopped() {
        ja: "コピーが中断しました",
        en: "The copy has stopped",
    }
    /// Heading of a job that never began to copy.
    not_begun() {
        ja: "コピーを始められませんでした",
        en: "The copy could not begin",
    }
    /// Heading.
    cancelled() {
        ja: "コピーを中止しました",
        en: "The copy was cancelled",
    }
    /// Heading of an undo.
    undone() {
        ja: "取り消しが完了しました",
        en: "The copy has been undone",
    }
    /// Heading of an undo.
    undo_stopped() {
        ja: "取り消しが中断しました",
        en: "The undo has stopped",
    }
    /// Heading of an undo.
    undo_cancelled() {
        ja: "取り消しを中止しました",
        en: "The undo was cancelled",
    }
    /// Where from and where to.
    from_to(source: &str, destination: &str) {
        ja: "コピー元：{source}　コピー先：{destination}",
        en: "From {source} to {destination}",
    }
    /// When it ended.
    ended_at(day: Day) {
        ja: "終了：{day}",
        en: "Ended {day}",
    }
    /// The equation where the first words say already what is counted.
    sum(all: Messages, terms: &str) {
        ja: "{all}＝{terms}",
        en: "{all} = {terms}",
    }
    /// What has been accounted for so far.
    so_far(messages: Messages) {
        ja: "{messages}は確認済みです。コピー先にそのまま残っています。",
        en: "Accounted for so far: {messages}. They stay at the destination.",
    }
    /// What happens to the rest.
    goes_on_from_here() {
        ja: "「続きから再開する」をクリックすると、残りのメールだけをコピーします。",
        en: "\"Continue from here\" copies only the rest.",
    }
    /// Button.
    proceed() {
        ja: "続きから再開する",
        en: "Continue from here",
    }
    /// Heading of the cause.
    cause() {
        ja: "原因",
        en: "Cause",
    }
    /// Heading of the remedy.
    remedy() {
        ja: "対処",
        en: "What to do",
    }
    /// Link: the person wants nothing of this kept.
    erase() {
        ja: "このコピーの記録を消去する",
        en: "Erase the record of this copy",
    }
    /// Heading of the question.
    erase_question() {
        ja: "このコピーの記録を消去しますか？",
        en: "Erase the record of this copy?",
    }
    /// What it means.
    erase_means() {
        ja: "受付内容、結果、レポートをこのサービスから消去します。コピー元とコピー先のメールはそのまま残ります。消去したあとは、レポートの表示やコピーの取り消しができなくなります。",
        en: "The order, the result and the report are removed from this service. The mail at both servers stays as it is. Afterwards the report cannot be shown and the copy cannot be undone.",
    }
    /// Button.
    erase_yes() {
        ja: "消去する",
        en: "Erase",
    }
    /// Button.
    erase_no() {
        ja: "消去せずに戻る",
        en: "Back without erasing",
    }
    /// Column.
    column_count() {
        ja: "件数",
        en: "Count",
    }
    /// Column.
    column_result() {
        ja: "結果",
        en: "Outcome",
    }
    /// Column.
    column_kind() {
        ja: "種類",
        en: "Kind",
    }
    /// Column.
    column_octets() {
        ja: "サイズ（バイト）",
        en: "Octets",
    }
    /// Column.
    column_answer() {
        ja: "サーバーからの応答",
        en: "Server's answer",
    }
    /// Column.
    column_code() {
        ja: "コード",
        en: "Code",
    }
    /// Column: what the source calls a message.
    column_number() {
        ja: "コピー元での番号",
        en: "Number at the source",
    }
    /// Kind of a line in a file.
    kind_folder() {
        ja: "フォルダ",
        en: "folder",
    }
    /// Kind of a line in a file.
    kind_message() {
        ja: "ご確認いただきたいもの",
        en: "exception",
    }
    /// Column: who can do something.
    who() {
        ja: "対応する方",
        en: "Who can help",
    }
    /// Who can do something about a cause.
    who_can(who: &str) {
        ja: "対応する方：{who}",
        en: "Who can help: {who}",
    }
    /// Heading of the causes.
    causes() {
        ja: "コピーできなかったもの・ご確認いただきたいもの",
        en: "Not copied, or to be looked at",
    }
    /// Heading of the list.
    list() {
        ja: "メールの一覧",
        en: "The messages by name",
    }
    /// Column of the buttons.
    column_save() {
        ja: "保存",
        en: "Save",
    }
    /// Button: this message as a file.
    save() {
        ja: "ダウンロード",
        en: "Download",
    }
    /// The same for screen readers: which message.
    save_which(subject: &str) {
        ja: "「{subject}」をダウンロード",
        en: "Download {subject}",
    }
    /// What the buttons do.
    save_hint() {
        ja: "一覧のメールは、コピー元からファイル（.eml）としてお手元に保存できます。コピー元のメールパスワードを入力して、「ダウンロード」をクリックしてください。パスワードは保管しません。",
        en: "These messages can be saved from the source as files (.eml). Enter the mail password of the source, then choose \"Download\". The password is not stored.",
    }
    /// Below a shortened list.
    more_in_csv(more: Count) {
        ja: "ほかに{more}件あります。すべての内容はCSVでご確認いただけます。",
        en: "Not shown here: {more}. The CSV file has all of them.",
    }
    /// Below a list that is itself shortened.
    more_than_kept(most: Count) {
        ja: "名前の一覧は{most}件までです。件数には、すべてのメールが含まれています。",
        en: "At most {most} are listed by name; the counts include all.",
    }
    /// In place of a subject, where nothing of the message is known but its number.
    unnamed(number: Count) {
        ja: "（件名を読み出せないメール・番号 {number}）",
        en: "(message number {number}, subject not readable)",
    }
    /// The message is not there any more.
    message_gone() {
        ja: "このメールは、コピー元で見つかりませんでした。移動または削除された可能性があります。",
        en: "This message is no longer at the source. It may have been moved or deleted.",
    }
    /// Heading of a page that says why a message cannot be saved.
    not_saved() {
        ja: "メールをダウンロードできませんでした",
        en: "The message could not be downloaded",
    }
    /// Link.
    back_to_result() {
        ja: "結果の画面へ戻る",
        en: "Back to the result",
    }
    /// Name of a file whose message has no subject.
    file_of_message() {
        ja: "メール",
        en: "message",
    }

    /// Heading.
    next_steps() {
        ja: "次にすること",
        en: "What to do next",
    }
    /// Step 1.
    next_settings() {
        ja: "メールソフトの設定を、新しいサーバーに変更してください。",
        en: "Set your mail program to the new server.",
    }
    /// Link to the provider's manual.
    next_settings_manual() {
        ja: "設定方法の説明を見る",
        en: "How to set it up",
    }
    /// Line of the settings sheet.
    sheet_server() {
        ja: "受信サーバー（IMAP）",
        en: "Incoming server (IMAP)",
    }
    /// Line of the settings sheet.
    sheet_port() {
        ja: "ポート番号",
        en: "Port",
    }
    /// Line of the settings sheet.
    sheet_encryption() {
        ja: "暗号化",
        en: "Encryption",
    }
    /// Line of the settings sheet.
    sheet_user() {
        ja: "ユーザー名",
        en: "User name",
    }
    /// Line of the settings sheet.
    sheet_password() {
        ja: "パスワード",
        en: "Password",
    }
    /// What to enter there.
    sheet_password_hint() {
        ja: "コピー先のメールパスワード",
        en: "The mail password of the destination",
    }
    /// Encryption from the start.
    encryption_tls() {
        ja: "最初から暗号化（SSL/TLS）",
        en: "SSL/TLS",
    }
    /// Encryption after a request.
    encryption_starttls() {
        ja: "途中から暗号化（STARTTLS）",
        en: "STARTTLS",
    }
    /// No encryption.
    encryption_none() {
        ja: "なし",
        en: "none",
    }
    /// Step 2, before the switch.
    next_switch() {
        ja: "サーバーの切り替え（DNSの変更）後に、もう一度「差分」でコピーしてください。切り替えの前後に前のサーバーへ届いたメールも、取りこぼしません。",
        en: "After the switch (of the DNS entries), make another differential run, so that mail which still arrived at the old server is not missed.",
    }
    /// Step 2, after the switch.
    next_once_more() {
        ja: "メールはすでに新しいサーバーへ届いています。念のため数日後にもう一度「差分」でコピーすると、切り替えの直前に届いたメールも取りこぼしません。",
        en: "Mail is delivered to the new server already. One more differential run in a few days makes sure that nothing from the time of the switch is missed.",
    }
    /// Step 3.
    next_keep(day: Day) {
        ja: "前のサーバーは、{day} まで解約しないでください。",
        en: "Keep the old server until {day}.",
    }
    /// Step 3, while it cannot be said how long.
    next_keep_for_now() {
        ja: "前のサーバーは、切り替え後の「差分」のコピーが完了してから2週間は解約しないでください。",
        en: "Keep the old server for two weeks after the differential run that follows the switch.",
    }
    /// Step 4.
    next_phone() {
        ja: "スマートフォンで古いメールが見えないときは、メールアプリの「同期する期間」を「すべて」または「無制限」に変更してください。メールはサーバーにあり、なくなってはいません。",
        en: "If old mail does not show on your phone, set the period that its mail program keeps to \"all\" or \"no limit\". The mail is on the server; nothing is lost.",
    }

    /// Heading.
    retire() {
        ja: "前のサーバーの解約について",
        en: "May the old server go?",
    }
    /// Which source, and why it may go.
    retire_safe(source: &str, messages: Messages, day: Day) {
        ja: "{source} にあるメール {messages}は、すべて新しいサーバーにあることを確認しました。新しいメールも、すでに新しいサーバーへ届いています。{day} を過ぎましたら、解約していただいて構いません。",
        en: "All mail of {source} ({messages}) has been verified at the new server, and new mail is delivered there already. After {day} you may close the old account.",
    }
    /// What holds for a POP account besides.
    retire_pop3() {
        ja: "POPのサーバーにあったメールについての確認です。パソコンやスマートフォンの中にだけあるメールは含まれていません。端末からPOPのアカウントを削除する前に、バックアップを取り、その端末にしかないメールもコピーしてください。iPhoneやiPadでは、アカウントを削除するとその中のメールも消えます。",
        en: "This is about the mail that was on the POP server. Mail that is only on a computer or phone is not part of it: before you delete the POP account from a device, make a backup and copy what is only there. On an iPhone or iPad, deleting the account deletes its mail.",
    }
    /// Link.
    retire_pop3_how() {
        ja: "POPのアカウントを使い終える手順（メールソフトごと）",
        en: "How to give up the POP account, for each mail program",
    }
    /// It may not, for the reasons below.
    retire_not_yet(source: &str) {
        ja: "{source} は、まだ解約しないでください。",
        en: "Do not close {source} yet:",
    }
    /// Reason.
    retire_missing(messages: Messages) {
        ja: "新しいサーバーにないメールが{messages}あります。",
        en: "Messages that are not at the new server: {messages}.",
    }
    /// Reason.
    retire_unfinished(folders: Mailboxes) {
        ja: "コピーが終わっていないフォルダが{folders}あります。",
        en: "Not finished yet: {folders}.",
    }
    /// Reason.
    retire_differences(messages: Messages) {
        ja: "コピー結果の確認で、{messages}に違いが見つかっています。",
        en: "The verification found differences: {messages}.",
    }
    /// Reason.
    retire_remarks(exceptions: Count) {
        ja: "ご確認いただきたいことが{exceptions}件あります。",
        en: "Matters to look at: {exceptions}.",
    }
    /// Reason.
    retire_left_out(messages: Share) {
        ja: "対象外にしたメールが{messages}あります。",
        en: "Messages that were left out: {messages}.",
    }
    /// Reason.
    retire_folders_left_out(folders: Mailboxes) {
        ja: "コピーの対象外にしたフォルダが{folders}あります。",
        en: "Left out of the copy: {folders}.",
    }
    /// Reason.
    retire_period() {
        ja: "コピーする期間を指定したため、それ以外の期間のメールは新しいサーバーにありません。",
        en: "Only mail of a certain time was copied; the rest is not at the new server.",
    }
    /// Reason.
    retire_only_what_fits() {
        ja: "入る分だけのコピーを選んだため、すべてのメールがあるとは限りません。",
        en: "Only what fits was copied; not everything may be there.",
    }
    /// Reason.
    retire_arrived(messages: Messages) {
        ja: "コピー中に前のサーバーへ{messages}が届きました。もう一度「差分」でコピーしてください。",
        en: "Arrived at the old server during the copy: {messages}. Make another differential run.",
    }
    /// Reason.
    retire_still_delivered() {
        ja: "新しいメールは、まだ前のサーバーに届いています。切り替え後に、もう一度「差分」でコピーしてください。",
        en: "New mail is still delivered to the old server. After the switch, make another differential run.",
    }
    /// Reason.
    retire_delivery_unknown() {
        ja: "新しいメールがどちらのサーバーに届いているかを確認できませんでした。切り替えが済んでいるかご確認ください。",
        en: "It could not be found out which server new mail is delivered to. Check whether the switch is done.",
    }
    /// Reason.
    retire_not_ended() {
        ja: "コピーが最後まで終わっていません。",
        en: "The copy did not reach its end.",
    }

    /// Heading.
    details() {
        ja: "コピーの詳細",
        en: "Details",
    }
    /// Heading of the table of folders.
    folders() {
        ja: "フォルダごとの結果",
        en: "Folder by folder",
    }
    /// Heading of the ways on.
    more() {
        ja: "レポート・そのほかの操作",
        en: "Reports and more",
    }
    /// Link.
    printable() {
        ja: "印刷用のレポート（PDFとして保存できます）",
        en: "Report for printing (or saving as PDF)",
    }
    /// Link.
    csv() {
        ja: "CSVをダウンロード",
        en: "Download as CSV",
    }
    /// Link.
    copy_again() {
        ja: "もう一度、差分をコピーする",
        en: "Copy again what is new",
    }
    /// Link.
    undo() {
        ja: "このコピーを取り消す",
        en: "Undo this copy",
    }
    /// Link.
    to_the_form() {
        ja: "入力画面に戻る",
        en: "Back to the form",
    }
    /// Link.
    to_the_copy() {
        ja: "元のコピーの結果を見る",
        en: "See the result of the copy itself",
    }
    /// Heading of the printable page.
    report() {
        ja: "メールデータコピーのレポート",
        en: "Report of a mail data copy",
    }
    /// There is nothing to report about.
    no_report() {
        ja: "コピーを始める前に終了したため、レポートはありません。",
        en: "It ended before anything was copied, so there is no report.",
    }
    /// Size of the whole.
    total_octets(size: Size) {
        ja: "合計サイズ：{size}",
        en: "Size in all: {size}",
    }
}
