//! Trials that last longer than a test: thousands of runs of the product, each with something going wrong.
//!
//! - [`simulation`] runs the engine and the IMAP client against servers in memory, in virtual time, with faults that a
//!   seed decides.
//! - [`sweep`] cuts the dialogue with a real server at every line.
//!
//! `cargo xtask sim` and `cargo xtask sweep` run them at length; the tests of this crate run a part of them.
//!
//! **Invariant**: nothing here is used by the product, and what judges shares no code with it.

pub mod simulation;
pub mod sweep;
