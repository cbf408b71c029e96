//! The child: reads one archive and answers, until nobody asks any more.

use crate::wire::{
    self, Answer, Ask, FaultWire, FolderWire, KindWire, LetterWire, ListingWire, MOST_FOLDERS,
    SawWire,
};
use bytes::Bytes;
use futures::StreamExt;
use hikyaku_archive::{Archive, ArchiveSource, Kind, Look, Options, Seen, look};
use hikyaku_core::traits::{Facts, Flow, Reader, Source};
use hikyaku_core::{Body, BodyStream, Code, Fault, Key, KeySet, Letter, Listing, Reach, Remedy};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// Raw octets of one answer, about: it ends with the letter that goes beyond.
const RAW_WANTED: usize = 1 << 20;

/// A letter of so many octets comes piece by piece.
const PIECEMEAL: u64 = 4 << 20;

/// What a child may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Octets of memory (address space).
    pub memory: u64,
    /// Seconds of computing.
    pub seconds: u64,
    /// Octets of one file that it writes, while it unpacks.
    pub file: u64,
}

/// Takes from this process what it does not need, for good.
///
/// # Errors
/// Where the system does not let itself be limited: then nothing may be read.
#[cfg(unix)]
pub fn confine(allowance: Allowance) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    /// Open files: an archive has one or a few open at a time.
    const FILES: u64 = 128;
    let limits = [
        (Resource::As, allowance.memory),
        (Resource::Cpu, allowance.seconds),
        (Resource::Fsize, allowance.file),
        (Resource::Nofile, FILES),
        // Nobody's mail in a picture of the memory.
        (Resource::Core, 0),
    ];
    for (resource, most) in limits {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// The same elsewhere: there is nothing to limit with, so nothing is read.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn confine(_: Allowance) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Answers until the other side ends.
///
/// # Errors
/// Those of the pipes, and questions that cannot be understood.
pub async fn serve(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let mut desk = Desk::default();
    while let Some((ask, _)) = wire::read::<Ask>(&mut from).await? {
        let (answer, raw) = match desk.answer(ask).await {
            Ok(answered) => answered,
            Err(fault) => (Answer::Fault(FaultWire::from(&fault)), Vec::new()),
        };
        wire::write(&mut to, &answer, &raw).await?;
    }
    Ok(())
}

type Answered = Result<(Answer, Vec<u8>), Fault>;

/// What is open.
#[derive(Default)]
struct Desk {
    archive: Option<ArchiveSource>,
    folders: BTreeMap<u32, mpsc::Sender<Wish>>,
}

/// A question to an open folder, with where its answer goes.
type Wish = (Ask, oneshot::Sender<Answered>);

impl Desk {
    async fn answer(&mut self, ask: Ask) -> Answered {
        let number = match ask {
            Ask::Look { path } => return looked(path).await,
            Ask::Open { .. } => {
                self.archive = Some(open(ask).await?);
                return plain(Answer::Done);
            }
            Ask::Folders => {
                let told = self.archive()?.mailboxes().await?;
                if told.len() > MOST_FOLDERS {
                    let detail = format!("{} folders, {MOST_FOLDERS} at most", told.len());
                    let code = Code::ArchiveExcess;
                    return Err(Fault::new(code, Reach::Job, Remedy::AskUser, detail));
                }
                let told = told.iter().map(FolderWire::from).collect();
                return plain(Answer::Folders(told));
            }
            Ask::Folder { number, place } => {
                let info = place.info().ok_or_else(nonsense)?;
                let mut reader = self.archive()?.open(&info).await?;
                let opened = Answer::Opened {
                    state: (&reader.state()).into(),
                    keys: reader.keys().await?.to_string(),
                };
                let (wishes, wished) = mpsc::channel(1);
                tokio::spawn(attend(reader, wished));
                self.folders.insert(number, wishes);
                return plain(opened);
            }
            Ask::List { number, .. }
            | Ask::Read { number, .. }
            | Ask::More { number, .. }
            | Ask::Piece { number }
            | Ask::Head { number, .. }
            | Ask::File { number, .. }
            | Ask::Resume { number, .. } => number,
        };
        let folder = self.folders.get(&number).ok_or_else(nonsense)?;
        let (answer, answered) = oneshot::channel();
        let gone = || Fault::bug("a folder that is not attended to");
        folder.send((ask, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    fn archive(&self) -> Result<&ArchiveSource, Fault> {
        self.archive.as_ref().ok_or_else(nonsense)
    }
}

fn plain(answer: Answer) -> Answered {
    Ok((answer, Vec::new()))
}

fn nonsense() -> Fault {
    Fault::bug("a question that makes no sense now")
}

async fn looked(path: String) -> Answered {
    let found = blocking(move || look(&PathBuf::from(path))).await?;
    let one = |found: &hikyaku_archive::Recognised| KindWire {
        kind: found.kind.scheme().to_owned(),
        folders: found.folders,
        messages: found.messages,
        is_exact: found.is_exact,
        octets: found.octets,
    };
    plain(Answer::Saw(match found {
        Look::Found(found) => SawWire::Found(vec![one(&found)]),
        Look::Several(found) => SawWire::Found(found.iter().map(one).collect()),
        Look::Outlook(files) => SawWire::Outlook(files),
        Look::Compressed => SawWire::Compressed,
        Look::Nothing { files, endings } => SawWire::Nothing { files, endings },
    }))
}

async fn open(ask: Ask) -> Result<ArchiveSource, Fault> {
    let Ask::Open {
        kind,
        path,
        spool,
        now,
        most_unpacked,
        read,
    } = ask
    else {
        return Err(nonsense());
    };
    let kind = Kind::from_scheme(&kind).ok_or_else(|| {
        let detail = "a kind of archive that is not known";
        Fault::new(Code::ArchiveKind, Reach::Job, Remedy::AskUser, detail)
    })?;
    let options = Options {
        now,
        spool: Some(PathBuf::from(spool)),
        most_unpacked,
        seen: match read {
            None => Seen::AsRecorded,
            Some(true) => Seen::All,
            Some(false) => Seen::None,
        },
        ..Options::default()
    };
    blocking(move || Archive::open(kind, &PathBuf::from(path), options)).await
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(act).await;
    done.unwrap_or_else(|e| Err(Fault::bug(format!("reading the archive: {e}"))))
}

/// Answers for one folder, until nobody asks about it.
async fn attend(mut reader: Box<dyn Reader>, mut wished: mpsc::Receiver<Wish>) {
    let mut next = wished.recv().await;
    while let Some((ask, to)) = next.take() {
        let keys = |text: &str| wire::keys_in(text).ok_or_else(nonsense);
        let answered = match &ask {
            Ask::Head { key, .. } => head(&mut *reader, Key(*key)).await,
            Ask::File { key, .. } => match reader.file(Key(*key)).await {
                Ok(file) => plain(Answer::File(file)),
                Err(fault) => Err(fault),
            },
            Ask::Resume { earlier, .. } => match reader.resume(&(*earlier).into()).await {
                Ok(resumed) => plain(Answer::Resumed(resumed)),
                Err(fault) => Err(fault),
            },
            Ask::List {
                keys: text, facts, ..
            } => match keys(text) {
                Ok(keys) => {
                    let [flags, date, octets, head] = *facts;
                    let facts = Facts {
                        flags,
                        date,
                        octets,
                        head,
                    };
                    to.send(plain(Answer::Done)).ok();
                    let flow = reader.list(&keys, facts).fuse().boxed();
                    next = list(flow, &mut wished).await;
                    continue;
                }
                Err(fault) => Err(fault),
            },
            Ask::Read { keys: text, .. } => match keys(text) {
                Ok(keys) => {
                    to.send(plain(Answer::Done)).ok();
                    next = read(&mut *reader, &keys, &mut wished).await;
                    continue;
                }
                Err(fault) => Err(fault),
            },
            _ => Err(nonsense()),
        };
        // Nobody waits for it any more: then nobody has to know.
        to.send(answered).ok();
        next = wished.recv().await;
    }
}

async fn head(reader: &mut dyn Reader, key: Key) -> Answered {
    let head = reader.head(key).await?;
    let there = Answer::Head(head.is_some());
    Ok((there, head.map(Vec::from).unwrap_or_default()))
}

/// Tells facts as long as more is asked for; the first other wish ends it.
async fn list(mut flow: Flow<'_, Listing>, wished: &mut mpsc::Receiver<Wish>) -> Option<Wish> {
    while let Some((ask, to)) = wished.recv().await {
        let Ask::More { most, .. } = ask else {
            return Some((ask, to));
        };
        let (mut items, mut end) = (Vec::new(), false);
        while items.len() < most.max(1) as usize {
            match flow.next().await {
                Some(Ok(listing)) => items.push(Ok(ListingWire {
                    key: listing.key.0,
                    flags: listing.flags.as_ref().map(wire::flags_out),
                    date: listing.date.map(wire::date_out),
                    octets: listing.octets,
                    head: listing.head.map(|head| head.0),
                })),
                Some(Err(fault)) => items.push(Err(FaultWire::from(&fault))),
                None => {
                    end = true;
                    break;
                }
            }
        }
        to.send(plain(Answer::Listed { items, end })).ok();
    }
    None
}

/// Hands out letters as long as more is asked for; the first other wish ends it.
async fn read(
    reader: &mut dyn Reader,
    keys: &KeySet,
    wished: &mut mpsc::Receiver<Wish>,
) -> Option<Wish> {
    let mut flow = reader.read(keys).fuse().boxed();
    let mut rest: Option<BodyStream> = None;
    while let Some((ask, to)) = wished.recv().await {
        let answered = match ask {
            Ask::More { most, .. } => {
                rest = None;
                letters(&mut flow, most, &mut rest).await
            }
            Ask::Piece { .. } => piece(&mut rest).await,
            other => return Some((other, to)),
        };
        to.send(answered).ok();
    }
    None
}

async fn letters(
    flow: &mut Flow<'_, Letter>,
    most: u32,
    rest: &mut Option<BodyStream>,
) -> Answered {
    let (mut items, mut raw, mut end) = (Vec::new(), Vec::new(), false);
    while items.len() < most.max(1) as usize && raw.len() < RAW_WANTED {
        let letter = match flow.next().await {
            Some(Ok(letter)) => letter,
            Some(Err(fault)) => {
                items.push(Err(FaultWire::from(&fault)));
                continue;
            }
            None => {
                end = true;
                break;
            }
        };
        let octets = letter.body.octets();
        let told = |whole| LetterWire {
            key: letter.key.0,
            flags: wire::flags_out(&letter.flags),
            date: letter.date.map(wire::date_out),
            octets,
            whole,
        };
        let (told, is_whole) = match letter.body {
            Body::Held(held) if octets <= PIECEMEAL => {
                raw.extend_from_slice(&held);
                (told(true), true)
            }
            Body::Held(held) => {
                *rest = Some(futures::stream::iter(pieces(held).map(Ok)).fuse().boxed());
                (told(false), false)
            }
            Body::Streamed { chunks, .. } => {
                *rest = Some(chunks.fuse().boxed());
                (told(false), false)
            }
        };
        items.push(Ok(told));
        if !is_whole {
            break;
        }
    }
    Ok((Answer::Letters { items, end }, raw))
}

fn pieces(held: Bytes) -> impl Iterator<Item = Bytes> {
    let starts = (0..held.len()).step_by(RAW_WANTED);
    starts.map(move |at| held.slice(at..held.len().min(at + RAW_WANTED)))
}

async fn piece(rest: &mut Option<BodyStream>) -> Answered {
    let Some(chunks) = rest else {
        return Err(nonsense());
    };
    let mut raw = Vec::new();
    while raw.len() < RAW_WANTED {
        match chunks.next().await {
            Some(Ok(chunk)) if chunk.len() > wire::MOST_RAW as usize - RAW_WANTED => {
                return Err(Fault::bug("a piece that is larger than any frame"));
            }
            Some(Ok(chunk)) => raw.extend_from_slice(&chunk),
            Some(Err(fault)) => return Err(fault),
            None => break,
        }
    }
    Ok((Answer::Piece, raw))
}
