//! What holds whatever a server sends, as functions over octets that panic where it does not.
//!
//! The fuzz targets (`fuzz/`) and the tests beside this file call the same functions. Not a
//! part of the product: compiled for tests and by cargo-fuzz only.

mod dialogue;
#[cfg(test)]
mod tests;

/// Octets to frames: [`crate::frame::properties::framer`].
pub fn framer(input: &[u8]) {
    crate::frame::properties::framer(input);
}

/// Frames to responses: [`crate::parse::properties::parser`].
pub fn parser(input: &[u8]) {
    crate::parse::properties::parser(input);
}

/// Mailbox names: [`crate::utf7::properties::utf7`].
pub fn utf7(input: &[u8]) {
    crate::utf7::properties::utf7(input);
}

/// A visit to a hostile server: [`dialogue`].
pub fn dialogue(input: &[u8]) {
    dialogue::dialogue(input);
}
