//! How an account in memory behaves: what its server can do, and what it does wrong.

use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::{Code, Fault, Reach, Remedy, Said, Side};
use std::time::Duration;

/// What an append does instead of simply storing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Append {
    /// As it should be.
    Store,
    /// The connection ends before anything is stored.
    LoseBefore,
    /// Everything is stored, the answer is lost.
    LoseAfter,
    /// The first messages of the batch are stored, then the connection ends.
    LosePart(usize),
    /// The connection ends; everything is stored some time later.
    LandLater(Duration),
    /// Everything is stored, and the answer is a temporary NO.
    StoreAndRefuse,
    /// Nothing is stored, and the answer is a temporary NO.
    Refuse,
    /// Nothing is stored; a permanent NO.
    RefuseForGood,
    /// OK, and nothing is stored.
    Lie,
    /// Nothing is stored, and the answer is this fault.
    Answer(Fault),
    /// Nothing is stored, and the connection ends with this fault.
    End(Fault),
}

/// What a removal does instead of simply removing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// As it should be.
    Do,
    /// The connection ends before anything is marked.
    LoseBefore,
    /// Everything is marked, then the connection ends.
    LoseMarked,
    /// The first so many are expunged, then the connection ends.
    LosePart(usize),
    /// Everything is expunged, the answer is lost.
    LoseAfter,
}

/// What keys a mailbox has over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epochs {
    /// The same until it is renumbered.
    #[default]
    Lasting,
    /// UIDVALIDITY 0.
    Zero,
    /// Another UIDVALIDITY at every look, with other keys.
    NewAtEveryLook,
}

/// How this server behaves.
#[derive(Clone)]
pub struct Personality {
    /// UIDPLUS.
    pub reports_keys: bool,
    /// MULTIAPPEND.
    pub appends_batches: bool,
    /// CONDSTORE.
    pub tracks_changes: bool,
    /// APPENDLIMIT.
    pub max_octets: Option<u64>,
    /// What becomes of stored octets; `Err` refuses the message for good.
    pub rewrite: fn(&[u8]) -> Result<Vec<u8>, &'static str>,
    /// What the mailboxes keep.
    pub permanent: PermanentFlags,
    /// Bodies longer than this are streamed.
    pub streams_above: usize,
    /// Mailboxes open at once.
    pub lanes: usize,
    /// Storage limit in octets, as it is told.
    pub quota: Option<u64>,
    /// Storage limit in octets beyond which appends are refused.
    pub full_at: Option<u64>,
    /// What keys are worth.
    pub epochs: Epochs,
    /// Which side faults name.
    pub side: Option<Side>,
}

impl Default for Personality {
    fn default() -> Self {
        Self {
            reports_keys: true,
            appends_batches: true,
            tracks_changes: true,
            max_octets: None,
            rewrite: |octets| Ok(octets.to_vec()),
            permanent: PermanentFlags::everything(),
            streams_above: 2_000,
            lanes: 4,
            quota: None,
            full_at: None,
            epochs: Epochs::default(),
            side: None,
        }
    }
}

impl Personality {
    /// The same as one side of a pair: its faults say so.
    pub fn on(self, side: Side) -> Self {
        Self {
            side: Some(side),
            ..self
        }
    }

    pub(super) fn placed(&self, fault: Fault) -> Fault {
        match self.side {
            Some(side) => fault.on(side),
            None => fault,
        }
    }
}

/// A connection that has ended.
pub(super) fn lost(detail: &str) -> Fault {
    Fault::new(
        Code::LinkLost,
        Reach::Side,
        Remedy::Retry { after: None },
        detail,
    )
}

/// A message that was answered NO.
pub(super) fn refused(words: &str, remedy: Remedy) -> Fault {
    Fault::new(Code::MessageRefused, Reach::Message, remedy, "refused")
        .said(Said::new("NO", None, words))
}

/// NO [OVERQUOTA].
pub(super) fn full() -> Fault {
    Fault::new(
        Code::QuotaExceeded,
        Reach::Side,
        Remedy::AskUser,
        "the destination is full",
    )
    .said(Said::new("NO", Some("OVERQUOTA"), "mailbox is full"))
}
