//! Reads an archive through the source, as the engine does.

use anyhow::Context;
use futures::StreamExt;
use hikyaku_archive::{Archive, ArchiveSource, Kind, Options};
use hikyaku_core::traits::{Facts, Source};
use hikyaku_core::{Body, Epoch, Flags, HeadDigest, InternalDate, KeySet};
use std::collections::BTreeMap;
use std::path::Path;

/// The present of all tests: 2026-11-22.
pub(crate) const NOW: i64 = 1_795_305_600;

/// A message as it was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) key: u64,
    pub(crate) flags: String,
    pub(crate) date: Option<InternalDate>,
    pub(crate) octets: Vec<u8>,
}

impl Told {
    /// The octets as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    /// The date in ISO 8601.
    pub(crate) fn date(&self) -> String {
        self.date.map(|d| d.to_string()).unwrap_or_default()
    }
}

/// Everything that a folder told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) epoch: Option<Epoch>,
    pub(crate) role: Option<hikyaku_core::Role>,
    pub(crate) subscribed: bool,
    pub(crate) keys: KeySet,
    pub(crate) messages: Vec<Told>,
    /// Key, code and detail.
    pub(crate) faults: Vec<(u64, String, String)>,
}

impl Read {
    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages.iter().map(Told::text).collect()
    }

    pub(crate) fn flags(&self) -> Vec<&str> {
        self.messages.iter().map(|m| m.flags.as_str()).collect()
    }

    pub(crate) fn dates(&self) -> Vec<String> {
        self.messages.iter().map(Told::date).collect()
    }
}

pub(crate) fn options() -> Options {
    Options {
        now: NOW,
        ..Options::default()
    }
}

pub(crate) fn open(kind: Kind, path: &Path) -> anyhow::Result<ArchiveSource> {
    Ok(Archive::open(kind, path, options())?)
}

/// All folders, each read twice: listed with all facts, then read; what both say agrees.
pub(crate) async fn read_all(source: &ArchiveSource) -> anyhow::Result<BTreeMap<String, Read>> {
    let mut out = BTreeMap::new();
    for info in source.mailboxes().await? {
        let name = info.name.to_string();
        let mut read = Read {
            role: info.role,
            subscribed: info.subscribed,
            ..Read::default()
        };
        if !info.selectable {
            out.insert(name, read);
            continue;
        }
        let mut reader = match source.open(&info).await {
            Ok(reader) => reader,
            Err(fault) => {
                read.faults.push((0, fault.code.to_string(), fault.detail));
                out.insert(name, read);
                continue;
            }
        };
        let state = reader.state();
        assert_eq!(info.state, Some(state), "{name}: listed as it is opened");
        read.epoch = state.epoch;
        read.keys = reader.keys().await?;
        assert_eq!(read.keys.len(), state.messages, "{name}");
        let facts = Facts {
            flags: true,
            date: true,
            octets: true,
            head: true,
        };
        let mut listings = BTreeMap::new();
        let mut unlisted = KeySet::new();
        let keys = read.keys.clone();
        let mut flow = reader.list(&keys, facts);
        while let Some(item) = flow.next().await {
            match item {
                Ok(listing) => {
                    assert!(listings.insert(listing.key, listing).is_none());
                }
                Err(fault) => unlisted.insert(fault.at.message.context("a key")?),
            }
        }
        drop(flow);
        let mut last = None;
        let mut flow = reader.read(&keys);
        while let Some(item) = flow.next().await {
            let letter = match item {
                Ok(letter) => letter,
                Err(fault) => {
                    let key = fault.at.message.context("a key")?;
                    assert!(unlisted.contains(key), "{name}: {fault}");
                    assert_eq!(fault.reach, hikyaku_core::Reach::Message);
                    let code = fault.code.to_string();
                    read.faults.push((key.0, code, fault.detail));
                    continue;
                }
            };
            assert!(last < Some(letter.key), "{name}: ascending");
            last = Some(letter.key);
            let announced = letter.body.octets();
            let octets = whole(letter.body).await?;
            assert_eq!(octets.len() as u64, announced, "{name} {}", letter.key);
            let listing = listings.remove(&letter.key).context("listed")?;
            assert_eq!(listing.flags.as_ref(), Some(&letter.flags));
            assert_eq!(listing.date, letter.date);
            assert_eq!(listing.head, Some(HeadDigest::of(&octets)));
            read.messages.push(Told {
                key: letter.key.0,
                flags: letter.flags.to_string(),
                date: letter.date,
                octets,
            });
        }
        assert!(listings.is_empty(), "{name}: read as listed");
        assert_eq!(
            (read.messages.len() + read.faults.len()) as u64,
            state.messages,
            "{name}: every key is a message or a fault"
        );
        out.insert(name, read);
    }
    Ok(out)
}

pub(crate) async fn whole(body: Body) -> anyhow::Result<Vec<u8>> {
    match body {
        Body::Held(octets) => Ok(octets.to_vec()),
        Body::Streamed { mut chunks, .. } => {
            let mut out = Vec::new();
            while let Some(chunk) = chunks.next().await {
                out.extend_from_slice(&chunk?);
            }
            Ok(out)
        }
    }
}

/// Opens, reads everything, and finds exactly the folders that are named.
pub(crate) async fn read_folders<const N: usize>(
    kind: Kind,
    path: &Path,
    names: [&str; N],
) -> anyhow::Result<[Read; N]> {
    let mut all = read_all(&open(kind, path)?).await?;
    let found: Vec<_> = all.keys().cloned().collect();
    let mut sorted: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    sorted.sort();
    assert_eq!(found, sorted);
    Ok(names.map(|name| all.remove(name).unwrap_or_default()))
}

/// Of a list of flags.
pub(crate) fn flags(text: &str) -> String {
    Flags::parse(text).to_string()
}
