//! Why something cannot be done with a job.

use crate::job::State;
use hikyaku_core::{Code, Fault, Reach, Remedy};

/// Why something cannot be done with a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// There is no such job, or it is another owner's.
    #[error("there is no such job")]
    Unknown,
    /// Not in this state.
    #[error("the job is {0:?}, where this cannot be done")]
    State(State),
    /// Its passwords are gone and have to be entered again.
    #[error("the passwords have to be entered again")]
    SecretsNeeded,
    /// Something failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<JobError> for Fault {
    fn from(error: JobError) -> Self {
        let code = match &error {
            JobError::Fault(fault) => return fault.clone(),
            JobError::SecretsNeeded => Code::SecretUnreadable,
            JobError::Unknown | JobError::State(_) => Code::ConfigInvalid,
        };
        Fault::new(code, Reach::Job, Remedy::AskUser, error.to_string())
    }
}
