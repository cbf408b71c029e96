//! `POST /uploads/{id}`: the file is ordered to be copied, and the check begins.

use super::screens::{Looked, looked, show};
use super::{is_replaceable, rejection, uploads};
use crate::job::{Choices, Job, Order, SourceAccount, SourceKind};
use crate::jobs::Secrets;
use crate::uploads::{Record, Seen};
use crate::web::address::is_mail_address;
use crate::web::form::password::{self, oddity};
use crate::web::form::{Entered, Wrong, undeliverable};
use crate::web::{Answer, Fields, Rejection, SignedIn, later, passwords};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};
use hikyaku_cell::wire::SawWire;
use hikyaku_text::page::form::wrong as t;
use hikyaku_text::page::upload as u;

/// What was typed, without the password.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) entered: Entered,
    pub(super) kind: String,
    pub(super) is_password_odd: bool,
}

impl Typed {
    /// What the form begins with: nothing, or what the job was ordered with that never began.
    pub(super) fn of(who: &SignedIn, record: &Record, before: Option<&Job>) -> Self {
        Self {
            entered: match before {
                Some(job) => Entered::from_order(&job.order),
                None => Entered::new("", who.plan()),
            },
            kind: record.kind.clone().unwrap_or_default(),
            is_password_odd: false,
        }
    }
}

/// See the module.
pub(super) async fn send(who: SignedIn, Path(text): Path<String>, fields: Fields) -> Answer {
    let (record, before) = match looked(&who, &text).await? {
        Looked::Here(record, before) => (record, before),
        Looked::Elsewhere(address) => return Ok(Redirect::to(&address).into_response()),
    };
    let token = later::token(&fields)?;
    let (lang, plan) = (who.lang, who.plan());
    let typed = Typed {
        entered: Entered::from_fields(&fields, "", plan),
        kind: fields.text("kind").to_owned(),
        is_password_odd: oddity(fields.text("password")).is_some(),
    };
    let mut wrongs = Vec::new();
    let destination = match who.types_password() {
        true => {
            let missing = t::password_missing(lang);
            let read = password::read(&fields, "password", "①", missing, lang);
            Some(read.map_err(|wrong| wrongs.push(wrong)).ok())
        }
        false => None,
    };
    let notify = &typed.entered.notify;
    if notify.is_empty() {
        wrongs.push(Wrong::at("notify", t::notify_missing(lang)));
    } else if !is_mail_address(notify) {
        wrongs.push(Wrong::at("notify", t::notify_odd(lang)));
    } else if let Some(wrong) = undeliverable(&who.app, notify, &who).await {
        wrongs.push(wrong);
    }
    let kind = kind(&record, &typed);
    if kind.is_none() {
        wrongs.push(Wrong::at("kind", u::kind_missing(lang)));
    }
    let choices = typed.entered.choices(plan, &mut wrongs, lang);
    let (Some(kind), true) = (kind, wrongs.is_empty()) else {
        return show(&who, &record, &typed, token.to_owned(), wrongs);
    };
    let uploads = uploads(&who)?;
    uploads
        .choose(&who.owner, record.id, &kind)
        .await
        .map_err(rejection)?;
    who.may_try("", &format!("upload {}", record.id))?;
    let order = order(&who, &record, &typed, choices);
    let secrets = Secrets {
        source: Some(passwords::kept_with_the_file()),
        destination: destination.flatten(),
    };
    let job = who.jobs().submit(&who.owner, order, secrets, token).await?;
    let instead_of = before.as_ref().map(|before| before.id);
    uploads
        .assign_instead(&who.owner, record.id, job, instead_of)
        .await
        .map_err(rejection)?;
    match before {
        Some(before) if before.id != job => end(&who, &before).await?,
        _ => {}
    }
    Ok(Redirect::to(&format!("/jobs/{job}")).into_response())
}

/// The order that was changed. Whoever began it meanwhile in another window has it go on.
async fn end(who: &SignedIn, before: &Job) -> Result<(), Rejection> {
    let now = who.jobs().job(&who.owner, before.id).await?;
    if now.is_some_and(|job| is_replaceable(&job)) {
        who.jobs().cancel(&who.owner, before.id).await?;
    }
    Ok(())
}

/// The kind that is read: the only one, or the one that was chosen.
fn kind(record: &Record, typed: &Typed) -> Option<String> {
    let Some(Seen::Saw {
        saw: SawWire::Found(kinds),
        ..
    }) = &record.seen
    else {
        return None;
    };
    let found = match kinds.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|kind| kind.kind == typed.kind),
    };
    found.map(|kind| kind.kind.clone())
}

fn order(who: &SignedIn, record: &Record, typed: &Typed, choices: Choices) -> Order {
    let plan = who.plan();
    Order {
        brand: who.owner.brand.clone(),
        plan: plan.id.clone(),
        lang: who.lang.as_str().to_owned(),
        source: SourceAccount {
            kind: SourceKind::Upload(record.id),
            address: record.name.clone(),
            ..SourceAccount::default()
        },
        destination: who.owner.address.clone(),
        notify: typed.entered.notify.clone(),
        choices,
    }
}
