//! Archives from strangers, read in a process of their own.
//!
//! What somebody uploads is parsed where a mistake of a parser costs nothing but that archive: in a child process of the
//! same program, with little memory and time, an empty environment and no secret. Parent and child speak over a pair of
//! pipes, one question and one answer at a time.
//!
//! ```text
//!  engine ─► Cell (a Source) ─ question ─► child: serve ─► hikyaku_archive
//!                            ◄─ answer ──
//! ```
//!
//! Start reading at [`wire`] (what is said), then [`serve`] (the child) and [`Cell`] (the parent). A child that ends, hangs
//! or says nonsense is ended and begun anew once; after that, what it died of is named and the rest is read.

#![warn(missing_docs)]

mod cell;
mod child;
mod link;
mod reading;
#[cfg(test)]
mod tests;
pub mod wire;

pub use cell::{Archive, Cell};
pub use child::{Allowance, confine, serve};
pub use link::{Link, Program, Spawn, Wait};
