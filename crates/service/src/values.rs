//! Values of the configuration that have a form of their own.

use hikyaku_net::Secret;
pub use hikyaku_net::guard::Network;
use hikyaku_text::Lang;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// Longest secret that is read from a file or variable, in octets.
const MOST_SECRET: u64 = 64 * 1024;

/// A text of the operator in both languages.
///
/// In TOML `{ ja = "…", en = "…" }`, or one text for both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Words {
    /// In a language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }

    /// Made of a sentence.
    pub(crate) fn of(sentence: impl Fn(Lang) -> String) -> Self {
        Self {
            ja: sentence(Lang::Ja),
            en: sentence(Lang::En),
        }
    }
}

impl From<&str> for Words {
    /// The same text for both languages.
    fn from(text: &str) -> Self {
        Self {
            ja: text.to_owned(),
            en: text.to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Both;
        impl<'de> Visitor<'de> for Both {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a table with `ja` and `en`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Words, E> {
                match text.trim().is_empty() {
                    true => Err(E::custom("the text is empty")),
                    false => Ok(text.into()),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Words, A::Error> {
                const KEYS: &[&str] = &["ja", "en"];
                let (mut ja, mut en) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "ja" => ja = Some(map.next_value::<String>()?),
                        "en" => en = Some(map.next_value::<String>()?),
                        other => return Err(de::Error::unknown_field(other, KEYS)),
                    }
                }
                let filled = |text: Option<String>, key| match text {
                    Some(text) if !text.trim().is_empty() => Ok(text),
                    Some(_) => Err(de::Error::custom("the text is empty")),
                    None => Err(de::Error::missing_field(key)),
                };
                Ok(Words {
                    ja: filled(ja, "ja")?,
                    en: filled(en, "en")?,
                })
            }
        }
        from.deserialize_any(Both)
    }
}

/// Networks as the operator writes them.
pub(crate) fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Network>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let read = |text: &String| text.parse().map_err(de::Error::custom);
    texts.iter().map(read).collect()
}

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// A text that is no [`Colour`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a colour such as `#0b5fa5`")]
pub struct NoColour;

impl FromStr for Colour {
    type Err = NoColour;

    fn from_str(text: &str) -> Result<Self, NoColour> {
        let digits = text.strip_prefix('#').ok_or(NoColour)?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NoColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NoColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from)
    }
}

/// Reads a text by its own parser.
pub(crate) fn parsed<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    let text = String::deserialize(from)?;
    text.parse().map_err(de::Error::custom)
}

/// Octets as people write them: `100M` is 100 × 2^20.
pub(crate) fn octets(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(1 << shift).filter(|octets| *octets > 0)
}

/// Where a secret is read from: never the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable that the operator named.
    Env(String),
}

impl SecretFrom {
    /// Reads it.
    ///
    /// # Errors
    /// A sentence for the operator, without the secret.
    pub fn read(&self) -> Result<Secret, String> {
        let secret = match self {
            Self::File(path) => first_line(path)?,
            Self::Env(name) => match std::env::var_os(name) {
                Some(value) => Secret::new(value.into_encoded_bytes()),
                None => return Err(format!("the environment variable {name} is not set")),
            },
        };
        match secret.is_empty() {
            true => Err(format!("{self} is empty")),
            false => Ok(secret),
        }
    }
}

impl fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Env(name) => write!(f, "the environment variable {name}"),
        }
    }
}

fn first_line(path: &Path) -> Result<Secret, String> {
    let wrong = |e: std::io::Error| format!("{}: cannot be read: {e}", path.display());
    let mut octets = Zeroizing::new(Vec::with_capacity(4096));
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(MOST_SECRET)
        .read_to_end(&mut octets)
        .map_err(wrong)?;
    let end = octets.iter().position(|b| matches!(b, b'\r' | b'\n'));
    Ok(Secret::new(&octets[..end.unwrap_or(octets.len())]))
}

/// One of two keys from which a secret may come.
///
/// # Errors
/// When both are there.
pub(crate) fn secret_from(
    file: Option<PathBuf>,
    env: Option<String>,
) -> Result<Option<SecretFrom>, &'static str> {
    match (file, env) {
        (Some(_), Some(_)) => Err("only one of the file and the variable can hold the secret"),
        (Some(path), None) => Ok(Some(SecretFrom::File(path))),
        (None, Some(name)) => Ok(Some(SecretFrom::Env(name))),
        (None, None) => Ok(None),
    }
}

/// A sender as people write one; a domain in any script becomes what the network knows.
pub(crate) fn mail_address(text: &str) -> Result<lettre::message::Mailbox, String> {
    let wrong = || format!("`{}` is no mail address", hikyaku_text::escape::clean(text));
    let mailbox: lettre::message::Mailbox = text.parse().map_err(|_| wrong())?;
    let domain = idna::domain_to_ascii(mailbox.email.domain()).map_err(|_| wrong())?;
    let email = lettre::Address::new(mailbox.email.user(), domain).map_err(|_| wrong())?;
    Ok(lettre::message::Mailbox::new(mailbox.name, email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_powers_of_two() {
        for (text, amount) in [
            ("100M", Some(100 << 20)),
            ("25", Some(25)),
            ("1K", Some(1024)),
            ("2G", Some(2 << 30)),
            ("0", None),
            ("", None),
            ("M", None),
            ("1T", None),
            ("1.5M", None),
            ("-1", None),
            ("99999999999G", None),
        ] {
            assert_eq!(octets(text), amount, "{text}");
        }
    }

    #[test]
    fn a_secret_is_the_first_line_of_its_file_and_is_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("smtp.pass");
        std::fs::write(&path, "planted-4f2a\r\nsecond line\n").unwrap();
        let secret = SecretFrom::File(path.clone()).read().unwrap();
        assert_eq!(secret.expose(), b"planted-4f2a");
        std::fs::write(&path, "\n").unwrap();
        let empty = SecretFrom::File(path.clone()).read().unwrap_err();
        assert_eq!(empty, format!("the file {} is empty", path.display()));
        let missing = SecretFrom::Env("HIKYAKU_TEST_NOT_SET".into()).read();
        assert_eq!(
            missing.unwrap_err(),
            "the environment variable HIKYAKU_TEST_NOT_SET is not set"
        );
    }

    #[test]
    fn colours_are_written_as_they_were_read() {
        let colour: Colour = "#0B5fA5".parse().unwrap();
        assert_eq!(
            (colour.0, colour.to_string()),
            ([11, 95, 165], "#0b5fa5".into())
        );
        for wrong in ["", "#fff", "0b5fa5", "#0b5fag", "#+b5fa5", "red"] {
            assert_eq!(wrong.parse::<Colour>(), Err(NoColour), "{wrong}");
        }
    }
}
