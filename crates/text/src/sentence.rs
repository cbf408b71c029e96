//! How a sentence is declared.

/// Declares sentences as functions of their arguments and a language.
///
/// Arguments are named in both texts: `format!` refuses a named argument that a text does
/// not use and a placeholder that has no argument, so a translation cannot lose a figure.
macro_rules! sentences {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) {
        ja: $ja:literal, en: $en:literal $(,)?
    })*) => {
        $(
            $(#[$doc])*
            pub fn $name($($arg: $type,)* lang: $crate::Lang) -> String {
                match lang {
                    $crate::Lang::Ja => {
                        format!($ja, $($arg = $crate::Show::show(&$arg, lang)),*)
                    }
                    $crate::Lang::En => {
                        format!($en, $($arg = $crate::Show::show(&$arg, lang)),*)
                    }
                }
            }
        )*

        /// Every sentence of this module: name, Japanese, English.
        #[cfg(test)]
        pub(crate) const SENTENCES: &[(&str, &str, &str)] =
            &[$((stringify!($name), $ja, $en),)*];
    };
}

pub(crate) use sentences;

#[cfg(test)]
mod tests {
    #[test]
    fn every_sentence_has_both_languages() {
        let mut count = 0;
        for sentences in [
            crate::archive::SENTENCES,
            crate::backup::SENTENCES,
            crate::brand::SENTENCES,
            crate::fault::SENTENCES,
            crate::leave_pop::SENTENCES,
            crate::page::again::SENTENCES,
            crate::page::progress::SENTENCES,
            crate::page::result::SENTENCES,
            crate::notice::SENTENCES,
            crate::page::SENTENCES,
            crate::page::check::SENTENCES,
            crate::page::confirm::SENTENCES,
            crate::page::entry::SENTENCES,
            crate::page::form::SENTENCES,
            crate::page::form::wrong::SENTENCES,
            crate::page::help::SENTENCES,
            crate::page::upload::SENTENCES,
            crate::report::SENTENCES,
            crate::plan::SENTENCES,
            crate::pop3::SENTENCES,
            crate::room::SENTENCES,
            crate::run::SENTENCES,
            crate::undo::SENTENCES,
        ] {
            for (name, ja, en) in sentences {
                assert!(!ja.trim().is_empty() && !en.trim().is_empty(), "{name}");
                // The switch speaks to those who cannot read the page.
                let (ja, en) = match name.contains("other_language") {
                    true => (en, ja),
                    false => (ja, en),
                };
                assert!(!is_japanese(en), "{name}: {en}");
                let words: String = ja
                    .split('{')
                    .filter_map(|p| p.split('}').next_back())
                    .collect();
                let is_sign = words.chars().all(|c| !c.is_alphabetic());
                assert!(is_japanese(ja) || is_sign, "{name}: {ja}");
                count += 1;
            }
        }
        assert!(count > 50, "{count}");
    }

    fn is_japanese(text: &str) -> bool {
        text.chars()
            .any(|c| matches!(c, '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
    }
}
