//! Which address is which screen.

use super::{
    App, assets, check, confirm, csrf, error, form, handover, headers, help, job, lang, later,
    session, signin, start, upload,
};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

/// The whole site.
pub fn router(app: App) -> Router {
    let screens = Router::new()
        .route("/", get(start::show))
        .route("/handover", get(handover::take))
        .route("/lang", post(lang::switch))
        .route("/help", get(help::show))
        .route("/help/{code}", get(help::code))
        .route("/mail", get(help::mail))
        .route("/signin", get(signin::show).post(signin::sign_in))
        .route("/signout", post(signin::sign_out))
        .route("/copy", get(form::show).post(form::send))
        .route("/jobs/{id}", get(job::show))
        .route("/jobs/{id}/accept", post(check::accept))
        .route("/jobs/{id}/start", post(confirm::start))
        .route("/jobs/{id}/change", post(check::again))
        .merge(later::routes())
        .merge(upload::routes())
        .fallback(error::not_found)
        // The last one is asked first: the page is known before anything is checked, and an error is a page.
        .layer(from_fn(csrf::check))
        .layer(from_fn(error::frame))
        .layer(from_fn_with_state(app.clone(), session::know));
    Router::new()
        .route("/static/{file}", get(assets::serve))
        .route("/healthz", get(healthz))
        .merge(screens)
        .layer(from_fn_with_state(app.clone(), headers::set))
        .with_state(app)
}

/// For whoever watches the process.
async fn healthz() -> &'static str {
    "ok\n"
}
