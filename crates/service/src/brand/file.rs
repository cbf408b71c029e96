//! How a brand is written down.

use super::*;
use crate::strict::Document;
use crate::values::{self, mail_address};
use serde::Deserialize;

/// Largest logo in octets.
const MOST_LOGO: u64 = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandFile {
    id: String,
    name: Words,
    title: Option<Words>,
    #[serde(default)]
    colours: ColoursFile,
    logo: Option<PathBuf>,
    #[serde(default)]
    links: LinksFile,
    #[serde(default)]
    hosts: Vec<String>,
    destination: DestinationFile,
    #[serde(default)]
    allow_destinations: Vec<String>,
    #[serde(default)]
    plans: Vec<PlanFile>,
    #[serde(default)]
    notices: NoticesFile,
    #[serde(default)]
    form: FormWords,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ColoursFile {
    accent: Option<Colour>,
    accent_dark: Option<Colour>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LinksFile {
    home: Option<String>,
    webmail: Option<String>,
    faq: Option<String>,
    support: Option<String>,
    mail_settings: Option<String>,
    terms: Option<String>,
    privacy: Option<String>,
}

/// The table `[destination]`, of a brand and of the configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationFile {
    host: String,
    port: Option<u16>,
    #[serde(default = "tls")]
    transport: Transport,
    ca_file: Option<PathBuf>,
    pin: Option<String>,
    #[serde(default)]
    login: LoginName,
    master_user: Option<String>,
    master_password_file: Option<PathBuf>,
    master_password_env: Option<String>,
    master_separator: Option<char>,
    #[serde(default, deserialize_with = "values::networks")]
    networks: Vec<Network>,
    #[serde(default)]
    mail_hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    id: String,
    name: Words,
    #[serde(default = "yes")]
    supported: bool,
    #[serde(default)]
    paid_option: bool,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    rerun: Rerun,
    reruns: Option<Vec<Rerun>>,
    max_message: Option<String>,
    max_upload: Option<String>,
    #[serde(default)]
    exclude_roles: Vec<RoleName>,
    #[serde(default)]
    lock_address: bool,
    available_after: Option<Availability>,
    #[serde(default)]
    match_account: bool,
    retention_days: Option<u32>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum RoleName {
    Inbox,
    Sent,
    Drafts,
    Archive,
    Junk,
    Trash,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct NoticesFile {
    from: Option<String>,
    mask: MaskAddress,
    details: Details,
    send_accepted: bool,
    accepted: Option<TextFile>,
    success: Option<TextFile>,
    partly: Option<TextFile>,
    failure: Option<TextFile>,
    waiting: Option<TextFile>,
    sign_in_again: Option<TextFile>,
    cancelled: Option<TextFile>,
    undone: Option<TextFile>,
    expired: Option<TextFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextFile {
    subject: Words,
    body: Words,
}

fn tls() -> Transport {
    Transport::Tls
}

fn yes() -> bool {
    true
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Brand, Problem> {
    let document = Document::new(text, path);
    let file: BrandFile = document.read()?;
    if !is_identity(&file.id) {
        return Err(document.wrong("id", IDENTITY));
    }
    let usual = Colours::default();
    let brand = Brand {
        name: file.name,
        title: file
            .title
            .unwrap_or_else(|| Words::of(hikyaku_text::brand::title)),
        colours: Colours {
            accent: file.colours.accent.unwrap_or(usual.accent),
            accent_dark: file.colours.accent_dark.unwrap_or(usual.accent_dark),
        },
        logo: file
            .logo
            .map(|logo| read_logo(&document, &logo))
            .transpose()?,
        links: links(&document, file.links)?,
        hosts: file.hosts,
        destination: destination(&document, file.destination)?,
        allow_destinations: lower(file.allow_destinations),
        plans: plans(&document, file.plans)?,
        notices: notices(&document, file.notices)?,
        form: file.form,
        id: file.id,
    };
    Ok(brand)
}

const IDENTITY: &str = "expected 1 to 32 lower-case letters, digits and hyphens";

fn is_identity(id: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&id.len()) && id.bytes().all(fits)
}

fn lower(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_lowercase()).collect()
}

fn read_logo(document: &Document<'_>, logo: &Path) -> Result<Logo, Problem> {
    let media_type = match logo.extension().and_then(|e| e.to_str()) {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => return Err(document.wrong("logo", "expected a file that ends in .svg or .png")),
    };
    let path = document.path(logo);
    let wrong = |why: String| document.wrong("logo", format!("{}: {why}", path.display()));
    let octets = std::fs::read(&path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    match octets.len() as u64 > MOST_LOGO {
        true => Err(wrong("larger than 64 KiB".to_owned())),
        false => Ok(Logo { octets, media_type }),
    }
}

fn links(document: &Document<'_>, file: LinksFile) -> Result<BrandLinks, Problem> {
    let link = |key: &str, link: Option<String>| match link {
        Some(link) if !is_link(&link) => {
            let why = "expected an address that begins with https:// or http://";
            Err(document.wrong(&format!("links.{key}"), why))
        }
        link => Ok(link),
    };
    Ok(BrandLinks {
        home: link("home", file.home)?,
        webmail: link("webmail", file.webmail)?,
        faq: link("faq", file.faq)?,
        support: link("support", file.support)?,
        mail_settings: link("mail_settings", file.mail_settings)?,
        terms: link("terms", file.terms)?,
        privacy: link("privacy", file.privacy)?,
    })
}

/// Whether it is a link that leads to a page and nowhere else, and fits on one line.
pub(crate) fn is_link(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

/// A destination that was read, of a brand or of the configuration.
pub(crate) fn destination(
    document: &Document<'_>,
    file: DestinationFile,
) -> Result<Destination, Problem> {
    let wrong = |key: &str, why: &str| document.wrong(&format!("destination.{key}"), why);
    if file.host.trim().is_empty() || file.host.contains(char::is_whitespace) {
        return Err(wrong("host", "expected a host name or an IP address"));
    }
    if file.port == Some(0) {
        return Err(wrong("port", "expected a port from 1 to 65535"));
    }
    let port = file.port.unwrap_or(match file.transport {
        Transport::Tls => 993,
        Transport::StartTls | Transport::Clear => 143,
    });
    if file.pin.is_some() && file.ca_file.is_some() {
        return Err(wrong("pin", "only one of `pin` and `ca_file` can hold"));
    }
    let pin = match file.pin.as_deref().map(str::parse) {
        Some(Err(_)) => return Err(wrong("pin", "expected SHA-256 as 64 hexadecimal digits")),
        Some(Ok(pin)) => Some(pin),
        None => None,
    };
    let ca_file = file.ca_file.map(|path| document.path(&path));
    if let Some(path) = &ca_file {
        hikyaku_net::Anchors::from_file(path).map_err(|fault| wrong("ca_file", &fault.detail))?;
    }
    let password = file.master_password_file.map(|path| document.path(&path));
    let from = values::secret_from(password, file.master_password_env)
        .map_err(|why| wrong("master_password_file", why))?;
    let master = match (file.master_user, from) {
        (Some(user), Some(from)) => Some(Master {
            user,
            secret: from.read().map_err(|why| wrong("master_user", &why))?,
            separator: file.master_separator,
        }),
        (None, None) => None,
        (Some(_), None) => {
            let why = "`master_password_file` or `master_password_env` is missing";
            return Err(wrong("master_user", why));
        }
        (None, Some(_)) => return Err(wrong("host", "`master_user` is missing")),
    };
    Ok(Destination {
        host: file.host,
        port,
        transport: file.transport,
        ca_file,
        pin,
        login: file.login,
        master,
        networks: file.networks,
        mail_hosts: lower(file.mail_hosts),
    })
}

fn plans(document: &Document<'_>, files: Vec<PlanFile>) -> Result<Vec<Plan>, Problem> {
    if files.is_empty() {
        return Ok(vec![Plan::default()]);
    }
    let mut plans: Vec<Plan> = Vec::with_capacity(files.len());
    for (n, file) in files.into_iter().enumerate() {
        let wrong = |key: &str, why: String| document.wrong(&format!("plans.{n}.{key}"), why);
        if !is_identity(&file.id) {
            return Err(wrong("id", IDENTITY.to_owned()));
        }
        if plans.iter().any(|plan| plan.id == file.id) {
            return Err(wrong("id", format!("there is another plan `{}`", file.id)));
        }
        let reruns = file.reruns.unwrap_or_else(|| vec![file.rerun]);
        if !reruns.contains(&file.rerun) {
            return Err(wrong(
                "reruns",
                "the plan's own `rerun` is missing".to_owned(),
            ));
        }
        let amount = |key: &str, text: Option<&str>| match text {
            None => Ok(None),
            Some(text) => match values::octets(text) {
                None => Err(wrong(key, "expected an amount such as `100M`".to_owned())),
                octets => Ok(octets),
            },
        };
        let max_message_octets = amount("max_message", file.max_message.as_deref())?;
        let max_upload_octets = amount("max_upload", file.max_upload.as_deref())?;
        let usual = Plan::default();
        if file.retention_days == Some(0) {
            return Err(wrong("retention_days", "expected at least 1".to_owned()));
        }
        plans.push(Plan {
            id: file.id,
            name: file.name,
            supported: file.supported,
            paid_option: file.paid_option,
            domains: lower(file.domains),
            rerun: file.rerun,
            reruns,
            max_message_octets,
            max_upload_octets,
            exclude_roles: file.exclude_roles.into_iter().map(role).collect(),
            lock_address: file.lock_address,
            available_after: file.available_after,
            match_account: file.match_account,
            retention_days: file.retention_days.unwrap_or(usual.retention_days),
        });
    }
    match plans.iter().any(|plan| plan.supported) {
        true => Ok(plans),
        false => Err(document.wrong("plans", "no plan is supported")),
    }
}

fn role(name: RoleName) -> Role {
    match name {
        RoleName::Inbox => Role::Inbox,
        RoleName::Sent => Role::Sent,
        RoleName::Drafts => Role::Drafts,
        RoleName::Archive => Role::Archive,
        RoleName::Junk => Role::Junk,
        RoleName::Trash => Role::Trash,
    }
}

fn notices(document: &Document<'_>, file: NoticesFile) -> Result<NoticeSettings, Problem> {
    let from = match file.from.as_deref().map(mail_address) {
        Some(Err(why)) => return Err(document.wrong("notices.from", why)),
        Some(Ok(from)) => Some(from),
        None => None,
    };
    let mut texts = BTreeMap::new();
    for (kind, text) in [
        (NoticeKind::Accepted, file.accepted),
        (NoticeKind::Success, file.success),
        (NoticeKind::Partly, file.partly),
        (NoticeKind::Failure, file.failure),
        (NoticeKind::Waiting, file.waiting),
        (NoticeKind::SignInAgain, file.sign_in_again),
        (NoticeKind::Cancelled, file.cancelled),
        (NoticeKind::Undone, file.undone),
        (NoticeKind::Expired, file.expired),
    ] {
        if let Some(text) = text {
            texts.insert(kind, notice_text(document, kind, &text)?);
        }
    }
    Ok(NoticeSettings {
        from,
        mask: file.mask,
        details: file.details,
        accepted: file.send_accepted,
        texts,
    })
}

fn notice_text(
    document: &Document<'_>,
    kind: NoticeKind,
    file: &TextFile,
) -> Result<NoticeText, Problem> {
    let template = |part: &str, text: &str| {
        let parsed: Result<Template, _> = text.parse();
        let key = format!("notices.{}.{part}", kind.as_str());
        match parsed {
            Ok(template) if part == "subject" && !template.is_line() => {
                Err(document.wrong(&key, "a subject is one line without {details}"))
            }
            Ok(template) => Ok(template),
            Err(why) => Err(document.wrong(&key, why.to_string())),
        }
    };
    let both = |lang: Lang| -> Result<(Template, Template), Problem> {
        let subject = template("subject", file.subject.get(lang))?;
        Ok((subject, template("body", file.body.get(lang))?))
    };
    Ok(NoticeText {
        ja: both(Lang::Ja)?,
        en: both(Lang::En)?,
    })
}
