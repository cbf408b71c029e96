//! The page from 【実行する】 on, over TCP: a real service with its workers, mail servers in this process, and a browser
//! without a screen.

mod browser;
mod endings;
mod flows;
#[path = "../../src/uploads/tests/here.rs"]
mod here;
#[path = "../../../cli/tests/pop/mod.rs"]
mod pop;
mod pop3;
mod service;
mod upload;
