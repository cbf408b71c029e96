//! Fetches the packages that the tests need, once for a machine.
