//! The contract of all sources and destinations, held by memory, Dovecot and the three forms of
//! a backup.

use crate::common::{Side, connect};
use hikyaku_backup::{BackupDestination, BackupSource, Format};
use hikyaku_core::traits::Source;
use hikyaku_testkit::contract::{Takes, destination, source};
use hikyaku_testkit::memory::{MemoryAccount, Personality};
use hikyaku_testkit::servers::{Dovecot, DovecotOptions, MailServer};

const ALL: Takes = Takes {
    roles: true,
    subscriptions: true,
};

#[tokio::test]
async fn memory_keeps_the_contract() {
    for personality in [
        Personality::default(),
        Personality {
            appends_batches: false,
            reports_keys: false,
            tracks_changes: false,
            ..Personality::default()
        },
    ] {
        destination(&MemoryAccount::new(personality), ALL).await;
    }
}

#[tokio::test]
async fn imap_on_dovecot_keeps_the_contract() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let account = connect(&server, &user, Side::Destination).await;
    let takes = Takes {
        // Dovecot does not let a special use be set.
        roles: false,
        subscriptions: true,
    };
    let held = destination(&account, takes).await;
    let reading = connect(&server, &user, Side::Source).await;
    source(&reading, &held).await;
}

#[tokio::test]
async fn backups_keep_the_contract() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let account = BackupDestination::open(&path, Some(format)).expect("opened");
        let held = destination(&account, ALL).await;
        // While it is written to, and afterwards.
        source(&BackupSource::open(&path).expect("opened"), &held).await;
        account.close().await;
        drop(account);
        source(&BackupSource::open(&path).expect("opened"), &held).await;
        // A later life knows the same.
        let again = BackupDestination::open(&path, None).expect("opened again");
        assert_eq!(again.format(), format);
        source(&again, &held).await;
    }
}
