//! What the function and its plan are called where an operator gives no name.

use crate::sentence::sentences;

sentences! {
    /// The function: its entry in menus and its heading.
    title() {
        ja: "メールデータコピー",
        en: "Mail data copy",
    }
    /// Folder of a copy that is kept apart: the moment at which it was ordered.
    copy_of(moment: &str) {
        ja: "コピー {moment}",
        en: "Copy {moment}",
    }
    /// The only plan.
    plan() {
        ja: "標準プラン",
        en: "Standard plan",
    }
}
