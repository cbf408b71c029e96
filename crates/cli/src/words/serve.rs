//! Words of the service.

use hikyaku_text::Lang;

/// Where the page is.
pub(crate) fn open(url: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("ページを公開しました：{url}/\n終了するにはCtrl-Cを押してください。"),
        Lang::En => format!("The page is at {url}/\nCtrl-C ends it."),
    }
}
