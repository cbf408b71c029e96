//! `prefs.js`: which accounts a profile has, and where their mail lies.

use std::collections::{BTreeMap, HashSet};

/// An account's server, as the preferences describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// `none` (Local Folders), `pop3`, `imap`, `rss`, `nntp`.
    pub(crate) kind: String,
    /// What the person calls it.
    pub(crate) name: String,
    /// Its directory below the profile, level by level.
    pub(crate) directory: Vec<String>,
}

/// The accounts in the person's own order, the default one first.
pub(crate) fn accounts(text: &str) -> Vec<Account> {
    let prefs = parse(text);
    let get = |key: String| prefs.get(&key).cloned().unwrap_or_default();
    let mut ids: Vec<String> = get("mail.accountmanager.accounts".to_owned())
        .split(',')
        .map(|id| id.trim().to_owned())
        .filter(|id| !id.is_empty())
        .collect();
    let default = get("mail.accountmanager.defaultaccount".to_owned());
    ids.sort_by_key(|id| *id != default);
    // An account or a server that is named twice is one.
    let mut known = HashSet::new();
    ids.retain(|id| known.insert(id.clone()));
    let mut servers = HashSet::new();
    ids.iter()
        .filter_map(|id| {
            let server = get(format!("mail.account.{id}.server"));
            if !servers.insert(server.clone()) {
                return None;
            }
            let of = |what: &str| get(format!("mail.server.{server}.{what}"));
            let user = match (of("userName"), of("hostname")) {
                (user, host) if user.contains('@') || host.is_empty() => user,
                (user, host) => format!("{user}@{host}"),
            };
            let name = Some(of("name")).filter(|n| !n.is_empty()).unwrap_or(user);
            let relative = of("directory-rel");
            let directory = match relative.strip_prefix("[ProfD]") {
                Some(below) => below.split('/').map(str::to_owned).collect(),
                None => below_profile(&of("directory"))?,
            };
            let is_plain = |l: &String| !l.is_empty() && l != "." && l != ".." && !l.contains('\\');
            directory.iter().all(is_plain).then(|| Account {
                kind: of("type"),
                name,
                directory,
            })
        })
        .collect()
}

/// The last two levels of an absolute path of another computer: `Mail/pop.example.jp`.
fn below_profile(path: &str) -> Option<Vec<String>> {
    let mut levels = path.split(['/', '\\']).rev().filter(|l| !l.is_empty());
    let (leaf, parent) = (levels.next()?, levels.next()?);
    Some(vec![parent.to_owned(), leaf.to_owned()])
}

/// Names and values; numbers and truth values as their text.
fn parse(text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for line in text.lines() {
        let call = line.trim().strip_prefix("user_pref(");
        let Some(mut rest) = call.and_then(|c| c.strip_suffix(");")) else {
            continue;
        };
        if let (Some(name), Some(())) = (string(&mut rest), comma(&mut rest)) {
            let value = string(&mut rest).unwrap_or_else(|| rest.trim().to_owned());
            out.insert(name, value);
        }
    }
    out
}

fn comma(rest: &mut &str) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(',')?;
    Some(())
}

/// A JavaScript string with double quotes.
fn string(rest: &mut &str) -> Option<String> {
    let inner = rest.trim_start().strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                *rest = &inner[at + 1..];
                return Some(out);
            }
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                'u' => {
                    let hex: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    let unit = u32::from_str_radix(&hex, 16).ok();
                    out.push(unit.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                }
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accounts_come_with_name_and_directory() {
        let text = r#"
// a comment
user_pref("mail.accountmanager.accounts", "account1,account2,account3,account9");
user_pref("mail.accountmanager.defaultaccount", "account2");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account2.server", "server2");
user_pref("mail.account.account3.server", "server3");
user_pref("mail.server.server1.type", "none");
user_pref("mail.server.server1.name", "\u30edローカル \"x\"");
user_pref("mail.server.server1.directory-rel", "[ProfD]Mail/Local Folders");
user_pref("mail.server.server2.type", "pop3");
user_pref("mail.server.server2.userName", "taro");
user_pref("mail.server.server2.hostname", "pop.example.jp");
user_pref("mail.server.server2.port", 995);
user_pref("mail.server.server2.directory", "C:\\Users\\taro\\Profiles\\x\\Mail\\pop.example.jp");
user_pref("mail.server.server3.type", "imap");
user_pref("mail.server.server3.directory-rel", "[ProfD]../../../etc");
"#;
        let account = |kind: &str, name: &str, directory: [&str; 2]| Account {
            kind: kind.to_owned(),
            name: name.to_owned(),
            directory: directory.map(str::to_owned).to_vec(),
        };
        assert_eq!(
            accounts(text),
            [
                account("pop3", "taro@pop.example.jp", ["Mail", "pop.example.jp"]),
                account("none", "ロローカル \"x\"", ["Mail", "Local Folders"]),
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(value in "\\PC{0,40}") {
            let _accounts = accounts(&format!(
                "user_pref(\"mail.accountmanager.accounts\", \"a\");\nuser_pref(\"mail.account.a.server\", \"{value}\");\nuser_pref(\"mail.server.{value}.directory-rel\", \"[ProfD]{value}\");\n{value}"
            ));
        }
    }
}
