//! Faults as objects.

use crate::words;
use hikyaku_core::{Code, Fault, Remedy, Said};
use serde::{Deserialize, Serialize};

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultView {
    /// Stable name, such as `login.rejected`.
    pub code: String,
    /// The number that people quote, such as `A201`.
    pub short: String,
    /// How far it spreads: `message`, `mailbox`, `side` or `job`.
    pub reach: String,
    /// What helps: `retry`, `ask_user`, `skip` or `bug`.
    pub remedy: String,
    /// Shortest wait in milliseconds that the server named, with `retry`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_millis: Option<u64>,
    /// `source` or `destination`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub side: Option<String>,
    /// Host and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<String>,
    /// Mailbox.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mailbox: Option<String>,
    /// Key (IMAP: UID) of the message in the source mailbox.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<u64>,
    /// Where the message lies in an archive: its file, and the offset in it where the file holds
    /// several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The server's own words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<SaidView>,
    /// English, for logs and reports of defects; not for matching.
    pub detail: String,
}

/// The server's words: only `status` and `code` are fit for matching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidView {
    /// `NO`, `BAD`, `BYE` or `-ERR`.
    pub status: String,
    /// Response code, such as `OVERQUOTA`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// Human text.
    pub text: String,
}

/// A code of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    /// Stable name, such as `login.rejected`.
    pub code: String,
    /// The number that people quote, such as `A201`.
    pub short: String,
    /// One English sentence.
    pub meaning: String,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        let after = match fault.remedy {
            Remedy::Retry { after } => after,
            Remedy::AskUser | Remedy::Skip | Remedy::Bug => None,
        };
        let at = &fault.at;
        Self {
            code: fault.code.as_str().to_owned(),
            short: fault.code.short().to_owned(),
            reach: words::reach(fault.reach).to_owned(),
            remedy: words::remedy(fault.remedy).to_owned(),
            retry_after_millis: after.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
            side: at.side.map(|s| words::side(s).to_owned()),
            server: at.server.clone(),
            mailbox: at.mailbox.clone(),
            message: at.message.map(|k| k.0),
            file: at.file.clone(),
            said: fault.said.as_deref().map(SaidView::from),
            detail: fault.detail.clone(),
        }
    }
}

impl From<&Said> for SaidView {
    fn from(said: &Said) -> Self {
        Self {
            status: said.status.clone(),
            code: said.code.clone(),
            text: said.text.clone(),
        }
    }
}

impl From<Code> for CodeView {
    fn from(code: Code) -> Self {
        Self {
            code: code.as_str().to_owned(),
            short: code.short().to_owned(),
            meaning: code.meaning().to_owned(),
        }
    }
}
