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

/// The servers stay.
pub(crate) fn stay(old: &str, new: &str, user: &str, password: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!(
            "\n2つのサーバーは起動したままです（このコンピューターからだけ接続できます）。\n  ユーザー名：{user}　パスワード：{password}\n  HIKYAKU_PW={password} hikyaku copy {old} {new} --source-password-env HIKYAKU_PW --destination-password-env HIKYAKU_PW\n終了するにはCtrl-Cを押してください。"
        ),
        Lang::En => format!(
            "\nBoth servers stay up, for this computer only.\n  user: {user}  password: {password}\n  HIKYAKU_PW={password} hikyaku copy {old} {new} --source-password-env HIKYAKU_PW --destination-password-env HIKYAKU_PW\nCtrl-C ends them."
        ),
    }
}
