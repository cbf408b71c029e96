//! The way out of POP, step by step, in words.

use crate::figures::{Count, Messages};
use crate::sentence::sentences;

/// Answers that mean yes.
pub const YES: [&str; 3] = ["はい", "yes", "y"];

sentences! {
    /// What is about to happen.
    intro() {
        ja: "POPのメールを、順番にIMAPのアカウントへ引っ越します。コピー元のメールは変更も削除もいたしません。途中でやめても、同じコマンドで続きから再開できます。",
        en: "Your mail moves from POP to the IMAP account, one step after the other. Nothing is changed or deleted at the sources. You can stop at any time: the same command goes on.",
    }
    /// A source or the destination, in the list before the first step.
    source(account: &str) {
        ja: "　コピー元：{account}",
        en: "  Source: {account}",
    }
    /// See `source`.
    destination(account: &str) {
        ja: "　コピー先：{account}",
        en: "  Destination: {account}",
    }
    /// The heading of a step.
    step(number: Count, of: Count, what: &str) {
        ja: "【手順 {number}／{of}】{what}",
        en: "Step {number} of {of}: {what}",
    }
    /// First step.
    backup() {
        ja: "バックアップを取ります",
        en: "a backup of every source",
    }
    /// Second step.
    check() {
        ja: "バックアップを確認します",
        en: "check of the backup",
    }
    /// Third step.
    copy() {
        ja: "コピー先へコピーします",
        en: "copy to the destination",
    }
    /// Fourth step.
    verify() {
        ja: "すべてのメールがコピー先にあることを確認します",
        en: "look whether every message is at the destination",
    }
    /// Fifth step.
    retire() {
        ja: "使い終えてよいコピー元をお知らせします",
        en: "which sources may be given up",
    }
    /// Which source a step is working on.
    working_on(account: &str) {
        ja: "― {account}",
        en: "- {account}",
    }
    /// Before a step.
    go_on() {
        ja: "この手順に進みますか？ 進むには「はい」または yes と入力してください：",
        en: "Go on with this step? Type yes to go on:",
    }
    /// After a no.
    stopped() {
        ja: "ここで中断しました。同じコマンドをもう一度実行すると、続きから再開します。",
        en: "Stopped here. The same command goes on from here.",
    }
    /// A step could not be finished.
    not_finished(number: Count) {
        ja: "手順{number}はまだ終わっていません。下記の原因を取り除いてから同じコマンドをもう一度実行すると、続きから再開します。それまでは、元のメールソフトやPOPアカウントを削除しないでください。",
        en: "Step {number} is not finished. Mend what is said below, then run the same command again: it goes on from here. Until then, delete neither the old mail program nor the POP account.",
    }
    /// The person has a backup of their own.
    own_backup() {
        ja: "バックアップはご自身で取ってあるものとして進めます。元に戻せることを、先にご確認ください。",
        en: "You have a backup of your own. Make sure that it can be read back before you go on.",
    }
    /// A step of an earlier run that still holds.
    checked_earlier(when: &str) {
        ja: "{when}に確認済みです。それ以降、バックアップは変わっていません。",
        en: "Checked at {when}; the backup has not changed since.",
    }
    /// Mail on this computer that is no source of this run.
    also_found() {
        ja: "このパソコンには、ほかにも次のメールデータがあります。引っ越す場合は、コピー元に加えるか --find を付けて実行してください。",
        en: "There is more mail on this computer. If it is to come along, name it as a source or add --find:",
    }
    /// Data files of Outlook, which are no source yet.
    outlook(path: &str) {
        ja: "Outlookのデータファイルはまだ直接読み取れません（{path}）。OutlookからIMAPのアカウントへコピーするか、別の形式で書き出してください。",
        en: "Data files of Outlook cannot be read directly yet ({path}). Copy their mail to the IMAP account inside Outlook, or export it in another format.",
    }
    /// How many messages came from the first source.
    from_first(account: &str, messages: Messages) {
        ja: "{account}から新しくコピーしたメール：{messages}",
        en: "Newly copied from {account}: {messages}",
    }
    /// How many messages of files no server had.
    only_on_the_computer(path: &str, messages: Messages) {
        ja: "サーバーになく、パソコンだけにあったメール：{messages}（{path}）",
        en: "Not at the server, only on this computer: {messages} ({path})",
    }
    /// How many messages no earlier source had.
    only_there(account: &str, messages: Messages) {
        ja: "それまでのコピー元になく、{account}だけにあったメール：{messages}",
        en: "In no earlier source, only in {account}: {messages}",
    }
    /// A source that is done.
    may_retire(account: &str, messages: Messages) {
        ja: "○ {account}：{messages}すべてを、コピー先で確認しました。使い終えて構いません。",
        en: "+ {account}: all its mail ({messages}) was found at the destination. It may be given up.",
    }
    /// A source that is not done.
    must_stay(account: &str, messages: Messages) {
        ja: "× {account}：コピー先で確認できないメールが{messages}あります。上の一覧をご確認ください。まだ使い終えないでください。",
        en: "- {account}: not found at the destination: {messages}, see the list above. Do not give it up yet.",
    }
    /// A source of which nobody knows how many messages are missing.
    must_stay_unknown(account: &str) {
        ja: "× {account}：最後まで確認できませんでした。まだ使い終えないでください。",
        en: "- {account}: it could not be compared to its end. Do not give it up yet.",
    }
    /// What to do before a POP account is deleted, line by line.
    before_you_delete() {
        ja: "POPアカウントを削除する前に：\n\
            \u{3000}1. メールソフトに、IMAPのアカウントを新しく追加してください（POPアカウントの設定は書き換えられません）。\n\
            \u{3000}2. 追加したアカウントで、古いメールが見えることを確認してください。\n\
            \u{3000}3. POPアカウントは、まず受信しない設定にして、しばらく様子を見てください。\n\
            \u{3000}4. iPhoneやiPadでPOPアカウントを削除すると、その中のメールも消えます。先に、必要なメールが残っていないことを確認してください。\n\
            \u{3000}5. バックアップは、引っ越しのあとも保管してください。",
        en: "Before you delete the POP account:\n  \
            1. Add the IMAP account to your mail program as a new account; a POP account cannot be turned into one.\n  \
            2. See whether your old mail shows in the new account.\n  \
            3. At first only stop the POP account from fetching mail, and wait for some days.\n  \
            4. Deleting a POP account on an iPhone or iPad deletes its mail: make sure that nothing you need is only there.\n  \
            5. Keep the backup.",
    }
}
