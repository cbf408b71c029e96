use super::*;
use hikyaku_core::{Epoch, Flag, Flags, InternalDate, Key, KeySet, Keyword, Role, WireName};

const TAG: Tag = Tag(7);

fn style() -> Style {
    Style::default()
}

fn plus() -> Style {
    Style {
        literals: LiteralMode::Plus,
        utf8: false,
    }
}

/// What goes over the wire, secrets included, with marks where something else goes.
fn wire_of(command: &Command, style: Style) -> Result<String, EncodeError> {
    let encoded = command.encode(TAG, style)?;
    let mut out = Vec::new();
    for part in &encoded.parts {
        match part {
            Part::Octets(octets) => out.extend_from_slice(octets),
            Part::Secret(secret) => out.extend_from_slice(secret.0.expose()),
            Part::Wait => out.extend_from_slice(b"<wait>"),
            Part::Body { message, octets } => {
                out.extend(format!("<body {message}: {octets}>").into_bytes());
            }
            Part::Commit => out.extend_from_slice(b"<commit>"),
        }
    }
    Ok(String::from_utf8(out).expect("text"))
}

fn name(text: &str) -> WireName {
    WireName::new(text)
}

fn keys(text: &str) -> UidSet {
    UidSet::Keys(KeySet::parse(text).expect("set"))
}

fn date(seconds: i64) -> WireDate {
    WireDate::new(InternalDate::utc(seconds)).expect("date")
}

fn wire_flags(text: &str) -> WireFlags {
    let (flags, lost) = WireFlags::divide(&Flags::parse(text));
    assert!(lost.is_empty());
    flags
}

fn message(flags: &str, octets: u64) -> AppendMessage {
    AppendMessage {
        flags: wire_flags(flags),
        date: Some(date(1_700_000_000)),
        octets,
        utf8: false,
        wait: false,
    }
}

fn fetch(uids: &str, items: &[FetchItem]) -> Fetch {
    Fetch {
        uids: keys(uids),
        items: items.to_vec(),
        changed_since: None,
    }
}

mod append;
mod commands;
mod safety;
