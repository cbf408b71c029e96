//! Finding which source messages are at the destination already.
//!
//! Two stages: the digest of chosen header fields finds candidates cheaply; only
//! candidates are read, on both sides, and decided by content. Multisets are
//! matched one to one, so twins stay twins. Memory: 24 octets per destination message.

use crate::run::Run;
use futures::StreamExt;
use hikyaku_core::identity::NormalForm;
use hikyaku_core::ledger::{Settled, Verified};
use hikyaku_core::message::{Body, Letter, Listing};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{
    Code, ContentHash, Epoch, Fault, Flags, HeadDigest, InternalDate, Key, KeySet, Reach, Remedy,
};
use std::collections::{BTreeMap, HashMap};

/// A source message and what it was found as.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) source: Read,
    pub(crate) found: Found,
    /// Flags of what was found; none of a ghost.
    pub(crate) kept: Flags,
}

/// Where a source message was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// At the destination under this key, with the same octets or in a form that
    /// servers are known to make of them.
    There {
        /// Destination key.
        key: Key,
        /// Whether the stored octets are others.
        altered: bool,
    },
    /// Among the records of messages that the owner removed at the destination.
    Ghost,
}

/// A message that was read for its content.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) key: Key,
    pub(crate) flags: Flags,
    pub(crate) date: Option<InternalDate>,
    pub(crate) octets: u64,
    pub(crate) content: ContentHash,
    pub(crate) normal: ContentHash,
    pub(crate) head: HeadDigest,
    /// What follows the header, where anything does.
    pub(crate) body: Option<ContentHash>,
}

impl Read {
    /// What stays of a message whose header grew on the way: the fields that name it and its
    /// body; `None` where these say too little to know it by.
    fn weak(&self) -> Option<(HeadDigest, ContentHash)> {
        let is_named = self.head != HeadDigest::of(b"");
        self.body.filter(|_| is_named).map(|body| (self.head, body))
    }

    /// Whether a server is known to make one of the other.
    pub(crate) fn is_form_of(&self, other: &Self) -> bool {
        self.normal == other.normal || (self.weak().is_some() && self.weak() == other.weak())
    }

    /// The record of this message with an outcome.
    pub(crate) fn settled(
        &self,
        epoch: Epoch,
        outcome: Outcome,
        stored: Option<(Epoch, Key)>,
        verified: Verified,
    ) -> Settled {
        Settled {
            epoch,
            key: self.key,
            outcome,
            stored,
            elsewhere: None,
            octets: self.octets,
            content: Some(self.content),
            head: Some(self.head),
            flags: self.flags.clone(),
            date: self.date,
            verified,
            code: None,
        }
    }
}

/// What a search came to.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    pub(crate) found: Vec<Match>,
    /// Source messages that may be there: one of the two that had to be compared was not
    /// handed out.
    pub(crate) unsure: KeySet,
}

/// Why a message is left for later.
pub(crate) fn unsure() -> Fault {
    Fault::new(
        Code::MessageUnreadable,
        Reach::Message,
        Remedy::Retry { after: None },
        "the message may be at the destination already, and could not be compared",
    )
}

/// Matches `wanted` source messages against `candidates` at the destination and
/// against `ghosts` (content of messages that were removed there), one to one.
pub(crate) async fn find(
    run: &Run,
    source: &mut dyn Reader,
    wanted: &KeySet,
    destination: &mut dyn Reader,
    candidates: &KeySet,
    ghosts: &[(HeadDigest, ContentHash)],
) -> Result<Matches, Fault> {
    if wanted.is_empty() || (candidates.is_empty() && ghosts.is_empty()) {
        return Ok(Matches::default());
    }
    let mut index: Vec<(HeadDigest, Key)> = Vec::new();
    let listed = heads(destination, candidates, |head, key| index.push((head, key))).await?;
    nothing_is_hidden(destination, &candidates.minus(&listed)).await?;
    index.sort_unstable();
    let has_ghost = |head: &HeadDigest| ghosts.iter().any(|(g, _)| g == head);
    let mut read_source = KeySet::new();
    let mut read_destination = KeySet::new();
    let listed = heads(source, wanted, |head, key| {
        let from = index.partition_point(|(h, _)| *h < head);
        let group = index[from..].iter().take_while(|(h, _)| *h == head);
        let mut any = has_ghost(&head);
        for (_, there) in group {
            read_destination.insert(*there);
            any = true;
        }
        if any {
            read_source.insert(key);
        }
    })
    .await?;
    nothing_is_hidden(source, &wanted.minus(&listed)).await?;
    drop(index);
    let (mut theirs, not_theirs) = read_all(run, destination, &read_destination).await?;
    let (ours, not_ours) = read_all(run, source, &read_source).await?;
    let seen: KeySet = theirs.iter().map(|read| read.key).collect();
    let silent = read_destination.minus(&seen).minus(&not_theirs);
    nothing_is_hidden(destination, &silent).await?;
    let seen: KeySet = ours.iter().map(|read| read.key).collect();
    nothing_is_hidden(source, &read_source.minus(&seen).minus(&not_ours)).await?;
    theirs.sort_by_key(|r| r.key);
    let compared: KeySet = ours.iter().map(|r| r.key).collect();
    let found = assign(ours, &theirs, ghosts);
    let mut unsure = not_ours;
    if !not_theirs.is_empty() {
        let matched: KeySet = found.iter().map(|m| m.source.key).collect();
        unsure.extend(&compared.minus(&matched));
    }
    Ok(Matches { found, unsure })
}

/// Reads messages for their content; also says which are refused, again and again.
async fn read_all(
    run: &Run,
    reader: &mut dyn Reader,
    keys: &KeySet,
) -> Result<(Vec<Read>, KeySet), Fault> {
    let (mut out, mut refused) = read_once(run, reader, keys).await?;
    for _ in 1..run.policy.patience.message_tries {
        if refused.is_empty() {
            break;
        }
        let (more, still) = read_once(run, reader, &refused).await?;
        out.extend(more);
        refused = still;
    }
    out.sort_by_key(|r| r.key);
    Ok((out, refused))
}

/// One to one: equal content first, then equal normal form, then equal body under a header that
/// grew, then ghosts. Both sides
/// ascending by key, so twins are matched in order.
fn assign(ours: Vec<Read>, theirs: &[Read], ghosts: &[(HeadDigest, ContentHash)]) -> Vec<Match> {
    let mut by_content: HashMap<ContentHash, Vec<usize>> = HashMap::new();
    let mut by_normal: HashMap<ContentHash, Vec<usize>> = HashMap::new();
    let mut by_weak: HashMap<(HeadDigest, ContentHash), Vec<usize>> = HashMap::new();
    for (n, read) in theirs.iter().enumerate().rev() {
        by_content.entry(read.content).or_default().push(n);
        by_normal.entry(read.normal).or_default().push(n);
        if let Some(weak) = read.weak() {
            by_weak.entry(weak).or_default().push(n);
        }
    }
    let mut taken = vec![false; theirs.len()];
    let mut take = |list: Option<&mut Vec<usize>>| -> Option<Key> {
        let list = list?;
        while let Some(n) = list.pop() {
            if !std::mem::replace(&mut taken[n], true) {
                return Some(theirs[n].key);
            }
        }
        None
    };
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    for (n, read) in ours.iter().enumerate() {
        if let Some(key) = take(by_content.get_mut(&read.content)) {
            found.insert(
                n,
                Found::There {
                    key,
                    altered: false,
                },
            );
        }
    }
    for (n, read) in ours.iter().enumerate() {
        if found.contains_key(&n) {
            continue;
        }
        if let Some(key) = take(by_normal.get_mut(&read.normal)) {
            found.insert(n, Found::There { key, altered: true });
        }
    }
    for (n, read) in ours.iter().enumerate() {
        let Some(weak) = read.weak().filter(|_| !found.contains_key(&n)) else {
            continue;
        };
        if let Some(key) = take(by_weak.get_mut(&weak)) {
            found.insert(n, Found::There { key, altered: true });
        }
    }
    let mut ghosts: Vec<ContentHash> = ghosts.iter().map(|(_, content)| *content).collect();
    for (n, read) in ours.iter().enumerate() {
        if found.contains_key(&n) {
            continue;
        }
        if let Some(at) = ghosts.iter().position(|g| *g == read.content) {
            ghosts.swap_remove(at);
            found.insert(n, Found::Ghost);
        }
    }
    let kept = |found: Found| match found {
        Found::There { key, .. } => theirs
            .binary_search_by_key(&key, |read| read.key)
            .map_or_else(|_| Flags::new(), |n| theirs[n].flags.clone()),
        Found::Ghost => Flags::new(),
    };
    ours.into_iter()
        .enumerate()
        .filter_map(|(n, source)| {
            let found = *found.get(&n)?;
            Some(Match {
                source,
                found,
                kept: kept(found),
            })
        })
        .collect()
}

/// A message that was asked for and did not come must be gone: one that is only hidden, or refused
/// for now, would be taken for new and doubled.
///
/// # Errors
/// `mailbox.listing` when any of them is still there; the next attempt asks again.
pub(crate) async fn nothing_is_hidden(
    reader: &mut dyn Reader,
    missing: &KeySet,
) -> Result<(), Fault> {
    if missing.is_empty() {
        return Ok(());
    }
    let hidden = reader.keys().await?.and(missing);
    if hidden.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        Code::MailboxListing,
        Reach::Mailbox,
        Remedy::Retry { after: None },
        format!(
            "{} messages are in the list and were not shown",
            hidden.len()
        ),
    ))
}

pub(crate) async fn heads(
    reader: &mut dyn Reader,
    keys: &KeySet,
    mut each: impl FnMut(HeadDigest, Key),
) -> Result<KeySet, Fault> {
    let mut listed = KeySet::new();
    if keys.is_empty() {
        return Ok(listed);
    }
    let facts = Facts {
        head: true,
        ..Facts::default()
    };
    let mut flow = reader.list(keys, facts);
    while let Some(item) = flow.next().await {
        match item {
            Ok(Listing {
                key,
                head: Some(head),
                ..
            }) => {
                each(head, key);
                listed.insert(key);
            }
            Ok(_) => {}
            // Not hidden: whatever cannot be read is said to be so, and never will be.
            Err(fault) if fault.reach == Reach::Message && !fault.is_temporary() => {
                fault.at.message.into_iter().for_each(|k| listed.insert(k));
            }
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(listed)
}

/// Reads messages for their content; those that cannot be read now or ever are left out.
pub(crate) async fn read(
    run: &Run,
    reader: &mut dyn Reader,
    keys: &KeySet,
) -> Result<Vec<Read>, Fault> {
    Ok(read_once(run, reader, keys).await?.0)
}

/// Reads messages for their content; also says which were refused.
async fn read_once(
    run: &Run,
    reader: &mut dyn Reader,
    keys: &KeySet,
) -> Result<(Vec<Read>, KeySet), Fault> {
    let mut out = Vec::new();
    let mut refused = KeySet::new();
    if keys.is_empty() {
        return Ok((out, refused));
    }
    let mut flow = reader.read(keys);
    while let Some(item) = flow.next().await {
        if run.stop.is_requested() {
            return Err(crate::stop::Stop::fault());
        }
        match item {
            Ok(letter) => {
                run.bandwidth.take(letter.body.octets()).await;
                out.push(digest(letter).await?);
            }
            Err(fault) if fault.reach == Reach::Message => {
                fault.at.message.into_iter().for_each(|k| refused.insert(k));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok((out, refused))
}

async fn digest(letter: Letter) -> Result<Read, Fault> {
    let octets = letter.body.octets();
    let (body, print) = crate::prints::watch(letter.body, |_| {});
    let mut form = NormalForm::default();
    match body {
        Body::Held(octets) => form.update(&octets),
        Body::Streamed { mut chunks, .. } => {
            while let Some(chunk) = chunks.next().await {
                form.update(&chunk?);
            }
        }
    }
    let print = print
        .get()
        .ok_or_else(|| Fault::bug("a body that was read to its end has no print"))?;
    Ok(Read {
        key: letter.key,
        flags: letter.flags,
        date: letter.date,
        octets,
        content: print.content,
        normal: form.finish(),
        head: print.head,
        body: form.body(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(key: u64, octets: &str) -> Read {
        let mut form = NormalForm::default();
        form.update(octets.as_bytes());
        Read {
            key: Key(key),
            flags: Flags::new(),
            date: None,
            octets: octets.len() as u64,
            content: ContentHash::of(octets.as_bytes()),
            normal: form.finish(),
            head: HeadDigest::of(octets.as_bytes()),
            body: form.body(),
        }
    }

    /// `ours` against `theirs`, as "source key → destination key", `~` when altered, `†` for a ghost.
    fn check(ours: &[(u64, &str)], theirs: &[(u64, &str)], ghosts: &[&str], expect: &str) {
        let read = |list: &[(u64, &str)]| -> Vec<Read> {
            list.iter().map(|(k, o)| message(*k, o)).collect()
        };
        let ghosts: Vec<_> = ghosts
            .iter()
            .map(|g| (HeadDigest::of(g.as_bytes()), ContentHash::of(g.as_bytes())))
            .collect();
        let got: Vec<String> = assign(read(ours), &read(theirs), &ghosts)
            .iter()
            .map(|m| match m.found {
                Found::There { key, altered } => {
                    format!("{}→{key}{}", m.source.key, if altered { "~" } else { "" })
                }
                Found::Ghost => format!("{}†", m.source.key),
            })
            .collect();
        assert_eq!(got.join(" "), expect);
    }

    #[test]
    fn multisets_are_matched_one_to_one() {
        check(
            &[(1, "a"), (2, "a"), (3, "b")],
            &[(7, "a"), (8, "b")],
            &[],
            "1→7 3→8",
        );
        check(&[(1, "a")], &[(7, "a"), (8, "a")], &[], "1→7");
        check(
            &[(1, "a"), (2, "a")],
            &[(9, "a"), (11, "a")],
            &[],
            "1→9 2→11",
        );
        check(&[(1, "a")], &[], &[], "");
    }

    #[test]
    fn an_exact_copy_wins_over_an_altered_one() {
        check(
            &[(1, "x\n"), (2, "x\r\n")],
            &[(7, "x\r\n"), (8, "x")],
            &[],
            "1→8~ 2→7",
        );
        check(&[(1, "x\n")], &[(7, "y\n")], &[], "");
    }

    #[test]
    fn a_copy_whose_header_grew_is_recognised() {
        let (sent, grew) = ("Subject: a\r\n\r\nx", "X-By: b\r\nSubject: a\r\n\r\nx");
        check(&[(1, sent)], &[(7, grew)], &[], "1→7~");
        check(
            &[(1, sent), (2, sent)],
            &[(7, grew), (8, sent)],
            &[],
            "1→8 2→7~",
        );
        check(&[(1, "Subject: a\r\n\r\ny")], &[(7, grew)], &[], "");
        check(
            &[(1, "To: z\r\n\r\nx")],
            &[(7, "X-By: b\r\nTo: z\r\n\r\nx")],
            &[],
            "",
        );
    }

    #[test]
    fn what_the_owner_removed_is_recognised_once() {
        check(
            &[(1, "a"), (2, "a"), (3, "a")],
            &[(7, "a")],
            &["a"],
            "1→7 2†",
        );
    }
}
