//! Connections that somebody else makes.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::{Code, Side};
use hikyaku_net::{Carrier, Dial, Dialled, Endpoint, Security, connect};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

/// A pipe that tells whether it was reset.
#[derive(Debug)]
struct Piped(DuplexStream, Arc<Mutex<bool>>);

impl Carrier for Piped {
    fn reset(&mut self) {
        *self.1.lock().unwrap() = true;
    }
}

impl AsyncRead for Piped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Gives its pipe once, then refuses.
#[derive(Debug)]
struct Once(Mutex<Option<Piped>>);

impl Dial for Once {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, io::Result<Dialled>> {
        let address = ([192, 0, 2, 1], endpoint.port).into();
        let dialled = self.0.lock().unwrap().take().map(|piped| Dialled {
            carrier: Box::new(piped),
            address,
        });
        async move { dialled.ok_or_else(|| ErrorKind::ConnectionRefused.into()) }.boxed()
    }
}

fn endpoint(piped: Option<Piped>) -> Endpoint {
    let mut endpoint = Endpoint::new("mail.example.jp", 143, Security::Plain, Side::Source);
    endpoint.dial = Some(Arc::new(Once(Mutex::new(piped))));
    endpoint
}

#[tokio::test]
async fn a_dialler_stands_for_resolver_and_tcp() {
    let (near, mut far) = tokio::io::duplex(64);
    let was_reset = Arc::new(Mutex::new(false));
    let endpoint = endpoint(Some(Piped(near, was_reset.clone())));
    far.write_all(b"* OK ready\r\n").await.unwrap();
    let stream = connect(&endpoint).await.unwrap();
    assert_eq!(stream.peer().address, ([192, 0, 2, 1], 143).into());

    let resetter = stream.resetter();
    let (mut read, mut write) = stream.split();
    let mut greeting = [0; 12];
    read.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"* OK ready\r\n", "looked at, and still there");
    write.write_all(b"a1 NOOP\r\n").await.unwrap();
    let mut command = [0; 9];
    far.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"a1 NOOP\r\n");

    let waiting = tokio::spawn(async move { read.read(&mut [0; 1]).await });
    tokio::task::yield_now().await;
    resetter.reset();
    let cut = waiting.await.unwrap().unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::ConnectionAborted);
    let cut = write.write_all(b"a2 NOOP\r\n").await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::ConnectionAborted);
    assert!(*was_reset.lock().unwrap(), "the carrier was told");
}

#[tokio::test]
async fn a_dialler_that_fails_is_a_server_out_of_reach() {
    let fault = connect(&endpoint(None)).await.unwrap_err();
    assert_eq!(fault.code, Code::HostUnreachable);
    assert_eq!(fault.at.server.as_deref(), Some("mail.example.jp:143"));
    assert_eq!(fault.at.side, Some(Side::Source));
}

#[tokio::test(start_paused = true)]
async fn a_dialler_that_hangs_is_given_up() {
    #[derive(Debug)]
    struct Never;
    impl Dial for Never {
        fn dial<'a>(&'a self, _: &'a Endpoint) -> BoxFuture<'a, io::Result<Dialled>> {
            futures::future::pending().boxed()
        }
    }
    let mut endpoint = endpoint(None);
    endpoint.dial = Some(Arc::new(Never));
    let fault = connect(&endpoint).await.unwrap_err();
    assert_eq!(fault.code, Code::HostUnreachable);
}
