//! CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4–§6.3.8).

use super::reply::{Halt, Outcome, Reply};
use super::{Session, no_arguments};
use crate::account::lock;
use crate::command::{Args, Parsed};
use crate::name;
use crate::personality::Personality;

/// The attributes that CREATE … (USE (…)) may give.
const USES: [&str; 8] = [
    "\\All",
    "\\Archive",
    "\\Drafts",
    "\\Flagged",
    "\\Junk",
    "\\Sent",
    "\\Trash",
    "\\Important",
];

impl Session {
    pub(super) fn create(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let given = args.astring()?;
        let mut uses = Vec::new();
        if args.eat(b' ') {
            uses = special_uses(&mut args)?;
        }
        no_arguments(&args)?;
        if !uses.is_empty() && !self.can("CREATE-SPECIAL-USE") {
            if !self.personality().create_ignores_use {
                return Err(Halt::Malformed);
            }
            uses.clear();
        }
        let wire = self.new_name(&given)?;
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        {
            let mut store = lock(&account.cell.store);
            if store.selectable(&wire).is_some() {
                return Err(Reply::no("[ALREADYEXISTS] Mailbox already exists").into());
            }
            let taken = store.mailboxes.values().flat_map(|m| &m.special_use);
            if let Some(twice) = taken.into_iter().find(|u| uses.contains(u)) {
                return Err(Reply::no(format!("[USEATTR] A mailbox with {twice} exists")).into());
            }
            store.create_parents(&wire, self.personality().names.real_parents);
            store.create(&wire, &uses);
        }
        self.ring();
        Ok(Reply::ok("Create completed."))
    }

    pub(super) fn delete(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let given = args.astring()?;
        no_arguments(&args)?;
        let wire = self.stored_name(&given).ok_or(Halt::Malformed)?;
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        {
            let mut store = lock(&account.cell.store);
            if wire == b"INBOX" {
                return Err(Reply::no("[CANNOT] INBOX cannot be deleted").into());
            }
            store
                .selectable(&wire)
                .ok_or_else(|| self.no_such_mailbox())?;
            store.delete(&wire);
        }
        self.ring();
        Ok(Reply::ok("Delete completed."))
    }

    /// Renaming INBOX moves its messages into a new mailbox (RFC 9051 §6.3.6).
    pub(super) fn rename(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let from = args.astring()?;
        args.space()?;
        let to = args.astring()?;
        no_arguments(&args)?;
        let from = self.stored_name(&from).ok_or(Halt::Malformed)?;
        let to = self.new_name(&to)?;
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        {
            let mut store = lock(&account.cell.store);
            store.mailbox(&from).ok_or_else(|| self.no_such_mailbox())?;
            if store.mailbox(&to).is_some() {
                return Err(Reply::no("[ALREADYEXISTS] Mailbox already exists").into());
            }
            store.create_parents(&to, self.personality().names.real_parents);
            if from == b"INBOX" {
                store.create(&to, &[]);
                let uids: Vec<u32> = store
                    .mailbox(&from)
                    .into_iter()
                    .flat_map(|m| &m.messages)
                    .map(|m| m.uid)
                    .collect();
                for uid in uids {
                    store.copy(&from, uid, &to);
                    store.expunge(&from, uid);
                }
            } else if !store.rename(&from, &to) {
                return Err(Reply::no("[CANNOT] Rename failed").into());
            }
        }
        self.ring();
        Ok(Reply::ok("Rename completed."))
    }

    pub(super) fn subscribe(&mut self, args: Args, on: bool) -> Outcome {
        let mut args = args;
        args.space()?;
        let given = args.astring()?;
        no_arguments(&args)?;
        let wire = self.stored_name(&given).ok_or(Halt::Malformed)?;
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        let mut store = lock(&account.cell.store);
        if !on {
            store.subscribed.remove(&wire);
            return Ok(Reply::ok("Unsubscribe completed."));
        }
        if self.personality().subscribe_needs_mailbox && store.mailbox(&wire).is_none() {
            return Err(self.no_such_mailbox());
        }
        store.subscribed.insert(wire);
        Ok(Reply::ok("Subscribe completed."))
    }

    /// The stored name of a mailbox to be made, if the server takes it.
    fn new_name(&self, given: &[u8]) -> Result<Vec<u8>, Halt> {
        let personality = self.personality();
        let refused = || Halt::from(personality.names.refusal.clone());
        let wire = self.stored_name(given).ok_or_else(refused)?;
        let wire = tidy_separators(personality, &wire).ok_or_else(refused)?;
        if personality.names.basic_plane_only && !self.utf8() && beyond_basic_plane(&wire) {
            return Err(Halt::Malformed);
        }
        acceptable(personality, &wire)
            .then_some(wire)
            .ok_or_else(refused)
    }
}

fn special_uses(args: &mut Args) -> Parsed<Vec<String>> {
    let lists = args.list(|args| {
        let use_list = args.word()? == "USE";
        args.space()?;
        let names = args.list(|args| {
            args.expect(b'\\')?;
            let word = args.word()?;
            let known = USES.iter().find(|u| u[1..].eq_ignore_ascii_case(&word));
            known
                .map(|u| (*u).to_owned())
                .ok_or(crate::command::Malformed)
        })?;
        use_list.then_some(names).ok_or(crate::command::Malformed)
    })?;
    Ok(lists.concat())
}

/// Drops or folds separators that stand where no level is; `None` refuses.
fn tidy_separators(personality: &Personality, wire: &[u8]) -> Option<Vec<u8>> {
    let Some(separator) = personality.separator else {
        return Some(wire.to_vec());
    };
    let rules = &personality.names;
    let wire = match wire.strip_suffix(&[separator]) {
        Some(rest) if rules.trailing_separator || rules.folds_separators => rest,
        _ => wire,
    };
    let levels: Vec<&[u8]> = wire.split(|b| *b == separator).collect();
    if levels.iter().all(|level| !level.is_empty()) {
        return Some(wire.to_vec());
    }
    let kept: Vec<&[u8]> = levels
        .into_iter()
        .filter(|level| !level.is_empty())
        .collect();
    (rules.folds_separators && !kept.is_empty()).then(|| kept.join(&separator))
}

fn acceptable(personality: &Personality, wire: &[u8]) -> bool {
    let rules = &personality.names;
    let prefix = personality.prefix_octets();
    let levels = || wire.split(|b| Some(*b) == personality.separator);
    let raw = wire.iter().any(|b| *b >= 0x80);
    let control = wire.iter().any(|b| *b < b' ' || *b == 0x7f);
    let decoded = name::decode(wire);
    let odd_blanks = |level: &[u8]| {
        level.first() == Some(&b' ')
            || level.last() == Some(&b' ')
            || level.windows(2).any(|w| w == b"  ")
    };
    !wire.is_empty()
        && (prefix.is_empty() || wire == b"INBOX" || wire.starts_with(prefix))
        && wire.len() <= rules.name_octets
        && levels().all(|level| level.len() <= rules.level_octets)
        && !wire
            .iter()
            .any(|b| rules.forbidden.contains(b) && Some(*b) != personality.separator)
        && (rules.takes_raw || (!raw && !control))
        && (raw || control || decoded.is_some() || rules.takes_bad_utf7)
        && !(rules.file_system && (wire.starts_with(b"~") || levels().any(|l| l == b"..")))
        && !(rules.no_odd_blanks && levels().any(odd_blanks))
}

fn beyond_basic_plane(wire: &[u8]) -> bool {
    name::decode(wire).is_some_and(|name| name.chars().any(|c| c > '\u{ffff}'))
}
