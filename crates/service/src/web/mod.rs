//! The web page: made on the server, whole without JavaScript.
//!
//! ```text
//! request ─► headers ─► page (language, brand, who) ─► csrf (every change) ─► limits ─► screen ─► template
//!                                   ▲                                             │
//!                                   └───── Rejection: a page that says what to do ◄┘
//! ```
//!
//! Start reading at [`router`] (which address is which screen), then `Page` (what every screen knows). A screen is a
//! module with a template of the same name; sentences are in `hikyaku_text::page`. Nothing here speaks IMAP or SQL: a
//! screen asks [`Jobs`] and shows what it says.
//!
//! **Invariants**: no page is made for somebody else's job · nothing changes without a token of the page that was shown ·
//! no secret stands in a page, an address, a log or an error.

mod address;
mod again;
mod app;
mod assets;
mod check;
mod confirm;
mod cookies;
mod csrf;
mod error;
mod events;
mod fields;
mod form;
mod handover;
mod headers;
mod help;
mod job;
mod lang;
mod later;
mod limits;
mod list;
mod message;
mod page;
mod passwords;
mod progress;
mod progress_page;
mod question;
mod report;
mod result;
mod result_page;
mod retire;
mod router;
#[cfg(test)]
mod sample;
mod session;
mod shown;
mod signin;
mod start;
mod told;
mod undo;
mod upload;

pub use app::{App, Parts};
pub(crate) use error::{Answer, Rejection};
pub(crate) use fields::Fields;
pub use handover::{HandOver, sign};
pub(crate) use page::{Page, SignedIn};
pub use router::router;

#[cfg(doc)]
use crate::jobs::Jobs;

/// A path of this site, which may stand behind a redirect; `/` for anything else.
pub(crate) fn local_path(path: &str) -> &str {
    let starts_here = path.starts_with('/') && !path.starts_with("//");
    let is_plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    match starts_here && is_plain {
        true => path,
        false => "/",
    }
}

#[cfg(test)]
pub(crate) mod tests;
