//! The adapter against a scripted server.

use super::*;
use crate::testing::{Peer, open_gate};
use futures::StreamExt;
use hikyaku_core::traits::{Appended, Facts as Wanted};
use hikyaku_core::{Body, Code, Flags, Key, KeySet, Letter, Reach};
use hikyaku_net::Security;
use tokio::net::{TcpListener, TcpStream};

/// A server that lets one in and shows an INBOX with so many messages.
struct Server {
    listener: TcpListener,
    capabilities: &'static str,
}

type Line = Peer<TcpStream>;

impl Server {
    async fn start(capabilities: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self {
            listener,
            capabilities,
        }
    }

    fn options(&self, side: Side) -> ImapOptions {
        let port = self.listener.local_addr().expect("an address").port();
        let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
        ImapOptions::new(endpoint, Credentials::password("taro", "secret"))
    }

    /// Greets and takes the login.
    async fn let_in(&self) -> Line {
        let (stream, _) = self.listener.accept().await.expect("a client");
        let mut peer = Peer::over(stream);
        let capabilities = self.capabilities;
        peer.says(&format!(
            "* OK [CAPABILITY IMAP4rev1 {capabilities}] hello\n"
        ))
        .await;
        assert_eq!(peer.hears().await, "h1 LOGIN \"taro\" \"secret\"");
        peer.says(&format!("h1 OK [CAPABILITY IMAP4rev1 {capabilities}] in\n"))
            .await;
        peer
    }

    /// The same, and lists INBOX.
    async fn begin(&self) -> Line {
        let mut peer = self.let_in().await;
        assert_eq!(peer.hears().await, "h2 LIST \"\" \"*\"");
        assert_eq!(peer.hears().await, "h3 LSUB \"\" \"*\"");
        peer.says("* LIST () \"/\" INBOX\nh2 OK\n* LSUB () \"/\" INBOX\nh3 OK\n")
            .await;
        let status = peer.hears().await;
        assert!(
            status.starts_with("h4 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY"),
            "{status}"
        );
        peer.says("* STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7)\nh4 OK\n")
            .await;
        peer
    }
}

/// An account with its first connection.
async fn account(server: &Server, side: Side) -> (ImapAccount, Line) {
    let (account, peer) = tokio::join!(ImapAccount::connect(server.options(side)), server.begin());
    (account.expect("login"), peer)
}

/// INBOX opened for reading by `h5`, with three messages.
async fn reader(capabilities: &'static str) -> (ImapAccount, Box<dyn Reader>, Line) {
    let server = Server::start(capabilities).await;
    let (account, mut peer) = account(&server, Side::Source).await;
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    let (reader, ()) = tokio::join!(account.open(&inbox), async {
        assert_eq!(peer.hears().await, "h5 EXAMINE \"INBOX\"");
        if capabilities.contains("ESEARCH") {
            assert_eq!(peer.hears().await, "h6 UID SEARCH RETURN (ALL) ALL");
        }
        peer.says(
            "* 3 EXISTS\n* OK [UIDVALIDITY 7] ok\n* OK [UIDNEXT 9] ok\nh5 OK [READ-ONLY] ok\n",
        )
        .await;
    });
    (account, reader.expect("opened"), peer)
}

async fn letters(reader: &mut dyn Reader, keys: &str) -> Vec<String> {
    let keys = KeySet::parse(keys).expect("a set");
    let mut flow = reader.read(&keys);
    let mut all = Vec::new();
    while let Some(item) = flow.next().await {
        all.push(match item {
            Ok(letter) => {
                let octets = match letter.body {
                    Body::Held(octets) => octets.escape_ascii().to_string(),
                    Body::Streamed { octets, mut chunks } => {
                        let mut sum = 0;
                        while let Some(chunk) = chunks.next().await {
                            sum += chunk.expect("octets").len();
                        }
                        format!("{sum} of {octets}")
                    }
                };
                format!("{} ({}) {octets}", letter.key, letter.flags)
            }
            Err(fault) => {
                let key = fault.at.message.map_or("-".to_owned(), |k| k.to_string());
                format!("{key} {} {:?}", fault.code, fault.reach)
            }
        });
    }
    all
}

const ITEMS: &str = "(UID FLAGS INTERNALDATE BODY.PEEK[])";
const DATE: &str = "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"";

#[tokio::test]
async fn messages_that_a_refused_command_left_out_are_asked_for_one_by_one() {
    let (_account, mut reader, mut peer) = reader("LITERAL+").await;
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2:4,8"), async {
        assert_eq!(peer.hears().await, format!("h6 UID FETCH 2:4,8 {ITEMS}"));
        peer.says(&format!(
            "* 1 FETCH (UID 2 FLAGS (\\Seen) {DATE} BODY[] {{1}}\na)\n"
        ))
        .await;
        peer.says("h6 NO [SERVERBUG] cannot read\n").await;
        for (tag, uid) in [(7, 3), (8, 4), (9, 8)] {
            assert_eq!(
                peer.hears().await,
                format!("h{tag} UID FETCH {uid} {ITEMS}")
            );
        }
        peer.says("h7 NO [SERVERBUG] cannot read\n").await;
        peer.says(&format!(
            "* 3 FETCH (UID 4 FLAGS () {DATE} BODY[] {{1}}\nc)\nh8 OK\n"
        ))
        .await;
        // The last one is gone.
        peer.says("h9 OK\n").await;
    });
    assert_eq!(
        read,
        ["2 (\\Seen) a", "3 message.unreadable Message", "4 () c"]
    );
}

#[tokio::test]
async fn rows_in_parts_odd_orders_and_unasked_ones_give_each_message_once() {
    let (_account, mut reader, mut peer) = reader("LITERAL+").await;
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2:5"), async {
        peer.hears().await;
        peer.says("* 9 FETCH (FLAGS (\\Deleted))\n* 4 EXISTS\n")
            .await;
        // Flags and content in two rows; content before the UID; flags after all.
        peer.says(&format!(
            "* 1 FETCH (UID 2 FLAGS (\\Seen))\n* 1 FETCH (UID 2 {DATE} BODY[] {{1}}\na)\n"
        ))
        .await;
        peer.says(&format!(
            "* 2 FETCH (BODY[] {{1}}\nb {DATE} UID 3 FLAGS (\\Draft))\n"
        ))
        .await;
        peer.says("* 3 FETCH (UID 4 BODY[] {1}\nc)\n* 3 FETCH (FLAGS (x))\n")
            .await;
        peer.says("* 1 FETCH (UID 2 FLAGS () BODY[] {1}\nz)\n")
            .await;
        peer.says("* 4 FETCH (UID 5 FLAGS () BODY[] NIL)\nh6 OK\n")
            .await;
    });
    let unreadable = "5 message.unreadable Message";
    assert_eq!(
        read,
        ["2 (\\Seen) a", "3 (\\Draft) b", "4 (x) c", unreadable]
    );
}

#[tokio::test]
async fn a_message_without_flags_is_asked_for_again_and_then_named() {
    let (_account, mut reader, mut peer) = reader("LITERAL+").await;
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2:3"), async {
        peer.hears().await;
        peer.says("* 1 FETCH (UID 2 BODY[] {1}\na)\n* 2 FETCH (UID 3 BODY[] {1}\nb)\nh6 OK\n")
            .await;
        let mut asked = Vec::new();
        for tag in [7, 8] {
            let line = peer.hears().await;
            let uid = line.split(' ').nth(3).expect("a key").to_owned();
            let flags = if uid == "2" { "FLAGS (\\Seen) " } else { "" };
            peer.says(&format!(
                "* 1 FETCH (UID {uid} {flags}BODY[] {{1}}\nc)\nh{tag} OK\n"
            ))
            .await;
            asked.push(uid);
        }
        asked.sort();
        assert_eq!(asked, ["2", "3"]);
    });
    let mut read = read;
    read.sort();
    assert_eq!(read, ["2 (\\Seen) c", "3 message.unreadable Message"]);
}

#[tokio::test]
async fn a_large_message_whose_octets_come_first_is_asked_for_once_more() {
    let (_account, mut reader, mut peer) = reader("LITERAL+").await;
    let large = "x".repeat(400_000);
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2:3"), async {
        peer.hears().await;
        peer.says(&format!(
            "* 1 FETCH (BODY[] {{400000}}\n{large} UID 2 FLAGS (\\Seen) {DATE})\n"
        ))
        .await;
        peer.says(&format!(
            "* 2 FETCH (BODY[] {{1}}\nb UID 3 FLAGS () {DATE})\nh6 OK\n"
        ))
        .await;
        assert_eq!(peer.hears().await, format!("h7 UID FETCH 2 {ITEMS}"));
        peer.says(&format!(
            "* 1 FETCH (BODY[] {{400000}}\n{large} UID 2 FLAGS (\\Seen) {DATE})\nh7 OK\n"
        ))
        .await;
    });
    assert_eq!(read, ["3 () b", "2 (\\Seen) 400000 of 400000"]);
}

#[tokio::test]
async fn a_lost_connection_is_the_last_item() {
    let (_account, mut reader, mut peer) = reader("LITERAL+").await;
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2:3"), async {
        peer.hears().await;
        peer.says(
            "* 1 FETCH (UID 2 FLAGS () BODY[] {1}\na)\n* 2 FETCH (UID 3 FLAGS () BODY[] {100}\nabc",
        )
        .await;
        drop(peer);
    });
    assert_eq!(read, ["2 () a", "- link.lost Side"]);
}

#[tokio::test]
async fn keys_come_by_search_and_where_it_does_not_agree_by_fetch() {
    let (_account, mut reader, mut peer) = reader("ESEARCH").await;
    let (keys, ()) = tokio::join!(reader.keys(), async {
        peer.says("* ESEARCH (TAG \"h6\") UID ALL 2,5:6\nh6 OK\n")
            .await;
    });
    assert_eq!(keys.expect("keys").to_string(), "2,5:6");
    let (keys, ()) = tokio::join!(reader.keys(), async {
        assert_eq!(peer.hears().await, "h7 NOOP");
        assert_eq!(peer.hears().await, "h8 UID SEARCH RETURN (ALL) ALL");
        peer.says("* 4 EXISTS\nh7 OK\n* ESEARCH (TAG \"h8\") UID ALL 2,5:6\nh8 OK\n")
            .await;
        assert_eq!(peer.hears().await, "h9 UID FETCH 1:* (UID)");
        peer.says(
            "* 1 FETCH (UID 2)\n* 2 FETCH (UID 5)\n* 3 FETCH (UID 6)\n* 4 FETCH (UID 8)\nh9 OK\n",
        )
        .await;
    });
    assert_eq!(keys.expect("keys").to_string(), "2,5:6,8");
}

#[tokio::test]
async fn without_esearch_keys_come_by_fetch_and_none_are_asked_for_when_there_are_none() {
    let (_account, mut reader, mut peer) = reader("").await;
    let (keys, ()) = tokio::join!(reader.keys(), async {
        assert_eq!(peer.hears().await, "h6 UID FETCH 1:* (UID)");
        peer.says("* 1 FETCH (UID 2)\n* 2 FETCH (UID 5)\n* 3 FETCH (UID 6)\nh6 OK\n")
            .await;
    });
    assert_eq!(keys.expect("keys").to_string(), "2,5:6");
    let (keys, ()) = tokio::join!(reader.keys(), async {
        assert_eq!(peer.hears().await, "h7 NOOP");
        peer.says("* 1 EXPUNGE\n* 1 EXPUNGE\n* 1 EXPUNGE\nh7 OK\n")
            .await;
    });
    assert_eq!(keys.expect("keys"), KeySet::new());
}

#[tokio::test]
async fn listings_are_sorted_and_hold_what_was_asked_for() {
    let (_account, mut reader, mut peer) = reader("").await;
    let keys = KeySet::range(1..=9);
    let wanted = Wanted {
        flags: true,
        octets: true,
        ..Wanted::default()
    };
    let server = async {
        assert_eq!(
            peer.hears().await,
            "h6 UID FETCH 1:9 (UID FLAGS RFC822.SIZE)"
        );
        peer.says("* 2 FETCH (UID 5 FLAGS (\\Seen) RFC822.SIZE 10)\n* 1 FETCH (RFC822.SIZE 7 UID 2 FLAGS ())\n").await;
        peer.says("* 3 FETCH (FLAGS (\\Deleted))\n* 3 FETCH (UID 6 RFC822.SIZE -1)\nh6 OK\n")
            .await;
        // What was left out is looked for before it is taken for gone.
        assert_eq!(peer.hears().await, "h7 NOOP");
        assert_eq!(peer.hears().await, "h8 UID SEARCH UID 1,3:4,7:9");
        peer.says("h7 OK\n* SEARCH\nh8 OK\n").await;
    };
    let listing = reader.list(&keys, wanted).map(|item| {
        let l = item.expect("a listing");
        (l.key.0, l.flags.map(|f| f.to_string()), l.octets, l.date)
    });
    let (listed, ()) = tokio::join!(listing.collect::<Vec<_>>(), server);
    assert_eq!(
        listed,
        [
            (2, Some(String::new()), Some(7), None),
            (5, Some("\\Seen".into()), Some(10), None),
            (6, Some("\\Deleted".into()), None, None),
        ]
    );
}

#[tokio::test]
async fn a_mailbox_that_is_dropped_at_once_gives_its_connection_back() {
    let server = Server::start("ESEARCH").await;
    let (account, mut peer) = account(&server, Side::Source).await;
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        assert_eq!(peer.hears().await, "h5 EXAMINE \"INBOX\"");
        assert_eq!(peer.hears().await, "h6 UID SEARCH RETURN (ALL) ALL");
        peer.says("* 3 EXISTS\nh5 OK\n").await;
    });
    // Its keys are still on their way.
    drop(opened.expect("opened"));
    assert_eq!(peer.hears().await, "h7 NOOP");
    peer.says("* ESEARCH (TAG \"h6\") UID ALL 1:3\nh6 OK\nh7 OK\n")
        .await;
    while account.pool.idle_connections() == 0 {
        tokio::task::yield_now().await;
    }
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        assert_eq!(peer.hears().await, "h8 EXAMINE \"INBOX\"");
        peer.says("* 0 EXISTS\nh8 OK\n").await;
    });
    assert_eq!(opened.expect("opened").state().messages, 0);
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced() {
    let server = Server::start("LITERAL+").await;
    let (account, peer) = account(&server, Side::Source).await;
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    drop(peer);
    let (opened, mut peer) = tokio::join!(account.open(&inbox), async {
        let mut peer = server.let_in().await;
        assert_eq!(peer.hears().await, "h2 EXAMINE \"INBOX\"");
        peer.says("* 0 EXISTS\nh2 OK\n").await;
        peer
    });
    let opened = opened.expect("opened");
    drop(opened);
    // And what was given back clean is used again.
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        assert_eq!(peer.hears().await, "h3 EXAMINE \"INBOX\"");
        peer.says("* 0 EXISTS\nh3 OK\n").await;
    });
    assert_eq!(opened.expect("opened").state().messages, 0);
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_opened_is_named() {
    let server = Server::start("").await;
    let (account, mut peer) = account(&server, Side::Destination).await;
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    let mut code = async |answer: &str, tag: u32| {
        let (opened, ()) = tokio::join!(account.write(&inbox), async {
            assert_eq!(peer.hears().await, format!("h{tag} SELECT \"INBOX\""));
            peer.says(&format!("h{tag} {answer}\n")).await;
        });
        let fault = opened.err().expect("refused");
        assert_eq!(fault.at.mailbox.as_deref(), Some("INBOX"));
        (fault.code, fault.reach)
    };
    assert_eq!(
        code("NO what", 5).await,
        (Code::MailboxUnreadable, Reach::Mailbox)
    );
    assert_eq!(
        code("NO [NONEXISTENT] gone", 6).await,
        (Code::MailboxMissing, Reach::Mailbox)
    );
    assert_eq!(
        code("OK [READ-ONLY] look", 7).await,
        (Code::MailboxReadOnly, Reach::Mailbox)
    );
    assert_eq!(
        code("NO [INUSE] locked", 8).await,
        (Code::ServerBusy, Reach::Side)
    );
}

#[tokio::test]
async fn mailboxes_are_made_once_and_refusals_are_told() {
    let server = Server::start("").await;
    let (account, mut peer) = account(&server, Side::Destination).await;
    let name = |text: &str| MailboxName::parse(text).expect("a name");
    let inbox = MailboxName::inbox();
    let made = account.ensure(&inbox, Some(Role::Inbox), true).await;
    assert!(made.expect("there already").selectable);
    let odd = name("a%b");
    let new = name("請求書/2024");
    let wire = "&istsQmb4-/2024";
    let (made, ()) = tokio::join!(account.ensure(&new, None, true), async {
        assert_eq!(peer.hears().await, format!("h5 CREATE \"{wire}\""));
        assert_eq!(peer.hears().await, format!("h6 SUBSCRIBE \"{wire}\""));
        assert_eq!(peer.hears().await, format!("h7 LIST \"\" \"{wire}\""));
        // It existed: no fault.
        peer.says(&format!(
            "h5 NO [ALREADYEXISTS] there\nh6 OK\n* LIST () \"/\" \"{wire}\"\nh7 OK\n"
        ))
        .await;
    });
    let made = made.expect("made");
    assert_eq!(
        (made.name.clone(), made.subscribed, made.selectable),
        (new.clone(), true, true)
    );
    assert_eq!(account.ensure(&new, None, true).await.expect("known"), made);
    let (refused, ()) = tokio::join!(account.ensure(&odd, None, false), async {
        peer.hears().await;
        peer.hears().await;
        peer.says("h8 NO [CANNOT] no such character\nh9 OK\n").await;
    });
    let fault = refused.expect_err("refused");
    assert_eq!(
        (fault.code, fault.reach),
        (Code::MailboxRefused, Reach::Mailbox)
    );
    assert_eq!(fault.at.mailbox.as_deref(), Some("a%b"));
    assert_eq!(fault.said.expect("words").text, "no such character");
}

#[tokio::test]
async fn a_date_or_keyword_that_is_not_proven_travels_alone_and_waits() {
    let server = Server::start("LITERAL+ MULTIAPPEND UIDPLUS").await;
    let (account, mut peer) = account(&server, Side::Destination).await;
    assert!(account.abilities().appends_batches && account.abilities().reports_keys);
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    let (writer, ()) = tokio::join!(account.write(&inbox), async {
        peer.hears().await;
        peer.says("* FLAGS (\\Seen)\n* OK [PERMANENTFLAGS (\\Seen \\*)] k\n* 0 EXISTS\nh5 OK [READ-WRITE] k\n").await;
    });
    let mut writer = writer.expect("opened");
    let letter = |key, flags: &str, seconds| Letter {
        key: Key(key),
        flags: Flags::parse(flags),
        date: Some(hikyaku_core::InternalDate::utc(seconds)),
        body: Body::Held("ab".into()),
    };
    let letters = vec![
        letter(1, "\\Seen \\Flagged", 1_000_000_000),
        letter(2, "ok", 1_000_000_001),
        letter(3, "", -86_400),
        letter(4, "", 1_000_000_003),
    ];
    let pending = writer.append(letters, open_gate()).await.expect("queued");
    let ((), appended) = tokio::join!(
        async {
            let date = "09-Sep-2001 01:46:4";
            assert_eq!(
                peer.hears().await,
                format!("h6 APPEND \"INBOX\" (\\Seen) \"{date}0 +0000\" {{2+}}")
            );
            assert_eq!(
                peer.hears().await,
                format!("ab (ok) \"{date}1 +0000\" {{2+}}")
            );
            assert_eq!(peer.hears().await, "ab");
            assert_eq!(
                peer.hears().await,
                "h7 APPEND \"INBOX\" \"31-Dec-1969 00:00:00 +0000\" {2}"
            );
            peer.says("h6 OK [APPENDUID 7 10:11] k\n+ go\n").await;
            assert_eq!(peer.hears().await, "ab");
            assert_eq!(
                peer.hears().await,
                format!("h8 APPEND \"INBOX\" \"{date}3 +0000\" {{2+}}")
            );
            assert_eq!(peer.hears().await, "ab");
            peer.says("h7 OK [APPENDUID 7 12] k\nh8 OK [APPENDUID 7 13] k\n")
                .await;
        },
        pending
    );
    match appended {
        Appended::Stored { epoch, keys } => {
            assert_eq!(epoch.map(|e| e.0), Some(7));
            assert_eq!(keys, Some((10..=13).map(Key).collect()));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn more_than_the_window_is_not_sent_before_an_answer() {
    let server = Server::start("LITERAL+").await;
    let (account, mut peer) = account(&server, Side::Destination).await;
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    let (writer, ()) = tokio::join!(account.write(&inbox), async {
        peer.hears().await;
        peer.says("* 0 EXISTS\nh5 OK [READ-WRITE] k\n").await;
    });
    let mut writer = writer.expect("opened");
    let mut sent = 0;
    let mut pending = Vec::new();
    loop {
        let letter = Letter {
            key: Key(sent),
            flags: Flags::new(),
            date: None,
            body: Body::Held("ab".into()),
        };
        let mut append = writer.append(vec![letter], open_gate());
        match futures::poll!(&mut append) {
            std::task::Poll::Ready(queued) => pending.push(queued.expect("queued")),
            std::task::Poll::Pending => {
                assert_eq!(pending.len(), 8, "so many appends may be unanswered");
                let (queued, ()) = tokio::join!(append, async {
                    peer.says("h6 OK k\n").await;
                });
                pending.push(queued.expect("queued after an answer"));
                break;
            }
        }
        sent += 1;
    }
    assert!(matches!(
        pending.remove(0).await,
        Appended::Stored { keys: None, .. }
    ));
    drop(writer);
    for one in pending {
        assert!(matches!(
            one.await,
            Appended::Unknown(_) | Appended::Refused(_)
        ));
    }
}
