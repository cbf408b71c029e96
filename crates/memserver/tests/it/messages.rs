//! STORE, EXPUNGE, COPY, MOVE, SEARCH, and what other sessions see of them.

use hikyaku_memserver::{Body, Date, NewMessage, Personality};

use crate::client::Client;
use crate::server;

#[tokio::test]
async fn flags_are_stored_and_told() {
    let (server, account) = server(Personality::dovecot_like()).await;
    account.add_message("INBOX", "A: 1\r\n\r\n");
    account.add_message(
        "INBOX",
        NewMessage::new("A: 2\r\n\r\n").flags(&["\\Seen", "Old"]),
    );
    let mut c = Client::logged_in(&server).await;
    c.ok("select inbox").await;
    c.ok("close").await;
    c.ok("select inbox").await;
    c.dialogue(
        r#"
        C: a store 1 +flags (\Flagged $Work)
        S: * 1 FETCH (FLAGS (\Flagged $Work))
        S: a OK...
        C: b uid store 1:2 -flags.silent (old \Flagged)
        S: b OK...
        C: c uid store 2 flags \Draft
        S: * 2 FETCH (UID 2 FLAGS (\Draft))
        S: c OK...
        C: d store 1 +flags (\Recent)
        S: d BAD...
        C: e store 3 +flags (\Seen)
        S: e BAD...
        C: f store 1 +flags.silent (\Deleted)
        S: f OK...
        C: g expunge
        S: * 1 EXPUNGE
        S: g OK...
        C: h examine inbox
        "#,
    )
    .await;
    loop {
        if c.line().await.starts_with("h OK") {
            break;
        }
    }
    assert!(
        c.tagged("store 1 flags ()")
            .await
            .starts_with("t NO [READ-ONLY]")
    );
    let shot = account.snapshot();
    let inbox = shot.mailbox("INBOX").unwrap();
    assert_eq!(inbox.messages.len(), 1);
    assert_eq!(inbox.messages[0].flags, ["\\Draft".to_owned()].into());
}

#[tokio::test]
async fn copies_keep_flags_and_dates_and_moves_leave_nothing() {
    let (server, account) = server(Personality::rev2()).await;
    account.add_mailbox("To");
    account.set_uidnext("To", 70);
    for flags in [&["\\Seen", "K"][..], &[], &[]] {
        account.add_message(
            "INBOX",
            NewMessage::new("A: b\r\n\r\n")
                .flags(flags)
                .date(Date::utc(5)),
        );
    }
    let mut c = Client::logged_in(&server).await;
    c.ok("select inbox").await;
    c.dialogue(
        r#"
        C: a uid copy 1,3 To
        S: a OK [COPYUID 1700000001 1,3 70:71]...
        C: b uid move 2 To
        S: * OK [COPYUID 1700000001 2 72]...
        S: * 2 EXPUNGE
        S: b OK...
        C: c copy 1 Missing
        S: c NO [TRYCREATE]...
        C: d uid copy 99 To
        S: d OK...
        C: e uid store 3 +flags.silent \Deleted
        S: e OK...
        C: f uid expunge 1:2
        S: f OK...
        C: g uid expunge 1:3
        S: * 2 EXPUNGE
        S: g OK...
        "#,
    )
    .await;
    assert_eq!(account.uids("INBOX"), [1]);
    assert_eq!(account.uids("To"), [70, 71, 72]);
    let shot = account.snapshot();
    let (from, to) = (
        &shot.mailbox("INBOX").unwrap().messages[0],
        &shot.mailbox("To").unwrap().messages[0],
    );
    assert_eq!(
        (&from.flags, &from.keywords, from.date, &from.body),
        (&to.flags, &to.keywords, to.date, &to.body)
    );
}

#[tokio::test]
async fn searches_find_by_number_flag_header_date_and_size() {
    let (server, account) = server(Personality::rev2()).await;
    let day = |day: i64| Date::utc(day * 86_400);
    account.add_messages(
        "INBOX",
        [
            NewMessage::new("Message-ID: <a@x>\r\nSubject: Hello\r\n World\r\n\r\none\r\n")
                .flags(&["\\Seen"])
                .date(day(10)),
            NewMessage::new(
                "Message-ID: <b@x>\r\nDate: Fri, 2 Jan 1970 00:00:00 +0000\r\n\r\ntwo\r\n",
            )
            .date(day(20)),
            NewMessage::new(Body::generated("Subject: big\r\n\r\n", 10_000, 1))
                .flags(&["$Junk"])
                .date(day(30)),
        ],
    );
    account.expunge("INBOX", &[2]);
    account.add_message(
        "INBOX",
        NewMessage::new("Message-ID: <b@x>\r\nDate: Fri, 2 Jan 1970 00:00:00 +0000\r\n\r\ntwo\r\n")
            .date(day(20)),
    );
    let mut c = Client::logged_in(&server).await;
    c.ok("examine inbox").await;
    for (keys, found) in [
        ("all", "1 3 4"),
        ("1:2", "1 3"),
        ("uid 3:*", "3 4"),
        ("uid 9:*", "4"),
        ("seen", "1"),
        ("unseen", "3 4"),
        ("keyword $junk", "3"),
        ("header message-id <B@X>", "4"),
        ("header message-id \"\"", "1 4"),
        ("subject \"hello world\"", "1"),
        ("since 21-Jan-1970", "3 4"),
        ("before 21-Jan-1970", "1"),
        ("on 31-Jan-1970", "3"),
        ("sentbefore 3-Jan-1970", "4"),
        ("larger 9999", "3"),
        ("smaller 9999 not seen", "4"),
        ("or seen keyword $Junk", "1 3"),
        ("(or (seen) (text two)) not subject hello", "4"),
        ("body one", "1"),
        ("charset utf-8 header subject {5+}\r\nhello", "1"),
    ] {
        let line = c.ok(&format!("uid search {keys}")).await.remove(0);
        assert_eq!(line, format!("* SEARCH {found}"), "{keys}");
    }
    c.dialogue(
        r#"
        C: a search return (min max count all) 1:*
        S: * ESEARCH (TAG "a") MIN 1 MAX 3 COUNT 3 ALL 1:3
        S: a OK...
        C: b uid search return () flagged
        S: * ESEARCH (TAG "b") UID
        S: b OK...
        C: c uid search return (count) modseq 4
        S: * ESEARCH (TAG "c") UID COUNT 2 MODSEQ 6
        S: c OK...
        C: d search charset x-unknown all
        S: d NO [BADCHARSET...
        C: e search nonsense
        S: e BAD...
        "#,
    )
    .await;
}

#[tokio::test]
async fn changes_behind_the_back_are_told_in_the_right_places() {
    let (server, account) = server(Personality::dovecot_like()).await;
    for _ in 0..4 {
        account.add_message("INBOX", "A: b\r\n\r\n");
    }
    let mut c = Client::logged_in(&server).await;
    c.ok("select inbox").await;
    account.expunge("INBOX", &[2]);
    account.set_flags("INBOX", 3, &["\\Seen"]);
    account.add_message("INBOX", "C: d\r\n\r\n");
    c.dialogue(
        r#"
        C: a fetch 2 (uid)
        S: * 5 EXISTS
        S: * 5 RECENT
        S: * 3 FETCH (FLAGS (\Seen \Recent))
        S: a OK [EXPUNGEISSUED]...
        C: b uid fetch 5 (uid)
        S: * 5 FETCH (UID 5)
        S: * 2 EXPUNGE
        S: b OK...
        C: c noop
        S: c OK...
        "#,
    )
    .await;
    let moved = account.add_mailbox("Elsewhere");
    assert_eq!(account.move_message("INBOX", 1, moved), Some(1));
    assert_eq!(
        c.command("noop").await,
        ["* 1 EXPUNGE", "t OK NOOP completed."]
    );
    account.set_uidvalidity("INBOX", 77);
    c.send("t uid fetch 1:* flags\r\n").await;
    assert!(c.rest().await.0.contains("* BYE"));
    let shot = account.snapshot();
    let inbox = shot.mailbox("INBOX").unwrap();
    assert_eq!(
        (inbox.uidvalidity, inbox.uidnext, account.uids("INBOX")),
        (77, 4, vec![1, 2, 3])
    );
}

#[tokio::test]
async fn a_hundred_thousand_messages_are_served_whole() {
    let (server, account) = server(Personality::dovecot_like()).await;
    let messages = (0..100_000)
        .map(|n| NewMessage::new(Body::generated(format!("Subject: {n}\r\n\r\n"), 200, n)));
    account.add_messages("INBOX", messages);
    let mut c = Client::logged_in(&server).await;
    c.ok("examine inbox").await;
    let lines = c.ok("uid fetch 1:* (flags internaldate rfc822.size)").await;
    assert_eq!(lines.len(), 100_001);
    assert!(lines[99_999].starts_with("* 100000 FETCH (UID 100000 "));
    c.send("t uid fetch 99999:* body.peek[]\r\n").await;
    let head = c.line().await;
    assert_eq!(head, "* 99999 FETCH (UID 99999 BODY[] {200}");
    let expected = Body::generated("Subject: 99998\r\n\r\n", 200, 99_998).bytes();
    assert_eq!(c.octets(200).await, expected);
}
