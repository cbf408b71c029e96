//! The whole program against a real Dovecot: TLS, trust, and saved accounts.

mod run;

use hikyaku_testkit::servers::{Account, AdminLogin, Kind, MailServer, start};
use run::{Home, Said};

struct Fixture {
    home: Home,
    server: Box<dyn MailServer>,
    old: Account,
    new: Account,
}

impl Fixture {
    fn start() -> Self {
        let server = start(Kind::Dovecot).expect("a Dovecot");
        let old = server.create_account("old").expect("an account");
        let new = server.create_account("new").expect("an account");
        let home = Home::new();
        home.file("old.pass", &format!("{}\n", old.password));
        home.file("new.pass", &new.password);
        Self {
            home,
            server,
            old,
            new,
        }
    }

    fn copy(&self, from: &str, to: &str, more: &[&str]) -> Said {
        let (old, new) = (self.home.path("old.pass"), self.home.path("new.pass"));
        let mut arguments = vec!["copy", from, to];
        arguments.extend([
            "--source-password-file",
            &old,
            "--destination-password-file",
            &new,
        ]);
        arguments.extend(more);
        self.home.run(&arguments)
    }
}

#[test]
fn certificates_are_verified_and_trust_is_given_by_name() {
    let fixture = Fixture::start();
    let instance = fixture.server.instance();
    let (old, new) = (&fixture.old.user, &fixture.new.user);
    let implicit = format!("imaps://{old}@127.0.0.1:{}", instance.tls_port());
    let upgraded = format!("imap://{new}@localhost:{}", instance.port());
    let crossed = format!("imaps://{old}@127.0.0.1:{}", instance.port());
    let late = format!("imap://{old}@127.0.0.1:{}", instance.tls_port());
    let authority = instance.ca_file();
    let authority = authority.to_str().expect("a path");
    let pin = instance.identity().pin.clone();
    let wrong = "00".repeat(32);
    let trusted = ["--destination-pin", pin.as_str()];

    for (from, trust, code) in [
        (&implicit, vec![], "T113"),
        (&implicit, vec!["--source-pin", wrong.as_str()], "T116"),
        (&crossed, vec!["--source-ca-file", authority], "T112"),
        (&late, vec!["--source-ca-file", authority], "T112"),
    ] {
        let said = fixture.copy(from, &upgraded, &[&trusted[..], &trust].concat());
        assert_eq!(said.exit, 5, "{from} {trust:?}: {said:?}");
        assert!(
            said.err.contains(&format!("[{code}]")),
            "{from} {trust:?}: {said:?}"
        );
        assert!(!fixture.home.has_ledger());
    }
    let said = fixture.copy(
        &implicit,
        &upgraded,
        &["--source-ca-file", "/nonexistent.pem"],
    );
    assert_eq!(said.exit, 1, "{said:?}");
    assert!(said.err.contains("/nonexistent.pem"), "{said:?}");

    let trust = ["--source-ca-file", authority];
    let said = fixture.copy(&implicit, &upgraded, &[&trusted[..], &trust].concat());
    assert_eq!(said.exit, 0, "{said:?}");
    // The only way around the checks is written down, and only where it was taken.
    let fingerprint = instance.identity().pin.replace(':', "").to_uppercase();
    let recorded = format!(
        "The certificate of the destination (localhost:{}) was accepted by the given fingerprint",
        instance.port()
    );
    let again = fixture.home.run(&["report"]);
    for said in [&said, &again] {
        assert!(said.out.contains(&recorded), "{said:?}");
        assert!(said.out.replace(':', "").contains(&fingerprint), "{said:?}");
        assert!(
            !said.out.contains("The certificate of the source"),
            "{said:?}"
        );
    }
    let json = fixture.home.run(&["report", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("an object");
    let servers = report["servers"].as_array().expect("both sides");
    let pinned: Vec<_> = servers.iter().map(|s| (&s["side"], &s["pinned"])).collect();
    let (source, destination) = ("source".into(), "destination".into());
    let yes = serde_json::Value::Bool(true);
    assert_eq!(
        pinned,
        [(&source, &serde_json::Value::Null), (&destination, &yes)]
    );
    assert!(
        servers
            .iter()
            .all(|s| s["tls"].as_str().is_some_and(|v| v.starts_with("TLS 1.")))
    );
}

#[test]
fn saved_accounts_need_no_further_options() {
    let fixture = Fixture::start();
    let instance = fixture.server.instance();
    let (old, new) = (&fixture.old.user, &fixture.new.user);
    let authority = instance.ca_file();
    fixture.home.config(&format!(
        "lang = 'ja'\n\
         [accounts.old]\nlocator = 'imaps://{old}@localhost:{port}'\npassword-file = '~/old.pass'\nca-file = '{ca}'\n\
         [accounts.new]\nlocator = 'imaps://{new}@localhost:{port}'\npassword-command = 'cat ~/new.pass'\npin = '{pin}'\n",
        port = instance.tls_port(),
        ca = authority.display(),
        pin = instance.identity().pin,
    ));
    for arguments in [
        &["plan", "old:", "new:"][..],
        &["copy", "old:", "new:"],
        &["folders", "new:"],
    ] {
        let said = fixture.home.run(arguments);
        assert_eq!(said.exit, 0, "{arguments:?}: {said:?}");
        assert!(
            said.out.contains("フォルダ") || said.out.contains("メール"),
            "{said:?}"
        );
    }
    let said = fixture.home.run(&["copy", "old:", "nwe:"]);
    assert_eq!(said.exit, 1);
    assert!(said.err.contains("「new:」ではありませんか"), "{said:?}");
}

#[test]
fn an_administrator_signs_in_for_somebody_else() {
    for kind in [Kind::Dovecot, Kind::Cyrus] {
        let server = start(kind).expect("a server");
        let account = server.create_account("old").expect("an account");
        let home = Home::new();
        let (login, owner, password) = match server.admin_login(&account).expect("administrators") {
            AdminLogin::MasterUser { login, password } => (login, None, password),
            AdminLogin::ProxyAuthorisation {
                authorise_as,
                login,
                password,
            } => (login, Some(authorise_as), password),
        };
        let instance = server.instance();
        let authority = instance.ca_file();
        let mut arguments = vec![
            "folders".to_owned(),
            format!("imaps://{login}@localhost:{}", instance.tls_port()),
            "--password-env".to_owned(),
            "PW".to_owned(),
            "--ca-file".to_owned(),
            authority.display().to_string(),
        ];
        arguments.extend(
            owner
                .into_iter()
                .flat_map(|owner| ["--authzid".to_owned(), owner]),
        );
        let said = home.finish(home.command(&arguments).env("PW", &password));
        assert_eq!(said.exit, 0, "{kind:?}: {said:?}");
        assert!(said.out.contains("INBOX"), "{kind:?}: {said:?}");
    }
}
