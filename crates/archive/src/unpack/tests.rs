use super::*;
use proptest::prelude::*;
use zip::write::{SimpleFileOptions, ZipWriter};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, octets) in files {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(octets).unwrap();
    }
    out.finish().unwrap().into_inner()
}

struct Here {
    dir: TempDir,
    path: PathBuf,
}

fn here(octets: &[u8]) -> Here {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zip");
    fs::write(&path, octets).unwrap();
    Here { dir, path }
}

fn options() -> Options {
    Options {
        most_unpacked: 1 << 20,
        ..Options::default()
    }
}

#[test]
fn wanted_files_are_unpacked_and_go_away_with_their_owner() {
    let long = b"0123456789".repeat(10_000);
    let here = here(&zip(&[
        ("Takeout/Mail/すべて.mbox", &long),
        ("Takeout/index.html", b"<p>"),
        ("Takeout\\Mail\\b.mbox", b"b"),
    ]));
    assert!(is_zip(&here.path));
    let names: Vec<_> = list(&here.path)
        .unwrap()
        .into_iter()
        .map(|f| (f.levels.join("/"), f.octets))
        .collect();
    assert_eq!(
        names,
        [
            ("Takeout/Mail/b.mbox".to_owned(), 1),
            ("Takeout/Mail/すべて.mbox".to_owned(), 100_000),
            ("Takeout/index.html".to_owned(), 3),
        ]
    );
    let out = unpack(&here.path, &options(), |f| f.levels[1] == "Mail").unwrap();
    let root = out.root().to_owned();
    assert_eq!(
        fs::read(root.join("Takeout/Mail/すべて.mbox")).unwrap(),
        long
    );
    assert_eq!(fs::read(root.join("Takeout/Mail/b.mbox")).unwrap(), b"b");
    assert!(!root.join("Takeout/index.html").exists());
    assert!(out.left_out.is_empty());
    drop(out);
    assert!(!root.exists());
    assert!(here.dir.path().exists());
}

#[test]
fn names_that_lead_elsewhere_are_left_out() {
    for (name, read) in [
        ("../a", None),
        ("a/../../b", None),
        ("..\\a", None),
        ("a\0b", None),
        ("a\nb", None),
        ("", None),
        ("/", None),
        (&"a/".repeat(65), None),
        (&"a".repeat(256), None),
        ("/etc/passwd", Some(vec!["etc", "passwd"])),
        ("./a//b/", Some(vec!["a", "b"])),
    ] {
        let read = read.map(|levels| levels.into_iter().map(str::to_owned).collect());
        assert_eq!(levels(name.as_bytes()), read, "{name:?}");
    }
    let here = here(&zip(&[("../evil", b"x"), ("good", b"y")]));
    let out = unpack(&here.path, &options(), |_| true).unwrap();
    assert_eq!(fs::read(out.root().join("good")).unwrap(), b"y");
    assert!(!out.root().join("../evil").exists());
}

#[test]
fn what_is_too_large_is_refused() {
    let here = here(&zip(&[("bomb", &vec![0; 2 << 20])]));
    assert!(fs::metadata(&here.path).unwrap().len() < 10_000);
    let fault = unpack(&here.path, &options(), |_| true).unwrap_err();
    assert_eq!(fault.code, Code::ArchiveExcess);
    // A zip that lies about it is noticed while unpacking.
    let mut octets = fs::read(&here.path).unwrap();
    let length = (2u32 << 20).to_le_bytes();
    let places: Vec<_> = (0..octets.len() - 4)
        .filter(|at| octets[*at..*at + 4] == length)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        octets[at..at + 4].copy_from_slice(&10u32.to_le_bytes());
    }
    fs::write(&here.path, octets).unwrap();
    let result = unpack(&here.path, &options(), |_| true);
    let noticed = match result {
        Err(fault) => fault.code == Code::ArchiveExcess || fault.code == Code::ArchiveDamaged,
        Ok(out) => out
            .left_out
            .iter()
            .any(|(_, f)| f.code == Code::ArchiveDamaged),
    };
    assert!(noticed);
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_there() {
    let noise: Vec<u8> = (0..5000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut octets = zip(&[("first", &noise), ("second", b"fine")]);
    octets[1000] ^= 0xff;
    let here = here(&octets);
    let out = unpack(&here.path, &options(), |_| true).unwrap();
    assert_eq!(fs::read(out.root().join("second")).unwrap(), b"fine");
    assert!(!out.root().join("first").exists());
    let named: Vec<_> = out
        .left_out
        .iter()
        .map(|(n, f)| (n.as_str(), f.code))
        .collect();
    assert_eq!(named, [("first", Code::ArchiveDamaged)]);
}

#[test]
fn an_encrypted_zip_says_so() {
    let mut octets = zip(&[("first", b"x")]);
    // The flag of encryption, in the local header and in the directory.
    octets[6] |= 1;
    let directory = octets.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    octets[directory + 8] |= 1;
    let here = here(&octets);
    let fault = unpack(&here.path, &options(), |_| true).unwrap_err();
    assert_eq!(
        (fault.code, fault.reach),
        (Code::ArchiveEncrypted, Reach::Job)
    );
}

#[test]
fn what_is_no_zip_is_damaged_or_missing() {
    let here = here(b"PK\x03\x04 and then nothing");
    let fault = list(&here.path).unwrap_err();
    assert_eq!(
        (fault.code, fault.reach),
        (Code::ArchiveDamaged, Reach::Job)
    );
    let fault = list(&here.dir.path().join("nowhere")).unwrap_err();
    assert_eq!(fault.code, Code::ArchiveMissing);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_leaves_the_directory(
        names in prop::collection::vec("(\\.\\./|/|a|\\\\|\\.|\u{3042}){0,8}", 1..4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut out = ZipWriter::new(io::Cursor::new(Vec::new()));
        for name in &names {
            if out.start_file(name.as_str(), SimpleFileOptions::default()).is_ok() {
                out.write_all(b"0123456789").unwrap();
            }
        }
        let mut octets = out.finish().unwrap().into_inner();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        properties::unpacked(&octets);
    }
}

#[test]
fn what_lies_at_the_top_is_in_a_folder_of_the_archives_name_at_every_look() {
    for (file, name) in [
        ("letters.zip", "letters"),
        ("Old Mail.TAR.GZ", "Old Mail"),
        ("..zip", "archive"),
        ("a.b", "a.b"),
    ] {
        assert_eq!(stem(Path::new(file)), name);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letters.zip");
    let mut zip = ZipWriter::new(fs::File::create(&path).unwrap());
    for name in ["1.eml", "2.eml"] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(b"Subject: x\r\n\r\n").unwrap();
    }
    zip.finish().unwrap();
    for _ in 0..2 {
        let store = crate::Archive::store(crate::Kind::Eml, &path, &Options::default()).unwrap();
        let folders = store.folders().unwrap();
        let names: Vec<_> = folders.iter().map(|f| f.name.to_string()).collect();
        assert_eq!(names, ["letters"]);
    }
}
