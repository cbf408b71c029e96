//! Making sure that a mailbox exists.

use super::mailboxes::{granted, items, list_command, one};
use super::namespace::Namespace;
use crate::connection::{Answer, Connection};
use crate::encode::Command;
use crate::machine::Takes;
use crate::response::Response;
use crate::session::Facts;
use hikyaku_core::{Code, Fault, MailboxInfo, MailboxName, Reach, Remedy, Role};

/// What is wanted, and where.
pub(super) struct Wish<'a> {
    pub(super) connection: &'a Connection,
    pub(super) facts: &'a Facts,
    pub(super) namespace: &'a Namespace,
    pub(super) name: &'a MailboxName,
    /// As it was listed, if it was.
    pub(super) known: Option<&'a MailboxInfo>,
    pub(super) role: Option<Role>,
    pub(super) subscribe: bool,
}

/// One round trip: CREATE unless it was listed, SUBSCRIBE if wished, LIST. A CREATE that
/// is refused because the mailbox exists is no fault; whether it exists says LIST.
pub(super) async fn ensure(wish: Wish<'_>) -> Result<MailboxInfo, Fault> {
    let Wish {
        connection,
        facts,
        namespace,
        name,
        ..
    } = wish;
    let wire = match wish.known {
        Some(known) => known.wire.clone(),
        None => namespace
            .write(name)
            .ok_or_else(|| refused("the server has no way to write this name"))?,
    };
    let exists = name.is_inbox() || wish.known.is_some_and(|k| k.selectable);
    let is_subscribed = wish.known.is_some_and(|k| k.subscribed);
    if exists
        && (is_subscribed || !wish.subscribe)
        && let Some(known) = wish.known
    {
        return Ok(known.clone());
    }
    let create = Command::Create {
        mailbox: wire.clone(),
        role: wish
            .role
            .filter(|r| *r != Role::Inbox && facts.can("CREATE-SPECIAL-USE")),
    };
    let create = (!exists)
        .then(|| connection.submit(&create, Takes::NOTHING))
        .transpose()?;
    let subscribe = wish
        .subscribe
        .then(|| connection.submit(&Command::Subscribe(wire.clone()), Takes::NOTHING))
        .transpose()?;
    let list = Command::List(list_command(facts, wire.as_bytes()));
    let list = connection.submit(&list, Takes::LIST)?;

    let mut created = match create {
        Some(create) => Some(connection.answer(create).await?),
        None => None,
    };
    let subscribed = match subscribe {
        Some(subscribe) => connection.answer(subscribe).await?.reply.is_ok(),
        None => false,
    };
    let listed = granted(connection.answer(list).await?, "LIST")?;
    let mut found = one(listed, namespace, &wire).filter(|m| m.selectable);
    if found.is_none() && wish.role.is_some() && was_refused(created.as_ref()) {
        // A special use that the server does not want here must not cost the mailbox.
        let plain = Command::Create {
            mailbox: wire.clone(),
            role: None,
        };
        created = Some(connection.ask(&plain, Takes::NOTHING).await?);
        if wish.subscribe {
            connection
                .ask(&Command::Subscribe(wire.clone()), Takes::NOTHING)
                .await?;
        }
        let list = Command::List(list_command(facts, wire.as_bytes()));
        let listed = granted(connection.ask(&list, Takes::LIST).await?, "LIST")?;
        found = one(listed, namespace, &wire).filter(|m| m.selectable);
    }
    if let Some(mut found) = found {
        // The mailbox was asked for by this name; servers that normalise show another.
        found.name = name.clone();
        found.subscribed |= subscribed;
        return Ok(found);
    }
    if let Some(created) = created.filter(|c| !c.reply.is_ok()) {
        return Err(refused("the server does not create this mailbox").said(created.reply.said()));
    }
    // Created but not listed under its name: believe it only if it can be asked for.
    let status = Command::Status {
        mailbox: wire.clone(),
        items: items(facts),
    };
    let status = connection.ask(&status, Takes::STATUS).await?;
    if !status.reply.is_ok() {
        return Err(
            refused("the server created a mailbox that it does not show").said(status.reply.said()),
        );
    }
    Ok(MailboxInfo {
        name: name.clone(),
        wire,
        role: name.is_inbox().then_some(Role::Inbox),
        selectable: true,
        subscribed,
        no_children: false,
        state: status.data.into_iter().find_map(|r| match r {
            Response::MailboxStatus(status) => status.state(),
            _ => None,
        }),
    })
}

fn was_refused(created: Option<&Answer>) -> bool {
    created.is_some_and(|c| !c.reply.is_ok())
}

fn refused(detail: &str) -> Fault {
    Fault::new(
        Code::MailboxRefused,
        Reach::Mailbox,
        Remedy::AskUser,
        detail,
    )
}
