//! The sentences of the command line itself: mistakes in what was typed, remarks
//! about passwords. Everything else comes from `hikyaku-text`.

#[cfg(feature = "demo")]
pub(crate) mod demo;
mod en;
mod ja;
pub(crate) mod serve;

use crate::problem::Problem;
use crate::secret::SecretRemark;
use hikyaku_core::Side;
use hikyaku_imap::Labels;
use hikyaku_text::{Lang, Show, Who};

/// The language that the environment asks for.
pub(crate) fn lang_of_surroundings() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok());
    Lang::from_locale(set.iter().map(Option::as_deref))
}

/// What is wrong, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    /// What is wrong.
    pub(crate) cause: String,
    /// What to do.
    pub(crate) remedy: String,
}

/// About a mistake.
pub(crate) fn problem(problem: &Problem, lang: Lang) -> Advice {
    let (cause, remedy) = match lang {
        Lang::Ja => ja::problem(problem),
        Lang::En => en::problem(problem),
    };
    Advice { cause, remedy }
}

/// About something odd in a password.
pub(crate) fn remark(remark: SecretRemark, side: Side, lang: Lang) -> String {
    match lang {
        Lang::Ja => ja::remark(remark, side),
        Lang::En => en::remark(remark, side),
    }
}

/// The question for a password; the answer is typed behind it.
pub(crate) fn prompt(side: Side, account: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("{}（{account}）のパスワード: ", ja::side(side)),
        Lang::En => format!("Password of the {} ({account}): ", en::side(side)),
    }
}

/// The question for another password in the middle of a run.
pub(crate) fn prompt_again(side: Side, account: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!(
            "{}（{account}）のパスワードが使えなくなりました。新しいパスワード: ",
            ja::side(side)
        ),
        Lang::En => format!(
            "The password of the {} ({account}) is no longer accepted; new password: ",
            en::side(side)
        ),
    }
}

/// Headings of the list of codes.
pub(crate) fn explain_headings(lang: Lang) -> [&'static str; 3] {
    match lang {
        Lang::Ja => ["コード", "名前", "意味"],
        Lang::En => ["Code", "Name", "Meaning"],
    }
}

/// Who can do something about a fault.
pub(crate) fn who(who: Who, lang: Lang) -> String {
    let who = who.show(lang);
    match lang {
        Lang::Ja => format!("対応できる方：{who}"),
        Lang::En => format!("Who can act: {who}"),
    }
}

/// What to do next, behind an arrow.
pub(crate) fn remedy(text: &str) -> String {
    format!("  → {text}")
}

/// The name under which a run can be looked up.
pub(crate) fn run_name(run: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("実行番号：{run}（hikyaku report {run} で再表示できます）"),
        Lang::En => format!("Run {run} (hikyaku report {run} shows this again)"),
    }
}

/// What to do when everything is there.
pub(crate) fn after_the_switch(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => {
            "次にすること：メールの届け先を新しいサーバーへ切り替えたあと、同じコマンドをもう一度実行してください。その間に届いたメールだけがコピーされます。"
        }
        Lang::En => {
            "Next: when new mail goes to the new server, run the same command once more; only what arrived meanwhile is copied."
        }
    }
}

/// Headings of the list of saved accounts.
pub(crate) fn account_headings(lang: Lang) -> [&'static str; 3] {
    match lang {
        Lang::Ja => ["名前", "アカウント", "パスワード"],
        Lang::En => ["Name", "Account", "Password"],
    }
}

/// There is nothing in the configuration.
pub(crate) fn no_accounts(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "設定ファイルに保存されたアカウントはありません。",
        Lang::En => "The configuration holds no accounts.",
    }
}

/// What an exit code says, and the one with `--no-wait` where that differs.
pub(crate) fn exit_code(code: u8, no_wait: u8, lang: Lang) -> String {
    let more = match (code == no_wait, lang) {
        (true, _) => String::new(),
        (false, Lang::Ja) => format!("（--no-waitを付けた場合は{no_wait}）"),
        (false, Lang::En) => format!(" ({no_wait} with --no-wait)"),
    };
    match lang {
        Lang::Ja => format!("実行開始前に起きた場合の終了コード：{code}{more}"),
        Lang::En => format!("Exit code when it happens before the start: {code}{more}"),
    }
}

/// An exclusion that meets no mailbox.
pub(crate) fn nothing_excluded(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("ご注意：--excludeの「{name}」に当たるフォルダはありません。"),
        Lang::En => format!("Note: there is no folder \"{name}\" to exclude."),
    }
}

/// What becomes of Gmail's labels. Without All Mail they are folders as they are.
pub(crate) fn labels(labels: &Labels, has_all_mail: bool, lang: Lang) -> &'static str {
    match (labels, has_all_mail, lang) {
        (Labels::AsMailboxes, _, Lang::Ja) => {
            "Gmailのラベル：フォルダとしてそのままコピーします。ラベルが複数あるメールは、ラベルの数だけコピーされます。"
        }
        (Labels::AsMailboxes, _, Lang::En) => {
            "Gmail labels: copied as the folders they are shown as; a message with several labels is copied several times."
        }
        (_, false, Lang::Ja) => {
            "ご注意：Gmailの「すべてのメール」がIMAPで表示されない設定のため、ラベルが複数あるメールは、ラベルの数だけコピーされます。Gmailの設定の「ラベル」で「IMAPで表示」をお選びください。"
        }
        (_, false, Lang::En) => {
            "Note: Gmail hides All Mail from IMAP, so a message with several labels is copied several times. Choose \"Show in IMAP\" under Labels in Gmail's settings."
        }
        (Labels::One { .. }, true, Lang::Ja) => {
            "Gmailのラベル：メールは1通ずつ、優先するラベルのフォルダへコピーします。ラベルのないメールはArchiveへコピーします。"
        }
        (Labels::One { .. }, true, Lang::En) => {
            "Gmail labels: every message is copied once, into the folder of its first label; mail without labels goes to Archive."
        }
        (Labels::Each, true, Lang::Ja) => {
            "Gmailのラベル：メールをラベルごとにコピーします。ラベルのないメールはArchiveへコピーします。"
        }
        (Labels::Each, true, Lang::En) => {
            "Gmail labels: every message is copied once per label; mail without labels goes to Archive."
        }
    }
}

/// A label that was put first and does not exist.
pub(crate) fn no_such_label(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("ご注意：--label-priorityの「{name}」に当たるラベルはありません。"),
        Lang::En => format!("Note: there is no label \"{name}\" to put first."),
    }
}

/// Headings of the list of folders: name, messages, size, role, subscribed.
pub(crate) fn folder_headings(lang: Lang) -> [&'static str; 5] {
    match lang {
        Lang::Ja => ["フォルダ", "通数", "サイズ", "用途", "購読"],
        Lang::En => ["Folder", "Messages", "Size", "Special use", "Subscribed"],
    }
}

/// A mark in a table.
pub(crate) fn yes(is_so: bool, lang: Lang) -> &'static str {
    match (is_so, lang) {
        (true, Lang::Ja) => "○",
        (true, Lang::En) => "yes",
        (false, _) => "",
    }
}

/// Headings of the sums by folder.
pub(crate) fn size_headings(lang: Lang) -> [&'static str; 3] {
    match lang {
        Lang::Ja => ["フォルダ", "通数", "サイズ"],
        Lang::En => ["Folder", "Messages", "Size"],
    }
}

/// Headings of the sums by year of arrival.
pub(crate) fn year_headings(lang: Lang) -> [&'static str; 3] {
    match lang {
        Lang::Ja => ["受信年", "通数", "サイズ"],
        Lang::En => ["Year", "Messages", "Size"],
    }
}

/// Headings of the largest messages.
pub(crate) fn large_headings(lang: Lang) -> [&'static str; 5] {
    match lang {
        Lang::Ja => ["サイズ", "フォルダ", "日付", "差出人", "大きいメールの件名"],
        Lang::En => [
            "Size",
            "Folder",
            "Date",
            "From",
            "Subject of the largest messages",
        ],
    }
}

/// Headings of the list of pairs.
pub(crate) fn job_headings(lang: Lang) -> [&'static str; 8] {
    match lang {
        Lang::Ja => [
            "番号",
            "コピー元",
            "コピー先",
            "確認済み",
            "未完了",
            "最後の実行",
            "開始",
            "終了コード",
        ],
        Lang::En => [
            "Job",
            "Source",
            "Destination",
            "There",
            "Failed",
            "Last run",
            "Started",
            "Exit",
        ],
    }
}

/// The ledger is empty.
pub(crate) fn no_jobs(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "台帳にはまだ何も記録されていません。",
        Lang::En => "The ledger knows nothing yet.",
    }
}

/// Before a pair is forgotten.
pub(crate) fn forget_question(source: &str, destination: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!(
            "{source} から {destination} へのコピーの記録を消去します。メールは消えませんが、次回は内容の照合からやり直すため時間がかかります。よろしいですか（y/N）"
        ),
        Lang::En => format!(
            "Forget everything about {source} → {destination}? No mail is touched, but the next run has to match everything by content. (y/N)"
        ),
    }
}

/// A pair was forgotten.
pub(crate) fn forgotten(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "記録を消去しました。メールには触れていません。",
        Lang::En => "Forgotten. No mail was touched.",
    }
}

/// Which run is shown.
pub(crate) fn run_of(when: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("{when} に開始した実行の結果です。"),
        Lang::En => format!("The run that started at {when}:"),
    }
}

/// A damaged ledger was renamed, and a new one begun.
pub(crate) fn ledger_set_aside(to: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!(
            "壊れた台帳は {to} という名前で残し、新しい台帳を作りました。両側のメールを内容で照合するので、コピー済みのメールが重複することはありません。ただし、コピー先で削除または移動されたメールは、再びコピーされることがあります。"
        ),
        Lang::En => format!(
            "The damaged ledger was kept as {to} and a new one was begun. Both sides are matched by content, so nothing that is there is copied twice. Mail that was deleted at the destination may be copied again."
        ),
    }
}
