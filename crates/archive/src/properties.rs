//! What holds whatever lies in an archive, as functions over octets that panic where it
//! does not.
//!
//! The fuzz targets (`fuzz/`) and the tests beside the parsers call the same functions. Not
//! a part of the product: compiled for tests and by cargo-fuzz only.

/// An mbox of any octets: [`crate::mbox::properties`].
pub fn mbox(input: &[u8]) {
    crate::mbox::properties::mbox(input);
}

/// A message file of Apple Mail: [`crate::apple::properties`].
pub fn emlx(input: &[u8]) {
    crate::apple::properties::emlx(input);
}

/// The labels of a Takeout.
pub fn labels(input: &[u8]) {
    crate::takeout::properties::labels(input);
}

/// A file of Outlook Express: [`crate::dbx::properties`].
pub fn dbx(input: &[u8]) {
    crate::dbx::properties::dbx(input);
}

/// A file of Becky!: [`crate::becky::properties`].
pub fn bmf(input: &[u8]) {
    crate::becky::properties::bmf(input);
}

/// A zip: [`crate::unpack::properties`].
pub fn zip(input: &[u8]) {
    crate::unpack::properties::unpacked(input);
}

/// A date of any octets.
pub fn date(input: &[u8]) {
    let _date = hikyaku_core::arrival::parse(input);
    let _arrival = hikyaku_core::arrival::of(None, input, None, i64::MAX);
}
