//! The sentences of the command line itself: mistakes in what was typed, remarks
//! about passwords. Everything else comes from `hikyaku-text`.

#[cfg(feature = "demo")]
pub(crate) mod demo;
mod en;
mod ja;

use crate::problem::Problem;
use crate::secret::SecretRemark;
use hikyaku_core::Side;
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

/// What an exit code says.
pub(crate) fn exit_code(code: u8, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("実行開始前に起きた場合の終了コード：{code}"),
        Lang::En => format!("Exit code when it happens before the start: {code}"),
    }
}

/// An exclusion that meets no mailbox.
pub(crate) fn nothing_excluded(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("ご注意：--excludeの「{name}」に当たるフォルダはありません。"),
        Lang::En => format!("Note: there is no folder \"{name}\" to exclude."),
    }
}
