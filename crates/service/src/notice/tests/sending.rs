//! From the outbox to a mail server that does what it likes.

use super::*;
use crate::brand::Brands;
use crate::config::{SecretFrom, Smtp, SmtpSecurity};
use crate::notice::{Catcher, Links, NoticeKind, Patience, Sender, letter};
use futures::future::BoxFuture;
use hikyaku_core::traits::Clock;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::Letter;
use hikyaku_testkit::certificates::Shown;
use hikyaku_testkit::smtp::{Instead, Security, Sink, Stage, Wanted};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const PASSWORD: &str = "planted-smtp-31d7";

/// A clock that only the test moves.
struct HandClock(AtomicI64);

impl HandClock {
    fn pass(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn unix_millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.unix_millis().unsigned_abs())
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

struct Post {
    sink: Sink,
    store: Store,
    clock: Arc<HandClock>,
    directory: TempDir,
    smtp: Smtp,
}

impl Post {
    async fn new(wanted: Wanted) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("smtp.pass"), PASSWORD).unwrap();
        let security = match wanted.security {
            Security::Tls => SmtpSecurity::Tls,
            Security::StartTls => SmtpSecurity::StartTls,
            Security::Clear => SmtpSecurity::Clear,
        };
        let has_login = wanted.login.is_some();
        let sink = Sink::start(wanted).unwrap();
        std::fs::write(path("ca.pem"), sink.authority_pem()).unwrap();
        let smtp = Smtp {
            host: "localhost".into(),
            port: sink.port(),
            security,
            user: has_login.then(|| "hikyaku".into()),
            password: has_login.then(|| SecretFrom::File(path("smtp.pass"))),
            ca_file: Some(path("ca.pem")),
            from: "noreply@example.jp".parse().unwrap(),
            per_recipient_per_day: 50,
            per_day: 1000,
        };
        Self {
            sink,
            store: Store::open_in_memory().await.unwrap(),
            clock: Arc::new(HandClock(AtomicI64::new(NOW))),
            directory,
            smtp,
        }
    }

    /// Everything that is due, one after the other; tells how many.
    async fn round(&self, sender: &Sender) -> usize {
        let mut count = 0;
        while sender.next().await.unwrap() {
            count += 1;
        }
        count
    }

    fn sender(&self) -> Sender {
        let brands = Brands::builtin();
        Sender::by_smtp(&self.store, &brands, &self.smtp, self.clock.clone()).unwrap()
    }

    async fn put(&self, key: &str, to: &str) {
        let mut job = job("ja");
        job.order.notify = to.into();
        let links = Links::new("https://copy.example.jp");
        let letter = letter(&Brand::builtin(), &job, NoticeKind::Success, key, &links).unwrap();
        let now = self.clock.unix_millis();
        self.store.outbox().add(letter, now).await.unwrap();
    }

    /// The rows, oldest first.
    async fn rows(&self) -> Vec<Letter> {
        let mut rows = self.store.outbox().latest(100).await.unwrap();
        rows.reverse();
        rows
    }

    /// Message-IDs of what arrived.
    fn arrived(&self) -> Vec<String> {
        let arrived = self.sink.arrived();
        arrived
            .iter()
            .map(|mail| mail.header("Message-ID"))
            .collect()
    }
}

fn with_login(security: Security, mechanisms: &'static str) -> Wanted {
    Wanted {
        security,
        login: Some(("hikyaku".into(), PASSWORD.into())),
        mechanisms,
        ..Wanted::default()
    }
}

#[tokio::test]
async fn a_mail_goes_out_encrypted_and_logged_in_and_only_once() {
    for (security, mechanisms) in [
        (Security::Tls, "PLAIN"),
        (Security::StartTls, "PLAIN LOGIN"),
        (Security::StartTls, "LOGIN"),
    ] {
        let post = Post::new(with_login(security, mechanisms)).await;
        post.put("1", "hanako@example.com").await;
        let sender = post.sender();
        assert_eq!(post.round(&sender).await, 1);
        post.clock.pass(10 * DAY);
        assert_eq!(post.round(&sender).await, 0);
        let arrived = post.sink.arrived();
        let [mail] = &arrived[..] else {
            panic!("{arrived:?}");
        };
        assert_eq!(mail.from, "noreply@example.jp");
        assert_eq!(mail.to, ["hanako@example.com"]);
        assert_eq!(mail.login.as_deref(), Some("hikyaku"));
        assert!(mail.encrypted);
        let rows = post.rows().await;
        assert_eq!(rows[0].letter.message_id, mail.header("Message-ID"));
        assert_eq!((rows[0].sent, rows[0].ended, rows[0].tries), (NOW, NOW, 1));
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    }
}

#[tokio::test]
async fn a_relay_on_this_machine_needs_neither_login_nor_encryption() {
    let post = Post::new(Wanted {
        security: Security::Clear,
        ..Wanted::default()
    })
    .await;
    post.put("1", "hanako@example.com").await;
    assert_eq!(post.round(&post.sender()).await, 1);
    let arrived = post.sink.arrived();
    assert_eq!(arrived.len(), 1);
    assert!(!arrived[0].encrypted && arrived[0].login.is_none());
}

/// What the server does at each stage, and what becomes of the mail: tried again, or given up.
#[tokio::test]
async fn every_answer_at_every_stage_has_its_consequence() {
    use Instead::{Answer, Cut, KeepAndCut};
    let later = Answer("451 4.3.0 later");
    let never = Answer("550 5.1.1 never");
    for (stage, instead, code, arrives) in [
        (
            Stage::Greeting,
            Answer("421 4.3.2 closing"),
            "connect 421",
            1,
        ),
        (
            Stage::Greeting,
            Answer("554 5.3.2 no service"),
            "connect 554",
            1,
        ),
        (Stage::Greeting, Cut, "connect", 1),
        (Stage::Ehlo, later.clone(), "connect 451", 1),
        (Stage::Ehlo, Cut, "connect", 1),
        (Stage::Auth, later.clone(), "auth 451", 1),
        (Stage::Auth, Answer("535 5.7.8 no"), "auth 535", 1),
        (Stage::Auth, Cut, "auth", 1),
        (Stage::Mail, later.clone(), "mail 451", 1),
        (Stage::Mail, Answer("530 5.7.0 log in"), "mail 530", 1),
        (Stage::Mail, never.clone(), "mail 550", 0),
        (Stage::Mail, Cut, "mail", 1),
        (Stage::Rcpt, later.clone(), "rcpt 451", 1),
        (Stage::Rcpt, never.clone(), "rcpt 550", 0),
        (Stage::Rcpt, Answer("421 4.3.2 closing"), "rcpt 421", 1),
        (Stage::Rcpt, Cut, "rcpt", 1),
        (Stage::Data, later.clone(), "data 451", 1),
        (Stage::Data, never.clone(), "data 550", 0),
        (Stage::Data, Cut, "data", 1),
        (Stage::End, later.clone(), "end 451", 1),
        (Stage::End, never.clone(), "end 550", 0),
        (Stage::End, Cut, "end", 1),
        // It was taken, and nobody knows: once more, as the same mail.
        (Stage::End, KeepAndCut, "end", 2),
    ] {
        let what = format!("{stage:?} {instead:?}");
        let post = Post::new(with_login(Security::Tls, "")).await;
        post.put("1", "hanako@example.com").await;
        post.sink.instead(stage, instead);
        let sender = post.sender();
        post.round(&sender).await;
        let row = post.rows().await.remove(0);
        assert_eq!((row.sent, row.code.as_str()), (0, code), "{what}");
        assert_eq!(row.ended > 0, arrives == 0, "{what}");

        post.clock.pass(MINUTE - 1);
        assert_eq!(post.round(&sender).await, 0, "{what}: not before a minute");
        post.clock.pass(1);
        post.round(&sender).await;
        let row = post.rows().await.remove(0);
        assert_eq!(row.sent > 0, arrives > 0, "{what}");
        let same = vec![row.letter.message_id; arrives];
        assert_eq!(post.arrived(), same, "{what}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_for_now() {
    for (stage, code) in [
        (Stage::Greeting, "connect"),
        (Stage::Auth, "auth"),
        (Stage::Rcpt, "rcpt"),
        (Stage::End, "end"),
    ] {
        let post = Post::new(with_login(Security::Tls, "")).await;
        post.put("1", "hanako@example.com").await;
        post.sink.instead(stage, Instead::Silence);
        // Long enough for a loaded machine to answer where it does answer.
        let short = Duration::from_secs(3);
        let sender = post.sender().patient(Patience {
            connect: short,
            reply: short,
            data: short,
        });
        post.round(&sender).await;
        let row = post.rows().await.remove(0);
        assert_eq!(
            (row.sent, row.ended, row.code.as_str()),
            (0, 0, code),
            "{stage:?}"
        );
        post.clock.pass(MINUTE);
        post.round(&sender).await;
        assert_eq!(post.arrived(), [row.letter.message_id], "{stage:?}");
    }
}

#[tokio::test]
async fn tries_are_further_and_further_apart_and_end_after_three_days() {
    let post = Post::new(Wanted::default()).await;
    post.put("1", "hanako@example.com").await;
    let sender = post.sender();
    let mut waits = Vec::new();
    let mut last = post.clock.unix_millis();
    loop {
        post.sink
            .instead(Stage::Rcpt, Instead::Answer("450 4.2.0 greylisted"));
        if post.round(&sender).await == 1 {
            let now = post.clock.unix_millis();
            waits.push((now - last) / MINUTE);
            last = now;
        }
        if post.rows().await[0].ended > 0 {
            break;
        }
        // The next try is not looked up but waited for, as a sender would.
        post.clock
            .pass(if waits.len() < 5 { MINUTE } else { 60 * MINUTE });
    }
    assert_eq!(waits[..6], [0, 1, 5, 15, 60, 60]);
    let row = post.rows().await.remove(0);
    assert_eq!((row.sent, row.code.as_str()), (0, "rcpt 450"));
    let age = row.ended - row.created;
    assert!((3 * DAY..3 * DAY + 2 * 60 * MINUTE).contains(&age), "{age}");
    assert_eq!(post.arrived(), Vec::<String>::new());
}

#[tokio::test]
async fn a_sender_that_dies_after_the_mail_was_taken_sends_the_same_mail_again() {
    let post = Post::new(Wanted::default()).await;
    post.put("1", "hanako@example.com").await;
    let dying = post.sender();
    post.sink.instead(Stage::End, Instead::KeepAndCut);
    // It takes the row, hands the mail over and is gone before it can write that down.
    {
        let mut round = std::pin::pin!(dying.next());
        while post.sink.arrived().is_empty() {
            assert!(futures::poll!(&mut round).is_pending() || !post.sink.arrived().is_empty());
            tokio::task::yield_now().await;
        }
    }
    let next = post.sender();
    assert_eq!(post.round(&next).await, 0, "somebody may still be at it");
    post.clock.pass(DAY);
    assert_eq!(post.round(&next).await, 1);
    let row = post.rows().await.remove(0);
    let id = row.letter.message_id;
    assert!(row.sent > 0);
    assert_eq!(post.arrived(), [id.clone(), id]);
}

#[tokio::test]
async fn a_refused_login_is_tried_once_for_all_mails_not_once_for_each() {
    let mut post = Post::new(with_login(Security::Tls, "")).await;
    let wrong = post.directory.path().join("wrong.pass");
    std::fs::write(&wrong, "wrong").unwrap();
    let right = post.smtp.password.replace(SecretFrom::File(wrong));
    for n in 0..5 {
        post.put(&n.to_string(), "hanako@example.com").await;
    }
    let sender = post.sender();
    for (minutes, logins) in [(0, 1), (0, 1), (1, 2), (4, 2), (1, 3), (14, 3), (1, 4)] {
        post.clock.pass(minutes * MINUTE);
        post.round(&sender).await;
        assert_eq!(post.sink.logins(), logins, "{minutes}");
    }
    post.smtp.password = right;
    post.clock.pass(60 * MINUTE);
    assert_eq!(post.round(&post.sender()).await, 5);
    assert_eq!(post.arrived().len(), 5);
}

#[tokio::test]
async fn a_refused_recipient_does_not_hold_up_the_others() {
    let post = Post::new(Wanted::default()).await;
    post.put("1", "nobody@example.com").await;
    post.put("2", "hanako@example.com").await;
    post.put("3", "no address").await;
    post.put("4", "jiro@example.com").await;
    post.sink
        .instead(Stage::Rcpt, Instead::Answer("550 5.1.1 no such user"));
    assert_eq!(post.round(&post.sender()).await, 4);
    let states: Vec<(bool, String)> = post
        .rows()
        .await
        .into_iter()
        .map(|row| (row.sent > 0, row.code))
        .collect();
    assert_eq!(
        states,
        [
            (false, "rcpt 550".to_owned()),
            (true, String::new()),
            (false, "address".to_owned()),
            (true, String::new()),
        ]
    );
    let to: Vec<String> = post.sink.arrived().into_iter().flat_map(|m| m.to).collect();
    assert_eq!(to, ["hanako@example.com", "jiro@example.com"]);
}

/// ⑤ is not confirmed: nobody gets a hundred mails because somebody typed their address.
#[tokio::test]
async fn too_many_mails_to_one_address_are_held_and_come_later() {
    let mut post = Post::new(Wanted::default()).await;
    post.smtp.per_recipient_per_day = 2;
    for n in 0..3 {
        post.put(&n.to_string(), "hanako@example.com").await;
    }
    post.put("3", "Hanako@Example.COM").await;
    post.put("4", "jiro@example.com").await;
    let sender = post.sender();
    post.round(&sender).await;
    let to = |post: &Post| -> Vec<String> {
        post.sink.arrived().into_iter().flat_map(|m| m.to).collect()
    };
    let first = [
        "hanako@example.com",
        "hanako@example.com",
        "jiro@example.com",
    ];
    assert_eq!(to(&post), first);
    for _ in 0..23 {
        post.clock.pass(60 * MINUTE);
        post.round(&sender).await;
    }
    assert_eq!(to(&post).len(), 3);
    post.clock.pass(61 * MINUTE);
    post.round(&sender).await;
    assert_eq!(to(&post)[3..], ["hanako@example.com", "Hanako@example.com"]);
    assert!(post.rows().await.iter().all(|row| row.sent > 0));
}

#[tokio::test]
async fn too_many_mails_in_a_day_are_held_and_come_later() {
    let mut post = Post::new(Wanted::default()).await;
    post.smtp.per_day = 2;
    for n in 0..3 {
        post.put(&n.to_string(), &format!("user{n}@example.com"))
            .await;
    }
    let sender = post.sender();
    post.round(&sender).await;
    assert_eq!(post.arrived().len(), 2);
    post.clock.pass(DAY + 1);
    post.round(&sender).await;
    assert_eq!(post.arrived().len(), 3);
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_gets_neither_password_nor_mail() {
    for (wanted, code) in [
        (
            Wanted {
                shown: Shown::WrongName,
                ..with_login(Security::Tls, "")
            },
            "connect",
        ),
        (
            Wanted {
                shown: Shown::OtherAuthority,
                ..with_login(Security::StartTls, "")
            },
            "tls",
        ),
        (
            Wanted {
                shown: Shown::Expired,
                ..with_login(Security::Tls, "")
            },
            "connect",
        ),
    ] {
        let post = Post::new(wanted).await;
        post.put("1", "hanako@example.com").await;
        post.round(&post.sender()).await;
        let row = post.rows().await.remove(0);
        assert_eq!((row.ended, row.code.as_str()), (0, code));
        assert_eq!((post.sink.logins(), post.arrived().len()), (0, 0));
    }
    // STARTTLS that is not offered is not done without.
    let mut post = Post::new(Wanted {
        login: Some(("hikyaku".into(), PASSWORD.into())),
        security: Security::Clear,
        ..Wanted::default()
    })
    .await;
    post.smtp.security = SmtpSecurity::StartTls;
    post.put("1", "hanako@example.com").await;
    post.round(&post.sender()).await;
    assert_eq!(post.rows().await[0].code, "tls");
    assert_eq!((post.sink.logins(), post.arrived().len()), (0, 0));
}

/// What somebody on the way adds behind the answer to STARTTLS is never taken for the server's.
#[tokio::test]
async fn an_answer_from_before_the_handshake_is_not_heard_after_it() {
    let post = Post::new(with_login(Security::StartTls, "")).await;
    post.put("1", "hanako@example.com").await;
    let injected = "250-sink.example\r\n250 AUTH PLAIN\r\n235 2.7.0 welcome";
    post.sink.instead(Stage::StartTls, Instead::Also(injected));
    post.round(&post.sender()).await;
    let row = post.rows().await.remove(0);
    assert_eq!((row.ended, row.code.as_str()), (0, "tls"));
    assert_eq!((post.sink.logins(), post.arrived().len()), (0, 0));
    post.clock.pass(MINUTE);
    post.round(&post.sender()).await;
    assert_eq!(post.arrived().len(), 1);
}

#[tokio::test]
async fn the_sender_runs_until_it_is_told_to_stop() {
    let post = Post::new(Wanted::default()).await;
    for n in 0..40 {
        post.put(&n.to_string(), "hanako@example.com").await;
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sender = post.sender();
    let running = tokio::spawn(async move {
        sender.run(async { stopped.await.unwrap_or(()) }).await;
    });
    while post.arrived().len() < 40 {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    let rows = post.rows().await;
    assert!(rows.iter().all(|row| row.sent > 0), "{rows:?}");
}

#[tokio::test]
async fn caught_mails_are_shown_as_they_would_have_been_sent() {
    let store = Store::open_in_memory().await.unwrap();
    let clock = Arc::new(HandClock(AtomicI64::new(NOW)));
    let brands = Brands::builtin();
    let links = Links::new("http://127.0.0.1:8080");
    for (kind, key) in [(NoticeKind::Success, "1"), (NoticeKind::Failure, "2")] {
        let letter = letter(&Brand::builtin(), &job("ja"), kind, key, &links).unwrap();
        store.outbox().add(letter, NOW).await.unwrap();
    }
    let catcher = Catcher::new(&store, &brands);
    assert_eq!(catcher.latest(10).await.unwrap(), []);
    let sender = Sender::by_catcher(&store, &brands, clock);
    assert!(sender.next().await.unwrap() && sender.next().await.unwrap());
    assert!(!sender.next().await.unwrap());
    let caught = catcher.latest(10).await.unwrap();
    let kinds: Vec<&str> = caught.iter().map(|mail| mail.kind.as_str()).collect();
    assert_eq!(kinds, ["failure", "success"]);
    let success = &caught[1];
    assert_eq!(success.to, "hanako@example.com");
    assert_eq!(success.from, "hikyaku <hikyaku@localhost>");
    assert_eq!(
        success.subject,
        "【hikyaku】メールデータコピーが完了しました（受付番号 K7M2Q）"
    );
    assert!(
        success
            .body
            .starts_with("t•••@example.jp へのメールのコピーが完了しました。")
    );
    assert_eq!(success.date_millis, NOW);
    assert!(success.source.contains(&success.message_id) && success.source.is_ascii());
}

#[test]
fn a_relay_that_is_printed_shows_no_password() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("smtp.pass");
    std::fs::write(&path, PASSWORD).unwrap();
    let smtp = Smtp {
        host: "smtp.example.jp".into(),
        port: 465,
        security: SmtpSecurity::Tls,
        user: Some("hikyaku".into()),
        password: Some(SecretFrom::File(path)),
        ca_file: None,
        from: "noreply@example.jp".parse().unwrap(),
        per_recipient_per_day: 1,
        per_day: 1,
    };
    let relay = crate::notice::Relay::new(&smtp).unwrap();
    let printed = format!("{relay:?} {smtp:?}");
    assert!(!printed.contains(PASSWORD), "{printed}");
    let mut missing = smtp;
    missing.password = Some(SecretFrom::Env("HIKYAKU_TEST_NOT_SET".into()));
    let fault = crate::notice::Relay::new(&missing).unwrap_err();
    assert_eq!(fault.code, Code::ConfigInvalid);
}
