//! The browser does what a person does: proved on a page of this test's own.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use hikyaku_testkit::browser::{Browser, BrowserOptions, Screen, Shot};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

/// Tells what the browser asked for, and a script writes over a sentence.
const PAGE: &str = "<!DOCTYPE html><html lang=\"ja\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>見本</title>\
<style>body{width:600px;color:#000} @media (prefers-color-scheme: dark){body{color:#fff}}</style>\
<h1>こんにちは LANG</h1><p id=\"s\">そのまま</p>\
<form action=\"/sent\"><label>名前<input name=\"who\"></label><button>送る</button></form>\
<a href=\"data:application/octet-stream,abc\" download=\"見本.eml\">保存</a>\
<script>document.getElementById('s').textContent='書き換えました'</script></html>";

/// Answers every request with the page.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 8192];
            let read = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let lang = request
                .lines()
                .find_map(|line| line.strip_prefix("accept-language: "))
                .unwrap_or("-");
            let body = PAGE.replace("LANG", lang);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).ok();
        }
    });
    address
}

#[tokio::test]
async fn a_page_is_read_filled_in_walked_by_keyboard_and_pictured() {
    let url = format!("http://{}/", serve());
    let browser = Browser::open(BrowserOptions::default()).await.unwrap();
    browser.go(&url).await.unwrap();
    browser.sees("書き換えました").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.starts_with("見本\nこんにちは ja"), "{text}");
    assert!(!browser.scrolls_sideways().await.unwrap());
    browser.fill("who", "古い").await.unwrap();
    browser.fill("who", "太郎").await.unwrap();
    assert_eq!(browser.value("who").await.unwrap(), "太郎");
    browser.tab_to("button").await.unwrap();
    browser.press("\u{e007}").await.unwrap();
    browser
        .arrives("/sent?who=%E5%A4%AA%E9%83%8E")
        .await
        .unwrap();

    browser.click("a").await.unwrap();
    let (name, octets) = browser.downloaded().await.unwrap();
    assert_eq!(
        (name.as_str(), octets.as_slice()),
        ("見本.eml", &b"abc"[..])
    );

    let directory = tempfile::tempdir().unwrap();
    for (shot, size) in [(Shot::Window, (1280, 900)), (Shot::Page, (1280, 900))] {
        let path = directory.path().join("picture.png");
        browser.shoot(shot, &path).await.unwrap();
        let png = std::fs::read(&path).unwrap();
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((number(16), number(20)), size, "{shot:?}");
    }
    browser.show_on(Screen::Phone).await.unwrap();
    assert!(browser.scrolls_sideways().await.unwrap(), "600 px on 390");
    browser.close().await.unwrap();
}

#[tokio::test]
async fn scripts_language_and_colours_are_as_asked_for() {
    let url = format!("http://{}/", serve());
    let browser = Browser::open(BrowserOptions {
        lang: "en",
        script: false,
        dark: true,
        screen: Screen::Phone,
    })
    .await
    .unwrap();
    browser.go(&url).await.unwrap();
    browser.sees("こんにちは en").await.unwrap();
    browser.sees("そのまま").await.unwrap();
    let colour = browser
        .evaluate("getComputedStyle(document.body).color")
        .await
        .unwrap();
    assert_eq!(colour, "rgb(255, 255, 255)");
    browser.follow("button").await.unwrap();
    browser.arrives("/sent?who=").await.unwrap();
    browser.sees("そのまま").await.unwrap();
}
