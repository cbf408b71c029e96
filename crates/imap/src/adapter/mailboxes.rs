//! All mailboxes of an account, in as few round trips as the server allows.

use super::namespace::Namespace;
use crate::connection::{Answer, Connection, excess, lock};
use crate::encode::{Command, List, ListReturn, StatusItem};
use crate::machine::Takes;
use crate::quirks::command_fault;
use crate::response::{ListRow, MailboxStatus, Response};
use crate::session::Facts;
use futures::StreamExt;
use hikyaku_core::mailbox::MailboxState;
use hikyaku_core::{Fault, MailboxInfo, MailboxName, Remedy, Role, WireName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// STATUS commands in flight at a time.
const STATUS_IN_FLIGHT: usize = 64;

/// Most mailboxes of one account.
const MOST_MAILBOXES: usize = 100_000;

/// What was listed: the first list waits for whoever asks first, names are kept for
/// [`super::ensure`].
#[derive(Debug)]
pub(super) struct Listed {
    first: Mutex<Option<Vec<MailboxInfo>>>,
    known: Mutex<BTreeMap<MailboxName, MailboxInfo>>,
}

impl Listed {
    pub(super) fn new(first: Vec<MailboxInfo>) -> Self {
        let listed = Self {
            first: Mutex::new(None),
            known: Mutex::default(),
        };
        listed.remember(&first);
        *lock(&listed.first) = Some(first);
        listed
    }

    /// The list that came with the login, once.
    pub(super) fn take_first(&self) -> Option<Vec<MailboxInfo>> {
        lock(&self.first).take()
    }

    pub(super) fn remember(&self, found: &[MailboxInfo]) {
        let mut known = lock(&self.known);
        known.clear();
        known.extend(found.iter().map(|m| (m.name.clone(), m.clone())));
    }

    pub(super) fn add(&self, made: &MailboxInfo) {
        // The first list would not have it.
        lock(&self.first).take();
        lock(&self.known).insert(made.name.clone(), made.clone());
    }

    pub(super) fn find(&self, name: &MailboxName) -> Option<MailboxInfo> {
        lock(&self.known).get(name).cloned()
    }
}

/// LIST, and LSUB where LIST does not tell subscriptions.
pub(super) fn questions(facts: &Facts) -> Vec<(Command, Takes)> {
    let mut questions = vec![(Command::List(list_command(facts, "*")), Takes::LIST)];
    if !facts.can("LIST-EXTENDED") {
        let lsub = Command::Lsub {
            reference: WireName::new(""),
            pattern: b"*".to_vec(),
        };
        questions.push((lsub, Takes::LSUB));
    }
    questions
}

/// The namespace and the mailboxes, from the answers to [`questions`].
pub(super) async fn survey(
    connection: &Connection,
    facts: &Facts,
    answers: Vec<Answer>,
) -> Result<(Namespace, Vec<MailboxInfo>), Fault> {
    let rows = Rows::of(answers)?;
    let separator = rows.listed.iter().find_map(|row| row.separator);
    let namespace = Namespace::new(facts, separator);
    let found = finish(connection, facts, &namespace, rows).await?;
    Ok((namespace, found))
}

/// The mailboxes, sorted by name.
pub(super) async fn list(
    connection: &Connection,
    facts: &Facts,
    namespace: &Namespace,
) -> Result<Vec<MailboxInfo>, Fault> {
    let asked = questions(facts)
        .iter()
        .map(|(command, takes)| connection.submit(command, *takes))
        .collect::<Result<Vec<_>, _>>()?;
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(connection.answer(answer).await?);
    }
    finish(connection, facts, namespace, Rows::of(answers)?).await
}

/// What LIST and LSUB gave.
#[derive(Default)]
struct Rows {
    listed: Vec<ListRow>,
    /// `None` when LIST itself told.
    subscribed: Option<BTreeSet<WireName>>,
    status: BTreeMap<WireName, MailboxState>,
}

/// Items of STATUS that this server can tell.
pub(super) fn items(facts: &Facts) -> Vec<StatusItem> {
    let mut items = vec![
        StatusItem::Messages,
        StatusItem::UidNext,
        StatusItem::UidValidity,
    ];
    if facts.tracks_changes() {
        items.push(StatusItem::HighestModSeq);
    }
    if facts.can("STATUS=SIZE") {
        items.push(StatusItem::Size);
    }
    items
}

/// LIST with everything that may come along.
pub(super) fn list_command(facts: &Facts, pattern: impl Into<Vec<u8>>) -> List {
    let mut list = List::plain(WireName::new(""), pattern);
    if facts.can("LIST-EXTENDED") {
        list.returns.push(ListReturn::Subscribed);
        if facts.can("SPECIAL-USE") {
            list.returns.push(ListReturn::SpecialUse);
        }
        if facts.can("LIST-STATUS") {
            list.returns.push(ListReturn::Status(items(facts)));
        }
    }
    list
}

async fn finish(
    connection: &Connection,
    facts: &Facts,
    namespace: &Namespace,
    mut rows: Rows,
) -> Result<Vec<MailboxInfo>, Fault> {
    let listed = std::mem::take(&mut rows.listed);
    if listed.len() > MOST_MAILBOXES {
        return Err(Fault {
            remedy: Remedy::AskUser,
            ..excess(format!("more than {MOST_MAILBOXES} mailboxes"))
        });
    }
    let mut found: Vec<MailboxInfo> = listed
        .iter()
        .filter_map(|row| rows.info(namespace, row))
        .collect();
    if !facts.can("LIST-STATUS") {
        ask_status(connection, facts, &mut found).await?;
    }
    found.sort_by(|a, b| (&a.name, &a.wire).cmp(&(&b.name, &b.wire)));
    // Listed twice, or INBOX in two spellings, is one mailbox.
    found.dedup_by(|a, b| key(&a.wire) == key(&b.wire));
    Ok(found)
}

/// STATUS of every mailbox, pipelined.
async fn ask_status(
    connection: &Connection,
    facts: &Facts,
    found: &mut [MailboxInfo],
) -> Result<(), Fault> {
    let items = items(facts);
    let selectable: Vec<(usize, WireName)> = found
        .iter()
        .enumerate()
        .filter(|(_, m)| m.selectable)
        .map(|(n, m)| (n, m.wire.clone()))
        .collect();
    let mut answers = futures::stream::iter(selectable)
        .map(|(n, mailbox)| {
            let command = Command::Status {
                mailbox,
                items: items.clone(),
            };
            let queued = connection.submit(&command, Takes::STATUS);
            async move { (n, connection.answer(queued?).await).ok_pair() }
        })
        .buffered(STATUS_IN_FLIGHT);
    while let Some(answer) = answers.next().await {
        let (n, answer) = answer?;
        // A mailbox whose status is refused is listed; opening it will tell why.
        found[n].state = answer.data.into_iter().find_map(|r| match r {
            Response::MailboxStatus(status) => status.state(),
            _ => None,
        });
    }
    Ok(())
}

trait OkPair<A, B, E> {
    fn ok_pair(self) -> Result<(A, B), E>;
}

impl<A, B, E> OkPair<A, B, E> for (A, Result<B, E>) {
    fn ok_pair(self) -> Result<(A, B), E> {
        Ok((self.0, self.1?))
    }
}

impl Rows {
    /// From the answers to [`questions`].
    fn of(answers: Vec<Answer>) -> Result<Self, Fault> {
        let mut rows = Self::default();
        let mut answers = answers.into_iter();
        if let Some(list) = answers.next() {
            rows.take(granted(list, "LIST")?);
        }
        if let Some(lsub) = answers.next() {
            // Without an answer nothing counts as subscribed.
            let names = lsub.data.into_iter().filter_map(|r| match r {
                Response::Lsub(row) => Some(key(&row.name)),
                _ => None,
            });
            rows.subscribed = Some(names.collect());
        }
        Ok(rows)
    }

    fn take(&mut self, data: Vec<Response>) {
        for response in data {
            match response {
                Response::List(row) => self.listed.push(row),
                Response::MailboxStatus(MailboxStatus { ref mailbox, .. }) => {
                    let name = key(mailbox);
                    if let Response::MailboxStatus(status) = &response
                        && let Some(state) = status.state()
                    {
                        self.status.insert(name, state);
                    }
                }
                _ => {}
            }
        }
    }

    fn info(&self, namespace: &Namespace, row: &ListRow) -> Option<MailboxInfo> {
        let name = namespace.read(row)?;
        let wire = key(&row.name);
        let role = if name.is_inbox() {
            Some(Role::Inbox)
        } else {
            row.attributes.roles.first().copied()
        };
        Some(MailboxInfo {
            role,
            selectable: row.attributes.is_selectable(),
            subscribed: match &self.subscribed {
                Some(names) => names.contains(&wire),
                None => row.attributes.subscribed,
            },
            no_children: row.attributes.no_inferiors,
            state: self.status.get(&wire).copied(),
            wire: row.name.clone(),
            name,
        })
    }
}

/// One mailbox from the answer to a LIST of its own.
pub(super) fn one(
    data: Vec<Response>,
    namespace: &Namespace,
    wire: &WireName,
) -> Option<MailboxInfo> {
    let mut rows = Rows::default();
    rows.take(data);
    let row = rows.listed.iter().find(|row| key(&row.name) == key(wire))?;
    rows.info(namespace, row)
}

/// The name for comparing: INBOX has no case.
fn key(name: &WireName) -> WireName {
    if name.as_bytes().eq_ignore_ascii_case(b"INBOX") {
        WireName::new("INBOX")
    } else {
        name.clone()
    }
}

/// The data of a command that has to succeed.
pub(super) fn granted(answer: Answer, what: &str) -> Result<Vec<Response>, Fault> {
    if answer.reply.is_ok() {
        Ok(answer.data)
    } else {
        Err(command_fault(&answer.reply, what))
    }
}
