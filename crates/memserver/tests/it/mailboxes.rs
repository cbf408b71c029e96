//! Names: LIST in all its forms, LSUB, CREATE, DELETE, RENAME, STATUS, quota.

use hikyaku_memserver::{Options, Personality, Quota};

use crate::client::Client;
use crate::{server, start};

#[tokio::test]
async fn list_options_select_and_return_what_they_say() {
    let (server, account) = server(Personality::rev2()).await;
    account.add_mailbox_as("Work/Sent", &["\\Sent"]);
    account.add_mailbox("Work/2024");
    account.subscribe("Work/2024");
    account.subscribe("Gone");
    let mut c = Client::logged_in(&server).await;
    c.dialogue(
        r#"
        C: a list "" %
        S: * LIST (\HasNoChildren) "/" INBOX
        S: * LIST (\Noselect \HasChildren) "/" Work
        S: a OK...
        C: b list "Work/" (% nothing)
        S: * LIST (\HasNoChildren) "/" Work/2024
        S: * LIST (\HasNoChildren \Sent) "/" Work/Sent
        S: b OK...
        C: c list (subscribed) "" *
        S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" Gone
        S: * LIST (\HasNoChildren \Subscribed) "/" Work/2024
        S: c OK...
        C: d list (special-use) "" * return (children status (messages))
        S: * LIST (\HasNoChildren \Sent) "/" Work/Sent
        S: * STATUS Work/Sent (MESSAGES 0)
        S: d OK...
        C: e list (recursivematch subscribed) "" %
        S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" Gone
        S: * LIST (\Noselect \HasChildren) "/" Work ("CHILDINFO" ("SUBSCRIBED"))
        S: e OK...
        C: f list "" ""
        S: * LIST (\Noselect) "/" ""
        S: f OK...
        C: g lsub "" *
        S: * LSUB () "/" Gone
        S: * LSUB () "/" Work/2024
        S: g OK...
        C: h lsub "" %
        S: * LSUB () "/" Gone
        S: * LSUB (\Noselect) "/" Work
        S: h OK...
        C: i list (recursivematch) "" *
        S: i BAD...
        "#,
    )
    .await;
}

#[tokio::test]
async fn mailboxes_are_made_renamed_and_deleted() {
    let (server, account) = server(Personality::rev2()).await;
    let mut c = Client::logged_in(&server).await;
    c.dialogue(
        r#"
        C: a create Archive/2024 (use (\Archive))
        S: a OK...
        C: b create archive/2024
        S: b OK...
        C: c create Archive/2024
        S: c NO [ALREADYEXISTS]...
        C: d create Other (use (\Archive))
        S: d NO [USEATTR]...
        C: e subscribe Archive/2024
        S: e OK...
        C: f subscribe Missing
        S: f NO...
        C: g rename Archive Old
        S: g OK...
        C: h rename Old Old/2024
        S: h NO [ALREADYEXISTS]...
        C: i delete Old/2024
        S: i OK...
        C: j delete Missing
        S: j NO...
        C: k delete inbox
        S: k NO...
        C: l unsubscribe Archive/2024
        S: l OK...
        C: m create tail/
        S: m OK...
        "#,
    )
    .await;
    let names: Vec<String> = account
        .snapshot()
        .mailboxes
        .into_values()
        .map(|m| m.name)
        .collect();
    assert_eq!(names, ["INBOX", "Old", "archive", "archive/2024", "tail"]);
    assert!(account.snapshot().subscribed.is_empty());
}

#[tokio::test]
async fn renaming_inbox_moves_its_messages() {
    let (server, account) = server(Personality::rev2()).await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    Client::logged_in(&server)
        .await
        .ok("rename inbox Before")
        .await;
    assert!(account.uids("INBOX").is_empty());
    assert_eq!(account.uids("Before"), [1]);
}

#[tokio::test]
async fn names_travel_in_modified_utf7_or_in_utf8_once_enabled() {
    let (server, account) = server(Personality::rev2()).await;
    account.add_mailbox("請求書/A&B");
    account.add_mailbox(b"raw\xff");
    let mut c = Client::logged_in(&server).await;
    c.dialogue(
        r#"
        C: a list "" *書*
        S: a OK...
        C: b list "" &*
        S: * LIST (\Noselect \HasChildren) "/" &istsQmb4-
        S: * LIST (\HasNoChildren) "/" &istsQmb4-/A&-B
        S: b OK...
        C: c list "" raw*
        S: * LIST (\HasNoChildren) "/" {4}
        S: raw...
        S: c OK...
        C: d enable utf8=accept condstore unknown
        S: * ENABLED UTF8=ACCEPT CONDSTORE
        S: d OK...
        C: e list "" *書*
        S: * LIST (\Noselect \HasChildren) "/" "請求書"
        S: * LIST (\HasNoChildren) "/" "請求書/A&B"
        S: e OK...
        C: f create "メモ😀"
        S: f OK...
        C: g append "メモ😀" (\Seen) utf8 (~{6+}
        C: A: b
        C: )
        S: g OK...
        "#,
    )
    .await;
    assert_eq!(account.uids("メモ😀"), [1]);
}

#[tokio::test]
async fn rev2_alone_speaks_utf8_from_the_start_and_knows_no_recent() {
    let (server, account) = server(Personality::rev2_only()).await;
    account.add_message("メモ", "A: b\r\n\r\n");
    let mut c = Client::logged_in(&server).await;
    let told = c.ok("examine メモ").await.join("\n");
    assert!(told.contains("* LIST () \"/\" \"メモ\""), "{told}");
    assert!(!told.contains("RECENT"), "{told}");
    assert_eq!(
        c.ok("uid search all").await[0],
        "* ESEARCH (TAG \"t\") UID ALL 1"
    );
    // LITERAL- takes up to 4096 octets unasked (RFC 7888 §5).
    assert!(c.tagged("append メモ {4097+}").await.starts_with("t BAD"));
}

#[tokio::test]
async fn status_tells_what_is_asked_and_known() {
    let (rev2, account) = server(Personality::rev2()).await;
    account.add_message("a b", "A: b\r\n\r\n");
    let mut c = Client::logged_in(&rev2).await;
    assert_eq!(
        c.ok("status \"a b\" (messages recent unseen uidnext size highestmodseq mailboxid)")
            .await[0],
        "* STATUS \"a b\" (MESSAGES 1 RECENT 1 UNSEEN 1 UIDNEXT 2 SIZE 8 HIGHESTMODSEQ 2 MAILBOXID (M3))"
    );
    assert!(
        c.tagged("status missing (messages)")
            .await
            .starts_with("t NO")
    );
    assert!(c.tagged("status inbox (wrong)").await.starts_with("t BAD"));

    let (courier, _) = server(Personality::courier_like()).await;
    let mut c = Client::logged_in(&courier).await;
    assert_eq!(
        c.ok("status inbox (messages highestmodseq)").await[0],
        "* STATUS INBOX (MESSAGES 0)"
    );
}

#[tokio::test]
async fn quota_is_told_and_kept_as_each_server_does() {
    for (personality, unlimited) in [
        (Personality::dovecot_like(), vec![]),
        (Personality::cyrus_like(), vec!["* QUOTAROOT INBOX"]),
        (
            Personality::courier_like(),
            vec!["* QUOTAROOT INBOX \"ROOT\"", "* QUOTA \"ROOT\""],
        ),
    ] {
        let before = personality.over_quota.before_literal;
        let words = format!("t NO {}", personality.over_quota.refusal.text);
        let (server, account) = server(personality).await;
        let mut c = Client::logged_in(&server).await;
        let told = c.ok("getquotaroot inbox").await;
        assert_eq!(told[..told.len() - 1], unlimited);
        account.set_quota(Quota {
            octets: Some(2048),
            messages: None,
        });
        let literal = "A: b\r\n".repeat(300);
        c.ok(&format!("append INBOX {{{}}}\r\n{literal}", literal.len()))
            .await;
        let told = c.ok("getquotaroot inbox").await;
        assert_eq!(
            told[..2],
            [
                "* QUOTAROOT INBOX \"User quota\"",
                "* QUOTA \"User quota\" (STORAGE 2 2)"
            ]
        );
        c.send(format!("t append INBOX {{{}}}\r\n", literal.len()))
            .await;
        if !before {
            assert_eq!(c.line().await, "+ OK");
            c.send(format!("{literal}\r\n")).await;
        }
        assert_eq!(c.answer().await, [words]);
        assert_eq!(account.uids("INBOX"), [1]);
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_before_it_is_sent() {
    let (server, account) = server(Personality::cyrus_like()).await;
    account.set_append_limit(Some(100));
    let mut c = Client::logged_in(&server).await;
    assert_eq!(
        c.tagged("append INBOX {101}").await,
        "t NO [TOOBIG] Message too large"
    );
    let mut options = Options::new(Personality::cyrus_like());
    options.limits.message = 10;
    let (server, _) = start(options).await;
    let mut c = Client::logged_in(&server).await;
    assert_eq!(
        c.tagged("append INBOX {11}").await,
        "t NO [TOOBIG] Message too large"
    );
}

#[tokio::test]
async fn read_only_mailboxes_and_permanent_flags_are_kept() {
    let (server, account) = server(Personality::rev2()).await;
    account.add_mailbox("Shared");
    account.set_read_only("Shared", true);
    account.add_mailbox("Plain");
    account.set_permanent_flags("Plain", Some(&["\\Seen", "$Junk"]));
    let mut c = Client::logged_in(&server).await;
    assert!(
        c.tagged("append Shared {1}")
            .await
            .starts_with("t NO [NOPERM]")
    );
    assert!(
        c.tagged("select Shared")
            .await
            .starts_with("t OK [READ-ONLY]")
    );
    let told = c.ok("select Plain").await.join("\n");
    assert!(told.contains("[PERMANENTFLAGS (\\Seen $Junk)]"), "{told}");
    c.ok("append Plain (\\Seen \\Flagged $Junk Other) {6+}\r\nA: b\r\n")
        .await;
    let shot = account.snapshot();
    let message = &shot.mailbox("Plain").unwrap().messages[0];
    assert_eq!(message.flags, ["\\Seen".to_owned()].into());
    assert_eq!(message.keywords, ["$Junk".to_owned()].into());
}
