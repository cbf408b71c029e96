//! Which directories are mailboxes, and what they are called.

use std::path::{Path, PathBuf};

use hikyaku_core::{Fault, MailboxName, Role};
use unicode_normalization::UnicodeNormalization;

use crate::dirs::{self, Dir, name_of, without_ending};

/// What a mailbox's directory ends with.
const ENDINGS: [&str; 3] = [".mbox", ".imapmbox", ".pop"];
/// Directories of a store that hold no mailboxes.
const NO_MAILBOXES: [&str; 4] = ["MailData", "Attachments", "Bundles", "Signatures"];
/// Mailboxes of this computer ("On My Mac") in a store.
const LOCAL: &str = "Mailboxes";
/// What an account's directory begins with, before its address.
const ACCOUNTS: [&str; 9] = [
    "IMAP-",
    "POP-",
    "Mac-",
    "EWS-",
    "AosIMAP-",
    "Exchange-",
    "ExchangeIMAP-",
    "MobileMe-",
    "LocalAccount-",
];

/// One mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// Decoded name; below its account where there are several.
    pub(crate) name: MailboxName,
    /// Special use, by the names that a store has on every Mac.
    pub(crate) role: Option<Role>,
    /// The directory.
    pub(crate) path: PathBuf,
    /// The file of an exported mailbox.
    pub(crate) exported: Option<PathBuf>,
    /// The directories with message files.
    pub(crate) messages: Vec<PathBuf>,
}

/// Whether a directory is a mailbox, by its name.
pub(crate) fn is_mailbox(name: &str) -> bool {
    mailbox_stem(name).is_some()
}

/// All mailboxes at a path: a bundle, a folder of bundles, or a store or any part of it.
///
/// # Faults
/// When the directory cannot be listed.
pub(crate) fn mailboxes(path: &Path) -> Result<Vec<Mailbox>, Fault> {
    if path.is_file() {
        return Ok(single(path).into_iter().collect());
    }
    let top = dirs::list(path, Vec::new()).map_err(|e| crate::fault::missing(path, &e))?;
    // Mail leaves the directory of an older version behind when it moves to a new one.
    let newest = top.dirs.iter().filter_map(|dir| {
        let number = version(&name_of(dir))?;
        Some((number, path.join(dir)))
    });
    let root = newest
        .max()
        .map_or_else(|| path.to_owned(), |(_, path)| path);
    let mut places = Vec::new();
    for dir in dirs::walk(&root, &mut |path, error| {
        tracing::warn!(path = %path.display(), %error, "a directory cannot be read");
    })? {
        find(&root, &dir, &mut places);
    }
    Ok(name_all(&root, places))
}

/// A mailbox before it is known how many accounts there are.
struct Placed {
    account: Option<String>,
    levels: Vec<String>,
    path: PathBuf,
    exported: Option<PathBuf>,
    messages: Vec<PathBuf>,
}

fn find(root: &Path, dir: &Dir, places: &mut Vec<Placed>) {
    let own = name_of(root.file_name().unwrap_or_default());
    let mut account_of = None;
    let mut levels = Vec::new();
    // The bundle itself may have been named.
    if let Some(stem) = mailbox_stem(&own) {
        levels.push(stem);
    }
    let mut path = root.to_owned();
    let mut mailbox = (!levels.is_empty()).then(|| path.clone());
    for (depth, level) in dir.levels.iter().enumerate() {
        let Some(name) = dir
            .path
            .strip_prefix(root)
            .ok()
            .and_then(|p| p.iter().nth(depth))
        else {
            return;
        };
        path.push(name);
        if NO_MAILBOXES.contains(&level.as_str()) && depth == 0 || level == "Attachments" {
            return;
        }
        if let Some(stem) = mailbox_stem(level) {
            levels.push(stem);
            mailbox = Some(path.clone());
        } else if mailbox.is_some() && is_inside_a_mailbox(level) {
            // `Messages`, `Data`, numbers, the identifier between them.
        } else if depth == 0 && (account(level).is_some() || is_identifier(level)) {
            account_of = Some(level.clone());
        } else if depth == 0 && level == LOCAL {
        } else if mailbox.is_some() {
            return;
        } else {
            // A folder of bundles: the mailbox that has the others inside.
            levels.push(level.nfc().collect());
        }
    }
    let (Some(mailbox), false) = (mailbox, levels.is_empty()) else {
        return;
    };
    let exported = (dir.path == mailbox && dir.files.iter().any(|f| f == "mbox"))
        .then(|| dir.path.join("mbox"));
    let has_messages = name_of(dir.path.file_name().unwrap_or_default()) == "Messages";
    if exported.is_none() && !has_messages && dir.path != mailbox {
        return;
    }
    let known = places.iter_mut().find(|p| p.path == mailbox);
    match known {
        Some(place) => {
            place.exported = place.exported.take().or(exported);
            place
                .messages
                .extend(has_messages.then(|| dir.path.clone()));
        }
        None => places.push(Placed {
            account: account_of,
            levels,
            path: mailbox,
            exported,
            messages: has_messages.then(|| dir.path.clone()).into_iter().collect(),
        }),
    }
}

fn name_all(root: &Path, places: Vec<Placed>) -> Vec<Mailbox> {
    let holds = |p: &Placed| p.exported.is_some() || !p.messages.is_empty();
    let mut accounts: Vec<&String> = places
        .iter()
        .filter(|p| holds(p))
        .filter_map(|p| p.account.as_ref())
        .collect();
    accounts.sort();
    accounts.dedup();
    let several = accounts.len() > 1;
    let mut out = Vec::new();
    for place in places.iter().filter(|p| holds(p)) {
        let is_store = place.exported.is_none();
        let role = (is_store && place.levels.len() == 1)
            .then(|| role(&place.levels[0]))
            .flatten();
        let above = place.account.as_ref().filter(|_| several);
        let mut levels: Vec<String> = above.map(|a| address(a)).into_iter().collect();
        levels.extend(place.levels.iter().cloned());
        let Some(name) = MailboxName::new(levels) else {
            continue;
        };
        out.push(Mailbox {
            name,
            role,
            path: place.path.clone(),
            exported: place.exported.clone(),
            messages: place.messages.clone(),
        });
    }
    if out.is_empty() {
        out.extend(loose(root));
    }
    out
}

/// A message file, or the mbox of a bundle, that was named itself.
fn single(path: &Path) -> Option<Mailbox> {
    let file = name_of(path.file_name()?);
    let is_message = without_ending(&file, ".emlx").is_some();
    let named = match file == "mbox" {
        true => name_of(path.parent()?.file_name()?),
        false => file,
    };
    let name = mailbox_stem(&named).unwrap_or(named);
    Some(Mailbox {
        name: MailboxName::new(vec![name])?,
        role: None,
        path: path.to_owned(),
        exported: (!is_message).then(|| path.to_owned()),
        messages: is_message.then(|| path.to_owned()).into_iter().collect(),
    })
}

/// A directory `Messages` that was taken out of its mailbox, or one with message files.
fn loose(root: &Path) -> Option<Mailbox> {
    let dir = dirs::list(root, Vec::new()).ok()?;
    let is_message = |f: &std::ffi::OsString| super::messages::file_number(f).is_some();
    let messages = match dir.files.iter().any(is_message) {
        true => root.to_owned(),
        false if dir.has_dir("Messages") => root.join("Messages"),
        false => return None,
    };
    let named = match name_of(root.file_name()?).as_str() {
        "Messages" | "Data" => name_of(root.parent()?.file_name()?),
        other => other.to_owned(),
    };
    Some(Mailbox {
        name: MailboxName::new(vec![mailbox_stem(&named).unwrap_or(named)])?,
        role: None,
        path: root.to_owned(),
        exported: None,
        messages: vec![messages],
    })
}

/// The number of a directory such as `V10`.
fn version(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('V')?;
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The mailbox that a directory's name means, as people write it.
fn mailbox_stem(name: &str) -> Option<String> {
    let stem = ENDINGS.iter().find_map(|e| without_ending(name, e))?;
    Some(stem.nfc().collect())
}

/// The address in the name of an account's directory.
fn account(name: &str) -> Option<&str> {
    ACCOUNTS.iter().find_map(|prefix| name.strip_prefix(prefix))
}

fn address(directory: &str) -> String {
    account(directory).unwrap_or(directory).nfc().collect()
}

/// Whether a name has the form of a UUID, as accounts and the insides of mailboxes have.
fn is_identifier(name: &str) -> bool {
    let groups: Vec<&str> = name.split('-').collect();
    groups.len() == 5
        && groups[0].len() == 8
        && groups
            .iter()
            .all(|g| g.len() >= 4 && g.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Directories between a mailbox and its messages.
fn is_inside_a_mailbox(name: &str) -> bool {
    let is_number = name.len() <= 3 && name.bytes().all(|b| b.is_ascii_digit());
    name == "Messages" || name == "Data" || is_number || is_identifier(name)
}

/// The special use of a mailbox that lies directly in an account. The names on disk are
/// English on every Mac.
fn role(name: &str) -> Option<Role> {
    Some(match name {
        "INBOX" => Role::Inbox,
        "Sent Messages" => Role::Sent,
        "Deleted Messages" => Role::Trash,
        "Drafts" => Role::Drafts,
        "Junk" => Role::Junk,
        "Archive" => Role::Archive,
        _ => return None,
    })
}
