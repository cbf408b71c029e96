//! Words of the demo.

use hikyaku_text::{Lang, Messages, Show};

/// What is about to be shown.
pub(crate) fn intro(old: &str, new: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!(
            "デモ：このプログラムの中で2つのIMAPサーバーを起動しました。\n  前のサーバー：{old}（見本のメールボックス）\n  新しいサーバー：{new}（空）"
        ),
        Lang::En => format!(
            "Demo: two IMAP servers run inside this program.\n  old: {old} (a sample mailbox)\n  new: {new} (empty)"
        ),
    }
}

/// The first run.
pub(crate) fn first(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "\n1. コピー",
        Lang::En => "\n1. Copy",
    }
}

/// The proof.
pub(crate) fn proof(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "\n2. 検証（すべてのメールを両方から読み出して比べます）",
        Lang::En => "\n2. Check (every message is read from both sides and compared)",
    }
}

/// The second run.
pub(crate) fn second(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "\n3. もう一度コピー（差分だけ）",
        Lang::En => "\n3. Copy again (only what is new)",
    }
}

/// What the second run copied: nothing.
pub(crate) fn copied_again(messages: u64, lang: Lang) -> String {
    let messages = Messages(messages).show(lang);
    match lang {
        Lang::Ja => format!("2回目にコピーしたメール：{messages}"),
        Lang::En => format!("Copied in the second run: {messages}"),
    }
}

/// What a person types into the page.
#[derive(Debug)]
pub(crate) struct TryOut<'a> {
    /// Address of the page.
    pub(crate) url: &'a str,
    /// Mail address on both servers.
    pub(crate) address: &'a str,
    /// Its password on both.
    pub(crate) password: &'a str,
    /// The old server, as for ②.
    pub(crate) host: &'a str,
}

/// The page is open, and how it is tried out.
pub(crate) fn page(try_out: &TryOut<'_>, lang: Lang) -> String {
    let TryOut {
        url,
        address,
        password,
        host,
    } = try_out;
    match lang {
        Lang::Ja => format!(
            "\n4. 画面で試す：次のページをブラウザで開いてください（このコンピューターからだけ開けます）。\n  {url}/\n\n  ログイン：メールアドレス {address}　パスワード {password}\n  ①パスワード {password}　②サーバー名 {host}　③メールアドレス（入力済み）　④パスワード {password}　⑤通知先 好きなアドレス\n  このデモのサーバーは暗号化に対応していないため、途中で一度、暗号化なしで接続してよいかをお尋ねします。\n  完了のメールは送信されず、{url}/mail で読めます。\n\n終了するにはCtrl-Cを押してください。"
        ),
        Lang::En => format!(
            "\n4. Try the page: open this address in a browser on this computer.\n  {url}/\n\n  Sign in: mail address {address}  password {password}\n  (1) password {password}  (2) server {host}  (3) mail address, filled in  (4) password {password}  (5) any address\n  The servers of this demo do not encrypt, so the page asks once whether that is acceptable.\n  The mail at the end is not sent: read it at {url}/mail\n\nCtrl-C ends the demo."
        ),
    }
}
