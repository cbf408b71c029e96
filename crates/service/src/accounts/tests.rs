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
