//! Where words go: results to standard output, everything else to standard error.

use crate::problem::Failure;
use crate::words;
use hikyaku_core::Fault;
use hikyaku_text::Lang;
use hikyaku_text::escape::clean;
use hikyaku_text::fault::{detail, tell};
use std::io::{self, IsTerminal, Write};

/// How this run speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Language.
    pub(crate) lang: Lang,
    /// One JSON object per event instead of text.
    pub(crate) json: bool,
    /// Whether the log is on.
    pub(crate) verbose: bool,
}

impl Output {
    /// Whether a person watches standard error on a terminal that can move its cursor.
    pub(crate) fn is_watched(self) -> bool {
        // Windows has no TERM and needs none.
        let dumb = std::env::var_os("TERM").map_or(cfg!(unix), |term| term == "dumb");
        io::stderr().is_terminal() && !dumb && !self.verbose
    }

    /// A result, whole lines. Nobody reading is no mistake of the run.
    pub(crate) fn result(self, text: &str) {
        let mut out = io::stdout().lock();
        let text = text.trim_end_matches('\n');
        out.write_all(text.as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush())
            .ok();
    }

    /// Something for the person who watches.
    pub(crate) fn note(self, text: &str) {
        let mut err = io::stderr().lock();
        for line in text.lines() {
            writeln!(err, "{}", clean(line)).ok();
        }
    }

    /// Why a command ended before its end: what is wrong, and what to do.
    pub(crate) fn failure(self, failure: &Failure) {
        let lines = match failure {
            Failure::Problem(problem) => {
                let advice = problem.sentences(self.lang);
                let code = problem.code().short();
                vec![
                    format!("{} [{code}]", advice.cause),
                    words::remedy(&advice.remedy),
                ]
            }
            Failure::Fault(fault) => told(fault, self.lang),
        };
        self.note(&format!("hikyaku: {}", lines.join("\n")));
        if self.json {
            crate::json::failure(self, &failure.fault());
        }
    }
}

/// A fault in whole sentences: cause and code, the server's words, details, what to do.
pub(crate) fn told(fault: &Fault, lang: Lang) -> Vec<String> {
    let told = tell(fault, lang);
    let mut lines = vec![format!("{} [{}]", told.cause, fault.code.short())];
    lines.extend(told.quote.map(|quote| format!("  {quote}")));
    if !fault.detail.is_empty() {
        lines.push(format!("  {}", detail(&fault.detail, lang)));
    }
    lines.push(words::remedy(&told.remedy));
    lines
}
