//! `hikyaku folders`: the mailboxes of an account, named as every option takes them.

use super::{Context, pair};
use crate::args::ListArgs;
use crate::problem::Failure;
use crate::side::Side;
use crate::terminal::{Align, Table};
use crate::{exit, json, runtime, words};
use hikyaku_core::{Code, Fault, MailboxInfo, Reach, Remedy};
use hikyaku_engine::Stop;
use hikyaku_text::{Count, Lang, Mailboxes, Messages, Show, Size};
use hikyaku_view::{Folder, Line};

pub(super) fn run(context: &Context, args: &ListArgs) -> Result<u8, Failure> {
    let side = side(context, args)?;
    let stop = Stop::new();
    let work = async {
        json::start(context.output, "folders", side.account().as_ref(), None);
        side.tell_found(context.output);
        let account = pair::connect_one(context, &side, &stop).await?;
        let mailboxes = chosen(&side, account.mailboxes().await?)?;
        account.close().await;
        if context.output.json {
            for mailbox in &mailboxes {
                json::line(context.output, &Line::Folder(Folder::from(mailbox)));
            }
        } else {
            context
                .output
                .result(&table(&mailboxes, context.output.lang));
        }
        Ok(exit::DONE)
    };
    runtime::block_on(context.output, stop.clone(), work)
}

/// The account of a command that only looks.
pub(super) fn side(context: &Context, args: &ListArgs) -> Result<Side, Failure> {
    let (which, options) = (hikyaku_core::Side::Source, args.options.options());
    let (config, output) = (&context.config, context.output);
    Side::resolve(which, &args.account, options, config, output)
}

/// The mailboxes that the locator asks for.
pub(super) fn chosen(side: &Side, listed: Vec<MailboxInfo>) -> Result<Vec<MailboxInfo>, Fault> {
    let Some(wanted) = side.mailbox() else {
        return Ok(listed);
    };
    let name = crate::folders::find(wanted, &listed);
    let inside = |m: &MailboxInfo| m.name.is_within(&name);
    let chosen: Vec<MailboxInfo> = listed.into_iter().filter(inside).collect();
    if chosen.is_empty() {
        let detail = format!("there is no mailbox {wanted}");
        let fault = Fault::new(Code::MailboxMissing, Reach::Job, Remedy::AskUser, detail);
        return Err(fault.on(side.which).server(side.address()).mailbox(wanted));
    }
    Ok(chosen)
}

fn table(mailboxes: &[MailboxInfo], lang: Lang) -> String {
    let [name, messages, size, role, subscribed] = words::folder_headings(lang);
    let mut table = Table::new([
        (name, Align::Left),
        (messages, Align::Right),
        (size, Align::Right),
        (subscribed, Align::Left),
        (role, Align::Left),
    ]);
    for mailbox in mailboxes {
        let state = mailbox.state;
        let octets = state.and_then(|state| state.octets);
        let unknown = if mailbox.selectable { "?" } else { "-" };
        table.row([
            mailbox.name.to_string(),
            state.map_or_else(|| unknown.to_owned(), |s| Count(s.messages).show(lang)),
            octets.map_or_else(|| "-".to_owned(), |octets| Size(octets).show(lang)),
            words::yes(mailbox.subscribed, lang).to_owned(),
            mailbox.role.map(|role| role.show(lang)).unwrap_or_default(),
        ]);
    }
    format!("{table}\n{}", total(mailboxes, lang))
}

/// The sum over what is no mere view.
fn total(mailboxes: &[MailboxInfo], lang: Lang) -> String {
    let real = || {
        let own = |m: &&MailboxInfo| m.selectable && !m.role.is_some_and(|role| role.is_view());
        mailboxes.iter().filter(own)
    };
    let messages = Messages(real().filter_map(|m| m.state).map(|s| s.messages).sum());
    let octets: Option<u64> = real()
        .map(|m| {
            m.state
                .and_then(|s| if s.messages == 0 { Some(0) } else { s.octets })
        })
        .sum();
    let mailboxes = Mailboxes(real().count() as u64);
    match octets {
        Some(octets) => {
            hikyaku_text::plan::total_with_size(messages, Size(octets), mailboxes, lang)
        }
        None => hikyaku_text::plan::total(messages, mailboxes, lang),
    }
}
