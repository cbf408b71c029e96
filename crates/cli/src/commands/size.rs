//! `hikyaku size`: where the mail of an account is: by folder, by year, and the
//! largest messages. Only listings are read, no message.

use super::{Context, folders, pair};
use crate::args::ListArgs;
use crate::problem::Failure;
use crate::terminal::{self, Align, Table};
use crate::{exit, json, room, runtime, words};
use futures::{StreamExt, TryStreamExt, stream};
use hikyaku_core::policy::Reserve;
use hikyaku_core::traits::{Facts, Source};
use hikyaku_core::{Fault, Key, MailboxInfo, MailboxName, Reach};
use hikyaku_engine::Stop;
use hikyaku_text::{Count, Lang, Mailboxes, Messages, Show, Size};
use hikyaku_view::{Folder, Heading, Line, RoomView};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Largest messages that are shown.
const LARGEST: usize = 10;

/// Messages and octets.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    messages: u64,
    octets: u64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.messages += other.messages;
        self.octets += other.octets;
    }
}

/// What one mailbox holds. Small, however many messages there are.
struct Weighed {
    mailbox: MailboxInfo,
    sum: Sum,
    years: BTreeMap<Option<i64>, Sum>,
    largest: Vec<Large>,
}

/// A message by its size.
struct Large {
    octets: u64,
    mailbox: MailboxName,
    key: Key,
    heading: Option<Heading>,
}

pub(super) fn run(context: &Context, args: &ListArgs) -> Result<u8, Failure> {
    let side = folders::side(context, args)?;
    let stop = Stop::new();
    let work = async {
        json::start(context.output, "size", side.account().as_ref(), None);
        side.tell_found(context.output);
        let account = pair::connect_one(context, &side, &stop).await?;
        let listed = folders::chosen(&side, account.mailboxes().await?)?;
        let weigh = |mailbox: MailboxInfo| weigh(&*account, mailbox);
        let selectable = listed.into_iter().filter(|m| m.selectable);
        let mut weighed: Vec<Weighed> = stream::iter(selectable.map(weigh))
            .buffered(account.abilities().lanes)
            .try_collect()
            .await?;
        let largest = largest(&mut weighed);
        let named = name(&*account, &weighed, largest).await;
        let room = room::look(&*account, Reserve::Usual, None).await;
        account.close().await;
        show(context, &weighed, &named, room.as_ref());
        Ok(exit::DONE)
    };
    runtime::block_on(context.output, stop.clone(), work)
}

async fn weigh(account: &dyn Source, mailbox: MailboxInfo) -> Result<Weighed, Fault> {
    let mut weighed = Weighed {
        sum: Sum::default(),
        years: BTreeMap::new(),
        largest: Vec::new(),
        mailbox,
    };
    let mut reader = account.open(&weighed.mailbox).await?;
    let keys = reader.keys().await?;
    let facts = Facts {
        date: true,
        octets: true,
        ..Facts::default()
    };
    let mut largest = BinaryHeap::new();
    let mut rows = reader.list(&keys, facts);
    while let Some(row) = rows.next().await {
        let listing = match row {
            Ok(listing) => listing,
            Err(fault) if fault.reach == Reach::Message => continue,
            Err(fault) => return Err(fault),
        };
        let octets = listing.octets.unwrap_or(0);
        let sum = Sum {
            messages: 1,
            octets,
        };
        weighed.sum.add(sum);
        let year = listing.date.map(|date| date.civil().0);
        weighed.years.entry(year).or_default().add(sum);
        largest.push(Reverse((octets, Reverse(listing.key))));
        if largest.len() > LARGEST {
            largest.pop();
        }
    }
    weighed.largest = largest
        .into_iter()
        .map(|Reverse((octets, Reverse(key)))| Large {
            octets,
            mailbox: weighed.mailbox.name.clone(),
            key,
            heading: None,
        })
        .collect();
    Ok(weighed)
}

/// The largest of all, without what views show a second time.
fn largest(weighed: &mut [Weighed]) -> Vec<Large> {
    let mut all: Vec<Large> = weighed
        .iter_mut()
        .filter(|w| !is_view(w))
        .flat_map(|w| std::mem::take(&mut w.largest))
        .collect();
    all.sort_by(|a, b| {
        b.octets
            .cmp(&a.octets)
            .then_with(|| a.mailbox.cmp(&b.mailbox))
    });
    all.truncate(LARGEST);
    all
}

/// Reads the headings of the largest. A name that cannot be read is left out.
async fn name(account: &dyn Source, weighed: &[Weighed], mut all: Vec<Large>) -> Vec<Large> {
    for large in &mut all {
        let Some(w) = weighed.iter().find(|w| w.mailbox.name == large.mailbox) else {
            continue;
        };
        let Ok(mut reader) = account.open(&w.mailbox).await else {
            continue;
        };
        if let Ok(Some(head)) = reader.head(large.key).await {
            large.heading = Some(Heading::of(&head));
        }
    }
    all
}

fn is_view(weighed: &Weighed) -> bool {
    weighed.mailbox.role.is_some_and(|role| role.is_view())
}

fn show(context: &Context, weighed: &[Weighed], largest: &[Large], room: Option<&RoomView>) {
    let (output, lang) = (context.output, context.output.lang);
    if output.json {
        for w in weighed {
            let folder = Folder {
                messages: Some(w.sum.messages),
                octets: Some(w.sum.octets),
                ..Folder::from(&w.mailbox)
            };
            json::line(output, &Line::Folder(folder));
        }
        if let Some(room) = room {
            json::line(output, &Line::Room(*room));
        }
        return;
    }
    let mut total = Sum::default();
    let mut years: BTreeMap<Option<i64>, Sum> = BTreeMap::new();
    for w in weighed.iter().filter(|w| !is_view(w)) {
        total.add(w.sum);
        for (year, sum) in &w.years {
            years.entry(*year).or_default().add(*sum);
        }
    }
    let mailboxes = Mailboxes(weighed.iter().filter(|w| !is_view(w)).count() as u64);
    let (messages, octets) = (Messages(total.messages), Size(total.octets));
    let total = hikyaku_text::plan::total_with_size(messages, octets, mailboxes, lang);
    let total = match room {
        Some(room) => format!("{total}\n{}", room::of_account(room, lang)),
        None => total,
    };
    output.result(&format!(
        "{}\n{total}\n\n{}\n{}",
        by_mailbox(weighed, lang),
        by_year(&years, lang),
        by_size(largest, lang)
    ));
}

fn sums(headings: [&str; 3]) -> Table {
    let [name, messages, size] = headings;
    Table::new([
        (name, Align::Left),
        (messages, Align::Right),
        (size, Align::Right),
    ])
}

fn cells(name: String, sum: Sum, lang: Lang) -> [String; 3] {
    [
        name,
        Count(sum.messages).show(lang),
        Size(sum.octets).show(lang),
    ]
}

fn by_mailbox(weighed: &[Weighed], lang: Lang) -> Table {
    let mut table = sums(words::size_headings(lang));
    for w in weighed {
        table.row(cells(w.mailbox.name.to_string(), w.sum, lang));
    }
    table
}

fn by_year(years: &BTreeMap<Option<i64>, Sum>, lang: Lang) -> Table {
    let mut table = sums(words::year_headings(lang));
    for (year, sum) in years {
        let year = year.map_or_else(|| "?".to_owned(), |year| year.to_string());
        table.row(cells(year, *sum, lang));
    }
    table
}

fn by_size(largest: &[Large], lang: Lang) -> Table {
    let [size, folder, date, from, subject] = words::large_headings(lang);
    let mut table = Table::new([
        (size, Align::Right),
        (folder, Align::Left),
        (date, Align::Left),
        (from, Align::Left),
        (subject, Align::Left),
    ]);
    for large in largest {
        let heading = large.heading.clone().unwrap_or_default();
        let subject = heading
            .subject
            .unwrap_or_else(|| hikyaku_text::report::no_subject(lang));
        table.row([
            Size(large.octets).show(lang),
            large.mailbox.to_string(),
            heading
                .date
                .map(|date| date.chars().take(10).collect())
                .unwrap_or_default(),
            terminal::shorten(&heading.from.unwrap_or_default(), 30).into_owned(),
            terminal::shorten(&subject, 50).into_owned(),
        ]);
    }
    table
}
