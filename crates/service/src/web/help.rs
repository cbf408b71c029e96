//! The help, the page of each error code, and the mails that were caught instead of sent.

use super::form::numbered;
use super::{Answer, App, Page, Rejection};
use crate::job::Rerun;
use crate::notice::Caught;
use crate::values::Words;
use askama::Template;
use axum::extract::{Path, State};
use hikyaku_core::Code;
use hikyaku_text::page as f;
use hikyaku_text::page::check as c;
use hikyaku_text::page::form as w;
use hikyaku_text::page::help as t;
use hikyaku_text::{Explained, Lang, Show, Size};

/// Mails that the trial inbox shows.
const MOST_MAILS: u32 = 20;

/// A line of the table of plans.
struct PlanLine {
    name: String,
    mark: &'static str,
    rerun: String,
}

#[derive(Template)]
#[template(path = "help.html")]
struct View<'a> {
    page: &'a Page,
    plans: Vec<PlanLine>,
    steps: [String; 5],
    fields: Vec<(String, String)>,
    reruns: Vec<(String, String)>,
    pop_steps: [String; 6],
    pop_programs: Vec<(String, String)>,
    notes: Vec<(String, String)>,
    codes: Vec<(&'static str, &'static str)>,
}

/// `GET /help`.
pub(crate) async fn show(page: Page) -> Answer {
    let (lang, brand) = (page.lang, page.brand());
    let plans = brand.plans.iter().map(|plan| PlanLine {
        name: plan.name.get(lang).to_owned(),
        mark: match (plan.supported, plan.paid_option) {
            (false, _) => "―",
            (true, true) => "△",
            (true, false) => "●",
        },
        rerun: way(plan.rerun, lang).0,
    });
    let limit = brand
        .plans
        .iter()
        .filter_map(|plan| plan.max_message_octets)
        .max();
    let mut reruns: Vec<Rerun> = Vec::new();
    for rerun in brand.plans.iter().flat_map(|plan| &plan.reruns) {
        if !reruns.contains(rerun) {
            reruns.push(*rerun);
        }
    }
    let view = View {
        plans: plans.collect(),
        steps: t::steps(lang),
        fields: fields(&page),
        reruns: reruns.into_iter().map(|rerun| way(rerun, lang)).collect(),
        pop_steps: t::pop_steps(lang),
        pop_programs: t::pop_programs(lang),
        notes: t::notes(&page.service(), limit.map(Size), lang),
        codes: Code::ALL
            .iter()
            .map(|code| (code.short(), f::explain(*code, lang).title))
            .collect(),
        page: &page,
    };
    page.show(&view)
}

/// A way of copying: its name and what it does.
fn way(rerun: Rerun, lang: Lang) -> (String, String) {
    match rerun {
        Rerun::Differential => (
            w::rerun_differential(lang),
            w::rerun_differential_hint(lang),
        ),
        Rerun::FreshReplace => (w::rerun_fresh(lang), w::rerun_fresh_hint(lang)),
        Rerun::FreshFolder => (w::rerun_folder(lang), w::rerun_folder_hint(lang)),
    }
}

/// The five fields: label and explanation, as on the form.
fn fields(page: &Page) -> Vec<(String, String)> {
    let (lang, words) = (page.lang, &page.brand().form);
    let field =
        |mark: &str, label: &Option<Words>, usual: String, help: &Option<Words>, hint: String| {
            let own = |words: &Option<Words>, usual: String| match words {
                Some(words) => words.get(lang).to_owned(),
                None => usual,
            };
            (numbered(mark, &own(label, usual)), own(help, hint))
        };
    vec![
        field(
            "①",
            &words.password,
            w::password(lang),
            &words.password_help,
            w::password_hint("taro@example.jp", lang),
        ),
        field(
            "②",
            &words.source_host,
            w::source_host(lang),
            &words.source_host_help,
            w::source_host_hint(lang),
        ),
        field(
            "③",
            &words.source_address,
            w::source_address(lang),
            &words.source_address_help,
            w::source_address_hint(lang),
        ),
        field(
            "④",
            &words.source_password,
            w::source_password(lang),
            &words.source_password_help,
            w::source_password_hint(lang),
        ),
        field(
            "⑤",
            &words.notify,
            w::notify(lang),
            &words.notify_help,
            w::notify_hint(lang),
        ),
    ]
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodeView<'a> {
    page: &'a Page,
    code: &'static str,
    explained: Explained,
    who: String,
}

/// `GET /help/{code}`: the page of an error.
pub(crate) async fn code(page: Page, Path(code): Path<String>) -> Answer {
    let named = |known: &&Code| known.short().eq_ignore_ascii_case(&code) || known.as_str() == code;
    let code = Code::ALL.iter().find(named).ok_or(Rejection::NotFound)?;
    let explained = f::explain(*code, page.lang);
    let who = explained.who.show(page.lang);
    page.show(&CodeView {
        page: &page,
        code: code.short(),
        explained,
        who,
    })
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailView<'a> {
    page: &'a Page,
    mails: Vec<(Caught, String)>,
}

/// `GET /mail`: only while mails are caught.
pub(crate) async fn mail(State(app): State<App>, page: Page) -> Answer {
    let catcher = app.catcher().ok_or(Rejection::NotFound)?;
    let mails = catcher.latest(MOST_MAILS).await?;
    let dated = mails.into_iter().map(|mail| {
        let date = hikyaku_text::Day(page.moment(mail.date_millis)).show(page.lang);
        (mail, date)
    });
    page.show(&MailView {
        page: &page,
        mails: dated.collect(),
    })
}
