//! Logging in: one way is chosen, and tried once.

use super::dialogue::{Dialogue, Turn, capabilities_in, protocol_fault};
use super::{Facts, Greeting};
use crate::connection::Answer;
use crate::encode::{Command, Part, authenticate_cancel};
use crate::quirks::login_fault;
use crate::response::{Capabilities, ReplyKind};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::sasl::{self, Credentials, Proof};
use tokio::io::{AsyncRead, AsyncWrite};

/// How a login is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// AUTHENTICATE with this mechanism.
    Sasl(&'static str),
    /// The LOGIN command.
    Login,
}

/// Logs in unless the greeting says that this was done already. Returns the
/// capabilities that count afterwards.
pub(super) async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    dialogue: &mut Dialogue<S>,
    greeting: &mut Greeting,
    credentials: &Credentials,
    is_encrypted: bool,
) -> Result<Capabilities, Fault> {
    if greeting.is_authenticated {
        return match greeting.capabilities.take() {
            Some(capabilities) => Ok(capabilities),
            None => dialogue.capabilities().await,
        };
    }
    let capabilities = match greeting.capabilities.take() {
        // A greeting may name a part only; without any way to log in it is not the whole.
        Some(told) if choose(&told, credentials, is_encrypted).is_some() => told,
        _ => dialogue.capabilities().await?,
    };
    let Some(way) = choose(&capabilities, credentials, is_encrypted) else {
        return Err(no_way(&capabilities, is_encrypted));
    };
    let answer = match way {
        Way::Login => log_in_by_command(dialogue, credentials).await?,
        Way::Sasl(name) => {
            let has_initial = Facts::new(capabilities).can("SASL-IR");
            log_in_by_mechanism(dialogue, credentials, name, has_initial).await?
        }
    };
    match capabilities_in(&answer) {
        Some(capabilities) => Ok(capabilities),
        None => dialogue.capabilities().await,
    }
}

/// The best way that both sides know.
pub(super) fn choose(
    capabilities: &Capabilities,
    credentials: &Credentials,
    is_encrypted: bool,
) -> Option<Way> {
    let bare_secrets = is_encrypted || !capabilities.has("LOGINDISABLED");
    let plain_user = credentials.act_as.is_none();
    let is_password = matches!(credentials.proof, Proof::Password(_));
    let login = (bare_secrets && is_password && plain_user && !capabilities.has("LOGINDISABLED"))
        .then_some(Way::Login);
    let has_initial = Facts::new(capabilities.clone()).can("SASL-IR");
    for &name in sasl::preference(credentials, is_encrypted) {
        let is_bare = matches!(name, "PLAIN" | "LOGIN");
        if is_bare && !bare_secrets {
            continue;
        }
        let offered = capabilities.has(&format!("AUTH={name}"));
        match login {
            // The command saves a round trip, and servers that offer no PLAIN have it.
            Some(login) if is_bare && (!offered || !has_initial) => return Some(login),
            _ if offered => return Some(Way::Sasl(name)),
            _ => {}
        }
    }
    login
}

fn no_way(capabilities: &Capabilities, is_encrypted: bool) -> Fault {
    let offered: Vec<&str> = capabilities.values("AUTH").collect();
    let hint = if !is_encrypted && capabilities.has("LOGINDISABLED") {
        "; it wants encryption first: use STARTTLS or implicit TLS"
    } else {
        ""
    };
    Fault::new(
        Code::LoginMechanism,
        Reach::Side,
        Remedy::AskUser,
        format!("no way to log in fits: the server offers {offered:?}{hint}"),
    )
}

async fn log_in_by_command<S: AsyncRead + AsyncWrite + Unpin>(
    dialogue: &mut Dialogue<S>,
    credentials: &Credentials,
) -> Result<Answer, Fault> {
    let Proof::Password(password) = &credentials.proof else {
        return Err(Fault::bug("LOGIN with a token"));
    };
    let command = Command::Login {
        user: credentials.user.clone(),
        password: password.clone(),
    };
    let answer = dialogue.ask(&command).await?;
    if answer.reply.is_ok() {
        Ok(answer)
    } else {
        Err(login_fault(&answer.reply, false))
    }
}

async fn log_in_by_mechanism<S: AsyncRead + AsyncWrite + Unpin>(
    dialogue: &mut Dialogue<S>,
    credentials: &Credentials,
    name: &'static str,
    has_initial: bool,
) -> Result<Answer, Fault> {
    let by_token = matches!(credentials.proof, Proof::Token(_));
    let nonce = sasl::nonce()?;
    let endpoint = dialogue.endpoint();
    let setting = sasl::Setting {
        host: &endpoint.host,
        port: endpoint.port,
        nonce: &nonce,
    };
    let mut mechanism = sasl::start(name, credentials, &setting)?;
    let mut initial = mechanism.initial();
    let command = Command::Authenticate {
        mechanism: name.to_owned(),
        initial: if has_initial { initial.take() } else { None },
    };
    let tag = dialogue.begin(&command).await?;
    loop {
        match dialogue.turn(tag).await? {
            Turn::Challenge(challenge) => {
                let answer = match initial.take() {
                    Some(first) => sasl::encode(&first),
                    None => {
                        let (back, answer) = sasl::step(mechanism, challenge.to_vec()).await?;
                        mechanism = back;
                        match answer {
                            Ok(answer) => answer,
                            Err(fault) => {
                                if let Part::Octets(cancel) = authenticate_cancel() {
                                    dialogue.write(&cancel).await?;
                                }
                                return Err(fault);
                            }
                        }
                    }
                };
                dialogue.write(sasl::line(&answer).expose()).await?;
            }
            Turn::Done(answer) if answer.reply.is_ok() => {
                mechanism.finish()?;
                return Ok(answer);
            }
            Turn::Done(answer) => {
                let reply = &answer.reply;
                let fault = match mechanism.refusal() {
                    Some(fault) => fault.said(reply.said()),
                    None if reply.kind == ReplyKind::Bad => {
                        protocol_fault("the server refused the way to log in").said(reply.said())
                    }
                    None => login_fault(reply, by_token),
                };
                return Err(fault);
            }
        }
    }
}
