//! `hikyaku undo` and `copy --fresh` as they are typed: what is asked, what goes, what stays.

mod pair;
mod run;

use pair::{Servers, copy, run, with_passwords};
use run::{Home, Said};

fn undo(home: &Home, servers: &Servers, more: &[&str]) -> Said {
    let (old, new) = (servers.source(), servers.destination());
    run(home, &with_passwords("undo", &old, &new, more))
}

#[test]
fn nothing_is_taken_back_before_somebody_says_so() {
    let (home, servers) = (Home::new(), Servers::start());
    let none = undo(&home, &servers, &["--yes"]);
    assert_eq!(none.exit, 0, "{none:?}");
    assert_eq!(copy(&home, &servers, &[]).exit, 0);
    let account = servers.new.account("taro").expect("the account");
    let starred = account.uids("INBOX")[0];
    assert!(account.set_flags("INBOX", starred, &["\\Seen", "\\Flagged"]));

    let looked = undo(&home, &servers, &["--dry-run"]);
    assert_eq!((looked.exit, servers.arrived()), (0, 31), "{looked:?}");
    assert!(looked.out.contains("INBOX"), "{looked:?}");
    let unasked = undo(&home, &servers, &[]);
    assert_eq!((unasked.exit, servers.arrived()), (1, 31), "{unasked:?}");
    assert!(unasked.err.contains("--yes"), "{unasked:?}");

    let done = undo(&home, &servers, &["--yes"]);
    assert_eq!((done.exit, servers.arrived()), (0, 1), "{done:?}");
    assert_eq!(account.uids("INBOX"), [starred], "what was touched stays");
    let source = servers.old.account("taro").expect("the account");
    assert_eq!(source.uids("INBOX").len(), 30);
    let again = undo(&home, &servers, &["--yes"]);
    assert_eq!((again.exit, servers.arrived()), (0, 1), "{again:?}");
    let report = run(&home, &["report"]);
    assert_eq!(report.exit, 0, "{report:?}");
    assert!(!report.out.trim().is_empty(), "{report:?}");
}

#[test]
fn everything_again_leaves_one_of_each() {
    let (home, servers) = (Home::new(), Servers::start());
    assert_eq!(copy(&home, &servers, &[]).exit, 0);
    let account = servers.new.account("taro").expect("the account");
    let before = account.uids("INBOX");
    let fresh = copy(&home, &servers, &["--fresh=replace"]);
    assert_eq!((fresh.exit, servers.arrived()), (0, 31), "{fresh:?}");
    assert!(
        account
            .uids("INBOX")
            .iter()
            .all(|uid| !before.contains(uid))
    );

    let aside = copy(&home, &servers, &["--fresh=folder"]);
    assert_eq!((aside.exit, servers.arrived()), (0, 62), "{aside:?}");
}
