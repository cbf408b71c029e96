//! The passwords of both sides, asked for once more: they are wiped when a job ends.

use super::form::{Wrong, password};
use super::{Fields, SignedIn};
use crate::job::Job;
use crate::jobs::Secrets;
use hikyaku_net::Secret;
use hikyaku_text::page::again as words;

/// One field.
pub(crate) struct PasswordField {
    /// Its name in the form.
    pub(crate) name: &'static str,
    /// Its name in the page, on which there may be several forms.
    pub(crate) id: String,
    /// What is asked for.
    pub(crate) label: String,
    /// What is wrong with what was typed.
    pub(crate) wrong: Option<String>,
    /// Whether full-width characters and blanks are asked about.
    pub(crate) width: bool,
}

/// The fields of a form.
pub(crate) struct Passwords {
    /// ① where it has to be typed, ④.
    pub(crate) fields: Vec<PasswordField>,
}

impl Passwords {
    /// The fields for a job, with what is wrong with them.
    pub(crate) fn of(who: &SignedIn, job: &Job, fields: Option<&Fields>, wrongs: &[Wrong]) -> Self {
        let field = |name: &'static str, label: String| PasswordField {
            name,
            id: name.to_owned(),
            label,
            wrong: wrongs
                .iter()
                .find(|wrong| wrong.field == name)
                .map(|wrong| wrong.text.clone()),
            width: fields.is_some_and(|fields| password::oddity(fields.text(name)).is_some()),
        };
        let lang = who.lang;
        let destination = words::destination_password(&job.order.destination, lang);
        let source = words::source_password(&job.order.source.address, lang);
        let mut shown = Vec::new();
        if who.types_password() {
            shown.push(field("password", format!("① {destination}")));
        }
        // A file wants none.
        if job.order.source.upload().is_none() {
            shown.push(field("source_password", format!("④ {source}")));
        }
        Self { fields: shown }
    }

    /// ④ alone, beside another form of the page: for reading at the source.
    pub(crate) fn of_source(who: &SignedIn, job: &Job) -> Self {
        let mut all = Self::of(who, job, None, &[]);
        all.fields.retain(|field| field.name == "source_password");
        for field in &mut all.fields {
            field.id.insert_str(0, "save-");
        }
        all
    }
}

/// In the place of ④ where the source is a file: what a job may go on with is known by its secrets, and goes with them.
pub(crate) fn kept_with_the_file() -> Secret {
    Secret::from("-")
}

/// What was typed, as far as it is needed and usable.
pub(crate) fn read(
    who: &SignedIn,
    job: &Job,
    fields: &Fields,
    wrongs: &mut Vec<Wrong>,
) -> Option<Secrets> {
    let lang = who.lang;
    let mut read = |id, mark| {
        let read = password::read(fields, id, mark, words::password_missing(lang), lang);
        read.map_err(|wrong| wrongs.push(wrong)).ok()
    };
    let destination = match who.types_password() {
        true => Some(read("password", "①")),
        false => None,
    };
    let source = match job.order.source.upload() {
        Some(_) => Some(kept_with_the_file()),
        None => read("source_password", "④"),
    };
    Some(Secrets {
        source: Some(source?),
        destination: match destination {
            Some(read) => Some(read?),
            None => None,
        },
    })
}
