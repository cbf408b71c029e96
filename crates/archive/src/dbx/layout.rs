//! Where things stand in a `.dbx` file: header, trees and the objects they point to.
//!
//! Published by A. Schloh and Z. Tešić, "OE dbx file format" (infobyte.hr/oedbx), from
//! which the numbers here are taken. All numbers are little-endian. Every object begins
//! with its own offset, so a pointer into the void is noticed.

use std::collections::HashSet;
use std::io;

use crate::disk::Disk;

/// The first four octets of every `.dbx` file.
pub(crate) const MAGIC: [u8; 4] = [0xcf, 0xad, 0x12, 0xfe];
/// What follows in a file with messages.
const MESSAGES: [u8; 4] = [0xc5, 0xfd, 0x74, 0x6f];
/// What follows in `Folders.dbx`.
const FOLDERS: [u8; 4] = [0xc6, 0xfd, 0x74, 0x6f];
/// Offset of the number of indexed objects.
const COUNT: usize = 0xc4;
/// Offset of the pointer to the root of their tree.
const ROOT: usize = 0xe4;
/// Octets of the header that are looked at.
const HEADER: usize = 0x100;

/// Octets of a tree node: a header and up to 51 entries.
const NODE: usize = 0x27c;
const NODE_HEADER: usize = 0x18;
const NODE_ENTRY: usize = 12;
/// Trees have a fan-out of 51: deeper than this there are only cycles.
const MAX_DEPTH: usize = 64;

/// Nodes and objects of one tree, at most: a file of the longest length there is, 2 GiB, has
/// room for fewer messages.
const MOST: usize = 1 << 22;

/// Largest body of an indexed object: texts of a few hundred octets.
const MAX_INFO: usize = 64 * 1024;

/// What a `.dbx` file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The messages of one folder.
    Messages,
    /// The tree of folders.
    Folders,
    /// Which messages were fetched, what is to be done offline: no mail.
    Other,
}

/// The header of a `.dbx` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// What it holds.
    pub(crate) content: Content,
    /// How many objects it says it has.
    pub(crate) count: u32,
    /// Where their tree begins; 0 for an empty one.
    root: u32,
}

/// Reads the header; `None` when this is no `.dbx` file.
pub(crate) fn header(file: &Disk) -> io::Result<Option<Header>> {
    Ok(header_in(&file.octets_at(0, HEADER)?))
}

/// The header in the first octets of a file.
pub(crate) fn header_in(head: &[u8]) -> Option<Header> {
    if head.len() < 8 || head[..4] != MAGIC {
        return None;
    }
    let content = match &head[4..8] {
        kind if *kind == MESSAGES => Content::Messages,
        kind if *kind == FOLDERS => Content::Folders,
        _ => Content::Other,
    };
    Some(Header {
        content,
        count: word(head, COUNT).unwrap_or(0),
        root: word(head, ROOT).unwrap_or(0),
    })
}

/// The objects of a tree, and what was wrong with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Offsets of the objects, in the tree's order.
    pub(crate) objects: Vec<u32>,
    /// Whether a node is not there, lies outside, or comes a second time, or there are more
    /// than the file has room for.
    pub(crate) is_broken: bool,
}

/// All objects of the file, as far as the tree leads to them.
pub(crate) fn objects(file: &Disk, header: &Header) -> io::Result<Tree> {
    let mut tree = Tree::default();
    let mut seen = HashSet::new();
    if header.root != 0 {
        descend(file, header.root, 0, &mut seen, &mut tree)?;
    }
    Ok(tree)
}

fn descend(
    file: &Disk,
    at: u32,
    depth: usize,
    seen: &mut HashSet<u32>,
    tree: &mut Tree,
) -> io::Result<()> {
    // Nodes that overlap would make more of a file than there is in it.
    let room = usize::try_from(file.length() / NODE as u64).unwrap_or(MOST) + 1;
    if seen.len() >= room.min(MOST) || tree.objects.len() >= MOST {
        tree.is_broken = true;
        return Ok(());
    }
    // A node that comes twice would bring its messages twice, or never end.
    let node = file.octets_at(u64::from(at), NODE)?;
    if depth > MAX_DEPTH
        || !seen.insert(at)
        || word(&node, 0) != Some(at)
        || node.len() < NODE_HEADER
    {
        tree.is_broken = true;
        return Ok(());
    }
    let child = word(&node, 8).unwrap_or(0);
    if child != 0 {
        descend(file, child, depth + 1, seen, tree)?;
    }
    let room = (NODE - NODE_HEADER) / NODE_ENTRY;
    for n in 0..usize::from(node[0x11]).min(room) {
        let entry = NODE_HEADER + n * NODE_ENTRY;
        let (Some(object), Some(child)) = (word(&node, entry), word(&node, entry + 4)) else {
            tree.is_broken = true;
            break;
        };
        if object != 0 {
            tree.objects.push(object);
        }
        if child != 0 {
            descend(file, child, depth + 1, seen, tree)?;
        }
    }
    Ok(())
}

/// An object with numbered values: a message's facts, or a folder's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Info {
    entries: Vec<(u8, Value)>,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Direct(u32),
    /// Offset in the data.
    At(usize),
}

/// Reads the object at an offset; `None` when there is none.
pub(crate) fn info(file: &Disk, at: u32) -> io::Result<Option<Info>> {
    let head = file.octets_at(u64::from(at), 12)?;
    if head.len() < 12 || word(&head, 0) != Some(at) {
        return Ok(None);
    }
    let length = word(&head, 4).unwrap_or(0) as usize;
    let count = usize::from(head[10]);
    if length > MAX_INFO || count * 4 > length {
        return Ok(None);
    }
    let body = file.octets_at(u64::from(at) + 12, length)?;
    if body.len() < count * 4 {
        return Ok(None);
    }
    let entries = (0..count).filter_map(|n| word(&body, n * 4)).map(|entry| {
        let value = entry >> 8;
        let direct = entry & 0x80 != 0;
        let value = match direct {
            true => Value::Direct(value),
            false => Value::At(value as usize),
        };
        ((entry & 0x7f) as u8, value)
    });
    Ok(Some(Info {
        entries: entries.collect(),
        data: body[count * 4..].to_vec(),
    }))
}

impl Info {
    fn value(&self, index: u8) -> Option<Value> {
        let found = self.entries.iter().find(|(i, _)| *i == index)?;
        Some(found.1)
    }

    /// A number, wherever it stands.
    pub(crate) fn number(&self, index: u8) -> Option<u32> {
        match self.value(index)? {
            Value::Direct(number) => Some(number),
            Value::At(at) => word(&self.data, at),
        }
    }

    /// A text without its terminating zero.
    pub(crate) fn text(&self, index: u8) -> Option<&[u8]> {
        let Value::At(at) = self.value(index)? else {
            return None;
        };
        let rest = self.data.get(at..)?;
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        Some(&rest[..end])
    }

    /// A moment: seconds since 1970 UTC of a count of 100 ns since 1601 UTC.
    pub(crate) fn moment(&self, index: u8) -> Option<i64> {
        const FROM_1601_TO_1970: i64 = 11_644_473_600;
        let Value::At(at) = self.value(index)? else {
            return None;
        };
        let eight: [u8; 8] = self.data.get(at..at + 8)?.try_into().ok()?;
        let ticks = u64::from_le_bytes(eight);
        let seconds = i64::try_from(ticks / 10_000_000).ok()? - FROM_1601_TO_1970;
        (seconds > 0).then_some(seconds)
    }
}

/// The 32-bit number at an offset.
pub(crate) fn word(octets: &[u8], at: usize) -> Option<u32> {
    let four = octets.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}
