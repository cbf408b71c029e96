//! Archives that are made here: the kinds of which the project has no sample file, and octets
//! that programs on the way like to change.

use super::Journey;
use super::parts::part;
use crate::support::read;
use hikyaku_archive::Kind;
use std::path::Path;

/// A directory to make archives in.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, octets: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, octets).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Lines end with CRLF; one of the body begins with a dot.
fn mail(n: u32) -> String {
    format!("Date: Mon, 1 Apr 2024 09:00:0{n} +0900\r\nSubject: {n}\r\n\r\n.body {n}\r\n")
}

/// As a message stands in a file of Becky!.
fn stuffed(mail: &str) -> String {
    format!("{}.\r\n", mail.replace("\r\n.", "\r\n.."))
}

/// A folder of Outlook Express 4.
fn express(mails: &[&str]) -> Vec<u8> {
    let mut out = vec![0; 0x54];
    out[..4].copy_from_slice(b"JMF6");
    out[8] = mails.len() as u8;
    for (n, text) in (1_u32..).zip(mails) {
        let size = (16 + text.len()).next_multiple_of(4);
        out.extend([0x00, 0x7f, 0x00, 0x7f]);
        for word in [n, size as u32, text.len() as u32] {
            out.extend(word.to_le_bytes());
        }
        out.extend(text.as_bytes());
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

/// As a program writes it that ends lines with LF; a CR in front of CRLF stands as it is.
fn plain(mail: &str) -> String {
    mail.replace("\r\r\n", "\0CR")
        .replace("\r\n", "\n")
        .replace("\0CR", "\r\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_that_are_made_here_arrive() {
    let bench = Bench::new();
    let [one, two, three] = [1, 2, 3].map(mail);
    bench.put("becky/a.mb/!!!!Inbox/1.bmf", stuffed(&one) + &stuffed(&two));
    bench.put("becky/a.mb/取引先/1.bmf", stuffed(&three));
    bench.put("express/受信トレイ.mbx", express(&[&one, &two]));
    bench.put("mh/inbox/.mh_sequences", "unseen: 2\n");
    bench.put("mh/inbox/1", &one);
    bench.put("mh/inbox/2", &two);
    // As somebody packs a few letters: there is no directory around them.
    bench.put("letters/one.eml", &one);
    bench.put("letters/two.eml", &two);
    for (packed, of) in [
        ("becky.tgz", "becky"),
        ("mh.tar", "mh"),
        ("いろいろ.tar.gz", "letters"),
    ] {
        let flag = if packed.ends_with("gz") {
            "-czf"
        } else {
            "-cf"
        };
        let done = std::process::Command::new("tar")
            .arg(flag)
            .arg(bench.path().join(packed))
            .arg("-C")
            .arg(bench.path().join(of))
            .arg(".")
            .status();
        assert!(done.unwrap().success());
    }
    let mut journey = Journey::start();
    for (name, kind, messages) in [
        ("becky", Kind::Becky, 3),
        ("becky.tgz", Kind::Becky, 3),
        ("express", Kind::OutlookExpress, 2),
        ("mh", Kind::Mh, 2),
        ("mh.tar", Kind::Mh, 2),
        ("いろいろ.tar.gz", Kind::Eml, 2),
    ] {
        let path = bench.path().join(name);
        journey.take(&part(name, kind, path, messages, 0)).await;
    }
    journey.end("made");
}

/// A CR without LF, several in front of one, a NUL, 8-bit octets: they leave every kind of
/// archive as they lie there, a backup keeps them, and what Dovecot makes of some is reported.
#[tokio::test(flavor = "multi_thread")]
async fn odd_octets_arrive_as_they_lie_in_the_archive() {
    let header = "Date: Mon, 1 Apr 2024 09:00:01 +0900\r\nSubject: odd\r\n\r\n";
    let returns = format!("{header}one\rtwo\r\r\nthree\r\r\r\n\r\nfour\r\n");
    let nul = format!("{header}a\0b\r\nCR\rLF\r\n");
    let bench = Bench::new();
    for (n, mail) in [(1, &returns), (2, &nul)] {
        bench.put(&format!("mh/inbox/{n}"), plain(mail));
        bench.put(&format!("eml/inbox/{n}.eml"), mail);
        bench.put(
            &format!("maildir/cur/171192960{n}.M{n}P1.a:2,S"),
            plain(mail),
        );
        let apple = format!(
            "{:<10}\n{}<plist version=\"1.0\"><dict/></plist>\n",
            plain(mail).len(),
            plain(mail)
        );
        bench.put(&format!("apple/INBOX.mbox/Messages/{n}.emlx"), apple);
    }
    for sub in ["new", "tmp"] {
        std::fs::create_dir_all(bench.path().join("maildir").join(sub)).unwrap();
    }
    let divider = "From a@b Mon Apr  1 00:00:01 2024\n";
    let box_of = |mail: &str| format!("{divider}{}\n", plain(mail));
    bench.put("mbox/inbox", box_of(&returns) + &box_of(&nul));
    bench.put(
        "becky/a.mb/!!!!Inbox/1.bmf",
        stuffed(&returns) + &stuffed(&nul),
    );
    bench.put("express/inbox.mbx", express(&[&returns, &nul]));
    // From a Mac of old: no LF anywhere.
    let old = format!("{header}one\r\n\r\ntwo\r\n");
    bench.put("mac/inbox/1.eml", old.replace("\r\n", "\r"));
    bench.put(
        "mac-mbox/inbox",
        format!("{divider}{}\n", plain(&old)).replace('\n', "\r"),
    );
    let mut journey = Journey::start();
    let odd = [returns.as_bytes(), nul.as_bytes()];
    for (name, kind, expected) in [
        ("mh", Kind::Mh, &odd[..]),
        ("eml", Kind::Eml, &odd),
        ("maildir", Kind::Maildir, &odd),
        ("apple", Kind::AppleMail, &odd),
        ("mbox", Kind::Mbox, &odd),
        ("becky", Kind::Becky, &odd),
        ("express", Kind::OutlookExpress, &odd),
        ("mac", Kind::Eml, &[old.as_bytes()]),
        ("mac-mbox", Kind::Mbox, &[old.as_bytes()]),
    ] {
        let path = bench.path().join(name);
        let told = read(kind, &path).await;
        let octets: Vec<_> = told
            .iter()
            .flat_map(|folder| &folder.messages)
            .map(|message| String::from_utf8_lossy(&message.octets).into_owned())
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|octets| String::from_utf8_lossy(octets))
            .collect();
        assert_eq!(octets, expected, "{name}");
        journey
            .take(&part(name, kind, path, expected.len(), 0))
            .await;
    }
    journey.end("odd-octets");
}

/// Each kind goes to both destinations, twice: the golden files of the journeys tell which did.
#[test]
fn every_kind_has_a_journey() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/golden");
    let mut told = String::new();
    for file in std::fs::read_dir(golden).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().starts_with("journey-") {
            told += &std::fs::read_to_string(file.path()).unwrap();
        }
    }
    let without: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| {
            let some = |line: &str| {
                let (_, rest) = line.split_once(&format!(": {kind}, ")).unwrap_or_default();
                let count = rest.split(' ').next().unwrap_or_default();
                count.parse::<u32>().is_ok_and(|count| count > 0)
            };
            !told.lines().any(some)
        })
        .collect();
    // Its maker publishes no format; it is refused with the way to export.
    assert_eq!(without, [&Kind::Hidemaru]);
}
