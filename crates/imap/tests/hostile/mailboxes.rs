//! Fault model 17, 21, 24, 25: mailboxes that cannot be made, opened or written as wanted.

use crate::common::{append, letter, name};
use crate::host::{Host, INBOX, told};
use hikyaku_core::Side;
use hikyaku_core::traits::{Appended, Destination, Source};

/// Wants a mailbox while the server answers CREATE and LIST like this.
async fn wanting(create: &str, listed: &str) -> Result<(String, bool), String> {
    let host = Host::start("").await;
    let (account, mut peer) = host.account(Side::Destination, INBOX).await;
    let wanted = name("Projects");
    let (made, ()) = tokio::join!(account.ensure(&wanted, None, false), async {
        let tag = peer.hears("CREATE \"Projects\"").await;
        peer.says(&format!("{tag} {create}\n")).await;
        let tag = peer.hears("LIST \"\" \"Projects\"").await;
        peer.says(&format!("{listed}{tag} OK\n")).await;
        if create.starts_with("OK") && !listed.contains("Projects\n") {
            let tag = peer.hears("STATUS \"Projects\"").await;
            peer.says(&format!("{tag} NO no such mailbox\n")).await;
        }
    });
    match made {
        Ok(made) => Ok((
            String::from_utf8_lossy(made.wire.as_bytes()).into_owned(),
            made.selectable,
        )),
        Err(fault) => {
            assert_eq!(fault.at.mailbox.as_deref(), Some("Projects"));
            Err(told(&fault))
        }
    }
}

#[tokio::test]
async fn a_mailbox_that_is_refused_is_the_fault_of_that_mailbox() {
    let refused = || Err("mailbox.refused Mailbox".to_owned());
    for (create, listed) in [
        ("NO [NOPERM] ACL", ""),
        ("NO [CANNOT] such a name", ""),
        ("NO depth exceeded", "* LIST () \"/\" Other\n"),
        ("BAD what", ""),
        ("NO exists already", "* LIST (\\Noselect) \"/\" Projects\n"),
        (
            "NO exists already",
            "* LIST (\\NonExistent) \"/\" Projects\n",
        ),
        // It says yes and shows another: never into that one.
        ("OK made", "* LIST () \"/\" Projects2\n"),
        ("OK made", ""),
    ] {
        assert_eq!(
            wanting(create, listed).await,
            refused(),
            "{create} {listed}"
        );
    }
    for (create, listed) in [
        ("OK made", "* LIST () \"/\" Projects\n"),
        ("NO [ALREADYEXISTS] is there", "* LIST () \"/\" Projects\n"),
    ] {
        let made = Ok(("Projects".to_owned(), true));
        assert_eq!(wanting(create, listed).await, made, "{create}");
    }
}

#[tokio::test]
async fn what_is_listed_and_cannot_be_selected_is_told() {
    let host = Host::start("").await;
    let rows = "* LIST (\\NonExistent \\HasChildren) \"/\" a\n* LIST () \"/\" a/b\n\
                * LIST (\\Noselect) \"/\" c\n* LIST () \"/\" d\n";
    let (account, mut peer) = host.account(Side::Source, rows).await;
    let found = account.mailboxes().await.expect("mailboxes");
    let seen: Vec<_> = found
        .iter()
        .map(|m| (m.name.to_string(), m.selectable))
        .collect();
    let expected = [("a", false), ("a/b", true), ("c", false), ("d", true)];
    assert_eq!(seen, expected.map(|(name, is)| (name.to_owned(), is)));
    for (answer, code) in [
        ("NO Mailbox is broken", "mailbox.unreadable Mailbox"),
        ("NO [NONEXISTENT] gone", "mailbox.missing Mailbox"),
        ("NO [UNAVAILABLE] try later", "server.busy Side again"),
    ] {
        let (opened, ()) = tokio::join!(account.open(&found[3]), async {
            let tag = peer.hears("EXAMINE \"d\"").await;
            peer.says(&format!("{tag} {answer}\n")).await;
        });
        let fault = opened.map(drop).expect_err("refused");
        assert_eq!(told(&fault), code, "{answer}");
        assert_eq!(fault.at.mailbox.as_deref(), Some("d"));
    }
}

#[tokio::test]
async fn a_destination_that_opens_for_reading_only_is_told_before_anything_is_sent() {
    let host = Host::start("").await;
    let (account, mut peer) = host.account(Side::Destination, INBOX).await;
    let inbox = crate::host::inbox(&account).await;
    let (opened, ()) = tokio::join!(account.write(&inbox), async {
        let tag = peer.hears("SELECT \"INBOX\"").await;
        peer.says(&format!(
            "* 0 EXISTS\n{tag} OK [READ-ONLY] look, do not touch\n"
        ))
        .await;
    });
    let fault = opened.map(drop).expect_err("refused");
    assert_eq!(told(&fault), "mailbox.read_only Mailbox");
}

#[tokio::test]
async fn only_flags_that_are_kept_are_sent() {
    for (permanent, sent) in [
        ("(\\Seen \\Deleted)", "(\\Seen)"),
        ("(\\Seen $Junk)", "(\\Seen $Junk)"),
        ("(\\Seen \\Flagged \\*)", "(\\Seen \\Flagged $Junk Work)"),
        ("()", ""),
    ] {
        let host = Host::start("LITERAL+").await;
        let told = format!("* 0 EXISTS\n* OK [PERMANENTFLAGS {permanent}] kept\n");
        let (_account, mut writer, mut peer) = host.writer(&told).await;
        let message = letter(1, "\\Seen \\Flagged $Junk Work", 1_000_000_000, "text");
        let (appended, ()) = tokio::join!(append(writer.as_mut(), vec![message]), async {
            let line = peer.line().await;
            let (tag, rest) = line.split_once(' ').expect("a tag");
            let flags = match rest.split_once('(') {
                Some((_, flags)) => format!("({}", flags.split_once(')').expect("an end").0) + ")",
                None => String::new(),
            };
            assert_eq!(flags, sent, "{permanent}");
            peer.takes(6).await;
            peer.says(&format!("{tag} OK\n")).await;
        });
        assert!(matches!(appended, Appended::Stored { keys: None, .. }));
    }
}

#[tokio::test]
async fn a_uidvalidity_of_zero_proves_nothing() {
    let host = Host::start("LITERAL+").await;
    let told = "* 0 EXISTS\n* OK [UIDVALIDITY 0] ok\n";
    let (_account, mut writer, mut peer) = host.writer(told).await;
    let message = letter(1, "", 1_000_000_000, "text");
    let (appended, ()) = tokio::join!(append(writer.as_mut(), vec![message]), async {
        let tag = peer.hears("APPEND").await;
        peer.takes(6).await;
        peer.says(&format!("{tag} OK [APPENDUID 0 5] stored\n"))
            .await;
    });
    match appended {
        Appended::Stored { epoch: None, .. } => {}
        other => panic!("{other:?}"),
    }
}
