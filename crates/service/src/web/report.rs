//! The report to keep: a page for printing, and a file for a spreadsheet.

mod table;

use super::job::own;
use super::progress_page::eyes;
use super::result::{Ended, ended};
use super::result_page::brand_of;
use super::{Answer, Page, Rejection, SignedIn};
use crate::job::Job;
use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use hikyaku_text::page as f;
use hikyaku_text::page::result as t;

#[derive(Template)]
#[template(path = "report.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    ended: Ended,
}

/// `GET /jobs/{id}/report`.
pub(crate) async fn show(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    let ended = ended(&job, brand_of(&who, &job), eyes(&who));
    match job.report.is_some() && job.state.is_over() {
        true => who.show(&View {
            page: &who,
            job: &job,
            ended,
        }),
        false => Err(Rejection::NotFound),
    }
}

/// `GET /jobs/{id}/report.csv`.
pub(crate) async fn csv(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    let report = job
        .report
        .as_ref()
        .filter(|_| job.state.is_over())
        .ok_or(Rejection::NotFound)?;
    // The receipt is made of digits and letters.
    let name = format!("attachment; filename=\"report-{}.csv\"", job.receipt);
    let response = Response::builder()
        .header(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")
        .header(CONTENT_DISPOSITION, name)
        .body(Body::from(table::csv(report, who.lang)));
    response.map_err(|_| Rejection::NotFound)
}
