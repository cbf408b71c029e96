//! What holds whatever lies in an archive, as functions over octets that panic where it
//! does not.
//!
//! The fuzz targets (`fuzz/`) and the tests beside the parsers call the same functions. Not
//! a part of the product: compiled for tests and by cargo-fuzz only.
#![allow(clippy::expect_used)]

use std::fs;
use std::ops::ControlFlow;

use hikyaku_core::arrival;

use crate::archive::Archive;
use crate::kind::Kind;
use crate::options::Options;
use crate::recognise::{Look, look};
use crate::store::{Found, Start, Store};
use crate::text::Text;
use crate::{apple, becky, dbx, files, maildir, mbox, takeout, thunderbird, unpack, wlm};

/// A date in the middle of the samples: what is old, and what is in the future.
const NOW: i64 = 1_735_689_600;

/// An mbox of any octets: [`crate::mbox::properties`].
pub fn mbox(input: &[u8]) {
    mbox::properties::mbox(input);
}

/// Files that hold messages in a shape of their own; the first octet says which, `a` the first.
pub fn containers(input: &[u8]) {
    one_of(
        &[
            apple::properties::emlx,
            dbx::properties::dbx,
            becky::properties::bmf,
            unpack::properties::unpacked,
        ],
        input,
    );
}

/// What lies beside messages or in a field of them; the first octet says what, `a` the first.
pub fn notes(input: &[u8]) {
    one_of(
        &[
            thunderbird::properties::mork,
            thunderbird::properties::prefs,
            apple::properties::plist,
            maildir::properties::uid_list,
            maildir::properties::names,
            maildir::properties::subscribed,
            takeout::properties::labels,
            wlm::properties::account,
            mbox::properties::fields,
            files::properties::sequences,
            date,
        ],
        input,
    );
}

/// One file of any octets, recognised as whatever it looks like and then read as a person's
/// would be. The first octet says how it is called.
///
/// # Panics
/// Where a message is handed out that is not as long as it was told to be, a key comes twice or
/// before a lower one, or a second reading differs.
pub fn anything(input: &[u8]) {
    const NAMES: [&str; 12] = [
        "mail",
        "mail.mbox",
        "mail.eml",
        "mail.emlx",
        "mail.dbx",
        "mail.mbx",
        "mail.bmf",
        "mail.zip",
        "1",
        "mbox",
        "Inbox.msf",
        "account{1}.oeaccount",
    ];
    let Some((first, octets)) = input.split_first() else {
        return;
    };
    let name = NAMES[number(*first) % NAMES.len()];
    let dir = tempfile::tempdir().expect("a directory");
    let (mail, spool) = (dir.path().join("mail"), dir.path().join("spool"));
    fs::create_dir(&mail).expect("room");
    fs::create_dir(&spool).expect("room");
    let file = mail.join(name);
    fs::write(&file, octets).expect("room");
    let options = Options {
        now: NOW,
        spool: Some(spool),
        most_unpacked: 1 << 20,
        ..Options::default()
    };
    // The file, and the directory that it lies in.
    for path in [&file, &mail] {
        let kinds: Vec<Kind> = match look(path) {
            Ok(Look::Found(found)) => vec![found.kind],
            Ok(Look::Several(several)) => several.iter().map(|found| found.kind).collect(),
            _ => Vec::new(),
        };
        for kind in kinds {
            if let Ok(store) = Archive::store(kind, path, &options) {
                assert_eq!(told(&*store), told(&*store), "{kind}");
            }
        }
    }
    assert_eq!(fs::read(&file).expect("there"), octets, "it was written to");
}

/// Keys, lengths and marks of everything in an archive.
fn told(store: &dyn Store) -> Vec<(u64, u64, u64)> {
    let mut out = Vec::new();
    for folder in store.folders().unwrap_or_default() {
        let (mut items, mut last) = (Vec::new(), 0);
        // A folder that cannot be scanned to its end has told what it has told.
        let _scanned = store.scan(&folder, Start::BEGINNING, &mut |found| {
            assert!(found.key().0 > last, "{found:?} after {last}");
            last = found.key().0;
            if let Found::Message(item) = found {
                items.push(item);
            }
            ControlFlow::Continue(())
        });
        for item in items {
            let Ok(text) = store.open(&folder, &item) else {
                continue;
            };
            let announced = text.octets();
            if let Ok(whole) = Text::whole(text) {
                assert_eq!(whole.len() as u64, announced);
                let mut feeds = memchr::memchr_iter(b'\n', &whole);
                assert!(
                    feeds.all(|at| at > 0 && whole[at - 1] == b'\r'),
                    "a lone LF"
                );
            }
            out.push((item.key.0, announced, item.mark));
        }
    }
    out
}

/// Gives the rest to the property that the first octet names, counted from `a`.
fn one_of(properties: &[fn(&[u8])], input: &[u8]) {
    if let Some((first, rest)) = input.split_first() {
        properties[number(*first) % properties.len()](rest);
    }
}

fn number(letter: u8) -> usize {
    usize::from(letter.wrapping_sub(b'a'))
}

/// A date: what is understood can be somebody's arrival, or is refused as one.
fn date(input: &[u8]) {
    let _date = arrival::parse(input);
    if let Some(arrival) = arrival::of(None, input, None, NOW) {
        assert!(arrival::is_plausible(&arrival, NOW));
    }
}

#[cfg(test)]
mod tests {
    //! The properties of the fuzz targets without a fuzzer: their seeds, the seeds with edits,
    //! and octets of no kind.

    use hikyaku_testkit::corpus::Corpus;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static MBOX: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("mbox", "archive"));
    static CONTAINERS: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("containers", "archive"));
    static NOTES: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("notes", "archive"));
    static ANYTHING: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("anything", "archive"));

    #[test]
    fn they_hold_for_every_seed() {
        MBOX.seeds().iter().for_each(|seed| super::mbox(seed));
        let containers = CONTAINERS.seeds().iter();
        containers.for_each(|seed| super::containers(seed));
        NOTES.seeds().iter().for_each(|seed| super::notes(seed));
        let anything = ANYTHING.seeds().iter();
        anything.for_each(|seed| super::anything(seed));
    }

    #[test]
    fn a_value_that_everything_refers_to_does_not_fill_the_memory() {
        let mut mork = b"a< <(a=c)>(88=keywords)><(80=".to_vec();
        mork.extend([b'x'; 8_000]);
        mork.extend(b")>{1:^80 ");
        for row in 0..1_000 {
            mork.extend(format!("[{row:x}(^88^80)]").into_bytes());
        }
        super::notes(&mork);

        let mut prefs = String::from("b");
        for account in 0..500 {
            prefs += &format!("user_pref(\"mail.account.a{account}.server\", \"s\");\n");
        }
        let list: Vec<String> = (0..500).map(|n| format!("a{n}")).collect();
        let (list, name) = (list.join(","), "x".repeat(8_000));
        prefs += &format!("user_pref(\"mail.accountmanager.accounts\", \"{list}\");\n");
        prefs += &format!("user_pref(\"mail.server.s.name\", \"{name}\");\n");
        prefs += "user_pref(\"mail.server.s.directory-rel\", \"[ProfD]Mail/a\");\n";
        super::notes(prefs.as_bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn they_hold_for_seeds_with_edits(choices in prop::collection::vec(any::<u8>(), 0..60)) {
            super::mbox(&MBOX.mutated(&choices));
            super::containers(&CONTAINERS.mutated(&choices));
            super::notes(&NOTES.mutated(&choices));
            super::anything(&ANYTHING.mutated(&choices));
        }

        #[test]
        fn they_hold_for_any_octets(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            super::containers(&octets);
            super::notes(&octets);
            super::anything(&octets);
        }
    }
}
