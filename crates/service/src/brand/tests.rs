use super::*;

const SMALL: &str = "id = 'x'\nname = 'X'\n[destination]\nhost = 'imap.example.jp'\n";

fn parse(text: &str) -> Result<Brand, String> {
    let parsed = Brand::parse(text, Path::new("/etc/hikyaku/x.toml"));
    parsed.map_err(|problem| problem.to_string())
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../brands")
}

#[test]
fn the_examples_load() {
    let brands = Brands::load(["cpi.toml", "example.toml"].map(|name| examples().join(name)))
        .expect("the examples are right");
    let ids: Vec<&str> = brands.iter().map(|brand| brand.id.as_str()).collect();
    assert_eq!(ids, ["cpi", "example"]);
    assert_eq!(brands.usual().id, "cpi");
    assert_eq!(
        brands.get("example").unwrap().title.ja,
        "メールのお引っ越し"
    );
    assert!(brands.get("hikyaku").is_none());
    let twice = [examples().join("cpi.toml"), examples().join("cpi.toml")];
    let problem = Brands::load(twice).unwrap_err();
    assert_eq!(
        (problem.key, problem.why),
        ("id".into(), "there is another brand `cpi`".into())
    );
}

/// Seed 000: the words and rules that a person of this brand knows.
#[test]
fn the_brand_cpi_has_its_labels_plans_and_rules() {
    let brand = Brands::load([examples().join("cpi.toml")]).unwrap();
    let brand = brand.usual();
    let form = &brand.form;
    let labels = [
        &form.destination,
        &form.password,
        &form.source,
        &form.source_host,
        &form.source_address,
        &form.source_password,
        &form.notify,
        &form.check,
        &form.start,
    ];
    let labels = labels.map(|label| label.as_ref().unwrap().ja.as_str());
    assert_eq!(brand.title.ja, "メールデータコピー");
    assert_eq!(
        labels,
        [
            "コピー先",
            "①メールパスワード",
            "コピー元",
            "②メールサーバー名 またはIPアドレス",
            "③メールアドレス",
            "④メールパスワード",
            "⑤コピー完了の通知先メールアドレス",
            "確認する",
            "実行する",
        ]
    );
    let plan = |id: &str, ja: &str, en: &str, rerun: Rerun| Plan {
        id: id.to_owned(),
        name: Words {
            ja: ja.to_owned(),
            en: en.to_owned(),
        },
        rerun,
        reruns: brand.plan(id).unwrap().reruns.clone(),
        max_message_octets: Some(104_857_600),
        max_upload_octets: None,
        exclude_roles: vec![Role::Trash, Role::Junk],
        available_after: Some(Availability::MxMoved),
        match_account: true,
        ..Plan::default()
    };
    let standard = "ビジネス スタンダード";
    assert_eq!(
        brand.plans,
        [
            plan(
                "business-standard",
                standard,
                "Business Standard",
                Rerun::Differential
            ),
            plan("kwc-mail", "KWCメール", "KWC Mail", Rerun::FreshReplace),
        ]
    );
    assert_eq!(brand.notices.mask, MaskAddress::Full);
}

#[test]
fn a_small_file_is_enough() {
    let brand = parse(SMALL).unwrap();
    assert_eq!(
        (brand.name.ja.as_str(), brand.title.en.as_str()),
        ("X", "Mail data copy")
    );
    let to = &brand.destination;
    assert_eq!(
        (to.host.as_str(), to.port, to.transport),
        ("imap.example.jp", 993, Transport::Tls)
    );
    assert_eq!(brand.plans, [Plan::default()]);
    assert_eq!(brand.notices.mask, MaskAddress::Partial);
    assert_eq!(brand.notices.details, Details::Append);
    let start_tls = parse(&format!(
        "{SMALL}transport = 'start_tls'\nlogin = 'percent'\n"
    ))
    .unwrap();
    assert_eq!(
        (
            start_tls.destination.port,
            start_tls.destination.login.of("a@b")
        ),
        (143, "a%b".into())
    );
}

#[test]
fn every_mistake_is_named_with_its_line_and_key() {
    let with = |rest: &str| format!("{SMALL}{rest}");
    let plan = |rest: &str| format!("{SMALL}[[plans]]\nid = 'p'\nname = 'P'\n{rest}\n");
    let notice = |rest: &str| format!("{SMALL}[notices]\n{rest}\n");
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("id = 'x'".to_owned(), ":1: missing field `name`"),
        (
            with("prot = 1"),
            ":5: destination.prot: there is no key `prot` here; did you mean `port`?",
        ),
        (
            with("port = '993'"),
            ":5: destination.port: invalid type: string \"993\", expected u16",
        ),
        (
            with("port = 0"),
            ":5: destination.port: expected a port from 1 to 65535",
        ),
        (
            with("transport = 'ssl'"),
            ":5: destination.transport: unknown variant `ssl`, expected one of `tls`, `start_tls`, `clear`",
        ),
        (
            with("pin = 'abc'"),
            ":5: destination.pin: expected SHA-256 as 64 hexadecimal digits",
        ),
        (
            with("networks = ['10.0.0.1/8']"),
            ":5: destination.networks: a network is an address, a slash and the bits that count, such as 192.0.2.0/24",
        ),
        (
            with("master_password = 'p'"),
            ":5: destination.master_password: a secret must not stand in this file: use `master_password_file` or `master_password_env`",
        ),
        (
            with("master_user = 'm'"),
            ":5: destination.master_user: `master_password_file` or `master_password_env` is missing",
        ),
        (
            with("master_user = 'm'\nmaster_password_env = 'HIKYAKU_TEST_NOT_SET'"),
            ":5: destination.master_user: the environment variable HIKYAKU_TEST_NOT_SET is not set",
        ),
        (
            SMALL.replace("'x'", "'X y'"),
            ":1: id: expected 1 to 32 lower-case letters, digits and hyphens",
        ),
        (SMALL.replace("'X'", "' '"), ":2: name: the text is empty"),
        (
            SMALL.replace("'X'", "{ ja = 'X' }"),
            ":2: name: missing field `en`",
        ),
        (
            SMALL.replace("'X'", "{ ja = 'X', en = 'X', de = 'X' }"),
            ":2: name: there is no key `de` here, expected `ja` or `en`",
        ),
        (
            with("[colours]\naccent = 'red'"),
            ":6: colours.accent: expected a colour such as `#0b5fa5`",
        ),
        (
            with("[links]\nfaq = 'javascript:alert(1)'"),
            ":6: links.faq: expected an address that begins with https:// or http://",
        ),
        (
            format!("logo = 'x.gif'\n{SMALL}"),
            ":1: logo: expected a file that ends in .svg or .png",
        ),
        (
            plan("max_message = '100MB'"),
            ":8: plans.0.max_message: expected an amount such as `100M`",
        ),
        (
            plan("rerun = 'fresh_folder'\nreruns = ['differential']"),
            ":9: plans.0.reruns: the plan's own `rerun` is missing",
        ),
        (plan("supported = false"), ":5: plans: no plan is supported"),
        (
            plan("retention_days = 0"),
            ":8: plans.0.retention_days: expected at least 1",
        ),
        (
            plan("[[plans]]\nid = 'p'\nname = 'Q'"),
            ":9: plans.1.id: there is another plan `p`",
        ),
        (
            notice("from = 'nobody'"),
            ":6: notices.from: `nobody` is no mail address",
        ),
        (
            notice("mask = 'all'"),
            ":6: notices.mask: unknown variant `all`, expected one of `none`, `partial`, `full`",
        ),
        (
            notice("[notices.success]\nsubject = 'a'"),
            ":6: notices.success: missing field `body`",
        ),
        (
            notice("[notices.success]\nsubject = 'a'\nbody = '{dset}'"),
            ":8: notices.success.body: there is no place `{dset}`; did you mean `{dest}`?",
        ),
        (
            notice("[notices.success]\nsubject = \"a\\r\\nBcc: x@y\"\nbody = 'b'"),
            ":7: notices.success.subject: a subject is one line without {details}",
        ),
        (
            notice("[notices.sucess]\nsubject = 'a'\nbody = 'b'"),
            ":6: notices.sucess: there is no key `sucess` here; did you mean `success`?",
        ),
        (
            "id = ".to_owned(),
            ":1: string values must be quoted, expected literal string",
        ),
    ] {
        let error = parse(&text).map(|brand| brand.id).unwrap_err();
        let expected = format!("/etc/hikyaku/x.toml{expected}");
        if error != expected {
            wrong.push((text, error, expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_address_has_the_plan_that_claims_its_domain() {
    let brand = parse(&format!(
        "allow_destinations = ['A.example.jp', 'b.example.jp', 'old.example.jp']\n{SMALL}\
         [[plans]]\nid = 'old'\nname = 'Old'\nsupported = false\ndomains = ['old.example.jp']\n\
         [[plans]]\nid = 'a'\nname = 'A'\n[[plans]]\nid = 'b'\nname = 'B'\ndomains = ['B.example.jp']\n"
    ))
    .unwrap();
    for (address, plan, allowed) in [
        ("taro@a.example.jp", Some("a"), true),
        ("taro@B.EXAMPLE.JP", Some("b"), true),
        ("taro@old.example.jp", None, true),
        ("taro@elsewhere.example", Some("a"), false),
        ("\"a@b.example.jp\"@elsewhere.example", Some("a"), false),
        ("taro", Some("a"), false),
    ] {
        let of = brand.plan_for(address).map(|plan| plan.id.as_str());
        assert_eq!((of, brand.allows(address)), (plan, allowed), "{address}");
    }
    assert!(Brand::builtin().allows("whoever@wherever.example"));
}

#[test]
fn brands_are_found_by_the_host_of_the_page() {
    let brand = |id: &str, host: &str| {
        parse(&SMALL.replace("'x'", &format!("'{id}'\nhosts = ['{host}']"))).unwrap()
    };
    let brands = Brands::of(vec![brand("a", "a.example.jp"), brand("b", "b.example.jp")]);
    for (host, id) in [
        ("b.example.jp", "b"),
        ("B.Example.JP", "b"),
        ("c.example.jp", "a"),
    ] {
        assert_eq!(brands.at_host(host).id, id, "{host}");
    }
    assert_eq!(Brands::of(Vec::new()).usual().id, BUILTIN);
}
