//! Mail on disk in words: what lies at a path, and which stores a computer has.

use crate::Lang;
use crate::figures::{Count, Mailboxes, Messages, Size};
use crate::sentence::sentences;

sentences! {
    /// What was recognised, counted.
    found(kind: &str, folders: Mailboxes, messages: Messages, size: Size) {
        ja: "{kind}のデータが見つかりました：フォルダ{folders}・メール{messages}（{size}）",
        en: "This is mail of {kind}: {folders} with {messages} ({size})",
    }
    /// What one source added to what was there.
    only_here(messages: Messages) {
        ja: "サーバーになく、パソコンだけにあったメール：{messages}",
        en: "Mail that was only on this computer, not on the server: {messages}",
    }
    /// What was recognised, with an estimate of the messages.
    found_about(kind: &str, folders: Mailboxes, messages: Messages, size: Size) {
        ja: "{kind}のデータが見つかりました：フォルダ{folders}・メール 約{messages}（{size}）",
        en: "This is mail of {kind}: {folders} with about {messages} ({size})",
    }
    /// Several kinds beside each other, before they are listed.
    several() {
        ja: "この場所には、複数の種類のメールデータがあります。コピーするデータの種類を、場所（パス）の前に付けてご指定ください。",
        en: "There are several kinds of mail at this path. Write the kind that you mean in front of the path.",
    }
    /// One of several kinds, with how it is written in front of the path.
    several_line(written: &str, kind: &str, messages: Messages) {
        ja: "{written}　{kind}（{messages}）",
        en: "{written}  {kind} ({messages})",
    }
    /// Data files of Outlook.
    outlook(files: Count) {
        ja: "Outlookのデータファイル（{files}個）が見つかりましたが、まだ直接読み取ることができません。",
        en: "Data files of Outlook ({files}) were found. They cannot be read directly yet.",
    }
    /// A compressed file.
    compressed() {
        ja: "圧縮されたファイルです。展開（解凍）してから、展開したフォルダをご指定ください。ZIP、TAR、TGZ形式のファイルはそのままご指定いただけます。",
        en: "This is a compressed file. Unpack it first and give the unpacked folder. Zip, tar and tgz files can be given as they are.",
    }
    /// An empty folder.
    empty() {
        ja: "この場所にはファイルがありません。",
        en: "There are no files at this path.",
    }
    /// No mail among files.
    nothing(files: Count, endings: &str) {
        ja: "この場所にはメールデータが見つかりませんでした（ファイル{files}個、主な種類：{endings}）。",
        en: "No mail was found at this path ({files} files, mostly {endings}).",
    }
    /// Heading of the stores of a computer.
    stores() {
        ja: "このパソコンで見つかったメールデータ",
        en: "Mail stores on this computer",
    }
    /// No stores.
    no_stores() {
        ja: "よく使われる場所に、メールデータは見つかりませんでした。保存場所がわかる場合は、その場所（パス）をご指定ください。",
        en: "No mail was found in the usual places. If you know where it is kept, give that path.",
    }
    /// After a copy from files.
    again() {
        ja: "同じコマンドをもう一度実行すると、新しいメールだけがコピーされます。",
        en: "Running the same command again copies only what is new.",
    }
    /// A store that may not be read.
    closed() {
        ja: "読み取りの権限がありません。Macの場合は「システム設定」の「プライバシーとセキュリティ」で、ターミナルに「フルディスクアクセス」を許可してください。",
        en: "It may not be read. On a Mac, allow the terminal \"Full Disk Access\" in System Settings, Privacy & Security.",
    }
}

/// What a kind of archive is called, by how it is written in front of a path
/// (`mbox`, `maildir`, …); the word itself for an unknown one.
pub fn kind(scheme: &str, lang: Lang) -> &str {
    let (ja, en) = match scheme {
        "mbox" => ("mbox形式", "mbox files"),
        "maildir" => ("Maildir形式", "Maildir"),
        "thunderbird" => ("Thunderbird", "Thunderbird"),
        "applemail" => ("Macの「メール」", "Apple Mail"),
        "eml" => ("eml形式", ".eml files"),
        "mh" => ("MH形式", "MH folders"),
        "takeout" => (
            "Gmail（Google データ エクスポート）",
            "Gmail (Google Takeout)",
        ),
        "wlm" => ("Windows Live メール", "Windows Live Mail"),
        "dbx" => ("Outlook Express", "Outlook Express"),
        "becky" => ("Becky! Internet Mail", "Becky! Internet Mail"),
        "hidemaru" => ("秀丸メール", "Hidemaru Mail"),
        other => (other, other),
    };
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// What a mail program is called, by its name in the JSON of `hikyaku find`; the word itself for
/// an unknown one.
pub fn program(name: &str, lang: Lang) -> &str {
    match (name, lang) {
        ("outlook", _) => "Outlook",
        ("windowsmail", Lang::Ja) => "Windows メール",
        ("windowsmail", Lang::En) => "Windows Mail",
        ("evolution", _) => "Evolution",
        ("kmail", _) => "KMail",
        ("plain", Lang::Ja) => "メールのフォルダ",
        ("plain", Lang::En) => "Mail folder",
        _ => kind(name, lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_with_its_figures() {
        let told = |lang| {
            found_about(
                kind("thunderbird", lang),
                Mailboxes(12),
                Messages(23_000),
                Size(3 << 30),
                lang,
            )
        };
        assert_eq!(
            told(Lang::Ja),
            "Thunderbirdのデータが見つかりました：フォルダ12個・メール 約23,000通（3.0GB）"
        );
        assert_eq!(
            told(Lang::En),
            "This is mail of Thunderbird: 12 folders with about 23,000 messages (3.0 GB)"
        );
        assert_eq!(
            nothing(Count(4), ".txt, .rs", Lang::En),
            "No mail was found at this path (4 files, mostly .txt, .rs)."
        );
    }
}
