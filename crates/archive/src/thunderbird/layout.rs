//! Where the folders of a profile lie.

use super::names::{Cache, gmail_role, role};
use super::prefs::{Account, accounts};
use crate::dirs::{Dir, decode, name_of, without_ending};
use crate::disk;
use crate::maildir;
use crate::mbox;
use crate::store::Folder;
use crate::walk::{Closed, Tree, walk};
use hikyaku_core::{Fault, MailboxName, Role};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization;

/// Files of these kinds lie beside the folders.
const NOT_MAIL: [&str; 12] = [
    ".msf", ".dat", ".html", ".json", ".sqlite", ".txt", ".log", ".lock", ".rdf", ".mab", ".js",
    ".toc",
];

/// The directories of the tree by their path: what is not in it, such as what a link
/// leads to, is not looked into.
type Dirs<'a> = HashMap<&'a Path, &'a Dir>;

/// The mail of one account of one profile.
struct Postbox {
    /// What the person calls the account.
    name: String,
    folders: Vec<Told>,
}

struct Told {
    levels: Vec<String>,
    role: Option<Role>,
    place: PathBuf,
    has_mail: bool,
}

/// Every folder below the path: a profile, a directory of profiles, or the `Mail`
/// directory of one.
///
/// The first account with mail has its folders at the top; the others lie below their
/// name, so that two of them never meet by accident.
pub(crate) fn folders(path: &Path) -> Result<Vec<Folder>, Fault> {
    let Tree { dirs, closed } = walk(path)?;
    let known: Dirs<'_> = dirs.iter().map(|dir| (dir.path.as_path(), dir)).collect();
    let mut boxes = Vec::new();
    for profile in profiles(path, &dirs) {
        boxes.extend(of_profile(&profile, &known));
    }
    // A stable sort: order among those with mail stays.
    boxes.sort_by_key(|b: &Postbox| !b.folders.iter().any(|f| f.has_mail));
    let has_any = |b: &Postbox| b.folders.iter().any(|f| f.has_mail);
    let mut out = Vec::new();
    for (n, account) in boxes.iter().enumerate() {
        // What never held anything is no account worth a level of its own.
        if n > 0 && !has_any(account) {
            continue;
        }
        for told in &account.folders {
            let mut levels = told.levels.clone();
            if n > 0 {
                levels.insert(0, account.name.clone());
            }
            let name = MailboxName::new(levels).unwrap_or_else(MailboxName::inbox);
            let role = told.role.filter(|role| n == 0 || *role != Role::Inbox);
            let role = role.filter(|_| !name.is_inbox());
            out.push(Folder::new(name, &told.place).with_role(role));
        }
    }
    if !out.is_empty() {
        out.extend(closed.into_iter().map(lost));
    }
    Ok(out)
}

/// A directory that could not be looked into, named as the folder that it would be.
fn lost(closed: Closed) -> Folder {
    let is_root = |level: &String| level == "Mail" || level == "ImapMail";
    let inside = match closed.levels.iter().position(is_root) {
        // Below the directory of the account.
        Some(at) if closed.levels.len() > at + 2 => &closed.levels[at + 2..],
        _ => &closed.levels,
    };
    let plain = |level: &String| without_ending(level, ".sbd").unwrap_or(level).to_owned();
    let levels = inside.iter().map(plain).collect();
    closed.folder(levels)
}

/// Directories with `prefs.js`, else with `Mail` or `ImapMail`, else the path itself.
fn profiles(path: &Path, walked: &[Dir]) -> Vec<PathBuf> {
    let near = |dir: &&Dir| dir.levels.len() <= 4;
    let found = |is: &dyn Fn(&Dir) -> bool| -> Vec<PathBuf> {
        let dirs = walked.iter().filter(near).filter(|dir| is(dir));
        dirs.map(|dir| dir.path.clone()).collect()
    };
    let with_prefs = found(&|dir| dir.has_file("prefs.js"));
    if !with_prefs.is_empty() {
        return with_prefs;
    }
    let with_mail = found(&|dir| dir.has_dir("Mail") || dir.has_dir("ImapMail"));
    match with_mail.is_empty() {
        true => vec![path.to_owned()],
        false => with_mail,
    }
}

fn of_profile(profile: &Path, dirs: &Dirs<'_>) -> Vec<Postbox> {
    let cache = Cache::of(profile);
    let prefs = disk::beside(&profile.join("prefs.js")).unwrap_or_default();
    let mut known = Vec::new();
    let mut out = Vec::new();
    for account in accounts(&decode(&prefs)) {
        let directory: PathBuf = account.directory.iter().collect();
        if known.contains(&directory) {
            continue;
        }
        known.push(directory.clone());
        // Feeds and news are no mail.
        if !matches!(account.kind.as_str(), "rss" | "nntp") {
            out.push(of_account(
                &profile.join(&directory),
                &account,
                &cache,
                dirs,
            ));
        }
    }
    // Accounts that the preferences have forgotten, or a profile without any.
    for root in ["Mail", "ImapMail"] {
        let Some(dir) = dirs.get(profile.join(root).as_path()) else {
            continue;
        };
        for name in &dir.dirs {
            let directory = Path::new(root).join(name);
            let is_feeds = name.to_string_lossy().starts_with("Feeds");
            if known.contains(&directory) || is_feeds {
                continue;
            }
            let account = Account {
                kind: if root == "Mail" { "pop3" } else { "imap" }.to_owned(),
                name: name_of(name),
                directory: Vec::new(),
            };
            out.push(of_account(
                &profile.join(&directory),
                &account,
                &cache,
                dirs,
            ));
        }
    }
    let has_roots = ["Mail", "ImapMail"]
        .iter()
        .any(|r| dirs.contains_key(profile.join(r).as_path()));
    if out.is_empty() && !has_roots {
        let account = Account::default();
        out.push(of_account(profile, &account, &cache, dirs));
    }
    out
}

fn of_account(root: &Path, account: &Account, cache: &Cache, dirs: &Dirs<'_>) -> Postbox {
    let mut folders = Vec::new();
    let mut open = vec![(root.to_owned(), Vec::new())];
    while let Some((path, above)) = open.pop() {
        let Some(dir) = dirs.get(path.as_path()) else {
            continue;
        };
        for name in dir.files.iter().chain(&dir.dirs) {
            let text = name_of(name);
            let place = path.join(name);
            let is_dir = dir.dirs.contains(name);
            let stem = match is_dir {
                true => without_ending(&text, ".sbd"),
                false => None,
            };
            let (level, cached) = level(&path, stem.unwrap_or(&text), account, cache);
            let mut levels: Vec<String> = above.clone();
            levels.push(level);
            if stem.is_some() {
                open.push((place, levels));
                continue;
            }
            let has_mail = match is_dir {
                true => match dirs.get(place.as_path()) {
                    Some(inner) if maildir::is_maildir(&inner.dirs) => holds_files(&place, dirs),
                    _ => continue,
                },
                false if !is_mail(&place, &text) => continue,
                false => fs::symlink_metadata(&place).is_ok_and(|m| m.len() > 0),
            };
            let role = cached.or_else(|| known_role(&levels, &text));
            folders.push(Told {
                levels,
                role,
                place,
                has_mail,
            });
        }
    }
    Postbox {
        name: account.name.clone(),
        folders,
    }
}

/// One level of a name, and what Thunderbird says that it is for.
fn level(path: &Path, leaf: &str, account: &Account, cache: &Cache) -> (String, Option<Role>) {
    let (name, role) = cache.name(&path.join(format!("{leaf}.msf")));
    let is_own: String = leaf.nfc().collect();
    // Files of IMAP folders are named as the server spells them.
    let name = match account.kind == "imap" && name == is_own {
        true => maildir::utf7(&name).unwrap_or(name),
        false => name,
    };
    (name, role)
}

fn known_role(levels: &[String], leaf: &str) -> Option<Role> {
    match levels {
        [_] => role(leaf),
        [root, name] if root == "[Gmail]" || root == "[Google Mail]" => gmail_role(name),
        _ => None,
    }
}

fn is_mail(path: &Path, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if name.starts_with('.') || NOT_MAIL.iter().any(|end| lower.ends_with(end)) {
        return false;
    }
    // A file that cannot be opened is listed: its scan tells why.
    mbox::begins_like_mail(path).unwrap_or(true)
}

fn holds_files(maildir: &Path, dirs: &Dirs<'_>) -> bool {
    ["cur", "new"].iter().any(|sub| {
        let listed = dirs.get(maildir.join(sub).as_path());
        listed.is_some_and(|dir| !dir.files.is_empty())
    })
}
