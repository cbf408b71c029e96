// In a test a panic is the report.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::io::{Read, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

fn compressed(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

/// Octets that compress well in places and not at all in others.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..3000),
        (any::<u8>(), 0..200_000usize).prop_map(|(octet, n)| vec![octet; n]),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn everything_written_is_read_whatever_the_cuts(
        data in content(),
        cut in 1..40_000usize,
        pipe in 1..20_000usize,
        room in 1..50_000usize,
    ) {
        let (near, far) = duplex(pipe);
        let back = block_on(async {
            let (mut write, mut read) = (Deflate::new(near), Inflate::new(far, b""));
            let writing = async {
                for chunk in data.chunks(cut) {
                    write.write_all(chunk).await.unwrap();
                    write.flush().await.unwrap();
                }
                write.shutdown().await.unwrap();
            };
            let reading = async {
                let mut back = Vec::new();
                let mut buffer = vec![0; room];
                loop {
                    match read.read(&mut buffer).await.unwrap() {
                        0 => break back,
                        got => back.extend_from_slice(&buffer[..got]),
                    }
                }
            };
            futures::join!(writing, reading).1
        });
        prop_assert!(back == data);
    }

    #[test]
    fn another_implementation_reads_what_is_written(data in content()) {
        let wire = block_on(async {
            let mut write = Deflate::new(Vec::new());
            write.write_all(&data).await.unwrap();
            write.flush().await.unwrap();
            write.inner
        });
        let mut back = vec![0; data.len()];
        flate2::read::DeflateDecoder::new(&wire[..]).read_exact(&mut back).unwrap();
        prop_assert!(back == data);
    }

    #[test]
    fn octets_that_are_not_deflate_never_panic(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (first, rest) = noise.split_at(noise.len() / 3);
        let mut read = Inflate::new(rest, first);
        let mut sink = Vec::new();
        if let Err(error) = block_on(read.read_to_end(&mut sink)) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidData);
        }
    }
}

#[test]
fn a_flushed_line_arrives_without_anything_after_it() {
    block_on(async {
        let (near, far) = duplex(4096);
        let (mut write, mut read) = (Deflate::new(near), Inflate::new(far, b""));
        for line in [&b"a1 NOOP\r\n"[..], b"a2 NOOP\r\n"] {
            write.write_all(line).await.unwrap();
            write.flush().await.unwrap();
            let mut got = vec![0; line.len()];
            read.read_exact(&mut got).await.unwrap();
            assert_eq!(got, line);
        }
    });
}

#[test]
fn flushing_without_writing_sends_nothing() {
    block_on(async {
        let mut write = Deflate::new(Vec::new());
        write.flush().await.unwrap();
        write.write_all(b"x").await.unwrap();
        write.flush().await.unwrap();
        let sent = write.inner.len();
        write.flush().await.unwrap();
        assert_eq!(write.inner.len(), sent);
    });
}

#[test]
fn octets_read_before_the_switch_come_first() {
    let wire = compressed(b"* OK first and second");
    let (early, late) = wire.split_at(5);
    let mut read = Inflate::new(late, early);
    let mut back = String::new();
    block_on(read.read_to_string(&mut back)).unwrap();
    assert_eq!(back, "* OK first and second");
}

#[test]
fn a_bomb_is_refused_and_mail_of_one_letter_is_not() {
    let wire = compressed(&vec![b'A'; 8_000_000]);
    assert!(wire.len() < 10_000, "it has to be a bomb to begin with");
    let read_all = |limits: Limits| {
        let mut read = Inflate::new(&wire[..], b"");
        read.limits = limits;
        let mut back = Vec::new();
        (block_on(read.read_to_end(&mut back)), back.len(), read)
    };

    let (result, _, _) = read_all(LIMITS);
    assert_eq!(result.unwrap(), 8_000_000);

    let tight = Limits {
        ratio: 200,
        free: 1_000_000,
    };
    let (result, made, mut read) = read_all(tight);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(made < 4_000_000, "{made}");
    let again = block_on(read.read(&mut [0; 10])).unwrap_err();
    assert!(again.to_string().contains("beyond all measure"));
    let endpoint = crate::Endpoint::new(
        "mail.example.jp",
        993,
        crate::Security::ImplicitTls,
        hikyaku_core::Side::Source,
    );
    let fault = endpoint.link_fault(&again);
    assert_eq!(fault.code, hikyaku_core::Code::ServerExcess);
}

#[test]
fn a_stream_that_the_server_ends_is_an_error_after_its_content() {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"* BYE").unwrap();
    let mut wire = encoder.finish().unwrap();
    wire.extend_from_slice(b"* OK in clear text");
    let mut read = Inflate::new(&wire[..], b"");
    let mut back = Vec::new();
    let error = block_on(read.read_to_end(&mut back)).unwrap_err();
    assert_eq!(
        (back.as_slice(), error.kind()),
        (&b"* BYE"[..], ErrorKind::InvalidData)
    );
}

#[test]
fn debug_text_shows_no_buffer() {
    block_on(async {
        let mut write = Deflate::new(Vec::<u8>::new());
        write.write_all(&[b'p'; 100_000]).await.unwrap();
        assert_eq!(format!("{write:?}"), "Deflate([])");
        let read = Inflate::new(&b""[..], b"planted");
        assert_eq!(format!("{read:?}"), "Inflate([])");
    });
}
