//! How soon the page answers: `cargo xtask bench page`.
//!
//! What is wrong with an account is to be told within ten seconds of 【確認する】, with the right code; the first message is
//! to be at the destination within five seconds of 【実行する】.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

#[allow(dead_code, reason = "the tests of the pages use the rest")]
#[path = "../tests/pages/browser.rs"]
mod browser;
#[path = "../src/uploads/tests/here.rs"]
mod here;
#[allow(dead_code, reason = "the tests of the pages use the rest")]
#[path = "../tests/pages/service.rs"]
mod service;

use browser::Browser;
use hikyaku_memserver::{Action, Refusal, Rule, Script};
use service::{NEW, OLD, SOURCE, Service, TARO};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// What is wrong is told by then.
const TOLD: Duration = Duration::from_secs(10);
/// The first message is there by then.
const BEGUN: Duration = Duration::from_secs(5);

/// Something that is wrong, and how it has to be told.
struct Trouble {
    name: &'static str,
    host: &'static str,
    port: u16,
    password: &'static str,
    code: &'static str,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let is_well = runtime.block_on(async { troubles().await & first_message().await });
    assert!(is_well, "a goal was missed");
}

async fn troubles() -> bool {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let silent_port = silent.local_addr().expect("an address").port();
    let closed_port = {
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        closed.local_addr().expect("an address").port()
    };
    let service = Service::reaching(10, &[silent_port, closed_port]).await;
    let right = service.old.port();
    let trouble = |name, host, port, password, code| Trouble {
        name,
        host,
        port,
        password,
        code,
    };
    let mut is_well = true;
    for wrong in [
        trouble("wrong password", "127.0.0.1", right, "wrong", "A201"),
        trouble("no such host", "nowhere.example.com", right, OLD, "N101"),
        trouble("nobody at the port", "127.0.0.1", closed_port, OLD, "N102"),
        trouble("silence at the port", "127.0.0.1", silent_port, OLD, "N105"),
    ] {
        is_well &= measure(&service, &wrong).await;
    }
    let disabled = Refusal::no("[ALERT] IMAP access is disabled for your account.");
    let refuse = |verb| Rule::on(verb, Action::Answer(disabled.clone())).always();
    let script: Script = ["LOGIN", "AUTHENTICATE"].into_iter().map(refuse).collect();
    service.old.play(script);
    is_well &= measure(
        &service,
        &trouble("IMAP disabled", "127.0.0.1", right, OLD, "A204"),
    )
    .await;
    service.old.play(Script::new());
    service.dns.silence(true);
    let name = "no answer of the resolver";
    is_well &= measure(
        &service,
        &trouble(name, "old.example.com", right, OLD, "N101"),
    )
    .await;
    service.end().await;
    is_well
}

/// From 【確認する】 to the page that tells it; both clicks where the person has to accept clear text in between.
async fn measure(service: &Service, wrong: &Trouble) -> bool {
    let mut browser = service.browser(TARO, "ja").await;
    let form = browser.get("/copy").await;
    let port = wrong.port.to_string();
    let fields = [
        ("password", NEW),
        ("source_host", wrong.host),
        ("source_port", &port),
        ("source_address", SOURCE),
        ("source_password", wrong.password),
        ("notify", "notify@example.com"),
    ];
    let begun = Instant::now();
    let sent = browser.submit(&form, "/copy", &fields).await;
    let job = sent.location().to_owned();
    let told = format!("href=\"/help/{}\"", wrong.code);
    let accept = format!("{job}/accept");
    let code = code_of(&mut browser, &job, &accept).await;
    let elapsed = begun.elapsed();
    let is_well = code.contains(&told) && elapsed <= TOLD;
    println!(
        "{:<28} {} {:>6.2} s{}",
        wrong.name,
        wrong.code,
        elapsed.as_secs_f64(),
        if is_well { "" } else { "  MISSED" }
    );
    is_well
}

/// The page on which a check ended.
async fn code_of(browser: &mut Browser, job: &str, accept: &str) -> String {
    let is_over = |page: &browser::Reply| page.says("href=\"/help/") || page.has_form(accept);
    let page = browser.until(job, is_over).await;
    if !page.has_form(accept) {
        return page.text().to_owned();
    }
    browser.submit(&page, accept, &[("agree", "1")]).await;
    let page = browser.until(job, |page| page.says("href=\"/help/")).await;
    page.text().to_owned()
}

async fn first_message() -> bool {
    let service = Service::with(1_000).await;
    let mut browser = service.browser(TARO, "ja").await;
    let job = service.order(&mut browser).await;
    let start = format!("{job}/start");
    let confirm = browser.until(&job, |page| page.has_form(&start)).await;
    let begun = Instant::now();
    browser.submit(&confirm, &start, &[]).await;
    while service.destination.uids("INBOX").is_empty()
        && service.destination.uids("請求書").is_empty()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let elapsed = begun.elapsed();
    let is_well = elapsed <= BEGUN;
    println!(
        "{:<33} {:>6.2} s{}",
        "first message of 1,000",
        elapsed.as_secs_f64(),
        if is_well { "" } else { "  MISSED" }
    );
    service.end().await;
    is_well
}
