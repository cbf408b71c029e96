//! The fastest copy that the two servers allow: raw pipelined FETCH, and MULTIAPPEND of the same messages at once.
//!
//! This is no mail program. It knows in advance what there is, remembers nothing, checks nothing but the servers' OK, and
//! takes every answer for well-formed; nothing that must be right can be faster. It is one row's measure of how much time
//! hikyaku itself costs.
//!
//! ```text
//!  source ──► reader: cuts FETCH lines, writes APPEND commands ──► bounded channel ──► writer ──► destination
//!                                                                       answers ◄───────────────────┘
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// One end: where, and who.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) address: SocketAddr,
    pub(super) user: String,
    pub(super) password: String,
}

/// A mailbox to copy, as its name stands on the wire.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) wire: String,
    pub(super) messages: usize,
    pub(super) octets: u64,
}

/// Connections to each side, in turn: which is fastest depends on machine and mail.
const LANES: [usize; 3] = [4, 1, 2];
/// Messages of one MULTIAPPEND, and its octets.
const BATCH: (usize, usize) = (100, 8 << 20);
/// Octets that go from reader to writer at once.
const PIECE: usize = 1 << 20;

/// Copies all mailboxes into an account that has none of them, and returns the number of messages.
pub(super) fn copy(
    source: &End,
    destination: &End,
    mailboxes: &[Load],
    repetition: usize,
) -> Result<usize> {
    let lanes = spread(mailboxes, LANES[repetition % LANES.len()]);
    std::thread::scope(|scope| {
        let running: Vec<_> = lanes
            .iter()
            .map(|mailboxes| scope.spawn(|| lane(source, destination, mailboxes)))
            .collect();
        let mut messages = 0;
        for lane in running {
            messages += lane.join().map_err(|_| anyhow::anyhow!("a lane died"))??;
        }
        Ok(messages)
    })
}

/// Gives each mailbox, the largest first, to the lane that has least to do.
fn spread(mailboxes: &[Load], lanes: usize) -> Vec<Vec<&Load>> {
    // A message costs its octets and about as much again as 20 kB.
    let cost = |load: &Load| load.octets + 20_000 * load.messages as u64;
    let mut sorted: Vec<&Load> = mailboxes.iter().collect();
    sorted.sort_by_key(|load| std::cmp::Reverse(cost(load)));
    let mut lanes = vec![(0, Vec::new()); lanes.min(mailboxes.len())];
    for load in sorted {
        if let Some((sum, lane)) = lanes.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += cost(load);
            lane.push(load);
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// Copies some mailboxes one after the other over a pair of connections.
fn lane(source: &End, destination: &End, mailboxes: &[&Load]) -> Result<usize> {
    let (mut from, to) = (Connection::open(source)?, Connection::open(destination)?);
    let (from_closer, to_closer) = (from.writer.try_clone()?, to.writer.try_clone()?);
    let (pieces, queue) = sync_channel(8);
    from.log_in(source)?;
    let mut to_lines = to.log_in_later(destination)?;
    let mut commands = String::new();
    for load in mailboxes {
        commands += &format!(
            "e EXAMINE \"{}\"\r\nf UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n",
            load.wire
        );
    }
    from.writer.write_all(commands.as_bytes())?;
    let (read, written, answered) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let read = read(&mut from, mailboxes, pieces);
            if read.is_err() {
                to_closer.shutdown(Shutdown::Both).ok();
            }
            read
        });
        let answers = scope.spawn(|| {
            let answered = answers(&mut to_lines);
            if answered.is_err() {
                to_closer.shutdown(Shutdown::Both).ok();
            }
            answered
        });
        let written = write(&to.writer, queue);
        if written.is_err() {
            from_closer.shutdown(Shutdown::Both).ok();
        }
        (reader.join(), written, answers.join())
    });
    let died = |_| anyhow::anyhow!("a thread died");
    // The first cause is told: a refused command ends reading and writing too.
    answered.map_err(died)?.context("the limit's destination")?;
    let messages = read.map_err(died)?.context("the limit's source")?;
    written.context("the limit's writer")?;
    Ok(messages)
}

struct Connection {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Connection {
    fn open(end: &End) -> Result<Self> {
        let writer = TcpStream::connect(end.address)?;
        writer.set_nodelay(true)?;
        writer.set_read_timeout(Some(Duration::from_secs(120)))?;
        writer.set_write_timeout(Some(Duration::from_secs(120)))?;
        let reader = BufReader::with_capacity(256 << 10, writer.try_clone()?);
        Ok(Self { reader, writer })
    }

    /// Sends LOGIN without waiting for the greeting, and waits for the answer.
    fn log_in(&mut self, end: &End) -> Result<()> {
        self.send_login(end)?;
        let mut line = Vec::new();
        loop {
            next_line(&mut self.reader, &mut line)?;
            if line.starts_with(b"l ") {
                return expect_ok(&line);
            }
        }
    }

    /// Sends LOGIN; whoever reads the answers finds its answer first.
    fn log_in_later(&self, end: &End) -> Result<BufReader<TcpStream>> {
        self.send_login(end)?;
        Ok(BufReader::new(self.reader.get_ref().try_clone()?))
    }

    fn send_login(&self, end: &End) -> Result<()> {
        let line = format!("l LOGIN \"{}\" \"{}\"\r\n", end.user, end.password);
        (&self.writer).write_all(line.as_bytes())?;
        Ok(())
    }
}

/// Turns answers of the source into commands for the destination.
fn read(from: &mut Connection, mailboxes: &[&Load], pieces: SyncSender<Vec<u8>>) -> Result<usize> {
    let mut out = Commands {
        pieces,
        pending: Vec::with_capacity(PIECE + PIECE / 4),
        messages: 0,
        octets: 0,
    };
    let mut line = Vec::new();
    let mut total = 0;
    for load in mailboxes {
        if load.wire != "INBOX" {
            out.line(&format!("c CREATE \"{}\"", load.wire));
        }
        out.line(&format!("s SUBSCRIBE \"{}\"", load.wire));
        out.line(&format!("o SELECT \"{}\"", load.wire));
        loop {
            next_line(&mut from.reader, &mut line)?;
            if line.starts_with(b"f ") {
                expect_ok(&line)?;
                break;
            } else if line.starts_with(b"e ") {
                expect_ok(&line)?;
            } else if let Some(octets) = literal(&line) {
                let text = std::str::from_utf8(&line)?;
                out.message(&load.wire, text, octets, &mut from.reader)?;
                total += 1;
            }
        }
        out.end_batch()?;
    }
    out.line("z LOGOUT");
    out.send()?;
    Ok(total)
}

/// Commands for the destination as they grow.
struct Commands {
    pieces: SyncSender<Vec<u8>>,
    pending: Vec<u8>,
    /// Messages and octets of the APPEND that is not ended yet.
    messages: usize,
    octets: usize,
}

impl Commands {
    fn line(&mut self, line: &str) {
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.extend_from_slice(b"\r\n");
    }

    /// Adds a message whose octets follow in `source`, and the rest of its FETCH answer after them.
    fn message(
        &mut self,
        wire: &str,
        fetched: &str,
        octets: usize,
        source: &mut BufReader<TcpStream>,
    ) -> Result<()> {
        if self.messages == 0 {
            self.pending
                .extend_from_slice(format!("a APPEND \"{wire}\"").as_bytes());
        }
        let flags = between(fetched, "FLAGS (", ')').context("FETCH without FLAGS")?;
        let flags: Vec<&str> = flags
            .split(' ')
            .filter(|flag| *flag != "\\Recent")
            .collect();
        let date = between(fetched, "INTERNALDATE \"", '"').context("FETCH without a date")?;
        let head = format!(" ({}) \"{date}\" {{{octets}+}}\r\n", flags.join(" "));
        self.pending.extend_from_slice(head.as_bytes());
        let mut left = octets;
        while left > 0 {
            let wanted = left.min(PIECE);
            let got = source.take(wanted as u64).read_to_end(&mut self.pending)?;
            ensure!(got == wanted, "the source broke off");
            left -= got;
            if self.pending.len() >= PIECE {
                self.send()?;
            }
        }
        let mut rest = Vec::new();
        next_line(source, &mut rest)?;
        ensure!(rest == b")", "items after the message's octets");
        self.messages += 1;
        self.octets += octets;
        if self.messages >= BATCH.0 || self.octets >= BATCH.1 {
            self.end_batch()?;
        }
        Ok(())
    }

    fn end_batch(&mut self) -> Result<()> {
        if self.messages > 0 {
            self.pending.extend_from_slice(b"\r\n");
        }
        (self.messages, self.octets) = (0, 0);
        self.send()
    }

    fn send(&mut self) -> Result<()> {
        let full = std::mem::replace(&mut self.pending, Vec::with_capacity(PIECE + PIECE / 4));
        self.pieces.send(full).context("the writer has ended")
    }
}

fn write(mut to: &TcpStream, queue: Receiver<Vec<u8>>) -> Result<()> {
    for piece in queue {
        to.write_all(&piece)?;
    }
    Ok(())
}

/// Reads the destination's answers up to that of LOGOUT; every tagged one must be OK.
fn answers(lines: &mut BufReader<TcpStream>) -> Result<()> {
    let mut line = Vec::new();
    loop {
        next_line(lines, &mut line)?;
        if !line.starts_with(b"*") {
            expect_ok(&line)?;
            if line.starts_with(b"z ") {
                return Ok(());
            }
        }
    }
}

/// Reads a line without its end.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<()> {
    line.clear();
    reader.read_until(b'\n', line)?;
    if !line.ends_with(b"\r\n") {
        bail!("the server closed the connection");
    }
    line.truncate(line.len() - 2);
    Ok(())
}

fn expect_ok(line: &[u8]) -> Result<()> {
    let status = line.split(|octet| *octet == b' ').nth(1);
    ensure!(status == Some(b"OK"), "{}", String::from_utf8_lossy(line));
    Ok(())
}

/// The length of the literal that begins after this line.
fn literal(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let brace = inner.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&inner[brace + 1..]).ok()?.parse().ok()
}

fn between<'a>(text: &'a str, before: &str, end: char) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(end)?.0)
}
