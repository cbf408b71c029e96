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
