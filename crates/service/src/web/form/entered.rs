//! What was typed into the form, and the order that it makes. Passwords are not among it.

use super::Wrong;
use crate::accounts::{Typed, TypedProblem};
use crate::brand::Plan;
use crate::job::{Choices, Order, Rerun, SourceAccount, SourceKind, Transport};
use crate::web::address::is_mail_address;
use crate::web::{Fields, SignedIn};
use hikyaku_text::page::form::wrong as t;
use hikyaku_text::{Count, Lang};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Longest text of a field in characters.
const MOST: usize = 1_000;

/// Longest list of mailboxes in characters.
const MOST_FOLDERS: usize = 20_000;

/// As typed, without blanks around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(super) host: String,
    pub(super) address: String,
    pub(crate) notify: String,
    pub(super) port: String,
    pub(super) transport: String,
    /// `pop3`, or nothing: find it out.
    pub(super) protocol: String,
    pub(super) accept_deletion: bool,
    pub(super) login: String,
    pub(crate) since: String,
    pub(crate) before: String,
    /// `read` or `unread`; otherwise as it is recorded.
    pub(crate) read: String,
    pub(crate) rerun: String,
    pub(super) folders: String,
    /// The button "find the server" was pressed.
    pub(super) find: bool,
}

impl Entered {
    /// A form that nobody has typed into.
    pub(crate) fn new(address: &str, plan: &Plan) -> Self {
        Self {
            address: address.to_owned(),
            rerun: rerun_name(plan.rerun).to_owned(),
            ..Self::default()
        }
    }

    /// What was sent. The address of a locked plan is not sent by every browser.
    pub(crate) fn from_fields(fields: &Fields, own: &str, plan: &Plan) -> Self {
        let text = |name| fields.trimmed(name).to_owned();
        Self {
            host: text("source_host"),
            address: match fields.get("source_address") {
                None if plan.lock_address => own.to_owned(),
                _ => text("source_address"),
            },
            notify: text("notify"),
            port: text("source_port"),
            transport: text("source_transport"),
            protocol: text("source_protocol"),
            accept_deletion: fields.has("accept_deletion"),
            login: text("source_login"),
            since: text("since"),
            before: text("before"),
            read: text("read"),
            rerun: text("rerun"),
            folders: fields.text("folders").trim_matches(['\r', '\n']).to_owned(),
            find: fields.has("find"),
        }
    }

    /// What an earlier job was ordered with.
    pub(crate) fn from_order(order: &Order) -> Self {
        let source = &order.source;
        let day = |seconds: Option<i64>| {
            let moment = jiff::Timestamp::from_second(seconds?).ok()?;
            Some(moment.to_zoned(TimeZone::system()).date().to_string())
        };
        Self {
            host: source.host.clone(),
            address: source.address.clone(),
            notify: order.notify.clone(),
            port: source.port.map(|port| port.to_string()).unwrap_or_default(),
            transport: source.transport.map_or("", transport_name).to_owned(),
            protocol: match source.kind {
                SourceKind::Pop3 => "pop3".to_owned(),
                SourceKind::Imap | SourceKind::Upload(_) => String::new(),
            },
            accept_deletion: order.choices.accept_deletion,
            login: source.login.clone().unwrap_or_default(),
            since: day(order.choices.since).unwrap_or_default(),
            before: day(order.choices.before).unwrap_or_default(),
            read: match order.choices.read {
                None => String::new(),
                Some(true) => "read".to_owned(),
                Some(false) => "unread".to_owned(),
            },
            rerun: rerun_name(order.choices.rerun).to_owned(),
            folders: order.choices.only.join("\n"),
            find: source.host.is_empty(),
        }
    }

    /// Whether the part that is closed at first has something in it.
    pub(crate) fn has_details(&self, plan: &Plan) -> bool {
        let texts = [
            &self.port,
            &self.transport,
            &self.protocol,
            &self.login,
            &self.since,
            &self.before,
            &self.read,
            &self.folders,
        ];
        self.accept_deletion
            || texts.iter().any(|text| !text.is_empty())
            || self.rerun != rerun_name(plan.rerun)
    }

    /// The order, or what is wrong: every wrong field, not only the first.
    pub(super) fn order(&self, who: &SignedIn) -> (Vec<Wrong>, Option<Order>) {
        let (lang, plan) = (who.lang, who.plan());
        let mut wrongs = self.too_long(lang);
        let mut wrong = |field, text| wrongs.push(Wrong::at(field, text));
        if let Some(text) = self.host_problem(lang) {
            wrong("source_host", text);
        }
        if self.address.is_empty() {
            wrong("source_address", t::address_missing(lang));
        } else if !is_mail_address(&self.address) {
            wrong("source_address", t::address_odd(lang));
        } else if plan.lock_address && !self.address.eq_ignore_ascii_case(&who.owner.address) {
            wrong("source_address", t::address_locked(lang));
        }
        if self.notify.is_empty() {
            wrong("notify", t::notify_missing(lang));
        } else if !is_mail_address(&self.notify) {
            wrong("notify", t::notify_odd(lang));
        }
        let port = match self.port.as_str() {
            "" => None,
            text => match text.parse() {
                Ok(0) | Err(_) => {
                    wrong("source_port", t::port_odd(lang));
                    None
                }
                Ok(port) => Some(port),
            },
        };
        let choices = self.choices(plan, &mut wrongs, lang);
        if !wrongs.is_empty() {
            return (wrongs, None);
        }
        let order = Order {
            brand: who.owner.brand.clone(),
            plan: plan.id.clone(),
            lang: lang.as_str().to_owned(),
            source: SourceAccount {
                kind: match self.protocol.as_str() {
                    "pop3" => SourceKind::Pop3,
                    _ => SourceKind::Imap,
                },
                host: self.host.clone(),
                port,
                transport: transport(&self.transport),
                address: self.address.clone(),
                login: (!self.login.is_empty()).then(|| self.login.clone()),
                accepted: None,
            },
            destination: who.owner.address.clone(),
            notify: self.notify.clone(),
            choices: Choices {
                only: self.only(),
                accept_deletion: self.accept_deletion,
                ..choices
            },
        };
        (wrongs, Some(order))
    }

    /// What is chosen for a source of any kind: which time, and what a second run does.
    pub(crate) fn choices(&self, plan: &Plan, wrongs: &mut Vec<Wrong>, lang: Lang) -> Choices {
        let mut wrong = |field, text| wrongs.push(Wrong::at(field, text));
        let rerun = match self.rerun.as_str() {
            "" => Some(plan.rerun),
            name => plan
                .reruns
                .iter()
                .copied()
                .find(|rerun| rerun_name(*rerun) == name),
        };
        if rerun.is_none() {
            wrong("rerun", t::rerun_odd(lang));
        }
        let (since, before) = (day(&self.since), day(&self.before));
        match (since, before) {
            (Err(()), _) => wrong("since", t::date_odd(lang)),
            (_, Err(())) => wrong("before", t::date_odd(lang)),
            (Ok(Some(since)), Ok(Some(before))) if since >= before => {
                wrong("before", t::dates_crossed(lang));
            }
            _ => {}
        }
        Choices {
            rerun: rerun.unwrap_or_default(),
            since: since.unwrap_or_default(),
            before: before.unwrap_or_default(),
            read: match self.read.as_str() {
                "read" => Some(true),
                "unread" => Some(false),
                _ => None,
            },
            ..Choices::default()
        }
    }

    fn only(&self) -> Vec<String> {
        let lines = self.folders.lines().map(|line| line.trim_matches('\r'));
        lines
            .filter(|line| !line.trim().is_empty())
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Only what can be said without asking anybody: the check says the rest.
    fn host_problem(&self, lang: Lang) -> Option<String> {
        let host = self.host.as_str();
        if host.is_empty() {
            return (!self.find).then(|| t::host_missing(lang));
        }
        if is_mail_address(host) {
            return Some(t::host_is_address(lang));
        }
        // A path or a scheme would look like a wrong port.
        if host.contains(['/', '\\']) {
            return Some(t::host_odd(lang));
        }
        match Typed::parse(host) {
            Ok(_) => None,
            Err(TypedProblem::Host) => Some(t::host_odd(lang)),
            Err(TypedProblem::Port) => Some(t::port_odd(lang)),
        }
    }

    fn too_long(&self, lang: Lang) -> Vec<Wrong> {
        let fields = [
            ("source_host", &self.host, MOST),
            ("source_address", &self.address, MOST),
            ("notify", &self.notify, MOST),
            ("source_login", &self.login, MOST),
            ("folders", &self.folders, MOST_FOLDERS),
        ];
        let mut wrongs = Vec::new();
        for (field, text, most) in fields {
            let is_odd =
                |c: char| c.is_control() && !(field == "folders" && matches!(c, '\r' | '\n'));
            if text.chars().count() > most {
                wrongs.push(Wrong::at(field, t::too_long(Count(most as u64), lang)));
            } else if text.contains(is_odd) {
                wrongs.push(Wrong::at(field, t::odd_characters(lang)));
            }
        }
        wrongs
    }
}

/// The name of a choice in forms.
pub(super) fn rerun_name(rerun: Rerun) -> &'static str {
    match rerun {
        Rerun::Differential => "differential",
        Rerun::FreshReplace => "fresh_replace",
        Rerun::FreshFolder => "fresh_folder",
    }
}

fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Tls => "tls",
        Transport::StartTls => "starttls",
        // Only ever by the dialogue of the check.
        Transport::Clear => "",
    }
}

fn transport(name: &str) -> Option<Transport> {
    match name {
        "tls" => Some(Transport::Tls),
        "starttls" => Some(Transport::StartTls),
        _ => None,
    }
}

/// The first moment of a day in the zone of this machine; `None` for an empty field.
fn day(text: &str) -> Result<Option<i64>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let date: Date = text.replace('/', "-").parse().map_err(|_| ())?;
    let start = date.to_zoned(TimeZone::system()).map_err(|_| ())?;
    match (1970..=2200).contains(&date.year()) {
        true => Ok(Some(start.timestamp().as_second())),
        false => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_or_refused() {
        assert_eq!(day(""), Ok(None));
        let first = day("2024-01-31").expect("a day").expect("a moment");
        let next = day("2024/02/01").expect("a day").expect("a moment");
        assert_eq!(next - first, 86_400);
        for wrong in [
            "2024-02-30",
            "1900-01-01",
            "31.1.2024",
            "yesterday",
            "9999-99-99",
            "-1",
        ] {
            assert_eq!(day(wrong), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_job_fills_the_form_as_it_was_filled() {
        let fields = Fields::parse(
            b"source_host=imap.example.jp&source_address=a%40example.jp&notify=b%40example.jp&source_port=143\
              &source_transport=starttls&source_protocol=pop3&accept_deletion=1&source_login=a&since=2024-01-31&before=2025-01-01&read=unread&rerun=fresh_folder\
              &folders=INBOX%0D%0A%E8%AB%8B%E6%B1%82%E6%9B%B8",
        );
        let plan = Plan::default();
        let typed = Entered::from_fields(&fields.expect("a form"), "a@example.jp", &plan);
        assert_eq!(typed.only(), ["INBOX", "請求書"]);
        let order = Order {
            brand: "hikyaku".to_owned(),
            plan: plan.id.clone(),
            lang: "ja".to_owned(),
            source: SourceAccount {
                kind: SourceKind::Pop3,
                host: typed.host.clone(),
                port: Some(143),
                transport: Some(Transport::StartTls),
                address: typed.address.clone(),
                login: Some("a".to_owned()),
                accepted: None,
            },
            destination: "a@example.jp".to_owned(),
            notify: typed.notify.clone(),
            choices: Choices {
                rerun: Rerun::FreshFolder,
                only: typed.only(),
                since: day("2024-01-31").expect("a day"),
                before: day("2025-01-01").expect("a day"),
                read: Some(false),
                accept_deletion: true,
                ..Choices::default()
            },
        };
        let shown = Entered::from_order(&order);
        assert_eq!(
            shown,
            Entered {
                folders: "INBOX\n請求書".to_owned(),
                ..typed
            }
        );
        assert!(shown.has_details(&plan));
        assert!(!Entered::new("a@example.jp", &plan).has_details(&plan));
    }
}
