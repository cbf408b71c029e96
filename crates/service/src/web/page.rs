//! What every screen knows: who looks at it, in which language, under which brand.

use super::session::{self, Session};
use super::{Answer, App, Rejection, assets};
use crate::brand::{Brand, Plan};
use crate::jobs::{Jobs, Owner};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use hikyaku_core::{Fault, InternalDate};
use hikyaku_text::Lang;
use hikyaku_text::page as f;
use std::net::IpAddr;
use std::ops::Deref;

/// One request, seen from the screens. Made before any handler runs.
#[derive(Clone)]
pub(crate) struct Page {
    /// What all requests share.
    pub(crate) app: App,
    /// Language of the page.
    pub(crate) lang: Lang,
    /// Identity of the brand.
    pub(crate) brand: String,
    /// Who is signed in.
    pub(crate) owner: Option<Owner>,
    /// How they came.
    pub(crate) session: Option<Session>,
    /// What every form of the page has to bring along.
    pub(crate) csrf: String,
    /// Path and query: where the switch of the language comes back to.
    pub(crate) path: String,
    /// Address of the client, as far as it is believed.
    pub(crate) client: IpAddr,
    /// Milliseconds since 1970 UTC.
    pub(crate) now_millis: i64,
}

impl Page {
    /// The brand under which the page is shown.
    pub(crate) fn brand(&self) -> &Brand {
        let brands = self.app.brands();
        brands.get(&self.brand).unwrap_or(brands.usual())
    }

    /// The address that is signed in.
    pub(crate) fn visitor(&self) -> Option<&str> {
        self.owner.as_ref().map(|owner| owner.address.as_str())
    }

    /// What can be done with jobs; the audit names the client.
    pub(crate) fn jobs(&self) -> Jobs {
        self.app.jobs().for_client(self.client)
    }

    /// What the function is called.
    pub(crate) fn service(&self) -> String {
        self.brand().title.get(self.lang).to_owned()
    }

    /// The title of a screen with the name of the service.
    pub(crate) fn title(&self, screen: &str) -> String {
        f::window_title(screen, &self.service(), self.lang)
    }

    /// The language that the switch leads to.
    pub(crate) fn other_lang(&self) -> Lang {
        match self.lang {
            Lang::Ja => Lang::En,
            Lang::En => Lang::Ja,
        }
    }

    /// Address of a file of the program.
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// Address of the brand's colours.
    pub(crate) fn brand_style(&self) -> String {
        let brand = self.brand();
        format!(
            "/static/brand-{}.css?{}",
            brand.id,
            assets::mark(&assets::style_of(brand))
        )
    }

    /// Address of the brand's picture.
    pub(crate) fn logo(&self) -> Option<String> {
        let brand = self.brand();
        brand.logo.as_ref().map(|logo| {
            format!(
                "/static/logo-{}?{}",
                brand.id,
                assets::mark_of(&logo.octets)
            )
        })
    }

    /// Pages of the brand: names and addresses.
    pub(crate) fn links(&self) -> Vec<(String, &str)> {
        let (links, lang) = (&self.brand().links, self.lang);
        let all = [
            (&links.webmail, f::link_webmail(lang)),
            (&links.mail_settings, f::link_mail_settings(lang)),
            (&links.faq, f::link_faq(lang)),
            (&links.support, f::link_support(lang)),
            (&links.terms, f::link_terms(lang)),
            (&links.privacy, f::link_privacy(lang)),
        ];
        let named = all
            .into_iter()
            .filter_map(|(link, name)| Some((name, link.as_deref()?)));
        named.collect()
    }

    /// Whether mails are shown instead of being sent.
    pub(crate) fn catches_mail(&self) -> bool {
        self.app.catcher().is_some()
    }

    /// A moment in the zone of this machine, for sentences.
    pub(crate) fn moment(&self, unix_millis: i64) -> InternalDate {
        local_moment(unix_millis)
    }

    /// A screen that went well.
    pub(crate) fn show(&self, template: &impl Template) -> Answer {
        self.show_as(StatusCode::OK, template)
    }

    /// A screen with another status.
    pub(crate) fn show_as(&self, status: StatusCode, template: &impl Template) -> Answer {
        let text = template.render();
        let text = text.map_err(|e| Rejection::Fault(Fault::bug(format!("template: {e}"))))?;
        Ok((status, Html(text)).into_response())
    }
}

/// A moment in the zone of this machine.
pub(crate) fn local_moment(unix_millis: i64) -> InternalDate {
    let seconds = unix_millis.div_euclid(1000);
    let offset = jiff::Timestamp::from_second(seconds)
        .map(|moment| jiff::tz::TimeZone::system().to_offset(moment).seconds() / 60)
        .unwrap_or(0);
    InternalDate {
        seconds,
        offset_minutes: i16::try_from(offset).unwrap_or(0),
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let page = parts.extensions.get::<Page>().cloned();
        page.ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// A page for somebody who is signed in; everybody else is sent to the sign-in and back.
#[derive(Clone)]
pub(crate) struct SignedIn {
    /// The page.
    pub(crate) page: Page,
    /// Who: what [`crate::jobs::Jobs`] wants to know.
    pub(crate) owner: Owner,
    /// How they came.
    pub(crate) session: Session,
}

impl SignedIn {
    /// The plan of the account.
    pub(crate) fn plan(&self) -> &Plan {
        let brand = self.brand();
        let own = brand
            .plan(&self.session.plan)
            .or_else(|| brand.plan_for(&self.owner.address));
        own.unwrap_or(&brand.plans[0])
    }

    /// Counts a login at a source account, which the person is about to cause.
    ///
    /// # Errors
    /// [`Rejection::TooOften`].
    pub(crate) fn may_try(&self, host: &str, account: &str) -> Result<(), Rejection> {
        self.app
            .limits()
            .check(self.client, &self.owner, host, account)
    }

    /// Whether ① has to be typed: a control panel that hands people over opens the account by itself, where the brand
    /// has a login for that.
    pub(crate) fn types_password(&self) -> bool {
        !(self.session.handed_over && self.brand().destination.master.is_some())
    }
}

impl Deref for SignedIn {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let page = Page::from_request_parts(parts, state).await;
        let page = page.map_err(|_| Rejection::Fault(Fault::bug("a route without a page")))?;
        match (&page.owner, &page.session) {
            (Some(owner), Some(session)) => Ok(Self {
                owner: owner.clone(),
                session: session.clone(),
                page,
            }),
            _ => {
                // What was to be changed is gone with the session; the page it was on is what people come back to.
                let back = match parts.method {
                    Method::GET | Method::HEAD => page.path.clone(),
                    _ => session::page_of(parts.uri.path()),
                };
                Err(Rejection::SignIn(back))
            }
        }
    }
}
