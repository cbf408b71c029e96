//! Whole copies between real servers, judged by a reader that shares no code with
//! the product.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod archive;
mod crashes;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod ground;
mod pairs;
mod pop3;
#[cfg(target_os = "linux")]
mod program;
mod reruns;
mod support;
mod undo;
