//! Whole copies between real servers, judged by a reader that shares no code with
//! the product.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod crashes;
mod pairs;
mod reruns;
mod support;
