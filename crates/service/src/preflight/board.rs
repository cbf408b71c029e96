//! What the check knows so far. Both sides write on it; whoever waits is told of each change.

use crate::job::{CertificateQuestion, CheckLine, CheckState, CheckStep, Checked, Reached};
use hikyaku_core::Fault;
use hikyaku_net::Presented;
use hikyaku_view::{Connected, FaultView};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lines, in the order in which they are shown.
const STEPS: &[CheckStep] = &[
    CheckStep::Name,
    CheckStep::Connection,
    CheckStep::SourceLogin,
    CheckStep::DestinationLogin,
    CheckStep::Folders,
    CheckStep::Sizes,
    CheckStep::Space,
    CheckStep::Dns,
];

/// The same where the source is a file that was uploaded.
const STEPS_OF_FILES: &[CheckStep] = &[
    CheckStep::Archive,
    CheckStep::DestinationLogin,
    CheckStep::Folders,
    CheckStep::Sizes,
    CheckStep::Space,
    CheckStep::Dns,
];

/// See the module.
pub(super) struct Board<'a> {
    checked: Mutex<Checked>,
    tell: &'a (dyn Fn(&Checked) + Send + Sync),
}

impl<'a> Board<'a> {
    pub(super) fn new(tell: &'a (dyn Fn(&Checked) + Send + Sync), is_files: bool) -> Self {
        let steps = match is_files {
            true => STEPS_OF_FILES,
            false => STEPS,
        };
        let line = |step: &CheckStep| CheckLine {
            step: *step,
            state: CheckState::Open,
            fault: None,
        };
        let board = Self {
            checked: Mutex::new(Checked {
                lines: steps.iter().map(line).collect(),
                ..Checked::default()
            }),
            tell,
        };
        board.change(|_| {});
        board
    }

    fn lock(&self) -> MutexGuard<'_, Checked> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and tells of it.
    pub(super) fn change(&self, change: impl FnOnce(&mut Checked)) {
        let mut checked = self.lock();
        change(&mut checked);
        let now = checked.clone();
        drop(checked);
        (self.tell)(&now);
    }

    fn set(&self, step: CheckStep, state: CheckState, fault: Option<&Fault>) {
        self.change(|checked| set(checked, step, state, fault));
    }

    pub(super) fn begin(&self, step: CheckStep) {
        self.set(step, CheckState::Running, None);
    }

    pub(super) fn good(&self, step: CheckStep) {
        self.set(step, CheckState::Good, None);
    }

    pub(super) fn notable(&self, step: CheckStep, fault: Option<&Fault>) {
        self.set(step, CheckState::Notable, fault);
    }

    /// The copy cannot begin. Of several reasons the first one counts.
    pub(super) fn bad(&self, step: CheckStep, fault: &Fault) {
        self.change(|checked| {
            set(checked, step, CheckState::Bad, Some(fault));
            checked.fault.get_or_insert_with(|| FaultView::from(fault));
        });
    }

    /// The source shows a certificate that the person would have to accept.
    pub(super) fn ask_about_certificate(&self, shown: &Presented, reached: Reached, fault: &Fault) {
        self.change(|checked| {
            set(checked, CheckStep::Connection, CheckState::Bad, Some(fault));
            checked.reached = Some(reached);
            checked.certificate = Some(CertificateQuestion {
                short: shown.code.short().to_owned(),
                names: shown.names.clone(),
                fingerprint: shown.fingerprint.to_string(),
            });
        });
    }

    /// The source offers no encryption, which the person would have to accept.
    pub(super) fn ask_about_clear_text(&self, reached: Reached, fault: &Fault) {
        self.change(|checked| {
            set(checked, CheckStep::Connection, CheckState::Bad, Some(fault));
            checked.reached = Some(reached);
            checked.clear_text = true;
        });
    }

    /// Not everything fits: a reason not to begin, unless only what fits is to be copied.
    pub(super) fn short_of_room(&self, fault: &Fault, fits_all_the_same: bool) {
        let state = match fits_all_the_same {
            true => CheckState::Notable,
            false => CheckState::Bad,
        };
        self.set(CheckStep::Space, state, Some(fault));
    }

    /// A side is signed in.
    pub(super) fn connected(&self, connected: Option<Connected>) {
        if let Some(connected) = connected {
            self.change(|checked| checked.servers.push(connected));
        }
    }

    /// Whatever is under way has taken too long.
    pub(super) fn give_up(&self, fault: &Fault) {
        self.change(|checked| {
            let running = checked
                .lines
                .iter_mut()
                .filter(|line| line.state == CheckState::Running);
            for line in running {
                line.state = CheckState::Bad;
                line.fault = Some(FaultView::from(fault));
            }
            checked.fault.get_or_insert_with(|| FaultView::from(fault));
        });
    }

    pub(super) fn result(self) -> Checked {
        self.checked
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(checked: &mut Checked, step: CheckStep, state: CheckState, fault: Option<&Fault>) {
    if let Some(line) = checked.lines.iter_mut().find(|line| line.step == step) {
        line.state = state;
        line.fault = fault.map(FaultView::from);
    }
}
