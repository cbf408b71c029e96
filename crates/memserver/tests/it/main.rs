//! Dialogues with the server over real sockets.

// The lint sees only functions marked as tests, not their helpers.
#![allow(clippy::unwrap_used)]

mod auth;
mod client;
mod faults;
mod gmail;
mod hostile;
mod mail;
mod mailboxes;
mod messages;
mod personalities;
mod sync;

use hikyaku_memserver::{Account, MemServer, Options, Personality};

/// A server of this kind with the account `u`, password `p`.
async fn server(personality: Personality) -> (MemServer, Account) {
    start(Options::new(personality)).await
}

async fn start(options: Options) -> (MemServer, Account) {
    let server = MemServer::start(options).await.unwrap();
    let account = server.add_account("u", "p");
    (server, account)
}
