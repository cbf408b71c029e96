//! A whole site for one test, and a browser without a screen.

use crate::brand::{Brand, Brands, Destination, Plan};
use crate::config::{Attempts, Config, SecretFrom};
use crate::job::{Checked, JobId, Order, SourceAccount, SourceKind, State, Transport};
use crate::jobs::rows::{self, part};
use crate::jobs::{Jobs, Owner, Secrets};
use crate::seal::Key;
use crate::web::{App, Parts, csrf, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use futures::future::BoxFuture;
use hikyaku_core::traits::Clock;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{Change, Guard, Lane};
use hikyaku_memserver::{MemServer, Options, Personality};
use hikyaku_net::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

pub(crate) const TARO: &str = "ichiro@example.jp";
pub(crate) const HANAKO: &str = "hanako@example.jp";
/// Passwords at the destination and at the source: nothing may ever show them.
pub(crate) const CANARY: &str = "canary-9b1c-dest";
pub(crate) const SOURCE_CANARY: &str = "canary-77fa-source";
pub(crate) const HANDOVER_KEY: &str = "a key of thirty-two octets, or more";
/// 2026-11-22 04:00 UTC.
const NOW: i64 = 1_795_320_000_000;

/// Time that a test moves.
pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW)))
    }

    pub(crate) fn forward(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).expect("a short time");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn unix_millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.unix_millis().unsigned_abs())
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

pub(crate) struct Site {
    pub(crate) jobs: Jobs,
    pub(crate) clock: Arc<Hand>,
    pub(crate) server: MemServer,
    router: Router,
    directory: tempfile::TempDir,
    /// Everything that was ever answered.
    said: Mutex<Vec<String>>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(|_, _| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Brand, &mut Config)) -> Self {
        let server = MemServer::start(Options::new(Personality::dovecot_like())).await;
        let server = server.expect("a mail server");
        for user in [TARO, HANAKO] {
            server.add_account(user, CANARY);
        }
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path().join("service.db"))
            .await
            .expect("a store");
        let clock = Hand::new();
        let jobs = Jobs::with_clock(store, Key::random(), clock.clone());
        let key = directory.path().join("handover.key");
        std::fs::write(&key, HANDOVER_KEY).expect("a key file");
        let mut brand = Brand {
            destination: Destination::new("127.0.0.1", server.port(), Transport::Clear),
            ..Brand::builtin()
        };
        let mut config = Config {
            public_url: Some("https://mail.example.jp".to_owned()),
            handover_secret: Some(SecretFrom::File(key)),
            attempts: Attempts {
                per_address: 1_000,
                per_account: 1_000,
                per_source_account: 1_000,
                per_source_host: 1_000,
            },
            ..Config::default()
        };
        change(&mut brand, &mut config);
        config.uploads.reserve_octets = 0;
        let root = directory.path().join("uploads");
        let uploads = config.uploads.offered.then(|| {
            let spawn = Arc::new(crate::uploads::tests::Here);
            crate::uploads::Uploads::new(root, config.uploads, clock.clone(), spawn)
        });
        let parts = Parts {
            jobs: jobs.clone(),
            brands: Brands::of(vec![brand]),
            config,
            dns: None,
            uploads,
            catcher: None,
        };
        let app = App::new(parts).expect("a site");
        Self {
            router: router(app),
            jobs,
            clock,
            server,
            directory,
            said: Mutex::default(),
        }
    }

    /// Where the database is.
    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            cookies: BTreeMap::new(),
            lang: "ja",
        }
    }

    /// A browser that is signed in.
    pub(crate) async fn signed_in(&self, address: &str) -> Browser<'_> {
        let mut browser = self.browser();
        browser.get("/signin").await;
        let reply = browser
            .post("/signin", &[("address", address), ("password", CANARY)])
            .await;
        assert_eq!(
            (reply.status, reply.location()),
            (StatusCode::SEE_OTHER, "/copy"),
            "{}",
            reply.body
        );
        browser
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 10 << 20).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("UTF-8");
        self.said
            .lock()
            .expect("no panic")
            .push(format!("{:?} {body}", parts.headers));
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Nothing that was ever answered holds this.
    pub(crate) fn never_said(&self, text: &str) {
        for said in self.said.lock().expect("no panic").iter() {
            assert!(!said.contains(text), "{said}");
        }
    }

    /// How many jobs somebody has.
    pub(crate) async fn count(&self, address: &str) -> usize {
        self.jobs.jobs(&owner(address)).await.expect("jobs").len()
    }

    /// A job as it is after a check.
    pub(crate) async fn checked_job(&self, address: &str, checked: Checked, state: State) -> JobId {
        let secrets = Secrets {
            source: Some(Secret::from(SOURCE_CANARY)),
            destination: Some(Secret::from(CANARY)),
        };
        let token = JobId::random().to_string();
        let id = self
            .jobs
            .submit(&owner(address), order(address), secrets, &token)
            .await
            .expect("a job");
        self.stand(id, &checked, state).await;
        id
    }

    /// Makes a job stand as a worker would leave it.
    pub(crate) async fn stand(&self, id: JobId, checked: &Checked, state: State) {
        let queue = self.jobs.store().queue();
        let row = queue
            .find(&id.to_string())
            .await
            .expect("a queue")
            .expect("a row");
        let mut change = Change::new(
            row.id.clone(),
            Guard::Version(row.version),
            self.clock.unix_millis(),
        );
        change.standing.state = Some(rows::word(state).to_owned());
        change.standing.lane = Some(Lane::Rest);
        change.parts = vec![(part::CHECKED.to_owned(), rows::json(checked).expect("JSON"))];
        assert!(queue.apply(change).await.expect("a queue"));
    }
}

pub(crate) fn owner(address: &str) -> Owner {
    Owner {
        brand: crate::brand::BUILTIN.to_owned(),
        address: address.to_owned(),
    }
}

pub(crate) fn order(address: &str) -> Order {
    Order {
        brand: crate::brand::BUILTIN.to_owned(),
        plan: Plan::default().id,
        lang: "ja".to_owned(),
        source: SourceAccount {
            kind: SourceKind::default(),
            host: "imap.old.example".to_owned(),
            port: None,
            transport: None,
            address: address.to_owned(),
            login: None,
            accepted: None,
        },
        destination: address.to_owned(),
        notify: "notify@example.com".to_owned(),
        choices: crate::job::Choices::default(),
    }
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// The value of the first field of a name.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&start).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
            .unwrap_or_default()
    }
}

/// Keeps cookies and sends the token of the page with each form, as a person's browser does.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    site: &'a Site,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) lang: &'static str,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        let request = self.request("GET", path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        let request = self
            .request("POST", path)
            .header("origin", "https://mail.example.jp");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form(&all))).expect("a request"))
            .await
    }

    /// The beginning of a request with this browser's cookies.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder().method(method).uri(path);
        request
            .header(COOKIE, cookies.join("; "))
            .header("accept-language", self.lang)
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Reply {
        let reply = self.site.send(request).await;
        for line in reply.headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("ASCII");
            let (name, rest) = line.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    /// The token of this browser's pages.
    pub(crate) fn csrf(&self) -> String {
        csrf::token_of(
            self.cookies
                .get("__Host-hikyaku")
                .map_or("", String::as_str),
        )
    }
}

/// A text as it stands in a page.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Writes a form as browsers do.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|octet| match octet {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => {
                    char::from(octet).to_string()
                }
                _ => format!("%{octet:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}
