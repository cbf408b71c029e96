//! Faults in words for people at a web page or with a mail in their hands: no options of a command line, no addresses
//! with a scheme, nothing about this computer, which is not theirs.
//!
//! The catalogue is [`crate::explain`]; only what does not fit a page is said anew.

use crate::fault::{self, Explained, Told};
use crate::{Lang, Who};
use hikyaku_core::{Code, Fault};

/// What a code means, for somebody at a page.
pub fn explain(code: Code, lang: Lang) -> Explained {
    let usual = fault::explain(code, lang);
    let Some((remedy, who)) = remedy(code, lang) else {
        return usual;
    };
    let cause = cause(code, lang).unwrap_or(usual.cause);
    Explained {
        cause,
        remedy,
        who,
        ..usual
    }
}

/// Tells a fault: what happened and where, what to do next, what the server said.
pub fn tell(fault: &Fault, lang: Lang) -> Told {
    fault::tell_as(fault, explain(fault.code, lang), lang)
}

/// The cause, where the catalogue speaks about this program's inside.
fn cause(code: Code, lang: Lang) -> Option<&'static str> {
    let (ja, en) = match code {
        Code::LedgerDamaged | Code::LedgerVersion | Code::LedgerUnwritable | Code::DiskFull => (
            Some(
                "コピーの記録を保存する場所に問題があるため、安全のためコピーを止めました。コピー済みのメールはそのまま残っています。",
            ),
            "There is a problem with the place where the record of the copy is kept, so the copy was stopped to be safe. What has been copied stays copied.",
        ),
        code if fault::is_about_a_backup(code) => (
            Some(
                "バックアップを保存している場所に問題があります。保存済みのメールはそのまま残っています。",
            ),
            "There is a problem with the place where the backup is kept. What has been saved stays saved.",
        ),
        Code::ConfigInvalid | Code::SecretUnreadable => (
            Some("このサービスの設定に問題があるため、実行できません。"),
            "The settings of this service have a problem, so this cannot be done.",
        ),
        Code::Interrupted => (
            Some("処理を中断しました。コピー済みのメールはそのまま残っています。"),
            "The copy was interrupted. What has been copied stays copied.",
        ),
        Code::Bug => (
            Some("予期しない問題が発生しました。コピー元のメールには影響ありません。"),
            "Something unexpected happened. The mail at the source is not affected.",
        ),
        Code::QuotaReserve => (
            None,
            "Copying on would leave the destination with too little room for new mail, so the copy stopped before that. What has been copied stays copied.",
        ),
        Code::ServerExcess => (
            None,
            "The server sent a line, a list or a message beyond every sensible limit, so the connection was cut to be safe. Nothing of it was stored.",
        ),
        Code::LocatorInvalid => (
            Some("サーバー名またはメールアドレスの書き方に誤りがあります。"),
            "The server name or mail address is not written correctly.",
        ),
        _ => return None,
    };
    match lang {
        Lang::Ja => ja,
        Lang::En => Some(en),
    }
}

/// Whether only whoever runs the service can do something.
fn is_about_the_service(code: Code) -> bool {
    let is_about_its_files = matches!(
        code,
        Code::LedgerDamaged
            | Code::LedgerVersion
            | Code::LedgerUnwritable
            | Code::DiskFull
            | Code::ConfigInvalid
            | Code::SecretUnreadable
    );
    is_about_its_files || fault::is_about_a_backup(code)
}

/// What to do next and who can, where the catalogue's words do not fit a page.
#[rustfmt::skip]
fn remedy(code: Code, lang: Lang) -> Option<(&'static str, Who)> {
    let (ja, en, who) = match code {
        Code::LinkLost | Code::LinkSilent => (
            "自動でつなぎ直して続けます。中断した場合は、時間をおいて「続きから再開する」をクリックしてください。",
            "It reconnects by itself. If the copy has stopped, wait a while and choose \"Continue from here\".",
            Who::Nobody,
        ),
        Code::TlsName => (
            "証明書に書かれている名前をサーバー名としてご入力ください。前のサーバーに間違いないと確認できた場合は、確認画面でその証明書を承認すると続けられます。",
            "Enter the name in the certificate as the server name. If you are sure that it is your old server, you can accept this certificate on the confirmation page.",
            Who::User,
        ),
        Code::TlsMismatch => (
            "「詳しい設定」で、993番には「最初から暗号化」、143番には「途中から暗号化」をお選びください。",
            "Under \"More settings\", choose encryption from the start for port 993 and STARTTLS for port 143.",
            Who::User,
        ),
        Code::TlsUntrusted => (
            "サーバーの管理者にお問い合わせください。前のサーバーに間違いないと確認できた場合は、確認画面でその証明書を承認すると続けられます。",
            "Ask the server's administrator. If you are sure that it is your old server, you can accept this certificate on the confirmation page.",
            Who::User,
        ),
        Code::TlsExpired => (
            "サーバーの管理者に証明書の更新をお問い合わせください。前のサーバーに間違いないと確認できた場合は、確認画面でその証明書を承認すると続けられます。",
            "Ask the server's administrator to renew the certificate. If you are sure that it is your old server, you can accept this certificate on the confirmation page.",
            Who::Host,
        ),
        Code::TlsUnavailable => (
            "「詳しい設定」でポート993番をお試しください。接続できない場合は、サーバーの管理者にお問い合わせください。",
            "Try port 993 under \"More settings\". If that does not connect, ask the server's administrator.",
            Who::Host,
        ),
        Code::TlsPin => (
            "前回承認した証明書と異なります。サーバーの管理者に証明書の更新の有無をご確認のうえ、入力画面からもう一度お試しください。",
            "The certificate is not the one that was accepted before. Ask the server's administrator whether it was renewed, then start again from the form.",
            Who::User,
        ),
        Code::LoginOauth => (
            "メールサービスの設定画面でアプリ パスワードを発行できる場合は、そのパスワードをご入力ください。発行できない場合は、メールサービスにお問い合わせください。",
            "If the settings of the mail service offer app passwords, make one and enter it. Otherwise ask the mail service.",
            Who::Settings,
        ),
        Code::LoginMechanism => (
            "「詳しい設定」で暗号化された接続（ポート993番）をお選びください。すでにご利用の場合は、サーバーの管理者にログイン方式をお問い合わせください。",
            "Choose an encrypted connection (port 993) under \"More settings\". If you already do, ask the server's administrator which ways to log in are allowed.",
            Who::Host,
        ),
        Code::LoginExpired => (
            "新しいパスワードをご用意のうえ、「続きから再開する」をクリックしてください。",
            "Have the new password ready and choose \"Continue from here\".",
            Who::User,
        ),
        Code::QuotaExceeded | Code::QuotaReserve => (
            "コピー先の不要なメールを削除するか、容量を増やしてから、「続きから再開する」をクリックしてください。",
            "Delete what is not needed at the destination or get more room, then choose \"Continue from here\".",
            Who::User,
        ),
        Code::MessageTooLarge => (
            "該当のメールは、一覧からファイルとしてお手元に保存できます。もう一度コピーしても結果は変わりません。",
            "You can save these messages as files from the list. Copying again does not change the result.",
            Who::User,
        ),
        Code::MailboxMissing => (
            "コピー元のフォルダ名が変わっていないかご確認のうえ、もう一度コピーしてください。",
            "Check whether the folder was renamed at the source, then copy again.",
            Who::User,
        ),
        Code::MailboxReadOnly => (
            "コピー先のサーバーの管理者に、書き込みの権限をご依頼ください。",
            "Ask the administrator of the destination for permission to write.",
            Who::Host,
        ),
        Code::MailboxRefused => (
            "コピー先に同じ名前のフォルダを作成してから、もう一度コピーしてください。そのフォルダへコピーします。",
            "Create a folder of that name at the destination, then copy again: it will be used.",
            Who::User,
        ),
        Code::MailboxListing => (
            "自動でもう一度確認します。繰り返す場合は、フォルダの索引（インデックス）の修復をサーバーの管理者にご依頼ください。",
            "It is asked again automatically. If it keeps happening, ask the server's administrator to repair the folder's index.",
            Who::Nobody,
        ),
        Code::MailboxLocked => (
            "自動で再開します。中断した場合は、ほかのメールソフトを終了してから「続きから再開する」をクリックしてください。",
            "It goes on by itself. If the copy has stopped, close other mail programs and choose \"Continue from here\".",
            Who::Nobody,
        ),
        Code::ServerBusy => (
            "自動で再開します。中断した場合は、時間をおいて「続きから再開する」をクリックしてください。",
            "It goes on by itself. If the copy has stopped, wait a while and choose \"Continue from here\".",
            Who::Nobody,
        ),
        Code::ServerConnections => (
            "接続数を減らして自動で続けます。中断した場合は、ほかのメールソフトを終了してから「続きから再開する」をクリックしてください。",
            "It goes on by itself with fewer connections. If the copy has stopped, close other mail programs and choose \"Continue from here\".",
            Who::Nobody,
        ),
        Code::ServerBudget => (
            "上限が解除されると自動で再開します。中断した場合は、翌日以降に「続きから再開する」をクリックしてください。",
            "It goes on by itself when the limit is lifted. If the copy has stopped, choose \"Continue from here\" tomorrow.",
            Who::Nobody,
        ),
        Code::MessageRefused => (
            "該当のメールは、一覧からファイルとしてお手元に保存できます。「差分」でもう一度コピーすると、再度試みます。",
            "You can save these messages as files from the list. A differential run tries them again.",
            Who::Report,
        ),
        Code::MessageUnreadable => (
            "ウェブメールなどで該当のメールを開けるかご確認のうえ、「差分」でもう一度コピーしてください。",
            "Check whether the message opens in web mail, then make a differential run.",
            Who::Report,
        ),
        Code::MessageLength => (
            "自動でもう一度読み出します。繰り返す場合は、一覧のメールをウェブメールなどでご確認ください。",
            "It is read again automatically. If it keeps happening, check the listed messages in web mail.",
            Who::Nobody,
        ),
        Code::MessageUnknown => (
            "「差分」でもう一度コピーすると、自動で確認します。二重にコピーすることはありません。",
            "A differential run finds out automatically. Nothing is copied twice.",
            Who::User,
        ),
        Code::UndoUnfinished => (
            "もう一度取り消しを行うと、続きから再開します。もう一度コピーを行うと、残っているメールは元に戻ります。",
            "Undo once more to go on. Copy once more to keep what is still there.",
            Who::User,
        ),
        Code::ArchiveMissing => (
            "ファイルまたはフォルダがお手元にあるかご確認のうえ、もう一度お選びください。",
            "Check that the file or folder is there, then choose it again.",
            Who::User,
        ),
        Code::ArchiveKind => (
            "メールデータのファイルかどうかご確認のうえ、もう一度お選びください。種類は自動で判別します。",
            "Check that this is a file with mail, then choose it again. Its kind is recognised automatically.",
            Who::User,
        ),
        Code::ArchiveChanged => (
            "メールソフトを終了してから、「続きから再開する」をクリックしてください。",
            "Close the mail program, then choose \"Continue from here\".",
            Who::User,
        ),
        Code::ArchiveExcess => (
            "フォルダごとに分けてファイルを作成し、もう一度お試しください。",
            "Make several smaller files, for example one for each folder, and try again.",
            Who::User,
        ),
        Code::VerifyDifference => (
            "「差分」でもう一度コピーすると、再度確認し、足りないメールをコピーします。",
            "Make a differential run: please see the list. It verifies again and copies what is missing.",
            Who::User,
        ),
        Code::LedgerBusy => (
            "実行中のコピーが終わると、自動で始まります。",
            "It begins by itself when the other copy has ended.",
            Who::Nobody,
        ),
        code if is_about_the_service(code) => (
            "サービスの提供元にお問い合わせください。解消後に「続きから再開する」をクリックすると、続きをコピーします。",
            "Please contact the provider of this service. Afterwards, \"Continue from here\" copies the rest.",
            Who::Host,
        ),
        Code::ServerExcess => (
            "サーバー名とポート番号が正しいメールサーバーのものかご確認ください。正しい場合は、サーバーの管理者にお問い合わせください。",
            "Check that name and port are those of the right mail server. If they are, ask its administrator.",
            Who::Host,
        ),
        Code::LocatorInvalid => (
            "「imap.example.jp」「taro@example.jp」のようにご入力ください。",
            "Enter them like imap.example.jp and taro@example.jp. Please check for blanks and full-width characters.",
            Who::User,
        ),
        Code::Interrupted => (
            "「続きから再開する」をクリックしてください。続きをコピーします。",
            "Please choose \"Continue from here\": the rest is copied.",
            Who::User,
        ),
        Code::Bug => (
            "もう一度お試しください。繰り返す場合は、受付番号を添えてサービスの提供元にお問い合わせください。",
            "Please try again. If it keeps happening, contact the provider of this service with your receipt number.",
            Who::Developers,
        ),
        _ => return None,
    };
    Some(match lang {
        Lang::Ja => (ja, who),
        Lang::En => (en, who),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What only means something at a command line or to whoever runs the machine.
    const FOREIGN: [&str; 14] = [
        "--",
        "imaps://",
        "imap://",
        "command",
        "コマンド",
        "hikyaku",
        "ledger",
        "台帳",
        "ディスク",
        "disk",
        "環境変数",
        "トークン",
        "token",
        "このコンピューター",
    ];

    #[test]
    fn every_code_is_told_in_words_for_a_page() {
        for code in Code::ALL {
            for lang in Lang::ALL {
                let explained = explain(*code, lang);
                let stop = if lang == Lang::Ja { '。' } else { '.' };
                for text in [explained.cause, explained.remedy] {
                    assert!(text.ends_with(stop), "{code}: {text}");
                    for word in FOREIGN {
                        assert!(!text.contains(word), "{code}: {word:?} in {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_fault_is_told_with_its_place_and_the_words_of_the_page() {
        use hikyaku_core::{Reach, Remedy, Side};
        let fault = Fault::new(Code::QuotaExceeded, Reach::Side, Remedy::AskUser, "x")
            .on(Side::Destination);
        let told = tell(&fault, Lang::Ja);
        assert_eq!(
            told.cause,
            "コピー先：コピー先の容量が足りません。コピー済みのメールはそのまま残っています。"
        );
        assert_eq!(
            told.remedy,
            "コピー先の不要なメールを削除するか、容量を増やしてから、「続きから再開する」をクリックしてください。"
        );
        assert_eq!(told.quote, None);
    }
}
