//! `POST /uploads/plain`: the whole file at once, as a form sends it without JavaScript.
//!
//! The octets go to the same upload as those of the script, part by part as they come. How many there are is known at the
//! end only: until then the length of the request stands for it. What breaks off is removed: a form cannot go on.

use super::parts::{Broken, Parts, boundary};
use super::screens::choose_with;
use super::{BUSY, is_of_page, rejection, told, uploads};
use crate::job::UploadId;
use crate::jobs::Owner;
use crate::uploads::{Refusal, Uploads, Wanted};
use crate::web::{Answer, Rejection, SignedIn};
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect};
use bytes::{Bytes, BytesMut};
use hikyaku_core::Fault;
use hikyaku_text::page::upload as t;
use tokio::sync::Semaphore;

/// Files that come at once, for everybody together.
static FILES: Semaphore = Semaphore::const_new(16);

/// Octets that are written at once.
const PORTION: usize = 1 << 20;

/// Octets of a form beside those of its file, at most about.
const FRAME: u64 = 64 << 10;

/// Whether a request brings a whole file: its token is the first field of the form, and checked here.
pub(crate) fn is_plain(method: &Method, address: &Uri) -> bool {
    *method == Method::POST && address.path() == "/uploads/plain"
}

/// Whether headers announce such a form.
pub(crate) fn is_announced(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.and_then(boundary).is_some()
}

/// What is refused: as a page of its own, or on the page with the form.
enum Refused {
    Page(Rejection),
    Upload(Refusal),
}

impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        Self::Page(match broken {
            Broken::Off => Rejection::Malformed,
            Broken::Silent => Rejection::TookTooLong,
        })
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::Page(rejection)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Upload(refusal)
    }
}

/// See the module.
pub(super) async fn send(who: SignedIn, headers: HeaderMap, body: Body) -> Answer {
    match take(&who, &headers, body).await {
        Ok(Some(id)) => Ok(Redirect::to(&format!("/uploads/{id}")).into_response()),
        Ok(None) => {
            let wrong = Some(t::file_missing(who.lang));
            choose_with(&who, false, StatusCode::UNPROCESSABLE_ENTITY, wrong).await
        }
        Err(Refused::Page(rejection)) => Err(rejection),
        Err(Refused::Upload(Refusal::Unknown)) => Err(rejection(Refusal::Unknown)),
        Err(Refused::Upload(refusal)) => {
            let (status, _, error) = told(&refusal, who.lang);
            choose_with(&who, false, status, Some(error)).await
        }
    }
}

/// Takes the file in; `None` where none was chosen.
async fn take(
    who: &SignedIn,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<UploadId>, Refused> {
    let uploads = uploads(who)?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let boundary = text(CONTENT_TYPE)
        .and_then(boundary)
        .ok_or(Rejection::NotAForm)?;
    let mut parts = Parts::new(boundary, body);
    let token = parts.next().await?.filter(|head| head.name == "csrf");
    if token.is_none() || !is_of_page(who, &parts.text(200).await?) {
        return Err(Rejection::Foreign.into());
    }
    who.app.limits().upload(who.client, &who.owner)?;
    let most = uploads.limits().most_octets;
    let most = who
        .plan()
        .max_upload_octets
        .map_or(most, |own| own.min(most));
    let announced: u64 = text(CONTENT_LENGTH)
        .and_then(|text| text.parse().ok())
        .unwrap_or(most);
    if announced > most.saturating_add(FRAME) {
        return Err(Refusal::TooLarge(most).into());
    }
    let _seat = FILES.try_acquire().map_err(|_| Rejection::TooOften(BUSY))?;
    let file = parts.next().await?.filter(|head| head.name == "file");
    let file = file.ok_or(Rejection::Malformed)?;
    let first = parts.chunk().await?;
    let first = match (file.file.is_empty(), first) {
        (true, _) => return Ok(None),
        (false, None) => return Err(Refusal::Empty.into()),
        (false, Some(first)) => first,
    };
    let wanted = Wanted {
        name: file.file,
        octets: announced.min(most),
        modified: 0,
        fresh: true,
        most: who.plan().max_upload_octets,
    };
    // To its end, even if nobody waits for it any more: what was begun is known to somebody who removes it.
    let begun = tokio::spawn(Unfinished::begin(
        uploads.clone(),
        who.owner.clone(),
        wanted,
    ));
    let begun = begun
        .await
        .map_err(|e| Fault::bug(format!("an upload: {e}")));
    let (id, unfinished) = begun.map_err(Refusal::from)??;
    let filled = fill(&uploads, &who.owner, id, first, &mut parts, most).await;
    unfinished.end(filled.is_ok()).await;
    filled?;
    let audited = who.app.audit(&who.owner, "upload.begin", who.client).await;
    audited.map_err(Rejection::from)?;
    Ok(Some(id))
}

/// Writes what comes until the end of the part.
async fn fill(
    uploads: &Uploads,
    owner: &Owner,
    id: UploadId,
    first: Bytes,
    parts: &mut Parts,
    most: u64,
) -> Result<(), Refused> {
    let mut came = BytesMut::from(&first[..]);
    let mut at = 0;
    loop {
        let chunk = parts.chunk().await?;
        let is_last = chunk.is_none();
        came.extend_from_slice(&chunk.unwrap_or_default());
        while came.len() >= PORTION || (is_last && !came.is_empty()) {
            let portion = came.split_to(came.len().min(PORTION)).freeze();
            at = match uploads.put(owner, id, at, portion).await {
                Ok(upload) => upload.held,
                // More than was announced.
                Err(Refusal::Offset(_)) => return Err(Refusal::TooLarge(most).into()),
                Err(refusal) => return Err(refusal.into()),
            };
        }
        if is_last {
            break;
        }
    }
    // The end of the form was seen, or it broke off.
    while parts.next().await?.is_some() {}
    Ok(uploads.settle(owner, id).await?)
}

/// An upload that is removed unless it turns out to be whole: also when the person goes away, and nobody is left to ask.
struct Unfinished {
    kept: Option<(Uploads, Owner, UploadId)>,
}

impl Unfinished {
    async fn begin(
        uploads: Uploads,
        owner: Owner,
        wanted: Wanted,
    ) -> Result<(UploadId, Self), Refusal> {
        let id = uploads.begin(&owner, wanted).await?.record.id;
        let kept = Some((uploads, owner, id));
        Ok((id, Self { kept }))
    }

    /// Whoever tries again at once finds room for it.
    async fn end(mut self, is_whole: bool) {
        if let Some((uploads, owner, id)) = self.kept.take()
            && !is_whole
        {
            uploads.remove(&owner, id).await.ok();
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some((uploads, owner, id)) = self.kept.take() {
            // What cannot be removed now goes when nothing happened to it for long.
            tokio::spawn(async move { uploads.remove(&owner, id).await.ok() });
        }
    }
}
