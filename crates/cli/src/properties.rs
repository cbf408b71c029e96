//! What holds for whatever people write and servers say, as functions over octets that panic
//! where it does not.
//!
//! The fuzz targets (`fuzz/`) and the tests beside this file call the same functions. Not a
//! part of the product: compiled for tests and by cargo-fuzz only.

mod content;
#[cfg(test)]
mod tests;

pub use content::content;

use crate::config::{Config, SavedPlace};
use crate::locator::{Locator, LocatorProblem, is_saved_name, masked};
use crate::problem::Problem;
use hikyaku_core::AccountId;
use hikyaku_text::Lang;
use std::path::Path;

/// A configuration: it is read, or its first mistake is named with its line.
///
/// What was read can be used: names can be written as `name:`, locators lead back, and
/// there is at least one connection. A mistake has sentences in both languages.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let path = Path::new("/etc/hikyaku/config.toml");
    match Config::parse(&text, path) {
        Ok(config) => {
            assert!(config.connections.is_none_or(|lanes| lanes > 0));
            assert!(config.bandwidth.is_none_or(|octets| octets > 0));
            for (name, account) in &config.accounts {
                assert!(is_saved_name(name), "{name:?}");
                let back = Locator::parse(&format!("{name}:"));
                assert!(matches!(back, Ok(Locator::Saved { name: back, .. }) if back == *name));
                match &account.place {
                    SavedPlace::Server(locator) => leads_back(&Locator::Server(locator.clone())),
                    SavedPlace::Files(_, path) => assert!(!path.as_os_str().is_empty()),
                }
                let options = &account.options;
                assert!(options.password.is_none() || options.token.is_none());
                assert!(options.connections.is_none_or(|lanes| lanes > 0));
            }
        }
        Err(problem) => {
            let lines = text.bytes().filter(|octet| *octet == b'\n').count() + 1;
            assert_eq!(problem.path, path);
            let line = problem.line.expect("a mistake in a text has a line");
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            is_told(&Problem::Config(problem));
        }
    }
}

/// A locator: what is understood leads back from its text form, and a password in it is
/// not repeated.
pub fn locator(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Locator::parse(&text) {
        Ok(locator) => {
            leads_back(&locator);
            if let Locator::Server(server) = &locator {
                assert!(!server.user.is_empty() && server.port > 0);
                let id: AccountId = server.account(None);
                let shown = id.as_str();
                assert!(!shown.contains(char::is_control), "{shown:?}");
            }
        }
        Err(why) => is_told(&Problem::locator(&text, why)),
    }
    hides_passwords(&text);
}

fn leads_back(locator: &Locator) {
    let text = locator.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    assert_eq!(Locator::parse(&text).as_ref(), Ok(locator), "{text:?}");
}

fn is_told(problem: &Problem) {
    for lang in [Lang::En, Lang::Ja] {
        let advice = problem.sentences(lang);
        assert!(
            !advice.cause.is_empty() && !advice.remedy.is_empty(),
            "{problem:?}"
        );
    }
}

/// A password behind the user name, whatever stands around it.
fn hides_passwords(text: &str) {
    const PLANTED: &str = "planted-5e2f";
    let (user, rest) = text.split_once('\n').unwrap_or(("taro", text));
    if user.contains(['/', '@', ':']) || text.contains(PLANTED) {
        return;
    }
    for kind in ["imaps://", "gmail:", ""] {
        let text = format!("{kind}{user}:{PLANTED}@{rest}");
        assert!(!masked(&text).contains(PLANTED), "{text:?}");
        match Locator::parse(&text) {
            // What stands for the user may be the name of a kind: then all is said by the rules.
            Ok(locator) => assert!(kind.is_empty(), "{locator:?}"),
            Err(why) => {
                let advice = Problem::locator(&text, why.clone()).sentences(Lang::En);
                let shown = format!("{} {}", advice.cause, advice.remedy);
                assert!(!shown.contains(PLANTED), "{shown}");
                assert!(!format!("{why:?}").contains(PLANTED), "{why:?}");
                let is_named = matches!(why, LocatorProblem::Password | LocatorProblem::Control);
                assert!(is_named || kind.is_empty(), "{why:?}");
            }
        }
    }
}
