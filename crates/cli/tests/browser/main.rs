//! A person copies mail with a real browser: the real program serves, real mail servers stand on both sides.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod again;
mod demo;
mod guide;
mod halts;
mod keyboard;
mod looks;
mod panel;
mod person;
mod room;
mod secrets;
mod service;
mod start;
mod success;
mod upload;
mod world;
mod wrong;
