//! Faults of a job, as they are kept, in words.

use hikyaku_core::Code;
use hikyaku_text::page::server_said;
use hikyaku_text::{Lang, escape, page};
use hikyaku_view::FaultView;

/// Longest answer of a server that is quoted, in characters.
const MOST_SAID: usize = 200;

/// A fault in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// What happened.
    pub(crate) cause: &'static str,
    /// What to do next.
    pub(crate) remedy: &'static str,
    /// The number that people quote, and the address of its page in the help.
    pub(crate) code: &'static str,
    /// Where: host and port.
    pub(crate) server: Option<String>,
    /// What the server said, with nothing hidden in it.
    pub(crate) quote: Option<String>,
}

/// Tells a fault that was kept. One of a newer version is told as a defect.
pub(crate) fn told(fault: &FaultView, lang: Lang) -> Told {
    let code = code_of(fault);
    let explained = page::explain(code, lang);
    let said = fault.said.as_ref().map(|said| {
        let text: String = said.text.chars().take(MOST_SAID).collect();
        server_said(&text, lang)
    });
    Told {
        cause: explained.cause,
        remedy: explained.remedy,
        code: code.short(),
        server: fault
            .server
            .as_deref()
            .map(|server| escape::clean(server).into_owned()),
        quote: said,
    }
}

/// The code of a fault that was kept.
pub(crate) fn code_of(fault: &FaultView) -> Code {
    let known = Code::ALL
        .iter()
        .copied()
        .find(|code| code.as_str() == fault.code);
    known.unwrap_or(Code::Bug)
}
