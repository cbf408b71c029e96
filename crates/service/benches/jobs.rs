//! Many jobs at once in one process, with both servers in it: `cargo xtask bench service [JOBS [MESSAGES [OCTETS]]]`.
//!
//! The servers keep no octets: what they hand out is computed, and what they are given is recognised. So the memory
//! that is measured is that of the jobs, and of the servers' own work on every connection.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use hikyaku_core::policy::Policy;
use hikyaku_core::{Fault, traits::Clock};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_ledger::Store;
use hikyaku_ledger::service::NewLetter;
use hikyaku_memserver::{
    Body, Limits as ServerLimits, MemServer, NewMessage, Options, Personality,
};
use hikyaku_net::Secret;
use hikyaku_service::brand::{Brand, Destination, Plan};
use hikyaku_service::config::Egress;
use hikyaku_service::dns::Dns;
use hikyaku_service::job::{
    Accepted, Checked, Choices, Job, Order, SourceAccount, SourceKind, State, Transport,
};
use hikyaku_service::jobs::{Jobs, Owner, Secrets};
use hikyaku_service::notice::NoticeKind;
use hikyaku_service::origin::Way;
use hikyaku_service::seal::Key;
use hikyaku_service::worker::{Accounts, Limits, Tell, Worker, World};
use hikyaku_service::{accounts, policy, preflight};
use hikyaku_text::Lang;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What all jobs together may take (the goal of the design), in KiB.
const MOST_KIB: u64 = 512 * 1024;

fn main() {
    // `cargo bench` adds a flag of its own.
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let size = Size {
        jobs: numbers.first().copied().unwrap_or(200),
        messages: numbers.get(1).copied().unwrap_or(1_000),
        octets: numbers.get(2).copied().unwrap_or(50_000),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let is_well = runtime.block_on(run(size));
    assert!(is_well, "the goal was missed");
}

#[derive(Clone, Copy)]
struct Size {
    jobs: u64,
    messages: u64,
    octets: u64,
}

/// Both servers and how they are reached.
struct Site {
    brand: Brand,
    egress: Egress,
    dns: Dns,
}

impl World for Site {
    fn check<'a>(
        &'a self,
        order: &'a Order,
        secrets: Secrets,
        store: &'a Store,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Checked> {
        async move {
            let guard = accounts::guard(&self.egress, &self.dns);
            let request = preflight::Request {
                order,
                secrets: &secrets,
                brand: &self.brand,
                plan: &Plan::default(),
                guard: &guard,
                uploads: None,
                dns: &self.dns,
                store,
                now_millis: SystemClock::default().unix_millis(),
            };
            preflight::check(request, tell).await
        }
        .boxed()
    }

    fn accounts(&self, job: &Job, secrets: &Secrets) -> Result<Accounts, Fault> {
        let reached = job
            .checked
            .as_ref()
            .and_then(|checked| checked.reached.as_ref());
        let (Some(reached), Some(secret)) = (reached, &secrets.source) else {
            return Err(Fault::bug("a job that was not checked"));
        };
        let guard = accounts::guard(&self.egress, &self.dns);
        let accepted = job.order.source.accepted.as_ref();
        let address = &job.order.destination;
        let destination = secrets.destination.as_ref();
        Ok(Accounts {
            source: accounts::source_id(reached),
            way: Way::imap(accounts::source_options(reached, secret, accepted, &guard)),
            destination: accounts::destination_id(&self.brand, address),
            destination_options: accounts::destination_options(&self.brand, address, destination)?,
        })
    }

    fn policy(&self, job: &Job) -> Result<Policy, Fault> {
        let Order {
            source, choices, ..
        } = &job.order;
        Ok(policy::policy(
            &Plan::default(),
            &source.kind,
            choices,
            &[],
            job.created_millis,
            Lang::En,
        ))
    }

    fn mail(&self, _: &Job, _: NoticeKind, _: &str) -> Result<Option<NewLetter>, Fault> {
        Ok(None)
    }

    fn is_moved<'a>(&'a self, _: &'a Order) -> BoxFuture<'a, bool> {
        async { false }.boxed()
    }

    fn retention_days(&self, _: &Order) -> u32 {
        180
    }
}

async fn run(size: Size) -> bool {
    let (old, new) = (server().await, server().await);
    for n in 0..size.jobs {
        new.add_account(&address(n), "secret");
        let account = old.add_account(&address(n), "secret");
        let letters = (0..size.messages).map(|m| {
            let seed = n * size.messages + m;
            let header =
                format!("From: a@example.test\r\nSubject: {seed}\r\nMessage-ID: <{seed}@x>\r\n");
            NewMessage::new(Body::recognisable(&header, size.octets, seed))
        });
        account.add_messages("INBOX", letters);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path().join("service.sqlite"))
        .await
        .expect("a store");
    let site = Site {
        brand: Brand {
            destination: Destination::new("127.0.0.1", new.port(), Transport::Clear),
            ..Brand::builtin()
        },
        egress: Egress {
            allow: vec!["127.0.0.0/8".parse().expect("a network")],
            ports: vec![old.port()],
            ..Egress::default()
        },
        dns: Dns::new(Some(([127, 0, 0, 1], 9).into())).expect("a resolver"),
    };
    let jobs = Jobs::new(store, Key::random());
    let mut limits = Limits::default();
    limits.runs.per_host = limits.runs.whole;
    let stop = Stop::new();
    let working = tokio::spawn(Worker::new(jobs.clone(), Arc::new(site), limits).run(stop.clone()));
    let before = peak_kib();
    let begun = Instant::now();
    let ends = join_all((0..size.jobs).map(|n| copy(jobs.clone(), n, old.port()))).await;
    let seconds = begun.elapsed().as_secs_f64();
    let peak = peak_kib();
    stop.request();
    working.await.expect("no panic").expect("a clean end");
    let done = ends.iter().filter(|state| **state == State::Done).count() as u64;
    let whole = (0..size.jobs).filter(|n| {
        let there = new
            .account(&address(*n))
            .map(|account| account.uids("INBOX").len() as u64);
        there == Some(size.messages)
    });
    let whole = whole.count() as u64;
    let volume = (size.jobs * size.messages * size.octets) as f64 / 1e6;
    println!(
        "{} jobs of {} messages and {:.1} MB: {done} verified, {whole} accounts whole, {seconds:.0} s, \
         {:.0} MB/s, peak {} MB (before the first job {} MB)",
        size.jobs,
        size.messages,
        volume / size.jobs as f64,
        volume / seconds,
        peak / 1024,
        before / 1024,
    );
    done == size.jobs && whole == size.jobs && peak <= MOST_KIB
}

async fn server() -> MemServer {
    MemServer::start(Options {
        limits: ServerLimits {
            connections: 8_192,
            ..ServerLimits::default()
        },
        ..Options::new(Personality::dovecot_like())
    })
    .await
    .expect("a server")
}

fn address(n: u64) -> String {
    format!("user{n}@example.test")
}

/// One person: orders, looks at the plan, says yes, and waits.
async fn copy(jobs: Jobs, n: u64, port: u16) -> State {
    let owner = Owner {
        brand: "hikyaku".into(),
        address: address(n),
    };
    let order = Order {
        brand: "hikyaku".into(),
        plan: "standard".into(),
        lang: "en".into(),
        source: SourceAccount {
            kind: SourceKind::default(),
            host: "127.0.0.1".into(),
            port: Some(port),
            transport: Some(Transport::Clear),
            address: address(n),
            login: None,
            accepted: Some(Accepted::ClearText),
        },
        destination: address(n),
        notify: "taro@example.com".into(),
        choices: Choices::default(),
    };
    let secrets = Secrets {
        source: Some(Secret::from("secret")),
        destination: Some(Secret::from("secret")),
    };
    let submitted = jobs.submit(&owner, order, secrets, &n.to_string()).await;
    let id = submitted.expect("submitted");
    let mut changes = jobs.watch(id);
    let mut is_started = false;
    loop {
        changes.mark_unchanged();
        let job = jobs.job(&owner, id).await.expect("read").expect("there");
        match job.state {
            State::Ready if !is_started => {
                is_started = jobs.start(&owner, id, Choices::default()).await.is_ok();
            }
            state if state.is_over() => {
                if state != State::Done {
                    println!("job {n}: {state:?} {:?}", job.fault);
                }
                return state;
            }
            _ => {}
        }
        // A change may have been missed between the look and the wait.
        tokio::time::timeout(Duration::from_secs(2), changes.changed())
            .await
            .ok();
    }
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or(u64::MAX)
}
