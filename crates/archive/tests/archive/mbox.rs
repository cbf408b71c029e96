//! mbox in every dialect.

use crate::kit::{NOW, Read, open, options, read_all, read_folders};
use hikyaku_archive::{Archive, Kind, Options, Seen};
use std::fs;
use std::path::{Path, PathBuf};

const A: &str = "From a@example.jp Mon Apr  1 01:02:03 2024\n";
const B: &str = "From b@example.jp Tue Apr  2 01:02:03 2024\n";

fn written(octets: impl AsRef<[u8]>) -> anyhow::Result<(tempfile::TempDir, PathBuf)> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("box.mbox");
    fs::write(&path, octets)?;
    Ok((dir, path))
}

async fn read(octets: impl AsRef<[u8]>) -> anyhow::Result<Read> {
    let (_dir, path) = written(octets)?;
    let [read] = read_folders(Kind::Mbox, &path, ["box"]).await?;
    Ok(read)
}

/// The same two messages, as each dialect writes them.
const FIRST: &str = "Subject: one\r\n\r\nFrom the start\r\n>From quoted\r\n\r\nend\r\n";
const SECOND: &str = "Subject: two\r\n\r\nbody\r\n";

#[tokio::test]
async fn every_dialect_gives_the_messages_back() -> anyhow::Result<()> {
    let second = "Subject: two\n\nbody\n\n";
    let rd = format!("{A}Subject: one\n\n>From the start\n>>From quoted\n\nend\n\n{B}{second}");
    let body = ">From the start\n>From quoted\n\nend\n";
    let cl = format!(
        "{A}Subject: one\nContent-Length: {}\n\n{body}\n{B}{second}",
        body.len()
    );
    let body = "From the start\n>From quoted\n\nend\n";
    let cl2 = format!(
        "{A}Subject: one\nContent-Length: {}\n\n{body}\n{B}{second}",
        body.len()
    );
    let texts = |read: Read| read.texts();
    assert_eq!(texts(read(&rd).await?), [FIRST, SECOND]);
    assert_eq!(texts(read(&cl2).await?), [FIRST, SECOND]);
    // In mboxo and mboxcl the second quoted line may be either.
    let either = FIRST.replace(">From quoted", "From quoted");
    assert_eq!(texts(read(&cl).await?), [&either[..], SECOND]);
    for (name, other) in [
        ("CRLF", rd.replace('\n', "\r\n")),
        ("CR", rd.replace('\n', "\r")),
        ("no empty line between", rd.replace("end\n\n", "end\n")),
        ("no last line end", rd.trim_end().to_owned() + "\n"),
        ("a byte order mark", format!("\u{feff}{rd}")),
        ("empty lines in front", format!("\n\n{rd}")),
    ] {
        assert_eq!(texts(read(other).await?), [FIRST, SECOND], "{name}");
    }
    let (_dir, path) = written(&rd)?;
    let unquoted = Options {
        quoting: Some(hikyaku_archive::mbox::Quoting::None),
        ..options()
    };
    let read = read_all(&Archive::open(Kind::Mbox, &path, unquoted)?).await?;
    assert!(read["box"].texts()[0].contains("\r\n>>From quoted\r\n"));
    Ok(())
}

#[tokio::test]
async fn lengths_that_lie_are_not_believed() -> anyhow::Result<()> {
    let mut text = String::new();
    let mut expected = Vec::new();
    for length in [0, 1, 3, 5, 100_000, 30] {
        text += &format!("{A}Subject: x\nContent-Length: {length}\n\nbody\n\n");
        expected.push(format!(
            "Subject: x\r\nContent-Length: {length}\r\n\r\nbody\r\n"
        ));
    }
    // One of six is right, as it may be by chance.
    assert_eq!(read(&text).await?.texts(), expected);
    Ok(())
}

#[tokio::test]
async fn lines_of_a_body_divide_nothing() -> anyhow::Result<()> {
    let body = "Hello,\n\nFrom Russia with love\nYear: 1963\n\nFrom now on\n\
        From a@b Mon Apr  1 00:00:00 2024\nis what the line said\n\nFrom 10:00 on: x\n";
    let text = format!("{A}Subject: x\n\n{body}\n{B}{}", "Subject: two\n\nbody\n\n");
    let read = read(&text).await?;
    assert_eq!(
        read.texts(),
        [
            format!("Subject: x\r\n\r\n{}", body.replace('\n', "\r\n")),
            SECOND.to_owned()
        ]
    );
    assert_eq!(read.faults, []);
    Ok(())
}

#[tokio::test]
async fn broken_dividers_still_divide() -> anyhow::Result<()> {
    for divider in [
        "From \n",
        "From -\n",
        "From a@b\n",
        "From x Mon Apr  1 00:00:00 2024 remote from y\n",
    ] {
        let text = format!(
            "{divider}Subject: one\n\nx\n\n{divider}{}",
            "Subject: two\n\nbody\n\n"
        );
        let read = read(&text).await?;
        assert_eq!(
            read.texts(),
            ["Subject: one\r\n\r\nx\r\n", SECOND],
            "{divider}"
        );
    }
    // Cut inside the header: the next message begins at its divider.
    let cut = read(format!("{A}Subject: o\nTo: {B}Subject: two\n\nbody\n")).await?;
    assert_eq!(
        cut.texts(),
        [
            "Subject: o\r\nTo: From b@example.jp Tue Apr  2 01:02:03 2024\r\nSubject: two\r\n\r\nbody\r\n"
        ]
    );
    let cut = read(format!("{A}Subject: o\n{B}Subject: two\n\nbody\n")).await?;
    assert_eq!(cut.texts(), ["Subject: o\r\n", SECOND]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_message_is_named_and_the_rest_is_read() -> anyhow::Result<()> {
    let text = format!("\u{0}\u{0}garbage\nmore\n\n{A}{A}Subject: two\n\nbody\n\n");
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("ok.mbox"), &text[2..])?;
    // As a single file it has to begin like mail.
    let alone = Archive::open(Kind::Mbox, &dir.path().join("ok.mbox"), options());
    assert_eq!(alone.expect_err("no mail").code.as_str(), "archive.kind");
    let text = format!("{A}{B}Subject: two\n\nbody\n\n{A}");
    let read = read(&text).await?;
    assert_eq!(read.texts(), [SECOND]);
    let faults: Vec<_> = read
        .faults
        .iter()
        .map(|(key, code, detail)| (*key, code.as_str(), detail.contains("offset")))
        .collect();
    assert_eq!(
        faults,
        [(1, "archive.damaged", true), (3, "archive.damaged", true)]
    );
    Ok(())
}

#[tokio::test]
async fn state_fields_become_flags_and_leave_the_message() -> anyhow::Result<()> {
    let message = |state: &str| format!("{A}{state}Subject: x\n\nbody\n\n");
    let text = [
        "Status: RO\nX-Status: A\n",
        "Status: O\n",
        "X-Status: D\nX-Keywords: NonJunk $Forwarded\n",
        "X-Mozilla-Status: 0005\nX-Mozilla-Status2: 02000000\nX-Mozilla-Keys: work          \n",
        "X-Mozilla-Status: 0009\nX-Mozilla-Status2: 00000000\n",
        "X-UID: 7\nX-IMAPbase: 1712000000 9 $Forwarded\nStatus: R\n",
        "",
    ]
    .map(message)
    .concat();
    let read = read(&text).await?;
    assert_eq!(
        read.flags(),
        [
            "\\Seen \\Answered",
            "",
            "\\Deleted $Forwarded NonJunk",
            "\\Seen \\Flagged $label1 work",
            "\\Deleted \\Seen",
            "\\Seen",
            ""
        ]
        .map(crate::kit::flags)
    );
    assert!(
        read.texts()
            .iter()
            .all(|t| t == "Subject: x\r\n\r\nbody\r\n")
    );
    Ok(())
}

#[tokio::test]
async fn read_and_unread_are_as_recorded_or_old_or_chosen() -> anyhow::Result<()> {
    let day = |n: i64| {
        let date = hikyaku_core::InternalDate::utc(NOW - n * 86_400);
        let (y, m, d, ..) = date.civil();
        let month = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ][m as usize - 1];
        format!("From a@b Sun {month} {d} 00:00:00 {y}\nSubject: x\n\nbody\n\n")
    };
    let (_dir, path) = written(day(40) + &day(3))?;
    for (seen, expected) in [
        (Seen::AsRecorded, ["\\Seen", ""]),
        (Seen::All, ["\\Seen", "\\Seen"]),
        (Seen::None, ["", ""]),
    ] {
        let options = Options { seen, ..options() };
        let read = read_all(&Archive::open(Kind::Mbox, &path, options)?).await?;
        assert_eq!(read["box"].flags(), expected, "{seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn dates_come_from_the_divider_or_the_header() -> anyhow::Result<()> {
    let message = |divider: &str, head: &str| format!("{divider}\n{head}Subject: x\n\nbody\n\n");
    let text = message("From a@b Mon Apr  1 01:02:03 2024", "")
        + &message(
            "From a@b Mon Apr  1 10:02:03 2024",
            "Received: by x; Mon, 1 Apr 2024 10:02:01 +0900\n",
        )
        + &message(
            "From a@b Mon Apr  1 01:02:03 2024",
            "Date: Fri, 1 Mar 2024 10:02:01 +0900\n",
        )
        + &message(
            "From - Mon Apr  1 01:02:03 2024",
            "Date: Fri, 1 Mar 2024 10:02:01 +0900\n",
        )
        + &message("From - Mon Apr  1 01:02:03 2024", "")
        + &message(
            "From a@b Thu Jan  1 00:00:00 1970",
            "Received: by x; Mon, 1 Apr 2024 10:02:01 +0900\nDate: Fri, 1 Mar 2024 10:02:01 +0900\n",
        );
    assert_eq!(
        read(&text).await?.dates(),
        [
            "2024-04-01T01:02:03+00:00",
            "2024-04-01T10:02:01+09:00",
            "2024-04-01T01:02:03+00:00",
            "2024-03-01T10:02:01+09:00",
            "2024-04-01T01:02:03+00:00",
            "2024-04-01T10:02:01+09:00",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn large_messages_are_streamed_exactly() -> anyhow::Result<()> {
    let line = ">From here on nothing but lines\nStatus: x\n\nand a very long one: ";
    let mut body = line.repeat(20_000);
    body += &"x".repeat(300_000);
    body += "\r\rlone\n";
    let text = format!("{A}Subject: big\nStatus: RO\n\n{body}\n{B}Subject: two\n\nbody\n\n");
    let read = read(&text).await?;
    let expected = body
        .replace(">From here", "From here")
        .replace('\n', "\r\n");
    // Only lines lose their quote: the first, since the others follow on a long line.
    let quoted = expected.replacen("long one: From", "long one: >From", 20_000);
    assert!(read.texts()[0] == format!("Subject: big\r\n\r\n{quoted}"));
    assert_eq!(read.texts()[1], SECOND);
    Ok(())
}

#[tokio::test]
async fn a_file_that_grows_keeps_its_keys_and_one_that_shrinks_is_noticed() -> anyhow::Result<()> {
    use futures::StreamExt;
    use hikyaku_core::traits::Source;
    let message = |n: usize| format!("{A}Subject: {n}\n\nbody {n}\n\n");
    let many: String = (1..=700).map(message).collect();
    let (_dir, path) = written(&many)?;
    let source = open(Kind::Mbox, &path)?;
    let info = source.mailboxes().await?.remove(0);
    let mut reader = source.open(&info).await?;
    // Scattered keys are found without reading everything between.
    let keys = hikyaku_core::KeySet::parse("1,300:301,699").expect("a set");
    let subjects = |reader: Box<dyn hikyaku_core::traits::Reader>, keys| async move {
        let mut reader = reader;
        let mut out = Vec::new();
        let mut flow = reader.read(&keys);
        while let Some(item) = flow.next().await {
            out.push(match item {
                Ok(letter) => {
                    let text = crate::kit::whole(letter.body).await?;
                    String::from_utf8(text)?
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                }
                Err(fault) => format!("{} {:?}", fault.code, fault.at.message.map(|k| k.0)),
            });
        }
        anyhow::Ok(out)
    };
    assert_eq!(
        subjects(source.open(&info).await?, keys.clone()).await?,
        ["Subject: 1", "Subject: 300", "Subject: 301", "Subject: 699"]
    );
    // New mail arrives behind: what was opened before reads on.
    fs::write(&path, format!("{many}{}", message(701)))?;
    assert_eq!(
        subjects(reader, keys.clone()).await?,
        ["Subject: 1", "Subject: 300", "Subject: 301", "Subject: 699"]
    );
    // Compacted: another message is under each key now.
    reader = source.open(&info).await?;
    fs::write(&path, (2..=700).map(|n| message(n * 7)).collect::<String>())?;
    assert_eq!(
        subjects(reader, keys.clone()).await?,
        [
            "archive.changed Some(1)",
            "archive.changed Some(300)",
            "archive.changed Some(301)",
            "archive.changed Some(699)"
        ]
    );
    let head = source.open(&info).await?.head(hikyaku_core::Key(1)).await?;
    assert_eq!(head.as_deref(), Some(&b"Subject: 14\r\n\r\n"[..]));
    Ok(())
}

#[tokio::test]
async fn a_tree_of_files_is_a_tree_of_folders() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let put = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(path, text)
    };
    put("Inbox.mbox", &format!("{A}Subject: one\n\nx\n\n"))?;
    put("取引先", "")?;
    put("取引先.sbd/2024", &format!("{A}Subject: two\n\nbody\n\n"))?;
    put("notes.txt.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->")?;
    put("picture", "\u{0}\u{1}\u{2}\n")?;
    put(".hidden", A)?;
    let [inbox, clients, year] =
        read_folders(Kind::Mbox, dir.path(), ["INBOX", "取引先", "取引先/2024"]).await?;
    assert_eq!(inbox.texts(), ["Subject: one\r\n\r\nx\r\n"]);
    assert_eq!(clients.texts(), [""; 0]);
    assert_eq!(year.texts(), [SECOND]);
    Ok(())
}
