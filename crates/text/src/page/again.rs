//! Copying once more, taking a copy back, and the final run by itself, in words.

use crate::figures::{Count, Day, Mailboxes, Messages};
use crate::sentence::sentences;

sentences! {
    /// Heading.
    again() {
        ja: "もう一度コピーする",
        en: "Copy again",
    }
    /// What it is about.
    again_of(receipt: &str, source: &str) {
        ja: "受付番号 {receipt} と同じコピー元（{source}）から、もう一度コピーします。",
        en: "Copies once more from the source of {receipt}, {source}.",
    }
    /// Legend of the choices.
    again_how() {
        ja: "コピーのしかた",
        en: "How to copy",
    }
    /// Choice: differential.
    differential() {
        ja: "差分だけコピーする（おすすめ）",
        en: "Copy only what is new (recommended)",
    }
    /// What it does.
    differential_hint() {
        ja: "まだコピーされていないメールだけをコピーします。コピー済みのメールが重複することはありません。",
        en: "Copies only what has not been copied yet. Nothing appears twice.",
    }
    /// Choice: fresh, replacing.
    fresh_replace() {
        ja: "最初からコピーし直す",
        en: "Copy everything again",
    }
    /// What it does.
    fresh_replace_hint() {
        ja: "すべてをコピーし直して確認したあと、前回このサービスがコピーしたメールのうち、置き換えが確認できたものだけを取り除きます。ご自身で受信・移動・変更されたメールと、コピー元からなくなったメールには触れません。",
        en: "Copies everything and verifies it; then removes only those copies of the earlier run that have a verified replacement. Mail that you received, moved or changed, and mail that is gone from the source, is left alone.",
    }
    /// Choice: fresh, into a folder.
    fresh_folder() {
        ja: "別のフォルダへ最初からコピーする",
        en: "Copy everything into a folder of its own",
    }
    /// What it does.
    fresh_folder_hint() {
        ja: "日付の付いた新しいフォルダの中へ、すべてをコピーします。いまコピー先にあるメールには触れません。",
        en: "Copies everything into a new folder that carries the date. Nothing that is at the destination now is touched.",
    }
    /// Under the choices.
    again_is_checked() {
        ja: "次の画面で内容を確認してから実行します。",
        en: "You see what will be copied before anything begins.",
    }
    /// Button.
    check() {
        ja: "確認する",
        en: "Check",
    }
    /// Link: with other settings.
    from_the_form() {
        ja: "サーバー名や通知先を変えてコピーする",
        en: "Copy with another server or address for the result",
    }

    /// Legend of the passwords.
    passwords() {
        ja: "パスワード",
        en: "Passwords",
    }
    /// Why they are asked again.
    passwords_again() {
        ja: "パスワードは前回の終了時に消去しています。お手数ですが、もう一度ご入力ください。",
        en: "The passwords were wiped at the end of the last run. Please enter them again.",
    }
    /// Label: the destination's.
    destination_password(address: &str) {
        ja: "コピー先（{address}）のメールパスワード",
        en: "Mail password of the destination, {address}",
    }
    /// Label: the source's.
    source_password(address: &str) {
        ja: "コピー元（{address}）のメールパスワード",
        en: "Mail password of the source, {address}",
    }
    /// What becomes of them.
    passwords_wiped() {
        ja: "パスワードは、この操作のためだけに暗号化して保管し、終了後に消去します。",
        en: "Passwords are stored encrypted for this purpose only, and wiped afterwards.",
    }
    /// A password was left empty.
    password_missing() {
        ja: "メールパスワードをご入力ください。",
        en: "Please enter the mail password.",
    }
    /// A choice that the plan does not offer, or none.
    choice_missing() {
        ja: "コピーのしかたをお選びください。",
        en: "Please choose how to copy.",
    }

    /// Heading.
    undo() {
        ja: "このコピーを取り消す",
        en: "Undo this copy",
    }
    /// What it does.
    undo_means(receipt: &str) {
        ja: "受付番号 {receipt} でこのサービスがコピーしたメールを、コピー先から取り除きます。コピー元のメールには触れません。",
        en: "Removes from the destination what this service copied under {receipt}. The source is not touched.",
    }
    /// What is left alone.
    undo_keeps() {
        ja: "取り除くのは、コピーしたときのまま変更されておらず、コピー元にも残っているメールだけです。ご自身で移動・変更されたメールや、コピー元からなくなったメールは、コピー先に残します。実行の直前に、1通ずつもう一度確認します。",
        en: "Only copies that nobody has changed and whose original is still at the source are removed. What you moved or changed, and what is gone from the source, stays. Every message is looked at once more right before.",
    }
    /// Box, where the source is a file that was uploaded.
    undo_file(name: &str) {
        ja: "コピー元のファイル「{name}」は、いまもパソコンにあります",
        en: "I still have the file “{name}” on my computer",
    }
    /// Why it is asked.
    undo_file_hint() {
        ja: "アップロードされたファイルは、コピーの終了時にサーバーから削除しています。お手元にもファイルがない場合、コピー先のメールが最後の1通になりますので、取り消さないでください。",
        en: "The uploaded file was deleted from the server when the copy was over. If you do not have it any more, the mail at the destination is all there is: do not undo the copy.",
    }
    /// The box was not ticked.
    undo_file_missing() {
        ja: "コピー元のファイルがお手元にあることをご確認のうえ、チェックを付けてください。",
        en: "Make sure that you still have the file, and tick the box.",
    }
    /// Column.
    column_folder() {
        ja: "コピー先のフォルダ",
        en: "Destination folder",
    }
    /// Column.
    column_removed() {
        ja: "取り除くメール",
        en: "To be removed",
    }
    /// Column, in a result.
    column_was_removed() {
        ja: "取り除いたメール",
        en: "Removed",
    }
    /// Column.
    column_touched() {
        ja: "残すメール（移動・変更済み）",
        en: "Kept: you moved or changed them",
    }
    /// Column.
    column_only_copy() {
        ja: "残すメール（コピー元にないもの）",
        en: "Kept: gone from the source",
    }
    /// Sum.
    undo_sum(removed: Messages, kept: Messages, folders: Mailboxes) {
        ja: "取り除くメール：{removed}・残すメール：{kept}（フォルダ {folders}）",
        en: "To be removed: {removed}; kept: {kept} ({folders})",
    }
    /// Sum of a result.
    undone_sum(removed: Messages, kept: Messages) {
        ja: "{removed}を取り除きました。{kept}はコピー先に残しています。",
        en: "Removed: {removed}. Left at the destination: {kept}.",
    }
    /// There is nothing.
    undo_nothing() {
        ja: "取り消しの対象になるメールはありません。",
        en: "There is nothing to undo.",
    }
    /// What to type.
    undo_type(word: &str) {
        ja: "確認のため「{word}」とご入力ください",
        en: "To confirm, type \"{word}\"",
    }
    /// What to type, itself.
    undo_word() {
        ja: "取り消す",
        en: "undo",
    }
    /// Something else was typed.
    undo_word_wrong(word: &str) {
        ja: "「{word}」とご入力ください。",
        en: "Please type \"{word}\".",
    }
    /// Button.
    undo_now() {
        ja: "コピーを取り消す",
        en: "Undo the copy",
    }
    /// Link: no.
    undo_not() {
        ja: "取り消さずに戻る",
        en: "Go back without undoing",
    }
    /// Below a shortened table.
    more_folders(more: Count) {
        ja: "ほかに{more}個のフォルダがあります。",
        en: "Folders that are not shown: {more}.",
    }

    /// Heading.
    final_run() {
        ja: "切り替え後の差分コピーを自動で行う",
        en: "One more copy by itself after the switch",
    }
    /// What it is good for.
    final_run_hint() {
        ja: "サーバーの切り替えの前後に前のサーバーへ届いたメールを、あとから自動でコピーします。",
        en: "Copies by itself what still arrives at the old server around the switch.",
    }
    /// Choice.
    final_run_mx() {
        ja: "メールの届け先が新しいサーバーに切り替わったことを確認したら行う",
        en: "When mail is seen to be delivered to the new server",
    }
    /// Choice.
    final_run_at() {
        ja: "日時を指定して行う",
        en: "At a date and time",
    }
    /// Label of the moment.
    final_run_when() {
        ja: "日時（30日以内）",
        en: "Date and time (within 30 days)",
    }
    /// Consent.
    final_run_consent() {
        ja: "自動コピーの終了まで（最長30日間）、パスワードを暗号化して保管することに同意します。",
        en: "I agree that my passwords are stored encrypted until that copy has ended, for at most 30 days.",
    }
    /// Button.
    final_run_book() {
        ja: "自動コピーを予約する",
        en: "Schedule it",
    }
    /// The consent is missing.
    final_run_consent_missing() {
        ja: "パスワードの保管に同意いただくと予約できます。",
        en: "It can be scheduled once you agree that the passwords are stored.",
    }
    /// The moment is missing, past, or too far away.
    final_run_when_wrong() {
        ja: "いまから30日以内の日時をご入力ください。",
        en: "Please enter a date and time within the next 30 days.",
    }
    /// It is scheduled for a moment.
    final_run_is_at(day: Day) {
        ja: "{day} に、差分を自動でコピーする予約をしています。",
        en: "One more copy is scheduled for {day}.",
    }
    /// It waits for the switch.
    final_run_is_mx(day: Day) {
        ja: "メールの届け先が切り替わったら、差分を自動でコピーする予約をしています（{day} まで）。",
        en: "One more copy is scheduled for when mail is delivered to the new server (until {day}).",
    }
    /// Link to the scheduled job.
    final_run_see() {
        ja: "予約の確認・取りやめ",
        en: "See it or call it off",
    }
}
