//! ID, ENABLE, NAMESPACE, QUOTA, COMPRESS and IDLE.

use super::reply::{Halt, Outcome, Reply, quoted};
use super::{Session, no_arguments};
use crate::account::lock;
use crate::command::Args;
use crate::personality::Unlimited;
use crate::store::Quota;

impl Session {
    /// RFC 2971.
    pub(super) fn id(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        if !args.eat_word("NIL") {
            args.list(|args| args.nstring())?;
        }
        no_arguments(&args)?;
        let told = match &self.personality().id {
            None => "NIL".to_owned(),
            Some(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!("\"{name}\" \"{value}\""));
                format!("({})", fields.collect::<Vec<_>>().join(" "))
            }
        };
        self.wire.put_line(format!("* ID {told}"));
        Ok(Reply::ok("ID completed."))
    }

    /// RFC 5161; only what the server has is enabled and told.
    pub(super) fn enable(&mut self, args: Args) -> Outcome {
        let mut args = args;
        let mut told = String::new();
        while args.eat(b' ') {
            let capability = args.word()?;
            let known = match capability.as_str() {
                "CONDSTORE" if self.can("CONDSTORE") => {
                    self.enabled.condstore = true;
                    true
                }
                "QRESYNC" if self.can("QRESYNC") => {
                    self.enabled.condstore = true;
                    self.enabled.qresync = true;
                    true
                }
                "UTF8=ACCEPT" if self.can("UTF8=ACCEPT") => {
                    self.enabled.utf8 = true;
                    true
                }
                "IMAP4REV2" if self.can("IMAP4rev2") => {
                    self.enabled.rev2 = true;
                    true
                }
                _ => false,
            };
            if known {
                told.push(' ');
                told.push_str(if capability == "IMAP4REV2" {
                    "IMAP4rev2"
                } else {
                    &capability
                });
            }
        }
        no_arguments(&args)?;
        if !told.is_empty() {
            self.wire.put_line(format!("* ENABLED{told}"));
        }
        Ok(Reply::ok("Enabled."))
    }

    /// RFC 2342.
    pub(super) fn namespace(&mut self, args: Args) -> Outcome {
        no_arguments(&args)?;
        let personality = self.personality();
        let prefix =
            String::from_utf8_lossy(&quoted(personality.prefix_octets(), true)).into_owned();
        let foreign = personality.foreign_namespaces.clone();
        let separator = self.told_separator();
        self.wire
            .put_line(format!("* NAMESPACE (({prefix} {separator})) {foreign}"));
        Ok(Reply::ok("Namespace completed."))
    }

    /// The separator in quotes, or NIL.
    pub(super) fn told_separator(&self) -> String {
        match self.personality().separator {
            Some(b'\\') => "\"\\\\\"".to_owned(),
            Some(separator) => format!("\"{}\"", char::from(separator)),
            None => "NIL".to_owned(),
        }
    }

    /// RFC 9208 §4.2.
    pub(super) fn get_quota(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        args.astring()?;
        no_arguments(&args)?;
        match self.quota_line() {
            Some(line) => {
                self.wire.put_line(line);
                Ok(Reply::ok("Getquota completed."))
            }
            None => Err(Reply::no("Quota root doesn't exist.").into()),
        }
    }

    /// RFC 9208 §4.3.
    pub(super) fn get_quota_root(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let given = args.astring()?;
        no_arguments(&args)?;
        let wire = self.stored_name(&given).ok_or(Halt::Malformed)?;
        let told = String::from_utf8_lossy(&self.told_name(&wire)).into_owned();
        match (self.quota_line(), self.personality().unlimited) {
            (Some(line), _) => {
                self.wire
                    .put_line(format!("* QUOTAROOT {told} \"User quota\""));
                self.wire.put_line(line);
            }
            (None, Unlimited::Nothing) => {}
            (None, Unlimited::NoRoots) => self.wire.put_line(format!("* QUOTAROOT {told}")),
            (None, Unlimited::NoList) => {
                self.wire.put_line(format!("* QUOTAROOT {told} \"ROOT\""));
                self.wire.put_line("* QUOTA \"ROOT\"");
            }
        }
        Ok(Reply::ok("Getquotaroot completed."))
    }

    /// The QUOTA line; `None` for an account without limits.
    fn quota_line(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        let store = lock(&account.cell.store);
        let Quota { octets, messages } = store.quota;
        if octets.is_none() && messages.is_none() {
            return None;
        }
        let storage = octets.map(|limit| {
            format!(
                "STORAGE {} {}",
                store.used_octets.div_ceil(1024),
                limit.div_ceil(1024)
            )
        });
        let count = messages.map(|limit| format!("MESSAGE {} {limit}", store.used_messages));
        let resources: Vec<String> = [storage, count].into_iter().flatten().collect();
        Some(format!("* QUOTA \"User quota\" ({})", resources.join(" ")))
    }

    /// RFC 4978.
    pub(super) async fn compress(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        if args.word()? != "DEFLATE" || !args.at_end() {
            return Err(Halt::Malformed);
        }
        if self.wire.compresses() {
            return Err(Reply::no("[COMPRESSIONACTIVE] DEFLATE is active already.").into());
        }
        self.answer(&Reply::ok("Begin compression."));
        self.wire.start_deflate().await?;
        self.command.answered = true;
        Ok(Reply::ok("DEFLATE"))
    }

    /// RFC 2177: tells changes until the client says DONE.
    pub(super) async fn idle(&mut self, args: Args) -> Outcome {
        no_arguments(&args)?;
        self.wire.put_line("+ idling");
        let Some(account) = self.account.clone() else {
            return Err(Halt::Unknown);
        };
        loop {
            let changed = account.cell.changed.notified();
            tokio::pin!(changed);
            // Enabled before looking, so that no change falls in between.
            changed.as_mut().enable();
            self.tell_changes(true).await?;
            if self.over {
                return Err(Halt::Stop);
            }
            self.wire.flush().await?;
            let limit = self.server.limits.line;
            tokio::select! {
                line = self.wire.line(limit) => {
                    let line = line.map_err(|_| Halt::Stop)?;
                    return match line.eq_ignore_ascii_case(b"DONE") {
                        true => Ok(Reply::ok("Idle completed.")),
                        false => Err(Halt::Malformed),
                    };
                }
                () = changed => {}
            }
        }
    }
}
