//! Tables of mappings, and properties over generated listings.

mod laws;
mod notation;

use super::*;
use crate::mailbox::MailboxInfo;
use laws::laws;
use notation::{case, show};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// Rows of `source | destination | options => result`; `#` begins a comment.
fn table(rows: &str) {
    for row in rows.lines().map(|row| row.trim_matches(' ')) {
        if !row.is_empty() && !row.starts_with('#') {
            let (text, expected) = row.split_once(" => ").expect("a row");
            check(text, expected);
        }
    }
}

fn check(text: &str, expected: &str) {
    let case = case(text);
    let mapped = case.map();
    let shown: Vec<String> = mapped.iter().map(show).collect();
    let expected: Vec<&str> = expected.split(';').map(|n| n.trim_matches(' ')).collect();
    assert_eq!(shown, expected, "{text}");
    laws(&case).unwrap_or_else(|broken| panic!("{text}: {broken}"));
}

#[test]
fn inbox_and_ordinary_names() {
    table(
        "
        INBOX => INBOX
        INBOX; 仕事; 仕事/請求書 => INBOX; 仕事; 仕事/請求書
        inbox; Inbox/a | INBOX => INBOX; INBOX/a
        a/b/c => a/b/c
        INBOX; x | INBOX; x; y => INBOX; x
        INBOX/INBOX => INBOX/INBOX
        📁仕事; ｶﾅ; Ünï => 📁仕事; ｶﾅ; Ünï
        a -select; a/b => a; a/b
        # Mailboxes of an archive.
        受信トレイ; 請求書 => INBOX {inbox} !role; 請求書
        受信トレイ; INBOX => 受信トレイ; INBOX
        Eingang {inbox}; Eingang/a => INBOX {inbox} !role; INBOX/a !role
        ",
    );
}

#[test]
fn special_uses_that_both_sides_tell() {
    table(
        "
        Sent Items {sent} | Sent {sent} => Sent {sent} !role
        送信済みアイテム {sent}; INBOX | INBOX; Sent {sent} => Sent {sent} !role; INBOX
        Sent {sent} | Sent {sent} => Sent {sent}
        Papierkorb {trash} | ごみ箱 {trash} => ごみ箱 {trash} !role
        Spam {junk} | INBOX/Junk {junk} => INBOX/Junk {junk} !role
        Entwürfe {drafts} | 下書き {drafts} => 下書き {drafts} !role
        Ablage {archive} | Archive {archive} => Archive {archive} !role
        # Without one at the destination it is made under its own name.
        送信済みアイテム {sent} | INBOX => 送信済みアイテム {sent}
        a.b {sent} | | sep=. => a．b {sent} !.
        # The role counts more than a name.
        Sent {sent} | Sent; 送信済み {sent} => 送信済み {sent} !role
        # A second mailbox of the role is an ordinary one.
        Sent {sent}; Sent2 {sent} | S {sent} => S {sent} !role; Sent2
        a {sent}; b {sent} | b {sent} => a; b {sent}
        a {sent}; b {sent} => a {sent}; b
        a {sent} | y {sent}; x {sent} => x {sent} !role
        a {sent} | x {sent} -select => a {sent}
        ",
    );
}

#[test]
fn special_uses_that_only_names_tell() {
    table(
        "
        送信済みトレイ | Sent {sent} => Sent {sent} !role
        ゴミ箱; 下書き; 迷惑メール; アーカイブ | Trash {trash}; Drafts {drafts}; Junk {junk}; Archive {archive} => Trash {trash} !role; Drafts {drafts} !role; Junk {junk} !role; Archive {archive} !role
        送信済みメール | Sent Items => Sent␠Items {sent} !role
        Sent Messages {sent} | 送信済み => 送信済み {sent} !role
        Deleted Messages; Deleted Items | Trash {trash} => Deleted␠Messages; Trash {trash} !role
        Gesendete Elemente; Entwürfe | Sent {sent}; Drafts {drafts} => Sent {sent} !role; Drafts {drafts} !role
        Éléments supprimés; Courrier indésirable | Trash; Junk => Trash {trash} !role; Junk {junk} !role
        Papelera; Enviados | Trash; Sent => Trash {trash} !role; Sent {sent} !role
        Posta inviata; Cestino | Sent; Trash => Sent {sent} !role; Trash {trash} !role
        Lixeira; Rascunhos | Trash; Drafts => Trash {trash} !role; Drafts {drafts} !role
        Verzonden items; Prullenbak | Sent; Trash => Sent {sent} !role; Trash {trash} !role
        已发送; 草稿箱; 垃圾邮件 | Sent; Drafts; Junk => Sent {sent} !role; Drafts {drafts} !role; Junk {junk} !role
        보낸편지함; 휴지통 | Sent; Trash => Sent {sent} !role; Trash {trash} !role
        INBOX/Sent; INBOX | Sent {sent} => Sent {sent} !role; INBOX
        [Gmail]/ゴミ箱 | Trash => Trash {trash} !role
        # A told role leaves nothing to guess.
        Sent; Sent Items {sent} | 送信済み {sent} => Sent; 送信済み {sent} !role
        # Deep in a tree a name means nothing.
        案件/Sent; 案件/2020/ゴミ箱 | Sent {sent}; Trash {trash} => 案件/Sent; 案件/2020/ゴミ箱
        # Outboxes are not sent mail.
        送信トレイ; Outbox | Sent {sent} => 送信トレイ; Outbox
        Trash -select | ゴミ箱 {trash} => Trash
        # Nothing to merge with: the role comes with the mailbox.
        INBOX; Sent; ごみ箱 => INBOX; Sent {sent}; ごみ箱 {trash}
        # The pair of equal names merges nothing.
        Sent; 送信済み | 送信済み => Sent; 送信済み {sent}
        Sent; 送信済み | 送信済み {sent} => Sent; 送信済み {sent}
        ",
    );
}

#[test]
fn merged_special_uses() {
    table(
        "
        # An ordinary mailbox has the name of the one that a role goes to.
        Sent; Sent Items {sent} | Sent {sent} => Sent; Sent {sent} !role
        Sent Items/2020; Sent Items {sent} | Sent {sent} => Sent/2020 !role; Sent {sent} !role
        Sent Items {sent}; Sent Items/x; Sent/x; Sent | Sent {sent}; Sent/x => Sent {sent} !role; Sent/x␠(2) !role !collision; Sent/x; Sent
        送信済み/2020/01; 送信済み | Sent {sent} => Sent/2020/01 !role; Sent {sent} !role
        # Children of a parent that is not listed itself.
        Sent {sent}; Sent/a/b | S {sent} => S {sent} !role; S/a/b !role
        ",
    );
}

#[test]
fn gmail_on_either_side() {
    table(
        "
        [Gmail] -select; [Gmail]/Sent Mail {sent}; [Gmail]/Bin {trash}; 仕事 | INBOX; Sent {sent}; Trash {trash} => [Gmail]; Sent {sent} !role; Trash {trash} !role; 仕事
        [Gmail]/送信済みメール {sent} => [Gmail]/送信済みメール {sent}
        [Gmail]/All Mail {all}; [Gmail]/Starred {flagged}; [Gmail]/Important {important} => [Gmail]/All␠Mail; [Gmail]/Starred; [Gmail]/Important
        [Gmail]/すべてのメール {all} | [Gmail]/All Mail {all} => [Gmail]/All␠Mail !role
        # Nothing can be made in Gmail's own container.
        Sent Items {sent}; Sent Items/2020; [Gmail]/foo | [Gmail] -select; [Gmail]/All Mail {all}; [Gmail]/Sent Mail {sent} => [Gmail]/Sent␠Mail {sent} !role; Sent␠Items/2020; [Gmail]／foo !depth
        # A copy of such a tree on another server is a tree like any other.
        [Gmail]/foo; x {sent}; x/y | [Gmail]/Sent Mail {sent} => [Gmail]/foo; [Gmail]/Sent␠Mail {sent} !role; [Gmail]/Sent␠Mail/y !role
        a^b; c␠ | | no=^ => a＾b !^; c_ !edge
        ",
    );
}

#[test]
fn spellings() {
    table(
        "
        # か + dakuten is the same to a person, not to a server.
        か\u{3099}; x | が => が !spelling; x
        か\u{3099}/y | が/x => が/y !spelling
        か\u{3099}; が => か\u{3099}; が
        か\u{3099}; が | が => か\u{3099}; が
        か\u{3099} | か\u{3099}; が => か\u{3099}
        Plain; plain => Plain; plain
        Plain | plain => Plain
        Plain | plain | nocase => plain !spelling
        Plain; plain | | nocase => Plain; plain␠(2) !collision
        Plain; plain | plain | nocase => Plain␠(2) !collision; plain
        Foo/a; foo/b | | nocase => Foo/a; foo␠(2)/b !collision
        Ärger; a\u{308}rger | | nocase => Ärger␠(2) !collision; a\u{308}rger
        ΣΑΣ | σας | nocase => σας !spelling
        ",
    );
}

#[test]
fn characters() {
    table(
        "
        a\\/b => a／b !/
        a\\/b | a\\/b | flat => a\\/b
        a.b/c | | sep=. => a．b/c !.
        50%; *; q\"; b\\\\s | | no=%*\"\\ => 50％ !%; ＊ !*; q＂ !\\\"; b＼s !\\\\
        R&D => R&D
        R&D | | no=& => R＆D !&
        a\tb; c\u{7f}; \u{85} => a_b !\\t; c_ !\\u{7f}; _ !\\u{85}
        📁仕事; 𠮷野家 | | bmp => 〓仕事 !\\u{1f4c1}; 吉野家 !\\u{20bb7}
        a b | | no=␠ => a_b !blank
        ／ | | no=／ => 〓 !\\u{ff0f}
        # The same stand-in for two names.
        a.b; a．b | | sep=. => a．b␠(2) !. !collision; a．b
        a\\/b; a\\/c/d => a／b !/; a／c/d !/
        # What is there already can be had, whatever the rules say.
        a*b | a*b | no=* => a*b
        x/y*z | x | no=* => x/y＊z !*
        ",
    );
}

#[test]
fn edges() {
    table(
        "
        ~tmp; .hidden; .. => ～tmp !edge; ．hidden !edge; ．. !edge
        ␠a; b␠␠; a␠b => _a !edge; b__ !edge; a␠b
        ␠a; b␠; ~c | | lax => ␠a; b␠; ~c
        a//b => a/_/b !edge
        a//b; a/_/b => a/_␠(2)/b !edge !collision; a/_/b
        ␠ => _ !edge
        INBOX␠; INBOX => INBOX_ !edge; INBOX
        　字下げ => 　字下げ
        ",
    );
}

#[test]
fn lengths_and_depths() {
    table(
        "
        abcdefghijklmnopqrstuvwxyz | | level=20 => abcdefghijk_d74879cd !length
        日本語の長い名前のフォルダ | | level=26 => 日本語の長_6ca9b04f !length
        abc; 日本語 | | level=20 => abc; 日本語
        a/b/c/d | | levels=2 => a/b／c／d !depth
        a/b/c/d; a/b/c; a/b | | levels=2 => a/b／c／d !depth; a/b／c !depth; a/b
        a/b | | levels=2 prefix=INBOX => a／b !depth
        a/b／c; a/b/c | | levels=2 => a/b／c; a/b／c␠(2) !depth !collision
        a/b; INBOX/c; INBOX | | flat => a／b !depth; INBOX／c !depth; INBOX
        a／b; a/b | | flat => a／b; a／b␠(2) !depth !collision
        a/b | | flat no=／ => a_b !depth
        Sent {sent}; Sent/2020 | 送信済み {sent} -children => 送信済み {sent} !role; 送信済み／2020 !role !depth
        box/child | box -children => box／child !depth
        box/child | box -children; box/child => box/child
        abcdefghijklmnop/b | | name=30 => abcdefghijklmnop／b !length
        abcdefghijklmnop/bcdefghijklmnop | | name=30 => abcdefghijklmnop／_982fc6c4 !length
        ",
    );
}

#[test]
fn below_one_mailbox() {
    table(
        "
        INBOX; Sent {sent}; a/b | Sent {sent} | under=旧 => 旧/INBOX !under; 旧/Sent !under; 旧/a/b !under
        INBOX; a | | under=x/y => x/y/INBOX !under; x/y/a !under
        a | か\u{3099} | under=が => か\u{3099}/a !under
        a.b; c | | under=Outlook␠2019 sep=. => Outlook␠2019/a．b !. !under; Outlook␠2019/c !under
        a/b | | under=x flat => x／a／b !depth !under
        INBOX; Trash | Trash {trash} | under=INBOX => INBOX/INBOX !under; INBOX/Trash !under
        a | | under=x.y sep=. => x．y/a !under
        ",
    );
}

#[test]
fn pairings_of_earlier_runs() {
    table(
        "
        a | | pair=a>b => b !earlier
        a; b | | pair=a>b => b !earlier; b␠(2) !collision
        a; a/c | | pair=a>b => b !earlier; b/c !earlier
        a | | pair=a>a => a
        a\\/b | | pair=a\\/b>a／b => a／b !/
        Sent Items {sent} | Sent {sent} | pair=Sent␠Items>Sent => Sent {sent} !role
        Sent Items {sent}; Sent | Sent {sent} | pair=Sent␠Items>Sent => Sent {sent} !role; Sent
        Sent {sent} | 送信済み {sent} | pair=Sent>Sent => Sent
        x | | pair=gone>x => x
        INBOX | | pair=INBOX>旧/INBOX => 旧/INBOX !earlier
        a; c | | under=旧 pair=a>a pair=c>旧/d => 旧/a !under; 旧/d !earlier
        ",
    );
}

#[test]
fn names_that_decode_to_one() {
    table(
        "
        a =1; a =2 => a; a␠(2) !collision
        a =2; a =1; a =1 => a␠(2) !collision; a; a
        Sent {sent} =1; Sent =2 | S {sent} => S {sent} !role; S␠(2) !role !collision
        ",
    );
}

#[test]
fn a_tree_without_end_is_bounded() {
    let deep = vec!["x"; 40_000].join("/");
    let case = case(&format!("{deep}; {deep}/y"));
    let mapped = case.map();
    assert!(mapped.iter().all(|m| m.destination.levels().len() <= 60));
    assert!(
        mapped
            .iter()
            .all(|m| m.changes.contains(&NameChange::Depth))
    );
    assert_ne!(mapped[0].destination, mapped[1].destination);
}

#[test]
fn thousands_of_colliding_names_stay_apart() {
    let names: Vec<String> = (0..10_000u32)
        .map(|n| {
            (0..14)
                .map(|bit| if n >> bit & 1 == 0 { 'a' } else { 'A' })
                .collect()
        })
        .collect();
    let case = case(&format!("{} | | nocase", names.join(";")));
    let mapped = case.map();
    let goals: BTreeSet<_> = mapped.iter().map(|m| &m.destination).collect();
    assert_eq!(goals.len(), mapped.len());
}

fn names() -> impl Strategy<Value = String> {
    let level = prop_oneof![
        prop::sample::select(vec![
            "INBOX",
            "Sent",
            "Sent Items",
            "送信済み",
            "ゴミ箱",
            "Trash",
            "a",
            "A",
            "b",
            "が",
            "か\u{3099}",
            "a.b",
            "a．b",
            "a\\/b",
            "a／b",
            "~x",
            "～x",
            ".h",
            "a (2)",
            "A (2)",
            "_",
            "",
            "😀",
            "〓",
            "x*",
            "x＊",
            "日本語の長い名前のフォルダ",
            "R&D",
        ])
        .prop_map(str::to_owned),
        "[abAB./* ]{1,6}".prop_map(|s| s.replace('/', "\\/")),
    ];
    let container = prop::sample::select(vec!["", "", "", "[Gmail]/"]);
    (container, prop::collection::vec(level, 1..4))
        .prop_map(|(above, levels)| above.to_owned() + &levels.join("/").replace(' ', "␠"))
        .prop_filter("a name", |n| !n.is_empty())
}

fn mailboxes() -> impl Strategy<Value = String> {
    let marks = prop::sample::select(vec![
        "",
        "",
        "",
        "",
        " {sent}",
        " {trash}",
        " -select",
        " {all}",
        " -children",
    ]);
    prop::collection::vec((names(), marks), 0..9).prop_map(|list| {
        let mut seen = BTreeSet::new();
        let mut roles = BTreeSet::new();
        let list = list.into_iter().filter(|(name, mark)| {
            (!mark.contains('{') || roles.insert(*mark))
                && seen.insert(MailboxName::parse(&name.replace('␠', " ")).expect("a name"))
        });
        list.map(|(name, mark)| name + mark)
            .collect::<Vec<_>>()
            .join(";")
    })
}

/// A server that ignores case shows every name in one spelling.
fn keep_one_spelling(mailboxes: &mut Vec<MailboxInfo>) {
    let mut spelled: BTreeMap<String, String> = BTreeMap::new();
    mailboxes.retain(|mailbox| {
        (1..=mailbox.name.levels().len()).all(|depth| {
            let path = mailbox.name.levels()[..depth].join("\0");
            let folded = path.nfc().collect::<String>().to_lowercase();
            *spelled.entry(folded).or_insert(path.clone()) == path
        })
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]
    #[test]
    fn the_laws_hold_for_every_listing(
        source in mailboxes(),
        destination in mailboxes(),
        separator in prop::sample::select(vec!["sep=/", "sep=.", "flat"]),
        options in prop::sample::subsequence(vec!["no=*", "level=24", "levels=2", "lax", "bmp", "nocase", "name=60"], 0..4),
        under in prop::sample::select(vec!["", "", "under=旧/x.y"]),
    ) {
        let text = format!("{source} | {destination} | {separator} {} {under}", options.join(" "));
        let mut case = case(&text);
        if case.abilities.names.ignores_case {
            keep_one_spelling(&mut case.destination);
        }
        let outcome = laws(&case);
        prop_assert!(outcome.is_ok(), "{text}: {outcome:?}");
    }
}
