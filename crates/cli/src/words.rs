//! The sentences of the command line itself: mistakes in what was typed, remarks
//! about passwords. Sentences about faults come from `hikyaku-text`.

#[cfg(feature = "demo")]
pub(crate) mod demo;
mod en;
mod ja;
pub(crate) mod plan;
pub(crate) mod report;

use crate::figures;
use crate::problem::Problem;
use crate::secret::SecretRemark;
use hikyaku_core::event::Phase;
use hikyaku_core::plan::Plan;
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

/// What the plan comes to, in one line.
pub(crate) fn planned(plan: &Plan, messages: u64, lang: Lang) -> String {
    let mailboxes = plan.copied().count() as u64;
    let all = figures::count(plan.messages());
    let mailboxes = figures::count(mailboxes);
    let octets = plan.octets().map(|octets| figures::octets(octets, lang));
    let unchanged = plan.messages() - messages.min(plan.messages());
    match lang {
        Lang::Ja => {
            let size = octets.map(|o| format!("（{o}）")).unwrap_or_default();
            let rest = match unchanged {
                0 => String::new(),
                n => format!("　前回から変わりのないもの：{}通", figures::count(n)),
            };
            format!("コピー元：メール {all}通{size}・フォルダ {mailboxes}個{rest}")
        }
        Lang::En => {
            let size = octets.map(|o| format!(" ({o})")).unwrap_or_default();
            let rest = match unchanged {
                0 => String::new(),
                n => format!("; {} unchanged since the last run", figures::count(n)),
            };
            format!("Source: {all} messages{size} in {mailboxes} folders{rest}")
        }
    }
}

/// The time that is left, behind other figures.
pub(crate) fn left(left: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("  残り{left}"),
        Lang::En => format!("  {left} left"),
    }
}

/// The mailbox that is worked on.
pub(crate) fn in_mailbox(name: &str, done: u64, all: u64, lang: Lang) -> String {
    let (done, all) = (figures::count(done), figures::count(all));
    match lang {
        Lang::Ja => format!("{name}　{all}通中 {done}通"),
        Lang::En => format!("{name}  {done} of {all} messages"),
    }
}

/// What is done in a phase.
pub(crate) fn phase(phase: Phase, lang: Lang) -> &'static str {
    match (phase, lang) {
        (Phase::Scan, Lang::Ja) => "フォルダを調べています…",
        (Phase::Scan, Lang::En) => "Listing the folders of both sides…",
        (Phase::Plan, Lang::Ja) => "コピーの内容を決めています…",
        (Phase::Plan, Lang::En) => "Planning…",
        (Phase::Transfer, Lang::Ja) => "コピーしています…",
        (Phase::Transfer, Lang::En) => "Copying…",
        (Phase::Verify, Lang::Ja) => "コピー結果を確認しています…",
        (Phase::Verify, Lang::En) => "Verifying…",
    }
}

/// Nothing happens until a time of day, and why.
pub(crate) fn waiting(because: &Fault, until: &str, lang: Lang) -> String {
    let cause = fault(because, lang).cause;
    match lang {
        Lang::Ja => format!("待機中（{until}に自動で再開します）：{cause}"),
        Lang::En => format!("Waiting until {until}: {cause}"),
    }
}

/// An exclusion that meets no mailbox.
pub(crate) fn nothing_excluded(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("ご注意：--excludeの「{name}」に当たるフォルダはありません。"),
        Lang::En => format!("Note: there is no folder \"{name}\" to exclude."),
    }
}

/// After the first Ctrl-C.
pub(crate) fn stopping(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => {
            "終了しています。もう一度Ctrl-Cを押すと直ちに終了します。どちらの場合も、次の実行で続きから再開します。"
        }
        Lang::En => "Stopping. Ctrl-C again ends at once; either way the next run continues here.",
    }
}
