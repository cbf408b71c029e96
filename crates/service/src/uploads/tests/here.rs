//! Children of a service that stay in its process, so that a test needs no program to start.

use hikyaku_cell::wire::{self, Answer, Ask};
use hikyaku_cell::{Allowance, Link, Spawn, serve};
use std::io;
use std::path::Path;
use tokio::io::{duplex, split};

/// Children in this process: the directory of the archive is put in front of their paths.
pub(crate) struct Here;

impl Spawn for Here {
    fn spawn(&self, directory: &Path, _: Allowance) -> io::Result<Link> {
        let (parent, manager) = duplex(1 << 16);
        let (stage, actor) = duplex(1 << 16);
        let (from, to) = split(actor);
        tokio::spawn(serve(from, to));
        let directory = directory.to_owned();
        tokio::spawn(async move {
            let (mut from, mut to) = split(manager);
            let (mut answers, mut asks) = split(stage);
            while let Ok(Some((mut ask, _))) = wire::read::<Ask>(&mut from).await {
                if let Ask::Look { path } | Ask::Open { path, .. } = &mut ask {
                    *path = directory.join(&*path).display().to_string();
                }
                if let Ask::Open { spool, .. } = &mut ask {
                    *spool = directory.join(&*spool).display().to_string();
                }
                wire::write(&mut asks, &ask, &[]).await.expect("asked");
                let answered = wire::read::<Answer>(&mut answers).await;
                let Ok(Some((answer, raw))) = answered else {
                    return;
                };
                if wire::write(&mut to, &answer, &raw).await.is_err() {
                    return;
                }
            }
        });
        let (from, to) = split(parent);
        Ok(Link::of(from, to))
    }
}
