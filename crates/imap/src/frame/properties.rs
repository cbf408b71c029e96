//! What holds for the framer whatever the octets are.

use super::{Frame, FrameError, FrameLimits, Framer, announcement, may_have_literals};
use crate::response::StreamedLiteral;

/// Frames as values, with the chunks of a streamed literal joined: how the octets were
/// cut must not show.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Response(Vec<u8>, Vec<StreamedLiteral>),
    Start(Vec<u8>, u64),
    Octets(Vec<u8>),
    End,
    Failed(FrameError),
}

/// The first octet chooses limits, the second one how the rest is cut.
///
/// However the octets are cut, the same frames come out; none is longer than the limits;
/// nothing more is held than they allow; no octet is lost, made up or moved; and after
/// an error nothing comes but the same error.
pub(crate) fn framer(input: &[u8]) {
    let [which, seed, wire @ ..] = input else {
        return;
    };
    let limits = limits(*which);
    let whole = feed(limits, [wire]);
    assert_eq!(feed(limits, wire.chunks(1)), whole, "octet by octet");
    assert_eq!(feed(limits, pieces(wire, *seed)), whole, "in pieces");
    is_within(limits, &whole);
}

fn limits(which: u8) -> FrameLimits {
    let tight = FrameLimits {
        line: 60,
        text: 100,
        held: 8,
        held_total: 12,
        literal: 1000,
        streamed: 2,
    };
    match which % 4 {
        0 => FrameLimits::default(),
        1 => FrameLimits {
            held: 20,
            ..FrameLimits::default()
        },
        2 => FrameLimits {
            line: 1 << 12,
            text: 1 << 13,
            held: 1 << 9,
            held_total: 1 << 10,
            literal: 1 << 16,
            streamed: 4,
        },
        _ => tight,
    }
}

/// Cuts of one to a few hundred octets; above [`super::SMALL`] pieces are kept, not copied.
fn pieces(wire: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    let mut state = u32::from(seed) + 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = match state >> 30 {
            0 => 1 + (state >> 8) % 700,
            _ => 1 + (state >> 8) % 24,
        };
        let (piece, after) = rest.split_at(rest.len().min(length as usize));
        rest = after;
        Some(piece)
    })
}

fn feed<'a>(limits: FrameLimits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut framer = Framer::new(limits);
    let mut seen = Vec::new();
    let mut account = Account::default();
    for chunk in chunks {
        account.taken.extend_from_slice(chunk);
        framer.push(chunk.to_vec());
        while take(&mut framer, &mut seen, &mut account) {}
        let most = limits.text as u64 + 2 + limits.held_total;
        let held = framer.gathered.octets as u64;
        assert!(held <= most, "{held} octets are held, {most} are allowed");
        if let Some(Seen::Failed(error)) = seen.last() {
            assert_eq!(framer.next(), Err(*error), "an error that does not stay");
            return seen;
        }
    }
    account.settle(&framer.take_rest());
    seen
}

/// Takes one frame; false when there is none.
fn take(framer: &mut Framer, seen: &mut Vec<Seen>, account: &mut Account) -> bool {
    match framer.next() {
        Ok(None) => return false,
        Ok(Some(Frame::Response(raw))) => {
            account.text(&raw.octets, true);
            seen.push(Seen::Response(raw.octets.to_vec(), raw.streamed));
        }
        Ok(Some(Frame::LiteralStart { head, octets })) => {
            let announced = StreamedLiteral {
                at: head.octets.len(),
                octets,
            };
            assert_eq!(head.streamed.last(), Some(&announced));
            account.text(&head.octets, false);
            seen.push(Seen::Start(head.octets.to_vec(), octets));
        }
        Ok(Some(Frame::LiteralChunk(chunk))) => {
            assert!(!chunk.is_empty(), "an empty chunk");
            account.given.extend_from_slice(&chunk);
            match seen.last_mut() {
                Some(Seen::Octets(octets)) => octets.extend_from_slice(&chunk),
                _ => seen.push(Seen::Octets(chunk.to_vec())),
            }
        }
        Ok(Some(Frame::LiteralEnd)) => seen.push(Seen::End),
        Err(error) => {
            seen.push(Seen::Failed(error));
            return false;
        }
    }
    true
}

/// What went in and what came out.
#[derive(Default)]
struct Account {
    taken: Vec<u8>,
    given: Vec<u8>,
    /// How much of the response under way was given with a head already.
    shown: usize,
}

impl Account {
    fn text(&mut self, octets: &[u8], is_end: bool) {
        self.given.extend_from_slice(&octets[self.shown..]);
        self.shown = if is_end {
            // Which line end it was is not told: only one of the two fits.
            let rest = &self.taken[self.given.len()..];
            let end = if rest.starts_with(b"\r\n") { 2 } else { 1 };
            self.given.extend_from_slice(&rest[..end]);
            0
        } else {
            octets.len()
        };
    }

    fn settle(mut self, rest: &[u8]) {
        self.given.extend_from_slice(&rest[self.shown..]);
        assert!(
            self.given == self.taken,
            "octets were lost, made up or moved:\n{}\n{}",
            self.given.escape_ascii(),
            self.taken.escape_ascii()
        );
    }
}

/// Lengths within the limits, and literals as long as they were announced.
fn is_within(limits: FrameLimits, seen: &[Seen]) {
    // A line end may be one octet shorter than what is set aside for it.
    let most = limits.text as u64 + 1 + limits.held_total;
    let mut head: &[u8] = &[];
    for (at, frame) in seen.iter().enumerate() {
        match frame {
            Seen::Response(octets, streamed) => {
                assert!(octets.len() as u64 <= most, "a response that is too long");
                assert!(streamed.len() <= limits.streamed);
                assert!(
                    octets.starts_with(head),
                    "the skeleton does not begin with its head"
                );
                has_whole_literals(octets, streamed);
                head = &[];
            }
            Seen::Start(octets, announced) => {
                assert!(*announced <= limits.literal, "a literal that is too long");
                assert!(
                    octets.starts_with(head),
                    "a later head forgets an earlier one"
                );
                head = octets;
                let came = match seen.get(at + 1) {
                    Some(Seen::Octets(octets)) => octets.len() as u64,
                    _ => 0,
                };
                assert!(came <= *announced, "more octets than were announced");
                let is_over = seen[at + 1..].iter().take(2).any(|f| *f == Seen::End);
                assert_eq!(is_over, came == *announced, "an end out of place");
            }
            Seen::Octets(_) | Seen::End | Seen::Failed(_) => {}
        }
    }
}

/// Every literal that a response announces and that did not go elsewhere is in it, whole.
fn has_whole_literals(octets: &[u8], streamed: &[StreamedLiteral]) {
    // As far as the framer looks, too.
    let may_have = may_have_literals(&octets[..octets.len().min(16)]);
    let mut at = 0;
    while let Some(line) = memchr::memchr(b'\n', &octets[at..]) {
        let data = at + line + 1;
        let announced = announcement(&octets[at..data]).filter(|_| may_have);
        let Some(length) = announced else {
            panic!("a line end inside: {}", octets.escape_ascii());
        };
        at = data;
        if !streamed.iter().any(|literal| literal.at == data) {
            let left = (octets.len() - data) as u64;
            assert!(
                length <= left,
                "{length} octets of a literal, {left} are there"
            );
            at += length as usize;
        }
    }
}
