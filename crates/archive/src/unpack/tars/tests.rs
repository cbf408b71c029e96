use super::*;
use crate::options::Options;
use crate::unpack::{self, heads};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::fs;
use std::io::Write;

/// One entry as a program writes it: header, content, padding.
fn entry(name: &[u8], flag: u8, content: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    let fits = name.len().min(100);
    block[..fits].copy_from_slice(&name[..fits]);
    block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|o| u64::from(*o)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend(content);
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

fn tar(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let entries = entries.iter().map(|(n, f, c)| entry(n.as_bytes(), *f, c));
    let mut out: Vec<u8> = entries.flatten().collect();
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(octets).unwrap();
    out.finish().unwrap()
}

fn options() -> Options {
    Options {
        most_unpacked: 1 << 20,
        ..Options::default()
    }
}

/// What comes out: names with the length of the files, and what was left out.
fn told(name: &str, octets: &[u8]) -> Result<(Vec<String>, Vec<String>), Fault> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, octets).unwrap();
    let out = unpack::unpack(&path, &options(), |_| true)?;
    let tree = crate::walk::walk(out.root()).unwrap();
    let mut files = Vec::new();
    for dir in &tree.dirs {
        if dir.files.is_empty() && dir.dirs.is_empty() {
            files.push(format!("{}/", dir.levels.join("/")));
        }
        for file in &dir.files {
            let octets = fs::metadata(dir.path.join(file)).unwrap().len();
            let mut levels = dir.levels.clone();
            levels.push(name_of(file));
            files.push(format!("{} {octets}", levels.join("/")));
        }
    }
    let left_out = out.left_out.iter();
    let left_out = left_out.map(|(n, f)| format!("{n}: {}", f.code)).collect();
    Ok((files, left_out))
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn a_tree_comes_out_of_a_tgz_and_of_a_tar() {
    let long = format!("{}/x.mbox", "長い名前".repeat(20));
    let record = format!("path={long}\n");
    let pax = format!("{} {record}", record.len() + 4);
    assert_eq!(pax.len().to_string().len() + 1 + record.len(), pax.len());
    let octets = tar(&[
        ("./", b'5', b""),
        ("./empty/", b'5', b""),
        ("./Mail/Inbox", b'0', b"From a\n"),
        ("./Mail/\u{53d7}\u{4fe1}", 0, &b"x".repeat(1500)),
        ("././@LongLink", b'L', format!("{long}.old\0").as_bytes()),
        ("cut", b'0', b"abc"),
        ("PaxHeaders/x", b'x', pax.as_bytes()),
        ("cut", b'0', b"abcd"),
        ("pax_global_header", b'g', b"20 comment=abcdefghi\n"),
        ("old/", 0, b""),
    ]);
    let files = strings(&[
        "Mail/Inbox 7",
        "Mail/受信 1500",
        "empty/",
        "old/",
        &format!("{long} 4"),
        &format!("{long}.old 3"),
    ]);
    let expected = Ok((files, strings(&[])));
    assert_eq!(told("a.tgz", &gzip(&octets)), expected);
    assert_eq!(told("a.tar", &octets), expected);
    // Without the empty blocks at the end.
    assert_eq!(told("b.tar", &octets[..octets.len() - 2 * BLOCK]), expected);
}

#[test]
fn nothing_leaves_the_directory_and_links_are_not_followed() {
    let octets = tar(&[
        ("../a", b'0', b"1"),
        ("/etc/b", b'0', b"2"),
        ("c/../../d", b'0', b"3"),
        ("link", b'2', b""),
        ("link/e", b'0', b"4"),
        ("f", b'0', b"5"),
        ("f", b'0', b"again"),
        ("f/g", b'0', b"6"),
        ("holes", b'S', b""),
        ("", b'0', b"7"),
    ]);
    let files = strings(&["f 1", "etc/b 1", "link/e 1"]);
    let left_out = strings(&[
        "../a: archive.damaged",
        "c/../../d: archive.damaged",
        "f: archive.damaged",
        "f/g: archive.damaged",
        "holes: archive.damaged",
        "file 10: archive.damaged",
    ]);
    assert_eq!(told("a.tgz", &gzip(&octets)), Ok((files, left_out)));
}

#[test]
fn one_compressed_file_is_one_file() {
    let files = |name: &str| Ok((strings(&[name]), strings(&[])));
    assert_eq!(
        told("2024.mbox.gz", &gzip(b"From a\n")),
        files("2024.mbox 7")
    );
    assert_eq!(told("mail", &gzip(b"")), files("mail 0"));
}

#[test]
fn what_breaks_off_is_named_and_what_came_before_is_there() {
    let octets = tar(&[
        ("a", b'0', b"1"),
        ("b", b'0', &b"noise ".repeat(400)),
        ("c", b'0', b"3"),
    ]);
    // In the middle of the content of b; in the middle of its header.
    let (files, left_out) = told("a.tar", &octets[..2000]).unwrap();
    assert_eq!(files, strings(&["a 1"]));
    assert_eq!(
        left_out,
        strings(&["b: archive.damaged", "a.tar: archive.damaged"])
    );
    let (files, left_out) = told("a.tar", &octets[..1100]).unwrap();
    assert_eq!(
        (files, left_out),
        (strings(&["a 1"]), strings(&["a.tar: archive.damaged"]))
    );
    let packed = gzip(&octets);
    let (_, left_out) = told("a.tgz", &packed[..packed.len() - 12]).unwrap();
    assert_eq!(left_out.last().unwrap(), "a.tgz: archive.damaged");
    let fault = told("a.gz", &gzip(b"From a\n")[..12]).unwrap_err();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveDamaged);
    assert_eq!(fault.reach, Reach::Job);
}

#[test]
fn a_bomb_is_stopped() {
    let zeros = vec![0; 2 << 20];
    let fault = told("a.tgz", &gzip(&tar(&[("a", b'0', &zeros)]))).unwrap_err();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveExcess);
    let fault = told("a.gz", &gzip(&zeros)).unwrap_err();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveExcess);
    // A name that is told to be very long is not read.
    let mut name = entry(b"././@LongLink", b'L', &zeros);
    name.extend(tar(&[("short", b'0', b"x")]));
    assert_eq!(
        told("b.tgz", &gzip(&name)),
        Ok((strings(&["short 1"]), strings(&[])))
    );
}

#[test]
fn a_look_keeps_the_beginnings_at_their_full_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tgz");
    fs::write(&path, gzip(&tar(&[("box", b'0', &b"From ".repeat(1000))]))).unwrap();
    let out = heads(&path, 10).unwrap();
    let octets = fs::read(out.root().join("box")).unwrap();
    assert_eq!(&octets[..10], b"From From ");
    assert_eq!(octets.len(), 5000);
    assert!(octets[10..].iter().all(|o| *o == 0));
}

#[test]
fn large_numbers_are_read_and_negative_ones_are_none() {
    assert_eq!(number(b"00000001750\0"), Some(1000));
    assert_eq!(number(b"   17 \0"), Some(15));
    let mut large = vec![0x80, 0, 0, 0];
    large.extend(9_000_000_000_u64.to_be_bytes());
    assert_eq!(number(&large), Some(9_000_000_000));
    assert_eq!(number(&[0xff; 12]), None);
    assert_eq!(number(b"9"), None);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..2048), at in 0usize..1500) {
        let mut whole = tar(&[("a", b'0', b"1"), ("PaxHeaders/x", b'x', b"12 path=abc\n"), ("b", b'0', b"2")]);
        let end = (at + octets.len()).min(whole.len());
        let start = at.min(end);
        whole[start..end].copy_from_slice(&octets[..end - start]);
        for octets in [&whole, &octets] {
            let mut entries = Entries::new(&octets[..]);
            let mut read = 0;
            while let Ok(Some(mut entry)) = entries.next() {
                let _damaged = io::copy(&mut entry, &mut io::sink());
                read += 1;
                prop_assert!(read <= octets.len() / BLOCK);
            }
        }
    }
}
