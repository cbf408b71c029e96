//! `GET /jobs/{id}/events`: how a job is going, told as it happens (server-sent events, HTML Standard §9.2).
//!
//! Whatever was missed does not matter: each event tells the whole state, but for folders that have not changed since
//! the one before. So it makes no difference whether the browser, the network or this process was gone in between.

use super::job::own;
use super::later::Screen;
use super::progress::{Folder, Progressing, progressing};
use super::progress_page::eyes;
use super::{Answer, Fields, Rejection, SignedIn};
use crate::job::{Job, JobId};
use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use futures::stream::unfold;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

/// Shortest time between two events.
const PACE: Duration = Duration::from_millis(500);

/// The job is looked at this often although nobody rang: the time that is left gets shorter by itself, and the work may be
/// done by another process.
const LOOK: Duration = Duration::from_secs(5);

/// So often something is sent although nothing changed, so that nobody on the way takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// After so long the browser has to come back: then it is asked again who it is.
const LIFE: Duration = Duration::from_secs(600);

/// The browser comes back after so long.
const RETRY: Duration = Duration::from_secs(2);

/// Pages that may listen at once; the others reload by themselves.
static LISTENERS: Semaphore = Semaphore::const_new(2_000);

/// The events of one job.
pub(crate) async fn show(
    who: SignedIn,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let job = own(&who, &id).await?;
    let query = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let screen = match query.text("screen") {
        "check" => Screen::Check,
        _ => Screen::Progress,
    };
    let seat = LISTENERS
        .try_acquire()
        .map_err(|_| Rejection::TooOften(HEARTBEAT))?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let bell = who.jobs().watch(job.id);
    let listener = Listener {
        id: job.id,
        screen,
        last: last.unwrap_or_default().to_owned(),
        folders: Vec::new(),
        bell,
        next: Instant::now(),
        until: Instant::now() + LIFE,
        is_over: false,
        _seat: seat,
        who,
    };
    let events = Sse::new(listener.events());
    Ok(events
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

struct Listener {
    who: SignedIn,
    id: JobId,
    screen: Screen,
    /// Digest of what was told last.
    last: String,
    /// The folders as they were told last.
    folders: Vec<Folder>,
    bell: watch::Receiver<u64>,
    /// Not before this there is another event.
    next: Instant,
    until: Instant,
    is_over: bool,
    _seat: SemaphorePermit<'static>,
}

impl Listener {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut listener| async move {
            let event = listener.event().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next thing to tell; `None` ends the stream.
    async fn event(&mut self) -> Option<Event> {
        while !self.is_over && Instant::now() < self.until {
            tokio::time::sleep_until(self.next).await;
            // Order matters: what happens after the job was read rings once more.
            self.bell.borrow_and_update();
            let job = self.who.jobs().job(&self.who.owner, self.id).await;
            match job {
                Ok(Some(job)) => {
                    if let Some(event) = self.tell(&job) {
                        self.next = Instant::now() + PACE;
                        return Some(event.retry(RETRY));
                    }
                }
                // The page that comes instead says that there is none.
                Ok(None) => return self.leave(),
                Err(fault) => {
                    tracing::error!(code = %fault.code, "a job cannot be read: {}", fault.detail);
                }
            }
            // An error means that nobody can ring any more; then looking now and again has to do.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK, self.bell.changed()).await {
                tokio::time::sleep(LOOK).await;
            }
        }
        None
    }

    fn tell(&mut self, job: &Job) -> Option<Event> {
        if Screen::of(job) != self.screen {
            return self.leave();
        }
        match self.screen {
            Screen::Check => {
                let lines = job.checked.as_ref().map(|checked| &checked.lines);
                let data = json!({ "state": job.state, "lines": lines });
                let digest = digest(&data.to_string());
                self.is_new(&digest).then(|| {
                    Event::default()
                        .event("check")
                        .id(digest)
                        .data(data.to_string())
                })
            }
            _ => {
                let mut now = self.who.clone();
                now.page.now_millis = now.app.now_millis();
                let seen = progressing(job, eyes(&now));
                let digest = digest(&format!("{seen:?}"));
                if !self.is_new(&digest) {
                    return None;
                }
                let data = data(&seen, &self.folders);
                self.folders = seen.folders;
                Some(Event::default().event("progress").id(digest).data(data))
            }
        }
    }

    fn is_new(&mut self, digest: &str) -> bool {
        let is_new = self.last != digest;
        digest.clone_into(&mut self.last);
        is_new
    }

    /// Another screen has taken the place of this one.
    fn leave(&mut self) -> Option<Event> {
        self.is_over = true;
        let data = json!({ "location": format!("/jobs/{}", self.id) });
        Some(Event::default().event("go").data(data.to_string()))
    }
}

/// What the page needs: ready-made sentences, figures for the bar, and the folders that are not as they were told.
pub(crate) fn data(seen: &Progressing, told: &[Folder]) -> String {
    let changes = seen
        .folders
        .iter()
        .enumerate()
        .filter(|(place, folder)| told.get(*place) != Some(folder));
    let folders: Vec<_> = changes
        .map(|(place, folder)| json!([place, folder.messages, folder.done, folder.word]))
        .collect();
    json!({
        "heading": seen.heading,
        "hint": seen.hint,
        "line": seen.line,
        "octets": seen.octets,
        "copied": seen.copied,
        "bar": seen.bar,
        "controls": seen.controls.as_str(),
        "rows": seen.folders.len(),
        "folders": folders,
    })
    .to_string()
}

/// Names a state of affairs, so that a browser that comes back is not told what it knows.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::sample;
    use crate::web::shown::tests::eyes;
    use hikyaku_text::Lang;

    #[test]
    fn an_event_tells_everything_but_folders_that_stayed_as_they_were() {
        let mut job = sample::job();
        let before = progressing(&job, eyes(Lang::En));
        let whole: serde_json::Value = serde_json::from_str(&data(&before, &[])).expect("JSON");
        assert_eq!(
            whole,
            json!({
                "heading": "Copying",
                "hint": "",
                "line": "5,120 of 12,408 messages, about 14 min left, now in 受信トレイ 2023年",
                "octets": "1.0 GB of 3.0 GB",
                "copied": "Newly copied in this run: 5,117 messages",
                "bar": [1_u64 << 30, 3_u64 << 30],
                "controls": "pause",
                "rows": 3,
                "folders": [
                    [0, "5,000", "5,000", "finished"],
                    [1, "7,000", "120", "under way"],
                    [2, "408", "0", "to come"],
                ],
            })
        );
        job.progress.folders[2].done = 8;
        let after = progressing(&job, eyes(Lang::En));
        let change: serde_json::Value =
            serde_json::from_str(&data(&after, &before.folders)).expect("JSON");
        assert_eq!(change["folders"], json!([[2, "408", "8", "under way"]]));
        assert_eq!(change["rows"], 3);
    }

    #[test]
    fn a_line_of_an_event_cannot_be_broken_by_a_name() {
        let mut job = sample::job();
        job.progress.folder = Some("a\r\nevent: go\r\ndata: {}".to_owned());
        job.progress.folders[0].name = "\n\n".to_owned();
        let text = data(&progressing(&job, eyes(Lang::Ja)), &[]);
        assert!(!text.contains(['\r', '\n']), "{text}");
    }
}
