//! What is known of a server after login.

use crate::encode::{Extension, LiteralMode};
use crate::quirks::Product;
use crate::response::{Capabilities, Namespaces};

/// What a server can do and is, as far as it told.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// What it advertises after login.
    pub(crate) capabilities: Capabilities,
    /// Which program it is.
    pub(crate) product: Product,
    /// Its namespaces; empty when it does not tell.
    pub(crate) namespaces: Namespaces,
    /// Whether names and quoted strings are UTF-8.
    pub(crate) utf8: bool,
    /// Whether mod-sequences are switched on.
    pub(crate) condstore: bool,
}

/// Extensions that IMAP4rev2 has built in (RFC 9051, appendix E). Counted only for
/// servers that speak nothing else: others advertise what they have.
const IN_REV2: &[&str] = &[
    "ENABLE",
    "ESEARCH",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LITERAL-",
    "NAMESPACE",
    "SASL-IR",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "UIDPLUS",
    "UNSELECT",
];

impl Facts {
    /// Before anything but the capabilities is known.
    pub(crate) fn new(capabilities: Capabilities) -> Self {
        let mut facts = Self {
            capabilities,
            product: Product::Other,
            namespaces: Namespaces::default(),
            utf8: false,
            condstore: false,
        };
        facts.utf8 = facts.is_rev2_only();
        facts
    }

    /// Whether the server has an extension, by its name in capitals.
    pub(crate) fn can(&self, extension: &str) -> bool {
        self.capabilities.has(extension) || (self.is_rev2_only() && IN_REV2.contains(&extension))
    }

    /// What to ENABLE. IMAP4rev2 is not: rev1 with extensions says all we need, and
    /// every server's rev1 is older and better tried.
    pub(crate) fn extensions(&self) -> Vec<Extension> {
        let mut wanted = Vec::new();
        if self.can("CONDSTORE") || self.can("QRESYNC") {
            wanted.push(Extension::Condstore);
        }
        if self.can("UTF8=ACCEPT") || self.can("UTF8=ONLY") {
            wanted.push(Extension::Utf8Accept);
        }
        wanted
    }

    /// Takes note of what was enabled.
    pub(crate) fn enabled(&mut self, names: &Capabilities) {
        self.utf8 |= names.has("UTF8=ACCEPT");
        self.condstore |= names.has("CONDSTORE") || names.has("QRESYNC");
    }

    /// Whether mod-sequences can be asked for.
    pub(crate) fn tracks_changes(&self) -> bool {
        self.can("CONDSTORE") || self.can("QRESYNC")
    }

    /// How message text may be sent.
    pub(crate) fn literals(&self) -> LiteralMode {
        if self.can("LITERAL+") {
            LiteralMode::Plus
        } else if self.can("LITERAL-") {
            LiteralMode::Minus
        } else {
            LiteralMode::Synchronising
        }
    }

    fn is_rev2_only(&self) -> bool {
        self.capabilities.has("IMAP4REV2") && !self.capabilities.has("IMAP4REV1")
    }
}
