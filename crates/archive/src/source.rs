//! Any store as a source: what is known of its folders, and since when.

use crate::options::Options;
use crate::reader::Opened;
use crate::store::{Folder, Store};
use crate::survey::{MOST_ITEMS, Survey, survey};
use futures::future::BoxFuture;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::traits::{Ask, Reader, Source};
use hikyaku_core::{Abilities, Code, Fault, MailboxInfo, MailboxName, Reach, Remedy, WireName};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most folders that are read at once.
const LANES: usize = 4;

/// How many folders are read at once: each keeps a processor busy, and some megabytes of memory.
fn lanes() -> usize {
    std::thread::available_parallelism().map_or(2, |processors| processors.get().clamp(2, LANES))
}

/// An archive as a source. Clones share it.
#[derive(Clone)]
pub struct ArchiveSource {
    shared: Arc<Shared>,
}

/// What all readers of one archive share.
pub(crate) struct Shared {
    pub(crate) store: Box<dyn Store>,
    pub(crate) options: Options,
    /// Path of the archive, for a person.
    place: String,
    abilities: Abilities,
    known: Mutex<BTreeMap<MailboxName, Known>>,
    /// Messages that surveys remember: [`MOST_ITEMS`] at most.
    items: AtomicUsize,
}

/// A folder, and what the last scan of it came to.
#[derive(Clone)]
struct Known {
    folder: Arc<Folder>,
    survey: Option<Arc<Survey>>,
}

impl ArchiveSource {
    /// A source over a format's reader; `place` is the archive's path, for a person.
    pub fn new(store: Box<dyn Store>, place: String, options: Options) -> Self {
        let abilities = Abilities::of_a_reader(lanes());
        Self {
            shared: Arc::new(Shared {
                store,
                options,
                place,
                abilities,
                known: Mutex::default(),
                items: AtomicUsize::new(0),
            }),
        }
    }
}

impl Shared {
    /// With the archive's path.
    pub(crate) fn placed(&self, fault: Fault) -> Fault {
        fault.server(self.place.clone())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<MailboxName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks which folders there are now; surveys of the ones that stayed are kept.
    fn look(&self) -> Result<Vec<Arc<Folder>>, Fault> {
        let folders = distinct(self.store.folders().map_err(|f| self.placed(f))?);
        let mut known = self.known();
        let mut before = std::mem::take(&mut *known);
        for (name, folder) in &folders {
            let survey = before
                .remove(name)
                .filter(|k| k.folder.place == folder.place)
                .and_then(|k| k.survey);
            let now = Known {
                folder: folder.clone(),
                survey,
            };
            known.insert(name.clone(), now);
        }
        Ok(folders.into_values().collect())
    }

    fn folder(&self, name: &MailboxName) -> Result<Arc<Folder>, Fault> {
        if let Some(known) = self.known().get(name) {
            return Ok(known.folder.clone());
        }
        self.look()?;
        let known = self.known().get(name).map(|k| k.folder.clone());
        known.ok_or_else(|| {
            let fault = Fault::new(
                Code::MailboxMissing,
                Reach::Mailbox,
                Remedy::AskUser,
                "no such folder in the archive",
            );
            self.placed(fault)
        })
    }

    /// What the folder holds now: an earlier survey when nothing can have changed since.
    pub(crate) fn survey(&self, folder: &Folder) -> Result<Arc<Survey>, Fault> {
        let stamp = self.store.stamp(folder);
        let earlier = self
            .known()
            .get(&folder.name)
            .and_then(|k| k.survey.clone());
        if let Some(earlier) = earlier.filter(|s| stamp.is_some() && s.stamp == stamp) {
            return Ok(earlier);
        }
        let fresh = survey(self.store.as_ref(), folder, stamp, &self.options);
        let mut fresh = fresh.map_err(|f| self.placed(f.mailbox(&folder.name)))?;
        let mut known = self.known();
        let Some(known) = known.get_mut(&folder.name) else {
            return Ok(Arc::new(fresh.without_items()));
        };
        // Under the lock: nobody else counts meanwhile.
        let before = known.survey.as_ref().map_or(0, |survey| remembered(survey));
        let others = self.items.load(Ordering::Relaxed).saturating_sub(before);
        if others + remembered(&fresh) > MOST_ITEMS {
            fresh = fresh.without_items();
        }
        self.items
            .store(others + remembered(&fresh), Ordering::Relaxed);
        let fresh = Arc::new(fresh);
        known.survey = Some(fresh.clone());
        Ok(fresh)
    }

    /// Keeps a survey for the next look.
    pub(crate) fn keep(&self, folder: &Folder, survey: &Arc<Survey>) {
        if let Some(known) = self.known().get_mut(&folder.name) {
            known.survey = Some(survey.clone());
        }
    }

    fn mailboxes(&self) -> Result<Vec<MailboxInfo>, Fault> {
        let folders = self.look()?;
        let info = |folder: &Arc<Folder>| MailboxInfo {
            name: folder.name.clone(),
            wire: WireName::new(folder.place.display().to_string()),
            role: folder.role,
            selectable: folder.selectable,
            subscribed: folder.subscribed,
            no_children: false,
            // A folder that cannot be scanned is listed: opening it tells why.
            state: folder
                .selectable
                .then(|| self.survey(folder).ok())
                .flatten()
                .map(|survey| survey.state()),
        };
        Ok(folders.iter().map(info).collect())
    }
}

/// How many messages a survey remembers whole.
fn remembered(survey: &Survey) -> usize {
    survey.items().map_or(0, |items| items.len())
}

/// Folders by name; of two with one name the second gets a number.
fn distinct(folders: Vec<Folder>) -> BTreeMap<MailboxName, Arc<Folder>> {
    let mut out: BTreeMap<MailboxName, Arc<Folder>> = BTreeMap::new();
    let mut numbers: HashMap<MailboxName, u64> = HashMap::new();
    for mut folder in folders {
        let plain = folder.name.clone();
        while out.contains_key(&folder.name) {
            let number = numbers.entry(plain.clone()).or_insert(1);
            *number += 1;
            let leaf = format!("{} ({number})", plain.leaf());
            folder.name = match plain.parent() {
                Some(parent) => parent.child(&leaf),
                None => MailboxName::new(vec![leaf]).unwrap_or_else(MailboxName::inbox),
            };
        }
        out.insert(folder.name.clone(), Arc::new(folder));
    }
    out
}

/// Runs what blocks on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(act).await;
    done.unwrap_or_else(|e| Err(Fault::bug(format!("reading the archive: {e}"))))
}

impl Source for ArchiveSource {
    fn abilities(&self) -> &Abilities {
        &self.shared.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        let shared = self.shared.clone();
        Box::pin(blocking(move || shared.mailboxes()))
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        let shared = self.shared.clone();
        let name = mailbox.name.clone();
        Box::pin(blocking(move || {
            let folder = shared.folder(&name)?;
            let survey = shared.survey(&folder)?;
            Ok(Box::new(Opened::new(shared, folder, survey)) as Box<dyn Reader>)
        }))
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        Box::pin(async { Ok(None) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl std::fmt::Debug for ArchiveSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ArchiveSource({})", self.shared.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_name_are_told_apart() {
        let folder =
            |name: &str, place: &str| Folder::new(MailboxName::parse(name).expect("a name"), place);
        let folders = vec![
            folder("a/Sent", "1"),
            folder("inbox", "2"),
            folder("a/Sent", "3"),
            folder("INBOX", "4"),
            folder("a/Sent", "5"),
        ];
        let names: Vec<_> = distinct(folders)
            .into_iter()
            .map(|(name, folder)| format!("{name} {}", folder.place.display()))
            .collect();
        assert_eq!(
            names,
            [
                "INBOX 2",
                "INBOX (2) 4",
                "a/Sent 1",
                "a/Sent (2) 3",
                "a/Sent (3) 5"
            ]
        );
    }
}
