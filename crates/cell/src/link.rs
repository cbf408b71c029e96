//! One child, from its beginning to its end: a question goes in, an answer comes out, within a time.

use crate::child::Allowance;
use crate::wire::{self, Answer, Ask};
use futures::future::BoxFuture;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::process::{Child, Command};

/// How long a child may take to end by itself once nobody asks any more.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// Begins children.
pub trait Spawn: Send + Sync {
    /// A new one, in this directory, which may use so much.
    ///
    /// # Errors
    /// Why there is none.
    fn spawn(&self, directory: &Path, allowance: Allowance) -> io::Result<Link>;
}

/// Waits, with another clock for tests.
pub type Wait = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// A program that is a child: `PROGRAM ARGUMENTS… --memory N --seconds N --file N`.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// What it is told in front of the limits.
    pub arguments: Vec<OsString>,
}

impl Spawn for Program {
    fn spawn(&self, directory: &Path, allowance: Allowance) -> io::Result<Link> {
        let limits = [
            ("--memory", allowance.memory),
            ("--seconds", allowance.seconds),
            ("--file", allowance.file),
        ];
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .current_dir(directory)
            // Nothing of what this process knows.
            .env_clear()
            // One arena of memory for each of its few threads is enough.
            .env("MALLOC_ARENA_MAX", "2")
            // What it unpacks for a look goes away with the archive, also when it is killed.
            .env("TMPDIR", std::path::absolute(directory)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for (name, most) in limits {
            command.arg(name).arg(most.to_string());
        }
        let mut child = command.spawn()?;
        let missing = || io::Error::other("a child without pipes");
        let to = child.stdin.take().ok_or_else(missing)?;
        let from = child.stdout.take().ok_or_else(missing)?;
        Ok(Link {
            to: Some(Box::new(to)),
            from: Box::new(from),
            child: Some(child),
        })
    }
}

/// A child and its pipes. Dropping it ends the child.
pub struct Link {
    to: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    from: Box<dyn AsyncRead + Send + Unpin>,
    child: Option<Child>,
}

impl Link {
    /// Pipes without a process, for tests.
    pub fn of(
        from: impl AsyncRead + Send + Unpin + 'static,
        to: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            to: Some(Box::new(to)),
            from: Box::new(from),
            child: None,
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the child died of, as far as it is known. It is of no use any more then.
    pub(crate) async fn ask(
        &mut self,
        ask: &Ask,
        patience: Duration,
    ) -> Result<(Answer, Vec<u8>), String> {
        let talk = async {
            let to = self.to.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            wire::write(to, ask, &[]).await?;
            wire::read::<Answer>(&mut self.from).await
        };
        let died = match tokio::time::timeout(patience, talk).await {
            Ok(Ok(Some(answered))) => return Ok(answered),
            Ok(Ok(None)) => "it ended".to_owned(),
            Ok(Err(e)) => e.to_string(),
            Err(_) => format!("no answer within {} seconds", patience.as_secs()),
        };
        self.to = None;
        let Some(child) = &mut self.child else {
            return Err(died);
        };
        match tokio::time::timeout(LAST_MOMENT, child.wait()).await {
            Ok(Ok(status)) => Err(format!("{died}: {status}")),
            _ => {
                child.kill().await.ok();
                Err(died)
            }
        }
    }

    /// Lets the child end.
    pub(crate) async fn end(mut self) {
        self.to = None;
        if let Some(child) = &mut self.child
            && tokio::time::timeout(LAST_MOMENT, child.wait())
                .await
                .is_err()
        {
            child.kill().await.ok();
        }
    }
}

/// The fault of an archive that its reader does not survive.
pub(crate) fn fatal(reach: Reach, why: &str) -> Fault {
    let remedy = match reach {
        Reach::Message => Remedy::Skip,
        _ => Remedy::AskUser,
    };
    let detail = format!("the process that reads the archive came to an end: {why}");
    Fault::new(Code::ArchiveDamaged, reach, remedy, detail)
}

/// The fault of an answer that does not belong to its question.
pub(crate) fn astray() -> String {
    "it answered something else".to_owned()
}
