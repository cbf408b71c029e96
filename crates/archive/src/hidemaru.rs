//! 秀丸メール: why it is not read as it lies there.
//!
//! Its maker describes what is kept (help.maruo.co.jp, "ログの取り方、使い方" and
//! "フォルダ毎の設定・メール用ファイル"): a received message is converted to text and taken apart,
//! attachments are files of their own, and headers may have been removed; how the text
//! files are cut is the user's choice, and no description of their lines is published. The
//! message as it came over the wire is only in the log of receiving, for as long as that
//! is kept. What cannot be given back octet for octet is
//! not copied as if it could: the person is asked to export.

use std::path::Path;

use hikyaku_core::{Code, Fault, Reach, Remedy};

/// The fault that says so.
pub(crate) fn refused(path: &Path) -> Fault {
    Fault::new(
        Code::ArchiveExport,
        Reach::Job,
        Remedy::AskUser,
        "秀丸メール keeps converted text, not the messages: export them as .eml or mbox",
    )
    .server(path.display().to_string())
}
