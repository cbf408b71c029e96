//! Which language a page is in: what was chosen with the switch, else what the browser asks for.

use super::{Answer, Fields, Page, cookies};
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Redirect};
use hikyaku_text::Lang;

/// Cookie that keeps the choice for a year. Not a secret.
pub(crate) const COOKIE: &str = "hikyaku-lang";

const YEAR_SECONDS: i64 = 365 * 24 * 3600;

/// The language of a page. Japanese when nothing is said; English for everybody who reads neither.
pub(crate) fn choose(chosen: Option<&str>, accept_language: Option<&str>) -> Lang {
    if let Some(lang) = chosen.and_then(Lang::from_name) {
        return lang;
    }
    let Some(header) = accept_language.filter(|header| !header.trim().is_empty()) else {
        return Lang::Ja;
    };
    let (ja, en, any) = (
        weight(header, "ja"),
        weight(header, "en"),
        weight(header, "*"),
    );
    match (ja.or(any), en.or(any)) {
        (Some(ja), Some(en)) if ja >= en && ja > 0 => Lang::Ja,
        (Some(ja), None) if ja > 0 => Lang::Ja,
        _ => Lang::En,
    }
}

/// Thousandths that the header gives to a language (RFC 9110 §12.5.4); `None` when it is not named.
fn weight(header: &str, language: &str) -> Option<u32> {
    let mut best = None;
    for range in header.split(',').take(32) {
        let mut parts = range.split(';');
        let name = parts.next().unwrap_or_default().trim();
        if !name
            .split('-')
            .next()
            .is_some_and(|primary| primary.eq_ignore_ascii_case(language))
        {
            continue;
        }
        let quality = parts.find_map(|p| p.trim().strip_prefix("q=")?.trim().parse::<f32>().ok());
        let quality = quality.unwrap_or(1.0).clamp(0.0, 1.0);
        let thousandths = (quality * 1000.0) as u32;
        best = best.max(Some(thousandths));
    }
    best
}

/// `POST /lang`: keeps the choice and shows the page again.
pub(crate) async fn switch(
    State(app): State<super::App>,
    Extension(_page): Extension<Page>,
    fields: Fields,
) -> Answer {
    let lang = choose(fields.get("lang"), None);
    let cookie = cookies::kept(&app, COOKIE, lang.as_str(), YEAR_SECONDS);
    let back = super::local_path(fields.get("back").unwrap_or("/"));
    Ok((cookies::set([cookie]), Redirect::to(back)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_decides_before_the_browser() {
        for (chosen, accept, lang) in [
            (None, None, Lang::Ja),
            (None, Some(""), Lang::Ja),
            (None, Some("ja"), Lang::Ja),
            (None, Some("ja-JP,ja;q=0.9,en;q=0.8"), Lang::Ja),
            (None, Some("en-US,en;q=0.9"), Lang::En),
            (None, Some("en;q=0.9, ja;q=0.8"), Lang::En),
            (None, Some("en;q=0.8, JA-jp;q=0.9"), Lang::Ja),
            (None, Some("fr-FR,fr;q=0.9"), Lang::En),
            (None, Some("fr, *;q=0.5"), Lang::Ja),
            (None, Some("*"), Lang::Ja),
            (None, Some("ja;q=0, en"), Lang::En),
            (None, Some("ja;q=0"), Lang::En),
            (None, Some(";;;q=,,;q=9"), Lang::En),
            (Some("en"), Some("ja"), Lang::En),
            (Some("ja"), Some("en"), Lang::Ja),
            (Some("<script>"), Some("en"), Lang::En),
        ] {
            assert_eq!(choose(chosen, accept), lang, "{chosen:?} {accept:?}");
        }
    }
}
