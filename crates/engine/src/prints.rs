//! Fingerprints, taken while octets pass.

use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::message::{Body, BodyStream};
use hikyaku_core::{Code, ContentHash, Fault, HeadDigest, Reach, Remedy};
use std::sync::{Arc, OnceLock};

/// What the octets of one message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) content: ContentHash,
    pub(crate) head: HeadDigest,
    /// Holds octets that servers are known to rewrite without changing the length:
    /// 8-bit octets in the header, NUL anywhere. Such a message is always read back.
    pub(crate) odd: bool,
}

/// A print that is there at once or when the stream has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest(Arc<OnceLock<Print>>);

impl Digest {
    pub(crate) fn get(&self) -> Option<Print> {
        self.0.get().copied()
    }

    fn of(octets: &[u8]) -> Self {
        let digest = Self::default();
        digest.set(Print {
            content: ContentHash::of(octets),
            head: HeadDigest::of(octets),
            odd: is_odd_header(octets) || has_nul(octets),
        });
        digest
    }

    fn set(&self, print: Print) {
        // Set once by construction: one stream has one end.
        self.0.get_or_init(|| print);
    }
}

fn has_nul(octets: &[u8]) -> bool {
    memchr::memchr(0, octets).is_some()
}

fn is_odd_header(octets: &[u8]) -> bool {
    let looked_at = &octets[..octets.len().min(HeadDigest::MAX_HEADER)];
    let end = memchr::memmem::find(looked_at, b"\r\n\r\n").unwrap_or(looked_at.len());
    !looked_at[..end].is_ascii()
}

/// Watches a body: the same octets come out, the digest is filled on the way, and
/// a stream that ends short or long ends with a fault instead of as a success.
/// `passed` is told of every chunk.
pub(crate) fn watch(body: Body, passed: impl Fn(u64) + Send + 'static) -> (Body, Digest) {
    match body {
        Body::Held(octets) => {
            let digest = Digest::of(&octets);
            passed(octets.len() as u64);
            (Body::Held(octets), digest)
        }
        Body::Streamed { octets, chunks } => {
            let digest = Digest::default();
            let chunks = watched(octets, chunks, digest.clone(), passed);
            (Body::Streamed { octets, chunks }, digest)
        }
    }
}

struct Watching {
    chunks: BodyStream,
    left: u64,
    hasher: blake3::Hasher,
    head: Vec<u8>,
    nul: bool,
    ended: bool,
}

fn watched(
    octets: u64,
    chunks: BodyStream,
    digest: Digest,
    passed: impl Fn(u64) + Send + 'static,
) -> BodyStream {
    let state = Watching {
        chunks,
        left: octets,
        hasher: blake3::Hasher::new(),
        head: Vec::new(),
        nul: false,
        ended: false,
    };
    let seed = (state, digest, passed);
    futures::stream::unfold(seed, |(mut state, digest, passed)| async move {
        if state.ended {
            return None;
        }
        let item = match state.chunks.next().await {
            Some(Ok(chunk)) if chunk.len() as u64 <= state.left => {
                state.take(&chunk);
                passed(chunk.len() as u64);
                if state.left == 0 {
                    digest.set(state.print());
                }
                Ok(chunk)
            }
            Some(Ok(_)) => Err(length_fault("more octets came than were announced")),
            Some(Err(fault)) => Err(fault),
            None if state.left == 0 => {
                digest.set(state.print());
                return None;
            }
            None => Err(length_fault(
                "the message ended before its announced length",
            )),
        };
        state.ended = item.is_err();
        Some((item, (state, digest, passed)))
    })
    .boxed()
}

impl Watching {
    fn take(&mut self, chunk: &Bytes) {
        self.left -= chunk.len() as u64;
        self.hasher.update(chunk);
        self.nul |= has_nul(chunk);
        let room = HeadDigest::MAX_HEADER.saturating_sub(self.head.len());
        self.head.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    fn print(&self) -> Print {
        Print {
            content: ContentHash(*self.hasher.finalize().as_bytes()),
            head: HeadDigest::of(&self.head),
            odd: self.nul || is_odd_header(&self.head),
        }
    }
}

fn length_fault(detail: &str) -> Fault {
    Fault::new(
        Code::MessageLength,
        Reach::Side,
        Remedy::Retry { after: None },
        detail,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(octets: u64, chunks: &[&'static [u8]]) -> Body {
        let chunks: Vec<_> = chunks.iter().map(|c| Ok(Bytes::from_static(c))).collect();
        Body::Streamed {
            octets,
            chunks: futures::stream::iter(chunks).boxed(),
        }
    }

    async fn drain(body: Body) -> Result<Vec<u8>, Fault> {
        let Body::Streamed { mut chunks, .. } = body else {
            panic!("a streamed body stays streamed")
        };
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_stream_gives_the_same_print_as_the_octets_at_once() {
        let whole = b"Subject: a\r\n\r\nbody\0";
        let (_, held) = watch(Body::Held(Bytes::from_static(whole)), |_| {});
        let (body, digest) = watch(
            streamed(whole.len() as u64, &[&whole[..5], &whole[5..]]),
            |_| {},
        );
        assert_eq!(digest.get(), None);
        assert_eq!(drain(body).await.expect("whole"), whole);
        assert_eq!(digest.get(), held.get());
        assert!(held.get().is_some_and(|p| p.odd));
    }

    #[tokio::test]
    async fn a_short_or_long_stream_is_a_fault_and_has_no_print() {
        for announced in [3, 5] {
            let (body, digest) = watch(streamed(announced, &[b"ab", b"cd"]), |_| {});
            let fault = drain(body).await.expect_err("wrong length");
            assert_eq!(fault.code, Code::MessageLength);
            assert_eq!(digest.get(), None);
        }
    }
}
