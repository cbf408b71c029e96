//! Brands: under whose name, with which words, to which server and with which plans mail is copied.
//!
//! A brand is a TOML file; `brands/` holds examples. Start reading at [`Brand`]; `file` knows how one is written down.

mod file;
#[cfg(test)]
mod tests;

use crate::job::{Rerun, Transport};
use crate::notice::{NoticeKind, Template};
use crate::strict::{self, Problem};
pub use crate::values::{Colour, Network, Words};
pub(crate) use file::{DestinationFile, destination, is_link};
use hikyaku_core::Role;
use hikyaku_net::{Fingerprint, Secret};
use hikyaku_text::Lang;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Identity of the brand that is built in.
pub const BUILTIN: &str = "hikyaku";

/// Every brand by its identity. Never empty; cheap to clone.
#[derive(Clone, Debug)]
pub struct Brands {
    all: Arc<BTreeMap<String, Arc<Brand>>>,
    first: Arc<Brand>,
}

impl Brands {
    /// The built-in brand alone. Its destination has no host: see [`Self::with_destination`].
    pub fn builtin() -> Self {
        Self::of(vec![Brand::builtin()])
    }

    /// The brands of these files, the first one being the usual one; the built-in one when there are none.
    ///
    /// # Errors
    /// The first mistake, with its file, line and key; two brands with one identity.
    pub fn load<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Problem> {
        let mut brands: Vec<Brand> = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let brand = Brand::parse(&strict::load(path)?, path)?;
            if brands.iter().any(|other| other.id == brand.id) {
                return Err(Problem {
                    path: path.to_owned(),
                    line: None,
                    key: "id".to_owned(),
                    why: format!("there is another brand `{}`", brand.id),
                });
            }
            brands.push(brand);
        }
        if brands.is_empty() {
            brands.push(Brand::builtin());
        }
        Ok(Self::of(brands))
    }

    /// These brands, the first one being the usual one. An empty list gives the built-in one.
    pub fn of(brands: Vec<Brand>) -> Self {
        let brands: Vec<Arc<Brand>> = brands.into_iter().map(Arc::new).collect();
        let first = match brands.first() {
            Some(first) => first.clone(),
            None => return Self::builtin(),
        };
        let all = brands.into_iter().map(|brand| (brand.id.clone(), brand));
        Self {
            all: Arc::new(all.collect()),
            first,
        }
    }

    /// The built-in brand with a destination of the operator.
    pub fn with_destination(destination: Destination) -> Self {
        let brand = Brand {
            destination,
            ..Brand::builtin()
        };
        Self::of(vec![brand])
    }

    /// By its identity.
    pub fn get(&self, id: &str) -> Option<&Brand> {
        self.all.get(id).map(Arc::as_ref)
    }

    /// The one for people who come without naming a brand.
    pub fn usual(&self) -> &Brand {
        &self.first
    }

    /// The one that is shown under a host name; the usual one where none claims it.
    pub fn at_host(&self, host: &str) -> &Brand {
        let claims = |brand: &&Arc<Brand>| brand.hosts.iter().any(|h| h.eq_ignore_ascii_case(host));
        self.all.values().find(claims).unwrap_or(&self.first)
    }

    /// All of them, by identity.
    pub fn iter(&self) -> impl Iterator<Item = &Brand> {
        self.all.values().map(Arc::as_ref)
    }
}

/// One brand.
#[derive(Clone, Debug)]
pub struct Brand {
    /// Names it in rows, hand-over tokens and addresses of style sheets: lower-case letters, digits and hyphens.
    pub id: String,
    /// As people know it: the CPI of 【重要】CPIより….
    pub name: Words,
    /// What the function is called: メールデータコピー.
    pub title: Words,
    /// Of the page.
    pub colours: Colours,
    /// Shown in the page's head.
    pub logo: Option<Logo>,
    /// Pages of the brand.
    pub links: BrandLinks,
    /// Host names of the page under which this brand is shown.
    pub hosts: Vec<String>,
    /// Where mail is copied to.
    pub destination: Destination,
    /// Domains of addresses that may be a destination, in lower case; empty: whatever the server lets in.
    pub allow_destinations: Vec<String>,
    /// What is offered; never empty.
    pub plans: Vec<Plan>,
    /// The mails.
    pub notices: NoticeSettings,
    /// Labels of the form.
    pub form: FormWords,
}

impl Brand {
    /// The built-in one, without a host for its destination.
    pub fn builtin() -> Self {
        Self {
            id: BUILTIN.to_owned(),
            name: BUILTIN.into(),
            title: Words::of(hikyaku_text::brand::title),
            colours: Colours::default(),
            logo: None,
            links: BrandLinks::default(),
            hosts: Vec::new(),
            destination: Destination::default(),
            allow_destinations: Vec::new(),
            plans: vec![Plan::default()],
            notices: NoticeSettings::default(),
            form: FormWords::default(),
        }
    }

    /// Reads the text of a file; relative paths in it start at the file's directory.
    ///
    /// # Errors
    /// The first mistake, with its line and key; also a logo, certificate or secret that cannot be read.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Problem> {
        file::parse(text, path)
    }

    /// A plan by its identity.
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == id)
    }

    /// The plan of an address when nobody says: the one that claims its domain, else the first that is supported.
    pub fn plan_for(&self, address: &str) -> Option<&Plan> {
        let domain = domain_of(address);
        let claims = |plan: &&Plan| plan.domains.contains(&domain);
        let claimed = self.plans.iter().find(claims);
        claimed
            .or_else(|| self.plans.iter().find(|plan| plan.supported))
            .filter(|plan| plan.supported)
    }

    /// Whether mail may be copied to this address.
    pub fn allows(&self, address: &str) -> bool {
        self.allow_destinations.is_empty() || self.allow_destinations.contains(&domain_of(address))
    }
}

/// What follows the last `@`, in lower case.
fn domain_of(address: &str) -> String {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    domain.to_lowercase()
}

/// Colours of the page; chosen so that white text on the first and black text on the second is easy to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// Buttons, links and the head, by day.
    pub accent: Colour,
    /// The same on a dark page.
    pub accent_dark: Colour,
}

impl Default for Colours {
    fn default() -> Self {
        Self {
            accent: Colour([0x1a, 0x56, 0x94]),
            accent_dark: Colour([0x8a, 0xc2, 0xff]),
        }
    }
}

/// A picture, read when the brand is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// The file, at most 64 KiB.
    pub octets: Vec<u8>,
    /// `image/svg+xml` or `image/png`.
    pub media_type: &'static str,
}

/// Pages of the brand, all `https:` or `http:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandLinks {
    /// Where its name leads.
    pub home: Option<String>,
    /// Web mail of the destination.
    pub webmail: Option<String>,
    /// Questions and answers.
    pub faq: Option<String>,
    /// How to reach the brand's people.
    pub support: Option<String>,
    /// How a mail program is set up for the destination.
    pub mail_settings: Option<String>,
    /// Terms of use.
    pub terms: Option<String>,
    /// What is done with data.
    pub privacy: Option<String>,
}

/// The server that mail is copied to.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Name or address; empty only in the built-in brand, which cannot be used before an operator names one.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Encryption.
    pub transport: Transport,
    /// PEM file of issuers that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The only certificate that is accepted.
    pub pin: Option<Fingerprint>,
    /// How the login name is made of the address.
    pub login: LoginName,
    /// A login of the operator's own, for people whom a control panel hands over.
    pub master: Option<Master>,
    /// Addresses that are reached whatever the egress guard says of such addresses.
    pub networks: Vec<Network>,
    /// Hosts to which mail for the destination's accounts is delivered, and whatever lies below these names: how a
    /// switched MX record is recognised where other machines take the mail in than hand it out.
    pub mail_hosts: Vec<String>,
}

impl Destination {
    /// A server with the usual settings: TLS, no private authority, the address as login name.
    pub fn new(host: impl Into<String>, port: u16, transport: Transport) -> Self {
        Self {
            host: host.into(),
            port,
            transport,
            ..Self::default()
        }
    }
}

impl Default for Destination {
    /// Port 993 of no host.
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 993,
            transport: Transport::Tls,
            ca_file: None,
            pin: None,
            login: LoginName::Address,
            master: None,
            networks: Vec::new(),
            mail_hosts: Vec::new(),
        }
    }
}

/// How a login name is made of a mail address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginName {
    /// The whole address.
    #[default]
    Address,
    /// What stands before the `@`.
    LocalPart,
    /// The address with `%` for `@`, as some panels want it.
    Percent,
}

impl LoginName {
    /// The login name of an address.
    pub fn of(self, address: &str) -> String {
        match (self, address.rsplit_once('@')) {
            (Self::LocalPart, Some((local, _))) => local.to_owned(),
            (Self::Percent, Some((local, domain))) => format!("{local}%{domain}"),
            (Self::Address, _) | (_, None) => address.to_owned(),
        }
    }
}

/// A login that opens every account of the destination.
#[derive(Clone, Debug)]
pub struct Master {
    /// Its name.
    pub user: String,
    /// Its password.
    pub secret: Secret,
    /// What stands between an account's login name and the master's in one name, such as Dovecot's `*`; `None`: the
    /// account goes as the authorization identity of SASL PLAIN (RFC 4616).
    pub separator: Option<char>,
}

/// One line of the table 対応プラン, and what holds for its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names it in rows and hand-over tokens.
    pub id: String,
    /// As people know it.
    pub name: Words,
    /// Whether mail can be copied to its accounts: ● or △, not ―.
    pub supported: bool,
    /// Whether that is an option which is paid for: △.
    pub paid_option: bool,
    /// Domains whose addresses have this plan, in lower case.
    pub domains: Vec<String>,
    /// What a second run does when nobody chooses.
    pub rerun: Rerun,
    /// What may be chosen; holds `rerun`.
    pub reruns: Vec<Rerun>,
    /// A message with more octets as stored is not copied; `None`: the server's own limit alone.
    pub max_message_octets: Option<u64>,
    /// An uploaded file may have so many octets; `None`: what the service allows.
    pub max_upload_octets: Option<u64>,
    /// Mailboxes with these roles are not ticked in the plan.
    pub exclude_roles: Vec<Role>,
    /// Whether ③ has to be the address that is signed in.
    pub lock_address: bool,
    /// Since when it may be used.
    pub available_after: Option<Availability>,
    /// Whether a message counts as copied wherever in the account it lies: for servers that move mail by themselves.
    pub match_account: bool,
    /// Days after which what is known of single messages is forgotten.
    pub retention_days: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            id: "standard".to_owned(),
            name: Words::of(hikyaku_text::brand::plan),
            supported: true,
            paid_option: false,
            domains: Vec::new(),
            rerun: Rerun::Differential,
            reruns: vec![Rerun::Differential, Rerun::FreshReplace, Rerun::FreshFolder],
            max_message_octets: None,
            max_upload_octets: None,
            exclude_roles: Vec::new(),
            lock_address: false,
            available_after: None,
            match_account: false,
            retention_days: 180,
        }
    }
}

/// What has to have happened before a plan may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// The MX record of the address's domain shows the destination.
    MxMoved,
}

/// How the mails look.
#[derive(Clone, Debug, Default)]
pub struct NoticeSettings {
    /// Sender, such as `CPI <noreply@example.jp>`; `None`: the sender of the configuration.
    pub from: Option<lettre::message::Mailbox>,
    /// How the destination's address is shown.
    pub mask: MaskAddress,
    /// Whether cause, remedy, counts and links are told.
    pub details: Details,
    /// Whether a mail says that an order was received.
    pub accepted: bool,
    /// Texts of the brand; the others are hikyaku's.
    pub texts: BTreeMap<NoticeKind, NoticeText>,
}

/// How an address is shown to somebody who may not be its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskAddress {
    /// As it is.
    None,
    /// Its first letter and its domain: `t•••@example.jp`.
    #[default]
    Partial,
    /// `*****@*********`, whatever it is.
    Full,
}

/// Whether a mail tells more than its fixed text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// The fixed text only.
    None,
    /// Cause, remedy, counts and links follow it.
    #[default]
    Append,
}

/// One mail's texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeText {
    /// Japanese subject and body.
    pub ja: (Template, Template),
    /// English subject and body.
    pub en: (Template, Template),
}

impl NoticeText {
    /// Subject and body in a language.
    pub fn get(&self, lang: Lang) -> &(Template, Template) {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }
}

/// Words of the form that the brand writes in its own way; `None`: hikyaku's.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormWords {
    /// What the page says first.
    pub introduction: Option<Words>,
    /// Heading of the block with ①.
    pub destination: Option<Words>,
    /// Heading of the block with ② to ⑤.
    pub source: Option<Words>,
    /// ①
    pub password: Option<Words>,
    /// Below ①.
    pub password_help: Option<Words>,
    /// ②
    pub source_host: Option<Words>,
    /// Below ②.
    pub source_host_help: Option<Words>,
    /// ③
    pub source_address: Option<Words>,
    /// Below ③.
    pub source_address_help: Option<Words>,
    /// ④
    pub source_password: Option<Words>,
    /// Below ④.
    pub source_password_help: Option<Words>,
    /// ⑤
    pub notify: Option<Words>,
    /// Below ⑤.
    pub notify_help: Option<Words>,
    /// The button below the form.
    pub check: Option<Words>,
    /// The button below the confirmation.
    pub start: Option<Words>,
}
