//! What clients asked for, without literals and secrets, for tests to judge.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use crate::account::lock;

/// Commands kept; later ones are only counted.
const KEPT: usize = 1_000_000;
/// Octets of arguments kept for one command.
const ARGUMENTS: usize = 1024;

/// One command as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of the connection, from 1.
    pub connection: u32,
    /// The client's tag.
    pub tag: String,
    /// The verb in capitals; `UID FETCH` and its like are one verb.
    pub verb: String,
    /// The arguments; literals as `{octets}`, secrets as `***`.
    pub arguments: String,
    /// The mailbox that was selected, on the wire.
    pub selected: Option<Vec<u8>>,
    /// `OK`, `NO` or `BAD`; `None` when no answer was sent.
    pub answer: Option<&'static str>,
}

/// What happened on one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Octets received, inside TLS and after decompression.
    pub received: u64,
    /// Octets sent, inside TLS and before compression.
    pub sent: u64,
    /// Whether the session has ended.
    pub ended: bool,
}

/// All commands of a server so far, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// The commands.
    pub entries: Vec<Entry>,
    /// Commands that came after the memory for them was full.
    pub omitted: u64,
    /// By connection, the first first.
    pub connections: Vec<Traffic>,
}

impl Transcript {
    /// The verbs that were used.
    pub fn verbs(&self) -> BTreeSet<&str> {
        self.entries.iter().map(|e| e.verb.as_str()).collect()
    }

    /// The commands of one verb.
    pub fn of(&self, verb: &str) -> Vec<&Entry> {
        self.entries.iter().filter(|e| e.verb == verb).collect()
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for e in &self.entries {
            let answer = e.answer.unwrap_or("-");
            writeln!(
                f,
                "{} {} {} {} -> {answer}",
                e.connection, e.tag, e.verb, e.arguments
            )?;
        }
        Ok(())
    }
}

/// The transcript while it is written.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Transcript>);

/// Where a command stands in the transcript.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(Option<usize>);

impl Recorder {
    pub(crate) fn connected(&self) -> u32 {
        let mut transcript = lock(&self.0);
        transcript.connections.push(Traffic::default());
        u32::try_from(transcript.connections.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn traffic(&self, connection: u32, traffic: Traffic) {
        let mut transcript = lock(&self.0);
        let at = (connection as usize).wrapping_sub(1);
        if let Some(place) = transcript.connections.get_mut(at) {
            *place = traffic;
        }
    }

    pub(crate) fn command(&self, mut entry: Entry) -> Place {
        let mut transcript = lock(&self.0);
        if transcript.entries.len() >= KEPT {
            transcript.omitted += 1;
            return Place(None);
        }
        if entry.arguments.len() > ARGUMENTS {
            let cut = (0..=ARGUMENTS)
                .rev()
                .find(|at| entry.arguments.is_char_boundary(*at));
            entry.arguments.truncate(cut.unwrap_or(0));
            entry.arguments.push('…');
        }
        transcript.entries.push(entry);
        Place(Some(transcript.entries.len() - 1))
    }

    pub(crate) fn answered(&self, place: Place, answer: &'static str) {
        if let Some(at) = place.0
            && let Some(entry) = lock(&self.0).entries.get_mut(at)
        {
            entry.answer = Some(answer);
        }
    }

    pub(crate) fn copy(&self) -> Transcript {
        lock(&self.0).clone()
    }

    /// Forgets the commands, not the connections.
    pub(crate) fn clear(&self) {
        let mut transcript = lock(&self.0);
        transcript.entries.clear();
        transcript.omitted = 0;
    }
}
