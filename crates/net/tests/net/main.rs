//! Real sockets on loopback, with certificates made by the test.

// In a test a panic is the report.
#![allow(clippy::unwrap_used)]

mod carried;
mod certificates;
mod connecting;
mod guarded;
mod streams;
mod support;
