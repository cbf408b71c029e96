//! One folder of an archive, open for reading.

use crate::source::{Shared, blocking};
use crate::store::{Flow as Going, Folder, Found, Item};
use crate::survey::{Survey, renumbered};
use crate::text::{Pieces, Text, forget_memory};
use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::identity::header_fields;
use hikyaku_core::traits::{Ask, Facts, Flow, Reader};
use hikyaku_core::{
    Body, BodyStream, Fault, HeadDigest, Key, KeySet, Letter, Listing, MailboxState,
};
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Items that are told together: to wake whoever reads costs more than to read a short letter.
const TOGETHER: usize = 32;

/// So many octets are told together at most, and one item more.
const OCTETS: u64 = 128 * 1024;

/// Batches that wait for whoever reads. With one on each side: three, about 1 MiB.
const AHEAD: usize = 1;

/// An open folder.
pub(crate) struct Opened {
    desk: Desk,
}

/// What it takes to read the folder on another thread.
#[derive(Clone)]
struct Desk {
    shared: Arc<Shared>,
    folder: Arc<Folder>,
    survey: Arc<Survey>,
}

impl Opened {
    pub(crate) fn new(shared: Arc<Shared>, folder: Arc<Folder>, survey: Arc<Survey>) -> Self {
        Self {
            desk: Desk {
                shared,
                folder,
                survey,
            },
        }
    }

    /// What `make` makes of every wanted item, on a thread of its own that stays a few
    /// items ahead and ends when nobody listens any more.
    fn flow<T: Made>(
        &self,
        keys: &KeySet,
        make: impl Fn(&Desk, Result<Item, Fault>) -> Result<T, Fault> + Send + 'static,
    ) -> Flow<'static, T> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let desk = self.desk.clone();
        let keys = keys.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut batch = Vec::new();
            let mut octets = 0;
            let walked = desk.walk(&keys, &mut |item| {
                let made = make(&desk, item);
                octets += made.as_ref().map_or(0, Made::held);
                batch.push(made);
                if batch.len() < TOGETHER && octets < OCTETS {
                    return ControlFlow::Continue(());
                }
                octets = 0;
                match sender.blocking_send(std::mem::take(&mut batch)) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            forget_memory();
            batch.extend(walked.err().map(Err));
            // Nobody listens any more: then nobody has to know.
            let _unheard = sender.blocking_send(batch);
        });
        let told = futures::stream::unfold((receiver, Some(work)), |(mut receiver, work)| async {
            if let Some(batch) = receiver.recv().await {
                return Some((batch, (receiver, work)));
            }
            let ended = work?.await;
            let bug = |e| Fault::bug(format!("reading the archive: {e}"));
            Some((vec![Err(ended.err().map(bug)?)], (receiver, None)))
        });
        told.flat_map(futures::stream::iter).boxed()
    }
}

/// What a reader makes of an item.
trait Made: Send + 'static {
    /// Octets of memory that it holds, but for a little.
    fn held(&self) -> u64;
}

impl Made for Listing {
    fn held(&self) -> u64 {
        0
    }
}

impl Made for Letter {
    fn held(&self) -> u64 {
        match &self.body {
            Body::Held(octets) => octets.len() as u64,
            Body::Streamed { .. } => 0,
        }
    }
}

impl Desk {
    fn placed(&self, fault: Fault) -> Fault {
        self.shared.placed(fault.mailbox(&self.folder.name))
    }

    /// Tells each wanted item by ascending key; scans only around what is wanted.
    ///
    /// # Faults
    /// When the folder cannot be scanned any more.
    fn walk(
        &self,
        keys: &KeySet,
        tell: &mut dyn FnMut(Result<Item, Fault>) -> Going,
    ) -> Result<(), Fault> {
        let mut wanted = keys.and(&self.survey.keys);
        let broken = self.survey.broken.clone();
        let broken = broken.filter(|(key, _)| wanted.remove(*key));
        // A folder that only grew tells the same under the same keys.
        let is_as_it_was = self.survey.stamp.is_some()
            && self.shared.store.stamp(&self.folder) == self.survey.stamp;
        if let (true, Some(items)) = (is_as_it_was, self.survey.items()) {
            for item in items.iter().filter(|item| wanted.contains(item.key)) {
                if tell(Ok(item.clone())).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let mut ranges = wanted.ranges().peekable();
        while let Some(first) = ranges.peek().map(|r| *r.start()) {
            let start = self.survey.start(Key(first));
            let (mut is_over, mut is_jump) = (false, false);
            let scanned = self
                .shared
                .store
                .scan(&self.folder, start, &mut |found: Found| {
                    let key = found.key();
                    while ranges.peek().is_some_and(|r| *r.end() < key.0) {
                        ranges.next();
                    }
                    let Some(range) = ranges.peek() else {
                        return ControlFlow::Break(());
                    };
                    if key.0 < *range.start() {
                        // Worth a jump when a scan can begin between here and there.
                        is_jump = self.survey.start(Key(*range.start())).key > key;
                        return match is_jump {
                            true => ControlFlow::Break(()),
                            false => ControlFlow::Continue(()),
                        };
                    }
                    let told = match found {
                        _ if !is_as_it_was && !self.survey.is_same(&found) => Err(renumbered()),
                        Found::Message(item) => Ok(item),
                        Found::Unreadable { place, fault, .. } => Err(at(fault, &place)),
                        // Deleted since.
                        Found::Deleted { .. } => return ControlFlow::Continue(()),
                    };
                    let going = tell(told.map_err(|f| self.placed(f.message(key))));
                    is_over = going.is_break();
                    going
                });
            scanned.map_err(|f| self.placed(f))?;
            if is_over {
                return Ok(());
            }
            if !is_jump {
                break;
            }
        }
        if let Some((_, fault)) = broken {
            let _last = tell(Err(self.placed(fault)));
        }
        Ok(())
    }

    fn listing(&self, item: &Item, facts: Facts) -> Result<Listing, Fault> {
        let options = &self.shared.options;
        let seconds = item.date.map(|d| d.seconds);
        let flags = || options.flags(item.flags.clone(), item.seen_recorded, seconds);
        let head = match facts.head {
            true => Some(HeadDigest::of(&self.front(item)?)),
            false => None,
        };
        Ok(Listing {
            key: item.key,
            flags: facts.flags.then(flags),
            date: item.date.filter(|_| facts.date),
            octets: facts.octets.then_some(item.octets),
            head,
        })
    }

    fn letter(&self, item: Item) -> Result<Letter, Fault> {
        let text = self.text(&item)?;
        let seconds = item.date.map(|d| d.seconds);
        let options = &self.shared.options;
        let body = match text {
            Text::Held(octets) => Body::Held(octets),
            Text::Streamed { octets, pieces } => Body::Streamed {
                octets,
                chunks: self.chunks(item.key, pieces),
            },
        };
        Ok(Letter {
            key: item.key,
            flags: options.flags(item.flags, item.seen_recorded, seconds),
            date: item.date,
            body,
        })
    }

    fn text(&self, item: &Item) -> Result<Text, Fault> {
        let text = self.shared.store.open(&self.folder, item);
        text.map_err(|f| self.placed(f.message(item.key)))
    }

    /// Enough of the message to hold its header.
    fn front(&self, item: &Item) -> Result<Bytes, Fault> {
        let front = self.text(item)?.front(HeadDigest::MAX_HEADER);
        front.map_err(|f| self.placed(f.message(item.key)))
    }

    fn chunks(&self, key: Key, pieces: Pieces) -> BodyStream {
        let desk = self.clone();
        futures::stream::unfold((Some(pieces), desk), move |(pieces, desk)| async move {
            let mut pieces = pieces?;
            let read = blocking(move || Ok((pieces.next(), pieces))).await;
            match read {
                Ok((piece, pieces)) => {
                    let piece = piece?.map_err(|f| desk.placed(f.message(key)));
                    let rest = piece.is_ok().then_some(pieces);
                    Some((piece, (rest, desk)))
                }
                Err(bug) => Some((Err(bug), (None, desk))),
            }
        })
        .boxed()
    }
}

/// With the place inside the archive.
fn at(mut fault: Fault, place: &str) -> Fault {
    if place.is_empty() {
        return fault;
    }
    fault.detail = format!("{place}: {}", fault.detail);
    fault.file(place)
}

/// The fields that name a message to a person.
fn naming_fields(head: &[u8]) -> Bytes {
    let mut out = Vec::new();
    for (name, value) in header_fields(head) {
        let name = String::from_utf8_lossy(name);
        if ["subject", "date", "from", "message-id"]
            .iter()
            .any(|f| f.eq_ignore_ascii_case(&name))
        {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b":");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
    out.into()
}

impl Reader for Opened {
    fn state(&self) -> MailboxState {
        self.desk.survey.state()
    }

    fn resume<'a>(&'a mut self, earlier: &'a MailboxState) -> Ask<'a, bool> {
        let desk = &mut self.desk;
        let continues = desk.survey.continues(earlier);
        if let Some(epoch) = earlier.epoch.filter(|_| continues) {
            desk.survey = Arc::new(desk.survey.under(epoch));
            desk.shared.keep(&desk.folder, &desk.survey);
        }
        Box::pin(async move { Ok(continues) })
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        let keys = self.desk.survey.keys.clone();
        Box::pin(async move { Ok(keys) })
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        self.flow(keys, move |desk, item| desk.listing(&item?, facts))
    }

    fn changed(&mut self, _modseq: u64) -> Flow<'_, Listing> {
        futures::stream::empty().boxed()
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        self.flow(keys, |desk, item| desk.letter(item?))
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        let desk = self.desk.clone();
        Box::pin(blocking(move || {
            let mut told = None;
            desk.walk(&std::iter::once(key).collect(), &mut |item| {
                told = Some(item);
                ControlFlow::Break(())
            })?;
            let Some(item) = told else { return Ok(None) };
            Ok(Some(naming_fields(&desk.front(&item?)?)))
        }))
    }

    fn file(&mut self, key: Key) -> Ask<'_, Option<String>> {
        let desk = self.desk.clone();
        Box::pin(blocking(move || {
            let mut told = None;
            desk.walk(&std::iter::once(key).collect(), &mut |item| {
                told = Some(match item {
                    Ok(item) => Some(desk.shared.store.file_of(&desk.folder, &item)),
                    Err(fault) => fault.at.file,
                });
                ControlFlow::Break(())
            })?;
            Ok(told.flatten())
        }))
    }
}
