//! IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051).

mod encode;
mod frame;
mod names;
mod parse;
mod response;
mod utf7;
