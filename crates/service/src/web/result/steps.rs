//! What to do after a copy, and why a source has to stay.

use crate::brand::Brand;
use crate::job::{Job, Transport};
use crate::web::retire::{Reason, Retire, retire};
use crate::web::shown::Eyes;
use hikyaku_core::report::Report;
use hikyaku_text::page::result as words;
use hikyaku_text::page::upload;
use hikyaku_text::{Count, Day, Lang, Mailboxes, Messages, Share};

/// 次にすること.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The settings sheet: names and values.
    pub(crate) sheet: Vec<(String, String)>,
    /// The provider's manual about it.
    pub(crate) manual: Option<String>,
    /// The differential run.
    pub(crate) once_more: String,
    /// How long the old server is to be kept.
    pub(crate) keep: String,
}

impl Steps {
    /// After a copy that reached its end.
    pub(crate) fn of(job: &Job, report: Option<&Report>, brand: &Brand, eyes: Eyes) -> Self {
        let lang = eyes.lang;
        let destination = &brand.destination;
        let encryption = match destination.transport {
            Transport::Tls => words::encryption_tls(lang),
            Transport::StartTls => words::encryption_starttls(lang),
            Transport::Clear => words::encryption_none(lang),
        };
        let sheet = vec![
            (words::sheet_server(lang), destination.host.clone()),
            (words::sheet_port(lang), destination.port.to_string()),
            (words::sheet_encryption(lang), encryption),
            (
                words::sheet_user(lang),
                destination.login.of(&job.order.destination),
            ),
            (
                words::sheet_password(lang),
                words::sheet_password_hint(lang),
            ),
        ];
        if job.order.source.upload().is_some() {
            return Self {
                sheet,
                manual: brand.links.mail_settings.clone(),
                once_more: upload::next_once_more(lang),
                keep: upload::next_keep(lang),
            };
        }
        let is_here = job
            .checked
            .as_ref()
            .is_some_and(|c| c.delivery == crate::job::Delivery::Here);
        Self {
            sheet,
            manual: brand.links.mail_settings.clone(),
            once_more: match is_here {
                true => words::next_once_more(lang),
                false => words::next_switch(lang),
            },
            keep: match retire(job, report) {
                Retire::After { millis, .. } => words::next_keep(Day((eyes.moment)(millis)), lang),
                Retire::NotYet(_) => words::next_keep_for_now(lang),
            },
        }
    }
}

/// A reason in words.
pub(super) fn reason(reason: Reason, lang: Lang) -> String {
    match reason {
        Reason::NotEnded => words::retire_not_ended(lang),
        Reason::Unfinished(n) => words::retire_unfinished(Mailboxes(n), lang),
        Reason::Missing(n) => words::retire_missing(Messages(n), lang),
        Reason::Differences(n) => words::retire_differences(Messages(n), lang),
        Reason::Remarks(n) => words::retire_remarks(Count(n), lang),
        Reason::LeftOut(n) => words::retire_left_out(Share(n), lang),
        Reason::FoldersLeftOut(n) => words::retire_folders_left_out(Mailboxes(n), lang),
        Reason::Period => words::retire_period(lang),
        Reason::OnlyWhatFits => words::retire_only_what_fits(lang),
        Reason::Arrived(n) => words::retire_arrived(Messages(n), lang),
        Reason::StillDelivered => words::retire_still_delivered(lang),
        Reason::DeliveryUnknown => words::retire_delivery_unknown(lang),
    }
}
