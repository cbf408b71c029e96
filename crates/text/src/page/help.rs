//! The help: how to copy, what each field wants, what to know before, passwords, errors.

use crate::Lang;
use crate::figures::Size;
use crate::sentence::sentences;

/// What to know before copying: a heading and a text each. They cover every note that hosts publish for such a function.
pub fn notes(service: &str, limit: Option<Size>, lang: Lang) -> Vec<(String, String)> {
    let size = match limit {
        Some(limit) => (note_size(limit, lang), note_size_text(limit, lang)),
        None => (note_size_server(lang), note_size_server_text(lang)),
    };
    vec![
        (note_destination(lang), note_destination_text(service, lang)),
        (note_dns(lang), note_dns_text(lang)),
        (note_parallel(lang), note_parallel_text(lang)),
        (note_imap(lang), note_imap_text(lang)),
        (note_servers(lang), note_servers_text(lang)),
        (note_empty(lang), note_empty_text(lang)),
        (note_complete(lang), note_complete_text(lang)),
        (note_data(lang), note_data_text(lang)),
        (note_signs(lang), note_signs_text(lang)),
        (note_hidden(lang), note_hidden_text(lang)),
        size,
    ]
}

/// What happens, step by step.
pub fn steps(lang: Lang) -> [String; 5] {
    [
        step_1(lang),
        step_2(lang),
        step_3(lang),
        step_4(lang),
        step_5(lang),
    ]
}

/// The way out of POP, step by step: the order is the point.
pub fn pop_steps(lang: Lang) -> [String; 6] {
    [
        pop_backup(lang),
        pop_copy(lang),
        pop_result(lang),
        pop_computer(lang),
        pop_imap(lang),
        pop_end(lang),
    ]
}

/// For each mail program: how a backup is made, and how it stops collecting mail by POP.
pub fn pop_programs(lang: Lang) -> Vec<(String, String)> {
    vec![
        ("Thunderbird".to_owned(), pop_thunderbird(lang)),
        ("Outlook".to_owned(), pop_outlook(lang)),
        (pop_mac_name(lang), pop_mac(lang)),
        (pop_phone_name(lang), pop_phone(lang)),
        (pop_others_name(lang), pop_others(lang)),
    ]
}

sentences! {
    /// Heading.
    pop_heading() {
        ja: "POPでお使いのメールの引っ越し",
        en: "Moving mail that you collect by POP",
    }
    /// What is different about it.
    pop_text() {
        ja: "POPで受信したメールは、多くの場合、お使いのパソコンやスマートフォンの中にだけあります。先に古いアカウントを削除すると、その端末にだけあったメールが失われます。次の順番で進めてください。",
        en: "Mail that was collected by POP is often only on your computer or phone. If you delete the old account first, that mail is lost. Please keep to this order.",
    }
    /// Step.
    pop_backup() {
        ja: "パソコンのメールソフトのメールを、バックアップします（下の「メールソフトごとの手順」をご覧ください）。",
        en: "Make a backup of the mail in your mail program, as told below.",
    }
    /// Step.
    pop_copy() {
        ja: "この画面で、POPのサーバーにあるメールをコピーします。",
        en: "Copy the mail that is on the POP server with this page.",
    }
    /// Step.
    pop_result() {
        ja: "結果の画面で、すべてのメールを確認できたことを確かめます。",
        en: "See in the result that every message was verified.",
    }
    /// Step.
    pop_computer() {
        ja: "パソコンの中にだけあるメールは、「パソコンの中のメールから」でファイルをアップロードしてコピーします。すでにコピーされているメールが重複することはありません。",
        en: "Copy the mail that is only on your computer: choose “From mail on your computer” and upload the file. Nothing appears twice.",
    }
    /// Step.
    pop_imap() {
        ja: "メールソフトに、IMAPのアカウントを新しく追加します。POPのアカウントの設定は書き換えず、そのまま残してください。追加したアカウントで古いメールが見えることを確かめます。",
        en: "Add the IMAP account to your mail program as a new one, and leave the settings of the POP account as they are. See that your old mail shows in it.",
    }
    /// Step.
    pop_end() {
        ja: "POPのアカウントは、まず受信を止めて、しばらく様子を見てから削除します。バックアップは、そのまま保管してください。",
        en: "First stop the POP account from collecting mail, wait for some time, then delete it. Keep the backup.",
    }
    /// One program.
    pop_thunderbird() {
        ja: "バックアップ：「ヘルプ」→「トラブルシューティング情報」→「プロファイルフォルダー」の「フォルダーを開く」で表示されるフォルダを、Thunderbirdを終了してから、別の場所へコピーします。ZIPに圧縮すると、そのままアップロードにも使えます。受信を止める：「アカウント設定」→「サーバー設定」で、新着メッセージの確認をオフにします。",
        en: "Backup: Help → Troubleshooting Information → Profile Folder → Open; quit Thunderbird and copy that folder to another place. Packed as a zip it can also be uploaded. To stop collecting: Account Settings → Server Settings, turn off checking for new messages.",
    }
    /// One program.
    pop_outlook() {
        ja: "バックアップ：「ファイル」→「開く/エクスポート」→「インポート/エクスポート」→「ファイルにエクスポート」で、.pstファイルを作ります。受信を止める：「送受信」→「送受信グループ」→「送受信グループの定義」で、POPのアカウントを対象から外します。",
        en: "Backup: File → Open & Export → Import/Export → Export to a file, as a .pst file. To stop collecting: Send/Receive → Send/Receive Groups → Define, and take the POP account out.",
    }
    /// Name of a program.
    pop_mac_name() {
        ja: "Macの「メール」",
        en: "Apple Mail",
    }
    /// One program.
    pop_mac() {
        ja: "バックアップ：メールボックスを選び、「メールボックス」→「メールボックスを書き出す」で .mbox に保存します。ZIPに圧縮すると、そのままアップロードにも使えます。受信を止める：「メール」→「設定」→「アカウント」で、POPのアカウントを無効にします（削除はしません）。",
        en: "Backup: select the mailboxes and choose Mailbox → Export Mailbox, which makes .mbox folders. Packed as a zip they can also be uploaded. To stop collecting: Mail → Settings → Accounts, disable the POP account, but do not delete it.",
    }
    /// Name of a device.
    pop_phone_name() {
        ja: "iPhone・iPad・Androidのメールアプリ",
        en: "Mail apps on phones",
    }
    /// One device.
    pop_phone() {
        ja: "端末全体のバックアップを取ってください。iPhoneやiPadでは、アカウントを削除するとその中のメールも消えます。同じメールがサーバーやパソコンにあることを確かめるまで、アカウントを削除しないでください。",
        en: "Back up the whole device. On an iPhone or iPad, deleting the account deletes its mail: do not delete it before you have seen the same mail on the server or on a computer.",
    }
    /// Name of other programs.
    pop_others_name() {
        ja: "Becky!・Windows Live メールなど",
        en: "Becky!, Windows Live Mail and others",
    }
    /// Other programs.
    pop_others() {
        ja: "バックアップ：メールソフトを終了し、データフォルダを丸ごと別の場所へコピーします。受信を止める：アカウントの設定で、自動受信をオフにします。",
        en: "Backup: quit the program and copy its whole data folder to another place. To stop collecting: turn off automatic receiving in the settings of the account.",
    }
    /// Heading.
    heading() {
        ja: "ヘルプ",
        en: "Help",
    }
    /// What it is about.
    introduction(service: &str) {
        ja: "【{service}】は、前のメールサーバーのメールを、フォルダごと新しいサーバーのメールボックスへ直接コピーする機能です。パソコンにメールを取り込む必要はありません。コピー中にブラウザーやパソコンを閉じても、コピーは続きます。",
        en: "{service} copies the mail on your old server, folder by folder, straight into your mailbox on the new server. Nothing has to be brought to a computer, and the copy goes on when you close the browser.",
    }
    /// Heading.
    plans_heading() {
        ja: "対応プラン",
        en: "Plans",
    }
    /// Column.
    plan_column() {
        ja: "プラン",
        en: "Plan",
    }
    /// Column.
    supported_column() {
        ja: "対応",
        en: "Available",
    }
    /// Column.
    rerun_column() {
        ja: "2回目以降",
        en: "A second run",
    }
    /// Below the table.
    legend() {
        ja: "●：対応　―：非対応　△：有料オプション",
        en: "●: yes, ―: no, △: as a paid option",
    }
    /// Heading.
    steps_heading() {
        ja: "使い方",
        en: "How to copy",
    }
    /// First step.
    step_1() {
        ja: "新しいサーバーのメールアドレスとパスワードでログインします。コントロールパネルから開いた場合は、ログイン済みです。",
        en: "Sign in with the address and password of your mailbox on the new server. If you came from the control panel, you are signed in already.",
    }
    /// Second step.
    step_2() {
        ja: "コピー先とコピー元の情報、結果の通知先を入力し、いちばん下の【確認する】をクリックします。両方のサーバーに接続して、コピーできる内容を調べます。",
        en: "Fill in destination, source and where the result shall be sent, and click [Check] at the bottom. Both servers are looked at.",
    }
    /// Third step.
    step_3() {
        ja: "確認画面で、コピーするフォルダや通数を確かめ、【実行する】をクリックします。ここまでは何もコピーされません。",
        en: "Look at the folders and counts on the confirmation, and click [Start]. Until then nothing is copied.",
    }
    /// Fourth step.
    step_4() {
        ja: "受付番号が表示されたら、画面を閉じて構いません。進み具合は、いつでもコピーの一覧から確認できます。",
        en: "When the receipt number is shown you may close the page. You can look at the progress in the list of your copies at any time.",
    }
    /// Fifth step.
    step_5() {
        ja: "コピーが終わったとき、または続けられなくなったときに、通知先のメールアドレスへ結果をお知らせします。",
        en: "When the copy has ended, or cannot go on, the result is sent to the address that you gave.",
    }
    /// Heading.
    fields_heading() {
        ja: "入力する項目",
        en: "The fields",
    }
    /// Heading.
    rerun_heading() {
        ja: "同じコピーを2回以上行う場合",
        en: "Running the same copy again",
    }
    /// What every way has in common.
    rerun_text() {
        ja: "何度行っても、お客様がメールを手作業で削除する必要はありません。コピー先でお客様が移動・削除されたメールは、お客様の操作を優先し、あらためてコピーすることはありません。",
        en: "However often you copy, you never have to delete mail by hand. Mail that you moved or deleted at the destination stays as you left it and is not copied again.",
    }
    /// Heading.
    notes_heading() {
        ja: "注意事項",
        en: "Good to know before copying",
    }
    /// Note 1.
    note_destination() {
        ja: "コピー先に指定できるサーバー",
        en: "Where mail can be copied to",
    }
    /// About it.
    note_destination_text(service: &str) {
        ja: "【{service}】のコピー先は、上の表の対応プランのメールサーバーだけです。コピー先はログインしたメールアドレスで決まるため、入力の必要はありません。",
        en: "{service} copies to the servers of the plans in the table above only. The destination is the address that you sign in with; it is never typed.",
    }
    /// Note 2.
    note_dns() {
        ja: "DNSの切り替えとの順番",
        en: "Before or after the DNS switch",
    }
    /// About it.
    note_dns_text() {
        ja: "メールの届け先（DNS）を新しいサーバーへ切り替えたあとのご利用をおすすめします。切り替え前にコピーした場合は、切り替え後にもう一度「差分」をコピーすると、その間に前のサーバーへ届いたメールも取りこぼしません。この差分コピーは、確認画面で自動実行を予約できます。",
        en: "We recommend copying after the DNS has been switched to the new server. If you copy before, copy what is new once more after the switch, so that mail which arrived at the old server in between is not missed. That run can be arranged on the confirmation.",
    }
    /// Note 3.
    note_parallel() {
        ja: "プラン変更で両方のサーバーが動いている場合",
        en: "While two servers run in parallel after a change of plan",
    }
    /// About it.
    note_parallel_text() {
        ja: "プランの変更にともない、いまのサーバーと移行先のサーバーが並行して動いている間は、プランによっては、メールサーバーの切り替え後にご利用いただけるようになります。確認の際に自動で判定し、まだの場合はその旨を表示します。",
        en: "While the present server and the new one run in parallel because of a change of plan, some plans can use this only after mail has been switched. The check finds out and tells you.",
    }
    /// Note 4.
    note_imap() {
        ja: "コピー元に指定できるサーバー",
        en: "Where mail can be copied from",
    }
    /// About it.
    note_imap_text() {
        ja: "IMAPまたはPOPで接続できるメールサーバーです。両方に対応している場合は、フォルダや既読・未読もコピーできるIMAPを使用します。ふだんPOPでお使いの場合は、メールをサーバーに残す設定であれば、サーバーにあるメールをコピーできます。",
        en: "Servers that can be reached over IMAP or POP. Where a server offers both, IMAP is used, which brings folders and what was read along. If you usually collect mail by POP, what is left on the server can be copied.",
    }
    /// Note 5.
    note_servers() {
        ja: "サーバーの仕様による違い",
        en: "Servers with habits of their own",
    }
    /// About it.
    note_servers_text() {
        ja: "コピー元のサーバーの仕様によっては、通常の方法でコピーできない場合があります。その場合は自動で別の方法に切り替え、うまくいかなかったものは結果の画面に1通ずつ理由を表示します。",
        en: "Some source servers cannot be copied in the usual way. Other ways are then tried by themselves, and whatever fails is listed in the result, message by message, with the reason.",
    }
    /// Note 6.
    note_empty() {
        ja: "コピー元にメールが残っていない場合",
        en: "When nothing is left at the source",
    }
    /// About it.
    note_empty_text() {
        ja: "コピー元のサーバーにメールが残っていない場合、コピーはできません。メールソフトが受信時にサーバーから削除していることがあります。その場合、メールはパソコンの中だけにありますので、「パソコンの中のメールから」をお選びください。",
        en: "If no mail is left on the source server, nothing can be copied. Mail programs may delete mail from the server when they collect it; then it is only on your computer: choose “From mail on your computer”.",
    }
    /// Note 7.
    note_complete() {
        ja: "コピー結果の確認",
        en: "How complete a copy is",
    }
    /// About it.
    note_complete_text() {
        ja: "あらゆるサーバーで完全なコピーを保証するものではありません。そのかわり、コピーのあとにコピー先を調べ直し、すべてのメールについて「コピーした」「すでにあった」「コピーできなかった（理由）」のどれであるかを結果の画面に表示します。結果を確かめるまで、前のサーバーのメールは消さないでください。",
        en: "No tool can promise a complete copy from every server. Instead, the destination is looked at again after the copy, and the result accounts for every message: copied, already there, or not copied and why. Do not delete mail at the old server before you have read the result.",
    }
    /// Note 8.
    note_data() {
        ja: "反映できないことがある内容",
        en: "What may not be carried over",
    }
    /// About it.
    note_data_text() {
        ja: "メールの本文・添付ファイル・日付・既読などの状態とフォルダをコピーします。フォルダ名や、メールソフト独自の目印などは、コピー先の制限により、そのまま反映できない場合があります。名前が変わるフォルダは、コピーの前に確認画面で理由とともに表示します。連絡先・予定表・振り分けの設定はコピーされません。",
        en: "Messages with attachments, dates and states such as read are copied, and the folders. Folder names and marks of certain mail programs may not be possible at the destination. Folders whose names change are shown with the reason before the copy. Contacts, calendars and filter rules are not copied.",
    }
    /// Note 9.
    note_signs() {
        ja: "フォルダ名の記号",
        en: "Signs in folder names",
    }
    /// About it.
    note_signs_text() {
        ja: "フォルダ名に、コピー先で使えない記号が含まれている場合は、似た文字に置き換えてコピーします。手作業で名前を変えていただく必要はありません。",
        en: "Signs that the destination does not take in folder names are replaced by similar ones. You do not have to rename anything.",
    }
    /// Note 10.
    note_hidden() {
        ja: "隠しフォルダ",
        en: "Hidden folders",
    }
    /// About it.
    note_hidden_text() {
        ja: "コピー元にある、ふだん表示されないフォルダや、メール以外のデータのためのフォルダは、既定ではコピーしません。確認画面に表示されますので、必要な場合はチェックを付けてください。",
        en: "Folders of the source that mail programs do not show, or that hold no mail, are left out by default. They are listed on the confirmation; tick those that you want.",
    }
    /// Note 11.
    note_size(limit: Size) {
        ja: "1通が{limit}を超えるメール",
        en: "Messages over {limit}",
    }
    /// About it.
    note_size_text(limit: Size) {
        ja: "1通の容量が{limit}を超えるメールはコピーできません（添付ファイルは、メールの中では元の約1.4倍の大きさになります）。該当するメールはコピーの前に一覧で表示し、コピーのあとにファイルとして保存できます。",
        en: "A message over {limit} cannot be copied (attachments take about 1.4 times their size inside a message). Such messages are listed before the copy and can be saved as files afterwards.",
    }
    /// Note 11, where the plan has no limit.
    note_size_server() {
        ja: "とても大きなメール",
        en: "Very big messages",
    }
    /// About it.
    note_size_server_text() {
        ja: "コピー先のサーバーが定める上限を超えるメールはコピーできません。該当するメールは一覧で表示し、コピーのあとにファイルとして保存できます。",
        en: "A message over the limit of the destination's server cannot be copied. Such messages are listed and can be saved as files afterwards.",
    }
    /// Heading.
    passwords_heading() {
        ja: "パスワードの扱い",
        en: "About passwords",
    }
    /// How they are kept.
    passwords_text() {
        ja: "入力いただいたパスワードは、このコピーのためだけに、別に保管した鍵で暗号化して保存します。画面・メール・記録に表示することはありません。コピーが終わると消去します。24時間操作がない場合も消去します。自動実行を予約された場合は、その終了まで（最長30日間）保管します。",
        en: "The passwords that you enter are stored for this copy only, encrypted with a key that is kept elsewhere. They never appear on a page, in a mail or in a log. They are erased when the copy is over, and after 24 hours in which nothing happens. If you arrange a run by itself, they are kept until that is over, for at most 30 days.",
    }
    /// Heading.
    app_passwords_heading() {
        ja: "「アプリ パスワード」が必要なメールサービス",
        en: "Services that want an “app password”",
    }
    /// What they are.
    app_passwords_text() {
        ja: "次のサービスでは、いつものパスワードの代わりに、メールソフト専用のパスワードを④に入力してください。",
        en: "With these services, enter a password made for mail programs in ④ in place of your usual one.",
    }
    /// One service.
    app_password_gmail() {
        ja: "Gmail：Googleアカウントの「セキュリティ」で2段階認証を有効にし、「アプリ パスワード」を作成します。表示された16文字を入力してください。",
        en: "Gmail: in your Google account, under Security, turn on 2-Step Verification and create an app password. Enter its 16 letters.",
    }
    /// One service.
    app_password_yahoo() {
        ja: "Yahoo!メール：設定の「IMAP/POP/SMTPアクセスとメール転送」で、メールソフトからのアクセスを許可してください。",
        en: "Yahoo! JAPAN Mail: in the settings, under IMAP/POP/SMTP access, allow access by mail programs.",
    }
    /// One service.
    app_password_icloud() {
        ja: "iCloudメール：Appleアカウントの「サインインとセキュリティ」で「アプリ用パスワード」を作成します。",
        en: "iCloud Mail: in your Apple account, under Sign-In and Security, create an app-specific password.",
    }
    /// Others.
    app_password_others() {
        ja: "そのほかのサービス：「アプリ パスワード」「メールソフト用パスワード」などの名前で用意されていることがあります。サービスの案内をご確認ください。",
        en: "Others: look in the service's own help for “app password” or “password for mail programs”.",
    }
    /// Heading.
    errors_heading() {
        ja: "エラーの一覧",
        en: "Errors",
    }
    /// Who can do something.
    who() {
        ja: "対応できる方",
        en: "Who can help",
    }
    /// Heading of a code's page.
    error_title(code: &str, title: &str) {
        ja: "エラー {code}：{title}",
        en: "Error {code}: {title}",
    }
    /// Link.
    back_to_help() {
        ja: "ヘルプへ戻る",
        en: "Back to the help",
    }
    /// Heading of the caught mails.
    mail_heading() {
        ja: "お試し用の受信箱",
        en: "Trial inbox",
    }
    /// What they are.
    mail_introduction() {
        ja: "お試しのため、メールは送信されず、ここに表示されます。",
        en: "For trying out, mails are not sent but shown here.",
    }
    /// None.
    mail_none() {
        ja: "まだメールはありません。",
        en: "There is no mail yet.",
    }
    /// To whom.
    mail_to() {
        ja: "宛先",
        en: "To",
    }
    /// From whom.
    mail_from() {
        ja: "差出人",
        en: "From",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every note of seed 000, by a word that it cannot do without.
    #[test]
    fn every_note_is_covered() {
        let words = [
            "対応プラン",
            "切り替えたあと",
            "並行して",
            "IMAP",
            "仕様",
            "残っていない",
            "保証",
            "フォルダ名",
            "記号",
            "表示されないフォルダ",
            "100MB",
        ];
        let notes = notes("メールデータコピー", Some(Size(100 << 20)), Lang::Ja);
        assert_eq!(notes.len(), words.len());
        for ((title, text), word) in notes.iter().zip(words) {
            assert!(text.contains(word), "{title}: {text} lacks {word}");
        }
    }
}
