//! Two servers, a resolver whose answers can change, and what a check of both came to.

use crate::brand::{Brand, Destination, Plan};
use crate::config::Egress;
use crate::dns::Dns;
use crate::job::{
    CheckState, CheckStep, Checked, Choices, Order, SourceAccount, SourceKind, Transport,
};
use crate::jobs::Secrets;
use crate::preflight::{self, Request};
use hikyaku_ledger::Store;
use hikyaku_memserver::{MemServer, NewMessage, Options, Personality};
use hikyaku_net::Secret;
use hikyaku_testkit::dns::{Dns as Names, Record};
use std::sync::Mutex;

pub(super) const ADDRESS: &str = "taro@example.test";
pub(super) const PASSWORD: &str = "planted-8d1f";

/// Everything around a check.
pub(super) struct Scene {
    pub(super) names: Names,
    pub(super) brand: Brand,
    pub(super) plan: Plan,
    pub(super) order: Order,
    pub(super) secrets: Secrets,
    pub(super) egress: Egress,
    pub(super) store: Store,
}

impl Scene {
    /// A source at `old.test` and a destination at `new.test`, both on this machine at these ports, the destination in
    /// clear text.
    pub(super) async fn new(source_port: u16, destination_port: u16) -> Self {
        let names = Names::start().expect("names");
        names.set_addresses("old.test", &["127.0.0.1"]);
        names.set_addresses("new.test", &["127.0.0.1"]);
        names.set("example.test", [Record::Mail(10, "new.test".into())]);
        Self {
            names,
            brand: Brand {
                destination: Destination::new("127.0.0.1", destination_port, Transport::Clear),
                ..Brand::builtin()
            },
            plan: Plan::default(),
            order: Order {
                brand: "hikyaku".into(),
                plan: "standard".into(),
                lang: "ja".into(),
                source: SourceAccount {
                    kind: SourceKind::default(),
                    host: format!("old.test:{source_port}"),
                    port: None,
                    transport: None,
                    address: ADDRESS.into(),
                    login: None,
                    accepted: None,
                },
                destination: ADDRESS.into(),
                notify: "taro@example.com".into(),
                choices: Choices::default(),
            },
            secrets: Secrets {
                source: Some(Secret::from(PASSWORD)),
                destination: Some(Secret::from(PASSWORD)),
            },
            egress: Egress {
                allow: vec!["127.0.0.0/8".parse().expect("a network")],
                ports: vec![source_port, 993, 143],
                ..Egress::default()
            },
            store: Store::open_in_memory().await.expect("a store"),
        }
    }

    /// The check; whatever was told on the way leads to its result.
    pub(super) async fn check(&self) -> Checked {
        let dns = Dns::new(Some(self.names.address())).expect("a resolver");
        let guard = crate::accounts::guard(&self.egress, &dns);
        let request = Request {
            order: &self.order,
            secrets: &self.secrets,
            brand: &self.brand,
            plan: &self.plan,
            guard: &guard,
            uploads: None,
            dns: &dns,
            store: &self.store,
            now_millis: 1_795_333_500_000,
        };
        let told = Mutex::new(Vec::new());
        let tell = |checked: &Checked| told.lock().expect("a lock").push(checked.clone());
        let checked = preflight::check(request, &tell).await;
        let told = told.into_inner().expect("a lock");
        assert_grows(&told);
        assert_eq!(told.last(), Some(&checked));
        let written = serde_json::to_string(&checked).expect("JSON");
        assert!(!written.contains(PASSWORD), "a password in {written}");
        checked
    }
}

/// No line goes back: it is open, then running, then decided.
fn assert_grows(told: &[Checked]) {
    let rank = |state| match state {
        CheckState::Open => 0,
        CheckState::Running => 1,
        CheckState::Good | CheckState::Notable | CheckState::Bad => 2,
    };
    for pair in told.windows(2) {
        for (before, after) in pair[0].lines.iter().zip(&pair[1].lines) {
            assert!(rank(before.state) <= rank(after.state), "{pair:?}");
        }
    }
    let first = told.first().expect("told at once");
    assert!(
        first
            .lines
            .iter()
            .all(|line| line.state == CheckState::Open)
    );
}

/// The lines in short: their states, with the codes of what is wrong.
pub(super) fn lines(checked: &Checked) -> Vec<(CheckStep, CheckState, Option<&str>)> {
    let short = |line: &'_ crate::job::CheckLine| (line.step, line.state);
    let lines = checked.lines.iter();
    lines
        .map(|line| {
            let (step, state) = short(line);
            (
                step,
                state,
                line.fault.as_ref().map(|fault| fault.short.as_str()),
            )
        })
        .collect()
}

/// The lines that are neither good nor open, in short.
pub(super) fn remarkable(checked: &Checked) -> Vec<(CheckStep, CheckState, Option<&str>)> {
    let mut lines = lines(checked);
    lines.retain(|(_, state, _)| !matches!(state, CheckState::Good | CheckState::Open));
    lines
}

/// Code of the reason why it cannot begin.
pub(super) fn code(checked: &Checked) -> Option<&str> {
    checked.fault.as_ref().map(|fault| fault.short.as_str())
}

/// A server in clear text with one account.
pub(super) async fn server(options: Options) -> MemServer {
    let server = MemServer::start(options).await.expect("a server");
    server.add_account(ADDRESS, PASSWORD);
    server
}

pub(super) fn plain() -> Options {
    Options::new(Personality::dovecot_like())
}

pub(super) fn message(subject: &str, octets: usize) -> NewMessage {
    let mut text = format!("From: a@example.test\r\nSubject: {subject}\r\n\r\n");
    while text.len() < octets {
        text.push_str("0123456789012345678901234567890123456789\r\n");
    }
    NewMessage::new(text.into_bytes())
}
