//! One cut: where in the dialogue, and in which way. It has a name, from which it can be made again.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use hikyaku_core::Side;
use hikyaku_testkit::generate::Random;
use hikyaku_testkit::proxy::{Action, At, Direction, Fault, Piece, Place};

/// What the run does that meets the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// As the product does: it connects again and goes on. The re-run finds nothing to do, or the rest.
    Retries,
    /// It ends at the first lost connection, as if it had been killed there. The re-run has everything to find out.
    Quits,
}

/// In which way a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Both sides see an orderly end.
    Close,
    /// Both sides see a reset.
    Reset,
    /// The receiver sees the end of this direction only.
    HalfClose,
    /// Nothing passes any more, and nobody is told.
    Silence,
}

impl Manner {
    /// Both, in the order of the summary.
    pub const ALL: [Self; 2] = [Self::Retries, Self::Quits];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Retries => "retries",
            Self::Quits => "quits",
        }
    }
}

impl Cut {
    /// All, in the order of the summary.
    pub const ALL: [Self; 4] = [Self::Close, Self::Reset, Self::HalfClose, Self::Silence];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reset => "reset",
            Self::HalfClose => "half-close",
            Self::Silence => "silence",
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Close => Action::Close,
            Self::Reset => Action::Reset,
            Self::HalfClose => Action::HalfClose,
            Self::Silence => Action::Silence,
        }
    }
}

/// Where a line is cut.
const IN_LINES: [Place; 3] = [Place::Before, Place::Middle, Place::After];
/// Where a literal is cut. Before its first octet is after the line that announces it; after its last octet is before
/// the line end that completes an APPEND.
const IN_LITERALS: [Place; 4] = [Place::First, Place::Middle, Place::Last, Place::After];

/// One cut of one dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// What the run does that meets it.
    pub manner: Manner,
    /// On whose connections.
    pub side: Side,
    /// Which connection, counting from 0 in the order of opening.
    pub connection: usize,
    /// Whose words are cut.
    pub direction: Direction,
    /// Which piece of the dialogue, counting from 0 in this direction of the connection.
    pub piece: usize,
    /// Where in the piece.
    pub place: Place,
    /// In which way.
    pub cut: Cut,
}

impl Case {
    /// What the proxy of the side is told.
    pub fn fault(&self) -> Fault {
        Fault {
            direction: self.direction,
            at: At::Piece {
                number: self.piece,
                place: self.place,
            },
            action: self.cut.action(),
            connection: Some(self.connection),
        }
    }
}

/// Every cut of a recorded dialogue: all pieces × all places × all ways.
pub(super) fn every(manner: Manner, side: Side, pieces: &[Piece]) -> Vec<(&Piece, Case)> {
    let mut cases = Vec::new();
    for piece in pieces {
        let places: &[Place] = if piece.is_literal {
            &IN_LITERALS
        } else {
            &IN_LINES
        };
        for place in places {
            cases.extend(Cut::ALL.map(|cut| {
                let case = Case {
                    manner,
                    side,
                    connection: piece.connection,
                    direction: piece.direction,
                    piece: piece.number,
                    place: *place,
                    cut,
                };
                (piece, case)
            }));
        }
    }
    cases
}

/// So many of the cases, chosen by the salt: the same salt chooses the same ones.
pub(super) fn sample<T>(mut cases: Vec<T>, count: usize, salt: &str) -> Vec<T> {
    // FNV-1a, so that each character counts.
    let seed = salt.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = Random::new(seed);
    for from in 0..count.min(cases.len()) {
        let other = random.between(from as u64, cases.len() as u64) as usize;
        cases.swap(from, other);
    }
    cases.truncate(count);
    cases
}

fn place_word(place: Place) -> &'static str {
    match place {
        Place::Before => "before",
        Place::First => "first",
        Place::Middle => "middle",
        Place::Last => "last",
        Place::After => "after",
    }
}

pub(super) fn speaker(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    }
}

pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}:{}:{}:{}:{}",
            self.manner.word(),
            side_word(self.side),
            self.connection,
            speaker(self.direction),
            self.piece,
            place_word(self.place),
            self.cut.word()
        )
    }
}

impl FromStr for Case {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split(':').collect();
        let [manner, side, connection, by, piece, place, cut] = words[..] else {
            bail!(
                "{text:?} is no case: MANNER:SIDE:CONNECTION:SPEAKER:PIECE:PLACE:CUT is, such as \
                 retries:destination:1:client:12:middle:reset"
            );
        };
        let case = Self {
            manner: named(&Manner::ALL, Manner::word, manner)?,
            side: named(&[Side::Source, Side::Destination], side_word, side)?,
            connection: connection.parse().context("the connection's number")?,
            direction: named(&[Direction::ToServer, Direction::ToClient], speaker, by)?,
            piece: piece.parse().context("the piece's number")?,
            place: named(
                &[
                    Place::Before,
                    Place::First,
                    Place::Middle,
                    Place::Last,
                    Place::After,
                ],
                place_word,
                place,
            )?,
            cut: named(&Cut::ALL, Cut::word, cut)?,
        };
        ensure!(case.to_string() == text, "{text:?} is written {case}");
        Ok(case)
    }
}

fn named<T: Copy>(all: &[T], word: fn(T) -> &'static str, text: &str) -> Result<T> {
    let found = all.iter().find(|one| word(**one) == text);
    found.copied().with_context(|| {
        let words: Vec<_> = all.iter().map(|one| word(*one)).collect();
        format!("{text:?} is none of {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Vec<Piece> {
        let piece = |number, direction, is_literal| Piece {
            connection: 1,
            direction,
            number,
            is_literal,
            octets: 10,
            text: String::new(),
        };
        vec![
            piece(0, Direction::ToClient, false),
            piece(0, Direction::ToServer, false),
            piece(1, Direction::ToServer, true),
        ]
    }

    #[test]
    fn every_piece_is_cut_at_every_place_in_every_way_and_once() {
        let pieces = pieces();
        let cases: Vec<Case> = every(Manner::Quits, Side::Destination, &pieces)
            .into_iter()
            .map(|(_, case)| case)
            .collect();
        assert_eq!(cases.len(), (3 + 3 + 4) * 4);
        let names: std::collections::BTreeSet<String> = cases.iter().map(Case::to_string).collect();
        assert_eq!(names.len(), cases.len());
        for case in cases {
            assert_eq!(case.to_string().parse::<Case>().expect("its name"), case);
        }
        assert!(
            "retries:source:0:client:1:middle:burn"
                .parse::<Case>()
                .is_err()
        );
    }

    #[test]
    fn a_salt_chooses_the_same_cases_and_another_salt_others() {
        let all: Vec<u32> = (0..40).collect();
        let chosen = sample(all.clone(), 8, "a1");
        assert_eq!(chosen, sample(all.clone(), 8, "a1"));
        assert_ne!(chosen, sample(all.clone(), 8, "a2"));
        assert_eq!(sample(all.clone(), 1_000, "a1").len(), all.len());
    }
}
