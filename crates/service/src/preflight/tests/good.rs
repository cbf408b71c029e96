//! What a check finds out when a copy can begin, or nearly.

use super::support::{ADDRESS, PASSWORD, Scene, code, lines, message, plain, remarkable, server};
use crate::accounts::sign_in;
use crate::brand::{Availability, Destination, LoginName, Master};
use crate::job::CheckState::{Bad, Good, Notable, Open};
use crate::job::CheckStep::{
    Connection, DestinationLogin, Dns, Folders, Name, Sizes, SourceLogin, Space,
};
use crate::job::{Accepted, Checked, Delivery, Protocol, Reached, Rerun, SourceKind, Transport};
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Role, Side};
use hikyaku_memserver::Quota;
use hikyaku_net::Secret;
use hikyaku_testkit::dns::Record;
use hikyaku_testkit::servers::{AdminLogin, Dovecot, DovecotOptions, MailServer};
use std::sync::Arc;

#[tokio::test]
async fn a_plan_with_everything_that_a_person_has_to_know() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    let old = source.account(ADDRESS).expect("an account");
    old.add_message("INBOX", message("small", 100));
    old.add_message("INBOX", message("marked", 100).flags(&["\\Deleted"]));
    old.add_message("請求書/2024", message("=?utf-8?B?5aSn44GN44GE?=", 9_000));
    old.add_message("請求書/2024", message("as large as may be", 4_000));
    old.add_mailbox_as("ごみ箱", &["\\Trash"]);
    old.add_message("ごみ箱", message("rubbish", 6_000).flags(&["\\Deleted"]));
    old.add_message("ごみ箱/2020", message("old rubbish", 100));
    old.add_message("Sync Issues", message("conflict", 100));
    let mut scene = Scene::new(source.port(), destination.port()).await;
    scene.names.set_addresses("new.test", &["127.0.0.2"]);
    scene.plan.max_message_octets = Some(5_000);
    scene.plan.exclude_roles = vec![Role::Trash];
    scene.order.source.accepted = Some(Accepted::ClearText);
    let checked = scene.check().await;
    let expected = [
        (Name, Good, None),
        (Connection, Notable, None),
        (SourceLogin, Good, None),
        (DestinationLogin, Good, None),
        (Folders, Good, None),
        (Sizes, Notable, None),
        (Space, Good, None),
        (Dns, Notable, None),
    ];
    assert_eq!(checked.delivery, Delivery::Elsewhere);
    assert_eq!(lines(&checked), expected);
    assert!(checked.can_start());
    assert_eq!(checked.hidden, ["Sync Issues", "ごみ箱/2020", "ごみ箱"]);
    let plan = checked.plan.as_ref().expect("a plan");
    let steps: Vec<_> = plan
        .mailboxes
        .iter()
        .map(|line| (line.source.as_str(), line.action.as_str(), line.messages))
        .collect();
    let rows = [
        ("INBOX", "copy", Some(2)),
        ("Sync Issues", "skip", Some(1)),
        ("請求書", "skip", None),
        ("請求書/2024", "create_and_copy", Some(2)),
        ("ごみ箱", "skip", Some(1)),
        ("ごみ箱/2020", "skip", Some(1)),
    ];
    for row in rows {
        assert!(steps.contains(&row), "{row:?} in {steps:?}");
    }
    assert_eq!((plan.messages, steps.len()), (4, rows.len()));
    assert_eq!((checked.too_big_count, checked.deletion_marks), (1, 1));
    let [big] = checked.too_big.as_slice() else {
        panic!("{:?}", checked.too_big)
    };
    assert_eq!((big.mailbox.as_str(), big.key), ("請求書/2024", 1));
    assert!(big.octets >= 9_000);
    let subject = big
        .heading
        .as_ref()
        .and_then(|heading| heading.subject.as_deref());
    assert_eq!(subject, Some("大きい"));
    let reached = Reached {
        protocol: crate::job::Protocol::Imap,
        host: "old.test".into(),
        port: source.port(),
        transport: Transport::Clear,
        login: ADDRESS.into(),
    };
    assert_eq!(checked.reached, Some(reached));
    let mut sides: Vec<_> = checked.servers.iter().map(|s| s.side.as_str()).collect();
    sides.sort_unstable();
    assert_eq!(sides, ["destination", "source"]);
    assert!(checked.estimate_seconds.is_some_and(|seconds| seconds > 0));
    assert_eq!((checked.copied_before, code(&checked)), (0, None));
    // What was ticked is copied, and what was unticked alone is not: what lies below it is.
    scene.order.choices.include = vec!["ごみ箱/2020".into()];
    scene.order.choices.exclude = vec!["請求書/2024".into()];
    let again = scene.check().await;
    let plan = again.plan.as_ref().expect("a plan");
    let copied: Vec<_> = plan
        .mailboxes
        .iter()
        .filter(|line| line.action != "skip")
        .map(|line| line.source.as_str())
        .collect();
    assert_eq!(copied, ["INBOX", "ごみ箱/2020"]);
    assert_eq!(again.hidden, checked.hidden);
    assert_eq!(again.too_big_count, 0);
}

#[tokio::test]
async fn tls_is_kept_to_the_certificate_that_was_accepted() {
    let source = Dovecot::start(DovecotOptions::default()).expect("a server");
    let account = source.create_account("taro").expect("an account");
    let mut judge = source.judge(&account).expect("a judge");
    let none: &[&str] = &[];
    judge
        .append("INBOX", none, None, b"Subject: a\r\n\r\ntext\r\n")
        .expect("append")
        .accepted()
        .expect("stored");
    let destination = server(plain()).await;
    let instance = source.instance();
    for (port, transport) in [
        (instance.tls_port(), Transport::Tls),
        (instance.port(), Transport::StartTls),
    ] {
        let mut scene = Scene::new(port, destination.port()).await;
        scene.secrets.source = Some(Secret::from(account.password.as_str()));
        scene.order.source.login = Some(account.user.clone());
        let asked = scene.check().await;
        let question = asked.certificate.as_ref().expect("a question");
        assert_eq!(question.short, "T113");
        assert_eq!(question.names, ["localhost", "127.0.0.1"]);
        let pin = instance.identity().pin.to_uppercase();
        assert_eq!(question.fingerprint.replace(':', ""), pin);
        assert_eq!(remarkable(&asked), [(Connection, Bad, Some("T113"))]);
        assert_eq!(
            (code(&asked), asked.can_start(), asked.clear_text),
            (None, false, false)
        );
        // Nobody has tried to log in.
        assert_eq!(lines(&asked)[2], (SourceLogin, Open, None));
        scene.order.source.accepted = Some(Accepted::Certificate(question.fingerprint.clone()));
        let accepted = scene.check().await;
        assert_eq!(remarkable(&accepted), [(Connection, Notable, None)]);
        assert!(accepted.can_start());
        let reached = accepted.reached.as_ref().expect("reached");
        assert_eq!((reached.port, reached.transport), (port, transport));
        let seen = accepted
            .servers
            .iter()
            .find(|server| server.side == "source");
        assert_eq!(
            seen.map(|server| (server.pinned, server.tls.is_some())),
            Some((true, true))
        );
        // Another certificate than the accepted one is asked about anew.
        scene.order.source.accepted = Some(Accepted::Certificate("ab".repeat(32)));
        let changed = scene.check().await;
        let question = changed.certificate.as_ref().expect("a question");
        assert_eq!((question.short.as_str(), code(&changed)), ("T116", None));
    }
}

#[tokio::test]
async fn what_an_earlier_run_copied_is_counted() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    let old = source.account(ADDRESS).expect("an account");
    old.add_messages("INBOX", (0..7).map(|n| message(&format!("m{n}"), 200)));
    let mut scene = Scene::new(source.port(), destination.port()).await;
    scene.order.source.accepted = Some(Accepted::ClearText);
    let first = scene.check().await;
    assert_eq!((first.copied_before, first.can_start()), (0, true));
    copy(&scene, &first).await;
    old.add_message("INBOX", message("new", 200));
    let second = scene.check().await;
    let plan = second.plan.as_ref().expect("a plan");
    assert_eq!((second.copied_before, plan.messages), (7, 8));
    assert_eq!(
        destination
            .account(ADDRESS)
            .expect("an account")
            .uids("INBOX")
            .len(),
        7
    );
}

/// A run of the engine with what the check found, as a worker makes it.
async fn copy(scene: &Scene, checked: &crate::job::Checked) {
    let dns = crate::dns::Dns::new(Some(scene.names.address())).expect("a resolver");
    let guard = crate::accounts::guard(&scene.egress, &dns);
    let reached = checked.reached.as_ref().expect("reached");
    let secret = Secret::from(PASSWORD);
    let accepted = scene.order.source.accepted.as_ref();
    let source = crate::accounts::source_options(reached, &secret, accepted, &guard);
    assert_eq!(source.endpoint.side, Side::Source);
    let destination = crate::accounts::destination_options(&scene.brand, ADDRESS, Some(&secret));
    let connect = hikyaku_imap::ImapAccount::connect;
    let source = Arc::new(connect(source).await.expect("the source"));
    let destination = connect(destination.expect("options"))
        .await
        .expect("the destination");
    let ids = (
        crate::accounts::source_id(reached),
        crate::accounts::destination_id(&scene.brand, ADDRESS),
    );
    let ledger = scene.store.pair(&ids.0, &ids.1).await.expect("a pair");
    let job = hikyaku_engine::Job {
        source: source.clone(),
        destination: Arc::new(destination),
        undo: None,
        ledger: Arc::new(ledger),
        observer: Arc::new(()),
        clock: Arc::new(hikyaku_engine::SystemClock::default()),
        policy: hikyaku_core::policy::Policy::default(),
        stop: hikyaku_engine::Stop::new(),
        seed: 7,
    };
    let report = job.copy().await.expect("a report");
    assert!(report.is_complete(), "{report:?}");
    source.close().await;
}

#[tokio::test]
async fn what_does_not_fit_is_told_and_can_be_cut_to_fit() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    let old = source.account(ADDRESS).expect("an account");
    old.add_messages("INBOX", (0..8).map(|n| message(&format!("m{n}"), 20_000)));
    destination
        .account(ADDRESS)
        .expect("an account")
        .set_quota(Quota {
            octets: Some(102_400),
            messages: None,
        });
    let mut scene = Scene::new(source.port(), destination.port()).await;
    scene.order.source.accepted = Some(Accepted::ClearText);
    let tight = scene.check().await;
    let line = lines(&tight)[6];
    assert_eq!(line, (Space, Bad, Some("Q301")));
    let room = tight
        .plan
        .as_ref()
        .and_then(|plan| plan.room)
        .expect("room");
    assert_eq!((room.limit, room.free), (102_400, 102_400));
    assert!(room.missing.is_some_and(|missing| missing > 0));
    assert_eq!((tight.can_start(), code(&tight)), (false, None));
    scene.order.choices.fit = true;
    let cut = scene.check().await;
    assert_eq!(lines(&cut)[6], (Space, Notable, Some("Q301")));
    assert!(cut.can_start());
    // Just what is kept free is missing.
    scene.order.choices.fit = false;
    destination
        .account(ADDRESS)
        .expect("an account")
        .set_quota(Quota {
            octets: Some(163_840),
            messages: None,
        });
    assert_eq!(lines(&scene.check().await)[6], (Space, Bad, Some("Q303")));
}

#[tokio::test]
async fn a_plan_that_waits_for_the_switch_says_so() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    let old = source.account(ADDRESS).expect("an account");
    old.add_message("INBOX", message("a", 100));
    let mut scene = Scene::new(source.port(), destination.port()).await;
    scene.order.source.accepted = Some(Accepted::ClearText);
    scene.order.choices.rerun = Rerun::FreshFolder;
    scene.names.set_addresses("new.test", &["127.0.0.2"]);
    scene.plan.available_after = Some(Availability::MxMoved);
    let early = scene.check().await;
    assert_eq!(lines(&early)[7], (Dns, Bad, Some("S602")));
    assert_eq!((code(&early), early.can_start()), (Some("S602"), false));
    assert_eq!(early.delivery, Delivery::Elsewhere);
    scene.brand.destination.mail_hosts = vec!["new.test".into()];
    let moved = scene.check().await;
    assert_eq!(
        (lines(&moved)[7], moved.delivery),
        ((Dns, Good, None), Delivery::Here)
    );
    assert!(moved.can_start());
}

#[tokio::test]
async fn a_server_is_found_where_its_owner_says_that_it_is() {
    let source = Dovecot::start(DovecotOptions::default()).expect("a server");
    let account = source.create_account("taro").expect("an account");
    let destination = server(plain()).await;
    let port = source.instance().tls_port();
    let mut scene = Scene::new(port, destination.port()).await;
    scene.secrets.source = Some(Secret::from(account.password.as_str()));
    scene.order.source.login = Some(account.user.clone());
    scene.order.source.host = String::new();
    let service = Record::Service(0, 0, port, "mail7.example.test".into());
    scene.names.set("_imaps._tcp.example.test", [service]);
    scene
        .names
        .set_addresses("mail7.example.test", &["127.0.0.1"]);
    let asked = scene.check().await;
    let question = asked.certificate.as_ref().expect("a question");
    assert_eq!(question.short, "T113");
    let reached = asked.reached.as_ref().expect("reached");
    assert_eq!(
        (reached.host.as_str(), reached.port),
        ("mail7.example.test", port)
    );
    scene.order.source.accepted = Some(Accepted::Certificate(question.fingerprint.clone()));
    let accepted = scene.check().await;
    // The account is empty, but it is open.
    assert_eq!(
        (code(&accepted), lines(&accepted)[2]),
        (Some("S601"), (SourceLogin, Good, None))
    );
    // A name of somebody else is never asked about: nobody could judge it.
    let foreign = Record::Service(0, 0, port, "old.test".into());
    scene.names.set("_imaps._tcp.example.test", [foreign]);
    scene.order.source.accepted = None;
    let nothing = scene.check().await;
    assert_eq!(
        (code(&nothing), nothing.certificate.is_some()),
        (Some("N101"), false)
    );
    assert_eq!(remarkable(&nothing)[0], (Name, Bad, Some("N101")));
    // Nor is the destination itself found.
    scene.names.set("_imaps._tcp.example.test", []);
    scene
        .names
        .set_addresses("imap.example.test", &["127.0.0.1"]);
    scene.brand.destination = Destination::new("imap.example.test", 993, Transport::Tls);
    assert_eq!(code(&scene.check().await), Some("N101"));
}

#[tokio::test]
async fn a_pop3_server_is_found_where_there_is_no_imap() {
    let source = Dovecot::start(DovecotOptions::default()).expect("a server");
    let account = source.create_account("taro").expect("an account");
    let destination = server(plain()).await;
    let (pop3, imap) = (
        source.instance().pop3_tls_port(),
        source.instance().tls_port(),
    );
    let mut scene = Scene::new(pop3, destination.port()).await;
    scene.egress.ports.push(imap);
    scene.secrets.source = Some(Secret::from(account.password.as_str()));
    scene.order.source.login = Some(account.user.clone());
    scene.order.source.host = String::new();
    let name = "mail7.example.test";
    let service = |port| Record::Service(0, 0, port, name.into());
    scene.names.set_addresses(name, &["127.0.0.1"]);
    scene.names.set("_pop3s._tcp.example.test", [service(pop3)]);
    let found = |checked: &Checked| {
        let reached = checked.reached.as_ref().expect("reached");
        (reached.protocol, reached.port, checked.beside)
    };
    for kind in [SourceKind::Imap, SourceKind::Pop3] {
        scene.order.source.kind = kind;
        scene.order.source.accepted = None;
        let asked = scene.check().await;
        assert_eq!(found(&asked), (Protocol::Pop3, pop3, None));
        let question = asked.certificate.as_ref().expect("a question");
        let fingerprint = question.fingerprint.clone();
        scene.order.source.accepted = Some(Accepted::Certificate(fingerprint));
        let accepted = scene.check().await;
        // The account is empty, but it is open.
        assert_eq!(
            (code(&accepted), lines(&accepted)[2]),
            (Some("S601"), (SourceLogin, Good, None))
        );
    }
    // Both are there: IMAP is better, and it is said that there was a choice.
    scene.names.set("_imaps._tcp.example.test", [service(imap)]);
    scene.order.source.kind = SourceKind::Imap;
    let both = scene.check().await;
    assert_eq!(found(&both), (Protocol::Imap, imap, Some(Protocol::Pop3)));
    // Whoever asks for POP3 gets it.
    scene.order.source.kind = SourceKind::Pop3;
    let asked = scene.check().await;
    assert_eq!(found(&asked), (Protocol::Pop3, pop3, None));
    scene.names.set("_pop3s._tcp.example.test", []);
    assert_eq!(code(&scene.check().await), Some("N101"));
}

#[tokio::test]
async fn a_master_login_needs_no_password_of_the_destination() {
    let source = server(plain()).await;
    let old = source.account(ADDRESS).expect("an account");
    old.add_message("INBOX", message("a", 100));
    let destination = Dovecot::start(DovecotOptions::default()).expect("a server");
    let account = destination.create_account("taro").expect("an account");
    let Some(AdminLogin::MasterUser { login, password }) = destination.admin_login(&account) else {
        panic!("Dovecot has master users")
    };
    let (_, admin) = login.split_once('*').expect("the account, then the master");
    let instance = destination.instance();
    let mut scene = Scene::new(source.port(), 0).await;
    scene.order.source.accepted = Some(Accepted::ClearText);
    scene.secrets.destination = None;
    scene.brand.destination = Destination {
        ca_file: Some(instance.ca_file()),
        login: LoginName::LocalPart,
        ..Destination::new(instance.host(), instance.tls_port(), Transport::Tls)
    };
    let without = scene.check().await;
    assert_eq!(code(&without), Some("C903"));
    scene.brand.destination.master = Some(Master {
        user: admin.to_owned(),
        secret: Secret::from(password.as_str()),
        separator: Some('*'),
    });
    let entered = scene.check().await;
    assert_eq!(
        (code(&entered), remarkable(&entered)),
        (None, vec![(Connection, Notable, None)])
    );
    assert!(entered.can_start());
    // With the account's own password, as somebody signs in.
    let secret = Secret::from(account.password.as_str());
    assert_eq!(sign_in(&scene.brand, ADDRESS, &secret).await, Ok(()));
    let wrong = sign_in(&scene.brand, ADDRESS, &Secret::from("wrong")).await;
    let wrong = wrong.expect_err("a wrong password");
    assert_eq!(
        (wrong.code, wrong.at.side),
        (Code::LoginRejected, Some(Side::Destination))
    );
}
