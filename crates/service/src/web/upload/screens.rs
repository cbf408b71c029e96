//! The two pages of an upload: which file, and what is in it.

use super::order::Typed;
use super::{id, is_replaceable, rejection, uploads};
use crate::job::{Job, UploadId};
use crate::uploads::{MOST_AT_ONCE, MOST_FOLDERS, OVERLAP, Record, Refusal, Seen, Upload};
use crate::web::form::view::Mode;
use crate::web::form::{Entered, Field, Wrong, modes, numbered, one_time_token};
use crate::web::told::told;
use crate::web::{Answer, Fields, Page, Rejection, SignedIn, shown};
use askama::Template;
use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use hikyaku_cell::wire::{KindWire, SawWire};
use hikyaku_text::page as f;
use hikyaku_text::page::form as t;
use hikyaku_text::page::upload as u;
use hikyaku_text::{Count, Lang, Mailboxes, Messages, Size, archive};

/// One upload of a list.
struct File {
    id: UploadId,
    line: String,
    next: Option<String>,
    removable: bool,
}

mod choose_view {
    use super::*;
    use hikyaku_text::page::upload as t;

    #[derive(Template)]
    #[template(path = "upload.html")]
    pub(super) struct View<'a> {
        pub(super) page: &'a Page,
        pub(super) wrong: Option<String>,
        pub(super) again: bool,
        pub(super) most: Size,
        pub(super) chunk: usize,
        pub(super) overlap: u64,
        pub(super) progress: String,
        pub(super) files: Vec<File>,
    }
}

/// `GET /upload`.
pub(super) async fn choose(who: SignedIn, RawQuery(query): RawQuery) -> Answer {
    let query = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    choose_with(&who, query.has("again"), StatusCode::OK, None).await
}

/// The first page, with what is wrong with the file that came.
pub(super) async fn choose_with(
    who: &SignedIn,
    again: bool,
    status: StatusCode,
    wrong: Option<String>,
) -> Answer {
    let uploads = uploads(who)?;
    let files = uploads.of(&who.owner).await.map_err(rejection)?;
    let most = uploads.limits().most_octets;
    let most = who.plan().max_upload_octets.map_or(most, |m| m.min(most));
    let view = choose_view::View {
        page: who,
        wrong,
        again,
        most: Size(most),
        chunk: MOST_AT_ONCE,
        overlap: OVERLAP,
        progress: u::progress("{done}", "{all}", who.lang),
        files: files.iter().map(|file| line(file, who.lang)).collect(),
    };
    who.show_as(status, &view)
}

fn line(upload: &Upload, lang: Lang) -> File {
    let record = &upload.record;
    let (name, all) = (shown::short(&record.name), Size(record.octets));
    let (line, next) = match (&record.job, upload.is_whole()) {
        (Some(job), _) => (
            u::taken_line(&name, all, lang),
            Some(format!("/jobs/{job}")),
        ),
        (None, true) => (
            u::whole_line(&name, all, lang),
            Some(format!("/uploads/{}", record.id)),
        ),
        (None, false) => (
            u::unfinished_line(&name, Size(upload.held), all, lang),
            None,
        ),
    };
    File {
        id: record.id,
        line,
        next,
        removable: record.job.is_none(),
    }
}

#[derive(Template)]
#[template(path = "uploaded.html")]
struct View<'a> {
    page: &'a Page,
    id: UploadId,
    name: String,
    told: Vec<String>,
    readable: bool,
    folders: Vec<(String, String)>,
    kinds: Vec<(String, String, bool)>,
    fields: Vec<Field>,
    entered: &'a Entered,
    modes: Vec<Mode>,
    details_open: bool,
    token: String,
    check: String,
    wrongs: Vec<Wrong>,
}

/// `GET /uploads/{id}`.
pub(super) async fn found(who: SignedIn, Path(text): Path<String>) -> Answer {
    match looked(&who, &text).await? {
        Looked::Here(record, before) => {
            let typed = Typed::of(&who, &record, before.as_deref());
            show(&who, &record, &typed, one_time_token(), Vec::new())
        }
        Looked::Elsewhere(address) => Ok(Redirect::to(&address).into_response()),
    }
}

/// What became of an upload that somebody asks for.
pub(super) enum Looked {
    /// It is whole and waits for its order, or was ordered by this job, which never began.
    Here(Box<Record>, Option<Box<Job>>),
    /// There is nothing to order: the address to go on at.
    Elsewhere(String),
}

/// See [`Looked`].
pub(super) async fn looked(who: &SignedIn, text: &str) -> Result<Looked, Rejection> {
    let record = match uploads(who)?.look(&who.owner, id(text)?).await {
        Ok(record) => record,
        Err(Refusal::Offset(_)) => return Ok(Looked::Elsewhere("/upload".to_owned())),
        Err(refusal) => return Err(rejection(refusal)),
    };
    let Some(job) = record.job.clone() else {
        return Ok(Looked::Here(Box::new(record), None));
    };
    let before = match job.parse() {
        Ok(job) => who.jobs().job(&who.owner, job).await?,
        Err(_) => None,
    };
    Ok(match before {
        Some(before) if is_replaceable(&before) => {
            Looked::Here(Box::new(record), Some(Box::new(before)))
        }
        _ => Looked::Elsewhere(format!("/jobs/{job}")),
    })
}

/// The second page, with what is wrong with its form.
pub(super) fn show(
    who: &SignedIn,
    record: &Record,
    typed: &Typed,
    token: String,
    wrongs: Vec<Wrong>,
) -> Answer {
    let lang = who.lang;
    let (told, readable, kinds, folders) = seen(record, lang);
    let kind = |kind: &KindWire| {
        let label = u::several_line(
            archive::kind(&kind.kind, lang),
            Mailboxes(kind.folders),
            Messages(kind.messages),
            lang,
        );
        (kind.kind.clone(), label, typed.kind == kind.kind)
    };
    let status = match wrongs.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let view = View {
        id: record.id,
        name: shown::short(&record.name),
        told,
        readable,
        folders,
        kinds: kinds.iter().map(kind).collect(),
        fields: fields(who, typed, &wrongs),
        modes: modes(&who.plan().reruns, &typed.entered.rerun, lang),
        details_open: typed.entered.has_details(who.plan())
            || wrongs.iter().any(|wrong| DETAILS.contains(&wrong.field)),
        entered: &typed.entered,
        token,
        check: t::check(lang),
        page: who,
        wrongs,
    };
    who.show_as(status, &view)
}

/// The fields of the part that is closed at first.
const DETAILS: [&str; 3] = ["since", "before", "rerun"];

impl View<'_> {
    fn wrong_at(&self, id: &str) -> Option<&str> {
        let wrong = self.wrongs.iter().find(|wrong| wrong.field == id);
        wrong.map(|wrong| wrong.text.as_str())
    }
}

fn fields(who: &SignedIn, typed: &Typed, wrongs: &[Wrong]) -> Vec<Field> {
    let lang = who.lang;
    let field = |id: &'static str, mark: &str, label: &str, hint: String| Field {
        id,
        label: numbered(mark, label),
        hint,
        kind: "password",
        complete: "current-password",
        value: String::new(),
        locked: false,
        wrong: wrongs
            .iter()
            .find(|wrong| wrong.field == id)
            .map(|wrong| wrong.text.clone()),
        width: false,
    };
    let mut fields = Vec::new();
    if who.types_password() {
        let hint = t::password_hint(who.owner.address.as_str(), lang);
        fields.push(Field {
            width: typed.is_password_odd,
            ..field("password", "①", &t::password(lang), hint)
        });
    }
    fields.push(Field {
        kind: "email",
        complete: "email",
        value: typed.entered.notify.clone(),
        ..field("notify", "⑤", &t::notify(lang), t::notify_hint(lang))
    });
    fields
}

type Told = (Vec<String>, bool, Vec<KindWire>, Vec<(String, String)>);

/// What the file turned out to be: sentences, whether it can be read, of several kinds which, and its folders.
fn seen(record: &Record, lang: Lang) -> Told {
    let unreadable = |told: Vec<String>| (told, false, Vec::new(), Vec::new());
    let (saw, folders) = match &record.seen {
        Some(Seen::Saw { saw, folders }) => (saw, folders),
        Some(Seen::Fault(fault)) => {
            let told = told(fault, lang);
            return unreadable(vec![told.cause.to_owned(), told.remedy.to_owned()]);
        }
        None => return unreadable(vec![u::broken(lang)]),
    };
    match saw {
        SawWire::Found(kinds) if kinds.len() > 1 => (Vec::new(), true, kinds.clone(), Vec::new()),
        SawWire::Found(kinds) => {
            let listed = folders.as_deref().and_then(counted);
            let told = kinds.iter().map(|found| {
                let say = match found.is_exact || listed.is_some() {
                    true => archive::found,
                    false => archive::found_about,
                };
                let kind = archive::kind(&found.kind, lang);
                let (folders, messages) = listed.unwrap_or((found.folders, found.messages));
                let (folders, messages) = (Mailboxes(folders), Messages(messages));
                say(kind, folders, messages, Size(found.octets), lang)
            });
            let folders = folders.iter().flatten().map(|(name, messages)| {
                let messages = messages.map(Messages);
                let messages = messages.map(|n| hikyaku_text::Show::show(&n, lang).to_string());
                (shown::folder(name, lang), messages.unwrap_or_default())
            });
            (
                told.collect(),
                !kinds.is_empty(),
                Vec::new(),
                folders.collect(),
            )
        }
        SawWire::Outlook(files) => unreadable(vec![
            archive::outlook(Count(*files), lang),
            u::outlook_hint(lang),
        ]),
        SawWire::Compressed => unreadable(vec![u::compressed(lang)]),
        SawWire::Nothing { files, .. } => unreadable(vec![u::nothing(Count(*files), lang)]),
    }
}

/// How many folders and messages a list names; `None` where it may not be whole.
fn counted(folders: &[(String, Option<u64>)]) -> Option<(u64, u64)> {
    let messages = folders
        .iter()
        .map(|(_, messages)| *messages)
        .sum::<Option<u64>>()?;
    (folders.len() < MOST_FOLDERS).then_some((folders.len() as u64, messages))
}
