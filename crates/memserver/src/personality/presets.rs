//! Servers as they were measured.

use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

impl Personality {
    // Capabilities that this server could not honour (SORT, BINARY, ACL, …) are
    // left out of the lists: a client that believed them would be misled.

    /// Dovecot 2.3 with its defaults: `/`, every fast extension, keeps octets
    /// except bare LF and NUL, and runs the text after a refused literal.
    pub fn dovecot_like() -> Self {
        Self {
            name: "dovecot-like",
            greeting: "Dovecot (Debian) ready.".into(),
            id: Some(vec![("name".into(), "Dovecot".into())]),
            separator: Some(b'/'),
            prefix: String::new(),
            foreign_namespaces: "NIL NIL".into(),
            capabilities: words(
                "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ MULTIAPPEND UNSELECT CHILDREN \
                 NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH LIST-STATUS MOVE \
                 STATUS=SIZE SPECIAL-USE QUOTA",
            ),
            early_capabilities: Some(words(
                "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+",
            )),
            mechanisms: words("PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256"),
            greets_with_capabilities: true,
            login_tells_capabilities: true,
            unknown: Refusal::bad("Error in IMAP command: Unknown command."),
            malformed: Refusal::bad("Error in IMAP command: Invalid arguments."),
            login_failed: Refusal::no("[AUTHENTICATIONFAILED] Authentication failed."),
            too_many: Some(Refusal::no(
                "[LIMIT] Maximum number of connections from user+IP exceeded",
            )),
            no_mailbox: Refusal::no("[TRYCREATE] Mailbox doesn't exist"),
            after_bad: AfterBad::RunsAsCommands,
            rewriting: Rewriting {
                bare_lf: Octets::Change,
                nul: Octets::Change,
                empty: Octets::Refuse,
                ..Rewriting::none()
            },
            names: NameRules {
                refusal: Refusal::no("[CANNOT] Character not allowed in mailbox name"),
                forbidden: b".",
                basic_plane_only: false,
                takes_raw: false,
                takes_bad_utf7: false,
                level_octets: 255,
                name_octets: 4096,
                folds_separators: false,
                trailing_separator: true,
                real_parents: false,
                file_system: true,
                no_odd_blanks: false,
                ignores_case: false,
            },
            dates: DateRules {
                before_1970: Ancient::Wrap,
                epoch_is_now: false,
                latest: Some(2_524_608_000),
                zone: Some(0),
            },
            over_quota: Limit {
                refusal: Refusal::no("[OVERQUOTA] Quota exceeded (mailbox for user is full)"),
                before_literal: true,
            },
            too_big: Limit {
                refusal: Refusal::no("[LIMIT] Requested allocation size exceeds the limit"),
                before_literal: true,
            },
            unlimited: Unlimited::Nothing,
            status_omits_unknown: false,
            subscribe_needs_mailbox: true,
            create_ignores_use: true,
            unsorted_list: true,
            epochs: Epochs::Stable,
            size_error: 0,
            uid_last: false,
            gmail: false,
        }
    }

    /// Cyrus 3.6 with `unixhierarchysep`: strict about messages, replaces 8-bit
    /// header octets by `X`, tells an exceeded quota only after the literal.
    pub fn cyrus_like() -> Self {
        Self {
            name: "cyrus-like",
            greeting: "server ready".into(),
            id: Some(vec![
                ("name".into(), "Cyrus IMAPD".into()),
                ("version".into(), "3.6.1".into()),
            ]),
            capabilities: words(
                "IMAP4rev1 LITERAL+ ID ENABLE CHILDREN CONDSTORE CREATE-SPECIAL-USE ESEARCH LIST-EXTENDED \
                 LIST-STATUS MAILBOX-REFERRALS MOVE MULTIAPPEND NAMESPACE OBJECTID QRESYNC QUOTA SPECIAL-USE \
                 STATUS=SIZE UIDPLUS UNSELECT APPENDLIMIT=4294967295 IDLE SASL-IR COMPRESS=DEFLATE",
            ),
            early_capabilities: None,
            mechanisms: words("PLAIN LOGIN"),
            unknown: Refusal::bad("Unrecognized command"),
            malformed: Refusal::bad("Invalid arguments"),
            login_failed: Refusal::no("Login failed: authentication failure"),
            too_many: None,
            after_bad: AfterBad::Swallows,
            rewriting: Rewriting {
                bare_lf: Octets::Refuse,
                nul: Octets::Refuse,
                eight_bit_header: Octets::Change,
                headerless: Octets::Refuse,
                empty: Octets::Refuse,
                ..Rewriting::none()
            },
            names: NameRules {
                refusal: Refusal::no("Invalid mailbox name"),
                forbidden: b"%\\\"\t",
                level_octets: 490,
                name_octets: 490,
                folds_separators: true,
                real_parents: true,
                file_system: false,
                ..Self::dovecot_like().names
            },
            dates: DateRules {
                before_1970: Ancient::Refuse,
                epoch_is_now: true,
                latest: None,
                zone: Some(0),
            },
            over_quota: Limit {
                refusal: Refusal::no("Over quota"),
                before_literal: false,
            },
            too_big: Limit {
                refusal: Refusal::no("[TOOBIG] Message too large"),
                before_literal: true,
            },
            unlimited: Unlimited::NoRoots,
            create_ignores_use: false,
            unsorted_list: false,
            no_mailbox: Refusal::no("[TRYCREATE] Mailbox does not exist"),
            ..Self::dovecot_like()
        }
    }

    /// Courier 5: `.` and `INBOX.`, few extensions, no LITERAL+, one text for
    /// every refusal, mends line ends.
    pub fn courier_like() -> Self {
        let error = "Error in IMAP command received by server.";
        Self {
            name: "courier-like",
            greeting: "Courier-IMAP ready. Copyright 1998-2021 Double Precision, Inc.".into(),
            id: None,
            separator: Some(b'.'),
            prefix: "INBOX.".into(),
            foreign_namespaces: "NIL ((\"#shared.\" \".\")(\"shared.\" \".\"))".into(),
            capabilities: words(
                "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE QUOTA IDLE UTF8=ACCEPT ENABLE",
            ),
            early_capabilities: None,
            mechanisms: words("PLAIN LOGIN CRAM-MD5"),
            login_tells_capabilities: false,
            unknown: Refusal::no(error),
            malformed: Refusal::no(error),
            login_failed: Refusal::no("Login failed."),
            too_many: None,
            no_mailbox: Refusal::no("[TRYCREATE] Must create mailbox before append"),
            after_bad: AfterBad::Closes,
            rewriting: Rewriting {
                bare_lf: Octets::Change,
                bare_cr: Octets::Change,
                no_final_newline: Octets::Change,
                empty: Octets::Change,
                ..Rewriting::none()
            },
            names: NameRules {
                refusal: Refusal::no("Invalid mailbox name."),
                forbidden: b"/",
                basic_plane_only: true,
                takes_raw: true,
                level_octets: 255,
                name_octets: 900,
                file_system: true,
                ..Self::dovecot_like().names
            },
            dates: DateRules {
                before_1970: Ancient::Refuse,
                epoch_is_now: true,
                latest: None,
                zone: Some(0),
            },
            over_quota: Limit {
                refusal: Refusal::no("[ALERT] You exceeded your mail quota."),
                before_literal: false,
            },
            unlimited: Unlimited::NoList,
            status_omits_unknown: true,
            subscribe_needs_mailbox: false,
            create_ignores_use: false,
            ..Self::dovecot_like()
        }
    }

    /// Gmail: labels as mailboxes over one store, X-GM-EXT-1, equal messages
    /// kept once, names without odd blanks or `^`.
    pub fn gmail_like() -> Self {
        Self {
            name: "gmail-like",
            greeting: "Gimap ready for requests from 127.0.0.1".into(),
            id: Some(vec![
                ("name".into(), "GImap".into()),
                ("vendor".into(), "Google, Inc.".into()),
            ]),
            capabilities: words(
                "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID CHILDREN X-GM-EXT-1 UIDPLUS \
                 COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS \
                 LITERAL- SPECIAL-USE APPENDLIMIT=35651584",
            ),
            early_capabilities: Some(words(
                "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID CHILDREN X-GM-EXT-1 SASL-IR",
            )),
            mechanisms: words("XOAUTH2 PLAIN OAUTHBEARER"),
            greets_with_capabilities: false,
            unknown: Refusal::bad("Unknown command"),
            malformed: Refusal::bad("Could not parse command"),
            login_failed: Refusal::no("[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
            too_many: Some(Refusal::no(
                "[ALERT] Too many simultaneous connections. (Failure)",
            )),
            no_mailbox: Refusal::no("[TRYCREATE] Folder doesn't exist. (Failure)"),
            after_bad: AfterBad::Closes,
            rewriting: Rewriting {
                bare_lf: Octets::Change,
                ..Rewriting::none()
            },
            names: NameRules {
                refusal: Refusal::no("[CANNOT] Invalid folder name (Failure)"),
                forbidden: b"^",
                level_octets: 225,
                name_octets: 900,
                real_parents: false,
                file_system: false,
                no_odd_blanks: true,
                ignores_case: true,
                ..Self::dovecot_like().names
            },
            dates: DateRules {
                before_1970: Ancient::Keep,
                epoch_is_now: false,
                latest: None,
                zone: Some(0),
            },
            too_big: Limit {
                refusal: Refusal::no("[TOOBIG] Message too large. (Failure)"),
                before_literal: true,
            },
            create_ignores_use: false,
            unsorted_list: false,
            gmail: true,
            ..Self::dovecot_like()
        }
    }

    /// IMAP4rev1 of 2003 and nothing else: no UIDPLUS, no NAMESPACE, every
    /// literal waits for `+`, UID comes last in FETCH.
    pub fn bare_rev1() -> Self {
        Self {
            name: "bare-rev1",
            greeting: "IMAP4rev1 Service Ready".into(),
            id: None,
            capabilities: words("IMAP4rev1"),
            early_capabilities: None,
            mechanisms: Vec::new(),
            greets_with_capabilities: false,
            login_tells_capabilities: false,
            login_failed: Refusal::no("LOGIN failed"),
            no_mailbox: Refusal::no("[TRYCREATE] no such mailbox"),
            rewriting: Rewriting::none(),
            names: NameRules {
                refusal: Refusal::no("that name is not allowed"),
                forbidden: b"",
                takes_raw: true,
                takes_bad_utf7: true,
                file_system: false,
                ..Self::dovecot_like().names
            },
            dates: DateRules {
                before_1970: Ancient::Keep,
                epoch_is_now: false,
                latest: None,
                zone: None,
            },
            create_ignores_use: false,
            uid_last: true,
            ..Self::dovecot_like()
        }
    }

    /// Both revisions, rev2 to be enabled, with everything this server can do.
    pub fn rev2() -> Self {
        Self {
            name: "rev2",
            greeting: "ready".into(),
            capabilities: words(
                "IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+ MULTIAPPEND UNSELECT CHILDREN NAMESPACE \
                 UIDPLUS LIST-EXTENDED CONDSTORE QRESYNC ESEARCH LIST-STATUS MOVE STATUS=SIZE SPECIAL-USE \
                 CREATE-SPECIAL-USE UTF8=ACCEPT COMPRESS=DEFLATE QUOTA QUOTA=RES-STORAGE OBJECTID",
            ),
            rewriting: Rewriting::none(),
            names: Self::bare_rev1().names,
            dates: Self::bare_rev1().dates,
            create_ignores_use: false,
            unsorted_list: false,
            ..Self::dovecot_like()
        }
    }

    /// IMAP4rev2 alone: UTF-8 names from the start, LITERAL- only, no RECENT.
    pub fn rev2_only() -> Self {
        Self {
            name: "rev2-only",
            capabilities: words("IMAP4rev2 LITERAL- QUOTA QUOTA=RES-STORAGE"),
            early_capabilities: None,
            ..Self::rev2()
        }
    }

    /// A server that alters what it gets: line ends, last newline, 8-bit headers,
    /// and a header line of its own before each message.
    pub fn rewriter() -> Self {
        Self {
            name: "rewriter",
            greeting: "ready".into(),
            rewriting: Rewriting {
                bare_lf: Octets::Change,
                bare_cr: Octets::Change,
                nul: Octets::Change,
                eight_bit_header: Octets::Change,
                no_final_newline: Octets::Change,
                headerless: Octets::Keep,
                empty: Octets::Change,
                adds_header: Some("X-Archived-By: rewriter\r\n".into()),
            },
            ..Self::dovecot_like()
        }
    }

    /// Every preset, for tests that walk them all.
    pub fn all() -> Vec<Self> {
        vec![
            Self::dovecot_like(),
            Self::cyrus_like(),
            Self::courier_like(),
            Self::gmail_like(),
            Self::bare_rev1(),
            Self::rev2(),
            Self::rev2_only(),
            Self::rewriter(),
        ]
    }
}
