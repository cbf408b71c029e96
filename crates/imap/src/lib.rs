//! IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051).

mod adapter;
mod connection;
mod encode;
mod frame;
mod machine;
mod names;
mod parse;
mod quirks;
mod response;
mod session;
#[cfg(test)]
mod testing;
mod utf7;

pub use adapter::{Compress, ImapAccount, ImapOptions, Labels};
