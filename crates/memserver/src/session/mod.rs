//! One connection: reads commands, executes them one after the other, answers.
//!
//! A command's life: line read → literals → executed → told → answered. The
//! points of [`crate::Point`] lie between these steps; scripted faults strike
//! there and nowhere else. Start reading at [`Session::turn`].

mod append;
mod auth;
mod copy;
mod create;
mod extras;
mod fetch;
mod items;
mod list;
mod literals;
mod reply;
mod sasl;
mod script;
mod search;
mod select;
mod status;
mod store;
mod view;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_rustls::TlsAcceptor;

use crate::account::{Account, lock};
use crate::command::{Announced, Args, announced};
use crate::faults::Point;
use crate::name;
use crate::personality::{Personality, has};
use crate::server::Shared;
use crate::transcript::{Entry, Traffic};
use crate::wire::{LineFault, Stop, Stream, Wire};
use reply::{Halt, Outcome, Reply};
use view::Selected;

/// What IMAP4rev2 contains and IMAP4rev1 had as extensions (RFC 9051 §E).
const REV2: [&str; 13] = [
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "ENABLE",
    "IDLE",
    "SASL-IR",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "MOVE",
    "LITERAL-",
    "STATUS=SIZE",
    "SPECIAL-USE",
];

pub(crate) struct Session {
    wire: Wire,
    server: Arc<Shared>,
    number: u32,
    tls: bool,
    account: Option<Account>,
    selected: Option<Selected>,
    enabled: Enabled,
    command: Command,
    bad_in_a_row: u32,
    over: bool,
}

/// What the client turned on.
#[derive(Clone, Copy, Debug, Default)]
struct Enabled {
    condstore: bool,
    qresync: bool,
    utf8: bool,
    rev2: bool,
}

/// The command at hand and what the script wants of it.
#[derive(Default)]
struct Command {
    tag: String,
    verb: String,
    /// The mailbox it names, for the script.
    mailbox: Option<Vec<u8>>,
    wrong_tag: bool,
    no_answer: bool,
    /// The answer went out early, before TLS or compression began.
    answered: bool,
    store_only: Option<usize>,
    land_later: Option<Duration>,
    /// Literals still on their way when the command was refused.
    pending: Option<Announced>,
}

impl Session {
    pub(crate) fn new(stream: Stream, server: Arc<Shared>, number: u32) -> Self {
        Self {
            wire: Wire::new(stream),
            server,
            number,
            tls: false,
            account: None,
            selected: None,
            enabled: Enabled::default(),
            command: Command::default(),
            bad_in_a_row: 0,
            over: false,
        }
    }

    /// Serves until the connection ends.
    pub(crate) async fn run(mut self, implicit: Option<TlsAcceptor>, crowded: bool) -> Traffic {
        if self.greet(implicit, crowded).await.is_ok() {
            while !self.over && self.turn().await.is_ok() {
                self.server.recorder.traffic(self.number, self.traffic());
            }
        }
        if self.over {
            self.wire.close().await;
        }
        self.traffic()
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            received: self.wire.received(),
            sent: self.wire.sent(),
            ended: false,
        }
    }

    fn personality(&self) -> &Personality {
        &self.server.personality
    }

    async fn greet(&mut self, implicit: Option<TlsAcceptor>, crowded: bool) -> Result<(), Stop> {
        for (at, action) in self.cue(Point::Sent(0), None) {
            self.wire.trap_sent(at, action);
        }
        for (at, action) in self.cue(Point::Received(0), None) {
            self.wire.trap_received(at, action);
        }
        if let Some(acceptor) = implicit {
            self.wire.start_tls(&acceptor).await?;
            self.tls = true;
        }
        for (_, action) in self.cue(Point::Greeting, None) {
            self.wire.perform(action).await?;
        }
        if crowded {
            self.wire.put_line("* BYE Too many connections");
            self.over = true;
            return Ok(());
        }
        let capabilities = match self.personality().greets_with_capabilities {
            true => format!("[CAPABILITY {}] ", self.capabilities()),
            false => String::new(),
        };
        let greeting = format!("* OK {capabilities}{}", self.personality().greeting);
        self.wire.put_line(greeting);
        self.wire.flush().await
    }

    /// One command from its first octet to its answer.
    async fn turn(&mut self) -> Result<(), Stop> {
        let line = match self.wire.line(self.server.limits.line).await {
            Ok(line) => line,
            Err(LineFault::Stop) => return Err(Stop),
            Err(LineFault::TooLong) => return self.bye("Command line too long"),
        };
        let (text, literal) = announced(&line);
        let mut args = Args::default();
        let clean = args.push_text(text);
        self.command = Command::default();
        let Some(tag) = take_tag(&mut args).filter(|_| clean) else {
            self.wire.put_line("* BAD Error in IMAP command: no tag");
            return self.count_bad();
        };
        self.command.tag = tag;
        self.command.verb = take_verb(&mut args);
        self.command.mailbox = self.named_mailbox(&args);
        let place = self.record(&args, literal);

        let outcome = self.live(args, literal).await;
        let reply = match outcome {
            Ok(reply) | Err(Halt::Refused(reply)) => reply,
            Err(Halt::Malformed) => self.personality().malformed.clone().into(),
            Err(Halt::Unknown) => self.personality().unknown.clone().into(),
            Err(Halt::Stop) => return Err(Stop),
        };
        self.settle_literal(&reply).await?;
        let reply = match self.act(Point::Done).await? {
            Some(refusal) => refusal.into(),
            None => reply,
        };
        if !self.over {
            self.tell_changes(self.may_tell_expunges()).await?;
        }
        self.answer(&reply);
        if !self.command.no_answer {
            self.server.recorder.answered(place, reply.status());
        }
        self.server.commands.fetch_add(1, Ordering::AcqRel);
        self.wire.forget_passing();
        self.wire.relieve().await?;
        match reply.bad {
            true => self.count_bad(),
            false => {
                self.bad_in_a_row = 0;
                Ok(())
            }
        }
    }

    /// From the first line to the outcome.
    async fn live(&mut self, mut args: Args, literal: Option<Announced>) -> Outcome {
        self.command.pending = literal;
        for (at, action) in self.cue(Point::Answer(0), None) {
            self.wire.trap_output(at, action);
        }
        if literal.is_some() {
            for (at, action) in self.cue(Point::Literal(0), None) {
                self.wire.trap_input(at, action);
            }
        }
        if let Some(refusal) = self.act(Point::Line).await? {
            return Err(refusal.into());
        }
        self.check_known()?;
        if self.command.verb == "APPEND" {
            return self.append(args).await;
        }
        while let Some(literal) = self.command.pending {
            let room = self.server.limits.line.saturating_sub(args.len());
            args.push_literal(self.argument_literal(literal).await?);
            let line = self.line(room).await?;
            let (text, next) = announced(&line);
            self.command.pending = next;
            if !args.push_text(text) {
                return Err(Halt::Malformed);
            }
        }
        if let Some(refusal) = self.act(Point::Read).await? {
            return Err(refusal.into());
        }
        self.execute(args).await
    }

    async fn execute(&mut self, args: Args) -> Outcome {
        let mut args = args;
        let verb = self.command.verb.clone();
        match verb.as_str() {
            "CAPABILITY" => self.capability(args),
            "NOOP" | "CHECK" => {
                no_arguments(&args).map(|()| Reply::ok(format!("{verb} completed.")))
            }
            "LOGOUT" => self.logout(),
            "ID" => self.id(args),
            "STARTTLS" => self.start_tls(args).await,
            "LOGIN" => self.login(args),
            "AUTHENTICATE" => self.authenticate(args).await,
            "ENABLE" => self.enable(args),
            "NAMESPACE" => self.namespace(args),
            "LIST" => self.list(args),
            "LSUB" => self.lsub(args),
            "STATUS" => self.status(args),
            "CREATE" => self.create(args),
            "DELETE" => self.delete(args),
            "RENAME" => self.rename(args),
            "SUBSCRIBE" => self.subscribe(args, true),
            "UNSUBSCRIBE" => self.subscribe(args, false),
            "SELECT" => self.select(args, false),
            "EXAMINE" => self.select(args, true),
            "CLOSE" => self.close(args, true),
            "UNSELECT" => self.close(args, false),
            "FETCH" => self.fetch(args, false).await,
            "UID FETCH" => self.fetch(args, true).await,
            "SEARCH" => self.search(args, false),
            "UID SEARCH" => self.search(args, true),
            "STORE" => self.store(args, false).await,
            "UID STORE" => self.store(args, true).await,
            "COPY" => self.copy(args, false, false),
            "UID COPY" => self.copy(args, true, false),
            "MOVE" => self.copy(args, false, true),
            "UID MOVE" => self.copy(args, true, true),
            "EXPUNGE" => no_arguments(&args).and_then(|()| self.expunge(None)),
            "UID EXPUNGE" => match args.space().and_then(|()| args.sequence_set()) {
                Ok(set) => no_arguments(&args).and_then(|()| self.expunge(Some(&set))),
                Err(malformed) => Err(malformed.into()),
            },
            "GETQUOTA" => self.get_quota(args),
            "GETQUOTAROOT" => self.get_quota_root(args),
            "COMPRESS" => self.compress(args).await,
            "IDLE" => self.idle(args).await,
            _ => Err(Halt::Unknown),
        }
    }

    /// Refuses what this server does not know, and what comes at the wrong time.
    fn check_known(&self) -> Result<(), Halt> {
        let (state, needed): (State, &[&str]) = match self.command.verb.as_str() {
            "CAPABILITY" | "NOOP" | "LOGOUT" => (State::Any, &[]),
            "ID" => (State::Any, &["ID"]),
            "STARTTLS" => (State::Before, &[]),
            "LOGIN" | "AUTHENTICATE" => (State::Before, &[]),
            "ENABLE" => (State::After, &["ENABLE"]),
            "NAMESPACE" => (State::After, &["NAMESPACE"]),
            "IDLE" => (State::After, &["IDLE"]),
            "GETQUOTA" | "GETQUOTAROOT" => (State::After, &["QUOTA"]),
            "COMPRESS" => (State::After, &["COMPRESS=DEFLATE"]),
            "SELECT" | "EXAMINE" | "CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE"
            | "LIST" | "LSUB" | "STATUS" | "APPEND" => (State::After, &[]),
            "UNSELECT" => (State::Selected, &["UNSELECT"]),
            "MOVE" | "UID MOVE" => (State::Selected, &["MOVE"]),
            "UID EXPUNGE" => (State::Selected, &["UIDPLUS"]),
            "CHECK" | "CLOSE" | "EXPUNGE" | "SEARCH" | "FETCH" | "STORE" | "COPY"
            | "UID SEARCH" | "UID FETCH" | "UID STORE" | "UID COPY" => (State::Selected, &[]),
            _ => return Err(Halt::Unknown),
        };
        let fits = match state {
            State::Any => true,
            State::Before => self.account.is_none(),
            State::After => self.account.is_some(),
            State::Selected => self.selected.is_some(),
        };
        let known = needed.iter().all(|capability| self.can(capability));
        (fits && known).then_some(()).ok_or(Halt::Unknown)
    }

    /// Whether the server has this ability after login.
    fn can(&self, capability: &str) -> bool {
        let told = &self.personality().capabilities;
        has(told, capability)
            || (has(told, "IMAP4rev2") && REV2.contains(&capability))
            || (capability == "CONDSTORE" && has(told, "QRESYNC"))
    }

    /// Whether IMAP4rev2 is spoken: enabled, or the only revision there is.
    fn rev2(&self) -> bool {
        self.enabled.rev2 || !has(&self.personality().capabilities, "IMAP4rev1")
    }

    /// Whether mailbox names are UTF-8 on the wire.
    fn utf8(&self) -> bool {
        self.enabled.utf8 || self.rev2()
    }

    // ---- answers ----

    fn answer(&mut self, reply: &Reply) {
        if self.command.no_answer || self.command.answered {
            return;
        }
        let tag = match self.command.wrong_tag {
            true => "nobody-s-tag",
            false => &self.command.tag,
        };
        let line = format!("{tag} {} {}", reply.status(), reply.text);
        self.wire.put_line(line);
    }

    fn count_bad(&mut self) -> Result<(), Stop> {
        self.bad_in_a_row += 1;
        match self.bad_in_a_row >= self.server.limits.bad_commands {
            true => self.bye("Too many invalid IMAP commands."),
            false => Ok(()),
        }
    }

    /// Says goodbye; the connection closes after this command.
    fn bye(&mut self, text: &str) -> Result<(), Stop> {
        self.wire.put_line(format!("* BYE {text}"));
        self.over = true;
        Ok(())
    }

    fn record(&self, args: &Args, literal: Option<Announced>) -> crate::transcript::Place {
        let mut arguments = masked(&self.command.verb, args);
        if let Some(literal) = literal {
            let sign = if literal.synchronising { "" } else { "+" };
            let tilde = if literal.eight { "~" } else { "" };
            arguments.push_str(&format!("{tilde}{{{}{sign}}}", literal.octets));
        }
        self.server.recorder.command(Entry {
            connection: self.number,
            tag: self.command.tag.clone(),
            verb: self.command.verb.clone(),
            arguments: arguments.trim_start().to_owned(),
            selected: self.selected.as_ref().map(|s| s.wire.clone()),
            answer: None,
        })
    }

    // ---- mailbox names ----

    /// The stored name for one that a client wrote; `None` when it is no name.
    fn stored_name(&self, given: &[u8]) -> Option<Vec<u8>> {
        let wire = match self.utf8() {
            true => name::encode(std::str::from_utf8(given).ok()?),
            false => given.to_vec(),
        };
        let wire = name::inbox_folded(&wire, self.personality().separator);
        let known = match &self.account {
            Some(account) if self.personality().names.ignores_case => lock(&account.cell.store)
                .spelling(&wire)
                .map(<[u8]>::to_vec),
            _ => None,
        };
        Some(known.unwrap_or(wire))
    }

    /// A stored name as this client is told it.
    fn told_name(&self, wire: &[u8]) -> Vec<u8> {
        match self.utf8().then(|| name::decode(wire)).flatten() {
            Some(name) => reply::quoted_or_literal(name.as_bytes(), true),
            None => reply::quoted_or_literal(wire, false),
        }
    }

    /// The mailbox that a command names as its first argument.
    fn named_mailbox(&self, args: &Args) -> Option<Vec<u8>> {
        let names_one = matches!(
            self.command.verb.as_str(),
            "SELECT"
                | "EXAMINE"
                | "CREATE"
                | "DELETE"
                | "RENAME"
                | "SUBSCRIBE"
                | "UNSUBSCRIBE"
                | "STATUS"
                | "APPEND"
        );
        if !names_one {
            return None;
        }
        let mut args = args.clone();
        if !args.eat(b' ') {
            return None;
        }
        self.stored_name(&args.astring().ok()?)
    }
}

#[derive(Clone, Copy)]
enum State {
    Any,
    Before,
    After,
    Selected,
}

fn no_arguments(args: &Args) -> Result<(), Halt> {
    args.end().map_err(Halt::from)
}

fn take_tag(args: &mut Args) -> Option<String> {
    let tag = args.tag()?;
    let usable = !tag.contains('+') && tag.len() <= 100 && args.peek() == Some(b' ');
    usable.then_some(tag)
}

fn take_verb(args: &mut Args) -> String {
    let next = |args: &mut Args| match args.eat(b' ') {
        true => args.word().unwrap_or_default(),
        false => String::new(),
    };
    let verb = next(args);
    match verb.as_str() {
        "UID" => format!("UID {}", next(args)),
        _ => verb,
    }
}

/// The arguments without secrets.
fn masked(verb: &str, args: &Args) -> String {
    match verb {
        "LOGIN" => {
            let mut rest = args.clone();
            let user = rest.eat(b' ').then(|| rest.astring().ok()).flatten();
            match user {
                Some(user) => format!("{} ***", String::from_utf8_lossy(&user)),
                None => "***".to_owned(),
            }
        }
        "AUTHENTICATE" => {
            let mut rest = args.clone();
            let mechanism = rest
                .eat(b' ')
                .then(|| rest.word().ok())
                .flatten()
                .unwrap_or_default();
            let initial = if rest.at_end() { "" } else { " ***" };
            format!("{mechanism}{initial}")
        }
        _ => args.shown(),
    }
}
