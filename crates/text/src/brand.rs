//! What the function and its plan are called where an operator gives no name.

use crate::sentence::sentences;

sentences! {
    /// The function: its entry in menus and its heading.
    title() {
        ja: "メールデータコピー",
        en: "Mail data copy",
    }
    /// The only plan.
    plan() {
        ja: "標準プラン",
        en: "Standard plan",
    }
}
