//! One folder of a backup, opened for reading.

use super::{blocking, state};
use crate::folder::Folder;
use crate::manifest::{Record, Slot};
use crate::octets::Octets;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use hikyaku_core::traits::{Ask, Facts, Flow, Reader};
use hikyaku_core::{
    Body, BodyStream, Fault, HeadDigest, Key, KeySet, Letter, Listing, MailboxState, Reach,
};
use std::sync::Arc;

/// Largest message that is read whole before it is handed out, in octets.
const HELD: u64 = 256 * 1024;
/// Messages that are read from the disk together.
const READ: usize = 32;
/// Messages whose lines are read together.
const LISTED: usize = 512;
/// Portions that are read before somebody asks for them.
const AHEAD: usize = 2;

/// The folder as it was when it was opened.
pub(super) struct Opened {
    folder: Arc<Folder>,
    state: MailboxState,
}

impl Opened {
    pub(super) fn new(folder: Arc<Folder>) -> Self {
        let state = state(&folder);
        Self { folder, state }
    }

    pub(super) fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    fn listings<'a>(
        &self,
        portions: impl stream::Stream<Item = Vec<Slot>> + Send + 'a,
        facts: Facts,
    ) -> Flow<'a, Listing> {
        let folder = self.folder.clone();
        let portions = portions.map(move |slots| {
            let folder = folder.clone();
            blocking(move || list(&folder, &slots, facts))
        });
        flatten(portions.buffered(1))
    }

    /// The slots of some keys, found when they are wanted: of all of a large folder they would be
    /// many.
    fn portions<'a>(
        &self,
        keys: &'a KeySet,
        size: usize,
    ) -> impl stream::Stream<Item = Vec<Slot>> + Send + 'a + use<'a> {
        let folder = self.folder.clone();
        let (mut ranges, mut rest) = (keys.ranges(), None);
        stream::iter(std::iter::from_fn(move || {
            let mut portion = Vec::new();
            while portion.len() < size {
                let Some(range) = rest.take().or_else(|| ranges.next()) else {
                    break;
                };
                let room = size - portion.len();
                let found = folder.slots(range.clone(), room);
                if let (true, Some(last)) = (found.len() == room, found.last()) {
                    let behind = u64::from(last.key) + 1..=*range.end();
                    rest = Some(behind).filter(|rest| !rest.is_empty());
                }
                portion.extend(found);
            }
            (!portion.is_empty()).then_some(portion)
        }))
    }
}

type Portion<T> = Result<Vec<Result<T, Fault>>, Fault>;

/// A portion that failed as a whole ends the flow, unless it names a message.
fn flatten<'a, T: Send + 'static>(
    portions: impl stream::Stream<Item = Portion<T>> + Send + 'a,
) -> Flow<'a, T> {
    let items = portions.map(|portion| match portion {
        Ok(items) => stream::iter(items),
        Err(fault) => stream::iter(vec![Err(fault)]),
    });
    let mut over = false;
    items
        .flatten()
        .take_while(move |item| {
            let was_over = over;
            over = matches!(item, Err(fault) if fault.reach > Reach::Message);
            futures::future::ready(!was_over)
        })
        .boxed()
}

/// The records of some messages; of one whose line cannot be read any more its fault.
fn records(folder: &Folder, slots: &[Slot]) -> Result<Vec<Result<Record, Fault>>, Fault> {
    match folder.records(slots) {
        Ok(records) => Ok(records.into_iter().map(Ok).collect()),
        Err(fault) if fault.reach > Reach::Message => Err(fault),
        Err(_) => {
            let one = |slot: &Slot| folder.records(&[*slot]).map(|mut r| r.pop());
            let each = slots.iter().map(|slot| one(slot).transpose());
            Ok(each.flatten().collect())
        }
    }
}

fn list(folder: &Folder, slots: &[Slot], facts: Facts) -> Portion<Listing> {
    let each = |record: Record| {
        let head = match facts.head {
            false => None,
            true => {
                let octets = Octets::open(folder, &record)?;
                Some(HeadDigest::of(&octets.head(HeadDigest::MAX_HEADER)?))
            }
        };
        Ok(Listing {
            key: record.key,
            flags: facts.flags.then_some(record.flags),
            date: record.date.filter(|_| facts.date),
            octets: facts.octets.then_some(record.octets),
            head,
        })
    };
    let found = records(folder, slots)?.into_iter();
    Ok(found.map(|record| record.and_then(each)).collect())
}

fn read(folder: &Arc<Folder>, slots: &[Slot]) -> Portion<Letter> {
    let each = |record: Record| {
        let octets = Octets::open(folder, &record)?;
        let body = match record.octets <= HELD {
            true => Body::Held(octets.whole()?),
            false => Body::Streamed {
                octets: record.octets,
                chunks: chunks(folder.clone(), record.clone()),
            },
        };
        Ok(Letter {
            key: record.key,
            flags: record.flags,
            date: record.date,
            body,
        })
    };
    let found = records(folder, slots)?.into_iter();
    Ok(found.map(|record| record.and_then(each)).collect())
}

/// What opens a message when its first piece is wanted.
type Opening = Box<dyn FnOnce() -> Result<Octets, Fault> + Send>;

/// Opened when somebody wants its octets: many large messages are not open at once.
fn chunks(folder: Arc<Folder>, record: Record) -> BodyStream {
    let open = move || Octets::open(&folder, &record);
    let begin: Option<Opening> = Some(Box::new(open));
    stream::unfold((begin, None::<Octets>), |(begin, octets)| async move {
        let next = blocking(move || {
            let mut octets = match (octets, begin) {
                (Some(octets), _) => octets,
                (None, Some(begin)) => begin()?,
                (None, None) => return Ok(None),
            };
            Ok(octets.next()?.map(|piece| (piece, octets)))
        });
        match next.await {
            Ok(None) => None,
            Ok(Some((piece, octets))) => Some((Ok(piece), (None, Some(octets)))),
            Err(fault) => Some((Err(fault), (None, None))),
        }
    })
    .boxed()
}

impl Reader for Opened {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        let keys = self.folder.keys();
        Box::pin(async move { Ok(keys) })
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        self.listings(self.portions(keys, LISTED), facts)
    }

    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing> {
        let facts = Facts {
            flags: true,
            ..Facts::default()
        };
        let changed = self.folder.changed(modseq);
        let portions: Vec<Vec<Slot>> = changed.chunks(LISTED).map(<[Slot]>::to_vec).collect();
        self.listings(stream::iter(portions), facts)
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        let folder = self.folder.clone();
        let portions = self.portions(keys, READ).map(move |slots| {
            let folder = folder.clone();
            blocking(move || read(&folder, &slots))
        });
        flatten(portions.buffered(AHEAD))
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        let folder = self.folder.clone();
        Box::pin(blocking(move || {
            let Some(record) = folder.records(&folder.slots(key.0..=key.0, 1))?.pop() else {
                return Ok(None);
            };
            let octets = Octets::open(&folder, &record);
            let head = octets.and_then(|octets| octets.head(HeadDigest::MAX_HEADER));
            // It is asked for to name a message, mostly one that cannot be read.
            Ok(head.ok().map(header))
        }))
    }
}

/// The octets before the first empty line.
fn header(octets: Bytes) -> Bytes {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let end = ends
        .iter()
        .filter_map(|end| memchr::memmem::find(&octets, end))
        .min();
    let end = end.map_or(octets.len(), |end| (end + 2).min(octets.len()));
    octets.slice(..end)
}
