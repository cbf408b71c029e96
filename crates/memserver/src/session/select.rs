//! SELECT, EXAMINE, CLOSE and UNSELECT, with CONDSTORE and QRESYNC
//! (RFC 9051 §6.3.2, RFC 7162).

use std::fmt::Write as _;

use super::reply::{Halt, Outcome, Reply, flag_list};
use super::view::{Selected, flags_row};
use super::{Session, no_arguments};
use crate::account::lock;
use crate::command::{Args, Malformed, Parsed};
use crate::flags::SYSTEM;
use crate::seqset::{SequenceSet, compact, within};
use crate::store::Mailbox;

/// `(QRESYNC (uidvalidity modseq [uids [(sequences uids)]]))`.
struct Resync {
    uidvalidity: u64,
    modseq: u64,
    known: Option<SequenceSet>,
}

impl Session {
    pub(super) fn select(&mut self, args: Args, read_only: bool) -> Outcome {
        let mut args = args;
        args.space()?;
        let given = args.astring()?;
        let mut resync = None;
        if args.eat(b' ') {
            resync = self.select_parameters(&mut args)?;
        }
        no_arguments(&args)?;
        // RFC 9051 §6.3.2: a failed SELECT leaves nothing selected.
        if self.selected.take().is_some() && (self.enabled.qresync || self.rev2()) {
            self.wire.put_line("* OK [CLOSED] Previous mailbox closed.");
        }
        let wire = self.stored_name(&given).ok_or(Halt::Malformed)?;
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        let mut text = String::new();
        let read_only = {
            let mut store = lock(&account.cell.store);
            store
                .selectable(&wire)
                .ok_or_else(|| self.no_such_mailbox())?;
            let Some(mailbox) = store.mailboxes.get_mut(&wire) else {
                return Err(self.no_such_mailbox());
            };
            let read_only = read_only || mailbox.read_only;
            let selected = open(mailbox, &wire, read_only);
            self.describe(&mut text, mailbox, &selected);
            if let Some(resync) = resync {
                self.catch_up(&mut text, mailbox, &selected, &resync);
            }
            if !read_only {
                mailbox.recent_from = mailbox.uidnext;
            }
            self.selected = Some(selected);
            read_only
        };
        self.wire.put(text);
        let (code, verb) = match read_only {
            true => ("READ-ONLY", "Examine"),
            false => ("READ-WRITE", "Select"),
        };
        Ok(Reply::ok(format!("[{code}] {verb} completed.")))
    }

    fn select_parameters(&mut self, args: &mut Args) -> Result<Option<Resync>, Halt> {
        let mut resync = None;
        let words = args.list(|args| {
            let word = args.word()?;
            if word == "QRESYNC" {
                args.space()?;
                resync = Some(read_resync(args)?);
            }
            Ok(word)
        })?;
        for word in words {
            let known = match word.as_str() {
                "CONDSTORE" => self.can("CONDSTORE"),
                // RFC 7162 §3.2.5: only after ENABLE QRESYNC.
                "QRESYNC" => self.enabled.qresync,
                _ => false,
            };
            if !known {
                return Err(Halt::Malformed);
            }
            self.enabled.condstore = true;
        }
        Ok(resync)
    }

    /// The untagged answers of SELECT.
    fn describe(&self, text: &mut String, mailbox: &Mailbox, selected: &Selected) {
        let keywords = mailbox.keywords.iter().map(AsRef::as_ref);
        writeln(
            text,
            format_args!(
                "* FLAGS {}",
                flag_list(SYSTEM.into_iter().chain(keywords.clone()))
            ),
        );
        let permanent = match (&mailbox.permanent, selected.read_only) {
            (_, true) => String::from("()"),
            (Some(flags), false) => flag_list(flags.iter().map(String::as_str)),
            (None, false) => flag_list(SYSTEM.into_iter().chain(keywords).chain(["\\*"])),
        };
        writeln(
            text,
            format_args!("* OK [PERMANENTFLAGS {permanent}] Flags permitted."),
        );
        writeln(text, format_args!("* {} EXISTS", selected.uids.len()));
        if !self.rev2() {
            writeln(text, format_args!("* {} RECENT", selected.recent()));
            let unseen = mailbox.messages.iter().position(|m| !m.flags.seen());
            if let Some(at) = unseen {
                writeln(text, format_args!("* OK [UNSEEN {}] First unseen.", at + 1));
            }
        }
        if let Some(epoch) = self.told_epoch(mailbox.uidvalidity) {
            writeln(text, format_args!("* OK [UIDVALIDITY {epoch}] UIDs valid"));
        }
        writeln(
            text,
            format_args!("* OK [UIDNEXT {}] Predicted next UID", mailbox.uidnext),
        );
        if self.can("CONDSTORE") {
            writeln(
                text,
                format_args!("* OK [HIGHESTMODSEQ {}] Highest", mailbox.modseq),
            );
        }
        if self.can("OBJECTID") {
            writeln(text, format_args!("* OK [MAILBOXID (M{})] Ok", mailbox.id));
        }
        if self.rev2() {
            let name = String::from_utf8_lossy(&self.told_name(&selected.wire)).into_owned();
            writeln(
                text,
                format_args!("* LIST () {} {name}", self.told_separator()),
            );
        }
    }

    /// What changed since the client's mod-sequence (RFC 7162 §3.2.5.2).
    fn catch_up(&self, text: &mut String, mailbox: &Mailbox, selected: &Selected, resync: &Resync) {
        let same = self
            .told_epoch(mailbox.uidvalidity)
            .is_some_and(|epoch| u64::from(epoch) == resync.uidvalidity);
        if !same {
            return;
        }
        let known = resync
            .known
            .as_ref()
            .map(|set| set.ranges(mailbox.uidnext.saturating_sub(1)));
        let gone = vanished_since(mailbox, resync.modseq, known.as_deref());
        if !gone.is_empty() {
            writeln(text, format_args!("* VANISHED (EARLIER) {}", compact(gone)));
        }
        let changed: Vec<u32> = mailbox
            .messages
            .iter()
            .filter(|m| m.modseq > resync.modseq)
            .map(|m| m.uid)
            .collect();
        let changed = match &known {
            Some(ranges) => within(&changed, ranges),
            None => changed,
        };
        for uid in changed {
            if let (Some(message), Some(sequence)) = (mailbox.message(uid), selected.sequence(uid))
            {
                text.push_str(&flags_row(
                    message,
                    sequence,
                    selected.is_recent(uid),
                    true,
                    true,
                ));
            }
        }
    }

    /// CLOSE expunges, UNSELECT does not.
    pub(super) fn close(&mut self, args: Args, expunging: bool) -> Outcome {
        no_arguments(&args)?;
        if expunging && self.selected.as_ref().is_some_and(|s| !s.read_only) {
            self.with_selected(|store, selected| {
                let mailbox = store.mailbox(&selected.wire);
                let deleted = mailbox
                    .into_iter()
                    .flat_map(|m| &m.messages)
                    .filter(|m| m.flags.deleted());
                let uids: Vec<u32> = deleted.map(|m| m.uid).collect();
                for uid in uids {
                    store.expunge(&selected.wire, uid);
                }
            })?;
            self.ring();
        }
        self.selected = None;
        Ok(Reply::ok("Close completed."))
    }
}

fn writeln(text: &mut String, line: std::fmt::Arguments<'_>) {
    write!(text, "{line}\r\n").ok();
}

fn open(mailbox: &Mailbox, wire: &[u8], read_only: bool) -> Selected {
    Selected {
        wire: wire.to_vec(),
        id: mailbox.id,
        uids: mailbox.messages.iter().map(|m| m.uid).collect(),
        read_only,
        recent_from: mailbox.recent_from,
        told: mailbox.modseq,
        told_changes: mailbox.changes,
        told_vanished: mailbox.vanished.len(),
    }
}

/// UIDs expunged after a mod-sequence, in order and once each.
pub(super) fn vanished_since(
    mailbox: &Mailbox,
    modseq: u64,
    among: Option<&[(u32, u32)]>,
) -> Vec<u32> {
    let first = mailbox.vanished.partition_point(|(at, _)| *at <= modseq);
    let mut gone: Vec<u32> = mailbox.vanished[first..]
        .iter()
        .map(|(_, uid)| *uid)
        .collect();
    gone.sort_unstable();
    gone.dedup();
    match among {
        Some(ranges) => within(&gone, ranges),
        None => gone,
    }
}

fn read_resync(args: &mut Args) -> Parsed<Resync> {
    args.expect(b'(')?;
    let uidvalidity = args.number()?;
    args.space()?;
    let modseq = args.number()?;
    let mut known = None;
    if args.eat(b' ') {
        if args.peek() != Some(b'(') {
            known = Some(args.sequence_set()?);
        }
        if known.is_none() || args.eat(b' ') {
            // The sequence match data only saves traffic; it may be ignored.
            args.expect(b'(')?;
            args.sequence_set()?;
            args.space()?;
            args.sequence_set()?;
            args.expect(b')')?;
        }
    }
    args.expect(b')')?;
    (uidvalidity > 0)
        .then_some(Resync {
            uidvalidity,
            modseq,
            known,
        })
        .ok_or(Malformed)
}
