//! What holds whatever lies in an archive, as functions over octets that panic where it
//! does not.
//!
//! The fuzz targets (`fuzz/`) and the tests beside the parsers call the same functions. Not
//! a part of the product: compiled for tests and by cargo-fuzz only.

/// An mbox of any octets: [`crate::mbox::properties`].
pub fn mbox(input: &[u8]) {
    crate::mbox::properties::mbox(input);
}

/// A date of any octets.
pub fn date(input: &[u8]) {
    let _date = crate::dates::parse(input);
    let _arrival = crate::dates::arrival(None, input, None, i64::MAX);
}
