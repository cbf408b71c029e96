//! `docs/json.md` is made from here: an example of every object, read back and compared.
//! Run with `HIKYAKU_BLESS=1` to write it.

use hikyaku_core::event::Phase;
use hikyaku_core::ledger::Pairing;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::plan::{MailboxPlan, NameChange, Plan, Step};
use hikyaku_core::policy::{Reserve, SkipRule};
use hikyaku_core::report::{Exception, MailboxReport, Note, Outcome, Report, Tally, Wait};
use hikyaku_core::undo::{Kept, KeptCopy, UndoLine, UndoPlan, UndoReport};
use hikyaku_core::{
    AccountId, Code, Event, Fault, Key, MailboxInfo, MailboxName, MailboxState, Reach, Remedy,
    Role, Said, Side, WireName,
};
use hikyaku_view::{
    BackupView, CodeView, Connected, Folder, FoundView, LeavePopView, Line, PlanView,
    RecognisedView, ReportView, RoomView, SCHEMA, SourceEndView, StepView, StoreView, UndoPlanView,
    UndoReportView,
};
use std::fmt::Write;
use std::time::Duration;

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).expect("a name")
}

fn mailbox(text: &str, role: Option<Role>, messages: u64) -> MailboxInfo {
    MailboxInfo {
        name: name(text),
        wire: WireName::new(text),
        role,
        selectable: true,
        subscribed: true,
        no_children: false,
        state: Some(MailboxState {
            messages,
            octets: Some(messages * 65_536),
            ..MailboxState::default()
        }),
    }
}

fn refused() -> Fault {
    Fault::new(
        Code::MessageRefused,
        Reach::Message,
        Remedy::Skip,
        "APPEND was refused",
    )
    .on(Side::Destination)
    .server("imap.example.com:993")
    .mailbox("請求書/2024")
    .message(Key(4711))
    .said(Said::new(
        "NO",
        Some("CANNOT"),
        "Message contains NUL characters",
    ))
}

fn busy() -> Fault {
    let after = Some(Duration::from_secs(60));
    Fault::new(
        Code::ServerBusy,
        Reach::Side,
        Remedy::Retry { after },
        "FETCH was refused",
    )
    .on(Side::Source)
    .server("imap.example.jp:993")
    .said(Said::new("NO", Some("THROTTLED"), "Try again later"))
}

fn plan() -> Plan {
    let line = |source: MailboxInfo, to: &str, changes, step| MailboxPlan {
        role: source.role,
        source,
        destination: name(to),
        existing: None,
        changes,
        step,
        pairing: None::<Pairing>,
    };
    Plan {
        mailboxes: vec![
            line(
                mailbox("INBOX", None, 120),
                "INBOX",
                vec![],
                Step::Copy { create: false },
            ),
            line(
                mailbox("送信済みアイテム", Some(Role::Sent), 80),
                "Sent",
                vec![NameChange::Role(Role::Sent)],
                Step::Unchanged,
            ),
            line(
                mailbox("請求書\\/2024", None, 12),
                "請求書／2024",
                vec![NameChange::Character('/')],
                Step::Copy { create: true },
            ),
            line(
                mailbox("[Gmail]/All Mail", Some(Role::All), 200),
                "[Gmail]/All Mail",
                vec![],
                Step::Skip(SkipRule::View),
            ),
        ],
    }
}

fn report() -> Report {
    let mut tally = Tally::default();
    tally.add(Outcome::Copied, 118, 7_733_248);
    tally.add(Outcome::AlreadyThere, 1, 4_096);
    tally.add(Outcome::FailedPermanent, 1, 2_048);
    let head = "Subject: =?utf-8?B?6KuL5rGC5pu4?=\r\nFrom: taro@example.jp\r\nDate: Tue, 5 Mar 2024 09:08:07 +0900\r\nMessage-ID: <1@example.jp>\r\n\r\n";
    Report {
        mailboxes: vec![MailboxReport {
            source: name("請求書/2024"),
            destination: name("請求書/2024"),
            scanned: 120,
            tally,
            copied_now: 118,
            octets_now: 7_733_248,
            flags_updated: 0,
            read_back: 12,
        }],
        exceptions: vec![Exception {
            mailbox: name("請求書/2024"),
            key: Some(Key(4711)),
            octets: Some(2_048),
            head: Some(head.into()),
            outcome: Some(Outcome::FailedPermanent),
            fault: refused(),
        }],
        notes: vec![
            Note::FlagsLost {
                mailbox: name("請求書/2024"),
                flags: "$Label1".into(),
                messages: 3,
            },
            Note::Altered {
                mailbox: name("請求書/2024"),
                keys: vec![Key(7), Key(9)],
                messages: 2,
            },
            Note::DatesLost {
                mailbox: name("請求書/2024"),
                messages: 1,
            },
            Note::EpochChanged {
                mailbox: name("請求書/2024"),
                side: Side::Source,
            },
            Note::EpochUnstable {
                mailbox: name("請求書/2024"),
                side: Side::Destination,
            },
            Note::Arrived {
                mailbox: name("請求書/2024"),
                messages: 1,
            },
            Note::GoneAtSource {
                mailbox: name("請求書/2024"),
                messages: 1,
            },
            Note::FoundElsewhere {
                mailbox: name("請求書/2024"),
                found_in: name("保管"),
                messages: 1,
            },
        ],
        waits: vec![Wait {
            code: Code::ServerBusy,
            side: Some(Side::Destination),
            times: 2,
            millis: 90_000,
        }],
        elapsed_millis: 1_234,
        ..Report::default()
    }
}

fn undone() -> UndoReport {
    UndoReport {
        lines: vec![UndoLine {
            removed: 117,
            touched: 2,
            only_copy: 1,
            ..UndoLine::of(&name("請求書/2024"))
        }],
        kept: vec![KeptCopy {
            mailbox: name("請求書/2024"),
            key: Key(41),
            why: Kept::OnlyCopy,
            head: Some("Subject: a\r\n\r\n".into()),
        }],
        stopped: None,
        elapsed_millis: 1_234,
    }
}

fn pinned() -> Connected {
    let certificate = "5d41402abc4b2a76b9719d911017c592ae2bb9f1c0f6b4d1e3c5a7980f1e2d3c";
    Connected::new(Side::Source, "imap.example.jp:993", "192.0.2.17:993").encrypted(
        "TLS 1.3",
        certificate,
        true,
    )
}

fn room() -> RoomView {
    let quota = Quota {
        used: 3_221_225_472,
        limit: 10_737_418_240,
    };
    RoomView::new(quota, Reserve::Usual, Some(7_400_000_000))
}

#[test]
fn room_counts_what_is_kept_free() {
    let room = |needed| {
        let quota = Quota {
            used: 400,
            limit: 1_000,
        };
        let view = RoomView::new(quota, Reserve::Usual, Some(needed));
        (view.free, view.kept, view.left, view.missing)
    };
    assert_eq!(room(500), (600, 100, Some(100), Some(0)));
    assert_eq!(room(501), (600, 100, Some(99), Some(1)));
    assert_eq!(room(900), (600, 100, Some(-300), Some(400)));
    let over = Quota {
        used: 1_200,
        limit: 1_000,
    };
    let view = RoomView::new(over, Reserve::Nothing, Some(50));
    assert_eq!(
        (view.kept, view.left, view.missing),
        (0, Some(-50), Some(50))
    );
    assert_eq!(RoomView::new(over, Reserve::Nothing, None).missing, None);
}

fn thunderbird() -> FoundView {
    FoundView {
        kind: "thunderbird".to_owned(),
        folders: 12,
        messages: 23_000,
        exact: false,
        octets: 3_221_225_472,
    }
}

fn examples() -> Vec<(&'static str, &'static str, Line)> {
    let source = AccountId::new("imap://taro@imap.example.jp");
    let destination = AccountId::new("imap://taro@imap.example.com");
    let mailbox_name = || name("請求書/2024");
    vec![
        (
            "start",
            "The first line of every run. `schema` is the number of this contract. Passwords never appear.",
            Line::start("copy", "0.1.0", Some(&source), Some(&destination)),
        ),
        (
            "recognised",
            "What lies at the path of the source, where its kind was not named: as in `store`.",
            Line::Recognised(RecognisedView {
                path: "/home/taro/mail".to_owned(),
                found: thunderbird(),
            }),
        ),
        (
            "imap_beside",
            "IMAP answers beside a POP3 server, and is better; `account` is the source to write instead.",
            Line::ImapBeside {
                account: "imaps://taro@imap.example.jp".to_owned(),
            },
        ),
        (
            "connected",
            "A side is logged in. `address` is the one of the server's addresses that answered. `tls` and `certificate` (its SHA-256) are absent \
             where the connection is not encrypted; `pinned` is there and true where nothing but the fingerprint that the user gave vouches for \
             the certificate.",
            Line::Connected(pinned()),
        ),
        (
            "phase",
            "A phase began: `scan`, `plan`, `transfer`, `verify` or `undo`.",
            Line::from(&Event::Phase(Phase::Transfer)),
        ),
        (
            "plan",
            "What will happen to each source mailbox, in the order of work; the same object is the answer of `hikyaku plan`. \
             `action` is `copy`, `create_and_copy`, `unchanged` or `skip`; with `skip` there is a `rule`: `not_selected`, `excluded`, \
             `view` (only shows messages of other mailboxes) or `not_selectable`. `role` is `inbox`, `sent`, `drafts`, `archive`, `junk`, \
             `trash`, `all`, `flagged` or `important`. Each of `changes` is a reason why the names differ: `role`, `spelling`, \
             `character`, `edge`, `length`, `depth`, `collision`, `prefix`, `under` or `earlier`. \
             `messages` and `octets` are `null` where the source does not tell. `room` is that of `room`; only `hikyaku plan` tells it.",
            Line::Plan(PlanView {
                room: Some(room()),
                ..PlanView::from(&plan())
            }),
        ),
        (
            "mailbox_started",
            "A mailbox is being worked on. It may begin again after a lost connection.",
            Line::from(&Event::MailboxStarted {
                mailbox: mailbox_name(),
                messages: 120,
                to_copy: 118,
            }),
        ),
        (
            "sent",
            "So many octets left for the destination since the last such line; for rates only, what is sent again counts again.",
            Line::from(&Event::Sent { octets: 65_536 }),
        ),
        (
            "settled",
            "Outcomes became durable. `outcome` is one of those of `report`.",
            Line::from(&Event::Settled {
                mailbox: mailbox_name(),
                outcome: Outcome::Copied,
                messages: 100,
                octets: 6_553_600,
            }),
        ),
        (
            "taken_back",
            "Own copies were taken back: they are gone from the destination. `mailbox` is the source mailbox that they came from.",
            Line::from(&Event::TakenBack {
                mailbox: mailbox_name(),
                messages: 100,
            }),
        ),
        (
            "mailbox_done",
            "A mailbox has all its outcomes.",
            Line::from(&Event::MailboxDone {
                mailbox: mailbox_name(),
            }),
        ),
        (
            "fault",
            "Something failed; the run may go on. `code` is the stable name and `short` the number of `docs/faults.md`. \
             `reach` says how far it spreads: `message`, `mailbox`, `side` or `job`. `remedy` says what helps: `retry` (hikyaku does so itself, \
             not before `retry_after_millis` where the server named a time), `ask_user`, `skip` or `bug`. Of `said` only `status` and \
             `code` are fit for matching. `file` is where a message of an archive lies: its file, and the offset in it where it holds several. `detail` is English for logs; its words may change at any time.",
            Line::from(&Event::Fault(refused())),
        ),
        (
            "waiting",
            "Nothing happens until a moment.",
            Line::from(&Event::Waiting {
                until_millis: 1_795_334_400_000,
                because: busy(),
            }),
        ),
        ("resumed", "A wait is over.", Line::from(&Event::Resumed)),
        (
            "lanes",
            "How many mailboxes are worked on at once has changed: a server asked for less, or has been quiet since.",
            Line::from(&Event::Lanes { now: 2, most: 4 }),
        ),
        (
            "report",
            "The last line of every run. `scanned` is the sum of the messages of all `outcomes`; `adds_up` says that it is so. \
             `complete` is true only when nothing is left to look at. An exception without `message` is about the whole mailbox. \
             `heading` is decoded for people; `date` in it is ISO 8601, or what stands there where that is no date. `retries` counts what was \
             sent again, `waits` the pauses by reason. `servers` are as in `connected`. `replaced` and `kept` are there when everything was \
             copied again: as in `undo_report`.",
            Line::Report(Box::new(ReportView {
                servers: vec![pinned()],
                ..ReportView::from(&report())
            })),
        ),
        (
            "undo_plan",
            "What `hikyaku undo` would take back, one entry per destination mailbox: `removed` would go; `touched` (changed, moved or removed \
             by their owner, or nobody can tell) and `only_copy` (the source no longer has the message) would stay. `not_replaced` is for copies \
             that were to be replaced, and stays zero here. Where `supported` is false the server cannot remove exactly what is named, and nothing goes.",
            Line::UndoPlan(UndoPlanView::from(&UndoPlan {
                lines: undone().lines,
                supported: true,
            })),
        ),
        (
            "undo_report",
            "The last line of `hikyaku undo`. `kept` names what is still there and was left alone, at most 1,000; `why` is `touched`, `only_copy` \
             or `not_replaced`. Where `stopped` is not `null` the next undo goes on.",
            Line::UndoReport(Box::new(UndoReportView::from(&undone()))),
        ),
        (
            "folder",
            "One mailbox, as `hikyaku folders` and `hikyaku size` list it.",
            Line::Folder(Folder::from(&mailbox(
                "送信済みアイテム",
                Some(Role::Sent),
                80,
            ))),
        ),
        (
            "room",
            "Room of an account, where its server tells: of the one that `hikyaku size` looks at, or of a destination into which the copy does not \
             fit. `kept` is what a copy leaves free for new mail. `needed`, `left` (after the copy; negative when it does not fit) and `missing` \
             are absent where nothing is to be copied or its size is not known.",
            Line::Room(room()),
        ),
        (
            "store",
            "Mail that a program keeps on this computer, as `hikyaku find` lists it. `program` is `thunderbird`, `applemail`, `outlook`, `wlm`, \
             `windowsmail`, `dbx`, `becky`, `evolution`, `kmail` or `plain`; `kind` is what may be written in front of the path. `exact` is \
             false where the messages are estimated by size. `outlook_files` counts data files that cannot be read yet; `fault` says why \
             nothing could be looked at.",
            Line::Store(StoreView {
                program: "thunderbird".to_owned(),
                path: "/home/taro/.thunderbird/abcd.default".to_owned(),
                found: vec![thunderbird()],
                outlook_files: None,
                fault: None,
            }),
        ),
        (
            "backup",
            "The last line of `hikyaku check` of a backup alone. What is odd stands before it, one line each: `fault` for a message that is \
             not as it was written, `backup_line` for a line of a list, `backup_stranger` for a file of somebody else.",
            Line::Backup(BackupView {
                directory: "/home/taro/mail".to_owned(),
                format: "maildir".to_owned(),
                whole: false,
                folders: 12,
                messages: 22_998,
                octets: 3_221_200_000,
                damaged: 2,
                damaged_lines: 1,
                strangers: 1,
            }),
        ),
        (
            "step",
            "A step of `hikyaku leave-pop`, which runs other commands: their lines follow, each with its own `start` and its own last line. \
             `step` is `backup`, `check`, `copy`, `verify` or `retire`; `state` is `begins`, `earlier` (an earlier run did it, and nothing \
             has changed since) or `own` (the person has a backup).",
            Line::Step(StepView {
                step: "copy".to_owned(),
                number: 3,
                of: 5,
                source: Some("pop3://taro@pop.example.jp".to_owned()),
                state: "begins".to_owned(),
            }),
        ),
        (
            "leave_pop",
            "The last line of `hikyaku leave-pop`, unless it ended before: then it is a `fault`, or the `report` of the step that did not end. `copied` counts \
             what no earlier source had, in all runs; `missing` is `null` where the comparison did not end.",
            Line::LeavePop(LeavePopView {
                complete: true,
                sources: vec![SourceEndView {
                    source: "pop3://taro@pop.example.jp".to_owned(),
                    may_retire: true,
                    messages: 1_204,
                    copied: 1_200,
                    missing: Some(0),
                }],
            }),
        ),
        (
            "backup_line",
            "A line of a backup's list that is not as it was written.",
            Line::BackupLine {
                mailbox: "INBOX".to_owned(),
                file: "/home/taro/mail/INBOX/manifest.tsv".to_owned(),
                line: 17,
            },
        ),
        (
            "backup_stranger",
            "A file in a backup that does not belong to it; it is left as it is.",
            Line::BackupStranger {
                file: "/home/taro/mail/INBOX/note.txt".to_owned(),
            },
        ),
        (
            "code",
            "One code of the catalogue, as `hikyaku explain` lists it.",
            Line::Code(CodeView::from(Code::LoginRejected)),
        ),
    ]
}

fn page() -> String {
    let mut page = format!(
        "# JSON output\n\n\
         With `--json` every command writes one JSON object per line to standard output; the API streams the same objects.\n\
         `type` says what it is. This is schema {SCHEMA}: within one number objects only gain fields and types, so ignore what you\n\
         do not know. Words are `snake_case` and stable; numbers are plain, sizes are octets, times milliseconds.\n\n\
         Names of mailboxes are decoded, levels joined by `/`; a `/` inside a level is `\\/`, a backslash `\\\\`. They are those of the source\n\
         unless the field says otherwise. All text that comes from servers and messages is as it came: escape it for your medium.\n\n\
         The examples are made by a test, which keeps this page fresh. They are indented here, and single lines in fact.\n"
    );
    for (kind, text, line) in examples() {
        let pretty = serde_json::to_string_pretty(&line).expect("JSON");
        write!(page, "\n## `{kind}`\n\n{text}\n\n```json\n{pretty}\n```\n").expect("a string");
    }
    page
}

#[test]
fn every_object_is_one_line_and_reads_back() {
    for (kind, _, line) in examples() {
        let text = line.to_string();
        assert!(!text.contains('\n'), "{kind}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["type"], kind);
        let back: Line = serde_json::from_str(&text).expect("the same object");
        assert_eq!(back, line, "{kind}");
    }
}

#[test]
fn fields_that_come_later_do_not_disturb() {
    let text = r#"{"type":"sent","octets":7,"new_field":{"a":[1]}}"#;
    assert_eq!(
        serde_json::from_str::<Line>(text).expect("a line"),
        Line::Sent { octets: 7 }
    );
}

#[test]
fn the_first_line_is_the_golden_one() {
    let (_, _, first) = &examples()[0];
    assert_eq!(
        first.to_string(),
        r#"{"type":"start","schema":1,"version":"0.1.0","command":"copy","source":"imap://taro@imap.example.jp","destination":"imap://taro@imap.example.com"}"#
    );
}

#[test]
fn the_page_of_the_contract_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md");
    let page = page();
    if std::env::var_os("HIKYAKU_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == page,
        "docs/json.md is not fresh: run with HIKYAKU_BLESS=1"
    );
}
