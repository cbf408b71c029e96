//! STATUS and the STATUS part of LIST (RFC 9051 §6.3.11, RFC 5819).

use super::reply::{Halt, Outcome, Reply};
use super::{Session, no_arguments};
use crate::account::lock;
use crate::command::Args;
use crate::personality::Epochs;
use crate::store::Mailbox;

/// One thing to tell about a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    Size,
    HighestModSeq,
    MailboxId,
    AppendLimit,
}

impl Session {
    pub(super) fn status(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let given = args.astring()?;
        args.space()?;
        let items = self.status_items(&mut args)?;
        no_arguments(&args)?;
        let wire = self.stored_name(&given).ok_or(Halt::Malformed)?;
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        let line = {
            let store = lock(&account.cell.store);
            let mailbox = store
                .selectable(&wire)
                .ok_or_else(|| self.no_such_mailbox())?;
            self.status_line(&wire, mailbox, &items, store.append_limit)
        };
        if items.contains(&Item::HighestModSeq) {
            self.enabled.condstore = true;
        }
        self.wire.put(line);
        Ok(Reply::ok("Status completed."))
    }

    /// `(MESSAGES UIDNEXT …)`.
    pub(super) fn status_items(&self, args: &mut Args) -> Result<Vec<Item>, Halt> {
        let words = args.list(Args::word)?;
        let mut items = Vec::new();
        for word in words {
            let (item, known) = match word.as_str() {
                "MESSAGES" => (Item::Messages, true),
                "RECENT" => (Item::Recent, !self.rev2()),
                "UIDNEXT" => (Item::UidNext, true),
                "UIDVALIDITY" => (Item::UidValidity, true),
                "UNSEEN" => (Item::Unseen, true),
                "DELETED" => (Item::Deleted, self.rev2()),
                "SIZE" => (Item::Size, self.can("STATUS=SIZE")),
                "HIGHESTMODSEQ" => (Item::HighestModSeq, self.can("CONDSTORE")),
                "MAILBOXID" => (Item::MailboxId, self.can("OBJECTID")),
                "APPENDLIMIT" => (Item::AppendLimit, self.append_limit_told()),
                _ => (Item::Messages, false),
            };
            match (known, self.personality().status_omits_unknown) {
                (true, _) => items.push(item),
                (false, true) => {}
                (false, false) => return Err(Halt::Malformed),
            }
        }
        Ok(items)
    }

    /// The whole untagged line with its CRLF.
    pub(super) fn status_line(
        &self,
        wire: &[u8],
        mailbox: &Mailbox,
        items: &[Item],
        append_limit: Option<u64>,
    ) -> Vec<u8> {
        let messages = &mailbox.messages;
        let told = items.iter().filter_map(|item| {
            Some(match item {
                Item::Messages => format!("MESSAGES {}", messages.len()),
                Item::Recent => {
                    let old = messages.partition_point(|m| m.uid < mailbox.recent_from);
                    format!("RECENT {}", messages.len() - old)
                }
                Item::UidNext => format!("UIDNEXT {}", mailbox.uidnext),
                Item::UidValidity => {
                    format!("UIDVALIDITY {}", self.told_epoch(mailbox.uidvalidity)?)
                }
                Item::Unseen => format!(
                    "UNSEEN {}",
                    messages.iter().filter(|m| !m.flags.seen()).count()
                ),
                Item::Deleted => format!(
                    "DELETED {}",
                    messages.iter().filter(|m| m.flags.deleted()).count()
                ),
                Item::Size => format!("SIZE {}", mailbox.octets()),
                Item::HighestModSeq => format!("HIGHESTMODSEQ {}", mailbox.modseq),
                Item::MailboxId => format!("MAILBOXID (M{})", mailbox.id),
                Item::AppendLimit => match append_limit {
                    Some(limit) => format!("APPENDLIMIT {limit}"),
                    None => "APPENDLIMIT NIL".to_owned(),
                },
            })
        });
        let told: Vec<String> = told.collect();
        let mut line = b"* STATUS ".to_vec();
        line.extend(self.told_name(wire));
        line.extend(format!(" ({})\r\n", told.join(" ")).into_bytes());
        line
    }

    /// UIDVALIDITY as this server tells it; `None` when it tells none.
    pub(super) fn told_epoch(&self, uidvalidity: u32) -> Option<u32> {
        match self.personality().epochs {
            Epochs::Stable => Some(uidvalidity),
            Epochs::Missing => None,
            Epochs::Zero => Some(0),
            Epochs::NewEachLogin => {
                Some(uidvalidity.wrapping_add(self.number.wrapping_mul(1_000_003)))
            }
        }
    }

    /// The refusal of a command that names a missing mailbox; only APPEND and
    /// COPY say TRYCREATE (RFC 9051 §7.1).
    pub(super) fn no_such_mailbox(&self) -> Halt {
        let refusal = self.personality().no_mailbox.clone();
        let hints = matches!(
            self.command.verb.as_str(),
            "APPEND" | "COPY" | "UID COPY" | "MOVE" | "UID MOVE"
        );
        match refusal.text.strip_prefix("[TRYCREATE] ").filter(|_| !hints) {
            Some(text) if self.rev2() => Reply::no(format!("[NONEXISTENT] {text}")).into(),
            Some(text) => Reply::no(text).into(),
            None => refusal.into(),
        }
    }

    pub(super) fn append_limit_told(&self) -> bool {
        let mut told = self.personality().capabilities.iter();
        told.any(|c| {
            c.split('=')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("APPENDLIMIT"))
        })
    }
}
