//! Mail that lies on disk, read as a source like any other.
//!
//! A format knows how to list its folders, to scan one of them and to open one message
//! ([`Store`]); everything that the engine asks for is built over that once
//! ([`ArchiveSource`]). Nothing here can write to an archive.
//!
//! Start reading at [`store`], then `source`; a format is one module each.

#![warn(missing_docs)]

mod apple;
mod archive;
mod becky;
mod dbx;
mod dirs;
mod disk;
mod fault;
mod files;
mod find;
mod head;
mod hidemaru;
mod kind;
mod maildir;
pub mod mbox;
mod options;
mod packed;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod reader;
mod recent;
mod recognise;
mod source;
pub mod store;
mod survey;
mod takeout;
mod text;
mod thunderbird;
mod unpack;
mod walk;
mod wlm;

pub use archive::Archive;
pub use find::{MailStore, Program, find};
pub use kind::Kind;
pub use options::{LabelPolicy, Options, Seen};
pub use recognise::{Look, Recognised, look, recognise};
pub use source::ArchiveSource;
pub use store::{Flow, Folder, Found, Item, Place, Start, Store};
pub use text::{Pieces, Text};
