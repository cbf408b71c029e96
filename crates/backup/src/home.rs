//! The directory of a backup: whose it is, who may write to it, which folders it holds.

use crate::fault;
use crate::folder::{self, Folder, Purpose};
use crate::format::Format;
use crate::manifest;
use crate::names;
use crate::octets::{files, mbox};
use hikyaku_core::mailbox::Quota;
use hikyaku_core::{Code, Fault, MailboxName, Reach, Role};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file that makes a directory a backup. Its first line says the version, the format and
/// the name of this backup, which no other has.
pub const MARKER: &str = "hikyaku-backup";

/// Begins the names of what is not finished yet.
pub(crate) const UNFINISHED: &str = ".hikyaku-new-";

/// Version of the directory that this program writes, and the newest that it reads.
const VERSION: u32 = 1;

/// An open backup.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) root: PathBuf,
    pub(crate) format: Format,
    /// What no other backup is called, wherever it is moved.
    pub(crate) id: String,
    purpose: Purpose,
    /// Held while somebody writes.
    _marker: Option<File>,
    folders: Mutex<Option<Folders>>,
}

/// Each folder, or why it cannot be read: where others are restored nevertheless.
type Folders = BTreeMap<MailboxName, Result<Arc<Folder>, Fault>>;

impl Home {
    /// Opens a backup to be compared with. Writes nothing.
    pub(crate) fn open(root: &Path) -> Result<Self, Fault> {
        Self::open_for(root, Purpose::Looking)
    }

    /// Opens a backup to be restored. Writes nothing.
    pub(crate) fn open_to_restore(root: &Path) -> Result<Self, Fault> {
        Self::open_for(root, Purpose::Restoring)
    }

    fn open_for(root: &Path, purpose: Purpose) -> Result<Self, Fault> {
        let path = root.join(MARKER);
        let file = match open(&path) {
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                let detail = format!("{} is not there", path.display());
                return Err(fault::backup(Code::BackupMissing, root, detail));
            }
            opened => opened.map_err(|e| fault::reading(&path, &e))?,
        };
        let (format, id) = read_marker(&path, file)?;
        Ok(Self::new(root, format, id, purpose, None))
    }

    /// Opens a backup for writing; begins one where there is nothing yet. Whoever has it keeps
    /// everybody else from writing.
    ///
    /// # Faults
    /// `backup.foreign` for a directory with other things in it, `backup.format`,
    /// `backup.busy`, `backup.version`, `backup.unwritable`, `backup.full`.
    pub(crate) fn create(root: &Path, format: Option<Format>) -> Result<Self, Fault> {
        make_directory(root)?;
        let path = root.join(MARKER);
        if let Err(e) = fs::symlink_metadata(&path) {
            if e.kind() != io::ErrorKind::NotFound {
                return Err(fault::reading(&path, &e));
            }
            begin(root, &path, format.unwrap_or_default())?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        without_links(&mut options);
        let file = options.open(&path).map_err(|e| fault::writing(&path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let detail = format!("{} is locked", path.display());
                return Err(fault::backup(Code::BackupBusy, root, detail));
            }
            // A file system without locks: nothing better can be had there.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(fault::writing(&path, &e)),
        }
        let reading = file.try_clone().map_err(|e| fault::reading(&path, &e))?;
        let (found, id) = read_marker(&path, reading)?;
        if format.is_some_and(|wanted| wanted != found) {
            let detail = format!("the backup is {found}");
            return Err(fault::backup(Code::BackupFormat, root, detail));
        }
        let home = Self::new(root, found, id, Purpose::Adding, Some(file));
        home.sweep()?;
        Ok(home)
    }

    fn new(
        root: &Path,
        format: Format,
        id: String,
        purpose: Purpose,
        marker: Option<File>,
    ) -> Self {
        Self {
            root: root.to_owned(),
            format,
            id,
            purpose,
            _marker: marker,
            folders: Mutex::new(None),
        }
    }

    /// Whether this process may write.
    pub(crate) fn writes(&self) -> bool {
        self.purpose == Purpose::Adding
    }

    fn lock(&self) -> MutexGuard<'_, Option<Folders>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All folders by name. Who writes knows them; who reads looks again each time.
    pub(crate) fn folders(&self) -> Result<Vec<Arc<Folder>>, Fault> {
        let mut known = self.lock();
        if known.is_none() || !self.writes() {
            *known = Some(self.look()?);
        }
        let folders = known.iter().flatten();
        Ok(folders.flat_map(|(_, folder)| folder.clone()).collect())
    }

    /// Folders that [`Self::folders`] could not read the last time; only where the backup is
    /// restored, else that is a fault.
    pub(crate) fn unreadable(&self) -> Vec<MailboxName> {
        let known = self.lock();
        let all = known.iter().flatten();
        all.filter(|(_, folder)| folder.is_err())
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// One folder.
    ///
    /// # Faults
    /// Of the mailbox where it cannot be read.
    pub(crate) fn folder(&self, name: &MailboxName) -> Result<Option<Arc<Folder>>, Fault> {
        let mut known = self.lock();
        if known.is_none() {
            *known = Some(self.look()?);
        }
        let found = known.as_ref().and_then(|folders| folders.get(name));
        found.cloned().transpose()
    }

    fn look(&self) -> Result<Folders, Fault> {
        let (mut folders, mut unreadable) = (Folders::new(), Vec::new());
        for directory in self.directories()? {
            match Folder::load(&directory, self.format, self.purpose) {
                Ok(folder) => {
                    let name = folder.state().name.clone();
                    // A copy of a folder's directory that somebody made beside it: the first counts.
                    folders.entry(name).or_insert_with(|| Ok(Arc::new(folder)));
                }
                Err(fault) if self.purpose == Purpose::Restoring => {
                    unreadable.push((folder::name_of(&directory), fault));
                }
                Err(fault) => return Err(fault),
            }
        }
        if self.purpose == Purpose::Restoring {
            let lost = self.without_manifest()?.into_iter();
            unreadable.extend(lost.map(|(directory, name)| (name, no_manifest(&directory))));
        }
        for (name, fault) in unreadable {
            let fault = Fault {
                reach: Reach::Mailbox,
                ..fault.mailbox(&name)
            };
            folders.entry(name).or_insert(Err(fault));
        }
        Ok(folders)
    }

    /// Directories with a manifest, sorted.
    pub(crate) fn directories(&self) -> Result<Vec<PathBuf>, Fault> {
        let mut all = self.inside()?;
        all.retain(|directory| is_file(&directory.join(manifest::FILE)));
        Ok(all)
    }

    /// Directories with messages of a backup and without their manifest, sorted, and the mailbox as
    /// the directory tells it.
    pub(crate) fn without_manifest(&self) -> Result<Vec<(PathBuf, MailboxName)>, Fault> {
        let mut all = Vec::new();
        for directory in self.inside()? {
            let is_known = is_file(&directory.join(manifest::FILE));
            if !is_known && holds_messages(&directory, self.format) {
                let name = folder::name_of(&directory);
                all.push((directory, name));
            }
        }
        Ok(all)
    }

    /// Directories at the top that may be those of folders, sorted.
    fn inside(&self) -> Result<Vec<PathBuf>, Fault> {
        let unreadable = |e: io::Error| fault::reading(&self.root, &e);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let is_ours = !entry.file_name().to_string_lossy().starts_with('.');
            // The type is the entry's own: links are not followed.
            if is_ours && entry.file_type().map_err(unreadable)?.is_dir() {
                all.push(entry.path());
            }
        }
        all.sort();
        Ok(all)
    }

    /// Makes sure that a folder is there.
    pub(crate) fn ensure(
        &self,
        name: &MailboxName,
        role: Option<Role>,
        subscribe: bool,
    ) -> Result<Arc<Folder>, Fault> {
        if let Some(folder) = self.folder(name)? {
            folder.describe(role, subscribe)?;
            return Ok(folder);
        }
        let mut known = self.lock();
        let taken = self.taken()?;
        let is_taken = |name: &String| taken.contains(&names::folded(name));
        let choice = [names::directory(name), names::marked(name)];
        let Some(chosen) = choice.iter().find(|name| !is_taken(name)) else {
            let detail = format!("{} and {} are taken", choice[0], choice[1]);
            return Err(fault::backup(Code::BackupForeign, &self.root, detail));
        };
        let unfinished = self.root.join(format!("{UNFINISHED}{chosen}"));
        let directory = self.root.join(chosen);
        let epoch = epoch();
        let made = Folder::make(&unfinished, self.format, epoch, name, role, subscribe)
            .and_then(|()| fs::rename(&unfinished, &directory))
            .and_then(|()| sync_directory(&self.root));
        made.map_err(|e| fault::writing(&directory, &e))?;
        let folder = Arc::new(Folder::load(&directory, self.format, self.purpose)?);
        known
            .get_or_insert_default()
            .insert(name.clone(), Ok(folder.clone()));
        Ok(folder)
    }

    /// Folded names of everything in the directory.
    fn taken(&self) -> Result<Vec<String>, Fault> {
        let unreadable = |e: io::Error| fault::reading(&self.root, &e);
        let mut taken = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            taken.push(names::folded(&name.to_string_lossy()));
        }
        Ok(taken)
    }

    /// Takes away what an earlier life began to make and did not finish: empty but for a manifest.
    fn sweep(&self) -> Result<(), Fault> {
        let entries = fs::read_dir(&self.root).map_err(|e| fault::reading(&self.root, &e))?;
        for entry in entries.filter_map(Result::ok) {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                Folder::unmake(&entry.path()).map_err(|e| fault::writing(&entry.path(), &e))?;
            }
        }
        Ok(())
    }

    /// The room on the disk: what the backup holds, and what is free beside it.
    pub(crate) fn quota(&self) -> Option<Quota> {
        let free = free(&self.root)?;
        let folders = self.lock();
        let used = folders
            .iter()
            .flatten()
            .flat_map(|(_, folder)| folder)
            .map(|folder| folder.state().octets)
            .sum();
        Some(Quota {
            used,
            limit: free.saturating_add(used),
        })
    }
}

/// The fault of a folder whose manifest is gone.
pub(crate) fn no_manifest(directory: &Path) -> Fault {
    let detail = format!("{} is gone", directory.join(manifest::FILE).display());
    fault::backup(Code::BackupDamaged, directory, detail)
}

/// Whether a directory without a manifest holds what a backup wrote there.
fn holds_messages(directory: &Path, format: Format) -> bool {
    match format {
        Format::Maildir | Format::Eml => {
            files::any_epoch(directory, format).is_ok_and(|epoch| epoch.is_some())
        }
        Format::Mbox => open(&directory.join(mbox::FILE)).is_ok_and(|file| {
            let mut first = Vec::new();
            let most = mbox::SENDER.len() as u64;
            let read = file.take(most).read_to_end(&mut first);
            read.is_ok() && first == mbox::SENDER.as_bytes()
        }),
    }
}

/// Opens a file for reading; not through a link.
///
/// # Errors
/// Also where it is no file: whoever opens a pipe would wait for its other end.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    without_links(&mut options);
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "not a file")),
    }
}

/// What is opened must not be a link that leads elsewhere, and nobody waits for the other end of a
/// pipe.
pub(crate) fn without_links(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    let _ = options;
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_file())
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    // Windows has no such thing; its file systems keep the order of names themselves.
    match cfg!(unix) {
        true => File::open(path)?.sync_all(),
        false => Ok(()),
    }
}

fn make_directory(root: &Path) -> Result<(), Fault> {
    let unwritable = |e: io::Error| fault::writing(root, &e);
    match fs::metadata(root) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(fault::backup(
            Code::BackupForeign,
            root,
            "a file of that name is there",
        )),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(root).map_err(unwritable)?;
            match root
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
            {
                Some(parent) => sync_directory(parent).map_err(unwritable),
                None => Ok(()),
            }
        }
        Err(e) => Err(unwritable(e)),
    }
}

/// Begins a backup in a directory that holds nothing else.
fn begin(root: &Path, path: &Path, format: Format) -> Result<(), Fault> {
    let unfinished = root.join(format!("{UNFINISHED}{MARKER}"));
    holds_nothing_else(root)?;
    let line = format!("{MARKER}\t{VERSION}\t{format}\t{}\n", new_id());
    let made = write_whole(&unfinished, line.as_bytes())
        // Not over another one: whoever comes second finds the first one's.
        .and_then(|()| put_in_place(&unfinished, path))
        .and_then(|()| sync_directory(root));
    made.map_err(|e| fault::writing(path, &e))
}

fn holds_nothing_else(root: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(root).map_err(|e| fault::reading(root, &e))? {
        let name = entry.map_err(|e| fault::reading(root, &e))?.file_name();
        let is_ours = name.to_string_lossy().starts_with(UNFINISHED);
        // Somebody else may have begun it meanwhile.
        if !is_ours && name != MARKER {
            let detail = format!("{} is there already", name.to_string_lossy());
            return Err(fault::backup(Code::BackupForeign, root, detail));
        }
    }
    Ok(())
}

/// Whether a backup could be begun in a directory, which need not be there. Writes nothing.
///
/// # Faults
/// `backup.foreign` where something else is there, `backup.unreadable`.
pub(crate) fn is_free(root: &Path) -> Result<(), Fault> {
    match fs::metadata(root) {
        Ok(found) if found.is_dir() => holds_nothing_else(root),
        Ok(_) => Err(fault::backup(
            Code::BackupForeign,
            root,
            "a file of that name is there",
        )),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(fault::reading(root, &e)),
    }
}

/// The room on the disk on which a directory would be made.
pub(crate) fn room_for(root: &Path) -> Option<Quota> {
    let root = std::path::absolute(root).ok()?;
    let there = root.ancestors().find(|path| path.exists())?;
    let limit = free(there)?;
    Some(Quota { used: 0, limit })
}

fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(from),
        // FAT has no second names.
        Err(_) => fs::rename(from, to),
    }
}

/// Writes a file and makes its octets durable; its name is not yet.
pub(crate) fn write_whole(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    without_links(&mut options);
    let mut file = options.open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

fn read_marker(path: &Path, file: File) -> Result<(Format, String), Fault> {
    let mut text = String::new();
    let read = file.take(4_096).read_to_string(&mut text);
    read.map_err(|e| fault::reading(path, &e))?;
    let fields: Vec<&str> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split('\t')
        .collect();
    let version = fields.get(1).and_then(|v| v.parse::<u32>().ok());
    match (fields.as_slice(), version) {
        ([MARKER, ..], Some(version)) if version > VERSION => {
            let detail = format!("version {version}");
            Err(fault::backup(Code::BackupVersion, path, detail))
        }
        ([MARKER, _, format, id, ..], Some(_)) if !id.is_empty() => {
            match Format::from_name(format) {
                Some(format) => Ok((format, (*id).to_owned())),
                None => Err(fault::backup(
                    Code::BackupVersion,
                    path,
                    format!("format {format}"),
                )),
            }
        }
        _ => Err(fault::backup(
            Code::BackupDamaged,
            path,
            "its line is damaged",
        )),
    }
}

/// Thirty-two digits that no other backup has.
fn new_id() -> String {
    names::hexadecimal(&random()[..16])
}

/// A generation of keys; never zero, and within 31 bits as UIDVALIDITY mostly is.
fn epoch() -> u32 {
    let octets = random();
    let number = u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]);
    (number & 0x7fff_ffff).max(1)
}

/// Octets that differ from call to call and from machine to machine; nothing secret depends on them.
fn random() -> [u8; 32] {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = Sha256::new();
    // Seeded by the operating system for each process.
    hasher.update(RandomState::new().build_hasher().finish().to_le_bytes());
    hasher.update(RandomState::new().build_hasher().finish().to_le_bytes());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    hasher.update(now.unwrap_or_default().as_nanos().to_le_bytes());
    hasher.update(std::process::id().to_le_bytes());
    hasher.finalize().into()
}

#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(path).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}
