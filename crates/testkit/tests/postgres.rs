//! PostgreSQL really starts and takes SQL.

use hikyaku_testkit::postgres::Postgres;

#[test]
fn databases_are_made_on_a_private_server_that_ends_with_the_test() {
    let postgres = Postgres::start().unwrap();
    assert!(postgres.url().starts_with("postgres://hikyaku:"));
    let url = postgres.create_database("ledger_1").unwrap();
    assert!(url.ends_with("/ledger_1"), "{url}");
    let version = postgres.query("SHOW server_version_num").unwrap();
    assert!(version.starts_with("15"), "{version}");
    assert!(
        postgres
            .query("SELECT datname FROM pg_database")
            .unwrap()
            .contains("ledger_1\n")
    );
    assert!(
        postgres
            .create_database("ledger_1")
            .unwrap_err()
            .to_string()
            .contains("already exists")
    );
}
