//! Proving that what was acknowledged is really there.

use crate::batch::Stub;
use crate::matching::{self, Read};
use crate::run::Run;
use futures::StreamExt;
use hikyaku_core::ledger::{Pairing, Verified};
use hikyaku_core::traits::{Facts, Reader, Writer};
use hikyaku_core::{Code, Epoch, Fault, Key, KeySet, Reach, Remedy};
use std::collections::HashMap;

/// Of so many messages one is read back although nothing is odd about it, and at least
/// one of each window.
const SAMPLE: usize = 1_000;
/// Largest message that is read back for the sample, in octets.
const SAMPLE_OCTETS: u64 = 256 * 1024;

/// What a look at a window of copied messages showed.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// Stored with other octets, in a form that servers are known to make.
    pub(crate) altered: Vec<Key>,
    /// Acknowledged and not there: source keys, and the keys under which they should be.
    pub(crate) missing: Vec<(Key, Key)>,
    /// There with other content.
    pub(crate) different: Vec<(Key, Fault)>,
    /// Read back and the same.
    pub(crate) read_back: u64,
    /// Whose arrival date the destination did not keep, among those looked at.
    pub(crate) dates_lost: u64,
}

/// A copied message, as far as this proof needs it.
pub(crate) struct Copied<'a> {
    pub(crate) stub: &'a Stub,
    pub(crate) stored: Key,
}

/// Looks the window up at the destination: every key with its octets; the content of
/// whatever is odd, of a sample, and of everything where the policy says so.
pub(crate) async fn prove(
    run: &Run,
    pairing: &Pairing,
    epoch: Epoch,
    copied: &[Copied<'_>],
    source: &mut dyn Reader,
    destination: &mut dyn Writer,
) -> Result<Proof, Fault> {
    let mut proof = Proof::default();
    if copied.is_empty() {
        return Ok(proof);
    }
    let mut sorted: Vec<&Copied<'_>> = copied.iter().collect();
    sorted.sort_unstable_by_key(|c| c.stored);
    let keys: KeySet = sorted.iter().map(|c| c.stored).collect();
    let listed = octets_of(destination, &keys).await?;
    let mut present = Vec::new();
    let mut doubtful: HashMap<Key, &Stub> = HashMap::new();
    let step = sorted.len().min(SAMPLE);
    let offset = (run.seed as usize) % step;
    for (n, c) in sorted.iter().enumerate() {
        let print = c.stub.digest.get();
        let Some(octets) = listed.get(&c.stored) else {
            proof.missing.push((c.stub.key, c.stored));
            continue;
        };
        present.push(c.stub.key);
        let sampled = n % step == offset && c.stub.octets <= SAMPLE_OCTETS;
        let odd_date = c.stub.date.is_some_and(|d| !keeps_well(run, d.seconds));
        let odd = odd_date || print.is_none_or(|p| p.odd) || *octets != Some(c.stub.octets);
        if odd || sampled || run.policy.read_back {
            doubtful.insert(c.stored, c.stub);
        }
    }
    present.sort_unstable();
    let present: KeySet = present.into_iter().collect();
    run.ledger
        .prove(pairing.id, epoch, &present, Verified::Present)
        .await?;
    read_back(
        run,
        pairing,
        epoch,
        doubtful,
        source,
        destination,
        &mut proof,
    )
    .await?;
    Ok(proof)
}

/// Records a level of proof, if there is anything to record.
async fn raise(
    run: &Run,
    pairing: &Pairing,
    epoch: Epoch,
    keys: &KeySet,
    level: Verified,
) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    run.ledger.prove(pairing.id, epoch, keys, level).await
}

async fn octets_of(
    reader: &mut dyn Reader,
    keys: &KeySet,
) -> Result<HashMap<Key, Option<u64>>, Fault> {
    let facts = Facts {
        octets: true,
        ..Facts::default()
    };
    let mut listed = HashMap::new();
    let mut flow = reader.list(keys, facts);
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) => {
                listed.insert(listing.key, listing.octets);
            }
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(listed)
}

async fn read_back(
    run: &Run,
    pairing: &Pairing,
    epoch: Epoch,
    doubtful: HashMap<Key, &Stub>,
    source: &mut dyn Reader,
    destination: &mut dyn Writer,
    proof: &mut Proof,
) -> Result<(), Fault> {
    let mut keys: Vec<Key> = doubtful.keys().copied().collect();
    keys.sort_unstable();
    let keys: KeySet = keys.into_iter().collect();
    if keys.is_empty() {
        return Ok(());
    }
    let stored: Vec<Read> = matching::read(run, destination, &keys).await?;
    let mut same = Vec::new();
    let mut other: HashMap<Key, Read> = HashMap::new();
    for read in stored {
        let Some(stub) = doubtful.get(&read.key) else {
            continue;
        };
        if let (Some(sent), Some(kept)) = (stub.date, read.date) {
            proof.dates_lost += u64::from(sent.seconds != kept.seconds);
        }
        if stub.digest.get().is_some_and(|p| p.content == read.content) {
            same.push(stub.key);
            proof.read_back += 1;
        } else {
            other.insert(stub.key, read);
        }
    }
    // The source is the rewind: only what came back different is read there again.
    let mut again: Vec<Key> = other.keys().copied().collect();
    again.sort_unstable();
    let again: KeySet = again.into_iter().collect();
    let mut altered = Vec::new();
    for original in matching::read(run, source, &again).await? {
        let Some(read) = other.remove(&original.key) else {
            continue;
        };
        if read.is_form_of(&original) {
            altered.push(original.key);
        } else {
            let fault = difference("the destination stored other content than was sent")
                .message(original.key);
            proof.different.push((original.key, fault));
        }
    }
    same.sort_unstable();
    altered.sort_unstable();
    let same: KeySet = same.into_iter().collect();
    raise(run, pairing, epoch, &same, Verified::Full).await?;
    let recognised: KeySet = altered.iter().copied().collect();
    raise(run, pairing, epoch, &recognised, Verified::Header).await?;
    proof.altered = altered;
    Ok(())
}

/// Whether servers are expected to keep a date: neither outside the proven range nor
/// in the future.
fn keeps_well(run: &Run, seconds: i64) -> bool {
    crate::transfer::is_safe_date(seconds) && seconds <= run.clock.unix_millis() / 1000
}

/// An OK without a message.
pub(crate) fn missing(key: Key) -> Fault {
    difference("the destination said that it stored the message, and does not list it").message(key)
}

pub(crate) fn difference(detail: &str) -> Fault {
    Fault::new(
        Code::VerifyDifference,
        Reach::Message,
        Remedy::Retry { after: None },
        detail,
    )
    .on(hikyaku_core::Side::Destination)
}
