//! What the form shows.

use super::Wrong;
use super::entered::{Entered, rerun_name};
use super::password::oddity;
use crate::job::Rerun;
use crate::values::Words;
use crate::web::{Fields, SignedIn};
use askama::Template;
use hikyaku_text::Lang;
use hikyaku_text::page as f;
use hikyaku_text::page::form as t;

/// The fields in the order in which they stand.
const ORDER: [&str; 13] = [
    "password",
    "source_host",
    "source_address",
    "source_password",
    "notify",
    "source_port",
    "source_protocol",
    "source_transport",
    "source_login",
    "folders",
    "since",
    "before",
    "rerun",
];

/// Where a field stands.
pub(super) fn place(field: &str) -> usize {
    ORDER
        .iter()
        .position(|name| *name == field)
        .unwrap_or(ORDER.len())
}

/// One of the five.
pub(crate) struct Field {
    pub(crate) id: &'static str,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) kind: &'static str,
    pub(crate) complete: &'static str,
    pub(crate) value: String,
    pub(crate) locked: bool,
    pub(crate) wrong: Option<String>,
    /// A choice about its characters is asked for.
    pub(crate) width: bool,
}

/// The label of a field with its number, which brands may write as they like.
pub(crate) fn numbered(mark: &str, label: &str) -> String {
    match label.starts_with(mark) {
        true => label.to_owned(),
        false => format!("{mark} {label}"),
    }
}

/// A choice of what a second run does.
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) chosen: bool,
}

#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct View<'a> {
    page: &'a SignedIn,
    token: &'a str,
    entered: &'a Entered,
    wrongs: Vec<Wrong>,
    introduction: String,
    destination_heading: String,
    source_heading: String,
    check: String,
    password: Option<Field>,
    host: Field,
    fields: Vec<Field>,
    modes: Vec<Mode>,
    details_open: bool,
    /// Values of an earlier form are shown.
    pub(super) again: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(
        page: &'a SignedIn,
        entered: &'a Entered,
        token: &'a str,
        wrongs: Vec<Wrong>,
    ) -> Self {
        let lang = page.lang;
        let (words, plan) = (&page.brand().form, page.plan());
        let own = |words: &Option<Words>, usual: String| match words {
            Some(words) => words.get(lang).to_owned(),
            None => usual,
        };
        let wrong_at = |id: &str| {
            wrongs
                .iter()
                .find(|wrong| wrong.field == id)
                .map(|wrong| wrong.text.clone())
        };
        let field = |id, mark, label: String, hint| Field {
            id,
            label: numbered(mark, &label),
            hint,
            kind: "text",
            complete: "off",
            value: String::new(),
            locked: false,
            wrong: wrong_at(id),
            width: false,
        };
        let address = page.owner.address.as_str();
        let password = page.types_password().then(|| Field {
            kind: "password",
            complete: "current-password",
            ..field(
                "password",
                "①",
                own(&words.password, t::password(lang)),
                own(&words.password_help, t::password_hint(address, lang)),
            )
        });
        let host = Field {
            value: entered.host.clone(),
            ..field(
                "source_host",
                "②",
                own(&words.source_host, t::source_host(lang)),
                own(&words.source_host_help, t::source_host_hint(lang)),
            )
        };
        let address_hint = match plan.lock_address {
            true => t::source_address_locked(lang),
            false => own(&words.source_address_help, t::source_address_hint(lang)),
        };
        let fields = vec![
            Field {
                kind: "email",
                value: entered.address.clone(),
                locked: plan.lock_address,
                ..field(
                    "source_address",
                    "③",
                    own(&words.source_address, t::source_address(lang)),
                    address_hint,
                )
            },
            Field {
                kind: "password",
                ..field(
                    "source_password",
                    "④",
                    own(&words.source_password, t::source_password(lang)),
                    own(&words.source_password_help, t::source_password_hint(lang)),
                )
            },
            Field {
                kind: "email",
                complete: "email",
                value: entered.notify.clone(),
                ..field(
                    "notify",
                    "⑤",
                    own(&words.notify, t::notify(lang)),
                    own(&words.notify_help, t::notify_hint(lang)),
                )
            },
        ];
        let is_detail = |wrong: &Wrong| place(wrong.field) >= place("source_port");
        Self {
            introduction: own(&words.introduction, t::introduction(lang)),
            destination_heading: own(&words.destination, t::destination(lang)),
            source_heading: own(&words.source, t::source(lang)),
            check: own(&words.check, t::check(lang)),
            modes: modes(&plan.reruns, &entered.rerun, lang),
            details_open: entered.has_details(plan) || wrongs.iter().any(is_detail),
            again: false,
            page,
            token,
            entered,
            wrongs,
            password,
            host,
            fields,
        }
    }

    /// Asks what to do with odd characters of a password, where some were typed.
    pub(super) fn ask_width(&mut self, typed: &Fields, _: Lang) {
        for field in self.password.iter_mut().chain(&mut self.fields) {
            field.width = field.kind == "password" && oddity(typed.text(field.id)).is_some();
        }
    }

    fn wrong_at(&self, id: &str) -> Option<&str> {
        self.wrongs
            .iter()
            .find(|wrong| wrong.field == id)
            .map(|wrong| wrong.text.as_str())
    }
}

/// What a second run may do under the plan.
pub(crate) fn modes(reruns: &[Rerun], chosen: &str, lang: Lang) -> Vec<Mode> {
    let mode = |rerun: &Rerun| {
        let (label, hint) = match rerun {
            Rerun::Differential => (
                t::rerun_differential(lang),
                t::rerun_differential_hint(lang),
            ),
            Rerun::FreshReplace => (t::rerun_fresh(lang), t::rerun_fresh_hint(lang)),
            Rerun::FreshFolder => (t::rerun_folder(lang), t::rerun_folder_hint(lang)),
        };
        let name = rerun_name(*rerun);
        Mode {
            name,
            label,
            hint,
            chosen: name == chosen,
        }
    };
    reruns.iter().map(mode).collect()
}
