//! Accounts and a ledger in memory, behind the traits of `hikyaku-core`, for tests
//! of the engine without a protocol: whole runs in virtual time, faults on demand.

mod account;
mod ledger;

pub use account::{Append, MemoryAccount, MemoryMessage, Personality, Seen};
pub use ledger::MemoryLedger;
