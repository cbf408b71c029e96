//! A scripted peer for the tests of this crate: the server's side of a stream.

use crate::connection::{Access, Connection, Profile};
use crate::encode::{LiteralMode, Style};
use crate::frame::{FrameLimits, Framer};
use crate::response::Tag;
use hikyaku_core::Side;
use hikyaku_core::traits::Gate;
use hikyaku_net::{Endpoint, Security};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream,
};

/// The server's side.
pub(crate) struct Peer<S = DuplexStream>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The next line without its end.
    pub(crate) async fn hears(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).await.expect("a line");
        assert!(
            line.ends_with(b"\r\n"),
            "no whole line: {}",
            line.escape_ascii()
        );
        line.truncate(line.len() - 2);
        String::from_utf8(line).expect("text")
    }

    /// The next octets.
    pub(crate) async fn takes(&mut self, octets: usize) -> String {
        let mut taken = vec![0; octets];
        self.0.read_exact(&mut taken).await.expect("octets");
        String::from_utf8(taken).expect("text")
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn takes_all(&mut self) -> String {
        let mut taken = Vec::new();
        self.0.read_to_end(&mut taken).await.expect("octets");
        String::from_utf8(taken).expect("text")
    }

    /// Says something; `\n` is a line end.
    pub(crate) async fn says(&mut self, text: &str) {
        let text = text.replace('\n', "\r\n");
        self.0.write_all(text.as_bytes()).await.expect("written");
    }
}

/// An endpoint for faults and time-outs.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint::new("mail.example.jp", 143, Security::Plain, Side::Destination)
}

/// Both sides of a stream that holds so many octets in each direction.
pub(crate) fn pair(octets: usize) -> (DuplexStream, Peer) {
    let (ours, theirs) = tokio::io::duplex(octets);
    (ours, Peer::over(theirs))
}

/// A logged-in connection and its server.
pub(crate) fn connected(literals: LiteralMode, octets: usize) -> (Connection, Peer) {
    let (ours, peer) = pair(octets);
    let (read, write) = tokio::io::split(ours);
    let profile = Profile {
        endpoint: endpoint(),
        access: Access::Writing,
        last_tag: Tag(0),
        reset: Box::new(|| {}),
    };
    let mut connection =
        Connection::start(read, write, Framer::new(FrameLimits::default()), profile);
    connection.set_style(Style {
        literals,
        utf8: false,
    });
    (connection, peer)
}

/// A gate that is open for so many questions.
#[derive(Debug)]
pub(crate) struct Patience(AtomicUsize);

impl Gate for Patience {
    fn is_open(&self) -> bool {
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }
}

pub(crate) fn open_for(questions: usize) -> Arc<dyn Gate> {
    Arc::new(Patience(AtomicUsize::new(questions)))
}

pub(crate) fn open_gate() -> Arc<dyn Gate> {
    open_for(usize::MAX)
}
