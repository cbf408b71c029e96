//! APPEND and MULTIAPPEND (RFC 9051 §6.3.12, RFC 3502, RFC 4315).
//!
//! The command is read literal by literal, because a server decides before each
//! of them. Nothing is stored before the last line has come.

use std::time::Duration;

use bytes::Bytes;

use super::Session;
use super::reply::{Halt, Outcome, Reply};
use crate::account::Account;
use crate::account::lock;
use crate::body::Body;
use crate::command::{Announced, Args, Malformed, announced};
use crate::date::Date;
use crate::faults::Point;
use crate::flags::Flags;
use crate::rewrite::rewrite;
use crate::seqset::compact;
use crate::store::Draft;

/// Messages in one MULTIAPPEND.
const BATCH: usize = 10_000;

/// What stands before a message's literal.
struct Head {
    flags: Flags,
    date: Option<Date>,
    /// `UTF8 (~{n}…)`: a parenthesis follows the literal (RFC 6855 §4).
    wrapped: bool,
}

impl Session {
    pub(super) async fn append(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        // The name itself may be a literal.
        if args.at_end() {
            let literal = self.command.pending.ok_or(Halt::Malformed)?;
            args.push_literal(self.argument_literal(literal).await?);
            self.continue_line(&mut args).await?;
        }
        let given = args.astring()?;
        args.space()?;
        let to = self.stored_name(&given).ok_or(Halt::Malformed)?;
        self.command.mailbox = Some(to.clone());

        let mut drafts: Vec<Draft> = Vec::new();
        let mut octets = 0_u64;
        loop {
            let head = self.head(&mut args)?;
            let literal = self.command.pending.ok_or(Halt::Malformed)?;
            self.may_append(&to, literal, octets, drafts.len() as u64)?;
            self.invite(literal).await?;
            let message = self.wire.octets(literal.octets).await?;
            self.command.pending = None;
            octets += literal.octets;
            drafts.push(self.draft(head.flags, head.date, message));
            self.continue_line(&mut args).await?;
            if head.wrapped {
                args.expect(b')')?;
            }
            if args.at_end() && self.command.pending.is_none() {
                break;
            }
            if !self.can("MULTIAPPEND") || drafts.len() >= BATCH {
                return Err(Halt::Malformed);
            }
            args.space()?;
        }

        if let Some(refusal) = self.act(Point::Read).await? {
            return Err(refusal.into());
        }
        if let Some(time) = self.command.land_later {
            return self.land_later(&to, drafts, time).await;
        }
        self.land(&to, drafts, octets)
    }

    /// The line after a literal.
    async fn continue_line(&mut self, args: &mut Args) -> Result<(), Halt> {
        args.forget_read();
        let room = self.server.limits.line.saturating_sub(args.len());
        let line = self.line(room).await?;
        let (text, next) = announced(&line);
        self.command.pending = next;
        args.push_text(text).then_some(()).ok_or(Halt::Malformed)
    }

    /// `[flags SP] [date SP] [UTF8 SP "("]`.
    fn head(&self, args: &mut Args) -> Result<Head, Halt> {
        let mut head = Head {
            flags: Flags::default(),
            date: None,
            wrapped: false,
        };
        if args.peek() == Some(b'(') {
            head.flags = Flags::of(args.flags(false)?);
            args.space()?;
        }
        if args.peek() == Some(b'"') {
            let date = args.date_time()?;
            let kept = self.personality().dates.store(date, Date::now());
            head.date = Some(kept.ok_or(Malformed)?);
            args.space()?;
        }
        if args.eat_word("UTF8") {
            if !self.utf8() {
                return Err(Halt::Malformed);
            }
            args.space()?;
            args.expect(b'(')?;
            head.wrapped = true;
        }
        args.end()?;
        Ok(head)
    }

    /// What can be refused before the octets come.
    fn may_append(
        &self,
        to: &[u8],
        literal: Announced,
        octets: u64,
        messages: u64,
    ) -> Result<(), Halt> {
        let account = self.account.as_ref().ok_or(Halt::Unknown)?;
        let personality = self.personality();
        let store = lock(&account.cell.store);
        let mailbox = store.selectable(to).ok_or_else(|| self.no_such_mailbox())?;
        if mailbox.read_only {
            return Err(
                Reply::no("[NOPERM] No permission to add messages to this mailbox.").into(),
            );
        }
        let told = personality.append_limit().unwrap_or(u64::MAX);
        // All messages of a command are in memory together.
        let whole = octets.saturating_add(literal.octets);
        if literal.octets > told || whole > self.server.limits.message {
            return Err(personality.too_big.refusal.clone().into());
        }
        let limit = store
            .append_limit
            .filter(|_| personality.too_big.before_literal);
        if limit.is_some_and(|limit| literal.octets > limit) {
            return Err(personality.too_big.refusal.clone().into());
        }
        let fits = store.has_room(octets.saturating_add(literal.octets), messages + 1);
        if personality.over_quota.before_literal && !fits {
            return Err(personality.over_quota.refusal.clone().into());
        }
        Ok(())
    }

    fn draft(&self, flags: Flags, date: Option<Date>, message: Bytes) -> Draft {
        let now = Date::now().in_zone(self.personality().dates.zone.unwrap_or(0));
        Draft {
            flags,
            date: date.unwrap_or(now),
            body: Body::from(message),
        }
    }

    /// Stores all messages, or none.
    fn land(&mut self, to: &[u8], drafts: Vec<Draft>, octets: u64) -> Outcome {
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        let personality = self.personality();
        let mut ready = Vec::with_capacity(drafts.len());
        {
            let store = lock(&account.cell.store);
            if !personality.too_big.before_literal
                && drafts.iter().any(|d| {
                    store
                        .append_limit
                        .is_some_and(|limit| d.body.octets() > limit)
                })
            {
                return Err(personality.too_big.refusal.clone().into());
            }
            if !store.has_room(octets, drafts.len() as u64) {
                return Err(personality.over_quota.refusal.clone().into());
            }
        }
        for draft in drafts {
            let body = rewrite(&personality.rewriting, draft.body.bytes()).map_err(Reply::no)?;
            ready.push(Draft {
                body: Body::recognised(body),
                ..draft
            });
        }
        let only = self.command.store_only;
        let count = only.unwrap_or(ready.len());
        ready.truncate(count);
        let (uidvalidity, uids) = put(&account, to, ready).ok_or_else(|| self.no_such_mailbox())?;
        if only.is_some() {
            return Err(Reply::no("[SERVERBUG] Internal error occurred.").into());
        }
        let epoch = self.told_epoch(uidvalidity).filter(|_| self.can("UIDPLUS"));
        let code = match epoch.filter(|_| !uids.is_empty()) {
            Some(epoch) => format!("[APPENDUID {epoch} {}] ", compact(uids)),
            None => String::new(),
        };
        Ok(Reply::ok(format!("{code}Append completed.")))
    }

    /// Resets the connection now and stores the messages later, as a server may
    /// that had received everything when its client went away.
    async fn land_later(&mut self, to: &[u8], drafts: Vec<Draft>, time: Duration) -> Outcome {
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        let to = to.to_vec();
        let rules = self.personality().rewriting.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let rewritten = drafts.into_iter().map(|draft| {
                let body = rewrite(&rules, draft.body.bytes())?;
                Ok(Draft {
                    body: body.into(),
                    ..draft
                })
            });
            if let Ok(ready) = rewritten.collect::<Result<Vec<Draft>, &str>>() {
                put(&account, &to, ready);
            }
        });
        self.wire.perform(crate::faults::Action::Reset).await?;
        Err(Halt::Stop)
    }
}

/// Stores messages in one step; UIDVALIDITY and UIDs, `None` when the mailbox
/// has gone meanwhile.
fn put(account: &Account, to: &[u8], drafts: Vec<Draft>) -> Option<(u32, Vec<u32>)> {
    let mut store = lock(&account.cell.store);
    let uidvalidity = store.selectable(to)?.uidvalidity;
    let uids = drafts
        .into_iter()
        .filter_map(|draft| store.add(to, draft))
        .collect();
    drop(store);
    account.cell.changed.notify_waiters();
    Some((uidvalidity, uids))
}
