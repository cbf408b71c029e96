//! The lines around a message in an mbox.
//!
//! Each message begins with a `From ` line that names this folder's epoch and the message's key,
//! so that what a crash left unfinished at the end is known to be of the backup.

use hikyaku_core::InternalDate;

/// The file in the folder of a backup of that format.
pub(crate) const FILE: &str = "mbox";

/// How such a line begins.
pub(crate) const SENDER: &str = "From hikyaku-";

/// The line before a message, without its end.
pub(crate) fn from_line(epoch: u32, key: u32, date: Option<InternalDate>) -> String {
    let seconds = date.map_or(0, |d| d.seconds);
    // asctime in UTC, as every reader of mbox knows it.
    let (year, month, day, hour, minute, second) = InternalDate::utc(seconds).civil();
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let weekday = DAYS[seconds.div_euclid(86_400).rem_euclid(7) as usize];
    let month = MONTHS[(month as usize).saturating_sub(1) % 12];
    format!(
        "{SENDER}{epoch:08x}-{key}@backup.invalid {weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year:04}"
    )
}

/// Whether what stands behind the last message is one of this folder that was never finished,
/// or nothing that anybody wrote.
pub(crate) fn is_unfinished(tail: &[u8], epoch: u32, next: u32) -> bool {
    // Line ends before it belong to the message before.
    let tail = tail.trim_ascii_start();
    let wanted = format!("{SENDER}{epoch:08x}-");
    let head = &tail[..tail.len().min(wanted.len())];
    if !wanted.as_bytes().starts_with(head) {
        // Blocks of a file that were never written read as zeros.
        return tail.iter().all(|octet| *octet == 0);
    }
    let digits = tail[head.len()..].iter().take_while(|o| o.is_ascii_digit());
    let digits: String = digits.map(|o| char::from(*o)).collect();
    let is_cut = head.len() + digits.len() == tail.len();
    is_cut || digits.parse::<u32>().is_ok_and(|key| key >= next)
}

/// The end of lines around a message: as in the message itself.
pub(crate) fn line_end(first_piece: &[u8]) -> &'static [u8] {
    match memchr::memchr(b'\n', first_piece) {
        Some(at) if at == 0 || first_piece[at - 1] != b'\r' => b"\n",
        _ => b"\r\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_before_a_message() {
        let date = Some(InternalDate {
            seconds: 1_626_225_630,
            offset_minutes: 540,
        });
        let line = from_line(0x1f, 7, date);
        assert_eq!(
            line,
            "From hikyaku-0000001f-7@backup.invalid Wed Jul 14 01:20:30 2021"
        );
        let early = from_line(1, 1, Some(InternalDate::utc(-1)));
        assert!(early.ends_with("Wed Dec 31 23:59:59 1969"), "{early}");
    }

    #[test]
    fn what_was_never_finished_is_known() {
        let line = from_line(0x1f, 7, None);
        for end in 0..line.len() {
            assert!(is_unfinished(&line.as_bytes()[..end], 0x1f, 7), "{end}");
        }
        assert!(is_unfinished(b"\r\n\r\n", 0x1f, 7));
        assert!(is_unfinished(&[0; 512], 0x1f, 7));
        assert!(is_unfinished(line.as_bytes(), 0x1f, 3));
        assert!(!is_unfinished(line.as_bytes(), 0x1f, 8), "an older message");
        assert!(!is_unfinished(line.as_bytes(), 0x2f, 7), "another folder's");
        assert!(
            !is_unfinished(b"From taro@example.jp Wed", 0x1f, 7),
            "somebody else's"
        );
        assert!(!is_unfinished(b"\nanything", 0x1f, 7));
    }

    #[test]
    fn lines_end_as_in_the_message() {
        assert_eq!(line_end(b"a\r\nb\n"), b"\r\n");
        assert_eq!(line_end(b"a\nb\r\n"), b"\n");
        assert_eq!(line_end(b"\n"), b"\n");
        assert_eq!(line_end(b""), b"\r\n");
    }
}
