//! The source against real servers, and against scripted ones for what real ones do not do on
//! demand.

mod accounts;
mod contract;
mod copies;
mod faults;
mod hostile;
mod odd;
mod pop;
mod real;
mod support;
