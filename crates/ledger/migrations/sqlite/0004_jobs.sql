-- Times are milliseconds since 1970 UTC; where a column may not be NULL, 0 means never.

-- A job of the service, as far as the queue has to know it; what it means to people is in job_part, as JSON.
-- lane: 0 rests, 1 to be looked at, 2 to be run. due: not before. wish: 0 none, 1 pause, 2 cancel.
-- host, source, destination: what limits are counted by. version rises with every change, fence with every claim.
CREATE TABLE job (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    token TEXT NOT NULL,
    state TEXT NOT NULL,
    paused INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    due INTEGER NOT NULL,
    wish INTEGER NOT NULL,
    host TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    version INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    worker TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    begins INTEGER NOT NULL,
    created INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    UNIQUE (tenant, owner, token)
) STRICT;

CREATE INDEX job_lane ON job (lane, due);

CREATE INDEX job_owner ON job (tenant, owner, number);

CREATE INDEX job_state ON job (state, ended);

CREATE INDEX job_touched ON job (touched);

-- The texts of a job. A part is written as a whole.
CREATE TABLE job_part (
    job TEXT NOT NULL REFERENCES job (id),
    part TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, part)
) STRICT;

-- A password, sealed with a key that is not in this database, and when it goes at the latest.
CREATE TABLE secret (
    job TEXT NOT NULL REFERENCES job (id),
    side TEXT NOT NULL,
    sealed BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (job, side)
) STRICT;

CREATE INDEX secret_expires ON secret (expires);

-- Mails to be sent. ended: when it was sent or given up; code: the last refusal, or why it was given up.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    job TEXT NOT NULL,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL,
    due INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    code TEXT NOT NULL
) STRICT;

CREATE INDEX outbox_due ON outbox (ended, due);

CREATE INDEX outbox_recipient ON outbox (recipient, sent);

-- Who is signed in, by the hash of what the browser keeps.
CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    csrf TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_owner ON session (tenant, owner);

-- What may be used once only.
CREATE TABLE nonce (
    name TEXT PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who did what. address: the network address of the client, where there was one.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    happened INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    job TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;

CREATE INDEX audit_job ON audit (job);

CREATE INDEX audit_happened ON audit (happened);
