//! Mail from a file of the person's computer: the upload, and what the file turned out to be.

use crate::figures::{Count, Mailboxes, Messages, Size};
use crate::sentence::sentences;

sentences! {
    /// Heading.
    heading() {
        ja: "パソコンの中のメールをアップロード",
        en: "Upload mail from your computer",
    }
    /// Below it.
    introduction() {
        ja: "メールソフトのデータを1つのファイルでお選びください。アップロードが終わると中身を調べ、コピーする内容を確認の画面でお見せします。それまでコピーは始まりません。",
        en: "Choose the data of your mail program as one file. When it is here it is looked into, and you see what would be copied. Nothing is copied before you have confirmed it.",
    }
    /// Which files.
    formats() {
        ja: "対応しているファイル：Thunderbirdのプロファイル、Macの「メール」から書き出した .mbox、mbox、Gmailのデータ エクスポート（ZIPまたは .tgz）、.eml、Outlook Expressの .dbx、Windows Live メール、Becky! など。フォルダは、ZIPまたはtar（.tar、.tar.gz、.tgz）の1つのファイルにまとめてからお選びください。",
        en: "Files that can be read: a Thunderbird profile, an .mbox exported from Apple Mail, mbox, Google Takeout (zip or .tgz), .eml, Outlook Express .dbx, Windows Live Mail, Becky! and others. Pack a folder into one zip or tar file (.tar, .tar.gz, .tgz) first.",
    }
    /// Limits.
    limits(most: Size) {
        ja: "1つのファイルは{most}までです。",
        en: "One file may have {most} at most.",
    }
    /// What becomes of the file.
    promise() {
        ja: "アップロードされたファイルは、コピーが終わりしだい（中止したときも）サーバーから削除します。",
        en: "The uploaded file is deleted from the server as soon as the copy is over, or when you cancel it.",
    }
    /// A second copy.
    again() {
        ja: "前回のファイルはコピーの終了時に削除しました。同じファイル（または新しく書き出したファイル）をもう一度アップロードすると、前回コピーした分を除いた差分だけをコピーします。",
        en: "The file was deleted when the copy was over. Upload it again, or a newer one of the same name: only what was not copied before is copied.",
    }
    /// Label of the field.
    file() {
        ja: "ファイル",
        en: "File",
    }
    /// Button.
    begin() {
        ja: "アップロードする",
        en: "Upload",
    }
    /// Button, while it goes on.
    pause() {
        ja: "一時停止",
        en: "Pause",
    }
    /// Without JavaScript.
    without_script() {
        ja: "アップロードが終わるまで、この画面を閉じずにお待ちください。途中で通信が途切れると、最初からやり直しになります。JavaScriptを有効にしたブラウザでは、進み具合が表示され、途切れても続きから再開します。",
        en: "Keep this page open until the upload is done. If the connection breaks off, the upload has to begin again. With JavaScript you would see the progress, and it would go on where it stopped.",
    }
    /// Wrong: nothing was chosen.
    file_missing() {
        ja: "アップロードするファイルをお選びください。",
        en: "Choose the file to upload.",
    }
    /// Progress; the script puts the figures in the place of the signs.
    progress(done: &str, all: &str) {
        ja: "{done} / {all} をアップロードしました",
        en: "{done} of {all} uploaded",
    }
    /// After it was interrupted.
    interrupted() {
        ja: "通信が途切れました。自動で続きから再開します。この画面を閉じた場合は、同じファイルをもう一度お選びいただくと続きから再開します。",
        en: "The connection was interrupted. It goes on by itself. If you close this page, choose the same file again and it goes on where it stopped.",
    }
    /// After a pause.
    paused() {
        ja: "一時停止しました。「アップロードする」で続きから再開します。",
        en: "Paused. “Upload” goes on where it stopped.",
    }
    /// It goes on.
    resumed() {
        ja: "前回の続きから再開しました。",
        en: "It goes on where it stopped.",
    }
    /// While it is looked into.
    looking() {
        ja: "ファイルの中身を調べています…",
        en: "Looking into the file…",
    }
    /// The file cannot be read by the browser.
    unreadable() {
        ja: "ファイルを読み取れませんでした。メールソフトを終了してから、もう一度お選びください。",
        en: "The file could not be read. Quit the mail program and choose it again.",
    }
    /// Heading of the list.
    unfinished() {
        ja: "アップロード済み・途中のファイル",
        en: "Files that are here, or on their way",
    }
    /// One that is on its way.
    unfinished_line(name: &str, held: Size, all: Size) {
        ja: "{name}：{all}のうち{held}まで届いています。続けるには、同じファイルをもう一度お選びください。",
        en: "{name}: {held} of {all} are here. Choose the same file again to go on.",
    }
    /// One that is here.
    whole_line(name: &str, all: Size) {
        ja: "{name}（{all}）：アップロードが終わっています。",
        en: "{name} ({all}): uploaded.",
    }
    /// One that is being copied.
    taken_line(name: &str, all: Size) {
        ja: "{name}（{all}）：コピーに使用しています。",
        en: "{name} ({all}): being copied.",
    }
    /// Link to the next step.
    go_on() {
        ja: "次へ進む",
        en: "Go on",
    }
    /// After a copy: what comes later.
    next_once_more() {
        ja: "あとから増えたメールは、ファイルをもう一度アップロードすると、差分だけをコピーできます。",
        en: "Mail that comes later: upload the file again, and only what is new is copied.",
    }
    /// After a copy: what to keep.
    next_keep() {
        ja: "アップロードされたファイルは、サーバーから削除しました。新しいサーバーのメールをご確認いただくまで、パソコンの中のメールは消さずにお残しください。",
        en: "The uploaded file was deleted from the server. Keep the mail on your computer until you have looked at the mail on the new server.",
    }
    /// Button.
    remove() {
        ja: "このファイルを削除する",
        en: "Delete this file",
    }
    /// Heading of the second page.
    found() {
        ja: "ファイルの内容",
        en: "What is in the file",
    }
    /// The file's name.
    name(name: &str) {
        ja: "ファイル：{name}",
        en: "File: {name}",
    }
    /// Heading of the table's first column.
    folder() {
        ja: "フォルダ",
        en: "Folder",
    }
    /// Heading of the table's second column.
    messages() {
        ja: "通数",
        en: "Messages",
    }
    /// More folders than are shown.
    folders_later() {
        ja: "フォルダの一覧は、次の確認の画面でご覧いただけます。",
        en: "The folders are listed on the next page.",
    }
    /// Several kinds in one file.
    several() {
        ja: "このファイルには、複数の種類のメールデータがあります。コピーするデータをお選びください。",
        en: "There are several kinds of mail in this file. Choose the one that you mean.",
    }
    /// One of them.
    several_line(kind: &str, folders: Mailboxes, messages: Messages) {
        ja: "{kind}（フォルダ{folders}・メール{messages}）",
        en: "{kind} ({folders}, {messages})",
    }
    /// A compressed file that is not read.
    compressed() {
        ja: "この圧縮形式は読み取れません。展開（解凍）して、ZIP形式で圧縮し直してからアップロードしてください。",
        en: "This kind of compressed file is not read. Unpack it, pack it as a zip file and upload that.",
    }
    /// Data files of Outlook: what to do.
    outlook_hint() {
        ja: "このバージョンでは .pst・.ost を読み取れません。OutlookのメールをIMAPで新しいサーバーへ移すか、Thunderbirdなどへ取り込んでから、そのデータをアップロードしてください。",
        en: "This version does not read .pst and .ost. Move the mail in Outlook to the new server over IMAP, or import it into another program such as Thunderbird and upload that program's data.",
    }
    /// No mail.
    nothing(files: Count) {
        ja: "このファイルにはメールデータが見つかりませんでした（調べたファイル：{files}個）。別のファイルをお選びください。",
        en: "No mail was found in this file ({files} files were looked at). Choose another one.",
    }
    /// Back to the first page.
    another() {
        ja: "別のファイルを選ぶ",
        en: "Choose another file",
    }
    /// Wrong: nothing was chosen.
    kind_missing() {
        ja: "コピーするデータをお選びください。",
        en: "Choose which mail is meant.",
    }
    /// Refused: an empty file.
    empty() {
        ja: "空のファイルです。別のファイルをお選びください。",
        en: "The file is empty. Choose another one.",
    }
    /// Refused: too large.
    too_large(most: Size) {
        ja: "ファイルが大きすぎます。1つのファイルは{most}までです。メールソフトで分けて書き出してください。",
        en: "The file is too large: {most} at most. Export the mail in several parts.",
    }
    /// Refused: too much in all.
    too_much(most: Size) {
        ja: "アップロードの合計が上限（{most}）を超えます。使わないファイルを削除するか、コピーが終わってからお試しください。",
        en: "All your uploads together may have {most}. Delete one that you do not need, or wait until a copy is over.",
    }
    /// Refused: too many.
    too_many(most: Count) {
        ja: "同時に置けるファイルは{most}個までです。使わないファイルを削除するか、コピーが終わってからお試しください。",
        en: "You may have {most} files here at a time. Delete one that you do not need, or wait until a copy is over.",
    }
    /// Refused: no room.
    no_room() {
        ja: "サーバーの空き容量が足りません。しばらくしてからもう一度お試しください。",
        en: "The server has no room for it at the moment. Please try again later.",
    }
    /// Refused: it is in use.
    taken() {
        ja: "このファイルはコピーに使用しています。",
        en: "The file is being copied.",
    }
    /// Refused: it is gone.
    gone() {
        ja: "このファイルはもうありません。最初からアップロードしてください。",
        en: "The file is not here any more. Upload it from the beginning.",
    }
    /// Refused: other octets.
    other() {
        ja: "名前と大きさは同じですが、中身の異なるファイルです。最初からアップロードします。",
        en: "The file has the same name and size, but other contents. It is uploaded from the beginning.",
    }
    /// Any other fault.
    broken() {
        ja: "サーバーで問題が起きました。しばらくしてからもう一度お試しください。",
        en: "Something went wrong on the server. Please try again later.",
    }
}
