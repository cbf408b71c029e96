//! The web page in words: what stands on every page, and what a page says when it cannot do what was asked.
//!
//! Each screen has a module of its own.

pub mod again;
pub mod check;
pub mod confirm;
pub mod entry;
pub mod form;
pub mod help;
pub mod progress;
pub mod result;
mod trouble;
pub mod upload;

pub use trouble::{explain, tell};

use crate::figures::{About, Size};
use crate::sentence::sentences;

sentences! {
    /// The title of a page in the window's bar.
    window_title(page: &str, service: &str) {
        ja: "{page}｜{service}",
        en: "{page} | {service}",
    }
    /// First link of each page, for keyboards and screen readers.
    to_the_content() {
        ja: "本文へ移動",
        en: "Skip to the content",
    }
    /// Name of the navigation at the top.
    menu() {
        ja: "メニュー",
        en: "Menu",
    }
    /// To the first page.
    to_start() {
        ja: "トップ",
        en: "Start",
    }
    /// To the list of copies.
    to_jobs() {
        ja: "コピーの一覧",
        en: "Your copies",
    }
    /// To the help.
    to_help() {
        ja: "ヘルプ",
        en: "Help",
    }
    /// To the mails that were caught instead of sent.
    to_mail() {
        ja: "お試し用の受信箱",
        en: "Trial inbox",
    }
    /// Who is signed in.
    signed_in_as(address: &str) {
        ja: "{address} でログイン中",
        en: "Signed in as {address}",
    }
    /// Button: ends the session.
    sign_out() {
        ja: "ログアウト",
        en: "Sign out",
    }
    /// Button: the other language, in that language.
    other_language() {
        ja: "English",
        en: "日本語",
    }
    /// What the button for the other language does, in that language.
    in_other_language() {
        ja: "Show this page in English",
        en: "このページを日本語で表示する",
    }
    /// At the foot of each page.
    source_stays() {
        ja: "前のサーバーのメールは、変更も削除もいたしません。",
        en: "The mail on your old server is never changed or deleted.",
    }
    /// A page of the brand.
    link_webmail() {
        ja: "Webメール",
        en: "Web mail",
    }
    /// A page of the brand.
    link_mail_settings() {
        ja: "メールソフトの設定",
        en: "Mail program settings",
    }
    /// A page of the brand.
    link_faq() {
        ja: "よくあるご質問",
        en: "Questions and answers",
    }
    /// A page of the brand.
    link_support() {
        ja: "お問い合わせ",
        en: "Contact",
    }
    /// A page of the brand.
    link_terms() {
        ja: "利用規約",
        en: "Terms of use",
    }
    /// A page of the brand.
    link_privacy() {
        ja: "プライバシーポリシー",
        en: "Privacy policy",
    }
    /// Heading of the summary of what is wrong with what was typed.
    please_correct() {
        ja: "入力内容をご確認ください",
        en: "Please check what you entered",
    }
    /// Before the heading of a field that is wrong, for screen readers.
    wrong_here() {
        ja: "エラー：",
        en: "Error: ",
    }
    /// A server's own words.
    server_said(said: &str) {
        ja: "サーバーからの応答：{said}",
        en: "The server said: {said}",
    }
    /// Link from an error to its page in the help.
    about_this_error(code: &str) {
        ja: "エラー {code} について",
        en: "About error {code}",
    }
    /// Link of every error page.
    back_to_start() {
        ja: "トップへ戻る",
        en: "Back to the start",
    }
    /// Heading: there is no such page.
    not_found() {
        ja: "ページが見つかりません",
        en: "Page not found",
    }
    /// What to do then.
    not_found_hint() {
        ja: "アドレスが正しくないか、お客様のものではないページです。ログインしているメールアドレスをご確認ください。",
        en: "The address is not right, or the page belongs to somebody else. Check which mail address you are signed in with.",
    }
    /// Heading: the page was open too long or the request comes from elsewhere.
    page_expired() {
        ja: "ページの有効期限が切れました",
        en: "This page has expired",
    }
    /// What to do then.
    page_expired_hint() {
        ja: "お手数ですが、前のページを開き直して、もう一度操作してください。何も実行されていません。",
        en: "Please open the previous page again and repeat the last step. Nothing has been done.",
    }
    /// Heading: the request cannot be read.
    not_understood() {
        ja: "送信内容を読み取れませんでした",
        en: "What was sent could not be read",
    }
    /// What to do then.
    not_understood_hint() {
        ja: "ページを開き直して、もう一度入力してください。何も実行されていません。",
        en: "Please open the page again and fill it in once more. Nothing has been done.",
    }
    /// Heading: the request is too large.
    too_large() {
        ja: "送信内容が大きすぎます",
        en: "Too much was sent",
    }
    /// What to do then.
    too_large_hint(limit: Size) {
        ja: "一度に送信できるのは{limit}までです。入力内容を短くしてください。何も実行されていません。",
        en: "At most {limit} can be sent at once. Please shorten what you entered. Nothing has been done.",
    }
    /// Heading: too many tries.
    too_often() {
        ja: "短い時間に操作が繰り返されたため、受け付けを止めています",
        en: "Too many tries in a short time",
    }
    /// What to do then.
    too_often_hint(time: About) {
        ja: "パスワードを守るための制限です。{time}たってから、もう一度お試しください。",
        en: "This limit protects passwords. Please try again in {time}.",
    }
    /// Heading: an operation that this page does not have.
    not_possible() {
        ja: "この操作はできません",
        en: "This cannot be done here",
    }
    /// What to do then.
    not_possible_hint() {
        ja: "コピーの状態が変わった可能性があります。ページを開き直してください。",
        en: "The copy may have moved on in the meantime. Please open the page again.",
    }
    /// Heading: it took too long.
    took_too_long() {
        ja: "時間内に処理が終わりませんでした",
        en: "This took too long",
    }
    /// What to do then.
    took_too_long_hint() {
        ja: "しばらくしてから、ページを開き直してください。受け付け済みのコピーには影響ありません。",
        en: "Please open the page again in a while. Copies that were accepted are not affected.",
    }
    /// Heading: the defect is here.
    broken() {
        ja: "申し訳ございません。エラーが発生しました",
        en: "Sorry, something went wrong",
    }
    /// What to do then.
    broken_hint() {
        ja: "しばらくしてから、もう一度お試しください。受け付け済みのコピーには影響ありません。",
        en: "Please try again in a while. Copies that were accepted are not affected.",
    }
}
