//! One mailbox: messages in UID order and the history that QRESYNC asks for.

use std::sync::Arc;

use crate::body::Body;
use crate::date::Date;
use crate::flags::Flags;

/// A stored message. Cloning shares its octets.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) uid: u32,
    pub(crate) flags: Flags,
    pub(crate) date: Date,
    pub(crate) body: Body,
    pub(crate) modseq: u64,
    /// The same for every copy of a message in the account (EMAILID, X-GM-MSGID).
    pub(crate) object: u64,
}

/// What a new message brings along.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) flags: Flags,
    pub(crate) date: Date,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    /// Another one for each mailbox that ever was; a session notices by it that
    /// the name now means something else.
    pub(crate) id: u64,
    pub(crate) uidvalidity: u32,
    pub(crate) uidnext: u32,
    /// In UID order.
    pub(crate) messages: Vec<Message>,
    pub(crate) modseq: u64,
    /// (mod-sequence, UID) of what was expunged, in order.
    pub(crate) vanished: Vec<(u64, u32)>,
    /// Rises when flags change.
    pub(crate) changes: u64,
    /// Messages from this UID on have not been told to any SELECT.
    pub(crate) recent_from: u32,
    /// Attributes such as `\Sent`.
    pub(crate) special_use: Vec<String>,
    pub(crate) selectable: bool,
    pub(crate) read_only: bool,
    /// What PERMANENTFLAGS tells; `None`: the five and `\*`.
    pub(crate) permanent: Option<Vec<String>>,
    /// Keywords in the spelling of their first use.
    pub(crate) keywords: Vec<Arc<str>>,
}

impl Mailbox {
    pub(crate) fn new(id: u64, uidvalidity: u32) -> Self {
        Self {
            id,
            uidvalidity,
            uidnext: 1,
            messages: Vec::new(),
            modseq: 1,
            vanished: Vec::new(),
            changes: 0,
            recent_from: 1,
            special_use: Vec::new(),
            selectable: true,
            read_only: false,
            permanent: None,
            keywords: Vec::new(),
        }
    }

    pub(crate) fn position(&self, uid: u32) -> Option<usize> {
        self.messages.binary_search_by_key(&uid, |m| m.uid).ok()
    }

    pub(crate) fn message(&self, uid: u32) -> Option<&Message> {
        self.position(uid).map(|at| &self.messages[at])
    }

    /// Stores a message under the next UID.
    pub(crate) fn push(&mut self, draft: Draft, object: u64) -> u32 {
        let uid = self.uidnext;
        self.uidnext = self.uidnext.saturating_add(1);
        self.modseq += 1;
        let mut flags = draft.flags;
        if let Some(allowed) = &self.permanent {
            flags.restrict(allowed);
        }
        self.intern(&mut flags);
        self.messages.push(Message {
            uid,
            flags,
            date: draft.date,
            body: draft.body,
            modseq: self.modseq,
            object,
        });
        uid
    }

    /// Takes a message out; its UID is never used again.
    pub(crate) fn take(&mut self, uid: u32) -> Option<Message> {
        let message = self.messages.remove(self.position(uid)?);
        self.modseq += 1;
        self.vanished.push((self.modseq, uid));
        Some(message)
    }

    /// Changes the flags of a message; false when there was nothing to change.
    pub(crate) fn reflag(&mut self, uid: u32, how: Reflag, given: &Flags) -> bool {
        let Some(at) = self.position(uid) else {
            return false;
        };
        let mut given = given.clone();
        if let Some(allowed) = &self.permanent {
            given.restrict(allowed);
        }
        self.intern(&mut given);
        let mut flags = self.messages[at].flags.clone();
        match how {
            Reflag::Add => flags.add(&given),
            Reflag::Remove => flags.remove(&given),
            Reflag::Replace => flags = given,
        }
        if flags == self.messages[at].flags {
            return false;
        }
        self.modseq += 1;
        self.changes += 1;
        self.messages[at].flags = flags;
        self.messages[at].modseq = self.modseq;
        true
    }

    /// Gives keywords the spelling this mailbox already knows.
    fn intern(&mut self, flags: &mut Flags) {
        for keyword in flags.keywords_mut() {
            match self
                .keywords
                .iter()
                .find(|k| k.eq_ignore_ascii_case(keyword))
            {
                Some(known) => *keyword = known.clone(),
                None => self.keywords.push(keyword.clone()),
            }
        }
    }

    /// A fresh mailbox under the same name, as after a restore from backup: the
    /// messages stay, all UIDs are new.
    pub(crate) fn renumber(&mut self, id: u64, uidvalidity: u32) {
        self.id = id;
        self.uidvalidity = uidvalidity;
        self.vanished.clear();
        self.recent_from = 1;
        for (message, uid) in self.messages.iter_mut().zip(1..) {
            message.uid = uid;
        }
        self.uidnext = u32::try_from(self.messages.len()).unwrap_or(u32::MAX - 1) + 1;
    }

    pub(crate) fn octets(&self) -> u64 {
        self.messages.iter().map(|m| m.body.octets()).sum()
    }
}

/// How STORE changes flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reflag {
    Add,
    Remove,
    Replace,
}
