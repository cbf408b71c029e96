//! Memory under servers that flood: at most 128 MiB above idle, whatever they send. Alone
//! in its process, so that the measure is its own.

use flate2::{Compress as Deflate, Compression, FlushCompress};
use futures::StreamExt;
use hikyaku_core::traits::{Facts, Source};
use hikyaku_core::{Fault, KeySet, MailboxInfo, MailboxName, Side, WireName};
use hikyaku_imap::{Compress, ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Above idle, in octets (fault model, section 6).
const MOST: u64 = 128 << 20;

/// The most memory that this process ever had, in octets.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .expect("a peak");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse::<u64>().expect("a number") * 1024
}

/// What a server says again and again in place of an answer to a command.
struct Flood {
    name: &'static str,
    /// The command that it answers so.
    to: &'static str,
    /// Said once.
    start: String,
    /// The n-th of what follows.
    more: fn(u64) -> String,
    compressed: bool,
}

fn x(count: usize) -> String {
    "x".repeat(count)
}

fn floods() -> Vec<Flood> {
    let flood = |name, to, start: &str, more| Flood {
        name,
        to,
        start: start.to_owned(),
        more,
        compressed: false,
    };
    let text = |_| x(1 << 16);
    vec![
        flood("a line without end", "LIST", "* LIST () \"/\" \"", text),
        flood(
            "a literal of 4 GiB",
            "UID FETCH",
            "* 1 FETCH (UID 1 FLAGS () BODY[] {4294967296}\r\n",
            text,
        ),
        flood(
            "a held literal without end",
            "LIST",
            "* LIST () \"/\" {4294967295}\r\n",
            text,
        ),
        flood("a million mailboxes", "LIST", "", |n| {
            format!("* LIST (\\HasNoChildren) \"/\" \"clients/{n}\"\r\n")
        }),
        flood("a million words for each mailbox", "LIST", "", |n| {
            format!("* LIST ({}) \"/\" \"{n}\"\r\n", "\\a ".repeat(20_000))
        }),
        flood("mailboxes among much else", "LIST", "", |n| {
            format!("* LIST () \"/\" \"{n}\"\r\n* OK {}\r\n", x(250_000))
        }),
        flood("untagged lines without end", "UID FETCH", "", |_| {
            "* OK still at it\r\n* 17 EXISTS\r\n".repeat(1000)
        }),
        flood("flags without end", "UID FETCH", "", |n| {
            let flags: Vec<String> = (0..4_000).map(|k| format!("k{k}")).collect();
            format!("* {n} FETCH (UID {n} FLAGS ({}))\r\n", flags.join(" "))
        }),
        flood("headers without end", "UID FETCH", "", |n| {
            let uid = n % 2_000 + 1;
            let text = x(250_000);
            format!("* {n} FETCH (UID {uid} BODY[HEADER] {{250000}}\r\n{text})\r\n")
        }),
        flood("numbers without order", "UID SEARCH", "* SEARCH", |_| {
            " 1 3".repeat(10_000)
        }),
        Flood {
            compressed: true,
            ..flood("a deflate bomb", "LIST", "", |_| {
                format!("* OK {}\r\n", x(1 << 20))
            })
        },
    ]
}

/// Serves one connection: everything in order, up to the command of the flood.
fn serve(stream: TcpStream, flood: &Flood) -> Option<()> {
    let capabilities = "IMAP4rev1 ESEARCH LIST-EXTENDED LIST-STATUS COMPRESS=DEFLATE";
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    write!(stream, "* OK [CAPABILITY {capabilities}] hello\r\n").ok()?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let (tag, command) = line.trim_end().split_once(' ')?;
        if flood.compressed && command == "COMPRESS DEFLATE" {
            write!(stream, "{tag} OK go\r\n").ok()?;
            return bomb(stream, reader, flood);
        }
        if command.starts_with(flood.to) {
            stream.write_all(flood.start.as_bytes()).ok()?;
            for n in 1.. {
                stream.write_all((flood.more)(n).as_bytes()).ok()?;
            }
        }
        let data = if command.starts_with("LIST") {
            "* LIST () \"/\" INBOX\r\n"
        } else if command.starts_with("EXAMINE") {
            "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n"
        } else if command.starts_with("UID SEARCH") {
            "* ESEARCH UID ALL 1:3\r\n"
        } else {
            ""
        };
        write!(
            stream,
            "{data}{tag} OK [CAPABILITY {capabilities}] done\r\n"
        )
        .ok()?;
    }
}

/// The same, compressed a thousandfold.
fn bomb(mut stream: TcpStream, mut reader: BufReader<TcpStream>, flood: &Flood) -> Option<()> {
    // Whatever is asked for is compressed too; it need not be understood.
    let mut asked = [0; 1];
    reader.read_exact(&mut asked).ok()?;
    let mut deflate = Deflate::new(Compression::best(), false);
    let text = (flood.more)(1);
    loop {
        let mut packed = Vec::with_capacity(1 << 16);
        let before = deflate.total_in();
        while deflate.total_in() - before < text.len() as u64 {
            let done = (deflate.total_in() - before) as usize;
            packed.reserve(1 << 16);
            deflate
                .compress_vec(&text.as_bytes()[done..], &mut packed, FlushCompress::Sync)
                .ok()?;
        }
        stream.write_all(&packed).ok()?;
    }
}

/// Everything that reads of an account, until something fails.
async fn read(options: ImapOptions) -> Result<(), Fault> {
    let account = ImapAccount::connect(options).await?;
    let inbox = MailboxInfo {
        name: MailboxName::inbox(),
        wire: WireName::new("INBOX"),
        role: None,
        selectable: true,
        subscribed: true,
        no_children: false,
        state: None,
    };
    account.mailboxes().await?;
    let mut reader = account.open(&inbox).await?;
    reader.keys().await?;
    let keys = KeySet::range(1..=2_000);
    let facts = Facts {
        flags: true,
        head: true,
        ..Facts::default()
    };
    let mut listed = reader.list(&keys, facts);
    while let Some(listing) = listed.next().await {
        listing?;
    }
    Ok(())
}

#[tokio::test]
async fn no_flood_takes_more_memory_than_is_allowed() {
    let idle = peak();
    for flood in floods() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let name = flood.name;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &flood);
            }
        });
        let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, Side::Source);
        let mut options = ImapOptions::new(endpoint, Credentials::password("taro", "secret"));
        options.compress = match name {
            "a deflate bomb" => Compress::Auto,
            _ => Compress::Off,
        };
        let fault = read(options).await.expect_err(name);
        let above = peak().saturating_sub(idle);
        assert_eq!(
            fault.code,
            hikyaku_core::Code::ServerExcess,
            "{name}: {fault}"
        );
        assert!(above <= MOST, "{name}: {} MiB above idle", above >> 20);
    }
}
