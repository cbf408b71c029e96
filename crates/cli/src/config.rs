//! The configuration: saved accounts and defaults, in TOML.
//!
//! Every mistake is found before anything else happens, with its line.

#[cfg(test)]
mod tests;

use crate::account::AccountOptions;
use crate::locator::{ArchiveKind, Locator, LocatorProblem, ServerLocator, is_saved_name};
use crate::secret::SecretFrom;
use crate::suggest;
use crate::values;
use hikyaku_text::Lang;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Everything that the file says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Config {
    /// Language of texts.
    pub(crate) lang: Option<Lang>,
    /// Where the ledger lives.
    pub(crate) state: Option<PathBuf>,
    /// Most mailboxes at once.
    pub(crate) connections: Option<usize>,
    /// Octets per second.
    pub(crate) bandwidth: Option<u64>,
    /// Saved accounts by name.
    pub(crate) accounts: BTreeMap<String, Account>,
}

/// A saved account.
#[derive(Debug, PartialEq)]
pub(crate) struct Account {
    /// Where it is.
    pub(crate) place: SavedPlace,
    /// How it is reached.
    pub(crate) options: AccountOptions,
}

/// Where a saved account is.
#[derive(Debug, PartialEq)]
pub(crate) enum SavedPlace {
    /// On a server.
    Server(ServerLocator),
    /// On this computer: mail in files or a backup, to be recognised where no kind is named.
    Files(Option<ArchiveKind>, PathBuf),
}

impl fmt::Display for SavedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(locator) => locator.fmt(f),
            Self::Files(kind, path) => Locator::Archive {
                kind: *kind,
                path: path.clone(),
            }
            .fmt(f),
        }
    }
}

/// Why the file cannot be used.
#[derive(Debug, PartialEq)]
pub(crate) struct ConfigProblem {
    /// Which file.
    pub(crate) path: PathBuf,
    /// Line, from 1; `None` when the whole file is meant.
    pub(crate) line: Option<usize>,
    /// What is wrong there.
    pub(crate) why: Why,
}

/// What is wrong.
#[derive(Debug, PartialEq)]
pub(crate) enum Why {
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
    /// It is no TOML; the parser's words.
    Syntax(String),
    /// A key that means nothing here, and the nearest that does.
    Key(String, Option<&'static str>),
    /// A key whose value has to be something else; what.
    Type(String, Expected),
    /// A password stands in the file.
    Password(String),
    /// Two keys of which only one can hold.
    Both(&'static str, &'static str),
    /// An account's name that cannot be written as `name:`.
    Name(String),
    /// An account without a locator.
    Missing(String),
    /// A locator that cannot be read.
    Locator(String, LocatorProblem),
    /// A locator of a kind that cannot be saved.
    Kind(&'static str),
    /// Mail on this computer with a setting about a server.
    OnDisk,
}

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A table.
    Table,
    /// A text in quotes, not empty.
    Text,
    /// A whole number from 1.
    Count,
    /// `"ja"` or `"en"`.
    Lang,
    /// An amount such as `"2M"`.
    Rate,
    /// 64 hexadecimal digits.
    Pin,
}

const TOP: [&str; 5] = ["lang", "state", "connections", "bwlimit", "accounts"];

const ACCOUNT: [&str; 11] = [
    "locator",
    "password-file",
    "password-command",
    "password-env",
    "token-file",
    "token-command",
    "token-env",
    "authzid",
    "ca-file",
    "pin",
    "connections",
];

/// Keys by which people try to write the secret itself.
const SECRETS: [&str; 5] = ["password", "pass", "passwd", "token", "secret"];

impl Config {
    /// Reads the file. A missing file is an empty configuration unless the person
    /// named it.
    pub(crate) fn load(path: &Path, named: bool) -> Result<Self, ConfigProblem> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !named => Ok(Self::default()),
            Err(e) => Err(ConfigProblem {
                path: path.to_owned(),
                line: None,
                why: Why::Unreadable(e.kind()),
            }),
        }
    }

    /// Reads the text of a file; relative paths in it start at the file's directory.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigProblem> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let at = |span: Option<Range<usize>>, why: Why| ConfigProblem {
            path: path.to_owned(),
            line: span.map(|s| line_of(text, s.start)),
            why,
        };
        let table = DeTable::parse(text)
            .map_err(|e| at(e.span(), Why::Syntax(first_words(e.message()))))?;
        let reader = Reader {
            base: path.parent().unwrap_or(Path::new("")),
        };
        reader
            .config(table.get_ref())
            .map_err(|(span, why)| at(Some(span), why))
    }

    /// Where the file is when nobody says: `$XDG_CONFIG_HOME/hikyaku/config.toml`.
    pub(crate) fn usual_path() -> Option<PathBuf> {
        crate::paths::config_home().map(|home| home.join("hikyaku").join("config.toml"))
    }
}

type Found<T> = Result<T, (Range<usize>, Why)>;
type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'p> {
    base: &'p Path,
}

impl Reader<'_> {
    fn config(&self, table: &DeTable<'_>) -> Found<Config> {
        let mut config = Config::default();
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "lang" => config.lang = Some(self.lang(key, value)?),
                "state" => config.state = Some(self.path(key, value)?),
                "connections" => config.connections = Some(self.count(key, value)?),
                "bwlimit" => {
                    let text = self.text(key, value)?;
                    let rate =
                        values::rate(&text).map_err(|_| wrong(key, value, Expected::Rate))?;
                    config.bandwidth = Some(rate);
                }
                "accounts" => config.accounts = self.accounts(key, value)?,
                other => return Err(unknown(key, other, &TOP)),
            }
        }
        Ok(config)
    }

    fn accounts(
        &self,
        key: &Spanned<Key<'_>>,
        value: &Value<'_>,
    ) -> Found<BTreeMap<String, Account>> {
        let table = self.table(key, value)?;
        let mut accounts = BTreeMap::new();
        for (name, value) in table.iter() {
            if !is_saved_name(name.get_ref()) {
                return Err((name.span(), Why::Name(name.get_ref().to_string())));
            }
            let account = self.account(name, self.table(name, value)?)?;
            accounts.insert(name.get_ref().to_string(), account);
        }
        Ok(accounts)
    }

    fn account(&self, name: &Spanned<Key<'_>>, table: &DeTable<'_>) -> Found<Account> {
        let mut locator = None;
        let mut options = AccountOptions::default();
        for (key, value) in table.iter() {
            let text = || self.text(key, value);
            match key.get_ref().as_ref() {
                "locator" => locator = Some(self.locator(key, value)?),
                "password-file" => {
                    let from = SecretFrom::File(self.path(key, value)?);
                    set(&mut options.password, from, key, "password-…")?;
                }
                "password-command" => {
                    set(
                        &mut options.password,
                        SecretFrom::Command(text()?),
                        key,
                        "password-…",
                    )?;
                }
                "password-env" => {
                    set(
                        &mut options.password,
                        SecretFrom::Env(text()?),
                        key,
                        "password-…",
                    )?;
                }
                "token-file" => {
                    let from = SecretFrom::File(self.path(key, value)?);
                    set(&mut options.token, from, key, "token-…")?;
                }
                "token-command" => {
                    set(
                        &mut options.token,
                        SecretFrom::Command(text()?),
                        key,
                        "token-…",
                    )?;
                }
                "token-env" => {
                    set(&mut options.token, SecretFrom::Env(text()?), key, "token-…")?;
                }
                "authzid" => options.authzid = Some(text()?),
                "ca-file" => options.ca_file = Some(self.path(key, value)?),
                "pin" => {
                    let pin = text()?
                        .parse()
                        .map_err(|_| wrong(key, value, Expected::Pin))?;
                    options.pin = Some(pin);
                }
                "connections" => options.connections = Some(self.count(key, value)?),
                other if SECRETS.contains(&other) => {
                    return Err((key.span(), Why::Password(other.to_owned())));
                }
                other => return Err(unknown(key, other, &ACCOUNT)),
            }
        }
        if options.password.is_some() && options.token.is_some() {
            return Err((name.span(), Why::Both("password-…", "token-…")));
        }
        if options.ca_file.is_some() && options.pin.is_some() {
            return Err((name.span(), Why::Both("ca-file", "pin")));
        }
        let place =
            locator.ok_or_else(|| (name.span(), Why::Missing(name.get_ref().to_string())))?;
        if matches!(place, SavedPlace::Files(..)) && options != AccountOptions::default() {
            return Err((name.span(), Why::OnDisk));
        }
        Ok(Account { place, options })
    }

    fn locator(&self, key: &Spanned<Key<'_>>, value: &Value<'_>) -> Found<SavedPlace> {
        use ArchiveKind::{Msg, Pst};
        let text = self.text(key, value)?;
        match Locator::parse(&text) {
            Ok(Locator::Server(server)) => Ok(SavedPlace::Server(server)),
            Ok(Locator::Archive { kind, path }) if !matches!(kind, Some(Pst | Msg)) => {
                Ok(SavedPlace::Files(kind, self.resolved(&path)))
            }
            Ok(other) => Err((value.span(), Why::Kind(other.kind()))),
            Err(why) => Err((value.span(), Why::Locator(text, why))),
        }
    }

    fn table<'v, 'a>(
        &self,
        key: &Spanned<Key<'_>>,
        value: &'v Value<'a>,
    ) -> Found<&'v DeTable<'a>> {
        let table = value.get_ref().as_table();
        table.ok_or_else(|| wrong(key, value, Expected::Table))
    }

    fn text(&self, key: &Spanned<Key<'_>>, value: &Value<'_>) -> Found<String> {
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(wrong(key, value, Expected::Text)),
        }
    }

    fn path(&self, key: &Spanned<Key<'_>>, value: &Value<'_>) -> Found<PathBuf> {
        Ok(self.resolved(Path::new(&self.text(key, value)?)))
    }

    /// A path of the file: `~/` is the home directory, others start beside the file.
    fn resolved(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), crate::paths::home()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.base.join(path),
        }
    }

    fn count(&self, key: &Spanned<Key<'_>>, value: &Value<'_>) -> Found<usize> {
        value
            .get_ref()
            .as_integer()
            .and_then(|i| usize::from_str_radix(i.as_str(), i.radix()).ok())
            .filter(|count| (1..=crate::args::MOST_CONNECTIONS).contains(count))
            .ok_or_else(|| wrong(key, value, Expected::Count))
    }

    fn lang(&self, key: &Spanned<Key<'_>>, value: &Value<'_>) -> Found<Lang> {
        let lang = value.get_ref().as_str().and_then(Lang::from_name);
        lang.ok_or_else(|| wrong(key, value, Expected::Lang))
    }
}

type Key<'a> = std::borrow::Cow<'a, str>;

fn wrong(key: &Spanned<Key<'_>>, value: &Value<'_>, expected: Expected) -> (Range<usize>, Why) {
    (value.span(), Why::Type(key.get_ref().to_string(), expected))
}

fn unknown(key: &Spanned<Key<'_>>, name: &str, known: &[&'static str]) -> (Range<usize>, Why) {
    let like = suggest::nearest(name, known.iter().copied());
    (key.span(), Why::Key(name.to_owned(), like))
}

fn set(
    place: &mut Option<SecretFrom>,
    from: SecretFrom,
    key: &Spanned<Key<'_>>,
    family: &'static str,
) -> Found<()> {
    match place.replace(from) {
        None => Ok(()),
        Some(_) => Err((key.span(), Why::Both(family, family))),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|&&b| b == b'\n').count() + 1
}

/// The parser's first line, without what it quotes of the file below.
fn first_words(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}
