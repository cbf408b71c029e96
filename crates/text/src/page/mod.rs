//! The web page in words. Each screen has a module of its own.

pub mod again;
pub mod progress;
pub mod result;
mod trouble;

pub use trouble::{explain, tell};
