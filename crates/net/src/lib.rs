//! The shell between a protocol machine and the network: names, sockets, TLS,
//! compression, ways to log in, and the faults that these can have.
//!
//! It must not know a mail protocol. All it assumes is a protocol of lines in
//! which the server speaks first, and which may turn to TLS half-way.
//!
//! Start reading at [`connect`], then [`Stream`].

#![warn(missing_docs)]

mod anchors;
mod carrier;
mod connect;
mod deflate;
mod diagnose;
mod endpoint;
mod fault;
mod fingerprint;
pub mod guard;
mod host;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
mod race;
pub mod sasl;
mod secret;
mod socket;
mod stream;
mod tls;
pub mod transcript;
mod witness;

pub use anchors::Anchors;
pub use carrier::{Carrier, Dial, Dialled};
pub use connect::{connect, connect_to, resolve};
pub use endpoint::{Buffers, Endpoint, Security, Timeouts, Trust};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use host::{Host, HostProblem};
pub use secret::Secret;
pub use socket::Resetter;
pub use stream::{PeerInfo, ReadHalf, Stream, TlsInfo, WriteHalf};
pub use transcript::Transcript;
pub use witness::{Presented, Witness};
