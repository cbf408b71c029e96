//! Accounts and a ledger in memory, behind the traits of `hikyaku-core`, for tests
//! of the engine without a protocol: whole runs in virtual time, faults on demand.

mod account;
mod behaviour;
mod ledger;
mod opened;

pub use account::{MemoryAccount, MemoryMessage, Seen};
pub use behaviour::{Append, Epochs, Personality, Removal};
pub use ledger::MemoryLedger;
