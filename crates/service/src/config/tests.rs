use super::*;
use crate::job::Transport;

fn parse(text: &str) -> Result<Config, String> {
    let parsed = Config::parse(text, Path::new("/etc/hikyaku/serve.toml"));
    parsed.map_err(|problem| problem.to_string())
}

#[test]
fn nothing_is_a_configuration_too() {
    let config = parse("").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert_eq!(config.egress.ports, [143, 993, 110, 995]);
    assert_eq!(
        (config.limits, config.attempts),
        (Limits::default(), Attempts::default())
    );
    assert!(config.smtp.is_none() && !config.catch_mail && config.brands.is_empty());
    let problem = config.load_brands().map(|_| ()).unwrap_err();
    assert_eq!(problem.key, "destination");
}

#[test]
fn a_full_file_is_read() {
    let config = parse(
        r#"
        listen = "[::1]:8443"
        public_url = "https://copy.example.jp/"
        state = "state"
        database_env = "HIKYAKU_DATABASE"
        key_file = "/etc/hikyaku/key"
        handover_secret_file = "handover.key"
        trusted_proxies = ["10.0.0.0/8", "::1"]

        [destination]
        host = "imap.example.jp"
        transport = "start_tls"

        [smtp]
        host = "smtp.example.jp"
        security = "start_tls"
        user = "hikyaku"
        password_file = "smtp.pass"
        from = "メール係 <noreply@example.jp>"
        per_recipient_per_day = 5

        [egress]
        allow = ["127.0.0.0/8"]
        deny = ["198.51.100.0/24"]
        ports = [993, 10993]

        [limits]
        jobs = 10
        per_host = 3

        [attempts]
        per_account = 6
        "#,
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:8443");
    assert_eq!(config.public_url(), "https://copy.example.jp");
    assert_eq!(config.state, Some("/etc/hikyaku/state".into()));
    let database = Database::Secret(SecretFrom::Env("HIKYAKU_DATABASE".into()));
    assert_eq!(config.database, Some(database));
    assert_eq!(
        config.key,
        Some(SecretFrom::File("/etc/hikyaku/key".into()))
    );
    let handover = SecretFrom::File("/etc/hikyaku/handover.key".into());
    assert_eq!(config.handover_secret, Some(handover));
    assert_eq!(config.trusted_proxies.len(), 2);
    let brands = config.load_brands().unwrap();
    let to = &brands.get("hikyaku").unwrap().destination;
    assert_eq!(
        (to.host.as_str(), to.port, to.transport),
        ("imap.example.jp", 143, Transport::StartTls)
    );
    assert_eq!(
        config.smtp,
        Some(Smtp {
            host: "smtp.example.jp".into(),
            port: 587,
            security: SmtpSecurity::StartTls,
            user: Some("hikyaku".into()),
            password: Some(SecretFrom::File("/etc/hikyaku/smtp.pass".into())),
            ca_file: None,
            from: "メール係 <noreply@example.jp>".parse().unwrap(),
            per_recipient_per_day: 5,
            per_day: 10_000,
        })
    );
    assert_eq!(config.egress.ports, [993, 10_993]);
    assert_eq!(
        (
            config.limits.jobs,
            config.limits.per_host,
            config.limits.checks
        ),
        (10, 3, 32)
    );
    assert_eq!(
        (config.attempts.per_account, config.attempts.per_address),
        (6, 60)
    );
}

#[test]
fn every_mistake_is_named_with_its_line_and_key() {
    let smtp = |rest: &str| format!("[smtp]\nhost = 'h'\nfrom = 'a@b.example'\n{rest}");
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            "listne = '[::]:80'".to_owned(),
            ":1: listne: there is no key `listne` here; did you mean `listen`?",
        ),
        (
            "listen = '8080'".to_owned(),
            ":1: listen: invalid socket address syntax",
        ),
        (
            "public_url = 'copy.example.jp'".to_owned(),
            ":1: public_url: expected an address such as `https://copy.example.jp`",
        ),
        (
            "public_url = 'https://h/?a'".to_owned(),
            ":1: public_url: expected an address such as `https://copy.example.jp`",
        ),
        (
            "key = 'aaaa'".to_owned(),
            ":1: key: a secret must not stand in this file: use `key_file` or `key_env`",
        ),
        (
            "handover_secret = 'a'".to_owned(),
            ":1: handover_secret: a secret must not stand in this file: use `handover_secret_file` or `handover_secret_env`",
        ),
        (
            "key_file = 'a'\nkey_env = 'b'".to_owned(),
            ":1: key_file: only one of the file and the variable can hold the secret",
        ),
        (
            "database = 'sqlite:x'".to_owned(),
            ":1: database: expected an address such as `postgres://user@host/name`",
        ),
        (
            "database = 'postgres://u:p@h/d'".to_owned(),
            ":1: database: a secret must not stand in this file: use `database_file` or `database_env`",
        ),
        (
            "database = 'postgres://h/d?password=p'".to_owned(),
            ":1: database: a secret must not stand in this file: use `database_file` or `database_env`",
        ),
        (
            "database = 'postgres://h/d'\ndatabase_env = 'D'".to_owned(),
            ":1: database: only one of `database`, `database_file` and `database_env` can hold",
        ),
        (
            "trusted_proxies = ['proxy']".to_owned(),
            ":1: trusted_proxies: a network is an address, a slash and the bits that count, such as 192.0.2.0/24",
        ),
        (
            "\n[limits]\njobs = 0".to_owned(),
            ":3: limits.jobs: expected at least 1",
        ),
        (
            "[attempts]\nper_adress = 1".to_owned(),
            ":2: attempts.per_adress: there is no key `per_adress` here; did you mean `per_address`?",
        ),
        (
            "[egress]\nports = []".to_owned(),
            ":2: egress.ports: expected ports from 1 to 65535",
        ),
        (
            "brands = ['a.toml']\n[destination]\nhost = 'h'".to_owned(),
            ":2: destination: the brand files name their own destinations; remove this table",
        ),
        (
            smtp("password = 'p'"),
            ":4: smtp.password: a secret must not stand in this file: use `password_file` or `password_env`",
        ),
        (
            smtp("user = 'u'"),
            ":4: smtp.user: `user` goes with `password_file` or `password_env`",
        ),
        (
            smtp("security = 'clear'\nuser = 'u'\npassword_env = 'P'"),
            ":4: smtp.security: a password is never sent in clear text",
        ),
        (smtp("per_day = 0"), ":4: smtp.per_day: expected at least 1"),
        (
            smtp("").replace("a@b.example", "a"),
            ":3: smtp.from: `a` is no mail address",
        ),
        (
            format!("catch_mail = true\n{}", smtp("")),
            ":1: catch_mail: mails are either caught or sent; remove this or the table `[smtp]`",
        ),
        (
            "[smtp]\nhost = 'h'".to_owned(),
            ":1: smtp: missing field `from`",
        ),
    ] {
        let error = parse(&text).map(|_| ()).unwrap_err();
        let expected = format!("/etc/hikyaku/serve.toml{expected}");
        if error != expected {
            wrong.push((text, error, expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nowhere/serve.toml")).unwrap_err();
    assert_eq!(
        (error.line, error.path),
        (None, "/nowhere/serve.toml".into())
    );
    assert!(error.why.starts_with("cannot be read: "), "{}", error.why);
}

/// The page of the documentation that people copy from.
#[test]
fn the_documented_file_names_every_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/serve.toml");
    let config = Config::load(&path).unwrap_or_else(|problem| panic!("{problem}"));
    let usual = Config::default();
    assert_eq!(config.listen, usual.listen);
    assert_eq!(
        (config.limits, config.attempts),
        (usual.limits, usual.attempts)
    );
    assert_eq!(
        (config.egress, config.catch_mail),
        (usual.egress, usual.catch_mail)
    );
    let smtp = config.smtp.unwrap();
    assert_eq!((smtp.port, smtp.security), (465, SmtpSecurity::Tls));
    assert_eq!((smtp.per_recipient_per_day, smtp.per_day), (50, 10_000));
    // What is commented out is a key too, unless it is an explanation.
    let text = std::fs::read_to_string(&path).unwrap();
    for key in [
        "database",
        "key_file",
        "handover_secret_file",
        "brands",
        "ca_file",
        "master_user",
        "master_password_file",
        "master_separator",
        "user",
        "password_file",
        "resolver",
    ] {
        assert!(text.contains(&format!("# {key} = ")), "{key}");
    }
}
