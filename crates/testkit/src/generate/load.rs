//! Bringing a generated account to a server, and telling what the server did not take.

use anyhow::{Context, Result};

use super::{GeneratedAccount, GeneratedMailbox};
use crate::judge::{Answer, Judge, name};
use crate::servers::{Account, MailServer};

/// What became of a generated account.
#[derive(Debug, Default)]
pub struct Filled {
    /// How many messages the server took.
    pub messages: usize,
    /// What it refused, in order.
    pub refusals: Vec<Refusal>,
}

/// Something that the server did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The mailbox's name on the wire.
    pub mailbox: Vec<u8>,
    /// The message's note and its place in the mailbox; `None` when the mailbox itself was refused, its messages with it.
    pub message: Option<(usize, String)>,
    /// The server's words, or what happened to the connection.
    pub reason: String,
}

/// Creates, subscribes and appends through the judge, and goes on when the server refuses something.
///
/// An error means that the account cannot be worked with at all. What the server really holds afterwards, its own
/// rewriting included, is [`Judge::snapshot`]'s to tell.
pub fn fill(
    server: &dyn MailServer,
    account: &Account,
    generated: &GeneratedAccount,
) -> Result<Filled> {
    let mut loader = Loader {
        server,
        account,
        judge: server.judge(account)?,
        filled: Filled::default(),
    };
    for mailbox in &generated.mailboxes {
        loader
            .mailbox(mailbox)
            .with_context(|| format!("filling {}", mailbox.levels.join(" / ")))?;
    }
    Ok(loader.filled)
}

struct Loader<'a> {
    server: &'a dyn MailServer,
    account: &'a Account,
    judge: Judge,
    filled: Filled,
}

impl Loader<'_> {
    fn mailbox(&mut self, mailbox: &GeneratedMailbox) -> Result<()> {
        let wire = wire_name(self.server, &mailbox.levels);
        if mailbox.levels != ["INBOX"] {
            // A child made earlier may have made this one too; what counts is whether it can be used.
            let created = self.attempt(|judge| judge.create(&wire))?;
            let exists = match &created {
                Ok(()) => true,
                Err(_) => self
                    .attempt(|judge| judge.command_with_mailbox("EXAMINE", &wire))?
                    .is_ok(),
            };
            if let (Err(reason), false) = (created, exists) {
                self.filled.refusals.push(Refusal {
                    mailbox: wire,
                    message: None,
                    reason,
                });
                return Ok(());
            }
        }
        if mailbox.subscribed
            && let Err(reason) = self.attempt(|judge| judge.subscribe(&wire))?
        {
            self.filled.refusals.push(Refusal {
                mailbox: wire.clone(),
                message: None,
                reason,
            });
        }
        for (index, message) in mailbox.messages.iter().enumerate() {
            let appended = self.attempt(|judge| {
                let (length, mut octets) = (message.body.length(), message.body.reader());
                judge.append_from(
                    &wire,
                    &message.flags,
                    message.internal_date.as_deref(),
                    length,
                    &mut octets,
                )
            })?;
            match appended {
                Ok(()) => self.filled.messages += 1,
                Err(reason) => self.filled.refusals.push(Refusal {
                    mailbox: wire.clone(),
                    message: Some((index, message.note.clone())),
                    reason,
                }),
            }
        }
        Ok(())
    }

    /// Runs one command; a refusal, or a connection that ends over it, is the inner error. The next command gets a new
    /// connection then.
    fn attempt(
        &mut self,
        command: impl FnOnce(&mut Judge) -> Result<Answer>,
    ) -> Result<Result<(), String>> {
        match command(&mut self.judge) {
            Ok(answer) if answer.is_ok() => Ok(Ok(())),
            Ok(answer) => Ok(Err(format!("{} {}", answer.status, answer.text))),
            Err(error) => {
                self.judge = self.server.judge(self.account)?;
                Ok(Err(format!("{error:#}")))
            }
        }
    }
}

/// The name on the wire of these levels at this server.
pub(super) fn wire_name(server: &dyn MailServer, levels: &[String]) -> Vec<u8> {
    let encoded: Vec<Vec<u8>> = levels.iter().map(|level| name::encode(level)).collect();
    let joined = encoded.join(server.separator().to_string().as_bytes());
    // INBOX and what is below it have no prefix of their own where the prefix is INBOX itself.
    let inbox = levels.first().is_some_and(|first| first == "INBOX");
    if inbox {
        joined
    } else {
        [server.prefix().as_bytes(), &joined].concat()
    }
}
