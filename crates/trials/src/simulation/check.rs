//! The judge: compares what is with what is true. It knows nothing of how the product works.

use std::collections::BTreeMap;

use hikyaku_core::report::{Outcome, Report};
use hikyaku_memserver::{Date, MessageShot, Snapshot, Transcript};

use super::truth::{Class, stored};
use super::world::World;

/// Everything that may be asked of the source.
const READING: [&str; 20] = [
    "CAPABILITY",
    "ID",
    "LOGIN",
    "AUTHENTICATE",
    "ENABLE",
    "NAMESPACE",
    "COMPRESS",
    "STARTTLS",
    "NOOP",
    "LOGOUT",
    "LIST",
    "LSUB",
    "STATUS",
    "GETQUOTA",
    "GETQUOTAROOT",
    "EXAMINE",
    "UNSELECT",
    "UID FETCH",
    "FETCH",
    "UID SEARCH",
];
/// What may be asked of the destination besides.
const WRITING: [&str; 5] = ["SELECT", "CREATE", "SUBSCRIBE", "APPEND", "UID STORE"];

/// I3: the source is as its owner left it.
pub(super) fn source_untouched(world: &World) -> Result<(), String> {
    let now = world.source.account.snapshot();
    match now == world.source_shot {
        true => Ok(()),
        false => Err(format!(
            "I3: the source was changed: {}",
            difference(&world.source_shot, &now)
        )),
    }
}

fn difference(before: &Snapshot, now: &Snapshot) -> String {
    for (wire, was) in &before.mailboxes {
        match now.mailboxes.get(wire) {
            None => return format!("{} is gone", was.name),
            Some(is) if is != was => {
                let pair = was.messages.iter().zip(&is.messages).find(|(a, b)| a != b);
                return format!(
                    "{}: {:?}",
                    was.name,
                    pair.map(|(a, b)| (a.uid, &a.flags, &b.flags))
                );
            }
            Some(_) => {}
        }
    }
    "mailboxes or subscriptions".into()
}

/// I3, I11: only verbs that read are sent to the source, and none that takes away to the destination.
pub(super) fn verbs(source: &Transcript, destination: &Transcript) -> Result<(), String> {
    for entry in &source.entries {
        let shown = format!("{} {}", entry.verb, entry.arguments);
        if !READING.contains(&entry.verb.as_str()) {
            return Err(format!("I3: the source was told {shown}"));
        }
        let sets_seen = entry.arguments.contains("BODY[")
            || entry.arguments.contains("RFC822 ")
            || entry.arguments.contains("RFC822)")
            || entry.arguments.contains("RFC822.TEXT");
        if entry.verb.ends_with("FETCH") && sets_seen {
            return Err(format!("I3: reading without PEEK: {shown}"));
        }
    }
    for entry in &destination.entries {
        let verb = entry.verb.as_str();
        if !READING.contains(&verb) && !WRITING.contains(&verb) {
            return Err(format!(
                "I11: the destination was told {verb} {}",
                entry.arguments
            ));
        }
    }
    Ok(())
}

/// I1, I2, I4, I11: every class lies within its bounds. Without `is_complete` only the upper ones count.
pub(super) fn destination(
    world: &World,
    is_complete: bool,
    with_arrivals: bool,
) -> Result<(), String> {
    let (source, _) = world.source_classes();
    let bounds = world.truth.bounds(&source, with_arrivals);
    let there = world.destination_classes();
    let counted: u64 = there.values().sum();
    let all = world.destination.account.snapshot().messages() as u64;
    if counted != all {
        return Err(format!(
            "I4: {} messages are in mailboxes that nobody asked for",
            all - counted
        ));
    }
    for (class, n) in &there {
        let most = bounds.get(class).map_or(0, |b| b.most);
        if *n > most {
            let rule = if most == 0 {
                "I4: unknown content"
            } else {
                "I2: doubled"
            };
            return Err(format!("{rule}: {n} of at most {most}: {}", show(class)));
        }
    }
    if is_complete {
        for (class, bounds) in &bounds {
            let n = there.get(class).copied().unwrap_or(0);
            if n < bounds.least {
                return Err(format!(
                    "I1/I5: lost: {n} of at least {}: {}",
                    bounds.least,
                    show(class)
                ));
            }
        }
    }
    Ok(())
}

fn show((mailbox, octets): &Class) -> String {
    let head: String = String::from_utf8_lossy(&octets[..octets.len().min(90)]).into_owned();
    format!("{mailbox}, {} octets, {head:?}", octets.len())
}

/// I1, I5: the report adds up, and claims nothing that is not so.
pub(super) fn report(world: &World, report: &Report) -> Result<(), String> {
    if !report.adds_up() {
        return Err(format!(
            "I1: the report does not add up: {:?}",
            report.mailboxes
        ));
    }
    let failures = report.tally().failures();
    let named = report.exceptions.len();
    if failures > 0 && named == 0 && report.stopped.is_none() {
        return Err(format!("I5: {failures} failures and none is named"));
    }
    if report.is_complete() {
        destination(world, true, false).map_err(|why| format!("false success: {why}"))?;
        let (_, mut refused) = world.source_classes();
        // What came in this life need not have been seen.
        let arrived = &world.truth.arrived_refused;
        for (name, uids) in &mut refused {
            uids.retain(|uid| !arrived.contains(&(name.clone(), *uid)));
        }
        refused.retain(|_, uids| !uids.is_empty());
        if !refused.is_empty() {
            return Err(format!(
                "I5: complete, though {refused:?} cannot be stored there"
            ));
        }
    }
    Ok(())
}

/// After a healthy life: everything is there or listed by name as refused.
pub(super) fn healthy(world: &World, report: &Report) -> Result<(), String> {
    let (_, refused) = world.source_classes();
    let mut listed: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for exception in &report.exceptions {
        match (exception.key, exception.outcome) {
            (Some(key), Some(Outcome::FailedPermanent)) => listed
                .entry(exception.mailbox.to_string())
                .or_default()
                .push(u32::try_from(key.0).unwrap_or(0)),
            _ => return Err(format!("a healthy life has an exception: {exception:?}")),
        }
    }
    listed.values_mut().for_each(|uids| uids.sort_unstable());
    if listed != refused {
        return Err(format!(
            "I5: refused are {refused:?}, listed are {listed:?}"
        ));
    }
    if let Some(fault) = &report.stopped {
        return Err(format!("a healthy life was stopped: {fault:?}"));
    }
    if report.unfinished > 0 || report.differences > 0 {
        return Err(format!(
            "a healthy life left {} unfinished and {} different: {:?}",
            report.unfinished, report.differences, report.exceptions
        ));
    }
    destination(world, true, true)?;
    match world.has_stable_epochs() {
        true => flags_and_dates(world),
        // Recognised by content alone, a message has no earlier flags that could have changed.
        false => Ok(()),
    }
}

/// Flags and dates of the messages that are alone in their class on both sides.
fn flags_and_dates(world: &World) -> Result<(), String> {
    let (source, _) = world.source_classes();
    let there = world.destination_classes();
    let (from, to) = (
        world.source.account.snapshot(),
        world.destination.account.snapshot(),
    );
    for name in &world.names {
        let Some(originals) = from.mailboxes.get(&world.source.account.wire(*name)) else {
            continue;
        };
        let Some(copies) = to.mailboxes.get(&world.destination.account.wire(*name)) else {
            continue;
        };
        for original in &originals.messages {
            let Some(octets) = stored(&world.destination.personality, &original.body.bytes())
            else {
                continue;
            };
            let class = ((*name).to_owned(), octets);
            let truth = &world.truth;
            let is_plain = source.get(&class) == Some(&1)
                && there.get(&class) == Some(&1)
                && !truth.before.contains_key(&class)
                && !truth.put.contains_key(&class)
                && !truth.expunged.contains_key(&class)
                && !truth.removed.contains_key(&class)
                && !truth.removed_meanwhile.contains_key(&class)
                && !truth.reflagged.contains(&class);
            if !is_plain {
                continue;
            }
            let Some(copy) = copies.messages.iter().find(|m| m.body.bytes() == class.1) else {
                continue;
            };
            // What is recognised anew by its content (after a lost answer, or under a new UIDVALIDITY) has no earlier
            // flags that could have changed.
            let is_followed = !truth.reflagged_at_source.contains(&class) || world.is_calm;
            if is_followed {
                flags(world, original, copy).map_err(|why| format!("{why}: {}", show(&class)))?;
            }
            date(world, original, copy).map_err(|why| format!("{why}: {}", show(&class)))?;
        }
    }
    Ok(())
}

/// Whatever the source says now, but nothing becomes unread at the destination.
fn flags(world: &World, original: &MessageShot, copy: &MessageShot) -> Result<(), String> {
    let wanted: Vec<&String> = original.flags.union(&original.keywords).collect();
    let found: Vec<&String> = copy
        .flags
        .union(&copy.keywords)
        .filter(|f| *f != "\\Recent")
        .collect();
    let missing = wanted.iter().any(|flag| !found.contains(flag));
    let added = found
        .iter()
        .any(|flag| !wanted.contains(flag) && *flag != "\\Seen");
    // A message that was refused, by chance or for its date, is tried without keywords, and that is told.
    let may_be_bare = world.refuses_at_random || !is_safe(original.date);
    match (missing, added) {
        (true, _) if may_be_bare && found.iter().all(|flag| wanted.contains(flag)) => Ok(()),
        (false, false) => Ok(()),
        _ => Err(format!("flags are {found:?}, should be {wanted:?}")),
    }
}

/// Whether every server keeps this date.
fn is_safe(date: Date) -> bool {
    (86_400..2_145_916_800).contains(&date.seconds)
}

fn date(world: &World, original: &MessageShot, copy: &MessageShot) -> Result<(), String> {
    let kept = world
        .destination
        .personality
        .dates
        .store(original.date, Date::utc(-1));
    match kept {
        Some(kept) if is_safe(original.date) && kept.seconds != copy.date.seconds => Err(format!(
            "the date is {}, should be {}",
            copy.date.seconds, kept.seconds
        )),
        _ => Ok(()),
    }
}
