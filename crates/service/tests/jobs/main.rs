//! Jobs from the order to the end: real SQLite, servers in this process, the engine in between.
//!
//! Nothing waits for a time to pass: tests wait for a job to stand as they want it, and turn the wall clock by hand
//! where hours matter.

mod actions;
mod long;
mod runs;
mod world;
