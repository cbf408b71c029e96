//! Literals of commands: asking for them, and what becomes of those that come
//! with a refused command (RFC 9051 §4.3, RFC 7888).

use bytes::Bytes;

use super::Session;
use super::reply::{Halt, Reply};
use crate::command::{Announced, announced};
use crate::personality::AfterBad;
use crate::wire::{LineFault, Stop};

impl Session {
    /// Reads a literal that is an argument, not a message.
    pub(super) async fn argument_literal(&mut self, literal: Announced) -> Result<Bytes, Halt> {
        if literal.octets > self.server.limits.literal {
            return Err(Halt::Malformed);
        }
        self.invite(literal).await?;
        let octets = self.wire.octets(literal.octets).await?;
        self.command.pending = None;
        Ok(octets)
    }

    /// Asks for a synchronising literal; refuses a non-synchronising one where
    /// the server has not offered them.
    pub(super) async fn invite(&mut self, literal: Announced) -> Result<(), Halt> {
        if literal.synchronising {
            self.wire.put_line("+ OK");
            self.wire.flush().await?;
            return Ok(());
        }
        let small = literal.octets <= 4096;
        let offered = self.can("LITERAL+") || (small && self.can("LITERAL-"));
        offered.then_some(()).ok_or(Halt::Malformed)
    }

    /// Deals with the literal that a refused command left behind. A client that
    /// waits for `+` sends nothing more; the other has sent everything already.
    pub(super) async fn settle_literal(&mut self, reply: &Reply) -> Result<(), Stop> {
        let Some(literal) = self.command.pending.take().filter(|l| !l.synchronising) else {
            return Ok(());
        };
        // RFC 7888 §4: after NO the octets are read; after BAD servers differ.
        let habit = match reply.bad || !self.literals_known() {
            true => self.personality().after_bad,
            false => AfterBad::Swallows,
        };
        match habit {
            AfterBad::RunsAsCommands => Ok(()),
            AfterBad::Swallows => self.swallow(literal).await,
            AfterBad::Closes => {
                self.over = true;
                Ok(())
            }
        }
    }

    fn literals_known(&self) -> bool {
        self.can("LITERAL+") || self.can("LITERAL-")
    }

    /// Reads the rest of a command and forgets it. A synchronising literal ends
    /// it: the client waits for a `+` that does not come.
    async fn swallow(&mut self, first: Announced) -> Result<(), Stop> {
        let mut next = Some(first);
        while let Some(literal) = next.filter(|l| !l.synchronising) {
            self.wire.skip(literal.octets).await?;
            let Ok(line) = self.wire.line(self.server.limits.line).await else {
                return Err(Stop);
            };
            next = announced(&line).1;
        }
        Ok(())
    }

    /// The next line of the command.
    pub(super) async fn line(&mut self, room: usize) -> Result<Bytes, Halt> {
        match self.wire.line(room).await {
            Ok(line) => Ok(line),
            Err(LineFault::Stop) => Err(Halt::Stop),
            Err(LineFault::TooLong) => {
                self.bye("Command line too long")?;
                Err(Halt::Malformed)
            }
        }
    }
}
