//! Messages into a folder: octets first, then the line that makes them count.
//!
//! ```text
//!  queue ─► stage (write, hash) ─► sync octets and names ─► gate ─► lines, synced ─► into place ─► answers
//! ```
//!
//! Appends that wait together are made durable together, so that a disk is waited for once for
//! many messages. Order matters: a line is written only when the octets of its message are
//! durable, and nobody is told that a message is stored before its line is. Where a message has a
//! line and was not yet put into its place, whoever reads finds it where it was written.

use super::Folder;
use crate::fault;
use crate::format::Format;
use crate::home::sync_directory;
use crate::manifest::journal::Journal;
use crate::manifest::{Line, Place, Record};
use crate::octets::quote::Quoter;
use crate::octets::{files, mbox};
use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::traits::{Appended, Gate};
use hikyaku_core::{Body, BodyStream, Code, Epoch, Fault, Key, Letter, Reach, Remedy};
use sha2::{Digest, Sha256};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// Most messages that are made durable together: bounds open files.
const MESSAGES: usize = 100;
/// Most octets that are made durable together.
const OCTETS: u64 = 16 << 20;
/// A disk that answers sooner is none that is waited for: then threads only cost.
const AT_ONCE: Duration = Duration::from_micros(100);
/// Files that are waited for at a time: a disk does many at once in hardly more time than one.
const SYNCS: usize = 8;

/// One append that waits for its turn.
pub(crate) struct Letters {
    pub(crate) letters: Vec<Letter>,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) answer: oneshot::Sender<Appended>,
}

impl Letters {
    fn octets(&self) -> u64 {
        self.letters.iter().map(|letter| letter.body.octets()).sum()
    }

    /// Whether octets of it are still on their way.
    fn is_coming(&self) -> bool {
        let is_streamed = |letter: &Letter| matches!(letter.body, Body::Streamed { .. });
        self.letters.iter().any(is_streamed)
    }
}

/// Where appends wait.
pub(crate) type Queue = mpsc::UnboundedSender<Letters>;

/// Works on appends until nobody can send another one. Blocks: it has a thread of its own.
pub(crate) fn work(folder: &Folder, mut queue: mpsc::UnboundedReceiver<Letters>, runtime: &Handle) {
    let mut waiting: Option<Letters> = None;
    while let Some(first) = waiting.take().or_else(|| queue.blocking_recv()) {
        let mut octets = first.octets();
        let mut messages = first.letters.len();
        let mut group = vec![first];
        while let Ok(more) = queue.try_recv() {
            octets += more.octets();
            messages += more.letters.len();
            // What is waited for longer keeps nobody else waiting.
            if messages > MESSAGES || octets > OCTETS || more.is_coming() {
                waiting = Some(more);
                break;
            }
            group.push(more);
        }
        folder.append(group, runtime);
    }
    // The files are closed; the next writer opens them again.
    *folder.store() = None;
}

/// The files of a folder, open for adding.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) journal: Journal,
    mbox: Option<Mbox>,
    /// Whether the disk had to be waited for the last time.
    waits: bool,
}

#[derive(Debug)]
struct Mbox {
    file: File,
    /// Where the next message begins.
    end: u64,
}

impl Store {
    pub(super) fn open(directory: &Path, format: Format, journal: Journal) -> io::Result<Self> {
        // Programs that copy or pack a backup may leave empty directories out.
        for shelf in files::shelves(format).iter().filter(|s| !s.is_empty()) {
            match fs::create_dir(directory.join(shelf)) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                _ => {}
            }
        }
        let mbox = match format {
            Format::Maildir | Format::Eml => None,
            Format::Mbox => {
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(false);
                crate::home::without_links(&mut options);
                let file = options.open(directory.join(mbox::FILE))?;
                let end = file.metadata()?.len();
                Some(Mbox { file, end })
            }
        };
        Ok(Self {
            journal,
            mbox,
            waits: false,
        })
    }
}

/// A message whose octets are written.
struct Staged {
    record: Record,
    /// Its file and where that is; none in an mbox.
    file: Option<(File, PathBuf)>,
}

/// One append whose octets are written.
struct Written {
    staged: Vec<Staged>,
    /// Where an mbox ended before it.
    start: u64,
    gate: Arc<dyn Gate>,
    answer: oneshot::Sender<Appended>,
}

/// Why a message could not be written.
enum Broken {
    /// Its octets stopped coming.
    Source(Fault),
    /// The disk.
    Disk(Fault),
}

impl Folder {
    fn append(&self, group: Vec<Letters>, runtime: &Handle) {
        let mut held = self.store();
        let store = match self.opened(&mut held) {
            Ok(store) => store,
            Err(e) => {
                let fault = fault::writing(&self.directory, &e);
                return group.into_iter().for_each(|g| refuse(g.answer, &fault));
            }
        };
        let mut written = Vec::new();
        for Letters {
            letters,
            gate,
            answer,
        } in group
        {
            if !gate.is_open() {
                refuse(answer, &shut());
                continue;
            }
            let start = store.mbox.as_ref().map_or(0, |mbox| mbox.end);
            let mut staged = Vec::with_capacity(letters.len());
            let done = letters.into_iter().try_for_each(|letter| {
                let key = self.take_key().map_err(Broken::Disk)?;
                staged.push(self.stage(store, key, letter, runtime)?);
                Ok(())
            });
            let append = Written {
                staged,
                start,
                gate,
                answer,
            };
            match done {
                Ok(()) => written.push(append),
                Err(Broken::Disk(fault)) => refuse(self.discard(store, append), &fault),
                Err(Broken::Source(fault)) => {
                    tell(self.discard(store, append), Appended::Unknown(fault));
                }
            }
        }
        if let Err(e) = self.sync(store, &written) {
            // What a disk failed to keep may be anything now: nothing of it is used.
            let fault = fault::writing(&self.directory, &e);
            return self.give_up(store, written, &fault);
        }
        // The last moment at which nothing is stored yet.
        if let Some(first) = written.iter().position(|append| !append.gate.is_open()) {
            let rest = written.split_off(first);
            self.give_up(store, rest, &shut());
        }
        self.commit(store, written);
    }

    /// A key of its own for a message that is tried; one that fails leaves a gap.
    ///
    /// # Faults
    /// `backup.damaged` where none is left: only a manifest that somebody wrote has so high ones.
    fn take_key(&self) -> Result<u32, Fault> {
        let mut index = self.state();
        let key = index.next;
        index.next = key.checked_add(1).ok_or_else(|| {
            let detail = format!("{}: no number is left", self.manifest().display());
            fault::backup(Code::BackupDamaged, &self.directory, detail)
        })?;
        Ok(key)
    }

    fn stage(
        &self,
        store: &mut Store,
        key: u32,
        letter: Letter,
        runtime: &Handle,
    ) -> Result<Staged, Broken> {
        let epoch = self.state().epoch;
        let octets = letter.body.octets();
        let mut pieces = Pieces::of(letter.body, runtime);
        let mut record = Record {
            key: Key(u64::from(key)),
            sha256: [0; 32],
            octets,
            date: letter.date,
            place: Place::File(String::new()),
            flags: letter.flags,
        };
        match &mut store.mbox {
            None => {
                let place = files::place(self.format, key, epoch, letter.date, octets);
                let path = files::temporary(&self.directory, &place);
                record.place = Place::File(place);
                let broken = |e: io::Error| Broken::Disk(fault::writing(&path, &e));
                let mut file = create(&path).map_err(broken)?;
                let written = pieces.each(|piece| file.write_all(&piece).map_err(broken));
                if let Err(why) = written {
                    fs::remove_file(&path).ok();
                    return Err(why);
                }
                let modified = letter.date.and_then(|date| moment(date.seconds));
                if let Some(modified) = modified {
                    // For programs that take a file's time for the arrival; the manifest has it anyway.
                    file.set_times(FileTimes::new().set_modified(modified)).ok();
                }
                record.sha256 = pieces.sum(octets)?;
                Ok(Staged {
                    record,
                    file: Some((file, path)),
                })
            }
            Some(mbox) => {
                let path = self.directory.join(mbox::FILE);
                let broken = |e: io::Error| Broken::Disk(fault::writing(&path, &e));
                record.place = mbox.put(key, epoch, &record, &mut pieces, &broken)?;
                record.sha256 = pieces.sum(octets)?;
                Ok(Staged { record, file: None })
            }
        }
    }

    /// Takes back what was written of an append.
    fn discard(&self, store: &mut Store, append: Written) -> oneshot::Sender<Appended> {
        for (_, path) in append.staged.iter().filter_map(|s| s.file.as_ref()) {
            // What stays behind is known to be unfinished.
            fs::remove_file(path).ok();
        }
        if let Some(mbox) = &mut store.mbox {
            // Where this fails the next append writes over it.
            mbox.file.set_len(append.start).ok();
            mbox.end = append.start;
        }
        append.answer
    }

    fn give_up(&self, store: &mut Store, all: Vec<Written>, fault: &Fault) {
        // Backwards, so that an mbox ends where the first of them began.
        for append in all.into_iter().rev() {
            refuse(self.discard(store, append), fault);
        }
    }

    /// Waits until all octets are on the disk, with the names of their files.
    fn sync(&self, store: &mut Store, written: &[Written]) -> io::Result<()> {
        self.sync_octets(store, written)?;
        match (written.is_empty(), self.format) {
            (true, _) | (_, Format::Mbox) => Ok(()),
            (_, Format::Maildir) => sync_directory(&self.directory.join("tmp")),
            (_, Format::Eml) => sync_directory(&self.directory),
        }
    }

    fn sync_octets(&self, store: &mut Store, written: &[Written]) -> io::Result<()> {
        let all = written.iter().flat_map(|append| &append.staged);
        let opened: Vec<&File> = all.filter_map(|s| s.file.as_ref().map(|f| &f.0)).collect();
        match (&store.mbox, opened.as_slice()) {
            (Some(mbox), _) if !written.is_empty() => mbox.file.sync_data(),
            (_, many) => {
                let mut many = many;
                while let ([file, rest @ ..], false) = (many, store.waits && many.len() > 1) {
                    let began = Instant::now();
                    file.sync_data()?;
                    store.waits = began.elapsed() > AT_ONCE;
                    many = rest;
                }
                if many.is_empty() {
                    return Ok(());
                }
                let each = many.len().div_ceil(SYNCS);
                thread::scope(|scope| {
                    let sync = |some: &[&File]| some.iter().try_for_each(|file| file.sync_data());
                    let threads: Vec<_> = many
                        .chunks(each)
                        .map(|some| scope.spawn(move || sync(some)))
                        .collect();
                    threads.into_iter().try_for_each(|thread| {
                        let panicked = |_| Err(io::Error::other("a thread panicked"));
                        thread.join().unwrap_or_else(panicked)
                    })
                })
            }
        }
    }

    /// Writes the lines, and puts everything in its place.
    fn commit(&self, store: &mut Store, written: Vec<Written>) {
        if written.is_empty() {
            return;
        }
        let lines: Vec<Line> = written
            .iter()
            .flat_map(|append| &append.staged)
            .map(|staged| Line::Message(staged.record.clone()))
            .collect();
        let begins = match store.journal.add(&lines) {
            Ok(begins) => begins,
            Err((e, undone)) => {
                let fault = fault::writing(&self.directory, &e);
                if undone {
                    return self.give_up(store, written, &fault);
                }
                // Whether the lines are there shows only when they are read again.
                return written
                    .into_iter()
                    .for_each(|append| tell(append.answer, Appended::Unknown(fault.clone())));
            }
        };
        for staged in written.iter().flat_map(|append| &append.staged) {
            if let (Some((_, from)), Place::File(place)) = (&staged.file, &staged.record.place) {
                // One that stays behind is found all the same, and moved the next time.
                let to = files::path(&self.directory, place, &staged.record.flags);
                fs::rename(from, to).ok();
            }
        }
        self.took(begins, lines, store.journal.end());
        let epoch = Some(Epoch(u64::from(self.state().epoch)));
        for append in written {
            let keys = append.staged.iter().map(|s| s.record.key).collect();
            let stored = Appended::Stored {
                epoch,
                keys: Some(keys),
            };
            tell(append.answer, stored);
        }
    }
}

impl Mbox {
    /// Writes a message with the lines around it; where it is.
    fn put(
        &mut self,
        key: u32,
        epoch: u32,
        record: &Record,
        pieces: &mut Pieces<'_>,
        broken: &dyn Fn(io::Error) -> Broken,
    ) -> Result<Place, Broken> {
        let mut at = self.end;
        self.file.seek(SeekFrom::Start(at)).map_err(broken)?;
        let mut out = Vec::with_capacity(record.octets.min(1 << 19) as usize + 256);
        let mut line_end: Option<&[u8]> = None;
        let mut quoter = Quoter::default();
        let mut last = b'\n';
        let mut offset = 0;
        let begin = |out: &mut Vec<u8>, line_end: &[u8]| {
            out.extend_from_slice(mbox::from_line(epoch, key, record.date).as_bytes());
            out.extend_from_slice(line_end);
        };
        pieces.each(|piece| {
            if line_end.is_none() {
                let end = mbox::line_end(&piece);
                begin(&mut out, line_end.insert(end));
                offset = at + out.len() as u64;
            }
            quoter.put(&piece, &mut out);
            last = piece.last().copied().unwrap_or(last);
            if out.len() >= 1 << 19 {
                self.file.write_all(&out).map_err(broken)?;
                at += out.len() as u64;
                out.clear();
            }
            Ok(())
        })?;
        if line_end.is_none() {
            begin(&mut out, b"\r\n");
            offset = at + out.len() as u64;
        }
        let line_end = line_end.unwrap_or(b"\r\n");
        quoter.end(&mut out);
        let octets = at + out.len() as u64 - offset;
        if last != b'\n' {
            out.extend_from_slice(line_end);
        }
        out.extend_from_slice(line_end);
        self.file.write_all(&out).map_err(broken)?;
        self.end = at + out.len() as u64;
        Ok(Place::Span { offset, octets })
    }
}

/// The octets of a message as they come, counted and hashed.
struct Pieces<'a> {
    held: Option<Bytes>,
    coming: Option<BodyStream>,
    runtime: &'a Handle,
    hasher: Sha256,
    octets: u64,
}

impl<'a> Pieces<'a> {
    fn of(body: Body, runtime: &'a Handle) -> Self {
        let (held, coming) = match body {
            Body::Held(octets) => (Some(octets), None),
            Body::Streamed { chunks, .. } => (None, Some(chunks)),
        };
        Self {
            held,
            coming,
            runtime,
            hasher: Sha256::new(),
            octets: 0,
        }
    }

    fn each(&mut self, mut take: impl FnMut(Bytes) -> Result<(), Broken>) -> Result<(), Broken> {
        loop {
            let piece = match (self.held.take(), &mut self.coming) {
                (Some(held), _) => held,
                (None, None) => return Ok(()),
                (None, Some(coming)) => match self.runtime.block_on(coming.next()) {
                    None => return Ok(()),
                    Some(Ok(piece)) => piece,
                    Some(Err(fault)) => return Err(Broken::Source(fault)),
                },
            };
            self.hasher.update(&piece);
            self.octets += piece.len() as u64;
            take(piece)?;
        }
    }

    /// The sum, when as many octets came as were announced.
    fn sum(self, announced: u64) -> Result<[u8; 32], Broken> {
        match self.octets == announced {
            true => Ok(self.hasher.finalize().into()),
            false => Err(Broken::Source(Fault::new(
                Code::MessageLength,
                Reach::Message,
                Remedy::Retry { after: None },
                format!("{} octets came and {announced} were announced", self.octets),
            ))),
        }
    }
}

/// A new file, in place of an unfinished one of the same name.
fn create(path: &Path) -> io::Result<File> {
    let open = || {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        options.open(path)
    };
    match open() {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            open()
        }
        opened => opened,
    }
}

fn moment(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    match seconds >= 0 {
        true => UNIX_EPOCH.checked_add(distance),
        false => UNIX_EPOCH.checked_sub(distance),
    }
}

fn refuse(answer: oneshot::Sender<Appended>, fault: &Fault) {
    tell(answer, Appended::Refused(fault.clone()));
}

fn tell(answer: oneshot::Sender<Appended>, appended: Appended) {
    // Nobody may be waiting any more; what is stored stays stored.
    answer.send(appended).ok();
}

/// The gate was shut: nothing is stored.
fn shut() -> Fault {
    Fault::new(
        Code::Interrupted,
        Reach::Job,
        Remedy::Retry { after: None },
        "the append was not completed: the run was stopped or its lease ended",
    )
}
