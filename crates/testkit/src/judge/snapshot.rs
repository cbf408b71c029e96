//! Everything an account holds, read without changing it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use super::{Argument, Content, Judge, Value, date, name};

/// What an account holds at one moment.
///
/// Two snapshots of an account that nobody wrote to are equal, UIDs and subscriptions included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// The hierarchy separator of INBOX, if there is one.
    pub separator: Option<char>,
    /// The prefix of the personal namespace, `INBOX.` for instance; empty where there is none.
    pub prefix: String,
    /// All mailboxes by their name on the wire, those that hold no messages included.
    pub mailboxes: BTreeMap<Vec<u8>, MailboxSnapshot>,
    /// Subscribed names as on the wire, whether the mailbox exists or not.
    pub subscriptions: BTreeSet<Vec<u8>>,
}

/// One mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxSnapshot {
    /// The name exactly as the server lists it.
    pub wire: Vec<u8>,
    /// The whole name as people read it, prefix and separators included; where it is not valid modified UTF-7, the
    /// wire's octets as Latin-1.
    pub name: String,
    /// The decoded levels below the namespace's prefix; `INBOX` itself is `["INBOX"]`.
    pub levels: Vec<String>,
    /// Attributes as listed, with `\Noselect` in one spelling, without `\HasChildren`, `\HasNoChildren`, `\Marked`,
    /// `\UnMarked` and `\NoInferiors`.
    pub attributes: BTreeSet<String>,
    /// Whether LSUB names it.
    pub subscribed: bool,
    /// UIDVALIDITY of the EXAMINE, 0 for a mailbox that cannot be selected.
    pub uid_validity: u32,
    /// UIDNEXT of the EXAMINE or of STATUS, 0 for a mailbox that cannot be selected.
    pub uid_next: u32,
    /// Messages in UID order.
    pub messages: Vec<MessageSnapshot>,
}

impl MailboxSnapshot {
    /// Whether the mailbox can hold messages.
    pub fn is_selectable(&self) -> bool {
        !self.attributes.contains("\\Noselect")
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSnapshot {
    /// The UID.
    pub uid: u32,
    /// System flags in their usual spelling and keywords as they are, without `\Recent`.
    pub flags: BTreeSet<String>,
    /// INTERNALDATE in UTC seconds.
    pub internal_date: i64,
    /// The octets of `BODY[]`.
    pub content: Content,
}

impl Judge {
    /// Reads the whole account with LIST, LSUB, EXAMINE and BODY.PEEK only.
    pub fn snapshot(&mut self) -> Result<AccountSnapshot> {
        let prefix = self.personal_prefix()?;
        let subscriptions: BTreeSet<Vec<u8>> = self
            .listed("LSUB \"\" \"*\"")?
            .into_iter()
            // RFC 3501 §6.3.9: a name that is not subscribed, but has subscribed children.
            .filter(|listed| !listed.attributes.contains("\\Noselect"))
            .map(|listed| listed.wire)
            .collect();
        let mut account = AccountSnapshot {
            separator: None,
            prefix,
            mailboxes: BTreeMap::new(),
            subscriptions,
        };
        for listed in self.listed("LIST \"\" \"*\"")? {
            if account.separator.is_none() || listed.wire.eq_ignore_ascii_case(b"INBOX") {
                account.separator = listed.separator;
            }
            let mailbox = self
                .mailbox(listed, &account)
                .context("the judge reads a mailbox")?;
            account.mailboxes.insert(mailbox.wire.clone(), mailbox);
        }
        Ok(account)
    }

    fn mailbox(&mut self, listed: Listed, account: &AccountSnapshot) -> Result<MailboxSnapshot> {
        let mut mailbox = MailboxSnapshot {
            name: readable(&listed.wire),
            levels: levels(&listed, &account.prefix),
            subscribed: account.subscriptions.contains(&listed.wire),
            attributes: listed.attributes,
            wire: listed.wire,
            uid_validity: 0,
            uid_next: 0,
            messages: Vec::new(),
        };
        if mailbox.is_selectable() {
            self.fill(&mut mailbox)
                .with_context(|| format!("in {}", mailbox.wire.escape_ascii()))?;
        }
        Ok(mailbox)
    }

    /// Opens the mailbox read-only and reads its messages.
    fn fill(&mut self, mailbox: &mut MailboxSnapshot) -> Result<()> {
        let answer = self.with_mailbox(b"EXAMINE ", &mailbox.wire)?.if_ok()?;
        let exists = answer.lines.iter().find_map(|line| {
            line.strip_prefix("* ")?
                .strip_suffix(" EXISTS")?
                .parse()
                .ok()
        });
        let exists: usize = exists.context("no EXISTS in the answer to EXAMINE")?;
        let code = |name: &str| {
            answer.lines.iter().find_map(|line| {
                let (_, rest) = line.split_once(&format!("[{name} "))?;
                rest.split_once(']')?.0.parse().ok()
            })
        };
        mailbox.uid_validity =
            code("UIDVALIDITY").context("no UIDVALIDITY in the answer to EXAMINE")?;
        mailbox.uid_next = match code("UIDNEXT") {
            Some(uid) => uid,
            None => self.status_uid_next(&mailbox.wire)?,
        };
        if exists > 0 {
            let answer = self
                .command("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])")?
                .if_ok()?;
            for response in &answer.untagged {
                if response.line().starts_with(b"* ") && contains(response.line(), b" FETCH (") {
                    mailbox.messages.extend(message(&response.values()?)?);
                }
            }
        }
        mailbox.messages.sort_by_key(|message| message.uid);
        let read = mailbox.messages.len();
        ensure!(
            read == exists,
            "EXAMINE promised {exists} messages, FETCH brought {read}"
        );
        Ok(())
    }

    fn status_uid_next(&mut self, wire: &[u8]) -> Result<u32> {
        let answer = self
            .send(&[
                Argument::Raw(b"STATUS "),
                Argument::from_octets(wire),
                Argument::Raw(b" (UIDNEXT)"),
            ])?
            .if_ok()?;
        for response in &answer.untagged {
            let values = response.values()?;
            let pairs = values.last().and_then(Value::list).unwrap_or_default();
            if let [key, value] = pairs
                && key
                    .text()
                    .is_some_and(|key| key.eq_ignore_ascii_case("UIDNEXT"))
            {
                return value
                    .text()
                    .and_then(|text| text.parse().ok())
                    .context("UIDNEXT is not a number");
            }
        }
        anyhow::bail!("neither EXAMINE nor STATUS tells UIDNEXT")
    }

    /// The prefix of the first personal namespace, empty where the server has no NAMESPACE.
    fn personal_prefix(&mut self) -> Result<String> {
        if !self
            .capabilities()?
            .iter()
            .any(|capability| capability == "NAMESPACE")
        {
            return Ok(String::new());
        }
        let answer = self.command("NAMESPACE")?.if_ok()?;
        let response = answer
            .untagged
            .iter()
            .find(|response| response.line().starts_with(b"* NAMESPACE"));
        let values = response.context("no NAMESPACE line")?.values()?;
        let first = values
            .get(2)
            .and_then(Value::list)
            .and_then(|personal| personal.first());
        Ok(first
            .and_then(Value::list)
            .and_then(|entry| entry.first())
            .and_then(Value::text)
            .unwrap_or_default())
    }

    fn listed(&mut self, command: &str) -> Result<Vec<Listed>> {
        let answer = self.command(command)?.if_ok()?;
        let mut all = Vec::new();
        for response in &answer.untagged {
            let line = response.line();
            if !line.starts_with(b"* LIST ") && !line.starts_with(b"* LSUB ") {
                continue;
            }
            let values = response.values()?;
            let [_, _, attributes, separator, wire, ..] = &values[..] else {
                anyhow::bail!("a line of LIST that cannot be read: {}", response.text());
            };
            all.push(Listed {
                wire: wire.octets().context("a mailbox without a name")?.to_vec(),
                separator: separator.text().and_then(|text| text.chars().next()),
                attributes: attributes
                    .list()
                    .unwrap_or_default()
                    .iter()
                    .filter_map(Value::text)
                    .filter_map(|attribute| usual_attribute(&attribute))
                    .collect(),
            });
        }
        Ok(all)
    }
}

struct Listed {
    wire: Vec<u8>,
    separator: Option<char>,
    attributes: BTreeSet<String>,
}

/// What stays when mailboxes around it change: the special use and whether it can be selected.
fn usual_attribute(attribute: &str) -> Option<String> {
    match attribute.to_ascii_lowercase().as_str() {
        "\\haschildren" | "\\hasnochildren" | "\\marked" | "\\unmarked" | "\\noinferiors" => None,
        "\\noselect" | "\\nonexistent" => Some("\\Noselect".to_owned()),
        _ => Some(attribute.to_owned()),
    }
}

fn readable(wire: &[u8]) -> String {
    name::decode(wire).unwrap_or_else(|| wire.iter().copied().map(char::from).collect())
}

fn levels(listed: &Listed, prefix: &str) -> Vec<String> {
    let below = match listed.wire.strip_prefix(prefix.as_bytes()) {
        Some(below) if !below.is_empty() => below,
        _ => &listed.wire,
    };
    match listed.separator {
        Some(separator) => below
            .split(|octet| char::from(*octet) == separator)
            .map(readable)
            .collect(),
        None => vec![readable(below)],
    }
}

/// Reads one FETCH response; `None` when it carries no octets, as an unasked flag update does.
fn message(values: &[Value]) -> Result<Option<MessageSnapshot>> {
    let items = values
        .get(3)
        .and_then(Value::list)
        .context("FETCH without a list")?;
    let item = |name: &str| {
        let found = items.chunks_exact(2).find(|pair| {
            pair[0]
                .text()
                .is_some_and(|key| key.eq_ignore_ascii_case(name))
        });
        found.map(|pair| &pair[1])
    };
    let Some(body) = item("BODY[]") else {
        return Ok(None);
    };
    let content = match body {
        Value::Literal(content) => content.clone(),
        Value::Word(octets) => octets.as_slice().into(),
        Value::Nil | Value::List(_) => b"".as_slice().into(),
    };
    let text = |name: &str| {
        item(name)
            .and_then(Value::text)
            .with_context(|| format!("FETCH without {name}"))
    };
    let internal_date = text("INTERNALDATE")?;
    Ok(Some(MessageSnapshot {
        uid: text("UID")?.parse()?,
        flags: usual_flags(
            item("FLAGS")
                .and_then(Value::list)
                .unwrap_or_default()
                .iter()
                .filter_map(Value::text),
        ),
        internal_date: date::parse(&internal_date)
            .with_context(|| format!("INTERNALDATE {internal_date}"))?,
        content,
    }))
}

/// Flags for comparing: the five storable system flags in one spelling, keywords as they are, no `\Recent`.
pub(crate) fn usual_flags(flags: impl Iterator<Item = String>) -> BTreeSet<String> {
    const SYSTEM: [&str; 5] = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"];
    flags
        .filter(|flag| !flag.eq_ignore_ascii_case("\\Recent"))
        .map(|flag| {
            match SYSTEM
                .iter()
                .find(|known| known.eq_ignore_ascii_case(&flag))
            {
                Some(known) => (*known).to_owned(),
                None => flag,
            }
        })
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
