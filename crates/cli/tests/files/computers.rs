//! Mail of whole computers: a profile that is known by its path, and several that become one account.

use super::{APRIL, arrived, as_sent, copies_nothing_again, copy, put, report};
use crate::pair::Servers;
use crate::pair::held::Held;
use crate::run::Home;
use hikyaku_memserver::NewMessage;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A Thunderbird profile with four messages and one that is deleted.
pub(crate) fn profile(root: &Path) {
    let message = |subject: &str, status: &str| {
        format!(
            "From - Mon Apr  1 01:02:03 2024\nX-Mozilla-Status: {status}\nX-Mozilla-Status2: 00000000\n\
             Date: Mon, 1 Apr 2024 01:02:03 +0000\nSubject: {subject}\n\nbody\n\n"
        )
    };
    put(
        root,
        "prefs.js",
        "user_pref(\"mail.accountmanager.accounts\", \"account1\");\n\
         user_pref(\"mail.account.account1.server\", \"server1\");\n\
         user_pref(\"mail.server.server1.type\", \"pop3\");\n\
         user_pref(\"mail.server.server1.name\", \"taro\");\n\
         user_pref(\"mail.server.server1.directory-rel\", \"[ProfD]Mail/pop\");\n",
    );
    let all = message("one", "0001") + &message("gone", "0009") + &message("two", "1006");
    put(root, "Mail/pop/Inbox", all);
    put(
        root,
        "Mail/pop/Inbox.msf",
        "// <!-- <mdb:mork:z v=\"1.4\"/> -->",
    );
    put(root, "Mail/pop/Inbox.sbd/取引先", message("three", "0000"));
    put(root, "Mail/pop/Sent", message("four", "0001"));
}

#[test]
fn a_thunderbird_profile_is_known_by_its_path() {
    let (home, servers) = (Home::new(), Servers::start());
    let root = home.root().join(".thunderbird/abcd.default");
    profile(&root);
    let path = root.display().to_string();
    let said = copy(&home, &servers, "copy", &path, &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(said.err.contains("This is mail of Thunderbird"), "{said:?}");
    let one = |subject: &str, flags: &str| Held::new(&as_sent(subject, "body"), flags, APRIL);
    let expected = [
        (
            "INBOX".to_owned(),
            vec![
                one("one", "\\Seen"),
                one("two", "\\Answered \\Flagged $Forwarded"),
            ],
        ),
        ("INBOX/取引先".to_owned(), vec![one("three", "")]),
        ("Sent".to_owned(), vec![one("four", "\\Seen")]),
    ];
    assert_eq!(arrived(&servers), BTreeMap::from(expected));
    copies_nothing_again(&home, &servers, &format!("thunderbird:{path}"), 4, &[]);
}

#[test]
fn two_computers_come_together_in_one_account_and_can_be_taken_back() {
    let (home, servers) = (Home::new(), Servers::start());
    let (pc, old) = (home.root().join("pc"), home.root().join("old-pc"));
    profile(&pc);
    profile(&old);
    // What only the old one has.
    let sent = old.join("Mail/pop/Sent");
    let text = fs::read_to_string(&sent).expect("there");
    fs::write(
        &sent,
        text.clone() + &text.replace("Subject: four", "Subject: five"),
    )
    .expect("a file");
    let [pc, old] = [pc, old].map(|path| path.display().to_string());
    let first = report(&copy(&home, &servers, "copy", &pc, &["--json"]));
    assert_eq!(
        (&first["scanned"], &first["copied_now"]),
        (&4.into(), &4.into())
    );
    let second = report(&copy(&home, &servers, "copy", &old, &["--json"]));
    assert_eq!(
        (&second["scanned"], &second["copied_now"]),
        (&5.into(), &1.into())
    );
    assert_eq!(second["outcomes"]["already_there"]["messages"], 4);
    let both = arrived(&servers);
    let texts: Vec<&str> = both["Sent"].iter().map(|m| m.octets.as_str()).collect();
    assert_eq!(texts, [as_sent("four", "body"), as_sent("five", "body")]);
    assert_eq!((both["INBOX"].len(), both["INBOX/取引先"].len()), (2, 1));

    // Only what came from the old one goes.
    let undo = copy(&home, &servers, "undo", &old, &["--yes"]);
    assert_eq!(undo.exit, 0, "{undo:?}");
    let mut left = both;
    left.get_mut("Sent").expect("there").truncate(1);
    assert_eq!(arrived(&servers), left);
}

#[test]
fn a_server_and_two_computers_become_one_account_with_each_message_once() {
    let (home, servers) = (Home::new(), Servers::start());
    let account = servers.new.account("taro").expect("the account");
    // The owner has put it into a folder at the server; it lies in the inbox of the computers.
    let kept = as_sent("one", "body");
    account.add_message("仕事/2011", NewMessage::new(kept.clone()));
    let (pc, old) = (home.root().join("pc"), home.root().join("old-pc"));
    profile(&pc);
    profile(&old);
    let moved = old.join("Mail/pop/Inbox.sbd/古いもの");
    let inbox = old.join("Mail/pop/Inbox");
    let text = fs::read_to_string(&inbox).expect("there");
    // On the old computer it lies in a folder, beside one that is nowhere else.
    fs::write(&inbox, "").expect("a file");
    fs::write(&moved, text.replace("Subject: two", "Subject: six")).expect("a file");
    let [pc, old] = [pc, old].map(|path| path.display().to_string());

    let first = copy(&home, &servers, "copy", &pc, &["--lang", "ja"]);
    assert_eq!(first.exit, 0, "{first:?}");
    let only = "サーバーになく、パソコンだけにあったメール：3通";
    assert!(first.out.contains(only), "{first:?}");
    let said =
        "「INBOX」の1通は、コピー先の「仕事/2011」にすでにありましたので、コピーしていません。";
    assert!(first.out.contains(said), "{first:?}");
    let second = copy(&home, &servers, "copy", &old, &[]);
    assert_eq!(second.exit, 0, "{second:?}");
    let arrived = arrived(&servers);
    let subjects = |folder: &str| -> Vec<&str> {
        let lines = arrived[folder].iter().flat_map(|m| m.octets.lines());
        lines
            .filter_map(|line| line.strip_prefix("Subject: "))
            .collect()
    };
    let folders: Vec<&str> = arrived.keys().map(String::as_str).collect();
    let expected = [
        "INBOX",
        "INBOX/取引先",
        "INBOX/古いもの",
        "Sent",
        "仕事/2011",
    ];
    assert_eq!(folders, expected);
    let subjects = expected.map(subjects);
    assert_eq!(subjects, [["two"], ["three"], ["six"], ["four"], ["one"]]);
    copies_nothing_again(&home, &servers, &format!("thunderbird:{pc}"), 4, &[]);
    // Whoever wants each folder as it was says so.
    let each = report(&copy(
        &home,
        &servers,
        "copy",
        &pc,
        &["--json", "--match", "mailbox"],
    ));
    assert_eq!(each["copied_now"], 1, "{each}");
}
