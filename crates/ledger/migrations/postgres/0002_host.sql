-- The same table as in ../sqlite/0002_host.sql, where it is explained.
CREATE TABLE host (
    name TEXT COLLATE "C" PRIMARY KEY,
    let_in BIGINT NOT NULL,
    noted BIGINT NOT NULL
);
