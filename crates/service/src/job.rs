//! What a job is: the words that web, queue, worker and notices share.
//!
//! Everything here is kept as JSON in a row of the database: fields may be added with a default, never change their
//! meaning. No secret is among it.

mod id;

pub use id::{JobId, NoJobId, UploadId};

use hikyaku_view::{Connected, FaultView, Heading, PlanView, ReportView};
use serde::{Deserialize, Serialize};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Copies.
    Copy,
    /// Takes away what an earlier job copied.
    Undo,
}

/// Where a job stands. Waiting and paused are apart from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Filled in; nobody looks at it yet.
    Received,
    /// Both accounts are looked at.
    Checking,
    /// The plan is shown; the person has to say yes.
    Ready,
    /// To be begun at a time or when the MX record shows the new server.
    Scheduled,
    /// To be begun as soon as there is room.
    Queued,
    /// Messages are copied (or taken away).
    Copying,
    /// What was copied is looked up again.
    Verifying,
    /// Every message is accounted for.
    Done,
    /// Finished; some messages are named that were not copied.
    DoneWithExceptions,
    /// The person has to change something, then it can go on.
    Stopped,
    /// Ended by the person.
    Cancelled,
}

impl State {
    /// Whether nothing more happens by itself.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            State::Done | State::DoneWithExceptions | State::Stopped | State::Cancelled
        )
    }
}

/// What a second run does with what the first one copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rerun {
    /// 差分: only what is not there yet.
    #[default]
    Differential,
    /// 最初から: everything again, then the own earlier copies whose replacement is verified are taken away.
    FreshReplace,
    /// Everything again into a folder that carries the date.
    FreshFolder,
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TLS from the first octet, usually port 993.
    Tls,
    /// STARTTLS required, usually port 143.
    StartTls,
    /// Clear text; only where the person agreed to exactly this.
    Clear,
}

/// A condition that the person accepted after it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accepted {
    /// This certificate, whatever its name, dates and issuer (SHA-256, hexadecimal).
    Certificate(String),
    /// No encryption.
    ClearText,
}

/// What is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An account on an IMAP server.
    #[default]
    Imap,
    /// An account on a POP3 server.
    Pop3,
    /// A file that was uploaded. Host, port, encryption and login mean nothing then; the address is the file's name.
    Upload(UploadId),
}

/// Which protocol a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// IMAP.
    #[default]
    Imap,
    /// POP3.
    Pop3,
}

/// The account that is read, without its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAccount {
    /// What it is.
    #[serde(default)]
    pub kind: SourceKind,
    /// As typed: name, IDN, IPv4 or IPv6 address; empty means: find it.
    pub host: String,
    /// As typed or chosen; `None`: 993 is tried, then 143.
    #[serde(default)]
    pub port: Option<u16>,
    /// As chosen.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// ③ the mail address.
    pub address: String,
    /// The login name, where it is not the address.
    #[serde(default)]
    pub login: Option<String>,
    /// What was accepted about the connection.
    #[serde(default)]
    pub accepted: Option<Accepted>,
}

/// One more differential run by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalRun {
    /// At this moment (milliseconds since 1970 UTC), at most 30 days ahead.
    At(i64),
    /// When the MX record of the address's domain shows the destination, at most 30 days ahead.
    MxMoved,
}

/// What the person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// What a second run does.
    pub rerun: Rerun,
    /// Source mailboxes that are left out.
    pub exclude: Vec<String>,
    /// Of those that are left out unless ticked ([`Checked::hidden`]): the ticked ones.
    pub include: Vec<String>,
    /// Only these source mailboxes; empty: all.
    pub only: Vec<String>,
    /// Only messages that arrived at this moment or later (UTC seconds).
    pub since: Option<i64>,
    /// Only messages that arrived before this moment (UTC seconds).
    pub before: Option<i64>,
    /// Copy what fits, INBOX first, newest first.
    pub fit: bool,
    /// Read also from a POP3 server that may delete what was read.
    pub accept_deletion: bool,
    /// Where the source does not tell reliably what was read: whether everything or nothing counts as read.
    pub read: Option<bool>,
    /// One more run by itself.
    pub final_run: Option<FinalRun>,
}

/// What the form holds, without the passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Identity of the brand.
    pub brand: String,
    /// Identity of the brand's plan.
    pub plan: String,
    /// `ja` or `en`: of the notices.
    pub lang: String,
    /// Where from.
    pub source: SourceAccount,
    /// Mail address at the brand's destination.
    pub destination: String,
    /// ⑤ where the result is sent.
    pub notify: String,
    /// How.
    #[serde(default)]
    pub choices: Choices,
}

/// One line of 【確認中】.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    /// What is looked at.
    pub step: CheckStep,
    /// How it stands.
    pub state: CheckState,
    /// What is wrong.
    #[serde(default)]
    pub fault: Option<FaultView>,
}

/// What is looked at before a plan is shown, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStep {
    /// The source's name resolves, and not to the destination.
    Name,
    /// The source is reached and encrypted.
    Connection,
    /// The uploaded file is opened; in the place of the three around it.
    Archive,
    /// Login at the source.
    SourceLogin,
    /// Login at the destination.
    DestinationLogin,
    /// The folders of both.
    Folders,
    /// Messages over the limit.
    Sizes,
    /// Free space.
    Space,
    /// Where the domain's mail is delivered.
    Dns,
}

/// How a line of the check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Not begun.
    Open,
    /// Under way.
    Running,
    /// Well.
    Good,
    /// Worth a look; the copy can begin.
    Notable,
    /// The copy cannot begin.
    Bad,
}

/// A message that will not be copied because of its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooBig {
    /// Source mailbox.
    pub mailbox: String,
    /// Its key there (IMAP: UID).
    pub key: u64,
    /// Its octets.
    pub octets: u64,
    /// What a person knows it by.
    #[serde(default)]
    pub heading: Option<Heading>,
}

/// A certificate that the person would have to accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateQuestion {
    /// Code of what is wrong with it, such as `T111`.
    pub short: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// SHA-256, hexadecimal.
    pub fingerprint: String,
}

/// Where mail for the domain of the address is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Not known.
    #[default]
    Unknown,
    /// Still to another server.
    Elsewhere,
    /// To the destination.
    Here,
}

/// What the check found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// The lines, in order.
    pub lines: Vec<CheckLine>,
    /// Which folder goes where; `None` when it did not get so far.
    pub plan: Option<PlanView>,
    /// Source mailboxes that are left out unless ticked: they hold no mail of their own, or the plan leaves them out.
    pub hidden: Vec<String>,
    /// Messages that are too big, at most 1,000.
    pub too_big: Vec<TooBig>,
    /// How many are too big.
    pub too_big_count: u64,
    /// Messages that an earlier run copied.
    pub copied_before: u64,
    /// Messages with a deletion mark.
    pub deletion_marks: u64,
    /// Seconds that the copy will take, about.
    pub estimate_seconds: Option<u64>,
    /// How both sides were reached.
    pub servers: Vec<Connected>,
    /// The certificate of the source would have to be accepted.
    pub certificate: Option<CertificateQuestion>,
    /// The source offers no encryption; it would have to be accepted.
    pub clear_text: bool,
    /// How the source was reached in the end: what the copy uses.
    pub reached: Option<Reached>,
    /// Another protocol that the source offers beside the one that is used.
    #[serde(default)]
    pub beside: Option<Protocol>,
    /// Where mail is delivered now.
    pub delivery: Delivery,
    /// Why it cannot begin.
    pub fault: Option<FaultView>,
}

impl SourceAccount {
    /// The file that is read, where it is an uploaded one.
    pub fn upload(&self) -> Option<UploadId> {
        match self.kind {
            SourceKind::Upload(id) => Some(id),
            SourceKind::Imap | SourceKind::Pop3 => None,
        }
    }
}

impl Checked {
    /// Whether the copy may begin once the person says yes.
    pub fn can_start(&self) -> bool {
        self.can_start_with(false)
    }

    /// The same where only what fits is to be copied: then a lack of room is no reason not to begin.
    pub fn can_start_with(&self, fit: bool) -> bool {
        let stands = |line: &CheckLine| {
            line.state != CheckState::Bad || (fit && line.step == CheckStep::Space)
        };
        self.plan.is_some()
            && self.fault.is_none()
            && self.certificate.is_none()
            && !self.clear_text
            && self.lines.iter().all(stands)
    }
}

/// The server behind what was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Encryption.
    pub transport: Transport,
    /// The login name that was let in.
    pub login: String,
    /// What it speaks.
    #[serde(default)]
    pub protocol: Protocol,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Messages that are accounted for.
    pub messages_done: u64,
    /// Messages in all.
    pub messages: u64,
    /// Octets that are accounted for.
    pub octets_done: u64,
    /// Octets in all; zero where the source does not tell.
    pub octets: u64,
    /// Messages copied in this run.
    pub copied: u64,
    /// The source mailbox that was begun last.
    pub folder: Option<String>,
    /// Every folder of the plan.
    pub folders: Vec<FolderProgress>,
    /// Seconds that are left, about.
    pub left_seconds: Option<u64>,
    /// Nothing happens until a moment, for a reason.
    pub waiting: Option<Waiting>,
    /// When this was true (milliseconds since 1970 UTC).
    pub at_millis: i64,
}

/// How far one folder is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderProgress {
    /// Source mailbox.
    pub name: String,
    /// Messages that it holds.
    pub messages: u64,
    /// Messages of it that are accounted for.
    pub done: u64,
    /// Whether it is finished.
    pub finished: bool,
}

/// A wait that ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// When it ends (milliseconds since 1970 UTC).
    pub until_millis: i64,
    /// Why.
    pub because: FaultView,
}

/// What undoing a job would take away, folder by folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPlan {
    /// One line per destination mailbox.
    pub lines: Vec<UndoLine>,
}

/// What undoing would do in one destination mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoLine {
    /// Destination mailbox.
    pub mailbox: String,
    /// Own copies that nobody touched and that the source still has: taken away.
    pub removed: u64,
    /// Copies that the person changed, moved or removed: left alone.
    pub touched: u64,
    /// Copies whose source message is gone: left alone.
    pub only_copy: u64,
}

/// A job as it stands in the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Names it in addresses.
    pub id: JobId,
    /// 受付番号: short, for people.
    pub receipt: String,
    /// What it does.
    pub kind: Kind,
    /// What was ordered.
    pub order: Order,
    /// Where it stands.
    pub state: State,
    /// Whether the person has it paused.
    pub paused: bool,
    /// What the check found out.
    pub checked: Option<Checked>,
    /// How far it is.
    pub progress: Progress,
    /// The report, when it is over and there is one.
    pub report: Option<ReportView>,
    /// What was taken away, for [`Kind::Undo`].
    pub undo: Option<UndoPlan>,
    /// Why it stopped.
    pub fault: Option<FaultView>,
    /// The job that this one repeats, ends or undoes.
    pub previous: Option<JobId>,
    /// When it is to begin by itself, for [`State::Scheduled`] (milliseconds since 1970 UTC).
    pub begins_millis: Option<i64>,
    /// Whether its passwords are still kept (sealed).
    pub has_secrets: bool,
    /// Milliseconds since 1970 UTC.
    pub created_millis: i64,
    /// Milliseconds since 1970 UTC; `None` before the copy began.
    pub started_millis: Option<i64>,
    /// Milliseconds since 1970 UTC; `None` before it was over.
    pub ended_millis: Option<i64>,
}
