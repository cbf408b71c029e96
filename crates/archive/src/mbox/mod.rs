//! mbox files, as RFC 4155 describes them and as programs write them.

mod dialect;
mod file;
mod filter;
mod lines;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod scan;
mod separator;
mod state;
mod tree;

pub(crate) use file::{MboxFile, MboxFiles, Reading, Told, begins_like_mail};
pub use filter::Quoting;
pub(crate) use state::{State, state};
pub(crate) use tree::MboxTree;
