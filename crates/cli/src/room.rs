//! Room at an account: what is free there, and whether a copy fits.

use crate::json;
use crate::output::Output;
use hikyaku_core::policy::Reserve;
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Fault};
use hikyaku_text::{Lang, Size, room as text};
use hikyaku_view::{Line, RoomView};

/// Room at an account for so much; `None` where the server does not tell.
pub(crate) async fn look(
    account: &dyn Source,
    reserve: Reserve,
    needed: Option<u64>,
) -> Option<RoomView> {
    // What is only shown is no reason to fail.
    let quota = account.quota().await.ok().flatten()?;
    Some(RoomView::new(quota, reserve, needed))
}

/// Room before and after a copy; where the copy does not fit, what is missing and what
/// can be done.
pub(crate) fn lines(room: &RoomView, lang: Lang) -> Vec<String> {
    let free = Size(room.free);
    let (Some(needed), Some(left), Some(missing)) = (room.needed, room.left, room.missing) else {
        return vec![text::free_now(free, lang)];
    };
    let (needed, kept) = (Size(needed), Size(room.kept));
    let mut lines = match u64::try_from(left) {
        Ok(left) => vec![text::after_the_copy(free, Size(left), lang)],
        Err(_) => vec![text::free_now(free, lang)],
    };
    match (missing, room.kept) {
        (0, 0) => {}
        (0, _) => lines.push(text::kept_free(kept, lang)),
        (_, 0) => {
            lines.push(text::does_not_fit_at_all(needed, free, Size(missing), lang));
            lines.push(text::way_out(lang));
        }
        (_, _) => {
            lines.push(text::does_not_fit(needed, free, kept, Size(missing), lang));
            lines.push(text::ways_out(lang));
        }
    }
    lines
}

/// Room of an account that is only looked at.
pub(crate) fn of_account(room: &RoomView, lang: Lang) -> String {
    text::of_account(Size(room.used), Size(room.limit), Size(room.free), lang)
}

/// Whether a fault is about room.
pub(crate) fn is_about_room(fault: &Fault) -> bool {
    matches!(fault.code, Code::QuotaExceeded | Code::QuotaReserve)
}

/// Says how much room there is and is missing, after a copy did not fit.
pub(crate) fn say(room: &RoomView, output: Output) {
    match output.json {
        true => json::line(output, &Line::Room(*room)),
        false => output.note(&lines(room, output.lang).join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::mailbox::Quota;

    const MB: u64 = 1 << 20;

    fn said(used: u64, reserve: Reserve, needed: Option<u64>, lang: Lang) -> Vec<String> {
        let quota = Quota {
            used: used * MB,
            limit: 2_000 * MB,
        };
        lines(&RoomView::new(quota, reserve, needed.map(|n| n * MB)), lang)
    }

    #[test]
    fn room_before_and_after_is_shown() {
        assert_eq!(
            said(500, Reserve::Usual, Some(1_000), Lang::Ja),
            [
                "コピー先の空き容量：1.5GB → コピー後 500MB",
                "新しいメールのために143MBを空けておきます。",
            ]
        );
        assert_eq!(
            said(500, Reserve::Nothing, Some(1_000), Lang::En),
            ["Free space at the destination: 1.5 GB → 500 MB after the copy"]
        );
        assert_eq!(
            said(500, Reserve::Usual, None, Lang::En),
            ["Free space at the destination: 1.5 GB"]
        );
    }

    #[test]
    fn what_is_missing_is_told_with_both_ways_out() {
        let tight = said(500, Reserve::Usual, Some(1_450), Lang::Ja);
        assert_eq!(
            tight[..2],
            [
                "コピー先の空き容量：1.5GB → コピー後 50MB",
                "このままでは約93MB不足します（必要 1.4GB・空き 1.5GB・新しいメールのために空けておく分 143MB）。",
            ]
        );
        assert!(tight[2].contains("--fit") && tight[2].contains("--fill"));
        let over = said(500, Reserve::Nothing, Some(2_500), Lang::En);
        assert_eq!(
            over[..2],
            [
                "Free space at the destination: 1.5 GB",
                "About 1.0 GB are missing: 2.4 GB needed, 1.5 GB free.",
            ]
        );
        assert!(over[2].contains("--fit") && !over[2].contains("--fill"));
    }
}
