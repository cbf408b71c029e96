//! The words of every mail.

use super::*;
use crate::brand::{Details, MaskAddress, Words};
use crate::notice::{Links, NoticeKind, Rendered, render};
use hikyaku_text::Lang;
use jiff::tz::{Offset, TimeZone};

fn links() -> Links {
    let zone = TimeZone::fixed(Offset::constant(9));
    Links::new("https://copy.example.jp/").in_zone(zone)
}

/// Seed 000, to the letter: see the file `brands/cpi.toml` for why these words.
const SUCCESS: &str = "\
*****@********* へメールデータコピーが完了いたしましたので、ご連絡いたします。
ウェブメールにログインすることで、コピーできているかの確認ができます。
■標準Webメール へのログイン方法
https://support.cpi.ad.jp/manual/bs/mail/std_webmail/std_webmail_001
よろしくお願いいたします。
";
const FAILURE: &str = "\
メールデータコピーが正常に完了できませんでした。
正常に完了できなかった原因と対処方法については、以下のFAQをご確認ください。
対処後、あらためてコントロールパネルへログインいただき、再操作をお願いいたします。
FAQ
https://faq.cpi.ad.jp/faq/show/869?site_domain=default
※移行元サーバーのメールデータにつきましては影響ありませんので、ご安心ください。
お手数をおかけしまして、申し訳ございません。
よろしくお願いいたします。
";

#[test]
fn the_mails_of_the_brand_cpi_are_its_own_to_the_letter() {
    let mut brand = cpi();
    brand.notices.details = Details::None;
    for (kind, subject, body) in [
        (
            NoticeKind::Success,
            "【重要】CPIより メールデータコピーが完了いたしました。",
            SUCCESS,
        ),
        (
            NoticeKind::Failure,
            "【重要】CPIより メールデータコピーの再操作をお願いします。",
            FAILURE,
        ),
    ] {
        let expected = Rendered {
            to: "hanako@example.com".into(),
            subject: subject.into(),
            body: body.into(),
        };
        assert_eq!(render(&brand, &job("ja"), kind, &links()), expected);
    }
    let partly = render(&brand, &job("ja"), NoticeKind::Partly, &links());
    assert_eq!(
        partly.subject,
        "【重要】CPIより メールデータコピーの結果をお知らせします。"
    );
}

#[test]
fn details_follow_the_closing_of_the_brand_cpi() {
    let success = render(&cpi(), &job("ja"), NoticeKind::Success, &links());
    let appended = "
受付番号：K7M2Q
コピー元のメール 12,408通＝新しくコピー 12,402通＋コピー先にすでにあったもの 3通＋コピーできなかったもの 3通
レポート：https://copy.example.jp/jobs/00000000000000000000000007/report
";
    assert_eq!(success.body, format!("{SUCCESS}{appended}"));
    let failure = render(&cpi(), &job("ja"), NoticeKind::Failure, &links());
    let appended = "
受付番号：K7M2Q
原因：コピー元：ログインできません。メールアドレスかパスワードが違います。 [A201]
対処：メールアドレスとパスワードをご確認ください。メールサービスによっては、「@」より前だけをユーザー名として入力するか、IMAPまたはPOPの利用を許可する設定が必要です。
確認済みのメール：12,405通（コピー先にそのまま残っています）
続きから再開：https://copy.example.jp/jobs/00000000000000000000000007
";
    assert_eq!(failure.body, format!("{FAILURE}{appended}"));
}

/// The built-in brand's mails as people get them.
#[test]
fn every_mail_of_the_built_in_brand() {
    let mut brand = Brand::builtin();
    brand.links.webmail = Some("https://webmail.example.jp/".into());
    brand.links.support = Some("https://www.example.jp/support/".into());
    for lang in Lang::ALL {
        let mut all = String::new();
        for kind in NoticeKind::ALL {
            let mail = render(&brand, &job(lang.as_str()), kind, &links());
            all.push_str(&format!(
                "━━━ {}\n{}\n\n{}\n",
                kind.as_str(),
                mail.subject,
                mail.body
            ));
        }
        insta::assert_snapshot!(format!("built_in_{}", lang.as_str()), all);
    }
}

#[test]
fn an_undo_that_failed_is_not_told_as_a_copy_that_failed() {
    let mut undo = job("ja");
    undo.kind = Kind::Undo;
    for kind in [NoticeKind::Failure, NoticeKind::Cancelled] {
        for brand in [cpi(), Brand::builtin()] {
            let mail = render(&brand, &undo, kind, &links());
            let first = mail.body.lines().next().unwrap_or_default();
            assert!(first.contains("へコピーしたメールの取り消し"), "{first}");
        }
    }
}

/// Whatever is combined: nothing from outside, the address as wanted, details where wanted, one language.
#[test]
fn every_combination_keeps_its_promises() {
    let address = |mask| match mask {
        MaskAddress::None => "taro@example.jp",
        MaskAddress::Partial => "t•••@example.jp",
        MaskAddress::Full => "*****@*********",
    };
    let is_japanese = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    let mut combinations = 0;
    for mut brand in [cpi(), Brand::builtin()] {
        for kind in NoticeKind::ALL {
            for lang in Lang::ALL {
                for mask in [MaskAddress::None, MaskAddress::Partial, MaskAddress::Full] {
                    for details in [Details::None, Details::Append] {
                        (brand.notices.mask, brand.notices.details) = (mask, details);
                        let mail = render(&brand, &job(lang.as_str()), kind, &links());
                        let what = format!("{} {kind:?} {lang:?} {mask:?} {details:?}", brand.id);
                        let text = format!("{}\n{}", mail.subject, mail.body);
                        assert!(!text.contains(CANARY), "{what}: {text}");
                        assert!(!text.contains(['{', '}']), "{what}: {text}");
                        assert!(!mail.subject.contains(char::is_control), "{what}");
                        assert!(
                            mail.body.ends_with('\n') && !mail.body.contains('\r'),
                            "{what}"
                        );
                        assert!(!mail.body.contains("\n\n\n"), "{what}: {text}");
                        assert_eq!(
                            text.contains(is_japanese),
                            lang == Lang::Ja,
                            "{what}: {text}"
                        );
                        let names_address = text.contains(address(mask));
                        let is_fixed = brand.id == "cpi" && kind == NoticeKind::Failure;
                        assert_eq!(names_address, !is_fixed, "{what}: {text}");
                        assert_eq!(
                            text.contains("taro"),
                            mask == MaskAddress::None && !is_fixed,
                            "{what}: {text}"
                        );
                        let has_details = text.contains("https://copy.example.jp/jobs/")
                            || kind == NoticeKind::Undone && text.contains("12,000");
                        assert_eq!(has_details, details == Details::Append, "{what}: {text}");
                        combinations += 1;
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 2 * 9 * 2 * 3 * 2);
}

#[test]
fn a_wait_without_an_end_and_a_copy_of_nothing_have_words_of_their_own() {
    let mut empty = job("en");
    empty.progress.waiting = None;
    empty.report = Some(ReportView::from(&Report::default()));
    let brand = Brand::builtin();
    let first = |kind| {
        let body = render(&brand, &empty, kind, &links()).body;
        body.split("\n\n").next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        first(NoticeKind::Waiting),
        "The copy of your mail to t•••@example.jp is on hold.\nIt goes on by itself as soon as possible. There is nothing for you to do."
    );
    assert_eq!(
        first(NoticeKind::Success),
        "The copy to t•••@example.jp is complete. There was no mail at the source, so nothing was copied."
    );
}

#[test]
fn what_an_operator_or_a_person_wrote_cannot_break_a_subject() {
    let mut brand = Brand::builtin();
    brand.name = Words::from("Evil\r\nBcc: victim@example.com");
    let mut hostile = job("ja");
    hostile.order.destination = "a\r\nb\u{202e}@example.jp".into();
    brand.notices.mask = MaskAddress::None;
    let mail = render(&brand, &hostile, NoticeKind::Success, &links());
    assert_eq!(
        mail.subject,
        "【Evil\u{fffd}\u{fffd}Bcc: victim@example.com】メールデータコピーが完了しました（受付番号 K7M2Q）"
    );
    let first = mail.body.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("a\u{fffd}\u{fffd}b\u{fffd}@example.jp へ"),
        "{first}"
    );
}

/// What became of a file that was uploaded is told, in both languages and under every brand that tells details.
#[test]
fn whoever_uploaded_a_file_reads_that_it_was_deleted() {
    use hikyaku_text::notice as say;
    for lang in Lang::ALL {
        let mut upload = job(lang.as_str());
        upload.order.source.kind = SourceKind::Upload(crate::job::UploadId::random());
        upload.order.source.address = format!("{CANARY}.mbox");
        let (deleted, kept) = (say::upload_deleted(lang), say::upload_kept(lang));
        for brand in [cpi(), Brand::builtin()] {
            for kind in NoticeKind::ALL {
                let told = |job: &Job| {
                    let body = render(&brand, job, kind, &links()).body;
                    assert!(!body.contains(CANARY), "{body}");
                    let lines: Vec<&str> = body.lines().collect();
                    let count = |text: &str| lines.iter().filter(|line| **line == text).count();
                    let old = say::keep_the_old_server(lang);
                    (count(&deleted), count(&kept), count(&old))
                };
                let (is_deleted, is_kept) = match kind {
                    NoticeKind::Success | NoticeKind::Partly | NoticeKind::Cancelled => (1, 0),
                    NoticeKind::Failure | NoticeKind::SignInAgain => (0, 1),
                    _ => (0, 0),
                };
                assert_eq!(told(&upload), (is_deleted, is_kept, 0), "{kind:?} {lang:?}");
                let server = told(&job(lang.as_str()));
                assert_eq!((server.0, server.1), (0, 0), "{kind:?} {lang:?}");
            }
        }
        let success = render(&Brand::builtin(), &upload, NoticeKind::Success, &links());
        let expected = match lang {
            Lang::Ja => {
                "※コピー元のメールは、変更も削除もしておりません。
※アップロードされたファイルは、サーバーから削除しました。
※パソコンの中のメールは、コピー先でメールをご確認いただくまで、消さずにお残しください。
"
            }
            Lang::En => {
                "The mail at the source has been neither changed nor deleted.
The uploaded file has been deleted from the server.
Keep the mail on your computer until you have looked at the mail at the destination.
"
            }
        };
        assert!(success.body.contains(expected), "{}", success.body);
    }
}
