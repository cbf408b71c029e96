//! Words of the plan.

use super::Lang;
use hikyaku_core::Role;
use hikyaku_core::plan::NameChange;
use hikyaku_core::policy::SkipRule;

/// Headings of the plan: source, destination, messages, size, remarks.
pub(crate) fn headings(lang: Lang) -> [&'static str; 5] {
    match lang {
        Lang::Ja => [
            "コピー元のフォルダ",
            "コピー先のフォルダ",
            "通数",
            "サイズ",
            "備考",
        ],
        Lang::En => [
            "Source folder",
            "Destination folder",
            "Messages",
            "Size",
            "Remarks",
        ],
    }
}

/// The sum under the plan.
pub(crate) fn total(messages: &str, octets: Option<&str>, mailboxes: &str, lang: Lang) -> String {
    match (lang, octets) {
        (Lang::Ja, Some(octets)) => {
            format!("合計：メール {messages}通（{octets}）・フォルダ {mailboxes}個")
        }
        (Lang::Ja, None) => format!("合計：メール {messages}通・フォルダ {mailboxes}個"),
        (Lang::En, Some(octets)) => {
            format!("Total: {messages} messages ({octets}) in {mailboxes} folders")
        }
        (Lang::En, None) => format!("Total: {messages} messages in {mailboxes} folders"),
    }
}

/// Nothing was written.
pub(crate) fn only_a_plan(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "これは計画です。まだ何も書き込んでいません。",
        Lang::En => "This is the plan; nothing was written.",
    }
}

/// The destination folder will be made.
pub(crate) fn created(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "新しく作成",
        Lang::En => "will be created",
    }
}

/// Nothing to do there.
pub(crate) fn unchanged(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "前回から変わりなし",
        Lang::En => "unchanged since the last run",
    }
}

/// Why a mailbox is left out.
pub(crate) fn skipped(rule: SkipRule, lang: Lang) -> &'static str {
    match (rule, lang) {
        (SkipRule::NotSelected, Lang::Ja) => "対象外（指定されていません）",
        (SkipRule::NotSelected, Lang::En) => "left out: not among the folders asked for",
        (SkipRule::Excluded, Lang::Ja) => "対象外（除外の指定）",
        (SkipRule::Excluded, Lang::En) => "left out: excluded",
        (SkipRule::View, Lang::Ja) => "対象外（ほかのフォルダのメールを表示するだけのフォルダ）",
        (SkipRule::View, Lang::En) => "left out: only shows mail of other folders",
        (SkipRule::NotSelectable, Lang::Ja) => "対象外（メールを入れられないフォルダ）",
        (SkipRule::NotSelectable, Lang::En) => "left out: cannot hold mail",
        (SkipRule::Date, Lang::Ja) => "対象外（期間の指定）",
        (SkipRule::Date, Lang::En) => "left out: outside the chosen time",
        (SkipRule::Size, Lang::Ja) => "対象外（サイズの上限）",
        (SkipRule::Size, Lang::En) => "left out: over the size limit",
    }
}

/// Why a name is another one.
pub(crate) fn change(change: &NameChange, lang: Lang) -> String {
    match (change, lang) {
        (NameChange::Role(role), Lang::Ja) => {
            format!("「{}」としてまとめます", self::role(*role, lang))
        }
        (NameChange::Role(role), Lang::En) => format!("goes into {}", self::role(*role, lang)),
        (NameChange::Spelling, Lang::Ja) => "表記の異なる同名のフォルダに入れます".into(),
        (NameChange::Spelling, Lang::En) => "the folder is there in another spelling".into(),
        (NameChange::Character(c), Lang::Ja) => format!("記号「{c}」は使えないため置き換えます"),
        (NameChange::Character(c), Lang::En) => {
            format!("\"{c}\" cannot be used there and is replaced")
        }
        (NameChange::Edge, Lang::Ja) => "名前の端の空白や記号を置き換えます".into(),
        (NameChange::Edge, Lang::En) => "blanks or signs at an edge are replaced".into(),
        (NameChange::Length, Lang::Ja) => "名前が長すぎるため短くします".into(),
        (NameChange::Length, Lang::En) => "the name is too long and is cut".into(),
        (NameChange::Depth, Lang::Ja) => "階層が深すぎるため下の階層をまとめます".into(),
        (NameChange::Depth, Lang::En) => {
            "the tree is too deep; its lowest levels are joined".into()
        }
        (NameChange::Collision, Lang::Ja) => "同じ名前になるため番号を付けます".into(),
        (NameChange::Collision, Lang::En) => {
            "another folder has that name; a number is added".into()
        }
        (NameChange::Prefix, Lang::Ja) => "サーバーの決まりに合わせて位置を変えます".into(),
        (NameChange::Prefix, Lang::En) => "the server's prefix is taken off or put on".into(),
        (NameChange::Under, Lang::Ja) => "指定のフォルダの下に入れます".into(),
        (NameChange::Under, Lang::En) => "put below the chosen folder".into(),
        (NameChange::Earlier, Lang::Ja) => "前回と同じフォルダに入れます".into(),
        (NameChange::Earlier, Lang::En) => "the same as in the last run".into(),
    }
}

/// A special use.
pub(crate) fn role(role: Role, lang: Lang) -> &'static str {
    match (role, lang) {
        (Role::Inbox, Lang::Ja) => "受信トレイ",
        (Role::Inbox, Lang::En) => "Inbox",
        (Role::Sent, Lang::Ja) => "送信済み",
        (Role::Sent, Lang::En) => "Sent",
        (Role::Drafts, Lang::Ja) => "下書き",
        (Role::Drafts, Lang::En) => "Drafts",
        (Role::Archive, Lang::Ja) => "アーカイブ",
        (Role::Archive, Lang::En) => "Archive",
        (Role::Junk, Lang::Ja) => "迷惑メール",
        (Role::Junk, Lang::En) => "Junk",
        (Role::Trash, Lang::Ja) => "ごみ箱",
        (Role::Trash, Lang::En) => "Trash",
        (Role::All, Lang::Ja) => "すべてのメール",
        (Role::All, Lang::En) => "All mail",
        (Role::Flagged, Lang::Ja) => "スター付き",
        (Role::Flagged, Lang::En) => "Flagged",
        (Role::Important, Lang::Ja) => "重要",
        (Role::Important, Lang::En) => "Important",
    }
}
