//! S0: the first page, with its three ways in.

use super::{Answer, Page};
use askama::Template;
use hikyaku_text::page as f;
use hikyaku_text::page::entry as t;

#[derive(Template)]
#[template(path = "start.html")]
struct View<'a> {
    page: &'a Page,
}

/// `GET /`.
pub(crate) async fn show(page: Page) -> Answer {
    page.show(&View { page: &page })
}
