//! The manifest of a folder: what its files cannot hold, one line for each fact.
//!
//! Lines are only ever added. Each ends with a sum of itself, so that a line that a crash cut
//! short, or a disk lost, is seen; what was there before stays valid. Start reading at [`Line`];
//! [`index`] is what is remembered of a manifest, [`journal`] adds to it.

pub(crate) mod index;
pub(crate) mod journal;
mod line;

pub(crate) use index::{Index, Slot};
#[cfg(any(test, fuzzing))]
pub(crate) use line::sealed;
pub(crate) use line::{Line, Place, Record};

/// The file in each folder of a backup.
pub(crate) const FILE: &str = "manifest.tsv";

/// Version of lines that this program writes, and the newest that it reads.
pub(crate) const VERSION: u32 = 1;
