//! Which directories are mailboxes, and what they are called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hikyaku_core::{Fault, MailboxName, Role};
use unicode_normalization::UnicodeNormalization;

use crate::dirs::{self, Dir, name_of, without_ending};
use crate::store::Folder;
use crate::walk::{Closed, walk};

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
pub(crate) fn layout(path: &Path) -> Result<Layout, Fault> {
    if path.is_file() {
        return Ok(Layout {
            mailboxes: single(path).into_iter().collect(),
            closed: Vec::new(),
        });
    }
    let top = dirs::list(path, Vec::new()).map_err(|e| crate::fault::missing(path, &e))?;
    let root = newest_version(&top.dirs).map_or_else(|| path.to_owned(), |dir| path.join(dir));
    let mut places = Vec::new();
    let tree = walk(&root)?;
    for dir in &tree.dirs {
        find(&root, dir, &mut places);
    }
    let mailboxes = name_all(places);
    let plain = |level: &String| mailbox_stem(level).unwrap_or_else(|| level.nfc().collect());
    // What is missing of attachments is told of their message.
    let is_folder = |c: &Closed| c.levels.iter().all(|level| level != "Attachments");
    let closed = tree.closed.into_iter().filter(is_folder).map(|c| {
        let levels = c.levels.iter().map(plain).collect();
        c.folder(levels)
    });
    // Without any mailbox the directories that cannot be read are none either.
    let closed = closed.filter(|_| !mailboxes.is_empty()).collect();
    Ok(Layout { mailboxes, closed })
}

/// What a path holds.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The mailboxes.
    pub(crate) mailboxes: Vec<Mailbox>,
    /// What could not be looked into.
    pub(crate) closed: Vec<Folder>,
}

/// How many levels of a directory with message files belong to the name of its mailbox:
/// those down to the last one that is named as a mailbox; where there is none, all but the
/// directories that Mail has inside a mailbox.
pub(crate) fn mailbox_levels(levels: &[String]) -> usize {
    let named = levels.iter().rposition(|level| is_mailbox(level));
    named.map_or_else(
        || {
            let outside = levels.iter().rposition(|l| !is_inside_a_mailbox(l));
            outside.map_or(0, |at| at + 1)
        },
        |at| at + 1,
    )
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
    let last = dir.levels.last().cloned();
    let own = last.unwrap_or_else(|| name_of(root.file_name().unwrap_or_default()));
    let is_message = |f: &OsString| f.as_encoded_bytes().ends_with(b".emlx");
    let has_messages = own == "Messages" || dir.files.iter().any(is_message);
    let is_of_mailbox = is_mailbox(&own);
    if !(has_messages || is_of_mailbox) || is_apart(&dir.levels) {
        return;
    }
    let depth = mailbox_levels(&dir.levels);
    let below = dir.path.strip_prefix(root).unwrap_or(&dir.path);
    let mailbox: PathBuf = root.iter().chain(below.iter().take(depth)).collect();
    let mut account_of = None;
    let mut levels: Vec<String> = top_name(root, depth).into_iter().collect();
    for (depth, level) in dir.levels[..depth].iter().enumerate() {
        if let Some(stem) = mailbox_stem(level) {
            levels.push(stem);
        } else if depth == 0 && (account(level).is_some() || is_identifier(level)) {
            account_of = Some(level.clone());
        } else if depth == 0 && level == LOCAL {
            // No level of a name.
        } else if is_inside_a_mailbox(level) && !levels.is_empty() {
            // `Messages`, `Data`, numbers, the identifier between them.
        } else {
            // A folder of bundles: the mailbox that has the others inside.
            levels.push(level.nfc().collect());
        }
    }
    if levels.is_empty() {
        return;
    }
    let exported = (dir.path == mailbox && dir.files.iter().any(|f| f == "mbox"))
        .then(|| dir.path.join("mbox"));
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

/// The name of what was named itself, where it is a level: a bundle, or what holds message
/// files without being in any mailbox.
fn top_name(root: &Path, depth: usize) -> Option<String> {
    let own = name_of(root.file_name()?);
    if let Some(stem) = mailbox_stem(&own) {
        return Some(stem);
    }
    let named = match own.as_str() {
        "Messages" | "Data" => name_of(root.parent()?.file_name()?),
        _ => own,
    };
    (depth == 0).then(|| mailbox_stem(&named).unwrap_or_else(|| named.nfc().collect()))
}

fn name_all(places: Vec<Placed>) -> Vec<Mailbox> {
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

/// Which of these directories of a store is read, where it has several: Mail leaves the
/// one of an older version behind when it moves to a new one.
pub(crate) fn newest_version(dirs: &[OsString]) -> Option<&OsString> {
    let numbered = dirs.iter().filter_map(|d| Some((version(&name_of(d))?, d)));
    numbered.max().map(|(_, dir)| dir)
}

/// Whether a directory of a store holds something else than mailboxes.
pub(crate) fn is_apart(levels: &[String]) -> bool {
    let is_top = |level: &String| NO_MAILBOXES.contains(&level.as_str());
    levels.first().is_some_and(is_top) || levels.iter().any(|level| level == "Attachments")
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
