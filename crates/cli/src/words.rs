//! The sentences of the command line itself: mistakes in what was typed, remarks
//! about passwords. Sentences about faults come from `hikyaku-text`.

mod en;
mod ja;

use crate::problem::Problem;
use crate::secret::SecretRemark;
use hikyaku_core::{Fault, Side};

/// A language of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Lang {
    /// By its name in options and files.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "ja" => Some(Self::Ja),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// By the environment, as POSIX orders it; English when nothing says Japanese.
    pub(crate) fn of_surroundings() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL")
            .or_else(|| set("LC_MESSAGES"))
            .or_else(|| set("LANG"));
        match locale.is_some_and(|locale| locale.starts_with("ja")) {
            true => Self::Ja,
            false => Self::En,
        }
    }
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

/// About a fault: what failed, where, and what to do.
pub(crate) fn fault(fault: &Fault, lang: Lang) -> Advice {
    let _ = lang;
    let mut cause = fault.code.meaning().to_owned();
    if let Some(server) = &fault.at.server {
        cause = format!("{server}: {cause}");
    }
    if !fault.detail.is_empty() {
        cause = format!("{cause} ({})", fault.detail);
    }
    Advice {
        cause,
        remedy: String::new(),
    }
}

/// Headings of the list of codes.
pub(crate) fn explain_headings(lang: Lang) -> [&'static str; 3] {
    match lang {
        Lang::Ja => ["コード", "名前", "意味"],
        Lang::En => ["Code", "Name", "Meaning"],
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
