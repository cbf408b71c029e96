//! What happens to the source between two runs: mail comes, is read, and goes.

use anyhow::{Context, Result};
use hikyaku_testkit::generate::{Body, Random};
use hikyaku_testkit::judge::{AccountSnapshot, Judge, MailboxSnapshot, date};

const NEW: usize = 100;
const FLAGS: usize = 50;
const GONE: usize = 10;

/// Makes 100 new messages, changes the flags of 50 others and expunges 10 more, spread over the mailboxes with the INBOX
/// having the most. Returns how many were expunged.
pub(super) fn apply(judge: &mut Judge, account: &AccountSnapshot, round: usize) -> Result<usize> {
    let mut random = Random::new(0x6368_616e_6765 + round as u64);
    let mut boxes: Vec<&MailboxSnapshot> = account
        .mailboxes
        .values()
        .filter(|mailbox| mailbox.messages.len() >= 8)
        .collect();
    boxes.sort_by_key(|mailbox| std::cmp::Reverse(mailbox.messages.len()));
    let inbox = boxes.first().context("the source has nothing to change")?;
    for number in 0..NEW {
        let mailbox = if random.percent(60) {
            inbox
        } else {
            boxes[random.between(0, boxes.len() as u64) as usize]
        };
        let body = Body::Computed {
            seed: 1 << 60 | (round as u64) << 32 | number as u64,
            octets: random.between(2_000, 40_000),
        };
        let arrived = 1_800_000_000 + (round * NEW + number) as i64 * 60;
        judge
            .append_from(
                &mailbox.wire,
                &[] as &[&str],
                Some(&date::format(arrived)),
                body.length(),
                &mut body.reader(),
            )?
            .accepted()?;
    }
    // Each message is touched once at most: positions count from the start of the mailbox, by steps that never meet.
    let (mut flagged, mut gone) = (0, 0);
    let mut step = 0;
    while flagged < FLAGS || gone < GONE {
        let mut advanced = false;
        for mailbox in &boxes {
            let Some(message) = mailbox.messages.get(step * 3 + round % 3) else {
                continue;
            };
            advanced = true;
            judge.select(&mailbox.wire)?.accepted()?;
            let uid = message.uid.to_string();
            if gone < GONE && step % 4 == 3 {
                judge.expunge(&uid)?.accepted()?;
                gone += 1;
            } else if flagged < FLAGS {
                let change = match message.flags.contains("\\Flagged") {
                    true => "-FLAGS",
                    false => "+FLAGS",
                };
                judge.store(&uid, change, &["\\Flagged"])?.accepted()?;
                flagged += 1;
            }
        }
        anyhow::ensure!(advanced, "the source is too small for {FLAGS} changes");
        step += 1;
    }
    Ok(gone)
}
