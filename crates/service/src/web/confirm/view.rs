//! What the confirmation shows.

use super::chosen::{Tick, does_not_fit, tick};
use super::{is_backup_asked, seen};
use crate::job::{Accepted, Checked, Choices, Delivery, Job, Protocol, Rerun};
use crate::jobs::FINAL_RUN_MILLIS;
use crate::web::form::Wrong;
use crate::web::shown::{day, folder, short};
use crate::web::{Fields, SignedIn};
use askama::Template;
use hikyaku_core::Role;
use hikyaku_core::plan::NameChange;
use hikyaku_core::policy::SkipRule;
use hikyaku_text::page as f;
use hikyaku_text::page::check as c;
use hikyaku_text::page::confirm as t;
use hikyaku_text::page::form as form_words;
use hikyaku_text::{About, Count, Day, Lang, Mailboxes, Messages, Show, Size, escape, plan, room};
use hikyaku_view::{ChangeView, MailboxPlanView, PlanView};
use std::time::Duration;

/// Octets that the rows of the table may take, escaped.
const ROOM_FOR_FOLDERS: usize = 30_000;

/// Messages of the list of those that are too big.
const MOST_TOO_BIG: usize = 20;

/// One folder.
struct Row {
    number: usize,
    source: String,
    destination: String,
    messages: String,
    remarks: Vec<String>,
    tick: Tick,
    remarkable: bool,
}

impl Row {
    fn is_box(&self) -> bool {
        matches!(self.tick, Tick::Box(_))
    }

    fn is_ticked(&self) -> bool {
        self.tick == Tick::Box(true)
    }

    /// Octets that it takes in the page, at most about.
    fn octets(&self) -> usize {
        let texts = self.source.len()
            + self.destination.len()
            + self.remarks.iter().map(String::len).sum::<usize>();
        // Every sign may have to be escaped.
        220 + texts
            + 4 * (self.source.matches(is_sign).count() + self.destination.matches(is_sign).count())
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '"' | '\'')
}

/// One message that is too big.
struct Big {
    mailbox: String,
    date: String,
    subject: String,
    size: String,
}

/// One more run by itself.
struct FinalRunForm {
    latest: Day,
    chosen: String,
    time: String,
    consent: bool,
}

#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct View<'a> {
    page: &'a SignedIn,
    job: &'a Job,
    wrongs: Vec<Wrong>,
    seen: String,
    start: String,
    facts: Vec<(String, String)>,
    totals: String,
    before: Option<String>,
    room: Option<String>,
    missing: Option<String>,
    fit: bool,
    rows: Vec<Row>,
    more_rows: Option<String>,
    too_big_heading: Option<String>,
    too_big: Vec<Big>,
    more_too_big: Option<String>,
    notices: Vec<String>,
    final_run: Option<FinalRunForm>,
    /// Whether it is ticked that there is a backup, where that is asked.
    backup: Option<bool>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        who: &'a SignedIn,
        job: &'a Job,
        wrongs: Vec<Wrong>,
        sent: Option<&Fields>,
    ) -> Self {
        let lang = who.lang;
        let nothing = Checked::default();
        let checked = job.checked.as_ref().unwrap_or(&nothing);
        let empty = PlanView {
            messages: 0,
            octets: None,
            room: None,
            mailboxes: Vec::new(),
        };
        let plan = checked.plan.as_ref().unwrap_or(&empty);
        let start = who.brand().form.start.as_ref();
        let (rows, more_rows) = rows(plan, checked, &job.order.choices, sent, lang);
        let (too_big, more_too_big) = too_big(checked, lang);
        Self {
            seen: seen(checked),
            start: start.map_or_else(|| t::start(lang), |words| words.get(lang).to_owned()),
            facts: facts(job, checked, lang),
            totals: totals(plan, checked, lang),
            before: copied_before(plan, checked, lang),
            room: room_of(plan, lang),
            missing: missing(plan, checked, lang),
            fit: sent.map_or(job.order.choices.fit, |fields| fields.has("fit")),
            rows,
            more_rows,
            too_big_heading: too_big_heading(checked, who.plan().max_message_octets, lang),
            too_big,
            more_too_big,
            notices: notices(job, checked, lang),
            final_run: (checked.delivery != Delivery::Here && job.order.source.upload().is_none())
                .then(|| final_run(who, sent)),
            backup: is_backup_asked(job, checked)
                .then(|| sent.is_some_and(|fields| fields.has("backup"))),
            page: who,
            job,
            wrongs,
        }
    }
}

fn facts(job: &Job, checked: &Checked, lang: Lang) -> Vec<(String, String)> {
    let order = &job.order;
    let at = |address: &str, server: Option<&str>| match server {
        Some(server) => t::account_at(address, server, lang),
        None => escape::clean(address).into_owned(),
    };
    let server = |side: &str| {
        let connected = checked.servers.iter().find(|server| server.side == side);
        connected.map(|connected| connected.server.as_str())
    };
    let mode = match order.choices.rerun {
        Rerun::Differential => form_words::rerun_differential(lang),
        Rerun::FreshReplace => form_words::rerun_fresh(lang),
        Rerun::FreshFolder => form_words::rerun_folder(lang),
    };
    vec![
        (t::from(lang), at(&order.source.address, server("source"))),
        (t::to(lang), at(&order.destination, None)),
        (t::notify(lang), at(&order.notify, None)),
        (t::passwords(lang), t::passwords_hidden(lang)),
        (t::mode(lang), mode),
    ]
}

fn totals(plan: &PlanView, checked: &Checked, lang: Lang) -> String {
    let copied = plan
        .mailboxes
        .iter()
        .filter(|line| line.action != "skip")
        .count();
    let (messages, mailboxes) = (Messages(plan.messages), Mailboxes(copied as u64));
    let time = checked
        .estimate_seconds
        .map(|seconds| About(Duration::from_secs(seconds)));
    match (plan.octets.map(Size), time) {
        (Some(size), Some(time)) => t::totals(messages, size, mailboxes, time, lang),
        (Some(size), None) => t::totals_only(messages, size, mailboxes, lang),
        (None, _) => t::totals_unsized(messages, mailboxes, lang),
    }
}

fn copied_before(view: &PlanView, checked: &Checked, lang: Lang) -> Option<String> {
    let before = checked.copied_before;
    let now = view.messages.saturating_sub(before);
    match (before, now) {
        (0, _) => None,
        (_, 0) => Some(t::nothing_new(Messages(before), lang)),
        _ => Some(plan::copied_before(Messages(before), Messages(now), lang)),
    }
}

fn room_of(view: &PlanView, lang: Lang) -> Option<String> {
    let known = view.room?;
    Some(match known.left {
        Some(left) if left >= 0 => {
            room::after_the_copy(Size(known.free), Size(left.unsigned_abs()), lang)
        }
        _ => room::free_now(Size(known.free), lang),
    })
}

fn missing(view: &PlanView, checked: &Checked, lang: Lang) -> Option<String> {
    let (missing, known) = (does_not_fit(checked)?, view.room?);
    let (needed, free) = (Size(known.needed.unwrap_or_default()), Size(known.free));
    Some(match known.kept {
        0 => room::does_not_fit_at_all(needed, free, Size(missing), lang),
        kept => room::does_not_fit(needed, free, Size(kept), Size(missing), lang),
    })
}

/// As many folders as there is room for: those with something to say first, in the order of the plan.
fn rows(
    plan: &PlanView,
    checked: &Checked,
    choices: &Choices,
    sent: Option<&Fields>,
    lang: Lang,
) -> (Vec<Row>, Option<String>) {
    let all: Vec<Row> = plan
        .mailboxes
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let mut row = row(number, line, checked, choices, lang);
            if let (Some(fields), Tick::Box(_)) = (sent, row.tick) {
                let number = number.to_string();
                if fields.all("shown").any(|shown| shown == number) {
                    row.tick = Tick::Box(fields.all("folder").any(|ticked| ticked == number));
                }
            }
            row
        })
        .collect();
    let mut room = ROOM_FOR_FOLDERS;
    let mut fits = vec![false; all.len()];
    for remarkable in [true, false] {
        for row in all.iter().filter(|row| row.remarkable == remarkable) {
            match room.checked_sub(row.octets()) {
                Some(left) => (room, fits[row.number]) = (left, true),
                None => room = 0,
            }
        }
    }
    let hidden = fits.iter().filter(|fits| !**fits).count() as u64;
    let shown = all.into_iter().filter(|row| fits[row.number]).collect();
    (
        shown,
        (hidden > 0).then(|| t::more_folders(Mailboxes(hidden), lang)),
    )
}

fn row(
    number: usize,
    line: &MailboxPlanView,
    checked: &Checked,
    choices: &Choices,
    lang: Lang,
) -> Row {
    let is_hidden = checked.hidden.contains(&line.source);
    let tick = tick(line, checked, choices);
    let mut remarks: Vec<String> = line
        .changes
        .iter()
        .map(|change| change_in_words(change, lang))
        .collect();
    match (is_hidden, tick) {
        (true, Tick::Box(_)) => remarks.push(t::hidden(lang)),
        _ => {
            if let Some(rule) = line.rule.as_deref().and_then(rule_of) {
                remarks.push(plan::skip_rule(rule, lang));
            }
        }
    }
    let goes = line.action != "skip" || matches!(tick, Tick::Box(_));
    Row {
        number,
        source: folder(&line.source, lang),
        destination: if goes {
            folder(&line.destination, lang)
        } else {
            String::new()
        },
        messages: line
            .messages
            .map(|messages| Messages(messages).show(lang))
            .unwrap_or_default(),
        remarkable: !remarks.is_empty(),
        remarks,
        tick,
    }
}

fn change_in_words(change: &ChangeView, lang: Lang) -> String {
    let change = match change {
        ChangeView::Role { role } => match role_of(role) {
            Some(role) => NameChange::Role(role),
            None => NameChange::Spelling,
        },
        ChangeView::Spelling => NameChange::Spelling,
        ChangeView::Character { character } => NameChange::Character(*character),
        ChangeView::Edge => NameChange::Edge,
        ChangeView::Length => NameChange::Length,
        ChangeView::Depth => NameChange::Depth,
        ChangeView::Collision => NameChange::Collision,
        ChangeView::Prefix => NameChange::Prefix,
        ChangeView::Under => NameChange::Under,
        ChangeView::Earlier => NameChange::Earlier,
    };
    plan::name_change(&change, lang)
}

fn role_of(name: &str) -> Option<Role> {
    Some(match name {
        "inbox" => Role::Inbox,
        "sent" => Role::Sent,
        "drafts" => Role::Drafts,
        "archive" => Role::Archive,
        "junk" => Role::Junk,
        "trash" => Role::Trash,
        "all" => Role::All,
        "flagged" => Role::Flagged,
        "important" => Role::Important,
        _ => return None,
    })
}

fn rule_of(name: &str) -> Option<SkipRule> {
    Some(match name {
        "not_selected" => SkipRule::NotSelected,
        "excluded" => SkipRule::Excluded,
        "view" => SkipRule::View,
        "not_selectable" => SkipRule::NotSelectable,
        "date" => SkipRule::Date,
        "size" => SkipRule::Size,
        _ => return None,
    })
}

fn too_big_heading(checked: &Checked, limit: Option<u64>, lang: Lang) -> Option<String> {
    let messages = Messages(checked.too_big_count);
    match (checked.too_big_count, limit) {
        (0, _) => None,
        (_, Some(limit)) => Some(t::too_big_heading(messages, Size(limit), lang)),
        (_, None) => Some(t::too_big_heading_unlimited(messages, lang)),
    }
}

fn too_big(checked: &Checked, lang: Lang) -> (Vec<Big>, Option<String>) {
    let big = |message: &crate::job::TooBig| {
        let heading = message.heading.as_ref();
        let date = heading.and_then(|h| h.date.as_deref()).unwrap_or_default();
        let subject = heading.and_then(|h| h.subject.as_deref());
        Big {
            mailbox: folder(&message.mailbox, lang),
            date: day(date),
            subject: subject.map_or_else(|| t::no_subject(lang), short),
            size: Size(message.octets).show(lang),
        }
    };
    let shown: Vec<Big> = checked.too_big.iter().take(MOST_TOO_BIG).map(big).collect();
    let more = checked.too_big_count.saturating_sub(shown.len() as u64);
    (
        shown,
        (more > 0).then(|| t::more_messages(Messages(more), lang)),
    )
}

fn notices(job: &Job, checked: &Checked, lang: Lang) -> Vec<String> {
    let order = &job.order;
    let mut notices = Vec::new();
    match checked.delivery {
        // A file gets no new mail, wherever that is delivered.
        _ if order.source.upload().is_some() => {}
        Delivery::Elsewhere => notices.push(t::not_switched(lang)),
        Delivery::Here => notices.push(t::switched(lang)),
        Delivery::Unknown => {}
    }
    let reached = checked.reached.as_ref();
    let is_pop3 = reached.is_some_and(|reached| reached.protocol == Protocol::Pop3);
    if is_pop3 {
        notices.push(t::pop3(lang));
    }
    match order.choices.read {
        _ if !is_pop3 && order.source.upload().is_none() => {}
        Some(true) => notices.push(t::all_read(lang)),
        Some(false) => notices.push(t::all_unread(lang)),
        None if is_pop3 => notices.push(t::pop3_old(lang)),
        None => {}
    }
    if is_pop3 {
        if checked.beside == Some(Protocol::Imap) {
            notices.push(t::imap_beside(lang));
        }
        if !is_backup_asked(job, checked) {
            notices.push(t::pop3_order(lang));
        }
        if order.choices.accept_deletion {
            notices.push(t::pop3_deletes(lang));
        }
    }
    if reached.is_some_and(|reached| reached.protocol == Protocol::Imap)
        && checked.beside == Some(Protocol::Pop3)
    {
        notices.push(t::pop3_beside(lang));
    }
    if checked.deletion_marks > 0 {
        notices.push(t::deletion_marks(Messages(checked.deletion_marks), lang));
    }
    let notify = order.notify.to_lowercase();
    if [&order.source.address, &order.destination]
        .iter()
        .any(|own| own.to_lowercase() == notify)
    {
        notices.push(t::notify_is_moved(lang));
    }
    match &order.source.accepted {
        Some(Accepted::ClearText) => notices.push(t::accepted_clear_text(lang)),
        Some(Accepted::Certificate(_)) => notices.push(t::accepted_certificate(lang)),
        None => {}
    }
    let left_out = order.choices.exclude.len() as u64;
    if left_out > 0 {
        notices.push(t::excluded_count(Count(left_out), lang));
    }
    notices
}

fn final_run(who: &SignedIn, sent: Option<&Fields>) -> FinalRunForm {
    let text = |name| sent.map_or(String::new(), |fields| fields.trimmed(name).to_owned());
    FinalRunForm {
        latest: Day(who.moment(who.now_millis + FINAL_RUN_MILLIS)),
        chosen: text("final_run"),
        time: text("final_time"),
        consent: sent.is_some_and(|fields| fields.has("consent")),
    }
}
