//! One folder of an archive that a child reads.
//!
//! Whatever was begun in a child that is gone is begun anew in the next one, from where it had come to. A message at which
//! two children ended is named, and the rest is read.

use crate::cell::{Shared, Slot, Trouble};
use crate::link::{astray, fatal};
use crate::wire::{self, Answer, Ask, FaultWire, FolderWire};
use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::traits::{Ask as Asked, Facts, Flow, Reader};
use hikyaku_core::{
    Body, BodyStream, Code, Fault, HeadDigest, Key, KeySet, Letter, Listing, MailboxInfo,
    MailboxName, MailboxState, Reach, Remedy,
};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Messages that are asked for at once.
const WINDOW: u64 = 4_000;

/// Facts in one answer.
const FACTS: u32 = 1_000;

/// Letters in one answer.
const LETTERS: u32 = 64;

/// A folder as the child knows it, and as people do.
pub(crate) struct Folder {
    place: FolderWire,
    name: MailboxName,
}

impl Folder {
    pub(crate) fn new(inner: &MailboxInfo, name: MailboxName) -> Self {
        Self {
            place: FolderWire::from(inner),
            name,
        }
    }
}

/// An open folder.
pub(crate) struct Opened {
    shared: Arc<Shared>,
    folder: Folder,
    number: u32,
    /// The child in which it is open.
    generation: u64,
    state: MailboxState,
    keys: KeySet,
    /// Held while a long message comes in pieces: nothing else is asked for until then.
    pieces: Arc<Mutex<()>>,
}

impl Opened {
    pub(crate) async fn open(shared: Arc<Shared>, folder: Folder) -> Result<Self, Fault> {
        let mut opened = Self {
            shared,
            folder,
            number: 0,
            generation: 0,
            state: MailboxState::default(),
            keys: KeySet::new(),
            pieces: Arc::default(),
        };
        let mut why = String::new();
        for _ in 0..2 {
            let shared = opened.shared.clone();
            let mut slot = shared.child().await?;
            match opened.enter(&mut slot).await {
                Ok(()) => return Ok(opened),
                Err(Trouble::Fault(fault)) => return Err(opened.placed(fault)),
                Err(Trouble::Died(died)) => why = died,
            }
        }
        Err(opened.placed(fatal(Reach::Mailbox, &why)))
    }

    /// Opens the folder in the child that is there now, unless it is open in it.
    async fn enter(&mut self, slot: &mut Slot) -> Result<(), Trouble> {
        if self.generation == slot.generation {
            return Ok(());
        }
        let number = slot.number();
        let ask = Ask::Folder {
            number,
            place: self.folder.place.clone(),
        };
        let shared = self.shared.clone();
        let (answer, _) = shared.ask(slot, &ask).await?;
        let Answer::Opened { state, keys } = answer else {
            return Err(Trouble::Died(slot.lose(astray())));
        };
        let Some(keys) = wire::keys_in(&keys) else {
            return Err(Trouble::Died(slot.lose(astray())));
        };
        let state = MailboxState::from(state);
        if self.generation == 0 {
            (self.state, self.keys) = (state, keys);
        } else if !is_same(&state, &self.state) || keys != self.keys {
            return Err(Trouble::Fault(changed()));
        }
        (self.number, self.generation) = (number, slot.generation);
        Ok(())
    }

    /// Asks about the folder; where a child dies of it the next one is asked.
    async fn ask(
        &mut self,
        reach: Reach,
        ask: impl Fn(u32) -> Ask,
        is_fit: impl Fn(&Answer) -> bool,
    ) -> Result<(Answer, Vec<u8>), Fault> {
        let mut why = String::new();
        for _ in 0..2 {
            let shared = self.shared.clone();
            let mut slot = shared.child().await?;
            let asked = match self.enter(&mut slot).await {
                Ok(()) => shared.ask(&mut slot, &ask(self.number)).await,
                Err(trouble) => Err(trouble),
            };
            match asked {
                Ok((answer, raw)) if is_fit(&answer) => return Ok((answer, raw)),
                Ok(_) => why = slot.lose(astray()),
                Err(Trouble::Fault(fault)) => return Err(self.placed(fault)),
                Err(Trouble::Died(died)) => why = died,
            }
        }
        Err(self.placed(fatal(reach, &why)))
    }

    fn placed(&self, fault: Fault) -> Fault {
        let mut fault = fault;
        // The child may know it by another name.
        fault.at.mailbox = Some(self.folder.name.to_string());
        self.shared.placed(fault)
    }

    fn walk<T: Thing>(&mut self, keys: &KeySet, facts: Facts) -> Flow<'_, T> {
        let walk = Walk {
            rest: keys.and(&self.keys),
            opened: self,
            facts,
            window: KeySet::new(),
            begun: None,
            ready: VecDeque::new(),
            suspect: None,
            is_over: false,
        };
        futures::stream::unfold(walk, |mut walk| async {
            let next = walk.next().await?;
            Some((next, walk))
        })
        .boxed()
    }
}

/// Whether another child sees the same. A reader may go on under an earlier epoch
/// ([`Reader::resume`]); what the folder holds is the same then.
fn is_same(a: &MailboxState, b: &MailboxState) -> bool {
    match (a.modseq, b.modseq) {
        (Some(of_a), Some(of_b)) => (of_a, a.next) == (of_b, b.next),
        _ => a.epoch == b.epoch,
    }
}

fn changed() -> Fault {
    Fault::new(
        Code::ArchiveChanged,
        Reach::Mailbox,
        Remedy::Retry { after: None },
        "the folder is not what it was before",
    )
}

/// What a walk tells of each message.
trait Thing: Send + Sized + 'static {
    /// How many are asked for at once.
    const MOST: u32;

    fn begin(number: u32, keys: String, facts: Facts) -> Ask;

    /// What came, with the key of each, and whether it was all; `None` for an answer that is none.
    fn take(answer: Answer, raw: Vec<u8>, opened: &Opened) -> Option<(Vec<Told<Self>>, bool)>;
}

/// A thing with its key, or what is wrong.
type Told<T> = Result<(u64, T), FaultWire>;

impl Thing for Listing {
    const MOST: u32 = FACTS;

    fn begin(number: u32, keys: String, facts: Facts) -> Ask {
        Ask::List {
            number,
            keys,
            facts: [facts.flags, facts.date, facts.octets, facts.head],
        }
    }

    fn take(answer: Answer, _: Vec<u8>, _: &Opened) -> Option<(Vec<Told<Self>>, bool)> {
        let Answer::Listed { items, end } = answer else {
            return None;
        };
        let told = items.into_iter().map(|item| {
            item.map(|listing| {
                let known = Listing {
                    key: Key(listing.key),
                    flags: listing.flags.as_deref().map(wire::flags_in),
                    date: listing.date.and_then(wire::date_in),
                    octets: listing.octets,
                    head: listing.head.map(HeadDigest),
                };
                (listing.key, known)
            })
        });
        Some((told.collect(), end))
    }
}

impl Thing for Letter {
    const MOST: u32 = LETTERS;

    fn begin(number: u32, keys: String, _: Facts) -> Ask {
        Ask::Read { number, keys }
    }

    fn take(answer: Answer, raw: Vec<u8>, opened: &Opened) -> Option<(Vec<Told<Self>>, bool)> {
        let Answer::Letters { items, end } = answer else {
            return None;
        };
        let mut raw = Bytes::from(raw);
        let mut told = Vec::with_capacity(items.len().min(LETTERS as usize));
        for item in items {
            let letter = match item {
                Ok(letter) => letter,
                Err(fault) => {
                    told.push(Err(fault));
                    continue;
                }
            };
            let key = Key(letter.key);
            let body = match letter.whole {
                true => {
                    let octets = usize::try_from(letter.octets).ok()?;
                    if octets > raw.len() {
                        return None;
                    }
                    Body::Held(raw.split_to(octets))
                }
                false => Body::Streamed {
                    octets: letter.octets,
                    chunks: opened.pieces(key, letter.octets)?,
                },
            };
            let known = Letter {
                key,
                flags: wire::flags_in(&letter.flags),
                date: letter.date.and_then(wire::date_in),
                body,
            };
            told.push(Ok((letter.key, known)));
        }
        raw.is_empty().then_some((told, end))
    }
}

/// Tells things of messages, one after the other.
struct Walk<'a, T> {
    opened: &'a mut Opened,
    facts: Facts,
    /// Not told yet.
    rest: KeySet,
    /// What the child was asked for.
    window: KeySet,
    /// The child that was asked.
    begun: Option<u64>,
    ready: VecDeque<Result<T, Fault>>,
    /// The first message that was not told when a child ended: now one is asked for at a time.
    suspect: Option<Key>,
    is_over: bool,
}

impl<T: Thing> Walk<'_, T> {
    async fn next(&mut self) -> Option<Result<T, Fault>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            let first = self.rest.first().filter(|_| !self.is_over)?;
            match self.fetch(first).await {
                Ok(()) => {}
                Err(Trouble::Fault(fault)) => {
                    self.is_over = true;
                    return Some(Err(self.opened.placed(fault)));
                }
                Err(Trouble::Died(why)) => {
                    self.begun = None;
                    match self.suspect == Some(first) {
                        true => self.name(first, &why),
                        false => self.suspect = Some(first),
                    }
                }
            }
        }
    }

    /// The message is given up.
    fn name(&mut self, key: Key, why: &str) {
        self.rest.remove(key);
        self.suspect = None;
        let fault = fatal(Reach::Message, why).message(key);
        self.ready.push_back(Err(self.opened.placed(fault)));
    }

    /// Fills what is ready, or comes to the end of what was asked for.
    async fn fetch(&mut self, first: Key) -> Result<(), Trouble> {
        drop(self.opened.pieces.lock().await);
        let shared = self.opened.shared.clone();
        let mut slot = shared.child().await?;
        let victim = |slot: &Slot, name: &MailboxName, key| {
            let deaths = slot.victims.get(&(name.clone(), key));
            deaths.is_some_and(|deaths| *deaths >= 2)
        };
        if victim(&slot, &self.opened.folder.name, first) {
            drop(slot);
            self.begun = None;
            self.name(first, "twice in the middle of this message");
            return Ok(());
        }
        self.opened.enter(&mut slot).await?;
        if self.begun != Some(slot.generation) {
            self.window = self.rest.clone().take_front(WINDOW);
            // As far as to the next one that is given up: it is named at its place.
            let name = &self.opened.folder.name;
            let mut given_up = slot.victims.keys().filter(|(of, _)| of == name);
            if let Some((_, bad)) =
                given_up.find(|(_, key)| self.window.contains(*key) && victim(&slot, name, *key))
            {
                let before = KeySet::range(0..=bad.0.saturating_sub(1));
                self.window = self.window.and(&before);
            }
            let ask = T::begin(self.opened.number, self.window.to_string(), self.facts);
            match shared.ask(&mut slot, &ask).await? {
                (Answer::Done, _) => self.begun = Some(slot.generation),
                _ => return Err(Trouble::Died(slot.lose(astray()))),
            }
        }
        let more = Ask::More {
            number: self.opened.number,
            most: match self.suspect {
                Some(_) => 1,
                None => T::MOST,
            },
        };
        let (answer, raw) = shared.ask(&mut slot, &more).await?;
        let Some((told, end)) = T::take(answer, raw, self.opened) else {
            return Err(Trouble::Died(slot.lose(astray())));
        };
        if told.is_empty() && !end {
            return Err(Trouble::Died(slot.lose(astray())));
        }
        for told in told {
            if let Err(why) = self.note(told) {
                return Err(Trouble::Died(slot.lose(why)));
            }
        }
        if end {
            // What is left out of it is gone.
            let last = self.window.last().unwrap_or(first);
            let over = KeySet::range(0..=last.0).and(&self.window);
            self.rest = self.rest.minus(&over);
            self.begun = None;
        }
        Ok(())
    }

    /// Takes what the child told, if it was asked for it.
    fn note(&mut self, told: Told<T>) -> Result<(), String> {
        let (key, ready) = match told {
            Ok((key, thing)) => (Some(key), Ok(thing)),
            Err(fault) => {
                let fault = fault.fault();
                self.is_over |= fault.reach > Reach::Message;
                (
                    fault.at.message.map(|key| key.0),
                    Err(self.opened.placed(fault)),
                )
            }
        };
        if let Some(key) = key {
            if !self.window.contains(Key(key)) || !self.rest.contains(Key(key)) {
                return Err(astray());
            }
            self.rest = self.rest.minus(&KeySet::range(0..=key).and(&self.window));
            self.suspect = None;
        }
        self.ready.push_back(ready);
        Ok(())
    }
}

impl Opened {
    /// The octets of a message that was too long to come at once; `None` while another one comes.
    fn pieces(&self, key: Key, octets: u64) -> Option<BodyStream> {
        let part = Part {
            _alone: self.pieces.clone().try_lock_owned().ok()?,
            shared: self.shared.clone(),
            name: self.folder.name.clone(),
            number: self.number,
            generation: self.generation,
            key,
            left: octets,
        };
        let chunks = futures::stream::unfold(Some(part), |part| async {
            let mut part = part?;
            match part.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(part))),
                Ok(None) => None,
                Err(fault) => Some((Err(fault), None)),
            }
        });
        Some(chunks.boxed())
    }
}

/// What is left of a message.
struct Part {
    _alone: OwnedMutexGuard<()>,
    shared: Arc<Shared>,
    name: MailboxName,
    number: u32,
    generation: u64,
    key: Key,
    left: u64,
}

impl Part {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let placed = |part: &Self, fault: Fault| {
            part.shared
                .placed(fault.mailbox(&part.name).message(part.key))
        };
        let again = |why: &str| {
            let remedy = Remedy::Retry { after: None };
            Fault::new(Code::ArchiveDamaged, Reach::Mailbox, remedy, why)
        };
        let shared = self.shared.clone();
        let mut slot = shared.child().await?;
        if slot.generation != self.generation {
            return Err(placed(self, again("the process that read it is gone")));
        }
        let ask = Ask::Piece {
            number: self.number,
        };
        let died = match shared.ask(&mut slot, &ask).await {
            Ok((Answer::Piece, raw)) => match (raw.len() as u64, self.left) {
                (0, 0) => return Ok(None),
                (came, left) if came > 0 && came <= left => {
                    self.left -= came;
                    return Ok(Some(raw.into()));
                }
                _ => slot.lose(astray()),
            },
            Ok(_) => slot.lose(astray()),
            Err(Trouble::Fault(fault)) => return Err(placed(self, fault)),
            Err(Trouble::Died(died)) => died,
        };
        *slot
            .victims
            .entry((self.name.clone(), self.key))
            .or_default() += 1;
        let why = format!("the process that read it came to an end: {died}");
        Err(placed(self, again(&why)))
    }
}

impl Reader for Opened {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Asked<'_, KeySet> {
        Box::pin(async { Ok(self.keys.clone()) })
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        self.walk(keys, facts)
    }

    fn changed(&mut self, _: u64) -> Flow<'_, Listing> {
        futures::stream::empty().boxed()
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        self.walk(keys, Facts::default())
    }

    fn resume<'a>(&'a mut self, earlier: &'a MailboxState) -> Asked<'a, bool> {
        Box::pin(async move {
            let ask = |number| Ask::Resume {
                number,
                earlier: earlier.into(),
            };
            let is_fit = |answer: &Answer| matches!(answer, Answer::Resumed(_));
            let (answer, _) = self.ask(Reach::Mailbox, ask, is_fit).await?;
            let resumed = matches!(answer, Answer::Resumed(true));
            if resumed {
                self.state.epoch = earlier.epoch;
            }
            Ok(resumed)
        })
    }

    fn head(&mut self, key: Key) -> Asked<'_, Option<Bytes>> {
        Box::pin(async move {
            if !self.keys.contains(key) {
                return Ok(None);
            }
            let ask = |number| Ask::Head { number, key: key.0 };
            let is_fit = |answer: &Answer| matches!(answer, Answer::Head(_));
            let asked = self.ask(Reach::Message, ask, is_fit).await;
            let (answer, raw) = asked.map_err(|fault| fault.message(key))?;
            Ok(matches!(answer, Answer::Head(true)).then(|| raw.into()))
        })
    }

    fn file(&mut self, key: Key) -> Asked<'_, Option<String>> {
        Box::pin(async move {
            if !self.keys.contains(key) {
                return Ok(None);
            }
            let ask = |number| Ask::File { number, key: key.0 };
            let is_fit = |answer: &Answer| matches!(answer, Answer::File(_));
            let asked = self.ask(Reach::Message, ask, is_fit).await;
            let (answer, _) = asked.map_err(|fault| fault.message(key))?;
            Ok(match answer {
                Answer::File(file) => file.map(|file| self.shared.told(&file)),
                _ => None,
            })
        })
    }
}
