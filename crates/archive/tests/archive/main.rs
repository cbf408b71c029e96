//! Archives of every kind that this crate reads itself, through the source.

mod files;
mod kit;
mod maildir;
mod mbox;
mod thunderbird;
