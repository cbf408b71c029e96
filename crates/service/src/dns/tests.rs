use super::*;
use hikyaku_testkit::dns::{Dns as Server, Record};

fn both() -> (Server, Dns) {
    let server = Server::start().expect("a server");
    let dns = Dns::new(Some(server.address())).expect("a resolver");
    (server, dns)
}

fn mx(preference: u16, host: &str) -> Record {
    Record::Mail(preference, host.to_owned())
}

#[tokio::test]
async fn addresses_change_with_the_answers() {
    let (server, dns) = both();
    let loopback: Vec<IpAddr> = vec!["127.0.0.9".parse().expect("an address")];
    assert_eq!(
        dns.addresses("mail.example.test").await,
        Err(DnsProblem::NotFound)
    );
    server.set_addresses("mail.example.test", &["127.0.0.9"]);
    assert_eq!(
        dns.addresses("mail.example.test").await,
        Ok(loopback.clone())
    );
    server.set("mail.example.test", []);
    assert_eq!(dns.addresses("mail.example.test").await, Ok(Vec::new()));
    // An address is one already.
    assert_eq!(dns.addresses("127.0.0.9").await, Ok(loopback));
    // Nothing is appended to a short name.
    assert_eq!(dns.addresses("intranet").await, Err(DnsProblem::NotFound));
    assert!(
        server
            .asked()
            .iter()
            .all(|name| name == "mail.example.test" || name == "intranet")
    );
}

#[tokio::test]
async fn mail_hosts_and_services_come_in_their_order() {
    let (server, dns) = both();
    server.set(
        "example.test",
        [mx(20, "b.example.test"), mx(10, "A.Example.test")],
    );
    let hosts = dns.mail_hosts("example.test").await.expect("hosts");
    let host = |preference, host: &str| MailHost {
        preference,
        host: host.into(),
    };
    assert_eq!(
        hosts,
        [host(10, "a.example.test"), host(20, "b.example.test")]
    );
    let service = |weight, host: &str| Record::Service(0, weight, 993, host.into());
    server.set(
        "_imaps._tcp.example.test",
        [service(1, "low.test"), service(9, "high.test")],
    );
    let found = dns
        .service_hosts("_imaps._tcp", "example.test")
        .await
        .expect("hosts");
    let found: Vec<_> = found.iter().map(|s| (s.port, s.host.as_str())).collect();
    assert_eq!(found, [(993, "high.test"), (993, "low.test")]);
    assert_eq!(dns.mail_hosts("none.test").await, Err(DnsProblem::NotFound));
}

#[tokio::test]
async fn where_mail_is_delivered_is_seen_by_name_or_address() {
    let (server, dns) = both();
    server.set_addresses("imap.new.test", &["127.0.0.2"]);
    server.set_addresses("mx.old.test", &["127.0.0.1"]);
    server.set_addresses("mx.example.test", &["127.0.0.2"]);
    let hosts = ["imap.new.test".to_owned(), "mx.new.test".to_owned()];
    for (records, expected) in [
        (vec![mx(10, "mx.old.test")], Delivery::Elsewhere),
        (
            vec![mx(10, "mx.old.test"), mx(20, "imap.new.test")],
            Delivery::Elsewhere,
        ),
        (
            vec![mx(10, "imap.new.test"), mx(20, "mx.old.test")],
            Delivery::Here,
        ),
        // Below a host of the destination.
        (vec![mx(10, "a1.mx.new.test")], Delivery::Here),
        (vec![mx(10, "evilmx.new.test")], Delivery::Unknown),
        // Another name with the same address.
        (vec![mx(10, "mx.example.test")], Delivery::Here),
        // No mail at all; without MX the domain itself.
        (vec![mx(0, ".")], Delivery::Unknown),
        (
            vec![Record::Address("127.0.0.2".parse().expect("an address"))],
            Delivery::Here,
        ),
        (
            vec![Record::Address("127.0.0.1".parse().expect("an address"))],
            Delivery::Elsewhere,
        ),
    ] {
        server.set("example.test", records.clone());
        assert_eq!(
            dns.delivery("example.test", &hosts).await,
            expected,
            "{records:?}"
        );
    }
    assert_eq!(
        dns.delivery("no-such.test", &hosts).await,
        Delivery::Unknown
    );
}

#[tokio::test]
async fn a_notice_needs_an_address_whose_domain_takes_mail() {
    let (server, dns) = both();
    server.set("example.test", [mx(10, "mx.example.test")]);
    server.set_addresses("implicit.test", &["127.0.0.1"]);
    server.set("refuses.test", [mx(0, ".")]);
    server.set("empty.test", []);
    for (address, expected) in [
        ("taro@example.test", Ok(())),
        ("taro+x@Example.TEST", Ok(())),
        ("taro@implicit.test", Ok(())),
        ("taro@refuses.test", Err(NotifyProblem::NoMail)),
        ("taro@empty.test", Err(NotifyProblem::NoMail)),
        ("taro@no-such.test", Err(NotifyProblem::Domain)),
        ("taro", Err(NotifyProblem::Syntax)),
        ("@example.test", Err(NotifyProblem::Syntax)),
        ("taro@localhost", Err(NotifyProblem::Syntax)),
        ("taro@127.0.0.1", Err(NotifyProblem::Syntax)),
        (
            "taro@example.test\r\nBcc: x@example.test",
            Err(NotifyProblem::Syntax),
        ),
        ("taro jiro@example.test", Err(NotifyProblem::Syntax)),
        ("a@b@example.test", Err(NotifyProblem::Syntax)),
        ("<taro@example.test>", Err(NotifyProblem::Syntax)),
        (".taro@example.test", Err(NotifyProblem::Syntax)),
    ] {
        assert_eq!(dns.check_notify(address).await, expected, "{address}");
    }
    let long = format!("{}@example.test", "x".repeat(65));
    assert_eq!(dns.check_notify(&long).await, Err(NotifyProblem::Syntax));
    // Nobody is turned away because a resolver is.
    server.silence(true);
    assert_eq!(dns.check_notify("taro@other.test").await, Ok(()));
}

#[test]
fn the_domain_of_an_address_is_ascii() {
    let split = split_address("太郎@例え.jp").expect("an address");
    assert_eq!(split, ("太郎", "xn--r8jz45g.jp".to_owned()));
}
