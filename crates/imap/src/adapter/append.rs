//! Letters to one APPEND, or to a few where they cannot travel together.

use super::opened::Opened;
use crate::connection::{AppendEnd, Room, shut_gate};
use crate::encode::{Append, AppendMessage, Command, WireDate, WireFlags, is_safe_without_waiting};
use crate::quirks::append_fault;
use crate::response::{Reply, ReplyCode};
use futures::FutureExt;
use hikyaku_core::traits::{Appended, Gate, Pending};
use hikyaku_core::{Body, Epoch, Fault, Key, Letter};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Unanswered appends at a time, at most.
const APPENDS: usize = 8;

/// Unanswered octets at a time, in KiB: what may be in doubt when a connection is lost.
/// One larger message goes alone.
const KIBS: u32 = 16 * 1024;

/// Room for what is unanswered.
#[derive(Clone)]
pub(super) struct Window {
    appends: Arc<Semaphore>,
    kibs: Arc<Semaphore>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            appends: Arc::new(Semaphore::new(APPENDS)),
            kibs: Arc::new(Semaphore::new(KIBS as usize)),
        }
    }

    /// Waits for room; it is given back with the answer.
    async fn room(&self, octets: u64) -> Room {
        let kibs = u32::try_from(octets.div_ceil(1024))
            .unwrap_or(KIBS)
            .min(KIBS);
        let appends = Arc::clone(&self.appends).acquire_owned().await;
        let kibs = Arc::clone(&self.kibs).acquire_many_owned(kibs).await;
        // Neither is ever closed.
        Room::new([appends, kibs].into_iter().flatten().collect())
    }
}

/// The end of one command.
type End = oneshot::Receiver<AppendEnd>;

/// See [`hikyaku_core::traits::Writer::append`].
pub(super) async fn append(
    opened: &mut Opened,
    letters: Vec<Letter>,
    gate: Arc<dyn Gate>,
) -> Result<Pending, Fault> {
    opened.will_change();
    let named: Option<Key> = match letters.as_slice() {
        [letter] => Some(letter.key),
        _ => None,
    };
    let mut ends: Vec<(usize, End)> = Vec::new();
    // A gate that is shut already costs nobody a connection.
    let mut unsent = (!gate.is_open()).then(shut_gate);
    let letters = if unsent.is_none() {
        letters
    } else {
        Vec::new()
    };
    for group in groups(opened, letters) {
        let count = group.len();
        let octets = group.iter().map(|(_, body)| body.octets()).sum();
        let (messages, bodies): (Vec<AppendMessage>, Vec<Body>) = group.into_iter().unzip();
        let room = opened.window.room(octets).await;
        let command = Command::Append(Append {
            mailbox: opened.wire().clone(),
            messages,
        });
        match opened.connection().append(&command, bodies, &gate, room) {
            Ok(end) => ends.push((count, end)),
            Err(fault) => {
                unsent = Some(fault);
                break;
            }
        }
    }
    let mailbox = opened.mailbox().to_owned();
    let obituary = opened.connection().obituary();
    let place = move |fault: Fault| {
        let fault = obituary.placed(fault).mailbox(&mailbox);
        match named {
            Some(key) => fault.message(key),
            None => fault,
        }
    };
    Ok(async move {
        let mut whole = Whole::new();
        for (count, end) in ends {
            match end.await {
                Ok(end) => whole.add(count, end),
                // Cannot be: a connection tells everything in flight before it goes.
                Err(_) => whole.add(
                    count,
                    AppendEnd::Unknown(Fault::bug("an append was forgotten")),
                ),
            }
        }
        if let Some(fault) = unsent {
            whole.add(0, AppendEnd::NotSent(fault));
        }
        match whole.result {
            Appended::Refused(fault) => Appended::Refused(place(fault)),
            Appended::Unknown(fault) => Appended::Unknown(place(fault)),
            stored @ Appended::Stored { .. } => stored,
        }
    }
    .boxed())
}

/// Messages that may travel in one command: those of which nothing can be refused as
/// a syntax error together, every other alone.
fn groups(opened: &Opened, letters: Vec<Letter>) -> Vec<Vec<(AppendMessage, Body)>> {
    let style = opened.connection().style();
    let mut groups: Vec<Vec<(AppendMessage, Body)>> = Vec::new();
    let mut joins = false;
    for letter in letters {
        let (kept, _) = hikyaku_core::traits::Writer::permanent_flags(opened).divide(&letter.flags);
        let (flags, _) = WireFlags::divide(&kept);
        let date = letter.date.and_then(WireDate::new);
        let is_safe = is_safe_without_waiting(style, opened.wire(), &flags, date.as_ref());
        let message = AppendMessage {
            flags,
            date,
            octets: letter.body.octets(),
            utf8: false,
            wait: !is_safe,
        };
        let item = (message, letter.body);
        match groups.last_mut() {
            Some(group) if joins && is_safe => group.push(item),
            _ => groups.push(vec![item]),
        }
        joins = is_safe;
    }
    groups
}

/// The answers of several commands as one.
struct Whole {
    result: Appended,
}

impl Whole {
    fn new() -> Self {
        Self {
            result: Appended::Stored {
                epoch: None,
                keys: Some(Vec::new()),
            },
        }
    }

    /// The first failure counts, but what is unknown outweighs what is refused.
    fn add(&mut self, count: usize, end: AppendEnd) {
        let next = match end {
            AppendEnd::Answered(reply) if reply.is_ok() => stored(count, reply),
            AppendEnd::Answered(reply) => Appended::Refused(append_fault(&reply)),
            AppendEnd::NotSent(fault) => Appended::Refused(fault),
            AppendEnd::Unknown(fault) => Appended::Unknown(fault),
        };
        match (&mut self.result, next) {
            (
                Appended::Stored { epoch, keys },
                Appended::Stored {
                    epoch: next_epoch,
                    keys: next_keys,
                },
            ) => {
                let same = epoch.is_none() || *epoch == next_epoch;
                *keys = match (keys.take(), next_keys) {
                    (Some(mut all), Some(more)) if same => {
                        all.extend(more);
                        Some(all)
                    }
                    _ => None,
                };
                *epoch = next_epoch;
            }
            (result @ Appended::Stored { .. }, failure) => *result = failure,
            (result @ Appended::Refused(_), failure @ Appended::Unknown(_)) => *result = failure,
            _ => {}
        }
    }
}

fn stored(count: usize, reply: Reply) -> Appended {
    match reply.code {
        Some(ReplyCode::AppendUid { epoch, uids }) => Appended::Stored {
            epoch: Some(Epoch(epoch.0)).filter(|e| e.0 != 0),
            keys: uids.exactly(count),
        },
        _ => Appended::Stored {
            epoch: None,
            keys: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::{ReplyKind, UidRanges};
    use hikyaku_core::{Code, Reach, Remedy};

    fn ok(epoch: u64, uids: &[(u64, u64)]) -> AppendEnd {
        AppendEnd::Answered(Reply {
            kind: ReplyKind::Ok,
            code: Some(ReplyCode::AppendUid {
                epoch: Epoch(epoch),
                uids: UidRanges(uids.to_vec()),
            }),
            raw_code: None,
            text: String::new(),
        })
    }

    fn fault(code: Code) -> Fault {
        Fault::new(code, Reach::Side, Remedy::AskUser, "")
    }

    fn all(ends: Vec<(usize, AppendEnd)>) -> String {
        let mut whole = Whole::new();
        for (count, end) in ends {
            whole.add(count, end);
        }
        match whole.result {
            Appended::Stored { epoch, keys } => format!("{:?} {keys:?}", epoch.map(|e| e.0)),
            Appended::Refused(fault) => format!("refused {}", fault.code),
            Appended::Unknown(fault) => format!("unknown {}", fault.code),
        }
    }

    #[test]
    fn answers_of_several_commands_become_one() {
        assert_eq!(
            all(vec![(2, ok(7, &[(5, 6)])), (1, ok(7, &[(9, 9)]))]),
            "Some(7) Some([Key(5), Key(6), Key(9)])"
        );
        assert_eq!(
            all(vec![(2, ok(7, &[(5, 5)]))]),
            "Some(7) None",
            "a key too few"
        );
        let refused = || AppendEnd::NotSent(fault(Code::LinkLost));
        let unknown = || AppendEnd::Unknown(fault(Code::LinkSilent));
        assert_eq!(
            all(vec![(1, ok(7, &[(5, 5)])), (1, refused())]),
            "refused link.lost"
        );
        assert_eq!(
            all(vec![(1, refused()), (1, unknown())]),
            "unknown link.silent"
        );
        assert_eq!(
            all(vec![(1, unknown()), (1, refused())]),
            "unknown link.silent"
        );
        assert_eq!(
            all(vec![(1, unknown()), (1, ok(7, &[(5, 5)]))]),
            "unknown link.silent"
        );
    }
}
