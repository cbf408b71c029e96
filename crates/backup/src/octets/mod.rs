//! The octets of messages in files: as they came, in all three formats.

pub(crate) mod elsewhere;
pub(crate) mod files;
pub(crate) mod mbox;
pub(crate) mod quote;
mod reading;

pub(crate) use reading::Octets;
