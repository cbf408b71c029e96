//! The plan in words: what will go where, and why a name is not the same.

use crate::Lang;
use crate::figures::{About, Mailboxes, Messages, Show, Size};
use crate::sentence::sentences;
use hikyaku_core::Role;
use hikyaku_core::plan::{NameChange, Plan, Step};
use hikyaku_core::policy::SkipRule;

/// The columns of the plan's table, in order: source, destination, messages, size, remark.
pub fn headings(lang: Lang) -> [&'static str; 5] {
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

/// What the plan comes to, in one line.
pub fn total_of(plan: &Plan, lang: Lang) -> String {
    let messages = Messages(plan.messages());
    let mailboxes = Mailboxes(plan.copied().count() as u64);
    match plan.octets() {
        Some(octets) => total_with_size(messages, Size(octets), mailboxes, lang),
        None => total(messages, mailboxes, lang),
    }
}

/// Why a destination name is not the source's name.
pub fn name_change(change: &NameChange, lang: Lang) -> String {
    match change {
        NameChange::Role(role) => merged_by_role(*role, lang),
        NameChange::Spelling => other_spelling(lang),
        NameChange::Character(c) => replaced_character(*c, lang),
        NameChange::Edge => replaced_edge(lang),
        NameChange::Length => shortened(lang),
        NameChange::Depth => joined(lang),
        NameChange::Collision => numbered(lang),
        NameChange::Prefix => other_prefix(lang),
        NameChange::Under => put_under(lang),
        NameChange::Earlier => as_earlier(lang),
    }
}

/// Why a mailbox or message is left out.
pub fn skip_rule(rule: SkipRule, lang: Lang) -> String {
    match rule {
        SkipRule::NotSelected => not_selected(lang),
        SkipRule::Excluded => excluded(lang),
        SkipRule::View => only_a_view(lang),
        SkipRule::NotSelectable => no_messages_of_its_own(lang),
        SkipRule::Date => outside_the_time(lang),
        SkipRule::Size => over_the_size(lang),
    }
}

/// What happens to a mailbox.
pub fn step(step: &Step, lang: Lang) -> String {
    match step {
        Step::Copy { create: true } => copied_into_new(lang),
        Step::Copy { create: false } => copied(lang),
        Step::Unchanged => unchanged(lang),
        Step::Skip(rule) => skip_rule(*rule, lang),
    }
}

impl Show for Role {
    fn show(&self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::Ja, Role::Inbox) => "受信トレイ",
            (Lang::Ja, Role::Sent) => "送信済み",
            (Lang::Ja, Role::Drafts) => "下書き",
            (Lang::Ja, Role::Archive) => "アーカイブ",
            (Lang::Ja, Role::Junk) => "迷惑メール",
            (Lang::Ja, Role::Trash) => "ごみ箱",
            (Lang::Ja, Role::All) => "すべてのメール",
            (Lang::Ja, Role::Flagged) => "スター付き",
            (Lang::Ja, Role::Important) => "重要",
            (Lang::En, Role::Inbox) => "Inbox",
            (Lang::En, Role::Sent) => "sent mail",
            (Lang::En, Role::Drafts) => "drafts",
            (Lang::En, Role::Archive) => "archive",
            (Lang::En, Role::Junk) => "junk mail",
            (Lang::En, Role::Trash) => "trash",
            (Lang::En, Role::All) => "all mail",
            (Lang::En, Role::Flagged) => "flagged mail",
            (Lang::En, Role::Important) => "important mail",
        }
        .to_owned()
    }
}

sentences! {
    /// Above the plan, before a copy.
    introduction() {
        ja: "次の内容でコピーします。",
        en: "This is what will be copied.",
    }
    /// Under the plan of a dry run.
    nothing_written() {
        ja: "計画の表示のみです。コピー先には何も書き込んでいません。",
        en: "This is only the plan. Nothing was written to the destination.",
    }
    /// Total with octets.
    total_with_size(messages: Messages, size: Size, mailboxes: Mailboxes) {
        ja: "メール {messages}（{size}）・フォルダ {mailboxes}",
        en: "{messages} ({size}) in {mailboxes}",
    }
    /// Total where the source does not tell sizes.
    total(messages: Messages, mailboxes: Mailboxes) {
        ja: "メール {messages}・フォルダ {mailboxes}",
        en: "{messages} in {mailboxes}",
    }
    /// How long it may take.
    estimate(time: About) {
        ja: "目安：{time}（お使いのサーバーの混み具合で変わります）",
        en: "Estimate: {time} (depends on how busy the servers are)",
    }
    /// What earlier runs did.
    copied_before(before: Messages, now: Messages) {
        ja: "前回コピー済み：{before}（今回は{now}をコピーします）",
        en: "Copied earlier: {before} (this run copies {now})",
    }
    /// Room at the destination.
    room(free: Size, after: Size) {
        ja: "コピー先の空き容量：{free} → コピー後 {after}",
        en: "Free at the destination: {free}, after the copy {after}",
    }
    /// Too little room at the destination.
    room_missing(free: Size, missing: Size) {
        ja: "コピー先の空き容量は{free}です。このままでは約{missing}不足します。",
        en: "The destination has {free} free. That is about {missing} too little.",
    }
    /// Messages over a size limit.
    too_large(messages: Messages, limit: Size) {
        ja: "{limit}を超えるためコピーできないメール：{messages}",
        en: "Over the limit of {limit} and not copied: {messages}",
    }
    /// Messages that carry the mark for removal.
    marked_deleted(messages: Messages) {
        ja: "削除マーク付き {messages}",
        en: "Marked as deleted: {messages}",
    }
    /// The mailbox is there and gets what it lacks.
    copied() {
        ja: "コピーします",
        en: "will be copied",
    }
    /// The mailbox has to be made.
    copied_into_new() {
        ja: "新しいフォルダを作成してコピーします",
        en: "will be created and copied",
    }
    /// Nothing happened since the last run.
    unchanged() {
        ja: "前回のコピーから変わりありません",
        en: "unchanged since the last run",
    }
    /// Not among the mailboxes that were asked for.
    not_selected() {
        ja: "対象に選ばれていません",
        en: "not among the selected folders",
    }
    /// Excluded by an option.
    excluded() {
        ja: "対象から除外されています",
        en: "excluded",
    }
    /// Its messages live elsewhere.
    only_a_view() {
        ja: "ほかのフォルダのメールをまとめて表示するフォルダのため、対象外です",
        en: "only shows messages of other folders",
    }
    /// A mere container.
    no_messages_of_its_own() {
        ja: "メールを入れられないフォルダのため、対象外です",
        en: "holds no messages of its own",
    }
    /// By the date of arrival.
    outside_the_time() {
        ja: "指定された期間の外です",
        en: "outside the chosen time",
    }
    /// By its size.
    over_the_size() {
        ja: "指定された上限より大きいメールです",
        en: "over the size limit",
    }
    /// Put into the mailbox with that special use.
    merged_by_role(role: Role) {
        ja: "「{role}」としてまとめます",
        en: "goes to the folder for {role}",
    }
    /// An existing mailbox with another spelling.
    other_spelling() {
        ja: "表記の異なる同じ名前のフォルダがあるため、そのフォルダへコピーします",
        en: "goes to the existing folder that is spelled differently",
    }
    /// A character that is not taken.
    replaced_character(character: char) {
        ja: "文字「{character}」は使えないため置き換えます",
        en: "the character {character} is not possible there and is replaced",
    }
    /// The edge of a level.
    replaced_edge() {
        ja: "先頭や末尾の記号・空白が使えないため置き換えます",
        en: "a sign or blank at the start or end is not possible there and is replaced",
    }
    /// A name that was cut.
    shortened() {
        ja: "名前が長すぎるため短くします",
        en: "the name is too long and is shortened",
    }
    /// Levels that were joined.
    joined() {
        ja: "階層が深すぎるため、1つの名前につなげます",
        en: "the levels are too deep there and are joined into one name",
    }
    /// A number was added.
    numbered() {
        ja: "同じ名前になるフォルダがあるため番号を付けます",
        en: "another folder has the same name there, so a number is added",
    }
    /// A namespace prefix.
    other_prefix() {
        ja: "フォルダの置き場所がサーバーによって異なるため、名前が変わります",
        en: "the servers keep folders in different places, so the name changes",
    }
    /// The user's wish.
    put_under() {
        ja: "指定されたフォルダの中へコピーします",
        en: "goes below the chosen folder",
    }
    /// The ledger's word.
    as_earlier() {
        ja: "前回と同じフォルダへコピーします",
        en: "goes to the same folder as in the last run",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_said_with_what_is_known() {
        let (m, s, f) = (Messages(12_408), Size(3_435_973_837), Mailboxes(27));
        assert_eq!(
            total_with_size(m, s, f, Lang::Ja),
            "メール 12,408通（3.2GB）・フォルダ 27個"
        );
        assert_eq!(
            total_with_size(m, s, f, Lang::En),
            "12,408 messages (3.2 GB) in 27 folders"
        );
        assert_eq!(
            total_of(&Plan::default(), Lang::Ja),
            "メール 0通（0B）・フォルダ 0個"
        );
    }

    #[test]
    fn changes_of_names_are_reasons() {
        let ja = |change| name_change(&change, Lang::Ja);
        assert_eq!(
            ja(NameChange::Role(Role::Sent)),
            "「送信済み」としてまとめます"
        );
        assert_eq!(
            ja(NameChange::Character('/')),
            "文字「/」は使えないため置き換えます"
        );
        let en = name_change(&NameChange::Character('\u{202e}'), Lang::En);
        assert_eq!(
            en,
            "the character U+202E is not possible there and is replaced"
        );
    }
}
