//! What holds whatever a message file of Apple Mail contains.

use std::io::{Read, Write};

use super::emlx;
use super::holes::holes;
use super::plist::Plist;
use super::rejoin::{Content, rejoin};
use crate::disk::Disk;

/// A property list: its values together are not much longer than the list.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn plist(octets: &[u8]) {
    let list = Plist::read(octets);
    for key in ["flags", "date-received"] {
        let _number = list.number(key);
    }
    // What is no UTF-8 becomes a mark of three octets.
    assert!(list.octets() <= 3 * octets.len());
}

/// Takes a message file apart and puts attachments into its holes.
///
/// # Panics
/// Where a property does not hold.
#[allow(clippy::expect_used)]
pub(crate) fn emlx(octets: &[u8]) {
    Plist::read(octets);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(octets).expect("room for it");
    let disk = Disk::open(file.path()).expect("just made");
    if let Ok(message) = emlx::read(&disk).expect("readable") {
        assert!(message.start < message.end && message.end <= octets.len() as u64);
    }
    let content = Content {
        file: file.path().to_owned(),
        octets: octets.len() as u64,
    };
    let expected = holes(octets).len();
    let mut filled = 0;
    let rejoined = rejoin(octets, |_| {
        filled += 1;
        Ok((filled % 2 == 0).then(|| content.clone()))
    })
    .expect("readable");
    assert_eq!(filled, expected);
    assert_eq!(rejoined.missing.len(), expected.div_ceil(2));
    let mut whole = Vec::new();
    rejoined.reader().read_to_end(&mut whole).expect("readable");
    assert!(expected > 1 || whole == octets);
}
