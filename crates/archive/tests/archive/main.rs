//! Archives of every kind that this crate reads itself, through the source.

mod kit;
mod maildir;
mod mbox;
