//! What a connected stream can do: upgrade, split, compress, abort.

use crate::support::{Authority, drained, endpoint, line, server, tls_server};
use hikyaku_core::{Code, Remedy};
use hikyaku_net::{Endpoint, Security, Stream, Trust, connect_to};
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const HOST: &str = "mail.example.test";

async fn open(endpoint: &Endpoint, address: SocketAddr) -> Stream {
    let mut stream = connect_to(endpoint, &[address]).await.unwrap();
    assert!(line(&mut stream).await.starts_with("* OK"));
    stream
}

/// Greets, agrees to whatever is asked, and then does `after`'s bidding.
async fn upgrading_server(acceptor: TlsAcceptor, after: &'static [u8]) -> SocketAddr {
    server(move |mut tcp| {
        let acceptor = acceptor.clone();
        async move {
            tcp.write_all(b"* OK ready\r\n").await.unwrap();
            let mut command = [0; 9];
            tcp.read_exact(&mut command).await.unwrap();
            tcp.write_all(b"OK begin\r\n").await.unwrap();
            tcp.write_all(after).await.unwrap();
            if let Ok(mut tls) = acceptor.accept(tcp).await {
                tls.write_all(b"protected\r\n").await.unwrap();
                tls.read_to_end(&mut Vec::new()).await.ok();
            }
        }
    })
    .await
}

#[tokio::test]
async fn starttls_protects_what_follows() {
    let authority = Authority::new();
    let identity = authority.sign(HOST);
    let address = upgrading_server(identity.acceptor(), b"").await;
    let endpoint = endpoint(HOST, address.port(), Security::StartTls, authority.trust());
    let mut stream = open(&endpoint, address).await;
    stream.write_all(b"STARTTLS\n").await.unwrap();
    assert_eq!(line(&mut stream).await, "OK begin\r\n");
    let mut stream = stream.start_tls(&endpoint, b"").await.unwrap();
    assert_eq!(line(&mut stream).await, "protected\r\n");
    assert_eq!(stream.peer().address, address);
    let tls = stream.peer().tls.as_ref().unwrap();
    assert_eq!(tls.certificate, identity.fingerprint());
}

#[tokio::test]
async fn octets_before_the_handshake_end_it() {
    let authority = Authority::new();
    let address = upgrading_server(authority.sign(HOST).acceptor(), b"* injected\r\n").await;
    let endpoint = endpoint(HOST, address.port(), Security::StartTls, authority.trust());
    for read_before in [true, false] {
        let mut stream = open(&endpoint, address).await;
        stream.write_all(b"STARTTLS\n").await.unwrap();
        line(&mut stream).await;
        let unread = if read_before {
            line(&mut stream).await
        } else {
            String::new()
        };
        let fault = stream
            .start_tls(&endpoint, unread.as_bytes())
            .await
            .unwrap_err();
        assert_eq!(
            (fault.code, fault.remedy),
            (Code::TlsFailed, Remedy::AskUser),
            "{fault}"
        );
        assert!(fault.detail.contains("tampering"), "{fault}");
    }
}

#[tokio::test]
async fn starttls_verifies_the_certificate() {
    let authority = Authority::new();
    let address = upgrading_server(authority.sign("other.example").acceptor(), b"").await;
    let endpoint = endpoint(HOST, address.port(), Security::StartTls, authority.trust());
    let mut stream = open(&endpoint, address).await;
    stream.write_all(b"STARTTLS\n").await.unwrap();
    line(&mut stream).await;
    let fault = stream.start_tls(&endpoint, b"").await.unwrap_err();
    assert_eq!(fault.code, Code::TlsName);
}

/// A server that greets and echoes, in clear text.
async fn echo() -> SocketAddr {
    server(|mut tcp| async move {
        tcp.write_all(b"* OK ready\r\n").await.unwrap();
        let (mut read, mut write) = tcp.split();
        tokio::io::copy(&mut read, &mut write).await.ok();
    })
    .await
}

/// Echoing servers with and without TLS, and how to reach them.
async fn both() -> [(Endpoint, SocketAddr); 2] {
    let authority = Authority::new();
    let tls = tls_server(authority.sign(HOST).acceptor()).await;
    let plain = echo().await;
    [
        (
            endpoint(HOST, tls.port(), Security::ImplicitTls, authority.trust()),
            tls,
        ),
        (
            endpoint(HOST, plain.port(), Security::Plain, Trust::System),
            plain,
        ),
    ]
}

fn megabytes(count: usize) -> Vec<u8> {
    (0..count << 20)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[i % 3])
        .collect()
}

/// More than all buffers together hold: only halves that work at the same time finish.
async fn echoes(stream: Stream) {
    let sent = megabytes(24);
    let (mut read, mut write) = stream.split();
    let writing = async {
        write.write_all(&sent).await.unwrap();
        write.flush().await.unwrap();
    };
    let mut back = vec![0; sent.len()];
    let reading = async { read.read_exact(&mut back).await.unwrap() };
    tokio::join!(writing, reading);
    assert!(back == sent);
}

#[tokio::test]
async fn halves_read_and_write_at_the_same_time() {
    for (endpoint, address) in both().await {
        echoes(open(&endpoint, address).await).await;
    }
}

#[tokio::test]
async fn compression_goes_over_either_layer() {
    // The echo of compressed octets is decompressed again.
    for (endpoint, address) in both().await {
        let stream = open(&endpoint, address).await.deflate(b"");
        assert_eq!(
            stream.is_encrypted(),
            endpoint.security == Security::ImplicitTls
        );
        echoes(stream).await;
    }
}

#[tokio::test]
async fn a_whole_stream_can_be_compressed_without_splitting() {
    for (endpoint, address) in both().await {
        let mut stream = open(&endpoint, address).await.deflate(b"");
        stream.write_all(b"a1 NOOP\r\n").await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(line(&mut stream).await, "a1 NOOP\r\n");
    }
}

#[tokio::test]
async fn gathered_writes_arrive_in_order() {
    for (endpoint, address) in both().await {
        let mut stream = open(&endpoint, address).await;
        let slices = [&b"a1 "[..], b"NO", b"OP\r\n"].map(std::io::IoSlice::new);
        let sent = stream.write_vectored(&slices).await.unwrap();
        let whole = b"a1 NOOP\r\n";
        stream.write_all(&whole[sent..]).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(line(&mut stream).await.as_bytes(), whole);
    }
}

/// Connects in clear text to a listener whose end is returned too.
async fn pair() -> (Stream, tokio::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = endpoint(HOST, address.port(), Security::Plain, Trust::System);
    let serving = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"* OK ready\r\n").await.unwrap();
        tcp
    };
    tokio::join!(open(&endpoint, address), serving)
}

#[tokio::test]
async fn shutdown_ends_orderly_with_everything_sent() {
    let (mut stream, mut peer) = pair().await;
    stream.write_all(b"a1 LOGOUT\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(drained(&mut peer).await.unwrap(), b"a1 LOGOUT\r\n");
}

#[tokio::test]
async fn reset_is_told_apart_from_an_end_by_the_peer() {
    let (stream, mut peer) = pair().await;
    stream.reset();
    assert_eq!(
        drained(&mut peer).await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn reset_works_through_tls() {
    let (ended, how) = tokio::sync::oneshot::channel();
    let ended = std::sync::Mutex::new(Some(ended));
    let authority = Authority::new();
    let acceptor = authority.sign(HOST).acceptor();
    let address = server(move |tcp| {
        let (acceptor, ended) = (acceptor.clone(), ended.lock().unwrap().take());
        async move {
            let mut tls = acceptor.accept(tcp).await.unwrap();
            tls.write_all(b"* OK ready\r\n").await.unwrap();
            let end = tls.read_to_end(&mut Vec::new()).await;
            ended.unwrap().send(end).unwrap();
        }
    })
    .await;
    let endpoint = endpoint(
        HOST,
        address.port(),
        Security::ImplicitTls,
        authority.trust(),
    );
    let mut stream = open(&endpoint, address).await;
    stream.write_all(b"a1 APPEND x {5}\r\nab").await.unwrap();
    stream.flush().await.unwrap();
    stream.reset();
    assert_eq!(
        how.await.unwrap().unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn a_resetter_wakes_both_halves_and_the_peer_sees_a_reset() {
    let (stream, mut peer) = pair().await;
    let resetter = stream.resetter();
    let (mut read, mut write) = stream.split();
    let reading = tokio::spawn(async move { read.read(&mut [0]).await });
    let writing = tokio::spawn(async move {
        let endless = vec![b'x'; 1 << 20];
        loop {
            if let Err(error) = write.write_all(&endless).await {
                return error;
            }
        }
    });
    // Both are parked soon: nothing arrives, and nobody takes what is written.
    tokio::task::yield_now().await;
    resetter.reset();
    assert_eq!(
        reading.await.unwrap().unwrap_err().kind(),
        ErrorKind::ConnectionAborted
    );
    assert_eq!(writing.await.unwrap().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(
        drained(&mut peer).await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    // On a connection that is gone it does nothing.
    resetter.reset();
}

#[tokio::test]
async fn a_resetter_does_not_keep_the_connection_open() {
    let (stream, mut peer) = pair().await;
    let resetter = stream.resetter();
    drop(stream);
    assert_eq!(drained(&mut peer).await.unwrap(), b"");
    drop(resetter);
}

#[tokio::test]
async fn starttls_over_tls_is_a_defect_not_a_panic() {
    let [(endpoint, address), _] = both().await;
    let stream = open(&endpoint, address).await;
    let fault = stream.start_tls(&endpoint, b"").await.unwrap_err();
    assert_eq!(fault.code, Code::Bug);
}
