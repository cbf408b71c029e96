//! What may be sent where the whole account counts (`crate::elsewhere`).

use super::Work;
use super::scene::Scene;
use hikyaku_core::report::Note;
use hikyaku_core::{Code, Fault, Key, KeySet, MailboxState, Reach, Remedy, Side};

/// What came of looking for the messages of one line in the whole account. Anything else
/// that turns up to copy may be there already, so it is left to the next run.
#[derive(Debug)]
pub(crate) struct Sought {
    /// The source when it was looked through.
    pub(crate) state: MailboxState,
    /// Source keys of messages that are nowhere.
    pub(crate) nowhere: KeySet,
    /// Those that may be somewhere: they could not be compared.
    pub(crate) unsure: KeySet,
}

impl Work<'_> {
    /// Keeps what may be sent. The inner result tells why some of the rest has to wait.
    ///
    /// # Errors
    /// The source's keys are others by now.
    pub(super) async fn keep_to(
        &mut self,
        sought: &Sought,
        scene: &mut Scene,
        todo: &mut KeySet,
    ) -> Result<Result<(), Fault>, Fault> {
        if todo.is_empty() {
            return Ok(Ok(()));
        }
        if sought.state.epoch != Some(scene.epoch) {
            let detail = "the source renumbered its messages after they were looked for in the whole account";
            return Err(next_run(detail.to_owned()).on(Side::Source));
        }
        let all = std::mem::take(todo);
        *todo = all.and(&sought.nowhere);
        self.leave_for_later(scene, &all.and(&sought.unsure))
            .await?;
        let rest = all.minus(&sought.nowhere).minus(&sought.unsure);
        let Key(next) = sought.state.next.unwrap_or(Key(u64::MAX));
        let arrived = rest.and(&KeySet::range(next..=u64::MAX));
        if !arrived.is_empty() {
            self.finished.report.scanned -= arrived.len();
            self.finished.note(Note::Arrived {
                mailbox: self.line.source.name.clone(),
                messages: arrived.len(),
            });
        }
        match rest.len() - arrived.len() {
            0 => Ok(Ok(())),
            left => Ok(Err(next_run(format!(
                "{left} messages were not looked for in the whole account yet"
            )))),
        }
    }
}

fn next_run(detail: String) -> Fault {
    Fault::new(Code::MailboxListing, Reach::Mailbox, Remedy::Skip, detail)
}
