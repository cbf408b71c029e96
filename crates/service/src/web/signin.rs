//! Sign-in with the destination mailbox itself: whoever can open it is its owner.

use super::form::Wrong;
use super::session::{self, Session};
use super::{Answer, App, Fields, Page, address, cookies, local_path};
use crate::accounts;
use crate::jobs::Owner;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use hikyaku_core::{Code, Fault};
use hikyaku_net::Secret;
use hikyaku_text::Lang;
use hikyaku_text::page as f;
use hikyaku_text::page::entry as t;

#[derive(Template)]
#[template(path = "signin.html")]
struct View<'a> {
    page: &'a Page,
    next: &'a str,
    address: &'a str,
    plans: Vec<(&'a str, &'a str, bool)>,
    wrongs: Vec<Wrong>,
}

/// `GET /signin`.
pub(crate) async fn show(page: Page, RawQuery(query): RawQuery) -> Answer {
    let query = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    page.show(&view(
        &page,
        local_path(query.text("next")),
        "",
        "",
        Vec::new(),
    ))
}

fn view<'a>(
    page: &'a Page,
    next: &'a str,
    address: &'a str,
    plan: &str,
    wrongs: Vec<Wrong>,
) -> View<'a> {
    let supported = page.brand().plans.iter().filter(|plan| plan.supported);
    let mut plans: Vec<_> = supported
        .map(|p| (p.id.as_str(), p.name.get(page.lang), p.id == plan))
        .collect();
    // Nothing to choose.
    if plans.len() < 2 {
        plans.clear();
    }
    View {
        page,
        next,
        address,
        plans,
        wrongs,
    }
}

/// `POST /signin`.
pub(crate) async fn sign_in(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    let next = local_path(fields.text("next"));
    let (typed, plan) = (fields.trimmed("address"), fields.text("plan"));
    let again = |wrongs| {
        page.show_as(
            StatusCode::UNPROCESSABLE_ENTITY,
            &view(&page, next, typed, plan, wrongs),
        )
    };
    let wrongs = check(&page, &fields);
    if !wrongs.is_empty() {
        return again(wrongs);
    }
    let brand = page.brand();
    let owner = Owner {
        brand: brand.id.clone(),
        address: typed.to_owned(),
    };
    let chosen = brand.plan(plan).filter(|plan| plan.supported);
    let Some(plan) = chosen.or_else(|| brand.plan_for(typed)) else {
        return again(vec![Wrong::at("plan", t::plan_not_supported(page.lang))]);
    };
    app.limits().sign_in(page.client, &owner)?;
    let password = Secret::from(fields.text("password"));
    if let Err(fault) = accounts::sign_in(brand, &owner.address, &password).await {
        tracing::info!(code = %fault.code, client = %page.client, "a sign-in failed");
        app.audit(&owner, "signin.failed", page.client).await?;
        return again(vec![told(&fault, page.lang)]);
    }
    let session = Session {
        plan: plan.id.clone(),
        handed_over: false,
    };
    let cookie = session::begin(&app, &headers, &owner, &session).await?;
    app.audit(&owner, "signin", page.client).await?;
    let next = match next {
        "/" => "/copy",
        next => next,
    };
    Ok((cookies::set([cookie]), Redirect::to(next)).into_response())
}

fn check(page: &Page, fields: &Fields) -> Vec<Wrong> {
    let (lang, typed) = (page.lang, fields.trimmed("address"));
    let mut wrongs = Vec::new();
    if typed.is_empty() {
        wrongs.push(Wrong::at("address", t::address_missing(lang)));
    } else if !address::is_mail_address(typed) {
        wrongs.push(Wrong::at("address", t::address_odd(lang)));
    } else if !page.brand().allows(typed) {
        wrongs.push(Wrong::at("address", t::address_elsewhere(lang)));
    }
    if fields.text("password").is_empty() {
        wrongs.push(Wrong::at("password", t::password_missing(lang)));
    }
    wrongs
}

/// What the catalogue says, never the server: it may be anybody's words, and this page is for strangers.
fn told(fault: &Fault, lang: Lang) -> Wrong {
    let told = f::explain(fault.code, lang);
    let field = match fault.code {
        Code::LoginRejected | Code::LoginAppPassword => "password",
        _ => "address",
    };
    Wrong::at(field, format!("{} {}", told.cause, told.remedy)).code(fault.code)
}

/// `POST /signout`.
pub(crate) async fn sign_out(State(app): State<App>, page: Page, headers: HeaderMap) -> Answer {
    let cookie = session::end(&app, &headers).await?;
    if let Some(owner) = &page.owner {
        app.audit(owner, "signout", page.client).await?;
    }
    Ok((cookies::set([cookie]), Redirect::to("/")).into_response())
}
