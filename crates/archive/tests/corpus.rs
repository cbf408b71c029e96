//! Every file of the corpus through the readers, compared with what is known of it.
//!
//! The corpus is found by `HIKYAKU_CORPUS`, or beside the project. Without it, what is not
//! in `tests/samples` says SKIPPED; the samples there go through the same code.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

#[path = "corpus/support.rs"]
mod support;

#[path = "corpus/apple.rs"]
mod apple;
#[path = "corpus/dbx.rs"]
mod dbx;
#[path = "corpus/files.rs"]
mod files;
#[path = "corpus/journey/mod.rs"]
mod journey;
#[path = "corpus/plain.rs"]
mod plain;
#[path = "corpus/takeout.rs"]
mod takeout;
#[path = "corpus/thunderbird.rs"]
mod thunderbird;
#[path = "corpus/whole.rs"]
mod whole;
#[path = "corpus/wlm.rs"]
mod wlm;
