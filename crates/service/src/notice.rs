//! The mails that tell people how their job went.
//!
//! The recipient is unconfirmed: texts are fixed, with the brand's words, the job's counts and sentences of the catalogue
//! in them, never a server's or a message's words.

mod template;

pub use template::{NoTemplate, Place, Template};

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The order was received; only where the brand wants this mail.
    Accepted,
    /// Every message is accounted for.
    Success,
    /// Finished; some messages are named that were not copied.
    Partly,
    /// The person has to change something.
    Failure,
    /// Nothing happens for more than twelve hours.
    Waiting,
    /// The password or token that had worked no longer does.
    SignInAgain,
    /// Ended by the person.
    Cancelled,
    /// What was copied has been taken away again.
    Undone,
    /// The run that was to begin by itself did not within its time.
    Expired,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [NoticeKind; 9] = [
        NoticeKind::Accepted,
        NoticeKind::Success,
        NoticeKind::Partly,
        NoticeKind::Failure,
        NoticeKind::Waiting,
        NoticeKind::SignInAgain,
        NoticeKind::Cancelled,
        NoticeKind::Undone,
        NoticeKind::Expired,
    ];

    /// Its name in rows and files.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Accepted => "accepted",
            NoticeKind::Success => "success",
            NoticeKind::Partly => "partly",
            NoticeKind::Failure => "failure",
            NoticeKind::Waiting => "waiting",
            NoticeKind::SignInAgain => "sign_in_again",
            NoticeKind::Cancelled => "cancelled",
            NoticeKind::Undone => "undone",
            NoticeKind::Expired => "expired",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
