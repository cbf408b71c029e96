//! What is special about a POP3 server as source, in words.

use crate::sentence::sentences;

sentences! {
    /// IMAP answers beside the POP3 server; `account` is the account as it is written for IMAP.
    imap_beside(account: &str) {
        ja: "このサーバーではIMAPも使えるようです。POPではフォルダや既読・未読の情報を取得できないため、IMAPでのコピーをおすすめします：{account}",
        en: "IMAP seems to be available as well and is better: POP tells neither folders nor what was read. To use it, write {account}",
    }
    /// Messages have no lasting names.
    distrusted() {
        ja: "このサーバーはメールを区別する番号（UIDL）を正しく返さないため、毎回すべてのメールを読み取って内容を照合します。メールが重複することはありません。",
        en: "This server gives messages no lasting names (UIDL), so every run reads all of them and compares their content. Nothing is copied twice.",
    }
    /// How somebody agrees that mail may disappear from the source.
    accept_deletion() {
        ja: "　メールがコピー元から消えてもよい場合は、--accept-deletion を付けてもう一度実行してください。",
        en: "    If mail may disappear from the source, run the command again with --accept-deletion.",
    }
}
