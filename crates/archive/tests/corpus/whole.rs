//! What the parts of the corpus are recognised as, with their numbers.

use crate::support::corpus;
use hikyaku_archive::{Kind, Look, look};

#[test]
fn every_part_is_recognised() {
    for (part, kind, folders, messages) in [
        ("applemail-constructed/export", Kind::AppleMail, 5, 11),
        ("applemail-constructed/Mail", Kind::AppleMail, 3, 14),
        ("dbx/oe6-en-set", Kind::OutlookExpress, 2, 1),
        ("dbx/kde-test4.dbx", Kind::OutlookExpress, 1, 3),
        ("dbx/kde-test1.mbx", Kind::OutlookExpress, 1, 1),
        ("emlx/applemail-imap-cache", Kind::AppleMail, 1, 10),
        ("evolution-1.4", Kind::Mbox, 6, 49),
        ("maildir/mu-cjk", Kind::Maildir, 1, 4),
        ("sylpheed-mh", Kind::Mh, 6, 49),
        ("takeout", Kind::Takeout, 1, 4),
        ("takeout-constructed", Kind::Takeout, 1, 24),
        ("thunderbird-profile", Kind::Thunderbird, 7, 20),
        ("wlm-constructed", Kind::WindowsLiveMail, 3, 9),
        ("mbox-constructed/mboxrd.mbox", Kind::Mbox, 1, 13),
    ] {
        let Some(path) = corpus(part) else { continue };
        match look(&path).unwrap() {
            Look::Found(found) => assert_eq!(
                (found.kind, found.folders, found.messages, found.is_exact),
                (kind, folders, messages, true),
                "{part}"
            ),
            other => panic!("{part}: {other:?}"),
        }
    }
    for (part, files) in [("pst", 12), ("ost", 2), ("olm", 1)] {
        let Some(path) = corpus(part) else { continue };
        assert_eq!(look(&path).unwrap(), Look::Outlook(files), "{part}");
    }
}
