//! Backups of mail in a directory, and what reads them back.
//!
//! ```text
//!  BackupDestination ─► Home ─► Folder ─► Writing (files, then the manifest)     Writer
//!  BackupSource      ─► Home ─► Folder ─► Reading (manifest, then the octets)    Reader
//!  BackupLook        ─► Home, or what one would be                               plans, comparisons
//!  check             ─► every line of every manifest against the octets
//! ```
//!
//! A backup holds every message with exactly the octets that its source handed out, as Maildir,
//! mbox (mboxrd) or EML files, and beside them a manifest with everything that such files cannot
//! hold: SHA-256, flags, dates, the names of folders. `docs/backup.md` describes the format.
//!
//! **Invariants.** Nothing outside the directory is ever written, and nothing in it that is not
//! of the backup. A message is in the backup exactly when its line in the manifest is whole; its
//! octets were durable before that line was written.
//!
//! It must not know the engine, nor any protocol. Start reading at [`BackupDestination`] and
//! [`BackupSource`], then `manifest`.

#![warn(missing_docs)]

mod account;
mod check;
mod fault;
mod folder;
mod format;
mod home;
mod manifest;
mod names;
mod octets;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
mod sums;

pub use account::{BackupDestination, BackupLook, BackupSource};
pub use check::{Checked, Finding, check};
pub use format::Format;
pub use home::MARKER;
