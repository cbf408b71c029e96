//! Backups against real servers, whole runs of the engine, and everything that can go wrong on a
//! disk.

mod common;
mod contract;
#[cfg(target_os = "linux")]
mod crashes;
mod foreign;
mod round_trip;
mod trouble;
