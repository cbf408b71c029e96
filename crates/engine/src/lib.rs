//! scan → plan → transfer → verify, over any [`Source`] and [`Destination`].
//!
//! The engine knows traits only: no protocol, no database, no clock of its own.
//! A [`Job`] is one pair of accounts with a policy. Start reading at [`Job::copy`];
//! the work on one mailbox is in `mailbox.rs`, the pipeline in `transfer.rs`.
//!
//! ```text
//!  Job::copy ── plan ──► lanes (one task each)
//!                          └─ per mailbox: open both ─► doubts ─► compare ─► transfer ─► prove ─► flags
//!                                             ▲                                              │
//!                                             └──────── reconnect, all progress is in the ledger ◄┘
//! ```
//!
//! With [`hikyaku_core::policy::Matching::Account`] the lanes go twice, and between the two
//! what is left is looked for in the rest of the account (`elsewhere.rs`).

mod arrivals;
mod attempts;
mod batch;
mod check;
mod clock;
mod compare;
mod doubt;
mod elsewhere;
mod flags;
mod job;
mod lanes;
mod listing;
mod mailbox;
mod matching;
mod pace;
pub mod patience;
mod place;
mod poison;
mod prints;
mod prove;
mod resume;
mod room;
mod run;
mod space;
mod stop;
mod transfer;
mod undo;

pub use clock::SystemClock;
pub use job::{Depth, Job};
pub use stop::{Lease, Stop};
pub use undo::remembered::Remembered;

#[doc(no_inline)]
pub use hikyaku_core::traits::{Destination, Source};
