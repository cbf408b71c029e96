//! `GET /jobs`: everything that this person has had copied.

use super::progress::state_word;
use super::progress_page::eyes;
use super::shown;
use super::{Answer, Page, SignedIn};
use crate::job::{Job, Kind};
use askama::Template;
use hikyaku_text::page as f;
use hikyaku_text::page::progress as t;
use hikyaku_text::{Count, Day, Show};

/// Octets of the page that the table may take.
const ROOM: usize = 30_000;

/// Octets of a row beside its texts.
const ROW: usize = 330;

struct Row {
    address: String,
    receipt: String,
    when: String,
    kind: String,
    source: String,
    state: String,
}

#[derive(Template)]
#[template(path = "list.html")]
struct View<'a> {
    page: &'a Page,
    rows: Vec<Row>,
    more: String,
}

/// The list.
pub(crate) async fn show(who: SignedIn) -> Answer {
    let jobs = who.jobs().jobs(&who.owner).await?;
    let (rows, left) = shown::fitting(jobs.iter().map(|job| row(&who, job)), ROOM, |row| {
        ROW + shown::octets(&row.source) + row.state.len()
    });
    let more = match left {
        0 => String::new(),
        left => t::older_jobs(Count(left), who.lang),
    };
    who.show(&View {
        page: &who,
        rows,
        more,
    })
}

fn row(who: &SignedIn, job: &Job) -> Row {
    let (lang, eyes) = (who.lang, eyes(who));
    Row {
        address: format!("/jobs/{}", job.id),
        receipt: job.receipt.clone(),
        when: Day(who.moment(job.created_millis)).show(lang),
        kind: match job.kind {
            Kind::Copy => t::kind_copy(lang),
            Kind::Undo => t::kind_undo(lang),
        },
        source: super::result::source_of(job, eyes),
        state: state_word(job, eyes),
    }
}
