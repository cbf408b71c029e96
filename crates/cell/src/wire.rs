//! What parent and child say to each other. Pure: octets to words and back, bounded on both sides.
//!
//! A frame is two lengths (32 bits, little endian), then that many octets of JSON and that many raw octets. Questions
//! carry no raw octets; answers carry the content of messages there. Neither side believes the other: what is longer
//! than [`MOST_WORDS`] or [`MOST_RAW`], or cannot be read, ends the conversation.

use hikyaku_core::fault::Place;
use hikyaku_core::{
    Code, Epoch, Fault, Flags, InternalDate, Key, KeySet, Keyword, MailboxInfo, MailboxName,
    MailboxState, Reach, Remedy, Role, Side, WireName,
};
use serde::{Deserialize, Serialize};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Most octets of JSON in one frame.
pub const MOST_WORDS: u32 = 16 << 20;

/// Most raw octets in one frame.
pub const MOST_RAW: u32 = 8 << 20;

/// Folders that are told of at most: an archive with more is refused, as one that would leave some out says nothing of them.
pub const MOST_FOLDERS: usize = 20_000;

/// What the parent asks. Each has exactly one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// What lies at a path.
    Look {
        /// Inside the child's directory.
        path: String,
    },
    /// Opens an archive; everything below is about it.
    Open {
        /// How the kind is written: `mbox`, `thunderbird`, …
        kind: String,
        /// Inside the child's directory.
        path: String,
        /// Where zip files are unpacked.
        spool: String,
        /// The present, in seconds since 1970 UTC.
        now: i64,
        /// Most octets that a zip file may come to.
        most_unpacked: u64,
        /// Whether everything or nothing counts as read, whatever is recorded.
        #[serde(default)]
        read: Option<bool>,
    },
    /// The folders.
    Folders,
    /// Opens a folder under a number that the parent chose.
    Folder {
        /// The number.
        number: u32,
        /// Which, as it was told.
        place: FolderWire,
    },
    /// Begins to tell facts of messages; they come with [`Ask::More`].
    List {
        /// Of the folder.
        number: u32,
        /// Which, as a sequence set.
        keys: String,
        /// Which facts: flags, date, octets, head.
        facts: [bool; 4],
    },
    /// Begins to read messages; they come with [`Ask::More`].
    Read {
        /// Of the folder.
        number: u32,
        /// Which, as a sequence set.
        keys: String,
    },
    /// The next few of what was begun. A body that was not asked for to its end is left.
    More {
        /// Of the folder.
        number: u32,
        /// How many, at most.
        most: u32,
    },
    /// The next octets of the message that came last and was too long to come at once.
    Piece {
        /// Of the folder.
        number: u32,
    },
    /// What names a message to a person; as raw octets.
    Head {
        /// Of the folder.
        number: u32,
        /// Which.
        key: u64,
    },
    /// Where a message lies, for a person.
    File {
        /// Of the folder.
        number: u32,
        /// Which.
        key: u64,
    },
    /// Whether the folder goes on from an earlier look.
    Resume {
        /// Of the folder.
        number: u32,
        /// Where it stood then.
        earlier: StateWire,
    },
}

/// What the child answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done; to what has nothing to say.
    Done,
    /// To [`Ask::Look`].
    Saw(SawWire),
    /// To [`Ask::Folders`].
    Folders(Vec<FolderWire>),
    /// To [`Ask::Folder`].
    Opened {
        /// As of now.
        state: StateWire,
        /// All keys, as a sequence set.
        keys: String,
    },
    /// To [`Ask::More`] after [`Ask::List`].
    Listed {
        /// Some.
        items: Vec<Result<ListingWire, FaultWire>>,
        /// Whether that was all.
        end: bool,
    },
    /// To [`Ask::More`] after [`Ask::Read`]. The raw octets are those of the letters that came whole, in order.
    Letters {
        /// Some.
        items: Vec<Result<LetterWire, FaultWire>>,
        /// Whether that was all.
        end: bool,
    },
    /// To [`Ask::Piece`]; no raw octets are the end.
    Piece,
    /// To [`Ask::Head`]: whether the message is there.
    Head(bool),
    /// To [`Ask::File`].
    File(Option<String>),
    /// To [`Ask::Resume`].
    Resumed(bool),
    /// It could not be done.
    Fault(FaultWire),
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SawWire {
    /// Archives, of which one is meant.
    Found(Vec<KindWire>),
    /// Data files of Outlook.
    Outlook(u64),
    /// A compressed file.
    Compressed,
    /// No mail.
    Nothing {
        /// Files that were looked at.
        files: u64,
        /// The most frequent endings.
        endings: Vec<String>,
    },
}

/// One archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindWire {
    /// How it is written: `mbox`, …
    pub kind: String,
    /// Folders.
    pub folders: u64,
    /// Messages.
    pub messages: u64,
    /// Whether the messages were counted.
    pub is_exact: bool,
    /// Octets with messages.
    pub octets: u64,
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderWire {
    /// Levels of its name.
    pub levels: Vec<String>,
    /// Where it is in the archive.
    pub wire: Vec<u8>,
    /// Its special use.
    #[serde(default)]
    pub role: Option<RoleWire>,
    /// Whether it can hold messages.
    pub selectable: bool,
    /// Whether it is subscribed.
    pub subscribed: bool,
    /// What it holds.
    #[serde(default)]
    pub state: Option<StateWire>,
}

/// A special use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of RFC 6154")]
pub enum RoleWire {
    Inbox,
    Sent,
    Drafts,
    Archive,
    Junk,
    Trash,
    All,
    Flagged,
    Important,
}

/// Where a folder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateWire {
    /// Generation of its keys.
    pub epoch: Option<u64>,
    /// The next key.
    pub next: Option<u64>,
    /// Messages.
    pub messages: u64,
    /// Changes with the flags and the content.
    #[serde(default)]
    pub modseq: Option<u64>,
    /// Octets in all.
    pub octets: Option<u64>,
}

/// Facts of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingWire {
    /// Its key.
    pub key: u64,
    /// Flags and keywords.
    pub flags: Option<Vec<String>>,
    /// Seconds since 1970 UTC, minutes east of UTC.
    pub date: Option<(i64, i16)>,
    /// Octets.
    pub octets: Option<u64>,
    /// Digest of its header.
    pub head: Option<[u8; 16]>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterWire {
    /// Its key.
    pub key: u64,
    /// Flags and keywords.
    pub flags: Vec<String>,
    /// Seconds since 1970 UTC, minutes east of UTC.
    pub date: Option<(i64, i16)>,
    /// Octets.
    pub octets: u64,
    /// Whether they are among the raw octets; else they come piece by piece.
    pub whole: bool,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultWire {
    /// By [`Code::as_str`].
    pub code: String,
    /// 0 message, 1 mailbox, 2 side, 3 job.
    pub reach: u8,
    /// 0 again, 1 ask the user, 2 skip, 3 bug.
    pub remedy: u8,
    /// Which folder.
    pub mailbox: Option<String>,
    /// Which message.
    pub message: Option<u64>,
    /// Which file of the archive.
    #[serde(default)]
    pub file: Option<String>,
    /// For the log.
    pub detail: String,
}

/// Writes one frame.
///
/// # Errors
/// Those of the pipe; `InvalidInput` for words or raw octets beyond the limits.
pub async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    words: &impl Serialize,
    raw: &[u8],
) -> io::Result<()> {
    let words = serde_json::to_vec(words).map_err(io::Error::other)?;
    let too_much = || io::Error::new(io::ErrorKind::InvalidInput, "more than fits into a frame");
    let length = |octets: &[u8], most: u32| {
        let length = u32::try_from(octets.len()).ok().filter(|n| *n <= most);
        length.ok_or_else(too_much)
    };
    let (words_length, raw_length) = (length(&words, MOST_WORDS)?, length(raw, MOST_RAW)?);
    to.write_all(&words_length.to_le_bytes()).await?;
    to.write_all(&raw_length.to_le_bytes()).await?;
    to.write_all(&words).await?;
    to.write_all(raw).await?;
    to.flush().await
}

/// Reads one frame; `None` where the other side has ended between two. Memory grows with what has come, not with what
/// was announced.
///
/// # Errors
/// Those of the pipe; `InvalidData` for what cannot be read or is beyond the limits.
pub async fn read<T: for<'de> Deserialize<'de>>(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut lengths = [0; 8];
    let first = from.read(&mut lengths).await?;
    if first == 0 {
        return Ok(None);
    }
    from.read_exact(&mut lengths[first..]).await?;
    let [a, b, c, d, e, f, g, h] = lengths;
    let words_length = u32::from_le_bytes([a, b, c, d]);
    let raw_length = u32::from_le_bytes([e, f, g, h]);
    if words_length > MOST_WORDS || raw_length > MOST_RAW {
        return Err(invalid("a frame beyond the limits"));
    }
    let words = exactly(from, words_length).await?;
    let raw = exactly(from, raw_length).await?;
    let words = serde_json::from_slice(&words).map_err(|_| invalid("words that nobody knows"))?;
    Ok(Some((words, raw)))
}

async fn exactly(from: &mut (impl AsyncRead + Unpin), length: u32) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let read = from
        .take(u64::from(length))
        .read_to_end(&mut octets)
        .await?;
    match read as u64 == u64::from(length) {
        true => Ok(octets),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Flags as words: a keyword may hold anything.
pub fn flags_out(flags: &Flags) -> Vec<String> {
    let system = flags.system().map(|flag| flag.as_str().to_owned());
    let keywords = flags.keywords().map(|k| k.as_str().to_owned());
    system.chain(keywords).collect()
}

/// The reverse of [`flags_out`].
pub fn flags_in(words: &[String]) -> Flags {
    let mut flags = Flags::new();
    for word in words {
        match word.starts_with('\\') {
            true => flags.add_wire(word),
            false => flags.set_keyword(Keyword::new(word)),
        }
    }
    flags
}

/// A date with its zone.
pub fn date_out(date: InternalDate) -> (i64, i16) {
    (date.seconds, date.offset_minutes)
}

/// The reverse; `None` for a zone that there is not.
pub fn date_in((seconds, offset_minutes): (i64, i16)) -> Option<InternalDate> {
    (-1439..=1439)
        .contains(&offset_minutes)
        .then_some(InternalDate {
            seconds,
            offset_minutes,
        })
}

impl From<&MailboxState> for StateWire {
    fn from(state: &MailboxState) -> Self {
        Self {
            epoch: state.epoch.map(|epoch| epoch.0),
            next: state.next.map(|key| key.0),
            messages: state.messages,
            modseq: state.modseq,
            octets: state.octets,
        }
    }
}

impl From<StateWire> for MailboxState {
    fn from(state: StateWire) -> Self {
        Self {
            epoch: state.epoch.map(Epoch),
            next: state.next.map(Key),
            messages: state.messages,
            modseq: state.modseq,
            octets: state.octets,
        }
    }
}

macro_rules! roles {
    ($($role:ident)*) => {
        impl From<Role> for RoleWire {
            fn from(role: Role) -> Self {
                match role { $(Role::$role => Self::$role,)* }
            }
        }

        impl From<RoleWire> for Role {
            fn from(role: RoleWire) -> Self {
                match role { $(RoleWire::$role => Self::$role,)* }
            }
        }
    };
}

roles!(Inbox Sent Drafts Archive Junk Trash All Flagged Important);

impl From<&MailboxInfo> for FolderWire {
    fn from(info: &MailboxInfo) -> Self {
        Self {
            levels: info.name.levels().to_vec(),
            wire: info.wire.as_bytes().to_vec(),
            role: info.role.map(RoleWire::from),
            selectable: info.selectable,
            subscribed: info.subscribed,
            state: info.state.as_ref().map(StateWire::from),
        }
    }
}

impl FolderWire {
    /// The mailbox; `None` for a name without levels.
    pub fn info(&self) -> Option<MailboxInfo> {
        Some(MailboxInfo {
            name: MailboxName::new(self.levels.clone())?,
            wire: WireName::new(self.wire.clone()),
            role: self.role.map(Role::from),
            selectable: self.selectable,
            subscribed: self.subscribed,
            no_children: false,
            state: self.state.map(MailboxState::from),
        })
    }
}

impl From<&Fault> for FaultWire {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code.as_str().to_owned(),
            reach: match fault.reach {
                Reach::Message => 0,
                Reach::Mailbox => 1,
                Reach::Side => 2,
                Reach::Job => 3,
            },
            remedy: match fault.remedy {
                Remedy::Retry { .. } => 0,
                Remedy::AskUser => 1,
                Remedy::Skip => 2,
                Remedy::Bug => 3,
            },
            mailbox: fault.at.mailbox.clone(),
            message: fault.at.message.map(|key| key.0),
            file: fault.at.file.clone(),
            detail: fault.detail.chars().take(1_000).collect(),
        }
    }
}

impl FaultWire {
    /// The fault. A code that nobody knows is damage.
    pub fn fault(&self) -> Fault {
        let reach = match self.reach {
            0 => Reach::Message,
            1 => Reach::Mailbox,
            2 => Reach::Side,
            _ => Reach::Job,
        };
        let remedy = match self.remedy {
            0 => Remedy::Retry { after: None },
            1 => Remedy::AskUser,
            2 => Remedy::Skip,
            _ => Remedy::Bug,
        };
        let code = Code::from_name(&self.code).unwrap_or(Code::ArchiveDamaged);
        let mut fault = Fault::new(code, reach, remedy, self.detail.clone());
        *fault.at = Place {
            side: Some(Side::Source),
            server: None,
            mailbox: self.mailbox.clone(),
            message: self.message.map(Key),
            file: self.file.clone(),
        };
        fault
    }
}

/// A set of keys out of its text; `None` for what is none, or counts further than any archive.
pub fn keys_in(text: &str) -> Option<KeySet> {
    const HIGHEST: u64 = 1 << 62;
    KeySet::parse(text).filter(|keys| keys.last().is_none_or(|last| last.0 <= HIGHEST))
}

#[cfg(test)]
mod tests;
