//! From a job to the text of a mail: pure.

use super::template::{Place, Template};
use super::{Links, NoticeKind};
use crate::brand::{Brand, Details, MaskAddress};
use crate::job::{Job, Kind};
use hikyaku_core::report::Report;
use hikyaku_core::{Code, Fault, Side};
use hikyaku_text::notice as say;
use hikyaku_text::page;
use hikyaku_text::{Count, Lang, Messages, Show, escape};

/// Causes that a mail names; the report has all of them.
const MOST_CAUSES: usize = 5;

/// A mail's texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The one recipient.
    pub to: String,
    /// One line without control characters.
    pub subject: String,
    /// Lines that end with LF.
    pub body: String,
}

/// The mail about a job.
///
/// There is nothing of a server or a message in it, and of the person only the destination's address, masked as the
/// brand wants it.
pub fn render(brand: &Brand, job: &Job, kind: NoticeKind, links: &Links) -> Rendered {
    let lang = Lang::from_name(&job.order.lang).unwrap_or(Lang::Ja);
    let notice = Notice {
        brand,
        job,
        kind,
        links,
        lang,
        report: job.report.as_ref().map(Report::from),
        dest: masked(&job.order.destination, brand.notices.mask),
    };
    // A brand's words about a copy that failed do not fit an undo that failed.
    let fits = job.kind == Kind::Copy || kind == NoticeKind::Undone;
    let (subject, body) = match brand.notices.texts.get(&kind).filter(|_| fits) {
        Some(text) => {
            let (subject, body) = text.get(lang);
            (notice.fill(subject), notice.own_body(body))
        }
        None => (notice.subject(), notice.usual_body()),
    };
    Rendered {
        to: job.order.notify.trim().to_owned(),
        subject: escape::clean(&subject).into_owned(),
        body,
    }
}

/// An address for somebody who may not be its owner.
fn masked(address: &str, mask: MaskAddress) -> String {
    let address = escape::clean(address.trim());
    match mask {
        MaskAddress::None => address.into_owned(),
        MaskAddress::Full => "*****@*********".to_owned(),
        MaskAddress::Partial => {
            let (local, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
            let first: String = local.chars().take(1).collect();
            let at = if domain.is_empty() { "" } else { "@" };
            format!("{first}•••{at}{domain}")
        }
    }
}

struct Notice<'a> {
    brand: &'a Brand,
    job: &'a Job,
    kind: NoticeKind,
    links: &'a Links,
    lang: Lang,
    report: Option<Report>,
    dest: String,
}

impl Notice<'_> {
    fn fill(&self, template: &Template) -> String {
        template.fill(|place| self.place(place))
    }

    fn place(&self, place: Place) -> String {
        let link = |link: &Option<String>| link.clone().unwrap_or_default();
        match place {
            Place::Dest => self.dest.clone(),
            Place::Brand => self.brand.name.get(self.lang).to_owned(),
            Place::Title => self.brand.title.get(self.lang).to_owned(),
            Place::Receipt => self.job.receipt.clone(),
            Place::Url => self.links.job(self.job.id),
            Place::ReportUrl => self.links.report(self.job.id),
            Place::WebmailUrl => link(&self.brand.links.webmail),
            Place::FaqUrl => link(&self.brand.links.faq),
            Place::Messages => Messages(self.scanned()).show(self.lang),
            Place::Done => Messages(self.done()).show(self.lang),
            Place::Failed => Messages(self.failed()).show(self.lang),
            Place::Until => self.until().map_or_else(String::new, |m| m.show(self.lang)),
            Place::Details => match self.brand.notices.details {
                Details::Append => self.details().join("\n"),
                Details::None => String::new(),
            },
        }
    }

    /// The brand's text; where it has no place for the details they follow it.
    fn own_body(&self, template: &Template) -> String {
        let mut body = self.fill(template);
        if !body.ends_with('\n') {
            body.push('\n');
        }
        if self.brand.notices.details == Details::Append && !template.has(Place::Details) {
            body.push('\n');
            let mut details = self.details();
            details.extend(self.about_upload());
            body.push_str(&details.join("\n"));
            body.push('\n');
        }
        body
    }

    fn subject(&self) -> String {
        let brand = self.brand.name.get(self.lang);
        let title = self.brand.title.get(self.lang);
        let subject = match self.kind {
            NoticeKind::Accepted => say::accepted_subject,
            NoticeKind::Success => say::success_subject,
            NoticeKind::Partly => say::partly_subject,
            NoticeKind::Failure => say::failure_subject,
            NoticeKind::Waiting => say::waiting_subject,
            NoticeKind::SignInAgain => say::sign_in_again_subject,
            NoticeKind::Cancelled => say::cancelled_subject,
            NoticeKind::Undone => say::undone_subject,
            NoticeKind::Expired => say::expired_subject,
        };
        subject(brand, title, &self.job.receipt, self.lang)
    }

    /// Paragraphs: what happened, what comes next, the details, what is promised, who sends this.
    fn usual_body(&self) -> String {
        let mut paragraphs = vec![self.first_words()];
        if self.brand.notices.details == Details::Append {
            paragraphs.push(self.details());
        }
        let mut links = Vec::new();
        match self.kind {
            NoticeKind::Success => {
                if let Some(url) = &self.brand.links.webmail {
                    links.push(say::webmail_at(url, self.lang));
                }
                paragraphs.push(links);
                let mut promises = vec![say::source_untouched(self.lang)];
                promises.extend(self.about_upload());
                promises.push(match self.is_upload() {
                    true => say::keep_the_file(self.lang),
                    false => say::keep_the_old_server(self.lang),
                });
                paragraphs.push(promises);
            }
            NoticeKind::Partly
            | NoticeKind::Failure
            | NoticeKind::SignInAgain
            | NoticeKind::Cancelled => {
                if let Some(url) = &self.brand.links.support {
                    links.push(say::support_at(url, self.lang));
                }
                paragraphs.push(links);
                let mut promises = vec![say::source_untouched(self.lang)];
                promises.extend(self.about_upload());
                paragraphs.push(promises);
            }
            NoticeKind::Accepted
            | NoticeKind::Waiting
            | NoticeKind::Undone
            | NoticeKind::Expired => {}
        }
        paragraphs.push(vec![say::closing(self.lang)]);
        paragraphs.push(vec![
            "--".to_owned(),
            self.brand.name.get(self.lang).to_owned(),
        ]);
        paragraphs.retain(|lines| !lines.is_empty());
        let paragraphs: Vec<String> = paragraphs.iter().map(|lines| lines.join("\n")).collect();
        paragraphs.join("\n\n") + "\n"
    }

    fn first_words(&self) -> Vec<String> {
        let (dest, lang) = (self.dest.as_str(), self.lang);
        match self.kind {
            NoticeKind::Accepted => vec![say::accepted(dest, lang), say::accepted_next(lang)],
            NoticeKind::Success if self.scanned() == 0 => vec![say::success_empty(dest, lang)],
            NoticeKind::Success => vec![say::success(dest, lang)],
            NoticeKind::Partly => vec![say::partly(dest, lang)],
            NoticeKind::Failure if self.job.kind == Kind::Undo => {
                vec![say::failure_undo(dest, lang)]
            }
            NoticeKind::Failure => vec![say::failure(dest, lang)],
            NoticeKind::Waiting => {
                let next = match self.until() {
                    Some(until) => say::waiting_until(until, lang),
                    None => say::waiting_open(lang),
                };
                vec![say::waiting(dest, lang), next]
            }
            NoticeKind::SignInAgain => {
                vec![
                    say::sign_in_again(dest, lang),
                    say::sign_in_again_next(lang),
                ]
            }
            NoticeKind::Cancelled if self.job.kind == Kind::Undo => {
                vec![say::cancelled_undo(dest, lang)]
            }
            NoticeKind::Cancelled => vec![say::cancelled(dest, lang)],
            NoticeKind::Undone => vec![say::undone(dest, lang)],
            NoticeKind::Expired => vec![say::expired(dest, lang), say::expired_next(lang)],
        }
    }

    /// Cause and remedy, counts, where to go.
    fn details(&self) -> Vec<String> {
        let lang = self.lang;
        let page = self.links.job(self.job.id);
        let mut lines = vec![say::receipt(&self.job.receipt, lang)];
        match self.kind {
            NoticeKind::Accepted => lines.push(say::see_progress(&page, lang)),
            NoticeKind::Success => {
                lines.extend(self.equation());
                lines.push(say::see_report(&self.links.report(self.job.id), lang));
            }
            NoticeKind::Partly => {
                lines.extend(self.equation());
                if self.failed() > 0 {
                    lines.push(say::not_copied(Messages(self.failed()), lang));
                }
                lines.extend(self.causes());
                lines.push(say::see_report(&self.links.report(self.job.id), lang));
            }
            NoticeKind::Failure => {
                lines.extend(self.cause_and_remedy());
                lines.extend(self.so_far());
                lines.push(say::continue_at(&page, lang));
            }
            NoticeKind::Waiting => {
                lines.extend(self.cause());
                lines.extend(self.so_far());
                lines.push(say::see_progress(&page, lang));
            }
            NoticeKind::SignInAgain => {
                lines.extend(self.so_far());
                lines.push(say::sign_in_at(&page, lang));
            }
            NoticeKind::Cancelled => {
                lines.extend(self.so_far());
                lines.push(say::again_at(&page, lang));
            }
            NoticeKind::Undone => {
                let plan = self.job.undo.clone().unwrap_or_default();
                let removed = plan.lines.iter().map(|line| line.removed).sum();
                let left = plan.lines.iter().map(|line| line.touched + line.only_copy);
                lines.push(say::taken_away(Messages(removed), lang));
                lines.push(say::left_alone(Messages(left.sum()), lang));
            }
            NoticeKind::Expired => lines.push(say::again_at(&page, lang)),
        }
        lines
    }

    fn is_upload(&self) -> bool {
        self.job.order.source.upload().is_some()
    }

    /// What became of the file that the job was read from. It is gone when this is read: it goes with the job.
    fn about_upload(&self) -> Option<String> {
        if !self.is_upload() || self.job.kind == Kind::Undo {
            return None;
        }
        match self.kind {
            NoticeKind::Success | NoticeKind::Partly | NoticeKind::Cancelled => {
                Some(say::upload_deleted(self.lang))
            }
            NoticeKind::Failure | NoticeKind::SignInAgain => Some(say::upload_kept(self.lang)),
            NoticeKind::Accepted
            | NoticeKind::Waiting
            | NoticeKind::Undone
            | NoticeKind::Expired => None,
        }
    }

    fn equation(&self) -> Option<String> {
        let report = self.report.as_ref()?;
        Some(hikyaku_text::report::equation(report, self.lang))
    }

    /// Why it does not go on by itself, as the catalogue says it.
    fn fault(&self) -> Option<Fault> {
        let waiting = self.job.progress.waiting.as_ref();
        let fault = match self.kind {
            NoticeKind::Waiting => waiting.map(|waiting| &waiting.because),
            _ => self.job.fault.as_ref(),
        };
        fault.map(Fault::from)
    }

    fn cause(&self) -> Option<String> {
        let fault = self.fault()?;
        Some(cause(fault.code, fault.at.side, self.lang))
    }

    fn cause_and_remedy(&self) -> Vec<String> {
        let Some(fault) = self.fault() else {
            return Vec::new();
        };
        let remedy = page::explain(fault.code, self.lang).remedy;
        vec![
            cause(fault.code, fault.at.side, self.lang),
            say::remedy(remedy, self.lang),
        ]
    }

    /// Each cause of an exception with its count, most frequent first.
    fn causes(&self) -> Vec<String> {
        let mut counts: Vec<(Code, u64)> = Vec::new();
        for exception in self.report.iter().flat_map(|report| &report.exceptions) {
            let code = exception.fault.code;
            match counts.iter_mut().find(|(known, _)| *known == code) {
                Some((_, count)) => *count += 1,
                None => counts.push((code, 1)),
            }
        }
        counts.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        let line = |(code, count): &(Code, u64)| {
            let title = page::explain(*code, self.lang).title;
            say::because(title, code.short(), Count(*count), self.lang)
        };
        counts.iter().take(MOST_CAUSES).map(line).collect()
    }

    fn so_far(&self) -> Option<String> {
        Some(self.done())
            .filter(|done| *done > 0)
            .map(|done| say::so_far(Messages(done), self.lang))
    }

    fn scanned(&self) -> u64 {
        match &self.report {
            Some(report) => report.scanned(),
            None => self.job.progress.messages,
        }
    }

    /// Messages that are at the destination, or need not be.
    fn done(&self) -> u64 {
        match &self.report {
            Some(report) => report.scanned().saturating_sub(self.failed()),
            None => self.job.progress.messages_done,
        }
    }

    fn failed(&self) -> u64 {
        self.report
            .as_ref()
            .map_or(0, |report| report.tally().failures())
    }

    fn until(&self) -> Option<say::Moment> {
        let waiting = self.job.progress.waiting.as_ref()?;
        Some(self.links.moment(waiting.until_millis))
    }
}

fn cause(code: Code, side: Option<Side>, lang: Lang) -> String {
    let explained = page::explain(code, lang);
    let cause = match side {
        Some(side) => hikyaku_text::fault::at_side(side, explained.cause, lang),
        None => explained.cause.to_owned(),
    };
    say::cause(&cause, code.short(), lang)
}
