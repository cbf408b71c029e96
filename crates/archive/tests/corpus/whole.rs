//! What the parts of the corpus are recognised as, with their numbers.

use crate::support::corpus;
use hikyaku_archive::{Look, look};

#[test]
fn every_part_is_recognised() {
    let mut told = Vec::new();
    let mut wanted = Vec::new();
    for (part, expected) in [
        ("applemail-constructed/export", "applemail 5/11"),
        ("applemail-constructed/Mail", "applemail 3/14"),
        ("dbx/oe6-en-set", "dbx 2/1"),
        ("dbx/kde-test4.dbx", "dbx 1/3"),
        ("dbx/kde-test1.mbx", "dbx 1/1"),
        ("emlx/applemail-imap-cache", "applemail 1/10"),
        // One of its files is larger than what is looked at.
        ("evolution-1.4", "mbox 6/about 49"),
        ("maildir/mu-testdir", "maildir 1/19"),
        ("sylpheed-mh", "mh 6/49"),
        ("takeout", "takeout 1/4"),
        ("takeout-constructed", "takeout 1/24"),
        ("thunderbird-profile", "thunderbird 7/20"),
        ("wlm-constructed", "wlm 3/9"),
        ("mbox-constructed/mboxrd.mbox", "mbox 1/13"),
        ("eml/ja-test-mails", "eml 1/21"),
        ("pst", "outlook 12"),
        // The other one is compressed.
        ("ost", "outlook 1"),
        ("olm", "outlook 1"),
    ] {
        let Some(path) = corpus(part) else { continue };
        wanted.push(format!("{part}: {expected}"));
        told.push(match look(&path).unwrap() {
            Look::Found(found) => {
                let about = if found.is_exact { "" } else { "about " };
                let (folders, messages) = (found.folders, found.messages);
                format!("{part}: {} {folders}/{about}{messages}", found.kind)
            }
            Look::Outlook(files) => format!("{part}: outlook {files}"),
            other => format!("{part}: {other:?}"),
        });
    }
    assert_eq!(told, wanted);
}
