//! Mailboxes and messages: LIST, SELECT, FETCH, APPEND, STORE and their kin.

use hikyaku_memserver::{Body, Date, NewMessage, Options, Personality};

use crate::client::Client;
use crate::{server, start};

#[tokio::test]
async fn a_session_lists_selects_and_fetches() {
    let (server, account) = server(Personality::rev2()).await;
    account.add_mailbox_as("Sent", &["\\Sent"]);
    account.subscribe("Sent");
    account.add_message(
        "INBOX",
        NewMessage::new("Subject: a\r\n\r\ntext\r\n")
            .flags(&["\\Seen", "$Work"])
            .date(Date::utc(1_000_000_000)),
    );
    account.add_message("INBOX", "Subject: b\r\n\r\n");
    let mut c = Client::logged_in(&server).await;
    c.dialogue(
        r#"
        C: a list "" "*" return (subscribed special-use status (messages uidnext uidvalidity size))
        S: * LIST (\HasNoChildren) "/" INBOX
        S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1700000000 SIZE 34)
        S: * LIST (\HasNoChildren \Subscribed \Sent) "/" Sent
        S: * STATUS Sent (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1700000001 SIZE 0)
        S: a OK...
        C: b examine inbox
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Work)
        S: * OK [PERMANENTFLAGS ()]...
        S: * 2 EXISTS
        S: * 2 RECENT
        S: * OK [UNSEEN 2]...
        S: * OK [UIDVALIDITY 1700000000]...
        S: * OK [UIDNEXT 3]...
        S: * OK [HIGHESTMODSEQ 3]...
        S: * OK [MAILBOXID (M2)]...
        S: b OK [READ-ONLY]...
        C: c uid fetch 1:* (flags internaldate rfc822.size body.peek[])
        S: * 1 FETCH (UID 1 FLAGS (\Seen $Work \Recent) INTERNALDATE "09-Sep-2001 01:46:40 +0000" RFC822.SIZE 20 BODY[] {20}
        S: Subject: a
        S:
        S: text
        S: )
        S: * 2 FETCH (UID 2 FLAGS (\Recent) INTERNALDATE "01-Jan-2020 00:00:00 +0000" RFC822.SIZE 14 BODY[] {14}
        S: Subject: b
        S:
        S: )
        S: c OK...
        C: d fetch 2 (body.peek[header.fields (subject)] body.peek[text]<0.3> modseq)
        S: * 2 FETCH (BODY[HEADER.FIELDS (subject)] {14}
        S: Subject: b
        S:
        S:  BODY[TEXT]<0> {0}
        S:  MODSEQ (3))
        S: d OK...
        C: e uid fetch 77 (flags)
        S: e OK...
        C: f fetch 3 flags
        S: f BAD...
        "#,
    )
    .await;
}

#[tokio::test]
async fn reading_without_peek_sets_seen_only_after_select() {
    let (server, account) = server(Personality::dovecot_like()).await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    let before = account.snapshot();
    let mut c = Client::logged_in(&server).await;
    c.ok("examine inbox").await;
    c.ok("fetch 1 body[]").await;
    assert_eq!(account.snapshot(), before);
    c.ok("select inbox").await;
    c.ok("uid fetch 1 body.peek[]").await;
    assert_eq!(account.snapshot(), before);
    let lines = c.ok("uid fetch 1 (body[header])").await;
    assert_eq!(lines[lines.len() - 2], " FLAGS (\\Seen \\Recent))");
    let after = account.snapshot();
    assert!(
        after.mailbox("INBOX").unwrap().messages[0]
            .flags
            .contains("\\Seen")
    );
}

#[tokio::test]
async fn append_stores_octets_flags_keywords_and_date_and_tells_the_uid() {
    let (server, account) = server(Personality::rev2()).await;
    let mut c = Client::logged_in(&server).await;
    c.dialogue(
        r#"
        C: a append INBOX (\Seen $Forwarded) " 9-Mar-2003 12:34:56 +0900" {9}
        S: + OK
        C: A: b
        C:
        C: x
        S: a OK [APPENDUID 1700000000 1]...
        C: b append INBOX {6+}
        C: A: b
        C:  (\Draft) {6+}
        C: C: d
        C:
        S: b OK [APPENDUID 1700000000 2:3]...
        "#,
    )
    .await;
    let inbox = account.snapshot();
    let messages = &inbox.mailbox("INBOX").unwrap().messages;
    let bodies: Vec<Body> = messages.iter().map(|m| m.body.clone()).collect();
    assert_eq!(
        bodies,
        ["A: b\r\n\r\nx".into(), "A: b\r\n".into(), "C: d\r\n".into()] as [Body; 3]
    );
    assert_eq!(messages[0].flags, ["\\Seen".to_owned()].into());
    assert_eq!(messages[0].keywords, ["$Forwarded".to_owned()].into());
    assert_eq!(
        messages[0].date,
        Date::parse(b"09-Mar-2003 12:34:56 +0900").unwrap()
    );
    assert_eq!(messages[2].flags, ["\\Draft".to_owned()].into());
}

#[tokio::test]
async fn one_append_takes_thousands_of_messages_and_stores_all_or_none() {
    let (server, account) = server(Personality::dovecot_like()).await;
    let mut c = Client::logged_in(&server).await;
    let one = " (\\Seen) \"01-Jan-2000 00:00:00 +0000\" {6+}\r\nA: b\r\n".to_owned();
    c.send(format!("t append INBOX{}\r\n", one.repeat(3000)))
        .await;
    assert!(c.answer().await[0].contains(" 1:3000]"));
    // Dovecot refuses the empty one at the end, and with it all others.
    c.send(format!("t append INBOX{} {{0+}}\r\n\r\n", one.repeat(10)))
        .await;
    assert!(c.answer().await[0].starts_with("t NO"));
    assert_eq!(account.uids("INBOX").len(), 3000);
}

#[tokio::test]
async fn the_messages_of_one_append_are_bounded_together() {
    let mut options = Options::new(Personality::dovecot_like());
    options.limits.message = 10;
    let (server, account) = start(options).await;
    let mut c = Client::logged_in(&server).await;
    c.send("t append INBOX {6+}\r\nA: b\r\n {6+}\r\nA: b\r\n\r\n")
        .await;
    assert!(c.answer().await[0].starts_with("t NO [LIMIT]"));
    c.ok("noop").await;
    assert!(account.uids("INBOX").is_empty());
}
