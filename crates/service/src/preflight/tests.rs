//! Checks against servers in this process and against real ones.

mod good;
mod support;
mod wrong;
