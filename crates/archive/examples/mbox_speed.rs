//! How fast an mbox is scanned and read: `cargo run --release -p hikyaku-archive --example
//! mbox_speed [MESSAGES] [OCTETS]` makes one of so many messages of so many octets and
//! tells seconds and megabytes per second, beside Python's `mailbox` where there is Python.
#![allow(clippy::print_stdout)]

use anyhow::{Context, Result};
use futures::StreamExt;
use hikyaku_archive::{Archive, Kind, Options};
use hikyaku_core::Body;
use hikyaku_core::traits::Source;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mut number = |usual: usize| args.next().map_or(Ok(usual), |text| text.parse());
    let (messages, octets) = (number(40_000)?, number(10_000)?);
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("speed.mbox");
    write(&path, messages, octets)?;
    let size = std::fs::metadata(&path)?.len();
    println!("{messages} messages, {} MB", size / 1_000_000);

    let source = Archive::open(Kind::Mbox, &path, Options::default())?;
    let start = Instant::now();
    let info = source.mailboxes().await?.pop().context("one folder")?;
    tell("scan", start.elapsed(), size);

    let mut reader = source.open(&info).await?;
    let keys = reader.keys().await?;
    let start = Instant::now();
    let (mut count, mut sum) = (0, 0);
    let mut flow = reader.read(&keys);
    while let Some(letter) = flow.next().await {
        let letter = letter?;
        count += 1;
        sum += letter.body.octets();
        if let Body::Streamed { mut chunks, .. } = letter.body {
            while let Some(chunk) = chunks.next().await {
                chunk?;
            }
        }
    }
    tell("read", start.elapsed(), size);
    anyhow::ensure!(
        count == messages && sum > size / 2,
        "not everything was read"
    );

    let program = "import mailbox,sys; print(len(mailbox.mbox(sys.argv[1])))";
    let start = Instant::now();
    let python = std::process::Command::new("python3")
        .args(["-c", program])
        .arg(&path)
        .output();
    match python {
        Ok(done) if done.status.success() => tell("Python's mailbox: scan", start.elapsed(), size),
        _ => println!("there is no Python to compare with"),
    }
    Ok(())
}

fn tell(what: &str, time: Duration, size: u64) {
    let seconds = time.as_secs_f64();
    println!(
        "{what}: {seconds:.3} s, {:.0} MB/s",
        size as f64 / 1e6 / seconds
    );
}

fn write(path: &Path, messages: usize, octets: usize) -> Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    let line = "c29tZSBvY3RldHMgb2YgYW4gYXR0YWNobWVudCwgYXMgdGhleSBhcmUgaW4gbWFpbCBzbyBvZnRlbg\n";
    for n in 0..messages {
        writeln!(
            out,
            "From a@example.jp Mon Apr  1 00:00:00 2024\nMessage-ID: <{n}@example.jp>\n\
            Date: Mon, 1 Apr 2024 09:00:00 +0900\nSubject: message {n}\n"
        )?;
        for _ in 0..octets / line.len() {
            out.write_all(line.as_bytes())?;
        }
        writeln!(out)?;
    }
    Ok(out.flush()?)
}
