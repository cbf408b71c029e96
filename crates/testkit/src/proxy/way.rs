//! What one direction of a connection does with the octets it gets: record lines, find the places of faults.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::lines::{Announcements, Ended, Splitter, Stretch};
use super::pump::locked;
use super::{Action, At, Direction, Line, Piece, Place, Shared};

/// Partial lines are held back up to this size while faults wait for lines.
const HELD: usize = 64 * 1024;

/// What the two directions of a connection tell each other.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    announcements: Announcements,
    refused: bool,
}

/// What is to be done next, in order. Nothing follows an action that ends the direction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Octets(Vec<u8>),
    Action(Action),
}

/// One direction of one connection.
pub(super) struct Way {
    direction: Direction,
    connection: usize,
    shared: Arc<Shared>,
    dialogue: Arc<Mutex<Dialogue>>,
    splitter: Splitter,
    /// Lines are looked for; decided when the connection opens, because a stream cannot be joined in the middle.
    looks_for_lines: bool,
    held: Vec<u8>,
    passed: u64,
    /// Pieces that have begun.
    pieces: usize,
    /// Octets of the present line that have passed before its end came.
    ahead: u64,
    /// The literal that comes next, by its length.
    literal: Option<u64>,
    /// Faults with a known place ahead: the offset and what happens there.
    armed: Vec<(u64, Action)>,
}

impl Way {
    pub(super) fn new(
        direction: Direction,
        connection: usize,
        shared: Arc<Shared>,
        dialogue: Arc<Mutex<Dialogue>>,
    ) -> Self {
        let looks_for_lines = {
            let state = shared.state();
            let at_line = |at: &At| !matches!(at, At::Octets(_));
            state.settings.record || state.faults.iter().any(|placed| at_line(&placed.fault.at))
        };
        Self {
            direction,
            connection,
            shared,
            dialogue,
            splitter: Splitter::default(),
            looks_for_lines,
            held: Vec::new(),
            passed: 0,
            pieces: 0,
            ahead: 0,
            literal: None,
            armed: Vec::new(),
        }
    }

    /// When octets that enter the line now leave it.
    pub(super) fn departure(&self, octets: usize) -> Instant {
        self.shared.state().pass(self.direction, octets)
    }

    /// What happens before the first octet.
    pub(super) fn begin(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.emit(b"", &mut steps);
        steps
    }

    /// What happens to octets that have arrived.
    pub(super) fn take(&mut self, octets: &[u8]) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.looks_for_lines {
            self.emit(octets, &mut steps);
            return steps;
        }
        if self.direction == Direction::ToServer
            && std::mem::take(&mut locked(&self.dialogue).refused)
        {
            let line = self.splitter.refuse_literal();
            self.literal = None;
            self.record(line);
        }
        let mut rest = octets;
        while !rest.is_empty() {
            let (length, stretch) = self.splitter.next(rest);
            let (piece, after) = rest.split_at(length);
            rest = after;
            match (stretch, self.splitter.ended()) {
                (Stretch::TextEnd, Some(ended)) => self.line(piece, &ended, &mut steps),
                (Stretch::Open, _) if self.awaits_lines() && self.held.len() < HELD => {
                    self.held.extend_from_slice(piece);
                }
                (stretch, _) => {
                    if stretch == Stretch::Literal
                        && let Some(octets) = self.literal.take()
                    {
                        self.begin_piece(String::new(), octets, true, &mut steps);
                    }
                    let mut held = std::mem::take(&mut self.held);
                    held.extend_from_slice(piece);
                    if stretch == Stretch::Open {
                        self.ahead += held.len() as u64;
                    }
                    self.emit(&held, &mut steps);
                }
            }
        }
        steps
    }

    /// What was held back when the sender ended.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// A line, or the part of it before a literal, is complete.
    fn line(&mut self, piece: &[u8], ended: &Ended, steps: &mut Vec<Step>) {
        let mut whole = std::mem::take(&mut self.held);
        whole.extend_from_slice(piece);
        match self.direction {
            Direction::ToServer => {
                if let Some((_, true)) = ended.literal {
                    locked(&self.dialogue).announcements.announce(&ended.tag);
                }
            }
            Direction::ToClient => {
                let mut dialogue = locked(&self.dialogue);
                if dialogue.announcements.is_refused_by(&ended.text) {
                    dialogue.refused = true;
                }
            }
        }
        if let Some(logical) = &ended.logical {
            self.record(logical.clone());
        }
        self.literal = ended.literal.map(|(octets, _)| octets).filter(|n| *n > 0);
        let octets = self.ahead + whole.len() as u64;
        let mut dropped = self.begin_piece(ended.text.clone(), octets, false, steps);
        for (before, octets, action) in self.faults_at(&ended.text) {
            if before {
                dropped |= matches!(action, Action::Say(_));
                steps.push(Step::Action(action));
            } else {
                self.armed
                    .push((self.passed + whole.len() as u64 + octets, action));
            }
        }
        if !dropped {
            self.emit(&whole, steps);
        }
    }

    /// Counts a piece, keeps it, and places the faults that wait for it. Whether something is said in its place.
    fn begin_piece(
        &mut self,
        text: String,
        octets: u64,
        is_literal: bool,
        steps: &mut Vec<Step>,
    ) -> bool {
        let number = self.pieces;
        self.pieces += 1;
        let start = self.passed - std::mem::take(&mut self.ahead);
        let mut replaced = false;
        let mut state = self.shared.state();
        for placed in &mut state.faults {
            let At::Piece { number: at, place } = placed.fault.at else {
                continue;
            };
            if placed.happened || at != number || !self.concerns(&placed.fault) {
                continue;
            }
            placed.happened = true;
            let action = placed.fault.action.clone();
            if place == Place::Before {
                replaced |= matches!(action, Action::Say(_)) && !is_literal;
                steps.push(Step::Action(action));
            } else {
                self.armed.push((start + place.of(octets), action));
            }
        }
        if state.settings.record {
            state.pieces.push(Piece {
                connection: self.connection,
                direction: self.direction,
                number,
                is_literal,
                octets,
                text,
            });
        }
        replaced
    }

    /// Takes the faults that happen at this line: whether before it, how many octets after it, and what.
    fn faults_at(&self, text: &str) -> Vec<(bool, u64, Action)> {
        let mut happening = Vec::new();
        let text = text.to_lowercase();
        for placed in &mut self.shared.state().faults {
            if placed.happened || !self.concerns(&placed.fault) {
                continue;
            }
            let (contains, nth, before, octets) = match &placed.fault.at {
                At::Octets(_) | At::Piece { .. } => continue,
                At::BeforeLine { contains, nth } => (contains, *nth, true, 0),
                At::AfterLine {
                    contains,
                    nth,
                    octets,
                } => (contains, *nth, false, *octets),
            };
            if text.contains(&contains.to_lowercase()) {
                placed.matches += 1;
                if placed.matches == nth {
                    placed.happened = true;
                    happening.push((before, octets, placed.fault.action.clone()));
                }
            }
        }
        happening
    }

    /// Whether a fault still waits for a line of this direction.
    fn awaits_lines(&self) -> bool {
        let state = self.shared.state();
        state.faults.iter().any(|placed| {
            !placed.happened
                && self.concerns(&placed.fault)
                && !matches!(placed.fault.at, At::Octets(_))
        })
    }

    fn concerns(&self, fault: &super::Fault) -> bool {
        fault.direction == self.direction
            && fault.connection.is_none_or(|only| only == self.connection)
    }

    /// Passes octets on, with the actions placed among them.
    fn emit(&mut self, octets: &[u8], steps: &mut Vec<Step>) {
        let mut rest = octets;
        loop {
            while let Some(action) = self.due() {
                steps.push(Step::Action(action));
            }
            if rest.is_empty() {
                return;
            }
            let until_next = self
                .next_place()
                .map_or(u64::MAX, |place| place - self.passed);
            let length = usize::try_from(until_next)
                .unwrap_or(usize::MAX)
                .min(rest.len());
            let (piece, after) = rest.split_at(length);
            steps.push(Step::Octets(piece.to_vec()));
            self.passed += length as u64;
            rest = after;
        }
    }

    /// Takes an action whose place is reached.
    fn due(&mut self) -> Option<Action> {
        if let Some(index) = self
            .armed
            .iter()
            .position(|(place, _)| *place <= self.passed)
        {
            return Some(self.armed.remove(index).1);
        }
        let mut state = self.shared.state();
        let placed = state.faults.iter_mut().find(|placed| {
            !placed.happened
                && self.concerns(&placed.fault)
                && matches!(placed.fault.at, At::Octets(place) if place <= self.passed)
        })?;
        placed.happened = true;
        Some(placed.fault.action.clone())
    }

    /// The next place ahead where something happens.
    fn next_place(&self) -> Option<u64> {
        let state = self.shared.state();
        let by_octets = state
            .faults
            .iter()
            .filter_map(|placed| match placed.fault.at {
                At::Octets(place) if !placed.happened && self.concerns(&placed.fault) => {
                    Some(place)
                }
                _ => None,
            });
        by_octets
            .chain(self.armed.iter().map(|(place, _)| *place))
            .min()
    }

    fn record(&self, text: String) {
        let mut state = self.shared.state();
        if state.settings.record {
            let line = Line {
                connection: self.connection,
                direction: self.direction,
                text,
            };
            state.transcript.push(line);
        }
    }
}
