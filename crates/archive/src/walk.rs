//! The one walk through a tree of directories: it never leaves the tree, it ends, and it
//! names what it did not look into, links that lead elsewhere among it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hikyaku_core::{Code, Fault, MailboxName, Reach, Remedy};

use crate::dirs::{self, Dir, name_of};
use crate::fault;
use crate::store::Folder;

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Directories inside directories.
    pub(crate) depth: usize,
    /// Directories in all.
    pub(crate) dirs: usize,
}

impl Bounds {
    /// For reading: deeper and wider than any mail program goes.
    const READING: Bounds = Bounds {
        depth: 64,
        dirs: 500_000,
    };
}

/// What a walk saw.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Each directory before those inside it.
    pub(crate) dirs: Vec<Dir>,
    /// What was not looked into, by name.
    pub(crate) closed: Vec<Closed>,
}

/// A directory that was not looked into, or a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// As [`Dir::levels`].
    pub(crate) levels: Vec<String>,
    /// Why, with the place; of the reach of one mailbox.
    pub(crate) fault: Fault,
}

impl Closed {
    /// As a folder whose scan tells why nothing of it is read. `levels` is what the
    /// format would call it.
    pub(crate) fn folder(self, levels: Vec<String>) -> Folder {
        let name = MailboxName::new(levels).unwrap_or_else(MailboxName::inbox);
        Folder::new(name, self.path).lost(self.fault)
    }
}

/// The directory and all below it, sorted by name, those inside one directly behind it.
///
/// # Faults
/// When the directory itself cannot be listed.
pub(crate) fn walk(root: &Path) -> Result<Tree, Fault> {
    let mut tree = wander(root, Bounds::READING, true)?;
    let links = tree.dirs.iter().flat_map(|dir| {
        let link = |name: &OsString| {
            (
                dir.path.join(name),
                [&dir.levels[..], &[name_of(name)]].concat(),
            )
        };
        dir.links.iter().map(link)
    });
    let mut elsewhere = Vec::new();
    for (path, levels) in links {
        elsewhere.extend(leads_out(root, &path).map(|fault| Closed {
            path,
            levels,
            fault,
        }));
    }
    tree.closed.extend(elsewhere);
    Ok(tree)
}

/// The fault of a link to what is there and not in the tree: nobody else finds that.
fn leads_out(root: &Path, link: &Path) -> Option<Fault> {
    let target = link.canonicalize().ok()?;
    let is_inside = root
        .canonicalize()
        .is_ok_and(|root| target.starts_with(root));
    (!is_inside).then(|| {
        let detail = format!(
            "{}: a link, not followed, to {}",
            link.display(),
            target.display()
        );
        Fault::new(
            Code::MailboxUnreadable,
            Reach::Mailbox,
            Remedy::AskUser,
            detail,
        )
    })
}

/// As [`walk`], the near ones before the far ones: somebody may have named a whole disk.
///
/// # Faults
/// As [`walk`].
pub(crate) fn look_around(root: &Path, bounds: Bounds) -> Result<Tree, Fault> {
    wander(root, bounds, false)
}

/// What waits is taken from the front; what is inside a directory goes there too, or to
/// the end. Depth costs no recursion.
fn wander(root: &Path, bounds: Bounds, is_deep_first: bool) -> Result<Tree, Fault> {
    let mut tree = Tree::default();
    let mut open = VecDeque::from([(root.to_owned(), Vec::new())]);
    while let Some((path, levels)) = open.pop_front() {
        let closed = |fault| Closed {
            path: path.clone(),
            levels: levels.clone(),
            fault,
        };
        if tree.dirs.len() >= bounds.dirs {
            let more = format!("more than {} directories", bounds.dirs);
            tree.closed.push(closed(excess(&path, &more)));
            break;
        }
        if levels.len() > bounds.depth {
            let deep = format!("more than {} directories deep", bounds.depth);
            tree.closed.push(closed(excess(&path, &deep)));
            continue;
        }
        match dirs::list(&path, levels.clone()) {
            Ok(dir) => {
                let inside = |name: &OsString| {
                    let mut inner = levels.clone();
                    inner.push(name_of(name));
                    (path.join(name), inner)
                };
                match is_deep_first {
                    true => dir
                        .dirs
                        .iter()
                        .rev()
                        .for_each(|name| open.push_front(inside(name))),
                    false => open.extend(dir.dirs.iter().map(inside)),
                }
                tree.dirs.push(dir);
            }
            Err(error) if levels.is_empty() => return Err(fault::missing(root, &error)),
            Err(error) => tree.closed.push(closed(fault::folder(&path, &error))),
        }
    }
    Ok(tree)
}

fn excess(path: &Path, what: &str) -> Fault {
    let detail = format!("{}: {what}", path.display());
    Fault::new(Code::ArchiveExcess, Reach::Mailbox, Remedy::AskUser, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        fs::create_dir_all(root.path().join("b/a")).unwrap();
        fs::write(root.path().join("b/2"), "").unwrap();
        fs::write(root.path().join("b/1"), "").unwrap();
        for (to, link) in [(outside.path(), "out"), (root.path(), "b/again")] {
            std::os::unix::fs::symlink(to, root.path().join(link)).unwrap();
        }
        std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("b/0")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("b/lock")).unwrap();
        let tree = walk(root.path()).unwrap();
        // What leads into the tree is there already, what leads nowhere is no mail.
        let closed = tree.closed.iter();
        let closed: Vec<_> = closed.map(|c| (c.levels.join("/"), c.fault.code)).collect();
        assert_eq!(
            closed,
            [
                ("out".to_owned(), Code::MailboxUnreadable),
                ("b/0".to_owned(), Code::MailboxUnreadable)
            ]
        );
        let told: Vec<_> = tree
            .dirs
            .iter()
            .map(|d| (d.levels.join("/"), d.files.clone()))
            .collect();
        assert_eq!(
            told,
            [
                (String::new(), vec![]),
                ("b".to_owned(), vec!["1".into(), "2".into()]),
                ("b/a".to_owned(), vec![]),
            ]
        );
    }

    fn told(tree: &Tree) -> (Vec<String>, Vec<String>) {
        let dirs = tree.dirs.iter().map(|d| d.levels.join("/")).collect();
        let closed = tree.closed.iter();
        let line = |c: &Closed| format!("{}: {}", c.levels.join("/"), c.fault.code);
        (dirs, closed.map(line).collect())
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_named() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["a/b/c", "d/e", "f"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let strings = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = walk(root.path()).unwrap();
        let wanted = ["", "a", "a/b", "a/b/c", "d", "d/e", "f"];
        assert_eq!(told(&all), (strings(&wanted), strings(&[])));
        let bounds = Bounds { depth: 1, dirs: 9 };
        let near = look_around(root.path(), bounds).unwrap();
        assert_eq!(
            told(&near),
            (
                strings(&["", "a", "d", "f"]),
                strings(&["a/b: archive.excess", "d/e: archive.excess"])
            )
        );
        let bounds = Bounds { depth: 9, dirs: 4 };
        let few = look_around(root.path(), bounds).unwrap();
        assert_eq!(
            told(&few),
            (
                strings(&["", "a", "d", "f"]),
                strings(&["a/b: archive.excess"])
            )
        );
    }
}
