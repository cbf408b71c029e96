//! The page over HTTP: the real router, a real database file, a mail server in this process.

mod flow;
mod pages;
mod secrets;
mod security;
pub(crate) mod site;
mod upload;
mod upload_order;
mod upload_plain;

use super::local_path;

#[test]
fn a_redirect_never_leaves_the_site() {
    for (path, safe) in [
        ("/jobs/abc?page=2", "/jobs/abc?page=2"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/受信", "/"),
    ] {
        assert_eq!(local_path(path), safe, "{path}");
    }
}
