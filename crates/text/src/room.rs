//! Room at an account in words: what is free, what a copy needs, and what to do when
//! it does not fit.

use crate::figures::Size;
use crate::sentence::sentences;

sentences! {
    /// Room now and after the copy.
    after_the_copy(free: Size, left: Size) {
        ja: "コピー先の空き容量：{free} → コピー後 {left}",
        en: "Free space at the destination: {free} → {left} after the copy",
    }
    /// What the copy leaves for new mail.
    kept_free(kept: Size) {
        ja: "新しいメールのために{kept}を空けておきます。",
        en: "{kept} are kept free for new mail.",
    }
    /// Room where it is not known how much is to be copied.
    free_now(free: Size) {
        ja: "コピー先の空き容量：{free}",
        en: "Free space at the destination: {free}",
    }
    /// Room of an account that is only looked at.
    of_account(used: Size, limit: Size, free: Size) {
        ja: "容量：{limit}中 {used}を使用・空き {free}",
        en: "Space: {used} of {limit} used, {free} free",
    }
    /// A copy that does not fit.
    does_not_fit(needed: Size, free: Size, kept: Size, missing: Size) {
        ja: "このままでは約{missing}不足します（必要 {needed}・空き {free}・新しいメールのために空けておく分 {kept}）。",
        en: "About {missing} are missing: {needed} needed, {free} free, {kept} kept free for new mail.",
    }
    /// A copy that does not fit although nothing is kept free.
    does_not_fit_at_all(needed: Size, free: Size, missing: Size) {
        ja: "このままでは約{missing}不足します（必要 {needed}・空き {free}）。",
        en: "About {missing} are missing: {needed} needed, {free} free.",
    }
    /// The ways out.
    ways_out() {
        ja: "--fitを付けると、受信トレイから順に、新しいものから入る分だけコピーします。--fillを付けると、空けておく分も使います。容量を増やしてからやり直すこともできます。",
        en: "--fit copies what fits, INBOX first and newest first. --fill also uses what is kept free. Or get more room and run the same command again.",
    }
    /// The way out where nothing is kept free.
    way_out() {
        ja: "--fitを付けると、受信トレイから順に、新しいものから入る分だけコピーします。容量を増やしてからやり直すこともできます。",
        en: "--fit copies what fits, INBOX first and newest first. Or get more room and run the same command again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    const MB: u64 = 1 << 20;

    #[test]
    fn room_is_told_with_its_figures() {
        let (free, left) = (Size(6_963 * MB), Size(3_686 * MB));
        assert_eq!(
            after_the_copy(free, left, Lang::Ja),
            "コピー先の空き容量：6.8GB → コピー後 3.6GB"
        );
        assert_eq!(
            after_the_copy(free, left, Lang::En),
            "Free space at the destination: 6.8 GB → 3.6 GB after the copy"
        );
        let figures = [500, 300, 100, 300].map(|mb| Size(mb * MB));
        let [needed, free, kept, missing] = figures;
        assert_eq!(
            does_not_fit(needed, free, kept, missing, Lang::Ja),
            "このままでは約300MB不足します（必要 500MB・空き 300MB・新しいメールのために空けておく分 100MB）。"
        );
        assert_eq!(
            does_not_fit(needed, free, kept, missing, Lang::En),
            "About 300 MB are missing: 500 MB needed, 300 MB free, 100 MB kept free for new mail."
        );
        for lang in Lang::ALL {
            let both = ways_out(lang);
            assert!(both.contains("--fit") && both.contains("--fill"), "{both}");
        }
    }
}
