//! S1: the form with its five fields.

mod entered;
pub(crate) mod password;
pub(crate) mod view;

pub(crate) use entered::Entered;
pub(crate) use view::{Field, modes, numbered};

use super::{Answer, App, Fields, Rejection, SignedIn, upload};
use crate::dns::NotifyProblem;
use crate::jobs::Secrets;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hikyaku_core::Code;
use hikyaku_text::page::form::wrong as t;

/// Longest one-time token of a form that is taken, in octets.
const MOST_TOKEN: usize = 64;

/// One thing that is wrong with what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Identity of the field; empty for the whole form.
    pub(crate) field: &'static str,
    /// Cause and next step.
    pub(crate) text: String,
    /// Code of the catalogue, where it is from there.
    pub(crate) code: Option<&'static str>,
}

impl Wrong {
    /// With a field.
    pub(crate) fn at(field: &'static str, text: String) -> Self {
        Self {
            field,
            text,
            code: None,
        }
    }

    /// From the catalogue.
    pub(crate) fn code(self, code: Code) -> Self {
        Self {
            code: Some(code.short()),
            ..self
        }
    }
}

/// A token that makes two clicks on one button one order.
pub(crate) fn one_time_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// `GET /copy`: empty, or with what an earlier job was ordered with (`?from=ID`), never with a password.
pub(crate) async fn show(who: SignedIn, RawQuery(query): RawQuery) -> Answer {
    let query = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let earlier = match query.text("from").parse() {
        Ok(id) => who.jobs().job(&who.owner, id).await?,
        Err(_) => None,
    };
    // The file is there as long as nothing was copied: it is ordered anew.
    if let Some(job) = &earlier
        && let Some(id) = job.order.source.upload()
    {
        let form = match upload::is_replaceable(job) {
            true => format!("/uploads/{id}"),
            false => "/upload?again=1".to_owned(),
        };
        return Ok(Redirect::to(&form).into_response());
    }
    let entered = match &earlier {
        Some(job) => Entered::from_order(&job.order),
        None => Entered::new(&who.owner.address, who.plan()),
    };
    let token = one_time_token();
    let mut view = view::View::new(&who, &entered, &token, Vec::new());
    view.again = earlier.is_some();
    who.show(&view)
}

/// `POST /copy`: begins the check.
pub(crate) async fn send(State(app): State<App>, who: SignedIn, fields: Fields) -> Answer {
    let entered = Entered::from_fields(&fields, &who.owner.address, who.plan());
    let lang = who.lang;
    let (mut wrongs, order) = entered.order(&who);
    let secrets = secrets(&who, &fields, &mut wrongs);
    if !wrongs.iter().any(|wrong| wrong.field == "notify")
        && let Some(wrong) = undeliverable(&app, &entered.notify, &who).await
    {
        wrongs.push(wrong);
    }
    let token = fields.text("token");
    if token.is_empty() || token.len() > MOST_TOKEN {
        return Err(Rejection::Malformed);
    }
    let (Some(order), Some(secrets), true) = (order, secrets, wrongs.is_empty()) else {
        wrongs.sort_by_key(|wrong| view::place(wrong.field));
        let mut view = view::View::new(&who, &entered, token, wrongs);
        view.again = true;
        view.ask_width(&fields, lang);
        return who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    who.may_try(&order.source.host, &order.source.address)?;
    let job = who.jobs().submit(&who.owner, order, secrets, token).await?;
    Ok(Redirect::to(&format!("/jobs/{job}")).into_response())
}

/// ① and ④, as far as they are needed and usable.
fn secrets(who: &SignedIn, fields: &Fields, wrongs: &mut Vec<Wrong>) -> Option<Secrets> {
    let lang = who.lang;
    let destination = match who.types_password() {
        true => Some(password::read(
            fields,
            "password",
            "①",
            t::password_missing(lang),
            lang,
        )),
        false => None,
    };
    let source = password::read(
        fields,
        "source_password",
        "④",
        t::source_password_missing(lang),
        lang,
    );
    let mut keep = |read| match read {
        Ok(secret) => Some(secret),
        Err(wrong) => {
            wrongs.push(wrong);
            None
        }
    };
    // Order matters: every wrong field is named at once.
    let destination = destination.map(&mut keep);
    let source = keep(source)?;
    let destination = match destination {
        Some(secret) => Some(secret?),
        None => None,
    };
    Some(Secrets {
        source: Some(source),
        destination,
    })
}

/// Whether ⑤ has a domain that takes no mail. Nobody is kept waiting by a DNS that does not answer, nor asked for an
/// address that exists where no mail is sent.
pub(crate) async fn undeliverable(app: &App, notify: &str, who: &SignedIn) -> Option<Wrong> {
    if app.catcher().is_some() {
        return None;
    }
    let problem = app.dns()?.check_notify(notify).await.err()?;
    let domain = notify.rsplit_once('@').map_or(notify, |(_, domain)| domain);
    let text = match problem {
        NotifyProblem::Syntax => t::notify_odd(who.lang),
        NotifyProblem::Domain | NotifyProblem::NoMail => t::notify_no_domain(domain, who.lang),
    };
    Some(Wrong::at("notify", text))
}
