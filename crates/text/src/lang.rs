//! The languages that are spoken.

/// A language of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::Ja, Lang::En];

    /// By its name in options, files and URLs.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ja" => Some(Lang::Ja),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// By the values of `LC_ALL`, `LC_MESSAGES` and `LANG`, in this order: the first that
    /// is set and not empty decides (POSIX XBD §8.2). English when nothing says Japanese.
    pub fn from_locale<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let locale = values.into_iter().flatten().find(|value| !value.is_empty());
        let language = locale.and_then(|l| l.split(['_', '.', '@', '-']).next());
        match language.is_some_and(|l| l.eq_ignore_ascii_case("ja")) {
            true => Lang::Ja,
            false => Lang::En,
        }
    }

    /// Its name, as in [`Self::from_name`] and in `lang` attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Lang::Ja => "ja",
            Lang::En => "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_that_is_set_decides() {
        for (values, lang) in [
            ([None, None, Some("ja_JP.UTF-8")], Lang::Ja),
            ([Some(""), None, Some("ja")], Lang::Ja),
            ([Some("C.UTF-8"), Some("ja_JP.UTF-8"), None], Lang::En),
            ([None, Some("JA-JP"), Some("en_US.UTF-8")], Lang::Ja),
            ([None, None, Some("jam_JM")], Lang::En),
            ([None, None, None], Lang::En),
        ] {
            assert_eq!(Lang::from_locale(values), lang, "{values:?}");
        }
        for lang in Lang::ALL {
            assert_eq!(Lang::from_name(lang.as_str()), Some(lang));
        }
    }
}
