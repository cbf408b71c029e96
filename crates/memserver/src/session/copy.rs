//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8).

use super::reply::{Halt, Outcome, Reply};
use super::{Session, no_arguments};
use crate::command::Args;
use crate::seqset::compact;

impl Session {
    pub(super) fn copy(&mut self, args: Args, by_uid: bool, moving: bool) -> Outcome {
        let mut args = args;
        args.space()?;
        let set = args.sequence_set()?;
        args.space()?;
        let given = args.astring()?;
        no_arguments(&args)?;
        let to = self.stored_name(&given).ok_or(Halt::Malformed)?;
        let missing = self.no_such_mailbox();
        let over_quota = self.personality().over_quota.refusal.clone();
        let (from_uids, to_uids, uidvalidity) = self.with_selected(|store, selected| {
            if !by_uid && !selected.holds(&set) {
                return Err(Halt::Malformed);
            }
            if moving && selected.read_only {
                return Err(Reply::no("[READ-ONLY] Mailbox is read-only.").into());
            }
            let uidvalidity = store.selectable(&to).ok_or(missing)?.uidvalidity;
            let uids = selected.resolve(&set, by_uid);
            if !moving {
                let mailbox = store.mailbox(&selected.wire);
                let messages = uids.iter().filter_map(|uid| mailbox?.message(*uid));
                let octets = messages.map(|m| m.body.octets()).sum();
                if !store.has_room(octets, uids.len() as u64) {
                    return Err(over_quota.into());
                }
            }
            let mut from_uids = Vec::new();
            let mut to_uids = Vec::new();
            for uid in uids {
                if let Some(new) = store.copy(&selected.wire, uid, &to) {
                    from_uids.push(uid);
                    to_uids.push(new);
                    if moving {
                        store.expunge(&selected.wire, uid);
                    }
                }
            }
            Ok((from_uids, to_uids, uidvalidity))
        })??;
        self.ring();
        if from_uids.is_empty() {
            return Ok(Reply::ok("No messages found."));
        }
        let epoch = self.told_epoch(uidvalidity).filter(|_| self.can("UIDPLUS"));
        let code = match epoch {
            Some(epoch) => format!(
                "[COPYUID {epoch} {} {}] ",
                compact(from_uids),
                compact(to_uids)
            ),
            None => String::new(),
        };
        if moving {
            // RFC 6851 §4.3: COPYUID comes untagged, before the expunges.
            self.wire.put_line(format!("* OK {code}Moved UIDs."));
            return Ok(Reply::ok("Move completed."));
        }
        Ok(Reply::ok(format!("{code}Copy completed.")))
    }
}
