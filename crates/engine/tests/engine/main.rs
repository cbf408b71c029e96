//! Whole runs over accounts and a ledger in memory, in virtual time: every test asserts
//! the whole outcome.

mod copying;
mod doubts;
mod elsewhere;
mod endings;
mod epochs;
mod faults;
mod fresh;
mod owner;
mod pacing;
mod poison;
mod room;
mod seeds;
mod support;
mod undo;
