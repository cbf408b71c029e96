//! A service and the two mail servers that it stands between.

use crate::browser::Browser;
use crate::here::Here;
use hikyaku_engine::Stop;
use hikyaku_memserver::{Account, MemServer, Options, Personality};
use hikyaku_service::brand::Destination;
use hikyaku_service::config::{Attempts, Config, Network};
use hikyaku_service::job::Transport;
use hikyaku_service::server::Server;
use hikyaku_testkit::dns::{Dns, Record};
use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) const TARO: &str = "taro@example.jp";
pub(crate) const HANAKO: &str = "hanako@example.jp";
pub(crate) const SOURCE: &str = "taro@old.example.jp";
/// Passwords: nothing may ever show them.
pub(crate) const NEW: &str = "canary-new-51f0";
pub(crate) const OLD: &str = "canary-old-8c2e";

pub(crate) struct Service {
    pub(crate) old: MemServer,
    _new: MemServer,
    pub(crate) source: Account,
    pub(crate) destination: Account,
    pub(crate) address: SocketAddr,
    pub(crate) dns: Dns,
    state: tempfile::TempDir,
    stop: Stop,
    ended: tokio::task::JoinHandle<()>,
}

impl Service {
    /// With this many messages at the source: one in INBOX, the others in 請求書.
    pub(crate) async fn with(messages: usize) -> Self {
        Self::reaching(messages, &[]).await
    }

    /// The same; these ports may be reached besides.
    pub(crate) async fn reaching(messages: usize, ports: &[u16]) -> Self {
        let server = || MemServer::start(Options::new(Personality::dovecot_like()));
        let (old, new) = (
            server().await.expect("a server"),
            server().await.expect("a server"),
        );
        let source = old.add_account(SOURCE, OLD);
        let destination = new.add_account(TARO, NEW);
        new.add_account(HANAKO, NEW);
        for n in 0..messages {
            let mailbox = if n == 0 { "INBOX" } else { "請求書" };
            source.add_message(mailbox, message(n));
        }
        let mut config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            catch_mail: true,
            attempts: Attempts {
                per_address: 1_000,
                per_account: 1_000,
                per_source_account: 1_000,
                per_source_host: 1_000,
            },
            ..Config::default()
        };
        let state = tempfile::tempdir().expect("a directory");
        config.state = Some(state.path().to_owned());
        config.uploads.reserve_octets = 0;
        let dns = Dns::start().expect("a server");
        dns.set(
            "example.com",
            [Record::Mail(10, "mx.example.com".to_owned())],
        );
        dns.set(
            "example.jp",
            [Record::Mail(10, "mx.old.example.jp".to_owned())],
        );
        dns.set_addresses("mx.old.example.jp", &["192.0.2.1"]);
        config.egress.resolver = Some(dns.address());
        let loopback: Network = "127.0.0.0/8".parse().expect("a network");
        config.egress.allow = vec![loopback];
        config.egress.ports.push(old.port());
        config.egress.ports.extend(ports);
        let there = Destination::new("127.0.0.1", new.port(), Transport::Clear);
        let service = Server::to_try_out_reading(config, there, Some(Arc::new(Here))).await;
        let service = service.expect("a service");
        let address = service
            .url()
            .strip_prefix("http://")
            .expect("http")
            .parse()
            .expect("an address");
        let stop = Stop::new();
        let asked = stop.clone();
        let ended = tokio::spawn(async move { service.run(asked).await.expect("a clean end") });
        Self {
            old,
            _new: new,
            source,
            destination,
            address,
            dns,
            state,
            stop,
            ended,
        }
    }

    /// A browser in which somebody has signed in.
    pub(crate) async fn browser(&self, address: &str, lang: &'static str) -> Browser {
        let mut browser = Browser::new(self.address, lang);
        let page = browser.get("/signin").await;
        let reply = browser
            .submit(&page, "/signin", &[("address", address), ("password", NEW)])
            .await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        browser
    }

    /// Fills in the form and accepts that the source is not encrypted, up to the confirmation; where the job is.
    pub(crate) async fn order(&self, browser: &mut Browser) -> String {
        self.order_from(browser, "127.0.0.1").await
    }

    /// The same from the server of this name.
    pub(crate) async fn order_from(&self, browser: &mut Browser, host: &str) -> String {
        let form = browser.get("/copy").await;
        let port = self.old.port().to_string();
        let fields = [
            ("password", NEW),
            ("source_host", host),
            ("source_port", &port),
            ("source_address", SOURCE),
            ("source_password", OLD),
            ("notify", "notify@example.com"),
        ];
        let sent = browser.submit(&form, "/copy", &fields).await;
        assert_eq!(sent.status, 303, "{}", sent.text());
        let job = sent.location().to_owned();
        let accept = format!("{job}/accept");
        let asked = browser.until(&job, |page| page.has_form(&accept)).await;
        let accepted = browser.submit(&asked, &accept, &[("agree", "1")]).await;
        assert_eq!(accepted.status, 303, "{}", accepted.text());
        job
    }

    /// The same, and 【実行する】.
    pub(crate) async fn start(&self, browser: &mut Browser) -> String {
        let job = self.order(browser).await;
        self.confirm(browser, &job).await;
        job
    }

    /// 【実行する】.
    pub(crate) async fn confirm(&self, browser: &mut Browser, job: &str) {
        let start = format!("{job}/start");
        let confirm = browser.until(job, |page| page.has_form(&start)).await;
        // Whoever leaves POP has a backup.
        let asks = confirm.says("name=\"backup\"");
        let ticked = if asks { &[("backup", "1")][..] } else { &[] };
        let sent = browser.submit(&confirm, &start, ticked).await;
        assert_eq!(
            (sent.status, sent.location()),
            (303, format!("{job}/accepted").as_str()),
            "{}",
            sent.text()
        );
    }

    /// How many uploads it keeps.
    pub(crate) fn uploads(&self) -> usize {
        std::fs::read_dir(self.state.path().join("uploads")).map_or(0, Iterator::count)
    }

    /// Ends it.
    pub(crate) async fn end(self) {
        self.stop.request();
        self.ended.await.expect("no panic");
    }
}

/// A message that hides nothing worse than markup.
pub(crate) fn message(n: usize) -> Vec<u8> {
    let subject = format!("<b>{n}</b> \"../=1+1\"");
    format!("Subject: {subject}\r\nFrom: hana@example.jp\r\nMessage-ID: <{n}@old.example.jp>\r\n\r\ntext {n}\r\n").into_bytes()
}
