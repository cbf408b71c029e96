//! Every sentence that a person reads, in Japanese and English.
//!
//! A sentence is a function of its typed arguments and a [`Lang`]; both languages stand
//! side by side (`sentences!`, ADR 0005) and the compiler refuses one that is
//! missing or that leaves an argument out. Numbers, sizes, times and names know how they
//! are written in each language ([`Show`]). Nothing here prints, reads the environment or
//! knows the time: the edges do, and pass it in.
//!
//! Start reading at [`report`] and [`fault`].

#![warn(missing_docs)]

pub mod archive;
pub mod backup;
pub mod brand;
pub mod escape;
pub mod fault;
mod figures;
mod lang;
pub mod leave_pop;
pub mod notice;
pub mod page;
pub mod plan;
pub mod pop3;
pub mod report;
pub mod room;
pub mod run;
mod sentence;
pub mod undo;

pub use fault::{Explained, Who, explain};
pub use figures::{
    About, Count, Day, Mailboxes, Messages, Rate, Share, Show, Size, Span, Times, Until,
};
pub use lang::Lang;
