//! Archives of every kind that this crate reads itself, through the source.

mod closed;
mod files;
mod growth;
mod kit;
mod maildir;
mod mbox;
mod thunderbird;
