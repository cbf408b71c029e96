//! The JSON contract of the command line and the API.
//!
//! Each event of a run is one object with a `type`; the first one names the [`SCHEMA`]. Types
//! of `core` are converted by explicit functions and are never serialized themselves, so a
//! rename inside cannot break somebody's script. `docs/json.md` shows every object; a
//! test makes it from here.
//!
//! Within one schema number objects only gain fields and `type`s: readers ignore what they do
//! not know.

#![warn(missing_docs)]

mod event;
mod fault;
mod files;
mod heading;
mod leave_pop;
mod plan;
mod report;
mod stored;
mod undo;
mod words;

pub use event::{Connected, Folder, Line, Start};
pub use fault::{CodeView, FaultView, SaidView};
pub use files::{BackupView, FoundView, RecognisedView, StoreView};
pub use heading::{Heading, decode};
pub use leave_pop::{LeavePopView, SourceEndView, StepView};
pub use plan::{ChangeView, MailboxPlanView, PlanView, RoomView};
pub use report::{
    ExceptionView, MailboxReportView, NoteView, OutcomesView, ReportView, TallyView, WaitView,
};
pub use stored::side;
pub use undo::{KeptView, UndoLineView, UndoPlanView, UndoReportView};

/// Number of the contract; rises only when a meaning changes or a field goes.
pub const SCHEMA: u32 = 1;
