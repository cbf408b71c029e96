//! STORE, and EXPUNGE (RFC 9051 §6.4.6, §6.4.3; RFC 7162 §3.1.3).

use super::reply::{Halt, Outcome, Reply};
use super::view::{Selected, flags_row};
use super::{Session, no_arguments};
use crate::command::{Args, Malformed};
use crate::flags::Flags;
use crate::seqset::{SequenceSet, compact};
use crate::store::{Reflag, Store};

impl Selected {
    /// After the session changed something itself: that needs no telling, unless
    /// something else is still untold.
    pub(super) fn catch_up(&mut self, store: &Store, was_up_to_date: bool) {
        if was_up_to_date && let Some(mailbox) = store.mailbox(&self.wire) {
            self.told = mailbox.modseq;
            self.told_changes = mailbox.changes;
        }
    }
}

enum Change {
    Flags(Flags),
    Labels(Vec<Vec<u8>>),
}

impl Session {
    pub(super) async fn store(&mut self, args: Args, by_uid: bool) -> Outcome {
        let mut args = args;
        args.space()?;
        let set = args.sequence_set()?;
        args.space()?;
        let mut unchanged_since = None;
        if args.peek() == Some(b'(') {
            args.list(|args| match args.word()?.as_str() {
                "UNCHANGEDSINCE" => {
                    args.space()?;
                    unchanged_since = Some(args.number()?);
                    Ok(())
                }
                _ => Err(Malformed),
            })?;
            args.space()?;
        }
        let word = args.word()?;
        let (name, silent) = match word.strip_suffix(".SILENT") {
            Some(name) => (name, true),
            None => (word.as_str(), false),
        };
        let (how, name) = match name.as_bytes().first() {
            Some(b'+') => (Reflag::Add, &name[1..]),
            Some(b'-') => (Reflag::Remove, &name[1..]),
            _ => (Reflag::Replace, name),
        };
        args.space()?;
        let change = match name {
            "FLAGS" => Change::Flags(Flags::of(args.flags(true)?)),
            "X-GM-LABELS" if self.can("X-GM-EXT-1") => Change::Labels(labels(&mut args)?),
            _ => return Err(Halt::Malformed),
        };
        no_arguments(&args)?;
        if unchanged_since.is_some() {
            if !self.can("CONDSTORE") {
                return Err(Halt::Malformed);
            }
            self.enabled.condstore = true;
        }
        let (uids, read_only) =
            self.with_selected(|_, selected| match by_uid || selected.holds(&set) {
                true => Ok((selected.resolve(&set, by_uid), selected.read_only)),
                false => Err(Halt::Malformed),
            })??;
        if read_only {
            return Err(Reply::no("[READ-ONLY] Mailbox is read-only.").into());
        }
        let modified = match change {
            Change::Flags(flags) => {
                self.change_flags(&uids, how, &flags, silent, unchanged_since, by_uid)
                    .await?
            }
            Change::Labels(names) => {
                self.change_labels(&uids, how, &names)?;
                Vec::new()
            }
        };
        self.ring();
        Ok(match modified.is_empty() {
            true => Reply::ok("Store completed."),
            false => Reply::ok(format!(
                "[MODIFIED {}] Conditional store failed.",
                compact(modified)
            )),
        })
    }

    /// The messages (UIDs or sequence numbers) that had changed meanwhile.
    async fn change_flags(
        &mut self,
        uids: &[u32],
        how: Reflag,
        flags: &Flags,
        silent: bool,
        unchanged_since: Option<u64>,
        by_uid: bool,
    ) -> Result<Vec<u32>, Halt> {
        let (condstore, qresync, rev2) =
            (self.enabled.condstore, self.enabled.qresync, self.rev2());
        let mut modified = Vec::new();
        for uid in uids {
            let row = self.with_selected(|store, selected| {
                let mailbox = store
                    .mailbox(&selected.wire)
                    .filter(|m| m.id == selected.id)?;
                let sequence = selected.sequence(*uid)?;
                let message = mailbox.message(*uid)?;
                if unchanged_since.is_some_and(|since| message.modseq > since) {
                    modified.push(if by_uid {
                        *uid
                    } else {
                        u32::try_from(sequence).unwrap_or(u32::MAX)
                    });
                    return None;
                }
                let up_to_date = mailbox.modseq == selected.told;
                store.reflag(&selected.wire, *uid, how, flags)?;
                selected.catch_up(store, up_to_date);
                let message = store.mailbox(&selected.wire)?.message(*uid)?;
                let recent = selected.is_recent(*uid) && !rev2;
                // RFC 7162 §3.1.3: silent or not, the new MODSEQ is told.
                match (silent, condstore) {
                    (true, false) => None,
                    (true, true) => Some(format!(
                        "* {sequence} FETCH (UID {uid} MODSEQ ({}))\r\n",
                        message.modseq
                    )),
                    (false, _) => Some(flags_row(
                        message,
                        sequence,
                        recent,
                        condstore,
                        by_uid || qresync,
                    )),
                }
            })?;
            if let Some(row) = row {
                self.wire.put(row);
                self.wire.relieve().await?;
            }
        }
        Ok(modified)
    }

    /// Labels are mailboxes: adding one copies, removing one expunges.
    fn change_labels(&mut self, uids: &[u32], how: Reflag, names: &[Vec<u8>]) -> Result<(), Halt> {
        let mut wires = Vec::new();
        for name in names {
            let stored = match name.first() {
                Some(b'\\') => name.clone(),
                _ => self.stored_name(name).ok_or(Halt::Malformed)?,
            };
            wires.push(stored);
        }
        self.with_selected(|store, selected| {
            let targets: Vec<Vec<u8>> = wires
                .iter()
                .map(|label| store.mailbox_of_label(label))
                .collect();
            for uid in uids {
                let Some(object) = store
                    .mailbox(&selected.wire)
                    .and_then(|m| m.message(*uid))
                    .map(|m| m.object)
                else {
                    continue;
                };
                let present: Vec<Vec<u8>> = store
                    .labels(&selected.wire, object)
                    .iter()
                    .map(|l| store.mailbox_of_label(l))
                    .collect();
                if how != Reflag::Remove {
                    for target in &targets {
                        store.create_parents(target, false);
                        store.create(target, &[]);
                        store.copy(&selected.wire, *uid, target);
                    }
                }
                let going = present.iter().filter(|p| match how {
                    Reflag::Add => false,
                    Reflag::Remove => targets.contains(p),
                    Reflag::Replace => !targets.contains(p),
                });
                for place in going {
                    let there = store
                        .mailbox(place)
                        .and_then(|m| m.messages.iter().find(|m| m.object == object));
                    if let Some(uid) = there.map(|m| m.uid) {
                        store.expunge(place, uid);
                    }
                }
            }
        })
    }

    /// Removes what is marked `\Deleted`, or of a set only (RFC 4315 §2.1).
    pub(super) fn expunge(&mut self, set: Option<&SequenceSet>) -> Outcome {
        let done = self.with_selected(|store, selected| {
            if selected.read_only {
                return false;
            }
            let among = set.map(|set| selected.resolve(set, true));
            let mailbox = store.mailbox(&selected.wire);
            let deleted = mailbox
                .into_iter()
                .flat_map(|m| &m.messages)
                .filter(|m| m.flags.deleted());
            let wanted = deleted.filter(|m| {
                among
                    .as_ref()
                    .is_none_or(|uids| uids.binary_search(&m.uid).is_ok())
            });
            let uids: Vec<u32> = wanted.map(|m| m.uid).collect();
            for uid in uids {
                store.expunge(&selected.wire, uid);
            }
            true
        })?;
        match done {
            true => {
                self.ring();
                Ok(Reply::ok("Expunge completed."))
            }
            false => Err(Reply::no("[READ-ONLY] Mailbox is read-only.").into()),
        }
    }
}

fn labels(args: &mut Args) -> Result<Vec<Vec<u8>>, Malformed> {
    let one = |args: &mut Args| -> Result<Vec<u8>, Malformed> {
        if args.eat(b'\\') {
            return Ok(format!("\\{}", args.word()?).into_bytes());
        }
        Ok(args.astring()?.to_vec())
    };
    match args.peek() {
        Some(b'(') => args.list(one),
        _ => Ok(vec![one(args)?]),
    }
}
