//! A server that says anything at all, from its greeting to the last message.

use crate::{Compress, ImapAccount, ImapOptions};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use hikyaku_core::traits::{Facts, Reader, Source};
use hikyaku_core::{Body, Fault, KeySet, Letter, MailboxInfo, Remedy, Side};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Carrier, Dial, Dialled, Endpoint, Security};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::timeout;

/// Here the server listens until the client has said something.
const LISTEN: u8 = 0xfe;

/// In its place stands the tag of the last command that was heard.
const TAG: u8 = 0xfd;

/// In its place stand [`LARGE`] octets: more than is held of one literal.
const MESSAGE: u8 = 0xfc;

const LARGE: usize = 300 * 1024;

/// The longest that the whole may take; every single wait is a minute or five.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

/// The longest that the server waits for the client to speak.
const HEARING: Duration = Duration::from_secs(10);

/// The password; it must not come back in a fault.
const PLANTED: &str = "planted-5e2f";

/// Messages that are read of one mailbox. A server may claim four thousand million.
const MOST_READ: u64 = 1_000;

/// The first octet says how each connection ends, the rest is what the server says.
///
/// Everything returns in bounded time; what is reported was said; no message is handed
/// out twice, unasked, or with octets that did not come in one piece; the server hears only
/// whole commands that cannot change anything; and no fault holds the secret.
///
/// Returns how many messages were handed out, whole or not.
pub(super) fn dialogue(input: &[u8]) -> usize {
    let [which, script @ ..] = input else {
        return 0;
    };
    let server = Arc::new(Server {
        may_compress: which & 0x20 != 0,
        stays_open: which & 1 != 0,
        play: Mutex::new(Play {
            rest: script.to_vec(),
            said: Vec::new(),
            heard: Vec::new(),
            letters: 0,
        }),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let visit = timeout(PATIENCE, visit(&server, *which)).await;
        match visit.expect("everything returns in time") {
            Ok(()) => {}
            Err(fault) => is_told(&fault),
        }
    });
    drop(runtime);
    if !server.may_compress {
        let play = lock(&server.play);
        for heard in &play.heard {
            commands(heard, &play.said);
        }
    }
    lock(&server.play).letters
}

/// Logs in, lists, opens two mailboxes and reads them.
async fn visit(server: &Arc<Server>, which: u8) -> Result<(), Fault> {
    let mut endpoint = Endpoint::new("mail.example.jp", 143, Security::Plain, Side::Source);
    endpoint.dial = Some(Arc::new(Dialler(Arc::clone(server))));
    let credentials = match which & 0x10 {
        0 => Credentials::password("taro", PLANTED),
        _ => Credentials::token("taro", PLANTED),
    };
    let mut options = ImapOptions::new(endpoint, credentials);
    if server.may_compress {
        options.compress = Compress::Auto;
    }
    let account = ImapAccount::connect(options).await?;
    server.has_said(&[b"OK", b"PREAUTH"]);
    let mailboxes = account.mailboxes().await?;
    assert!(
        mailboxes.iter().is_sorted_by_key(|m| &m.name),
        "{mailboxes:?}"
    );
    for mailbox in mailboxes.iter().filter(|m| m.selectable).take(2) {
        match account.open(mailbox).await {
            Ok(mut reader) => {
                server.has_said(&[b"OK"]);
                read(server, mailbox, reader.as_mut()).await?;
            }
            Err(fault) => is_told(&fault),
        }
    }
    account.quota().await?;
    account.close().await;
    Ok(())
}

async fn read(
    server: &Server,
    mailbox: &MailboxInfo,
    reader: &mut dyn Reader,
) -> Result<(), Fault> {
    let all = reader.keys().await?;
    let keys = all.clone().take_front(MOST_READ);
    let facts = Facts {
        flags: true,
        date: true,
        octets: true,
        head: true,
    };
    let mut came = KeySet::new();
    let mut listed = reader.list(&keys, facts);
    while let Some(row) = listed.next().await {
        match row {
            Ok(row) => is_new(&mut came, row.key, &keys, mailbox),
            Err(fault) => is_told(&fault),
        }
    }
    drop(listed);
    assert!(
        server.may_have_said(b"FETCH", came.len()),
        "rows that nobody sent"
    );
    let mut came = KeySet::new();
    let mut letters = reader.read(&keys);
    while let Some(letter) = letters.next().await {
        match letter {
            Ok(letter) => {
                is_new(&mut came, letter.key, &keys, mailbox);
                lock(&server.play).letters += 1;
                is_whole(server, letter).await;
            }
            Err(fault) => is_told(&fault),
        }
    }
    drop(letters);
    assert!(
        server.may_have_said(b"FETCH", came.len()),
        "messages that nobody sent"
    );
    if let Some(key) = keys.first() {
        reader.head(key).await?;
    }
    Ok(())
}

fn is_new(came: &mut KeySet, key: hikyaku_core::Key, asked: &KeySet, mailbox: &MailboxInfo) {
    assert!(!came.contains(key), "{key:?} of {mailbox:?} came twice");
    assert!(
        asked.contains(key),
        "{key:?} of {mailbox:?} was not asked for"
    );
    came.insert(key);
}

/// The octets of a message stand in what the server said, in one piece.
async fn is_whole(server: &Server, letter: Letter) {
    let octets = match letter.body {
        Body::Held(octets) => octets.to_vec(),
        Body::Streamed {
            octets: announced,
            mut chunks,
        } => {
            let mut octets = Vec::new();
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) => octets.extend_from_slice(&chunk),
                    // Given up half-way, and said so.
                    Err(fault) => return is_told(&fault),
                }
            }
            assert_eq!(octets.len() as u64, announced, "a message that is cut off");
            octets
        }
    };
    if server.may_compress {
        return;
    }
    let play = lock(&server.play);
    // Quoted strings are read without their backslashes.
    let is_there = |said: &Vec<u8>| memchr::memmem::find(said, &octets).is_some();
    assert!(
        play.said
            .iter()
            .any(|said| is_there(said) || said.contains(&b'\\')),
        "octets that were not sent: {}",
        octets.escape_ascii()
    );
}

fn is_told(fault: &Fault) {
    assert_ne!(fault.remedy, Remedy::Bug, "{fault:?}");
    let shown = format!("{fault:?} {fault}");
    assert!(
        !shown.contains(PLANTED) && !shown.contains("cGxhbnRlZC01ZTJm"),
        "{shown}"
    );
    let said = fault.said.as_ref().map(ToString::to_string);
    assert!(
        !said.unwrap_or_default().contains(char::is_control),
        "{fault:?}"
    );
}

/// What was heard on one connection: whole lines, each a command that only reads.
fn commands(heard: &[u8], said: &[Vec<u8>]) {
    const READING: [&[u8]; 16] = [
        b"CAPABILITY",
        b"NOOP",
        b"LOGOUT",
        b"LOGIN ",
        b"AUTHENTICATE ",
        b"ID ",
        b"ENABLE ",
        b"NAMESPACE",
        b"LIST ",
        b"LSUB ",
        b"STATUS ",
        b"EXAMINE ",
        b"UID SEARCH ",
        b"UID FETCH ",
        b"GETQUOTAROOT ",
        b"COMPRESS ",
    ];
    let mut rest = heard;
    let mut last = 0;
    let mut answers = false;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        let (line, after) = (&rest[..at], &rest[at + 2..]);
        rest = after;
        match tagged(line) {
            Some((tag, command)) => {
                assert!(tag > last, "tags out of order: {}", heard.escape_ascii());
                last = tag;
                assert!(
                    READING.iter().any(|known| command.starts_with(known)),
                    "the source heard {}",
                    line.escape_ascii()
                );
                answers = command.starts_with(b"AUTHENTICATE ");
            }
            None => assert!(answers, "no command: {}", heard.escape_ascii()),
        }
        // An argument as a literal; the command goes on behind it, if the server wants it.
        let announced = line.strip_suffix(b"}").and_then(|line| {
            let digits = line.rsplit(|octet| *octet == b'{').next()?;
            std::str::from_utf8(digits).ok()?.parse::<usize>().ok()
        });
        let Some(octets) = announced else { continue };
        // Where the server did not want it, the next command follows instead. A name may look like one; then it is what
        // the server itself has called a mailbox.
        let is_name = rest.get(..octets).is_some_and(|name| {
            let calls_it = |said: &Vec<u8>| memchr::memmem::find(said, name).is_some();
            !name.is_empty() && said.iter().any(calls_it)
        });
        if is_name || tagged(rest).is_none_or(|(tag, _)| tag <= last) {
            rest = rest.get(octets..).unwrap_or_default();
            let end = memchr::memmem::find(rest, b"\r\n").map_or(rest.len(), |at| at + 2);
            rest = &rest[end..];
        }
    }
}

/// `h7 REST`.
fn tagged(line: &[u8]) -> Option<(u64, &[u8])> {
    let line = line.strip_prefix(b"h")?;
    let end = line.iter().position(|octet| *octet == b' ')?;
    let tag = std::str::from_utf8(&line[..end]).ok()?.parse().ok()?;
    Some((tag, &line[end + 1..]))
}

/// The server: all connections share what is left of the script.
#[derive(Debug)]
struct Server {
    /// Whether compression is wished for. Then octets differ from what they mean.
    may_compress: bool,
    /// What comes when everything is said: silence or the end.
    stays_open: bool,
    play: Mutex<Play>,
}

#[derive(Debug)]
struct Play {
    rest: Vec<u8>,
    /// By connection.
    said: Vec<Vec<u8>>,
    heard: Vec<Vec<u8>>,
    /// Messages that were handed out.
    letters: usize,
}

impl Server {
    fn has_said(&self, words: &[&[u8]]) {
        assert!(
            words.iter().any(|word| self.may_have_said(word, 1)),
            "a success that nobody spoke of"
        );
    }

    /// Whether a word was said so often.
    fn may_have_said(&self, word: &[u8], times: u64) -> bool {
        let said = lock(&self.play).said.concat().to_ascii_uppercase();
        self.may_compress || memchr::memmem::find_iter(&said, word).count() as u64 >= times
    }

    async fn serve(self: Arc<Self>, mut stream: DuplexStream) {
        let number = {
            let mut play = lock(&self.play);
            play.said.push(Vec::new());
            play.heard.push(Vec::new());
            play.said.len() - 1
        };
        let mut buffer = [0; 4096];
        while let Some(line) = self.next(number) {
            if stream.write_all(&line).await.is_err() {
                return;
            }
            match timeout(HEARING, stream.read(&mut buffer)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(octets)) => {
                    lock(&self.play).heard[number].extend_from_slice(&buffer[..octets]);
                }
                Err(_) => {}
            }
        }
        if self.stays_open {
            while let Ok(octets @ 1..) = stream.read(&mut buffer).await {
                lock(&self.play).heard[number].extend_from_slice(&buffer[..octets]);
            }
        }
    }

    /// What is said next, up to and without [`LISTEN`].
    fn next(&self, number: usize) -> Option<Vec<u8>> {
        let mut play = lock(&self.play);
        if play.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(LISTEN, &play.rest);
        let behind = end.map_or(play.rest.len(), |at| at + 1);
        let words: Vec<u8> = play.rest.drain(..behind).collect();
        let tag = play.heard[number]
            .rsplit(|octet| *octet == b'\n')
            .find_map(|line| Some(tagged(line)?.0))
            .unwrap_or(0);
        let mut line = Vec::new();
        for octet in words {
            match octet {
                LISTEN => {}
                TAG => line.extend(format!("h{tag}").bytes()),
                // A few are as good as many.
                MESSAGE if line.len() < 3 * LARGE => line.resize(line.len() + LARGE, b'm'),
                _ => line.push(octet),
            }
        }
        play.said[number].extend_from_slice(&line);
        Some(line)
    }
}

/// Connects to the server.
#[derive(Debug)]
struct Dialler(Arc<Server>);

impl Dial for Dialler {
    fn dial<'a>(&'a self, _: &'a Endpoint) -> BoxFuture<'a, io::Result<Dialled>> {
        async move {
            let is_over = {
                let rest = &mut lock(&self.0.play).rest;
                // A greeting that does not come is another story: the port is tried for TLS.
                let quiet = rest.iter().take_while(|octet| **octet == LISTEN).count();
                rest.drain(..quiet);
                rest.is_empty()
            };
            if is_over {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(Arc::clone(&self.0).serve(theirs));
            Ok(Dialled {
                carrier: Box::new(Line(Some(ours))),
                address: ([192, 0, 2, 1], 143).into(),
            })
        }
        .boxed()
    }
}

/// The client's end of a connection; `None` after it was cut off.
#[derive(Debug)]
struct Line(Option<DuplexStream>);

impl Line {
    fn stream(&mut self) -> io::Result<Pin<&mut DuplexStream>> {
        let cut = io::ErrorKind::ConnectionAborted;
        self.0.as_mut().map(Pin::new).ok_or_else(|| cut.into())
    }
}

impl Carrier for Line {
    fn reset(&mut self) {
        self.0 = None;
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut().stream() {
            Ok(stream) => stream.poll_read(cx, buf),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut().stream() {
            Ok(stream) => stream.poll_write(cx, buf),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut().stream() {
            Ok(stream) => stream.poll_flush(cx),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut().stream() {
            Ok(stream) => stream.poll_shutdown(cx),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }
}

fn lock(play: &Mutex<Play>) -> std::sync::MutexGuard<'_, Play> {
    play.lock().unwrap_or_else(PoisonError::into_inner)
}
