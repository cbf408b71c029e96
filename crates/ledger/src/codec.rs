//! Values of the core as columns, and back.
//!
//! What cannot be read back was not written by this program: the ledger is damaged. Texts are for people too, so that a
//! look into the database with its own tools tells something.

use hikyaku_core::ledger::{Checkpoint, Verified};
use hikyaku_core::report::{Outcome, Tally};
use hikyaku_core::{
    Code, ContentHash, Epoch, Fault, HeadDigest, Key, KeySet, MailboxName, MailboxState,
};

use crate::fault;

/// BLAKE3-256 over the octets, and the head digest of the same time.
pub(crate) const BLAKE3: i64 = 1;

/// No hash was taken.
pub(crate) const NO_HASH: i64 = 0;

/// A number for a column. Numbers above 2⁶³−1 are none that a server or an archive can mean.
pub(crate) fn int(number: u64) -> Result<i64, Fault> {
    i64::try_from(number)
        .map_err(|_| Fault::bug(format!("the number {number} does not fit into the ledger")))
}

/// A number for a comparison: beyond every stored one when it is too large.
pub(crate) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from a column.
pub(crate) fn uint(column: &str, number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| unreadable(column, &number.to_string()))
}

/// An outcome from its number.
pub(crate) fn outcome(number: i64) -> Result<Outcome, Fault> {
    Outcome::ALL
        .into_iter()
        .find(|o| *o as i64 == number)
        .ok_or_else(|| unreadable("outcome", &number.to_string()))
}

/// A level of proof from its number.
pub(crate) fn verified(number: i64) -> Result<Verified, Fault> {
    [
        Verified::No,
        Verified::Acknowledged,
        Verified::Present,
        Verified::Header,
        Verified::Full,
    ]
    .into_iter()
    .find(|v| *v as i64 == number)
    .ok_or_else(|| unreadable("verified", &number.to_string()))
}

/// A code from its name; `None` for the empty text. A name that only a newer program knows reads as
/// [`Code::MessageRefused`]: the message is an exception still.
pub(crate) fn code(text: &str) -> Option<Code> {
    if text.is_empty() {
        return None;
    }
    Some(
        Code::ALL
            .iter()
            .copied()
            .find(|c| c.as_str() == text)
            .unwrap_or(Code::MessageRefused),
    )
}

/// Hashes from their columns. Hashes of an algorithm that this program does not know count as not taken.
pub(crate) fn hashes(
    algorithm: i64,
    content: &[u8],
    head: &[u8],
) -> Result<(Option<ContentHash>, Option<HeadDigest>), Fault> {
    if algorithm != BLAKE3 {
        return Ok((None, None));
    }
    let content = match content {
        [] => None,
        octets => {
            Some(ContentHash(octets.try_into().map_err(|_| {
                unreadable("content", "a hash of another length")
            })?))
        }
    };
    let head = match head {
        [] => None,
        octets => {
            Some(HeadDigest(octets.try_into().map_err(|_| {
                unreadable("head", "a digest of another length")
            })?))
        }
    };
    Ok((content, head))
}

/// A set of keys from its text.
pub(crate) fn keys(column: &str, text: &str) -> Result<KeySet, Fault> {
    KeySet::parse(text).ok_or_else(|| unreadable(column, "no sequence set"))
}

/// A mailbox as text. It is that of [`MailboxName`] with `\0` for NUL, which PostgreSQL cannot store; `\0` cannot be
/// anything else there, because a backslash is always doubled.
pub(crate) fn mailbox_text(name: &MailboxName) -> String {
    name.to_string().replace('\0', "\\0")
}

/// A mailbox from its text.
pub(crate) fn mailbox(text: &str) -> Result<MailboxName, Fault> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, rest.as_str().chars().next()) {
            ('\\', Some('0')) => {
                rest.next();
                plain.push('\0');
            }
            ('\\', Some(escaped)) => {
                rest.next();
                plain.extend([c, escaped]);
            }
            _ => plain.push(c),
        }
    }
    MailboxName::parse(&plain)
        .or_else(|| MailboxName::new(vec![String::new()]))
        .ok_or_else(|| unreadable("mailbox", "no name"))
}

/// A state as text: `epoch=7 next=12 messages=11 modseq=5 octets=900`, unknown items left out.
pub(crate) fn state_text(state: &MailboxState) -> String {
    let items = [
        ("epoch", state.epoch.map(|e| e.0)),
        ("next", state.next.map(|n| n.0)),
        ("messages", Some(state.messages)),
        ("modseq", state.modseq),
        ("octets", state.octets),
    ];
    let words: Vec<String> = items
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)))
        .collect();
    words.join(" ")
}

/// A state from its text. Items of a newer program are passed over.
pub(crate) fn state(text: &str) -> Result<MailboxState, Fault> {
    let mut state = MailboxState::default();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let item = word
            .split_once('=')
            .and_then(|(name, value)| Some((name, value.parse::<u64>().ok()?)));
        let (name, value) = item.ok_or_else(|| unreadable("state", word))?;
        match name {
            "epoch" => state.epoch = Some(Epoch(value)),
            "next" => state.next = Some(Key(value)),
            "messages" => state.messages = value,
            "modseq" => state.modseq = Some(value),
            "octets" => state.octets = Some(value),
            _ => {}
        }
    }
    Ok(state)
}

/// A tally as text: `copied=10/12345 skipped=1/99`, messages and octets, outcomes without any left out.
pub(crate) fn tally_text(tally: &Tally) -> String {
    let words: Vec<String> = Outcome::ALL
        .into_iter()
        .filter(|o| tally.messages(*o) > 0 || tally.octets(*o) > 0)
        .map(|o| format!("{o}={}/{}", tally.messages(o), tally.octets(o)))
        .collect();
    words.join(" ")
}

/// A tally from its text.
pub(crate) fn tally(text: &str) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let item = word.split_once('=').and_then(|(name, counts)| {
            let outcome = Outcome::ALL.into_iter().find(|o| o.as_str() == name)?;
            let (messages, octets) = counts.split_once('/')?;
            Some((outcome, messages.parse().ok()?, octets.parse().ok()?))
        });
        let (outcome, messages, octets) = item.ok_or_else(|| unreadable("tally", word))?;
        tally.add(outcome, messages, octets);
    }
    Ok(tally)
}

/// A checkpoint from its columns, in the order of the table.
pub(crate) fn checkpoint(columns: [&str; 5]) -> Result<Checkpoint, Fault> {
    let [source, destination, source_keys, destination_keys, counts] = columns;
    Ok(Checkpoint {
        source: state(source)?,
        destination: state(destination)?,
        keys: keys("source_keys", source_keys)?,
        stored: keys("destination_keys", destination_keys)?,
        tally: tally(counts)?,
    })
}

/// A column holds what nobody wrote.
pub(crate) fn unreadable(column: &str, found: &str) -> Fault {
    fault::damaged(format!("the column {column} of the ledger holds {found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(levels: &[String]) -> MailboxName {
        MailboxName::new(levels.to_vec()).expect("levels")
    }

    proptest! {
        #[test]
        fn every_mailbox_name_comes_back(levels in prop::collection::vec("[\0\\\\/0a受]{0,4}", 1..4)) {
            let made = name(&levels);
            let text = mailbox_text(&made);
            prop_assert!(!text.contains('\0'));
            prop_assert_eq!(mailbox(&text).expect("readable"), made);
        }

        #[test]
        fn every_state_comes_back(epoch in any::<Option<u64>>(), next in any::<Option<u64>>(), messages in any::<u64>(), modseq in any::<Option<u64>>(), octets in any::<Option<u64>>()) {
            let made = MailboxState { epoch: epoch.map(Epoch), next: next.map(Key), messages, modseq, octets };
            prop_assert_eq!(state(&state_text(&made)).expect("readable"), made);
        }

        #[test]
        fn every_tally_comes_back(counts in prop::collection::vec((0usize..7, 0u64..9, 0u64..99), 0..9)) {
            let mut made = Tally::default();
            for (which, messages, octets) in counts {
                made.add(Outcome::ALL[which], messages, octets);
            }
            prop_assert_eq!(tally(&tally_text(&made)).expect("readable"), made);
        }
    }

    #[test]
    fn what_nobody_wrote_is_damage_and_names_its_column() {
        for fault in [
            state("epoch").expect_err("no value"),
            state("next=x").expect_err("no number"),
            tally("lost=1/2").expect_err("no outcome"),
            tally("copied=1").expect_err("no octets"),
            outcome(9).map(drop).expect_err("no outcome"),
            verified(-1).map(drop).expect_err("no level"),
            keys("source_keys", "3:1").map(drop).expect_err("no set"),
            hashes(BLAKE3, &[1, 2], &[]).map(drop).expect_err("no hash"),
            uint("octets", -1).map(drop).expect_err("negative"),
        ] {
            assert_eq!(fault.code, Code::LedgerDamaged, "{fault}");
            assert!(fault.detail.contains("column"), "{fault}");
        }
    }

    #[test]
    fn newer_programs_may_add_codes_items_and_algorithms() {
        assert_eq!(code("message.refused"), Some(Code::MessageRefused));
        assert_eq!(code("message.of_the_future"), Some(Code::MessageRefused));
        assert_eq!(code(""), None);
        assert_eq!(state("messages=4 uidonly=1").expect("readable").messages, 4);
        assert_eq!(hashes(7, &[1], &[2]).expect("readable"), (None, None));
    }
}
