//! Uploads on a real disk, with time that a test moves and children in this process.

mod here;

use super::*;
use crate::jobs::{Jobs, Secrets};
use crate::seal::Key;
use crate::web::tests::site::Hand;
use bytes::Bytes;
pub(crate) use here::Here;
use hikyaku_cell::wire::SawWire;
use hikyaku_ledger::Store;
use std::time::Duration;

struct Scene {
    home: tempfile::TempDir,
    clock: Arc<Hand>,
    uploads: Uploads,
    jobs: Jobs,
}

impl Scene {
    async fn new(change: impl FnOnce(&mut config::Uploads)) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let clock = Hand::new();
        let mut limits = config::Uploads {
            reserve_octets: 0,
            ..config::Uploads::default()
        };
        change(&mut limits);
        let root = home.path().join("uploads");
        let uploads = Uploads::new(root, limits, clock.clone(), Arc::new(Here));
        let store = Store::open_in_memory().await.expect("a store");
        let jobs = Jobs::with_clock(store, Key::random(), clock.clone());
        Self {
            home,
            clock,
            uploads,
            jobs,
        }
    }

    fn later(&self, hours: u64) {
        self.clock.forward(Duration::from_secs(hours * 3600));
    }

    /// What is kept on the disk: how many uploads.
    fn kept(&self) -> usize {
        let root = self.home.path().join("uploads");
        std::fs::read_dir(root).map_or(0, Iterator::count)
    }

    async fn begun(&self, owner: &Owner, name: &str, octets: u64) -> Upload {
        let begun = self.uploads.begin(owner, wanted(name, octets)).await;
        begun.expect("begun")
    }
}

fn taro() -> Owner {
    Owner {
        brand: "hikyaku".into(),
        address: "Taro@example.jp".into(),
    }
}

fn hanako() -> Owner {
    Owner {
        brand: "hikyaku".into(),
        address: "hanako@example.jp".into(),
    }
}

fn wanted(name: &str, octets: u64) -> Wanted {
    Wanted {
        name: name.into(),
        octets,
        modified: 7,
        fresh: false,
        most: None,
    }
}

#[tokio::test]
async fn a_file_comes_in_parts_and_goes_on_where_it_stopped() {
    let scene = Scene::new(|_| ()).await;
    let (uploads, taro) = (&scene.uploads, taro());
    let begun = scene.begun(&taro, "a.mbox", 10).await;
    let id = begun.record.id;
    let put = async |at, octets: &'static [u8]| {
        let put = uploads.put(&taro, id, at, Bytes::from_static(octets)).await;
        put.map(|upload| upload.held)
    };
    assert_eq!(put(0, b"01234").await, Ok(5));
    assert_eq!(put(6, b"6").await, Err(Refusal::Offset(5)), "a hole");
    assert_eq!(
        put(5, b"567890").await,
        Err(Refusal::Offset(5)),
        "beyond the end"
    );
    assert_eq!(put(u64::MAX, b"5").await, Err(Refusal::Offset(5)));
    assert_eq!(put(0, b"01234").await, Ok(5), "the same once more");
    assert_eq!(put(3, b"34567").await, Ok(8), "it begins in what is there");
    assert_eq!(put(3, b"3x567").await, Err(Refusal::Other));
    // The browser was closed; whoever chooses the file again goes on.
    assert_eq!(scene.begun(&taro, "a.mbox", 10).await.held, 8);
    for (name, octets, modified) in [("b.mbox", 10, 7), ("a.mbox", 11, 7), ("a.mbox", 10, 8)] {
        let other = Wanted {
            modified,
            ..wanted(name, octets)
        };
        let begun = uploads.begin(&taro, other).await.expect("begun");
        assert_eq!(begun.held, 0, "another file");
        uploads
            .remove(&taro, begun.record.id)
            .await
            .expect("removed");
    }
    assert_eq!(put(8, b"89").await, Ok(10));
    let file = scene.home.path().join("uploads").join(id.to_string());
    let file = std::fs::read(file.join("hikyaku-upload.mbox"));
    assert_eq!(file.expect("a file"), b"0123456789");
    let fresh = Wanted {
        fresh: true,
        ..wanted("a.mbox", 10)
    };
    let begun = uploads.begin(&taro, fresh).await.expect("begun");
    assert_eq!((begun.held, scene.kept()), (0, 1), "from the beginning");
    assert_ne!(begun.record.id, id);
}

#[tokio::test]
async fn of_two_parts_for_one_place_one_counts() {
    let scene = Scene::new(|_| ()).await;
    let (uploads, taro) = (&scene.uploads, taro());
    let id = scene.begun(&taro, "a.mbox", 4).await.record.id;
    let (one, other) = tokio::join!(
        uploads.put(&taro, id, 0, Bytes::from_static(b"aaaa")),
        uploads.put(&taro, id, 0, Bytes::from_static(b"bbbb")),
    );
    let outcome = [one, other].map(|put| put.map(|upload| upload.held));
    let (well, refused): (Vec<_>, Vec<_>) = outcome.into_iter().partition(Result::is_ok);
    assert_eq!((well, refused), (vec![Ok(4)], vec![Err(Refusal::Other)]));
}

#[tokio::test]
async fn nobody_else_finds_an_upload() {
    let scene = Scene::new(|_| ()).await;
    let (uploads, taro, hanako) = (&scene.uploads, taro(), hanako());
    let id = scene.begun(&taro, "a.mbox", 4).await.record.id;
    assert_eq!(uploads.find(&hanako, id).await, Err(Refusal::Unknown));
    let put = uploads.put(&hanako, id, 0, Bytes::from_static(b"a")).await;
    assert_eq!(put, Err(Refusal::Unknown));
    assert_eq!(uploads.look(&hanako, id).await, Err(Refusal::Unknown));
    assert_eq!(uploads.remove(&hanako, id).await, Err(Refusal::Unknown));
    assert_eq!(uploads.of(&hanako).await, Ok(Vec::new()));
    assert_eq!(scene.begun(&hanako, "a.mbox", 4).await.held, 0);
    assert_eq!(uploads.of(&taro).await.expect("uploads").len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let root = scene.home.path().join("uploads");
        for directory in [root.clone(), root.join(id.to_string())] {
            let mode = std::fs::metadata(directory)
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }
}

#[tokio::test]
async fn limits_hold() {
    let scene = Scene::new(|limits| {
        limits.most_octets = 100;
        limits.per_owner_octets = 150;
        limits.per_owner = 3;
    })
    .await;
    let (uploads, taro) = (&scene.uploads, taro());
    let begin = async |name, octets, most| {
        let wanted = Wanted {
            most,
            ..wanted(name, octets)
        };
        uploads.begin(&taro, wanted).await.map(|begun| begun.held)
    };
    assert_eq!(begin("a", 0, None).await, Err(Refusal::Empty));
    assert_eq!(begin("a", 101, None).await, Err(Refusal::TooLarge(100)));
    assert_eq!(begin("a", 51, Some(50)).await, Err(Refusal::TooLarge(50)));
    assert_eq!(begin("a", 100, None).await, Ok(0));
    assert_eq!(begin("b", 51, None).await, Err(Refusal::TooMuch(150)));
    assert_eq!(begin("b", 25, None).await, Ok(0));
    assert_eq!(begin("c", 25, None).await, Ok(0));
    assert_eq!(begin("d", 1, None).await, Err(Refusal::TooMany(3)));
    assert_eq!(begin("c", 25, None).await, Ok(0), "the same goes on");
    let full = Scene::new(|limits| limits.reserve_octets = u64::MAX / 2).await;
    let refused = full.uploads.begin(&taro, wanted("a", 1)).await;
    assert_eq!((refused, full.kept()), (Err(Refusal::NoRoom), 0));
}

#[tokio::test]
async fn what_nobody_needs_is_removed() {
    let scene = Scene::new(|limits| limits.unfinished_hours = 48).await;
    let (uploads, taro) = (&scene.uploads, taro());
    let first = scene.begun(&taro, "a.mbox", 4).await.record.id;
    scene.later(40);
    let second = scene.begun(&taro, "b.mbox", 4).await.record.id;
    let put = uploads
        .put(&taro, second, 0, Bytes::from_static(b"b"))
        .await;
    assert_eq!(put.map(|upload| upload.held), Ok(1));
    let sweep = async || uploads.sweep(&scene.jobs).await.expect("swept");
    sweep().await;
    assert_eq!(scene.kept(), 2);
    scene.later(9);
    sweep().await;
    assert_eq!(uploads.find(&taro, first).await, Err(Refusal::Unknown));
    assert!(
        uploads.find(&taro, second).await.is_ok(),
        "something happened"
    );
    // A job reads it: it stays as long as that may go on, however long it takes.
    let order = crate::web::tests::site::order("taro@example.jp");
    let job = scene.jobs.submit(&taro, order, Secrets::default(), "t");
    let job = job.await.expect("a job");
    uploads.assign(&taro, second, job).await.expect("assigned");
    assert_eq!(uploads.remove(&taro, second).await, Err(Refusal::Taken));
    let other = uploads.assign(&taro, second, JobId::random()).await;
    assert_eq!(other, Err(Refusal::Taken));
    scene.later(1_000);
    sweep().await;
    uploads.let_go(&scene.jobs, job).await.expect("looked at");
    assert_eq!(scene.kept(), 1);
    scene.jobs.cancel(&taro, job).await.expect("cancelled");
    uploads.let_go(&scene.jobs, job).await.expect("let go");
    assert_eq!(scene.kept(), 0);
}

#[tokio::test]
async fn a_file_is_looked_into_and_opened_under_the_name_that_it_has_for_people() {
    let scene = Scene::new(|_| ()).await;
    let (uploads, taro) = (&scene.uploads, taro());
    let mbox =
        b"From a@example.jp Mon Nov  2 00:00:00 2026\nFrom: a@example.jp\nSubject: 1\n\nText\n\n";
    let begun = scene
        .begun(&taro, "受信トレイ.mbox", mbox.len() as u64)
        .await;
    let id = begun.record.id;
    assert_eq!(uploads.look(&taro, id).await, Err(Refusal::Offset(0)));
    assert!(
        uploads.way(id, None).open().await.is_err(),
        "it is not whole"
    );
    let put = uploads.put(&taro, id, 0, Bytes::from_static(mbox)).await;
    assert!(put.expect("put").is_whole());
    let record = uploads.look(&taro, id).await.expect("looked into");
    assert_eq!(record.kind.as_deref(), Some("mbox"));
    let Some(Seen::Saw {
        saw: SawWire::Found(kinds),
        folders,
    }) = record.seen
    else {
        panic!("an mbox");
    };
    assert_eq!((kinds.len(), kinds[0].messages), (1, 1));
    assert_eq!(folders, Some(vec![("受信トレイ".to_owned(), Some(1))]));
    let opened = uploads.way(id, None).open().await.expect("opened");
    let told = opened.source.mailboxes().await.expect("folders");
    assert_eq!(told[0].name.to_string(), "受信トレイ");
    assert_eq!(source_id("受信 1.mbox").as_str(), "upload://受信%201.mbox");
    assert_eq!(
        uploads.choose(&taro, id, "maildir").await,
        Err(Refusal::Unknown),
        "a kind that is not there"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let scene = Scene::new(|_| ()).await;
    let (uploads, taro) = (&scene.uploads, taro());
    for (name, octets) in [
        ("mail.pst", &b"!BDN\0\0\0\0SM\x17\0\x13\0\x01\x01"[..]),
        ("a.xz", b"\xfd7zXZ\0\0\0"),
        ("a.txt", b"nothing"),
        ("a.zip", b"PK\x03\x04 and nothing else"),
    ] {
        let id = scene
            .begun(&taro, name, octets.len() as u64)
            .await
            .record
            .id;
        let put = uploads.put(&taro, id, 0, Bytes::from_static(octets)).await;
        assert!(put.expect("put").is_whole());
        let record = uploads.look(&taro, id).await.expect("looked into");
        assert_eq!(record.kind, None, "{name}");
        let is_said = match (name, record.seen) {
            ("mail.pst", Some(Seen::Saw { saw, .. })) => saw == SawWire::Outlook(1),
            ("a.xz", Some(Seen::Saw { saw, .. })) => saw == SawWire::Compressed,
            ("a.txt", Some(Seen::Saw { saw, .. })) => matches!(saw, SawWire::Nothing { .. }),
            ("a.zip", Some(Seen::Fault(fault))) => fault.code == "archive.damaged",
            other => panic!("{other:?}"),
        };
        assert!(is_said, "{name}");
        uploads.remove(&taro, id).await.expect("removed");
    }
}
