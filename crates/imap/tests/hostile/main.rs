//! Servers that lie, break off, flood, stall and refuse: what real ones do too rarely
//! for a test. Each file is a theme, each test a row of the fault model, asserted on what
//! the engine would see.

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod connections;
mod host;
mod limits;
mod links;
mod login;
mod mailboxes;
mod names;
mod renewal;
mod scan;
mod throttle;
