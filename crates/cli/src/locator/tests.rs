use super::*;
use hikyaku_archive::Kind;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn server(text: &str) -> ServerLocator {
    match Locator::parse(text) {
        Ok(Locator::Server(server)) => server,
        other => panic!("{text}: {other:?}"),
    }
}

fn mailbox(levels: &[&str]) -> Option<MailboxName> {
    MailboxName::new(levels.iter().map(|l| (*l).to_owned()).collect())
}

#[test]
fn schemes_choose_protocol_security_and_port() {
    for (text, protocol, security, port) in [
        ("imaps://u@h", Protocol::Imap, Security::Tls, 993),
        ("imap://u@h", Protocol::Imap, Security::StartTls, 143),
        ("imap+insecure://u@h", Protocol::Imap, Security::Clear, 143),
        ("pop3s://u@h", Protocol::Pop3, Security::Tls, 995),
        ("pop3://u@h", Protocol::Pop3, Security::StartTls, 110),
        ("pop3+insecure://u@h", Protocol::Pop3, Security::Clear, 110),
        ("IMAPS://u@h:1993", Protocol::Imap, Security::Tls, 1993),
    ] {
        let made = server(text);
        assert_eq!(
            (made.protocol, made.security, made.port),
            (protocol, security, port),
            "{text}"
        );
    }
}

#[test]
fn the_last_at_sign_divides_user_and_host() {
    for text in [
        "imaps://user@example.jp@mail.example.jp",
        "imaps://user%40example.jp@mail.example.jp",
    ] {
        let made = server(text);
        assert_eq!(made.user, "user@example.jp");
        assert_eq!(made.host, Host::Name("mail.example.jp".into()));
        assert_eq!(made.to_string(), "imaps://user@example.jp@mail.example.jp");
    }
    // An `@` behind the host belongs to the mailbox.
    assert_eq!(server("imaps://u@h/a@b").mailbox, mailbox(&["a@b"]));
}

#[test]
fn hosts_may_be_names_in_any_script_or_addresses() {
    let host = |text: &str| server(&format!("imaps://u@{text}")).host;
    assert_eq!(
        host("MAIL.Example.JP."),
        Host::Name("mail.example.jp".into())
    );
    assert_eq!(
        host("メール.例え.jp"),
        Host::Name("xn--4dkua4c.xn--r8jz45g.jp".into())
    );
    assert_eq!(
        host("ｍａｉｌ．ｅｘａｍｐｌｅ．ｊｐ"),
        Host::Name("mail.example.jp".into())
    );
    assert_eq!(
        host("192.0.2.7:1143"),
        Host::Address(Ipv4Addr::new(192, 0, 2, 7).into())
    );
    let six: Ipv6Addr = "2001:db8::7".parse().expect("address");
    let made = server("imap://u@[2001:DB8::7]:1143/x");
    assert_eq!(
        (made.host.clone(), made.port),
        (Host::Address(six.into()), 1143)
    );
    assert_eq!(made.to_string(), "imap://u@[2001:db8::7]:1143/x");
    assert_eq!(made.host.bare(), "2001:db8::7");
    assert_eq!(server("imaps://u@例え.jp").to_string(), "imaps://u@例え.jp");
}

#[test]
fn mailboxes_are_written_as_people_write_them() {
    for (text, levels) in [
        (
            "imaps://u@h/受信トレイ/請求書",
            &["受信トレイ", "請求書"][..],
        ),
        ("imaps://u@h/%E5%8F%97%E4%BF%A1", &["受信"]),
        ("imaps://u@h/a%2Fb/100%25/", &["a/b", "100%"]),
        ("imaps://u@h/inbox", &["INBOX"]),
        ("imaps://u@h/A&B (old)", &["A&B (old)"]),
    ] {
        assert_eq!(server(text).mailbox, mailbox(levels), "{text}");
    }
    assert_eq!(server("imaps://u@h/").mailbox, None);
}

#[test]
fn other_kinds_are_recognised() {
    let archive = |kind, path: &str| Locator::Archive {
        kind,
        path: PathBuf::from(path),
    };
    for (text, made) in [
        (
            "maildir:./Maildir",
            archive(Some(ArchiveKind::Mail(Kind::Maildir)), "./Maildir"),
        ),
        (
            "pst:/a/b c.pst",
            archive(Some(ArchiveKind::Pst), "/a/b c.pst"),
        ),
        ("./mail:2024.mbox", archive(None, "./mail:2024.mbox")),
        ("backup.pst", archive(None, "backup.pst")),
        (r"C:\mail\backup.pst", archive(None, r"C:\mail\backup.pst")),
        (
            "gmail:taro@gmail.com/仕事",
            Locator::Provider {
                provider: Provider::Gmail,
                user: "taro@gmail.com".into(),
                mailbox: mailbox(&["仕事"]),
            },
        ),
        (
            "old:",
            Locator::Saved {
                name: "old".into(),
                mailbox: None,
            },
        ),
        (
            "旧サーバー:/送信済み",
            Locator::Saved {
                name: "旧サーバー".into(),
                mailbox: mailbox(&["送信済み"]),
            },
        ),
    ] {
        assert_eq!(Locator::parse(text), Ok(made), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    use LocatorProblem as P;
    for (text, problem) in [
        ("", P::Empty),
        ("imaps://u@h\u{1b}[2J", P::Control),
        ("imaps://u@h/a%0Ab", P::Control),
        ("imasp://u@h", P::Scheme("imasp".into(), Some("imaps"))),
        ("https://u@h", P::Scheme("https".into(), None)),
        ("imaps:u@h", P::Kind("imaps".into())),
        ("imaps:/u@h", P::Kind("imaps".into())),
        ("old:x", P::Kind("old".into())),
        ("u@h", P::Bare("imaps://u@h".into())),
        ("u@h:993", P::Bare("imaps://u@h".into())),
        ("imaps://mail.example.jp", P::User),
        ("imaps://@h", P::User),
        ("imaps://u:secret@h", P::Password),
        ("gmail:u:secret@gmail.com", P::Password),
        ("imaps://u@", P::HostMissing),
        ("imaps://u@:993", P::HostMissing),
        ("imaps://u@exa mple.jp", P::Host("exa mple.jp".into())),
        ("imaps://u@-x.jp", P::Host("-x.jp".into())),
        ("imaps://u@192.0.2.777", P::Host("192.0.2.777".into())),
        ("imaps://u@2001:db8::7", P::Host("2001:db8::7".into())),
        (
            "imaps://u@[fe80::1%25eth0]",
            P::Host("[fe80::1%25eth0]".into()),
        ),
        ("imaps://u@h:0", P::Port("0".into())),
        ("imaps://u@h:99999", P::Port("99999".into())),
        ("imaps://u@h:+993", P::Port("+993".into())),
        ("imaps://u@h:", P::Port("".into())),
        ("imaps://u@h/100%", P::Percent("%".into())),
        ("imaps://u@h/%ff", P::Percent("%ff".into())),
        ("pop3s://u@h/x", P::Mailbox),
        ("mbox:", P::Path("mbox")),
    ] {
        assert_eq!(Locator::parse(text), Err(problem), "{text}");
    }
}

#[test]
fn a_password_in_a_locator_is_never_repeated() {
    for (text, shown) in [
        ("imaps://u:secret@h", "imaps://u:***@h"),
        ("imaps://u:se/cr@et@h/x", "imaps://u:***@h/x"),
        ("imaps://u@d.jp:secret@h", "imaps://u@d.jp:***@h"),
        ("u:secret@h", "u:***@h"),
        ("u:secret@imaps://h", "u:***@imaps://h"),
        ("gmail:u:secret@h://x", "gmail:***@h://x"),
        ("imaps://u@h:993/a@b", "imaps://u@h:993/a@b"),
        ("imaps://u@h:0", "imaps://u@h:0"),
        ("受信", "受信"),
    ] {
        assert_eq!(masked(text), shown);
    }
}

#[test]
fn account_identity_does_not_depend_on_spelling_or_security() {
    let id = |text: &str| server(text).account(None).as_str().to_owned();
    let usual = "imap://taro@example.jp@mail.example.jp";
    for text in [
        "imaps://taro@example.jp@mail.example.jp",
        "imap://taro%40example.jp@MAIL.example.jp.:143/x",
        "imap+insecure://taro@example.jp@mail.example.jp:993",
    ] {
        assert_eq!(id(text), usual, "{text}");
    }
    assert_eq!(id("imaps://u@例え.jp:1993"), "imap://u@xn--r8jz45g.jp:1993");
    assert_ne!(id("imaps://Taro@h"), id("imaps://taro@h"));
    let proxied = server("imaps://admin@h").account(Some("taro"));
    assert_eq!(proxied.as_str(), "imap://taro@h");
}

fn any_level() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 /%&@:\\\\.~+'\"\u{3000}-\u{9fff}\u{e9}\u{301}\u{200d}]{0,12}",
        Just(String::new()),
        any::<String>().prop_map(|s| s.replace(['\0', '\r', '\n'], "")),
    ]
}

fn any_host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9]{0,8}(\\.[a-z][a-z0-9_-]{0,5}[a-z0-9]){0,3}".prop_map(Host::Name),
        any::<[u8; 4]>().prop_map(|o| Host::Address(Ipv4Addr::from(o).into())),
        any::<[u8; 16]>().prop_map(|o| Host::Address(Ipv6Addr::from(o).into())),
    ]
}

proptest! {
    #[test]
    fn the_text_form_leads_back(
        scheme in 0usize..6,
        user in any_level().prop_filter("user", |u| !u.is_empty()),
        host in any_host(),
        port in 1u16..,
        levels in prop::collection::vec(any_level(), 0..4),
    ) {
        let (_, protocol, security) = SERVERS[scheme];
        let mailbox = match protocol {
            Protocol::Imap => MailboxName::new(levels),
            Protocol::Pop3 => None,
        };
        let made = Locator::Server(ServerLocator { protocol, security, user, host, port, mailbox });
        let text = made.to_string();
        prop_assert!(!text.chars().any(hikyaku_text::escape::is_unseen), "{text:?}");
        prop_assert_eq!(Locator::parse(&text), Ok(made), "{}", text);
    }

    #[test]
    fn whatever_is_understood_leads_back(text in "((imaps?|pop3|gmail|mbox|old|x|C):)?(//)?[a-z%4@:./\\[\\]~ \\\\あ]{0,20}") {
        if let Ok(made) = Locator::parse(&text) {
            prop_assert_eq!(Locator::parse(&made.to_string()), Ok(made.clone()), "{:?}", made);
        }
    }

    #[test]
    fn any_text_is_judged_without_panic(text in any::<String>()) {
        drop(Locator::parse(&text));
    }
}
