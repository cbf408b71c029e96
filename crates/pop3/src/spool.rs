//! A message until its length is known: POP3 tells it only by the end. Small ones stay in
//! memory, large ones go to a file without a name, which nobody else can open and which is
//! gone when the process is.

use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::{Body, Code, Fault, Reach, Remedy};
use std::io::{self, SeekFrom};
use std::path::PathBuf;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Octets that stay in memory.
pub(crate) const HELD: usize = 8 << 20;

/// Octets of a portion that is written or read.
const PORTION: usize = 256 << 10;

/// Octets at the beginning that stay at hand in any case.
const HEAD: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Spool {
    /// Where files are made; the system's own place where none is given.
    directory: Option<PathBuf>,
    buffer: Vec<u8>,
    file: Option<File>,
    written: u64,
    head: Vec<u8>,
    /// Only so many octets are wanted; the rest is not kept.
    most: Option<usize>,
}

impl Spool {
    /// For a whole message, announced with so many octets.
    pub(crate) fn new(directory: Option<PathBuf>, announced: u64) -> Self {
        // Growing would double it. A portion may come beyond what is held.
        let room = usize::try_from(announced).map_or(HELD, |octets| octets.min(HELD + PORTION));
        Self {
            directory,
            buffer: Vec::with_capacity(room),
            file: None,
            written: 0,
            head: Vec::new(),
            most: None,
        }
    }

    /// For its beginning.
    pub(crate) fn beginning(octets: usize) -> Self {
        Self {
            most: Some(octets),
            ..Self::new(None, 0)
        }
    }

    /// Where the next octets go; [`Self::settle`] after each portion.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Octets so far.
    pub(crate) fn octets(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// The beginning of the message.
    pub(crate) fn head(&self) -> &[u8] {
        match self.file {
            None => &self.buffer,
            Some(_) => &self.head,
        }
    }

    /// Moves what is too much for memory.
    ///
    /// # Faults
    /// `disk.full` and other trouble with the disk.
    pub(crate) async fn settle(&mut self) -> Result<(), Fault> {
        if let Some(most) = self.most {
            // What is left out counts nevertheless.
            let excess = self.buffer.len().saturating_sub(most);
            self.written += excess as u64;
            self.buffer.truncate(most);
            return Ok(());
        }
        let most = if self.file.is_some() { PORTION } else { HELD };
        match self.buffer.len() > most {
            true => self.write().await.map_err(|error| disk(&error)),
            false => Ok(()),
        }
    }

    async fn write(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            let directory = self.directory.clone().unwrap_or_else(std::env::temp_dir);
            let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory));
            let file = made.await.map_err(io::Error::other)??;
            self.file = Some(File::from_std(file));
            self.head = self.buffer[..self.buffer.len().min(HEAD)].to_vec();
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer).await?;
        }
        self.written += self.buffer.len() as u64;
        self.buffer = Vec::new();
        Ok(())
    }

    /// The message, ready to leave.
    ///
    /// # Faults
    /// As [`Self::settle`].
    pub(crate) async fn into_body(mut self) -> Result<Body, Fault> {
        if self.file.is_none() {
            // Room that was announced and not needed is not kept with many small ones.
            self.buffer.shrink_to_fit();
            return Ok(Body::Held(Bytes::from(self.buffer)));
        }
        self.rewind().await.map_err(|error| disk(&error))?;
        let octets = self.written;
        let Some(file) = self.file else {
            return Err(Fault::bug("a spooled message without its file"));
        };
        let chunks = futures::stream::unfold(Some(file), |file| async move {
            let mut file = file?;
            let mut portion = bytes::BytesMut::with_capacity(PORTION);
            match file.read_buf(&mut portion).await {
                Ok(0) => None,
                Ok(_) => Some((Ok(portion.freeze()), Some(file))),
                Err(error) => Some((Err(disk(&error)), None)),
            }
        });
        Ok(Body::Streamed {
            octets,
            chunks: chunks.boxed(),
        })
    }

    async fn rewind(&mut self) -> io::Result<()> {
        self.write().await?;
        if let Some(file) = &mut self.file {
            file.flush().await?;
            file.seek(SeekFrom::Start(0)).await?;
        }
        Ok(())
    }
}

fn disk(error: &io::Error) -> Fault {
    let is_full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    let code = if is_full {
        Code::DiskFull
    } else {
        Code::ConfigInvalid
    };
    Fault::new(
        code,
        Reach::Job,
        Remedy::AskUser,
        format!("a large message cannot wait on the local disk: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn octets(body: Body) -> Vec<u8> {
        let mut all = Vec::new();
        match body {
            Body::Held(octets) => all.extend_from_slice(&octets),
            Body::Streamed { octets, mut chunks } => {
                while let Some(chunk) = chunks.next().await {
                    all.extend_from_slice(&chunk.expect("read"));
                }
                assert_eq!(all.len() as u64, octets);
            }
        }
        all
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_wherever_it_waited() {
        for portions in [0usize, 1, 84, 200] {
            let mut spool = Spool::new(None, portions as u64 * 7);
            let mut sent = Vec::new();
            for n in 0..portions {
                let portion: Vec<u8> = (0..100_003).map(|i| (i * 7 + n) as u8).collect();
                spool.buffer().extend_from_slice(&portion);
                spool.settle().await.expect("room");
                sent.extend_from_slice(&portion);
            }
            assert_eq!(spool.octets(), sent.len() as u64);
            let head = spool.head().len();
            assert_eq!(spool.head(), &sent[..head]);
            assert!(head == sent.len() || head == HEAD);
            let body = spool.into_body().await.expect("room");
            let is_held = matches!(body, Body::Held(_));
            assert_eq!(is_held, sent.len() <= HELD, "{portions}");
            assert!(octets(body).await == sent, "{portions}");
        }
    }

    #[tokio::test]
    async fn of_a_beginning_no_more_is_kept() {
        let mut spool = Spool::beginning(10);
        for _ in 0..5 {
            spool.buffer().extend_from_slice(b"abcdefg");
            spool.settle().await.expect("room");
        }
        assert_eq!((spool.head(), spool.octets()), (&b"abcdefgabc"[..], 35));
    }

    #[tokio::test]
    async fn a_disk_that_refuses_is_told() {
        let mut spool = Spool::new(Some(PathBuf::from("/proc/nowhere")), u64::MAX);
        spool.buffer().resize(HELD + 1, b'x');
        let fault = spool.settle().await.expect_err("no such place");
        assert_eq!((fault.code, fault.reach), (Code::ConfigInvalid, Reach::Job));
    }
}
