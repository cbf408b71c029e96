//! One seed, one world: two accounts on servers in memory, everything that goes wrong between them, and a judge who
//! knows the truth.
//!
//! ```text
//!  seed ─► World (accounts, personalities, policy) ─► LifePlan × 1–4 ─► healthy life × 2
//!                                                       │ cuts, refusals, deaths, owners
//!            engine + IMAP client ── Network/pipe ──► memserver        └─► check after each life
//! ```
//!
//! Time is virtual: hours of back-off pass at once, and the same seed gives the same events at the same moments.
//! The judge (`check`, `truth`) shares no code with the product. Start reading at [`trial::run`].

mod check;
mod content;
mod life;
mod log;
mod network;
mod owner;
mod pipe;
mod plan;
mod random;
mod runner;
mod tamper;
mod trial;
mod truth;
mod world;

pub use runner::{Sum, run, try_seeds};
pub use tamper::Tamper;
pub use trial::{Options, Trial, run as try_seed};
