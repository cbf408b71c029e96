//! Large ordinary accounts, as the benchmarks copy them.

use super::random::Random;
use super::{Body, GeneratedAccount, GeneratedMailbox, GeneratedMessage};
use crate::judge::date;

/// 10,000 messages with 634 MB in 20 mailboxes: an office account after some years.
pub fn office() -> GeneratedAccount {
    small_mixed(1, 10_000, 634_000_000, 20)
}

/// 1,000 messages with 52 MB in 20 mailboxes: small enough for a long line.
pub fn modest() -> GeneratedAccount {
    small_mixed(2, 1_000, 52_000_000, 20)
}

/// 100,000 messages of about 2 KB in 20 mailboxes.
pub fn many_small() -> GeneratedAccount {
    let mut random = Random::new(3);
    let sizes = (0..100_000).map(|_| random.between(1_024, 3_072)).collect();
    account(3, sizes, 20)
}

/// 20 messages of 50 to 95 MB, 1.4 GB together, in one mailbox.
pub fn large() -> GeneratedAccount {
    account(
        4,
        (0..20)
            .map(|index| 50_000_000 + index * 45_000_000 / 19)
            .collect(),
        1,
    )
}

/// `messages` of sizes as they are found in practice, most of them small and few large, `octets` together, in so many
/// mailboxes (INBOX first, holding two fifths).
pub fn small_mixed(seed: u64, messages: usize, octets: u64, mailboxes: usize) -> GeneratedAccount {
    const SMALLEST: u64 = 600;
    let mut random = Random::new(seed);
    let drawn: Vec<u64> = (0..messages)
        .map(|_| match random.between(0, 100) {
            0..55 => random.between(2_000, 8_000),
            55..80 => random.between(8_000, 40_000),
            80..92 => random.between(40_000, 150_000),
            92..98 => random.between(150_000, 800_000),
            _ => random.between(800_000, 5_000_000),
        })
        .collect();
    // Scaled to the wanted sum; what rounding leaves over goes to the last message.
    let sum = u128::from(drawn.iter().sum::<u64>().max(1));
    let spread = u128::from(octets.saturating_sub(SMALLEST * messages as u64));
    let mut sizes: Vec<u64> = drawn
        .iter()
        .map(|size| SMALLEST + (u128::from(*size) * spread / sum) as u64)
        .collect();
    let missing = octets.saturating_sub(sizes.iter().sum());
    if let Some(last) = sizes.last_mut() {
        *last += missing;
    }
    account(seed, sizes, mailboxes)
}

/// Spreads messages over mailboxes, with flags and dates as they are found in practice.
fn account(seed: u64, sizes: Vec<u64>, mailboxes: usize) -> GeneratedAccount {
    const NAMES: [&[&str]; 20] = [
        &["INBOX"],
        &["Sent"],
        &["Trash"],
        &["Drafts"],
        &["Junk"],
        &["請求書"],
        &["請求書", "2023年度"],
        &["請求書", "2024年度"],
        &["お客様", "株式会社サンプル"],
        &["お客様", "見積もり"],
        &["社内", "総務"],
        &["社内", "経理", "給与"],
        &["Projects"],
        &["Projects", "Alpha"],
        &["Projects", "Beta", "Reports"],
        &["Lists", "announce"],
        &["Lists", "users"],
        &["Archive", "2021"],
        &["Archive", "2022"],
        &["R&D (old)"],
    ];
    let mut random = Random::new(seed ^ 0x666c_6167);
    let named = |levels: &&[&str]| GeneratedMailbox {
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        subscribed: true,
        messages: Vec::new(),
    };
    let mut boxes: Vec<_> = NAMES.iter().take(mailboxes.max(1)).map(named).collect();
    let count = boxes.len() as u64;
    for (index, octets) in sizes.into_iter().enumerate() {
        let place = if count == 1 || random.percent(40) {
            0
        } else {
            random.between(1, count)
        };
        let mut flags = Vec::new();
        for (flag, chance) in [
            ("\\Seen", 80),
            ("\\Answered", 15),
            ("\\Flagged", 5),
            ("$Forwarded", 4),
            ("$label1", 3),
            ("NonJunk", 6),
        ] {
            if random.percent(chance) {
                flags.push(flag.to_owned());
            }
        }
        // Ten years in order, a few minutes to hours apart, as mail arrives.
        let seconds = 1_420_070_400 + index as i64 * 3_000 + random.between(0, 2_999) as i64;
        boxes[place as usize].messages.push(GeneratedMessage {
            note: String::new(),
            flags,
            internal_date: Some(date::format(seconds)),
            body: Body::Computed {
                seed: seed << 32 | index as u64,
                octets,
            },
        });
    }
    GeneratedAccount { mailboxes: boxes }
}

#[cfg(test)]
mod tests {
    #[test]
    fn profiles_have_the_promised_size() {
        for (account, messages, octets, mailboxes) in [
            (super::office(), 10_000, 634_000_000, 20),
            (super::modest(), 1_000, 52_000_000, 20),
            (super::large(), 20, 1_450_000_000, 1),
            (super::small_mixed(9, 3, 90_000, 7), 3, 90_000, 7),
        ] {
            assert_eq!(
                (account.messages(), account.mailboxes.len()),
                (messages, mailboxes)
            );
            assert!(
                account.octets().abs_diff(octets) < 20,
                "{} for {octets}",
                account.octets()
            );
        }
        let many = super::many_small();
        assert_eq!(many.messages(), 100_000);
        assert!((200_000_000..210_000_000).contains(&many.octets()));
    }
}
