//! Backups to disk and back, in words.

use crate::figures::{Count, Mailboxes, Messages, Size};
use crate::sentence::sentences;
use hikyaku_core::MailboxName;

sentences! {
    /// Where a backup goes; `format` is one of maildir, mbox, eml.
    begins(directory: &str, format: &str) {
        ja: "「{directory}」に新しいバックアップ（{format}形式）を作成します。",
        en: "A new backup ({format}) is made in {directory}.",
    }
    /// Where a backup would be begun.
    would_begin(directory: &str) {
        ja: "「{directory}」には、まだバックアップがありません。すべてのメールが新しく保存されます（「hikyaku backup」で開始できます）。",
        en: "There is no backup in {directory} yet; all mail would be saved. `hikyaku backup` begins it.",
    }
    /// A backup that is there already.
    goes_on(directory: &str, format: &str) {
        ja: "「{directory}」のバックアップ（{format}形式）に、新しいメールと状態の変更を追加します。",
        en: "New mail and changed flags are added to the backup ({format}) in {directory}.",
    }
    /// What stays in a backup.
    nothing_is_removed() {
        ja: "コピー元で削除されたメールも、バックアップには残ります。",
        en: "What was deleted at the source stays in the backup.",
    }
    /// Everything in a backup is as it was written.
    whole(messages: Messages, size: Size, mailboxes: Mailboxes) {
        ja: "バックアップ（フォルダ{mailboxes}・メール{messages}・{size}）は、すべて保存したときのままです。",
        en: "The backup is whole: {messages} ({size}) in {mailboxes} are as they were saved.",
    }
    /// How much of a backup is as it was written.
    not_whole(messages: Messages, size: Size, damaged: Messages) {
        ja: "{messages}（{size}）は保存したときのままですが、{damaged}が壊れているか、なくなっています。",
        en: "As they were saved: {messages} ({size}). Damaged or gone: {damaged}.",
    }
    /// How much of a backup is as it was written, where no message that is known is missing.
    as_saved(messages: Messages, size: Size) {
        ja: "{messages}（{size}）は保存したときのままです。",
        en: "As they were saved: {messages} ({size}).",
    }
    /// Lists of messages that are damaged or gone.
    lists_damaged(places: Count) {
        ja: "メールの一覧が{places}か所で壊れているか、なくなっています。そこに記録されていたメールは確認できません。",
        en: "Places where the lists of messages are damaged or gone: {places}. Messages that stood there could not be checked.",
    }
    /// A message that is not as it was written; `detail` says which file.
    damaged(mailbox: &MailboxName, detail: &str) {
        ja: "壊れているメール：{mailbox}（{detail}）",
        en: "Damaged message in {mailbox}: {detail}",
    }
    /// A line of a manifest that is not as it was written.
    damaged_line(mailbox: &MailboxName, line: Count, file: &str) {
        ja: "一覧の壊れている行：{mailbox}（{file}の{line}行目）",
        en: "Damaged line {line} in the list of {mailbox}: {file}",
    }
    /// A file that does not belong to the backup.
    stranger(file: &str) {
        ja: "バックアップのものではないファイル：{file}（そのまま残します）",
        en: "Not of the backup, left as it is: {file}",
    }
    /// After a backup.
    again() {
        ja: "次にすること：「hikyaku check フォルダ」で、いつでもバックアップを確認できます。同じコマンドをもう一度実行すると、新しいメールだけが追加されます。",
        en: "Next: `hikyaku check DIR` tells at any time whether the backup is whole. Running the same command again adds only what is new.",
    }
    /// How other programs check a backup.
    sums(directory: &str) {
        ja: "ほかのプログラムでも確認できます：cd {directory} && sha256sum --check --quiet SHA256SUMS",
        en: "Other programs can check it, too: cd {directory} && sha256sum --check --quiet SHA256SUMS",
    }
}
