-- How many connections a server let in when it last refused one. Forgotten after a day; noted is milliseconds since
-- 1970 UTC.
CREATE TABLE host (
    name TEXT PRIMARY KEY,
    let_in INTEGER NOT NULL,
    noted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
