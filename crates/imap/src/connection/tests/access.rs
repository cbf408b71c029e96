//! What a connection may say, by what it was opened for.

use super::*;

#[tokio::test]
async fn a_connection_for_reading_refuses_to_write() {
    let (ours, mut peer) = crate::testing::pair(WIDE);
    let (read, write) = tokio::io::split(ours);
    let framer = Framer::new(crate::frame::FrameLimits::default());
    let profile = Profile {
        endpoint: crate::testing::endpoint(),
        access: Access::Reading,
        last_tag: Tag(0),
        reset: Box::new(|| {}),
    };
    let connection = Connection::start(read, write, framer, profile);
    let name = || WireName::new("a");
    let flags = || WireFlags::divide(&hikyaku_core::Flags::parse("\\Seen")).0;
    for command in [
        Command::Create {
            mailbox: name(),
            role: None,
        },
        Command::Subscribe(name()),
        Command::Select {
            mailbox: name(),
            opening: crate::encode::Opening::Plain,
        },
        Command::Store {
            uids: UidSet::From(Key(1)),
            change: crate::encode::StoreChange::Add,
            flags: flags(),
        },
        append_of(&[held("x")]),
        Command::Expunge(KeySet::range(1..=1)),
    ] {
        let fault = connection
            .submit(&command, Takes::NOTHING)
            .expect_err("refused");
        assert_eq!(fault.code, Code::Bug, "{}", command.name());
    }
    connection
        .submit(&Command::Noop, Takes::NOTHING)
        .expect("queued");
    assert_eq!(peer.hears().await, "h1 NOOP");
}

/// Which commands a connection lets out.
fn let_out(access: Access) -> Vec<String> {
    let name = || WireName::new("a");
    let store = |change, flags| Command::Store {
        uids: UidSet::From(Key(1)),
        change,
        flags: WireFlags::divide(&hikyaku_core::Flags::parse(flags)).0,
    };
    let (add, remove) = (
        crate::encode::StoreChange::Add,
        crate::encode::StoreChange::Remove,
    );
    let commands = [
        ("SELECT", select(name())),
        ("APPEND", append_of(&[held("x")])),
        ("SUBSCRIBE", Command::Subscribe(name())),
        ("+Seen", store(add, "\\Seen")),
        ("-Deleted", store(remove, "\\Deleted")),
        ("+Deleted", store(add, "\\Deleted")),
        ("+Deleted+Seen", store(add, "\\Deleted \\Seen")),
        ("EXPUNGE", Command::Expunge(KeySet::range(1..=1))),
    ];
    let allowed = commands.iter().filter(|(_, c)| access.allows(c));
    allowed.map(|(name, _)| (*name).to_owned()).collect()
}

fn select(mailbox: WireName) -> Command {
    Command::Select {
        mailbox,
        opening: crate::encode::Opening::Plain,
    }
}

#[test]
fn only_a_connection_for_removing_removes() {
    assert_eq!(let_out(Access::Reading).join(" "), "");
    assert_eq!(
        let_out(Access::Writing).join(" "),
        "SELECT APPEND SUBSCRIBE +Seen -Deleted"
    );
    assert_eq!(
        let_out(Access::Removing).join(" "),
        "SELECT +Deleted +Deleted+Seen EXPUNGE"
    );
}
