use super::*;

fn parse(text: &str) -> Result<Config, (Option<usize>, Why)> {
    Config::parse(text, Path::new("/etc/x/config.toml")).map_err(|p| (p.line, p.why))
}

#[test]
fn a_full_file_is_read() {
    let config = parse(
        r#"
        lang = "ja"
        connections = 3
        bwlimit = "2M"
        state = "state"

        [accounts.old]
        locator = "imaps://taro@old.example.jp"
        password-file = "old.pass"
        ca-file = "/etc/ssl/private-ca.pem"
        connections = 2

        [accounts."新サーバー"]
        locator = "imap://taro@new.example.jp:1143/受信"
        token-command = "get-token taro"
        authzid = "hanako"
        "#,
    )
    .expect("config");
    assert_eq!(config.lang, Some(Lang::Ja));
    assert_eq!(config.connections, Some(3));
    assert_eq!(config.bandwidth, Some(2 << 20));
    assert_eq!(config.state, Some("/etc/x/state".into()));
    let old = &config.accounts["old"];
    assert_eq!(old.place.to_string(), "imaps://taro@old.example.jp");
    let file = SecretFrom::File("/etc/x/old.pass".into());
    assert_eq!(old.options.password, Some(file));
    assert_eq!(old.options.ca_file, Some("/etc/ssl/private-ca.pem".into()));
    assert_eq!(old.options.connections, Some(2));
    let new = &config.accounts["新サーバー"];
    let command = SecretFrom::Command("get-token taro".into());
    assert_eq!(new.options.token, Some(command));
    assert_eq!(new.options.authzid.as_deref(), Some("hanako"));
}

#[test]
fn mail_on_this_computer_has_a_name_too() {
    let config = parse(
        "[accounts.pc]\nlocator = 'thunderbird:profile'\n[accounts.saved]\nlocator = './mail'\n\
         [accounts.pop]\nlocator = 'pop3s://taro@pop.example.jp'\n",
    )
    .expect("config");
    let places = config
        .accounts
        .values()
        .map(|account| account.place.to_string());
    assert_eq!(
        places.collect::<Vec<_>>(),
        [
            "thunderbird:/etc/x/profile",
            "pop3s://taro@pop.example.jp",
            "/etc/x/./mail"
        ]
    );
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let account = "[accounts.old]\nlocator = \"imaps://u@h\"\n";
    let bad_port = LocatorProblem::Port("0".into());
    for (text, line, why) in [
        ("lnag = 'ja'", 1, Why::Key("lnag".into(), Some("lang"))),
        ("\nlang = 'de'", 2, Why::Type("lang".into(), Expected::Lang)),
        (
            "connections = 0",
            1,
            Why::Type("connections".into(), Expected::Count),
        ),
        (
            "connections = '4'",
            1,
            Why::Type("connections".into(), Expected::Count),
        ),
        (
            "bwlimit = 'fast'",
            1,
            Why::Type("bwlimit".into(), Expected::Rate),
        ),
        (
            "accounts = 3",
            1,
            Why::Type("accounts".into(), Expected::Table),
        ),
        (
            "[accounts]\nold = 3",
            2,
            Why::Type("old".into(), Expected::Table),
        ),
        ("[accounts.maildir]", 1, Why::Name("maildir".into())),
        ("[accounts.'a b']", 1, Why::Name("a b".into())),
        ("[accounts.old]", 1, Why::Missing("old".into())),
        (
            "[accounts.old]\nlocator = 'imaps://u@h:0'",
            2,
            Why::Locator("imaps://u@h:0".into(), bad_port),
        ),
        ("[accounts.old]\nlocator = 'pst:x'", 2, Why::Kind("pst")),
        (
            "[accounts.old]\nlocator = 'mbox:x'\npassword-env = 'A'",
            1,
            Why::OnDisk,
        ),
        (
            &format!("{account}password = 'x'"),
            3,
            Why::Password("password".into()),
        ),
        (
            &format!("{account}passwort-file = 'x'"),
            3,
            Why::Key("passwort-file".into(), Some("password-file")),
        ),
        (
            &format!("{account}pin = 'ab'"),
            3,
            Why::Type("pin".into(), Expected::Pin),
        ),
        (
            &format!("{account}password-env = ''"),
            3,
            Why::Type("password-env".into(), Expected::Text),
        ),
    ] {
        assert_eq!(parse(text), Err((Some(line), why)), "{text}");
    }
    let twice = format!("{account}password-env = 'A'\npassword-file = 'b'\n");
    assert!(matches!(parse(&twice), Err((Some(_), Why::Both(..)))));
    let both = format!("{account}password-env = 'A'\ntoken-env = 'B'\n");
    assert!(matches!(parse(&both), Err((Some(1), Why::Both(..)))));
    assert!(matches!(
        parse("\nlang = ja"),
        Err((Some(2), Why::Syntax(_)))
    ));
}

#[test]
fn a_missing_file_is_empty_unless_it_was_named() {
    let path = Path::new("/nonexistent/config.toml");
    assert_eq!(Config::load(path, false), Ok(Config::default()));
    let problem = Config::load(path, true).expect_err("named");
    assert_eq!(problem.why, Why::Unreadable(io::ErrorKind::NotFound));
}
