//! How fast a backup is written and read: `speed DIR [MESSAGES [OCTETS]]`, one folder, each format.
//!
//! The messages come from memory, so this measures the backup alone: hashing, files, manifest.

use bytes::Bytes;
use futures::StreamExt;
use hikyaku_backup::{BackupDestination, BackupSource, Format, check};
use hikyaku_core::traits::{Appended, Destination, Gate, Source};
use hikyaku_core::{Body, Flags, InternalDate, Key, Letter, MailboxName};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

struct Open;

impl Gate for Open {
    fn is_open(&self) -> bool {
        true
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |n: usize, usual: usize| {
        arguments
            .get(n)
            .and_then(|a| a.parse().ok())
            .unwrap_or(usual)
    };
    let directory = Path::new(
        arguments
            .get(1)
            .map_or("/dev/shm/hikyaku-speed", String::as_str),
    );
    let (messages, octets) = (number(2, 40_000), number(3, 12_000));
    for format in Format::ALL {
        let path = directory.join(format.as_str());
        let written = write(&path, format, messages, octets).await;
        let read = read(&path).await;
        let start = Instant::now();
        let checked = check(&path, &mut |_| {}).expect("checked");
        assert!(checked.is_whole() && checked.messages == messages as u64);
        let all = checked.octets as f64 / 1e6;
        let per_second = |seconds: f64| all / seconds;
        say(&format!(
            "{format}: written {:.0} MB/s, read {:.0} MB/s, checked {:.0} MB/s",
            per_second(written),
            per_second(read),
            per_second(start.elapsed().as_secs_f64()),
        ));
    }
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn say(text: &str) {
    println!("{text}");
}

async fn write(path: &Path, format: Format, messages: usize, octets: usize) -> f64 {
    let line = "From time to time a line of a message is as long as this one is.\r\n";
    let body = line.repeat(octets / line.len());
    let backup = BackupDestination::open(path, Some(format)).expect("an empty directory");
    let info = backup
        .ensure(&MailboxName::inbox(), None, true)
        .await
        .expect("made");
    let mut writer = backup.write(&info).await.expect("opened");
    let start = Instant::now();
    let mut waiting = std::collections::VecDeque::new();
    for from in (0..messages).step_by(100) {
        let letter = |n: usize| Letter {
            key: Key(n as u64 + 1),
            flags: Flags::parse("\\Seen"),
            date: Some(InternalDate::utc(1_700_000_000)),
            body: Body::Held(Bytes::from(format!("Subject: {n}\r\n\r\n{body}"))),
        };
        let letters = (from..messages.min(from + 100)).map(letter).collect();
        waiting.push_back(
            writer
                .append(letters, Arc::new(Open))
                .await
                .expect("queued"),
        );
        if waiting.len() > 3 {
            let answer = waiting.pop_front().expect("one").await;
            assert!(matches!(answer, Appended::Stored { .. }), "{answer:?}");
        }
    }
    for pending in waiting {
        assert!(matches!(pending.await, Appended::Stored { .. }));
    }
    let seconds = start.elapsed().as_secs_f64();
    drop(writer);
    backup.close().await;
    seconds
}

async fn read(path: &Path) -> f64 {
    let backup = BackupSource::open(path).expect("opened");
    let start = Instant::now();
    for info in backup.mailboxes().await.expect("listed") {
        let mut reader = backup.open(&info).await.expect("opened");
        let keys = reader.keys().await.expect("keys");
        let mut flow = reader.read(&keys);
        while let Some(letter) = flow.next().await {
            letter.expect("a letter");
        }
    }
    start.elapsed().as_secs_f64()
}
