//! What the tests of hikyaku stand on: real mail servers, a judge, a mailbox generator and a fault proxy.
//!
//! - [`servers`] starts Dovecot, Cyrus and Courier from ordinary Debian packages, each private to one test process.
//! - [`judge`] fills mailboxes and reads back the truth with a small IMAP reader of its own.
//! - [`certificates`] makes a private authority with good and bad server certificates.
//! - [`generate`] makes mailboxes from a seed: large ordinary ones, and one in which everything is odd.
//! - [`contract`] holds any source and any destination against what the engine relies on.
//! - [`corpus`] gives the seeds of the fuzz targets to tests.
//! - [`disk`] fails, tears or kills at the n-th write of a program, and records all of them.
//! - [`dns`] answers questions of DNS with whatever the test wants, and something else a moment later.
//! - [`proxy`] delays, narrows, breaks and records connections.
//! - [`browser`] starts a private Chromium and does in it what a person does.
//! - [`smtp`] takes mails, or refuses them where a test says so.
//! - [`postgres`] starts a private PostgreSQL.
//! - [`install`] fetches the packages; `cargo xtask test` calls it.
//!
//! Start reading at [`servers::MailServer`] and [`judge::Judge`].
//!
//! **Invariant**: nothing here is used by the product, and the judge shares no code with it, so that a fault in the
//! product's IMAP cannot hide itself.

pub mod browser;
pub mod certificates;
pub mod contract;
pub mod corpus;
pub mod disk;
pub mod dns;
pub mod generate;
pub mod install;
pub mod judge;
pub mod memory;
pub mod postgres;
mod process;
pub mod proxy;
pub mod servers;
pub mod smtp;
