//! hikyaku as a service: people fill a form, workers copy, the page and a mail tell how it went.
//!
//! ```text
//!  browser ──► web ──► jobs (rows of the ledger's database) ◄── worker ──► engine
//!                        │                                       │
//!                        └──────────── notice (outbox) ◄─────────┘──► SMTP
//! ```
//!
//! Start reading at [`job`] (what a job is), then [`jobs`] (what can be done with it).

pub mod accounts;
pub mod brand;
pub mod config;
pub mod dns;
pub mod job;
pub mod jobs;
pub mod notice;
pub mod origin;
pub mod policy;
pub mod preflight;
mod progress;
mod schedule;
pub mod seal;
pub mod server;
pub mod strict;
mod sweep;
pub mod uploads;
pub mod values;
pub mod web;
pub mod worker;
