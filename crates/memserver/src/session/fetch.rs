//! FETCH and UID FETCH: one row after the other, octets in pieces.

use super::items::{Cut, Item, Section};
use super::reply::{Halt, Outcome, Reply, quoted, quoted_or_literal};
use super::select::vanished_since;
use super::view::told_flags;
use super::{Session, no_arguments};
use crate::body::Body;
use crate::command::Args;
use crate::faults::{Action, Point};
use crate::flags::Flags;
use crate::seqset::compact;
use crate::store::{Message, Reflag};
use crate::wire::Stop;

/// `(CHANGEDSINCE n VANISHED)` (RFC 7162 §3.1.4.1, §3.2.6).
#[derive(Clone, Copy, Debug, Default)]
struct Since {
    modseq: Option<u64>,
    vanished: bool,
}

/// A message with what the session knows about it.
struct Row {
    message: Message,
    sequence: usize,
    recent: bool,
    labels: Vec<Vec<u8>>,
    /// `\Seen` was set by this very FETCH.
    newly_seen: bool,
}

impl Session {
    pub(super) async fn fetch(&mut self, args: Args, by_uid: bool) -> Outcome {
        let mut args = args;
        args.space()?;
        let set = args.sequence_set()?;
        args.space()?;
        let mut items = self.fetch_items(&mut args)?;
        let since = self.fetch_modifiers(&mut args, by_uid)?;
        no_arguments(&args)?;
        if items.contains(&Item::ModSeq) || since.modseq.is_some() {
            self.enabled.condstore = true;
        }
        if since.modseq.is_some() && !items.contains(&Item::ModSeq) {
            items.push(Item::ModSeq);
        }
        self.place_uid(&mut items, by_uid);

        let (mut uids, gone) = self.with_selected(|store, selected| {
            if !by_uid && !selected.holds(&set) {
                return Err(Halt::Malformed);
            }
            let uids = selected.resolve(&set, by_uid);
            let mailbox = store
                .mailbox(&selected.wire)
                .filter(|m| since.vanished && m.id == selected.id);
            let gone = mailbox.map(|mailbox| {
                let ranges = set.ranges(mailbox.uidnext.saturating_sub(1));
                vanished_since(mailbox, since.modseq.unwrap_or(0), Some(&ranges))
            });
            Ok((uids, gone.unwrap_or_default()))
        })??;
        if !gone.is_empty() {
            self.wire
                .put_line(format!("* VANISHED (EARLIER) {}", compact(gone)));
        }
        if let Some(modseq) = since.modseq {
            uids = self.with_selected(|store, selected| {
                let mailbox = store.mailbox(&selected.wire);
                let newer = |uid: &u32| {
                    mailbox
                        .and_then(|m| m.message(*uid))
                        .is_some_and(|m| m.modseq > modseq)
                };
                uids.into_iter().filter(newer).collect()
            })?;
        }
        let mut expunged = false;
        for uid in uids {
            expunged |= !self.row(uid, &items).await?;
            self.wire.relieve().await?;
        }
        Ok(Reply::ok(match expunged {
            true => "[EXPUNGEISSUED] Some messages were already expunged.",
            false => "Fetch completed.",
        }))
    }

    fn fetch_modifiers(&self, args: &mut Args, by_uid: bool) -> Result<Since, Halt> {
        let mut since = Since::default();
        if !args.eat(b' ') {
            return Ok(since);
        }
        args.list(|args| {
            match args.word()?.as_str() {
                "CHANGEDSINCE" => {
                    args.space()?;
                    since.modseq = Some(args.number()?);
                }
                "VANISHED" => since.vanished = true,
                _ => return Err(crate::command::Malformed),
            }
            Ok(())
        })?;
        let allowed = !since.vanished || (by_uid && self.enabled.qresync && since.modseq.is_some());
        match allowed && self.can("CONDSTORE") {
            true => Ok(since),
            false => Err(Halt::Malformed),
        }
    }

    /// UID FETCH always tells the UID, where this server tells it.
    fn place_uid(&self, items: &mut Vec<Item>, by_uid: bool) {
        let asked = items.contains(&Item::Uid);
        match (asked || by_uid, self.personality().uid_last) {
            (false, _) => {}
            (true, true) => {
                items.retain(|item| *item != Item::Uid);
                items.push(Item::Uid);
            }
            (true, false) if !asked => items.insert(0, Item::Uid),
            (true, false) => {}
        }
    }

    /// Tells one message; false when it has been expunged.
    async fn row(&mut self, uid: u32, items: &[Item]) -> Result<bool, Halt> {
        let mut lie = 0;
        for (_, action) in self.cue(Point::Row, Some(uid)) {
            match action {
                Action::DropRow => return Ok(true),
                Action::LiteralLie(more) => lie = more,
                Action::Send(octets) => self.wire.put(octets),
                action => {
                    self.wire.flush().await?;
                    self.wire.perform(action).await?;
                }
            }
        }
        let sets_seen = items
            .iter()
            .any(|item| matches!(item, Item::Octets(s) if s.sets_seen));
        let Some(row) = self.look_up(uid, sets_seen)? else {
            return Ok(false);
        };
        self.wire.put(format!("* {} FETCH (", row.sequence));
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.wire.put(b" ");
            }
            self.tell(item, &row, lie).await?;
        }
        if row.newly_seen && !items.contains(&Item::Flags) {
            let flags = told_flags(&row.message.flags, row.recent);
            self.wire.put(format!(" FLAGS {flags}"));
        }
        self.wire.put(b")\r\n");
        if row.newly_seen {
            self.ring();
        }
        Ok(true)
    }

    fn look_up(&mut self, uid: u32, sets_seen: bool) -> Result<Option<Row>, Halt> {
        self.with_selected(|store, selected| {
            let sequence = selected.sequence(uid)?;
            let mailbox = store
                .mailbox(&selected.wire)
                .filter(|m| m.id == selected.id)?;
            let unseen = !mailbox.message(uid)?.flags.seen();
            let newly_seen = sets_seen && unseen && !selected.read_only;
            if newly_seen {
                let up_to_date = mailbox.modseq == selected.told;
                store.reflag(&selected.wire, uid, Reflag::Add, &Flags::of(["\\Seen"]));
                selected.catch_up(store, up_to_date);
            }
            let message = store.mailbox(&selected.wire)?.message(uid)?.clone();
            let labels = store.labels(&selected.wire, message.object);
            Some(Row {
                sequence,
                recent: selected.is_recent(uid),
                labels,
                newly_seen,
                message,
            })
        })
    }

    async fn tell(&mut self, item: &Item, row: &Row, lie: i64) -> Result<(), Stop> {
        let message = &row.message;
        match item {
            Item::Uid => self.wire.put(format!("UID {}", message.uid)),
            Item::Flags => {
                let recent = row.recent && !self.rev2();
                self.wire
                    .put(format!("FLAGS {}", told_flags(&message.flags, recent)));
            }
            Item::InternalDate => self.wire.put(format!("INTERNALDATE \"{}\"", message.date)),
            Item::Size => {
                let told = message
                    .body
                    .octets()
                    .saturating_add_signed(self.personality().size_error);
                self.wire.put(format!("RFC822.SIZE {told}"));
            }
            Item::ModSeq => self.wire.put(format!("MODSEQ ({})", message.modseq)),
            Item::EmailId => self.wire.put(format!("EMAILID (E{})", message.object)),
            Item::ThreadId => self.wire.put("THREADID NIL"),
            Item::GmMsgId => self
                .wire
                .put(format!("X-GM-MSGID {}", gmail_id(message.object))),
            Item::GmThrId => self
                .wire
                .put(format!("X-GM-THRID {}", gmail_id(message.object))),
            Item::GmLabels => {
                let labels: Vec<Vec<u8>> = row
                    .labels
                    .iter()
                    .map(|label| self.told_label(label))
                    .collect();
                self.wire.put(b"X-GM-LABELS (");
                self.wire.put(labels.join(&b' '));
                self.wire.put(b")");
            }
            Item::Octets(section) => {
                self.tell_octets(section, &message.body, message.uid, lie)
                    .await?
            }
        }
        Ok(())
    }

    /// System labels go in quotes, as Gmail sends them.
    fn told_label(&self, label: &[u8]) -> Vec<u8> {
        match label.first() {
            Some(b'\\') => quoted(label, false),
            _ if self.utf8() => self.told_name(label),
            _ => quoted_or_literal(label, false),
        }
    }

    async fn tell_octets(
        &mut self,
        section: &Section,
        body: &Body,
        uid: u32,
        lie: i64,
    ) -> Result<(), Stop> {
        let cut = section.cut(body);
        let length = match &cut {
            Cut::Held(octets) => octets.len() as u64,
            Cut::Range(from, to) => to - from,
        };
        let announced = length.saturating_add_signed(lie);
        self.wire
            .put(format!("{} {{{announced}}}\r\n", section.told));
        for (at, action) in self.cue(Point::Body(0), Some(uid)) {
            self.wire.trap_output(at.min(length), action);
        }
        match cut {
            Cut::Held(octets) => self.wire.put(octets),
            Cut::Range(from, to) => {
                let mut at = from;
                while at < to {
                    let piece = body.piece(at, to.min(at.saturating_add(64 * 1024)));
                    if piece.is_empty() {
                        break;
                    }
                    at += piece.len() as u64;
                    self.wire.put(piece);
                    self.wire.relieve().await?;
                }
            }
        }
        Ok(())
    }
}

/// Gmail's ids are 64-bit numbers that look random.
pub(super) fn gmail_id(object: u64) -> u64 {
    crate::body::mix(object) >> 1
}
