//! The page from 【実行する】 on, over TCP: a real service with its workers, mail servers in this process, and a browser
//! without a screen.

mod browser;
mod endings;
mod flows;
mod service;
