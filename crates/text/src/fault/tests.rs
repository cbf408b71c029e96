use super::*;
use hikyaku_core::{MailboxName, Reach, Remedy, Said, Side};

#[test]
fn every_code_is_explained_in_both_languages() {
    let mut titles = std::collections::BTreeSet::new();
    for code in Code::ALL {
        for lang in Lang::ALL {
            let explained = explain(*code, lang);
            let stop = if lang == Lang::Ja { '。' } else { '.' };
            assert!(
                !explained.title.ends_with(stop),
                "{code} {}",
                explained.title
            );
            for sentence in [explained.cause, explained.remedy] {
                assert!(sentence.ends_with(stop), "{code} {sentence}");
                assert!(!sentence.contains(['{', '}']), "{code} {sentence}");
            }
            assert!(titles.insert(explained.title), "{code} {}", explained.title);
            assert!(!explained.who.show(lang).is_empty());
        }
    }
    assert_eq!(titles.len(), 2 * Code::ALL.len());
}

/// Words of protocols and of this program's inside. What people have to type or to look
/// for in settings (IMAP, TLS, STARTTLS, DNS, OAuth) is no jargon.
const JARGON: [&str; 41] = [
    "append",
    "fetch",
    "examine",
    "select",
    "exists",
    "search",
    "uid",
    "literal",
    "リテラル",
    "octet",
    "オクテット",
    "mailbox",
    "メールボックス",
    "rfc",
    "socket",
    "ソケット",
    "errno",
    "parse",
    "パース",
    "epoch",
    "lane",
    "レーン",
    "circuit",
    "back-off",
    "backoff",
    "バックオフ",
    "untagged",
    "session",
    "セッション",
    "timeout",
    "time-out",
    "タイムアウト",
    "throttl",
    "スロット",
    "checkpoint",
    "sqlite",
    "panic",
    "thread",
    "スレッド",
    "journal",
    "ジャーナル",
];

/// What a remedy asks for, or that nobody has to do anything.
const ACTIONS_JA: [&str; 3] = ["ください", "もう一度", "自動で"];
const ACTIONS_EN: [&str; 24] = [
    "Ask ",
    "Check ",
    "Correct ",
    "Create ",
    "Delete ",
    "Enter ",
    "Get ",
    "Make ",
    "Please ",
    "Read ",
    "Restore ",
    "Run ",
    "Running ",
    "Save ",
    "See ",
    "Switch ",
    "Try ",
    "Update ",
    "Use ",
    "Wait ",
    "Write ",
    "by itself",
    "automatically",
    "run the same command again",
];

#[test]
fn every_sentence_is_plain_polite_and_says_what_to_do() {
    for code in Code::ALL {
        for lang in Lang::ALL {
            let explained = explain(*code, lang);
            for text in [explained.title, explained.cause, explained.remedy] {
                let plain = text.to_lowercase();
                for word in JARGON {
                    assert!(!plain.contains(word), "{code}: {word:?} in {text}");
                }
            }
            let actions: &[&str] = match lang {
                Lang::Ja => &ACTIONS_JA,
                Lang::En => &ACTIONS_EN,
            };
            let remedy = explained.remedy;
            assert!(
                actions.iter().any(|a| remedy.contains(a)),
                "{code}: {remedy}"
            );
            if lang == Lang::Ja {
                for sentence in [explained.cause, remedy] {
                    assert_polite(*code, sentence);
                }
            }
        }
    }
}

/// Each sentence ends as a company speaks to its customers.
fn assert_polite(code: Code, text: &str) {
    for sentence in text.split('。').filter(|s| !s.is_empty()) {
        let main = match sentence.strip_suffix('）') {
            Some(inside) => inside.split('（').next().unwrap_or_default(),
            None => sentence,
        };
        let is_polite = [
            "ます",
            "ません",
            "ました",
            "ませんでした",
            "です",
            "ください",
        ]
        .iter()
        .any(|end| main.ends_with(end));
        assert!(is_polite, "{code}: {sentence}");
    }
}

/// The same sentence stands in a notice while the run waits and in the report after it
/// gave up: it must be true in both.
#[test]
fn what_goes_on_by_itself_also_says_what_to_do_after_the_end() {
    for code in [
        Code::LinkLost,
        Code::LinkSilent,
        Code::ServerBusy,
        Code::ServerConnections,
        Code::ServerBudget,
    ] {
        let (ja, en) = (
            explain(code, Lang::Ja).remedy,
            explain(code, Lang::En).remedy,
        );
        assert!(
            ja.contains("自動で") && ja.contains("もう一度"),
            "{code}: {ja}"
        );
        assert!(ja.contains("続きから再開します"), "{code}: {ja}");
        assert!(en.contains("the same command again"), "{code}: {en}");
        assert!(en.contains("continues where it stopped"), "{code}: {en}");
    }
}

/// A fault of every kind at every place: the place is named once, the cause and the
/// remedy are those of the catalogue, and nothing of the log's detail gets in.
#[test]
fn every_fault_reaches_a_sentence_with_its_place() {
    let said = Said::new("NO", None, "=cmd()\u{1b}]0;title\u{7}\u{202e}");
    for code in Code::ALL {
        let fault = Fault::new(*code, Reach::Job, Remedy::AskUser, "internal detail")
            .on(Side::Destination)
            .server("mail.example.jp:993")
            .mailbox("請求書\u{1b}[31m")
            .said(said.clone());
        for lang in Lang::ALL {
            let told = tell(&fault, lang);
            let explained = explain(*code, lang);
            assert!(told.cause.ends_with(explained.cause), "{told:?}");
            assert_eq!(told.remedy, explained.remedy);
            assert_eq!(
                told.cause.matches("mail.example.jp:993").count(),
                1,
                "{told:?}"
            );
            assert_eq!(told.cause.matches("請求書").count(), 1, "{told:?}");
            let quote = told.quote.expect("the server said something");
            let whole = [&told.cause, &told.remedy, &quote]
                .map(String::as_str)
                .concat();
            assert!(!whole.contains("internal"), "{whole}");
            assert!(!whole.contains(crate::escape::is_unseen), "{whole:?}");
        }
    }
}

#[test]
fn sentences_of_the_product_are_kept() {
    for (code, words) in [
        (Code::HostNotFound, "サーバー名が見つかりません。"),
        (
            Code::HostUnreachable,
            "サーバーに接続できません（応答なし）。メールサーバーの停止、または海外・外部からの接続制限が考えられます。",
        ),
        (
            Code::LoginRejected,
            "ログインできません。メールアドレスかパスワードが違います。",
        ),
        (
            Code::LoginOauth,
            "ご利用のメールサービスは、パスワードでは接続できません。",
        ),
        (Code::LoginDisabled, "IMAPの利用が無効になっています。"),
        (
            Code::LoginLocked,
            "ログインの失敗が続いたため、しばらく接続が止められています。",
        ),
        (Code::QuotaExceeded, "コピー先の容量が足りません。"),
        (
            Code::MessageRefused,
            "コピー先がこのメールを受け付けませんでした。",
        ),
        (
            Code::MessageUnreadable,
            "コピー元でこのメールを読み出せませんでした。",
        ),
    ] {
        let cause = explain(code, Lang::Ja).cause;
        assert!(cause.starts_with(words), "{code}: {cause}");
    }
}

#[test]
fn a_fault_is_told_with_its_place_and_the_words_of_the_server() {
    let fault = Fault::new(
        Code::MessageRefused,
        Reach::Message,
        Remedy::Skip,
        "internal",
    )
    .on(Side::Destination)
    .server("imap.example.jp:993")
    .mailbox(MailboxName::parse("請求書/2024").expect("a name"))
    .said(Said::new("NO", Some("CANNOT"), "bad\u{202e}\u{1b}[2J"));
    let told = tell(&fault, Lang::Ja);
    assert_eq!(
        told,
        Told {
            cause: "コピー先（imap.example.jp:993）のフォルダ「請求書/2024」：コピー先がこのメールを受け付けませんでした。ほかのメールのコピーは続けます。".into(),
            remedy: explain(Code::MessageRefused, Lang::Ja).remedy.into(),
            quote: Some("サーバーからの応答：NO [CANNOT] bad\u{fffd}\u{fffd}[2J".into()),
        }
    );
    let told = tell(&fault, Lang::En);
    assert!(told.cause.starts_with(
        "At the destination (imap.example.jp:993), folder 請求書/2024: The destination did not"
    ));
    assert!(!told.cause.contains("internal"));
    let bare = Fault::new(Code::Interrupted, Reach::Job, Remedy::AskUser, "");
    assert_eq!(
        tell(&bare, Lang::En).cause,
        explain(Code::Interrupted, Lang::En).cause
    );
}

/// `docs/faults.md` is what this makes; run with `HIKYAKU_BLESS=1` to write it.
#[test]
fn the_reference_of_codes_is_fresh() {
    let mut page = String::from(
        "# Error codes\n\n\
         Every fault has one code: the same on the command line, in JSON, in reports and in notices.\n\
         Codes are never reused for another meaning. `hikyaku explain CODE` shows one of them.\n\
         This page is made from `crates/text/src/fault/`; its test keeps it fresh.\n\n\
         | Code | Name | Meaning | 表示 |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let (ja, en) = (explain(*code, Lang::Ja), explain(*code, Lang::En));
        let (short, name) = (code.short(), code.as_str());
        page += &format!(
            "| [{short}](#{}) | `{name}` | {} | {} |\n",
            short.to_lowercase(),
            en.title,
            ja.title
        );
    }
    for code in Code::ALL {
        page += &format!("\n## {}\n\n`{}`\n", code.short(), code.as_str());
        for (lang, cause, remedy, who) in [
            (Lang::En, "Cause", "What to do", "Who"),
            (Lang::Ja, "原因", "対処", "対応する方"),
        ] {
            let text = explain(*code, lang);
            page += &format!(
                "\n**{}**\n\n- {cause}: {}\n- {remedy}: {}\n- {who}: {}\n",
                text.title,
                text.cause,
                text.remedy,
                text.who.show(lang)
            );
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");
    if std::env::var_os("HIKYAKU_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == page,
        "docs/faults.md is not fresh: run with HIKYAKU_BLESS=1"
    );
}
