//! Durable state of hikyaku: what was intended, what is settled, and which runs there were.
//!
//! A [`Store`] is one SQLite file (the embedded default), memory, or a PostgreSQL database. [`Store::pair`] gives the
//! handle for two accounts, which is a [`hikyaku_core::ledger::Ledger`]; the engine knows no more of this crate. What a
//! service keeps beside it is in [`service`].
//!
//! Start reading at [`Store`], then `writer.rs` (group commit) and `record.rs` (messages).
//!
//! **Invariants**: an answer means *durable* · an intent is closed in the transaction that settles it · no subject,
//! mail address of a correspondent, message text or secret is ever stored · a newer or foreign file is never altered.

#![warn(missing_docs)]

mod codec;
mod copies;
mod damage;
mod db;
mod fault;
mod hold;
mod host;
mod link;
mod pair;
mod pairing;
mod record;
mod run;
mod schema;
pub mod service;
mod store;
mod sum;
pub mod testing;
mod writer;

pub use damage::SetAside;
pub use hold::Hold;
pub use pair::PairLedger;
pub use run::{Cursor, ExceptionRow, Run, RunId};
pub use store::{PairId, PairSummary, Store};
