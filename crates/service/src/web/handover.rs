//! Hand-over: a control panel has signed somebody in and sends them here with a token.
//!
//! The token is `PAYLOAD.MAC`, both base64url without padding; the payload is JSON ([`HandOver`]), the MAC is HMAC-SHA256
//! over `hikyaku-handover-1.PAYLOAD` with the shared key. It holds for five minutes at most and once.

use super::session::{self, Session};
use super::{Answer, App, Page, Rejection, cookies};
use crate::config::SecretFrom;
use crate::jobs::Owner;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Secret;
use hikyaku_text::page as f;
use hikyaku_text::page::entry as t;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What stands before the payload when it is signed: the key may sign other things too.
const PURPOSE: &str = "hikyaku-handover-1.";

/// A token is not believed to hold longer, in seconds.
const LONGEST: i64 = 300;

/// Longest token in octets.
const MOST_OCTETS: usize = 4_096;

/// Shortest key in octets.
const LEAST_KEY: usize = 32;

/// What a control panel says about somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Identity of the brand.
    pub brand: String,
    /// Identity of its plan.
    pub plan: String,
    /// The destination's mail address.
    pub address: String,
    /// When it ends, in seconds since 1970 UTC, at most five minutes ahead.
    pub expires: i64,
    /// Different in each token.
    pub nonce: String,
}

/// Writes a token: what a control panel does.
pub fn sign(handover: &HandOver, key: &Secret) -> String {
    let json = serde_json::to_vec(handover).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.encode(json);
    let mac = mac(&payload, key).finalize().into_bytes();
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn mac(payload: &str, key: &Secret) -> Hmac<Sha256> {
    // HMAC takes keys of any length (RFC 2104 §3), so this cannot fail.
    let mac = Hmac::<Sha256>::new_from_slice(key.expose());
    let mut mac = mac.expect("HMAC takes keys of any length");
    mac.update(PURPOSE.as_bytes());
    mac.update(payload.as_bytes());
    mac
}

/// Reads a token that holds at a moment (seconds since 1970 UTC). Whether it was used before is not known here.
fn verify(token: &str, key: &Secret, now: i64) -> Option<HandOver> {
    if token.len() > MOST_OCTETS {
        return None;
    }
    let (payload, signature) = token.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    // Order matters: nothing in it is looked at before the signature holds.
    mac(payload, key).verify_slice(&signature).ok()?;
    let handover: HandOver = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let holds = handover.expires > now && handover.expires <= now + LONGEST;
    (holds && !handover.nonce.is_empty()).then_some(handover)
}

/// The shared key.
///
/// # Errors
/// `SecretUnreadable` when it cannot be read or is too short to be one.
pub(super) fn read_key(from: &SecretFrom) -> Result<Secret, Fault> {
    let wrong = |why: String| {
        let detail = format!("the key of the hand-over: {why}");
        Fault::new(Code::SecretUnreadable, Reach::Job, Remedy::AskUser, detail)
    };
    let key = from.read().map_err(wrong)?;
    match key.expose().len() < LEAST_KEY {
        true => Err(wrong(format!("shorter than {LEAST_KEY} octets"))),
        false => Ok(key),
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Refused<'a> {
    page: &'a Page,
    heading: String,
    hint: String,
    code: Option<&'static str>,
}

/// `GET /handover?token=`: begins a session and goes away from the address at once, so that the token is neither kept in
/// the history nor sent on.
pub(crate) async fn take(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let key = app.handover_key().ok_or(Rejection::NotFound)?;
    let query = query.unwrap_or_default();
    let token = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="));
    match accepted(&app, key, token.unwrap_or_default(), page.now_millis).await? {
        Some((owner, session)) => {
            let cookie = session::begin(&app, &headers, &owner, &session).await?;
            app.audit(&owner, "handover", page.client).await?;
            Ok((cookies::set([cookie]), Redirect::to("/copy")).into_response())
        }
        None => {
            tracing::warn!(client = %page.client, "a hand-over token was refused");
            let lang = page.lang;
            let (heading, hint) = (t::handover_refused(lang), t::handover_refused_hint(lang));
            let refused = Refused {
                page: &page,
                heading,
                hint,
                code: None,
            };
            page.show_as(StatusCode::FORBIDDEN, &refused)
        }
    }
}

async fn accepted(
    app: &App,
    key: &Secret,
    token: &str,
    now_millis: i64,
) -> Result<Option<(Owner, Session)>, Fault> {
    let Some(handover) = verify(token, key, now_millis / 1000) else {
        return Ok(None);
    };
    let brand = app.brands().get(&handover.brand);
    let is_offered = brand.is_some_and(|brand| {
        let plan = brand.plan(&handover.plan);
        plan.is_some_and(|plan| plan.supported) && brand.allows(&handover.address)
    });
    if !is_offered || !super::address::is_mail_address(&handover.address) {
        return Ok(None);
    }
    let name = format!("handover {} {}", handover.brand, handover.nonce);
    let until = handover.expires * 1000 + LONGEST * 1000;
    if !app.sessions().use_once(&name, until).await? {
        return Ok(None);
    }
    let owner = Owner {
        brand: handover.brand,
        address: handover.address,
    };
    let session = Session {
        plan: handover.plan,
        handed_over: true,
    };
    Ok(Some((owner, session)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn key() -> Secret {
        Secret::from("an example of a key of 32 octets")
    }

    fn handover() -> HandOver {
        HandOver {
            brand: "hikyaku".to_owned(),
            plan: "standard".to_owned(),
            address: "taro@example.jp".to_owned(),
            expires: NOW + 60,
            nonce: "n1".to_owned(),
        }
    }

    #[test]
    fn a_token_says_what_was_signed() {
        assert_eq!(
            verify(&sign(&handover(), &key()), &key(), NOW),
            Some(handover())
        );
    }

    /// For whoever writes the other side: the token of fixed contents.
    #[test]
    fn tokens_are_what_the_guide_says() {
        let token = sign(&handover(), &key());
        let (payload, mac) = token.split_once('.').expect("two parts");
        let json = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
        assert_eq!(
            String::from_utf8(json).expect("UTF-8"),
            r#"{"brand":"hikyaku","plan":"standard","address":"taro@example.jp","expires":1800000060,"nonce":"n1"}"#
        );
        assert_eq!(mac.len(), 43);
    }

    #[test]
    fn every_other_token_is_refused() {
        let good = sign(&handover(), &key());
        let (payload, mac) = good.split_once('.').expect("two parts");
        let changed = |change: fn(&mut HandOver)| {
            let mut handover = handover();
            change(&mut handover);
            sign(&handover, &key())
        };
        let forged = HandOver {
            address: "other@example.jp".to_owned(),
            ..handover()
        };
        let forged = sign(&forged, &Secret::from("another key, as long as the first"));
        let (forged_payload, _) = forged.split_once('.').expect("two parts");
        let unsigned = URL_SAFE_NO_PAD.encode([0; 32]);
        for (what, token) in [
            ("empty", String::new()),
            ("no signature", payload.to_owned()),
            ("an empty signature", format!("{payload}.")),
            ("zeros for a signature", format!("{payload}.{unsigned}")),
            ("a short signature", format!("{payload}.{}", &mac[..20])),
            ("another key", forged.clone()),
            ("another payload", format!("{forged_payload}.{mac}")),
            ("something behind it", format!("{good}.x")),
            ("padding", format!("{good}=")),
            ("expired", changed(|h| h.expires = NOW)),
            ("for too long", changed(|h| h.expires = NOW + LONGEST + 1)),
            ("for ever", changed(|h| h.expires = i64::MAX)),
            ("no nonce", changed(|h| h.nonce.clear())),
            ("too long", format!("{}{good}", "a".repeat(MOST_OCTETS))),
        ] {
            assert_eq!(verify(&token, &key(), NOW), None, "{what}");
        }
    }
}
