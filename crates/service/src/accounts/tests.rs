use super::*;
use crate::brand::{Destination, LoginName};
use hikyaku_net::sasl::Proof;

fn brand(destination: Destination) -> Brand {
    Brand {
        destination,
        ..Brand::builtin()
    }
}

fn reached(transport: Transport) -> Reached {
    Reached {
        protocol: crate::job::Protocol::Imap,
        host: "mail.example.jp".into(),
        port: 993,
        transport,
        login: "taro@example.jp".into(),
    }
}

fn password(credentials: &Credentials) -> String {
    let Proof::Password(secret) = &credentials.proof else {
        panic!("a token")
    };
    String::from_utf8_lossy(secret.expose()).into_owned()
}

#[test]
fn the_destination_is_entered_with_its_own_password_or_by_the_master() {
    let mut destination = Destination::new("imap.new.example", 993, Transport::Tls);
    let address = "taro@example.jp";
    let own = Secret::from("own");
    let options = destination_options(&brand(destination.clone()), address, Some(&own));
    let options = options.expect("options");
    assert_eq!(options.endpoint.server(), "imap.new.example:993");
    assert_eq!(options.endpoint.side, Side::Destination);
    assert_eq!(options.credentials.user, address);
    assert_eq!(
        (password(&options.credentials), options.credentials.act_as),
        ("own".into(), None)
    );
    // Neither a password nor a master.
    let fault =
        destination_options(&brand(destination.clone()), address, None).expect_err("no way");
    assert_eq!(
        (fault.code, fault.at.side),
        (Code::SecretUnreadable, Some(Side::Destination))
    );
    for (login, separator, user, act_as) in [
        (LoginName::Address, Some('*'), "taro@example.jp*admin", None),
        (LoginName::LocalPart, Some('*'), "taro*admin", None),
        (LoginName::Percent, None, "admin", Some("taro%example.jp")),
    ] {
        destination.login = login;
        destination.master = Some(Master {
            user: "admin".into(),
            secret: Secret::from("master"),
            separator,
        });
        let options = destination_options(&brand(destination.clone()), address, None);
        let credentials = options.expect("options").credentials;
        assert_eq!(
            (credentials.user.as_str(), credentials.act_as.as_deref()),
            (user, act_as)
        );
        assert_eq!(password(&credentials), "master");
    }
    let fault = destination_options(&Brand::builtin(), address, None).expect_err("no host");
    assert_eq!(fault.code, Code::ConfigInvalid);
}

#[test]
fn the_source_is_in_clear_text_only_where_that_was_accepted() {
    let guard = Guard::new();
    let pin = "ab".repeat(32);
    let certificate = Accepted::Certificate(pin.clone());
    let secret = Secret::from("s");
    for (transport, accepted, security) in [
        (Transport::Tls, None, Security::ImplicitTls),
        (
            Transport::Tls,
            Some(Accepted::ClearText),
            Security::ImplicitTls,
        ),
        (Transport::StartTls, None, Security::StartTls),
        (Transport::Clear, None, Security::StartTls),
        (
            Transport::Clear,
            Some(certificate.clone()),
            Security::StartTls,
        ),
        (Transport::Clear, Some(Accepted::ClearText), Security::Plain),
    ] {
        let options = source_options(&reached(transport), &secret, accepted.as_ref(), &guard);
        assert_eq!(
            options.endpoint.security, security,
            "{transport:?} {accepted:?}"
        );
        assert!(options.endpoint.guard.is_some());
        let trust = match accepted {
            Some(Accepted::Certificate(pin)) => Trust::Pinned(pin.parse().expect("a pin")),
            _ => Trust::System,
        };
        assert_eq!(options.endpoint.trust, trust);
        assert_eq!(options.endpoint.side, Side::Source);
    }
}

#[test]
fn identities_do_not_depend_on_encryption() {
    for (host, port, login, expected) in [
        (
            "Mail.Example.jp",
            993,
            "taro@example.jp",
            "imap://taro@example.jp@mail.example.jp",
        ),
        (
            "mail.example.jp",
            143,
            "taro%x",
            "imap://taro%25x@mail.example.jp",
        ),
        (
            "mail.example.jp",
            10993,
            "太郎",
            "imap://太郎@mail.example.jp:10993",
        ),
        ("2001:db8::1", 993, "taro", "imap://taro@[2001:db8::1]"),
    ] {
        let reached = Reached {
            protocol: crate::job::Protocol::Imap,
            host: host.into(),
            port,
            transport: Transport::Tls,
            login: login.into(),
        };
        assert_eq!(source_id(&reached).as_str(), expected);
    }
    let mut destination = Destination::new("imap.new.example", 993, Transport::Tls);
    destination.login = LoginName::LocalPart;
    let id = destination_id(&brand(destination), "taro@example.jp");
    assert_eq!(id.as_str(), "imap://taro@imap.new.example");
}

#[test]
fn a_server_that_is_not_there_is_told_within_ten_seconds() {
    let limits = WHILE_WAITED_FOR;
    let ten = Duration::from_secs(10);
    // Closed or dropped at both ports; silent at both: with TLS, then in clear text.
    assert!(2 * limits.connect < ten);
    assert!(limits.tls + limits.greeting < ten);
    assert!(limits.probe < limits.greeting);
}

/// What a person may type to reach what is behind the firewall, through everything that a typed text passes.
#[tokio::test]
async fn no_spelling_of_a_forbidden_address_passes() {
    let server = hikyaku_testkit::dns::Dns::start().expect("a server");
    for (name, addresses) in [
        ("one.rebind.test", &["127.0.0.1"][..]),
        ("two.rebind.test", &["10.0.0.1", "169.254.169.254"]),
        (
            "six.rebind.test",
            &["::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
        ),
        ("xn--4dkua4c.test", &["192.168.1.1"]),
    ] {
        server.set_addresses(name, addresses);
    }
    let dns = Dns::new(Some(server.address())).expect("a resolver");
    let guard = guard(&Egress::default(), &dns);
    let mut looked_up = 0;
    for text in [
        // Dotted, with a port, with blanks, with a closing dot.
        "127.0.0.1",
        "127.0.0.1:993",
        " 127.0.0.1 ",
        "127.0.0.1.",
        "127.8.9.10",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        // Decimal, octal, hexadecimal, short.
        "2130706433",
        "3232235777",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.01",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7F.0x0.0x0.0x1",
        "127.0x1",
        "127.1",
        "127.0.1",
        "10.1",
        "0",
        "00.0.0.0",
        "1.1.1.256",
        // Full-width and other digits and dots, circled numbers.
        "１２７．０．０．１",
        "１２７。０。０。１",
        "127。0。0。1",
        "127｡0｡0｡1",
        "①②⑦.⓪.⓪.①",
        "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
        "１６９．２５４．１６９．２５４：１４３",
        // IPv6 and IPv4 in it, with brackets and without, with zones.
        "::1",
        "[::1]",
        "[::1]:143",
        "::",
        "0:0:0:0:0:0:0:1",
        "::ffff:127.0.0.1",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]:993",
        "::127.0.0.1",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "fe80::1",
        "[fe80::1%25eth0]",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "［：：１］",
        // Names.
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ｌｏｃａｌｈｏｓｔ",
        "mail.localhost",
        "ip6-localhost",
        "one.rebind.test",
        "two.rebind.test",
        "six.rebind.test",
        "メール.test",
        "metadata.google.internal",
        "127.0.0.1.nip.io.invalid",
    ] {
        let Ok(Some(typed)) = Typed::parse(text) else {
            continue;
        };
        let addresses = dns.addresses(&typed.host.bare()).await.unwrap_or_default();
        looked_up += usize::from(!addresses.is_empty());
        for address in addresses {
            for port in hikyaku_net::guard::USUAL_PORTS {
                assert!(!guard.allows(address, port), "{text}: {address}");
            }
        }
    }
    // Most of them do lead to an address: it is the guard that refuses.
    assert!(looked_up > 30, "{looked_up}");
}
